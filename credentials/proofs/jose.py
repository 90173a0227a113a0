"""Create and check VC-JWTs, by the rules of both forms.

Open Badges 3.0 has its own form (`typ` is JWT or absent): few headers, and claims that repeat the credential's fields.
VC-JOSE-COSE (`typ` is vc+jwt) repeats nothing, and its dates are the signature's. Decoding, signature and rules are
three steps, so that a report can say which of them failed: `decode_jwt`, `check_jwt`, then `header_findings` and
`claims.claim_findings`, or `claims.presentation_findings`. Presentations use VC-JOSE-COSE's form (`vp+jwt`), or the
`vp` claim of VC Data Model 1.1.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from credentials.errors import CredentialError, MalformedError, ProofError, UnsupportedError, shown
from credentials.findings import Finding
from credentials.model.values import V2_CONTEXT
from credentials.proofs.encodings import base64url_decode, base64url_encode
from credentials.proofs.keys import JOSE_ALGORITHMS, Signer, VerificationKey
from credentials.reading import is_a, listed
from credentials.strict_json import MAX_BYTES, MAX_VALUES, canonical_json, parse_json, pointer

_LONG_NUMBER = re.compile(r"[0-9]{16}")
_MAX_HEADER_BYTES = 16 * 1024
_MAX_TOKEN_CHARS = MAX_BYTES // 3 * 4 + 2 * _MAX_HEADER_BYTES
_OPEN_BADGES_HEADERS = frozenset({"alg", "kid", "jwk", "typ"})

Form = Literal["open-badges", "vc-jose-cose", "other"]


@dataclass(frozen=True)
class Jwt:
    """A JSON Web Token in its parts; nothing in it is checked yet."""

    header: Mapping[str, Any]
    payload: Mapping[str, Any]
    signing_input: bytes
    signature: bytes

    @property
    def form(self) -> Form:
        """Whose rules apply, by `typ`: Open Badges', VC-JOSE-COSE's, or neither's.

        JWT or none is Open Badges'; `vc+jwt` and `vp+jwt`, formerly `vc+ld+jwt` and `vp+ld+jwt`, are VC-JOSE-COSE's.
        """
        match self.header.get("typ", "JWT"):
            case str(typ) if typ.lower() in {"jwt", "application/jwt"}:
                return "open-badges"
            case str(typ) if re.fullmatch(r"(application/)?v[cp](\+ld|-ld)?\+jwt", typ.lower()):
                return "vc-jose-cose"
            case _:
                return "other"

    @property
    def key_id(self) -> str | None:
        """The header's `kid`, for `dids.resolve_key`; None if it is not a string."""
        kid = self.header.get("kid")
        return kid if isinstance(kid, str) else None

    @property
    def embedded_key(self) -> VerificationKey | None:
        """The header's `jwk`; raises as `from_jwk`.

        It is a claim, which proves nothing until it is found with the issuer.
        """
        return VerificationKey.from_jwk(self.header["jwk"]) if "jwk" in self.header else None


# --- The token -------------------------------------------------------------------------------------------------------


def encode_jwt(
    payload: Mapping[str, Any],
    signer: Signer,
    *,
    kid: str | None = None,
    typ: str | None = None,
    embed_key: bool = False,
) -> str:
    """Return a signed compact JWT whose `alg` is the signer's.

    Args:
        kid: where the key is published; one of `kid` and `embed_key` is needed for Open Badges.
        embed_key: put the public key into the header as `jwk`.
    Raises:
        MalformedError: a payload that is not JSON (code "json-not-canonical").
    Spec: RFC 7515, section 7.1; Open Badges 3.0, section on JSON Web Token proof format.
    """
    members = {
        "alg": JOSE_ALGORITHMS[signer.key.algorithm][0],
        "kid": kid,
        "jwk": signer.key.jwk if embed_key else None,
        "typ": typ,
    }
    header = {name: value for name, value in members.items() if value is not None}
    parts: tuple[dict[str, Any], ...] = (header, dict(payload))
    signing_input = ".".join(base64url_encode(_written(part)) for part in parts)
    return f"{signing_input}.{base64url_encode(signer.sign(signing_input.encode('ascii')))}"


def _written(part: dict[str, Any]) -> bytes:
    """Return the JSON of a header or payload: an exact one, which need not be the canonical one.

    What `json` reads back as it was, without a number so long that others might round it, is exact. Anything else is
    refused, or written, by `canonical_json`, which takes several times as long.
    """
    try:
        text = json.dumps(part, ensure_ascii=False, separators=(",", ":"), sort_keys=True, allow_nan=False)
        if not _LONG_NUMBER.search(text) and json.loads(text) == part:
            return text.encode()
    except (TypeError, ValueError, RecursionError):
        pass
    return canonical_json(part)


def decode_jwt(token: str) -> Jwt:
    """Return the parts of a compact JWT, each read in the only possible way.

    Raises:
        MalformedError: not three base64url parts of JSON objects and a signature, or too large (code "jwt-malformed",
            or what `parse_json` says about header or payload).
    Spec: RFC 7515, section 5.2, steps 1 to 7; RFC 7519, section 7.2.
    """
    if len(token) > _MAX_TOKEN_CHARS:
        raise MalformedError("jwt-malformed", f"expected at most {_MAX_TOKEN_CHARS} characters, got {len(token)}")
    parts = token.split(".")
    if len(parts) != 3:
        raise MalformedError("jwt-malformed", f"expected a JWT of three parts, got {len(parts)}")
    try:
        header_bytes, payload_bytes, signature = (base64url_decode(part) for part in parts)
    except ProofError as error:
        raise MalformedError("jwt-malformed", f"JWT: {error.message}") from error
    header = parse_json(header_bytes, max_bytes=_MAX_HEADER_BYTES)
    payload = parse_json(payload_bytes, max_values=MAX_VALUES)
    if not isinstance(header, dict) or not isinstance(payload, dict):
        raise MalformedError("jwt-malformed", "expected a JWT whose header and payload are JSON objects")
    return Jwt(header, payload, token.rpartition(".")[0].encode("ascii"), signature)


def check_jwt(jwt: Jwt, key: VerificationKey) -> None:
    """Refuse a JWT whose signature does not hold under `key`.

    The key decides the algorithm and the header must agree: what the header says never chooses how it is checked.

    Raises:
        ProofError: "jwt-algorithm-mismatch", "jwt-critical" (a header that demands what is not understood here), or
            "signature-invalid".
    Spec: RFC 7515, section 5.2, step 8; RFC 8725, section 3.1.
    """
    expected = JOSE_ALGORITHMS[key.algorithm]
    if jwt.header.get("alg") not in expected:
        raise ProofError(
            "jwt-algorithm-mismatch",
            f"expected alg {expected[0]}, which is what the key is for, got {shown(jwt.header.get('alg'))}",
        )
    if "crit" in jwt.header:
        raise ProofError("jwt-critical", "expected no crit header, got one that names extensions")
    if not key.verify(jwt.signature, jwt.signing_input):
        raise ProofError(
            "signature-invalid",
            "expected a signature over this JWT by the key that it names, got one that does not fit",
        )


def header_findings(jwt: Jwt) -> list[Finding]:
    """Return what the form of the JWT forbids in its header.

    Codes: "jwt-type", "jwt-header-member" (Open Badges allows `alg`, `kid`, `jwk` and `typ` only; VC-JOSE-COSE ignores
    others), "jwt-key-missing" (Open Badges wants `kid` or `jwk`), "jwt-header-malformed" (a `kid` that is not a
    string), and what `VerificationKey.from_jwk` finds wrong with a `jwk`, above all that it is private ("jwk-private").

    Spec: Open Badges 3.0, section on JSON Web Token proof format; VC-JOSE-COSE, section 3.1.
    """
    findings = any_header_findings(jwt, "vc")
    if jwt.form == "open-badges":
        for name in sorted(jwt.header.keys() - _OPEN_BADGES_HEADERS):
            message = f"expected only alg, kid, jwk and typ in the header, got {shown(name)}"
            findings.append(Finding("jwt-header-member", message, pointer(name)))
        if not jwt.header.keys() & {"kid", "jwk"}:
            findings.append(Finding("jwt-key-missing", "expected kid or jwk in the header, got neither", ""))
    return findings


def any_header_findings(jwt: Jwt, kind: Literal["vc", "vp"]) -> list[Finding]:
    """Return what is wrong with the header of any JWT around a `vc` or `vp`.

    `vc` is a credential, `vp` a presentation.
    """
    header, findings = jwt.header, []
    another = "vp" if kind == "vc" else "vc"
    if jwt.form == "other" or re.match(rf"(application/)?{another}[+-]", str(header.get("typ")).lower()):
        message = f"expected typ JWT, {kind}+jwt or none, got {shown(header['typ'])}"
        findings.append(Finding("jwt-type", message, "/typ"))
    if "kid" in header and jwt.key_id is None:
        message = f"expected kid to be a string, got {shown(header['kid'])}"
        findings.append(Finding("jwt-header-malformed", message, "/kid"))
    try:
        _ = jwt.embedded_key
    except CredentialError as error:
        findings.append(Finding(error.code, error.message, "/jwk"))
    return findings


def open_envelope(envelope: Mapping[str, Any]) -> str:
    """Return the compact JWT in an envelope.

    The envelope is an EnvelopedVerifiableCredential or an EnvelopedVerifiablePresentation.

    Raises:
        MalformedError: without the context of VC Data Model 2.0, of another type, with members beside these, or whose
            id is not a data address with a JWT (code "envelope-malformed").
        UnsupportedError: the envelope holds another kind of token (code "envelope-unsupported").
    Spec: VC Data Model 2.0, sections 4.12 and 4.13 (enveloped credentials and presentations).
    """
    address = envelope.get("id")
    if V2_CONTEXT not in listed(envelope.get("@context")):
        raise MalformedError("envelope-malformed", f"expected an envelope with the context {V2_CONTEXT}", "/@context")
    kinds = {"EnvelopedVerifiableCredential": "vc", "EnvelopedVerifiablePresentation": "vp"}
    found = [kind for name, kind in kinds.items() if is_a(envelope, name)]
    if len(found) != 1:
        raise MalformedError("envelope-malformed", "expected one type of envelope, got another type", "/type")
    if unsigned := envelope.keys() - {"@context", "id", "type"}:
        message = "expected an envelope that says nothing itself, got a member that nobody has signed"
        raise MalformedError("envelope-malformed", message, pointer(min(unsigned)))
    head, comma, token = address.partition(",") if isinstance(address, str) else ("", "", "")
    media_type = head.removeprefix("data:").lower()
    if head == media_type or not comma or not head.startswith("data:"):
        raise MalformedError("envelope-malformed", "expected an envelope whose id is a data: address", "/id")
    # Some say no more than that it is a JWT; then its own `typ` says which.
    if not re.fullmatch(rf"application/({found[0]}(\+ld|-ld)?\+)?jwt", media_type):
        raise UnsupportedError(
            "envelope-unsupported", f"expected application/{found[0]}+jwt, got {shown(media_type)}", "/id"
        )
    return token
