"""What each member has reached: rules evaluated over rows, now or in the past.

It only reads, except that it marks members whose days in a role have grown. It must not know awards, approvals or what
follows when criteria are met.
"""
