"""A drawer of badges that other issuers made, good and bad, and the files in which people hand them over."""

import io
import json
import random
from base64 import b64encode
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from functools import cache
from hashlib import sha256
from html import escape
from typing import Any, Final

from PIL import Image, ImageDraw, ImageFilter
from PIL.PngImagePlugin import PngInfo

from credentials import PrivateKeySigner, bake, sign_jwt
from credentials.proofs.encodings import base64url_encode
from credentials.proofs.jose import encode_jwt
from credentials.recipient import identity_object
from credentials.status import BitstringStatusList, status_entry, status_list_credential
from tests.credentials.older_badges import RSA, older_png, pem
from tests.credentials.parties import V2, Party
from tests.pages.elsewhere import Answer, Elsewhere
from tests.worlds.handed_over import SVG, attached, code, linked, pdf, png, saved, scenery, tilted, zipped

OB = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"
EXTENSIONS = "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json"
CLR = "https://purl.imsglobal.org/spec/clr/v2p0/context-2.0.1.json"
NAME: Final = "Peer Facilitator"
LISTED: Final = "Example Valley School"
UNLISTED: Final = "Bold Hill Club"
MINUTES: Final = b"What the circle wrote."
CANDIDATE: Final = "candidate@valley.example"
REVOKED, SUSPENDED, STANDING = 13, 14, 17
"""Places in the status lists of every issuer here."""

SCRIPTED: Final = SVG.replace(b"<rect", b"<script>hostile()</script><rect onload='hostile()'")

Badge = str | bytes | dict[str, Any]


@dataclass(frozen=True)
class Drawer:
    """Issuers with a site: a school that a list here names, a club that none does, somebody with no more than a key."""

    site: Elsewhere
    school: Party
    club: Party
    nobody: Party

    @classmethod
    def at(cls, site: Elsewhere) -> "Drawer":
        """Return the issuers at a site, whose documents lie there."""
        host = site.url.removeprefix("http://").replace(":", "%3A")
        drawer = cls(site, Party(61, f"{host}:school"), Party(62, f"{host}:club"), Party(63))
        for issuer in (drawer.school, drawer.club):
            issuer.publish(site, assertionMethod=[issuer.ed25519, issuer.p256])
            for purpose in ("revocation", "suspension"):
                drawer.publish_list(issuer, purpose)
        return drawer

    def trust_list(self) -> dict[str, Any]:
        """Return a list of known issuers that names the school."""
        return {"name": "Board of the valley", "issuers": [{"id": self.school.did, "name": LISTED}]}

    def list_url(self, issuer: Party, purpose: str = "revocation") -> str:
        return f"{self.site.url}/{slug(issuer)}/status/{purpose}"

    def publish_list(self, issuer: Party, purpose: str, until: datetime = datetime(2027, 1, 1, tzinfo=UTC)) -> None:
        """Put the issuer's status list to its address."""
        bits = BitstringStatusList()
        bits.set({"revocation": REVOKED, "suspension": SUSPENDED}[purpose], value=True)
        address = self.list_url(issuer, purpose)
        self.site.documents[address] = issuer.sign(
            status_list_credential(
                id=address,
                issuer=issuer.did,
                purpose=purpose,
                bits=bits,
                valid_from=datetime(2026, 1, 1, tzinfo=UTC),
                valid_until=until,
            )
        )

    def unsigned(self, issuer: Party, place: int | None = STANDING, **changes: Any) -> dict[str, Any]:
        """Return a badge of the issuer, with a status at `place` of its list; a change to None takes a member away."""
        names = {self.school.did: LISTED, self.club.did: UNLISTED}
        number = 17 if place is None else place
        status = None if place is None else status_entry(self.list_url(issuer), place, "revocation")
        return issuer.credential(
            **{
                "@context": [V2, OB],
                "id": f"{self.site.url}/{slug(issuer)}/badges/{number}",
                "type": ["VerifiableCredential", "OpenBadgeCredential"],
                "name": NAME,
                "issuer": {"id": issuer.did, "type": ["Profile"], "name": names.get(issuer.did, "Somebody")},
                "validFrom": "2026-01-15T10:00:00Z",
                "credentialStatus": status,
                "credentialSubject": {
                    "type": ["AchievementSubject"],
                    "identifier": [identity_object("emailAddress", CANDIDATE, "0123456789abcdef")],
                    "achievement": {
                        "id": f"{self.site.url}/{slug(issuer)}/achievements/3",
                        "type": ["Achievement"],
                        "name": NAME,
                        "description": "Leads a circle of peers.",
                        "criteria": {"narrative": "Lead six meetings."},
                    },
                },
                **changes,
            }
        )

    def good(self) -> str:
        """Return the common case: a badge of the listed school, that stands."""
        return json.dumps(self.school.sign(self.unsigned(self.school)))

    def link(self) -> str:
        """Return an address at which the common case lies."""
        return self.site.put("/school/shared/17.json", json.loads(self.good()))

    def with_evidence(self, kept: bytes = MINUTES) -> dict[str, Any]:
        """Return a badge that seals evidence at its issuer's site, where `kept` lies now."""
        address = self.site.put("/school/evidence/17", kept)
        digest = b"\x12\x20" + sha256(MINUTES).digest()
        item = {
            "id": address,
            "type": ["Evidence"],
            "name": "Minutes",
            "digestMultibase": "u" + base64url_encode(digest),
        }
        return self.school.sign(self.unsigned(self.school, evidence=[item]))

    def hostile(self, text: str) -> dict[str, Any]:
        """Return a badge of the club that says `text` wherever it says something, under a signature that holds."""
        badge = self.unsigned(self.club, name=text, description=text)
        badge["issuer"] |= {"name": text, "description": text}
        achievement = badge["credentialSubject"]["achievement"]
        achievement |= {"name": text, "description": text, "criteria": {"narrative": text}, "tag": [text]}
        achievement["image"] = {"id": "data:image/svg+xml;base64," + b64encode(SCRIPTED).decode(), "type": "Image"}
        skill = {"type": ["Alignment"], "targetName": text, "targetUrl": "https://skills.example/1"}
        achievement["alignment"] = [skill | {"targetFramework": text}]
        badge["evidence"] = [{"type": ["Evidence"], "name": text, "narrative": text, "genre": text}]
        return self.club.sign(badge)

    def endorsed(self, comment: str = "We rely on it.", said: str = "We rely on it.") -> dict[str, Any]:
        """Return a badge of the school that the club vouches for with `comment`; what the copy says is `said`."""
        badge = self.unsigned(self.school)
        endorsement = self.unsigned(
            self.club,
            None,
            type=["VerifiableCredential", "EndorsementCredential"],
            name="Endorsement",
            credentialSubject={"id": badge["id"], "type": ["EndorsementSubject"], "endorsementComment": comment},
        )
        signed = self.club.sign(endorsement)
        signed["credentialSubject"]["endorsementComment"] = said
        return self.school.sign(badge | {"endorsement": [signed]})

    def refreshed(self, place: int | None) -> dict[str, Any]:
        """Return a badge of which its issuer keeps a newer copy, named so."""
        address = f"{self.site.url}/school/refresh/17"
        changes = {
            "@context": [V2, OB, EXTENSIONS],
            "refreshService": {"id": address, "type": "1EdTechCredentialRefresh"},
        }
        old = self.unsigned(self.school, place, **changes)
        newer = deepcopy(old) | {"validFrom": "2026-02-01T00:00:00Z"}
        newer["credentialSubject"]["achievement"]["name"] = "Peer Facilitator, renewed"
        self.site.documents[address] = self.school.sign(newer)
        return self.school.sign(old)

    def with_revocation_list(self, *revoked: str) -> dict[str, Any]:
        """Return a badge that names an unsigned list of 1EdTech's kind, on which these ids are."""
        address = self.site.put(
            "/school/revoked.json",
            {
                "id": f"{self.site.url}/school/revoked.json",
                "issuer": self.school.did,
                "revokedCredential": list(revoked),
            },
        )
        entry = {"id": address, "type": "1EdTechRevocationList"}
        badge = self.unsigned(self.school, None, **{"@context": [V2, OB, EXTENSIONS], "credentialStatus": entry})
        return self.school.sign(badge)

    def of_version_2(self) -> dict[str, Any]:
        """Return a hosted assertion of Open Badges 2.0, which lies at its own address, as its class and issuer do."""
        said = {"@context": "https://w3id.org/openbadges/v2"}
        issuer, badge = f"{self.site.url}/old/issuer", f"{self.site.url}/old/classes/1"
        key = {"id": f"{issuer}#key", "owner": issuer, "publicKeyPem": pem(RSA)}
        self.site.put("/old/issuer", said | {"type": "Issuer", "id": issuer, "name": UNLISTED, "publicKey": key})
        self.site.put("/old/classes/1", said | {"type": "BadgeClass", "id": badge, "name": NAME, "issuer": issuer})
        assertion = said | {
            "type": "Assertion",
            "id": f"{self.site.url}/old/assertions/1",
            "recipient": {"type": "email", "hashed": False, "identity": CANDIDATE},
            "badge": badge,
            "verification": {"type": "HostedBadge"},
            "issuedOn": "2019-05-01T00:00:00Z",
        }
        self.site.documents[str(assertion["id"])] = assertion
        return assertion


def slug(issuer: Party) -> str:
    return issuer.did.rpartition(":")[2] if issuer.host else "nobody"


# --- Badges ---------------------------------------------------------------------------------------------------------


def changed_letter(drawer: Drawer) -> str:
    return drawer.good().replace("Leads a circle", "Leads a circus")


def by_another_key(drawer: Drawer) -> Badge:
    """Return a badge in the school's name that the club signed with its own key."""
    return drawer.club.sign(drawer.unsigned(drawer.school))


def with_a_list_of_another(drawer: Drawer) -> Badge:
    """Return a revoked badge that names the list of somebody else, on which it is not."""
    entry = status_entry(drawer.list_url(drawer.club), STANDING, "revocation")
    return drawer.school.sign(drawer.unsigned(drawer.school, REVOKED, credentialStatus=entry))


def by_a_revoked_key(drawer: Drawer) -> Badge:
    """Return a badge of the school, which has revoked the key since."""
    address = f"{drawer.site.url}/school/did.json"
    document = deepcopy(drawer.site.documents[address])
    document["verificationMethod"][0]["revoked"] = "2026-02-01T00:00:00Z"
    drawer.site.documents[address] = document
    return drawer.good()


def by_a_removed_key(drawer: Drawer) -> Badge:
    """Return a badge of the school, whose document does not list the key any more."""
    address = f"{drawer.site.url}/school/did.json"
    document = deepcopy(drawer.site.documents[address])
    del document["verificationMethod"][0]
    drawer.site.documents[address] = document | {"assertionMethod": []}
    return drawer.good()


def posing(drawer: Drawer) -> Badge:
    """Return a badge of the club, which calls itself as the school is called but for one letter."""
    badge = drawer.unsigned(drawer.club)
    badge["issuer"]["name"] = "Examp1e Valley School"
    return drawer.club.sign(badge)


def suspended(drawer: Drawer) -> Badge:
    entry = status_entry(drawer.list_url(drawer.school, "suspension"), SUSPENDED, "suspension")
    return drawer.school.sign(drawer.unsigned(drawer.school, credentialStatus=entry))


def vc_jwt(drawer: Drawer) -> Badge:
    """Return a badge as Open Badges writes JWTs, by a key that lies at an address of its own."""
    kid = drawer.site.put("/school/keys/1", drawer.school.p256.key.jwk)
    drawer.site.put("/.well-known/jwks.json", {"keys": [drawer.school.p256.key.jwk | {"iss": drawer.school.did}]})
    return sign_jwt(drawer.unsigned(drawer.school), drawer.school.p256, kid=kid)


def vc_jose(drawer: Drawer) -> Badge:
    kid = drawer.school.method(drawer.school.ed25519)
    return sign_jwt(drawer.unsigned(drawer.school), drawer.school.ed25519, kid=kid, form="vc-jose-cose")


def transcript(drawer: Drawer) -> Badge:
    """Return a Comprehensive Learner Record with one badge in it."""
    inner = drawer.school.sign(drawer.unsigned(drawer.school))
    record = drawer.unsigned(
        drawer.school,
        None,
        **{
            "@context": [V2, CLR, OB],
            "type": ["VerifiableCredential", "ClrCredential"],
            "id": f"{drawer.site.url}/school/transcripts/1",
            "name": "Transcript",
            "credentialSubject": {
                "id": "did:example:candidate",
                "type": ["ClrSubject"],
                "verifiableCredential": [inner],
            },
        },
    )
    return drawer.school.sign(record)


def revoked_version_2(drawer: Drawer) -> Badge:
    assertion = drawer.of_version_2()
    drawer.site.documents[str(assertion["id"])] = Answer(b'{"revoked": true}', "application/json", 410)
    return assertion


BADGES: Final[Mapping[str, Callable[[Drawer], Badge]]] = {
    "of a listed school": Drawer.good,
    "of a club on no list": lambda d: d.club.sign(d.unsigned(d.club)),
    "of a key alone": lambda d: d.nobody.sign(d.unsigned(d.nobody, None)),
    "without a list": lambda d: d.school.sign(d.unsigned(d.school, None)),
    "signed with P-256": lambda d: d.school.sign(d.unsigned(d.school), "ecdsa-rdfc-2019"),
    "signed over JCS": lambda d: d.school.sign(d.unsigned(d.school), "eddsa-jcs-2022"),
    "as VC-JWT": vc_jwt,
    "as VC-JOSE": vc_jose,
    "with evidence elsewhere": Drawer.with_evidence,
    "endorsed": Drawer.endorsed,
    "with a changed endorsement": lambda d: d.endorsed(said="We rely on it blindly."),
    "with a newer copy": lambda d: d.refreshed(None),
    "with a newer copy and a list": lambda d: d.refreshed(STANDING),
    "not on an unsigned list": lambda d: d.with_revocation_list(f"{d.site.url}/school/badges/99"),
    "on an unsigned list": lambda d: d.with_revocation_list(f"{d.site.url}/school/badges/17"),
    "revoked": lambda d: d.school.sign(d.unsigned(d.school, REVOKED)),
    "suspended": suspended,
    "expired": lambda d: d.school.sign(d.unsigned(d.school, validUntil="2026-02-01T00:00:00Z")),
    "not yet valid": lambda d: d.school.sign(d.unsigned(d.school, validFrom="2026-04-01T00:00:00Z")),
    "with one changed letter": changed_letter,
    "without signature": lambda d: d.unsigned(d.school),
    "by another's key": by_another_key,
    "by a key taken back": by_a_revoked_key,
    "by a key that is gone": by_a_removed_key,
    "with another's list": with_a_list_of_another,
    "by a look-alike": posing,
    "with unknown words": lambda d: (
        json.loads(d.good()) | {"@context": [V2, OB, "https://unknown.example/context.json"]}
    ),
    "of version 2.0": Drawer.of_version_2,
    "of version 2.0 in a picture": lambda d: baked_version_2(d.of_version_2()),
    "of version 2.0 by its address in a picture": lambda d: older_png(str(d.of_version_2()["id"])),
    "of version 2.0, signed": lambda d: encode_jwt(d.of_version_2(), PrivateKeySigner(RSA)),
    "of version 2.0, revoked": revoked_version_2,
    "a transcript": transcript,
    "a plain credential": lambda d: d.school.sign(d.school.credential()),
}
"""Every badge here, by what is particular about it."""


def baked_version_2(assertion: Mapping[str, Any]) -> bytes:
    """Return a PNG with an assertion of Open Badges 2.0 in it, under the keyword of that version."""
    info = PngInfo()
    info.add_itxt("openbadges", json.dumps(assertion))
    return png(Image.new("RGB", (96, 96), "teal"), pnginfo=info)


# --- Files with the common case in them ------------------------------------------------------------------------------


@dataclass(frozen=True)
class File:
    """A file as a visitor chooses it."""

    name: str
    content: bytes


def picture(width: int = 96, height: int = 96) -> bytes:
    return png(Image.new("RGB", (width, height), "teal"))


def photo(link: str) -> bytes:
    """Return a photo of a code, taken from below and the side, a little out of focus, with the noise of a small sensor."""
    seen = scenery(1600, 1200)
    seen.paste(tilted(code(link)).resize((620, 620)), (700, 300))
    noise = Image.frombytes("L", seen.size, random.Random(3).randbytes(seen.width * seen.height))
    return by_camera(Image.blend(seen.filter(ImageFilter.GaussianBlur(1.2)), noise, 0.12))


def by_camera(seen: Image.Image) -> bytes:
    """Return a picture as a telephone stores it, with the name of its maker."""
    tags = Image.Exif()
    tags[271] = "Example Phones"
    return saved(seen, "JPEG", quality=60, exif=tags)


def screenshot(link: str = "") -> Image.Image:
    """Return a screen with lines of writing, and with a code where there is a link."""
    screen = Image.new("RGB", (1280, 800), "white")
    draw = ImageDraw.Draw(screen)
    for line in range(12):
        draw.rectangle((60, 80 + 50 * line, 300 + 40 * (line % 5), 100 + 50 * line), fill="black")
    if link:
        screen.paste(code(link, scale=5).convert("RGB"), (800, 200))
    return screen


def page_about(link: str, head: str = "", body: str = "") -> str:
    """Return a page for people about a badge, as other issuers have them."""
    return f"<!doctype html><html><head><title>{escape(NAME)}</title>{head}</head><body><a href='/about'>About</a>{body or escape(link)}</body></html>"


def mail(link: str) -> bytes:
    """Return an e-mail as a mail program saves it."""
    message = EmailMessage()
    message["Subject"] = "My badge"
    message.set_content(f"Good morning,\n\nmy badge is at {link}.\n\nKind regards\n")
    return bytes(message)


def in_pdf(drawing: Image.Image) -> bytes:
    """Return a PDF with a picture on its page."""
    file = io.BytesIO()
    drawing.save(file, "PDF", resolution=96)
    return file.getvalue()


def holding(badge: str, link: str) -> dict[str, File]:
    """Return every kind of file that holds the badge or leads to it."""
    held = badge.encode()
    return {
        "JSON": File("badge.json", held),
        "PNG": File("badge.png", bake(picture(), badge)),
        "SVG": File("badge.svg", bake(SVG, badge)),
        "SVG with a script": File("badge.svg", bake(SCRIPTED, badge)),
        "PDF with the badge attached": File("cv.pdf", pdf(attached("badge.json", held))),
        "PDF with a link": File("cv.pdf", pdf(linked(link))),
        "PDF with a code": File("certificate.pdf", in_pdf(screenshot(link))),
        "photo of a code": File("IMG_2041.JPG", photo(link)),
        "screenshot with a code": File("screen.png", png(screenshot(link))),
        "WebP with a code": File("screen.webp", saved(screenshot(link), "WEBP", quality=80)),
        "ZIP with one": File("badges.zip", zipped({"my/badge.png": bake(picture(), badge), "my/.hidden": b"x"})),
        "saved page that holds it": File(
            "badge.html", page_about("", f"<script type='application/ld+json'>{badge}</script>").encode()
        ),
        "saved page that links it": File(
            "badge.html", page_about("", f"<link rel=alternate type=application/json href='{link}'>").encode()
        ),
        "e-mail": File("mail.eml", mail(link)),
        "text with a link": File("note.txt", f"Look here:\r\n<{link}>\r\n".encode()),
    }


@cache
def holding_nothing() -> dict[str, File]:
    """Return every kind of file in which there is nothing to check."""
    office = zipped({"[Content_Types].xml": b"<Types/>", "word/document.xml": b"<w/>"})
    return {
        "picture with nothing": File("badge.png", picture()),
        "drawing with nothing": File("badge.svg", SVG),
        "screenshot without a code": File("screen.png", png(screenshot())),
        "photo without a code": File("IMG_2042.JPG", by_camera(scenery(1600, 1200))),
        "PDF with nothing": File("cv.pdf", pdf()),
        "PDF that is locked": File("cv.pdf", pdf(lambda w: w.encrypt("secret", algorithm="AES-256"))),
        "ZIP of ZIPs": File("all.zip", zipped({"inner.zip": zipped({"badge.json": b"{}"})})),
        "ZIP of nothing": File("all.zip", zipped({})),
        "Word document": File("cv.docx", office),
        "HEIC": File("IMG_2043.HEIC", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(99)),
        "empty file": File("badge.json", b""),
        "program": File("badge.exe", b"MZ\x90\0" + bytes(range(256))),
        "text": File("note.txt", b"Meeting on Monday.\nBring cake."),
        "half a badge": File("badge.json", b'{"@context": ["https://www.w3.org/ns/credentials/v2"], "type": ["Verif'),
        "half a picture": File("badge.png", picture()[:60]),
        "saved page about cats": File("cats.html", page_about("Cats").encode()),
    }


def several(drawer: Drawer) -> bytes:
    """Return a ZIP with badges of several kinds, and a picture of none."""
    return zipped(
        {
            "good/badge.json": drawer.good().encode(),
            "good/badge.png": bake(picture(), drawer.good()),
            "bad/badge.svg": bake(SVG, json.dumps(BADGES["revoked"](drawer))),
            "good/badge.jwt": str(BADGES["as VC-JOSE"](drawer)).encode(),
            "empty/badge.png": picture(),
        }
    )


def login() -> Answer:
    """Return what a site answers to who has not signed in."""
    return Answer(page_about("Sign in").encode(), "text/html", 401, {"WWW-Authenticate": "Bearer"})
