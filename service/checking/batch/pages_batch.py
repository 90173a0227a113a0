"""The page that checks many badges at once.

It shows rows as they are decided, tables to keep, and a page for each candidate, and works without script. The service
forgets what was sent after the request: what can be tried again travels in the form, with the employer's own cells, and
comes back only from there. Where hours and credits are counted, one badge tried again would change others: then the
whole list is sent again.
"""

from dataclasses import dataclass, field
from typing import Annotated, Final

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from pydantic import Field, TypeAdapter
from starlette.datastructures import UploadFile

from credentials import CredentialError, parse_json
from service.bodies import Body, validated
from service.checking.api_desk import Address, DeskHere
from service.checking.batch import authority_links, count_typed
from service.checking.batch import batch as batches
from service.checking.batch import items as batch_items
from service.checking.batch.approved import MAX_CHARACTERS
from service.checking.batch.batch import MAX_ITEMS, Holder, Item
from service.checking.batch.batch_page import BatchPage
from service.checking.batch.count_typed import Typed
from service.checking.batch.counting import Wanted
from service.checking.batch.items import GivenItems
from service.checking.batch.spreadsheets import DELIMITERS, MAX_COLUMNS
from service.checking.desk import Desk
from service.errors import InvalidError, ServiceError, TooManyRequestsError
from service.texts.languages import N_, Language
from service.unpacking import file_kinds
from service.unpacking.unpack import Allowance
from service.web.costly import CostlyForm
from service.web.rendering import HTML, PRIVATE, page_headers, render, streamed
from service.web.streaming import Streamed
from service.web.visitor_language import Speaking

router = APIRouter(include_in_schema=False, route_class=CostlyForm)

MAX_PART_BYTES: Final = 16_777_216
"""Of one field of the form: pasted lines, or a badge to be tried again."""
PROBLEMS: Final = {
    "batch-empty": N_("Paste links, one on each line, or choose files."),
    "batch-too-long": N_("There are more than 500 links and files. Send them in parts."),
    "too-many-batches": N_("Other people are checking many badges at the moment. Try again in %(seconds)s s."),
    "too-many-requests": N_("Your connection has sent too many badges. Try again in %(seconds)s s."),
    "service-busy": N_("We are checking many badges at the moment. Try again in %(seconds)s s."),
    "csv-empty": N_("This table is empty. It needs a column named link, with a link in each row."),
    "csv-encoding": N_(
        "We cannot read the letters in this table. Save it as CSV UTF-8 in your spreadsheet program, and choose that."
    ),
    "csv-broken": N_(
        "This table ends inside a cell, or has a cell that is far too long. Save it as CSV again in your "
        "spreadsheet program, and choose that."
    ),
    "csv-link-missing": N_(
        "No column of this table is named link. Write link above the column with the links, and save it again."
    ),
    "csv-column-twice": N_(
        "Two columns of this table mean the same thing: link, email, name, person or licence. Rename one of them."
    ),
    "csv-no-rows": N_("This table has a heading but no rows."),
    "csv-too-large": N_("This table is larger than 8 MB. Send it in parts, or leave out columns that you do not need."),
    "csv-too-long": N_("This table has more than 500 rows. Send it in parts."),
    "csv-too-wide": N_("This table has more than 100 columns. Leave out those that you do not need."),
    batch_items.TABLE_IN_PACKET.code: batch_items.TABLE_IN_PACKET.message,
    "issuers-too-many": N_("Your list of approved issuers is too long. It can have up to 2,000 lines."),
    "count-date-invalid": N_("We cannot read a date. Write it as year, month and day: 2026-03-01."),
    "count-dates-reversed": N_("The first day is after the last day. Change one of them."),
    "count-amount-invalid": N_("Hours and credits must be numbers greater than 0, such as 20 or 7.5."),
    "form-unreadable": N_("Something went wrong with the form. Go back and send it again."),
}


class AgainIn(Body):
    """One badge to be tried again, as this page wrote it into its form."""

    number: int = Field(ge=1, le=MAX_ITEMS)
    name: str = Field(max_length=500)
    url: str | None = Field(None, max_length=5000)
    text: str | None = None
    recipient: str | None = Field(None, max_length=500)
    candidate: str = Field("", max_length=500)
    person: str = Field("", max_length=200)
    line: int = Field(0, ge=0)
    file: str = Field("", max_length=500)
    row: list[str] = Field(default_factory=list, max_length=MAX_COLUMNS)
    holder: list[Annotated[str, Field(max_length=400)]] | None = Field(None, min_length=2, max_length=2)
    licence: str = Field("", max_length=200)


class TableIn(Body):
    """The employer's table, as this page wrote it into its form."""

    heading: list[str] = Field(max_length=MAX_COLUMNS)
    delimiter: str = Field(pattern=f"^[{''.join(DELIMITERS)}|]$")


_AGAIN: Final = TypeAdapter(AgainIn)
_TABLE: Final = TypeAdapter(TableIn)


@dataclass(frozen=True)
class BatchForm:
    """The sent form: pasted text, files (name, content, media type), what to try again, and what to count."""

    text: str = ""
    files: tuple[tuple[str, bytes, str], ...] = ()
    again: tuple[str, ...] = ()
    table: str = ""
    typed: Typed = field(default_factory=Typed)

    @property
    def kept(self) -> "BatchForm":
        """What the form shows again: a template holds what it is given until memory is next tidied, so never a file."""
        return BatchForm(self.text, typed=self.typed)


@router.get("/verify/batch")
def get_batch(language: Speaking) -> Response:
    """Show the form."""
    return _form(language)


async def _sent(request: Request) -> BatchForm | None:
    """Return the sent form; None where it cannot be read."""
    try:
        form = await request.form(max_files=MAX_ITEMS, max_fields=MAX_ITEMS + 10, max_part_size=MAX_PART_BYTES)
    except HTTPException:
        return None
    files = [part for part in form.getlist("file") if isinstance(part, UploadFile)]
    read = [(file.filename or "", await file.read(), file.content_type or "") for file in files]
    listed = form.get("issuers_file")
    issuers = await listed.read(4 * MAX_CHARACTERS) if isinstance(listed, UploadFile) else b""
    await form.close()
    texts = {name: value for name, value in form.items() if isinstance(value, str)}
    names = {"issuers": "issuers", "since": "from", "until": "to", "hours": "hours", "credits": "credits"}
    typed = {member: texts.get(name, "")[: MAX_CHARACTERS + 1] for member, name in names.items()}
    return BatchForm(
        texts.get("received", ""),
        tuple(file for file in read if file[0] or file[1]),
        tuple(part for part in form.getlist("item") if isinstance(part, str)),
        texts.get("table", ""),
        Typed(**typed, listed=file_kinds.text_of(issuers) or ""),
    )


@router.post("/verify/batch")
def post_batch(
    desk: DeskHere, address: Address, language: Speaking, sent: Annotated[BatchForm | None, Depends(_sent)]
) -> Response:
    """Check everything in the form, and show each answer as soon as it is there."""
    try:
        if sent is None:
            raise InvalidError("form-unreadable", "Expected the form of this page.")
        with desk.fair_use.turn(address, desk.steady):  # opening what was given costs something too
            if sent.again:
                return answer(desk, address, language, *_again(sent))
            given = authority_links.opened(desk, _given(sent, desk.allowance(address)))
            counted = count_typed.wanted(sent.typed)
        return answer(desk, address, language, given, wanted=counted, sent=sent)
    except ServiceError as error:
        return refused(language, error, sent)


def answer(
    desk: Desk,
    address: str,
    language: Language,
    given: GivenItems,
    numbers: list[int] | None = None,
    wanted: Wanted | None = None,
    sent: BatchForm | None = None,
) -> Response:
    """Return the page that shows a batch while it is checked.

    Args:
        numbers: the number shown with each item; from 1 unless given.
        wanted: which hours and credits are counted.
        sent: what was sent, to be shown in the form again where hours and credits are counted.
    Raises:
        InvalidError, TooManyRequestsError: as `batches.begin`.
    """
    batch = batches.begin(desk, given.items, address)
    told = BatchPage(batch, given, language, numbers or list(range(1, len(batch) + 1)), wanted)
    kept = sent.kept if sent is not None and wanted is not None else BatchForm()
    pieces = streamed("batch.html", language=language, told=told, given=given, problem=None, sent=kept)
    headers = page_headers() | PRIVATE | {"Content-Language": language.code}
    return Streamed(pieces, batch.close, media_type=HTML, headers=headers)


def refused(language: Language, error: ServiceError, sent: BatchForm | None = None) -> Response:
    """Return the form with a sentence on why nothing was checked, and with what was typed."""
    status = 429 if isinstance(error, TooManyRequestsError) else 422
    seconds = error.details.get("retry_after_seconds", 60)
    text = PROBLEMS.get(error.code, PROBLEMS["form-unreadable"])
    page = _form(language, status, language.gettext(text, seconds=language.number(seconds)), sent)
    if status == 429:
        page.headers["Retry-After"] = str(seconds)
    return page


def _form(language: Language, status: int = 200, problem: str = "", sent: BatchForm | None = None) -> Response:
    page = render(
        "batch.html",
        language=language,
        status=status,
        indexed=not problem,
        told=None,
        problem=problem,
        sent=sent.kept if sent is not None else BatchForm(),
    )
    page.headers.update(PRIVATE if problem else {})
    return page


def _given(sent: BatchForm, allowance: Allowance) -> GivenItems:
    parts = [batch_items.of_text(sent.text, allowance), *batch_items.of_files(sent.files, allowance)]
    return batch_items.together(parts)


def _again(sent: BatchForm) -> tuple[GivenItems, list[int]]:
    """Return what to try again, and the numbers that it had in its batch."""
    try:
        found = [validated(_AGAIN, parse_json(text)) for text in sent.again]
        table = validated(_TABLE, parse_json(sent.table))
    except CredentialError as error:
        raise InvalidError("form-unreadable", "Expected the form of this page.") from error
    items = tuple(
        Item(
            each.name,
            url=each.url,
            received=each.text.encode("utf-8", "surrogatepass") if each.text is not None else None,
            recipient=each.recipient,
            candidate=each.candidate,
            person=each.person,
            line=each.line,
            file=each.file,
            cells=tuple(each.row),
            licence=each.licence,
            holder=Holder(*each.holder) if each.holder is not None else None,
        )
        for each in found
        if (each.url is None) != (each.text is None)
    )
    if len(items) < len(found) or len({each.number for each in found}) < len(found):
        raise InvalidError("form-unreadable", "Expected each badge once, with its address or its text.")
    return GivenItems(items, tuple(table.heading), delimiter=table.delimiter), [each.number for each in found]
