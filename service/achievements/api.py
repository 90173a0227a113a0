"""Achievements and their versions over HTTP."""

from typing import Annotated, Literal, Self
from uuid import UUID

from fastapi import APIRouter, BackgroundTasks, Depends, Path, Query, Request, Response
from pydantic import Field

from service.access.act import CallersAct
from service.access.callers import Caller
from service.achievements import achievements
from service.achievements.achievements import ShownAchievement
from service.achievements.definitions import (
    AchievementFields,
    AchievementIn,
    AlignmentIn,
    CriteriaIn,
    ResultDescriptionIn,
)
from service.bodies import Instant, Ref
from service.runtime.settings import Settings
from service.tables import AchievementVersion
from service.web.exactly_once import exactly_once
from service.web.requests import (
    After,
    Answer,
    Limit,
    Needs,
    Page,
    Reader,
    ReadNetwork,
    Running,
    StrictRoute,
    WriteNetwork,
    acting,
    reply,
)

router = APIRouter(route_class=StrictRoute, tags=["achievements"])
CanWrite = Annotated[CallersAct, acting(Needs("achievements:write"))]
CanRead = Annotated[Caller, Depends(Needs("read"))]


class VersionOut(Answer):
    """One version of an achievement."""

    version: int
    version_id: UUID
    state: Literal["draft", "published"]
    url: str | None = Field(None, description="public address of the version; left out for a draft")
    published_at: Instant | None = None
    definition_sha256: str | None = Field(
        None, description="SHA-256 of the definition, the members from `name` on, as canonical JSON (RFC 8785)"
    )
    name: str
    description: str
    achievement_type: str
    criteria: CriteriaIn
    image: str | None = None
    alignment: list[AlignmentIn] | None = None
    tags: list[str] | None = None
    result_descriptions: list[ResultDescriptionIn] | None = None
    valid_for: str | None = None
    award: Literal["automatic", "reviewed"]

    @classmethod
    def of(cls, version: AchievementVersion, settings: Settings) -> Self:
        """Return the answer for one version."""
        return cls.model_validate(cls.members(version, settings))

    @staticmethod
    def members(version: AchievementVersion, settings: Settings) -> dict[str, object]:
        """Return the members that every version has."""
        published = version.published_at is not None
        return version.definition | {
            "version": version.version,
            "version_id": version.id,
            "state": "published" if published else "draft",
            "url": achievements.version_url(settings, version) if published else None,
            "published_at": version.published_at,
            "definition_sha256": version.definition_sha256,
        }


class AchievementOut(VersionOut):
    """An achievement with its newest version."""

    id: UUID
    ref: str
    created_at: Instant
    published_version: int | None = Field(
        None, description="the newest published version; members who are not enrolled in another are judged by it"
    )

    @classmethod
    def shown(cls, shown: ShownAchievement, settings: Settings) -> Self:
        """Return the answer for one achievement."""
        own = {
            "id": shown.achievement.id,
            "ref": shown.achievement.ref,
            "created_at": shown.achievement.created_at,
            "published_version": shown.published,
        }
        return cls.model_validate(cls.members(shown.newest, settings) | own)


def settle_afterwards(request: Request, runtime: Running, network: WriteNetwork, tasks: BackgroundTasks) -> None:
    """Award what members have earned by a write, once the response was sent.

    If deciding fails, the committed marks on members stay, and upkeep decides later. Awards are decided in a package
    above this one, so the application hands in how (`app.state.settle`).
    """
    tasks.add_task(request.app.state.settle, runtime, network.id)


@router.post(
    "/v1/networks/{slug}/achievements",
    status_code=201,
    response_model=AchievementOut,
    responses={200: {"model": AchievementOut}},
    dependencies=[Depends(settle_afterwards)],
)
@exactly_once()
def post_achievement(body: AchievementIn, act: CanWrite, runtime: Running) -> Response:
    """Define an achievement (201), as a draft unless `publish` is true.

    The same body again returns the same achievement (200). The rule is a definition in `criteria/1`; its JSON Schema is
    at `/schemas/criteria/1`. Publishing checks what the definition refers to and freezes the version; see
    `POST .../publication`.
    """
    shown, created = achievements.define(act, body)
    return reply(201 if created else 200, AchievementOut.shown(shown, runtime.settings))


@router.put(
    "/v1/networks/{slug}/achievements/{ref}", response_model=AchievementOut, responses={201: {"model": AchievementOut}}
)
@exactly_once()
def put_achievement(ref: Ref, body: AchievementFields, act: CanWrite, runtime: Running) -> Response:
    """Change the draft of an achievement (200), or define a new one (201).

    A published version never changes: a definition that differs from it becomes the draft of the next version.
    """
    shown, created = achievements.change(act, ref, body)
    return reply(201 if created else 200, AchievementOut.shown(shown, runtime.settings))


@router.post(
    "/v1/networks/{slug}/achievements/{ref}/publication",
    response_model=AchievementOut,
    dependencies=[Depends(settle_afterwards)],
)
@exactly_once()
def post_publication(ref: Ref, act: CanWrite, runtime: Running) -> Response:
    """Publish the draft of an achievement; without a draft nothing changes.

    The version is frozen, with the SHA-256 of its definition. Members who have evidence that counts towards the
    version before stay with that one. Right after this answer an `automatic` achievement is awarded to every member
    whose evidence already meets the rule. The pointers of a problem are into the definition.
    """
    return reply(200, AchievementOut.shown(achievements.publish(act, ref), runtime.settings))


@router.get("/v1/networks/{slug}/achievements")
def list_achievements(
    network: ReadNetwork,
    session: Reader,
    runtime: Running,
    _who: CanRead,
    state: Annotated[
        Literal["draft", "published"] | None,
        Query(description="only achievements with a draft, or with a published version"),
    ] = None,
    award: Annotated[
        Literal["automatic", "reviewed"] | None,
        Query(description="only achievements whose newest version is awarded in this way"),
    ] = None,
    after: After = None,
    limit: Limit = 50,
) -> Page[AchievementOut]:
    """List achievements with their newest versions, in the order of their definition."""
    found, cursor = achievements.list_achievements(session, network, after=after, limit=limit, state=state, award=award)
    return Page(items=[AchievementOut.shown(shown, runtime.settings) for shown in found], next=cursor)


@router.get("/v1/networks/{slug}/achievements/{ref}")
def get_achievement(ref: Ref, network: ReadNetwork, session: Reader, runtime: Running, _who: CanRead) -> AchievementOut:
    """Return an achievement with its newest version."""
    (shown,) = achievements.show(session, [achievements.get_achievement(session, network, ref)])
    return AchievementOut.shown(shown, runtime.settings)


@router.get("/v1/networks/{slug}/achievements/{ref}/versions")
def list_versions(
    ref: Ref,
    network: ReadNetwork,
    session: Reader,
    runtime: Running,
    _who: CanRead,
    after: After = None,
    limit: Limit = 50,
) -> Page[VersionOut]:
    """List the versions of an achievement, oldest first."""
    achievement = achievements.get_achievement(session, network, ref)
    found, cursor = achievements.list_versions(session, achievement, after=after, limit=limit)
    return Page(items=[VersionOut.of(version, runtime.settings) for version in found], next=cursor)


@router.get("/v1/networks/{slug}/achievements/{ref}/versions/{version}")
def get_version(
    ref: Ref,
    version: Annotated[int, Path(ge=1, le=1_000_000)],
    network: ReadNetwork,
    session: Reader,
    runtime: Running,
    _who: CanRead,
) -> VersionOut:
    """Return one version of an achievement."""
    achievement = achievements.get_achievement(session, network, ref)
    return VersionOut.of(achievements.get_version(session, achievement, version), runtime.settings)
