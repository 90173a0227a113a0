"""The credentials of Open Badges 3.0: achievements and endorsements."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    Discriminator,
    Field,
    SerializeAsAny,
    SerializerFunctionWrapHandler,
    Tag,
    WrapSerializer,
    field_validator,
    model_validator,
)
from pydantic.alias_generators import to_camel

from credentials.errors import shown
from credentials.instants import write_instant
from credentials.model.achievement import Achievement, Alignment, ResultDescription
from credentials.model.profile import IdentityObject, Profile
from credentials.model.values import (
    V1_CONTEXT,
    V2_CONTEXT,
    Classified,
    CompactJws,
    Image,
    Instant,
    MediaType,
    Model,
    Number,
    OneOrSeveral,
    ResultStatus,
    Several,
    Text,
    _check_image,
    kind_of,
    refuse,
)


class Evidence(Classified):
    """What shows that the achievement was earned.

    `digest_multibase` seals the bytes at its address.
    """

    own_type: ClassVar = ["Evidence"]
    id: str | None = None
    name: str | None = None
    description: str | None = None
    narrative: str | None = None
    genre: str | None = None
    audience: str | None = None
    digest_multibase: str | None = None
    media_type: str | None = None


class Result(Classified):
    """A result, measured by a ResultDescription of the achievement."""

    own_type: ClassVar = ["Result"]
    result_description: str | None = None
    achieved_level: str | None = None
    value: str | None = None
    status: ResultStatus | None = None
    alignment: Several[Alignment] | None = None


class AchievementSubject(Classified):
    """Who achieved what, and with which results."""

    own_type: ClassVar = ["AchievementSubject"]
    id: str | None = None
    identifier: Several[IdentityObject] | None = None
    achievement: Achievement
    result: Several[Result] | None = None
    activity_start_date: Instant | None = None
    activity_end_date: Instant | None = None
    credits_earned: Number | None = None
    image: Image | None = None
    license_number: str | None = None
    narrative: str | None = None
    role: str | None = None
    source: Profile | None = None
    term: str | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.id is None and not self.identifier:
            refuse("recipient-missing", "expected a recipient by id or identifier, got neither")
        _check_image(self.image)
        described = {item.id: item for item in self.achievement.result_description or ()}
        for index, result in enumerate(self.result or ()):
            self._check_result(result, described, index)
        return self

    def _check_result(self, result: Result, described: Mapping[str, ResultDescription], index: int) -> None:
        where = ("result", index)
        if result.result_description is not None:
            description = described.get(result.result_description)
            if description is None:
                message = f"expected a resultDescription of this achievement, got {shown(result.result_description)}"
                refuse("result-description-unknown", message, *where, "resultDescription")
            if description.result_type == "Status" and result.status is None:
                refuse("result-status-missing", "expected a status, which the resultType asks for, got none", *where)
            if result.value is not None and not description.allows(result.value):
                message = f"expected a value that the resultDescription allows, got {shown(result.value)}"
                refuse("result-value-not-allowed", message, *where, "value")
        # The specification's own example reaches a level of another description than the one that it names.
        level_ids = {level for description in described.values() for level in description.level_ids}
        if result.achieved_level is not None and result.achieved_level not in level_ids:
            message = f"expected achievedLevel to be a level of this achievement, got {shown(result.achieved_level)}"
            refuse("result-level-unknown", message, *where, "achievedLevel")


class EndorsementSubject(Classified):
    """What is endorsed, named by its id, and why."""

    own_type: ClassVar = ["EndorsementSubject"]
    id: str
    endorsement_comment: str | None = None


class CredentialSchema(Model):
    """A schema that the credential follows."""

    id: str
    type: str


class CredentialStatus(Model):
    """Where to find the status of the credential."""

    id: str
    type: str


class BitstringStatusListEntry(CredentialStatus):
    """The position of the credential in a status list; see `status.status_entry`."""

    own_type: ClassVar = "BitstringStatusListEntry"
    type: Literal["BitstringStatusListEntry"] = "BitstringStatusListEntry"
    status_purpose: str
    status_list_index: str
    status_list_credential: str


def _alone(value: Any, write: SerializerFunctionWrapHandler) -> Any:
    written = write(value)
    return written[0] if isinstance(written, list) and len(written) == 1 else written


_Status = Annotated[
    Annotated[SerializeAsAny[CredentialStatus], Tag("(object)")]
    | Annotated[list[SerializeAsAny[CredentialStatus]], Tag("(array)")],
    Discriminator(kind_of),
    WrapSerializer(_alone),
]
"""One object in Open Badges 3.0; the draft of 3.1 has several, and some issuers write them already."""


class RefreshService(Model):
    """Where to get a newer copy of the credential."""

    id: str
    type: str


class TermsOfUse(Model):
    """The terms under which the credential was issued."""

    id: str | None = None
    type: str


class Proof(Model):
    """A proof in the credential; `data_integrity` creates and checks proofs."""

    type: str
    created: Instant | None = None
    cryptosuite: str | None = None
    challenge: str | None = None
    domain: str | None = None
    nonce: str | None = None
    proof_purpose: str | None = None
    proof_value: str | None = None
    verification_method: str | None = None


class RelatedResource(Model):
    """A resource elsewhere, and the digests of its bytes."""

    id: str
    digest_sri: OneOrSeveral[str] | None = Field(None, alias="digestSRI")
    digest_multibase: OneOrSeveral[str] | None = None
    media_type: MediaType | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.digest_sri is None and self.digest_multibase is None:
            refuse("digest-missing", "expected digestSRI or digestMultibase for the resource, got neither")
        return self


_OPEN_BADGES_CONTEXT = re.compile(r"https://purl\.imsglobal\.org/spec/ob/v3p0/context(-3\.[0-9]\.[0-9])*\.json\Z")
ContextEntry = Annotated[Text | Annotated[dict[str, Any], Tag("(object)")], Discriminator(kind_of)]


class Document(Classified):
    """What credentials and presentations share, in both versions of the data model."""

    first_context: ClassVar[str] = V2_CONTEXT
    context: list[ContextEntry] = Field(alias="@context")

    @field_validator("context")
    @classmethod
    def _check_context(cls, context: list[Any]) -> list[Any]:
        if not context or context[0] != cls.first_context:
            got = shown(context[0] if context else None)
            refuse("context-order", f"expected the first context to be {cls.first_context}, got {got}", 0)
        return context


class Credential(Document):
    """What all credentials share, in both versions of the data model."""

    own_type: ClassVar = ["VerifiableCredential"]
    related_resource: OneOrSeveral[RelatedResource] | None = None

    @field_validator("related_resource")
    @classmethod
    def _check_resources(cls, resources: list[RelatedResource] | None) -> list[RelatedResource] | None:
        seen: set[str] = set()
        for index, resource in enumerate(resources or ()):
            if resource.id in seen:
                refuse("resource-repeated", f"expected each resource once, got {shown(resource.id)} again", index)
            seen.add(resource.id)
        return resources

    @model_validator(mode="after")
    def _check_period(self) -> Self:
        for start, end in (("valid_from", "valid_until"), ("issuance_date", "expiration_date")):
            starts_at, ends_at = getattr(self, start, None), getattr(self, end, None)
            if isinstance(starts_at, datetime) and isinstance(ends_at, datetime) and ends_at < starts_at:
                message = f"expected {to_camel(end)} to be after {to_camel(start)}, got {write_instant(ends_at)}"
                refuse("period-reversed", message, to_camel(end))
        return self


class OpenBadges(Credential):
    """What AchievementCredential and EndorsementCredential share."""

    id: str
    name: str | None = None
    description: str | None = None
    issuer: Annotated[Text | Annotated[Profile, Tag("(object)")], Discriminator(kind_of)]
    awarded_date: Instant | None = None
    credential_status: _Status | None = None
    credential_schema: OneOrSeveral[CredentialSchema] | None = None
    refresh_service: RefreshService | None = None
    terms_of_use: OneOrSeveral[TermsOfUse] | None = None
    proof: OneOrSeveral[Proof] | None = None

    @field_validator("context")
    @classmethod
    def _check_second_context(cls, context: list[Any]) -> list[Any]:
        second = context[1] if len(context) > 1 else None
        if not isinstance(second, str) or not _OPEN_BADGES_CONTEXT.match(second):
            refuse("context-order", f"expected the second context to be Open Badges 3.0's, got {shown(second)}", 1)
        return context


class _Achievement(OpenBadges):
    own_type: ClassVar = ["VerifiableCredential", "OpenBadgeCredential"]
    image: Image | None = None
    credential_subject: AchievementSubject
    endorsement: "Several[Endorsement] | None" = None
    endorsement_jwt: Several[CompactJws] | None = None
    evidence: Several[Evidence] | None = None


class OpenBadgeCredential(_Achievement):
    """An Open Badge on VC Data Model 2.0; also named AchievementCredential."""

    valid_from: Instant
    valid_until: Instant | None = None


class OpenBadgeCredential11(_Achievement):
    """An Open Badge on VC Data Model 1.1, for checking."""

    first_context = V1_CONTEXT
    name: str
    issuance_date: Instant
    expiration_date: Instant | None = None


class _Endorsement(OpenBadges):
    own_type: ClassVar = ["VerifiableCredential", "EndorsementCredential"]
    name: str
    credential_subject: EndorsementSubject


class EndorsementCredential(_Endorsement):
    """An endorsement on VC Data Model 2.0."""

    valid_from: Instant
    valid_until: Instant | None = None


class EndorsementCredential11(_Endorsement):
    """An endorsement on VC Data Model 1.1, for checking."""

    first_context = V1_CONTEXT
    issuance_date: Instant
    expiration_date: Instant | None = None


def version_of(value: object) -> str:
    """Return the tag of the data model's version, "(1.1)" or "(2.0)".

    The first context decides it.
    """
    contexts = value.get("@context") if isinstance(value, Mapping) else getattr(value, "context", None)
    return "(1.1)" if isinstance(contexts, list) and contexts[:1] == [V1_CONTEXT] else "(2.0)"


Endorsement = Annotated[
    Annotated[EndorsementCredential, Tag("(2.0)")] | Annotated[EndorsementCredential11, Tag("(1.1)")],
    Discriminator(version_of),
]

for _endorsed in (Profile, Achievement):
    _endorsed.model_rebuild(_types_namespace={"Endorsement": Endorsement})
