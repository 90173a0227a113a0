"""Check that a document's signature holds, and that the right key made it.

The signature is a JWT or proofs; the right key is that of the issuer or holder. These are two separate questions,
because anybody can make a signature that holds, with a key of their own.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

from credentials.checks.inquiry import CLOCK_ALLOWANCE, CLOCK_SKEW, WHOSE_CLOCK, Inquiry
from credentials.checks.received import Secured
from credentials.errors import (
    ContextError,
    CredentialError,
    MalformedError,
    ProofError,
    UnavailableError,
    UnsupportedError,
    shown,
)
from credentials.findings import Finding
from credentials.graph.canonicalize import context_faults
from credentials.graph.documents import Contexts
from credentials.instants import write_instant
from credentials.proofs import claims, jose
from credentials.proofs.data_integrity import check_proof, previous_proofs, proofs_of, read_options
from credentials.proofs.dids import ResolvedKey, find_published, resolve_key
from credentials.report import Check, concluded, finding_of
from credentials.strict_json import pointer


@dataclass(frozen=True)
class Expected:
    """What a signature must be: by whom, for what purpose, and for whom.

    Args:
        member: the member of the document that names who must have signed; also the name of that check.
        purpose: what the key must be published for.
        challenge: what the asker gave; the signature must contain it.
        domain: whom the signature must be addressed to.
    """

    member: Literal["issuer", "holder"] = "issuer"
    purpose: str = "assertionMethod"
    challenge: str | None = None
    domain: str | None = None

    @property
    def addressed(self) -> bool:
        """Whether it matters for whom the signature was made.

        For a credential it matters only if the asker says so.
        """
        return self.member == "holder" or self.challenge is not None or self.domain is not None


ASSERTION: Final = Expected()
"""What is asked of a credential: that its issuer asserts it, to everybody."""


@dataclass(frozen=True)
class Provenance:
    """The two checks, and what the proof covers.

    Args:
        owner: the check named after `Expected.member`: "issuer" or "holder".
        covers_text: every character is covered (a JWT, or a proof over JSON), not only what it means as RDF.
        faults: what `faults_of` finds in the credential, if that was already found out.
    """

    proof: Check
    owner: Check
    covers_text: bool = False
    faults: Sequence[CredentialError] | None = None


def check_provenance(secured: Secured, inquiry: Inquiry, expected: Expected = ASSERTION) -> Provenance:
    """Return whether the signature holds and the issuer's (or holder's) key made it.

    1. A JWT: its header and claims are as its form wants, and its signature fits.
    2. Otherwise proofs: every one of a supported suite holds, and so does every proof that it was made after. One of an
       unsupported suite is ignored only if another one holds.
    3. At least one key that holds is published by the issuer itself, for the expected purpose, and is in force. If a
       presentation names no holder, the key is its controller's, for that purpose.

    Spec: Open Badges 3.0, section on proofs; VC Data Integrity 1.0, sections 4.4 and 4.5; VC-JOSE-COSE, section 3.
    """
    if secured.jwt is not None:
        proof, keys = _check_jwt(secured.jwt, secured, inquiry, expected)  # (1)
        owner = _check_owner(proof, keys, secured, inquiry, expected)
        return Provenance(proof, owner, covers_text=True)
    return _check_proofs(secured, inquiry, expected)  # (2)


def faults_of(credential: Mapping[str, Any], contexts: Contexts) -> Sequence[CredentialError]:
    """Return what the contexts leave undefined in the credential.

    Its proofs are not looked at, of whatever suites they are.
    """
    unsecured = {name: value for name, value in credential.items() if name != "proof"}
    try:
        return context_faults(unsecured, contexts)
    except CredentialError as error:
        return [error]


# --- (1) JWT ---------------------------------------------------------------------------------------------------------


def _check_jwt(
    jwt: jose.Jwt, secured: Secured, inquiry: Inquiry, expected: Expected
) -> tuple[Check, list[ResolvedKey]]:
    remarks: list[Finding] = []
    failed, undecided = _signature_period(jwt, inquiry.now, expected)
    if expected.member == "holder":
        failed += claims.presentation_findings(jwt, secured.credential)
    else:
        failed += [*jose.header_findings(jwt), *claims.claim_findings(jwt, secured.credential)]
    if expected.addressed:
        try:
            remarks += _addressed(expected, jwt.payload.get("nonce"), claims.audience_of(jwt), ("nonce", "aud"))
        except ProofError as error:
            failed.append(finding_of(error))
    keys: list[ResolvedKey] = []
    try:
        if jwt.key_id is not None:
            keys.append(resolve_key(jwt.key_id, inquiry.load, issuer=secured.id_of(expected.member)))
        elif (embedded := jwt.embedded_key) is not None:
            keys.append(ResolvedKey(embedded, ""))
        for resolved in keys:
            jose.check_jwt(jwt, resolved.key)
    except (UnavailableError, UnsupportedError) as error:
        undecided.append(finding_of(error))
    except CredentialError as error:
        failed.append(finding_of(error))
    if jwt.key_id is None and jwt.embedded_key is None and not failed:
        failed.append(Finding("jwt-key-missing", "expected kid or jwk in the header, got neither"))
    return concluded("proof", failed=failed, undecided=undecided, remarks=remarks), keys


def _signature_period(jwt: jose.Jwt, now: datetime, expected: Expected) -> tuple[list[Finding], list[Finding]]:
    """Return what is wrong with the dates of the signature, and what leaves open whose clock is wrong.

    In Open Badges' form they are the credential's own dates, and nothing is returned.
    """
    findings: list[Finding] = []
    undecided: list[Finding] = []
    if jwt.form != "vc-jose-cose" and expected.member == "issuer":
        return findings, undecided
    starts, ends = (jwt.payload.get(name) for name in ("nbf", "exp"))
    if isinstance(starts, int | float) and starts > (now + CLOCK_ALLOWANCE).timestamp():
        findings.append(Finding("jwt-not-yet-valid", "expected a signature in force, got one of the future", "/nbf"))
    elif isinstance(starts, int | float) and starts > (now + CLOCK_SKEW).timestamp():
        message = f"expected a signature in force, got one of the future: {WHOSE_CLOCK}"
        undecided.append(Finding("jwt-not-yet-valid", message, "/nbf"))
    if isinstance(ends, int | float) and ends <= now.timestamp():
        findings.append(Finding("jwt-expired", "expected a signature in force, got one that has ended", "/exp"))
    return findings, undecided


# --- (2) Proofs ------------------------------------------------------------------------------------------------------


@dataclass
class _Tried:
    """What was found about the proofs of one document."""

    failed: list[Finding] = field(default_factory=list)
    undecided: list[Finding] = field(default_factory=list)
    unsupported: list[Finding] = field(default_factory=list)
    remarks: list[Finding] = field(default_factory=list)
    keys: list[ResolvedKey] = field(default_factory=list)
    over_text: bool = False
    over_graph: bool = False


def _check_proofs(secured: Secured, inquiry: Inquiry, expected: Expected) -> Provenance:
    document, tried = secured.credential, _Tried()
    try:
        proofs = proofs_of(document)
    except CredentialError as error:
        return Provenance(concluded("proof", failed=[finding_of(error, "/proof")]), Check(expected.member, "skipped"))
    holding: list[Mapping[str, Any]] = []
    faults: Sequence[CredentialError] | None = None
    for index, proof in enumerate(proofs):
        where = f"/proof/{index}" if isinstance(document["proof"], list) else "/proof"
        try:
            key, remarks = _check_one(secured, proof, inquiry, expected, tried)
            tried.keys.append(key)
            for found in remarks:
                told = tried.undecided if found.code == "proof-from-future" else tried.remarks
                told.append(Finding(found.code, found.message, where + found.pointer))
            holding.append(proof)
        except UnavailableError as error:
            tried.undecided.append(finding_of(error, where))
        except UnsupportedError as error:
            tried.unsupported.append(finding_of(error, where))
        except (ContextError, MalformedError) as error:
            faults = faults_of(document, inquiry.contexts) if faults is None else faults
            if faults:
                message = "expected a document that has one meaning, got one whose contexts leave some of it open"
                tried.undecided.append(Finding("proof-not-checked", message, where))
            else:
                tried.failed.append(finding_of(error, where))
        except CredentialError as error:
            tried.failed.append(finding_of(error, where))
    for proof in holding:
        if not all(any(earlier is one for one in holding) for earlier in previous_proofs(document, proof)):
            message = "expected every proof that another was made after to hold, got one that could not be checked"
            tried.undecided.append(Finding("previous-proof-not-checked", message, "/proof"))
    if not tried.keys:
        tried.undecided += tried.unsupported
    remarks = [*tried.remarks, *(tried.unsupported if tried.keys else ())]
    check = concluded("proof", failed=tried.failed, undecided=tried.undecided, remarks=remarks)
    owner = _check_owner(check, tried.keys, secured, inquiry, expected)
    covers_text = tried.over_text and not tried.over_graph
    return Provenance(check, owner, covers_text, () if tried.over_graph else faults)


def _check_one(
    secured: Secured, proof: Mapping[str, Any], inquiry: Inquiry, expected: Expected, tried: _Tried
) -> tuple[ResolvedKey, list[Finding]]:
    """Return the key under which this proof holds, and remarks.

    Raise the fault if it does not hold, or is not what was expected.
    """
    options, document = read_options(proof), secured.credential
    previous_proofs(document, proof)
    if options.purpose != expected.purpose:
        message = f"expected the purpose {expected.purpose}, got {shown(options.purpose)}"
        raise ProofError("proof-purpose", message, "/proofPurpose")
    remarks: list[Finding] = []
    if expected.addressed:
        remarks = _addressed(expected, options.challenge, options.domains, ("challenge", "domain"))
    if options.created is not None and options.created > inquiry.now + CLOCK_SKEW:
        message = f"expected a proof of the past, got one of {write_instant(options.created)}"
        if options.created > inquiry.now + CLOCK_ALLOWANCE:
            raise ProofError("proof-from-future", message, "/created")
        remarks.append(Finding("proof-from-future", f"{message}: {WHOSE_CLOCK}", "/created"))
    if options.expires is not None and options.expires <= inquiry.now:
        ended = write_instant(options.expires)
        raise ProofError("proof-expired", f"expected a proof in force, got one that ended at {ended}", "/expires")
    resolved = resolve_key(options.verification_method, inquiry.load, issuer=secured.id_of(expected.member))
    if options.suite.canonicalization == "jcs":
        check_proof(document, proof, resolved.key, inquiry.contexts, inquiry.canonical)
        tried.over_text = True
        return resolved, remarks
    try:
        check_proof(document, proof, resolved.key, inquiry.contexts, inquiry.canonical)
    except (ContextError, ProofError) as error:
        if error.code not in {"signature-invalid", "undefined-term", "undefined-type"}:
            raise
        # A context may have been changed at its address since; a signature over an earlier edition stays good.
        if not any(_holds(document, proof, resolved, contexts, inquiry) for contexts in inquiry.older(document)):
            raise
    tried.over_graph = True
    return resolved, remarks


def _holds(
    document: Mapping[str, Any], proof: Mapping[str, Any], resolved: ResolvedKey, contexts: Contexts, inquiry: Inquiry
) -> bool:
    try:
        check_proof(document, proof, resolved.key, contexts, inquiry.canonical)
    except UnavailableError:
        raise  # then nobody knows
    except CredentialError:
        return False
    return True


# --- For whom it was made ---------------------------------------------------------------------------------------------


def _addressed(
    expected: Expected, challenge: object, domains: Collection[object], members: tuple[str, str]
) -> list[Finding]:
    """Return remarks on a signature that gives the expected challenge and domain.

    Raise if it does not. A signature that was made for somebody else proves nothing to us: anyone who was shown it
    could show it here. A challenge that nobody here has set does no harm.
    """
    at_challenge, at_domain = (pointer(member) for member in members)
    if expected.challenge is not None and challenge is None:
        raise ProofError("challenge-missing", "expected the challenge that was set, got none", at_challenge)
    if expected.challenge is not None and challenge != expected.challenge:
        raise ProofError("challenge-other", "expected the challenge that was set, got another one", at_challenge)
    if expected.domain is not None and not domains:
        raise ProofError("domain-missing", f"expected the domain {shown(expected.domain)}, got none", at_domain)
    if expected.domain is not None and any(domain != expected.domain for domain in domains):
        raise ProofError("domain-other", f"expected the domain {shown(expected.domain)} alone, got another", at_domain)
    if expected.domain is None and domains:
        message = f"expected a presentation for anybody, got one for {shown(next(iter(domains)))}"
        raise ProofError("domain-unexpected", message, at_domain)
    if expected.challenge is None and challenge is not None:
        message = "expected no challenge, for none was named, got one that was not compared"
        return [Finding("challenge-not-compared", message, at_challenge)]
    return []


# --- (3) The owner's own key ------------------------------------------------------------------------------------------


def _check_owner(
    proof: Check, keys: Sequence[ResolvedKey], secured: Secured, inquiry: Inquiry, expected: Expected
) -> Check:
    """Return whether a key under which a proof holds is that of the named owner.

    The owner is whom the document names as issuer or holder.
    """
    name, owner = expected.member, secured.id_of(expected.member)
    if proof.outcome == "failed" or (owner is None and name == "issuer"):
        return Check(name, "skipped")  # there is no one to ask about
    failed: list[Finding] = []
    undecided: list[Finding] = []
    where = "" if owner is None else pointer(name)
    for resolved in keys:
        named = owner or resolved.controller
        try:
            own = resolved if named is None else _own_key(resolved, named, inquiry, expected, secured.jwt is not None)
            _check_in_force(own, inquiry.now)
        except (UnavailableError, UnsupportedError) as error:
            undecided.append(finding_of(error, where))
        except CredentialError as error:
            failed.append(finding_of(error, where))
        else:
            return Check(name, "skipped" if owner is None else "passed")
    if undecided or proof.outcome == "undecided":
        return Check(name, "undecided", tuple(undecided))
    return Check(name, "failed", tuple(failed))


def _own_key(resolved: ResolvedKey, owner: str, inquiry: Inquiry, expected: Expected, in_jwt: bool) -> ResolvedKey:
    """Return the key as its owner publishes it.

    Raise if it is not the owner's, or if that cannot be found out. In a proof the key's controller must be the owner. A
    key at an address of its own, and any key that a JWT names, may also stand in the owner's document or in the JWK Set
    of the owner's host.
    """
    purpose = expected.purpose
    if resolved.belongs_to(owner, purpose):
        return resolved
    if resolved.controller in {owner, None}:
        _check_in_force(resolved, inquiry.now)  # taken back, which says more than that it is listed no longer
    if resolved.controller is not None and not in_jwt:
        use = "assertions" if purpose == "assertionMethod" else purpose
        message = f"expected a key of {shown(owner)} for {use}, got one of {shown(resolved.controller)}"
        if resolved.controller == owner:
            message = f"expected a key that {shown(owner)} lists under {purpose}, got one that it does not"
        raise ProofError("key-not-issuers" if expected.member == "issuer" else "key-not-holders", message)
    try:
        return find_published(owner, resolved.key, inquiry.load, purpose=purpose)
    except ProofError as error:
        if expected.member == "issuer" or error.code != "key-not-issuers":
            raise
        raise ProofError("key-not-holders", error.message) from error


def _check_in_force(key: ResolvedKey, now: datetime) -> None:
    for ended_at, code in ((key.revoked_at, "key-revoked"), (key.expires_at, "key-expired")):
        if ended_at is not None and ended_at <= now:
            message = (
                f"expected a key that its issuer still stands for, got one that ended at {write_instant(ended_at)}"
            )
            raise ProofError(code, message)
