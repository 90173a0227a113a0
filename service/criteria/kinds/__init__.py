"""The kinds of rules, one file each: the class of a kind and its SQL together.

`rule.py` is what every kind is, `query.py` what every kind's SQL is made of. A kind must not know the other
kinds, nor the tree that it stands in.
"""
