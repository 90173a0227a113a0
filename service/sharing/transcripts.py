"""Show a collection as others see it: how each badge stands today."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

from zxingcpp import BarcodeFormat, create_barcode, write_barcode_to_svg

from service.checking.desk import Desk
from service.sharing import badge_collections, standing
from service.sharing.badge_collections import PublicCollection
from service.sharing.certificate import SHEETS, Paper
from service.sharing.standing import Standing
from service.texts import lettering, printing
from service.texts.display_names import one_line
from service.texts.languages import N_, Language

TEMPLATE: Final = Path(__file__).parent / "documents" / "collection.typ"
MAX_NAME: Final = 300
AS_OF: Final = N_(
    "State of each badge on %(day)s. The issuers can take badges back, but not this paper: see how they stand today at %(address)s."
)
TEST: Final = N_("TEST: a practice badge from a network that is trying things out. It is worth nothing.")
UNSHOWN: Final = N_(
    "No font that we have can show every character of this document: they are blank here. Therefore it does not claim the "
    "standards PDF/A and PDF/UA. It is tagged for screen readers all the same."
)


@dataclass(frozen=True)
class Transcript:
    """A collection with how each of its badges stands."""

    shown: PublicCollection
    badges: list[Standing]


def find(desk: Desk, collection_id: str, now: datetime) -> Transcript | None:
    """Return a collection as others see it; None where there is none."""
    with desk.runtime.database.read() as session:
        found = badge_collections.shown(session, collection_id, now)
    if found is None:
        return None
    badges = [standing.of(desk, each, now) for each in found.credential_ids]
    return Transcript(found, [each for each in badges if each is not None])


def name_of(badge: Standing) -> str:
    """Return the name of a badge."""
    return str(badge.shown.document["credentialSubject"]["achievement"]["name"])


def pdf(found: Transcript, address: str, language: Language, paper: Paper, now: datetime) -> bytes:
    """Return a collection as PDF/A-3a and PDF/UA-1; if a letter is in no font, tagged without the standards.

    Args:
        address: of its page.
    """
    values = _shown(found, address, language, now) | {"paper": SHEETS[paper]}
    at = now.astimezone(UTC)
    compiled = partial(printing.compiled, TEMPLATE, title=found.shown.row.title, attached="", at=at)
    try:
        return compiled({**values, "unshown": False})
    except printing.UnshownError:
        return compiled({**values, "unshown": True}, standards=False)


def _shown(found: Transcript, address: str, language: Language, now: datetime) -> dict[str, Any]:
    say, row, at = language.gettext, found.shown.row, now.astimezone(UTC)
    return {
        "lang": language.code,
        "at": {part: getattr(at, part) for part in ("year", "month", "day", "hour", "minute", "second")},
        "title": _said(row.title),
        "name": _said(found.shown.name) if found.shown.name else None,
        "note": [_said(line, badge_collections.MAX_NOTE) for line in row.note.splitlines() if line],
        "badges": [_badge(each, language) for each in found.badges],
        "none": say(N_("There are no badges in it that others can see.")),
        "test": say(TEST),
        "as_of": say(AS_OF, day=language.day(now.isoformat()), address=address),
        "address": address,
        "code": write_barcode_to_svg(create_barcode(address, BarcodeFormat.QRCode, ec_level="M")),
        "code_alt": say(N_("QR code of the collection's page, %(address)s"), address=address),
        "unshown_note": say(UNSHOWN),
    }


def _badge(each: Standing, language: Language) -> Mapping[str, Any]:
    document, until = each.shown.document, each.shown.row.valid_until
    awarded = document.get("awardedDate") or document["validFrom"]
    facts = [language.gettext(N_("Awarded on %(day)s"), day=language.day(awarded))]
    if until is not None and each.shown.state.kind == "valid":
        facts.append(language.gettext(N_("valid until %(day)s"), day=language.day(until.isoformat())))
    return {
        "name": _said(name_of(each)),
        "issuer": _said(document["issuer"]["name"]),
        "facts": ", ".join(facts),
        "state": each.in_short(language),
        "tone": each.tone,
        "test": each.shown.network.sandbox,
        "address": document["id"],
    }


def _said(value: object, most: int = MAX_NAME) -> dict[str, Any]:
    text = one_line(value, most, " ")
    lang = lettering.language_of(text)
    return {"text": text, "leftwards": lettering.is_leftwards(text), "lang": lang if lang == "ja" else ""}
