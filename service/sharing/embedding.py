"""A badge on other people's pages: the frame around its card, and oEmbed.

Spec: oEmbed 1.0, section 2.3 (responses).
"""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from markupsafe import Markup, escape

from service.public import documents
from service.runtime.settings import Settings
from service.sharing.views import ShownCredential
from service.signing import issuers
from service.texts.languages import N_, Language

WIDTH, HEIGHT = 480, 176
"""The size of a card where nothing limits it, in CSS pixels."""
SMALLEST_WIDTH = 280
"""In less room than that, and in less height than its own, a card could hide that the badge was revoked."""
PICTURE_SIZE: Final = 512
PROVIDER: Final = "Laurel"
CACHE_SECONDS: Final = 300
_FRAME: Final = Markup(
    '<iframe src="%(src)s" title="%(title)s" width="%(width)d" height="%(height)d" style="border:0;max-width:100%%" '
    'loading="lazy" referrerpolicy="no-referrer" sandbox="allow-popups allow-popups-to-escape-sandbox"></iframe>'
)
"""It may open the badge's page and nothing else, and we do not learn which page it stands on."""
_NOT_IN_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Room:
    """The room that somebody has for a card, in CSS pixels; None: as much as it wants."""

    width: int | None = None
    height: int | None = None

    def takes(self, width: int, height: int) -> bool:
        """Return whether something of this size fits."""
        return (self.width is None or width <= self.width) and (self.height is None or height <= self.height)

    @property
    def card_width(self) -> int:
        """Return how wide a card is in it."""
        return WIDTH if self.width is None else min(WIDTH, self.width)


def card_url(credential_url: str) -> str:
    """Return the address of the card of a badge."""
    return f"{credential_url}/card"


def frame(shown: ShownCredential, language: Language, room: Room | None = None) -> str:
    """Return the HTML that shows the card of a badge in the page of another site."""
    room = room or Room()
    title = language.gettext(N_("The badge %(name)s of %(issuer)s"), **_names(shown))
    values = {"src": card_url(shown.document["id"]), "title": title, "width": room.card_width, "height": HEIGHT}
    return str(_FRAME % values)


def credential_id(settings: Settings, url: str) -> str | None:
    """Return which credential has its page at this address; None for any address that is not ours, or of something else.

    What others add to a link, such as `utm_source`, is let pass.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    if f"{parts.scheme}://{parts.netloc.lower()}" != settings.base_url:
        return None
    return documents.credential_id(f"{settings.base_url}{parts.path.removesuffix('.html')}")


def described(settings: Settings, shown: ShownCredential, language: Language, room: Room) -> dict[str, str | int]:
    """Return what oEmbed says of a badge.

    Caches of others keep it: so it never says that a badge is valid, and of one that does not hold it says so and shows
    no picture. Where there is no room for the card, it is a link.

    Shape: `{type: "rich", version, title, author_name, author_url, provider_name, provider_url, cache_age, html, width,
    height, thumbnail_url?, thumbnail_width?, thumbnail_height?}`; of `type: "link"` without `html`, `width`, `height`.
    """
    names, state = _names(shown), shown.state
    title = f"{names['name']} · {names['issuer']}"
    if state.kind != "valid":
        what = language.gettext(state.title)
        title = language.gettext(N_("%(what)s: %(name)s · %(issuer)s"), what=what, **names)
    said: dict[str, str | int] = {
        "type": "link",
        "version": "1.0",
        "title": title,
        "author_name": names["issuer"],
        "author_url": issuers.network_url(settings, shown.network),
        "provider_name": PROVIDER,
        "provider_url": settings.base_url,
        "cache_age": CACHE_SECONDS,
    }
    if room.takes(SMALLEST_WIDTH, HEIGHT):
        said |= {"type": "rich", "html": frame(shown, language, room), "width": room.card_width, "height": HEIGHT}
    if state.tone != "bad" and room.takes(PICTURE_SIZE, PICTURE_SIZE):
        image = shown.document["credentialSubject"]["achievement"]["image"]["id"]
        said |= {"thumbnail_url": image, "thumbnail_width": PICTURE_SIZE, "thumbnail_height": PICTURE_SIZE}
    return said


def as_xml(said: dict[str, str | int]) -> str:
    """Return what oEmbed says as XML."""
    parts = Markup().join(
        Markup("<%(name)s>%(value)s</%(name)s>") % {"name": name, "value": escape(_NOT_IN_XML.sub("", str(value)))}
        for name, value in said.items()
    )
    return str(Markup('<?xml version="1.0" encoding="utf-8" standalone="yes"?>\n<oembed>%s</oembed>\n') % parts)


def _names(shown: ShownCredential) -> dict[str, str]:
    document = shown.document
    return {"name": document["credentialSubject"]["achievement"]["name"], "issuer": document["issuer"]["name"]}
