"""Pages of a signed-in person: their badges and progress.

They show all networks, and what waits to be claimed.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Request, Response

from service.accounts import accounts
from service.accounts.pages_signed_in import Person, PersonalRoute, PersonsForm, refused
from service.bodies import Uid
from service.errors import ServiceError
from service.sharing import appeal_words, claiming, in_progress, my_badges, own_cases, unclaiming
from service.sharing.my_badges import BADGES_ON_A_PAGE, ENDED_ON_THE_FIRST_PAGE
from service.sharing.rules import sentences
from service.storage.database import ReadSession
from service.storage.paging import MAX_CURSOR, Window
from service.tables import Member, Network
from service.texts.languages import N_
from service.web.rendering import render
from service.web.requests import Now, Reader, Running
from service.web.visitor_language import Speaking

router = APIRouter(include_in_schema=False, route_class=PersonalRoute)

HOME: Final = "/my-badges"
After = Annotated[str | None, Query(max_length=MAX_CURSOR)]
Waiting = Callable[[ReadSession, Network, Member, datetime], Sequence[Any]]
"""Returns what waits for a member of a network: each thing has an address (`href`) and a msgid (`waits`)."""
ASKED_WHAT_WAITS: Final = 20
"""Of how many networks the page asks what waits there: each is some statements. Further ones have pages of their own."""
NOT_CLAIMED = N_("You could not claim this")
NOT_GIVEN_BACK = N_("Nothing was changed")


def _waiting(request: Request) -> Waiting:
    """Return what says what waits for a member; it is above this package, so the application hands it in."""
    found: Waiting = request.app.state.waiting
    return found


@router.get("/my-badges")
def get_my_badges(
    session: Reader,
    person: Person,
    now: Now,
    language: Speaking,
    waiting: Annotated[Waiting, Depends(_waiting)],
    after: After = None,
) -> Response:
    """Show the badges that are in force, what waits to be claimed, and where the rest is."""
    window = Window(after, BADGES_ON_A_PAGE, "my-badges")
    memberships = my_badges.memberships(session, person.account_id)
    found, following = my_badges.badges(session, person.account_id, now, window, in_force=True)
    few = Window(None, ENDED_ON_THE_FIRST_PAGE, "my-badges-ended")
    ended, more = (
        my_badges.badges(session, person.account_id, now, few, in_force=False) if after is None else ([], None)
    )
    return render(
        "my_badges.html",
        language=language,
        person=person,
        badges=found,
        next=following,
        first=after is None,
        ended=ended,
        ended_count=my_badges.count_ended(session, person.account_id, now) if more else len(ended),
        claims=my_badges.claimable(session, person.account_id),
        memberships=memberships,
        waiting={
            each.member.id: waiting(session, each.network, each.member, now) for each in memberships[:ASKED_WHAT_WAITS]
        },
        appealable=own_cases.appealable_of(session, person.account_id, now),
        cases=own_cases.list_cases(session, person.account_id),
        addresses=accounts.addresses_of(session, person.account(session)),
        words=appeal_words,
    )


@router.get("/my-badges/ended")
def get_ended(session: Reader, person: Person, now: Now, language: Speaking, after: After = None) -> Response:
    """Show all badges that are not in force."""
    window = Window(after, BADGES_ON_A_PAGE, "my-badges-ended")
    found, following = my_badges.badges(session, person.account_id, now, window, in_force=False)
    return render("my_ended_badges.html", language=language, badges=found, next=following)


@router.post("/my-badges/claims/{member_id}")
def post_claim(
    member_id: Uid, runtime: Running, person: Person, now: Now, language: Speaking, _sent: PersonsForm
) -> Response:
    """Claim what was issued to an address that is proved."""
    try:
        with runtime.database.write() as session:
            claiming.take_pending(session, person.account_id, member_id, now)
    except ServiceError as error:
        return refused(language, NOT_CLAIMED, error, back=HOME)
    return Response(status_code=303, headers={"Location": HOME})


@router.post("/my-badges/members/{member_id}/giving-back")
def post_giving_back(
    member_id: Uid, runtime: Running, person: Person, now: Now, language: Speaking, _sent: PersonsForm
) -> Response:
    """Take a member who is somebody else out of the account."""
    try:
        with runtime.database.write() as session:
            unclaiming.give_back(session, person.account_id, member_id, now)
    except ServiceError as error:
        return refused(language, NOT_GIVEN_BACK, error, back=HOME)
    return Response(status_code=303, headers={"Location": HOME})


@router.get("/my-badges/members/{member_id}/progress")
def get_progress(
    member_id: Uid, session: Reader, person: Person, now: Now, language: Speaking, after: After = None
) -> Response:
    """Show what a member is on the way to in one network, rule by rule."""
    member, network = my_badges.membership(session, person.account_id, member_id)
    window = Window(after, in_progress.ACHIEVEMENTS_ON_A_PAGE, f"progress-{member.id}")
    found = in_progress.of_member(session, network, member, now, window)
    begun = [
        (
            each,
            list(sentences.lines(each.rule, language, each.names, each.node.to_json(), decided=False))
            if each.rule is not None and each.node is not None
            else [],
        )
        for each in found.begun
    ]
    return render(
        "my_progress.html",
        language=language,
        member=member,
        network=network,
        begun=begun,
        untouched=found.untouched,
        next=found.next,
        first=after is None,
    )
