"""A stranger's check of a badge of any issuer: five questions and one headline.

It asks the report of `credentials` and what is known here of issuers. It keeps nothing of the person who asks
or of what they give, holds no database session while it waits for others, and must not know how awards are
decided.
"""
