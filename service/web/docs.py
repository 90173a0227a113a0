"""The documentation of the API: guide, clients to copy, and what can be tried.

All its files are from this service.
"""

from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

from fastapi import APIRouter, Request, Response
from markdown_it import MarkdownIt
from markupsafe import Markup
from pydantic import Field

from service.errors import NotFoundError
from service.suggestions import did_you_mean
from service.web import codes
from service.web.problems import PAGES
from service.web.rendering import HTML, page_headers, render, wanted
from service.web.requests import Answer, Running, reply
from service.web.visitor_language import Speaking

router = APIRouter(include_in_schema=False)

# The documentation uses inline styles and pictures in data addresses for itself; scripts are still only ours.
POLICY = (
    "default-src 'none'; style-src 'self' 'unsafe-inline'; script-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HERE = Path(__file__).parent
ADDRESS_IN_GUIDE = "http://localhost:8000"
CLIENTS = {"Python": "laurel_client.py", "JavaScript": "laurel-client.mjs", "Shell": "laurel-client.sh"}


@dataclass(frozen=True)
class Guide:
    """What a programmer reads first, as HTML: its sections by their anchors, and the clients by their languages."""

    text: Markup
    sections: dict[str, str]
    clients: dict[str, str]


@cache
def guide(base_url: str) -> Guide:
    """Return the guide with the address of this service in its calls."""
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    text = (HERE / "documents" / "guide.md").read_text(encoding="utf-8").replace(ADDRESS_IN_GUIDE, base_url)
    tokens = markdown.parse(text)
    sections = {}
    for opening, title in pairwise(tokens):
        if opening.type == "heading_open":
            anchor = title.content.lower().replace(" ", "-")
            opening.attrSet("id", anchor)
            sections[anchor] = title.content
    rendered = markdown.renderer.render(tokens, markdown.options, {})
    clients = {
        language: (HERE / "clients" / name).read_text(encoding="utf-8").replace(ADDRESS_IN_GUIDE, base_url)
        for language, name in CLIENTS.items()
    }
    return Guide(Markup(rendered), sections, clients)  # noqa: S704  (a file of ours, and CommonMark without HTML)


@router.get("/docs")
def get_docs(language: Speaking, runtime: Running) -> Response:
    """Show the documentation of the API."""
    page = render("docs.html", language=language, indexed=True, guide=guide(runtime.settings.base_url))
    page.headers.update(page_headers(indexed=True) | {"Content-Security-Policy": POLICY})
    return page


class CodeOut(Answer):
    """A code of a problem."""

    code: str = Field(examples=["scope-missing"])
    answered: str = Field(description="with which HTTP statuses, or where else", examples=["403"])
    means: str
    mend: str = Field(description="what to do about it")


class CodesOut(Answer):
    """Every code of a problem."""

    items: list[CodeOut]


@router.get(PAGES)
def list_codes(request: Request, language: Speaking) -> Response:
    """Show what all codes mean: a page for people, JSON for programs."""
    if _is_program(request):
        said = CodesOut(items=[CodeOut.model_validate(each) for each in codes.every().values()])
        return reply(200, said, {"Vary": "Accept"})
    return render("codes.html", language=language, indexed=True, groups=codes.groups())


@router.get(PAGES + "/{code}")
def get_code(code: str, request: Request, language: Speaking) -> Response:
    """Show what one code means, and how to mend it."""
    found = codes.every().get(code)
    if found is None:
        raise NotFoundError("code-unknown", f"There is no such code{did_you_mean(code, codes.every())}.")
    if _is_program(request):
        return reply(200, CodeOut.model_validate(found), {"Vary": "Accept"})
    return render("code.html", language=language, indexed=True, found=found)


def _is_program(request: Request) -> bool:
    return wanted(request.headers.get("Accept"), ("application/json", HTML)) != HTML
