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
    N_("We could not use what was sent to this address. We kept nothing."),
)
WORDS = {
    404: (N_("Nothing is here"), N_("Check that the link is complete, or ask for it again.")),
    405: (
        N_("This address works differently"),
        N_("You cannot open it like this. Go back to the page and start again."),
    ),
    408: (N_("It did not arrive"), N_("It came too slowly, or stopped on the way. We kept nothing. Try again.")),
    413: (N_("This file is too large"), N_("A file can have up to %(size)s MB. We kept nothing.")),
    429: (
        N_("Too many requests at once"),
        N_("Too many requests came from your connection. Try again in %(seconds)s s."),
    ),
    500: (N_("Something failed here"), N_("This is our mistake. We kept nothing. Try again.")),
    503: (N_("Not available now"), N_("The service cannot answer at the moment. Try again in a few minutes.")),
}
"""Title and sentence for each HTTP status; `UNREADABLE` for all others."""
IN_PARTICULAR = {
    "credential-erased": (
        N_("This badge was erased"),
        N_(
            "Status: revoked. The person whose badge it was has had everything about it erased here. Do not rely on copies."
        ),
    ),
    "service-busy": (
        N_("We are busy at the moment"),
        N_("Many people are checking badges. Nothing is wrong with yours. Try again in %(seconds)s s."),
    ),
    "too-many-uploads": (
        N_("We are busy at the moment"),
        N_("Many people are sending files. We kept nothing of yours. Try again in %(seconds)s s."),
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
