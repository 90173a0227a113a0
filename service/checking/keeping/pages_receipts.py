"""Receipts of a check to download: a signed record, or a PDF of one page."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request, Response

from credentials import CredentialError
from service.checking import check
from service.checking.api_desk import Address, DeskHere
from service.checking.check import Checked
from service.checking.desk import Desk
from service.checking.keeping import receipts
from service.errors import CustodyError, ServiceError, TooManyRequestsError
from service.public.documents import CREDENTIAL
from service.texts import sentences
from service.texts.languages import N_, Language
from service.web.costly import CostlyRoute
from service.web.rendering import render
from service.web.visitor_language import Speaking

router = APIRouter(include_in_schema=False, route_class=CostlyRoute)

MAX_FIELDS, MAX_RECIPIENT = 6, 500
NOT_MADE = N_("No receipt could be made")


@dataclass(frozen=True)
class ReceiptForm:
    """The form of a receipt: as that of `/verify`, with the link or text of one credential."""

    received: str
    recipient: str
    evidence: bool


async def _asked(request: Request) -> ReceiptForm:
    async with request.form(max_files=0, max_fields=MAX_FIELDS) as form:
        received, recipient = form.get("received"), form.get("recipient")
        return ReceiptForm(
            # A browser sends each line break as two characters; the digest is of the text as its issuer wrote it.
            received.replace("\r\n", "\n") if isinstance(received, str) else "",
            recipient.strip()[:MAX_RECIPIENT] if isinstance(recipient, str) else "",
            form.get("evidence") == "on",
        )


@router.post("/verify/receipt.{form}")
def post_check_receipt(
    desk: DeskHere,
    address: Address,
    language: Speaking,
    form: Literal["json", "pdf"],
    asked: Annotated[ReceiptForm, Depends(_asked)],
) -> Response:
    """Check the credential now, and give the signed record of the check; keep nothing."""
    try:
        with desk.fair_use.turn(address, desk.steady):
            signed = receipts.issue(desk.runtime, _checked(desk, address, asked), language)
            content = receipts.pdf(signed, language) if form == "pdf" else signed
    except (ServiceError, CredentialError) as error:
        return _not_made(language, error)
    headers = {
        "Content-Disposition": f'attachment; filename="{receipts.file_name(signed, form)}"',
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(content, headers=headers, media_type=CREDENTIAL if form == "json" else "application/pdf")


def _not_made(language: Language, error: ServiceError | CredentialError) -> Response:
    status = 429 if isinstance(error, TooManyRequestsError) else 503 if isinstance(error, CustodyError) else 422
    sentence = sentences.sentence(error.message)
    page = render("notice.html", language=language, status=status, back="/verify", title=NOT_MADE, sentence=sentence)
    page.headers["Cache-Control"] = "no-store"
    if isinstance(error, TooManyRequestsError):
        page.headers["Retry-After"] = str(error.details["retry_after_seconds"])
    return page


def _checked(desk: Desk, address: str, asked: ReceiptForm) -> Checked:
    given: dict[str, Any] = {
        "recipient": asked.recipient or None,
        "evidence": asked.evidence,
        "allowance": desk.allowance(address),
    }
    link = asked.received.strip()
    if link[:8].lower().startswith(("https://", "http://")):
        return check.check_address(desk, link, **given)
    return check.check(desk, asked.received, **given)
