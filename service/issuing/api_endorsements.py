"""Endorsements over HTTP: post what members said, and withdraw it for them."""

from typing import Annotated, Self

from fastapi import APIRouter, Response
from pydantic import Field

from service.access.act import CallersAct
from service.access.callers import in_person, require_other
from service.bodies import Body, Instant, Line, Ref
from service.errors import ForbiddenError, InvalidError, NotFoundError
from service.issuing import endorsements, endorsing, own
from service.issuing.endorsements import Skill
from service.issuing.endorsing import Wanted
from service.networks import members
from service.runtime.settings import Settings
from service.tables import Award, Credential, Endorsement, Member
from service.web.exactly_once import exactly_once
from service.web.requests import Answer, Needs, Running, StrictRoute, acting, reply

router = APIRouter(route_class=StrictRoute, tags=["credentials"])
CanWrite = Annotated[CallersAct, acting(Needs("evidence:write"))]


class PeerEndorsementIn(Body):
    """What a member says of a skill of somebody's badge."""

    member: Ref = Field(description="the ref of the member who endorses", examples=["m12"])
    skill: Line | None = Field(
        None,
        description=(
            "the skill: `target_url` or `target_name` of an alignment of the achievement; leave it out if the achievement"
            " is aligned to nothing, or to one"
        ),
        examples=["https://standards.example.org/teaching/feedback"],
    )
    comment: str | None = Field(
        None, max_length=endorsing.MAX_COMMENT, description="plain text", examples=["I saw it in four circles."]
    )
    named: bool = Field(
        False,
        description=(
            "true: the member is named. Unless the token is bound to the member, the endorsement then waits until they"
            " agree in *My badges*"
        ),
    )


class EndorsementOut(Answer):
    """An endorsement; whether the recipient shows it, the network is not told."""

    id: str
    url: str = Field(description="its public address, once the recipient shows it; 410 when it is withdrawn")
    skill: str
    named: bool
    waits_for_member: bool = Field(description="the member must first agree to be named")
    given_at: Instant
    withdrawn_at: Instant | None = None

    @classmethod
    def of(cls, settings: Settings, row: Endorsement, skill: Skill) -> Self:
        """Return the answer for one row."""
        return cls(
            id=row.id,
            url=endorsements.endorsement_url(settings, row.id),
            skill=skill.name,
            named=row.named,
            waits_for_member=row.withdrawn_at is None and row.named and row.consented_at is None,
            given_at=row.given_at,
            withdrawn_at=row.withdrawn_at,
        )


@router.post(
    "/v1/networks/{slug}/credentials/{credential_id}/endorsements", status_code=201, response_model=EndorsementOut
)
@exactly_once()
def create_endorsement(credential_id: str, body: PeerEndorsementIn, act: CanWrite, runtime: Running) -> Response:
    """Endorse a skill of a badge, in the words of a member.

    The recipient decides whether the badge's page shows it, and whether the badge holds it. A member has one endorsement
    for a skill: other words replace it, and the recipient decides again. What a member wrote in person is changed by
    them only; a token that is bound to a member endorses as that member only. Badges that are private, revoked, suspended or expired take none.
    """
    peer = members.held(act, body.member)
    row = act.session.get(Credential, credential_id)
    if row is None or row.network_id != act.network.id:
        raise NotFoundError("credential-unknown", "No credential of this network has this id.")
    act.decides_on(act.session.get_one(Award, row.award_id).member_id)
    _check_own(act, peer)
    skill = _skill(row, body.skill)
    wanted = Wanted(skill.place, body.comment or "", body.named, by_peer=_is_peer(act, peer))
    made = endorsing.give(act, runtime, credential_id, peer, wanted)
    return reply(201, EndorsementOut.of(runtime.settings, made, skill))


@router.post(
    "/v1/networks/{slug}/credentials/{credential_id}/endorsements/{endorsement_id}/withdrawal",
    response_model=EndorsementOut,
)
@exactly_once()
def withdraw_endorsement(credential_id: str, endorsement_id: str, act: CanWrite, runtime: Running) -> Response:
    """Withdraw an endorsement for a member, for good.

    It vanishes from the badge's page at once, its address answers 410, and it is revoked. A token that is bound to a
    member withdraws only that member's own.
    """
    row, award = own.lock(act, credential_id)
    found = act.session.get(Endorsement, endorsement_id)
    if found is None or found.credential_id != row.id or found.withdrawn_at is not None:
        raise NotFoundError("endorsement-unknown", "No endorsement of this badge that stands has this id.")
    act.decides_on(award.member_id)
    _check_own(act, act.session.get_one(Member, found.member_id))
    endorsing.withdraw(act, runtime, found)
    skill = next(each for each in endorsements.skills(row) if each.place == found.skill)
    return reply(200, EndorsementOut.of(runtime.settings, found, skill))


def _skill(row: Credential, said: str | None) -> Skill:
    known = endorsements.skills(row)
    wanted = known if said is None and len(known) == 1 else [each for each in known if said in (each.url, each.name)]
    if not wanted:
        message = "Expected target_url or target_name of an alignment of the badge's achievement, got something else."
        raise InvalidError("skill-unknown", message, "/skill")
    return wanted[0]


def _check_own(act: CallersAct, peer: Member) -> None:
    """Let a token that is bound to a member pass if that member is the peer."""
    if act.caller.member_id is not None and not _is_peer(act, peer):
        message = "Expected an endorsement of the member to whom this token is bound."
        raise ForbiddenError("endorsement-not-own", message)


def _is_peer(act: CallersAct, peer: Member) -> bool:
    """Return whether the token is bound to the member, under whatever ref."""
    if act.caller.member_id is None:
        return False
    try:
        require_other(act.session, in_person(peer), [act.caller.member_id])
    except ForbiddenError:
        return True
    return False
