"""What runs beside requests, and what an operator reads about the service: health.

It starts what is due in other packages, one transaction each, and hands them what they cannot import. It must
not know why something is due: each package decides that for itself.
"""
