"""Clients to copy: the few lines that a program needs, in three languages.

`/docs` and README.md show them as they are. Nothing imports it.
"""
