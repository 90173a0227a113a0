"""Make and check proofs: Data Integrity, VC-JWT, keys and their addresses.

Each byte layout has one file. This shelf must not know whether a key belongs to the issuer of a credential
(`checks.provenance`), nor what time it is.
"""
