"""The rule language `criteria/1`: its tree, its kinds, and their queries.

It must not know definitions, members or awards, except for the rows that a rule counts, and it decides nothing.
"""
