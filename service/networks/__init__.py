"""Networks, their members, persons, meetings and objectives.

A member is one network's name for a person, who is recognised by e-mail address or DID inside that network only. The
package must not know what members have done or earned: `intake` releases the evidence that waited for a new member.
"""
