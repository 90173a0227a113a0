"""People who sign in: by mailed link or code, passkey or OpenID Connect, in which browsers, with which addresses.

It must not know networks, awards or credentials: what somebody may see or do there is decided above.
"""
