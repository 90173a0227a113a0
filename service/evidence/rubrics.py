"""Rubrics: by what a network judges, in versions.

A version can be changed until the first evaluation is held against it; from then on a change is a new version. An
evaluation is held against the version that it names, or the newest, when it comes; nothing that comes later changes
that. Evaluations with a rubric that the network had not posted are taken all the same, and held against nothing.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, StringConstraints, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError
from sqlalchemy import exists, select
from sqlalchemy.orm import Session as OrmSession

from service.access.act import Act
from service.bodies import Body, HttpsUrl, Line, Prose
from service.errors import NotFoundError
from service.evidence.bodies import References, Submitted
from service.evidence.evaluations import Level, RubricIn
from service.evidence.scales import PostedRubric, Scale
from service.outbox import events
from service.storage import locks
from service.storage.database import ReadSession, WriteSession, insert_new
from service.storage.paging import Window, page
from service.tables import Network, Rubric, RubricUse, RubricVersion

CaseType = Literal["CFRubric", "CFRubricCriterion", "CFRubricCriterionLevel"]
"""Spec: Open Badges 3.0, section B.5.2 (AlignmentTargetType), as far as it is about rubrics."""


class RubricAlignmentIn(Body):
    """The same in a framework, by its identifier: for CASE that of a CFRubric or of a part of it."""

    target_name: Line = Field(examples=["Formative feedback"])
    target_url: HttpsUrl = Field(
        examples=["https://case.example.org/ims/case/v1p0/CFRubrics/6f3c1f0e-5ff7-4a0c-9f0c-2f8b0a5a7d11"]
    )
    target_type: CaseType | None = None


Alignment = Annotated[list[RubricAlignmentIn], Field(min_length=1, max_length=20)]


class RubricLevelIn(Body):
    """A level that every criterion can reach."""

    level: Level = Field(description="the number that stands for it in ratings", examples=[3])
    name: Line = Field(examples=["Proficient"])


class DescriptorIn(Body):
    """What a level means for one criterion."""

    level: Level = Field(description="the number of one of the levels", examples=[3])
    text: Annotated[str, StringConstraints(min_length=1, max_length=2000)] = Field(
        examples=["Every remark names a place in the draft."]
    )


class RubricCriterionIn(Body):
    """One thing that is judged."""

    ref: Line = Field(description="the name of the criterion in ratings", examples=["specific"])
    name: Line = Field(examples=["Feedback is specific"])
    description: Prose | None = None
    descriptors: list[DescriptorIn] | None = Field(None, min_length=1, max_length=20)
    alignment: Alignment | None = None

    @field_validator("descriptors")
    @classmethod
    def _each_level_once(cls, descriptors: list[DescriptorIn] | None) -> list[DescriptorIn] | None:
        _once([each.level for each in descriptors or []], "level")
        return descriptors


class RubricFields(Body):
    """What a rubric says."""

    name: Line = Field(examples=["Formative feedback"])
    levels: list[RubricLevelIn] = Field(min_length=1, max_length=20, description="from low to high")
    criteria: list[RubricCriterionIn] = Field(min_length=1, max_length=50)
    for_assessors: Prose | None = Field(None, description="how to judge; for those who do. Markdown")
    for_public: Prose | None = Field(None, description="what the rubric is about; for everybody. Markdown")
    alignment: Alignment | None = None

    @field_validator("levels")
    @classmethod
    def _rising(cls, levels: list[RubricLevelIn]) -> list[RubricLevelIn]:
        numbers = [each.level for each in levels]
        if sorted(set(numbers)) != numbers:
            raise PydanticCustomError("levels-unordered", "Expected levels from low to high, each number once")
        return levels

    @field_validator("criteria")
    @classmethod
    def _described(cls, criteria: list[RubricCriterionIn], info: ValidationInfo) -> list[RubricCriterionIn]:
        _once([each.ref for each in criteria], "ref")
        known = {each.level for each in info.data.get("levels", [])}
        others = [each.level for one in criteria for each in one.descriptors or [] if each.level not in known]
        if known and others:
            context = {"level": f"{others[0]:g}"}
            raise PydanticCustomError(
                "descriptor-level-unknown", "Expected descriptors of the levels alone; {level} is none of them", context
            )
        return criteria


@dataclass(frozen=True)
class ShownRubric:
    """A rubric with one of its versions."""

    rubric: Rubric
    version: RubricVersion


def put(act: Act, ref: str, body: RubricFields) -> tuple[ShownRubric, bool]:
    """Post a rubric, or change it; return it and whether it is new.

    The newest version is changed in place until an evaluation is held against it; from then on the change is the next
    version. What says the same changes nothing.
    """
    first = {"network_id": act.network.id, "ref": ref, "version": 1, "created_at": act.now}
    created = insert_new(act.session, Rubric, first)
    rubric = held(act, ref)
    said = body.model_dump(mode="json", exclude_none=True)
    newest = None if created else _version(act.session, rubric, rubric.version)
    if newest is not None and newest.content == said:
        return ShownRubric(rubric, newest), False
    if newest is not None and act.session.scalar(select(exists().where(RubricUse.rubric_version_id == newest.id))):
        rubric.version += 1
        newest = None
    if newest is None:
        newest = RubricVersion(rubric_id=rubric.id, version=rubric.version)
        act.session.add(newest)
    newest.name, newest.content, newest.changed_at = body.name, said, act.now
    newest.criteria = [each.ref for each in body.criteria]
    newest.lowest, newest.highest = float(body.levels[0].level), float(body.levels[-1].level)
    events.append(act, "rubric.posted" if created else "rubric.changed", {"rubric": str(rubric.id)})
    act.session.flush()
    return ShownRubric(rubric, newest), created


def held(act: Act, ref: str) -> Rubric:
    """Return a rubric, and let nobody change it or hold an evaluation against it until the commit.

    Raises:
        NotFoundError: the network has none (code "rubric-unknown").
    """
    return _there(locks.one_or_none(act.session, Rubric, Rubric.network_id == act.network.id, Rubric.ref == ref))


def get(session: OrmSession, network: Network, ref: str, version: int | None = None) -> ShownRubric:
    """Return a rubric with one of its versions; without a number with the newest.

    Raises:
        NotFoundError: the network has no such rubric (code "rubric-unknown"), or it has no such version
            ("rubric-version-unknown").
    """
    rubric = _there(session.scalar(select(Rubric).where(Rubric.network_id == network.id, Rubric.ref == ref)))
    found = _version(session, rubric, version or rubric.version)
    if found is None:
        message = f"Expected a version of this rubric, 1 to {rubric.version}."
        raise NotFoundError("rubric-version-unknown", message, "version")
    return ShownRubric(rubric, found)


def newest(session: OrmSession, rubric: Rubric) -> ShownRubric:
    """Return a rubric with its newest version."""
    version = _version(session, rubric, rubric.version)
    assert version is not None  # a rubric is written with its first version
    return ShownRubric(rubric, version)


def find_version(session: OrmSession, version_id: str) -> ShownRubric | None:
    """Return a version of any network's rubric, by its id in an address; None if there is none."""
    try:
        version = session.get(RubricVersion, UUID(version_id))
    except ValueError:
        return None
    return ShownRubric(session.get_one(Rubric, version.rubric_id), version) if version is not None else None


def list_all(session: ReadSession, network: Network, window: Window) -> tuple[Sequence[ShownRubric], str | None]:
    """Return rubrics with their newest versions, in the order in which they were posted first."""
    rows, cursor = page(session, select(Rubric).where(Rubric.network_id == network.id), window, Rubric.id)
    query = (
        select(RubricVersion)
        .join(Rubric, (Rubric.id == RubricVersion.rubric_id) & (Rubric.version == RubricVersion.version))
        .where(Rubric.id.in_([row.id for row in rows]))
    )
    versions = {version.rubric_id: version for version in session.scalars(query)}
    return [ShownRubric(row, versions[row.id]) for row in rows], cursor


def held_against(
    session: WriteSession,
    network: Network,
    references: References,
    bodies: Sequence[Submitted],
    corrected: UUID | None = None,
) -> References:
    """Return the references with the posted rubrics that new bodies use, which nobody changes until the commit.

    Args:
        corrected: the record that the body corrects: it is held against the same version, unless it names another.
    """
    refs = {body.rubric for body in bodies if isinstance(body, RubricIn)}
    rubrics = locks.rubrics(session, Rubric.network_id == network.id, Rubric.ref.in_(refs)) if refs else []
    if not rubrics:
        return references
    columns = (
        RubricVersion.rubric_id,
        RubricVersion.id,
        RubricVersion.version,
        RubricVersion.criteria,
        RubricVersion.lowest,
        RubricVersion.highest,
    )
    scales: defaultdict[UUID, dict[str, Scale]] = defaultdict(dict)
    of_rubrics = select(*columns).where(RubricVersion.rubric_id.in_([rubric.id for rubric in rubrics]))
    for rubric_id, version_id, number, criteria, lowest, highest in session.execute(of_rubrics):
        scales[rubric_id][str(number)] = Scale(version_id, number, tuple(criteria), lowest, highest)
    before = session.get(RubricUse, corrected) if corrected is not None else None
    posted = {}
    for rubric in rubrics:
        known = scales[rubric.id]
        kept = (scale for scale in known.values() if before is not None and scale.id == before.rubric_version_id)
        posted[rubric.ref] = PostedRubric(known, next(kept, known[str(rubric.version)]))
    return replace(references, rubrics=posted)


def _version(session: OrmSession, rubric: Rubric, number: int) -> RubricVersion | None:
    mine = (RubricVersion.rubric_id == rubric.id, RubricVersion.version == number)
    return session.scalar(select(RubricVersion).where(*mine).execution_options(populate_existing=True))


def _there(rubric: Rubric | None) -> Rubric:
    if rubric is None:
        raise NotFoundError(
            "rubric-unknown", "No rubric of this network has this ref; post it, or take a ref from the list of rubrics."
        )
    return rubric


def _once(values: Sequence[Any], what: str) -> None:
    if len(set(values)) < len(values):
        raise PydanticCustomError("repeated", "Expected each {what} once", {"what": what})
