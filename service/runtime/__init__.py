"""What an operation is given: settings, database, custody, fetcher and clock.

All access to private keys and to other people's addresses goes through here. It must not know any part of the
domain: what only one part needs is built by `app` and handed to that part.
"""
