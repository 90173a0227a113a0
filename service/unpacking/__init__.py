"""Badges found in any file: text, picture, PDF, archive, page, photo of a code.

What is really unpacked is counted and bounded. It must not know whether a badge holds, and it opens no
database.
"""
