"""What a network can do about a member who returns after they lost their mailbox."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from service.access import callers
from service.access.act import Act
from service.access.callers import Caller
from service.bodies import Ref
from service.sharing import returning
from service.web.exactly_once import exactly_once
from service.web.requests import Needs, Now, StrictRoute, Writer

router = APIRouter(route_class=StrictRoute, tags=["members"])
CanWrite = Annotated[Caller, Depends(Needs("members:write"))]


@router.delete(
    "/v1/networks/{slug}/members/{ref}/return",
    status_code=204,
    response_class=Response,
    summary="Stop the return of a member",
)
@exactly_once()
def delete_member_return(slug: str, ref: Ref, session: Writer, at: Now, who: CanWrite) -> Response:
    """Stop that a member who says they lost their mailbox gets what they earned under a new address.

    Two members vouch for the person, the event `member.returning` tells so, and seven days pass, in which the network
    can stop it; then nothing changes. The event `member.returned` tells that nobody stopped it. If none waits, the
    answer is 404 `return-unknown`. This works for a closed network too.
    """
    returning.stop_for_network(Act(session, callers.network_of(session, who, slug), who, at), ref)
    return Response(status_code=204)
