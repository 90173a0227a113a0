"""Bundles to download: of our credentials at an address, of any others by a form."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from credentials import CredentialError, parse_json, reading
from service.checking import verification
from service.checking.api_desk import Address, DeskHere
from service.checking.desk import Desk
from service.checking.keeping import bundles
from service.errors import NotFoundError, ServiceError, TooManyRequestsError
from service.public import documents
from service.public.api import FIVE_MINUTES
from service.texts.languages import N_
from service.web.conditional import IfNoneMatch, is_named
from service.web.costly import CostlyRoute
from service.web.file_names import disposition, file_name
from service.web.openapi import also, given_as
from service.web.rendering import page_headers, render
from service.web.visitor_language import Speaking

router = APIRouter(tags=["public addresses"], route_class=CostlyRoute)

ATTACHED = {"Content-Disposition": f'attachment; filename="{bundles.FILE_NAME}"', "X-Content-Type-Options": "nosniff"}


@router.get(
    "/credentials/{credential_id}.bundle",
    response_class=Response,
    responses=given_as({bundles.MEDIA_TYPE: bundles.BundleIn}) | also(410),
)
def get_credential_bundle(
    desk: DeskHere, address: Address, credential_id: str, if_none_match: IfNoneMatch = None
) -> Response:
    """Give a credential as a bundle: one file with every document that a check asks for.

    `laurel verify` checks it with the network unplugged. Its entity tag depends on what is in it, not on when it was
    made. Has fair limits (429 with `Retry-After`).
    """
    with desk.fair_use.turn(address, desk.steady):
        found = bundles.of_ours(desk.runtime, credential_id)
    if found is None:
        with desk.runtime.database.read() as session:
            documents.refuse_erased(session, credential_id)
        raise NotFoundError("credential-unknown", "No credential is published at this address.")
    headers = {"ETag": found.etag, "Cache-Control": f"public, max-age={FIVE_MINUTES}", "X-Robots-Tag": "noindex"}
    if is_named(found.etag, if_none_match):
        return Response(status_code=304, headers=headers)
    badge = parse_json(found.credential)
    name = reading.only_text(reading.achievement(badge).get("name")) if isinstance(badge, dict) else ""
    headers["Content-Disposition"] = disposition("attachment", file_name(name, "bundle.json"))
    return Response(found.to_bytes(), media_type=bundles.MEDIA_TYPE, headers=ATTACHED | headers)


async def _sent(request: Request) -> tuple[bytes, bool]:
    """Return the badge to bundle, and whether others may be asked for what belongs to it alone."""
    async with request.form(max_files=0, max_fields=4) as form:
        received, evidence = form.get("received"), form.get("evidence")
    # A browser sends each line break as two characters; a bundle holds the text as its issuer wrote it.
    text = received.strip().replace("\r\n", "\n") if isinstance(received, str) else ""
    return text.encode(), evidence == "on"


@router.post("/verify/bundle", include_in_schema=False)
def post_bundle(
    desk: DeskHere, address: Address, language: Speaking, sent: Annotated[tuple[bytes, bool], Depends(_sent)]
) -> Response:
    """Give the bundle of a badge of any issuer that was checked; keep nothing."""
    received, evidence = sent
    try:
        with desk.fair_use.turn(address, desk.steady):
            content = bundles.make(desk.runtime, _had(desk, address, received), evidence=evidence).to_bytes()
    except (ServiceError, CredentialError) as error:
        status = 429 if isinstance(error, TooManyRequestsError) else 422
        page = render(
            "notice.html",
            language=language,
            status=status,
            back="/verify",
            title=N_("No bundle could be made"),
            sentence=error.message,
        )
        page.headers["Cache-Control"] = "no-store"
        return page
    return Response(
        content, media_type=bundles.MEDIA_TYPE, headers=page_headers() | ATTACHED | {"Cache-Control": "no-store"}
    )


def _had(desk: Desk, address: str, received: bytes) -> bytes:
    if received[:8].lower().startswith((b"https://", b"http://")):
        return verification.look_up(desk.runtime, received.decode(), desk.allowance(address)).body
    return received
