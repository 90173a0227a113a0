"""What routes that check badges are given: the desk, and the address that asks."""

from typing import Annotated

from fastapi import Depends, Request

from service.checking.desk import Desk


async def desk(request: Request) -> Desk:
    """Return the desk of the application that answers."""
    found: Desk = request.app.state.desk
    return found


async def address(request: Request) -> str:
    """Return the address from which a request comes, for the fair limits; "" where it is not known."""
    return request.client.host if request.client else ""


DeskHere = Annotated[Desk, Depends(desk)]
Address = Annotated[str, Depends(address)]
