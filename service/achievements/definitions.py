"""The definition of an achievement: its form, and the faults in it.

`AchievementFields` is the shape of a draft. `faults` yields what publishing would refuse, as far as the
definition alone shows it. `service.achievements.publishing` looks up what it refers to.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import tzinfo
from typing import Any, Literal
from uuid import UUID

from pydantic import (
    Field,
    ValidationInfo,
    field_validator,
)
from pydantic_core import PydanticCustomError

from service.achievements.parts import (
    AchievementType,
    CreditIn,
    LanguageCode,
    OtherIdentifierIn,
    RelatedIn,
    ResultDescriptionIn,
    Sha256,
    once,
)
from service.bodies import Body, Line, Prose, Ref
from service.criteria import tree
from service.criteria.kinds.rubric import Rubric
from service.criteria.kinds.rule import DefinitionFault, number
from service.criteria.tree import Criterion, UnparsedCriterion
from service.durations import DurationText
from service.networks.alignments import AlignmentIn
from service.networks.objectives import Codes


class CriteriaIn(Body):
    """How an achievement is earned: in words, and as a rule."""

    narrative: Prose = Field(
        description="for people; Markdown", examples=["Review four drafts of colleagues and say what would help."]
    )
    rule: UnparsedCriterion | None = Field(
        None,
        description=(
            "a definition in criteria/1 (its JSON Schema is at /schemas/criteria/1). "
            "Left out: only people decide on awards"
        ),
        examples=[{"rule": "count", "where": {"types": ["reviewed"], "tags_any": ["peer-writing"]}, "gte": 4}],
    )


class AchievementFields(Body):
    """What an achievement is and how it is earned."""

    name: Line = Field(examples=["Generous Reader"])
    description: Prose = Field(examples=["Reads colleagues' drafts and says what would help."])
    achievement_type: AchievementType = Field(
        description="a type of Open Badges 3.0, or an extension that begins with ext:", examples=["Badge"]
    )
    criteria: CriteriaIn
    image: Sha256 | None = Field(
        None, description="SHA-256 of a PNG or SVG posted to /v1/blobs; left out: the service draws a picture"
    )
    alignment: list[AlignmentIn] | None = Field(None, min_length=1, max_length=50)
    objectives: Codes | None = Field(
        None,
        min_length=1,
        description=(
            "the network's objectives that it serves, by their codes. Publishing pins the newest version of each, and the "
            "badge states their alignments too"
        ),
    )
    tags: list[Line] | None = Field(None, min_length=1, max_length=50)
    credits: list[CreditIn] | None = Field(None, min_length=1, max_length=10)
    field_of_study: Line | None = Field(None, examples=["Education"])
    human_code: Line | None = Field(
        None, description="the code that people use for it, as in a catalogue", examples=["EDU-204"]
    )
    in_language: LanguageCode | None = Field(None, description="the language in which it is earned")
    related: list[RelatedIn] | None = Field(None, min_length=1, max_length=50)
    other_identifiers: list[OtherIdentifierIn] | None = Field(None, min_length=1, max_length=20)
    result_descriptions: list[ResultDescriptionIn] | None = Field(None, min_length=1, max_length=100)
    valid_for: DurationText | None = Field(None, description="how long an award lasts: an ISO 8601 duration")
    cooling_off: DurationText | None = Field(
        None,
        description=(
            "how long an award waits before it is signed and announced: an ISO 8601 duration. Until then it is pending "
            "and can be undone without a trace outside. At the end it is decided again, on the evidence of then"
        ),
        examples=["P3D"],
    )
    status: Literal["revocation", "suspension"] | None = Field(
        None,
        description=(
            "what the published status of its credentials states: revocation (the default; only this service, and no "
            "other verifier, sees a suspension), or suspension, which can be ended (a revoked credential is then "
            "suspended for good, and verifiers that know only revocation see neither)"
        ),
    )
    award: Literal["automatic", "reviewed"] = Field(
        description="automatic: awarded as soon as the rule is met; reviewed: awarded when somebody asks for it"
    )

    @field_validator("tags")
    @classmethod
    def _each_tagonce(cls, tags: list[str] | None) -> list[str] | None:
        once(tags or [], "tag")
        return tags

    @field_validator("credits")
    @classmethod
    def _each_creditonce(cls, listed: list[CreditIn] | None) -> list[CreditIn] | None:
        once([(each.authority.url, each.unit) for each in listed or []], "authority and unit")
        return listed

    @field_validator("related")
    @classmethod
    def _each_relatedonce(cls, listed: list[RelatedIn] | None) -> list[RelatedIn] | None:
        once([each.id for each in listed or []], "id")
        return listed

    @field_validator("other_identifiers")
    @classmethod
    def _each_identifieronce(cls, listed: list[OtherIdentifierIn] | None) -> list[OtherIdentifierIn] | None:
        once([(each.identifier_type, each.identifier) for each in listed or []], "identifier")
        return listed

    @field_validator("result_descriptions")
    @classmethod
    def _each_resultonce(cls, described: list[ResultDescriptionIn] | None) -> list[ResultDescriptionIn] | None:
        once([each.ref for each in described or []], "ref")
        once([(each.rubric, each.criterion) for each in described or [] if each.rubric], "criterion of a rubric")
        return described

    @field_validator("award")
    @classmethod
    def _has_a_rule(cls, award: str, info: ValidationInfo) -> str:
        criteria_in = info.data.get("criteria")
        if award == "automatic" and criteria_in is not None and criteria_in.rule is None:
            raise PydanticCustomError(
                "rule-missing", "Expected criteria with a rule, or award: reviewed", {"words": ["reviewed"]}
            )
        return award

    def definition(self, pointer: str = "") -> dict[str, Any]:
        """Return the definition as it is stored, without members that were left out.

        Args:
            pointer: where the definition is in the request body.
        Raises:
            InvalidError: its rule does not have the form of `criteria/1`.
        """
        names = set(AchievementFields.model_fields)
        kept = self.model_dump(mode="json", exclude_none=True, include=names)
        if self.criteria.rule is not None:
            tree.parse(self.criteria.rule, pointer + RULE)
            kept["criteria"]["rule"] = tree.explicit(self.criteria.rule)
        return kept


class AchievementIn(AchievementFields):
    """A new achievement, under the network's own `ref`."""

    ref: Ref = Field(description="the network's own identifier of the achievement", examples=["generous-reader"])
    publish: bool = Field(False, description="publish it at once; left out: it stays a draft")


class CriteriaChange(CriteriaIn):
    """What may change about how an achievement is earned."""

    narrative: Prose = Field(default_factory=str, description="for people; Markdown")
    rule: dict[str, Any] | None = Field(None, description="what changes in the rule, member by member")


class AchievementChange(AchievementFields):
    """What may change about an achievement's definition.

    What is left out stays as it is, null removes it, and a list is replaced whole.
    """

    name: Line = Field(default_factory=str, examples=["Generous Reader"])
    description: Prose = Field(default_factory=str)
    achievement_type: AchievementType = Field(
        default_factory=str, description="a type of Open Badges 3.0, or an extension that begins with ext:"
    )
    criteria: CriteriaChange = Field(default_factory=lambda: CriteriaChange(rule=None))
    award: Literal["automatic", "reviewed"] = Field(
        default_factory=lambda: "reviewed",
        description="automatic: awarded as soon as the rule is met; reviewed: awarded when somebody asks for it",
    )

    @field_validator("award")
    @classmethod
    def _has_a_rule(cls, award: str, _info: ValidationInfo) -> str:
        return award  # what results is asked for its rule


NOBODY = UUID(int=0)
"""Stands for an achievement that does not exist yet, so that nobody is enrolled in it."""
RULE = "/criteria/rule"
"""Pointer to the rule in a definition."""


def explicit(definition: Mapping[str, Any]) -> dict[str, Any]:
    """Return a definition as it is written today, with what `tree.explicit` adds to its rule."""
    said = definition["criteria"]
    if said.get("rule") is None:
        return dict(definition)
    return {**definition, "criteria": {**said, "rule": tree.explicit(said["rule"])}}


def rule_of(definition: Mapping[str, Any]) -> Criterion | None:
    """Return the rule of a definition, ready to be evaluated.

    `criteria: "*"` is replaced by the criteria that the result descriptions declare.
    """
    rule = definition["criteria"].get("rule")
    if rule is None:
        return None
    declared = {rubric: list(levels) for rubric, levels in _declared(definition).items()}
    return tree.resolve(tree.parse(rule, RULE), declared)


def faults(definition: Mapping[str, Any], zone: tzinfo) -> Iterator[DefinitionFault]:
    """Yield the faults that the definition alone shows; they prevent publication.

    Their pointers are into the definition.

    1. Rules that are not available, or that nobody can meet.
    2. A rubric's `criteria: "*"` without result descriptions that declare its criteria; a criterion that they lack.
    3. A level above the highest; a required level that is not the one that a rule asks for.
    """
    rule = definition["criteria"].get("rule")
    if rule is None:
        return
    parsed = tree.parse(rule, RULE)
    yield from tree.faults(parsed, zone, RULE)  # (1)
    declared = _declared(definition)
    asked: defaultdict[tuple[str, str], set[float]] = defaultdict(set)
    for place, node in tree.walk(parsed, RULE):
        if isinstance(node, Rubric):
            yield from _rubric_faults(node, declared.get(node.rubric), place)
            for criterion in node.criteria if node.criteria != "*" else declared.get(node.rubric, {}):
                asked[node.rubric, criterion].add(node.min_level)
    for index, each in enumerate(definition.get("result_descriptions", [])):
        levels = {level["ref"]: level["level"] for level in each.get("levels", [])}
        required = levels.get(each.get("required_level"))
        wanted = asked[each.get("rubric"), each.get("criterion")]
        if required is not None and wanted and required not in wanted:  # (3)
            listed = " or ".join(number(level) for level in sorted(wanted))
            message = f"Expected the level with number {listed}, as the rule asks for it, got {number(required)}."
            yield DefinitionFault("required-level-differs", message, f"/result_descriptions/{index}/required_level")


def _rubric_faults(rule: Rubric, declared: Mapping[str, list[float]] | None, place: str) -> Iterator[DefinitionFault]:
    if declared is None:
        if rule.criteria == "*":  # (2)
            message = f"Expected result_descriptions that declare the criteria of rubric {rule.rubric}."
            yield DefinitionFault("rubric-undeclared", message, f"{place}/criteria")
        return
    for index, criterion in enumerate(rule.criteria if rule.criteria != "*" else []):
        if criterion not in declared:
            message = f"Expected a criterion that result_descriptions declare for rubric {rule.rubric}."
            yield DefinitionFault("criterion-undeclared", message, f"{place}/criteria/{index}")
    for criterion in declared if rule.criteria == "*" else rule.criteria:
        highest = max(declared.get(criterion, []), default=rule.min_level)
        if rule.min_level > highest:  # (3)
            message = f"Expected at most {number(highest)}, the highest level of criterion {criterion}."
            yield DefinitionFault("rule-impossible", message, f"{place}/min_level")


def _declared(definition: Mapping[str, Any]) -> dict[str, dict[str, list[float]]]:
    """Return the levels that the result descriptions declare, by rubric and criterion."""
    found: defaultdict[str, dict[str, list[float]]] = defaultdict(dict)
    for each in definition.get("result_descriptions", []):
        if "rubric" in each:
            found[each["rubric"]][each["criterion"]] = [level["level"] for level in each.get("levels", [])]
    return dict(found)
