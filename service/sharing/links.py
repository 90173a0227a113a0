"""Links by which a person shares a badge: to a profile, in a post, by e-mail.

They are plain links without a script of anybody: the other site learns nothing until somebody follows one. All but the
one to a profile lead to a text that the person can change before it is sent.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote, urlencode

from service.texts.languages import N_, Language

NAME_WEIGHT, ISSUER_WEIGHT = 100, 50
"""How much of two names, each up to 200 characters long, a post shows: X takes 280, Bluesky 300, with the link."""
LATIN_AND_NEAR: Final = 0x10FF
"""Up to this code point X counts a character as one, above as two."""
JOINER: Final = "\N{ZERO WIDTH JOINER}"


@dataclass(frozen=True)
class SharedBadge:
    """What links say of a badge.

    Args:
        credential_id: as in its address.
        url: of its page.
        name: of its achievement.
        issuer: name of the network.
        awarded: when.
        until: when it expires; None if it does not.
    """

    credential_id: str
    url: str
    name: str
    issuer: str
    awarded: datetime
    until: datetime | None


@dataclass(frozen=True)
class Link:
    """A link with its name, which is not translated where it is that of a company."""

    name: str
    url: str


def to_linkedin(badge: SharedBadge) -> str:
    """Return a link that adds the badge to the profile of the person who follows it.

    The months are those of UTC, as on the badge's page.
    """
    awarded = badge.awarded.astimezone(UTC)
    fields: dict[str, str | int] = {
        "startTask": "CERTIFICATION_NAME",
        "name": badge.name,
        "organizationName": badge.issuer,
        "issueYear": awarded.year,
        "issueMonth": awarded.month,
    }
    if badge.until is not None:
        until = badge.until.astimezone(UTC)
        fields |= {"expirationYear": until.year, "expirationMonth": until.month}
    fields |= {"certUrl": badge.url, "certId": badge.credential_id}
    return f"https://www.linkedin.com/profile/add?{_query(fields)}"


def to_post(badge: SharedBadge, language: Language) -> list[Link]:
    """Return the links that open a draft with a sentence about the badge and its address."""
    name, issuer = shortened(badge.name, NAME_WEIGHT), shortened(badge.issuer, ISSUER_WEIGHT)
    text = language.gettext(N_("%(name)s: a badge from %(issuer)s that anyone can check"), name=name, issuer=issuer)
    both = quote(f"{text}\n{badge.url}", safe="")
    mail = _query({"subject": f"{badge.name} · {badge.issuer}", "body": f"{text}\r\n{badge.url}\r\n"})
    return [
        Link("Mastodon", f"https://share.joinmastodon.org/#text={both}"),  # a fragment, which that page keeps to itself
        Link("Bluesky", f"https://bsky.app/intent/compose?text={both}"),
        Link("X", f"https://x.com/intent/post?{_query({'text': text, 'url': badge.url})}"),
        Link(language.gettext(N_("Email")), f"mailto:?{mail}"),
    ]


def shortened(text: str, most: int) -> str:
    """Return a text that weighs at most `most`, as X counts; what is cut off is replaced by an ellipsis."""
    if sum(map(_weight, text)) <= most:
        return text
    kept, left = "", most - 1
    for character in text:
        left -= _weight(character)
        if left < 0:
            break
        kept += character
    return f"{kept.rstrip().rstrip(JOINER)}…"


def _weight(character: str) -> int:
    return 1 if ord(character) <= LATIN_AND_NEAR else 2


def _query(fields: dict[str, str | int]) -> str:
    """Return the fields with blanks as %20, which also programs for mail read."""
    return urlencode(fields, quote_via=quote, safe="")
