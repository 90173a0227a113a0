"""The database: sessions, the one commit, locks, pages and past rows.

The order of locks is written in `locks`. This package must not know what a row means, except for the positions that a
commit gives.
"""
