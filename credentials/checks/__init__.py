"""The questions of a verification, one file each, with one limit of work for all.

The answer to each is passed, failed, undecided or skipped. A check must not know the order of the report or its
verdict: `verify` puts them together. Documents from elsewhere come only through `inquiry`.
"""
