"""Content-addressed files of a network, whose bytes show what they are.

This package must not believe a sender's name for a file, nor know what a file is used for.
"""
