"""Telling networks by webhook and people by mail what has happened.

It reads the outbox, and renders an event only when it sends it. It must not decide anything about members, awards
or cases, and no decision may wait for it.
"""
