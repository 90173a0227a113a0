"""Credentials as values: what the specifications ask of their form.

The classes build credentials and check received ones. They must not know signatures, status or whether a
statement is true.
"""
