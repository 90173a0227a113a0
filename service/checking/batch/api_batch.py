"""Verify many badges over HTTP: answers come line by line, and nothing is kept."""

import base64
import binascii
import json
from collections.abc import Iterator
from functools import partial
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from starlette.datastructures import UploadFile

from credentials import CredentialError, parse_json
from service.bodies import Body, validated
from service.checking.api import BadgeIn
from service.checking.api_desk import Address, DeskHere, Wording
from service.checking.api_reports import BatchEndOut, BatchLineOut
from service.checking.batch import batch as batches
from service.checking.batch import items as batch_items
from service.checking.batch import lines
from service.checking.batch.batch import MAX_ITEMS, Batch, Item, ItemAnswer
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


class BatchItemIn(BadgeIn):
    """One credential, as in a single verification, with an identifier of the caller's."""

    id: str | None = Field(None, max_length=200, description="comes back with the answer")


class BatchIn(Body):
    """Up to 500 credentials of any issuers."""

    items: list[BatchItemIn] = Field(min_length=1, max_length=MAX_ITEMS)


_BODY: Final = TypeAdapter(BatchIn)


class BatchForm(BaseModel):
    """Files with badges, as a form."""

    model_config = ConfigDict(extra="forbid")

    files: list[Annotated[bytes, Field(json_schema_extra={"format": "binary"})]]


TABLE: Final = {"type": "string", "description": "columns `link`, `email`, `name` beside any others"}
TAKEN: Final[dict[str, Any]] = {
    "application/json": {"schema": shape(BatchIn, "body")},
    **{kind: {"schema": TABLE} for kind in sorted(TABLES)},
    "multipart/form-data": {"schema": shape(BatchForm, "body")},
}
ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "One line for each item, in the order asked, and a last line with the sums",
        "content": lines_of(BatchLineOut, BatchEndOut)
        | {CSV: {"schema": {"type": "string", "description": "own columns first, then ours; no cell is a formula"}}},
    }
}


async def _given(request: Request, desk: DeskHere, address: Address) -> GivenItems:
    """Return what the caller sent.

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
        return await run(lambda: batch_items.together(batch_items.of_files(sent, desk.allowance(address))))
    body = await request.body()
    if media_type in TABLES:
        return await run(lambda: batch_items.of_file("", body, media_type, desk.allowance(address)))
    if media_type == "application/json":
        return GivenItems(await run(partial(_items, body)))
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
    given: Annotated[GivenItems, Depends(_given)],
    language: Wording,
) -> Response:
    """Verify up to 500 credentials of any issuers in one request.

    Takes JSON (`items`, each as a single verification takes it, with an `id` of your own), a form with files (PNG, SVG,
    PDF, JSON, JWT, ZIP), or `text/csv` with a column `link` and, if wanted, `email` and `name`.

    Answers stream in the order asked: `application/x-ndjson`, or a CSV with `Accept: text/csv`, in
    the language that `Accept-Language` asks for. An answer without its
    last line, which holds the sums, is incomplete. An item with `try_again` was not decided because a server did not
    answer in time; send it again alone. Needs no token; has fair limits, in which each item counts (429 with
    `Retry-After`). Nothing is stored.
    """
    batch = batches.begin(desk, given.items, address)
    if CSV in request.headers.get("accept", "").lower():
        headers = NO_STORE | {"Content-Disposition": 'attachment; filename="verified.csv"'}
        return Streamed(_table(batch, given, language), batch.close, media_type=CSV, headers=headers)
    return Streamed(_lines(batch), batch.close, media_type=NDJSON, headers=NO_STORE)


def _items(body: bytes) -> tuple[Item, ...]:
    try:
        sent = parse_json(body)
    except CredentialError as error:
        raise HTTPException(400) from error  # answered with the problem of that error, as for every other body
    return tuple(map(_item, validated(_BODY, sent).items))


def _item(sent: BatchItemIn) -> Item:
    name = sent.id or ""
    if sent.url is not None:
        return Item(name or sent.url, url=sent.url.strip(), recipient=sent.recipient, ref=sent.id)
    if sent.image is not None:
        try:
            received = base64.b64decode(sent.image, validate=True)
        except (binascii.Error, ValueError):
            wrong = Problem("base64-invalid", "Expected an image in base64.")
            return Item(name, problem=wrong, ref=sent.id)
    else:
        received = (sent.jwt if sent.jwt is not None else json.dumps(sent.credential)).encode("utf-8", "surrogatepass")
    return Item(name, received=received, recipient=sent.recipient, ref=sent.id)


def _lines(batch: Batch) -> Iterator[str]:
    sums = lines.Sums()
    for told in batch:
        sums.add(told)
        yield _json(_answer(told))
    if sums.items == len(batch):
        yield _json({"sums": sums.to_json()})


def _answer(told: ItemAnswer) -> dict[str, Any]:
    answer: dict[str, Any] = {"index": told.index, "id": told.item.ref, "given": told.item.name}
    if told.item.cells:
        answer["row"] = told.item.cells
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


def _table(batch: Batch, given: GivenItems, language: Language) -> Iterator[str]:
    yield lines.heading(given.heading, language, given.delimiter)
    for told in batch:
        yield lines.in_words(told, language).csv(language, given.delimiter)


def _json(line: dict[str, Any]) -> str:
    return json.dumps(line, ensure_ascii=False) + "\n"
