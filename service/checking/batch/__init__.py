"""Many badges checked in one request, answered one by one as they are decided.

It must not know how a badge is judged, only how long a check may take. Nothing of a batch is kept after its
request.
"""
