"""Awards over HTTP."""

from typing import Annotated, Literal, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import Field

from service.access.act import CallersAct
from service.access.callers import READ, Caller
from service.achievements.api_expanded import ExpandBoth, Expanded, expanded
from service.awards import listing, renewals, settling, undoing
from service.awards.listing import AwardWithNames
from service.awards.requests import AwardIn
from service.awards.undoing import UndoIn
from service.bodies import Instant, Moment, Uid
from service.issuing import receipts, unsigned
from service.runtime.settings import Settings
from service.web.exactly_once import exactly_once
from service.web.requests import (
    Answer,
    Needs,
    Page,
    Reader,
    ReadNetwork,
    Running,
    StrictRoute,
    Windowed,
    acting,
    reply,
)

router = APIRouter(route_class=StrictRoute, tags=["awards"])
Basis = Literal["rule", "approval", "override", "recorded"]
State = Literal["pending", "awarded", "suspended", "revoked", "expired"]


class AwardedCredential(Answer):
    """The credential of an award."""

    id: str
    url: str = Field(description="its public address: add .json, .jwt, .png or .svg for a file")
    issued_at: Instant
    valid_until: Instant | None = None


class DeciderOut(Answer):
    """Somebody who decided."""

    member: str | None = Field(None, description="ref of the member to whom the token was bound")
    token: UUID | None = Field(None, description="the token that was used; left out at the operator's command line")
    role: str = Field(description="the role that they had then; network: the token is not bound to a member")
    at: Instant


class AwardOut(Answer):
    """The decision that a member has earned an achievement."""

    id: UUID
    achievement: str
    version: int = Field(description="the version of the achievement by which it was judged")
    member: str
    basis: Basis
    state: State
    awarded_at: Instant = Field(description="when it was earned")
    decided_at: Instant
    reason: str | None = None
    under_review_since: Instant | None = Field(
        None, description="since when people look into whether it stands; see the queue of approvals"
    )
    decided_by: list[DeciderOut] = Field(description="empty if the rule alone decided")
    receipt: str | None = Field(None, description="public address of the decision receipt")
    due_at: Instant | None = Field(
        None, description="when a pending award is signed and announced; left out if that waits only for people"
    )
    ended_for: str | None = Field(None, description="why a pending award was given up")
    renews: UUID | None = Field(None, description="the earlier award that this one renews")
    credential: AwardedCredential | None = None
    expanded: Expanded | None = None

    @classmethod
    def of(cls, settings: Settings, named: AwardWithNames) -> Self:
        """Return the answer for one row."""
        row, credential = named.award, named.credential
        return cls(
            id=row.id,
            achievement=named.achievement_ref,
            version=named.version,
            member=named.member_ref,
            basis=row.basis,
            state=row.state,
            awarded_at=row.awarded_at,
            decided_at=row.decided_at,
            reason=row.reason,
            under_review_since=row.review_since,
            decided_by=[
                DeciderOut(member=ref, token=each.token_id, role=each.role or "network", at=each.at)
                for each, ref in named.deciders
            ],
            due_at=row.due_at if row.state == "pending" else None,
            ended_for=row.end_reason,
            renews=row.renews,
            receipt=receipts.receipt_url(settings, named.receipt_id) if named.receipt_id else None,
            credential=AwardedCredential(
                id=credential.id,
                url=unsigned.credential_url(settings, credential.id),
                issued_at=credential.issued_at,
                valid_until=credential.valid_until,
            )
            if credential
            else None,
        )


@router.post(
    "/v1/networks/{slug}/awards", status_code=201, response_model=AwardOut, responses={200: {"model": AwardOut}}
)
@exactly_once()
def create_award(
    body: AwardIn,
    act: Annotated[CallersAct, acting(Needs("awards:write", "awards:override", "awards:record"))],
    runtime: Running,
) -> Response:
    """Award an achievement to a member, and issue the credential at once.

    With the basis `rule` (scope `awards:write`) the criteria must be met: if not, the answer is 409 `criteria-not-met`
    with the progress, rule by rule. `override` (scope `awards:override`) and `recorded` (scope `awards:record`) need a
    reason; `recorded` also needs `awarded_at`, when the award was made: it becomes the credential's `awardedDate`. A
    member who holds the achievement is not awarded it again: the answer is the existing award, with 200.
    """
    row, created = settling.award(act, runtime, body)
    [named] = listing.named(act.session, [row])
    return reply(201 if created else 200, AwardOut.of(runtime.settings, named))


@router.get("/v1/networks/{slug}/awards", response_model=Page[AwardOut])
def list_awards(
    network: ReadNetwork,
    session: Reader,
    window: Windowed,
    runtime: Running,
    caller: Annotated[Caller, Depends(Needs(*READ))],
    member: Annotated[str | None, Query(max_length=200, description="the member's ref")] = None,
    achievement: Annotated[str | None, Query(max_length=200, description="the achievement's ref")] = None,
    state: State | None = None,
    basis: Basis | None = None,
    awarded_from: Annotated[
        Moment | None, Query(description="earned then or later; a date is one of the network's")
    ] = None,
    awarded_until: Annotated[Moment | None, Query(description="earned before that")] = None,
    sort: Literal["decided_at", "-decided_at", "awarded_at", "-awarded_at"] = "decided_at",
    expand: ExpandBoth = None,
) -> Response:
    """List awards in the order in which they were made, or in another."""
    found, following = listing.list_awards(
        session,
        network,
        window=window,
        member=member,
        achievement=achievement,
        state=state,
        basis=basis,
        awarded_from=awarded_from,
        awarded_until=awarded_until,
        sort=sort,
    )
    named = [(each.award.member_id, each.award.achievement_version_id) for each in found]
    more = expanded(session, runtime.settings, caller, expand, named)
    items = [
        AwardOut.of(runtime.settings, each).model_copy(update={"expanded": extra})
        for each, extra in zip(found, more, strict=True)
    ]
    return reply(200, Page[AwardOut](items=items, next=following))


@router.get("/v1/networks/{slug}/awards/{award_id}", response_model=AwardOut)
def get_award(
    award_id: Uid,
    network: ReadNetwork,
    session: Reader,
    runtime: Running,
    _caller: Annotated[Caller, Depends(Needs(*READ))],
) -> Response:
    """Return one award."""
    return reply(200, AwardOut.of(runtime.settings, listing.find(session, network, award_id)))


class ReplayOut(Answer):
    """The result of deciding again."""

    outcome: Literal["same", "differs", "erased", "decided"] = Field(
        description=(
            "same: the receipt is the same; differs: it is another one; erased: evidence was erased, and the award on "
            "record stands; decided: no rule made the award, so there is nothing to compute again"
        )
    )
    receipt: str
    recorded_sha256: str = Field(description="SHA-256 of the receipt that the credential cites")
    sha256: str = Field(description="SHA-256 of the receipt that results from deciding again")


@router.post("/v1/networks/{slug}/awards/{award_id}/replay", response_model=ReplayOut)
def replay_award(
    award_id: Uid,
    network: ReadNetwork,
    session: Reader,
    runtime: Running,
    _caller: Annotated[Caller, Depends(Needs(*READ))],
) -> Response:
    """Decide an award again on the evidence of then, and compare the receipts.

    It is decided as it was then, by the same version of the achievement. Nothing changes.
    """
    found = listing.replay(session, runtime.settings, network, award_id)
    url = receipts.receipt_url(runtime.settings, found.receipt.id)
    out = ReplayOut.model_validate(
        {
            "outcome": found.outcome,
            "receipt": url,
            "recorded_sha256": found.receipt.sha256,
            "sha256": found.sha256,
        }
    )
    return reply(200, out)


@router.post(
    "/v1/networks/{slug}/awards/{award_id}/renewal",
    status_code=201,
    response_model=AwardOut,
    responses={200: {"model": AwardOut}},
)
@exactly_once()
def renew_award(award_id: Uid, act: Annotated[CallersAct, acting(Needs("awards:write"))], runtime: Running) -> Response:
    """Award an achievement that ends for a further term, if its rule is met now.

    The term begins now. The answer is a new award with its own credential; `renews` names the award before. The old
    credential stays valid as long as it says. A second request is answered with the same award, with 200. An
    achievement that people approve or decide is not renewed here: they do so again when the time is over, and that
    award renews the one before, too.
    """
    row, created = renewals.renew(act, runtime, award_id)
    [named] = listing.named(act.session, [row])
    return reply(201 if created else 200, AwardOut.of(runtime.settings, named))


@router.post("/v1/networks/{slug}/awards/{award_id}/undoing", response_model=AwardOut)
@exactly_once()
def undo_award(
    award_id: Uid, body: UndoIn, act: Annotated[CallersAct, acting(Needs("awards:write"))], runtime: Running
) -> Response:
    """Undo a pending award, before anything is signed or announced.

    Only its row stays, for the network's own books. The rule alone does not award it again. An award that was announced
    can only be revoked (409 `award-not-pending`).
    """
    row = undoing.undo(act, award_id, body)
    [named] = listing.named(act.session, [row])
    return reply(200, AwardOut.of(runtime.settings, named))
