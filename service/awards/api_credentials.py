"""Credentials over HTTP, for the network that issued them.

The public addresses are in `service.public.api`.
"""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import Field

from service.access.act import CallersAct
from service.access.callers import READ, Caller
from service.achievements.api_expanded import ExpandBoth, Expanded, expanded
from service.awards import appealable, endings, renewals
from service.awards.appealable import Appeal
from service.bodies import Body, Instant, Moment, Prose
from service.issuing import credentials, unsigned
from service.issuing.credentials import CredentialWithNames
from service.issuing.visibility import Visibility
from service.runtime.settings import Settings
from service.tables import Credential
from service.web.exactly_once import exactly_once
from service.web.requests import (
    Answer,
    Needs,
    Now,
    Page,
    Reader,
    ReadNetwork,
    Running,
    StrictRoute,
    Windowed,
    acting_at_home,
    reply,
)

router = APIRouter(route_class=StrictRoute, tags=["credentials"])
State = Literal["valid", "revoked", "suspended", "expired"]
AnyReader = Annotated[Caller, Depends(Needs(*READ))]


class RevocationIn(Body):
    """Why a credential is revoked."""

    reason: Prose = Field(
        description="the recipient reads it, in a mail too; it is not shown to those who verify",
        examples=["Awarded to the wrong member."],
    )


class SuspensionIn(Body):
    """Why a credential must not be relied on for now."""

    reason: Prose = Field(
        description="the recipient reads it, in a mail too; it is not shown to those who verify",
        examples=["Its evidence is being looked into."],
    )


class ReplacementIn(Body):
    """Why another credential is to replace this one, for the same award."""

    reason: Prose = Field(
        description="kept by the network; it is not shown to those who verify", examples=["The address was misspelt."]
    )


class AppealOut(Answer):
    """Where the revocation or suspension of a credential can be contested."""

    url: str = Field(examples=["/v1/networks/river-writers/cases"])
    body: dict[str, str] = Field(description="what is posted there, with a `statement`")
    until: Instant


class StatusOut(Answer):
    """The state of a credential now."""

    id: str
    state: State
    valid_from: Instant
    valid_until: Instant | None = None
    revoked_at: Instant | None = None
    suspended_at: Instant | None = None
    declined_at: Instant | None = Field(
        None, description="when its recipient declined it, which revoked it; the network did not take it back"
    )
    reason: str | None = Field(None, description="why it was revoked or suspended")
    followed_by: str | None = Field(
        None, description="id of the credential that follows it: a replacement with corrected data, or its renewal"
    )
    appeal: AppealOut | None = Field(None, description="only in the answer of `.../status`, while it can be contested")

    @classmethod
    def of(cls, row: Credential, now: datetime, appeal: Appeal | None = None) -> Self:
        """Return the answer for one row."""
        return cls(
            id=row.id,
            state=state_of(row, now),
            valid_from=row.valid_from,
            valid_until=row.valid_until,
            revoked_at=row.revoked_at,
            suspended_at=row.suspended_at,
            declined_at=row.declined_at,
            reason=row.revocation_reason or row.suspension_reason,
            followed_by=row.superseded_by,
            appeal=AppealOut.model_validate(appeal) if appeal else None,
        )


class CredentialOut(StatusOut):
    """A credential with its names in the network."""

    url: str = Field(description="its public address: add .json, .jwt, .png or .svg for a file")
    award: UUID
    member: str
    achievement: str
    name: str
    visibility: Visibility = Field(description="who can find it, as its recipient chose; the network cannot change it")
    issued_at: Instant
    expanded: Expanded | None = None

    @classmethod
    def named(cls, settings: Settings, issued: CredentialWithNames, now: datetime) -> Self:
        """Return the answer for one row with its names."""
        row = issued.row
        return cls(
            **StatusOut.of(row, now).model_dump(),
            url=unsigned.credential_url(settings, row.id),
            award=row.award_id,
            member=issued.member_ref,
            achievement=issued.achievement_ref,
            name=issued.name,
            visibility=row.visibility,
            issued_at=row.issued_at,
        )


def state_of(row: Credential, now: datetime) -> State:
    """Return the gravest state that applies to a credential."""
    if row.revoked_at is not None:
        return "revoked"
    if row.suspended_at is not None:
        return "suspended"
    return "expired" if row.valid_until is not None and row.valid_until <= now else "valid"


@router.get("/v1/networks/{slug}/credentials", response_model=Page[CredentialOut])
def list_credentials(
    network: ReadNetwork,
    session: Reader,
    window: Windowed,
    runtime: Running,
    now: Now,
    caller: AnyReader,
    member: Annotated[str | None, Query(max_length=200, description="the member's ref")] = None,
    achievement: Annotated[str | None, Query(max_length=200, description="the achievement's ref")] = None,
    revoked: Annotated[bool | None, Query(description="true: only revoked ones; false: only the others")] = None,
    state: State | None = None,
    issued_from: Annotated[
        Moment | None, Query(description="issued then or later; a date is one of the network's")
    ] = None,
    issued_until: Annotated[Moment | None, Query(description="issued before that")] = None,
    sort: Literal["issued_at", "-issued_at"] | None = None,
    expand: ExpandBoth = None,
) -> Response:
    """List the credentials that the network has issued.

    Without `sort` their order has no meaning, and does not change.
    """
    found, following = credentials.list_issued(
        session,
        network,
        window=window,
        member=member,
        achievement=achievement,
        revoked=revoked,
        state=state,
        now=now,
        issued_from=issued_from,
        issued_until=issued_until,
        sort=sort,
    )
    named = [(each.award.member_id, each.award.achievement_version_id) for each in found]
    more = expanded(session, runtime.settings, caller, expand, named)
    items = [
        CredentialOut.named(runtime.settings, each, now).model_copy(update={"expanded": extra})
        for each, extra in zip(found, more, strict=True)
    ]
    return reply(200, Page[CredentialOut](items=items, next=following))


@router.get("/v1/credentials/{credential_id}", response_model=CredentialOut)
def get_credential(credential_id: str, session: Reader, runtime: Running, now: Now, caller: AnyReader) -> Response:
    """Return what the network knows of a credential.

    The signed credential itself is at its `url`.
    """
    found = credentials.find(session, caller, credential_id)
    return reply(200, CredentialOut.named(runtime.settings, found, now))


@router.get("/v1/credentials/{credential_id}/status", response_model=StatusOut)
def get_credential_status(credential_id: str, session: Reader, now: Now, caller: AnyReader) -> Response:
    """Return the state of a credential, and why.

    If it was revoked or suspended, the answer also says where that can be contested.
    """
    row = credentials.find(session, caller, credential_id).row
    return reply(200, StatusOut.of(row, now, appealable.of_standing(session, row, now)))


@router.post("/v1/credentials/{credential_id}/revocation", response_model=StatusOut)
@exactly_once()
def revoke_credential(
    credential_id: str,
    body: RevocationIn,
    act: Annotated[CallersAct, acting_at_home(Needs("awards:write"))],
    runtime: Running,
) -> Response:
    """Revoke a credential for good, and the award with it.

    The status list is signed and published in the same step: verifiers see it as soon as their copy is older than
    five minutes. A credential that is revoked already stays as it is, with the first reason. While the signing key
    cannot be used the answer is 503, and nothing has changed.
    """
    row = endings.revoke(act, runtime, credential_id, body.reason)
    return reply(200, StatusOut.of(row, act.now))


@router.post("/v1/credentials/{credential_id}/suspension", response_model=StatusOut)
@exactly_once()
def suspend_credential(
    credential_id: str,
    body: SuspensionIn,
    act: Annotated[CallersAct, acting_at_home(Needs("awards:write"))],
    runtime: Running,
) -> Response:
    """Suspend a credential and its award until somebody decides whether it stands.

    Its page, this answer, the events and the report of this service say so at once. Other verifiers see it only if the
    achievement was published with `status: suspension`. A credential that is suspended already keeps its first reason.
    """
    row = endings.suspend(act, runtime, credential_id, body.reason)
    return reply(200, StatusOut.of(row, act.now))


@router.post("/v1/credentials/{credential_id}/reinstatement", response_model=StatusOut)
@exactly_once()
def reinstate_credential(
    credential_id: str, act: Annotated[CallersAct, acting_at_home(Needs("awards:write"))], runtime: Running
) -> Response:
    """Reinstate a suspended credential and its award; a revoked one stays revoked.

    One that was suspended because others may have had the key that signed it is signed again under its id.
    """
    return reply(200, StatusOut.of(endings.reinstate(act, runtime, credential_id), act.now))


@router.post("/v1/credentials/{credential_id}/replacement", status_code=201, response_model=CredentialOut)
@exactly_once()
def replace_credential(
    credential_id: str,
    body: ReplacementIn,
    act: Annotated[CallersAct, acting_at_home(Needs("awards:write"))],
    runtime: Running,
) -> Response:
    """Issue an award's credential again with what is known now; revoke the old one.

    Use it for a corrected address, for example. The award, its date, evidence and receipt stay. The page of the old
    credential says which one has replaced it. If it was replaced before, the answer is its replacement.
    """
    row = renewals.replace(act, runtime, credential_id, body.reason)
    found = credentials.find(act.session, act.caller, row.id)
    return reply(201, CredentialOut.named(runtime.settings, found, act.now))
