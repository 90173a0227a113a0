"""The kinds of rules, one file each: the class of a kind and its SQL together.

`rule.py` has the class that every kind inherits, `query.py` the parts of every kind's SQL. A kind must not know the
other kinds, nor the tree in which it is used.

A rule is also read, and compared with a receipt, where there are no rows: so a kind imports what its SQL is made of
only where it makes it.
"""
