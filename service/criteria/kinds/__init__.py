"""The kinds of rules, one file each: the class of a kind and its SQL together.

`rule.py` has the class that every kind inherits, `query.py` the parts of every kind's SQL. A kind must not know the
other kinds, nor the tree in which it is used.
"""
