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

NOTHING: Final = Problem("nothing-given", N_("Nothing was given. Paste a link or a text, or choose a file."))
FILE_EMPTY: Final = Problem(
    "file-empty", N_("This file is empty. Something went wrong when it was saved or sent. Ask for it again.")
)
FILE_TOO_LARGE: Final = Problem(
    "file-too-large",
    N_("This file is larger than 32 MB, more than is opened here. A badge is much smaller: ask for the badge itself."),
)
TEXT_TOO_LONG: Final = Problem(
    "text-too-long",
    N_(
        "This is a text, a page or a drawing of more than 8 MB, more than is read here. "
        "A badge is much smaller: ask for the badge itself."
    ),
)
FILE_UNREADABLE: Final = Problem(
    "file-unreadable",
    N_(
        "This kind of file cannot be opened here. A badge comes as a link, or as a PNG, SVG, PDF or JSON file. "
        "Ask the candidate for one of these."
    ),
)
TOO_MANY: Final = Problem("too-many", N_("Only the first 500 were opened. Give what follows in a second go."))
TEXT_WITHOUT_BADGE: Final = Problem(
    "text-without-badge",
    N_("No link and no badge was found in this text. A link begins with https://. Copy all of it and paste it here."),
)
LINE_WITHOUT_BADGE: Final = Problem(
    "line-without-badge", N_("This line holds no link and no badge. A link begins with https://.")
)
JSON_DAMAGED: Final = Problem(
    "json-damaged",
    N_(
        "This text begins like a badge, but it is incomplete or was changed on its way. "
        "Copy all of it, or ask for the file."
    ),
)
DATA_LINK_UNREADABLE: Final = Problem(
    "data-link-unreadable",
    N_("This link holds a picture within itself, and it cannot be read. Save the picture as a file and choose it."),
)
OFFICE_DOCUMENT: Final = Problem(
    "office-document",
    N_(
        "This is a text document, such as Word makes them. A badge cannot be checked in it. "
        "Copy the link of the badge out of it, or ask the candidate for the badge itself."
    ),
)
SPREADSHEET: Final = Problem(
    "spreadsheet", N_("This is a spreadsheet. Save it as CSV, with the links in a column named link, and choose that.")
)
PAGE_WITHOUT_BADGE: Final = Problem(
    "page-without-badge",
    N_(
        "This is a saved web page, and no badge is linked from it. "
        "Open the page in the browser and copy its address from the bar at the top."
    ),
)

# --- Pictures --------------------------------------------------------------------------------------------------------

SCREENSHOT: Final = Problem(
    "screenshot-without-code",
    N_(
        "This is a picture of a screen or a page, without a code that can be read. A picture of a badge proves "
        "nothing: anybody can make one. Ask the candidate for the link of the badge, or for the file that was "
        "downloaded from where it was issued."
    ),
)
PHOTO_WITHOUT_CODE: Final = Problem(
    "photo-without-code",
    N_(
        "No code was found in this photo. Take it again from nearer, in good light, with the whole square code in it; "
        "or ask the candidate for the link of the badge."
    ),
)
PICTURE_WITHOUT_BADGE: Final = Problem(
    "picture-without-badge",
    N_(
        "This picture may look like a badge, but no badge is stored in it. Programs that copy or shrink pictures "
        "remove it. Ask the candidate for the link, or for the file as it was downloaded from where it was issued."
    ),
)
PICTURE_DAMAGED: Final = Problem(
    "picture-damaged", N_("This picture is damaged or incomplete. Ask for it again, best as a file and not in a chat.")
)
PICTURE_TOO_LARGE: Final = Problem(
    "picture-too-large", N_("This picture has too many pixels to be searched. Take a screenshot of it and choose that.")
)
PHOTO_FORMAT: Final = Problem(
    "photo-format-unreadable",
    N_(
        "This photo has a format (HEIC or AVIF) that cannot be read here. Take a screenshot of it and choose that. "
        "On an iPhone new photos can be read once the camera settings say Formats: Most Compatible."
    ),
)
CODE_INSECURE_LINK: Final = Problem(
    "code-insecure-link",
    N_(
        "The code in this picture holds a link that does not begin with https://. Such a link can be forged on its way."
    ),
)
CODE_TEXT: Final = Problem(
    "code-text",
    N_("The code in this picture holds only a text, neither a link nor a badge. There is nothing to check."),
)
CODE_OTHER: Final = Problem(
    "code-other",
    N_(
        "The code in this picture is for something else, such as a contact, a network or a payment. "
        "Ask the candidate for the code or the link of the badge."
    ),
)
SCRIPT_IN_PICTURE: Final = Problem(
    "picture-with-script", N_("The picture holds a script. It was not run, and only the badge stored in it was read.")
)

# --- PDF -------------------------------------------------------------------------------------------------------------

PDF_WITHOUT_BADGE: Final = Problem(
    "pdf-without-badge",
    N_(
        "This PDF holds no badge: none is attached to it, no link leads to one, and no code that can be read is on its "
        "first pages. What is only printed on a page proves nothing. Ask the candidate for the link of the badge."
    ),
)
PDF_FILE_WITHOUT_BADGE: Final = Problem(
    "pdf-file-without-badge", N_("This file is attached to the PDF, and it is not a badge.")
)
PDF_MORE_LINKS: Final = Problem(
    "pdf-more-links", N_("This PDF holds more links. Only the first 10 were taken: give the others as a list.")
)
PDF_ENCRYPTED: Final = Problem(
    "pdf-encrypted",
    N_("This PDF is locked with a password. Ask the candidate for one without, or for the link of the badge."),
)
PDF_TOO_LARGE: Final = Problem(
    "pdf-too-large",
    N_("This PDF is larger than 16 MB, or of too many parts. Ask for the badge itself: its link, or its file."),
)
PDF_DAMAGED: Final = Problem(
    "pdf-damaged", N_("This PDF is damaged or incomplete. Ask for it again, or for the link of the badge.")
)

# --- ZIP -------------------------------------------------------------------------------------------------------------

ZIP_EMPTY: Final = Problem("zip-empty", N_("There is no file in this ZIP. Ask for it again."))
ZIP_DAMAGED: Final = Problem("zip-damaged", N_("This ZIP is damaged or incomplete. Ask for it again."))
ZIP_TOO_LARGE: Final = Problem(
    "zip-too-large", N_("Unpacked, this ZIP is too large. What follows was not opened: give it in a second ZIP.")
)
SEARCHED_ENOUGH: Final = Problem(
    "searched-enough",
    N_(
        "So many photos and PDFs are not searched at once. This one was not opened: give it by itself or in a second ZIP."
    ),
)
SEARCHED_TOO_LONG: Final = Problem(
    "searched-too-long",
    N_(
        "To search this file takes longer than is allowed for one request, so that it was not searched to its end. "
        "Ask the candidate for the link of the badge, or for the badge itself."
    ),
)
REST_NOT_SEARCHED: Final = Problem(
    "rest-not-searched",
    N_(
        "To search what is in here takes longer than is allowed for one request. "
        "What follows was not searched: give it by itself."
    ),
)
OPENING_FAILED: Final = Problem(
    "opening-failed",
    N_(
        "The program that opens such files failed at this one, and nothing else was harmed. "
        "Ask the candidate for the link of the badge, or for the badge itself."
    ),
)
ZIP_IN_ZIP: Final = Problem(
    "zip-in-zip", N_("This is a ZIP inside a ZIP. Unpack the outer one and give the inner one.")
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
    N_("This link does not begin with https://, so what it shows can be forged on its way. Ask for one that does."),
)
LINK_LEADS_THROUGH: Final = Problem(
    "link-leads-through",
    N_(
        "This link leads through another site, such as LinkedIn or a mail filter, which does not show us where. "
        "Open it, and paste the address of the badge at which you arrive."
    ),
)
LINK_PRIVATE: Final = Problem(
    "link-private",
    N_(
        "This link leads into a private network, where only some can look, and is never opened here. "
        "Ask the candidate for a link that everybody can open."
    ),
)
LINK_NEVER_ANSWERS: Final = Problem(
    "link-never-answers",
    N_("The site behind this link did not answer in time. That says nothing about the badge. Try again later."),
)
LINK_NOT_FOUND: Final = Problem(
    "link-not-found",
    N_("There is nothing at this link any more, or part of it is missing. Ask the candidate for the whole link."),
)
LINK_LOGIN: Final = Problem(
    "link-login",
    N_(
        "The site behind this link shows it only to people who have signed in there. "
        "Ask the candidate for the public link, or for the badge as a file."
    ),
)
LINK_FAULTY: Final = Problem(
    "link-faulty", N_("The site behind this link has a fault now. That says nothing about the badge. Try again later.")
)
LINK_UNREACHABLE: Final = Problem(
    "link-unreachable",
    N_("No site could be reached at this link. Look for a typing error in it, or try again later."),
)
LINK_TOO_LARGE: Final = Problem(
    "link-too-large", N_("What lies at this link is larger than a badge ever is. Ask for the link of the badge itself.")
)
LINK_IS_NO_BADGE: Final = Problem(
    "link-is-no-badge",
    N_(
        "This link leads to something that is no badge, and no badge is linked from it. "
        "Ask the candidate for the link of the badge itself."
    ),
)
BUSY: Final = Problem("busy", N_("Too much is being checked at the moment. Try again in a minute."))

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
