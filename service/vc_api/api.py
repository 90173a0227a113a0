"""Routes of the W3C VC API under /vc: issue, verify, and change a status.

They exist where a setting turns them on. What is not a credential, or does not verify, is 400 with problem details,
whose `type` is the specifications' own name for the problem. Members that this service does not know are ignored, since
other implementations have their own.
"""

import json
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Annotated, Any, Literal, Self

from fastapi import APIRouter, Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.security import HTTPAuthorizationCredentials
from pydantic import BaseModel, Field, model_validator
from pydantic_core import PydanticCustomError

from credentials import Check, CredentialError, Finding, MalformedError
from credentials.checks.received import form_of
from credentials.errors import UnsupportedError
from credentials.report import PRESENTATION_NAMES
from service.access import callers
from service.bodies import one_of
from service.checking.api_reports import CheckOut
from service.checking.desk import Desk
from service.errors import InvalidError
from service.vc_api import vc_api
from service.web.costly import CostlyRoute
from service.web.problems import ProblemResponse, invalid_problem, problem, problem_of
from service.web.requests import Answer, Running, StrictRoute, address_of, bearer, with_token

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


class VcApiRoute(CostlyRoute, StrictRoute):
    """A route of the VC API: an invalid request is 400, never 422.

    It is costly if anybody may call it. Test suites send hundreds of requests at once, which wait longer than others.
    """

    WAIT_SECONDS = 20.0

    def is_costly(self, request: Request) -> bool:
        """Return whether no token is asked for."""
        desk: Desk = request.app.state.desk
        return desk.runtime.settings.vc_api_token is None

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Give refusals the form that the VC API wants."""
        handler = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return await handler(request)
            except RequestValidationError as error:
                found = invalid_problem(error.errors(), self.body_shape)
                several = {"errors": found["errors"]} if "errors" in found else {}
                return _refused(found["code"], found["detail"], found.get("pointer", ""), **several)
            except InvalidError as error:
                return _refused(error.code, error.message, error.pointer)
            except CredentialError as error:
                body = problem_of(error)
                return _refused(error.code, body["detail"], error.pointer, type=_type_of_error(error))

        return answer


router = APIRouter(prefix="/vc", tags=["W3C VC API"], route_class=VcApiRoute)


async def _of_the_settings(secret: str, given: str) -> None:
    callers.require_shared(secret, given)


class _Allowed:
    """Lets the caller pass: with the token if the settings require one, otherwise within fair limits."""

    async def before_the_body(self, request: Request) -> None:
        """Let the caller's body be read, or refuse."""
        desk: Desk = request.app.state.desk
        token = desk.runtime.settings.vc_api_token
        if token is None:
            desk.vc_api_fair_use.take(address_of(request), desk.steady())
        else:
            await with_token(request, partial(_of_the_settings, token.get_secret_value()))

    def __call__(self, _header: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]) -> None:
        """Do nothing more; by this, the description of the API says that a token may be wanted."""


ALLOWED = [Depends(_Allowed())]
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
            raise PydanticCustomError("presentation-one", "Expected one of verifiablePresentation and presentation")
        return self


class StatusIn(BaseModel):
    """Which credential, which of its statuses, and the value to set."""

    model_config = {"extra": "allow"}


class IssuedOut(Answer):
    """A credential that was issued."""

    verifiable_credential: dict[str, Any] | str = Field(alias="verifiableCredential")


class DetailOut(Answer):
    """A problem, or a remark."""

    type: str
    title: str
    code: str
    detail: str
    pointer: str


class VerifiedOut(Answer):
    """That it verifies, with remarks."""

    verified: Literal[True]
    problem_details: list[DetailOut] = Field(alias="problemDetails")
    checks: list[CheckOut]


class CredentialWithinOut(Answer):
    """A credential in a presentation."""

    verified: bool
    checks: list[CheckOut]


class PresentationCheckOut(CheckOut):
    """One check of a presentation."""

    name: Annotated[str, one_of(PRESENTATION_NAMES)]


class PresentationVerifiedOut(Answer):
    """That a presentation verifies, with remarks, and each credential in it."""

    verified: Literal[True]
    problem_details: list[DetailOut] = Field(alias="problemDetails")
    checks: list[PresentationCheckOut]
    credentials: list[CredentialWithinOut]


class StatusSetOut(Answer):
    """That the status was set."""

    updated: int = Field(description="how many credentials changed")


@router.post("/credentials/issue", status_code=201, response_model=IssuedOut, dependencies=ALLOWED)
def issue_vc_credential(runtime: Running, body: IssueIn) -> JSONResponse:
    """Sign a credential of VC Data Model 2.0 or 1.1 with a key of the service's own.

    Its issuer must be the `did:key` of that key, which the refusal of any other names. Options: `cryptosuite`, `keyType`,
    `created`, `credentialStatus` and `credentialId`.
    """
    options = vc_api.read_options(runtime.settings, body.options or {}, runtime.now())
    return JSONResponse({"verifiableCredential": vc_api.issue(runtime, body.credential, options)}, 201)


@router.post("/credentials/verify", response_model=VerifiedOut, dependencies=ALLOWED)
def verify_vc_credential(runtime: Running, body: VerifyCredentialIn) -> Response:
    """Verify a credential of any issuer: 200, or 400 with the reasons against it."""
    received = _text(body.verifiable_credential, "/verifiableCredential")
    outcome = vc_api.verify_credential(runtime, received, body.options or {})
    return _answered(outcome, "The credential does not verify")


@router.post("/presentations/verify", response_model=PresentationVerifiedOut, dependencies=ALLOWED)
def verify_vc_presentation(runtime: Running, body: VerifyPresentationIn) -> Response:
    """Verify a presentation and every credential in it: 200, or 400 with the reasons against it.

    Options: `challenge` and `domain`, as the caller set them. A `presentation` without proof only wraps credentials,
    which are verified by themselves.
    """
    signed = body.verifiable_presentation
    received = _text(body.presentation or {} if signed is None else signed, "/verifiablePresentation")
    outcome, within = vc_api.verify_shown(runtime, received, body.options or {}, unsigned=signed is None)
    credentials = [{"verified": one.verified, "checks": [check.to_json() for check in one.checks]} for one in within]
    return _answered(outcome, "The presentation does not verify", credentials=credentials)


@router.post("/credentials/status", response_model=StatusSetOut, dependencies=ALLOWED)
def set_vc_status(runtime: Running, body: StatusIn) -> JSONResponse:
    """Revoke or suspend a credential that was issued here, or undo that.

    The status list is signed at once.
    """
    return JSONResponse({"updated": vc_api.set_status(runtime, body.model_extra or {})})


def _text(sent: dict[str, Any] | str, where: str) -> str:
    """Return what was sent as it is verified; a text that is no compact JWT is refused, such as an object in a text."""
    if isinstance(sent, str) and form_of(sent) != "jwt":
        raise MalformedError("jwt-malformed", "expected an object, or a compact JWT as text, got another text", where)
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
