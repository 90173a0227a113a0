"""From a JSON-LD document to the exact bytes that are signed.

Contexts come from a closed registry, and nothing is dropped silently. This shelf must not know credentials, keys
or issuers: a document is a graph here.
"""
