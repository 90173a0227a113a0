"""Files to keep: bundles for a check offline, and receipts as record or PDF.

Each is made from what was given, by a new check. It must not sign a stranger's words, nor believe a bundle's own
claims about its keys.
"""
