"""Check a credential as it was received: an ordered list of named checks, each with one of four outcomes.

`verify` never raises for a bad credential. What cannot be looked up is *undecided*, never passed.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from credentials import jose
from credentials.bake import extract, is_image, media_type
from credentials.canonicalize import context_faults
from credentials.data_integrity import check_proof, previous_proofs, proofs_of, read_options
from credentials.dids import ResolvedKey, find_published, resolve_key
from credentials.documents import PACKAGED, Contexts, Load
from credentials.errors import (
    CredentialError,
    MalformedError,
    ProofError,
    StatusError,
    UnavailableError,
    UnsupportedError,
)
from credentials.findings import Finding
from credentials.instants import read_instant, write_instant
from credentials.model import check_form
from credentials.recipient import matches
from credentials.status import is_listed, message_of, read_entry
from credentials.strict_json import parse_json

Outcome = Literal["passed", "failed", "undecided", "skipped"]
Verdict = Literal["verified", "rejected", "undecided"]
Form = Literal["json", "jwt", "png", "svg"]

NAMES: Final = ("parse", "context", "schema", "subject", "proof", "issuer", "status", "validity", "recipient")
"""The checks, in the order of a report."""
MAX_STATUS_ENTRIES: Final = 8
CLOCK_SKEW: Final = timedelta(minutes=5)
_JWT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")


@dataclass(frozen=True)
class Check:
    """One question of the report, its outcome, and what was found on the way."""

    name: str
    outcome: Outcome
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class Report:
    """What came of a verification.

    `credential` is the credential as parsed, trusted or not; None where nothing could be read. `form` is how it came.
    """

    verdict: Verdict
    checks: tuple[Check, ...]
    credential: dict[str, Any] | None
    form: Form

    def to_json(self) -> dict[str, Any]:
        """Return `{verdict, form, checks: [{name, outcome, findings: [{code, message, pointer}]}], credential}`."""
        return {
            "verdict": self.verdict,
            "form": self.form,
            "checks": [
                {
                    "name": check.name,
                    "outcome": check.outcome,
                    "findings": [
                        {"code": found.code, "message": found.message, "pointer": found.pointer}
                        for found in check.findings
                    ],
                }
                for check in self.checks
            ],
            "credential": self.credential,
        }


@dataclass(frozen=True)
class _Secured:
    """A credential, and what secures it: the JWT around it, or the proofs in it."""

    credential: dict[str, Any]
    jwt: jose.Jwt | None


@dataclass(frozen=True)
class _Question:
    now: datetime
    load: Load
    contexts: Contexts


def verify(
    received: bytes | str,
    *,
    now: datetime,
    load: Load,
    contexts: Contexts = PACKAGED,
    recipient: str | None = None,
) -> Report:
    """Return the report on a credential as it was received.

    1. parse: JSON, a compact JWT, an enveloped credential, or a PNG or SVG with one of these inside.
    2. context: every term and type is defined by contexts that are known.
    3. schema: the form that VC Data Model and Open Badges ask for, without (4).
    4. subject: the same for `credentialSubject`.
    5. proof: every proof of a supported suite holds, or the JWT's signature and claims do.
    6. issuer: a proof that holds is by a key that the issuer itself publishes.
    7. status: no status list says that it is revoked or suspended.
    8. validity: `now` is within its dates.
    9. recipient: it was issued to `recipient`, where one is named.

    Args:
        received: as it came; at most 4 MiB.
        now: the instant for which the question is asked.
        load: gives DID documents, keys and status lists by address.
        contexts: what JSON-LD is read with; nothing else is.
        recipient: e-mail address, DID or other identifier of whoever shows the credential.
    Spec: Open Badges 3.0, section on verification; VC Data Model 2.0, section 7.1; VC Data Integrity 1.0, section 4.4.
    """
    form, secured, problem = _parse(received)  # (1)
    if secured is None:
        assert problem is not None
        rest = (Check(name, "skipped") for name in NAMES[1:])
        return Report("rejected", (Check("parse", "failed", (problem,)), *rest), None, form)
    asked = _Question(now, load, contexts)
    credential = secured.credential
    context = _check_context(credential, contexts)  # (2)
    schema, subject = _check_form(credential)  # (3) (4)
    proof, issuer = _check_proof(secured, asked)  # (5) (6)
    checks = (
        Check("parse", "passed"),
        context,
        schema,
        subject,
        proof,
        issuer,
        _check_status(credential, asked),  # (7)
        _check_validity(credential, now),  # (8)
        _check_recipient(credential, recipient),  # (9)
    )
    return Report(_verdict(checks), checks, credential, form)


def _verdict(checks: Sequence[Check]) -> Verdict:
    outcomes = {check.outcome for check in checks}
    return "rejected" if "failed" in outcomes else "undecided" if "undecided" in outcomes else "verified"


def _found(error: CredentialError) -> Finding:
    return Finding(error.code, error.message, error.pointer)


def _outcome(findings: Sequence[Finding], *, undecided: Sequence[Finding] = ()) -> tuple[Outcome, tuple[Finding, ...]]:
    if findings:
        return "failed", (*findings, *undecided)
    return ("undecided", tuple(undecided)) if undecided else ("passed", ())


# --- (1) parse -------------------------------------------------------------------------------------------------------


def _parse(received: bytes | str) -> tuple[Form, _Secured | None, Finding | None]:
    form: Form = "json"
    try:
        if isinstance(received, bytes) and is_image(received):
            form = "png" if media_type(received) == "image/png" else "svg"
            received = extract(received)
        text: bytes | str = received.strip()
        as_text = text if isinstance(text, str) else text.decode("ascii", "replace")
        if _JWT.fullmatch(as_text):
            return ("jwt" if form == "json" else form), _of_jwt(as_text), None
        value = parse_json(text)
        if not isinstance(value, dict):
            raise MalformedError("credential-malformed", "expected a JSON object, got another kind of value")
        types = value.get("type")
        if "EnvelopedVerifiableCredential" in (types if isinstance(types, list) else [types]):
            return form, _of_jwt(jose.open_envelope(value)), None
        return form, _Secured(value, None), None
    except CredentialError as error:
        return form, None, _found(error)


def _of_jwt(token: str) -> _Secured:
    jwt = jose.decode_jwt(token)
    return _Secured(jose.credential_of(jwt), jwt)


# --- (2) context, (3) schema, (4) subject ----------------------------------------------------------------------------


def _check_context(credential: Mapping[str, Any], contexts: Contexts) -> Check:
    try:
        faults = [_found(fault) for fault in context_faults(credential, contexts)]
    except CredentialError as error:
        faults = [_found(error)]
    unknown = [fault for fault in faults if fault.code == "context-unknown"]
    return Check("context", *_outcome([fault for fault in faults if fault not in unknown], undecided=unknown))


def _check_form(credential: Mapping[str, Any]) -> tuple[Check, Check]:
    findings = check_form(credential)
    subject = [found for found in findings if re.match(r"/credentialSubject(/|$)", found.pointer)]
    return (
        Check("schema", *_outcome([found for found in findings if found not in subject])),
        Check("subject", *_outcome(subject)),
    )


# --- (5) proof, (6) issuer -------------------------------------------------------------------------------------------


def _issuer_id(credential: Mapping[str, Any]) -> str | None:
    issuer = credential.get("issuer")
    found = issuer.get("id") if isinstance(issuer, Mapping) else issuer
    return found if isinstance(found, str) else None


def _check_proof(secured: _Secured, asked: _Question) -> tuple[Check, Check]:
    issuer = _issuer_id(secured.credential)
    if secured.jwt is not None:
        proof, key = _check_jwt(secured.jwt, secured.credential, issuer, asked)
        keys = [key] if key is not None else []
    else:
        proof, keys = _check_proofs(secured.credential, issuer, asked)
    if proof.outcome != "passed":
        return proof, Check("issuer", "undecided" if proof.outcome == "undecided" else "skipped")
    return proof, _check_issuer(issuer, keys, asked)


def _check_jwt(
    jwt: jose.Jwt, credential: Mapping[str, Any], issuer: str | None, asked: _Question
) -> tuple[Check, ResolvedKey | None]:
    findings = [*jose.header_findings(jwt), *jose.claim_findings(jwt, credential)]
    try:
        if jwt.key_id is not None:
            resolved = resolve_key(jwt.key_id, asked.load, issuer=issuer)
        elif (embedded := jwt.embedded_key) is not None:
            resolved = ResolvedKey(embedded, issuer or "")
        else:
            resolved = None
        if resolved is not None:
            jose.check_jwt(jwt, resolved.key)
            return Check("proof", *_outcome(findings)), resolved
    except (UnavailableError, UnsupportedError) as error:
        return Check("proof", *_outcome(findings, undecided=[_found(error)])), None
    except CredentialError as error:
        findings.append(_found(error))
    if not findings:
        findings = [Finding("jwt-key-missing", "expected kid or jwk in the header, got neither", "")]
    return Check("proof", *_outcome(findings)), None


def _check_proofs(document: Mapping[str, Any], issuer: str | None, asked: _Question) -> tuple[Check, list[ResolvedKey]]:
    """Check every proof; those of a suite that is unknown here do not count where another holds."""
    failed: list[Finding] = []
    undecided: list[Finding] = []
    unsupported: list[Finding] = []
    keys: list[ResolvedKey] = []
    try:
        proofs = proofs_of(document)
    except CredentialError as error:
        return Check("proof", "failed", (_found(error),)), []
    for place, proof in enumerate(proofs):
        where = f"/proof/{place}" if isinstance(document.get("proof"), list) else "/proof"
        try:
            keys.append(_check_one(document, proof, issuer, asked))
        except UnavailableError as error:
            undecided.append(Finding(error.code, error.message, where))
        except UnsupportedError as error:
            unsupported.append(Finding(error.code, error.message, where))
        except CredentialError as error:
            (undecided if error.code == "context-unknown" else failed).append(Finding(error.code, error.message, where))
    if failed:
        return Check("proof", "failed", tuple(failed)), []
    if keys and not undecided:
        return Check("proof", "passed", tuple(unsupported)), keys
    return Check("proof", "undecided", (*undecided, *unsupported)), []


def _check_one(
    document: Mapping[str, Any], proof: Mapping[str, Any], issuer: str | None, asked: _Question
) -> ResolvedKey:
    options = read_options(proof)
    previous_proofs(document, proof)
    if options.purpose != "assertionMethod":
        raise ProofError("proof-purpose", f"expected the purpose assertionMethod, got {options.purpose!r}")
    if options.created is not None and options.created > asked.now + CLOCK_SKEW:
        raise ProofError("proof-from-future", "expected a proof that was created in the past, got one of the future")
    if options.expires is not None and options.expires <= asked.now:
        raise ProofError(
            "proof-expired", f"expected a proof that still holds, got one until {write_instant(options.expires)}"
        )
    resolved = resolve_key(options.verification_method, asked.load, issuer=issuer)
    check_proof(document, proof, resolved.key, asked.contexts)
    return resolved


def _check_issuer(issuer: str | None, keys: Sequence[ResolvedKey], asked: _Question) -> Check:
    """Return whether one of the keys is the issuer's own, published by the issuer for assertions."""
    if issuer is None:
        return Check(
            "issuer", "failed", (Finding("issuer-missing", "expected an issuer with an id, got none", "/issuer"),)
        )
    failed: list[Finding] = []
    undecided: list[Finding] = []
    for key in keys:
        try:
            owned = key if key.belongs_to(issuer) else find_published(issuer, key.key, asked.load)
            for at, code in ((owned.revoked_at, "key-revoked"), (owned.expires_at, "key-expired")):
                if at is not None and at <= asked.now:
                    raise ProofError(code, f"expected a key in force, got one that ended at {write_instant(at)}")
        except (UnavailableError, UnsupportedError) as error:
            undecided.append(Finding(error.code, error.message, "/issuer"))
        except CredentialError as error:
            failed.append(Finding(error.code, error.message, "/issuer"))
        else:
            return Check("issuer", "passed")
    return Check("issuer", *(("undecided", tuple(undecided)) if undecided else ("failed", tuple(failed))))


# --- (7) status ------------------------------------------------------------------------------------------------------


def _check_status(credential: Mapping[str, Any], asked: _Question) -> Check:
    value = credential.get("credentialStatus")
    entries = value if isinstance(value, list) else [] if value is None else [value]
    if not entries:
        return Check("status", "skipped")
    if len(entries) > MAX_STATUS_ENTRIES:
        message = f"expected at most {MAX_STATUS_ENTRIES} status entries, got {len(entries)}"
        return Check("status", "failed", (Finding("status-too-many", message, "/credentialStatus"),))
    failed: list[Finding] = []
    undecided: list[Finding] = []
    for place, entry in enumerate(entries):
        where = f"/credentialStatus/{place}" if isinstance(value, list) else "/credentialStatus"
        try:
            _check_entry(credential, entry, asked)
        except (UnavailableError, UnsupportedError) as error:
            undecided.append(Finding(error.code, error.message, where))
        except CredentialError as error:
            failed.append(Finding(error.code, error.message, where))
    return Check("status", *_outcome(failed, undecided=undecided))


def _check_entry(credential: Mapping[str, Any], entry: Any, asked: _Question) -> None:
    """Return if the entry's list does not speak against the credential."""
    issuer = _issuer_id(credential) or ""
    kind = entry.get("type") if isinstance(entry, Mapping) else None
    kinds = kind if isinstance(kind, list) else [kind]
    if "BitstringStatusListEntry" in kinds:
        address = entry.get("statusListCredential")
        if not isinstance(address, str):
            raise StatusError("status-entry-malformed", "expected statusListCredential to be an address")
        status = read_entry(entry, _list_credential(address, issuer, asked))
        purpose = entry.get("statusPurpose")
        if status and purpose in {"revocation", "suspension"}:
            done = "revoked" if purpose == "revocation" else "suspended"
            raise StatusError(
                f"credential-{done}", f"expected a credential that stands, got one that its issuer {done}"
            )
        _ = message_of(entry, status)
    elif "1EdTechRevocationList" in kinds:
        address = entry.get("id")
        if not isinstance(address, str):
            raise StatusError("status-entry-malformed", "expected the id of the entry to be an address")
        if is_listed(parse_json(asked.load(address).body), credential.get("id"), issuer):
            raise StatusError(
                "credential-revoked", "expected a credential that stands, got one that its issuer revoked"
            )
    else:
        raise UnsupportedError("status-unsupported", "expected a kind of status that is known here, got another")


def _list_credential(address: str, issuer: str, asked: _Question) -> dict[str, Any]:
    """Return the list credential at `address`, once its own proof, issuer and dates hold."""
    fetched = asked.load(address)
    _, secured, problem = _parse(fetched.body)
    if secured is None:
        assert problem is not None
        raise StatusError("status-list-malformed", f"expected a status list credential: {problem.message}")
    found = secured.credential
    checks: tuple[Callable[[], Check | tuple[Check, Check]], ...] = (
        lambda: _check_context(found, asked.contexts),
        lambda: _check_proof(secured, asked),
        lambda: _check_validity(found, asked.now),
    )
    if _issuer_id(found) != issuer:
        raise StatusError("status-list-issuer", "expected the list of the credential's own issuer, got another's")
    for check in _flat(checks):
        if check.outcome == "failed":
            raise StatusError("status-list-not-verified", f"status list: {check.findings[0].message}")
        if check.outcome == "undecided":
            reason = check.findings[0].message if check.findings else "its key could not be looked up"
            raise UnavailableError("status-list-undecided", f"status list: {reason}")
    return found


def _flat(checks: Sequence[Callable[[], Check | tuple[Check, Check]]]) -> Iterator[Check]:
    for check in checks:
        found = check()
        yield from found if isinstance(found, tuple) else (found,)


# --- (8) validity, (9) recipient -------------------------------------------------------------------------------------


def _check_validity(credential: Mapping[str, Any], now: datetime) -> Check:
    start_name = "validFrom" if "validFrom" in credential else "issuanceDate"
    end_name = "validUntil" if "validUntil" in credential else "expirationDate"
    start, end = read_instant(credential.get(start_name)), read_instant(credential.get(end_name))
    findings = []
    if start is not None and start > now:
        message = f"expected a credential that is valid now, got one valid from {write_instant(start)}"
        findings.append(Finding("credential-not-yet-valid", message, f"/{start_name}"))
    if end is not None and end <= now:
        message = f"expected a credential that is valid now, got one valid until {write_instant(end)}"
        findings.append(Finding("credential-expired", message, f"/{end_name}"))
    if start is None and end is None:
        return Check("validity", "skipped")
    return Check("validity", *_outcome(findings))


def _check_recipient(credential: Mapping[str, Any], recipient: str | None) -> Check:
    if recipient is None:
        return Check("recipient", "skipped")
    subject = credential.get("credentialSubject")
    same = matches(subject, recipient) if isinstance(subject, Mapping) else None
    if same is None:
        message = "expected a recipient that can be compared, got none"
        return Check("recipient", "undecided", (Finding("recipient-not-named", message, "/credentialSubject"),))
    if not same:
        message = "expected the named recipient, got a credential that was issued to somebody else"
        return Check("recipient", "failed", (Finding("recipient-mismatch", message, "/credentialSubject"),))
    return Check("recipient", "passed")
