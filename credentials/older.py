"""Verify a badge of Open Badges 2.0 or before.

The report is the same as on a credential of today. Such a badge is *hosted*, so that only its issuer's address can
confirm it, or *signed*. Both prove less than a credential of today: what an address says can be changed at any time,
and a signature does not cover the badge class.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from credentials.bake import extract, is_image
from credentials.checks import older
from credentials.checks.inquiry import CLOCK_ALLOWANCE, Inquiry, unhurried
from credentials.checks.older import Issuance
from credentials.checks.received import form_of
from credentials.checks.standing import check_validity
from credentials.errors import CredentialError, StatusError, UnavailableError, UnsupportedError, shown
from credentials.findings import Finding
from credentials.graph.documents import PACKAGED, Load
from credentials.model import badges2
from credentials.model.badges2 import Assertion
from credentials.proofs.jose import Jwt, check_jwt, decode_jwt
from credentials.recipient import matches
from credentials.report import NAMES, Check, Form, Older, Report, concluded, finding_of, verdict_of
from credentials.strict_json import MAX_VALUES, parse_json
from credentials.verify import check_recipient

MAX_ADDRESS: Final = 4000
_OF_TODAY: Final = '"credentialSubject"'
_NOWHERE: Final = Issuance({}, "", {})


@dataclass(frozen=True)
class OlderBadge:
    """A badge of the older standard as it was received; nothing in it is checked yet.

    Args:
        form: in which it came.
        document: what came; empty where only an address did.
        address: where its issuer keeps it, according to itself; "" if it does not say.
        jwt: the signed text, if it came as one.
    """

    form: Form
    document: Mapping[str, Any]
    address: str
    jwt: Jwt | None = None


def find_older(received: bytes | str, address: str = "") -> OlderBadge | None:
    """Return the badge of the older standard in what was received; None if it is something else.

    It comes as JSON or as a compact JWS, by itself or baked into a picture. Into a picture also its address alone may
    be baked.

    Args:
        address: where it was fetched, "" if it was not. It counts for a badge that does not say where it is kept.
    Spec: Open Badges 2.0, section on baking; Open Badges 1.1, the same.
    """
    form = form_of(received)
    try:
        content = received if isinstance(received, bytes) else received.encode("utf-8", "surrogatepass")
        text = extract(content) if is_image(content) else content.decode("utf-8-sig")
        if _OF_TODAY in text:
            return None
        if is_image(content) and len(text) <= MAX_ADDRESS and badges2.is_address(text.strip()):
            return OlderBadge(form, {}, text.strip())
        jwt = decode_jwt(text.strip()) if form_of(text) == "jwt" else None
        document = jwt.payload if jwt is not None else parse_json(text, max_values=MAX_VALUES)
    except (CredentialError, UnicodeError):
        return None
    if not isinstance(document, Mapping) or not (badges2.is_older(document) or (address and _only_revoked(document))):
        return None
    return OlderBadge(form, document, Assertion(document).address or address, jwt)


def _only_revoked(document: Mapping[str, Any]) -> bool:
    """Return whether a document says that a badge was revoked, and nothing else that a reader could know it by."""
    return badges2.is_revoked(document) and not document.keys() - {"id", "revoked", "revocationReason"}


def verify_older(
    received: OlderBadge,
    *,
    now: datetime,
    load: Load,
    recipient: str | None = None,
    time_left: Callable[[], float] = unhurried,
) -> Report:
    """Return the report on a badge of the older standard; bad input never raises.

    Of the checks in `report.NAMES`, these are made:

    1. subject: it names somebody who received it.
    2. proof: a signed badge is signed with a key that its issuer's profile lists. A hosted badge has no proof.
    3. issuer: the profile lies at the address that the badge class names, and lists the key, or addresses like the one
       at which the badge is kept.
    4. refresh: what came says the same as the issuer's address; *undecided* if not, because the address decides.
    5. status: the address does not say that it was revoked, or no list of the issuer does.
    6. validity and recipient: as for a credential of today.

    What is not as the older standard wants it, and does not decide, is let pass: nobody will issue it again.

    Args:
        now: aware; the instant for which the question is asked.
        load: gets the documents of the issuer. A hosted badge is asked for itself: nothing else can confirm it.
        recipient: e-mail address or other identifier of the person who shows it.
        time_left: as in `verify`.
    Spec: Open Badges 2.0, section on verification.
    """
    inquiry = Inquiry(now, PACKAGED, load, time_left=time_left)
    found = _Found(received, Assertion(received.document))
    if received.document and not (badges2.is_assertion(received.document) or badges2.is_revoked(received.document)):
        return _report(found, "description", inquiry, None)
    if received.jwt is not None:
        _look_at_signed(found, received.jwt, inquiry)
        return _report(found, "signed", inquiry, recipient)
    if found.assertion.kind == "signed":
        message = "expected the signed text of a badge that says it is signed, got what it says alone"
        found.undecided("proof", Finding("older-signature-missing", message))
        return _report(found, "signed", inquiry, recipient)
    _look_at_hosted(found, inquiry)
    return _report(found, "hosted", inquiry, recipient)


@dataclass
class _Found:
    """What is known of one badge so far."""

    received: OlderBadge
    assertion: Assertion
    issuance: Issuance = _NOWHERE
    checks: dict[str, Check] = field(default_factory=dict)

    def passed(self, name: str) -> None:
        self.checks[name] = Check(name, "passed")

    def undecided(self, name: str, *findings: Finding) -> None:
        self.checks[name] = concluded(name, undecided=findings)

    def failed(self, name: str, *findings: Finding) -> None:
        self.checks[name] = concluded(name, failed=findings)

    def refused(self, name: str, error: CredentialError) -> None:
        is_open = isinstance(error, UnavailableError | UnsupportedError)
        (self.undecided if is_open else self.failed)(name, finding_of(error))


def _report(found: _Found, kind: Any, inquiry: Inquiry, recipient: str | None) -> Report:
    assertion, issuance = found.assertion, found.issuance
    restated = badges2.restated(assertion, issuance.badge_class, issuance.profile, issuance.issuer)
    found.passed("parse")
    if kind != "description":
        found.checks["subject"] = _subject(assertion)
        found.checks["validity"] = _validity(assertion, restated, inquiry)
        found.checks["recipient"] = check_recipient(restated, recipient)
    checks = tuple(found.checks.get(name, Check(name, "skipped")) for name in NAMES)
    older_kind = Older(kind, found.received.address, restated)
    return Report(verdict_of(checks), checks, dict(assertion.document), found.received.form, older=older_kind)


def _subject(assertion: Assertion) -> Check:
    if not assertion.document or badges2.is_revoked(assertion.document):
        return Check("subject", "skipped")
    if assertion.identifier is not None:
        return Check("subject", "passed")
    message = "expected a badge that names who received it, got one that names nobody"
    return concluded("subject", undecided=[Finding("recipient-missing", message)])


def _validity(assertion: Assertion, restated: Mapping[str, Any], inquiry: Inquiry) -> Check:
    if assertion.is_dated:
        return check_validity(restated, inquiry)
    message = f"expected a date at which it ends, got {shown(assertion.document.get('expires'))}"
    return concluded("validity", undecided=[Finding("date-malformed", message)])


# --- Hosted ----------------------------------------------------------------------------------------------------------


def _look_at_hosted(found: _Found, inquiry: Inquiry) -> None:
    """Ask the issuer's address, which decides; then ask who the issuer is."""
    try:
        found.assertion, address = older.kept_at(found.received.address, inquiry)
    except StatusError as error:
        found.failed("status", finding_of(error))
        return
    except UnavailableError as error:
        found.undecided("status", finding_of(error))
        found.undecided("issuer", finding_of(error))
        return
    kept = found.assertion
    if badges2.is_revoked(kept.document):
        message = "expected a badge that stands, got one that its issuer's address calls revoked"
        found.failed("status", Finding("credential-revoked", message))
        if "badge" not in kept.document:  # no more is said of it, and what came alone names nobody for sure
            found.assertion = Assertion(found.received.document or kept.document)
            return
    else:
        found.passed("status")
        found.checks["refresh"] = _compared(found.received.document, kept)
    try:
        found.issuance = older.issuance_of(kept, inquiry, address)
    except UnavailableError as error:
        found.undecided("issuer", finding_of(error))
        return
    if badges2.within(found.issuance.profile, found.issuance.issuer, address):
        found.passed("issuer")
        return
    issuer = shown(found.issuance.issuer)
    message = f"expected a badge at an address of {issuer}, which it names as issuer, got one at {shown(address)}"
    found.failed("issuer", Finding("hosted-out-of-scope", message))


def _compared(document: Mapping[str, Any], kept: Assertion) -> Check:
    """Return whether what came says the same as what the address says, as far as both say it."""
    if not document:
        return Check("refresh", "skipped")
    differs = next(_differences(Assertion(document), kept), None)
    if differs is None:
        return Check("refresh", "passed")
    message = f"expected the {differs} that the issuer's address gives, got another, which does not count"
    return concluded("refresh", undecided=[Finding("hosted-differs", message)])


def _differences(given: Assertion, kept: Assertion) -> Iterator[str]:
    """Yield what differs, but for what programs write in several ways: case, queries, time zones."""
    if given.identifier is not None and kept.identifier is not None and not _is_same_person(given, kept):
        yield "recipient"
    classes = [badges2.secure(badges2.id_of(each.badge_class)).partition("?")[0] for each in (given, kept)]
    if all(classes) and classes[0] != classes[1]:
        yield "badge"
    for name, one, other in (("date", given.issued, kept.issued), ("end", given.expires, kept.expires)):
        if one is not None and other is not None and abs(one - other) > CLOCK_ALLOWANCE:
            yield name


def _is_same_person(given: Assertion, kept: Assertion) -> bool:
    one, other = given.identifier or {}, kept.identifier or {}
    if one["hashed"] == other["hashed"]:
        salts = {one["salt"], other["salt"]} if one["hashed"] else set()
        return len(salts) < 2 and str(one["identityHash"]).lower() == str(other["identityHash"]).lower()
    hashed, plain = (one, other) if one["hashed"] else (other, one)
    return matches({"identifier": hashed}, str(plain["identityHash"])) is not False


# --- Signed ----------------------------------------------------------------------------------------------------------


def _look_at_signed(found: _Found, jwt: Jwt, inquiry: Inquiry) -> None:
    """Ask who the issuer is, under which of its keys the signature holds, and whether it was revoked."""
    try:
        found.issuance = older.issuance_of(found.assertion, inquiry)
    except UnavailableError as error:
        found.undecided("proof", finding_of(error))
        found.undecided("issuer", finding_of(error))
        return
    if not _is_signed(found, jwt, inquiry):
        return
    found.passed("proof")
    found.passed("issuer")
    try:
        if older.check_list(found.assertion, found.issuance, inquiry):
            found.passed("status")
    except CredentialError as error:
        found.refused("status", error)


def _is_signed(found: _Found, jwt: Jwt, inquiry: Inquiry) -> bool:
    """Return whether the signature holds under one of the issuer's keys; note what is wrong otherwise."""
    errors: list[CredentialError] = []
    keys = older.keys_of(found.assertion, found.issuance, inquiry)
    try:
        for key in keys:
            try:
                check_jwt(jwt, key)
            except CredentialError as error:
                errors.append(error)
            else:
                return True
    except CredentialError as error:
        errors.append(error)
    undecided = [error for error in errors if isinstance(error, UnavailableError | UnsupportedError)]
    reason = (undecided or errors)[0]
    found.refused("issuer" if reason.code in _OF_KEYS else "proof", reason)
    return False


_OF_KEYS: Final = frozenset({"key-not-issuers", "controller-mismatch"})
