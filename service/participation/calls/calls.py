"""Calls of a network for participants, under its own `ref`."""

import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import Field
from sqlalchemy import or_, select
from sqlalchemy.orm import Session as OrmSession

from service.access import callers
from service.access.act import Act, CallersAct
from service.access.callers import Caller
from service.bodies import Body, Instant, Line, LongLine, Prose, Ref, RoleName
from service.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from service.networks import objectives
from service.networks.objectives import Codes
from service.outbox import events
from service.participation.calls import traits
from service.storage import locks
from service.storage.database import ReadSession
from service.storage.paging import Window, order, page
from service.tables import Call, CallApplication, Member, Network, Role
from service.tables.identifiers import new_id

DECIDING: Final = ("facilitator", "admin", "approver")
"""The roles whose holders prepare calls, and decide on applications."""
MOST_PLACES: Final = 200
OpenTo = Literal["members", "anybody"]
Standing = Literal["coming", "open", "closed"]
ASKED: Final = ("topics", "roles", "disciplines", "organizations", "readiness")
"""What the form of an application asks about. Like `open_to`, it stays as it is once somebody has applied."""

Names = Annotated[list[Line], Field(max_length=50)]
Statements = Annotated[list[LongLine], Field(max_length=10)]


class CallTopicIn(Body):
    """A topic in which a call looks for expertise."""

    name: Line = Field(examples=["Feedback on drafts"])
    objectives: Codes = Field(
        default_factory=list, description="codes of the objectives that it serves; none: it is covered for itself"
    )


class CallRoleIn(Body):
    """The role that an accepted member gets."""

    role: RoleName = Field(examples=["mentor"])
    starts_at: Instant | None = Field(None, description="left out: when they are accepted")
    ends_at: Instant | None = Field(None, description="left out: the role has no end")


Topics = Annotated[list[CallTopicIn], Field(max_length=30)]


class _CallDescribed(Body):
    text: Prose | None = Field(None, description="what the call is about; Markdown")
    topics: Topics | None = Field(None, description="in which topics people say how much they know")
    roles: Names | None = Field(None, description="roles to choose from; none: people write what theirs is")
    disciplines: Names | None = Field(None, description="disciplines to choose from; none: people write what theirs is")
    organizations: Names | None = Field(
        None, description="organizations to choose from; none: people write what theirs is"
    )
    readiness: Statements | None = Field(
        None,
        description="statements with which people agree from 1 (not at all) to 5 (fully)",
        examples=[["I can come to every meeting of the year."]],
    )
    gives_role: CallRoleIn | None = Field(None, description="the role that an accepted member gets")
    protected_reason: Prose | None = Field(
        None, description="why children and students cannot take part; left out: they can. People read it"
    )


class CallFields(_CallDescribed):
    """What a network says about a call.

    Members that are left out stay as they are; null removes one.
    """

    title: Line = Field(examples=["Mentors for new teachers"])
    opens_at: Instant | None = Field(None, description="left out of a new call: now")
    closes_at: Instant = Field(description="until when people can apply, change what they said, and withdraw")
    places: int = Field(ge=1, le=MOST_PLACES, examples=[6])
    open_to: OpenTo = Field("members", description="members, or anybody who signs in with a proved address")
    public: bool = Field(False, description="its page can be read without a sign-in; only if it is open to anybody")


class CallIn(CallFields):
    """One call, under the network's own `ref`."""

    ref: Ref = Field(description="the network's own identifier of the call", examples=["mentors-2026"])


class CallChange(_CallDescribed):
    """What may change about a call.

    Members that are left out stay as they are; null removes one.
    """

    title: Line = Field("-", description="one line")
    opens_at: Instant = Field(default_factory=lambda: datetime.max.replace(tzinfo=UTC))
    closes_at: Instant = Field(default_factory=lambda: datetime.max.replace(tzinfo=UTC))
    places: int = Field(1, ge=1, le=MOST_PLACES)
    open_to: OpenTo = "members"
    public: bool = False


def put_call(act: CallersAct, body: CallIn) -> tuple[Call, bool]:
    """Add or change a call; return it and whether it is new.

    Raises:
        ForbiddenError: the token is that of a member without a role that decides (code "call-role").
        InvalidError: it would close before it opens (code "call-ends-before-start"), or is over already
            ("call-closes-in-past"); something is named twice ("call-named-twice"), or names a protected trait
            ("call-protected-trait"); a topic names an objective that there is not ("objective-unknown"), or that is retired
            ("objective-retired"); it is public and for members only ("call-not-public"); its role ends before it starts
            ("role-ends-before-start").
        ConflictError: people have applied, and what they were asked would change (code "call-has-applications").
    """
    prepare(act)
    call = act.session.scalar(select(Call).where(Call.network_id == act.network.id, Call.ref == body.ref))
    new = call is None
    if call is None:
        call = Call(id=new_id(), network_id=act.network.id, ref=body.ref, created_at=act.now)
        call.opens_at, call.open_to, call.public = act.now, "members", False
        call.asked = {name: [] for name in ASKED}
    _change(act, call, body.model_dump(exclude_unset=True, mode="python", exclude={"ref"}), new=new)
    return call, new


def change_call(act: CallersAct, ref: str, body: CallChange) -> Call:
    """Change a call that is there.

    Raises:
        NotFoundError: the network has none (code "call-unknown").
        ForbiddenError, InvalidError, ConflictError: as `put_call`.
    """
    prepare(act)
    call = held(act, ref)
    _change(act, call, body.model_dump(exclude_unset=True))
    return call


def close_call(act: CallersAct, ref: str) -> Call:
    """Close a call now; one that is closed stays so. PATCH with a later `closes_at` opens it again.

    Raises:
        NotFoundError, ForbiddenError: as `change_call`.
    """
    prepare(act)
    call = held(act, ref)
    if call.closes_at > act.now:
        call.opens_at, call.closes_at = min(call.opens_at, act.now), act.now
        act.session.flush()
        events.append(act, "call.closed", {"call": str(call.id)})
    return call


def prepare(act: CallersAct) -> None:
    """Let who decides pass, and lock the network: everything about calls happens one after the other.

    Raises:
        UnauthenticatedError: the token was revoked since the request began (code "token-revoked").
        ForbiddenError: as `by_who_decides`.
    """
    callers.still_good(act.session, act.caller)
    locks.network(act.session, act.network.id)
    by_who_decides(act.session, act.caller, act.now)


def lock(act: Act) -> None:
    """Lock the network, for what people do in person about a call."""
    locks.network(act.session, act.network.id)


def by_who_decides(session: OrmSession, caller: Caller, now: datetime) -> None:
    """Let a token of the whole network pass, and that of a member with a role that decides.

    Raises:
        ForbiddenError: it is another member's (code "call-role").
    """
    if caller.member_id is not None and not decides(session, caller.member_id, now):
        message = "Expected a token of the network, or of a facilitator, admin or approver."
        raise ForbiddenError("call-role", message)


def decides(session: OrmSession, member_id: UUID, now: datetime) -> bool:
    """Return whether a member, or another one who is the same person, has a role that decides at an instant."""
    person = select(Member.person_id).where(Member.id == member_id).scalar_subquery()
    same = select(Member.id).where(or_(Member.id == member_id, Member.person_id == person))
    held_now = (Role.from_at <= now, or_(Role.until_at.is_(None), Role.until_at > now))
    query = select(Role.id).where(Role.member_id.in_(same), Role.role.in_(DECIDING), *held_now)
    return session.scalar(query.limit(1)) is not None


def held(act: Act, ref: str) -> Call:
    """Return a call, and let nobody else change it until the commit.

    Raises:
        NotFoundError: the network has none (code "call-unknown").
    """
    locks.network(act.session, act.network.id)
    return get_call(act.session, act.network, ref)


def get_call(session: OrmSession, network: Network, ref: str) -> Call:
    """Return the call with the network's own `ref`.

    Raises:
        NotFoundError: the network has none (code "call-unknown").
    """
    found = session.scalar(select(Call).where(Call.network_id == network.id, Call.ref == ref))
    if found is None:
        raise NotFoundError("call-unknown", "No call of this network has this ref; the list of calls gives it.")
    return found


def list_calls(
    session: ReadSession, network: Network, now: datetime, window: Window, standing: str | None, sort: str | None
) -> tuple[Sequence[Call], str | None]:
    """Return calls in the order in which they were added, unless another is asked for.

    Args:
        standing: only those that are coming, open or closed now.
        sort: added or closes_at, with `-` before it for the falling order.
    """
    query = select(Call).where(Call.network_id == network.id)
    if standing == "coming":
        query = query.where(Call.opens_at > now)
    elif standing == "open":
        query = query.where(Call.opens_at <= now, Call.closes_at > now)
    elif standing == "closed":
        query = query.where(Call.closes_at <= now)
    return page(session, query, window, order(sort, added=(Call.id,), closes_at=(Call.closes_at, Call.id)))


def standing_of(call: Call, now: datetime) -> Standing:
    """Return whether one can apply to a call at an instant."""
    if now >= call.closes_at:
        return "closed"
    return "open" if now >= call.opens_at else "coming"


def plain(text: str) -> str:
    """Return a name as it is compared: two that differ only in case, spaces or form of letters are one."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _change(act: Act, call: Call, said: Mapping[str, Any], *, new: bool = False) -> None:
    asked = dict(call.asked) | {name: _as_asked(name, said[name]) for name in ASKED if name in said}
    if not new:
        _check_frozen(act, call, said, asked)
    _check_asked(act, asked, {code for topic in call.asked["topics"] for code in topic["objectives"]})
    for name, value in said.items():
        if name == "gives_role":
            call.gives_role = None if value is None else _as_role(value)
        elif name == "opens_at":
            call.opens_at = value or act.now
        elif name not in ASKED:
            setattr(call, name, value)
    if asked != call.asked:
        call.asked = asked
    if call.closes_at <= call.opens_at:
        raise InvalidError("call-ends-before-start", "Expected a call that closes after it opens.", "/closes_at")
    if (new or "closes_at" in said) and call.closes_at <= act.now:
        message = "Expected a time that is still to come; `POST .../closing` closes a call now."
        raise InvalidError("call-closes-in-past", message, "/closes_at")
    if call.public and call.open_to != "anybody":
        message = "Expected a call without a public page: only one that is open to anybody has it."
        raise InvalidError("call-not-public", message, "/public")
    if new:
        act.session.add(call)
        events.append(act, "call.posted", {"call": str(call.id)})
    elif act.session.is_modified(call):
        events.append(act, "call.changed", {"call": str(call.id)})
    act.session.flush()


def _as_asked(name: str, value: Any) -> list[Any]:
    """Return what is asked as it is stored: a topic with all its members."""
    if name == "topics":
        return [{"name": each["name"], "objectives": each.get("objectives", [])} for each in value or []]
    return list(value or [])


def _as_role(value: Mapping[str, Any]) -> dict[str, Any]:
    start, end = value.get("starts_at"), value.get("ends_at")
    if start is not None and end is not None and end <= start:
        raise InvalidError(
            "role-ends-before-start", "Expected a role that ends after it starts.", "/gives_role/ends_at"
        )
    at = {"starts_at": start, "ends_at": end}
    return {"role": value["role"]} | {name: each.isoformat() for name, each in at.items() if each is not None}


def _check_frozen(act: Act, call: Call, said: Mapping[str, Any], asked: Mapping[str, Any]) -> None:
    changed = [name for name in ASKED if asked[name] != call.asked[name]]
    changed += ["open_to"] if said.get("open_to", call.open_to) != call.open_to else []
    applied = select(CallApplication.id).where(CallApplication.call_id == call.id).limit(1)
    if changed and act.session.scalar(applied) is not None:
        message = (
            f"Expected {', '.join(changed)} as before: people have applied, and answered what they were asked. Text, times"
            " and places can be changed; for anything else post another call."
        )
        raise ConflictError("call-has-applications", message, f"/{changed[0]}")


def _check_asked(act: Act, asked: Mapping[str, Any], kept: Collection[str]) -> None:
    for pointer, text in _texts(asked):
        word = traits.named_in(text)
        if word is not None:
            message = (
                f"Expected nothing that asks for a protected trait, got “{word}”. Ask for what people know and can do."
            )
            raise InvalidError("call-protected-trait", message, pointer)
    for name in ASKED:
        seen: set[str] = set()
        for place, each in enumerate(asked[name]):
            key = plain(each["name"] if name == "topics" else each)
            if key in seen:
                raise InvalidError(
                    "call-named-twice", "Expected each once; this one is there twice.", f"/{name}/{place}"
                )
            seen.add(key)
    _check_objectives(act, asked["topics"], kept)


def _check_objectives(act: Act, topics: Sequence[Mapping[str, Any]], kept: Collection[str]) -> None:
    for place, topic in enumerate(topics):
        pointer = f"/topics/{place}/objectives"
        objectives.named(act.session, act.network, topic["objectives"], kept=kept, pointer=pointer)


def _texts(asked: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name in ASKED:
        for place, each in enumerate(asked[name]):
            yield (f"/topics/{place}/name", each["name"]) if name == "topics" else (f"/{name}/{place}", each)
