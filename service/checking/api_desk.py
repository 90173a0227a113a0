"""What routes that check badges ask for: the desk, the caller, their language."""

from typing import Annotated

from fastapi import Depends, Header, Request

from service.checking.desk import Desk
from service.texts.languages import Language, chosen
from service.web.requests import address_of


async def desk(request: Request) -> Desk:
    """Return the desk of this application."""
    found: Desk = request.app.state.desk
    return found


async def address(request: Request) -> str:
    """Return the caller's address for the fair limits."""
    return address_of(request)


async def language(
    wanted: Annotated[
        str | None,
        Header(alias="Accept-Language", description="language of the sentences for people; English if none fits"),
    ] = None,
) -> Language:
    """Return the language in which the caller wants sentences for people."""
    return chosen(wanted, None)


DeskHere = Annotated[Desk, Depends(desk)]
Address = Annotated[str, Depends(address)]
Wording = Annotated[Language, Depends(language)]
