"""Agreements in a disagreement, and awards that wait, over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Response

from service.access.act import CallersAct
from service.appeals import mediation
from service.appeals.api import CaseOut, told
from service.appeals.mediation import AgreementAcceptanceIn, AgreementIn, HoldIn
from service.bodies import Uid
from service.web.exactly_once import exactly_once
from service.web.requests import Needs, Running, StrictRoute, acting

router = APIRouter(route_class=StrictRoute, tags=["cases"])
DecidersAct = Annotated[CallersAct, acting(Needs("cases:decide", "cases:manage"))]


@router.post("/v1/networks/{slug}/cases/{case_id}/agreement", status_code=201, response_model=CaseOut)
@exactly_once()
def propose_agreement(
    case_id: Uid, body: AgreementIn, act: Annotated[CallersAct, acting(Needs("cases:decide"))], runtime: Running
) -> Response:
    """Propose to both parties of a disagreement, as its mediator, what they could agree on.

    A further proposal takes the place of the last one, and of what was accepted of that.
    """
    mediation.propose(act, case_id, body)
    return told(act, runtime, case_id, 201)


@router.post("/v1/networks/{slug}/cases/{case_id}/agreement/acceptance", response_model=CaseOut)
@exactly_once()
def accept_agreement(
    case_id: Uid,
    body: AgreementAcceptanceIn,
    act: Annotated[CallersAct, acting(Needs("cases:write"))],
    runtime: Running,
) -> Response:
    """Accept, as a party, what the mediator proposed last.

    Once both parties have accepted it, the case ends with the outcome `agreed`, and both can read the agreement.
    """
    mediation.accept(act, case_id, body)
    return told(act, runtime, case_id)


@router.post("/v1/networks/{slug}/cases/{case_id}/holds", status_code=201, response_model=CaseOut)
@exactly_once()
def create_case_hold(case_id: Uid, body: HoldIn, act: DecidersAct, runtime: Running) -> Response:
    """Have new awards of a party of a disagreement wait, as its mediator or the network.

    They are pending until the hold ends: with the case, when it is overdue, or before. Then they follow by themselves. What the
    member holds already stands. Only this member and the mediator read why, and the other party does not know of it.
    """
    mediation.hold(act, case_id, body)
    return told(act, runtime, case_id, 201)


@router.post("/v1/networks/{slug}/cases/{case_id}/holds/{hold_id}/release", response_model=CaseOut)
@exactly_once()
def release_case_hold(case_id: Uid, hold_id: Uid, act: DecidersAct, runtime: Running) -> Response:
    """End a hold before the case ends; the awards follow on which there is no other."""
    mediation.release(act, case_id, hold_id)
    return told(act, runtime, case_id)
