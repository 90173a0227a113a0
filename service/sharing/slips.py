"""Print codes as slips to cut apart.

Six are on an A4 page, in a PDF that is tagged for screen readers.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import typst

from service.runtime.runtime import Runtime
from service.sharing.claims import MadeCode
from service.tables import Network
from service.texts import lettering
from service.texts.display_names import one_line
from service.texts.languages import N_, Language

SOURCE: Final = Path(__file__).parent / "documents" / "claim_slips.typ"
STANDARDS: Final[list[Any]] = ["ua-1"]
MAX_NAME: Final = 60
UNSHOWN: Final = "\u25af"
"""Replaces a character that no font has."""

TITLE = N_("Codes to claim badges")
HEADING = N_("Your badges of %(network)s")
FOR = N_("For %(name)s")
STEPS = N_("Open %(address)s, sign in, and type this code:")
UNTIL = N_("It works once, until %(day)s. Anyone who has this paper can use it: do not give it to anyone.")


def sheet(runtime: Runtime, network: Network, made: Sequence[MadeCode], language: Language, now: datetime) -> bytes:
    """Return the slips as PDF.

    Names are those that the network gave, or the refs; a character that no font has is shown as a box.
    """
    say = language.gettext
    address = f"{runtime.settings.base_url}/claim"
    slips = [
        {
            "heading": say(HEADING, network=one_line(network.name, MAX_NAME)),
            "for": say(FOR, name=one_line(each.member.name or each.member.ref, MAX_NAME)),
            "steps": say(STEPS, address=address),
            "code": each.code,
            "until": say(UNTIL, day=language.day(each.row.expires_at)),
        }
        for each in made
    ]
    shown = {"lang": language.code, "rtl": language.direction == "rtl", "slips": _showable(slips)}
    return typst.compile(
        SOURCE,
        root=SOURCE.parent,
        font_paths=lettering.fonts(),
        ignore_system_fonts=True,
        format="pdf",
        sys_inputs={"shown": json.dumps(shown), "title": say(TITLE)},
        pdf_standards=STANDARDS,
        timestamp=now,
    )


def _showable(slips: Sequence[dict[str, str]]) -> list[dict[str, str]]:
    return [
        {name: "".join(letter if lettering.has(letter) else UNSHOWN for letter in text) for name, text in slip.items()}
        for slip in slips
    ]
