"""Achievements and their versions over HTTP."""

from collections.abc import Callable
from contextlib import suppress
from typing import Annotated, Literal, Self
from uuid import UUID

from fastapi import APIRouter, BackgroundTasks, Depends, Path, Query, Request, Response
from pydantic import Field

from service.access.act import Act, CallersAct
from service.access.callers import READ, Caller
from service.achievements import achievements, drafts, retirement
from service.achievements.achievements import ShownAchievement
from service.achievements.definitions import AchievementChange, AchievementFields, AchievementIn, CriteriaIn
from service.achievements.parts import CreditIn, OtherIdentifierIn, RelatedIn, ResultDescriptionIn
from service.achievements.retirement import RetirementIn
from service.bodies import Instant, Ref
from service.criteria.kinds.rule import DefinitionFault
from service.errors import NotFoundError
from service.networks.alignments import AlignmentIn
from service.runtime.runtime import Runtime
from service.runtime.settings import Settings
from service.tables import Achievement, AchievementVersion
from service.web.conditional import (
    ETAG,
    TAGGED,
    UNCHANGED,
    Given,
    IfNoneMatch,
    merge_patch,
    seen,
    tagged,
    written_or_made,
)
from service.web.exactly_once import exactly_once
from service.web.requests import (
    Answer,
    Needs,
    Page,
    Reader,
    ReadNetwork,
    Running,
    StrictRoute,
    Windowed,
    WriteNetwork,
    acting,
)

router = APIRouter(route_class=StrictRoute, tags=["achievements"])
CanWrite = Annotated[CallersAct, acting(Needs("achievements:write"))]
CanRead = Annotated[Caller, Depends(Needs(*READ))]


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
    objective_versions: dict[str, int] | None = Field(
        None, description="the version of each objective that it serves, by code; set when it was published"
    )
    name: str
    description: str
    achievement_type: str
    criteria: CriteriaIn
    image: str | None = None
    alignment: list[AlignmentIn] | None = None
    objectives: list[str] | None = None
    tags: list[str] | None = None
    credits: list[CreditIn] | None = None
    field_of_study: str | None = None
    human_code: str | None = None
    in_language: str | None = None
    related: list[RelatedIn] | None = None
    other_identifiers: list[OtherIdentifierIn] | None = None
    result_descriptions: list[ResultDescriptionIn] | None = None
    valid_for: str | None = None
    cooling_off: str | None = None
    status: Literal["revocation", "suspension"] | None = None
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
            "objective_versions": version.pinned_objectives or None,
        }


class WarningOut(Answer):
    """Something in a definition that may be a slip; it keeps nothing from being published."""

    code: str = Field(examples=["tag-unused"])
    detail: str = Field(
        examples=['No contribution in this network has the tag "peer-writting" yet (did you mean `peer-writing`?).']
    )
    pointer: str = Field(description="into the definition")


class AchievementOut(VersionOut):
    """An achievement with its newest version."""

    MOVING = frozenset({"warnings"})

    id: UUID
    ref: str
    created_at: Instant
    published_version: int | None = Field(
        None, description="the newest published version; members who are not enrolled in another are judged by it"
    )
    retired_at: Instant | None = Field(None, description="since when nobody new earns it")
    retirement_reason: str | None = None

    warnings: list[WarningOut] | None = Field(
        None, description="in answers to writing: names in the definition that nothing in the network has borne yet"
    )

    @classmethod
    def shown(cls, shown: ShownAchievement, settings: Settings) -> Self:
        """Return the answer for one achievement."""
        own = {
            "id": shown.achievement.id,
            "ref": shown.achievement.ref,
            "created_at": shown.achievement.created_at,
            "published_version": shown.published,
            "retired_at": shown.achievement.retired_at,
            "retirement_reason": shown.achievement.retirement_reason,
            "warnings": [warning(each) for each in shown.warnings] or None,
        }
        return cls.model_validate(cls.members(shown.newest, settings) | own)


def _now(
    act: Act, runtime: Runtime, ref: str, held: Callable[[Act, str], Achievement] = achievements.held
) -> AchievementOut:
    [shown] = achievements.show(act.session, [held(act, ref)])
    return AchievementOut.shown(shown, runtime.settings)


def _now_if_there(act: Act, runtime: Runtime, ref: str) -> AchievementOut | None:
    with suppress(NotFoundError):
        return _now(act, runtime, ref)
    return None


def warning(each: DefinitionFault) -> WarningOut:
    """Return the answer for one warning."""
    return WarningOut(code=each.code, detail=each.message, pointer=each.pointer)


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
    responses={200: {"model": AchievementOut, "headers": ETAG}, 201: {"headers": ETAG}},
    dependencies=[Depends(settle_afterwards)],
)
@exactly_once()
def create_achievement(body: AchievementIn, act: CanWrite, runtime: Running) -> Response:
    """Define an achievement (201), as a draft unless `publish` is true.

    The same body again returns the same achievement (200). The rule is a definition in `criteria/1`; its JSON Schema is
    at `/schemas/criteria/1`. Publishing checks what the definition refers to and freezes the version; see
    `POST .../publication`.
    """
    shown, created = achievements.define(act, body)
    return tagged(201 if created else 200, AchievementOut.shown(shown, runtime.settings))


@router.put(
    "/v1/networks/{slug}/achievements/{ref}", response_model=AchievementOut, responses=written_or_made(AchievementOut)
)
@exactly_once()
def put_achievement(ref: Ref, body: AchievementFields, act: CanWrite, runtime: Running, given: Given) -> Response:
    """Change the draft of an achievement (200), or define a new one (201).

    A published version never changes: a definition that differs from it becomes the draft of the next version. So does
    the same definition, if there is a newer version of an objective that it names.
    """
    given.hold(lambda: _now_if_there(act, runtime, ref))
    shown, created = achievements.change(act, ref, body)
    return tagged(201 if created else 200, AchievementOut.shown(shown, runtime.settings))


@router.patch(
    "/v1/networks/{slug}/achievements/{ref}",
    response_model=AchievementOut,
    responses=TAGGED,
    summary="Change an achievement",
    openapi_extra=merge_patch("AchievementChange"),
)
@exactly_once()
def update_achievement(ref: Ref, body: AchievementChange, act: CanWrite, runtime: Running, given: Given) -> Response:
    """Change some of an achievement's definition, by a JSON Merge Patch (RFC 7396).

    What is left out stays as it is, null removes it, and a list is replaced whole. The result is taken as `PUT` takes
    it: a published version never changes, and what differs from it becomes the draft of the next version.
    """
    given.hold(lambda: _now(act, runtime, ref))
    return tagged(200, AchievementOut.shown(drafts.amend(act, ref, body), runtime.settings))


@router.delete(
    "/v1/networks/{slug}/achievements/{ref}", status_code=204, response_class=Response, summary="Delete a draft"
)
@exactly_once()
def delete_achievement(ref: Ref, act: CanWrite, runtime: Running, given: Given) -> Response:
    """Delete an achievement that was never published.

    One that was is retired instead (409 `achievement-published`): badges of it may exist.
    """
    given.hold(lambda: _now(act, runtime, ref))
    drafts.remove(act, ref)
    return Response(status_code=204)


@router.post(
    "/v1/networks/{slug}/achievements/{ref}/publication",
    response_model=AchievementOut,
    responses=TAGGED,
    dependencies=[Depends(settle_afterwards)],
)
@exactly_once()
def publish_achievement(ref: Ref, act: CanWrite, runtime: Running, given: Given) -> Response:
    """Publish the draft of an achievement; without a draft nothing changes.

    The version is frozen, with the SHA-256 of its definition. Members who have evidence that counts towards the
    version before stay with that one. Right after this answer an `automatic` achievement is awarded to every member
    whose evidence already meets the rule. The pointers of a problem are into the definition. What the definition names
    (a series, rubric, skill, tag, role) and nothing in the network has borne yet is published with `warnings`.
    """
    given.hold(lambda: _now(act, runtime, ref, achievements.held_to_publish))
    return tagged(200, AchievementOut.shown(achievements.publish(act, ref), runtime.settings))


@router.post(
    "/v1/networks/{slug}/achievements/{ref}/retirement",
    response_model=AchievementOut,
    responses=TAGGED,
    summary="Retire an achievement",
)
@exactly_once()
def retire_achievement(ref: Ref, body: RetirementIn, act: CanWrite, runtime: Running) -> Response:
    """Retire a published achievement: nobody new earns it.

    It is not awarded any more, by rule, on request or for a further term (409 `achievement-retired`). Those who have it
    keep it until their time is over, and their badges stay good. What was earned before is carried out: pending awards
    are signed when they are due, and what waits for people they decide. Its page says since when it is retired.
    A second request changes nothing.
    """
    retirement.retire(act, ref, body)
    return tagged(200, _now(act, runtime, ref))


@router.post(
    "/v1/networks/{slug}/achievements/{ref}/reinstatement",
    response_model=AchievementOut,
    responses=TAGGED,
    dependencies=[Depends(settle_afterwards)],
    summary="Let a retired achievement be earned again",
)
@exactly_once()
def reinstate_achievement(ref: Ref, act: CanWrite, runtime: Running) -> Response:
    """Take the retirement of an achievement back.

    Right after this answer an `automatic` achievement is awarded to every member whose evidence meets the rule.
    """
    retirement.reinstate(act, ref)
    return tagged(200, _now(act, runtime, ref))


@router.get("/v1/networks/{slug}/achievements")
def list_achievements(
    network: ReadNetwork,
    session: Reader,
    window: Windowed,
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
    sort: Literal["created_at", "-created_at"] = "created_at",
) -> Page[AchievementOut]:
    """List achievements with their newest versions, in the order of their definition."""
    found, cursor = achievements.list_achievements(session, network, window=window, state=state, award=award, sort=sort)
    return Page(items=[AchievementOut.shown(shown, runtime.settings) for shown in found], next=cursor)


@router.get("/v1/networks/{slug}/achievements/{ref}", response_model=AchievementOut, responses=UNCHANGED)
def get_achievement(
    ref: Ref,
    network: ReadNetwork,
    session: Reader,
    runtime: Running,
    _who: CanRead,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Return an achievement with its newest version."""
    (shown,) = achievements.show(session, [achievements.get_achievement(session, network, ref)])
    return seen(AchievementOut.shown(shown, runtime.settings), if_none_match)


@router.get("/v1/networks/{slug}/achievements/{ref}/versions")
def list_versions(
    ref: Ref,
    network: ReadNetwork,
    session: Reader,
    window: Windowed,
    runtime: Running,
    _who: CanRead,
    sort: Literal["version", "-version"] = "version",
) -> Page[VersionOut]:
    """List the versions of an achievement, oldest first."""
    achievement = achievements.get_achievement(session, network, ref)
    found, cursor = achievements.list_versions(session, achievement, window=window, sort=sort)
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
