"""Guidelines in numbered versions: a draft, the one in force, those before it.

Publishing freezes a version. The next one says what it changes.
"""

from collections.abc import Sequence
from typing import Literal

from pydantic import Field
from sqlalchemy import Select, select
from sqlalchemy.orm import Session as OrmSession

from service.access.act import Act
from service.bodies import Body, Line, Prose, refusal
from service.errors import ConflictError, InvalidError, NotFoundError
from service.networks.guidelines.sections import MISSING, ConflictDays, GuidelineSections, missing
from service.outbox import events
from service.storage import locks
from service.storage.database import ReadSession
from service.storage.paging import Window, order, page
from service.tables import GuidelineVersion, Network

State = Literal["draft", "in-force", "replaced"]
CONTENT = ("language", "title", "preamble", "sections", "conflict_days")
"""What members accept: in one of these a version differs from the one before."""


class GuidelinesIn(Body):
    """The draft of the next version of the guidelines; it is the whole of it."""

    title: Line = Field(examples=["How we work together"])
    language: Literal["en", "es"] = Field("en", description="the language in which they are written")
    preamble: Prose | None = Field(None, description="what stands before the sections; Markdown")
    sections: GuidelineSections
    conflict_days: ConflictDays = Field(default_factory=lambda: ConflictDays.model_validate({}))
    change_note: Prose | None = Field(
        None,
        description="what the version changes, for members who accepted the one before; needed from version 2 on",
        examples=["Meetings are confidential from now on."],
    )


def put_draft(act: Act, body: GuidelinesIn) -> tuple[GuidelineVersion, bool]:
    """Write the draft, or write it again; return it and whether it is new."""
    draft = held_draft(act)
    created = draft is None
    if draft is None:
        newest = in_force(act.session, act.network)
        number = newest.number + 1 if newest is not None else 1
        draft = GuidelineVersion(network_id=act.network.id, number=number, created_at=act.now, changed_at=act.now)
        act.session.add(draft)
    said = body.model_dump(mode="json")
    said["sections"] = {key: text for key, text in said["sections"].items() if text is not None}
    for name, value in said.items():
        if getattr(draft, name) != value:
            setattr(draft, name, value)
            draft.changed_at = act.now
    act.session.flush()
    return draft, created


def held_draft(act: Act) -> GuidelineVersion | None:
    """Return the draft, and let nobody else change or publish it until the commit; None if there is none."""
    locks.network(act.session, act.network.id)
    return _draft(act.session, act.network)


def discard_draft(act: Act) -> None:
    """Delete the draft; what is published stays.

    Raises:
        NotFoundError: there is none (code "guidelines-draft-unknown").
    """
    act.session.delete(_there(held_draft(act)))
    act.session.flush()


def publish(act: Act) -> GuidelineVersion:
    """Publish the draft, which is frozen and in force from now on; return it.

    Raises:
        ConflictError: there is no draft (code "guidelines-draft-missing"), or it says what is in force already
            ("guidelines-unchanged").
        InvalidError: a formal network lacks a section (one code for each, such as "guidelines-roles-missing"; all
            `errors` are in the details), an informal one says nothing at all ("guidelines-empty"), or a version after
            the first does not say what it changes ("guidelines-change-note-missing").
    """
    draft = held_draft(act)
    if draft is None:
        raise ConflictError("guidelines-draft-missing", "Expected a draft to publish; write one first.")
    before = in_force(act.session, act.network)
    if before is not None and all(getattr(before, name) == getattr(draft, name) for name in CONTENT):
        message = f"Expected a draft that differs from version {before.number}, which is in force; it says the same."
        raise ConflictError("guidelines-unchanged", message)
    found = missing_of(act.network.kind, draft)
    if found:
        raise refusal(found)
    if not draft.sections:
        message = "Expected one section at least: there is nothing to accept yet."
        raise InvalidError("guidelines-empty", message, "/sections")
    if before is not None and draft.change_note is None:
        message = f"Expected a draft that says what it changes in version {before.number}: members read it."
        raise InvalidError("guidelines-change-note-missing", message, "/change_note")
    draft.published_at = act.now
    events.append(act, "guidelines.published", {"guidelines_version": str(draft.id)})
    act.session.flush()
    return draft


def missing_of(kind: str, version: GuidelineVersion) -> list[dict[str, str]]:
    """Return the sections that a network of this kind lacks in these guidelines, each as `{code, detail, pointer}`."""
    return [
        {
            "code": MISSING[key],
            "detail": f"Expected the section {key}: the guidelines of a formal network have all seven.",
            "pointer": f"/sections/{key}",
        }
        for key in (missing(version.sections) if kind == "formal" else ())
    ]


def in_force(session: OrmSession, network: Network) -> GuidelineVersion | None:
    """Return the version that is in force; None if none was published yet."""
    return session.scalar(_published(network).order_by(GuidelineVersion.number.desc()).limit(1))


def get_draft(session: OrmSession, network: Network) -> GuidelineVersion:
    """Return the draft.

    Raises:
        NotFoundError: there is none (code "guidelines-draft-unknown").
    """
    return _there(_draft(session, network))


def get_version(session: OrmSession, network: Network, number: int) -> GuidelineVersion:
    """Return a version that was published.

    Raises:
        NotFoundError: there is none with this number (code "guidelines-version-unknown").
    """
    found = session.scalar(_published(network).where(GuidelineVersion.number == number))
    if found is None:
        message = "No version of the guidelines of this network was published under this number; the list has them all."
        raise NotFoundError("guidelines-version-unknown", message)
    return found


def list_versions(
    session: ReadSession, network: Network, window: Window, sort: str | None = None
) -> tuple[Sequence[GuidelineVersion], str | None]:
    """Return the versions that were published, the newest first unless the other order is asked for."""
    by = order(sort or "-number", number=(GuidelineVersion.number,))
    return page(session, _published(network), window, by)


def published(session: OrmSession, network: Network) -> Sequence[GuidelineVersion]:
    """Return every version that was published, the newest first."""
    return session.scalars(_published(network).order_by(GuidelineVersion.number.desc())).all()


def of_slug(session: OrmSession, slug: str) -> tuple[Network | None, Sequence[GuidelineVersion]]:
    """Return the network with a slug, and every version that it published, the newest first; None if there is none."""
    network = session.scalar(select(Network).where(Network.slug == slug))
    return network, published(session, network) if network is not None else []


def state_of(version: GuidelineVersion, newest: GuidelineVersion | None) -> State:
    """Return what a version is now, given the one in force."""
    if version.published_at is None:
        return "draft"
    return "in-force" if newest is None or newest.number == version.number else "replaced"


def _published(network: Network) -> Select[GuidelineVersion]:
    return select(GuidelineVersion).where(
        GuidelineVersion.network_id == network.id, GuidelineVersion.published_at.is_not(None)
    )


def _draft(session: OrmSession, network: Network) -> GuidelineVersion | None:
    mine = (GuidelineVersion.network_id == network.id, GuidelineVersion.published_at.is_(None))
    return session.scalar(select(GuidelineVersion).where(*mine).execution_options(populate_existing=True))


def _there(draft: GuidelineVersion | None) -> GuidelineVersion:
    if draft is None:
        raise NotFoundError("guidelines-draft-unknown", "There is no draft of the guidelines; write one with PUT.")
    return draft
