"""Choose the language of a page.

`Accept-Language` chooses it, or the cookie that a visitor's own choice has set.
"""

from dataclasses import dataclass, fields
from typing import Annotated
from urllib.parse import quote, urlsplit

from fastapi import APIRouter, Depends, Form, Request, Response

from service.runtime.runtime import Runtime
from service.texts.languages import LANGUAGES, Language, chosen
from service.web.requests import Running

COOKIE = "language"
ONE_YEAR = 365 * 24 * 3600
MAX_BACK = 2000

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True)
class SpokenLanguage(Language):
    """A language on one page; changing the language leads back to `back`."""

    back: str = "/"


def speaking(request: Request) -> SpokenLanguage:
    """Return the language of the answer, and the way back.

    The way back is the page's own address; after a form, it is the path to which the form was sent.
    """
    language = chosen(request.headers.get("Accept-Language"), request.cookies.get(COOKIE))
    query = request.scope["query_string"].decode("latin-1") if request.method == "GET" else ""
    return SpokenLanguage(
        **{field.name: getattr(language, field.name) for field in fields(language)},
        back=path_of_ours(quote(request.scope["path"]) + (f"?{query}" if query else "")),
    )


Speaking = Annotated[SpokenLanguage, Depends(speaking)]


def path_of_ours(back: str) -> str:
    """Return `back` if it is a path of this service, else "/".

    A browser reads `//elsewhere` as the address of another host, and so too with a backslash or with tabs between.
    """
    plain = back.isascii() and back.isprintable() and not set(back) & set(' \\"<>') and len(back) <= MAX_BACK
    if not plain or not back.startswith("/") or back.startswith("//"):
        return "/"
    parts = urlsplit(back)
    return back if not parts.scheme and not parts.netloc else "/"


@router.post("/language")
def post_language(runtime: Running, to: Annotated[str, Form()] = "", back: Annotated[str, Form()] = "") -> Response:
    """Remember the visitor's language in a cookie, and lead back.

    If the language does not exist, the cookie is deleted.
    """
    response = Response(status_code=303, headers={"Location": path_of_ours(back), "Cache-Control": "no-store"})
    if to in LANGUAGES:
        _remember(response, runtime, to)
    else:
        response.delete_cookie(COOKIE)
    return response


def _remember(response: Response, runtime: Runtime, code: str) -> None:
    response.set_cookie(
        COOKIE, code, max_age=ONE_YEAR, path="/", samesite="lax", httponly=True, secure=not runtime.settings.local
    )
