"""Achievements: drafts, and the published versions that never change."""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal
from urllib.parse import quote
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session as OrmSession
from sqlalchemy.orm import aliased

from credentials.strict_json import canonical_json
from service.access.act import Act
from service.achievements import credit, definitions, enrolments, pictures, publishing, serving, unborne
from service.achievements.definitions import NOBODY, AchievementFields, AchievementIn
from service.bodies import refusal
from service.criteria import rejudging, topics
from service.criteria.kinds.rule import DefinitionFault, number
from service.errors import ConflictError, InvalidError, NotFoundError
from service.outbox import events
from service.runtime.settings import Settings
from service.signing import issuers
from service.storage import locks
from service.storage.database import ReadSession, WriteSession, insert_new
from service.storage.paging import Window, order, page
from service.tables import Achievement, AchievementVersion, Blob, Network

PICTURES = ("image/png", "image/svg+xml")
State = Literal["draft", "published"]


@dataclass(frozen=True)
class ShownAchievement:
    """An achievement with its newest version.

    `published` is the number of its newest published version. `warnings` are given where it was written.
    """

    achievement: Achievement
    newest: AchievementVersion
    published: int | None
    warnings: tuple[DefinitionFault, ...] = ()


def define(act: Act, body: AchievementIn) -> tuple[ShownAchievement, bool]:
    """Define an achievement; return it and whether it is new.

    The same body again returns the same achievement.

    Raises:
        ConflictError: the ref is another achievement's (code "achievement-differs").
        InvalidError: the rule or the picture is wrong, or `publish` is true and the definition cannot be published.
    """
    definition = _checked(act.session, act.network, body)
    if body.publish:
        locks.network(act.session, act.network.id)  # two that require each other cannot both be published
    created = insert_new(
        act.session, Achievement, {"network_id": act.network.id, "ref": body.ref, "created_at": act.now}
    )
    achievement = held(act, body.ref)
    if created:
        _add_version(act.session, achievement, 1, definition)
    elif not _says(_newest(act.session, achievement), definition):
        raise ConflictError(
            "achievement-differs",
            "Expected a new ref: this one has another definition. PUT changes it, in a new version once it is published.",
            "/ref",
        )
    if body.publish:
        _publish(act, achievement)
    return _written(act, achievement), created


def change(act: Act, ref: str, body: AchievementFields) -> tuple[ShownAchievement, bool]:
    """Change an achievement's draft; return the achievement and whether it is new.

    A published version stays as it is: a definition that differs from it becomes the draft of the next version. So does
    the same, if there is a newer version of an objective that it serves.

    Raises:
        InvalidError: the rule or the picture is wrong.
    """
    definition = _checked(act.session, act.network, body)
    created = insert_new(act.session, Achievement, {"network_id": act.network.id, "ref": ref, "created_at": act.now})
    achievement = held(act, ref)
    newest = None if created else _newest(act.session, achievement)
    if newest is None:
        _add_version(act.session, achievement, 1, definition)
    elif newest.published_at is None:
        _describe(newest, definition)
    elif not _says(newest, definition) or serving.is_behind(act.session, act.network, newest):
        _add_version(act.session, achievement, newest.version + 1, definition)
    return _written(act, achievement), created


def publish(act: Act, ref: str) -> ShownAchievement:
    """Publish the draft of an achievement; without a draft nothing changes.

    Members with evidence that counts towards the version before stay with that one. All members with evidence are
    marked, so that automatic awards are decided right after the commit.

    Raises:
        NotFoundError: no such achievement.
        ConflictError: it is retired (code "achievement-retired").
        InvalidError: the definition refers to something that does not exist, or cannot be met; all `errors` are in the
            details.
    """
    achievement = held_to_publish(act, ref)
    _publish(act, achievement)
    return _written(act, achievement)


def get_achievement(session: OrmSession, network: Network, ref: str) -> Achievement:
    """Return the achievement with the network's own `ref`.

    Raises:
        NotFoundError: the network has none (code "achievement-unknown").
    """
    found = session.scalar(select(Achievement).where(Achievement.network_id == network.id, Achievement.ref == ref))
    if found is None:
        raise NotFoundError(
            "achievement-unknown", "No achievement of this network has this ref; the list of achievements has them all."
        )
    return found


def held(act: Act, ref: str) -> Achievement:
    """Return an achievement as it is now, and let nobody else change it or its versions until the commit.

    Awards of it can still be written meanwhile.

    Raises:
        NotFoundError: as `get_achievement`.
    """
    achievement = get_achievement(act.session, act.network, ref)
    locks.achievement(act.session, achievement.id)
    act.session.refresh(achievement)
    return achievement


def held_to_publish(act: Act, ref: str) -> Achievement:
    """Return an achievement as `held`, and let nobody else publish in the network until the commit.

    Two that require each other cannot both be published.
    """
    locks.network(act.session, act.network.id)
    return held(act, ref)


def get_version(session: OrmSession, achievement: Achievement, version: int) -> AchievementVersion:
    """Return a version of an achievement, draft or published.

    Raises:
        NotFoundError: it has none with this number (code "version-unknown").
    """
    where = AchievementVersion.achievement_id == achievement.id, AchievementVersion.version == version
    found = session.scalar(select(AchievementVersion).where(*where))
    if found is None:
        raise NotFoundError(
            "version-unknown",
            "This achievement has no version with this number; the achievement itself tells its newest.",
        )
    return found


def versions(session: OrmSession, version_ids: Collection[UUID]) -> list[tuple[AchievementVersion, str]]:
    """Return versions by their ids, each with the ref of its achievement."""
    query = select(AchievementVersion, Achievement.ref).join(
        Achievement, Achievement.id == AchievementVersion.achievement_id
    )
    found = session.execute(query.where(AchievementVersion.id.in_(version_ids)))
    return [(version, ref) for version, ref in found]


def to_try(session: ReadSession, network: Network, ref: str, body: AchievementFields) -> AchievementVersion:
    """Return a version to try, which is never stored.

    It is of the achievement with this `ref`, which need not exist yet.

    Raises:
        InvalidError: it could not be published; pointers begin with "/definition".
    """
    known = session.scalar(select(Achievement.id).where(Achievement.network_id == network.id, Achievement.ref == ref))
    definition = body.definition("/definition")
    said: dict[str, Any] = {"name": body.name, "award": body.award}
    return AchievementVersion(achievement_id=known or NOBODY, version=0, definition=definition, **said)


def list_achievements(
    session: ReadSession,
    network: Network,
    *,
    window: Window,
    state: State | None = None,
    award: str | None = None,
    sort: str | None = None,
) -> tuple[list[ShownAchievement], str | None]:
    """Return achievements in the order of their definition.

    Args:
        sort: "-created_at": the newest first.
        state: "draft": only those with a draft; "published": only those with a published version.
        award: only those whose newest version is awarded in this way.
    """
    query = select(Achievement).where(Achievement.network_id == network.id)
    versions = select(AchievementVersion.id).where(AchievementVersion.achievement_id == Achievement.id)
    if state == "draft":
        query = query.where(versions.where(AchievementVersion.published_at.is_(None)).exists())
    elif state == "published":
        query = query.where(versions.where(AchievementVersion.published_at.is_not(None)).exists())
    if award is not None:
        query = query.where(versions.where(AchievementVersion.award == award, _is_newest()).exists())
    rows, cursor = page(session, query, window, order(sort, created_at=(Achievement.id,)))
    return show(session, rows), cursor


def list_versions(
    session: ReadSession, achievement: Achievement, *, window: Window, sort: str | None = None
) -> tuple[Sequence[AchievementVersion], str | None]:
    """Return the versions of an achievement, oldest first; with the sort "-version" the newest first."""
    query = select(AchievementVersion).where(AchievementVersion.achievement_id == achievement.id)
    return page(session, query, window, order(sort, version=(AchievementVersion.version,)))


def show(session: OrmSession, achievements: Sequence[Achievement]) -> list[ShownAchievement]:
    """Return achievements with their newest versions, in the same order."""
    wanted = AchievementVersion.achievement_id.in_([achievement.id for achievement in achievements])
    newest = {
        row.achievement_id: row for row in session.scalars(select(AchievementVersion).where(wanted, _is_newest()))
    }
    latest = func.max(AchievementVersion.version)
    published = select(AchievementVersion.achievement_id, latest).where(
        wanted, AchievementVersion.published_at.is_not(None)
    )
    numbers = dict(session.execute(published.group_by(AchievementVersion.achievement_id)).all())
    return [ShownAchievement(each, newest[each.id], numbers.get(each.id)) for each in achievements]


def version_url(settings: Settings, version: AchievementVersion) -> str:
    """Return the public address of a version: the achievement's `id` in credentials."""
    return f"{settings.base_url}/achievements/{version.id}"


def document(session: OrmSession, settings: Settings, version: AchievementVersion) -> dict[str, Any]:
    """Return a published version as an Open Badges Achievement.

    Spec: Open Badges 3.0, section B.1.1 (Achievement).
    """
    network = session.get_one(Network, session.get_one(Achievement, version.achievement_id).network_id)
    url = version_url(settings, version)
    said = version.definition
    optional = {
        "alignment": [_member(["Alignment"], each) for each in serving.alignments(session, version)],
        "resultDescription": [
            *(_result_description(url, each) for each in said.get("result_descriptions", [])),
            *credit.descriptions(url, said),
        ],
        "tag": said.get("tags", []),
        "creditsAvailable": credit.available(said),
        "fieldOfStudy": said.get("field_of_study"),
        "humanCode": said.get("human_code"),
        "inLanguage": said.get("in_language"),
        "related": [_member(["Related"], each) for each in said.get("related", [])],
        "otherIdentifier": [_member("IdentifierEntry", each) for each in said.get("other_identifiers", [])],
    }
    return {
        "id": url,
        "type": ["Achievement"],
        "name": issuers.marked(network, said["name"]),
        "description": said["description"],
        "achievementType": said["achievement_type"],
        "creator": issuers.profile(settings, network),
        # An id of its own: the members of an id that occurs twice can be moved between the two without breaking a
        # signature.
        "criteria": {"id": f"{url}#criteria", "narrative": said["criteria"]["narrative"]},
        "image": {"id": f"{url}/image.png", "type": "Image"},
        "version": str(version.version),
        **{name: value for name, value in optional.items() if value},
    }


def _member(kind: str | list[str], said: dict[str, Any]) -> dict[str, Any]:
    return {"type": kind} | {_camel(name): value for name, value in said.items()}


def _result_description(url: str, said: dict[str, Any]) -> dict[str, Any]:
    own = f"{url}#{quote(said['ref'], safe='')}"
    levels = {level["ref"]: f"{own}/{quote(level['ref'], safe='')}" for level in said.get("levels", [])}
    members: dict[str, Any] = {
        "id": own,
        "type": ["ResultDescription"],
        "name": said["name"],
        "resultType": said["result_type"],
        "requiredLevel": levels.get(said.get("required_level")),
        "rubricCriterionLevel": [
            {
                "id": levels[level["ref"]],
                "type": ["RubricCriterionLevel"],
                "name": level["name"],
                "level": number(level["level"]),
                **({"description": level["description"]} if "description" in level else {}),
            }
            for level in sorted(said.get("levels", []), key=lambda level: level["level"])  # low to high, as signed
        ]
        or None,
        "valueMin": number(said["value_min"]) if "value_min" in said else None,
        "valueMax": number(said["value_max"]) if "value_max" in said else None,
    }
    return {name: value for name, value in members.items() if value is not None}


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(map(str.title, rest))


def _checked(session: WriteSession, network: Network, body: AchievementFields) -> dict[str, Any]:
    """Return the definition of a body; refuse a malformed rule or an unknown picture."""
    definition = body.definition()
    if body.image is not None:
        picture = session.get(Blob, (network.id, body.image))
        if picture is None:
            raise InvalidError("blob-unknown", "Expected the sha256 of a file that this network has posted.", "/image")
        if picture.media_type not in PICTURES:
            raise InvalidError("image-unfit", f"Expected a PNG or SVG picture, got {picture.media_type}.", "/image")
        pictures.check(session, network, body.image)
    return definition


def _written(act: Act, achievement: Achievement) -> ShownAchievement:
    [shown] = show(act.session, [achievement])
    return replace(shown, warnings=tuple(unborne.warnings(act.session, act.network, shown.newest.definition)))


def _newest(session: OrmSession, achievement: Achievement) -> AchievementVersion:
    where = AchievementVersion.achievement_id == achievement.id
    return session.scalars(select(AchievementVersion).where(where, _is_newest())).one()


def _says(version: AchievementVersion, definition: dict[str, Any]) -> bool:
    """Return whether a version has this definition; one that is older than `definitions.explicit` has it without that."""
    return definitions.explicit(version.definition) == definition


def _is_newest() -> ColumnElement[bool]:
    other = aliased(AchievementVersion)
    latest = select(func.max(other.version)).where(other.achievement_id == AchievementVersion.achievement_id)
    return AchievementVersion.version == latest.scalar_subquery()


def _add_version(session: WriteSession, achievement: Achievement, number: int, definition: dict[str, Any]) -> None:
    version = AchievementVersion(achievement_id=achievement.id, version=number)
    _describe(version, definition)
    session.add(version)
    session.flush()


def _describe(version: AchievementVersion, definition: dict[str, Any]) -> None:
    version.definition = definition
    version.name = definition["name"]
    version.award = definition["award"]
    version.image_sha256 = definition.get("image")


def _publish(act: Act, achievement: Achievement) -> None:
    version = _newest(act.session, achievement)
    if version.published_at is not None:
        return
    publishing.still_earned(achievement)
    version.definition = definitions.explicit(version.definition)  # a draft can be older
    found = list(publishing.faults(act.session, act.network, achievement.ref, version.definition, act.now))
    found += publishing.related_to_itself(version)
    if found:
        raise refusal([{"code": each.code, "detail": each.message, "pointer": each.pointer} for each in found])
    before = publishing.newest_published(act.session, achievement)
    if before is not None:
        enrolments.enrol_by_evidence(act, before)
    version.pinned_objectives = serving.pins(act.session, act.network, version.definition)
    version.published_at = act.now
    version.definition_sha256 = hashlib.sha256(canonical_json(version.definition)).hexdigest()
    act.session.flush()
    events.append(act, "achievement.published", publishing.about(version))
    tree = definitions.rule_of(version.definition)
    if tree is not None:
        topics.index(act.session, act.network, achievement, tree)
        rejudging.mark_all(act, topics.published(achievement))
