"""Files over HTTP."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.datastructures import UploadFile

from service.access import callers
from service.access.act import CallersAct
from service.access.callers import READ, Caller
from service.bodies import Instant
from service.errors import InvalidError
from service.files import blobs
from service.web.exactly_once import exactly_once
from service.web.form_fields import hold_to
from service.web.openapi import BINARY, given_as, shape
from service.web.requests import (
    Answer,
    Needs,
    Page,
    Reader,
    Running,
    StrictRoute,
    Windowed,
    acting_at_home,
    reply,
)

router = APIRouter(route_class=StrictRoute, tags=["files"])
CanWrite = Annotated[CallersAct, acting_at_home(Needs("evidence:write", "achievements:write"))]
CanRead = Annotated[Caller, Depends(Needs(*READ))]
FORM_BYTES = 16_384
"""How many bytes a form may add to the file in it."""


class FileForm(BaseModel):
    """A file, as a form."""

    model_config = ConfigDict(extra="forbid")

    file: bytes = Field(json_schema_extra={"format": "binary"})


BODY = {
    "requestBody": {
        "required": True,
        "content": {
            **dict.fromkeys(("application/octet-stream", "image/png", "image/svg+xml"), BINARY),
            "multipart/form-data": {"schema": shape(FileForm, "body")},
        },
    }
}


class BlobOut(Answer):
    """A file as it is stored."""

    sha256: str
    media_type: str
    size_bytes: int
    created_at: Instant


async def _received(request: Request) -> bytes:
    """Return the file: the body itself, or the form field `file`."""
    body = await request.body()
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        return body
    async with request.form(max_files=1, max_fields=1) as form:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise InvalidError("file-missing", "Expected a form field `file` with a file.", "/file")
        hold_to(form, *FileForm.model_fields)
        return await file.read()


@router.post(
    "/v1/blobs", response_model=BlobOut, status_code=201, responses={200: {"model": BlobOut}}, openapi_extra=BODY
)
@exactly_once()
def create_blob(received: Annotated[bytes, Depends(_received)], act: CanWrite, runtime: Running) -> Response:
    """Store a file (201), or find that it is there (200).

    It is an artefact of a contribution, or a picture. The body is the file itself, or a form with the field `file`. The
    bytes show what it is: PNG, JPEG, GIF, WebP, SVG, PDF, MP4, WebM, MP3, office documents, ZIP or UTF-8 text.
    Everything that could run or fetch something is removed from SVG, so its `sha256` may differ from that of the file
    that you sent: use the one in the answer.
    """
    callers.still_open(act.network)
    row, created = blobs.store(act, runtime, received)
    return reply(201 if created else 200, BlobOut.model_validate(row))


@router.get("/v1/blobs")
def list_blobs(
    session: Reader,
    window: Windowed,
    who: CanRead,
    media_type: Annotated[str | None, Query(max_length=100, examples=["image/png"])] = None,
    sort: Literal["sha256", "-sha256", "created_at", "-created_at"] = "sha256",
) -> Page[BlobOut]:
    """List the files of the token's network."""
    network = callers.own_network(session, who)
    rows, cursor = blobs.list_blobs(session, network, window=window, media_type=media_type, sort=sort)
    return Page(items=[BlobOut.model_validate(row) for row in rows], next=cursor)


@router.get(
    "/v1/blobs/{sha256}",
    response_class=Response,
    responses=given_as({"*/*": None}),
)
def get_blob(sha256: str, session: Reader, who: CanRead) -> Response:
    """Return a file of the token's network, to be saved and not to be shown."""
    blob = blobs.get(session, callers.own_network(session, who), sha256)
    name = f"{blob.sha256[:16]}{blobs.ending(blob.media_type)}"
    return Response(
        blob.content,
        media_type=blob.media_type,
        headers={
            # A stranger made this file. A browser that opens the address saves it and runs nothing in it.
            "Content-Disposition": f'attachment; filename="{name}"',
            "Content-Security-Policy": "sandbox; default-src 'none'",
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "private, max-age=31536000, immutable",
            "ETag": f'"{blob.sha256}"',
        },
    )
