"""Verify one badge over HTTP: anyone may ask, and nothing about them is kept."""

import base64
import binascii
import json
from typing import Annotated, Any, Self

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field, ValidationError, model_validator
from starlette.datastructures import UploadFile

from credentials import CredentialError, parse_json
from service.bodies import Body
from service.checking import check
from service.checking.api_desk import Address, DeskHere
from service.checking.check import Checked
from service.checking.desk import Desk
from service.checking.keeping import receipts
from service.errors import InvalidError
from service.texts.languages import ENGLISH
from service.unpacking import unpack
from service.unpacking.file_kinds import kind_of
from service.web.problems import ProblemResponse, invalid_problem

router = APIRouter(tags=["verification"])

CONTAINERS = frozenset({"pdf", "zip", "photo"})
"""Kinds of files that are searched for a badge."""


class BadgeIn(Body):
    """A badge to verify: exactly one of `url`, `credential`, `jwt`, `image`."""

    url: str | None = Field(None, max_length=2000, description="public address of a credential")
    credential: dict[str, Any] | None = Field(None, description="the credential, as JSON")
    jwt: str | None = Field(None, description="the credential, as VC-JWT")
    image: str | None = Field(None, description="a baked PNG or SVG, in base64")
    recipient: str | None = Field(None, max_length=500, description="e-mail, DID or other identifier to compare with")
    evidence: bool = Field(
        False,
        description="ask also for what is of this badge alone: a newer copy, related resources; who has it then sees that "
        "somebody looks at this badge",
    )

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(part is not None for part in (self.url, self.credential, self.jwt, self.image)) != 1:
            raise ValueError("expected exactly one of url, credential, jwt and image")
        return self


class VerificationIn(BadgeIn):
    """What to verify, and whether the caller wants a receipt of the check."""

    receipt: bool = Field(
        False,
        description="give with it a signed and dated record of this check, as a Verifiable Credential; not of a "
        "`credential`, of which the text that its issuer wrote has not come",
    )

    @model_validator(mode="after")
    def _of_a_text(self) -> Self:
        if self.receipt and self.credential is not None:
            raise ValueError("expected url, jwt or image for a receipt, which holds the digest of the very text")
        return self


EXAMPLES = {
    "application/json": {
        "schema": {
            "oneOf": [
                {"type": "object", "description": "the credential itself, with `@context`"},
                VerificationIn.model_json_schema(),
            ]
        }
    },
    "text/plain": {"schema": {"type": "string", "description": "a VC-JWT"}},
    "image/png": {"schema": {"type": "string", "format": "binary"}},
    "image/svg+xml": {"schema": {"type": "string", "format": "binary"}},
    "application/pdf": {"schema": {"type": "string", "format": "binary"}},
    "image/jpeg": {"schema": {"type": "string", "format": "binary"}},
    "multipart/form-data": {
        "schema": {
            "type": "object",
            "properties": {"file": {"type": "string", "format": "binary"}, "recipient": {"type": "string"}},
        }
    },
}


async def _received(request: Request) -> tuple[bytes, str]:
    """Return what the caller sent, and the recipient that a form names ("" without one)."""
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        async with request.form(max_files=1, max_fields=4) as form:
            file, recipient = form.get("file"), form.get("recipient")
            if not isinstance(file, UploadFile):
                raise InvalidError("file-missing", "Expected a form field `file`.", "file")
            return await file.read(), recipient if isinstance(recipient, str) else ""
    return await request.body(), ""


@router.post("/v1/verifications", openapi_extra={"requestBody": {"required": True, "content": EXAMPLES}})
def post_verification(
    request: Request, desk: DeskHere, address: Address, sent: Annotated[tuple[bytes, str], Depends(_received)]
) -> Response:
    """Verify a credential of any issuer.

    Takes the credential itself (JSON), a VC-JWT (`text/plain`), a baked PNG or SVG, a PDF, a photo with a code or a
    ZIP with one badge in it, a form with `file` and `recipient`, or JSON with `url`, `credential`, `jwt` or `image`
    and, if wanted, `recipient`, `evidence` and `receipt`.

    Answers 200 with a report also when the credential is bad: `verdict` is `verified`, `rejected` or `undecided`,
    and each of the ordered `checks` says `passed`, `failed`, `undecided` or `skipped`, with findings. The answer also
    says what this means for a person: `headline`, and `questions` (`authentic`, `current`, `issuer`, `evidence`,
    `policy`) with the answers `yes`, `no`, `could-not-check` or `not-offered`, and a reason.
    Issuers are asked only for keys, status lists and schemas, which many badges share, unless `evidence` is true.
    Needs no token; has fair limits (429 with `Retry-After`).
    """
    received, recipient = sent
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        with desk.fair_use.turn(address, desk.steady):
            checked, receipt = _checked(desk, received, recipient, media_type)
    except ValidationError as error:
        body = invalid_problem([{**found, "loc": ("body", *found["loc"])} for found in error.errors()])
        return ProblemResponse(body, body["status"])
    said = checked.to_json()
    if receipt:
        said["receipt"] = json.loads(receipts.issue(desk.runtime, checked, ENGLISH))
    return Response(json.dumps(said, ensure_ascii=False), media_type="application/json")


def _checked(desk: Desk, received: bytes, recipient: str, media_type: str) -> tuple[Checked, bool]:
    """Check what the caller asks about.

    Return the check, and whether they want a receipt.
    """
    asked = _asked(received) if media_type == "application/json" else None
    if asked is None:
        return _check_file(desk, received, recipient or None), False
    given: dict[str, Any] = {"recipient": asked.recipient, "evidence": asked.evidence}
    if asked.url is not None:
        return check.check_address(desk, asked.url.strip(), **given), asked.receipt
    if asked.image is not None:
        try:
            image = base64.b64decode(asked.image, validate=True)
        except (binascii.Error, ValueError) as error:
            raise InvalidError("base64-invalid", "Expected an image in base64.", "/image") from error
        return check.check(desk, image, **given), asked.receipt
    text = asked.jwt if asked.jwt is not None else json.dumps(asked.credential)
    return check.check(desk, text, **given), asked.receipt


def _check_file(desk: Desk, content: bytes, recipient: str | None) -> Checked:
    """Check the one badge in a file.

    Raises:
        InvalidError: a container without a badge (the code of the reason), or with several (code "several-badges").
    """
    if kind_of(content) not in CONTAINERS:
        return check.check(desk, content, recipient)
    first, *others = unpack.open_file("file", content)
    if others:
        message = f"Expected a file with one badge, got {len(others) + 1}; /v1/verification-batches takes several."
        raise InvalidError("several-badges", message)
    if first.problem is not None:
        raise InvalidError(first.problem.code, first.problem.message)
    if first.url is not None:
        return check.check_address(desk, first.url, recipient)
    return check.check(desk, first.received or b"", recipient)


def _asked(received: bytes) -> VerificationIn | None:
    """Return the request in a JSON body; None where the body is a credential itself."""
    try:
        sent = parse_json(received)
    except CredentialError:
        return None  # the report says what is wrong with it
    if not isinstance(sent, dict) or "@context" in sent or "verifiableCredential" in sent:
        return None
    return VerificationIn.model_validate(sent)
