"""Compromised keys over HTTP: an admin declares that others may have had them."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Response
from pydantic import Field

from service.access.callers import Caller
from service.bodies import Instant
from service.console import compromised_keys
from service.console.compromised_keys import CompromisedIn
from service.networks import networks
from service.web.requests import Answer, Needs, Now, Running, StrictRoute, reply

router = APIRouter(route_class=StrictRoute, tags=["networks"])
Admin = Annotated[Caller, Depends(Needs("admin"))]


class SuspendedOut(Answer):
    """A badge that was issued since others may have had the key; people decide whether it stands."""

    credential: str
    member: str
    achievement: str
    issued_at: Instant
    state: Literal["suspended", "valid", "revoked"] = Field(
        description="suspended: nobody has decided; valid: it was reinstated, and signed again; revoked: for good"
    )


class DeclaredOut(Answer):
    """What the declaration did, or would do."""

    network: str
    kids: list[str]
    since: Instant
    rehearsed: bool = Field(description="true: nothing has changed")
    signs: dict[str, str | None] = Field(
        description="for each algorithm the `kid` of the key that signs now; null for one that would be made"
    )
    status_lists: int = Field(description="how many were signed again")
    people: int = Field(description="how many recipients have an e-mail address and get one mail each")
    reissued: list[str] = Field(description="ids of the badges from before, which are signed again under their id")
    suspended: list[SuspendedOut] = Field(description="badges that were issued since, which people decide on")


@router.post("/v1/networks/{slug}/compromised-keys", response_model=DeclaredOut)
def declare_compromised_keys(slug: str, body: CompromisedIn, runtime: Running, at: Now, admin: Admin) -> Response:
    """Declare that others may have had keys of a network, and set right what these signed.

    The keys sign nothing from now on and leave what the DID document and the key set vouch for; the status lists are
    signed again with another key in the same step. Badges that were issued before `since` are signed again under their
    id, with a newer `validFrom`. Those that were issued since are suspended, and wait in the queue of approvals
    (`cause` is `key-compromised`): approving one signs it again, declining revokes it. Revoked badges stay as they are.
    Events and mails tell of it. If this breaks off, the same request continues it, and so does the service by itself.
    """
    with runtime.database.read() as session:
        network_id = networks.find_network(session, admin, slug).id
    return reply(200, DeclaredOut.model_validate(compromised_keys.declare(runtime, body, at, network_id)))
