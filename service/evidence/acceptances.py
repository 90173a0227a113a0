"""What members accept, and what waits until they do.

An acceptance is a contribution of the type `accepted` that says which version of the guidelines. Where the network chose
so, evidence about members who have not accepted the version in force is held once their days of grace are over, and
counts from the moment at which they accept. The acceptance itself is never held, nor is what came before those days
were over, nor the network's history.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session as OrmSession

from service.access.act import Act
from service.errors import ForbiddenError, InvalidError
from service.evidence.bodies import Gap, Judgement, Owing, References, Submitted
from service.evidence.contributions import ContributionIn
from service.evidence.derivation import Actor, is_history
from service.evidence.evaluations import EvaluationFields
from service.evidence.vocabulary import ACCEPTED, GUIDELINES
from service.storage import locks
from service.storage.database import WriteSession
from service.tables import Contribution, GuidelineSettings, GuidelineVersion, Member, Network, Record

NOT_ACCEPTED: Final = "guidelines-not-accepted"
"""The code of why such evidence is held."""


@dataclass(frozen=True)
class Standing:
    """Which version a member has accepted last, under whatever ref of theirs, and since when; None: none yet.

    `lapses_at` is when evidence about them is held if they do not accept the version in force; None if it never is.
    """

    ref: str
    number: int | None = None
    accepted_at: datetime | None = None
    lapses_at: datetime | None = None


def version_of(body: Submitted) -> int | None:
    """Return the version of the guidelines that a body accepts; None if it is no acceptance."""
    return body.guidelines_version if isinstance(body, ContributionIn) else None


def key_of(body: Submitted) -> set[tuple[str, ...]]:
    """Return what makes two acceptances one: the member's ref, and the number of the version."""
    number = version_of(body)
    return {(body.member, str(number), ACCEPTED)} if number is not None and isinstance(body, ContributionIn) else set()


def check(act: Act, references: References, actor: Actor | None, body: Submitted) -> None:
    """Refuse an acceptance that cannot be one.

    Nobody accepts for somebody else. Only what members accepted elsewhere, before the network came here, may be loaded
    for them, as its history.

    Raises:
        InvalidError: the version was never published (code "guidelines-version-unknown"), or not yet at that time
            ("acceptance-too-early").
        ForbiddenError: it is somebody else's (code "acceptance-on-behalf").
    """
    number = version_of(body)
    if number is None or not isinstance(body, ContributionIn):
        return
    mine = (GuidelineVersion.network_id == act.network.id, GuidelineVersion.number == number)
    published_at = act.session.scalar(select(GuidelineVersion.published_at).where(*mine))
    if published_at is None:
        message = f"Expected a version of the guidelines that was published; there is no version {number}."
        raise InvalidError("guidelines-version-unknown", message, "/guidelines_version")
    if actor is None and is_history(act.network, body.occurred_at, act.now):
        return
    member = references.members.get(body.member)
    if actor is None or member is None or not member.is_person(actor.member):
        message = "Expected the member's own acceptance: with a token that is bound to them, or on their page."
        raise ForbiddenError("acceptance-on-behalf", message, "/member")
    if body.occurred_at < published_at.replace(microsecond=0):
        message = f"Expected a time after version {number} was published."
        raise InvalidError("acceptance-too-early", message, "/occurred_at")


def there(
    session: OrmSession, network: Network, references: References, bodies: Collection[Submitted]
) -> dict[tuple[str, ...], Record]:
    """Return the acceptances that count already, as `key_of` names them."""
    accepting = [body for body in bodies if version_of(body) is not None]
    if not accepting:
        return {}
    refs = {someone.id: ref for ref, someone in references.members.items()}
    rows = session.execute(
        select(Contribution.member_id, Contribution.resource, Record)
        .join(Record, Record.id == Contribution.record_id)
        .where(Contribution.member_id.in_(refs), *_accepted(network))
        .order_by(Record.id.desc())
    )
    found = ((refs[member_id], _number(resource), record) for member_id, resource, record in rows)
    return {(ref, str(number), ACCEPTED): record for ref, number, record in found}


def chosen_by(session: OrmSession, network: Network) -> GuidelineSettings | None:
    """Return what a network chose about its guidelines, as it is now; None if it chose nothing."""
    return session.get(GuidelineSettings, network.id, populate_existing=True)


def take_turns(act: Act, bodies: Collection[Submitted]) -> GuidelineSettings | None:
    """Return what the act's network chose, and let nobody change it until the commit, if evidence can be held by it.

    Who accepts finds all that waits for them, or what comes finds their acceptance: one of the two waits for the other.
    What waits is locked too: records come before members (`storage.locks`).
    """
    accepting = {body.member for body in bodies if isinstance(body, ContributionIn) and version_of(body) is not None}
    chosen = chosen_by(act.session, act.network)
    if chosen is None or chosen.acceptance != "hold":
        return chosen
    locks.network(act.session, act.network.id, shared=not accepting)
    if accepting:
        refs = refs_of_persons(act.session, act.network, accepting)
        locks.records(act.session, Record.network_id == act.network.id, Record.held_for.in_(refs))
    return chosen_by(act.session, act.network)


def with_owing(
    session: WriteSession,
    network: Network,
    chosen: GuidelineSettings | None,
    references: References,
    bodies: Sequence[Submitted],
) -> References:
    """Return the references with those of the members whom the bodies are about for whose acceptance evidence waits.

    There are none if the network does not hold evidence.
    """
    if chosen is None or chosen.acceptance != "hold":
        return references
    people = {someone.id for body in bodies if (someone := body.judge(references, None).member) is not None}
    found = standings(session, network, people)
    owing = {
        member_id: Owing(each.ref, each.lapses_at) for member_id, each in found.items() if each.lapses_at is not None
    }
    return replace(references, owing=owing)


def gap(references: References, judgement: Judgement, body: Submitted, first: Record) -> Gap | None:
    """Return for whose acceptance a body waits that could count otherwise; None if it does not.

    Args:
        first: the record that was the first to say it.
    """
    owing = references.owing.get(judgement.member.id) if judgement.member is not None else None
    if owing is None or version_of(body) is not None or first.received_at < owing.since:
        return None
    if is_history(references.network, body.occurred_at, first.received_at):
        return None
    about = body.about if isinstance(body, EvaluationFields) else None
    pointer = "/member" if about is None else "/about/member" if about.member is not None else "/about/contribution"
    return Gap(owing.ref, pointer, NOT_ACCEPTED)


def standings(session: OrmSession, network: Network, member_ids: Collection[UUID]) -> dict[UUID, Standing]:
    """Return which version each of these members has accepted last, and when evidence about them is held.

    What a person accepts under one ref holds for all of theirs.
    """
    members = session.scalars(select(Member).where(Member.id.in_(member_ids))).all() if member_ids else []
    persons = {member.person_id for member in members} - {None}
    same = Member.id.in_(member_ids) | Member.person_id.in_(persons)
    rows = session.execute(
        select(Member.id, Member.person_id, Contribution.resource, Contribution.occurred_at)
        .join(Contribution, Contribution.member_id == Member.id)
        .where(Member.network_id == network.id, same, *_accepted(network))
    )
    accepted: defaultdict[UUID, list[tuple[int, datetime | None]]] = defaultdict(list)
    for member_id, person_id, resource, accepted_at in rows:
        accepted[person_id or member_id].append((_number(resource), accepted_at))
    versions = published(session, network)
    chosen = chosen_by(session, network)
    found = {}
    for member in members:
        number, at = max(accepted[member.person_id or member.id], default=(0, None))
        lapses_at = _lapses_at(chosen, member, versions, number)
        found[member.id] = Standing(member.ref, number or None, at, lapses_at)
    return found


def refs_of_persons(session: OrmSession, network: Network, refs: Collection[str]) -> set[str]:
    """Return these refs of members, and those under which the network knows the same persons too."""
    mine = Member.network_id == network.id
    persons = select(Member.person_id).where(mine, Member.ref.in_(refs), Member.person_id.is_not(None))
    return {*refs, *session.scalars(select(Member.ref).where(mine, Member.person_id.in_(persons)))}


def waiting(session: OrmSession, network: Network) -> set[str]:
    """Return the refs of the members for whose acceptance evidence waits."""
    held = select(Record.held_for).where(Record.network_id == network.id, Record.held_code == NOT_ACCEPTED)
    return {ref for ref in session.scalars(held.where(Record.held_for.is_not(None)).distinct()) if ref is not None}


def published(session: OrmSession, network: Network) -> dict[int, datetime]:
    """Return when each version of the guidelines was published, by its number."""
    query = select(GuidelineVersion.number, GuidelineVersion.published_at).where(
        GuidelineVersion.network_id == network.id, GuidelineVersion.published_at.is_not(None)
    )
    return {number: at for number, at in session.execute(query) if at is not None}


def _lapses_at(
    chosen: GuidelineSettings | None, member: Member, versions: Mapping[int, datetime], number: int
) -> datetime | None:
    """Return when evidence about a member is held who has accepted the version `number` last.

    The days of grace run from the first version that they did not accept, or from when they became a member, or from
    when the network chose to hold evidence, the latest of these.
    """
    asked = [at for version, at in versions.items() if version > number]
    if chosen is None or chosen.holds_since is None or not asked:
        return None
    return max(min(asked), member.enrolled_at, chosen.holds_since) + timedelta(days=chosen.grace_days)


def _accepted(network: Network) -> tuple[ColumnElement[bool], ...]:
    named = Contribution.resource.startswith(f"{GUIDELINES}/", autoescape=True)
    return Contribution.network_id == network.id, Contribution.type == ACCEPTED, named


def _number(resource: str | None) -> int:
    return int((resource or "").rpartition("/")[2])
