"""Reasons why there is nothing to check, each with a code and a sentence.

The sentence is for somebody who knows nothing of badges: what they gave, what follows from it, and what to do or to ask
for next.
"""

from typing import Final

from credentials import CredentialError
from service.errors import ServiceError
from service.runtime.fetching import AnsweredError, PrivateAddressError
from service.texts.languages import N_
from service.unpacking.found import Problem

# --- Any file or text ------------------------------------------------------------------------------------------------

NOTHING: Final = Problem("nothing-given", N_("Paste a link or a text, or choose a file."))
FILE_EMPTY: Final = Problem(
    "file-empty", N_("This file is empty. Something went wrong when it was saved or sent. Ask for it again.")
)
FILE_TOO_LARGE: Final = Problem(
    "file-too-large",
    N_("This file is larger than 32 MB, too large for us to open. A badge is much smaller: ask for the badge itself."),
)
TEXT_TOO_LONG: Final = Problem(
    "text-too-long",
    N_(
        "This text, page or drawing is larger than 8 MB, too large for us to read. A badge is much smaller: ask "
        "for the badge itself."
    ),
)
FILE_UNREADABLE: Final = Problem(
    "file-unreadable",
    N_(
        "We cannot open this kind of file. A badge comes as a link, or as a PNG, SVG, PDF or JSON file. Ask the "
        "candidate for one of these."
    ),
)
TOO_MANY: Final = Problem("too-many", N_("We opened only the first 500. Send the rest separately."))
TEXT_WITHOUT_BADGE: Final = Problem(
    "text-without-badge",
    N_("We found no link and no badge in this text. A link begins with https://. Copy all of it and paste it here."),
)
LINE_WITHOUT_BADGE: Final = Problem(
    "line-without-badge", N_("There is no link and no badge on this line. A link begins with https://.")
)
JSON_DAMAGED: Final = Problem(
    "json-damaged",
    N_("This text begins like a badge, but part of it is missing or was changed. Copy all of it, or ask for the file."),
)
DATA_LINK_UNREADABLE: Final = Problem(
    "data-link-unreadable",
    N_("This link contains a picture that we cannot read. Save the picture as a file and choose that."),
)
OFFICE_DOCUMENT: Final = Problem(
    "office-document",
    N_(
        "This is a text document, for example from Word. We cannot check a badge in it. Copy the link to the badge "
        "from it, or ask the candidate for the badge itself."
    ),
)
SPREADSHEET: Final = Problem(
    "spreadsheet", N_("This is a spreadsheet. Save it as CSV, with the links in a column named link, and choose that.")
)
PAGE_WITHOUT_BADGE: Final = Problem(
    "page-without-badge",
    N_(
        "This is a saved web page without a link to a badge. Open the page in the browser and copy its address "
        "from the bar at the top."
    ),
)

# --- Pictures --------------------------------------------------------------------------------------------------------

SCREENSHOT: Final = Problem(
    "screenshot-without-code",
    N_(
        "This is a picture of a screen or a page, and we found no code in it. A picture of a badge proves nothing: "
        "anyone can make one. Ask the candidate for the link to the badge, or for the file that they downloaded "
        "from the issuer."
    ),
)
PHOTO_WITHOUT_CODE: Final = Problem(
    "photo-without-code",
    N_(
        "We found no code in this photo. Take it again from closer, in good light, with the whole square code in "
        "it. Or ask the candidate for the link to the badge."
    ),
)
PICTURE_WITHOUT_BADGE: Final = Problem(
    "picture-without-badge",
    N_(
        "This picture may look like a badge, but there is no badge inside it. Programs that copy or shrink "
        "pictures remove it. Ask the candidate for the link, or for the file that they downloaded from the issuer."
    ),
)
PICTURE_DAMAGED: Final = Problem(
    "picture-damaged", N_("This picture is damaged or incomplete. Ask for it again, as a file and not in a chat.")
)
PICTURE_TOO_LARGE: Final = Problem(
    "picture-too-large",
    N_("This picture has too many pixels for us to search. Take a screenshot of it and choose that."),
)
PHOTO_FORMAT: Final = Problem(
    "photo-format-unreadable",
    N_(
        "We cannot read photos in this format (HEIC or AVIF). Take a screenshot of it and choose that. For new "
        "photos on an iPhone, choose Formats: Most Compatible in the camera settings."
    ),
)
CODE_INSECURE_LINK: Final = Problem(
    "code-insecure-link",
    N_(
        "The code in this picture has a link that does not begin with https://. Others can change what such a link "
        "shows."
    ),
)
CODE_TEXT: Final = Problem(
    "code-text",
    N_("The code in this picture has only text, and no link or badge. There is nothing to check."),
)
CODE_OTHER: Final = Problem(
    "code-other",
    N_(
        "The code in this picture is for something else, such as a contact, a network or a payment. Ask the "
        "candidate for the code or the link to the badge."
    ),
)
SCRIPT_IN_PICTURE: Final = Problem(
    "picture-with-script",
    N_("The picture contains a script. We did not run it, and read only the badge inside the picture."),
)

# --- PDF -------------------------------------------------------------------------------------------------------------

PDF_WITHOUT_BADGE: Final = Problem(
    "pdf-without-badge",
    N_(
        "We found no badge in this PDF: no attached badge, no link to one, and no code on its first pages. What is "
        "only printed on a page proves nothing. Ask the candidate for the link to the badge."
    ),
)
PDF_FILE_WITHOUT_BADGE: Final = Problem(
    "pdf-file-without-badge", N_("This file is attached to the PDF, and it is not a badge.")
)
PDF_MORE_LINKS: Final = Problem(
    "pdf-more-links", N_("This PDF has more links. We took only the first 10: send the others as a list.")
)
PDF_ENCRYPTED: Final = Problem(
    "pdf-encrypted",
    N_("This PDF is locked with a password. Ask the candidate for one without, or for the link to the badge."),
)
PDF_TOO_LARGE: Final = Problem(
    "pdf-too-large",
    N_("This PDF is larger than 16 MB or has too many parts. Ask for the badge itself: its link, or its file."),
)
PDF_DAMAGED: Final = Problem(
    "pdf-damaged", N_("This PDF is damaged or incomplete. Ask for it again, or for the link to the badge.")
)

# --- ZIP -------------------------------------------------------------------------------------------------------------

ZIP_EMPTY: Final = Problem("zip-empty", N_("There is no file in this ZIP. Ask for it again."))
ZIP_DAMAGED: Final = Problem("zip-damaged", N_("This ZIP is damaged or incomplete. Ask for it again."))
ZIP_TOO_LARGE: Final = Problem(
    "zip-too-large", N_("This ZIP is too large when unpacked. We did not open the rest: send it in a second ZIP.")
)
SEARCHED_ENOUGH: Final = Problem(
    "searched-enough",
    N_(
        "There are too many photos and PDFs to search at once. We did not open this one: send it by itself or in a "
        "second ZIP."
    ),
)
SEARCHED_TOO_LONG: Final = Problem(
    "searched-too-long",
    N_(
        "Searching this file took too long, so we stopped. Ask the candidate for the link to the badge, or for the "
        "badge itself."
    ),
)
REST_NOT_SEARCHED: Final = Problem(
    "rest-not-searched",
    N_("Searching this took too long, so we stopped. We did not search the rest: send it separately."),
)
OPENING_FAILED: Final = Problem(
    "opening-failed",
    N_(
        "Our program for files of this kind failed on this one. Ask the candidate for the link to the badge, or "
        "for the badge itself."
    ),
)
ZIP_IN_ZIP: Final = Problem(
    "zip-in-zip", N_("This is a ZIP inside a ZIP. Unpack the outer one and send the inner one.")
)
ENTRY_ENCRYPTED: Final = Problem(
    "zip-entry-encrypted", N_("This file is locked with a password inside the ZIP. Ask for it without one.")
)
ENTRY_TOO_LARGE: Final = Problem(
    "zip-entry-too-large", N_("This file in the ZIP is larger than 16 MB. A badge is much smaller: ask for the badge.")
)
ENTRY_DAMAGED: Final = Problem(
    "zip-entry-damaged", N_("This file in the ZIP is damaged or packed in an unusual way. Ask for it by itself.")
)

# --- Links -----------------------------------------------------------------------------------------------------------

LINK_INSECURE: Final = Problem(
    "link-insecure",
    N_("This link does not begin with https://, so others can change what it shows. Ask for one that does."),
)
LINK_LEADS_THROUGH: Final = Problem(
    "link-leads-through",
    N_(
        "This link goes through another site, such as LinkedIn or a mail filter, and we cannot see where it leads. "
        "Open it, then paste the address of the badge."
    ),
)
LINK_PRIVATE: Final = Problem(
    "link-private",
    N_(
        "This link leads into a private network, so we do not open it. Ask the candidate for a link that anyone "
        "can open."
    ),
)
LINK_NEVER_ANSWERS: Final = Problem(
    "link-never-answers",
    N_("The site behind this link did not answer in time. That says nothing about the badge. Try again later."),
)
LINK_NOT_FOUND: Final = Problem(
    "link-not-found",
    N_("There is nothing at this link, or part of the link is missing. Ask the candidate for the whole link."),
)
LINK_LOGIN: Final = Problem(
    "link-login",
    N_(
        "The site behind this link shows it only to people who have signed in there. "
        "Ask the candidate for the public link, or for the badge as a file."
    ),
)
LINK_FAULTY: Final = Problem(
    "link-faulty",
    N_("The site behind this link is not working at the moment. That says nothing about the badge. Try again later."),
)
LINK_UNREACHABLE: Final = Problem(
    "link-unreachable",
    N_("We could not reach a site at this link. Check it for typing errors, or try again later."),
)
LINK_TOO_LARGE: Final = Problem(
    "link-too-large", N_("What is at this link is too large to be a badge. Ask for the link to the badge itself.")
)
LINK_IS_NO_BADGE: Final = Problem(
    "link-is-no-badge",
    N_("This link does not lead to a badge. Ask the candidate for the link to the badge itself."),
)
BUSY: Final = Problem("busy", N_("We are checking too many badges at the moment. Try again in a minute."))

_OF_CODES: Final = {
    "address-refused": LINK_INSECURE,
    "not-a-credential": LINK_IS_NO_BADGE,
    "fetch-timeout": LINK_NEVER_ANSWERS,
    "fetch-too-large": LINK_TOO_LARGE,
    "fetch-status": LINK_FAULTY,
    "address-without-badge": LINK_NOT_FOUND,
    "document-unknown": LINK_NOT_FOUND,
    "fetch-busy": BUSY,
    "too-many-requests": BUSY,
    "service-busy": BUSY,
}
_OF_STATUSES: Final = {401: LINK_LOGIN, 403: LINK_LOGIN, 407: LINK_LOGIN, 404: LINK_NOT_FOUND, 410: LINK_NOT_FOUND}


def why_not(error: CredentialError | ServiceError) -> Problem:
    """Return why an address could not be checked, in words for people."""
    cause = error.__cause__ or error
    if isinstance(cause, PrivateAddressError):
        return LINK_PRIVATE
    if isinstance(cause, AnsweredError):
        return _OF_STATUSES.get(cause.status, LINK_FAULTY)
    return _OF_CODES.get(error.code, LINK_UNREACHABLE)
