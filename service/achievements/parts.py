"""The parts of a definition: types, credits, identifiers, results."""

import re
from collections.abc import Sequence
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, StringConstraints, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from service.bodies import Body, Line, Prose, Ref, WebUrl
from service.criteria.parts import Name, Number
from service.networks.alignments import listed, pattern

ACHIEVEMENT_TYPES = (
    "Achievement",
    "ApprenticeshipCertificate",
    "Assessment",
    "Assignment",
    "AssociateDegree",
    "Award",
    "Badge",
    "BachelorDegree",
    "Certificate",
    "CertificateOfCompletion",
    "Certification",
    "CoCurricular",
    "CommunityService",
    "Competency",
    "Course",
    "Degree",
    "Diploma",
    "DoctoralDegree",
    "Fieldwork",
    "GeneralEducationDevelopment",
    "JourneymanCertificate",
    "LearningProgram",
    "License",
    "MasterCertificate",
    "MasterDegree",
    "Membership",
    "MicroCredential",
    "ProfessionalDoctorate",
    "QualityAssuranceCredential",
    "ResearchDoctorate",
    "SecondarySchoolDiploma",
)
"""Spec: Open Badges 3.0, section B.5.1 (AchievementType)."""
RESULT_TYPES = (
    "GradePointAverage",
    "LetterGrade",
    "Percent",
    "PerformanceLevel",
    "PredictedScore",
    "RawScore",
    "Result",
    "RubricCriterion",
    "RubricCriterionLevel",
    "RubricScore",
    "ScaledScore",
    "Status",
)
IDENTIFIER_TYPES = (
    "identifier",
    "systemId",
    "sourcedId",
    "productId",
    "isbn",
    "issn",
    "lisSourcedId",
    "oneRosterSourcedId",
    "sisSourcedId",
    "ltiContextId",
    "ltiDeploymentId",
    "ltiToolId",
    "ltiPlatformId",
)
"""Those of Open Badges 3.0, IdentifierTypeEnum, that name things; the others name people."""
CTID = "ext:CTID"
"""The type of an identifier in the registry of Credential Engine. Spec: CTDL, `ceterms:ctid`."""
_CTID = re.compile(r"ce-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def once(values: Sequence[Any], what: str) -> None:
    """Refuse a list that has a value twice."""
    if len(set(values)) < len(values):
        raise PydanticCustomError("repeated", "Expected each {what} once", {"what": what})


AchievementType = Annotated[
    str, BeforeValidator(lambda value: listed(value, ACHIEVEMENT_TYPES)), pattern(ACHIEVEMENT_TYPES)
]
ResultType = Annotated[str, BeforeValidator(lambda value: listed(value, RESULT_TYPES)), pattern(RESULT_TYPES)]
IdentifierType = Annotated[
    str, BeforeValidator(lambda value: listed(value, IDENTIFIER_TYPES)), pattern(IDENTIFIER_TYPES)
]
LanguageCode = Annotated[
    str, StringConstraints(pattern=r"^[a-z]{2,4}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?$"), Field(examples=["en"])
]
"""A language, such as en or pt-BR. Spec: Open Badges 3.0, LanguageCode; BCP 47."""
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class AuthorityIn(Body):
    """The authority by whose rules credits are counted."""

    name: Line = Field(examples=["State Board of Education"])
    url: WebUrl = Field(
        description="the address that identifies it; never fetched", examples=["https://board.example.org/credits"]
    )


class CreditIn(Body):
    """Credits that everybody who earns the badge earns with it.

    State only credits that the authority has granted. The badge says that you state them.
    """

    value: Number = Field(gt=0, le=10_000, examples=[2])
    unit: Line | None = Field(None, description="what the authority counts in", examples=["CEU"])
    authority: AuthorityIn


class RelatedIn(Body):
    """Another achievement that is nearly the same: in another language, or an earlier version.

    Spec: Open Badges 3.0, section B.1.21 (Related).
    """

    id: WebUrl = Field(
        description="the address of the achievement; never fetched", examples=["https://other.example.org/a/1"]
    )
    in_language: LanguageCode | None = None
    version: Line | None = None


class OtherIdentifierIn(Body):
    """What another system calls the achievement."""

    identifier: Line = Field(examples=["ce-5f0c1e84-5c0a-4f7b-9c55-0a1b2c3d4e5f"])
    identifier_type: IdentifierType = Field(
        description="a type of Open Badges 3.0 that names things, or your own that begins with ext:; ext:CTID for a CTID",
        examples=[CTID],
    )

    @model_validator(mode="after")
    def _whole_ctid(self) -> Self:
        if self.identifier_type == CTID and not _CTID.fullmatch(self.identifier):
            raise PydanticCustomError("ctid-invalid", "Expected a CTID: ce- and a UUID in lower case")
        return self


class LevelIn(Body):
    """A level of a rubric's criterion."""

    ref: Ref = Field(examples=["proficient"])
    name: Line = Field(examples=["Proficient"])
    level: Number = Field(ge=0, le=1000, description="the number that stands for it in ratings", examples=[3])
    description: Prose | None = None


class ResultDescriptionIn(Body):
    """A result that the badge states: for a rubric, one criterion and its levels."""

    ref: Ref = Field(examples=["specific"])
    name: Line = Field(examples=["Feedback is specific"])
    result_type: ResultType = Field(examples=["RubricCriterionLevel"])
    rubric: Name | None = Field(None, description="the rubric, as evaluations name it")
    criterion: Name | None = Field(None, description="the criterion of the rubric")
    levels: list[LevelIn] | None = Field(None, min_length=1, max_length=50, description="from low to high")
    required_level: Ref | None = Field(None, description="ref of the level that the achievement requires")
    value_min: Number | None = Field(None, ge=-1e9, le=1e9)
    value_max: Number | None = Field(None, ge=-1e9, le=1e9)

    @field_validator("levels")
    @classmethod
    def _rising(cls, levels: list[LevelIn] | None) -> list[LevelIn] | None:
        numbers = [level.level for level in levels or []]
        if sorted(set(numbers)) != numbers:
            raise PydanticCustomError("levels-unordered", "Expected levels from low to high, each number once")
        once([level.ref for level in levels or []], "ref")
        return levels

    @field_validator("required_level")
    @classmethod
    def _is_a_level(cls, required: str | None, info: ValidationInfo) -> str | None:
        if required is not None and required not in {level.ref for level in info.data.get("levels") or []}:
            raise PydanticCustomError("level-unknown", "Expected the ref of one of the levels")
        return required

    @field_validator("value_max")
    @classmethod
    def _above_min(cls, most: float | None, info: ValidationInfo) -> float | None:
        least = info.data.get("value_min")
        if most is not None and least is not None and most <= least:
            raise PydanticCustomError("values-unordered", "Expected value_max above value_min")
        return most

    @model_validator(mode="after")
    def _whole_rubric(self) -> Self:
        if (self.rubric is None) != (self.criterion is None):
            raise PydanticCustomError("rubric-incomplete", "Expected rubric and criterion together, or neither")
        return self
