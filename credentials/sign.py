"""The front door out: a credential is refused, or signed so that our own check says *verified*."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from credentials.canonicalize import canonicalize
from credentials.data_integrity import SUITES, create_proof
from credentials.documents import PACKAGED, Contexts
from credentials.errors import MalformedError, UnsupportedError
from credentials.instants import read_instant
from credentials.jose import claims_of, encode_jwt
from credentials.keys import Signer
from credentials.model import V1_CONTEXT, check_form, check_presentation_form
from credentials.strict_json import pointer


def sign(
    credential: Mapping[str, Any],
    signer: Signer,
    *,
    verification_method: str,
    created: datetime,
    suite: str = "eddsa-rdfc-2022",
    contexts: Contexts = PACKAGED,
) -> dict[str, Any]:
    """Return a copy of `credential` with a proof, as an array of one; the copy's members are the credential's own.

    1. The form is checked: what `verify` would find fault with is not signed.
    2. The credential is canonicalized, for every suite: a term that no context defines would mean nothing to others.
    3. The proof is made.

    Args:
        credential: without `proof`; further proofs are `data_integrity.create_proof`'s.
        verification_method: the full address under which the issuer publishes the signer's key.
        created: an aware instant; written in whole seconds of UTC.
    Raises:
        MalformedError: the first finding of the form check, with its code and pointer; or a proof that is there already
            (code "proof-present").
        ContextError: an unknown context, an undefined term or type, a relative address.
        UnsupportedError: an unknown suite ("suite-unsupported"), or one that does not take this key
            ("key-unsupported").
    Spec: VC Data Integrity 1.0, section 4.2 (add proof); VC Data Model 2.0, section 4.
    """
    _check_form(credential)  # (1)
    if "proof" in credential:
        raise MalformedError("proof-present", "expected a credential without proof, got one that has it", "/proof")
    if suite in SUITES and SUITES[suite].canonicalization != "rdfc":
        canonicalize(credential, contexts)  # (2)
    proof = create_proof(  # (2), (3)
        credential,
        signer,
        suite=suite,
        verification_method=verification_method,
        created=created,
        contexts=contexts,
    )
    return {**credential, "proof": [proof]}


def sign_jwt(credential: Mapping[str, Any], signer: Signer, *, kid: str, contexts: Contexts = PACKAGED) -> str:
    """Return `credential` as a compact VC-JWT in Open Badges' form: the payload is the credential with its claims.

    Args:
        credential: of VC Data Model 2.0; proofs that it has are signed with the rest.
        kid: the address at which the signer's key lies as a bare JWK.
    Raises:
        MalformedError, ContextError: as `sign`; and a validity in parts of a second, which others would compare with
            the claims (code "date-not-whole-seconds").
        UnsupportedError: a credential of VC Data Model 1.1 (code "jwt-version-unsupported").
    Spec: Open Badges 3.0, section on JSON Web Token proof format.
    """
    _check_form(credential)
    if credential["@context"][0] == V1_CONTEXT:
        raise UnsupportedError(
            "jwt-version-unsupported", "expected a credential of VC Data Model 2.0, got an older one"
        )
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
    """Return a copy of `presentation` with a proof for authentication, as an array of one.

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
    """Return `presentation` as a compact JWT of type `vp+jwt`: the payload is the presentation, with nonce and aud.

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
    for finding in check_presentation_form(presentation):
        raise MalformedError(finding.code, finding.message, finding.pointer)


def _check_form(credential: Mapping[str, Any]) -> None:
    for finding in check_form(credential):
        raise MalformedError(finding.code, finding.message, finding.pointer)
