"""Badges as the platforms of 2012 to today write them, each with what lies at the addresses of its issuer."""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from credentials import PrivateKeySigner, bake, sign_jwt
from credentials.proofs.jose import encode_jwt
from tests.credentials.older_badges import (
    MAIL,
    P256,
    PICTURE,
    RSA,
    SALT,
    Site,
    hashed,
    older_png,
    older_svg,
    pem,
)
from tests.credentials.parties import Party

Given = str | bytes
V1, V2 = "https://w3id.org/openbadges/v1", "https://w3id.org/openbadges/v2"
NAME: Final = "Leads a circle"
MODERN: Final = Party(71)
_PERSON: Final = {"type": "email", "hashed": True, "salt": SALT, "identity": hashed()}


def _put(at: Site, host: str, paths: tuple[str, str, str], dialect: str, **assertion: Any) -> dict[str, Any]:
    """Publish badge, class and issuer of one platform, as JSON-LD where a context is given, and return the badge."""
    badge, badge_class, issuer = (f"https://{host}{path}" for path in paths)

    def said(address: str, kind: str, members: Mapping[str, Any]) -> dict[str, Any]:
        return {**({"@context": dialect, "id": address, "type": kind} if dialect else {}), **members}

    at.documents[issuer] = said(issuer, "Issuer", {"name": "Old School", "url": f"https://{host}"})
    described = {"name": NAME, "description": "Led ten meetings", "image": f"https://{host}/1.png", "issuer": issuer}
    at.documents[badge_class] = said(badge_class, "BadgeClass", {**described, "criteria": f"https://{host}/criteria"})
    at.documents[badge] = said(badge, "Assertion", {"recipient": _PERSON, "badge": badge_class, **assertion})
    return dict(at.documents[badge])


def _mozilla(at: Site) -> Given:
    address = "https://badges.club.example/assertions/17"
    issuer = {"origin": "https://badges.club.example", "name": "Old School", "org": "Club", "contact": "a@club.example"}
    described = {"version": "0.5.0", "name": NAME, "image": "/image.png", "criteria": "/criteria", "issuer": issuer}
    at.documents[address] = {"recipient": hashed(), "salt": SALT, "issued_on": "2012-06-01", "badge": described}
    return older_png(address)


def _moodle(at: Site) -> dict[str, Any]:
    address = "/badges/assertion.php?b=f00d"
    verify = {"type": "hosted", "url": f"https://moodle.example{address}"}
    paths = (address, f"{address}&action=1", f"{address}&action=0")
    return _put(at, "moodle.example", paths, "", uid="f00d", issuedOn=1409529600, verify=verify)


def _moodle_of_today(at: Site) -> dict[str, Any]:
    address = "/badges/assertion.php?b=f00d&obversion=2"
    verify = {"type": "hosted", "url": f"https://moodle.example{address}"}
    paths = (address, f"{address}&action=1", f"{address}&action=0")
    return _put(at, "moodle.example", paths, V2, issuedOn="2023-05-01T08:00:00+0200", verify=verify)


def _of_1_1(at: Site) -> dict[str, Any]:
    verify = {"type": "hosted", "url": "http://passport.example/assertions/17"}
    paths = ("/assertions/17", "/classes/3", "/issuers/2")
    return _put(at, "passport.example", paths, V1, uid="17", issuedOn="2015-09-01", verify=verify)


def _signed_of_1_1(at: Site) -> str:
    key = "https://signing.example/key.pem"
    made = _put(at, "signing.example", ("/a", "/class", "/issuer"), V1, uid="17", issuedOn="2015-09-01")
    at.change("https://signing.example/issuer", publicKey=[key], revocationList="https://signing.example/revoked")
    at.documents[key] = pem(RSA).encode()
    at.documents["https://signing.example/revoked"] = {"another": "Issued by mistake"}
    return encode_jwt(made | {"id": "urn:uuid:17", "verify": {"type": "signed", "url": key}}, PrivateKeySigner(RSA))


def _badgr(at: Site) -> dict[str, Any]:
    paths = tuple(f"/public/{kind}/gLNKNOzGRr" for kind in ("assertions", "badges", "issuers"))
    verification = {"type": "HostedBadge"}
    more = {"extensions:recipientProfile": {"type": ["Extension"], "name": "R."}, "verification": verification}
    return _put(at, "api.badgr.example", paths, V2, issuedOn="2018-09-01T12:00:00Z", evidence=[], **more)  # type: ignore[arg-type]


def _credly(at: Site) -> dict[str, Any]:
    paths = tuple(f"/v1/obi/v2/{kind}/0a1b" for kind in ("badge_assertions", "badge_classes", "issuers"))
    at_host = "api.credly.example"
    verification = {"type": "hosted"}
    more = {"issuedOn": "2021-03-04T00:00:00.000Z", "expires": "2099-03-04T00:00:00.000Z", "image": "data:,"}
    return _put(at, at_host, paths, V2, verification=verification, **more)  # type: ignore[arg-type]


def _signed(at: Site) -> str:
    made = _put(at, "college.example", ("/a", "/class", "/issuer"), V2, issuedOn="2020-02-03T00:00:00Z")
    key = "https://college.example/issuer#key"
    listed = {
        "id": key,
        "type": "CryptographicKey",
        "owner": "https://college.example/issuer",
        "publicKeyPem": pem(P256),
    }
    at.change("https://college.example/issuer", publicKey=listed)
    verification = {"type": "SignedBadge", "creator": key}
    return encode_jwt(made | {"id": "urn:uuid:18", "verification": verification}, PrivateKeySigner(P256))


def _baked_with(make: Callable[[Site], Any], picture: Callable[[str], bytes]) -> Callable[[Site], Given]:
    def baked(at: Site) -> Given:
        made = make(at)
        return picture(made if isinstance(made, str) else json.dumps(made))

    return baked


def _as_json(make: Callable[[Site], Any]) -> Callable[[Site], Given]:
    return lambda at: json.dumps(make(at))


def _modern() -> dict[str, Any]:
    """Return a badge of Open Badges 3.0, unsigned."""
    achievement = {
        "id": "https://modern.example/achievements/1",
        "type": ["Achievement"],
        "name": NAME,
        "description": "Leads a circle of peers.",
        "criteria": {"narrative": "Lead six meetings."},
    }
    return MODERN.credential(
        **{
            "@context": [
                "https://www.w3.org/ns/credentials/v2",
                "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
            ],
            "type": ["VerifiableCredential", "OpenBadgeCredential"],
            "id": "https://modern.example/badges/1",
            "credentialSubject": {"id": f"mailto:{MAIL}", "type": ["AchievementSubject"], "achievement": achievement},
        }
    )


def _modern_jwt(_: Site) -> Given:
    return sign_jwt(_modern(), MODERN.ed25519, kid=MODERN.method(MODERN.ed25519), form="vc-jose-cose")


TEN_YEARS: Final[Mapping[str, tuple[str, Callable[[Site], Given]]]] = {
    "Mozilla's 0.5, its address in a picture": ("older-hosted", _mozilla),
    "Moodle's 1.0": ("older-hosted", _as_json(_moodle)),
    "Moodle's 1.0 in a picture": ("older-hosted", _baked_with(_moodle, older_png)),
    "Moodle's 2.0": ("older-hosted", _as_json(_moodle_of_today)),
    "1.1 with its address over http": ("older-hosted", _as_json(_of_1_1)),
    "1.1 in a drawing": ("older-hosted", _baked_with(_of_1_1, older_svg)),
    "1.1, signed": ("older-signed", _signed_of_1_1),
    "Badgr's 2.0": ("older-hosted", _as_json(_badgr)),
    "Badgr's 2.0 in a picture": ("older-hosted", _baked_with(_badgr, older_png)),
    "Badgr's 2.0 in a drawing": ("older-hosted", _baked_with(_badgr, older_svg)),
    "Credly's 2.0": ("older-hosted", _as_json(_credly)),
    "2.0, signed": ("older-signed", _signed),
    "2.0, signed, in a picture": ("older-signed", _baked_with(_signed, older_png)),
    "2.0, signed, in a drawing": ("older-signed", _baked_with(_signed, older_svg)),
    "3.0": ("genuine-unlisted", lambda _: json.dumps(MODERN.sign(_modern()))),
    "3.0 in a picture": ("genuine-unlisted", lambda _: bake(PICTURE, json.dumps(MODERN.sign(_modern())))),
    "3.0 as JWT": ("genuine-unlisted", _modern_jwt),
    "3.0 as SD-JWT": ("not-decided", lambda at: f"{_modern_jwt(at)!s}~WyJzYWx0IiwgIm5hbWUiLCAiQSJd~"),
}
"""Every badge here, by platform and form: its headline, and what makes it."""
