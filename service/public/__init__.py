"""Which public address is which document: profiles, keys, lists, badges.

Our routes, our own checks and bundles all ask here, so that the service never calls itself over HTTP. This package only
reads, and must not know how a document becomes a page.
"""
