"""What a network expects of its members in each month, term or year, and where each of them stands.

An expectation is a rule of `criteria/1` over a period, and its numbers are those of that rule. It never decides what is
earned: only criteria do.
"""
