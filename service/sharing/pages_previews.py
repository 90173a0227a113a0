"""Pictures of links, for social networks and messengers."""

from collections.abc import Callable
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from credentials import Fetched
from service.errors import NotFoundError
from service.public.api import ONE_HOUR, served
from service.runtime.runtime import Runtime
from service.sharing import previews
from service.texts.languages import LANGUAGES, Language
from service.web.conditional import IfNoneMatch
from service.web.costly import in_a_place
from service.web.requests import Running

router = APIRouter(include_in_schema=False)


def spoken(code: str) -> Language:
    """Return the language that an address names.

    Raises:
        NotFoundError: there is no such language here (code "picture-unknown").
    """
    if code not in LANGUAGES:
        raise NotFoundError("picture-unknown", "No picture is published at this address.")
    return LANGUAGES[code]


Spoken = Annotated[Language, Depends(spoken)]


@router.get("/achievements/{version_id}/preview-{code}.png")
async def get_achievement_preview(
    request: Request, version_id: str, language: Spoken, runtime: Running, if_none_match: IfNoneMatch = None
) -> Response:
    """Get the picture of a link to an achievement, or to a badge of it."""
    draw = partial(previews.of_achievement, version_id=version_id, language=language)
    return await _drawn(request, runtime, draw, if_none_match)


@router.get("/networks/{slug}/preview-{code}.png")
async def get_network_preview(
    request: Request, slug: str, language: Spoken, runtime: Running, if_none_match: IfNoneMatch = None
) -> Response:
    """Get the picture of a link to a network."""
    return await _drawn(request, runtime, partial(previews.of_network, slug=slug, language=language), if_none_match)


@router.get("/preview-{code}.png")
async def get_home_preview(
    request: Request, language: Spoken, runtime: Running, if_none_match: IfNoneMatch = None
) -> Response:
    """Get the picture of a link to the home page."""
    found = await in_a_place(request, partial(previews.of_home, runtime, language))
    return served(found, if_none_match, ONE_HOUR, "picture")


async def _drawn(
    request: Request, runtime: Runtime, draw: Callable[..., Fetched | None], if_none_match: str | None
) -> Response:
    def work() -> Fetched | None:
        with runtime.database.read() as session:
            return draw(session, runtime)

    return served(await in_a_place(request, work), if_none_match, ONE_HOUR, "picture")
