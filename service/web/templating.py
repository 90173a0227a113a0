"""Templates of pages and mails: where they stand, and what they may use."""

import re
from functools import cache, lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jinja2 import ChainableUndefined, Environment, FileSystemLoader, select_autoescape
from markdown_it import MarkdownIt
from markupsafe import Markup, escape

from service.texts.languages import ENGLISH, LANGUAGES, Language
from service.texts.sentences import sentence
from service.texts.vocabulary import ACHIEVEMENT_TYPES

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
def environment(code: str) -> Environment:
    """Return the environment in which templates use one language.

    `_("...")` is text, and so are the values in it. HTML stands only in `{% trans %}`, where values are escaped. In
    both, placeholders are written `%(name)s`.
    """
    language = LANGUAGES[code]
    made = Environment(
        loader=FileSystemLoader(sorted(path for path in SERVICE.rglob("templates") if path.is_dir())),
        autoescape=select_autoescape(default=True),
        undefined=ChainableUndefined,  # a document may leave out anything
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    made.policies["ext.i18n.trimmed"] = True

    def text(message: str, **values: Any) -> Markup:
        translated = escape(language.gettext(message))
        return translated % values if values else translated

    def markup(message: str, **values: Any) -> Markup:
        return Markup(language.gettext(message)) % values  # noqa: S704  (a constant of a template, or its translation)

    def counted(one: str, many: str, count: int, **values: Any) -> Markup:
        escaped = {name: escape(value) for name, value in values.items()}
        return Markup(language.ngettext(one, many, count, **escaped))  # noqa: S704  (as above)

    # Not the extension's own functions: they take the argument of `_` as HTML, even if it is not a constant.
    made.newstyle_gettext = True  # type: ignore[attr-defined]
    made.globals |= {"_": text, "gettext": markup, "ngettext": counted, "static_version": STATIC_VERSION}
    made.filters |= {
        "markdown": markdown,
        "with_code": with_code,
        "domain": domain,
        "sentence": sentence,
        "day": language.day,
        "moment": language.moment,
        "number": language.number,
        "percent": language.percent,
        "language": language.name_of,
        "kind": lambda achievement_type: kind(achievement_type, language),
    }
    return made


def text_of(template: str, *, language: Language, **values: Any) -> str:
    """Return what a template says in one language, for what is not a page."""
    return environment(language.code).get_template(template).render(values | {"language": language})
