"""Credentials as values: what the schemas of Open Badges 3.0 and the VC Data Model ask for, as classes.

The classes build credentials (by Python names; `to_json` writes them as an issuer should) and check them: `check_form`
holds a received credential against the class of its type. Members that the classes do not know are kept where the
schema is open and refused where it is closed. It is one file of over 400 lines because it mirrors one data model, whose
classes refer to one another.

Spec: Open Badges 3.0, appendix B (data models) and its JSON Schemas; VC Data Model 2.0, section 4; 1.1, section 4.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, ClassVar, Final, Literal, NoReturn, Self, TypeVar, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    PlainSerializer,
    SerializeAsAny,
    Tag,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic_core import ErrorDetails, PydanticCustomError

from credentials.errors import shown
from credentials.findings import Finding
from credentials.graph.unprotected import MAX_FINDINGS, find_unprotected
from credentials.instants import read_instant, write_instant
from credentials.strict_json import pointer

V1_CONTEXT: Final = "https://www.w3.org/2018/credentials/v1"
V2_CONTEXT: Final = "https://www.w3.org/ns/credentials/v2"

T = TypeVar("T")
_RECEIVED: Final = object()
"""The validation context under which nothing is filled in that a received document must say itself."""


def _refuse(code: str, message: str, *path: str | int) -> NoReturn:
    """Raise what becomes a `Finding`, `path` leading there from the value that is validated."""
    raise PydanticCustomError(code, "{message}", {"message": message, "path": path})


# --- Values ----------------------------------------------------------------------------------------------------------


def _instant(value: object) -> datetime:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value
    instant = read_instant(value)
    return instant or _refuse("date-malformed", f"expected a date and time with a zone, got {shown(value)}")


def _day(value: object) -> date:
    if isinstance(value, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    elif type(value) is date:
        return value
    _refuse("date-malformed", f"expected a date YYYY-MM-DD, got {shown(value)}")


def _matching(pattern: str, expected: str) -> AfterValidator:
    compiled = re.compile(pattern)

    def check(text: str) -> str:
        return text if compiled.match(text) else _refuse("value-malformed", f"expected {expected}, got {shown(text)}")

    return AfterValidator(check)


def _one_of(names: str, *, extensible: bool = True) -> AfterValidator:
    known = frozenset(names.split())

    def check(text: str) -> str:
        if text in known or (extensible and re.match(r"ext:[a-zA-Z0-9|._]", text)):
            return text
        more = ", or ext: and a name" if extensible else ""
        _refuse("value-not-allowed", f"expected one of {', '.join(sorted(known))}{more}, got {shown(text)}")

    return AfterValidator(check)


def _as_list(value: object) -> object:
    return value if isinstance(value, list) else [value]


def _filled(values: list[T], info: ValidationInfo) -> list[T]:
    if not values and info.context is not _RECEIVED:
        _refuse("array-empty", "expected no member where there is nothing to say, got an empty array")
    return values


def _kind(value: object) -> str | None:
    match value:
        case str():
            return "(text)"
        case list():
            return "(array)"
        case Mapping() | BaseModel():
            return "(object)"
        case _:
            return None


Instant = Annotated[datetime, BeforeValidator(_instant), PlainSerializer(write_instant, return_type=str)]
"""Read from text with a zone, written as whole seconds of UTC."""
Day = Annotated[date, BeforeValidator(_day), PlainSerializer(date.isoformat, return_type=str)]
Number = Annotated[
    float, PlainSerializer(lambda number: int(number) if number.is_integer() else number, return_type=int | float)
]
Several = Annotated[list[T], AfterValidator(_filled)]
"""An array, always; with nothing in it, it is not written (and means nothing when it is read)."""
OneOrSeveral = Annotated[list[T], BeforeValidator(_as_list), AfterValidator(_filled)]
"""Read from a single value too, where the specification allows that compaction; written as an array."""
CompactJws = Annotated[str, _matching(r"[a-zA-Z0-9_-]+\.[a-zA-Z0-9_-]*\.[a-zA-Z0-9_-]+\Z", "a compact JWS")]
MediaType = Annotated[
    str, _matching(r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]*/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]*( *;.*)?\Z", "a media type")
]
LanguageCode = Annotated[
    str, _matching(r"[a-z]{2,4}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?\Z", "a language code such as en or pt-BR")
]
AchievementType = Annotated[
    str,
    _one_of(
        "Achievement ApprenticeshipCertificate Assessment Assignment AssociateDegree Award Badge BachelorDegree "
        "Certificate CertificateOfCompletion Certification CommunityService Competency Course CoCurricular Degree "
        "Diploma DoctoralDegree Fieldwork GeneralEducationDevelopment JourneymanCertificate LearningProgram License "
        "Membership ProfessionalDoctorate QualityAssuranceCredential MasterCertificate MasterDegree MicroCredential "
        "ResearchDoctorate SecondarySchoolDiploma"
    ),
]
TargetType = Annotated[
    str,
    _one_of(
        "ceasn:Competency ceterms:Credential CFItem CFRubric CFRubricCriterion CFRubricCriterionLevel CTDL",
    ),
]
IdentifierType = Annotated[
    str,
    _one_of(
        "name sourcedId systemId productId userName accountId emailAddress nationalIdentityNumber isbn issn "
        "lisSourcedId oneRosterSourcedId sisSourcedId ltiContextId ltiDeploymentId ltiToolId ltiPlatformId ltiUserId "
        "identifier"
    ),
]
ResultType = Annotated[
    str,
    _one_of(
        "GradePointAverage LetterGrade Percent PerformanceLevel PredictedScore RawScore Result RubricCriterion "
        "RubricCriterionLevel RubricScore ScaledScore Status"
    ),
]
ResultStatus = Annotated[
    str, _one_of("Completed Enrolled Failed InProgress OnHold Provisional Withdrew", extensible=False)
]


Text = Annotated[str, Tag("(text)")]


# --- Objects ---------------------------------------------------------------------------------------------------------


class Model(BaseModel):
    """An object of a credential: frozen, of strict types, with the members that it does not know kept.

    What is built without `type` gets that of its class; what is received has to say it.
    """

    model_config = ConfigDict(
        frozen=True,
        strict=True,
        extra="allow",
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        allow_inf_nan=False,
    )
    own_type: ClassVar[str | list[str] | None] = None

    @model_validator(mode="before")
    @classmethod
    def _fill_in_type(cls, value: Any, info: ValidationInfo) -> Any:
        if cls.own_type is None or not isinstance(value, Mapping) or "type" in value:
            return value
        if info.context is _RECEIVED:
            _refuse("member-missing", f"expected type to be {cls._own_name()}, got none", "type")
        return {"type": cls.own_type, **value}

    @classmethod
    def _own_name(cls) -> str:
        return cls.own_type if isinstance(cls.own_type, str) else " and ".join(cls.own_type or ())

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object: arrays always, no nulls, times in whole seconds of UTC."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


class Classified(Model):
    """An object whose `type`, an array, has to contain all of `own_type` and may contain more."""

    type: OneOrSeveral[str] = Field(default_factory=list)

    @field_validator("type")
    @classmethod
    def _check_type(cls, types: list[str]) -> list[str]:
        expected = [_SYNONYMS.get(name, name) for name in cls.own_type or ()]
        if set(expected) <= {_SYNONYMS.get(name, name) for name in types}:
            return types
        got = ", ".join(map(shown, types[:3]))
        _refuse("type-missing", f"expected type to contain {cls._own_name()}, got {got}")


_SYNONYMS = {"AchievementCredential": "OpenBadgeCredential"}


class Image(Model):
    """A picture at an address, which may be a data address."""

    model_config = ConfigDict(extra="forbid")
    own_type = "Image"
    id: str
    type: Literal["Image"] = "Image"
    caption: str | None = None


class IdentityObject(Model):
    """What a recipient is known by, in clear or hashed; see `recipient.identity_object`."""

    model_config = ConfigDict(extra="forbid")
    own_type = "IdentityObject"
    type: Literal["IdentityObject"] = "IdentityObject"
    hashed: bool
    identity_hash: str
    identity_type: IdentifierType
    salt: str | None = None


class IdentifierEntry(Model):
    """Another identifier of an organization, a person or an achievement."""

    model_config = ConfigDict(extra="forbid")
    own_type = "IdentifierEntry"
    type: Literal["IdentifierEntry"] = "IdentifierEntry"
    identifier: str
    identifier_type: IdentifierType


class GeoCoordinates(Model):
    """Where on Earth, in degrees."""

    own_type = "GeoCoordinates"
    type: Literal["GeoCoordinates"] = "GeoCoordinates"
    latitude: Number
    longitude: Number


class Address(Classified):
    """A postal address."""

    own_type = ["Address"]
    address_country: str | None = None
    address_country_code: str | None = None
    address_region: str | None = None
    address_locality: str | None = None
    street_address: str | None = None
    post_office_box_number: str | None = None
    postal_code: str | None = None
    geo: GeoCoordinates | None = None


class Alignment(Classified):
    """A place in a framework that something corresponds to."""

    own_type = ["Alignment"]
    target_name: str
    target_url: str
    target_code: str | None = None
    target_description: str | None = None
    target_framework: str | None = None
    target_type: TargetType | None = None


class Evidence(Classified):
    """What shows that the achievement was earned; `digest_multibase` seals the bytes at its address."""

    own_type = ["Evidence"]
    id: str | None = None
    name: str | None = None
    description: str | None = None
    narrative: str | None = None
    genre: str | None = None
    audience: str | None = None
    digest_multibase: str | None = None
    media_type: str | None = None


class Related(Classified):
    """An achievement that this one is a version or translation of."""

    own_type = ["Related"]
    id: str
    in_language: LanguageCode | None = None
    version: str | None = None


class Criteria(Model):
    """What has to be done, at an address or in words."""

    id: str | None = None
    narrative: str | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.id is None and self.narrative is None:
            _refuse("criteria-missing", "expected criteria with an id or a narrative, got neither")
        return self


class RubricCriterionLevel(Classified):
    """One level of a rubric's criterion; levels stand from low to high."""

    own_type = ["RubricCriterionLevel"]
    id: str
    name: str
    description: str | None = None
    level: str | None = None
    points: str | None = None
    alignment: Several[Alignment] | None = None


class ResultDescription(Classified):
    """What results of an achievement can be; `allowed_value` stands from low to high."""

    own_type = ["ResultDescription"]
    id: str
    name: str
    result_type: ResultType
    allowed_value: Several[str] | None = None
    required_level: str | None = None
    required_value: str | None = None
    rubric_criterion_level: Several[RubricCriterionLevel] | None = None
    value_min: str | None = None
    value_max: str | None = None
    alignment: Several[Alignment] | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.required_level is not None and self.required_level not in self.level_ids:
            message = f"expected requiredLevel to be one of the levels, got {shown(self.required_level)}"
            _refuse("required-level-unknown", message, "requiredLevel")
        if self.required_value is not None and not self.allows(self.required_value):
            message = f"expected requiredValue to be a value that is allowed, got {shown(self.required_value)}"
            _refuse("required-value-not-allowed", message, "requiredValue")
        return self

    @property
    def level_ids(self) -> list[str]:
        """The ids of the rubric's levels, in their order."""
        return [level.id for level in self.rubric_criterion_level or ()]

    def allows(self, value: str) -> bool:
        """Return whether `value` is one of those allowed, or within the bounds where they are numbers."""
        if self.allowed_value and value not in self.allowed_value:
            return False
        number, least, most = (_decimal(text) for text in (value, self.value_min, self.value_max))
        if number is None:
            return True
        return (least is None or least <= number) and (most is None or number <= most)


class Result(Classified):
    """What was reached, against a ResultDescription of the achievement."""

    own_type = ["Result"]
    result_description: str | None = None
    achieved_level: str | None = None
    value: str | None = None
    status: ResultStatus | None = None
    alignment: Several[Alignment] | None = None


class Profile(Classified):
    """An organization or a person."""

    own_type = ["Profile"]
    id: str
    name: str | None = None
    url: str | None = None
    phone: str | None = None
    description: str | None = None
    endorsement: "Several[Endorsement] | None" = None
    endorsement_jwt: Several[CompactJws] | None = None
    image: Image | None = None
    email: str | None = None
    address: Address | None = None
    other_identifier: Several[IdentifierEntry] | None = None
    official: str | None = None
    parent_org: "Profile | None" = None
    family_name: str | None = None
    given_name: str | None = None
    additional_name: str | None = None
    patronymic_name: str | None = None
    honorific_prefix: str | None = None
    honorific_suffix: str | None = None
    family_name_prefix: str | None = None
    date_of_birth: Day | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        _check_image(self.image)
        return self


class Achievement(Classified):
    """What can be achieved, and how."""

    own_type = ["Achievement"]
    id: str
    name: str
    description: str
    criteria: Criteria
    achievement_type: AchievementType | None = None
    alignment: Several[Alignment] | None = None
    creator: Profile | None = None
    credits_available: Number | None = None
    endorsement: "Several[Endorsement] | None" = None
    endorsement_jwt: Several[CompactJws] | None = None
    field_of_study: str | None = None
    human_code: str | None = None
    image: Image | None = None
    in_language: LanguageCode | None = None
    other_identifier: Several[IdentifierEntry] | None = None
    related: Several[Related] | None = None
    result_description: Several[ResultDescription] | None = None
    specialization: str | None = None
    tag: Several[str] | None = None
    version: str | None = None


class AchievementSubject(Classified):
    """Who achieved what, with which results."""

    own_type = ["AchievementSubject"]
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
            _refuse("recipient-missing", "expected a recipient by id or identifier, got neither")
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
                _refuse("result-description-unknown", message, *where, "resultDescription")
            if description.result_type == "Status" and result.status is None:
                _refuse("result-status-missing", "expected a status, which the resultType asks for, got none", *where)
            if result.value is not None and not description.allows(result.value):
                message = f"expected a value that the resultDescription allows, got {shown(result.value)}"
                _refuse("result-value-not-allowed", message, *where, "value")
        # The specification's own example reaches a level of another description than the one it names.
        level_ids = {level for description in described.values() for level in description.level_ids}
        if result.achieved_level is not None and result.achieved_level not in level_ids:
            message = f"expected achievedLevel to be a level of this achievement, got {shown(result.achieved_level)}"
            _refuse("result-level-unknown", message, *where, "achievedLevel")


class EndorsementSubject(Classified):
    """What is endorsed, by its id, and why."""

    own_type = ["EndorsementSubject"]
    id: str
    endorsement_comment: str | None = None


class CredentialSchema(Model):
    """A schema that the credential follows."""

    id: str
    type: str


class CredentialStatus(Model):
    """Where the status of the credential can be found out."""

    id: str
    type: str


class BitstringStatusListEntry(CredentialStatus):
    """The place of the credential in a status list; see `status.status_entry`."""

    own_type = "BitstringStatusListEntry"
    type: Literal["BitstringStatusListEntry"] = "BitstringStatusListEntry"
    status_purpose: str
    status_list_index: str
    status_list_credential: str


class RefreshService(Model):
    """Where a newer copy of the credential can be had."""

    id: str
    type: str


class TermsOfUse(Model):
    """Under which terms the credential was issued."""

    id: str | None = None
    type: str


class Proof(Model):
    """A proof in the credential; `data_integrity` creates and checks them."""

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
    """Something elsewhere, whose bytes have these digests."""

    id: str
    digest_sri: OneOrSeveral[str] | None = Field(None, alias="digestSRI")
    digest_multibase: OneOrSeveral[str] | None = None
    media_type: MediaType | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.digest_sri is None and self.digest_multibase is None:
            _refuse("digest-missing", "expected digestSRI or digestMultibase for the resource, got neither")
        return self


# --- Credentials -----------------------------------------------------------------------------------------------------

_OPEN_BADGES_CONTEXT = re.compile(r"https://purl\.imsglobal\.org/spec/ob/v3p0/context(-3\.[0-9]\.[0-9])*\.json\Z")
ContextEntry = Annotated[Text | Annotated[dict[str, Any], Tag("(object)")], Discriminator(_kind)]


class Document(Classified):
    """What credentials and presentations have, of either version of the data model."""

    first_context: ClassVar[str] = V2_CONTEXT
    context: list[ContextEntry] = Field(alias="@context")

    @field_validator("context")
    @classmethod
    def _check_context(cls, context: list[Any]) -> list[Any]:
        if not context or context[0] != cls.first_context:
            got = shown(context[0] if context else None)
            _refuse("context-order", f"expected the first context to be {cls.first_context}, got {got}", 0)
        return context


class Credential(Document):
    """What all credentials have, of either version of the data model."""

    own_type = ["VerifiableCredential"]
    related_resource: OneOrSeveral[RelatedResource] | None = None

    @field_validator("related_resource")
    @classmethod
    def _check_resources(cls, resources: list[RelatedResource] | None) -> list[RelatedResource] | None:
        seen: set[str] = set()
        for index, resource in enumerate(resources or ()):
            if resource.id in seen:
                _refuse("resource-repeated", f"expected each resource once, got {shown(resource.id)} again", index)
            seen.add(resource.id)
        return resources

    @model_validator(mode="after")
    def _check_period(self) -> Self:
        for start, end in (("valid_from", "valid_until"), ("issuance_date", "expiration_date")):
            starts_at, ends_at = getattr(self, start, None), getattr(self, end, None)
            if isinstance(starts_at, datetime) and isinstance(ends_at, datetime) and ends_at < starts_at:
                message = f"expected {to_camel(end)} to be after {to_camel(start)}, got {write_instant(ends_at)}"
                _refuse("period-reversed", message, to_camel(end))
        return self


class _OpenBadges(Credential):
    """What AchievementCredential and EndorsementCredential share."""

    id: str
    name: str | None = None
    description: str | None = None
    issuer: Annotated[Text | Annotated[Profile, Tag("(object)")], Discriminator(_kind)]
    awarded_date: Instant | None = None
    credential_status: SerializeAsAny[CredentialStatus] | None = None
    credential_schema: OneOrSeveral[CredentialSchema] | None = None
    refresh_service: RefreshService | None = None
    terms_of_use: OneOrSeveral[TermsOfUse] | None = None
    proof: OneOrSeveral[Proof] | None = None

    @field_validator("context")
    @classmethod
    def _check_second_context(cls, context: list[Any]) -> list[Any]:
        second = context[1] if len(context) > 1 else None
        if not isinstance(second, str) or not _OPEN_BADGES_CONTEXT.match(second):
            _refuse("context-order", f"expected the second context to be Open Badges 3.0's, got {shown(second)}", 1)
        return context


class _Achievement(_OpenBadges):
    own_type = ["VerifiableCredential", "OpenBadgeCredential"]
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


class _Endorsement(_OpenBadges):
    own_type = ["VerifiableCredential", "EndorsementCredential"]
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


def _version(value: object) -> str:
    contexts = value.get("@context") if isinstance(value, Mapping) else getattr(value, "context", None)
    return "(1.1)" if isinstance(contexts, list) and contexts[:1] == [V1_CONTEXT] else "(2.0)"


Endorsement = Annotated[
    Annotated[EndorsementCredential, Tag("(2.0)")] | Annotated[EndorsementCredential11, Tag("(1.1)")],
    Discriminator(_version),
]


class LanguageText(Model):
    """A text with its language and direction."""

    model_config = ConfigDict(extra="forbid")
    value: str = Field(alias="@value")
    language: str | None = Field(None, alias="@language")
    direction: Literal["ltr", "rtl"] | None = Field(None, alias="@direction")


_LocalText = Annotated[
    Text
    | Annotated[LanguageText, Tag("(object)")]
    | Annotated[list[Annotated[Text | Annotated[LanguageText, Tag("(object)")], Discriminator(_kind)]], Tag("(array)")],
    Discriminator(_kind),
]


class Party(Model):
    """The issuer of a credential that is no Open Badge."""

    id: str
    name: _LocalText | None = None
    description: _LocalText | None = None


class Subject(Model):
    """What a credential that is no Open Badge says of somebody or something."""

    id: str | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.model_fields_set and not self.model_extra:
            _refuse("subject-empty", "expected the subject to say something, got an empty object")
        return self


def _some(subjects: list[Subject]) -> list[Subject]:
    return subjects or _refuse("subject-empty", "expected a subject, got an empty array")


class Method(Model):
    """A status, a proof, evidence, terms or a service of any type."""

    id: str | None = None
    type: OneOrSeveral[str]


class NamedMethod(Method):
    """A status or a service of VC Data Model 1.1, which has an address always."""

    id: str


class DataSchema(Model):
    """A schema of any type that the credential follows."""

    id: str
    type: OneOrSeveral[str]


class _General(Credential):
    """A credential of any type."""

    id: str | None = None
    name: _LocalText | None = None
    description: _LocalText | None = None
    issuer: Annotated[Text | Annotated[Party, Tag("(object)")], Discriminator(_kind)]
    credential_subject: Annotated[OneOrSeveral[Subject], AfterValidator(_some)]
    credential_schema: OneOrSeveral[DataSchema] | None = None
    terms_of_use: OneOrSeveral[Method] | None = None
    evidence: OneOrSeveral[Method] | None = None
    proof: OneOrSeveral[Method] | None = None


class VerifiableCredential(_General):
    """A credential of any type on VC Data Model 2.0, the reserved extension points included."""

    credential_status: OneOrSeveral[Method] | None = None
    refresh_service: OneOrSeveral[Method] | None = None
    confidence_method: OneOrSeveral[Method] | None = None
    render_method: OneOrSeveral[Method] | None = None
    valid_from: Instant | None = None
    valid_until: Instant | None = None


class VerifiableCredential11(_General):
    """A credential of any type on VC Data Model 1.1."""

    first_context = V1_CONTEXT
    credential_status: OneOrSeveral[NamedMethod] | None = None
    refresh_service: OneOrSeveral[NamedMethod] | None = None
    issuance_date: Instant
    expiration_date: Instant | None = None


# --- Presentations ---------------------------------------------------------------------------------------------------


class _Presentation(Document):
    own_type = ["VerifiablePresentation"]
    id: str | None = None
    holder: Annotated[Text | Annotated[Party, Tag("(object)")], Discriminator(_kind)] | None = None
    terms_of_use: OneOrSeveral[Method] | None = None
    proof: OneOrSeveral[Method] | None = None


class VerifiablePresentation(_Presentation):
    """A presentation on VC Data Model 2.0; what is in it is checked for itself."""

    verifiable_credential: OneOrSeveral[dict[str, Any]] | None = None


class VerifiablePresentation11(_Presentation):
    """A presentation on VC Data Model 1.1, where a credential may also be a compact JWT."""

    first_context = V1_CONTEXT
    verifiable_credential: (
        OneOrSeveral[
            Annotated[
                Annotated[CompactJws, Tag("(text)")] | Annotated[dict[str, Any], Tag("(object)")], Discriminator(_kind)
            ]
        ]
        | None
    ) = None


# --- The check -------------------------------------------------------------------------------------------------------


def check_form(credential: Mapping[str, Any]) -> list[Finding]:
    """Return what is wrong with the form of a credential, received or about to be signed; nothing when it is good.

    1. Its class is chosen by `type` (Open Badge, endorsement, any other) and first context (2.0 or 1.1).
    2. Members, types and dates are as the class asks; where the specification lets a single value stand for an array of
       one (`type`, `proof`, `credentialSchema`, `termsOfUse`) it may.
    3. The Open Badges rules beyond the schema hold: a recipient, criteria, results against their descriptions.
    4. Nothing is written in a way that a signature over RDF does not protect (`unprotected`).

    Spec: Open Badges 3.0, appendix B; VC Data Model 2.0, section 4; VC Data Model 1.1, section 4.
    """
    return _findings(_class_of(credential), credential, credential)


def check_presentation_form(presentation: Mapping[str, Any]) -> list[Finding]:
    """Return what is wrong with the form of a presentation, received or about to be signed; nothing when it is good.

    The credentials in it are objects, in VC Data Model 1.1 also compact JWTs; their own form is not looked at.

    Spec: VC Data Model 2.0, section 4.13; VC Data Model 1.1, section 4.10.
    """
    older = _version(presentation) == "(1.1)"
    around = {name: value for name, value in presentation.items() if name != "verifiableCredential"}
    return _findings(VerifiablePresentation11 if older else VerifiablePresentation, presentation, around)


def _findings(model: type[Document], document: Mapping[str, Any], signed: Mapping[str, Any]) -> list[Finding]:
    """Return what speaks against `document` as a `model`, and what a proof leaves open in `signed`, which is of it."""
    findings: list[Finding] = []
    try:
        model.model_validate(document, by_alias=True, by_name=False, context=_RECEIVED)  # (1)-(3)
    except ValidationError as error:
        findings = [_finding(detail, document) for detail in error.errors(include_url=False)[:MAX_FINDINGS]]
    places = {finding.pointer for finding in findings}
    unprotected = [item for item in find_unprotected(signed, _DECLARED) if item.pointer not in places]  # (4)
    return sorted(findings + unprotected, key=lambda finding: finding.pointer)[:MAX_FINDINGS]


def is_open_badge(credential: Mapping[str, Any]) -> bool:
    """Return whether the credential says that it is an Open Badge."""
    types = credential.get("type")
    names = types if isinstance(types, list) else [types]
    return "OpenBadgeCredential" in names or "AchievementCredential" in names


def _class_of(credential: Mapping[str, Any]) -> type[Credential]:
    types = credential.get("type")
    older = _version(credential) == "(1.1)"
    if is_open_badge(credential):
        return OpenBadgeCredential11 if older else OpenBadgeCredential
    if "EndorsementCredential" in (types if isinstance(types, list) else [types]):
        return EndorsementCredential11 if older else EndorsementCredential
    return VerifiableCredential11 if older else VerifiableCredential


_EXPECTED = {
    "string_type": "a string",
    "list_type": "an array",
    "model_type": "an object",
    "model_attributes_type": "an object",
    "dict_type": "an object",
    "bool_type": "true or false",
    "float_type": "a number",
    "union_tag_not_found": "a string or an object",
    "union_tag_invalid": "a string or an object",
}


def _finding(detail: ErrorDetails, credential: Mapping[str, Any]) -> Finding:
    """Return a validation error in our words, with the place in the document instead of that in the classes."""
    kind, got, context = detail["type"], detail["input"], detail.get("ctx", {})
    where = pointer(*_path((*detail["loc"], *context.get("path", ())), credential))
    match kind:
        case "missing":
            return Finding("member-missing", f"expected the member {detail['loc'][-1]}, got none", where)
        case "extra_forbidden":
            return Finding("member-forbidden", "expected no such member here, got one", where)
        case "literal_error":
            return Finding("value-not-allowed", f"expected {context['expected']}, got {shown(got)}", where)
        case _ if kind in _EXPECTED:
            return Finding("member-type", f"expected {_EXPECTED[kind]}, got {shown(got)}", where)
        case _:
            return Finding(kind, detail["msg"], where)


def _path(steps: Sequence[str | int], document: Any) -> Iterator[str | int]:
    """Yield the steps that lead through the document: no tags of unions, no index into a value that is no array."""
    for step in steps:
        if isinstance(step, str) and step.startswith("("):
            continue
        if isinstance(step, int) and not isinstance(document, list):
            continue
        yield step
        if isinstance(step, int):
            document = document[step] if step < len(document) else None
        else:
            document = document.get(step) if isinstance(document, Mapping) else None


def _decimal(text: str | None) -> Decimal | None:
    try:
        number = Decimal(text or "")
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _check_image(image: Image | None) -> None:
    """Refuse a picture in the document that cannot be baked; what lies at an address is not looked at."""
    if image is not None and image.id.startswith("data:"):
        media_type = image.id[5:].partition(",")[0].partition(";")[0].lower()
        if media_type not in {"image/png", "image/svg+xml"}:
            message = f"expected a picture in PNG or SVG, got {shown(media_type)}"
            _refuse("image-type", message, "image", "id")


def _models_in(annotation: Any) -> Iterator[type[Model]]:
    if isinstance(annotation, type) and issubclass(annotation, Model):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)


def _declared_members() -> dict[str, frozenset[str]]:
    """Return the members of each class, by the name of the class and by that of the member that holds it."""
    declared: dict[str, frozenset[str]] = {}
    waiting: list[type[Model]] = [
        OpenBadgeCredential,
        OpenBadgeCredential11,
        VerifiableCredential,
        VerifiableCredential11,
    ]
    seen: set[type[Model]] = set()
    while waiting:
        model = waiting.pop()
        if model in seen:
            continue
        seen.add(model)
        model.model_rebuild()
        members = frozenset(field.alias or name for name, field in model.model_fields.items())
        if isinstance(model.own_type, list):
            declared[model.own_type[-1]] = members | declared.get(model.own_type[-1], frozenset())
        for info in model.model_fields.values():
            for inner in _models_in(info.annotation):
                waiting.append(inner)
                if not isinstance(inner.own_type, list):
                    declared.setdefault(info.alias or "", frozenset())
                    declared[info.alias or ""] |= frozenset(
                        field.alias or name for name, field in inner.model_fields.items()
                    )
    return declared | {synonym: declared[name] for synonym, name in _SYNONYMS.items()}


_DECLARED: Final = _declared_members()
