"""Which public address is which document: profiles, keys, lists, badges.

Our routes, our own checks and bundles all ask here, so that nobody calls this service over HTTP. It only reads,
and must not know how a document becomes a page.
"""
