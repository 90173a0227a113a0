"""Dependencies of routes that check badges: the desk, and the caller's address."""

from typing import Annotated

from fastapi import Depends, Request

from service.checking.desk import Desk


async def desk(request: Request) -> Desk:
    """Return the desk of this application."""
    found: Desk = request.app.state.desk
    return found


async def address(request: Request) -> str:
    """Return the caller's address for the fair limits; "" where it is unknown."""
    return request.client.host if request.client else ""


DeskHere = Annotated[Desk, Depends(desk)]
Address = Annotated[str, Depends(address)]
