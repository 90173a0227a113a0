"""Keys that check and keys that sign, and the two ways to write them.

A `VerificationKey` is public and can only check. A `Signer` holds the private half, be it a file, a hardware module or
a test. Multikey (base58btc of a multicodec prefix and the key) and JWK are read strictly: a key that could be read in
two ways, or with which anyone can forge, is refused here, before anything relies on it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final, Literal, Protocol, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from credentials.errors import ProofError, UnsupportedError, shown
from credentials.proofs.encodings import base58btc_decode, base58btc_encode, base64url_decode, base64url_encode

Algorithm = Literal["Ed25519", "P-256", "P-384", "RSA"]
PublicKey = Ed25519PublicKey | ec.EllipticCurvePublicKey | rsa.RSAPublicKey
PrivateKey = Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

JOSE_ALGORITHMS: Final[Mapping[Algorithm, tuple[str, ...]]] = {
    "Ed25519": ("EdDSA", "Ed25519"),  # the second name is RFC 9864's
    "P-256": ("ES256",),
    "P-384": ("ES384",),
    "RSA": ("RS256",),
}
"""For each algorithm the JOSE names that mean it; the first is written."""


# --- Keys that check -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Curve:
    """The differences between the two elliptic curves."""

    curve: ec.EllipticCurve
    multikey_prefix: bytes
    coordinate_bytes: int
    digest: hashes.HashAlgorithm


_CURVES: Final[Mapping[str, _Curve]] = {
    "P-256": _Curve(ec.SECP256R1(), b"\x80\x24", 32, hashes.SHA256()),
    "P-384": _Curve(ec.SECP384R1(), b"\x81\x24", 48, hashes.SHA384()),
}
_CURVE_NAMES: Final[Mapping[str, Literal["P-256", "P-384"]]] = {"secp256r1": "P-256", "secp384r1": "P-384"}
_ED25519_PREFIX = b"\xed\x01"
_RSA_BITS = range(2048, 8192 + 1)  # fewer bits can be factored, more are only work for us
_RSA_MAX_EXPONENT_BITS = 64
_PRIVATE_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})

_FIELD_PRIME = 2**255 - 19
_EDWARDS_D = -121665 * pow(121666, -1, _FIELD_PRIME) % _FIELD_PRIME


@dataclass(frozen=True)
class VerificationKey:
    """A public key, which checks signatures and writes itself as Multikey and JWK.

    `from_multikey`, `from_jwk` and `from_public_key` make it, and do all checks. Two keys are equal if their algorithm
    and key material are. `material` is 32 bytes for Ed25519, the compressed point for P-256 (33 bytes) and P-384 (49),
    the DER SubjectPublicKeyInfo for RSA.
    """

    algorithm: Algorithm
    material: bytes = field(repr=False)
    _public: PublicKey = field(compare=False, repr=False)

    @classmethod
    def from_public_key(cls, public_key: object) -> Self:
        """Return the key that a `cryptography` public key object holds.

        Raises:
            UnsupportedError: not Ed25519, P-256, P-384 or RSA (code "key-unsupported").
            ProofError: not a point of the curve ("key-not-on-curve"); one under which anybody can sign: an Ed25519
                point of small order or RSA under 2048 bits ("key-weak"); RSA numbers beyond what is checked here
                ("key-malformed").
        """
        match public_key:
            case Ed25519PublicKey():
                material = public_key.public_bytes_raw()
                _check_ed25519_point(material)
                return cls("Ed25519", material, public_key)
            case ec.EllipticCurvePublicKey() if algorithm := _CURVE_NAMES.get(public_key.curve.name):
                material = public_key.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
                return cls(algorithm, material, public_key)
            case rsa.RSAPublicKey():
                _check_rsa_numbers(public_key.public_numbers())
                material = public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
                return cls("RSA", material, public_key)
            case _:
                raise UnsupportedError(
                    "key-unsupported", f"expected an Ed25519, P-256, P-384 or RSA key, got {type(public_key).__name__}"
                )

    @classmethod
    def from_multikey(cls, multikey: object) -> "VerificationKey":
        """Return the key that a `publicKeyMultibase` value holds.

        Good keys are remembered: an issuer's comes with each of its credentials, and the point costs more to check than
        a signature.

        Raises:
            ProofError: not `z` and base58btc ("multikey-malformed", "base58-malformed"), a wrong length
                ("multikey-malformed"), or a point that `from_public_key` refuses.
            UnsupportedError: another kind of key than Ed25519, P-256 or P-384 (code "key-unsupported").
        Spec: Controlled Identifiers v1.0, section 2.2.2 (Multikey).
        """
        if not isinstance(multikey, str) or not multikey.startswith("z"):
            raise ProofError("multikey-malformed", "expected a Multikey: a string that begins with 'z'")
        return _read_multikey(multikey)

    @classmethod
    def from_jwk(cls, jwk: object) -> Self:
        """Return the key that a public JWK holds.

        Raises:
            ProofError: members missing, of the wrong type or length ("jwk-malformed", "base64url-malformed"), private
                members ("jwk-private"), `alg`, `use` or `key_ops` that forbid what the key is for
                ("jwk-inconsistent"), or a key that `from_public_key` refuses.
            UnsupportedError: another `kty` or `crv` (code "key-unsupported").
        Spec: RFC 7517, section 4; RFC 7518, section 6; RFC 8037, section 2.
        """
        if not isinstance(jwk, Mapping):
            raise ProofError("jwk-malformed", "expected a JWK: a JSON object")
        if private := _PRIVATE_MEMBERS & jwk.keys():
            # Anyone who published this has published the power to sign: nothing it signed proves anything any more.
            raise ProofError("jwk-private", f"expected a public JWK, got the private member {min(private)!r}")
        match jwk.get("kty"), jwk.get("crv"):
            case "OKP", "Ed25519":
                material = _jwk_bytes(jwk, "x", 32)
                key = cls.from_public_key(Ed25519PublicKey.from_public_bytes(material))
            case "EC", "P-256" | "P-384" as name:
                curve = _CURVES[name]
                x, y = (int.from_bytes(_jwk_bytes(jwk, member, curve.coordinate_bytes)) for member in ("x", "y"))
                try:
                    point = ec.EllipticCurvePublicNumbers(x, y, curve.curve).public_key()
                except ValueError as error:
                    raise ProofError("key-not-on-curve", f"expected a point of {name}, got another one") from error
                key = cls.from_public_key(point)
            case "RSA", _:
                numbers = rsa.RSAPublicNumbers(e=_jwk_number(jwk, "e"), n=_jwk_number(jwk, "n"))
                _check_rsa_numbers(numbers)
                key = cls.from_public_key(numbers.public_key())
            case _:
                got = f"{shown(jwk.get('kty'))}, {shown(jwk.get('crv'))}"
                raise UnsupportedError(
                    "key-unsupported", f"expected kty OKP with Ed25519, EC with P-256 or P-384, or RSA, got {got}"
                )
        _check_jwk_purpose(jwk, key.algorithm)
        return key

    @property
    def multikey(self) -> str:
        """The key as `publicKeyMultibase`.

        Raises:
            UnsupportedError: an RSA key has none (code "key-unsupported").
        """
        match self.algorithm:
            case "Ed25519":
                prefix = _ED25519_PREFIX
            case "P-256" | "P-384":
                prefix = _CURVES[self.algorithm].multikey_prefix
            case _:
                raise UnsupportedError("key-unsupported", "expected a key with a Multikey form, got RSA")
        return "z" + base58btc_encode(prefix + self.material)

    @property
    def jwk(self) -> dict[str, str]:
        """The key as a new JWK, with only the members that make the key."""
        match self._public:
            case Ed25519PublicKey():
                return {"kty": "OKP", "crv": "Ed25519", "x": base64url_encode(self.material)}
            case ec.EllipticCurvePublicKey():
                numbers, length = self._public.public_numbers(), _CURVES[self.algorithm].coordinate_bytes
                x, y = (base64url_encode(number.to_bytes(length)) for number in (numbers.x, numbers.y))
                return {"kty": "EC", "crv": self.algorithm, "x": x, "y": y}
            case _:
                rsa_numbers = self._public.public_numbers()
                n, e = (
                    base64url_encode(number.to_bytes((number.bit_length() + 7) // 8))
                    for number in (rsa_numbers.n, rsa_numbers.e)
                )
                return {"kty": "RSA", "n": n, "e": e}

    @property
    def thumbprint(self) -> str:
        """The SHA-256 thumbprint of the JWK, base64url.

        Spec: RFC 7638, section 3.
        """
        members = json.dumps(self.jwk, sort_keys=True, separators=(",", ":"))
        return base64url_encode(sha256(members.encode("ascii")).digest())

    def verify(self, signature: bytes, data: bytes) -> bool:
        """Return whether `signature` over `data` was made with this key's private half.

        `signature` is 64 bytes for Ed25519. For P-256 (over SHA-256) it is r and s, big-endian and of equal length, 64
        bytes; for P-384 (over SHA-384) 96 bytes; both values of s are accepted. For RSA (PKCS #1 v1.5 over SHA-256) it
        is as long as the modulus. Anything else is False, never an error.
        """
        try:
            match self._public:
                case Ed25519PublicKey():
                    self._public.verify(signature, data)
                case ec.EllipticCurvePublicKey():
                    curve = _CURVES[self.algorithm]
                    if len(signature) != 2 * curve.coordinate_bytes:
                        return False
                    r, s = signature[: curve.coordinate_bytes], signature[curve.coordinate_bytes :]
                    der = encode_dss_signature(int.from_bytes(r), int.from_bytes(s))
                    self._public.verify(der, data, ec.ECDSA(curve.digest))
                case _:
                    self._public.verify(signature, data, padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature:
            return False
        return True


@lru_cache(maxsize=1024)
def _read_multikey(multikey: str) -> VerificationKey:
    data = base58btc_decode(multikey[1:])
    prefix, material = data[:2], data[2:]
    if prefix == _ED25519_PREFIX:
        _check_length("multikey-malformed", "Ed25519 key", material, 32)
        return VerificationKey.from_public_key(Ed25519PublicKey.from_public_bytes(material))
    for name, curve in _CURVES.items():
        if prefix == curve.multikey_prefix:
            _check_length("multikey-malformed", f"{name} key", material, curve.coordinate_bytes + 1)
            try:
                point = ec.EllipticCurvePublicKey.from_encoded_point(curve.curve, material)
            except ValueError as error:
                raise ProofError("key-not-on-curve", f"expected a point of {name}, got another one") from error
            return VerificationKey.from_public_key(point)
    raise UnsupportedError(
        "key-unsupported", f"expected the Multikey of an Ed25519, P-256 or P-384 key, got prefix 0x{prefix.hex()}"
    )


def _check_length(code: str, what: str, data: bytes, expected: int) -> None:
    if len(data) != expected:
        raise ProofError(code, f"expected {expected} bytes for the {what}, got {len(data)}")


def _check_ed25519_point(material: bytes) -> None:
    """Refuse 32 bytes that are not a point, or a point that makes forging possible."""
    y = int.from_bytes(material, "little") & (1 << 255) - 1
    # x squared is (y*y - 1) / (d*y*y + 1): a point exists if that quotient, and so the product of the two, is a square.
    square = (y * y - 1) * (_EDWARDS_D * y * y + 1) % _FIELD_PRIME
    if y >= _FIELD_PRIME or pow(square, (_FIELD_PRIME - 1) // 2, _FIELD_PRIME) not in (0, 1):
        raise ProofError("key-not-on-curve", "expected a point of Ed25519, got other bytes")
    # A point of small order has 8 multiples at most, so one signature fits every eighth message at least. The factors
    # are zero for orders 4, 1 and 2, and 8 (whose double has y = 0).
    if y * (y * y - 1) * (_EDWARDS_D * y**4 + 2 * y * y - 1) % _FIELD_PRIME == 0:
        raise ProofError("key-weak", "expected an Ed25519 key of full order, got one under which anybody can sign")


def _check_rsa_numbers(numbers: rsa.RSAPublicNumbers) -> None:
    bits = numbers.n.bit_length()
    if bits < _RSA_BITS.start:
        raise ProofError("key-weak", f"expected an RSA key of {_RSA_BITS.start} bits or more, got {bits}")
    if bits not in _RSA_BITS or not numbers.n & 1:
        raise ProofError("key-malformed", f"expected an odd RSA modulus of at most {_RSA_BITS.stop - 1} bits")
    if numbers.e < 3 or not numbers.e & 1 or numbers.e.bit_length() > _RSA_MAX_EXPONENT_BITS:
        raise ProofError("key-malformed", f"expected an odd RSA exponent from 3 to {_RSA_MAX_EXPONENT_BITS} bits")


def _jwk_bytes(jwk: Mapping[str, Any], member: str, expected: int | None = None) -> bytes:
    text = jwk.get(member)
    if not isinstance(text, str) or not text:
        raise ProofError("jwk-malformed", f"expected the JWK member {member!r} as a base64url string")
    data = base64url_decode(text)
    if expected is not None:
        _check_length("jwk-malformed", f"JWK member {member!r}", data, expected)
    return data


def _jwk_number(jwk: Mapping[str, Any], member: str) -> int:
    data = _jwk_bytes(jwk, member)
    if data[0] == 0:
        raise ProofError("jwk-malformed", f"expected no leading zero byte in the JWK member {member!r}")
    return int.from_bytes(data)


def _check_jwk_purpose(jwk: Mapping[str, Any], algorithm: Algorithm) -> None:
    names = JOSE_ALGORITHMS[algorithm]
    if jwk.get("alg", names[0]) not in names:
        raise ProofError("jwk-inconsistent", f"expected the JWK's alg to be {names[0]}, got {shown(jwk['alg'])}")
    if jwk.get("use", "sig") != "sig":
        raise ProofError("jwk-inconsistent", f"expected the JWK's use to be sig, got {shown(jwk['use'])}")
    operations = jwk.get("key_ops", ["verify"])
    if not isinstance(operations, list) or "verify" not in operations:
        raise ProofError("jwk-inconsistent", "expected the JWK's key_ops to be an array with verify in it")


# --- Keys that sign --------------------------------------------------------------------------------------------------


class Signer(Protocol):
    """Something that holds a private key and signs with it."""

    @property
    def key(self) -> VerificationKey:
        """The public half, which checks the signatures."""

    def sign(self, data: bytes) -> bytes:
        """Return a signature over `data`, in the form that `key.verify` takes."""


class PrivateKeySigner:
    """A signer whose private key is in this process's memory.

    ECDSA nonces are derived from key and message (RFC 6979), so that signing needs no randomness and the same input
    gives the same signature.
    """

    def __init__(self, private_key: PrivateKey) -> None:
        """Take a `cryptography` private key; raises as `VerificationKey.from_public_key`."""
        self.key = VerificationKey.from_public_key(private_key.public_key())
        self._private = private_key

    def sign(self, data: bytes) -> bytes:
        """Return a signature over `data`, in the form that `key.verify` takes."""
        match self._private:
            case Ed25519PrivateKey():
                return self._private.sign(data)
            case ec.EllipticCurvePrivateKey():
                curve = _CURVES[self.key.algorithm]
                r, s = decode_dss_signature(
                    self._private.sign(data, ec.ECDSA(curve.digest, deterministic_signing=True))
                )
                return r.to_bytes(curve.coordinate_bytes) + s.to_bytes(curve.coordinate_bytes)
            case _:
                return self._private.sign(data, padding.PKCS1v15(), hashes.SHA256())
