"""The beginning of a formal network over HTTP: what it lacks, its activation, and its kind."""

from typing import Annotated, Literal, Self

from fastapi import APIRouter, Depends, Response
from pydantic import Field

from service.access.act import CallersAct
from service.access.callers import READ, Caller
from service.awards import settling
from service.bodies import Instant
from service.criteria import rejudging
from service.networks import activation, networks, rules_of_work
from service.networks.activation import KindIn
from service.networks.api import NetworkOut
from service.storage.database import ReadSession
from service.tables import Network
from service.web.exactly_once import exactly_once
from service.web.requests import Answer, Needs, Now, Reader, Running, StrictRoute, Writer, reply

router = APIRouter(route_class=StrictRoute, tags=["networks"])
CanRead = Annotated[Caller, Depends(Needs(*READ, "admin"))]
CanWrite = Annotated[Caller, Depends(Needs("achievements:write", "admin"))]


class MissingPartOut(Answer):
    """Something that a formal network needs and this one lacks."""

    code: Literal["facilitator-missing", "objective-missing", "schedule-missing", "guidelines-missing"]
    detail: str = Field(description="one sentence for people")
    request: str = Field(description="the request that adds it", examples=["PUT /v1/networks/river/objectives/{ref}"])


class ActivationOut(Answer):
    """How far a network is from being an active formal one."""

    kind: Literal["formal", "informal"]
    state: Literal["draft", "active", "closed"]
    activated_at: Instant | None = Field(
        None, description="when it showed that it has all parts; left out if it never did"
    )
    ready: bool = Field(description="whether nothing is missing")
    missing: list[MissingPartOut] = Field(description="what a formal network needs and this one lacks now")

    @classmethod
    def of(cls, session: ReadSession, network: Network, at: Now) -> Self:
        """Return the answer for one network."""
        lacks = rules_of_work.missing(session, network, at)
        return cls.model_validate(
            {
                "kind": network.kind,
                "state": network.state,
                "activated_at": network.activated_at,
                "ready": not lacks,
                "missing": activation.said(lacks),
            }
        )


@router.get("/v1/networks/{slug}/activation", summary="See what a formal network lacks")
def get_activation(slug: str, session: Reader, at: Now, who: CanRead) -> ActivationOut:
    """Return what a formal network needs and this one lacks, each by its code and with the request that adds it.

    An informal network sees what it would need to become formal. What an active network lost since, for example its only
    facilitator, is listed too; it stays active.
    """
    return ActivationOut.of(session, networks.find_network(session, who, slug), at)


@router.post("/v1/networks/{slug}/activation", response_model=NetworkOut, summary="Activate a formal network")
@exactly_once()
def activate_network(slug: str, session: Writer, runtime: Running, at: Now, who: CanWrite) -> Response:
    """Make a formal network active: from now on it issues badges, also for evidence that came in before.

    If something is missing the answer is 409 `parts-missing`, and its `missing` lists what. A second activation is 409
    `network-active`, one of an informal network 409 `network-informal`.
    """
    act = CallersAct(session, networks.find_network(session, who, slug), who, at)
    was_draft = act.network.state == "draft"
    network = activation.activate(act)
    if was_draft:
        rejudging.mark_everybody(act)
        settling.settle_first(act, runtime)
    return reply(200, NetworkOut.of(runtime.settings, network))


@router.put("/v1/networks/{slug}/kind", response_model=NetworkOut, summary="Make a network formal")
@exactly_once()
def put_network_kind(slug: str, body: KindIn, session: Writer, runtime: Running, at: Now, who: CanWrite) -> Response:
    """Make an informal network formal, if it has all that a formal one needs; else 409 `parts-missing`.

    It stays active. There is no way back: badges may say under which rules people worked (409 `formal-stays-formal`).
    """
    act = CallersAct(session, networks.find_network(session, who, slug), who, at)
    return reply(200, NetworkOut.of(runtime.settings, activation.become(act, body)))
