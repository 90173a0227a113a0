"""Achievements, their criteria, alignments and result descriptions."""

from typing import TYPE_CHECKING, ClassVar, Self

from pydantic import model_validator

from credentials.errors import shown
from credentials.model.profile import IdentifierEntry, Profile
from credentials.model.values import (
    AchievementType,
    Classified,
    CompactJws,
    Image,
    LanguageCode,
    Model,
    Number,
    Related,
    ResultType,
    Several,
    TargetType,
    decimal_of,
    refuse,
)

if TYPE_CHECKING:  # an endorsement is a credential, which holds profiles and achievements
    from credentials.model.badge import Endorsement


class Alignment(Classified):
    """A place in a framework that something corresponds to."""

    own_type: ClassVar = ["Alignment"]
    target_name: str
    target_url: str
    target_code: str | None = None
    target_description: str | None = None
    target_framework: str | None = None
    target_type: TargetType | None = None


class Criteria(Model):
    """What has to be done, at an address or in words."""

    id: str | None = None
    narrative: str | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.id is None and self.narrative is None:
            refuse("criteria-missing", "expected criteria with an id or a narrative, got neither")
        return self


class RubricCriterionLevel(Classified):
    """One level of a criterion of a rubric; levels are in order from low to high."""

    own_type: ClassVar = ["RubricCriterionLevel"]
    id: str
    name: str
    description: str | None = None
    level: str | None = None
    points: str | None = None
    alignment: Several[Alignment] | None = None


class ResultDescription(Classified):
    """What results of an achievement can be; `allowed_value` goes from low to high."""

    own_type: ClassVar = ["ResultDescription"]
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
            refuse("required-level-unknown", message, "requiredLevel")
        if self.required_value is not None and not self.allows(self.required_value):
            message = f"expected requiredValue to be a value that is allowed, got {shown(self.required_value)}"
            refuse("required-value-not-allowed", message, "requiredValue")
        return self

    @property
    def level_ids(self) -> list[str]:
        """The ids of the rubric's levels, in their order."""
        return [level.id for level in self.rubric_criterion_level or ()]

    def allows(self, value: str) -> bool:
        """Return whether `value` is one of those allowed, or a number within the bounds.

        If `allowed_value` is given, it must be in there; if it is a number, it must also be within `value_min` and
        `value_max`.
        """
        if self.allowed_value and value not in self.allowed_value:
            return False
        number, least, most = (decimal_of(text) for text in (value, self.value_min, self.value_max))
        if number is None:
            return True
        return (least is None or least <= number) and (most is None or number <= most)


class Achievement(Classified):
    """What a recipient can achieve, and how."""

    own_type: ClassVar = ["Achievement"]
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
