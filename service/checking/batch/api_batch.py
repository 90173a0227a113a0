"""Verify many badges over HTTP: answers come line by line, and nothing is kept."""

import base64
import binascii
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, WithJsonSchema
from pydantic_core import PydanticCustomError
from starlette.datastructures import UploadFile

from credentials import CredentialError, parse_json
from service.bodies import Body, validated
from service.checking.api import BadgeIn
from service.checking.api_desk import Address, DeskHere, Wording
from service.checking.api_reports import BatchEndOut, BatchLineOut, BatchPersonOut
from service.checking.batch import authority_links, count_typed, count_words, counting, lines
from service.checking.batch import batch as batches
from service.checking.batch import items as batch_items
from service.checking.batch.approved import MAX_LINES, read_list
from service.checking.batch.batch import MAX_ITEMS, Batch, Item, ItemAnswer
from service.checking.batch.count_typed import MAX_AMOUNT
from service.checking.batch.counting import Wanted
from service.checking.batch.facts import facts_of
from service.checking.batch.items import GivenItems
from service.errors import MediaTypeError, ServiceError
from service.texts.languages import Language
from service.unpacking.found import Problem
from service.web.costly import CostlyRoute, in_a_place
from service.web.form_fields import hold_to
from service.web.openapi import NDJSON, shape
from service.web.openapi import lines as lines_of
from service.web.problems import problem, problem_of
from service.web.streaming import Streamed

router = APIRouter(tags=["verification"], route_class=CostlyRoute)

CSV: Final = "text/csv"
TABLES: Final = frozenset({CSV, "text/tab-separated-values"})
NO_STORE: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def _day(value: Any) -> Any:
    try:
        return date.fromisoformat(value) if isinstance(value, str) and len(value) == 10 else value
    except ValueError as error:
        raise PydanticCustomError("date-invalid", "Expected a date such as 2026-03-01") from error


Day = Annotated[
    date, BeforeValidator(_day), WithJsonSchema({"type": "string", "format": "date", "examples": ["2026-03-01"]})
]


class BatchItemIn(BadgeIn):
    """One credential, as in a single verification, with an identifier of the caller's."""

    id: str | None = Field(None, max_length=200, description="comes back with the answer")
    person: str | None = Field(
        None, max_length=200, description="whose it is, where hours are counted; left out: the `recipient`"
    )


class CountIn(Body):
    """Which hours and credits to count, and how many each person needs."""

    approved_issuers: list[Annotated[str, Field(min_length=1, max_length=500)]] = Field(
        [],
        max_length=MAX_LINES,
        description="whose badges count: DIDs, domains, or addresses of issuers' pages, never a name alone; empty: every "
        "issuer that this service knows",
        examples=[["did:web:academy.example", "teachers.example"]],
    )
    since: Day | None = Field(None, alias="from", description="first day that counts")
    until: Day | None = Field(None, alias="to", description="last day that counts")
    hours: float | None = Field(None, gt=0, le=MAX_AMOUNT, description="that each person needs")
    credits: float | None = Field(None, gt=0, le=MAX_AMOUNT, description="that each person needs")

    def wanted(self) -> Wanted:
        """Return what is counted.

        Raises:
            InvalidError: the first day is after the last (code "count-dates-reversed").
        """
        count_typed.hold_in_order(self.since, self.until)
        approved = read_list("\n".join(self.approved_issuers)) if self.approved_issuers else None
        return Wanted(approved, self.since, self.until, self.hours, self.credits)


class BatchIn(Body):
    """Up to 500 credentials of any issuers."""

    items: list[BatchItemIn] = Field(min_length=1, max_length=MAX_ITEMS)
    count: CountIn | None = Field(None, description="count hours and credits of each person")


class CountOf(Body):
    """What a form counts."""

    count: CountIn


_BODY: Final = TypeAdapter(BatchIn)
_COUNT: Final = TypeAdapter(CountOf)


@dataclass(frozen=True)
class Asked:
    """What the caller sent, and what to count; None: nothing."""

    given: GivenItems
    wanted: Wanted | None = None


class BatchForm(BaseModel):
    """Files with badges, as a form."""

    model_config = ConfigDict(extra="forbid")

    files: list[Annotated[bytes, Field(json_schema_extra={"format": "binary"})]]
    count: str = Field("", description="JSON, as the member `count` of a body in JSON")


TABLE: Final = {
    "type": "string",
    "description": "columns `link`, `email`, `name`, `person`, `licence` beside any others",
}
TAKEN: Final[dict[str, Any]] = {
    "application/json": {"schema": shape(BatchIn, "body")},
    **{kind: {"schema": TABLE} for kind in sorted(TABLES)},
    "multipart/form-data": {"schema": shape(BatchForm, "body")},
}
ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "One line for each item, in the order asked; where hours are counted, one for each person; and a "
        "last line with the sums",
        "content": lines_of(BatchLineOut, BatchPersonOut, BatchEndOut)
        | {CSV: {"schema": {"type": "string", "description": "own columns first, then ours; no cell is a formula"}}},
    }
}


async def _given(request: Request, desk: DeskHere, address: Address) -> Asked:
    """Return what the caller sent, and what to count.

    Opening it counts as one check.

    Raises:
        MediaTypeError: it is of another kind than is taken.
    """
    desk.fair_use.take(address, desk.steady())
    run = partial(in_a_place, request)
    sent_as = request.headers.get("content-type")
    media_type = (sent_as or "").partition(";")[0].strip().lower()
    if media_type == "multipart/form-data":
        async with request.form(max_files=MAX_ITEMS, max_fields=1) as form:
            hold_to(form, *BatchForm.model_fields)
            files = [part for _, part in form.multi_items() if isinstance(part, UploadFile)]
            sent = [(file.filename or "", await file.read(), file.content_type or "") for file in files]
            wanted = _wanted(form.get("count"))
        given = await run(lambda: batch_items.together(batch_items.of_files(sent, desk.allowance(address))))
        return Asked(given, wanted)
    body = await request.body()
    if media_type in TABLES:
        return Asked(await run(lambda: batch_items.of_file("", body, media_type, desk.allowance(address))))
    if media_type == "application/json":
        return await run(partial(_asked, body))
    raise MediaTypeError("application/json, multipart/form-data or text/csv", sent_as)


@router.post(
    "/v1/verification-batches",
    response_class=Response,
    responses=ANSWERS,
    openapi_extra={"requestBody": {"required": True, "content": TAKEN}},
)
def verify_badges(
    request: Request,
    desk: DeskHere,
    address: Address,
    asked: Annotated[Asked, Depends(_given)],
    language: Wording,
) -> Response:
    """Verify up to 500 credentials of any issuers in one request.

    Takes JSON (`items`, each as a single verification takes it, with an `id` of your own), a form with files (PNG, SVG,
    PDF, JSON, JWT, ZIP), or `text/csv` with a column `link` and, if wanted, `email`, `name` and `person`. What was not
    understood is an item of its own, with its line and why.

    With `count` the hours and credits of each person are counted, by badges of approved issuers, within dates; evidence
    that two badges cite counts once. Each person is then `accepted`, `short` or `to-ask`, with the reasons. To count a
    table, send it as a file of a form.

    A link that a person made for one authority (`/shown/...`) becomes an item for each badge behind it, with their name and
    licence number as `holder`, and in a CSV as columns; a column `licence` of a table is compared with it.

    Answers stream in the order asked: `application/x-ndjson`, or a CSV with `Accept: text/csv`, in
    the language that `Accept-Language` asks for. An answer without its
    last line, which holds the sums, is incomplete. An item with `try_again` was not decided because a server did not
    answer in time; send it again alone. Needs no token; has fair limits, in which each item counts (429 with
    `Retry-After`). Nothing is stored.
    """
    given = authority_links.opened(desk, asked.given)
    asked = replace(asked, given=given)
    batch = batches.begin(desk, given.items, address)
    if CSV in request.headers.get("accept", "").lower():
        headers = NO_STORE | {"Content-Disposition": 'attachment; filename="verified.csv"'}
        return Streamed(_table(batch, asked, language), batch.close, media_type=CSV, headers=headers)
    return Streamed(_lines(batch, asked.wanted), batch.close, media_type=NDJSON, headers=NO_STORE)


def _asked(body: bytes) -> Asked:
    sent = validated(_BODY, _parsed(body))
    return Asked(GivenItems(tuple(map(_item, sent.items))), sent.count.wanted() if sent.count is not None else None)


def _wanted(count: object) -> Wanted | None:
    if not isinstance(count, str) or not count.strip():
        return None
    return validated(_COUNT, {"count": _parsed(count.encode("utf-8", "surrogatepass"))}).count.wanted()


def _parsed(body: bytes) -> Any:
    try:
        return parse_json(body)
    except CredentialError as error:
        raise HTTPException(400) from error  # answered with the problem of that error, as for every other body


def _item(sent: BatchItemIn) -> Item:
    name = sent.id or ""
    person = sent.person or ""
    if sent.url is not None:
        return Item(name or sent.url, url=sent.url.strip(), recipient=sent.recipient, person=person, ref=sent.id)
    if sent.image is not None:
        try:
            received = base64.b64decode(sent.image, validate=True)
        except (binascii.Error, ValueError):
            wrong = Problem("base64-invalid", "Expected an image in base64.")
            return Item(name, problem=wrong, person=person, ref=sent.id)
    else:
        received = (sent.jwt if sent.jwt is not None else json.dumps(sent.credential)).encode("utf-8", "surrogatepass")
    return Item(name, received=received, recipient=sent.recipient, person=person, ref=sent.id)


def _lines(batch: Batch, wanted: Wanted | None) -> Iterator[str]:
    sums, facts = lines.Sums(), []
    for told in batch:
        sums.add(told)
        if wanted is not None:
            facts.append(facts_of(told))
        yield _json(_answer(told))
    if sums.items < len(batch):
        return
    if wanted is None:
        yield _json({"sums": sums.to_json()})
        return
    people = counting.count(facts, wanted)
    yield from (_json(person.to_json()) for person in people)
    totals = {name.replace("-", "_"): number for name, number in counting.totals(people).items()}
    yield _json({"sums": sums.to_json(), "people": totals})


def _answer(told: ItemAnswer) -> dict[str, Any]:
    answer: dict[str, Any] = {"index": told.index, "id": told.item.ref, "given": told.item.name}
    if told.item.line:
        answer["line"] = told.item.line
    if told.item.file:
        answer["file"] = told.item.file
    if told.item.cells:
        answer["row"] = told.item.cells
    if told.item.holder is not None:
        answer["holder"] = {
            "name": told.item.holder.name,
            "licence_number": told.item.holder.licence_number,
            "licence_matches": told.item.licensed,
        }
    answer["try_again"] = told.again
    if told.checked is not None:
        return answer | {"result": told.checked.to_json()}
    return answer | {"problem": _problem(told)}


def _problem(told: ItemAnswer) -> dict[str, Any]:
    if told.item.problem is not None:
        return problem(422, told.item.problem.code, told.item.problem.message)
    assert told.error is not None
    if type(told.error) is ServiceError:  # not a refusal: it failed here
        return problem(500, told.error.code, told.error.message)
    return problem_of(told.error)


def _table(batch: Batch, asked: Asked, language: Language) -> Iterator[str]:
    given, wanted = asked.given, asked.wanted
    more = (*authority_links.columns(given), *(count_words.COLUMNS if wanted is not None else ()))
    yield lines.heading(given.heading, language, given.delimiter, more)
    kept: list[lines.Line] = []
    facts = []
    for told in batch:
        line = lines.in_words(told, language)
        if wanted is None:
            yield line.csv(language, given.delimiter, authority_links.cells(given, line.item, language))
        else:  # what is decided of a person is known after the last badge
            kept.append(replace(line, item=replace(line.item, received=None)))
            facts.append(facts_of(told))
    if wanted is not None and len(kept) == len(batch):
        counted = {entry.facts.index: (each, entry) for each in counting.count(facts, wanted) for entry in each.entries}
        for place, line in enumerate(kept):
            of_licence = authority_links.cells(given, line.item, language)
            yield line.csv(language, given.delimiter, (*of_licence, *count_words.cells(*counted[place], language)))


def _json(line: dict[str, Any]) -> str:
    return json.dumps(line, ensure_ascii=False) + "\n"
