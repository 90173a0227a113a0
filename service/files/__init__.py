"""Content-addressed files of a network: what they are is seen in their bytes.

It must not believe a sender's name for a file, nor know what a file is used for.
"""
