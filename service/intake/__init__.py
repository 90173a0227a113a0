"""What networks send, and what follows at once: evidence, members, imports.

A request that posts evidence starts here, because it may end in an award. The package must not know how a badge
is written or signed: it calls `evidence` to record and `awards` to settle.
"""
