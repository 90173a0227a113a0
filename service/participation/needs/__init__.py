"""Interests and needs: what members want to learn and can offer.

They are asked once in each cycle. Needs are matched with what peers offer, and the network sees which needs nobody serves.
An answer is the member's own word about themself, and it must not become evidence: no rule counts it, and who does not
answer loses nothing.
"""
