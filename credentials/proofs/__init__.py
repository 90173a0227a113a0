"""Proofs, made and checked: Data Integrity, VC-JWT, keys and where they are.

Each byte layout has one file. It must not know whether a key belongs to the issuer of a credential
(`checks.provenance`), nor what time it is.
"""
