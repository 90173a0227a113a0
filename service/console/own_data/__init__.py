"""All that is known of a person, over all networks: to download, or to erase.

It must not give anybody the secrets or the private words of others, and never erases half of what a network holds.
"""
