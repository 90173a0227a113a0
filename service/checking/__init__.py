"""A stranger's check of a badge of any issuer: five questions and one headline.

It combines the report of `credentials` with what this service knows of issuers. It stores nothing about the person
who asks or what they give, holds no database session while it waits for other servers, and must not know how
awards are decided.
"""
