"""How a page is made and sent: templates, headers, and which form of an address the caller wants."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from fastapi import Response
from jinja2 import ChainableUndefined, Environment, FileSystemLoader, select_autoescape
from markdown_it import MarkdownIt
from markupsafe import Markup

from service.pages.words import sentence

FOLDER = Path(__file__).parent
STATIC_VERSION = sha256(b"".join(path.read_bytes() for path in sorted((FOLDER / "static").glob("*")))).hexdigest()[:12]
# Nothing from elsewhere, no inline script or style; forms stay here; nobody frames a page to put words around it.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HTML = "text/html"

_markdown = MarkdownIt("commonmark", {"html": False}).disable(["image", "html_block", "html_inline"])


def markdown(text: str) -> Markup:
    """Return Markdown from a network as HTML: no raw HTML, no pictures, links that give nothing away."""
    rendered = _markdown.render(text).replace("<a href=", '<a rel="nofollow noopener noreferrer" href=')
    return Markup(rendered)  # noqa: S704  (CommonMark without HTML: everything of the text is escaped)


def day(value: str | datetime | None) -> str:
    """Return a date as people write it: 8 September 2026; a text that is no date as it stands."""
    try:
        instant = datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        return str(value)
    if instant is None:
        return ""
    instant = instant.astimezone(UTC)
    return f"{instant.day} {instant:%B} {instant.year}"


def moment(value: datetime) -> str:
    """Return date and time of day in UTC, and say so."""
    return f"{day(value)}, {value.astimezone(UTC):%H:%M} UTC"


def kind(achievement_type: str) -> str:
    """Return an achievement type of the vocabulary in words: MicroCredential is Micro credential."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", achievement_type.removeprefix("ext:"))
    return words.capitalize() or "Achievement"


def domain(url: str) -> str:
    """Return the host of an address, or of a did:web."""
    if url.startswith("did:web:"):
        return url.removeprefix("did:web:").partition(":")[0].replace("%3A", ":").replace("%3a", ":")
    return urlsplit(url).netloc or url


_environment = Environment(
    loader=FileSystemLoader(FOLDER / "templates"),
    autoescape=select_autoescape(default=True),
    undefined=ChainableUndefined,  # a document may leave out whatever it likes
    trim_blocks=True,
    lstrip_blocks=True,
    extensions=["jinja2.ext.i18n"],
)
_environment.policies["ext.i18n.trimmed"] = True
_environment.install_null_translations(newstyle=True)  # type: ignore[attr-defined]
_environment.filters |= {
    "markdown": markdown,
    "day": day,
    "moment": moment,
    "domain": domain,
    "kind": kind,
    "sentence": sentence,
}
_environment.globals["static_version"] = STATIC_VERSION


def render(
    template: str, *, status: int = 200, max_age_seconds: int = 0, indexed: bool = False, **values: Any
) -> Response:
    """Return a page.

    Args:
        template: its file in `templates`.
        status: of the answer.
        max_age_seconds: how long a cache may keep it; 0: ask again each time.
        indexed: whether search engines may list it.
        values: what the template shows.
    """
    text = _environment.get_template(template).render(**values)
    headers = page_headers(max_age_seconds=max_age_seconds, indexed=indexed)
    return Response(text, status, headers, media_type=HTML)


def page_headers(*, max_age_seconds: int = 0, indexed: bool = False) -> dict[str, str]:
    """Return the headers of every page."""
    headers = {
        "Content-Security-Policy": CONTENT_SECURITY_POLICY,
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": f"public, max-age={max_age_seconds}" if max_age_seconds else "no-cache",
        "Vary": "Accept",
    }
    return headers if indexed else headers | {"X-Robots-Tag": "noindex"}


def wanted(accept: str | None, offered: Sequence[str]) -> str:
    """Return the media type of `offered` that the caller wants most; the first where it does not say.

    Spec: RFC 9110, section 12.5.1 (the most specific range that fits gives the weight).
    """
    ranges = []
    for part in (accept or "*/*").split(",")[:50]:
        name, *parameters = (piece.strip().lower() for piece in part.split(";"))
        weight = next((piece[2:] for piece in parameters if piece.startswith("q=")), "1")
        try:
            ranges.append((name, float(weight)))
        except ValueError:
            continue

    def weight_of(media_type: str) -> float:
        fitting = [
            (2 if name == media_type else 1 if name == media_type.partition("/")[0] + "/*" else 0, weight)
            for name, weight in ranges
            if name in {media_type, media_type.partition("/")[0] + "/*", "*/*"}
        ]
        return max(fitting, default=(0, 0.0))[1]

    return max(offered, key=weight_of)  # of equals the first
