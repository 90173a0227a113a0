"""Routes of the W3C VC API under /vc: issue, verify, and change a status.

They exist where a setting turns them on. What is not a credential, or does not verify, is 400 with problem details,
whose `type` is the specifications' own name for the problem. Members that this service does not know are ignored, since
other implementations have their own.
"""

import json
from collections.abc import Callable, Coroutine
from typing import Annotated, Any, Self

from fastapi import APIRouter, Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.security import HTTPAuthorizationCredentials
from pydantic import BaseModel, Field, model_validator

from credentials import Check, CredentialError, Finding
from credentials.errors import UnsupportedError
from service.access import callers
from service.checking.api_desk import Address, DeskHere
from service.errors import InvalidError
from service.vc_api import vc_api
from service.web.problems import ProblemResponse, problem, problem_of, validation_errors
from service.web.requests import Running, StrictRoute, bearer

DATA_MODEL = "https://www.w3.org/TR/vc-data-model#"
SECURITY = "https://w3id.org/security#"
STATUS_LIST = "https://www.w3.org/ns/credentials/status-list#"
TYPES_OF_CODES = {
    "challenge-missing": SECURITY + "INVALID_CHALLENGE_ERROR",
    "challenge-other": SECURITY + "INVALID_CHALLENGE_ERROR",
    "domain-missing": SECURITY + "INVALID_DOMAIN_ERROR",
    "domain-other": SECURITY + "INVALID_DOMAIN_ERROR",
    "verification-method-malformed": SECURITY + "INVALID_VERIFICATION_METHOD",
    "undefined-term": SECURITY + "DATA_LOSS_DETECTION_ERROR",
    "undefined-type": SECURITY + "DATA_LOSS_DETECTION_ERROR",
    "nothing-stated": SECURITY + "DATA_LOSS_DETECTION_ERROR",
    "keyword-unsigned": SECURITY + "DATA_LOSS_DETECTION_ERROR",
    "relative-iri": SECURITY + "DATA_LOSS_DETECTION_ERROR",
    "period-reversed": DATA_MODEL + "RANGE_ERROR",
    "status-entry-malformed": DATA_MODEL + "MALFORMED_VALUE_ERROR",
    "status-list-malformed": DATA_MODEL + "MALFORMED_VALUE_ERROR",
    "status-list-encoding": DATA_MODEL + "MALFORMED_VALUE_ERROR",
    "status-index-out-of-range": DATA_MODEL + "RANGE_ERROR",
    "status-list-too-short": STATUS_LIST + "STATUS_LIST_LENGTH_ERROR",
}
TYPES_OF_CHECKS = {
    "parse": DATA_MODEL + "PARSING_ERROR",
    "context": DATA_MODEL + "MALFORMED_VALUE_ERROR",
    "schema": DATA_MODEL + "MALFORMED_VALUE_ERROR",
    "subject": DATA_MODEL + "MALFORMED_VALUE_ERROR",
    "proof": SECURITY + "PROOF_VERIFICATION_ERROR",
    "issuer": DATA_MODEL + "CRYPTOGRAPHIC_SECURITY_ERROR",
    "holder": DATA_MODEL + "CRYPTOGRAPHIC_SECURITY_ERROR",
    "credentials": DATA_MODEL + "CRYPTOGRAPHIC_SECURITY_ERROR",
    "status": STATUS_LIST + "STATUS_VERIFICATION_ERROR",
    "validity": DATA_MODEL + "RANGE_ERROR",
    "resources": DATA_MODEL + "CRYPTOGRAPHIC_SECURITY_ERROR",
}
"""The names of problems in VC Data Model 2.0 (7.2), VC Data Integrity 1.0 (4.7) and Bitstring Status List 1.0 (3.5)."""


class VcApiRoute(StrictRoute):
    """A route of the VC API: an invalid request is 400, never 422."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Give refusals the form that the VC API wants."""
        handler = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return await handler(request)
            except RequestValidationError as error:
                found = validation_errors(error.errors())
                return _refused("invalid-request", found[0]["detail"], found[0]["pointer"], errors=found)
            except InvalidError as error:
                return _refused(error.code, error.message, error.pointer)
            except CredentialError as error:
                body = problem_of(error)
                return _refused(error.code, body["detail"], error.pointer, type=_type_of_error(error))

        return answer


router = APIRouter(prefix="/vc", tags=["W3C VC API"], route_class=VcApiRoute)


def _allowed(
    desk: DeskHere, address: Address, header: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]
) -> None:
    """Let the caller pass: with the token if the settings require one, otherwise within fair limits."""
    token = desk.runtime.settings.vc_api_token
    if token is None:
        desk.vc_api_fair_use.take(address, desk.steady())
    else:
        callers.require_shared(token.get_secret_value(), header.credentials if header else None)


ALLOWED = [Depends(_allowed)]
Options = Annotated[dict[str, Any] | None, Field(None, description="unknown members are passed over")]


class IssueIn(BaseModel):
    """An unsigned credential and how to issue it."""

    credential: dict[str, Any]
    options: Options


class VerifyCredentialIn(BaseModel):
    """A credential with proof, an enveloped one, or a compact JWT."""

    verifiable_credential: dict[str, Any] | str = Field(alias="verifiableCredential")
    options: Options


class VerifyPresentationIn(BaseModel):
    """A presentation with proof, an enveloped one, or a compact JWT.

    `presentation` is one without proof.
    """

    verifiable_presentation: dict[str, Any] | str | None = Field(None, alias="verifiablePresentation")
    presentation: dict[str, Any] | None = None
    options: Options

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.verifiable_presentation is None) == (self.presentation is None):
            raise ValueError("expected one of verifiablePresentation and presentation")
        return self


class StatusIn(BaseModel):
    """Which credential, which of its statuses, and the value to set."""

    model_config = {"extra": "allow"}


@router.post("/credentials/issue", status_code=201, dependencies=ALLOWED)
def post_issue(runtime: Running, body: IssueIn) -> JSONResponse:
    """Sign a credential of VC Data Model 2.0 or 1.1 with a key of the service's own.

    The issuer's id becomes the `did:key` of that key. Options: `cryptosuite`, `keyType`, `created`, `credentialStatus`
    and `credentialId`.
    """
    options = vc_api.read_options(runtime.settings, body.options or {}, runtime.now())
    return JSONResponse({"verifiableCredential": vc_api.issue(runtime, body.credential, options)}, 201)


@router.post("/credentials/verify", dependencies=ALLOWED)
def post_verify_credential(runtime: Running, body: VerifyCredentialIn) -> Response:
    """Verify a credential of any issuer: 200, or 400 with the reasons against it."""
    outcome = vc_api.verify_credential(runtime, _text(body.verifiable_credential), body.options or {})
    return _answered(outcome, "The credential does not verify")


@router.post("/presentations/verify", dependencies=ALLOWED)
def post_verify_presentation(runtime: Running, body: VerifyPresentationIn) -> Response:
    """Verify a presentation and every credential in it: 200, or 400 with the reasons against it.

    Options: `challenge` and `domain`, as the caller set them. A `presentation` without proof only wraps credentials,
    which are verified by themselves.
    """
    signed = body.verifiable_presentation
    received = _text(body.presentation or {} if signed is None else signed)
    outcome, within = vc_api.verify_shown(runtime, received, body.options or {}, unsigned=signed is None)
    credentials = [{"verified": one.verified, "checks": [check.to_json() for check in one.checks]} for one in within]
    return _answered(outcome, "The presentation does not verify", credentials=credentials)


@router.post("/credentials/status", dependencies=ALLOWED)
def post_status(runtime: Running, body: StatusIn) -> JSONResponse:
    """Revoke or suspend a credential that was issued here, or undo that.

    The status list is signed at once.
    """
    return JSONResponse({"updated": vc_api.set_status(runtime, body.model_extra or {})})


def _text(sent: dict[str, Any] | str) -> str:
    return sent if isinstance(sent, str) else json.dumps(sent)


def _answered(outcome: vc_api.VerificationOutcome, otherwise: str, **more: Any) -> Response:
    checks = [check.to_json() for check in outcome.checks]
    if outcome.verified:
        warnings = [_detail("", found) for found in outcome.warnings]
        return JSONResponse({"verified": True, "problemDetails": warnings, "checks": checks, **more})
    details = [
        _detail(_type_of(check, found), found)
        for outcome_name in ("failed", "undecided")
        for check in outcome.checks
        if check.outcome == outcome_name
        for found in check.findings or (Finding("not-decided", f"expected {check.name} to be found out, got nothing"),)
    ]
    first = details[0]
    members = {"verified": False, "problemDetails": details, "checks": checks, **more}
    return _refused(first["code"], f"{otherwise}: {first['detail']}", first["pointer"], type=first["type"], **members)


def _detail(type_address: str, found: Finding) -> dict[str, Any]:
    detail = found.message[:1].upper() + found.message[1:] + "."
    address = type_address or DATA_MODEL + "MALFORMED_VALUE_ERROR"
    title = address.partition("#")[2].replace("_", " ").capitalize()
    return {"type": address, "title": title, "code": found.code, "detail": detail, "pointer": found.pointer}


def _type_of(check: Check, found: Finding) -> str:
    if check.name == "status" and check.outcome == "undecided":
        return TYPES_OF_CODES.get(found.code, STATUS_LIST + "STATUS_RETRIEVAL_ERROR")
    return TYPES_OF_CODES.get(found.code) or TYPES_OF_CHECKS.get(check.name, DATA_MODEL + "MALFORMED_VALUE_ERROR")


def _type_of_error(error: CredentialError) -> str:
    usual = SECURITY + "PROOF_GENERATION_ERROR" if isinstance(error, UnsupportedError) else ""
    return TYPES_OF_CODES.get(error.code) or usual or DATA_MODEL + "MALFORMED_VALUE_ERROR"


def _refused(code: str, detail: str, pointer: str, **members: Any) -> ProblemResponse:
    body = {"type": DATA_MODEL + "MALFORMED_VALUE_ERROR", "title": "Not accepted"} | members
    return ProblemResponse(problem(400, code, detail, pointer) | body, 400)
