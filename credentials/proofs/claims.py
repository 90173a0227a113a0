"""Read the credential or presentation in a JWT, and compare it with the claims.

Claims are made from members of a credential here, and members are filled in from claims.

Spec: Open Badges 3.0, section 8.2; VC Data Model 1.1, section 6.3.1.
"""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from credentials.errors import MalformedError, shown
from credentials.findings import Finding
from credentials.instants import read_instant, write_instant
from credentials.model.form import is_open_badge
from credentials.model.values import V1_CONTEXT, V2_CONTEXT
from credentials.proofs.jose import Jwt, any_header_findings
from credentials.reading import begins, listed
from credentials.strict_json import pointer

_CLAIMS = frozenset({"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "cnf"})
_PRESENTED_CLAIMS: Mapping[str, str] = {"id": "jti", "holder": "iss"}
_LAST_NUMERIC_DATE = 253_402_300_799  # the end of the year 9999


# --- The credential in it --------------------------------------------------------------------------------------------


def credential_of(jwt: Jwt) -> dict[str, Any]:
    """Return the credential in the payload.

    In general the payload is the credential, without the JWT's own claims; in VC Data Model 1.1 the credential is in
    its `vc` claim. There, members that the credential leaves to the claims (id, issuer, issuanceDate, expirationDate,
    credentialSubject.id) are filled in from them. Some issuers put a credential of 2.0 there too: it is read as it
    stands, except for Open Badges, whose form is fixed.

    Raises:
        MalformedError: a `vc` that is not an object, or a form that belongs to the other version than the first
            `@context` names (code "jwt-form-mismatch").
    Spec: Open Badges 3.0, section on JSON Web Token proof format; VC Data Model 1.1, section 6.3.1.
    """
    if jwt.form == "vc-jose-cose" or "vc" not in jwt.payload:
        credential = _without_claims(jwt)
        if _first_context(credential) == V1_CONTEXT:
            raise MalformedError(
                "jwt-form-mismatch", "expected a 1.1 credential in the vc claim, got it as the payload"
            )
        return credential
    inner = jwt.payload["vc"]
    if isinstance(inner, Mapping) and _first_context(inner) == V1_CONTEXT:
        return _with_claims_filled_in(inner, jwt.payload)
    if isinstance(inner, Mapping) and _first_context(inner) == V2_CONTEXT and not is_open_badge(inner):
        return dict(inner)
    raise MalformedError("jwt-form-mismatch", f"expected a credential with {V1_CONTEXT} in the vc claim", "/vc")


def claims_of(credential: Mapping[str, Any]) -> dict[str, Any]:
    """Return the claims by which a JWT repeats the credential's fields.

    They are iss, jti and nbf, sub if the only subject has an id, and exp if the credential ends. A field that is
    missing, or not of the type that it must have, gives no claim: `model.check_form` names it. Dates are whole seconds.

    Spec: Open Badges 3.0, section on JSON Web Token proof format.
    """
    issuer = credential.get("issuer")
    subject = credential.get("credentialSubject")
    if isinstance(subject, list) and len(subject) == 1:
        subject = subject[0]
    texts = {
        "iss": issuer.get("id") if isinstance(issuer, Mapping) else issuer,
        "jti": credential.get("id"),
        "sub": subject.get("id") if isinstance(subject, Mapping) else None,
    }
    instants = {
        "nbf": begins(credential),
        "exp": read_instant(credential.get("validUntil", credential.get("expirationDate"))),
    }
    return {name: text for name, text in texts.items() if isinstance(text, str)} | {
        name: math.floor(instant.timestamp()) for name, instant in instants.items() if instant is not None
    }


def claim_findings(jwt: Jwt, credential: Mapping[str, Any]) -> list[Finding]:
    """Return where the claims of the JWT do not agree with the credential in it.

    In Open Badges' form iss, jti, nbf, sub and exp stand exactly where the credential has the field, and are equal to
    it; parts of a second do not count. In VC-JOSE-COSE's form they may be absent, `vc` and `vp` must be absent, and nbf
    and exp are the signature's own. Codes: "jwt-claim-missing", "jwt-claim-mismatch", "jwt-claim-malformed" (a date
    that is not a number of seconds), "jwt-claim-forbidden".

    Spec: Open Badges 3.0, section on JSON Web Token proof format; VC-JOSE-COSE, sections 3.1.1 and 3.2.1.
    """
    expected, findings = claims_of(credential), []
    own_form = jwt.form != "vc-jose-cose"
    for name in () if own_form else ("vc", "vp"):
        if name in jwt.payload:
            message = f"expected no {name} claim in a JWT of this type, got one"
            findings.append(Finding("jwt-claim-forbidden", message, pointer(name)))
    for name in ("iss", "jti", "sub", "nbf", "exp", "iat"):
        dated = name in {"nbf", "exp", "iat"}
        if name not in jwt.payload:
            if own_form and name in expected:
                message = f"expected the claim {name} to repeat the credential, got none"
                findings.append(Finding("jwt-claim-missing", message, pointer(name)))
        elif dated and not _is_numeric_date(jwt.payload[name]):
            message = f"expected the claim {name} to be a number of seconds, got {shown(jwt.payload[name])}"
            findings.append(Finding("jwt-claim-malformed", message, pointer(name)))
        elif name != "iat" and (own_form or not dated):
            stated = math.floor(jwt.payload[name]) if dated else jwt.payload[name]
            if name not in expected or stated != expected[name]:
                wanted, got = (
                    str(value) if isinstance(value, int) else shown(value) for value in (expected.get(name), stated)
                )
                message = f"expected the claim {name} to be the credential's, {wanted}, got {got}"
                findings.append(Finding("jwt-claim-mismatch", message, pointer(name)))
    return findings


# --- The presentation in it -------------------------------------------------------------------------------------------


def presentation_of(jwt: Jwt) -> dict[str, Any]:
    """Return the presentation in the payload.

    In general the payload is the presentation; in VC Data Model 1.1 the presentation is in its `vp` claim. There,
    members that the presentation leaves to the claims (id, holder) are filled in from them.

    Raises:
        MalformedError: a `vp` claim that is not an object (code "jwt-form-mismatch").
    Spec: VC-JOSE-COSE, section 3.1.2; VC Data Model 1.1, section 6.3.1.
    """
    if jwt.form == "vc-jose-cose" or "vp" not in jwt.payload:
        return {name: value for name, value in _without_claims(jwt).items() if name != "nonce"}
    inner = jwt.payload["vp"]
    if not isinstance(inner, Mapping):
        raise MalformedError("jwt-form-mismatch", f"expected a presentation in the vp claim, got {shown(inner)}", "/vp")
    claims = {member: jwt.payload[name] for member, name in _PRESENTED_CLAIMS.items() if name in jwt.payload}
    return {**claims, **inner}


def presentation_findings(jwt: Jwt, presentation: Mapping[str, Any]) -> list[Finding]:
    """Return what is wrong with the header and claims of a JWT around a presentation.

    `iss` and `jti` may be absent; otherwise they must be the presentation's holder and id. In VC-JOSE-COSE's form `vc`
    and `vp` must be absent. `nonce` and `aud` are for the one who asked (`audience_of`). Codes: those of
    `claim_findings`, and of `header_findings`, except that other headers are ignored.

    Spec: VC-JOSE-COSE, sections 3.1.2 and 3.2.1; VC Data Model 1.1, section 6.3.1.
    """
    findings = any_header_findings(jwt, "vp")
    for name in ("vc", "vp") if jwt.form == "vc-jose-cose" else ():
        if name in jwt.payload:
            message = f"expected no {name} claim in a JWT of this type, got one"
            findings.append(Finding("jwt-claim-forbidden", message, pointer(name)))
    for member, name in _PRESENTED_CLAIMS.items():
        value = presentation.get(member)
        expected = value.get("id") if isinstance(value, Mapping) else value
        if name in jwt.payload and jwt.payload[name] != expected:
            message = f"expected the claim {name} to be the {member}, {shown(expected)}, got {shown(jwt.payload[name])}"
            findings.append(Finding("jwt-claim-mismatch", message, pointer(name)))
    for name in ("nbf", "exp", "iat"):
        if name in jwt.payload and not _is_numeric_date(jwt.payload[name]):
            message = f"expected the claim {name} to be a number of seconds, got {shown(jwt.payload[name])}"
            findings.append(Finding("jwt-claim-malformed", message, pointer(name)))
    if not all(isinstance(one, str) for one in audience_of(jwt)):
        findings.append(
            Finding("jwt-claim-malformed", "expected the claim aud to be texts, got something else", "/aud")
        )
    return findings


def audience_of(jwt: Jwt) -> list[Any]:
    """Return whom the claim `aud` names; nothing if it is absent.

    Spec: RFC 7519, section 4.1.3.
    """
    return listed(jwt.payload.get("aud", []))


def _is_numeric_date(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= _LAST_NUMERIC_DATE


def _first_context(document: Mapping[str, Any]) -> object:
    contexts = document.get("@context")
    return contexts[0] if isinstance(contexts, list) and contexts else contexts


def _without_claims(jwt: Jwt) -> dict[str, Any]:
    forbidden = {"vc", "vp"} if jwt.form == "vc-jose-cose" else set()
    return {name: value for name, value in jwt.payload.items() if name not in _CLAIMS | forbidden}


def _with_claims_filled_in(inner: Mapping[str, Any], claims: Mapping[str, Any]) -> dict[str, Any]:
    dates = {
        member: write_instant(datetime.fromtimestamp(claims[name], UTC))
        for member, name in (("issuanceDate", "nbf"), ("expirationDate", "exp"))
        if _is_numeric_date(claims.get(name))
    }
    texts = {member: claims[name] for member, name in (("id", "jti"), ("issuer", "iss")) if name in claims}
    credential = {**texts, **dates, **inner}
    subject = credential.get("credentialSubject")
    if isinstance(subject, Mapping) and "sub" in claims:
        credential["credentialSubject"] = {"id": claims["sub"], **subject}
    return credential
