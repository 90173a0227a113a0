"""Networks and the service as issuers: DIDs, profiles, keys, base address.

Private halves stay in custody (`runtime`). It must not know what is signed with a key, nor why.
"""
