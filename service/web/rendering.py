"""Render pages: templates, headers, and the form that the caller wants."""

import re
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from fastapi import Response
from jinja2 import ChainableUndefined, Environment, FileSystemLoader, select_autoescape
from markdown_it import MarkdownIt
from markupsafe import Markup, escape

from service.texts.accept_headers import preferences
from service.texts.languages import ENGLISH, LANGUAGES, Language
from service.texts.sentences import sentence
from service.texts.vocabulary import ACHIEVEMENT_TYPES
from service.web.visitor_language import SpokenLanguage

SERVICE = Path(__file__).parent.parent
"""Where every package has the templates and static files of its pages, in folders with these names."""
_STATIC = sorted(path for path in SERVICE.rglob("static") if path.is_dir())
STATIC_PACKAGES: list[str | tuple[str, str]] = [
    (".".join(("service", *path.parent.relative_to(SERVICE).parts)), "static") for path in _STATIC
]
"""The packages that have static files, in the form that Starlette reads."""
STATIC_VERSION = sha256(
    b"".join(path.read_bytes() for folder in _STATIC for path in sorted(folder.rglob("*")) if path.is_file())
).hexdigest()[:12]
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

_markdown = MarkdownIt("commonmark", {"html": False}).disable(["image", "html_block", "html_inline"])


@lru_cache(maxsize=512)
def markdown(text: str) -> Markup:
    """Return Markdown from a network as HTML.

    It has no raw HTML and no pictures, and its links give nothing away.
    """
    rendered = _markdown.render(text).replace("<a href=", '<a rel="nofollow noopener noreferrer" href=')
    return Markup(rendered)  # noqa: S704  (CommonMark without HTML: everything of the text is escaped)


def with_code(text: str) -> Markup:
    """Return a sentence as HTML: what stands in backticks is code."""
    return Markup(re.sub("`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704  (escaped)


def kind(achievement_type: str, language: Language = ENGLISH) -> str:
    """Return an achievement type in words: MicroCredential is "Micro credential".

    An issuer's own type is split into the words of its name.
    """
    if achievement_type in ACHIEVEMENT_TYPES:
        return language.gettext(ACHIEVEMENT_TYPES[achievement_type])
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", achievement_type.removeprefix("ext:")).capitalize()
    return words or kind("Achievement", language)


def domain(url: str) -> str:
    """Return the host of an address or of a did:web."""
    if url.startswith("did:web:"):
        return url.removeprefix("did:web:").partition(":")[0].replace("%3A", ":").replace("%3a", ":")
    return urlsplit(url).netloc or url


@cache
def _environment(code: str) -> Environment:
    """Return the environment in which templates use one language.

    `_("...")` is text, and so are the values in it. HTML stands only in `{% trans %}`, where values are escaped. In
    both, placeholders are written `%(name)s`.
    """
    language = LANGUAGES[code]
    environment = Environment(
        loader=FileSystemLoader(sorted(path for path in SERVICE.rglob("templates") if path.is_dir())),
        autoescape=select_autoescape(default=True),
        undefined=ChainableUndefined,  # a document may leave out anything
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.policies["ext.i18n.trimmed"] = True

    def text(message: str, **values: Any) -> Markup:
        translated = escape(language.gettext(message))
        return translated % values if values else translated

    def markup(message: str, **values: Any) -> Markup:
        return Markup(language.gettext(message)) % values  # noqa: S704  (a constant of a template, or its translation)

    def counted(one: str, many: str, count: int, **values: Any) -> Markup:
        escaped = {name: escape(value) for name, value in values.items()}
        return Markup(language.ngettext(one, many, count, **escaped))  # noqa: S704  (as above)

    # Not the extension's own functions: they take the argument of `_` as HTML, even if it is not a constant.
    environment.newstyle_gettext = True  # type: ignore[attr-defined]
    environment.globals |= {"_": text, "gettext": markup, "ngettext": counted, "static_version": STATIC_VERSION}
    environment.filters |= {
        "markdown": markdown,
        "with_code": with_code,
        "domain": domain,
        "sentence": sentence,
        "day": language.day,
        "moment": language.moment,
        "number": language.number,
        "language": language.name_of,
        "kind": lambda achievement_type: kind(achievement_type, language),
    }
    return environment


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
    text = _environment(language.code).get_template(template).render(values | _shell(language, back))
    headers = page_headers(max_age_seconds=max_age_seconds, indexed=indexed) | {"Content-Language": language.code}
    return Response(text, status, headers, media_type=HTML)


def text_of(template: str, *, language: Language, **values: Any) -> str:
    """Return what a template says in one language, for what is not a page."""
    return _environment(language.code).get_template(template).render(values | {"language": language})


def streamed(template: str, *, language: Language, **values: Any) -> Iterator[str]:
    """Yield a page in pieces; each ends where its template says `{{ flush }}`.

    An iterator in `values` is asked for its next item only when the template reaches it.
    """
    shell = _shell(language, None)
    pieces = _environment(language.code).get_template(template).generate(values | shell | {"flush": FLUSH})
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
