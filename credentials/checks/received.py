"""Find the credential or presentation in untrusted bytes.

The bytes are JSON, a JWT, an envelope, PNG or SVG.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from credentials.bake import extract, is_image, media_type
from credentials.errors import MalformedError, UnsupportedError, shown
from credentials.proofs.claims import credential_of, presentation_of
from credentials.proofs.jose import Jwt, decode_jwt, open_envelope
from credentials.reading import id_of, is_a
from credentials.report import Form
from credentials.strict_json import MAX_VALUES, parse_json

_JWT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")
_OTHER_TOKENS = (
    ("an SD-JWT", re.compile(_JWT.pattern + r"~[A-Za-z0-9_.~-]*")),
    ("an encrypted JWT", re.compile(r"ey[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]*){4}")),
)
_SD_JWT_TYPE = re.compile(r"(^|[/+])sd-jwt\Z")
_COSE_SIGN1 = b"\xd2\x84"
"""How a signature of COSE begins: the tag 18, and an array of four."""


@dataclass(frozen=True)
class Secured:
    """A credential or presentation that nobody has checked yet.

    With it comes the JWT that held it, if one did.
    """

    credential: dict[str, Any]
    jwt: Jwt | None = None

    @property
    def issuer_id(self) -> str | None:
        """Who it says issued it; None if it names nothing that could be an id."""
        return self.id_of("issuer")

    def id_of(self, member: Literal["issuer", "holder"]) -> str | None:
        """Return whom `member` names; None if that is nothing that could be an id."""
        return id_of(self.credential.get(member))


def form_of(received: bytes | str) -> Form:
    """Return the form that `received` seems to have; JSON if it has no other."""
    content = _as_bytes(received)
    if is_image(content):
        return "png" if media_type(content) == "image/png" else "svg"
    text = content.decode("ascii", "replace").strip()
    return "jwt" if _JWT.fullmatch(text) or _other_token(text) else "json"


def read(received: bytes | str) -> Secured:
    """Return the one credential in what was received.

    Raises:
        MalformedError: not JSON, not an object, or a malformed JWT or envelope; within the bounds of `parse_json`.
        ImageError: a picture that cannot be read, or without exactly one credential.
        UnsupportedError: an envelope around something else than a JWT ("envelope-unsupported"), or another way to
            secure it, such as SD-JWT ("form-unsupported").
    """
    content = _as_bytes(received)
    if is_image(content):
        content = extract(content).encode(errors="replace")
    text = _text_of(content)
    if _JWT.fullmatch(text):
        return _of_token(text)
    value = parse_json(content, max_values=MAX_VALUES)
    if not isinstance(value, dict):
        raise MalformedError("credential-malformed", f"expected a JSON object, got {shown(value)}")
    return taken_apart(value)


def taken_apart(value: object) -> Secured:
    """Return the credential that a value within a document is or contains.

    The value is the credential itself, its envelope, or a compact JWT.

    Raises:
        MalformedError, UnsupportedError: as `read`.
    """
    if isinstance(value, str):
        return _of_token(value)
    if not isinstance(value, dict):
        raise MalformedError("credential-malformed", f"expected a JSON object, got {shown(value)}")
    _refuse_json_signature(value)
    if is_a(value, "EnvelopedVerifiableCredential"):
        return _of_token(open_envelope(value))
    return Secured(value)


def read_presentation(received: bytes | str) -> Secured:
    """Return the presentation in what was received.

    That is JSON, a compact JWT, or an envelope around one.

    Raises:
        MalformedError: not JSON, not an object, or a malformed JWT or envelope; within the bounds of `parse_json`.
        UnsupportedError: as `read`.
    """
    content = _as_bytes(received)
    token = _text_of(content)
    if not _JWT.fullmatch(token):
        value = parse_json(content)
        if not isinstance(value, dict):
            raise MalformedError("presentation-malformed", f"expected a JSON object, got {shown(value)}")
        _refuse_json_signature(value)
        if not is_a(value, "EnvelopedVerifiablePresentation"):
            return Secured(value)
        token = open_envelope(value)
    jwt = _decoded(token)
    return Secured(presentation_of(jwt), jwt)


def _of_token(token: str) -> Secured:
    jwt = _decoded(token)
    return Secured(credential_of(jwt), jwt)


def _decoded(token: str) -> Jwt:
    """Return a JWT in its parts; the first part of an SD-JWT, whose claims are elsewhere, is refused as what it is."""
    _refuse_other(token)
    jwt = decode_jwt(token)
    if _SD_JWT_TYPE.search(str(jwt.header.get("typ")).lower()) or "_sd_alg" in jwt.payload:
        raise _unsupported("an SD-JWT")
    return jwt


# --- Forms that are not known here -----------------------------------------------------------------------------------


def _text_of(content: bytes) -> str:
    """Return the ASCII text in which to look for a JWT; refuse tokens and signatures of other kinds."""
    if content.startswith(_COSE_SIGN1):
        raise _unsupported("a signature of COSE")
    text = content.decode("ascii", "replace").strip()
    _refuse_other(text)
    return text


def _refuse_other(text: str) -> None:
    if (other := _other_token(text)) is not None:
        raise _unsupported(other)


def _other_token(text: str) -> str | None:
    return next((name for name, pattern in _OTHER_TOKENS if pattern.fullmatch(text)), None)


def _refuse_json_signature(value: Mapping[str, Any]) -> None:
    if isinstance(value.get("payload"), str) and not value.keys().isdisjoint({"signature", "signatures"}):
        raise _unsupported("a signature in the JSON form of JWS")


def _unsupported(what: str) -> UnsupportedError:
    return UnsupportedError("form-unsupported", f"expected a credential with a proof, or a compact JWT, got {what}")


def _as_bytes(received: bytes | str) -> bytes:
    # A lone surrogate has no bytes; the reader of JSON will recognise what replaces it here, and refuse it.
    return received if isinstance(received, bytes) else received.encode("utf-8", "surrogatepass")
