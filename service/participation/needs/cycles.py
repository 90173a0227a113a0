"""Cycles in which a network asks its members.

For some time it asks what they want to learn and what they can offer. What a cycle asks can change while it is open, as
long as no answer loses what it says. All who write here lock the network.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from pydantic import TypeAdapter
from sqlalchemy import delete, select
from sqlalchemy.orm import Session as OrmSession

from service.access import callers
from service.access.act import Act, CallersAct
from service.access.callers import Caller
from service.bodies import merged, validated
from service.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from service.evidence import derivation
from service.networks import objectives
from service.outbox import events
from service.participation.needs import own_topics
from service.participation.needs.shapes import (
    CycleState,
    NeedsCycleChange,
    NeedsCycleFields,
    NeedsCycleIn,
    NeedsTopic,
)
from service.runtime.runtime import Runtime
from service.runtime.work import GoOn, to_the_end
from service.storage import locks
from service.storage.paging import Window, page
from service.tables import NeedsAnswer, NeedsCycle, NeedsLink, Network

BATCH: Final = 100
_FIELDS: Final = TypeAdapter(NeedsCycleFields)
_TOPICS: Final = TypeAdapter(list[NeedsTopic])


def put_cycle(act: CallersAct, body: NeedsCycleIn) -> tuple[NeedsCycle, bool]:
    """Add or change a cycle; return it and whether it is new.

    Raises:
        ForbiddenError: the token is that of a member who is neither facilitator nor assessor (code "needs-role").
        InvalidError: it closes before it opens (code "needs-cycle-backward") or in the past ("needs-cycle-over"), asks
            about nothing ("needs-topics-missing"), has a topic twice ("needs-topic-twice"), or names an objective that is unknown
            ("objective-unknown") or retired ("objective-retired").
        ConflictError: there are answers, and it would open later (code "needs-cycle-answered"), or lacks a topic that
            they name ("needs-topic-in-use").
    """
    by_network(act)
    row = _find(act.session, act.network, body.ref)
    given = body.model_dump(exclude_unset=True, exclude={"ref"})
    current = {} if row is None else _current(row)
    fields = validated(_FIELDS, _without_none(current | given))
    if row is not None:
        _change(act, row, fields)
        return row, False
    row = NeedsCycle(
        network_id=act.network.id,
        ref=body.ref,
        said=_said(fields),
        opens_at=fields.opens_at or act.now,
        closes_at=fields.closes_at,
        made_at=act.now,
        token_id=act.caller.token_id,
        actor_member_id=act.caller.member_id,
    )
    _judge(act, fields, row.opens_at, None)
    act.session.add(row)
    act.session.flush()
    _tell_if_open(act, row)
    return row, True


def change_cycle(act: CallersAct, ref: str, body: NeedsCycleChange) -> NeedsCycle:
    """Change a cycle that is there.

    Raises:
        NotFoundError: the network has none (code "needs-cycle-unknown").
        ForbiddenError, InvalidError, ConflictError: as `put_cycle`.
    """
    row = held(act, ref)
    fields = validated(_FIELDS, merged(_current(row), body.model_dump(exclude_unset=True)))
    _change(act, row, fields)
    return row


def close(act: CallersAct, ref: str) -> NeedsCycle:
    """Close an open cycle now; one that is closed already stays as it is.

    Raises:
        NotFoundError, ForbiddenError: as `change_cycle`.
        ConflictError: it has not opened yet (code "needs-early").
    """
    row = held(act, ref)
    state = state_of(row, act.now)
    if state == "planned":
        raise ConflictError("needs-early", "Expected a cycle that has opened. Delete it, or change its times.")
    if state == "open":
        row.closes_at = act.now
        act.session.flush()
    return row


def remove(act: CallersAct, ref: str) -> None:
    """Delete a cycle that nobody has answered, with its links.

    Raises:
        NotFoundError, ForbiddenError: as `change_cycle`.
        ConflictError: there are answers (code "needs-cycle-answered").
    """
    row = held(act, ref)
    if _answers(act.session, row):
        message = "Expected a cycle without answers; this one has some. Close it instead."
        raise ConflictError("needs-cycle-answered", message)
    act.session.execute(delete(NeedsLink).where(NeedsLink.cycle_id == row.id))
    act.session.delete(row)
    act.session.flush()


def list_cycles(
    session: OrmSession, network: Network, window: Window, state: str | None, now: datetime
) -> tuple[Sequence[NeedsCycle], str | None]:
    """Return cycles in the order in which they were added.

    Args:
        state: only those that are planned, open or closed now.
    """
    query = select(NeedsCycle).where(NeedsCycle.network_id == network.id)
    if state == "planned":
        query = query.where(NeedsCycle.opens_at > now, NeedsCycle.closes_at > now)
    elif state == "open":
        query = query.where(NeedsCycle.opens_at <= now, NeedsCycle.closes_at > now)
    elif state == "closed":
        query = query.where(NeedsCycle.closes_at <= now)
    return page(session, query, window, NeedsCycle.id)


def get_cycle(session: OrmSession, network: Network, ref: str) -> NeedsCycle:
    """Return the cycle with the network's own `ref`.

    Raises:
        NotFoundError: the network has none (code "needs-cycle-unknown").
    """
    return _there(_find(session, network, ref))


def held(act: CallersAct, ref: str) -> NeedsCycle:
    """Return a cycle, if the caller may change it, and let nobody else change it until the commit.

    Raises:
        NotFoundError, ForbiddenError: as `change_cycle`.
    """
    by_network(act)
    return get_cycle(act.session, act.network, ref)


def by_network(act: CallersAct) -> None:
    """Let the network pass, and its facilitators and assessors; the token is locked before the network.

    Raises:
        UnauthenticatedError: the token was revoked since the request began (code "token-revoked").
        ForbiddenError: the token is that of another member (code "needs-role").
    """
    callers.still_good(act.session, act.caller)
    locks.network(act.session, act.network.id)
    for_network(act.session, act.caller, act.now)


def for_network(session: OrmSession, caller: Caller, now: datetime) -> None:
    """Let the network pass, and its facilitators and assessors, who see what all members answer.

    Raises:
        ForbiddenError: the token is that of another member (code "needs-role").
    """
    if not is_for_network(session, caller, now):
        raise ForbiddenError("needs-role", "Expected a token of the network, or of a facilitator or assessor.")


def is_for_network(session: OrmSession, caller: Caller, now: datetime) -> bool:
    """Return whether the caller is the network, or one of its facilitators and assessors."""
    who = (caller.member_id, now)
    return caller.member_id is None or derivation.actors(session, [who])[who].attests


def state_of(row: NeedsCycle, now: datetime) -> CycleState:
    """Return whether people can answer a cycle now."""
    if now >= row.closes_at:
        return "closed"
    return "planned" if now < row.opens_at else "open"


def topics_of(row: NeedsCycle) -> list[NeedsTopic]:
    """Return the topics that a cycle offers, in order."""
    return _TOPICS.validate_python(row.said.get("topics", []))


def in_language(text: str, others: Mapping[str, str] | None, language: str) -> str:
    """Return a text of a network as it says it in a language, or as it says it first."""
    return (others or {}).get(language, text)


def tell_opened(runtime: Runtime, go_on: GoOn = to_the_end) -> int:
    """Tell in the outbox that cycles have opened whose time has come; return how many."""
    count = 0
    due = (NeedsCycle.told_at.is_(None), NeedsCycle.opens_at <= runtime.now())
    open_networks = select(Network.id).where(Network.state != "closed")
    while go_on():
        with runtime.database.read() as session:
            query = select(NeedsCycle.id, NeedsCycle.network_id).where(*due, NeedsCycle.network_id.in_(open_networks))
            found = session.execute(query.limit(BATCH)).all()
        if not found:
            break
        for cycle_id, network_id in found:
            with runtime.database.write() as session:
                locks.network(session, network_id)
                row = session.scalar(select(NeedsCycle).where(NeedsCycle.id == cycle_id, *due))
                if row is not None:
                    network = session.get_one(Network, network_id)
                    count += int(_tell_if_open(Act(session, network, None, runtime.now()), row))
    return count


def _tell_if_open(act: Act, row: NeedsCycle) -> bool:
    if row.told_at is not None or row.opens_at > act.now:
        return False
    row.told_at = act.now
    events.append(act, "needs.opened", {"needs_cycle": str(row.id)})
    act.session.flush()
    return True


def _change(act: CallersAct, row: NeedsCycle, fields: NeedsCycleFields) -> None:
    opens_at = fields.opens_at or row.opens_at
    _judge(act, fields, opens_at, row)
    answers = _answers(act.session, row)
    if answers and opens_at > act.now and opens_at != row.opens_at:
        message = "Expected a cycle without answers, or one that does not open later; this one has answers."
        raise ConflictError("needs-cycle-answered", message, "/opens_at")
    kept = {topic.code for topic in fields.topics or ()}
    used = {code for answer in answers for code in _codes(answer)}
    if used - kept:
        listed = ", ".join(sorted(used - kept))
        raise ConflictError(
            "needs-topic-in-use", f"Expected all topics that answers name; missing: {listed}.", "/topics"
        )
    if opens_at > act.now:
        row.told_at = None
    row.said, row.opens_at, row.closes_at = _said(fields), opens_at, fields.closes_at
    act.session.flush()
    _tell_if_open(act, row)


def _judge(act: Act, fields: NeedsCycleFields, opens_at: datetime, before: NeedsCycle | None) -> None:
    closes_at = fields.closes_at
    if before is None or (before.opens_at, before.closes_at) != (opens_at, closes_at):
        if closes_at <= opens_at:
            raise InvalidError("needs-cycle-backward", "Expected a cycle that closes after it opens.", "/closes_at")
        if closes_at <= act.now and (before is None or closes_at != before.closes_at):
            message = "Expected a `closes_at` that is not past yet. To close a cycle now, post to `closing`."
            raise InvalidError("needs-cycle-over", message, "/closes_at")
    topics = fields.topics or []
    if not topics and not fields.free_topics:
        message = "Expected a topic at least, or `free_topics`: there would be nothing to answer."
        raise InvalidError("needs-topics-missing", message, "/topics")
    kept = {each.objective for each in (() if before is None else topics_of(before)) if each.objective}
    known = objectives.known(act.session, act.network, {each.objective for each in topics if each.objective})
    for place, topic in enumerate(topics):
        others = topics[:place]
        if topic.code in {each.code for each in others}:
            raise InvalidError("needs-topic-twice", "Expected each topic once.", f"/topics/{place}/code")
        if own_topics.key_of(topic.label) in {own_topics.key_of(each.label) for each in others}:
            raise InvalidError("needs-topic-twice", "Expected topics with different labels.", f"/topics/{place}/label")
        if topic.objective is not None:
            found = known.get(topic.objective)
            fault = objectives.fault_of(act.session, act.network, topic.objective, found, kept=kept)
            if fault is not None:
                raise InvalidError(*fault, f"/topics/{place}/objective")


def _answers(session: OrmSession, row: NeedsCycle) -> Sequence[dict[str, Any]]:
    return session.scalars(select(NeedsAnswer.said).where(NeedsAnswer.cycle_id == row.id)).all()


def _codes(said: Mapping[str, Any]) -> set[str]:
    return {each["topic"] for part in ("learn", "offer") for each in said[part] if "topic" in each}


def _said(fields: NeedsCycleFields) -> dict[str, Any]:
    said = fields.model_dump(exclude={"opens_at", "closes_at"}, exclude_none=True)
    return {"topics": [], "free_topics": False} | said


def _current(row: NeedsCycle) -> dict[str, Any]:
    return row.said | {"opens_at": row.opens_at, "closes_at": row.closes_at}


def _without_none(said: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in said.items() if value is not None}


def _find(session: OrmSession, network: Network, ref: str) -> NeedsCycle | None:
    return session.scalar(select(NeedsCycle).where(NeedsCycle.network_id == network.id, NeedsCycle.ref == ref))


def _there(row: NeedsCycle | None) -> NeedsCycle:
    if row is None:
        message = "No cycle of this network has this ref; post the cycle first, or correct it."
        raise NotFoundError("needs-cycle-unknown", message)
    return row
