"""Render pages: from a template to an answer, in the form that the caller wants."""

from collections.abc import Iterator, Sequence
from typing import Any

from fastapi import Response

from service.texts.accept_headers import preferences
from service.texts.languages import LANGUAGES, Language
from service.web.templating import environment
from service.web.visitor_language import SpokenLanguage

# Nothing from elsewhere, no inline script or style; forms stay here; nobody can frame a page and put words around it.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HTML = "text/html"
PRIVATE = {"Cache-Control": "no-store"}
"""Headers of a page that shows what its visitor sent."""
FLUSH = "\N{RECORD SEPARATOR}"
"""What a streamed template writes at the end of each piece."""


def render(
    template: str,
    *,
    language: Language,
    status: int = 200,
    max_age_seconds: int = 0,
    indexed: bool = False,
    back: str | None = None,
    **values: Any,
) -> Response:
    """Return a page in one language.

    Args:
        template: its file in `templates`.
        language: of the visitor, from the route's `Speaking`.
        status: of the answer.
        max_age_seconds: how long a cache may keep it; 0: ask again each time.
        indexed: whether search engines may list it.
        back: the path of ours to which a change of language leads back; by default the page's own address.
        values: what the template shows.
    """
    text = environment(language.code).get_template(template).render(values | _shell(language, back))
    headers = page_headers(max_age_seconds=max_age_seconds, indexed=indexed) | {"Content-Language": language.code}
    return Response(text, status, headers, media_type=HTML)


def streamed(template: str, *, language: Language, **values: Any) -> Iterator[str]:
    """Yield a page in pieces; each ends where its template says `{{ flush }}`.

    An iterator in `values` is asked for its next item only when the template reaches it.
    """
    shell = _shell(language, None)
    pieces = environment(language.code).get_template(template).generate(values | shell | {"flush": FLUSH})
    gathered: list[str] = []
    for piece in pieces:
        if piece == FLUSH:
            yield "".join(gathered)
            gathered.clear()
        else:
            gathered.append(piece)
    yield "".join(gathered)


def _shell(language: Language, back: str | None) -> dict[str, Any]:
    where = back or (language.back if isinstance(language, SpokenLanguage) else "/")
    return {"language": language, "languages": LANGUAGES.values(), "back": where}


def page_headers(*, max_age_seconds: int = 0, indexed: bool = False) -> dict[str, str]:
    """Return the headers of every page."""
    headers = {
        "Content-Security-Policy": CONTENT_SECURITY_POLICY,
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": f"public, max-age={max_age_seconds}" if max_age_seconds else "no-cache",
        "Vary": "Accept, User-Agent, Sec-Fetch-Dest, Accept-Language, Cookie",
    }
    return headers if indexed else headers | {"X-Robots-Tag": "noindex"}


def wanted(accept: str | None, offered: Sequence[str]) -> str:
    """Return the media type of `offered` that the caller wants most.

    It is the first one if the caller does not say.

    Spec: RFC 9110, section 12.5.1 (the most specific range that fits gives the weight).
    """
    ranges = preferences(accept or "*/*")

    def weight_of(media_type: str) -> float:
        fitting = [
            (2 if name == media_type else 1 if name == media_type.partition("/")[0] + "/*" else 0, weight)
            for name, weight in ranges
            if name in {media_type, media_type.partition("/")[0] + "/*", "*/*"}
        ]
        return max(fitting, default=(0, 0.0))[1]

    return max(offered, key=weight_of)  # the first among equals
