"""Asking to join a listed network: what a person says, what the network answers.

It shows nobody who else asked, and must not write to anyone by mail.
"""
