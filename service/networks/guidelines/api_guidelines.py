"""Guidelines over HTTP: drafts, versions, templates, what the network chose."""

from typing import Annotated, Literal, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Response
from pydantic import Field

from service.access.act import Act, CallersAct
from service.access.callers import READ, Caller
from service.bodies import Instant
from service.networks.guidelines import choices, documents, ready_made
from service.networks.guidelines.choices import Acceptance, ConfidentialDetails
from service.networks.guidelines.documents import GuidelinesIn
from service.networks.guidelines.sections import ConflictDays, GuidelineSections
from service.runtime.settings import Settings
from service.signing import issuers
from service.tables import GuidelineSettings, GuidelineVersion, Network
from service.web.conditional import UNCHANGED, Given, IfNoneMatch, seen, tagged, written_or_made
from service.web.exactly_once import exactly_once
from service.web.requests import Answer, Needs, Page, Reader, ReadNetwork, Running, StrictRoute, Windowed, acting

router = APIRouter(route_class=StrictRoute, tags=["guidelines"])
CanWrite = Annotated[CallersAct, acting(Needs("achievements:write"))]
CanRead = Annotated[Caller, Depends(Needs(*READ))]
Number = Annotated[int, Path(ge=1, le=1_000_000, description="of a version that was published")]


class GuidelinesOut(Answer):
    """One version of the guidelines."""

    id: UUID
    number: int = Field(description="of a draft, the one that it is published under")
    state: Literal["draft", "in-force", "replaced"]
    language: Literal["en", "es"]
    title: str
    preamble: str | None = None
    sections: GuidelineSections
    conflict_days: ConflictDays
    change_note: str | None = Field(None, description="what it changes in the version before")
    created_at: Instant
    changed_at: Instant
    published_at: Instant | None = None
    url: str | None = Field(None, description="where everybody may read it; left out of a draft")

    @classmethod
    def of(
        cls, settings: Settings, network: Network, version: GuidelineVersion, newest: GuidelineVersion | None
    ) -> Self:
        """Return the answer for one version, given the one in force."""
        shown = {name: getattr(version, name) for name in cls.model_fields if hasattr(version, name)}
        shown["state"] = documents.state_of(version, newest)
        if version.published_at is not None:
            shown["url"] = f"{issuers.network_url(settings, network)}/guidelines/{version.number}"
        return cls.model_validate(shown)


class ListedGuidelines(Answer):
    """A version of the guidelines in the list."""

    number: int
    state: Literal["in-force", "replaced"]
    language: Literal["en", "es"]
    title: str
    change_note: str | None = None
    published_at: Instant


class GuidelineSettingsOut(Answer):
    """What the network chose about its guidelines."""

    acceptance: Acceptance
    grace_days: int
    holds_since: Instant | None = Field(None, description="since when evidence is held; left out if it is not")
    confidential_details: ConfidentialDetails
    changed_at: Instant

    @classmethod
    def of(cls, row: GuidelineSettings) -> Self:
        """Return the answer for one network."""
        return cls.model_validate(row)


class TemplateText(Answer):
    """What a template says, as the draft takes it."""

    title: str
    language: Literal["en", "es"]
    preamble: str | None = None
    sections: GuidelineSections
    conflict_days: ConflictDays


class GuidelinesTemplate(Answer):
    """Guidelines to take as they are, or to change."""

    kind: Literal["formal", "informal"]
    language: Literal["en", "es"]
    guidelines: TemplateText


class TemplateList(Answer):
    """Every template of guidelines."""

    items: list[GuidelinesTemplate]


def shown(act: Act, settings: Settings, version: GuidelineVersion) -> GuidelinesOut:
    """Return the answer for a version that was written."""
    return GuidelinesOut.of(settings, act.network, version, documents.in_force(act.session, act.network))


def draft_if_there(act: Act, settings: Settings) -> GuidelinesOut | None:
    """Return the draft as it is shown, and let nobody else change it until the commit."""
    draft = documents.held_draft(act)
    return shown(act, settings, draft) if draft is not None else None


@router.put(
    "/v1/networks/{slug}/guidelines/draft", response_model=GuidelinesOut, responses=written_or_made(GuidelinesOut)
)
@exactly_once()
def put_guidelines_draft(body: GuidelinesIn, act: CanWrite, runtime: Running, given: Given) -> Response:
    """Write the draft of the next version (201), or write it again (200); the body is the whole of it.

    A draft may lack sections: what a version needs is asked when it is published, with `POST .../draft/publication`.
    """
    given.hold(lambda: draft_if_there(act, runtime.settings))
    draft, created = documents.put_draft(act, body)
    return tagged(201 if created else 200, shown(act, runtime.settings, draft))


@router.get("/v1/networks/{slug}/guidelines/draft", response_model=GuidelinesOut, responses=UNCHANGED)
def get_guidelines_draft(
    network: ReadNetwork, session: Reader, runtime: Running, _who: CanRead, if_none_match: IfNoneMatch = None
) -> Response:
    """Return the draft of the next version."""
    draft = documents.get_draft(session, network)
    return seen(GuidelinesOut.of(runtime.settings, network, draft, None), if_none_match)


@router.delete(
    "/v1/networks/{slug}/guidelines/draft", status_code=204, response_class=Response, summary="Discard the draft"
)
@exactly_once()
def delete_guidelines_draft(act: CanWrite, runtime: Running, given: Given) -> Response:
    """Discard the draft of the guidelines; what was published stays."""
    given.hold(lambda: draft_if_there(act, runtime.settings))
    documents.discard_draft(act)
    return Response(status_code=204)


@router.get("/v1/networks/{slug}/guidelines/versions")
def list_guidelines_versions(
    network: ReadNetwork,
    session: Reader,
    window: Windowed,
    _who: CanRead,
    sort: Literal["number", "-number"] = "-number",
) -> Page[ListedGuidelines]:
    """List the versions that were published, the newest first."""
    rows, cursor = documents.list_versions(session, network, window, sort)
    newest = documents.in_force(session, network)
    items = [
        ListedGuidelines.model_validate(
            {name: getattr(row, name) for name in ListedGuidelines.model_fields if name != "state"}
            | {"state": documents.state_of(row, newest)}
        )
        for row in rows
    ]
    return Page(items=items, next=cursor)


@router.get("/v1/networks/{slug}/guidelines/versions/{number}", response_model=GuidelinesOut, responses=UNCHANGED)
def get_guidelines_version(
    number: Number,
    network: ReadNetwork,
    session: Reader,
    runtime: Running,
    _who: CanRead,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Return one version that was published."""
    version = documents.get_version(session, network, number)
    newest = documents.in_force(session, network)
    return seen(GuidelinesOut.of(runtime.settings, network, version, newest), if_none_match)


@router.get("/v1/networks/{slug}/guidelines/settings", response_model=GuidelineSettingsOut, responses=UNCHANGED)
def get_guidelines_settings(
    network: ReadNetwork, session: Reader, _who: CanRead, if_none_match: IfNoneMatch = None
) -> Response:
    """Return what the network chose: what follows without acceptance, and what is kept of confidential sessions."""
    return seen(GuidelineSettingsOut.of(choices.of(session, network)), if_none_match)


@router.get("/v1/guidelines-templates")
def list_guidelines_templates(
    _who: Annotated[Caller, Depends(Needs(*READ, "admin"))],
    kind: Literal["formal", "informal"] | None = None,
    language: Literal["en", "es"] | None = None,
) -> TemplateList:
    """List guidelines that are ready to take, or to change: for both kinds of networks, in English and Spanish."""
    found = [
        GuidelinesTemplate(
            kind=each.kind, language=each.language, guidelines=TemplateText.model_validate(each.guidelines)
        )
        for each in ready_made.templates()
        if kind in {None, each.kind} and language in {None, each.language}
    ]
    return TemplateList(items=found)
