"""Compare the evidence that a badge cites, in our rows or at its addresses.

Each finding is yielded as a reason of `comparison.REASONS`, which decides which one is shown.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from credentials import CredentialError, Load, Report, UnavailableError, parse_json, reading
from credentials.checks.digests import read_digests, resources_of
from service.checking.basis import policy
from service.runtime.runtime import Runtime

if TYPE_CHECKING:
    from service.checking.basis.our_records import OwnBadge
    from service.storage.database import ReadSession

MAX_ITEMS: Final = 200
"""How many items of evidence of one badge are compared."""
MAX_FETCHED: Final = 5
"""How many addresses are asked for the evidence of one badge of another issuer."""


def here(session: "ReadSession", credential: Mapping[str, Any], own: "OwnBadge", *, ask: bool) -> Iterator[str]:
    """Compare the seals and the receipt of a badge issued here with our rows.

    Yield each reason.
    """
    from service.checking.basis import our_records
    from service.evidence.records import identifier

    item = policy.receipt_item(credential)
    told: dict[UUID, str] = {}
    if item is not None and own.receipt is not None:
        if not policy.fits(item, own.receipt.encode()):
            yield "evidence-changed"
        else:
            named = policy.told_by(reading.only_object(parse_json(own.receipt)))
            told = {found: digest for name, digest in named.items() if (found := identifier(name)) is not None}
    elif item is not None:
        yield "evidence-not-on-record"
    seals = policy.seals_of(credential)
    if not policy.cites_some(credential):
        told = {record_id: digest for record_id, digest in told.items() if digest in seals}
    if seals:
        file_bytes = our_records.MAX_FILE_BYTES_ASKED if ask else our_records.MAX_FILE_BYTES
        yield from our_records.compare(session, own, seals, told, file_bytes=file_bytes)


def with_others(credential: Mapping[str, Any], *, ask: bool, load: Load) -> Iterator[str]:
    """Compare the evidence of another issuer's badge, item by item.

    Fetch it only if `ask`; yield each reason.
    """
    items = reading.evidence(credential)
    known = [each.get("id") for _, each in resources_of(credential) if policy.has_digest(each)][:MAX_ITEMS]
    left = MAX_FETCHED
    for item in items[:MAX_ITEMS]:
        address = item.get("id")
        elsewhere = isinstance(address, str) and address.lower().startswith(("https://", "http://"))
        if policy.has_digest(item):
            private = not elsewhere or policy.is_within(credential, address)
            if private or not ask or left == 0:
                yield "evidence-with-issuer" if private else "evidence-too-many" if ask else "evidence-not-asked"
                continue
            left -= 1
            yield _compared(item, str(address), load)
        elif address not in known:
            linked = elsewhere and not policy.is_within(credential, address)
            yield "evidence-without-digest" if linked else "evidence-only-told"
    if len(items) > MAX_ITEMS:
        yield "evidence-too-many"


def _compared(item: Mapping[str, Any], address: str, load: Load) -> str:
    try:
        read_digests(item)
    except CredentialError:
        return "evidence-fingerprint-unknown"
    try:
        body = load(address.partition("#")[0]).body
    except UnavailableError:
        return "evidence-not-reached"
    return "evidence-unchanged" if policy.fits(item, body) else "evidence-changed"


def related(runtime: Runtime, credential: Mapping[str, Any], report: Report) -> Iterator[str]:
    """Yield what the report says of a badge's related resources.

    Contexts are not evidence.
    """
    check = next(each for each in report.checks if each.name == "resources")
    codes = {finding.pointer: finding.code for finding in check.findings}
    for where, resource in resources_of(credential):
        address = resource.get("id")
        if not isinstance(address, str) or address in runtime.contexts or not policy.has_digest(resource):
            continue
        code = next((code for place, code in codes.items() if f"{place}/".startswith(f"{where}/")), None)
        if code == "digest-mismatch":
            yield "evidence-changed"
        elif code == "resource-not-asked":
            yield "evidence-not-asked"
        elif code in ("digest-malformed", "digest-unsupported"):
            yield "evidence-fingerprint-unknown"
        elif code is not None or check.outcome == "skipped":
            yield "evidence-not-reached"
        else:
            yield "evidence-too-many" if "/relatedResource" in codes else "evidence-unchanged"
