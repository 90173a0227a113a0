"""The W3C VC API: issue, verify and change status, signed as nobody.

It has a key and status lists of its own. It must not know networks, members, awards or their keys, and it is
absent unless a setting turns it on.
"""
