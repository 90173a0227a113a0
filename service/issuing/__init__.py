"""What a decision becomes: receipt, unsigned badge, signed credential, status.

It must not know why somebody earned something or who may decide that: it gets a `Decision`. Formats and proofs
are chosen here.
"""
