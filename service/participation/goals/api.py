"""Goals and check-ins over HTTP: of a member who acts for themself, and as they are shared.

For everybody with whom a goal is not shared it does not exist.
"""

from datetime import date
from typing import Annotated, ClassVar, Literal, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import Field

from service.access.act import CallersAct
from service.access.callers import READ, Caller
from service.bodies import Instant, Uid
from service.participation.goals import answers, check_ins, closing, goals, showing
from service.participation.goals.check_ins import Course, ShownCheckIn
from service.participation.goals.readers import SCOPE, Part
from service.participation.goals.shapes import (
    BuddyAnswerIn,
    CheckInIn,
    ClosedAs,
    GoalAnswerIn,
    GoalChange,
    GoalClosingIn,
    GoalIn,
    SharedWith,
)
from service.participation.goals.showing import BuddyStanding, ShownGoal
from service.web.conditional import TAGGED, UNCHANGED, Given, IfNoneMatch, merge_patch, seen, tagged
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
    acting,
    reply,
)

router = APIRouter(route_class=StrictRoute, tags=["goals"])
MembersAct = Annotated[CallersAct, acting(Needs(SCOPE))]
CanRead = Annotated[Caller, Depends(Needs(*READ, SCOPE))]
GOALS = "/v1/networks/{slug}/goals"
GOAL = f"{GOALS}/{{goal_id}}"


class GoalAnswerOut(Answer):
    """What a peer says of a goal that was closed as met."""

    member: str = Field(description="ref of the peer")
    met: bool
    comment: str | None = None
    answered_at: Instant


class GoalOut(Answer):
    """A goal, as far as it is shared with you."""

    MOVING: ClassVar[frozenset[str]] = frozenset({"elapsed", "course", "buddy_state"})

    id: UUID
    you: Part = Field(description="your part in it: member if it is yours, buddy, or network")
    member: str = Field(description="ref of the member whose goal it is")
    title: str | None = Field(
        None, description="what people wrote is in the answers to GET and PATCH: those to POST are kept for a day"
    )
    measure: str | None = None
    why: str | None = None
    objective: str | None = Field(None, description="code of the network's objective that it serves")
    begun_on: date
    due_on: date
    shared_with: SharedWith
    buddy: str | None = Field(None, description="ref of the buddy")
    buddy_state: BuddyStanding | None = Field(
        None, description="what the buddy answered; gone: they left the network or were erased, and see it no longer"
    )
    made_at: Instant
    progress: float | None = Field(None, description="of the newest check-in, as a part of one")
    checked_in_on: date | None = Field(None, description="the day of the newest check-in")
    elapsed: float | None = Field(None, description="how much of its time has passed, as a part of one")
    course: Course | None = Field(
        None,
        description="while it is open: progress beside the time that has passed; a tenth more or less is on course",
    )
    closed_as: ClosedAs | None = None
    closed_at: Instant | None = None
    outcome: str | None = None
    confirmed: bool = Field(description="whether a peer confirmed that it was met")
    record: UUID | None = Field(None, description="of your own: id of the evidence that it was met")
    answers: list[GoalAnswerOut] | None = Field(
        None, description="what peers say of it: all if the goal is yours, otherwise only what you said"
    )

    @classmethod
    def of(cls, found: ShownGoal, *, told: bool = True) -> Self:
        """Return the answer for one goal.

        Args:
            told: with what people wrote.
        """
        row, text, refs = found.row, found.text, {each: member.ref for each, member in found.members.items()}
        is_open = row.closed_as is None
        newest = found.newest if found.reads_check_ins else None
        said = [
            GoalAnswerOut(
                member=refs[each.member_id],
                met=each.met,
                comment=each.comment if told else None,
                answered_at=each.answered_at,
            )
            for each in found.answers
        ]
        return cls(
            id=row.id,
            you=found.part,
            member=refs[row.member_id],
            title=text.title if told else None,
            measure=text.measure if told else None,
            why=text.why if told else None,
            objective=row.objective,
            begun_on=row.begun_on,
            due_on=row.due_on,
            shared_with=row.shared_with,
            buddy=refs.get(row.buddy_id),
            buddy_state=found.buddy,
            made_at=row.made_at,
            progress=newest.progress if newest else None,
            checked_in_on=newest.on_date if newest else None,
            elapsed=round(found.elapsed, 4) if is_open else None,
            course=found.course if is_open and found.reads_check_ins else None,
            closed_as=row.closed_as,
            closed_at=row.closed_at,
            outcome=text.outcome if told else None,
            confirmed=found.confirmed,
            record=row.record_id if found.part == "member" else None,
            answers=said or None,
        )


class CheckInOut(Answer):
    """How far a member was with a goal."""

    id: UUID
    on: date
    progress: float
    comment: str | None = None
    obstacle: str | None = None
    made_at: Instant

    @classmethod
    def of(cls, found: ShownCheckIn, *, told: bool = True) -> Self:
        """Return the answer for one check-in.

        Args:
            told: with what the member wrote.
        """
        row, text = found.row, found.text
        return cls(
            id=row.id,
            on=row.on_date,
            progress=row.progress,
            comment=text.comment if told else None,
            obstacle=text.obstacle if told else None,
            made_at=row.made_at,
        )


def _shown(act: CallersAct, goal_id: UUID, *, told: bool = True) -> GoalOut:
    return GoalOut.of(showing.find(act.session, act.network, act.caller, goal_id, act.now), told=told)


def _held(act: CallersAct, goal_id: UUID) -> GoalOut:
    goals.own(act, goal_id)
    return _shown(act, goal_id)


@router.post(GOALS, status_code=201, response_model=GoalOut)
@exactly_once()
def create_goal(body: GoalIn, act: MembersAct) -> Response:
    """Set a goal, as the member to whom the token is bound.

    A buddy is asked first, and sees the goal then. If it is shared with the network, an event `goal.shared` says so; of
    other goals there are no events.
    """
    return reply(201, _shown(act, goals.make(act, body).id, told=False))


@router.get(GOALS)
def list_goals(
    network: ReadNetwork,
    session: Reader,
    window: Windowed,
    now: Now,
    caller: CanRead,
    you: Annotated[Part | None, Query(description="only those in which you have this part")] = None,
    state: Literal["open", "closed"] | None = None,
) -> Page[GoalOut]:
    """List goals, the newest first: with a token that is bound to no member, those that are shared with the network.

    A token that is bound to a member also lists the member's own and those of which they are the buddy, if it has the scope
    goals:write.
    """
    found, following = showing.list_goals(session, network, caller, now, window=window, part=you, state=state)
    return Page(items=[GoalOut.of(each) for each in found], next=following)


@router.get(GOAL, response_model=GoalOut, responses=UNCHANGED)
def get_goal(
    goal_id: Uid, network: ReadNetwork, session: Reader, now: Now, caller: CanRead, known: IfNoneMatch = None
) -> Response:
    """Return a goal that is yours, or shared with you."""
    return seen(GoalOut.of(showing.find(session, network, caller, goal_id, now)), known)


@router.patch(
    GOAL, response_model=GoalOut, responses=TAGGED, summary="Change a goal", openapi_extra=merge_patch("GoalChange")
)
@exactly_once(personal=True)
def update_goal(goal_id: Uid, body: GoalChange, act: MembersAct, given: Given) -> Response:
    """Change your goal, by a JSON Merge Patch (RFC 7396); of one that is closed, only with whom it is shared.

    Who was the buddy before, or read it as the network did, sees it no longer. Another buddy is asked first.
    """
    given.hold(lambda: _held(act, goal_id))
    goals.change(act, goal_id, body)
    return tagged(200, _shown(act, goal_id))


@router.delete(GOAL, status_code=204, response_class=Response, summary="Delete a goal")
@exactly_once()
def delete_goal(goal_id: Uid, act: MembersAct, given: Given) -> Response:
    """Delete your goal, with its check-ins and what peers said; one that counts as evidence stays (409 `goal-counts`)."""
    given.hold(lambda: _held(act, goal_id))
    goals.remove(act, goal_id)
    return Response(status_code=204)


@router.post(f"{GOAL}/check-ins", status_code=201, response_model=CheckInOut)
@exactly_once()
def create_check_in(goal_id: Uid, body: CheckInIn, act: MembersAct) -> Response:
    """Say how far you are with your goal, on a day from its first day until today."""
    return reply(201, CheckInOut.of(check_ins.add(act, goal_id, body), told=False))


@router.get(f"{GOAL}/check-ins")
def list_check_ins(
    goal_id: Uid, network: ReadNetwork, session: Reader, window: Windowed, now: Now, caller: CanRead
) -> Page[CheckInOut]:
    """List the check-ins of a goal that is yours, or shared with you, the newest first."""
    found, following = showing.list_check_ins(session, network, caller, goal_id, now, window)
    return Page(items=[CheckInOut.of(each) for each in found], next=following)


@router.delete(f"{GOAL}/check-ins/{{check_in_id}}", status_code=204, response_class=Response)
@exactly_once()
def delete_check_in(goal_id: Uid, check_in_id: Uid, act: MembersAct) -> Response:
    """Delete a check-in of your goal, while that is open."""
    check_ins.remove(act, goal_id, check_in_id)
    return Response(status_code=204)


@router.post(f"{GOAL}/closing", response_model=GoalOut, summary="Close a goal")
@exactly_once()
def close_goal(goal_id: Uid, body: GoalClosingIn, act: MembersAct, runtime: Running) -> Response:
    """Close your goal for good, as met, partly, or dropped.

    A goal that was met and has a check-in is evidence at once, a contribution `goal_met` at tier 0. When a peer confirms it,
    a correction of that record has the tier of their word. A goal that is shared with nobody counts only if you say so.
    """
    closing.close(act, runtime, goal_id, body)
    return reply(200, _shown(act, goal_id, told=False))


@router.post(f"{GOAL}/buddy-answer", status_code=204, response_class=Response, summary="Answer who asks for a buddy")
@exactly_once()
def answer_as_buddy(goal_id: Uid, body: BuddyAnswerIn, act: MembersAct) -> Response:
    """Say whether you are the buddy for somebody's goal; who has accepted can say no later, and then sees it no longer."""
    answers.answer_as_buddy(act, goal_id, accepts=body.accepts)
    return Response(status_code=204)


@router.post(f"{GOAL}/answer", response_model=GoalOut, summary="Say whether a goal was met")
@exactly_once()
def answer_goal(goal_id: Uid, body: GoalAnswerIn, act: MembersAct, runtime: Running) -> Response:
    """Say whether somebody's goal that was closed as met was met, as their buddy, or as a member with whom it is shared.

    Nobody answers for their own. If it was, the evidence is your word from now on: tier 1, or 2 if you are a facilitator or
    assessor; the awards that follow are made at once. You can change a no into a yes, and not the other way.
    """
    answers.answer(act, runtime, goal_id, body)
    return reply(200, _shown(act, goal_id, told=False))
