"""The engine, read and write sessions, the one commit, locks, pages and past rows.

The order of locks is written here. It must not know what a row means, but for the positions that a commit
gives.
"""
