"""Propose people for a call, store the proposal, and show it with its reasons.

A proposal decides nothing: people decide each application. Who is accepted already is in it; who was declined or has
withdrawn is not. People can put somebody in, or leave somebody out, and say why.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from pydantic import Field
from sqlalchemy import select
from sqlalchemy.orm import Session as OrmSession

from service.access.act import CallersAct
from service.access.callers import Caller
from service.bodies import Body, LongLine, Uid
from service.errors import ConflictError, InvalidError, NotFoundError
from service.outbox import events
from service.participation.calls import answers, applications, calls, choosing, explaining
from service.participation.calls.calls import MOST_PLACES, plain
from service.participation.calls.choosing import Candidate
from service.storage.database import ReadSession
from service.storage.paging import Order, Window, page
from service.tables import Call, CallApplication, CallApplicationText, CallLock, CallProposal, Member, Network
from service.tables.identifiers import new_id

MOST_LOCKED: Final = 200
"""How many people can be put in, and left out: all of them with long reasons still fit into a body."""
CONSIDERED: Final = ("applied", "waiting", "accepted")
"""The states of applications whose people can be proposed."""
OFFERED: Final = {"discipline": "disciplines", "role": "roles", "organization": "organizations"}


class CallLockIn(Body):
    """Somebody whom people put in a proposal, or leave out of it, and why."""

    application: Uid
    reason: LongLine = Field(examples=["Led the same work last year."])


class CallProposalIn(Body):
    """How many people are proposed, and who is put in or left out in any case."""

    k: int | None = Field(None, ge=1, le=MOST_PLACES, description="left out: as many as the call has places")
    include: list[CallLockIn] = Field(default_factory=list, max_length=MOST_LOCKED)
    exclude: list[CallLockIn] = Field(default_factory=list, max_length=MOST_LOCKED)


@dataclass(frozen=True)
class Proposal:
    """A proposal as it is shown: `people` has the applications in it, and of those who would be next, by id."""

    row: CallProposal
    call: Call
    people: Mapping[str, tuple[CallApplication, Member | None, CallApplicationText | None]]
    locks: Sequence[CallLock]


def propose(act: CallersAct, ref: str, body: CallProposalIn) -> tuple[CallProposal, bool]:
    """Propose people for a call; return the proposal and whether it is new: the same again is not made twice.

    Raises:
        NotFoundError: there is no such call (code "call-unknown").
        ForbiddenError: the token is that of a member without a role that decides ("call-role"), or it puts the member in,
            or leaves them out ("self-decision").
        ConflictError: nobody can be proposed (code "call-no-applicants").
        InvalidError: somebody who is put in or left out is no applicant of the call ("lock-unknown"), is there twice
            ("lock-twice"), or is left out and accepted already ("lock-accepted"); or more people are put in than are to be
            proposed ("proposal-too-small").
    """
    calls.prepare(act)
    call = calls.get_call(act.session, act.network, ref)
    found = _applicants(act.session, call)
    locked = _locks(act, body, {row.id: row for row, _ in found})
    considered = [(row, text) for row, text in found if locked.get(row.id, ("include", ""))[0] == "include"]
    if not considered:
        message = "Expected a call to which somebody has applied, who was neither declined nor left out; nobody has."
        raise ConflictError("call-no-applicants", message)
    k = body.k or call.places
    included = [place for place, (row, _) in enumerate(considered) if row.state == "accepted" or row.id in locked]
    if len(included) > k:
        message = f"Expected at most {k} people who are accepted or put in, got {len(included)}."
        raise InvalidError("proposal-too-small", message, "/k")
    targets = targets_of(call)
    people = [_candidate(targets, text) for _, text in considered]
    made_of = [k, call.asked, [[str(row.id), row.state, _plain(text)] for row, text in considered]]
    digest = _digest([*made_of, sorted([str(key), *lock] for key, lock in locked.items())])
    last = act.session.scalar(
        select(CallProposal).where(CallProposal.call_id == call.id).order_by(CallProposal.id.desc()).limit(1)
    )
    if last is not None and last.input_sha256 == digest:
        return last, False
    result = _result(call, targets, people, [row for row, _ in considered], k, included)
    proposal = CallProposal(id=new_id(), network_id=act.network.id, call_id=call.id, k=k, made_at=act.now)
    proposal.input_sha256, proposal.result = digest, result
    proposal.token_id, proposal.actor_member_id = act.caller.token_id, act.caller.member_id
    act.session.add(proposal)
    act.session.flush()
    for application_id, (kind, reason) in locked.items():
        lock = CallLock(proposal_id=proposal.id, application_id=application_id, kind=kind, reason=reason)
        act.session.add(lock)
    act.session.flush()
    events.append(act, "call.proposed", {"call": str(call.id), "proposal": str(proposal.id)})
    return proposal, True


def find(session: OrmSession, network: Network, caller: Caller, proposal_id: UUID, now: datetime) -> Proposal:
    """Return a proposal to a caller who decides.

    Raises:
        ForbiddenError: the token is that of a member without such a role (code "call-role").
        NotFoundError: there is none (code "proposal-unknown").
    """
    calls.by_who_decides(session, caller, now)
    mine = (CallProposal.id == proposal_id, CallProposal.network_id == network.id)
    row = session.scalar(select(CallProposal).where(*mine))
    if row is None:
        raise NotFoundError("proposal-unknown", "No proposal of this network has this id; the call's list gives it.")
    return show(session, row)


def list_proposals(
    session: ReadSession, network: Network, caller: Caller, ref: str, window: Window, now: datetime
) -> tuple[list[Proposal], str | None]:
    """Return the proposals for a call, the newest first.

    Raises:
        ForbiddenError, NotFoundError: as `find`, and there is no such call (code "call-unknown").
    """
    calls.by_who_decides(session, caller, now)
    call = calls.get_call(session, network, ref)
    query = select(CallProposal).where(CallProposal.call_id == call.id)
    rows, cursor = page(session, query, window, Order((CallProposal.id,), falling=True))
    return [show(session, row) for row in rows], cursor


def show(session: OrmSession, row: CallProposal) -> Proposal:
    """Return a proposal with the people in it; who erased their account is not among them."""
    named = [UUID(each["application"]) for each in (*row.result["chosen"], *row.result["next"])]
    query = (
        select(CallApplication, Member, CallApplicationText)
        .outerjoin(Member, Member.id == CallApplication.member_id)
        .outerjoin(CallApplicationText, CallApplicationText.application_id == CallApplication.id)
        .where(CallApplication.id.in_(named))
    )
    people = {str(application.id): (application, member, text) for application, member, text in session.execute(query)}
    locks = session.scalars(
        select(CallLock).where(CallLock.proposal_id == row.id).order_by(CallLock.kind, CallLock.application_id)
    ).all()
    return Proposal(row, session.get_one(Call, row.call_id), people, locks)


def targets_of(call: Call) -> list[dict[str, Any]]:
    """Return what is to be covered: each objective with the topics that serve it, and each topic that serves none."""
    found: dict[str, dict[str, Any]] = {}
    alone = []
    for topic in call.asked["topics"]:
        for code in topic["objectives"]:
            found.setdefault(code, {"objective": code, "topics": []})["topics"].append(topic["name"])
        if not topic["objectives"]:
            alone.append({"topics": [topic["name"]]})
    return [*found.values(), *alone]


def _applicants(session: OrmSession, call: Call) -> list[tuple[CallApplication, CallApplicationText]]:
    """Return who can be proposed, in the order in which they applied; one human under two refs is there once."""
    query = (
        select(CallApplication, CallApplicationText, Member.person_id)
        .join(CallApplicationText, CallApplicationText.application_id == CallApplication.id)
        .outerjoin(Member, Member.id == CallApplication.member_id)
        .where(CallApplication.call_id == call.id, CallApplication.state.in_(CONSIDERED))
        .order_by(CallApplication.applied_at, CallApplication.id)
    )
    found: dict[Any, tuple[CallApplication, CallApplicationText]] = {}
    for row, text, person_id in session.execute(query):
        before = found.get(person_id or row.id)
        if before is None or (row.state == "accepted" and before[0].state != "accepted"):
            found[person_id or row.id] = (row, text)
    return sorted(found.values(), key=lambda each: (each[0].applied_at, each[0].id))


def _locks(act: CallersAct, body: CallProposalIn, known: Mapping[UUID, CallApplication]) -> dict[UUID, tuple[str, str]]:
    found: dict[UUID, tuple[str, str]] = {}
    for kind, given in (("include", body.include), ("exclude", body.exclude)):
        for place, each in enumerate(given):
            pointer = f"/{kind}/{place}/application"
            row = known.get(each.application)
            if row is None:
                message = "Expected an application to this call that was neither declined nor withdrawn."
                raise InvalidError("lock-unknown", message, pointer)
            if row.id in found:
                raise InvalidError("lock-twice", "Expected each person once; this one is there twice.", pointer)
            if kind == "exclude" and row.state == "accepted":
                message = "Expected somebody who is not accepted yet; change the decision first."
                raise InvalidError("lock-accepted", message, pointer)
            applications.decides_on(act, row, pointer)
            found[row.id] = (kind, each.reason)
    return found


def _candidate(targets: Sequence[Mapping[str, Any]], text: CallApplicationText) -> Candidate:
    levels = {
        place: max((text.expertise.get(topic, 0) for topic in target["topics"]), default=0)
        for place, target in enumerate(targets)
    }
    groups = (plain(text.discipline or ""), plain(text.role or ""), plain(text.organization or ""))
    return Candidate({place: level for place, level in levels.items() if level}, groups, sum(text.readiness))


def _plain(text: CallApplicationText) -> list[Any]:
    return [sorted(text.expertise.items()), text.discipline, text.role, text.organization, text.readiness]


def _digest(made_of: Any) -> str:
    return hashlib.sha256(json.dumps(made_of, sort_keys=True, default=str).encode()).hexdigest()


def _result(
    call: Call,
    targets: Sequence[Mapping[str, Any]],
    people: Sequence[Candidate],
    rows: Sequence[CallApplication],
    k: int,
    included: Sequence[int],
) -> dict[str, Any]:
    """Return what is stored of a proposal: ids, codes and numbers."""
    count = len(targets)
    chosen = choosing.choose(people, count, k, included)
    why = explaining.reasons(people, count, chosen.positions)
    offered = {group: [plain(each) for each in call.asked[name]] for group, name in OFFERED.items()}
    lacking = explaining.lacks(people, count, chosen.positions, places=k, offered=offered)
    given = len(call.asked["readiness"]) * len(chosen.positions)
    return {
        "method": chosen.method,
        "considered": len(people),
        "targets": list(targets),
        "coverage": chosen.value[0],
        "coverage_at_most": chosen.coverage_at_most,
        "coverage_of_all": answers.MAX_LEVEL * count,
        "diversity": {
            group: round(choosing.blau([people[each].groups[place] for each in chosen.positions]), 4)
            for place, group in enumerate(explaining.GROUPS)
        },
        "readiness": round(chosen.value[2] / given, 4) if given else None,
        "chosen": [
            {
                "application": str(rows[each].id),
                "parts": [
                    *([{"code": _lock_code(rows[each]), "targets": []}] if each in included else []),
                    *(part.to_json() for part in why[each] if each not in included or part.code in EXPLAINS_ITSELF),
                ],
            }
            for each in chosen.positions
        ],
        "lacks": [part.to_json() for part in lacking],
        "next": [
            {"application": str(rows[each].id), "parts": [part.to_json()]}
            for each, part in explaining.following(people, count, chosen.positions)
        ],
    }


EXPLAINS_ITSELF: Final = ("only-one", "knows-best", "adds-group")
"""Reasons that hold also for somebody who is in a set in any case."""


def _lock_code(row: CallApplication) -> str:
    return "accepted" if row.state == "accepted" else "included"
