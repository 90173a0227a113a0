"""Check the status and the dates of a credential: whether it is good now."""

from collections.abc import Mapping
from typing import Any, Final

from credentials.checks.inquiry import CLOCK_ALLOWANCE, WHOSE_CLOCK, Inquiry
from credentials.checks.provenance import check_provenance
from credentials.checks.received import Secured, read
from credentials.errors import CredentialError, StatusError, UnavailableError, UnsupportedError, shown
from credentials.findings import Finding
from credentials.instants import read_instant, write_instant
from credentials.model.form import check_form, is_remark
from credentials.reading import is_a, listed
from credentials.report import Check, concluded, finding_of
from credentials.status import is_listed, message_of, read_entry, subject_of_list
from credentials.strict_json import MAX_BYTES

MAX_ENTRIES: Final = 8
"""How many status entries of one credential are looked at."""
_LISTS: Final = frozenset({"BitstringStatusListEntry", "1EdTechRevocationList"})


def has_list(credential: Mapping[str, Any]) -> bool:
    """Return whether the credential names a status list.

    Such a list gives the status of many credentials at once.
    """
    return any(is_a(entry, name) for entry in listed(credential.get("credentialStatus")) for name in _LISTS)


def check_status(secured: Secured, inquiry: Inquiry) -> Check:
    """Return what the status lists say about the credential.

    All its entries are looked at.

    1. BitstringStatusListEntry: the list is a credential whose proof holds and which has not expired; the bits of this
       credential in it are read. It counts because the signed credential names its address. So another issuer may have
       signed it, which is a remark; but not if it was brought along with the credential. If it has the id of another
       list, or is shorter than lists must be, it can only speak against the credential.
    2. 1EdTechRevocationList: the document at the address is read.
    3. Anything else is not known here: *undecided*.

    Revoked and suspended is *failed*. A message that is set is a remark, because its meaning is a matter between the
    issuer and its readers. What cannot be fetched, is no list (such as the page of a parked domain) or is out of date
    is *undecided*: an old list may lack what was revoked since.

    Spec: Bitstring Status List v1.0, section 3.2; 1EdTech Revocation List 1.0; Open Badges 3.0, on verification.
    """
    value = secured.credential.get("credentialStatus")
    if value is None or value == []:
        return Check("status", "skipped")
    entries = listed(value)
    failed: list[Finding] = []
    undecided: list[Finding] = []
    remarks: list[Finding] = []
    if len(entries) > MAX_ENTRIES:
        message = f"expected at most {MAX_ENTRIES} status entries, got {len(entries)}"
        undecided.append(Finding("status-too-many", message, "/credentialStatus"))
    for index, entry in enumerate(entries[:MAX_ENTRIES]):
        where = f"/credentialStatus/{index}" if isinstance(value, list) else "/credentialStatus"
        try:
            remarks += [finding_of(error, where) for error in _read(entry, secured, inquiry)]
        except (UnavailableError, UnsupportedError) as error:
            undecided.append(finding_of(error, where))
        except CredentialError as error:
            failed.append(finding_of(error, where))
    return concluded("status", failed=failed, undecided=undecided, remarks=remarks)


def _read(entry: object, secured: Secured, inquiry: Inquiry) -> list[CredentialError]:
    """Return remarks on a status; raise if the credential is revoked or suspended."""
    kind = entry.get("type") if isinstance(entry, Mapping) else None
    if is_a(entry, "BitstringStatusListEntry"):  # (1)
        return _read_bit(entry, secured, inquiry)
    if is_a(entry, "1EdTechRevocationList"):  # (2)
        return _read_listing(entry, secured, inquiry)
    raise UnsupportedError(
        "status-type-unsupported", f"expected a type of status that is known here, got {shown(kind)}", "/type"
    )  # (3)


def _read_bit(entry: Mapping[str, Any], secured: Secured, inquiry: Inquiry) -> list[CredentialError]:
    address, purpose = entry.get("statusListCredential"), entry.get("statusPurpose")
    if not isinstance(address, str):
        message = f"expected statusListCredential to be an address, got {shown(address)}"
        raise StatusError("status-entry-malformed", message, "/statusListCredential")
    inquiry.spend_on_entry()
    found = _fetch_list(address, inquiry)
    status = read_entry(entry, found.credential)
    if status and purpose == "revocation":
        raise StatusError("credential-revoked", "expected a credential that stands, got one that was revoked")
    if status and purpose == "suspension":
        raise StatusError("credential-suspended", "expected a credential that stands, got one that is suspended")
    if found.credential.get("id", address) != address:
        message = f"expected the list that the credential names, got one with the id {shown(found.credential['id'])}"
        raise UnavailableError("status-list-other", message, "/statusListCredential")
    remarks: list[CredentialError] = []
    if found.issuer_id != secured.issuer_id:
        message = f"the status list is signed by {shown(found.issuer_id)}, and not by the credential's issuer"
        if inquiry.carried:  # then the one who brought it along may have written it
            raise UnavailableError("status-list-issuer", message, "/statusListCredential")
        remarks.append(StatusError("status-list-signer", message, "/statusListCredential"))
    if status and purpose not in {"message", "refresh"}:
        message = f"expected a purpose whose meaning is known here, got {shown(purpose)}, which is set"
        raise UnsupportedError("status-purpose-unsupported", message, "/statusPurpose")
    if status:
        text = f"the issuer's {purpose} for this credential is {shown(message_of(entry, status))}"
        remarks.append(StatusError("status-message", text, "/statusPurpose"))
    return remarks


def _fetch_list(address: str, inquiry: Inquiry) -> Secured:
    """Return the list at an address; raise if there is none, or none that is good now."""
    where = "/statusListCredential"
    fetched = inquiry.load(address)
    inquiry.spend(fetched.body.decode("latin-1"))
    try:
        found = read(fetched.body)
    except CredentialError as error:
        raise UnavailableError("status-list-malformed", f"status list: {error.message}", where) from error
    subject_of_list(found.credential)
    provenance = check_provenance(found, inquiry)
    for check in (provenance.proof, provenance.owner):
        reason = check.findings[0].message if check.findings else "its key could not be looked up"
        if check.outcome == "failed":
            raise StatusError("status-list-proof", f"status list: {reason}", where)
        if check.outcome != "passed":
            raise UnavailableError("status-list-undecided", f"status list: {reason}", where)
    for finding in check_form(found.credential):  # a host could hide the end of a list from us, and serve it for ever
        if is_remark(finding, found.credential):
            continue
        message = f"status list, {finding.pointer}: {finding.message}"
        raise UnavailableError("status-list-malformed", message, where)
    period = check_validity(found.credential, inquiry)
    if period.outcome in {"failed", "undecided"}:
        raise UnavailableError("status-list-outdated", f"status list: {period.findings[0].message}", where)
    return found


def _read_listing(entry: Mapping[str, Any], secured: Secured, inquiry: Inquiry) -> list[CredentialError]:
    address = entry.get("id")
    if not isinstance(address, str):
        raise StatusError("status-entry-malformed", f"expected id to be an address, got {shown(address)}", "/id")
    fetched = inquiry.load(address)
    try:
        document = fetched.json(MAX_BYTES)
    except CredentialError as error:
        raise UnavailableError("status-list-malformed", f"revocation list: {error.message}", "/id") from error
    if is_listed(document, secured.credential.get("id"), secured.issuer_id or ""):
        raise StatusError("credential-revoked", "expected a credential that stands, got one that was revoked", "/id")
    return []


def check_validity(credential: Mapping[str, Any], inquiry: Inquiry) -> Check:
    """Return whether now is within the dates of the credential.

    The first instant counts as within, the last one does not. A beginning within `CLOCK_ALLOWANCE` is *undecided*.
    Malformed dates are reported by the check of the form.

    Spec: VC Data Model 2.0, section 4.9 (validity period); VC Data Model 1.1, sections 4.6 and 4.7.
    """
    starts = next((name for name in ("validFrom", "issuanceDate") if name in credential), "")
    ends = next((name for name in ("validUntil", "expirationDate") if name in credential), "")
    starts_at, ends_at = read_instant(credential.get(starts)), read_instant(credential.get(ends))
    if starts_at is None and ends_at is None:
        return Check("validity", "skipped")
    failed, undecided = [], []
    if starts_at is not None and starts_at > inquiry.now:
        message = f"expected a credential of now, got one that begins at {write_instant(starts_at)}"
        if starts_at > inquiry.now + CLOCK_ALLOWANCE:
            failed.append(Finding("credential-not-yet-valid", message, f"/{starts}"))
        else:
            message += f": it is to begin then, or {WHOSE_CLOCK}"
            undecided.append(Finding("credential-not-yet-valid", message, f"/{starts}"))
    if ends_at is not None and ends_at <= inquiry.now:
        message = f"expected a credential of now, got one that ended at {write_instant(ends_at)}"
        failed.append(Finding("credential-expired", message, f"/{ends}"))
    return concluded("validity", failed=failed, undecided=undecided)
