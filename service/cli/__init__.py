"""The `laurel` command: what an operator does at a terminal, the demo, `verify`.

It starts the other packages and decides nothing itself. Nothing imports it.
"""
