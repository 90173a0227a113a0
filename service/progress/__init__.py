"""What each member has reached: rules evaluated over rows, now or in the past.

It only answers, but for the days of tenure that it counts. It must not know awards, approvals or what follows
when criteria are met.
"""
