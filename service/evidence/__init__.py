"""Evidence: recorded as it came, sealed, derived from and scrutinised.

A record never changes; a correction is another record. The package must not know rules or awards: it returns
the members and topics that a record is about, and `intake` acts on them.
"""
