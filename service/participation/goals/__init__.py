"""What members want to reach, their check-ins, and peers who confirm it.

A goal is its member's own: they alone write it, say how far they are, choose who else learns of it, and close it. It must
not say what a goal that was met is worth: that is for the published rules.
"""
