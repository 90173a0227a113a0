"""The guidelines of a network: one document in numbered versions, and what the network chose about it.

It must not know who has accepted them: that is evidence, and `participation` asks for it.
"""
