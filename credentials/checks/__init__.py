"""The questions of a verification, one file each, under one bound of work.

Each answers passed, failed, undecided or skipped. A check must not know the order of the report or its verdict:
`verify` puts them together. Documents from elsewhere come through `inquiry` only.
"""
