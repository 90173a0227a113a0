"""The W3C VC API: sign any credential with a key of its own, and verify any.

It is for machines. It knows nothing of networks, achievements or awards, and signs as no network.

Spec: W3C CCG Verifiable Credentials API; VC Data Model 2.0 and 1.1; VC Data Integrity 1.0; VC-JOSE-COSE.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final, get_args

from credentials import (
    Check,
    CredentialError,
    Finding,
    MalformedError,
    reading,
    sign,
    sign_jwt,
    verify,
    verify_presentation,
)
from credentials.checks.received import Secured, read, read_presentation
from credentials.instants import read_instant
from credentials.model.form import check_form, is_remark
from credentials.model.values import V1_CONTEXT, V2_CONTEXT
from credentials.proofs.claims import audience_of
from credentials.proofs.data_integrity import proofs_of
from credentials.report import verdict_of
from service.checking import our_copies, verification
from service.errors import InvalidError, NotFoundError
from service.runtime.cpu_time import CpuTime, working
from service.runtime.runtime import Runtime
from service.runtime.settings import Settings, VcApiKeyType, VcApiSuite
from service.vc_api import status
from service.vc_api.keys import VcApiIssuer, identity

DATA_INTEGRITY_CONTEXT: Final = "https://w3id.org/security/data-integrity/v2"
STATUS_CONTEXT: Final = "https://www.w3.org/ns/credentials/status/v1"
KEY_TYPES: Final[Mapping[str, tuple[str, ...]]] = {
    "eddsa-rdfc-2022": ("Ed25519",),
    "eddsa-jcs-2022": ("Ed25519",),
    "ecdsa-rdfc-2019": ("P-256", "P-384"),
    "ecdsa-jcs-2019": ("P-256", "P-384"),
    "vc+jwt": ("P-256", "P-384", "Ed25519"),
}
"""The kinds of keys that each suite takes, the usual one first."""

_ENTRY_TYPES: Final = frozenset({"BitstringStatusListEntry", "BitstringStatusList"})


@dataclass(frozen=True)
class IssueOptions:
    """How to issue a credential.

    Args:
        suite: a cryptosuite, or "vc+jwt" for an enveloped credential.
        created: the instant that the proof names.
        purposes: the purposes of the statuses that it gets; empty for no status.
        credential_id: by which to name it later, in place of its own id.
        previous_proof: the ids of those of its proofs that this one follows.
    """

    suite: str
    key_type: str
    created: datetime
    purposes: tuple[str, ...] = ()
    credential_id: str | None = None
    previous_proof: str | list[str] | None = None


def read_options(settings: Settings, options: Mapping[str, Any], now: datetime) -> IssueOptions:
    """Return how to issue: by the caller's options, and by the settings where there are none.

    Known are `cryptosuite` (also `suite`), `type`, `keyType`, `created`, `proofPurpose`, `previousProof`,
    `credentialStatus` ({statusPurpose}, or several) and `credentialId`. Others are for other software and are ignored.

    Raises:
        InvalidError: a value that is not supported (code "option-unsupported"), with a pointer.
    """
    suite = _choice(options, ("cryptosuite", "suite"), settings.vc_api_suite, get_args(VcApiSuite))
    if suite != "vc+jwt" and options.get("type", "DataIntegrityProof") != "DataIntegrityProof":
        raise _unsupported("type", "DataIntegrityProof")
    preferred = settings.vc_api_key_type if settings.vc_api_key_type in KEY_TYPES[suite] else KEY_TYPES[suite][0]
    key_type = _choice(options, ("keyType",), preferred or "", get_args(VcApiKeyType))
    if key_type not in KEY_TYPES[suite]:
        raise _unsupported("keyType", f"one of {', '.join(KEY_TYPES[suite])} for {suite}")
    if options.get("proofPurpose", "assertionMethod") != "assertionMethod":
        raise _unsupported("proofPurpose", "assertionMethod")
    created = now if options.get("created") is None else read_instant(options["created"])
    if created is None:
        raise _unsupported("created", "a date and time with a zone")
    (credential_id,) = _texts(options, "credentialId")
    previous = options.get("previousProof")
    if previous is not None and not (
        isinstance(previous, str) or (isinstance(previous, list) and all(isinstance(one, str) for one in previous))
    ):
        raise _unsupported("previousProof", "a string or an array of strings")
    return IssueOptions(suite, key_type, created, _purposes(settings, options), credential_id, previous)


def issue(runtime: Runtime, credential: Mapping[str, Any], options: IssueOptions) -> dict[str, Any]:
    """Secure a credential: add a proof, or put it in an envelope.

    1. Its form is checked; what `verify` would reject is not signed.
    2. Its issuer is that of the key: a credential under another name would be nobody's.
    3. A credential of VC Data Model 1.1 that has no proof yet gets the contexts that define its proof and status.
    4. If asked, it gets a status; one that it brings stays.
    5. It is signed.

    Raises:
        MalformedError, ContextError, ProofError, UnsupportedError: as `credentials.sign`; there is no issuer (code
            "member-missing"; the sentence names the key's).
        InvalidError: it is another's (code "issuer-other"; the sentence names the key's).
        CustodyError: the key cannot be used.
    Spec: VC API, section on issuing; VC Data Integrity 1.0, section 4.2; VC-JOSE-COSE, section 3.1.1.
    """
    owner = identity(runtime, options.key_type)
    if "issuer" not in credential:
        raise MalformedError("member-missing", f"expected {owner.did} as issuer, got none", "/issuer")
    for finding in check_form(credential):  # (1)
        if not is_remark(finding, credential):
            raise MalformedError(finding.code, finding.message, finding.pointer)
    if reading.id_of(credential["issuer"]) != owner.did:  # (2)
        raise InvalidError("issuer-other", f"Expected {owner.did} as issuer, got another.", "/issuer")
    if "proof" in credential:
        return _secure(runtime, credential, owner, options)
    document = dict(credential)
    _add_context(document, DATA_INTEGRITY_CONTEXT)  # (3)
    if "credentialStatus" in document or not options.purposes:
        return _secure(runtime, document, owner, options)
    _add_context(document, STATUS_CONTEXT)
    while True:  # (4)
        places = [status.draw(runtime, options.key_type, purpose) for purpose in options.purposes]
        entries = [
            status.entry(runtime, place, purpose) for place, purpose in zip(places, options.purposes, strict=True)
        ]
        document["credentialStatus"] = entries[0] if len(entries) == 1 else entries
        secured = _secure(runtime, document, owner, options)
        try:
            status.take_places(runtime, places, options.credential_id or document.get("id"))
        except status.PlaceTakenError:
            continue
        return secured


def _secure(
    runtime: Runtime, document: Mapping[str, Any], owner: VcApiIssuer, options: IssueOptions
) -> dict[str, Any]:  # (5)
    method, contexts = owner.verification_method, runtime.inline_contexts
    if options.suite == "vc+jwt":
        token = sign_jwt(document, owner.signer, kid=method, contexts=contexts, form="vc-jose-cose")
        return {
            "@context": V2_CONTEXT,
            "id": f"data:application/vc+jwt,{token}",
            "type": "EnvelopedVerifiableCredential",
        }
    signed = sign(
        document,
        owner.signer,
        verification_method=method,
        created=options.created,
        suite=options.suite,
        contexts=contexts,
        further=True,
        previous_proof=options.previous_proof,
    )
    if len(signed["proof"]) == 1:  # the form that most others write and some require
        signed["proof"] = signed["proof"][0]
    return signed


def _add_context(document: dict[str, Any], context: str) -> None:
    """Add to a document of VC Data Model 1.1 a context that 2.0 includes."""
    contexts = document["@context"]
    if contexts[0] == V1_CONTEXT and context not in contexts:
        document["@context"] = [*contexts, context]


# --- Verification ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class VerificationOutcome:
    """The result of a verification: success or not, and nothing between.

    What could not be decided (a context, key, suite, schema, resource or status that is unknown or out of reach, a
    document that its proof leaves ambiguous) is not success. What the issuer leaves to others is only a warning:
    unknown types of schemas, evidence and terms, and a newer copy that cannot be fetched.

    Args:
        checks: those of the report.
        warnings: findings that do not prevent success.
    """

    verified: bool
    checks: tuple[Check, ...]
    warnings: tuple[Finding, ...] = ()


def verify_credential(runtime: Runtime, received: str, options: Mapping[str, Any]) -> VerificationOutcome:
    """Verify that a credential is genuine and in force, with every check.

    Args:
        received: JSON text, or a compact JWT.
        options: `expectedProofPurpose`, `challenge` and `domain`, if the caller wants them compared; `checks` and
            others are for other software: no check is left out.
    Raises:
        InvalidError: one of these is not a string (code "option-unsupported").
    Spec: VC API, section on verifying; VC Data Model 2.0, section 7.1; VC Data Integrity 1.0, section 4.4.
    """
    purpose, challenge, domain = _texts(options, "expectedProofPurpose", "challenge", "domain")
    with _working(runtime):
        report = verify(
            received,
            now=runtime.now(),
            load=partial(verification.load, runtime),
            contexts=runtime.inline_contexts,
            purpose=purpose or "assertionMethod",
            challenge=challenge,
            domain=_addressee(read, received) if challenge is not None and domain is None else domain,
            time_left=CpuTime().left,
        )
    if report.credential is not None:
        report = our_copies.compare(runtime, report, read(received))
    return _outcome(report.checks)


def verify_shown(
    runtime: Runtime, received: str, options: Mapping[str, Any], *, unsigned: bool = False
) -> tuple[VerificationOutcome, list[VerificationOutcome]]:
    """Verify that a presentation is its holder's, is for the caller, and holds only good credentials.

    Args:
        received: JSON text, or a compact JWT.
        options: `challenge` and `domain` as the caller set them. Without a domain, the one that the presentation names
            is not compared: this service does not know for whom the caller asks.
        unsigned: whether it has no proof and only wraps credentials, which are verified by themselves.
    Returns:
        The result for the whole, and for each credential in it.
    Raises:
        InvalidError: a challenge or domain that is not a string (code "option-unsupported").
    Spec: VC API, section on verifying presentations; VC Data Model 2.0, section 4.13.
    """
    challenge, domain = _texts(options, "challenge", "domain")
    with _working(runtime):
        report = verify_presentation(
            received,
            now=runtime.now(),
            load=partial(verification.load, runtime),
            contexts=runtime.inline_contexts,
            challenge=challenge,
            domain=_addressee(read_presentation, received) if domain is None else domain,
            unsigned=unsigned,
            time_left=CpuTime().left,
        )
    report = our_copies.compare_presented(runtime, report)
    return _outcome(report.checks), [_outcome(one.checks) for one in report.credentials]


def _working(runtime: Runtime) -> AbstractContextManager[None]:
    """Work as one of few threads; callers with a token do not wait for those without."""
    return working() if runtime.settings.vc_api_token is None else nullcontext()


def _addressee(taken_apart: Callable[[str], Secured], received: str) -> str | None:
    """Return for whom a document says that its proof was made: the first name, if there is one."""
    try:
        secured = taken_apart(received)
        named: list[Any] = (
            [proof["domain"] for proof in proofs_of(secured.credential) if "domain" in proof]
            if secured.jwt is None
            else audience_of(secured.jwt)
        )
    except CredentialError:
        return None  # the report says what is wrong
    first = named[0] if named else None
    if isinstance(first, list) and first:
        first = first[0]
    return first if isinstance(first, str) else None


def _outcome(checks: tuple[Check, ...]) -> VerificationOutcome:
    verified = verdict_of(checks) == "verified"
    return VerificationOutcome(
        verified, checks, tuple(found for check in checks for found in check.findings) if verified else ()
    )


# --- Status ----------------------------------------------------------------------------------------------------------


def set_status(runtime: Runtime, body: Mapping[str, Any]) -> int:
    """Revoke or suspend what was issued here, or undo that.

    Return how many credentials changed.

    The body is `{credentialId, credentialStatus: {type, statusPurpose, statusListCredential?, statusListIndex?}, status}`.
    The place in the list names a credential that has no id. Without `status` the status is set.

    Raises:
        InvalidError: it is not such a body (code "status-unsupported"), with a pointer.
        NotFoundError: no such credential was issued here with a status (code "credential-unknown").
    Spec: VC API, section on updating status.
    """
    wanted = body.get("credentialStatus")
    if not isinstance(wanted, Mapping):
        raise InvalidError("status-unsupported", "Expected credentialStatus to be an object.", "/credentialStatus")
    if not _ENTRY_TYPES.intersection(reading.texts(wanted.get("type"))):
        message = "Expected the type BitstringStatusListEntry, got another."
        raise InvalidError("status-unsupported", message, "/credentialStatus/type")
    purpose, value, credential_id = wanted.get("statusPurpose"), body.get("status", True), body.get("credentialId")
    if not isinstance(purpose, str) or purpose not in status.PURPOSES:
        message = f"Expected the purpose {' or '.join(status.PURPOSES)}, got another."
        raise InvalidError("status-unsupported", message, "/credentialStatus/statusPurpose")
    if not isinstance(value, bool):
        raise InvalidError("status-unsupported", "Expected status to be true or false.", "/status")
    if credential_id is not None and not isinstance(credential_id, str):
        raise InvalidError("status-unsupported", "Expected credentialId to be a string.", "/credentialId")
    place = status.place_at(runtime, wanted.get("statusListCredential"), wanted.get("statusListIndex"))
    if place is None and ("statusListCredential" in wanted or "statusListIndex" in wanted):
        raise NotFoundError("credential-unknown", "No credential was issued here with this place in a status list.")
    if credential_id is None and place is None:
        message = "Expected credentialId, or statusListCredential and statusListIndex, got neither."
        raise InvalidError("status-unsupported", message, "/credentialId")
    return status.change(runtime, purpose, credential_id=credential_id, place=place, value=value)


# --- Options ---------------------------------------------------------------------------------------------------------


def _choice(options: Mapping[str, Any], names: tuple[str, ...], usual: str, known: tuple[str, ...]) -> str:
    for name in names:
        value = options.get(name)
        if value is not None:
            if value not in known:
                raise _unsupported(name, f"one of {', '.join(known)}")
            return str(value)
    return usual


def _purposes(settings: Settings, options: Mapping[str, Any]) -> tuple[str, ...]:
    asked = options.get("credentialStatus")
    if asked is None:
        return ("revocation",) if settings.vc_api_status else ()
    found: list[str] = []
    for one in reading.listed(asked):
        purpose = one.get("statusPurpose", "revocation") if isinstance(one, Mapping) else None
        if purpose not in status.PURPOSES or purpose in found:
            raise _unsupported("credentialStatus", f"statusPurpose {' or '.join(status.PURPOSES)}, each once")
        if "type" in one and not _ENTRY_TYPES.intersection(reading.texts(one["type"])):
            raise _unsupported("credentialStatus", "the type BitstringStatusListEntry")
        found.append(purpose)
    return tuple(found)


def _texts(options: Mapping[str, Any], *names: str) -> list[str | None]:
    values = [options.get(name) for name in names]
    for name, value in zip(names, values, strict=True):
        if value is not None and not isinstance(value, str):
            raise _unsupported(name, "a string")
    return values


def _unsupported(name: str, expected: str) -> InvalidError:
    return InvalidError("option-unsupported", f"Expected {name} to be {expected}, got another.", f"/options/{name}")
