"""What the public pages show, read from rows and without HTML."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from service.achievements import achievements as achievements_achievements
from service.achievements import credit, definitions, serving
from service.achievements.serving import Served
from service.criteria import tree
from service.criteria.kinds.endorsed import Endorsed
from service.criteria.kinds.holds import Holds
from service.criteria.tree import Criterion
from service.evidence import records
from service.issuing import citations, credentials, receipts, reissuing
from service.issuing.endorsing import is_in_force
from service.issuing.visibility import Visibility, indexed
from service.networks import directory, objectives, rules_of_work
from service.networks.directory import Listed
from service.networks.rules_of_work import RulesOfWork
from service.public import documents
from service.runtime.runtime import Runtime
from service.sharing import shown_endorsements
from service.sharing.rules.told import Names
from service.sharing.shown_endorsements import ShownSkill
from service.signing import issuers, keyring
from service.storage.database import ReadSession
from service.tables import Achievement, AchievementVersion, Award, Credential, Key, Network, ObjectiveVersion
from service.texts.languages import N_


@dataclass(frozen=True)
class CredentialState:
    """The present state of a credential; that it was suspended once is no part of it.

    Its words are English, marked for the catalogues.

    Args:
        kind: valid, revoked, replaced, suspended, expired or not-yet-valid.
        word: for a table.
        title: for the top of a page.
        sentence: what it means.
        tone: good, bad or unsure.
        since: when the state began; None for a valid one.
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

    `follower` is the address of the one that replaced it. `reissued_at` is when it was signed again because others may
    have had a key. `endorsements` are those that its page shows, by skill. `earlier`: it rests on the network's earlier records. `indexed`: search engines may list it. `rules`: those of a formal network at the time of the award.
    """

    row: Credential
    document: dict[str, Any]
    network: Network
    state: CredentialState
    follower: str | None
    results: list[dict[str, str]]
    reissued_at: datetime | None
    earlier: bool
    indexed: bool
    endorsements: list[ShownSkill]
    can_be_endorsed: bool
    rules: RulesOfWork | None


@dataclass(frozen=True)
class ShownNetwork:
    """A network as its page shows it."""

    network: Network
    name: str
    did: str
    address: str
    keys: Sequence[Key]
    achievements: list[dict[str, str]]
    rules: RulesOfWork
    listed: Listed | None
    objectives: Sequence[ObjectiveVersion]


@dataclass(frozen=True)
class ShownAchievement:
    """A published version of an achievement as its page shows it."""

    document: dict[str, Any]
    network: Network
    issuer: str
    version: AchievementVersion
    rule: Criterion | None
    names: Names
    retired_at: datetime | None
    objectives: Sequence[Served]


@dataclass(frozen=True)
class ShownReceipt:
    """A receipt as its page shows it.

    `rule` is the published one by which it was decided; None where no rule was. `held` are the badges that counted.
    `corrected` are the ids of records that were corrected since; `carried`: whether the rule was still met with what is
    corrected.
    """

    document: dict[str, Any]
    rule: Criterion | None
    names: Names
    held: list[dict[str, str]]
    network: Network
    issuer: str
    name: str
    digest: str
    credential_id: str
    corrected: Collection[str]
    carried: bool


def state_of(row: Credential, now: datetime, *, replaced: bool = False, unproven: bool = False) -> CredentialState:
    """Return the state of a credential at `now`; of several, the gravest.

    Args:
        replaced: whether another credential of the same award replaced it.
        unproven: whether others may have had the key that signed it.
    """
    if row.revoked_at is not None and replaced:
        sentence = N_("The issuer corrected it and issued a new one. Use the new badge.")
        return CredentialState(
            "replaced", N_("Replaced"), N_("This badge was replaced"), sentence, "bad", row.revoked_at
        )
    if row.revoked_at is not None:
        sentence = N_("The issuer took it back. Do not rely on it.")
        return CredentialState("revoked", N_("Revoked"), N_("This badge was revoked"), sentence, "bad", row.revoked_at)
    if row.suspended_at is not None:
        looked_into = N_("The issuer is looking into it. Do not rely on it until they have decided.")
        stolen = N_(
            "Others may have had the issuer's key when it was signed. Do not rely on it until the issuer has looked into it."
        )
        sentence = stolen if unproven and row.suspended_by is None else looked_into
        return CredentialState(
            "suspended", N_("Suspended"), N_("This badge is suspended"), sentence, "bad", row.suspended_at
        )
    if row.valid_until is not None and row.valid_until <= now:
        renewed = N_("It is genuine, but it has expired. The person has renewed it.")
        perhaps = N_("It is genuine, but it has expired. Ask the person whether they have renewed it.")
        sentence = renewed if row.superseded_by else perhaps
        return CredentialState(
            "expired", N_("Expired"), N_("This badge has expired"), sentence, "unsure", row.valid_until
        )
    if row.valid_from > now:
        title, sentence = N_("This badge is not valid yet"), N_("It is genuine, but it starts later.")
        return CredentialState("not-yet-valid", N_("Not valid yet"), title, sentence, "unsure", row.valid_from)
    return CredentialState("valid", N_("Valid"))


def credential(
    session: ReadSession, credential_id: str, now: datetime, visibility: Visibility | None = None
) -> ShownCredential | None:
    """Return what the page of a credential shows.

    Return None where it does not exist or is private.

    Args:
        visibility: in place of the credential's own, to show the person whose it is what others would see.
    """
    if visibility is None:
        row = documents.visible_credential(session, credential_id)
    else:
        row = session.get(Credential, credential_id) if visibility != "private" else None
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
        state_of(row, now, replaced=replaced, unproven=reissuing.compromised_key_of(session, row) is not None),
        f"/credentials/{follower.id}" if follower is not None else None,
        _results(document),
        reissuing.reissued_at(session, row),
        _of_history(session, row),
        indexed(session, row, now),
        shown_endorsements.of(session, row, now),
        is_in_force(row, now),
        _rules_at_the_award(session, row),
    )


def _rules_at_the_award(session: ReadSession, row: Credential) -> RulesOfWork | None:
    """Return under which rules people worked when a badge was earned; None for what was not earned under any.

    That is what an informal network awarded, also one that became formal since, and what was only recorded here.
    """
    network, award = session.get_one(Network, row.network_id), session.get_one(Award, row.award_id)
    began = network.activated_at or network.created_at
    if network.kind != "formal" or award.basis == "recorded" or award.decided_at < began:
        return None
    found = rules_of_work.at(session, network, award.decided_at)
    return found if found.facilitators or found.objectives or found.guidelines else None


def network(session: ReadSession, runtime: Runtime, slug: str, now: datetime) -> ShownNetwork | None:
    """Return what the page of a network shows."""
    found = session.scalar(select(Network).where(Network.slug == slug))
    if found is None:
        return None
    versions = session.execute(
        select(AchievementVersion, Achievement.ref)
        .join(Achievement, AchievementVersion.achievement_id == Achievement.id)
        .where(Achievement.network_id == found.id, Achievement.retired_at.is_(None))
        .where(AchievementVersion.published_at.is_not(None))
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
        rules_of_work.at(session, found, now),
        directory.listed_or_none(session, slug),
        [each.version for each in objectives.in_force(session, found)],
    )


def achievement(session: ReadSession, runtime: Runtime, version_id: str) -> ShownAchievement | None:
    """Return what the page of a published version shows."""
    version = documents.published_version(session, version_id)
    if version is None:
        return None
    achievement = session.get_one(Achievement, version.achievement_id)
    owner = session.get_one(Network, achievement.network_id)
    rule = definitions.rule_of(version.definition)
    names = names_of(session, owner, version, rule)
    document = achievements_achievements.document(session, runtime.settings, version)
    issuer = issuers.marked(owner, owner.name)
    served = serving.served(session, version)
    return ShownAchievement(document, owner, issuer, version, rule, names, achievement.retired_at, served)


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
    rule = definitions.rule_of(version.definition) if "criteria" in document else None
    names = names_of(session, owner, version, rule)
    held = [_held(session, owner, each["achievement"]) for each in document["holds"]]
    name = issuers.marked(owner, version.name)
    digest = citations.multibase(row.sha256)
    cited = [UUID(each["id"]) for each in document["evidence"]]
    corrected = {str(record_id) for record_id in records.corrected(session, cited)}
    carried = receipts.rests_on_the_present(session, award.id)
    issuer = issuers.marked(owner, owner.name)
    return ShownReceipt(document, rule, names, held, owner, issuer, name, digest, credential.id, corrected, carried)


def names_of(session: ReadSession, owner: Network, version: AchievementVersion, rule: Criterion | None) -> Names:
    """Return what a rule names by reference: the newest published names of badges, and the criteria of rubrics."""
    leaves = tree.rules(rule) if rule is not None else []
    refs = {ref for leaf in leaves if isinstance(leaf, Holds) for ref in leaf.achievements}
    refs |= {leaf.from_achievement for leaf in leaves if isinstance(leaf, Endorsed) and leaf.from_achievement}
    described = version.definition.get("result_descriptions", [])
    criteria = {(each["rubric"], each["criterion"]): each["name"] for each in described if "rubric" in each}
    if not refs:
        return Names(criteria=criteria)
    published = session.execute(
        select(Achievement.ref, AchievementVersion.name)
        .join(Achievement, AchievementVersion.achievement_id == Achievement.id)
        .where(Achievement.network_id == owner.id, Achievement.ref.in_(refs))
        .where(AchievementVersion.published_at.is_not(None))
        .order_by(AchievementVersion.version)
    )
    return Names(dict(published.all()), criteria)


def _held(session: ReadSession, owner: Network, address: str) -> dict[str, str]:
    """Return address and name of a badge that counted, from the address in a receipt."""
    version = documents.published_version(session, address.rpartition("/")[2])
    return {"url": address, "name": issuers.marked(owner, version.name) if version is not None else address}


def _of_history(session: ReadSession, row: Credential) -> bool:
    """Return whether the decision rested on the network's history, as its receipt says."""
    kept = receipts.of_award(session, session.get_one(Award, row.award_id))
    return kept is not None and "earlier_records" in json.loads(kept.public)


def _results(document: dict[str, Any]) -> list[dict[str, str]]:
    """Return name and reached level of each result, as the credential's achievement describes them.

    Credits are no judgement.
    """
    subject = document["credentialSubject"]
    described = {item["id"]: item for item in subject["achievement"].get("resultDescription", [])}
    credited = {key for key, item in described.items() if item["resultType"] == credit.RESULT_TYPE}
    levels = {
        level["id"]: level["name"] for item in described.values() for level in item.get("rubricCriterionLevel", [])
    }
    return [
        {
            "name": described.get(result.get("resultDescription"), {}).get("name", "Result"),
            "value": levels.get(result.get("achievedLevel")) or result.get("value") or result.get("status") or "",
        }
        for result in subject.get("result", [])
        if result.get("resultDescription") not in credited
    ]
