"""The page of a link by which a member answers without an account.

Opening it says nothing and shows nothing of what was answered: its buttons do, because mail scanners fetch every link. It
names nobody. Links that are wrong are counted, good ones are not: a hall full of people is behind one connection.
"""

from typing import Any, Final

from fastapi import APIRouter, Response

from service.accounts.pages_signed_in import AnybodysForm, CallerAddress, DoorsHere, PersonalRoute, refused
from service.errors import InvalidError, NotFoundError, ServiceError
from service.networks import protected
from service.participation.needs import forms, links, own_needs, words
from service.participation.needs.links import Invited
from service.runtime.runtime import Runtime
from service.texts.languages import N_, Language
from service.web.rendering import render
from service.web.requests import Now, Running
from service.web.visitor_language import Speaking

router = APIRouter(include_in_schema=False, route_class=PersonalRoute)

NOT_THERE: Final = N_("This link does not work")
KEPT: Final = N_("We have your answer")
KEPT_SAID: Final = N_("You can change it by the same link as long as the survey is open, or take it back.")
DELETED: Final = N_("We have deleted your answer")
DELETED_SAID: Final = N_("You can answer again by the same link as long as the survey is open.")


@router.get("/needs/{secret}")
def get_link(
    secret: str, runtime: Running, now: Now, language: Speaking, doors: DoorsHere, of: CallerAddress
) -> Response:
    """Show the form, or that there is an answer already, without what it says."""
    try:
        found, page = _looked(runtime, secret, now, language, doors, of)
    except ServiceError as error:
        return refused(language, NOT_THERE, error)
    if found.standing != "open":
        return render("needs_over.html", status=409, said=links.SAID[found.standing], **page)
    if found.answer is not None:
        return render("needs_answered.html", **page)
    return _form(language, found, page, forms.fields_of(None))


@router.post("/needs/{secret}")
def post_link(
    secret: str, runtime: Running, now: Now, language: Speaking, sent: AnybodysForm, doors: DoorsHere, of: CallerAddress
) -> Response:
    """Keep what is answered."""
    try:
        found, page = _looked(runtime, secret, now, language, doors, of)
    except ServiceError as error:
        return refused(language, NOT_THERE, error)
    if found.standing != "open":
        return render("needs_over.html", status=409, said=links.SAID[found.standing], **page)
    try:
        with runtime.database.write() as session:
            links.answer(session, secret, forms.body_of(found.cycle, sent), now)
    except InvalidError as error:
        return _form(language, found, page, sent, words.of_refusal(error.code))
    except ServiceError as error:
        return _refused(language, error)
    return render("needs_done.html", title=KEPT, said=KEPT_SAID, **page)


@router.post("/needs/{secret}/change")
def post_change(
    secret: str,
    runtime: Running,
    now: Now,
    language: Speaking,
    _sent: AnybodysForm,
    doors: DoorsHere,
    of: CallerAddress,
) -> Response:
    """Show the form with what was answered; nothing is kept."""
    try:
        found, page = _looked(runtime, secret, now, language, doors, of)
    except ServiceError as error:
        return refused(language, NOT_THERE, error)
    if found.standing != "open":
        return render("needs_over.html", status=409, said=links.SAID[found.standing], **page)
    return _form(language, found, page, forms.fields_of(found.answer))


@router.post("/needs/{secret}/withdrawal")
def post_withdrawal(
    secret: str,
    runtime: Running,
    now: Now,
    language: Speaking,
    _sent: AnybodysForm,
    doors: DoorsHere,
    of: CallerAddress,
) -> Response:
    """Delete what was answered."""
    try:
        _, page = _looked(runtime, secret, now, language, doors, of)
        with runtime.database.write() as session:
            links.withdraw(session, secret, now)
    except ServiceError as error:
        return _refused(language, error)
    return render("needs_done.html", title=DELETED, said=DELETED_SAID, **page)


def _looked(
    runtime: Runtime, secret: str, now: Now, language: Language, doors: DoorsHere, of: CallerAddress
) -> tuple[Invited, dict[str, Any]]:
    """Return what a link invites to, and what its pages show.

    Raises:
        NotFoundError: there is no such link (code "needs-link-unknown").
        TooManyRequestsError: too many wrong ones were tried (code "too-many-requests").
    """
    with runtime.database.read() as session:
        try:
            found = links.find(session, secret, now)
        except NotFoundError:
            doors.tries.take(of, doors.steady())
            raise
        shown = own_needs.survey(session, found.member, found.cycle, now, language)
        guarded = protected.is_protected(session, found.member.id, now)
    path = f"{links.PATH}{secret}"
    return found, {"language": language, "shown": shown, "path": path, "back": path, "is_protected": guarded}


def _form(
    language: Language, found: Invited, page: dict[str, Any], fields: dict[str, str], fault: str | None = None
) -> Response:
    return render(
        "needs_link.html",
        status=200 if fault is None else 422,
        form=forms.form_of(found.cycle, fields, language.code),
        fault=fault,
        words=words,
        named_as=None,
        **page,
    )


def _refused(language: Language, error: ServiceError) -> Response:
    told = type(error)(error.code, words.of_refusal(error.code), error.pointer, error.details)
    return refused(language, NOT_THERE, told)
