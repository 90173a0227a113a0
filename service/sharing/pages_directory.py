"""The public list of networks, for people who look for one."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response

from service.accounts.pages_signed_in import CallerAddress, DoorsHere
from service.networks import directory
from service.networks.api_directory import InterestAsked, Words
from service.networks.directory import Wanted
from service.public.api import FIVE_MINUTES
from service.storage.paging import MAX_CURSOR, Window
from service.web.rendering import render
from service.web.requests import Reader, StrictRoute
from service.web.visitor_language import Speaking

router = APIRouter(include_in_schema=False, route_class=StrictRoute)

ON_A_PAGE = 20
SpokenChosen = Annotated[str, Query(pattern="^([a-z]{2,3})?$")]
KindChosen = Annotated[Literal["", "formal", "informal"], Query()]
After = Annotated[str | None, Query(max_length=MAX_CURSOR)]


@router.get("/networks")
def get_directory(
    session: Reader,
    language: Speaking,
    doors: DoorsHere,
    of: CallerAddress,
    words: Words = "",
    interest: InterestAsked = "",
    spoken: SpokenChosen = "",
    kind: KindChosen = "",
    after: After = None,
) -> Response:
    """Show the networks that want to be found; search engines list only the first page of all of them."""
    doors.searches.take(of, doors.steady())
    chosen = {"words": words, "interest": interest, "spoken": spoken, "kind": kind}
    window = Window(after, ON_A_PAGE, f"networks {sorted(chosen.items())}")
    found, following = directory.search(session, Wanted(words, interest, spoken or None, kind or None), window)
    return render(
        "networks.html",
        language=language,
        indexed=not any(chosen.values()) and after is None,
        max_age_seconds=FIVE_MINUTES,
        found=found,
        next=following,
        first=after is None,
        chosen=chosen,
        filtered=any(chosen.values()),
        interests=directory.terms(session, "interest"),
        spoken=directory.terms(session, "language"),
    )
