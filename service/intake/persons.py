"""Say whether two members are one person.

A network asks, or it was taken for granted and is corrected.
"""

from pydantic import Field
from sqlalchemy import select

from service.access.act import Act
from service.awards import settling
from service.bodies import Body, Ref
from service.criteria import rejudging
from service.errors import InvalidError
from service.evidence import acceptances
from service.intake import members as intake_members
from service.intake import posting
from service.networks import members, persons, same_person
from service.outbox import events
from service.runtime.runtime import Runtime
from service.storage import past
from service.tables import Contribution, Evaluation, Member, Person


class PersonIn(Body):
    """Whose person a member is."""

    same_as: Ref | None = Field(
        description="ref of another member who is the same person; null: nobody else is, even with the same address",
        examples=["m11"],
    )


def tell(act: Act, runtime: Runtime, ref: str, body: PersonIn) -> Member:
    """Link a member to the person of another one, or tell it apart from all others; return the member.

    Saying it again changes nothing. What the two have earned is decided again.

    Raises:
        NotFoundError: the network has no such member (code "member-unknown").
        ForbiddenError: the caller is one of the two (code "self-decision").
        InvalidError: both are one member (code "same-as-itself").
        ConflictError: the two have different addresses or DIDs (code "identity-conflict"), one was erased
            ("member-erased"), or they are not in one account ("member-claimed").
    """
    member = members.still_known(members.held(act, ref))
    act.decides_on(member.id)
    if body.same_as is None:
        _tell_apart(act, member)
    else:
        other = members.still_known(members.get_member(act.session, act.network, body.same_as), "/same_as")
        act.decides_on(other.id, pointer="/same_as")
        if other is member:
            raise InvalidError("same-as-itself", "Expected the ref of another member.", "/same_as")
        _link(act, member, other)
    # What one of them has accepted, both have.
    bearing = posting.release_held(act, acceptances.refs_of_persons(act.session, act.network, [member.ref]))
    settling.settle(act, runtime, bearing | {member.id})
    return member


def _link(act: Act, member: Member, other: Member) -> None:
    known, theirs = intake_members.person_of(act, member), intake_members.person_of(act, other)
    member.person_state = None
    if known is not None and known is theirs:
        return
    persons.stay_with_their_account(known, theirs)
    identities = persons.identities_of(act.session, known)
    if theirs is None:
        theirs = persons.new_person(act)
        _become(act, other, theirs)
    persons.give(act, theirs, identities)
    _become(act, member, theirs)
    intake_members.tell_sharing(act, member)


def _tell_apart(act: Act, member: Member) -> None:
    """Give a member a person of its own, if it shares one.

    Rules that count different people then count one more for those whom the member judged, or did something with. They
    are marked, and upkeep decides.
    """
    shared = bool(same_person.sharing(act.session, [member]))
    if not shared and member.person_state != "asked":
        return
    if shared:
        known = intake_members.person_of(act, member)
        _become(act, member, persons.new_person(act, persons.identities_of(act.session, known), like=known))
        judged = select(Evaluation.member_id).where(Evaluation.evaluator_id == member.id)
        with_them = select(Contribution.member_id).where(Contribution.peer_id == member.id)
        others = {*act.session.scalars(judged), *act.session.scalars(with_them)}
        rejudging.mark(act, {each for each in others if each is not None})
    member.person_state = "apart"
    events.append(act, "member.told-apart", {"member": str(member.id)})


def _become(act: Act, member: Member, person: Person) -> None:
    """Have a member be this person from now on."""
    known = intake_members.person_of(act, member)
    past.archive(act.session, Member, Member.__table__.c.id == member.id, act.now)
    member.person_id, member.known_from = person.id, act.now
    act.session.flush()
    intake_members.relink(act, member, known)
    rejudging.mark(act, [member.id])
