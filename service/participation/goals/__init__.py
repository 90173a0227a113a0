"""What a member wants to reach, their check-ins on the way, and the peer who confirms that it was met.

A goal is its member's own: they alone write it, say how far they are, choose who else learns of it, and close it. It must
not say what a goal that was met is worth: that is for the published rules.
"""
