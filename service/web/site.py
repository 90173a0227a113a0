"""What every site has: an icon, robots.txt, security.txt and a page on privacy."""

from typing import Final

from fastapi import APIRouter, Response
from starlette.responses import FileResponse

from credentials.instants import write_instant
from service.errors import NotFoundError
from service.texts.languages import LANGUAGES
from service.web.rendering import render
from service.web.requests import Now, Running
from service.web.static_files import ONE_DAY
from service.web.templating import SERVICE
from service.web.visitor_language import COOKIE, Speaking

router = APIRouter(include_in_schema=False)

ICON: Final = SERVICE / "web" / "static" / "favicon.ico"
PLAIN: Final = "text/plain"
# A page that must not be found says so itself (X-Robots-Tag), which only those see who may fetch it.
FOR_CRAWLERS: Final = """User-agent: *
Disallow: /v1/
Disallow: /vc/
Disallow: /verify?
Disallow: /verify/
"""


@router.get("/favicon.ico")
async def get_icon() -> Response:
    """Give the icon to those who ask for it at its usual address."""
    return FileResponse(ICON, media_type="image/vnd.microsoft.icon", headers={"Cache-Control": ONE_DAY})


@router.get("/robots.txt")
async def get_words_for_crawlers() -> Response:
    """Say what search engines may fetch. Spec: RFC 9309."""
    return Response(FOR_CRAWLERS, media_type=PLAIN, headers={"Cache-Control": ONE_DAY})


@router.get("/.well-known/security.txt")
async def get_security_contact(runtime: Running, now: Now) -> Response:
    """Say where to report a fault that endangers others, while the operator's word on it holds. Spec: RFC 9116."""
    contact, expires = runtime.settings.security_contact, runtime.settings.security_expires
    if not contact or expires is None or expires <= now:
        raise NotFoundError("not-found", "The operator of this service has not published a security contact.")
    lines = (
        f"Contact: {contact}",
        f"Expires: {write_instant(expires)}",
        f"Preferred-Languages: {', '.join(LANGUAGES)}",
        f"Canonical: {runtime.settings.base_url}/.well-known/security.txt",
    )
    return Response("\n".join(lines) + "\n", media_type=PLAIN, headers={"Cache-Control": ONE_DAY})


@router.get("/privacy")
async def get_privacy(runtime: Running, language: Speaking) -> Response:
    """Say what the service keeps of visitors and of people with badges."""
    prefix = "" if runtime.settings.local else "__Host-"
    return render("privacy.html", language=language, indexed=True, cookie=COOKIE, prefix=prefix)
