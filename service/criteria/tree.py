"""The rule language `criteria/1`: a pure model of what earns an achievement.

A definition is a tree: groups (`all`, `any`, `at_least`) of rules. There is no `not`, so that more
evidence never takes anything away. `json_schema` returns the schema that we publish; the model also refuses a
few things that a schema cannot express (`BEYOND_SCHEMA`).
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import tzinfo
from typing import Annotated, Any, ClassVar

from pydantic import (
    ConfigDict,
    Discriminator,
    Field,
    GetJsonSchemaHandler,
    Tag,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import CoreSchema, core_schema
from typing_extensions import TypeAliasType

from service.bodies import refusal
from service.criteria.kinds.approval import Approved
from service.criteria.kinds.attendance import Attendance
from service.criteria.kinds.count import Count
from service.criteria.kinds.endorsed import Endorsed
from service.criteria.kinds.gain import Gain
from service.criteria.kinds.holds import Holds
from service.criteria.kinds.rubric import Rubric
from service.criteria.kinds.rule import DefinitionFault, Rule, Stability, no_more_than
from service.criteria.kinds.score import Score
from service.criteria.kinds.sum import Sum
from service.criteria.kinds.tenure import Tenure
from service.criteria.parts import Amount, Part
from service.errors import InvalidError
from service.faults import found_faults

MAX_RULES = 100
MAX_DEPTH = 8
BEYOND_SCHEMA = ("n-too-large", "orgs-too-many", "window-empty", "window-unfit", "date-unknown", "criteria-too-large")
"""Codes of the errors that only the model finds."""


class Group(Part):
    """A group of criteria."""

    kind: ClassVar[str]
    place: ClassVar[str]
    """Pointer to the criteria in the group."""

    @property
    def children(self) -> Sequence["Criterion"]:
        """The criteria that are joined."""
        raise NotImplementedError

    @property
    def needed(self) -> int:
        """How many of them must be met."""
        raise NotImplementedError

    @property
    def stability(self) -> Stability:
        """`may-change` if one of the criteria may change, else `grows`."""
        return "may-change" if any(child.stability == "may-change" for child in self.children) else "grows"

    @property
    def requirement(self) -> str:
        """What the group asks for."""
        if self.needed == len(self.children):
            return "all of these"
        return "one of these" if self.needed == 1 else f"{self.needed} of these {len(self.children)}"

    def sentence(self, met: int) -> str:
        """Say how many criteria are met."""
        count = len(self.children)
        needed = "all" if self.needed == count else "one" if self.needed == 1 else str(self.needed)
        return f"{met} of {count} {'condition' if count == 1 else 'conditions'} met, {needed} needed"


class All(Group):
    """All of the criteria."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "all": [
                        {"rule": "attendance", "series": "writing-group", "min_sessions": 6},
                        {"rule": "approval", "by_role": "site_director"},
                    ]
                }
            ]
        }
    )

    kind = "all"
    place = "/all"
    all: Annotated[list["Criterion"], Field(min_length=1, max_length=MAX_RULES)]

    @property
    def children(self) -> Sequence["Criterion"]:
        """The criteria that are joined."""
        return self.all

    @property
    def needed(self) -> int:
        """All of them."""
        return len(self.all)


class AnyOf(Group):
    """One of the criteria, or more."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "any": [
                        {"rule": "attendance", "series": "writing-group", "min_sessions": 6},
                        {"rule": "count", "where": {"types": ["reviewed"]}, "gte": 4},
                    ]
                }
            ]
        }
    )

    kind = "any"
    place = "/any"
    any: Annotated[list["Criterion"], Field(min_length=1, max_length=MAX_RULES)]

    @property
    def children(self) -> Sequence["Criterion"]:
        """The criteria that are joined."""
        return self.any

    @property
    def needed(self) -> int:
        """One of them."""
        return 1


class Choice(Part):
    """Criteria, and how many of them are needed."""

    of: Annotated[list["Criterion"], Field(min_length=1, max_length=MAX_RULES)]
    n: Amount = Field(description="this many of them, or more")

    @field_validator("n")
    @classmethod
    def _within(cls, n: int, info: ValidationInfo) -> int:
        return no_more_than(n, info.data.get("of"))


class AtLeast(Group):
    """Some number of the criteria, or more."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "at_least": {
                        "of": [
                            {"rule": "attendance", "series": "writing-group", "min_sessions": 6},
                            {"rule": "count", "where": {"types": ["reviewed"]}, "gte": 4},
                            {"rule": "approval", "by_role": "site_director"},
                        ],
                        "n": 2,
                    }
                }
            ]
        }
    )

    kind = "at_least"
    place = "/at_least/of"
    at_least: Choice

    @property
    def children(self) -> Sequence["Criterion"]:
        """The criteria that are joined."""
        return self.at_least.of

    @property
    def needed(self) -> int:
        """How many of them must be met."""
        return self.at_least.n


KINDS: dict[str, type[Rule]] = {
    "count": Count,
    "sum": Sum,
    "attendance": Attendance,
    "rubric": Rubric,
    "score": Score,
    "gain": Gain,
    "endorsed": Endorsed,
    "holds": Holds,
    "tenure": Tenure,
    "approval": Approved,
}


GROUPS = ("all", "any", "at_least")
NAMES = (*KINDS, *GROUPS)
"""The names of all nodes of a tree: rules, then groups."""


def _shape(value: Any) -> str | None:
    if not isinstance(value, Mapping):
        return None
    if "rule" in value:
        rule = value["rule"]
        if not isinstance(rule, str):
            return None
        return f"<{rule}>" if rule in KINDS else None
    return next((f"<{name}>" for name in GROUPS if name in value), None)


Criterion = TypeAliasType(
    "Criterion",
    Annotated[
        Annotated[Count, Tag("<count>")]
        | Annotated[Sum, Tag("<sum>")]
        | Annotated[Attendance, Tag("<attendance>")]
        | Annotated[Rubric, Tag("<rubric>")]
        | Annotated[Score, Tag("<score>")]
        | Annotated[Gain, Tag("<gain>")]
        | Annotated[Endorsed, Tag("<endorsed>")]
        | Annotated[Holds, Tag("<holds>")]
        | Annotated[Tenure, Tag("<tenure>")]
        | Annotated[Approved, Tag("<approval>")]
        | Annotated[All, Tag("<all>")]
        | Annotated[AnyOf, Tag("<any>")]
        | Annotated[AtLeast, Tag("<at_least>")],
        Discriminator(
            _shape,
            custom_error_type="criterion-invalid",
            custom_error_message='Expected a rule ({"rule": ...}) or a group ("all", "any" or "at_least")',
            custom_error_context={"member": "rule", "unknown": "rule-unknown", "words": list(KINDS)},
        ),
    ],
)
"""A node of a definition: a rule, or a group of criteria."""
for _group in (All, AnyOf, Choice, AtLeast):
    _group.model_rebuild()
_ADAPTER: TypeAdapter[Criterion] = TypeAdapter(Criterion)


class _AsCriterion:
    @staticmethod
    def __get_pydantic_json_schema__(_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return handler(_ADAPTER.core_schema)


UnparsedCriterion = Annotated[dict[str, Any], _AsCriterion]
"""A definition as it came, to be kept so and parsed by `parse`; it is described as what `parse` takes."""


def parse(value: Any, pointer: str = "") -> Criterion:
    """Return the model of a definition.

    Args:
        value: parsed JSON.
        pointer: where it is in the request body, for the errors.
    Raises:
        InvalidError: it does not have the form of `criteria/1`; the details have all `errors`, each with its pointer.
    """
    try:
        criterion = _ADAPTER.validate_python(value)
    except ValidationError as error:
        raise refusal(found_faults(error.errors(), _ADAPTER.core_schema, pointer)) from error
    places = [place for place, _ in walk(criterion)]
    if len(places) > MAX_RULES or max(map(len, map(_steps, places))) > MAX_DEPTH:
        raise InvalidError(
            "criteria-too-large",
            f"Expected at most {MAX_RULES} rules and groups, at most {MAX_DEPTH} groups deep.",
            pointer,
        )
    return criterion


def explicit(value: Any) -> Any:
    """Return a definition, which is JSON, in which every rule `rubric` says whether unposted rubrics count.

    Those that do not say it do not count them. Only what was published before it could be said goes on without.
    """
    if isinstance(value, list):
        return [explicit(each) for each in value]
    if not isinstance(value, Mapping):
        return value
    said = {name: explicit(each) for name, each in value.items()}
    return {**said, "unposted": False} if said.get("rule") == "rubric" and "unposted" not in said else said


def walk(criterion: Criterion, pointer: str = "") -> Iterator[tuple[str, Criterion]]:
    """Yield every group and rule of the tree with its pointer, parents first."""
    yield pointer, criterion
    if isinstance(criterion, Group):
        for index, child in enumerate(criterion.children):
            yield from walk(child, f"{pointer}{criterion.place}/{index}")


def rules(criterion: Criterion) -> list[Rule]:
    """Return the rules of a tree from left to right."""
    return [node for _, node in walk(criterion) if isinstance(node, Rule)]


def resolve(criterion: Criterion, declared: Mapping[str, Sequence[str]]) -> Criterion:
    """Return the tree with each `criteria: "*"` replaced.

    Args:
        declared: the criteria that the result descriptions declare for each rubric.
    """
    if isinstance(criterion, Rubric) and criterion.criteria == "*":
        return criterion.model_copy(update={"criteria": list(declared.get(criterion.rubric, ()))})
    if isinstance(criterion, AtLeast):
        of = [resolve(child, declared) for child in criterion.children]
        return criterion.model_copy(update={"at_least": criterion.at_least.model_copy(update={"of": of})})
    if isinstance(criterion, Group):
        return criterion.model_copy(update={criterion.kind: [resolve(child, declared) for child in criterion.children]})
    return criterion


def faults(criterion: Criterion, zone: tzinfo, pointer: str = "") -> Iterator[DefinitionFault]:
    """Yield a fault for each rule that nobody can meet: it prevents publication.

    Args:
        criterion: the parsed definition.
        zone: the network's time zone, in which dates begin.
        pointer: where the definition is in the request body.
    """
    for place, node in walk(criterion, pointer):
        if isinstance(node, Rule):
            for fault in node.impossible(zone):
                yield fault._replace(pointer=place + fault.pointer)


class _Schema(GenerateJsonSchema):
    """The published schema: no null, no default of null, no titles made from names."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        made = super().default_schema(schema)
        if made.get("default") in (None, {}):
            made.pop("default", None)
        return made

    def field_title_should_be_set(self, schema: Any) -> bool:
        _ = schema
        return False


def json_schema(address: str) -> dict[str, Any]:
    """Return the JSON Schema of `criteria/1` (draft 2020-12), published at `address`."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": address,
        "title": "criteria/1",
        "description": "What earns an achievement: a rule, or a group of criteria.",
    } | _ADAPTER.json_schema(schema_generator=_Schema)


def _steps(pointer: str) -> list[str]:
    return [part for part in pointer.split("/") if part.isdigit()]
