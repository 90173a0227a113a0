"""The certificate of a badge: a PDF of one page to print.

The signed credential is attached. The certificate says what the badge says, and nothing that can change on the issuer's side: paper cannot be taken back. So a badge that
the issuer has revoked, replaced or suspended has none; an expired one says when it ended. The same badge gives the same
bytes in the same state, language and size of paper.
"""

import json
import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, Final, Literal

from markdown_it import MarkdownIt
from zxingcpp import BarcodeFormat, create_barcode, write_barcode_to_svg

from credentials import reading
from credentials.instants import read_instant
from service.achievements import pictures
from service.checking.issuers import domain_of
from service.errors import ConflictError
from service.runtime.runtime import Runtime
from service.sharing import views
from service.storage.database import ReadSession
from service.tables import AchievementVersion, Award
from service.texts import lettering, printing
from service.texts.accept_headers import preferences
from service.texts.display_names import one_line
from service.texts.languages import LANGUAGES, N_, Language

Paper = Literal["a4", "letter"]
TEMPLATE: Final = Path(__file__).parent / "documents" / "certificate.typ"
SHEETS: Final[dict[Paper, str]] = {"a4": "a4", "letter": "us-letter"}
LETTER_REGIONS: Final = frozenset({"bz", "ca", "cl", "co", "cr", "gt", "mx", "ni", "pa", "ph", "pr", "sv", "us", "ve"})
"""Where paper has the size US Letter, says CLDR."""
FILE_NAME: Final = "badge.json"
"""What the attached credential is called."""
MAX_NAME, MAX_DESCRIPTION, MAX_EARNED = 300, 700, 900
PICTURE_PIXELS: Final = 1024

WITHHELD: Final = {
    "revoked": N_("The issuer has taken back this badge, so it has no certificate."),
    "replaced": N_("The issuer replaced this badge. Get the certificate from the page of the new badge."),
    "suspended": N_(
        "This badge is suspended while the issuer looks into it. It has no certificate until the issuer has decided."
    ),
}
"""Why there is no certificate of a badge in such a state."""
NAMELESS: Final = N_("One person. The badge does not show their name.")
VERIFYING: Final = N_(
    "This document contains the signed badge, the file %(file)s. Drop the document at %(address)s, or open the file in any "
    "program that checks Open Badges. Only the signed badge counts: the issuer can take it back, but not this paper."
)
UNSHOWN_NOTE: Final = N_(
    "Our fonts cannot show some characters of this certificate: they are blank here, and complete in the signed "
    "badge. So this document does not claim the standards PDF/A and PDF/UA. It is still tagged for screen "
    "readers."
)


@dataclass(frozen=True)
class Certified:
    """What a certificate shows, apart from language and paper.

    Args:
        signed: the signed credential as text.
        picture: of the achievement, an SVG that loads nothing.
        state: of the badge.
        test: whether its network is a sandbox.
        verify: the address at which anybody can check it.
    """

    signed: str
    picture: str
    state: str
    test: bool
    verify: str


def find(session: ReadSession, runtime: Runtime, credential_id: str, now: datetime) -> Certified | None:
    """Return what the certificate of a badge shows; None where the badge does not exist or is private.

    Raises:
        ConflictError: paper must not say that it holds (code "certificate-withheld").
    """
    shown = views.credential(session, credential_id, now)
    if shown is None:
        return None
    if shown.state.kind in WITHHELD:
        raise ConflictError("certificate-withheld", WITHHELD[shown.state.kind])
    award = session.get_one(Award, shown.row.award_id)
    version = session.get_one(AchievementVersion, award.achievement_version_id)
    picture = pictures.inert(session, shown.network, version, PICTURE_PIXELS)
    verify = f"{runtime.settings.base_url}/verify"
    return Certified(shown.row.signed, picture, shown.state.kind, shown.network.sandbox, verify)


def paper_of(accept_language: str | None) -> Paper:
    """Return the size of paper where a visitor seems to live: by the first language that names a region."""
    for name, _ in preferences(accept_language):
        region = next((part for part in name.split("-")[1:] if re.fullmatch("[a-z]{2}", part)), None)
        if region is not None:
            return "letter" if region in LETTER_REGIONS else "a4"
    return "a4"


def pdf(certified: Certified, language: Language, paper: Paper) -> bytes:
    """Return the certificate as PDF/A-3a and PDF/UA-1.

    If a letter is in no font, the standards refuse it. Then the document is tagged without them, and says so.
    """
    return _pdf(certified, language.code, paper)


@lru_cache(maxsize=16)
def _pdf(certified: Certified, code: str, paper: Paper) -> bytes:
    language, credential = LANGUAGES[code], json.loads(certified.signed)
    shown = _shown(certified, credential, language) | {"paper": SHEETS[paper]}
    title = language.gettext(N_("Certificate: %(badge)s"), badge=shown["achievement"]["text"])
    compiled = partial(printing.compiled, TEMPLATE, title=title, attached=certified.signed, at=_signed_at(credential))
    try:
        return compiled({**shown, "unshown": False})
    except printing.UnshownError:
        return compiled({**shown, "unshown": True}, standards=False)


def recipients_name(credential: dict[str, Any]) -> str:
    """Return the name that a badge shows of its recipient; "" if it shows none.

    Spec: Open Badges 3.0, section B.1.11 (IdentityObject).
    """
    for each in reading.objects(credential["credentialSubject"].get("identifier")):
        if each.get("identityType") == "name" and each.get("hashed") is False:
            return one_line(each.get("identityHash"), MAX_NAME, " ")
    return ""


def gist(markdown: str, most: int = MAX_EARNED) -> str:
    """Return the beginning of a text in Markdown as plain text on one line."""
    parts = []
    for block in MarkdownIt("commonmark").parse(markdown[: 4 * most]):
        plain = "".join(piece.content or " " * (piece.type == "softbreak") for piece in block.children or [])
        if plain := one_line(plain, 4 * most, " "):
            parts.append(plain if unicodedata.category(plain[-1]).startswith("P") else f"{plain} ·")
    return one_line(" ".join(parts).removesuffix(" ·"), most)


def _shown(certified: Certified, credential: dict[str, Any], language: Language) -> dict[str, Any]:
    """Return the texts that the document shows."""
    say = language.gettext
    achievement, issuer = credential["credentialSubject"]["achievement"], credential["issuer"]
    address, person = credential["id"], recipients_name(credential)
    at = read_instant(credential["validFrom"])
    assert at is not None
    return {
        "lang": language.code,
        "at": {
            part: getattr(at.astimezone(UTC), part) for part in ("year", "month", "day", "hour", "minute", "second")
        },
        "test": certified.test,
        "test_note": say(N_("TEST: a practice badge from a network that is trying things out. It is worth nothing.")),
        "name": say(N_("Certificate")),
        "issuer": _said(issuer["name"]),
        "host": domain_of(issuer["id"]),
        "to": say(N_("Awarded to")),
        "person": _said(person, MAX_NAME) if person else None,
        "nameless": say(NAMELESS),
        "for": say(N_("For")),
        "achievement": _said(achievement["name"]),
        "description": _said(achievement["description"], MAX_DESCRIPTION),
        "earned_title": say(N_("How it was earned")),
        "earned": _said(gist(achievement["criteria"].get("narrative") or ""), MAX_EARNED),
        "facts": [
            {"label": say(label), "value": value, "strong": strong}
            for label, value, strong in _facts(certified, credential, language)
        ],
        "picture": certified.picture,
        "picture_alt": say(N_("Picture of the badge %(name)s"), name=one_line(achievement["name"], MAX_NAME, " ")),
        "address": address,
        "code": write_barcode_to_svg(create_barcode(address, BarcodeFormat.QRCode, ec_level="M")),
        "code_alt": say(N_("QR code of the badge's page, %(address)s"), address=address),
        "scan": say(N_("Check it: scan this, or open")),
        "file": FILE_NAME,
        "attachment": say(N_("The signed badge")),
        "verifying": say(VERIFYING, file=FILE_NAME, address=certified.verify),
        "unshown_note": say(UNSHOWN_NOTE),
    }


def _signed_at(credential: dict[str, Any]) -> datetime:
    at = read_instant(credential["validFrom"])
    assert at is not None, "it is ours"
    return at.astimezone(UTC)


def _facts(certified: Certified, credential: dict[str, Any], language: Language) -> list[tuple[str, str, bool]]:
    """Return label and value of each fact, and whether it stands out."""
    until = credential.get("validUntil")
    awarded = language.day(credential.get("awardedDate") or credential["validFrom"])
    facts = [(N_("Awarded on"), awarded, False)]
    if certified.state == "not-yet-valid":
        facts.append((N_("Valid from"), language.day(credential["validFrom"]), True))
    if until is None:
        facts.append((N_("Validity"), language.gettext(N_("It does not expire.")), False))
    elif certified.state == "expired":
        facts.append((N_("Expired on"), language.day(until), True))
    else:
        facts.append((N_("Valid until"), language.day(until), False))
    return facts


def _said(value: object, most: int = MAX_NAME) -> dict[str, Any]:
    text = one_line(value, most, " ")
    lang = lettering.language_of(text)
    return {"text": text, "leftwards": lettering.is_leftwards(text), "lang": lang if lang == "ja" else ""}
