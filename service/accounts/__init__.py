"""People who sign in: their addresses, browsers and ways to sign in.

The ways are a mailed link or code, a passkey, and OpenID Connect. The package must not know networks, awards or credentials: what somebody may see or do there is decided above.
"""
