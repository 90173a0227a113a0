"""Calls for participants: applications, proposals and what people decide.

It proposes a set and says why; it must not decide on anybody, and never asks for what the law protects.
"""
