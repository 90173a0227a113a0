"""The page that checks a badge and says the result in plain words."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from starlette.datastructures import UploadFile

from credentials import CredentialError, reading
from service.checking import check, confirmations, headlines, wording
from service.checking.api_desk import Address, DeskHere
from service.checking.batch import items as batch_items
from service.checking.batch import pages_batch as batch
from service.checking.batch.spreadsheets import is_table
from service.checking.check import Checked
from service.checking.desk import Desk
from service.checking.issuers import domain_of
from service.checking.keeping import bundles, receipts
from service.checking.tones import NO_BADGE
from service.errors import InvalidError, ServiceError, TooManyRequestsError
from service.runtime.runtime import Runtime
from service.texts.display_names import one_line
from service.texts.languages import N_, Language
from service.unpacking import reasons, unpack
from service.unpacking.file_kinds import credential_text
from service.unpacking.unpack import Allowance, Opened
from service.web.costly import CostlyForm
from service.web.rendering import PRIVATE, render
from service.web.visitor_language import Speaking

router = APIRouter(include_in_schema=False, route_class=CostlyForm)

MAX_FILES = unpack.MAX_OPENED
MAX_LINK, MAX_DATE = 2000, 40
NOT_CHECKED = N_("We could not check that")
RECEIPT = (
    N_("This receipt of a check is genuine"),
    N_("Nobody changed it since it was signed. It says what was true on its day."),
)
RECEIPT_OF_UNKNOWN = (
    N_("A receipt of a check, by somebody we do not know"),
    N_("Nobody changed it since it was signed, but what it says is only their word. Check the badge itself."),
)
AGAIN = frozenset(
    {
        *("issuer-not-reached", "issuer-keys-not-in-order", "status-not-reached"),
        *("older-not-reached", "clock-open", "not-decided", "records-lost"),
    }
)
"""Headlines that may be another one when the same badge is checked again."""


@dataclass(frozen=True)
class VerifyForm:
    """What a visitor sent with the form; "" or nothing for what was left out."""

    text: str
    files: Sequence[tuple[str, bytes, str]]
    recipient: str
    evidence: bool

    @property
    def typed(self) -> dict[str, Any]:
        """What was typed, for a form that asks for it again."""
        return {"link": self.text, "recipient": self.recipient, "evidence": self.evidence}


@router.get("/verify")
def get_verify(desk: DeskHere, address: Address, language: Speaking, link: str = "") -> Response:
    """Show the form.

    With `link`, which a button on somebody's page gives, show the check of that badge.
    """
    if not link:
        return _page(language)
    try:
        with desk.fair_use.turn(address, desk.steady):
            allowance = desk.allowance(address)
            opened = unpack.open_text(link[:MAX_LINK], allowance)[0]
            return _checked(desk, language, opened, allowance, VerifyForm(link[:MAX_LINK], [], "", evidence=False))
    except TooManyRequestsError as error:
        return _refused(language, error, link=link[:MAX_LINK])


async def _given(request: Request) -> VerifyForm:
    async with request.form(max_files=MAX_FILES, max_fields=6) as form:
        text, recipient = form.get("received"), form.get("recipient")
        files = [each for each in form.getlist("file") if isinstance(each, UploadFile)]
        return VerifyForm(
            text.strip() if isinstance(text, str) else "",
            [(each.filename, await each.read(), each.content_type or "") for each in files if each.filename],
            recipient.strip()[:500] if isinstance(recipient, str) else "",
            form.get("evidence") == "on",
        )


@router.post("/verify")
def post_verify(
    desk: DeskHere, address: Address, language: Speaking, given: Annotated[VerifyForm, Depends(_given)]
) -> Response:
    """Check what the visitor gave and show the result.

    Nothing is kept. Several badges become a batch.
    """
    try:
        with desk.fair_use.turn(address, desk.steady):
            return _answer(desk, address, language, given)
    except TooManyRequestsError as error:
        return _refused(language, error, **given.typed)


def _answer(desk: Desk, address: str, language: Language, given: VerifyForm) -> Response:
    allowance = desk.allowance(address)
    if any(is_table(name, media_type) for name, _, media_type in given.files):
        return _many(desk, address, language, partial(_of_tables, given, allowance))
    opened = unpack.open_text(given.text, allowance) if given.text else []
    if len(opened) > 1:
        opened = batch_items.list_or_prose(given.text, opened, allowance)
    for name, content, _ in given.files:
        opened += unpack.open_file(name, _credential_in(content), allowance)
    if not opened:
        return _page(language, status=422, problem=language.gettext(reasons.NOTHING.message), **given.typed)
    if len(opened) > 1:
        return _many(desk, address, language, lambda: batch_items.GivenItems(tuple(map(batch_items.item_of, opened))))
    return _checked(desk, language, opened[0], allowance, given)


def _of_tables(given: VerifyForm, allowance: Allowance) -> batch_items.GivenItems:
    parts = [batch_items.of_text(given.text, allowance), *batch_items.of_files(given.files, allowance)]
    return batch_items.together(parts)


def _many(desk: Desk, address: str, language: Language, items: Callable[[], batch_items.GivenItems]) -> Response:
    """Answer as the page for many badges does."""
    try:
        return batch.answer(desk, address, language, items())
    except ServiceError as error:
        return batch.refused(language, error)


def _credential_in(content: bytes) -> bytes:
    """Return what a file holds.

    For a bundle, return its credential, which is checked online here like any other.
    """
    if not bundles.is_bundle(content):
        return content
    try:
        return bundles.read(content).credential.encode("utf-8", "surrogatepass")
    except InvalidError:
        return content


def _checked(desk: Desk, language: Language, opened: Opened, allowance: Allowance, given: VerifyForm) -> Response:
    if opened.problem is not None:
        return _page(language, status=422, problem=language.gettext(opened.problem.message), **given.typed)
    asked: dict[str, Any] = {"recipient": given.recipient or None, "evidence": given.evidence, "allowance": allowance}
    try:
        if opened.url is not None:
            checked = check.check_address(desk, opened.url, **asked)
        else:
            checked = check.check(desk, opened.received or b"", **asked)
    except (ServiceError, CredentialError) as error:
        return _refused(language, error, **given.typed)
    return _result(desk.runtime, language, opened, checked, given)


def _refused(language: Language, error: ServiceError | CredentialError, **typed: Any) -> Response:
    if not isinstance(error, TooManyRequestsError):
        return _page(language, status=422, problem=language.gettext(reasons.why_not(error).message), **typed)
    seconds = error.details["retry_after_seconds"]
    sentence = batch.PROBLEMS[error.code]
    page = _page(language, status=429, problem=language.gettext(sentence, seconds=language.number(seconds)), **typed)
    page.headers["Retry-After"] = str(seconds)
    return page


def _page(language: Language, *, status: int = 200, problem: str = "", **values: Any) -> Response:
    told = {"title": language.gettext(NOT_CHECKED), "sentence": problem} if problem else None
    limit, too_large = unpack.MAX_FILE_BYTES, language.gettext(reasons.FILE_TOO_LARGE.message)
    page = render(
        "verify.html",
        language=language,
        status=status,
        indexed=not problem and not values,
        problem=told,
        limit_bytes=limit,
        too_large=too_large,
        **values,
    )
    page.headers.update(PRIVATE if problem or values else {})
    return page


def _result(runtime: Runtime, language: Language, opened: Opened, checked: Checked, given: VerifyForm) -> Response:
    (title, sentence), tone = wording.headline(checked, language), checked.tone
    credential = checked.report.readable
    subject = reading.subject(credential)
    proven = checked.report.is_confirmed
    kept = receipts.read(credential) if proven and checked.headline == "not-a-badge" else None
    if kept is not None:
        known = checked.issuer is not None and checked.issuer.listings
        title, sentence = (language.gettext(text) for text in (RECEIPT if known else RECEIPT_OF_UNKNOWN))
        tone = "good" if known else tone
    return _page(
        language,
        checked=checked,
        title=title,
        sentence=sentence,
        tone=tone,
        remarks=_remarks(opened, checked, language),
        said=wording.said(checked, language),
        steps=wording.steps(checked.report.checks, language, older=checked.report.older is not None),
        shown=_shown_badge(runtime, credential),
        proven=proven,
        compared=checked.outcome("recipient"),
        comparable=checked.comparable,
        only=language.gettext(headlines.COMPARABLE[checked.comparable]),
        lists=wording.lists_of(checked.issuer, language) if checked.issuer is not None else [],
        no_badge=checked.headline in NO_BADGE,
        again=checked.headline in AGAIN,
        recipient="",  # it is compared, and not repeated
        subject=json.dumps(_named(subject), ensure_ascii=False),
        can_ask=proven and checked.issuer is not None and _can_ask(runtime, credential, checked.issuer.id),
        kept=kept,
        questions={name: language.gettext(text) for name, text in wording.QUESTIONS.items()},
        answers={name: language.gettext(text) for name, text in wording.ANSWERS.items()},
        compared_words={
            **{name: language.gettext(text) for name, text in wording.ANSWERS.items()},
            "no": language.gettext(receipts.DIFFERENT_ADDRESS),
        },
        evidence=given.evidence,
        received=opened.url if opened.url is not None else credential_text(checked.received),
        offers_evidence=any(question.reason.endswith("-not-asked") for question in checked.questions),
        raw=json.dumps(checked.to_json(), ensure_ascii=False, indent=2),
    )


def _can_ask(runtime: Runtime, credential: dict[str, Any], issuer_id: str) -> bool:
    with runtime.database.read() as session:
        return confirmations.can_be_asked(session, runtime, credential.get("id"), issuer_id)


def _remarks(opened: Opened, checked: Checked, language: Language) -> list[str]:
    found = [language.gettext(remark.message) for remark in opened.remarks]
    if checked.report.refreshed:
        found.append(language.gettext(N_("The issuer has a newer copy. The answers here are about that one.")))
    return found


def _named(subject: Mapping[str, Any]) -> dict[str, Any]:
    """Return how the credential identifies its recipient, for the comparison in the browser."""
    members: dict[str, Any] = {"identityHash": None, "identityType": None, "hashed": None, "salt": ""}
    identifiers = [
        {name: each.get(name, default) for name, default in members.items()}
        for each in reading.objects(subject.get("identifier"))
    ]
    return {
        "id": reading.id_of(subject) or "",
        "identifiers": [
            each for each in identifiers if isinstance(each["identityHash"], str) and isinstance(each["salt"], str)
        ],
    }


def _shown_badge(runtime: Runtime, credential: dict[str, Any]) -> dict[str, Any] | None:
    """Return what the credential says of itself, as far as it is readable.

    A picture is shown only where it is ours or inside the credential: fetching it would tell the issuer of the visit.
    """
    achievement, issuer = reading.achievement(credential), reading.issuer(credential)
    if not achievement:
        return None
    issuer_id = one_line(issuer.get("id"), MAX_LINK)
    picture = reading.id_of(achievement.get("image")) or ""
    ours = picture.startswith((runtime.settings.base_url + "/", "data:image/png;base64,", "data:image/svg+xml;base64,"))
    return {
        "name": one_line(reading.only_text(achievement.get("name"))),
        "issuer": one_line(reading.only_text(issuer.get("name"))) or one_line(issuer_id),
        "domain": domain_of(issuer_id),
        "awarded": _date(
            credential.get("awardedDate") or credential.get("validFrom") or credential.get("issuanceDate")
        ),
        "until": _date(credential.get("validUntil") or credential.get("expirationDate")),
        "picture": picture if ours else "",
    }


def _date(value: Any) -> str:
    """Return a date in the form of any standard, if it is readable.

    Return "" for anything else.
    """
    try:
        return datetime.fromisoformat(value).isoformat() if isinstance(value, str) and len(value) <= MAX_DATE else ""
    except ValueError:
        return ""
