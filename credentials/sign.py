"""Sign a credential or presentation, if our own check would verify it.

Anything else is refused.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Literal

from credentials.checks.digests import compare, editions_of, read_digests, resources_of
from credentials.errors import CredentialError, MalformedError, UnsupportedError
from credentials.findings import Finding
from credentials.graph.canonicalize import canonicalize
from credentials.graph.documents import PACKAGED, Contexts
from credentials.instants import read_instant
from credentials.model.form import check_form, check_presentation_form, is_remark
from credentials.model.values import V1_CONTEXT
from credentials.proofs.claims import claims_of
from credentials.proofs.data_integrity import SUITES, create_proof, proofs_of
from credentials.proofs.jose import encode_jwt
from credentials.proofs.keys import Signer
from credentials.strict_json import pointer


def sign(
    credential: Mapping[str, Any],
    signer: Signer,
    *,
    verification_method: str,
    created: datetime,
    suite: str = "eddsa-rdfc-2022",
    contexts: Contexts = PACKAGED,
    further: bool = False,
    previous_proof: str | list[str] | None = None,
    proof_id: str | None = None,
) -> dict[str, Any]:
    """Return a copy of `credential` with a proof, in an array.

    The copy shares its members with `credential`.

    1. The form is checked: what `verify` would find fault with is not signed. So are the digests of related resources,
       as far as they can be compared here: those of contexts.
    2. The credential is canonicalized, for every suite: a term that no context defines would mean nothing to others.
    3. The proof is made.

    Args:
        credential: of VC Data Model 2.0 or 1.1 (the context of 1.1 leaves proofs to a context of data integrity, which
            the caller must have put in); without `proof`, unless `further`.
        verification_method: the full address under which the issuer publishes the signer's key.
        created: an aware instant; written in whole seconds of UTC.
        further: keep the proofs that are there, and add this one (a proof set).
        previous_proof: ids of existing proofs that this one is made after, and covers (a proof chain).
        proof_id: the id of this proof, so that another can be made after it.
    Raises:
        MalformedError: the first finding of the form check, with its code and pointer; or a proof that is there already
            (code "proof-present").
        ProofError: existing proofs that cannot stay ("proof-malformed", "proof-id-repeated", "proof-too-many"), or a
            previous one that is not there ("previous-proof-missing").
        ContextError: an unknown context, an undefined term or type, a relative address.
        UnsupportedError: an unknown suite ("suite-unsupported"), or one that does not take this key
            ("key-unsupported").
    Spec: VC Data Integrity 1.0, section 4.2 (add proof) and 4.3 (add proof set or chain); VC Data Model 2.0, section 4.
    """
    _check_form(credential, contexts)  # (1)
    if "proof" in credential and not further:
        raise MalformedError("proof-present", "expected a credential without proof, got one that has it", "/proof")
    existing = proofs_of(credential) if "proof" in credential else []
    if suite in SUITES and SUITES[suite].canonicalization != "rdfc":
        canonicalize({name: value for name, value in credential.items() if name != "proof"}, contexts)  # (2)
    proof = create_proof(  # (2), (3)
        credential,
        signer,
        suite=suite,
        verification_method=verification_method,
        created=created,
        contexts=contexts,
        previous_proof=previous_proof,
        proof_id=proof_id,
    )
    signed = {**credential, "proof": [*existing, proof]}
    proofs_of(signed)  # one more may be too many, or its id may be taken
    return signed


def sign_jwt(
    credential: Mapping[str, Any],
    signer: Signer,
    *,
    kid: str,
    contexts: Contexts = PACKAGED,
    form: Literal["open-badges", "vc-jose-cose"] = "open-badges",
) -> str:
    """Return `credential` as a compact VC-JWT; the key decides `alg`.

    The payload is the credential. In Open Badges' form (`typ` JWT) claims repeat the credential; in that of
    VC-JOSE-COSE (`typ` vc+jwt) none does.

    Args:
        credential: of VC Data Model 2.0; proofs that it has are signed with the rest.
        kid: where the issuer publishes the signer's key; for Open Badges the address at which it is a bare JWK.
    Raises:
        MalformedError, ContextError: as `sign`; and, in Open Badges' form, a validity with parts of a second, which
            others would compare with the claims (code "date-not-whole-seconds").
        UnsupportedError: a credential of VC Data Model 1.1 (code "jwt-version-unsupported").
    Spec: Open Badges 3.0, section on JSON Web Token proof format; VC-JOSE-COSE, section 3.1.1.
    """
    _check_form(credential, contexts)
    if credential["@context"][0] == V1_CONTEXT:
        raise UnsupportedError(
            "jwt-version-unsupported", "expected a credential of VC Data Model 2.0, got an older one"
        )
    if form == "vc-jose-cose":
        canonicalize(credential, contexts)
        return encode_jwt(credential, signer, kid=kid, typ="vc+jwt")
    for member in ("validFrom", "validUntil"):
        instant = read_instant(credential.get(member))
        if instant is not None and instant.microsecond:
            message = f"expected {member} in whole seconds, got parts of a second"
            raise MalformedError("date-not-whole-seconds", message, pointer(member))
    canonicalize(credential, contexts)
    return encode_jwt({**credential, **claims_of(credential)}, signer, kid=kid, typ="JWT")


def sign_presentation(
    presentation: Mapping[str, Any],
    signer: Signer,
    *,
    verification_method: str,
    created: datetime,
    challenge: str | None = None,
    domain: str | None = None,
    suite: str = "eddsa-rdfc-2022",
    contexts: Contexts = PACKAGED,
) -> dict[str, Any]:
    """Return a copy of `presentation` with an array of one proof for authentication.

    Args:
        presentation: without `proof`; the credentials in it, each with its own, are covered as they stand.
        verification_method: the full address under which the holder publishes the signer's key for authentication.
        created: an aware instant; written in whole seconds of UTC.
        challenge: what the verifier gave.
        domain: whom the presentation is for.
    Raises:
        MalformedError, ContextError, UnsupportedError: as `sign`.
    Spec: VC Data Integrity 1.0, section 4.2 (add proof); VC Data Model 2.0, section 4.13.
    """
    _check_presentation_form(presentation)
    if "proof" in presentation:
        raise MalformedError("proof-present", "expected a presentation without proof, got one that has it", "/proof")
    if suite in SUITES and SUITES[suite].canonicalization != "rdfc":
        canonicalize(presentation, contexts)
    proof = create_proof(
        presentation,
        signer,
        suite=suite,
        verification_method=verification_method,
        created=created,
        contexts=contexts,
        purpose="authentication",
        challenge=challenge,
        domain=domain,
    )
    return {**presentation, "proof": [proof]}


def sign_presentation_jwt(
    presentation: Mapping[str, Any],
    signer: Signer,
    *,
    kid: str,
    challenge: str | None = None,
    domain: str | None = None,
    contexts: Contexts = PACKAGED,
) -> str:
    """Return `presentation` as a compact JWT of type `vp+jwt`.

    The payload is the presentation, with nonce (the challenge) and aud (the domain).

    Args:
        presentation: of VC Data Model 2.0.
        kid: the address under which the holder publishes the signer's key for authentication.
    Raises:
        MalformedError, ContextError: as `sign`.
        UnsupportedError: a presentation of VC Data Model 1.1 (code "jwt-version-unsupported").
    Spec: VC-JOSE-COSE, section 3.1.2.
    """
    _check_presentation_form(presentation)
    if presentation["@context"][0] == V1_CONTEXT:
        message = "expected a presentation of VC Data Model 2.0, got an older one"
        raise UnsupportedError("jwt-version-unsupported", message)
    canonicalize(presentation, contexts)
    claims = {name: value for name, value in (("nonce", challenge), ("aud", domain)) if value is not None}
    return encode_jwt({**presentation, **claims}, signer, kid=kid, typ="vp+jwt")


def _check_presentation_form(presentation: Mapping[str, Any]) -> None:
    _refuse_faults(check_presentation_form(presentation), presentation)


def _refuse_faults(form: Iterable[Finding], document: Mapping[str, Any]) -> None:
    for finding in form:
        if not is_remark(finding, document):
            raise MalformedError(finding.code, finding.message, finding.pointer)


def _check_form(credential: Mapping[str, Any], contexts: Contexts) -> None:
    _refuse_faults(check_form(credential), credential)
    for where, resource in resources_of(credential):
        bodies = editions_of(resource["id"], contexts)
        try:
            if bodies is None:
                read_digests(resource)
            else:
                compare(resource, bodies)
        except CredentialError as error:
            raise type(error)(error.code, error.message, where + error.pointer) from error
