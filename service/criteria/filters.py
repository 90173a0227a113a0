"""The filters on evidence that the rules of `criteria/1` share."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from service.bodies import RoleName
from service.criteria.parts import Borne, Name, Names, Part, distinct_values, whole
from service.evidence import tiers
from service.evidence.vocabulary import ContributionType

Tier = Annotated[int, Field(ge=0, le=3), BeforeValidator(whole)]
TierOrMore = Annotated[int, Field(ge=0, le=4), BeforeValidator(whole)]


class ContributionFilter(Part):
    """Which contributions count: those that match every member of the filter."""

    types: Annotated[
        Annotated[
            list[ContributionType],
            Field(min_length=1, max_length=100, json_schema_extra={"uniqueItems": True}),
            AfterValidator(distinct_values),
        ]
        | None,
        Borne("type"),
    ] = Field(None, description="contributions of any of these types")
    tags_any: Annotated[Names | None, Borne("tag")] = Field(None, description="contributions with any of these tags")
    min_tier: Tier | None = Field(None, description=f"of this tier or better: {tiers.listed(3)}")
    role: Annotated[RoleName | None, Borne("role")] = Field(
        None, description="contributions made while the member had this role"
    )
    series: Annotated[Name | None, Borne("series")] = Field(
        None, description="contributions in sessions of this series"
    )
    sessions: Names | None = Field(None, description="contributions in any of these sessions, by ref")
    objective: Name | None = Field(
        None, description="contributions in sessions that name this objective, by its code, in whatever version"
    )
    statuses: list[Literal["accepted"]] | None = Field(
        None, min_length=1, max_length=1, description="accepted, the only evidence that ever counts; may be left out"
    )

    @property
    def topics(self) -> set[str]:
        """The topics on which more contributions can match (`service.criteria.topics`)."""
        done = {f"did:{name}" for name in self.types or ("*",)}
        return done | ({f"role:{self.role}"} if self.role is not None else set())

    def __str__(self) -> str:
        """Return the filter in words that follow the word "contributions"."""
        return "".join(
            [
                f" of type {_either(self.types)}" if self.types else "",
                f" with tag {_either(self.tags_any)}" if self.tags_any else "",
                f" as {self.role}" if self.role else "",
                f" in series {self.series}" if self.series else "",
                f" in session {_either(self.sessions)}" if self.sessions else "",
                f" in sessions about objective {self.objective}" if self.objective else "",
                _tier(self.min_tier),
            ]
        )


class EvaluationFilter(Part):
    """Which evaluations count."""

    min_tier: Tier | None = Field(None, description="of this tier or better, as for contributions")
    statuses: list[Literal["accepted"]] | None = Field(
        None, min_length=1, max_length=1, description="accepted, the only evidence that ever counts; may be left out"
    )

    def __str__(self) -> str:
        """Return the filter in words that follow the name of the instrument."""
        return _tier(self.min_tier)


class RubricFilter(EvaluationFilter):
    """Which rubric evaluations count."""

    min_tier: TierOrMore | None = Field(
        None, description="of this tier or better; 4: two or more people agree, each of them at tier 3"
    )


def _either(names: Sequence[str]) -> str:
    return " or ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)


def _tier(min_tier: int | None) -> str:
    return f" ({tiers.at_least(min_tier)})" if min_tier else ""
