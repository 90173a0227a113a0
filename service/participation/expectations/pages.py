"""What a network expects of somebody who is signed in, on a page of their own."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from service.accounts.pages_signed_in import Person, PersonalRoute
from service.bodies import Uid
from service.participation.expectations import own
from service.participation.expectations.bodies import Day
from service.participation.expectations.own import EXPECTATIONS_ON_A_PAGE
from service.sharing import my_badges
from service.storage.paging import MAX_CURSOR, Window
from service.web.rendering import render
from service.web.requests import Now, Reader
from service.web.visitor_language import Speaking

router = APIRouter(include_in_schema=False, route_class=PersonalRoute)


@router.get("/my-badges/members/{member_id}/expectations")
def get_own_expectations(
    member_id: Uid,
    session: Reader,
    person: Person,
    now: Now,
    language: Speaking,
    on: Day | None = None,
    after: Annotated[str | None, Query(max_length=MAX_CURSOR)] = None,
) -> Response:
    """Show what one network expects of a member in the periods that run, or in those of another day."""
    member, network = my_badges.membership(session, person.account_id, member_id)
    window = Window(after, EXPECTATIONS_ON_A_PAGE, f"expectations-{member.id}-{on}")
    found, following = own.list_own(session, network, member, now, language, window, on)
    return render(
        "my_expectations.html",
        language=language,
        person=person,
        member=member,
        network=network,
        expectations=found,
        on=on.isoformat() if on is not None else None,
        next=following,
    )
