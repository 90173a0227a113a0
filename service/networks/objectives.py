"""Objectives: what a network works toward, in versions that never change.

Each has a code of its own. Sessions, achievements and expectations name an objective by its code. A published version of an achievement keeps the
version that was the newest when it was published, so that those who are enrolled in it are judged by that one.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, Field, StringConstraints, TypeAdapter
from pydantic_core import PydanticCustomError
from sqlalchemy import func, select
from sqlalchemy.orm import Session as OrmSession

from service.access.act import Act
from service.bodies import Body, Prose, Ref, merged, validated
from service.errors import ConflictError, InvalidError, NotFoundError
from service.networks.alignments import AlignmentIn
from service.outbox import events
from service.storage import locks
from service.storage.database import ReadSession, insert_new
from service.storage.paging import Window, page
from service.suggestions import did_you_mean
from service.tables import (
    Achievement,
    AchievementVersion,
    Call,
    Expectation,
    ExpectationVersion,
    Network,
    Objective,
    ObjectiveVersion,
    SessionObjective,
)

Statement = Annotated[str, StringConstraints(min_length=1, max_length=2000)]


def _each_once(codes: list[str]) -> list[str]:
    if len(set(codes)) < len(codes):
        raise PydanticCustomError("repeated", "Expected each entry once")
    return codes


Codes = Annotated[
    list[Ref],
    Field(max_length=50, examples=[["FEEDBACK-1"]], json_schema_extra={"uniqueItems": True}),
    AfterValidator(_each_once),
]
"""The codes of objectives, each once."""


class ObjectiveFields(Body):
    """What a network works toward, and how people can tell that it is reached."""

    text: Statement = Field(examples=["Members give feedback that names a place in the draft."])
    measure: Statement | None = Field(
        None,
        description="how the network tells that it is reached",
        examples=["Three reviews that two others rate 3 or better."],
    )
    alignment: list[AlignmentIn] | None = Field(
        None,
        min_length=1,
        max_length=20,
        description="to what it is aligned; badges of achievements that name the objective state it too",
    )
    changes: Prose | None = Field(
        None,
        description="what is other than in the version before; needed where something rests on the objective",
        examples=["The measure asks for three reviews in place of two."],
    )


class ObjectiveChange(ObjectiveFields):
    """What may change about an objective.

    What is left out stays as it is, null removes it, and the list is replaced whole.
    """

    text: Statement = Field(default_factory=str)


@dataclass(frozen=True)
class ShownObjective:
    """An objective with one of its versions."""

    objective: Objective
    version: ObjectiveVersion


_FIELDS: TypeAdapter[ObjectiveFields] = TypeAdapter(ObjectiveFields)


def put(act: Act, ref: str, body: ObjectiveFields) -> tuple[ShownObjective, bool]:
    """Post an objective, or a new version of it; return it and whether it is new.

    What says the same changes nothing.

    Raises:
        InvalidError: something rests on the objective, and the body does not say what changes (code "changes-missing").
        ConflictError: it is retired (code "objective-retired").
    """
    locks.network(act.session, act.network.id)
    first = {"network_id": act.network.id, "ref": ref, "version": 1, "created_at": act.now}
    created = insert_new(act.session, Objective, first)
    objective = _found(act.session, act.network, ref)
    content = body.model_dump(mode="json", exclude_none=True, include={"text", "measure", "alignment"})
    if not created:
        newest = version_of(act.session, objective)
        if newest.content == content:
            return ShownObjective(objective, newest), False
        _may_change(act, objective, body)
        objective.version += 1
    version = ObjectiveVersion(
        objective_id=objective.id, version=objective.version, content=content, changes=body.changes, at=act.now
    )
    act.session.add(version)
    act.session.flush()
    events.append(act, "objective.posted" if created else "objective.changed", {"objective": str(objective.id)})
    return ShownObjective(objective, version), created


def _may_change(act: Act, objective: Objective, body: ObjectiveFields) -> None:
    if objective.retired_at is not None:
        message = f"Expected an objective that is not retired; this one is since {objective.retired_at:%Y-%m-%d}."
        raise ConflictError("objective-retired", message)
    if body.changes is None and any(resting_on(act.session, act.network, objective).values()):
        message = (
            "Expected `changes`: something rests on this objective, and people must read what is other than before."
        )
        raise InvalidError("changes-missing", message, "/changes")


def change(act: Act, ref: str, body: ObjectiveChange) -> ShownObjective:
    """Change some of an objective, as `put` does with the whole.

    Raises:
        NotFoundError: the network has none (code "objective-unknown").
        InvalidError, ConflictError: as `put`.
    """
    locks.network(act.session, act.network.id)
    newest = get(act.session, act.network, ref).version
    patch = body.model_dump(mode="json", exclude_unset=True)
    shown, _ = put(act, ref, validated(_FIELDS, merged(newest.content, patch)))
    return shown


def retire(act: Act, ref: str) -> ShownObjective:
    """Retire an objective: nothing new names it, and what names it keeps it. One that is retired stays as it is.

    Raises:
        NotFoundError: the network has none (code "objective-unknown").
    """
    shown = held(act, ref)
    if shown.objective.retired_at is None:
        shown.objective.retired_at = act.now
        events.append(act, "objective.retired", {"objective": str(shown.objective.id)})
    act.session.flush()
    return shown


def reinstate(act: Act, ref: str) -> ShownObjective:
    """Take the retirement of an objective back. One that is not retired stays as it is.

    Raises:
        NotFoundError: the network has none (code "objective-unknown").
    """
    shown = held(act, ref)
    if shown.objective.retired_at is not None:
        shown.objective.retired_at = None
        events.append(act, "objective.reinstated", {"objective": str(shown.objective.id)})
    act.session.flush()
    return shown


def remove(act: Act, ref: str) -> None:
    """Delete an objective on which nothing rests.

    Raises:
        NotFoundError: the network has none (code "objective-unknown").
        ConflictError: something names it (code "objective-in-use"; details: `rests`, how many of each).
    """
    objective = held(act, ref).objective
    locks.again(act.session, objective)  # a session that names it now has locked it
    rests = {name: count for name, count in resting_on(act.session, act.network, objective).items() if count}
    if rests:
        listed = ", ".join(f"{count} {name if count > 1 else name[:-1]}" for name, count in rests.items())
        message = f"Expected an objective that nothing names, got one that is named by {listed}. Retire it instead."
        raise ConflictError("objective-in-use", message, details={"rests": rests})
    for version in act.session.scalars(select(ObjectiveVersion).where(ObjectiveVersion.objective_id == objective.id)):
        act.session.delete(version)
    act.session.flush()
    act.session.delete(objective)
    act.session.flush()
    events.append(act, "objective.deleted", {"objective": str(objective.id)})


def resting_on(session: OrmSession, network: Network, objective: Objective) -> dict[str, int]:
    """Return how many published achievements, sessions, expectations and calls name an objective."""
    pinned = (
        select(AchievementVersion.achievement_id, AchievementVersion.definition)
        .join(Achievement, Achievement.id == AchievementVersion.achievement_id)
        .where(Achievement.network_id == network.id, AchievementVersion.published_at.is_not(None))
    )
    expected = (
        select(ExpectationVersion.expectation_id, ExpectationVersion.content)
        .join(Expectation, Expectation.id == ExpectationVersion.expectation_id)
        .where(Expectation.network_id == network.id)
    )
    called = select(Call.id, Call.asked).where(Call.network_id == network.id)
    sessions = select(func.count()).where(SessionObjective.objective_id == objective.id)
    return {
        "achievements": len({each for each, said in session.execute(pinned) if _names(said, objective.ref)}),
        "sessions": session.scalar(sessions) or 0,
        "expectations": len({each for each, said in session.execute(expected) if _names(said, objective.ref)}),
        "calls": len({each for each, said in session.execute(called) if _names(said, objective.ref)}),
    }


def _names(said: Any, ref: str) -> bool:
    """Return whether a definition or an expectation, or a part of it, names an objective."""
    if isinstance(said, Mapping):
        listed = said.get("objectives")
        own = said.get("objective") == ref or (isinstance(listed, list) and ref in listed)
        return own or any(_names(each, ref) for each in said.values())
    return isinstance(said, list) and any(_names(each, ref) for each in said)


def held(act: Act, ref: str) -> ShownObjective:
    """Return an objective with its newest version, and let nobody change it until the commit.

    Raises:
        NotFoundError: the network has none (code "objective-unknown").
    """
    locks.network(act.session, act.network.id)
    return get(act.session, act.network, ref)


def get(session: OrmSession, network: Network, ref: str) -> ShownObjective:
    """Return an objective with its newest version.

    Raises:
        NotFoundError: the network has none (code "objective-unknown").
    """
    objective = _found(session, network, ref)
    return ShownObjective(objective, version_of(session, objective))


def versions(session: OrmSession, objective: Objective) -> Sequence[ObjectiveVersion]:
    """Return all versions of an objective, oldest first."""
    mine = select(ObjectiveVersion).where(ObjectiveVersion.objective_id == objective.id)
    return session.scalars(mine.order_by(ObjectiveVersion.version)).all()


def version_of(session: OrmSession, objective: Objective) -> ObjectiveVersion:
    """Return the newest version of an objective."""
    mine = ObjectiveVersion.objective_id == objective.id, ObjectiveVersion.version == objective.version
    return session.scalars(select(ObjectiveVersion).where(*mine)).one()


def list_all(
    session: ReadSession, network: Network, window: Window, *, retired: bool | None = None
) -> tuple[Sequence[ShownObjective], str | None]:
    """Return objectives with their newest versions, in the order in which they were posted first.

    Args:
        retired: only those that are, or that are not; None: both.
    """
    query = select(Objective).where(Objective.network_id == network.id)
    if retired is not None:
        query = query.where(Objective.retired_at.is_not(None) if retired else Objective.retired_at.is_(None))
    rows, cursor = page(session, query, window, Objective.id)
    newest = _newest(session, rows)
    return [ShownObjective(row, newest[row.id]) for row in rows], cursor


def in_force(session: OrmSession, network: Network) -> list[ShownObjective]:
    """Return the objectives of a network that are not retired, with their newest versions, by code."""
    query = select(Objective).where(Objective.network_id == network.id, Objective.retired_at.is_(None))
    rows = session.scalars(query.order_by(Objective.ref)).all()
    newest = _newest(session, rows)
    return [ShownObjective(row, newest[row.id]) for row in rows]


def pinned(session: OrmSession, network: Network, pins: Mapping[str, int]) -> dict[str, ObjectiveVersion]:
    """Return the versions of objectives to which something is bound, by code."""
    query = (
        select(Objective.ref, ObjectiveVersion)
        .join(ObjectiveVersion, ObjectiveVersion.objective_id == Objective.id)
        .where(Objective.network_id == network.id, Objective.ref.in_(pins))
    )
    rows = session.execute(query) if pins else ()
    return {ref: version for ref, version in rows if pins[ref] == version.version}


def named(
    session: OrmSession,
    network: Network,
    codes: Sequence[str],
    *,
    kept: Collection[str] = (),
    pointer: str = "/objectives",
) -> list[Objective]:
    """Return the objectives with these codes, in the same order.

    Args:
        kept: codes that were named before: they may be retired.
        pointer: where the list is in the body.
    Raises:
        InvalidError: one is unknown (code "objective-unknown") or retired ("objective-retired").
    """
    found = known(session, network, codes)
    for index, code in enumerate(codes):
        fault = fault_of(session, network, code, found.get(code), kept=kept)
        if fault is not None:
            raise InvalidError(*fault, f"{pointer}/{index}")
    return [found[code] for code in codes]


def known(session: OrmSession, network: Network, codes: Collection[str]) -> dict[str, Objective]:
    """Return those objectives of a network that have one of these codes, by code."""
    mine = Objective.network_id == network.id, Objective.ref.in_(codes)
    return {row.ref: row for row in session.scalars(select(Objective).where(*mine))} if codes else {}


def fault_of(
    session: OrmSession, network: Network, code: str, found: Objective | None, *, kept: Collection[str] = ()
) -> tuple[str, str] | None:
    """Return code and sentence of what keeps an objective from being named; None: nothing."""
    if found is None:
        others = session.scalars(select(Objective.ref).where(Objective.network_id == network.id).limit(200))
        message = f"Expected the code of an objective of this network{did_you_mean(code, others)}; post it first."
        return "objective-unknown", message
    if found.retired_at is not None and code not in kept:
        return (
            "objective-retired",
            f"Expected an objective that is not retired; this one is since {found.retired_at:%Y-%m-%d}.",
        )
    return None


def _newest(session: OrmSession, rows: Sequence[Objective]) -> dict[Any, ObjectiveVersion]:
    query = (
        select(ObjectiveVersion)
        .join(
            Objective, (Objective.id == ObjectiveVersion.objective_id) & (Objective.version == ObjectiveVersion.version)
        )
        .where(Objective.id.in_([row.id for row in rows]))
    )
    return {version.objective_id: version for version in session.scalars(query)}


def _found(session: OrmSession, network: Network, ref: str) -> Objective:
    row = session.scalar(
        select(Objective)
        .where(Objective.network_id == network.id, Objective.ref == ref)
        .execution_options(populate_existing=True)
    )
    if row is None:
        raise NotFoundError(
            "objective-unknown", "No objective of this network has this code; the list of objectives has them all."
        )
    return row
