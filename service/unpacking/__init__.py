"""Badges found in any file: text, picture, PDF, archive, page, photo of a code.

It counts and bounds what it really unpacks. It must not know whether a badge is valid, and opens no database.
"""
