"""A badge for people: its page, its receipt's page, and the pages of its issuer.

It shows what the packages below have read and checked. It must not know how a check is done or an award is
made.
"""
