"""The values and the base classes of the model: instants, languages, images."""

import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, ClassVar, Final, Literal, NoReturn, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    Tag,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from credentials.errors import shown
from credentials.instants import read_instant, write_instant
from credentials.reading import listed

V1_CONTEXT: Final = "https://www.w3.org/2018/credentials/v1"
V2_CONTEXT: Final = "https://www.w3.org/ns/credentials/v2"

T = TypeVar("T")
RECEIVED: Final = object()
"""The validation context that fills in nothing which a received document must say itself."""


def refuse(code: str, message: str, *path: str | int) -> NoReturn:
    """Raise an error that becomes a `Finding`.

    `path` leads to its place from the value that is validated.
    """
    raise PydanticCustomError(code, "{message}", {"message": message, "path": path})


def _instant(value: object) -> datetime:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value
    instant = read_instant(value)
    return instant or refuse("date-malformed", f"expected a date and time with a zone, got {shown(value)}")


def _day(value: object) -> date:
    if isinstance(value, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    elif type(value) is date:
        return value
    refuse("date-malformed", f"expected a date YYYY-MM-DD, got {shown(value)}")


def _matching(pattern: str, expected: str) -> AfterValidator:
    compiled = re.compile(pattern)

    def check(text: str) -> str:
        return text if compiled.match(text) else refuse("value-malformed", f"expected {expected}, got {shown(text)}")

    return AfterValidator(check)


def _one_of(names: str, *, extensible: bool = True) -> AfterValidator:
    known = frozenset(names.split())

    def check(text: str) -> str:
        if text in known or (extensible and re.match(r"ext:[a-zA-Z0-9|._]", text)):
            return text
        more = ", or ext: and a name" if extensible else ""
        refuse("value-not-allowed", f"expected one of {', '.join(sorted(known))}{more}, got {shown(text)}")

    return AfterValidator(check)


def _filled(values: list[T], info: ValidationInfo) -> list[T]:
    if not values and info.context is not RECEIVED:
        refuse("array-empty", "expected no member where there is nothing to say, got an empty array")
    return values


def kind_of(value: object) -> str | None:
    """Return the tag of a value that may be a string, an array or an object.

    It is None for anything else.
    """
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
"""Read from text with a zone, and written in whole seconds of UTC."""
Day = Annotated[date, BeforeValidator(_day), PlainSerializer(date.isoformat, return_type=str)]
Number = Annotated[
    float, PlainSerializer(lambda number: int(number) if number.is_integer() else number, return_type=int | float)
]
Several = Annotated[list[T], AfterValidator(_filled)]
"""Always an array; an empty one is not written (and means nothing when it is read)."""
OneOrSeveral = Annotated[list[T], BeforeValidator(listed), AfterValidator(_filled)]
"""Read from a single value too, because the specification allows that compaction; written as an array."""
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


class Model(BaseModel):
    """An object of a credential: frozen, of strict types, unknown members kept.

    An object that is built without `type` gets that of its class; a received object must have it.
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
        if info.context is RECEIVED:
            refuse("member-missing", f"expected type to be {cls._own_name()}, got none", "type")
        return {"type": cls.own_type, **value}

    @classmethod
    def _own_name(cls) -> str:
        return cls.own_type if isinstance(cls.own_type, str) else " and ".join(cls.own_type or ())

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object.

        It always uses arrays, has no nulls, and writes times in whole seconds of UTC.
        """
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


class Classified(Model):
    """An object whose `type` is an array with all of `own_type`, and perhaps more."""

    type: OneOrSeveral[str] = Field(default_factory=list)

    @field_validator("type")
    @classmethod
    def _check_type(cls, types: list[str]) -> list[str]:
        expected = [SYNONYMS.get(name, name) for name in cls.own_type or ()]
        if set(expected) <= {SYNONYMS.get(name, name) for name in types}:
            return types
        got = ", ".join(map(shown, types[:3]))
        refuse("type-missing", f"expected type to contain {cls._own_name()}, got {got}")


SYNONYMS = {"AchievementCredential": "OpenBadgeCredential"}


class Image(Model):
    """A picture at an address, which may be a `data:` address."""

    model_config = ConfigDict(extra="forbid")
    own_type: ClassVar = "Image"
    id: str
    type: Literal["Image"] = "Image"
    caption: str | None = None


class Related(Classified):
    """An achievement that this one is a version or translation of."""

    own_type: ClassVar = ["Related"]
    id: str
    in_language: LanguageCode | None = None
    version: str | None = None


def decimal_of(text: str | None) -> Decimal | None:
    """Return a number that is written as text; None if it is not a number."""
    try:
        number = Decimal(text or "")
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _check_image(image: Image | None) -> None:
    """Refuse a picture in the document that cannot be baked.

    A picture at an address elsewhere is not looked at.
    """
    if image is not None and image.id.startswith("data:"):
        media_type = image.id[5:].partition(",")[0].partition(";")[0].lower()
        if media_type not in {"image/png", "image/svg+xml"}:
            message = f"expected a picture in PNG or SVG, got {shown(media_type)}"
            refuse("image-type", message, "image", "id")
