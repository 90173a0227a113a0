"""What a badge rests on, compared: its evidence, receipt and published rule.

It is asked only about badges with a signature and an issuer that stand. It must not believe what a badge says
of itself: it compares with our rows or with what other addresses give. It must not know pages or headlines.
"""
