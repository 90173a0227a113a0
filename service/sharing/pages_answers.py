"""What several pages of a badge answer."""

from fastapi import Response

from service.public import documents
from service.runtime.runtime import Runtime
from service.texts.languages import N_, Language
from service.web.rendering import render

ERASED = N_("This badge was erased")
NO_BADGE = N_("No badge at this address")
PERHAPS_PRIVATE = N_(
    "The link may be incomplete, or the person keeps the badge private. Ask them for the link again, or for the file."
)


def no_badge(language: Language, runtime: Runtime, credential_id: str) -> Response:
    """Return the page that says that there is no badge; a private one looks the same.

    Raises:
        GoneError: as `documents.refuse_erased`.
    """
    with runtime.database.read() as session:
        documents.refuse_erased(session, credential_id)
    return render("notice.html", language=language, status=404, title=NO_BADGE, sentence=PERHAPS_PRIVATE)
