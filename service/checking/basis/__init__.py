"""Compare a badge with its evidence, its receipt and the published rule.

It is asked only about badges whose signature and issuer are verified. It must not believe what a badge says of
itself: it compares with our rows or with what other addresses give. It must not know pages or headlines.
"""
