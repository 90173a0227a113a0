"""How a formal network begins: as a draft, which issues no badge until it has what a formal one needs.

A draft may set up everything and take in evidence; what that earns is decided when the network is active. An informal
network is active at once. It may become formal later, by an act of its own and with the same parts, and stays so.
"""

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from service.access import callers
from service.access.act import Act
from service.bodies import Body
from service.errors import ConflictError
from service.networks import networks, rules_of_work
from service.outbox import events
from service.tables import Network


class KindIn(Body):
    """Which kind of network it is from now on."""

    kind: Literal["formal", "informal"] = Field(
        description="formal; back to informal there is no way", examples=["formal"]
    )


def activate(act: Act) -> Network:
    """Make a formal network active: from now on it issues badges.

    One that has been active since before this was asked shows in this way that it has all parts.

    Raises:
        ConflictError: it is informal (code "network-informal"), was activated before ("network-active"), lacks something
            ("parts-missing", with `missing` in the details), or is closed ("network-closed").
    """
    network = callers.still_open(networks.held(act))
    if network.kind == "informal":
        message = (
            "Expected a formal network; an informal one is active from its beginning."
            f" `PUT /v1/networks/{network.slug}/kind` makes it formal."
        )
        raise ConflictError("network-informal", message)
    if network.activated_at is not None:
        message = f"Expected a network that was not activated; this one was on {network.activated_at:%Y-%m-%d}."
        raise ConflictError("network-active", message)
    _whole(act)
    network.state, network.activated_at = "active", act.now
    events.append(act, "network.activated", {"network": str(network.id)})
    return network


def become(act: Act, body: KindIn) -> Network:
    """Make an informal network formal; one that is of this kind already is returned as it is.

    Raises:
        ConflictError: it is formal and would be informal (code "formal-stays-formal"), lacks something that a formal one
            needs ("parts-missing", with `missing` in the details), or is closed ("network-closed").
    """
    network = callers.still_open(networks.held(act))
    if network.kind == body.kind:
        return network
    if body.kind == "informal":
        message = (
            "Expected the kind formal: badges of this network may say under which rules people worked. Create another"
            " network for informal work, and close this one if its work has ended."
        )
        raise ConflictError("formal-stays-formal", message, "/kind")
    _whole(act)
    network.kind, network.activated_at = "formal", act.now
    events.append(act, "network.became-formal", {"network": str(network.id)})
    return network


def _whole(act: Act) -> None:
    lacks = rules_of_work.missing(act.session, act.network, act.now)
    if lacks:
        codes = ", ".join(each.code for each in lacks)
        message = f"Expected a network with all that a formal one needs; this one lacks: {codes}."
        raise ConflictError("parts-missing", message, details={"missing": said(lacks)})


def said(lacks: Sequence[rules_of_work.MissingPart]) -> list[dict[str, str]]:
    """Return what is missing as members of an answer."""
    return [{"code": each.code, "detail": each.detail, "request": each.request} for each in lacks]
