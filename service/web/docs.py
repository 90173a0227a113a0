"""The interactive documentation of the API, with all files from this service."""

from fastapi import APIRouter, Response

from service.web.rendering import page_headers, render
from service.web.visitor_language import Speaking

router = APIRouter(include_in_schema=False)

# The documentation uses inline styles and pictures in data addresses for itself; scripts are still only ours.
POLICY = (
    "default-src 'none'; style-src 'self' 'unsafe-inline'; script-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; frame-ancestors 'none'"
)


@router.get("/docs")
def get_docs(language: Speaking) -> Response:
    """Show the documentation of the API."""
    page = render("docs.html", language=language, indexed=True)
    page.headers.update(page_headers(indexed=True) | {"Content-Security-Policy": POLICY})
    return page
