"""Telling networks by webhook and people by mail what has happened.

It reads the outbox and renders an event when it is sent. It must not decide anything about members, awards or
cases, and nothing that decides may wait for it.
"""
