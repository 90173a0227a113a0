"""What an operation is given: settings, database, custody, fetcher and clock.

Private keys and other people's addresses are reached through here only. It must not know any part of the
domain: what one part needs alone is built by `app` and handed to that part.
"""
