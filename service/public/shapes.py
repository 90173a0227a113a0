"""The shapes of public documents, for the description of the API.

Other people's specifications define most of them, and leave room for further members.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from service.achievements.definitions import AchievementFields
from service.bodies import Instant
from service.evidence.rubrics import RubricAlignmentIn, RubricCriterionIn, RubricLevelIn


class Published(BaseModel):
    """A document that may have further members."""

    model_config = ConfigDict(extra="allow")


class Jwk(Published):
    """A public key (RFC 7517)."""

    kty: str = Field(examples=["OKP"])
    kid: str = Field(description="its address")
    alg: str = Field(examples=["EdDSA"])
    use: Literal["sig"]
    iss: str = Field(description="the DID of the network that signs with it")


class Jwks(Published):
    """Public keys for JWT (RFC 7517)."""

    keys: list[Jwk]


class VerificationMethod(Published):
    """A public key of a DID document (Controlled Identifiers 1.0)."""

    id: str
    type: Literal["Multikey", "JsonWebKey"]
    controller: str


class DidDocument(Published):
    """The keys of an issuer (DID Core 1.0)."""

    context: list[str] = Field(alias="@context")
    id: str = Field(examples=["did:web:badges.example.org:networks:river-writers"])
    also_known_as: list[str] = Field(alias="alsoKnownAs")
    verification_method: list[VerificationMethod] = Field(alias="verificationMethod")
    assertion_method: list[str] = Field(alias="assertionMethod", description="ids of those that are in force")


class SignedCredential(Published):
    """A Verifiable Credential: a badge of Open Badges 3.0, a status list, or the record of a check."""

    context: list[str | dict[str, Any]] = Field(alias="@context")
    id: str
    type: list[str] | str
    issuer: str | dict[str, Any]
    credential_subject: dict[str, Any] = Field(alias="credentialSubject")


class Profile(Published):
    """An issuer (Open Badges 3.0, Profile)."""

    context: list[str] = Field(alias="@context")
    id: str = Field(description="its DID")
    type: list[str]
    name: str
    url: str


class PublishedAchievement(Published):
    """What can be earned (Open Badges 3.0, Achievement)."""

    context: list[str] = Field(alias="@context")
    id: str
    type: list[str]
    name: str
    description: str
    achievement_type: str = Field(alias="achievementType")
    creator: dict[str, Any]
    criteria: dict[str, Any]


class Definition(AchievementFields):
    """The definition of a published version, with its rule: canonical JSON (RFC 8785)."""


class PublicRubric(Published):
    """A version of a rubric, without what it says to assessors."""

    ref: str
    version: int
    name: str
    levels: list[RubricLevelIn]
    criteria: list[RubricCriterionIn]
    for_public: str | None = None
    alignment: list[RubricAlignmentIn] | None = None


class ReceiptDecider(Published):
    """Somebody who decided, without a name."""

    role: str
    at: Instant


class ReceiptEvidence(Published):
    """A record on which a decision rests."""

    id: str
    digest: str


class DecisionReceipt(Published):
    """Why an award was made, rule by rule: canonical JSON (RFC 8785), whose SHA-256 the credential cites."""

    form: Literal["receipt/1"]
    id: str
    issuer: str
    achievement: str
    version: int
    definition_sha256: str
    basis: Literal["rule", "approval", "override", "recorded"]
    awarded_at: Instant
    decided_by: list[ReceiptDecider]
    evidence: list[ReceiptEvidence]
