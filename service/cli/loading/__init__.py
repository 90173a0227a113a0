"""Practice networks: which there are, loading one, and removing it whole.

The data are in `service/cli/examples`, for people to read: bodies as the API takes them. Whatever is loaded goes through the
API or through what another command calls. It must not remove a network that it did not load.
"""
