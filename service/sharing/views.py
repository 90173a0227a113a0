"""What the public pages show, read from rows and without HTML."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from service.achievements import achievements as achievements_achievements
from service.issuing import citations, credentials, receipts
from service.public import documents
from service.runtime.runtime import Runtime
from service.signing import issuers, keyring
from service.storage.database import ReadSession
from service.tables import Achievement, AchievementVersion, Award, Credential, Key, Network
from service.texts.languages import N_


@dataclass(frozen=True)
class CredentialState:
    """The present state of a credential.

    Its words are English, marked for the catalogues.

    Args:
        kind: valid, revoked, replaced, suspended, expired or not-yet-valid.
        word: for a table.
        title: for the top of a page.
        sentence: what it means.
        tone: good, bad or unsure.
        since: when the state began, where that is known.
    """

    kind: str
    word: str
    title: str = ""
    sentence: str = ""
    tone: str = "good"
    since: datetime | None = None


@dataclass(frozen=True)
class ShownCredential:
    """A credential as its page shows it.

    `follower` is the address of the one that replaced it.
    """

    row: Credential
    document: dict[str, Any]
    network: Network
    state: CredentialState
    follower: str | None
    results: list[dict[str, str]]


@dataclass(frozen=True)
class ShownNetwork:
    """A network as its page shows it."""

    network: Network
    name: str
    did: str
    address: str
    keys: Sequence[Key]
    achievements: list[dict[str, str]]


@dataclass(frozen=True)
class ShownAchievement:
    """A published version of an achievement as its page shows it."""

    document: dict[str, Any]
    network: Network
    issuer: str
    version: AchievementVersion
    rule: str | None


@dataclass(frozen=True)
class ShownReceipt:
    """A receipt as its page shows it.

    `rows` are the criteria in reading order, each with its depth.
    """

    document: dict[str, Any]
    rows: list[dict[str, Any]]
    network: Network
    issuer: str
    name: str
    digest: str
    credential_id: str


def state_of(row: Credential, now: datetime, *, replaced: bool = False) -> CredentialState:
    """Return the state of a credential at `now`; of several, the gravest.

    Args:
        replaced: whether another credential of the same award replaced it.
    """
    if row.revoked_at is not None and replaced:
        sentence = N_("The issuer corrected it, and another badge stands for the same award. Rely on that one.")
        return CredentialState(
            "replaced", N_("Replaced"), N_("This badge was replaced"), sentence, "bad", row.revoked_at
        )
    if row.revoked_at is not None:
        sentence = N_("The issuer took it back. It must not be relied on.")
        return CredentialState("revoked", N_("Revoked"), N_("This badge was revoked"), sentence, "bad", row.revoked_at)
    if row.suspended_at is not None:
        sentence = N_("The issuer is looking into it. Until that is decided it must not be relied on.")
        return CredentialState(
            "suspended", N_("Suspended"), N_("This badge is suspended"), sentence, "bad", row.suspended_at
        )
    if row.valid_until is not None and row.valid_until <= now:
        renewed = N_("It was genuine and its time is over. The person has renewed it.")
        perhaps = N_("It was genuine and its time is over. The person may have renewed it.")
        sentence = renewed if row.superseded_by else perhaps
        return CredentialState(
            "expired", N_("Expired"), N_("This badge has expired"), sentence, "unsure", row.valid_until
        )
    if row.valid_from > now:
        title, sentence = N_("This badge is not valid yet"), N_("Its dates begin later.")
        return CredentialState("not-yet-valid", N_("Not yet valid"), title, sentence, "unsure", row.valid_from)
    return CredentialState(
        "valid", N_("Not revoked, not expired"), since=max(row.reinstated_at or row.issued_at, row.valid_from)
    )


def credential(session: ReadSession, credential_id: str, now: datetime) -> ShownCredential | None:
    """Return what the page of a credential shows.

    Return None where it does not exist or is private.
    """
    row = documents.visible_credential(session, credential_id)
    if row is None:
        return None
    document = json.loads(row.signed)
    following = session.get(Credential, row.superseded_by) if row.superseded_by else None
    replaced = following is not None and following.award_id == row.award_id
    follower = documents.visible_credential(session, row.superseded_by) if row.superseded_by else None
    return ShownCredential(
        row,
        document,
        session.get_one(Network, row.network_id),
        state_of(row, now, replaced=replaced),
        f"/credentials/{follower.id}" if follower is not None else None,
        _results(document),
    )


def network(session: ReadSession, runtime: Runtime, slug: str) -> ShownNetwork | None:
    """Return what the page of a network shows."""
    found = session.scalar(select(Network).where(Network.slug == slug))
    if found is None:
        return None
    versions = session.execute(
        select(AchievementVersion, Achievement.ref)
        .join(Achievement, AchievementVersion.achievement_id == Achievement.id)
        .where(Achievement.network_id == found.id, AchievementVersion.published_at.is_not(None))
        .order_by(Achievement.ref, AchievementVersion.version)
    )
    newest = {ref: version for version, ref in versions}
    listed = [
        {"id": str(version.id), "name": version.name, "description": version.definition["description"]}
        for version in newest.values()
    ]
    settings = runtime.settings
    return ShownNetwork(
        found,
        issuers.marked(found, found.name),
        issuers.network_did(settings, found),
        issuers.network_url(settings, found),
        keyring.keys_of(session, found),
        listed,
    )


def achievement(session: ReadSession, runtime: Runtime, version_id: str) -> ShownAchievement | None:
    """Return what the page of a published version shows."""
    version = documents.published_version(session, version_id)
    if version is None:
        return None
    owner = session.get_one(Network, session.get_one(Achievement, version.achievement_id).network_id)
    rule = version.definition["criteria"].get("rule")
    document = achievements_achievements.document(session, runtime.settings, version)
    text = json.dumps(rule, ensure_ascii=False, indent=2) if rule else None
    return ShownAchievement(document, owner, issuers.marked(owner, owner.name), version, text)


def receipt(session: ReadSession, receipt_id: str) -> ShownReceipt | None:
    """Return what the page of a receipt shows.

    Return None where it does not exist or its credential is private.
    """
    row = receipts.visible(session, receipt_id)
    if row is None:
        return None
    document = json.loads(row.public)
    owner = session.get_one(Network, row.network_id)
    award = session.get_one(Award, row.award_id)
    version = session.get_one(AchievementVersion, award.achievement_version_id)
    credential = credentials.of_awards(session, [award])[award.id]
    rows = list(_criteria(document["criteria"], 0)) if "criteria" in document else []
    name = issuers.marked(owner, version.name)
    digest = citations.multibase(row.sha256)
    return ShownReceipt(document, rows, owner, issuers.marked(owner, owner.name), name, digest, credential.id)


def _criteria(node: dict[str, Any], depth: int) -> Iterator[dict[str, Any]]:
    yield {
        "depth": depth,
        "text": node["text"],
        "met": node["met"],
        "records": len(node.get("evidence", [])),
        "group": "children" in node,
    }
    for child in node.get("children", []):
        yield from _criteria(child, depth + 1)


def _results(document: dict[str, Any]) -> list[dict[str, str]]:
    """Return name and reached level of each result, as the credential's achievement describes them."""
    subject = document["credentialSubject"]
    described = {item["id"]: item for item in subject["achievement"].get("resultDescription", [])}
    levels = {
        level["id"]: level["name"] for item in described.values() for level in item.get("rubricCriterionLevel", [])
    }
    return [
        {
            "name": described.get(result.get("resultDescription"), {}).get("name", "Result"),
            "value": levels.get(result.get("achievedLevel")) or result.get("value") or result.get("status") or "",
        }
        for result in subject.get("result", [])
    ]
