"""Credentials as values: what the specifications ask of their form.

The classes build credentials and check received ones. They must not know signatures or status, nor whether a
statement is true.
"""
