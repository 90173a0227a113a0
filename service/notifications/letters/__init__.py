"""The words of mails, in a file for each thing that mails are about.

A mail is written when it is sent (`rendering`). This package must not decide who is written to, or when.
"""
