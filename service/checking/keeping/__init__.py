"""A check to keep: bundles for a check offline, and receipts as record or PDF.

What is kept is made anew from what was given. It must not sign a stranger's words, nor believe a bundle's own
claims about its keys.
"""
