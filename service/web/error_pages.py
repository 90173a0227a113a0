"""Error pages for people: what a browser gets instead of a problem."""

from collections.abc import Mapping
from typing import Any

from fastapi import Request, Response
from starlette.middleware.body_limit import MAX_BODY_SIZE_SCOPE_KEY

from service.texts.languages import N_
from service.web.rendering import HTML, render, wanted
from service.web.visitor_language import speaking

FOR_PROGRAMS = ("/v1/", "/vc/")
UNREADABLE = (
    N_("That could not be read"),
    N_("What was sent to this address is not what it expects. Nothing of it was kept."),
)
WORDS = {
    404: (
        N_("Nothing is here"),
        N_("This address leads to nothing. Perhaps a part of it was lost: ask for the link once more."),
    ),
    405: (N_("This address works differently"), N_("It cannot be opened like this. Begin again on the page itself.")),
    408: (
        N_("It did not arrive"),
        N_("What you sent came too slowly, or stopped on its way. Nothing of it was kept, and you can try again."),
    ),
    413: (
        N_("This file is too large"),
        N_("It is larger than %(size)s MB, the most that is taken here. Nothing of it was kept."),
    ),
    429: (
        N_("Too many requests at once"),
        N_("More came from where you are than this service answers. Try again in %(seconds)s s."),
    ),
    500: (N_("Something failed here"), N_("The mistake is ours. Nothing was kept, and you can try again.")),
    503: (N_("Not available now"), N_("This service cannot answer at the moment. Try again in a few minutes.")),
}
"""Title and sentence for each HTTP status; `UNREADABLE` for all others."""
IN_PARTICULAR = {
    "service-busy": (
        N_("Much is being checked here just now"),
        N_(
            "Others are having badges checked, and there is no free place. Nothing is wrong. Try again in %(seconds)s s."
        ),
    ),
    "too-many-uploads": (
        N_("Many are sending files just now"),
        N_("There is no room for yours at this moment. Nothing of it was kept. Try again in %(seconds)s s."),
    ),
}
"""Title and sentence of a problem that its status says too little about, by its code."""


def page_of(request: Request, problem: Mapping[str, Any]) -> Response | None:
    """Return the page that tells a person about a problem; None for a program.

    The addresses of programs have no pages.
    """
    if f"{request.url.path}/".startswith(FOR_PROGRAMS):
        return None
    if wanted(request.headers.get("Accept"), ("application/problem+json", "application/json", HTML)) != HTML:
        return None
    language = speaking(request)
    title, sentence = IN_PARTICULAR.get(problem["code"]) or WORDS.get(problem["status"], UNREADABLE)
    values = {
        "size": language.number(round(request.scope.get(MAX_BODY_SIZE_SCOPE_KEY, 0) / 2**20, 1)),
        "seconds": language.number(problem.get("retry_after_seconds", 60)),
    }
    return render(
        "notice.html", language=language, status=problem["status"], title=title, sentence=sentence, values=values
    )
