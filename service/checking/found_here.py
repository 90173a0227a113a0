"""What our own rows can add to a report, by the codes of its findings."""

from typing import Final

NEVER_SIGNED: Final = "never-signed-here"
"""A finding: it names this service, which never signed it."""
RECORDS_LOST: Final = "records-lost"
"""A finding: it names this service, and a time whose records are lost."""
NOT_KEPT: Final = "older-texts-not-kept"
"""A finding: it is a status list of this service, and not the newest, whose text alone is known."""
NEWER_COPY: Final = "newer-copy-here"
"""A remark: this service has signed a newer text of it."""
REPLACED: Final = "replaced-here"
"""A finding: this service has revoked it, because another badge stands in its place."""
OTHER_ADDRESS: Final = "recipient-other-address"
"""A remark: its person has proved this address too, which is not the one that it was issued to."""
SIGNED_HERE: Final = "signed-here"
"""A remark: this service has signed it with a key that is not published as good any more."""
