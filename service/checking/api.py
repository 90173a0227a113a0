"""Verify one badge over HTTP: anyone may ask, and nothing about them is kept."""

import base64
import binascii
import json
from typing import Annotated, Any, Self

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator
from pydantic_core import PydanticCustomError
from starlette.datastructures import UploadFile

from credentials import CredentialError, parse_json
from credentials.model.badges2 import is_older
from credentials.strict_json import MAX_VALUES
from service.bodies import Body, refusal
from service.checking import check
from service.checking.api_desk import Address, DeskHere, Wording
from service.checking.api_reports import SingleVerificationOut
from service.checking.check import Checked
from service.checking.desk import Desk
from service.checking.keeping import receipts
from service.errors import InvalidError
from service.faults import found_faults
from service.unpacking import reasons, unpack
from service.unpacking.file_kinds import kind_of
from service.unpacking.unpack import Allowance
from service.web.costly import CostlyRoute
from service.web.form_fields import hold_to
from service.web.openapi import BINARY, also, shape

router = APIRouter(tags=["verification"], route_class=CostlyRoute)

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
        description="ask also for what is of this badge alone: a newer copy, related resources; a server that has it then "
        "sees that somebody looks at this badge",
    )

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(part is not None for part in (self.url, self.credential, self.jwt, self.image)) != 1:
            raise PydanticCustomError("badge-one", "Expected exactly one of url, credential, jwt and image")
        return self


class VerificationIn(BadgeIn):
    """What to verify, and whether the caller wants a receipt of the check."""

    receipt: bool = Field(
        False,
        description="give with it a signed and dated record of this check, as a Verifiable Credential; not of a "
        "`credential`, because the text that its issuer wrote did not come with it",
    )

    @model_validator(mode="after")
    def _of_a_text(self) -> Self:
        if self.receipt and self.credential is not None:
            raise PydanticCustomError(
                "receipt-without-text",
                "Expected url, jwt or image for a receipt, which holds the digest of the very text",
            )
        return self


class VerificationForm(BaseModel):
    """A file with one badge, as a form."""

    model_config = ConfigDict(extra="forbid")

    file: bytes = Field(json_schema_extra={"format": "binary"})
    recipient: str | None = Field(None, description="e-mail, DID or other identifier to compare with")


TAKEN = {
    "application/json": {
        "schema": {
            "anyOf": [
                {
                    "type": "object",
                    "title": "Credential",
                    "description": "the credential itself",
                    "properties": {"@context": {"description": "as the issuer wrote it"}},
                    "required": ["@context"],
                },
                shape(VerificationIn, "body"),
            ]
        }
    },
    "text/plain": {"schema": {"type": "string", "description": "a VC-JWT"}},
    **dict.fromkeys(("image/png", "image/svg+xml", "image/jpeg", "application/pdf", "application/zip"), BINARY),
    "multipart/form-data": {"schema": shape(VerificationForm, "body")},
}


async def _received(request: Request) -> tuple[bytes, str]:
    """Return what the caller sent, and the recipient that a form names ("" without one)."""
    if request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        async with request.form(max_files=1, max_fields=4) as form:
            file, recipient = form.get("file"), form.get("recipient")
            if not isinstance(file, UploadFile):
                raise InvalidError("file-missing", "Expected a form field `file`.", "/file")
            hold_to(form, *VerificationForm.model_fields)
            return await file.read(), recipient if isinstance(recipient, str) else ""
    return await request.body(), ""


@router.post(
    "/v1/verifications",
    response_model=SingleVerificationOut,
    responses=also(502),
    openapi_extra={"requestBody": {"required": True, "content": TAKEN}},
)
def verify_badge(
    request: Request,
    desk: DeskHere,
    address: Address,
    sent: Annotated[tuple[bytes, str], Depends(_received)],
    language: Wording,
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
    A badge of Open Badges 2.0 or before is checked as that standard wants it. If it is not signed, its issuer's address
    is asked for it, and what that answers decides; `older` says so, and `tone` is never `good`.
    A badge that names this service is compared with every text that was signed here: one that never was is `rejected`
    (headline `forged`), and of an older one `newer` is the address of the newest.
    A receipt speaks the language that `Accept-Language` asks for. Needs no token; has fair limits (429 with
    `Retry-After`).
    """
    received, recipient = sent
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        with desk.fair_use.turn(address, desk.steady):
            checked, receipt = _checked(desk, received, recipient, media_type, desk.allowance(address))
    except ValidationError as error:
        raise refusal(found_faults(error.errors(), TypeAdapter(VerificationIn).core_schema)) from error
    said = checked.to_json()
    if receipt:
        said["receipt"] = json.loads(receipts.issue(desk.runtime, checked, language))
    return Response(json.dumps(said, ensure_ascii=False), media_type="application/json")


def _checked(
    desk: Desk, received: bytes, recipient: str, media_type: str, allowance: Allowance
) -> tuple[Checked, bool]:
    """Check what the caller asks about.

    Return the check, and whether they want a receipt.
    """
    asked = _asked(received) if media_type == "application/json" else None
    if asked is None:
        return _check_file(desk, received, recipient or None, allowance), False
    given: dict[str, Any] = {"recipient": asked.recipient, "evidence": asked.evidence, "allowance": allowance}
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


def _check_file(desk: Desk, content: bytes, recipient: str | None, allowance: Allowance) -> Checked:
    """Check the one badge in a file.

    Raises:
        InvalidError: a container without a badge (the code of the reason), or with several (code "several-badges").
    """
    if kind_of(content) not in CONTAINERS:
        return check.check(desk, content, recipient, allowance=allowance)
    first, *others = unpack.open_file("file", content, allowance)
    if others and others[-1].problem is reasons.REST_NOT_SEARCHED:
        raise InvalidError(reasons.REST_NOT_SEARCHED.code, reasons.REST_NOT_SEARCHED.message)
    if others:
        message = f"Expected a file with one badge, got {len(others) + 1}; /v1/verification-batches takes several."
        raise InvalidError("several-badges", message)
    if first.problem is not None:
        raise InvalidError(first.problem.code, first.problem.message)
    if first.url is not None:
        return check.check_address(desk, first.url, recipient, allowance=allowance)
    return check.check(desk, first.received or b"", recipient, allowance=allowance)


def _asked(received: bytes) -> VerificationIn | None:
    """Return the request in a JSON body; None where the body is a credential itself."""
    try:
        sent = parse_json(received, max_values=MAX_VALUES)
    except CredentialError:
        return None  # the report says what is wrong with it
    if not isinstance(sent, dict) or "@context" in sent or "verifiableCredential" in sent or is_older(sent):
        return None
    return VerificationIn.model_validate(sent)
