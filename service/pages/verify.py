"""The page where one pastes or drops a badge and reads in plain words what was checked and what was not."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from starlette.datastructures import UploadFile

from credentials import CredentialError, Report
from service import verification
from service.api.requests import Running
from service.errors import ServiceError, TooManyRequestsError
from service.pages.rendering import domain, render
from service.pages.speaking import Speaking
from service.pages.words import in_words
from service.runtime import Runtime

router = APIRouter(include_in_schema=False)


@router.get("/verify")
def get_verify(language: Speaking) -> Response:
    """Show the form."""
    return render("verify.html", language=language, indexed=True, report=None, problem=None)


async def _form(request: Request) -> tuple[list[bytes], str]:
    """Return what was pasted and what was chosen, as far as given, and the recipient to compare with."""
    async with request.form(max_files=1, max_fields=5) as form:
        file, text, recipient = form.get("file"), form.get("received"), form.get("recipient")
        pasted = text.strip().encode() if isinstance(text, str) else b""
        chosen = await file.read() if isinstance(file, UploadFile) else b""
    return [given for given in (pasted, chosen) if given], recipient.strip() if isinstance(recipient, str) else ""


@router.post("/verify")
def post_verify(
    request: Request,
    running: Running,
    language: Speaking,
    sent: Annotated[tuple[list[bytes], str], Depends(_form)],
) -> Response:
    """Check what was given and show the report; nothing of it is kept."""
    given, recipient = sent
    if len(given) != 1:
        problem = (
            "A text and a file were given, which may be two badges. Give one of them."
            if given
            else "Nothing was given. Paste a link, JSON or a JWT, or choose a file."
        )
        return render("verify.html", language=language, status=422, report=None, problem=problem)
    try:
        running.fair_use.take(request.client.host if request.client else "", running.steady())
        report = _report(running, given[0], recipient or None)
    except (ServiceError, CredentialError) as error:
        status = 429 if isinstance(error, TooManyRequestsError) else 422
        return render("verify.html", language=language, status=status, report=None, problem=error.message)
    return render(
        "verify.html",
        language=language,
        report=report,
        problem=None,
        words=in_words(report),
        shown=_shown(running, report),
        raw=json.dumps(report.to_json(), ensure_ascii=False, indent=2),
    )


def _report(running: Runtime, received: bytes, recipient: str | None) -> Report:
    if received[:8].lower().startswith((b"https://", b"http://")):
        return verification.verify_address(running, received.decode("utf-8", "replace"), recipient)
    return verification.verify_received(running, received, recipient)


def _shown(running: Runtime, report: Report) -> dict[str, Any] | None:
    """Return what the credential says of itself, as far as it can be read.

    A picture is shown only where it is ours or inside the credential: fetching it would tell the issuer of the visit.
    """
    found = report.credential if isinstance(report.credential, dict) else {}
    subject = _part(found, "credentialSubject")
    achievement = _part(subject, "achievement")
    if not achievement:
        return None
    issuer = found.get("issuer")
    issuer_id = _text(issuer if isinstance(issuer, str) else _part(found, "issuer").get("id"))
    picture = _text(_part(achievement, "image").get("id"))
    ours = picture.startswith((running.settings.base_url + "/", "data:image/png;base64,", "data:image/svg+xml;base64,"))
    return {
        "name": _text(achievement.get("name")) or "Badge without a name",
        "description": _text(achievement.get("description")),
        "issuer": _text(_part(found, "issuer").get("name")) or issuer_id or "nobody",
        "issuer_domain": domain(issuer_id) if issuer_id.startswith(("https://", "did:web:")) else "",
        "awarded": _date(found.get("awardedDate") or found.get("validFrom") or found.get("issuanceDate")),
        "until": _date(found.get("validUntil") or found.get("expirationDate")),
        "picture": picture if ours else "",
    }


def _part(value: dict[str, Any], name: str) -> dict[str, Any]:
    part = value.get(name)
    return part if isinstance(part, dict) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _date(value: Any) -> str:
    return value if isinstance(value, str) and value[:4].isdigit() and "T" in value else ""
