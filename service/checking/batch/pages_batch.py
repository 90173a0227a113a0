"""The page that checks many badges at once.

It shows rows as they are decided, tables to keep, and a page for each candidate, and works without script. The service
forgets what was sent after the request: what can be tried again travels in the form, with the employer's own cells, and
comes back only from there.
"""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from pydantic import Field, TypeAdapter
from starlette.datastructures import UploadFile

from credentials import CredentialError, parse_json
from service.bodies import Body, validated
from service.checking.api_desk import Address, DeskHere
from service.checking.batch import batch as batches
from service.checking.batch import items as batch_items
from service.checking.batch import lines as batch_lines
from service.checking.batch.batch import MAX_ITEMS, Batch, Item
from service.checking.batch.items import GivenItems
from service.checking.batch.lines import Line
from service.checking.batch.spreadsheets import DELIMITERS, MAX_COLUMNS
from service.checking.desk import Desk
from service.errors import InvalidError, ServiceError, TooManyRequestsError
from service.texts.languages import N_, Language
from service.unpacking.file_kinds import credential_text
from service.unpacking.unpack import Allowance
from service.web.costly import CostlyForm
from service.web.rendering import HTML, PRIVATE, page_headers, render, streamed
from service.web.streaming import Streamed
from service.web.visitor_language import Speaking

router = APIRouter(include_in_schema=False, route_class=CostlyForm)

MAX_PART_BYTES: Final = 16_777_216
"""Of one field of the form: pasted lines, or a badge to be tried again."""
PROBLEMS: Final = {
    "batch-empty": N_("Nothing was given. Paste links, one on each line, or choose files."),
    "batch-too-long": N_("These are more than 500 links and files. Give them in parts."),
    "too-many-batches": N_("Others are having many badges checked just now. Try again in %(seconds)s s."),
    "too-many-requests": N_("Many badges were checked from your connection. Try again in %(seconds)s s."),
    "service-busy": N_("Much is being checked here just now. Try again in %(seconds)s s."),
    "csv-empty": N_("This table is empty. It needs a column named link, with a link in each row."),
    "csv-encoding": N_(
        "The letters of this table cannot be read. Save it as CSV UTF-8 in your office program, and choose that."
    ),
    "csv-broken": N_(
        "This table breaks off inside a cell, or has a cell that is far too long. "
        "Save it as CSV once more in your office program, and choose that."
    ),
    "csv-link-missing": N_(
        "No column of this table is named link. Write link above the column with the links, and save it again."
    ),
    "csv-column-twice": N_("Two columns of this table have the same meaning here: link, email or name. Rename one."),
    "csv-no-rows": N_("This table has a heading and no row below it."),
    "csv-too-large": N_("This table is larger than 8 MB. Give it in parts, or leave out columns that are not needed."),
    "csv-too-long": N_("This table has more than 500 rows. Give it in parts."),
    "csv-too-wide": N_("This table has more than 100 columns. Leave out those that are not needed."),
    batch_items.TABLE_IN_PACKET.code: batch_items.TABLE_IN_PACKET.message,
    "form-unreadable": N_("The form did not arrive as it was sent. Go back and send it once more."),
}


class AgainIn(Body):
    """One badge to be tried again, as this page wrote it into its form."""

    number: int = Field(ge=1, le=MAX_ITEMS)
    name: str = Field(max_length=500)
    url: str | None = Field(None, max_length=5000)
    text: str | None = None
    recipient: str | None = Field(None, max_length=500)
    candidate: str = Field("", max_length=500)
    row: list[str] = Field(default_factory=list, max_length=MAX_COLUMNS)


class TableIn(Body):
    """The employer's table, as this page wrote it into its form."""

    heading: list[str] = Field(max_length=MAX_COLUMNS)
    delimiter: str = Field(pattern=f"^[{''.join(DELIMITERS)}|]$")


_AGAIN: Final = TypeAdapter(AgainIn)
_TABLE: Final = TypeAdapter(TableIn)


@dataclass(frozen=True)
class BatchForm:
    """The sent form: pasted text, files (name, content, media type), and what to try again."""

    text: str = ""
    files: tuple[tuple[str, bytes, str], ...] = ()
    again: tuple[str, ...] = ()
    table: str = ""


@router.get("/verify/batch")
def get_batch(language: Speaking) -> Response:
    """Show the form."""
    return _form(language)


async def _sent(request: Request) -> BatchForm | None:
    """Return the sent form; None where it cannot be read."""
    try:
        form = await request.form(max_files=MAX_ITEMS, max_fields=MAX_ITEMS + 5, max_part_size=MAX_PART_BYTES)
    except HTTPException:
        return None
    files = [part for part in form.getlist("file") if isinstance(part, UploadFile)]
    read = [(file.filename or "", await file.read(), file.content_type or "") for file in files]
    await form.close()
    text, table = form.get("received"), form.get("table")
    return BatchForm(
        text if isinstance(text, str) else "",
        tuple(file for file in read if file[0] or file[1]),
        tuple(part for part in form.getlist("item") if isinstance(part, str)),
        table if isinstance(table, str) else "",
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
            given, numbers = _again(sent) if sent.again else (_given(sent, desk.allowance(address)), None)
        return answer(desk, address, language, given, numbers)
    except ServiceError as error:
        return refused(language, error)


def answer(
    desk: Desk, address: str, language: Language, given: GivenItems, numbers: list[int] | None = None
) -> Response:
    """Return the page that shows a batch while it is checked.

    Args:
        numbers: the number shown with each item; from 1 unless given.
    Raises:
        InvalidError, TooManyRequestsError: as `batches.begin`.
    """
    batch = batches.begin(desk, given.items, address)
    told = BatchPage(batch, given, language, numbers or list(range(1, len(batch) + 1)))
    pieces = streamed("batch.html", language=language, told=told, given=given, problem=None)
    headers = page_headers() | PRIVATE | {"Content-Language": language.code}
    return Streamed(pieces, batch.close, media_type=HTML, headers=headers)


def refused(language: Language, error: ServiceError) -> Response:
    """Return the form with a sentence on why nothing was checked."""
    status = 429 if isinstance(error, TooManyRequestsError) else 422
    seconds = error.details.get("retry_after_seconds", 60)
    text = PROBLEMS.get(error.code, PROBLEMS["form-unreadable"])
    page = _form(language, status, language.gettext(text, seconds=language.number(seconds)))
    if status == 429:
        page.headers["Retry-After"] = str(seconds)
    return page


@dataclass
class BatchPage:
    """What the page shows: rows one by one, and after the last their sums."""

    batch: Batch
    given: GivenItems
    language: Language
    numbers: list[int]
    lines: list[Line] = field(default_factory=list)

    @property
    def total(self) -> int:
        """How many badges there are."""
        return len(self.batch)

    @property
    def whole(self) -> bool:
        """Whether every badge was answered."""
        return len(self.lines) == self.total

    def rows(self) -> Iterator[Line]:
        """Yield each answer in order, as soon as it is there, and keep it without its report."""
        for told in self.batch:
            line = batch_lines.in_words(told, self.language, self.numbers[told.index])
            if not line.again:  # the badge itself is only needed to try it again
                line = replace(line, item=replace(line.item, received=None))
            self.lines.append(line)
            yield line

    def csv(self, line: Line) -> str:
        """Return one badge as a line of a CSV."""
        return line.csv(self.language, self.given.delimiter)

    def json(self, line: Line) -> str:
        """Return one badge as a JSON object."""
        return json.dumps(line.to_json(), ensure_ascii=False)

    @property
    def csv_heading(self) -> str:
        """The first line of the CSV."""
        return batch_lines.heading(self.given.heading, self.language, self.given.delimiter)

    @property
    def columns(self) -> str:
        """The employer's own columns, as JSON."""
        return json.dumps(list(self.given.heading), ensure_ascii=False)

    @property
    def csv_link(self) -> str:
        """Everything as a CSV, in a data: URL."""
        return _data_link("text/csv", self.csv_heading + "".join(map(self.csv, self.lines)))

    @property
    def json_link(self) -> str:
        """Everything as `{columns, items}`, in a data: URL."""
        items = ",".join(map(self.json, self.lines))
        return _data_link("application/json", f'{{"columns":{self.columns},"items":[{items}]}}')

    @property
    def sums(self) -> dict[str, int]:
        """How many badges there are of each kind: good, unsure, bad, unchecked."""
        kinds = [line.kind for line in self.lines]
        return {kind: kinds.count(kind) for kind in ("good", "unsure", "bad", "unchecked")}

    @property
    def candidates(self) -> list[tuple[str, list[Line]]]:
        """The badges of each candidate, by name or e-mail from the table.

        Without one, each badge is a candidate of its own.
        """
        grouped: dict[str, tuple[str, list[Line]]] = {}
        for line in self.lines:
            who = line.item.candidate
            key = (line.item.recipient or who).casefold() if who else str(line.number)
            grouped.setdefault(key, (who or line.item.name, []))[1].append(line)
        return list(grouped.values())

    @property
    def again(self) -> list[str]:
        """What can be tried again, for the form that does so."""
        return [_packed(line) for line in self.lines if line.again]

    @property
    def table(self) -> str:
        """The employer's table, for the form that tries again."""
        return json.dumps({"heading": list(self.given.heading), "delimiter": self.given.delimiter}, ensure_ascii=False)


def _form(language: Language, status: int = 200, problem: str = "") -> Response:
    page = render("batch.html", language=language, status=status, indexed=not problem, told=None, problem=problem)
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
            cells=tuple(each.row),
        )
        for each in found
        if (each.url is None) != (each.text is None)
    )
    if len(items) < len(found) or len({each.number for each in found}) < len(found):
        raise InvalidError("form-unreadable", "Expected each badge once, with its address or its text.")
    return GivenItems(items, tuple(table.heading), delimiter=table.delimiter), [each.number for each in found]


def _packed(line: Line) -> str:
    item = line.item
    kept: dict[str, Any] = {"number": line.number, "name": item.name, "candidate": item.candidate, "row": item.cells}
    if item.recipient is not None:
        kept["recipient"] = item.recipient
    if item.url is not None:
        kept["url"] = item.url
    else:
        kept["text"] = credential_text(item.received or b"")
    return json.dumps(kept, ensure_ascii=False)


def _data_link(media_type: str, text: str) -> str:
    return f"data:{media_type};charset=utf-8;base64,{base64.b64encode(text.encode('utf-8', 'replace')).decode()}"
