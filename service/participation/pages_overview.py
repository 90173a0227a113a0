"""The page of a member about one network: what it has, and what waits for them."""

from fastapi import APIRouter, Response

from service.accounts.pages_signed_in import Person, PersonalRoute
from service.bodies import Uid
from service.participation import overview
from service.sharing import my_badges
from service.web.rendering import render
from service.web.requests import Now, Reader
from service.web.visitor_language import Speaking

router = APIRouter(include_in_schema=False, route_class=PersonalRoute)


@router.get("/my-badges/members/{member_id}")
def get_overview(member_id: Uid, session: Reader, person: Person, now: Now, language: Speaking) -> Response:
    """Show what a network has for a member."""
    member, network = my_badges.membership(session, person.account_id, member_id)
    parts = overview.parts(session, network, member, now)
    return render("my_network.html", language=language, person=person, member=member, network=network, parts=parts)
