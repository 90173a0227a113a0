"""Who calls, what they may do, and whose rows they may see.

Tokens, scopes, and the one query that keeps networks apart. It must not know HTTP or what a caller wants to do.
"""
