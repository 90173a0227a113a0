"""Print the attendance code of a session on a sheet to hang in the room.

It is one page, A4 or US Letter, and tagged for screen readers. It shows the code as a QR code and as letters, and says what
happens with what people say.
"""

from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal

from zxingcpp import BarcodeFormat, create_barcode, write_barcode_to_svg

from service.intake import attendance_codes
from service.intake.attendance_codes import MadeCode
from service.runtime.runtime import Runtime
from service.tables import Network
from service.texts import lettering, printing
from service.texts.display_names import one_line
from service.texts.languages import N_, Language

Paper = Literal["a4", "letter"]
TEMPLATE: Final = Path(__file__).parent / "documents" / "attendance_sheet.typ"
SHEETS: Final[dict[Paper, str]] = {"a4": "a4", "letter": "us-letter"}
MAX_TITLE: Final = 120
MAX_NAME: Final = 60

HEADING = N_("Were you here? Say so.")
SCAN = N_("Scan this code with your phone. Or open this address, and type these letters:")
SIGN_IN = N_("Sign in with your email address. The network may know you by it.")
CONFIRM = N_("Confirm that you were here.")
WINDOW = N_("This works from %(begin)s until %(end)s.")
BY_NETWORK = N_("%(network)s looks at each claim before it counts.")
BY_ONESELF = N_("If %(network)s knows your address, your claim counts at once, as your own word.")
DATA = N_(
    "%(network)s sees that you say you were here. If it does not know your address, it sees the name that you type. It does "
    "not see your email address or your account. You find what became of it under My badges."
)
RULES = N_("Only the published rules of the network decide about badges. Do not scan this for somebody else.")
TEST = N_("This network is a test. Nothing here counts.")
UNSHOWN_NOTE = N_(
    "Our fonts cannot show some characters of this sheet: they are blank here. So this document does not claim the standards "
    "PDF/A and PDF/UA. It is still tagged for screen readers."
)


def sheet(runtime: Runtime, network: Network, made: MadeCode, language: Language, paper: Paper, now: datetime) -> bytes:
    """Return the sheet as PDF.

    If a letter is in no font, the standards refuse it. Then the document is tagged without them, and says so.
    """
    shown = _shown(runtime, network, made, language, now) | {"paper": SHEETS[paper]}
    title = language.gettext(N_("Attendance: %(session)s"), session=shown["title"]["text"])
    compiled = partial(printing.compiled, TEMPLATE, title=title, attached="", at=now.astimezone(UTC))
    try:
        return compiled({**shown, "unshown": False})
    except printing.UnshownError:
        return compiled({**shown, "unshown": True}, standards=False)


def _shown(runtime: Runtime, network: Network, made: MadeCode, language: Language, now: datetime) -> dict[str, Any]:
    say, row, at = language.gettext, made.row, now.astimezone(UTC)
    url = attendance_codes.url_of(runtime, made.code)
    name = one_line(network.name, MAX_NAME, " ")
    title = "" if made.meeting.confidential else one_line(made.meeting.title, MAX_TITLE, " ")
    window = {
        "begin": language.local_moment(row.opens_at, network.time_zone),
        "end": language.local_moment(row.closes_at, network.time_zone),
    }
    return {
        "lang": language.code,
        "at": {part: getattr(at, part) for part in ("year", "month", "day", "hour", "minute", "second")},
        "title": _said(title or say(N_("A session of %(network)s"), network=name)),
        "network": _said(name),
        "heading": say(HEADING),
        "steps": [
            say(SCAN),
            say(SIGN_IN),
            say(CONFIRM),
        ],
        "address": f"{runtime.settings.base_url}/attend",
        "letters": made.code,
        "url": url,
        "code": write_barcode_to_svg(create_barcode(url, BarcodeFormat.QRCode, ec_level="M")),
        "code_alt": say(N_("QR code of the address %(address)s"), address=url),
        "notes": [
            say(WINDOW, **window),
            say(BY_NETWORK if row.approval else BY_ONESELF, network=name),
            say(DATA, network=name),
            say(RULES),
        ],
        "test": say(TEST) if network.sandbox else "",
        "unshown_note": say(UNSHOWN_NOTE),
    }


def _said(text: str) -> dict[str, Any]:
    lang = lettering.language_of(text)
    return {"text": text, "leftwards": lettering.is_leftwards(text), "lang": lang if lang == "ja" else ""}
