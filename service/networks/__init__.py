"""Networks, their members, persons and meetings.

A member is one network's name for a person, found again by e-mail address or DID inside that network only. It
must not know what members have done or earned: that a new member frees held evidence is the work of `intake`.
"""
