"""An issuer with keys, addresses and a status list, and the badges that it signs with our library alone."""

import itertools
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from credentials.graph.documents import Fetched
from credentials.instants import write_instant
from credentials.proofs.dids import did_web, did_web_url
from credentials.proofs.keys import PrivateKeySigner
from credentials.recipient import identity_object, plain_identity_object
from credentials.sign import sign, sign_jwt, sign_presentation
from credentials.status import BitstringStatusList, status_entry, status_list_credential

CONTEXTS = [
    "https://www.w3.org/ns/credentials/v2",
    "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
    "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json",
]
SCHEMA = "https://purl.imsglobal.org/spec/ob/v3p0/schema/json/ob_v3p0_achievementcredential_schema.json"
RECIPIENT = "élève@schule.example"
PLACE = 94567

_numbers = itertools.count(1)


class Issuer:
    """A network as others see it: `documents` is everything that lies at its addresses.

    Other people's programs go by the clock on the wall, and some keep what they once resolved: each issuer has a
    host of its own, and everything is dated from now.
    """

    def __init__(self) -> None:
        self.now = datetime.now(UTC).replace(microsecond=0)
        self.base_url = f"https://network-{next(_numbers)}.example"
        self.url = f"{self.base_url}/networks/physics-teachers"
        self.did = did_web(self.url)
        self.signer = PrivateKeySigner(ed25519.Ed25519PrivateKey.generate())
        self.jwt_signer = PrivateKeySigner(ec.generate_private_key(ec.SECP256R1()))
        self.kid = f"{self.base_url}/keys/{self.jwt_signer.key.thumbprint}"
        self.list_url = f"{self.base_url}/status/1"
        self.documents: dict[str, Any] = {
            did_web_url(self.did): self._did_document(),
            self.kid: {**self.jwt_signer.key.jwk, "kid": self.kid, "alg": "ES256"},
        }
        self.publish_status()

    def _did_document(self) -> dict[str, Any]:
        keys = [signer.key.multikey for signer in (self.signer, self.jwt_signer)]
        methods = [
            {"id": f"{self.did}#{key}", "type": "Multikey", "controller": self.did, "publicKeyMultibase": key}
            for key in keys
        ]
        return {
            "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"],
            "id": self.did,
            "verificationMethod": methods,
            "assertionMethod": [method["id"] for method in methods],
            "authentication": [method["id"] for method in methods],
        }

    def publish_status(self, *, revoked: bool = False) -> None:
        """Sign the status list anew; the badge's place is the only one that may be revoked."""
        bits = BitstringStatusList()
        bits.set(PLACE, revoked)
        published = status_list_credential(
            id=self.list_url,
            issuer=self.did,
            purpose="revocation",
            bits=bits,
            valid_from=self.now - timedelta(days=1),
            valid_until=self.now + timedelta(days=29),
            ttl_ms=300_000,
        )
        self.documents[self.list_url] = self.sign(published)

    def sign(self, credential: dict[str, Any], suite: str = "eddsa-rdfc-2022") -> dict[str, Any]:
        """Return the credential with a proof, as it is issued."""
        signer = self.signer if suite.startswith("eddsa") else self.jwt_signer
        method = f"{self.did}#{signer.key.multikey}"
        return sign(credential, signer, verification_method=method, created=self.now, suite=suite)

    def present(self, *credentials: Any, challenge: str, domain: str, suite: str = "eddsa-rdfc-2022") -> dict[str, Any]:
        """Return a presentation of these credentials, by this issuer as holder."""
        signer = self.signer if suite.startswith("eddsa") else self.jwt_signer
        return sign_presentation(
            self.presentation(*credentials),
            signer,
            verification_method=f"{self.did}#{signer.key.multikey}",
            created=self.now,
            challenge=challenge,
            domain=domain,
            suite=suite,
        )

    def presentation(self, *credentials: Any) -> dict[str, Any]:
        """Return a presentation of these credentials, unsigned."""
        return {
            "@context": CONTEXTS[:1],
            "type": ["VerifiablePresentation"],
            "holder": self.did,
            "verifiableCredential": list(credentials),
        }

    def load(self, address: str) -> Fetched:
        """Return what lies at one of this issuer's addresses."""
        return Fetched(json.dumps(self.documents[address]).encode(), "application/json")

    def sign_jwt(self, credential: dict[str, Any]) -> str:
        """Return the credential as a VC-JWT, as it is issued."""
        return sign_jwt(credential, self.jwt_signer, kid=self.kid)

    def sign_envelope(self, credential: dict[str, Any]) -> dict[str, Any]:
        """Return the credential as a VC-JWT in an envelope, as it may stand in a presentation."""
        return {
            "@context": CONTEXTS[:1],
            "type": "EnvelopedVerifiableCredential",
            "id": f"data:application/vc+jwt,{self.sign_jwt(credential)}",
        }

    def endorsement(self, *, alone: bool) -> dict[str, Any]:
        """Return an endorsement of the badge, unsigned: with a status if it stands alone."""
        badge = self.badge()
        url = f"{self.base_url}/endorsements/5e2c" if alone else f"{badge['id']}#endorsements"
        status = {"credentialStatus": status_entry(self.list_url, PLACE, "revocation")} if alone else {}
        return {
            "@context": CONTEXTS,
            "id": url,
            "type": ["VerifiableCredential", "EndorsementCredential"],
            "name": f"Endorsement of {badge['name']}",
            "issuer": badge["issuer"],
            "validFrom": write_instant(self.now - timedelta(days=2)),
            "credentialSubject": {
                "id": badge["id"] if alone else f"{badge['id']}#skills",
                "type": ["EndorsementSubject"],
                "endorsementComment": "Skill: Feedback\n\nEndorsed by a member of Physiklehrkräfte Zürich ⚛\n\nÜberzeugt \\*alle\\*.",
            },
            "credentialSchema": [
                {"id": SCHEMA.replace("achievement", "endorsement"), "type": "1EdTechJsonSchemaValidator2019"}
            ],
        } | status

    def badge(self, **changes: Any) -> dict[str, Any]:
        """Return a badge to be signed, of the kind that a network issues: full, and in more than ASCII."""
        badge_url = f"{self.base_url}/credentials/4f1a"
        achievement_url = f"{self.base_url}/achievements/7"
        return {
            "@context": CONTEXTS,
            "id": badge_url,
            "type": ["VerifiableCredential", "OpenBadgeCredential"],
            "name": "Kollegiales Feedback · Stufe Ⅱ 🎖",
            "description": "Gibt „formatives“ Feedback\nund holt es ein.",
            "issuer": {
                "id": self.did,
                "type": ["Profile"],
                "name": "Physiklehrkräfte Zürich ⚛",
                "url": self.url,
                "email": "badges@network.example",
            },
            "validFrom": write_instant(self.now - timedelta(days=30)),
            "validUntil": write_instant(self.now + timedelta(days=700)),
            "awardedDate": write_instant(self.now - timedelta(days=400)),
            "credentialSubject": {
                "id": "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK",
                "type": ["AchievementSubject"],
                "identifier": [identity_object("emailAddress", RECIPIENT, "6b1f0d3c5a")],
                "achievement": {
                    "id": achievement_url,
                    "type": ["Achievement"],
                    "name": "Kollegiales Feedback · Stufe Ⅱ 🎖",
                    "description": '日本語 العربية \\ "quoted"',
                    "achievementType": "Badge",
                    "criteria": {"narrative": "Drei Hospitationen, je **zwei** Rückmeldungen."},
                    "image": {"id": f"{achievement_url}/image.png", "type": "Image"},
                    "tag": ["peer learning", "🎓", "Rückmeldung"],
                    "alignment": [
                        {
                            "type": ["Alignment"],
                            "targetName": "Feedback",
                            "targetUrl": "https://framework.example/feedback?level=2&lang=de#übung",
                        }
                    ],
                    "resultDescription": [
                        {
                            "id": f"{achievement_url}#clarity",
                            "type": ["ResultDescription"],
                            "name": "Klarheit",
                            "resultType": "RubricCriterionLevel",
                            "requiredLevel": f"{achievement_url}#clarity-2",
                            "rubricCriterionLevel": [
                                {
                                    "id": f"{achievement_url}#clarity-{level}",
                                    "type": ["RubricCriterionLevel"],
                                    "name": name,
                                    "level": str(level),
                                }
                                for level, name in enumerate(("im Ansatz", "klar", "vorbildlich"), start=1)
                            ],
                        }
                    ],
                },
                "result": [
                    {
                        "type": ["Result"],
                        "resultDescription": f"{achievement_url}#clarity",
                        "achievedLevel": f"{achievement_url}#clarity-3",
                    }
                ],
            },
            "evidence": [
                {
                    "id": f"{badge_url}#evidence-{number}",
                    "type": ["Evidence"],
                    "name": f"Hospitation {number}",
                    "narrative": "Besuch mit Gespräch",
                    "genre": "facilitated",
                    "digestMultibase": f"uEiD{letter * 43}",
                }
                for number, letter in enumerate("ABC", start=1)
            ],
            "credentialStatus": status_entry(self.list_url, PLACE, "revocation"),
            "credentialSchema": [{"id": SCHEMA, "type": "1EdTechJsonSchemaValidator2019"}],
            **changes,
        }


def changed(signed: dict[str, Any]) -> dict[str, Any]:
    """Return a copy whose achievement has another name."""
    copy: dict[str, Any] = json.loads(json.dumps(signed))
    copy["credentialSubject"]["achievement"]["name"] = "Doctor of Everything"
    return copy


def named(badge: dict[str, Any], *, by_id: bool = True) -> dict[str, Any]:
    """Return a badge whose recipient is named by several identifiers: an address, a name in clear and one hashed."""
    subject = {name: value for name, value in badge["credentialSubject"].items() if by_id or name != "id"}
    more = [plain_identity_object("name", "Zoë 安娜"), identity_object("name", "Zoë 安娜", "91c0d3c5a7")]
    return badge | {"credentialSubject": subject | {"identifier": [*subject["identifier"], *more]}}
