"""Asking to join a network that is in the public list: what a person says, and what the network answers.

It shows nobody who else asked, and must not write to anyone by mail.
"""
