"""What a network expects of its members, and where each of them stands.

It expects it in each month, term or year, or once. An expectation is a rule of `criteria/1` over a period, and its numbers are those of that rule. It never decides what is
earned: only criteria do.
"""
