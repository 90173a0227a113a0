"""The machinery of HTTP: sessions, scopes, exactly-once writes, templates.

Everything here serves any route. Of the domain it knows the caller and the network in the path; it must not know any
other resource, and has no query of its own.
"""
