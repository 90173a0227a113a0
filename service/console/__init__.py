"""What facilitators and administrators do, such as dealing with a leaked token.

It calls the packages below, and may tell people by mail (`outbox`). It must not change rows that belong to
another package.
"""
