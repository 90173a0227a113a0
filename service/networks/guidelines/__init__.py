"""The guidelines of a network, in numbered versions, and what it chose about them.

It must not know who has accepted them: that is evidence, and `participation` asks for it.
"""
