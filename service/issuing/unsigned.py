"""Build the unsigned credential of an award from rows.

It has no e-mail address in clear, and no name but the one that the recipient chose for the credential before it.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import and_, select
from sqlalchemy.orm import Session as OrmSession

from credentials.instants import write_instant
from credentials.recipient import identity_object
from credentials.status import status_entry
from service.achievements import achievements, credit
from service.durations import Duration
from service.issuing import choices, citations, evidence_items, receipts, status_lists
from service.issuing.choices import Choices
from service.issuing.citations import Citation
from service.issuing.decision import Decision, UnstoredReceipt
from service.issuing.evidence_items import LeftOut
from service.runtime.settings import Settings
from service.signing import issuers
from service.tables import AchievementVersion, Award, Credential, Identity, Member, Network, StatusList
from service.tables.identifiers import new_credential_id, new_salt

CONTEXTS = (
    "https://www.w3.org/ns/credentials/v2",
    "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
    "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json",
)
SCHEMA = {
    "id": "https://purl.imsglobal.org/spec/ob/v3p0/schema/json/ob_v3p0_achievementcredential_schema.json",
    "type": "1EdTechJsonSchemaValidator2019",
}


@dataclass(frozen=True)
class Draft:
    """A credential that still lacks its signature, and its place in a status list.

    `chosen` is what its recipient chose about the one that it replaces or follows, and `left_out` are the items of
    evidence that they hide.
    """

    credential_id: str
    decision: Decision
    status_list_id: UUID
    status_index: int
    valid_from: datetime
    valid_until: datetime | None
    mailed: bool
    document: dict[str, Any]
    receipt: UnstoredReceipt
    chosen: Choices | None = None
    left_out: tuple[LeftOut, ...] = ()


@dataclass(frozen=True)
class Recipient:
    """The recipient of a credential, as far as the network knows them.

    `email_id` is the row of the e-mail address.
    """

    ref: str
    email: str | None
    did: str | None
    email_id: UUID | None = None


def credential_url(settings: Settings, credential_id: str) -> str:
    """Return the public address of a credential, which is also its `id`."""
    return f"{settings.base_url}/credentials/{credential_id}"


def valid_until(network: Network, version: AchievementVersion, awarded_at: datetime) -> datetime | None:
    """Return when an award made at that time ends, by the network's calendar.

    None if it does not end.
    """
    valid_for = version.definition.get("valid_for")
    return Duration.parse(valid_for).after(awarded_at, ZoneInfo(network.time_zone)) if valid_for else None


def write(
    session: OrmSession,
    settings: Settings,
    network: Network,
    decisions: Sequence[Decision],
    lists: Mapping[str, StatusList],
    now: datetime,
) -> list[Draft]:
    """Return a draft for each decision, in the same order.

    Each has a place of its own in the status list for its purpose. `awardedDate` is when it was earned, `validFrom`
    when it was signed: a later credential about the same award replaces an earlier one by its `validFrom`.

    Spec: Open Badges 3.0, section B.1.2 (AchievementCredential).
    """
    people = recipients(session, [decision.member_id for decision in decisions])
    cited = citations.find(session, {record_id for decision in decisions for record_id in decision.record_ids})
    versions = {decision.version.id: decision.version for decision in decisions}
    described = {key: achievements.document(session, settings, version) for key, version in versions.items()}
    profile = issuers.profile(settings, network)
    earlier = renewed(session, decisions)
    drafts = []
    places = {
        purpose: iter(
            status_lists.draw(session, status_list, sum(decision.purpose == purpose for decision in decisions))
        )
        for purpose, status_list in lists.items()
    }
    written = receipts.write(session, settings, network, decisions, now)
    for decision, receipt in zip(decisions, written, strict=True):
        status_list = lists[decision.purpose]
        index = next(places[decision.purpose])
        version, achievement = decision.version, described[decision.version.id]
        person, chosen = people[decision.member_id], decision.chosen
        before = earlier.get((decision.member_id, version.achievement_id))
        if chosen is None and before is not None:
            chosen = choices.of(session, decision.member_id, before.credential, now)
        if chosen is not None and chosen.address is not None:
            person = replace(person, email=chosen.address)
        grounds = [cited[record_id].in_badge_of(decision.member_id) for record_id in decision.record_ids]
        credential_id = new_credential_id()
        url = credential_url(settings, credential_id)
        ends_at = valid_until(network, version, decision.awarded_at)
        members: dict[str, Any] = {
            "@context": list(CONTEXTS),
            "id": url,
            "type": ["VerifiableCredential", "OpenBadgeCredential"],
            "name": issuers.marked(network, version.name),
            "issuer": profile,
            "validFrom": write_instant(now),
            "validUntil": write_instant(ends_at) if ends_at else None,
            "awardedDate": write_instant(decision.awarded_at),
            "credentialSubject": {
                "type": ["AchievementSubject"],
                **_recipient(settings, network, person, chosen.names if chosen is not None else ()),
                "achievement": achievement,
                **({"creditsEarned": achievement["creditsAvailable"]} if "creditsAvailable" in achievement else {}),
                **_if_any("result", _results(version, achievement, grounds)),
            },
            "evidence": [
                *citations.evidence(url, grounds),
                *citations.time_spent(url, grounds),
                receipts.evidence(settings, receipt),
                *_renewal(settings, before),
            ],
            "credentialSchema": [SCHEMA],
            "credentialStatus": status_entry(
                status_lists.list_url(settings, status_list.id), index, status_list.purpose
            ),
        }
        document = {name: value for name, value in members.items() if value is not None}
        hidden = evidence_items.same_items(document, chosen.hidden) if chosen is not None else ()
        document, gone = evidence_items.without(document, hidden)
        place, mailed = (status_list.id, index), person.email is not None
        kept = (chosen, tuple(gone))
        drafts.append(Draft(credential_id, decision, *place, now, ends_at, mailed, document, receipt, *kept))
    return drafts


def recipients(session: OrmSession, member_ids: Collection[UUID]) -> dict[UUID, Recipient]:
    """Return the recipients of credentials for these members, by member."""
    rows = session.execute(
        select(Member.id, Member.ref, Identity.kind, Identity.value, Identity.id)
        .outerjoin(Identity, and_(Identity.person_id == Member.person_id, Identity.kind.in_(("email", "did"))))
        .where(Member.id.in_(member_ids))
        # The last row is used. A proved address has precedence over an unproved one, and an older one over a newer one.
        .order_by(Identity.proved_at.is_not(None), Identity.id.desc())
    )
    refs: dict[UUID, str] = {}
    known: defaultdict[UUID, dict[str, tuple[str, UUID]]] = defaultdict(dict)
    for member_id, ref, kind, value, identity_id in rows:
        refs[member_id] = ref
        known[member_id][kind] = (value, identity_id)
    found = {}
    for member_id, ref in refs.items():
        email, email_id = known[member_id].get("email", (None, None))
        did, _ = known[member_id].get("did", (None, None))
        found[member_id] = Recipient(ref, email, did, email_id)
    return found


@dataclass(frozen=True)
class Earlier:
    """An expired award and its last credential."""

    award_id: UUID
    credential: Credential


def renewed(session: OrmSession, decisions: Sequence[Decision]) -> dict[tuple[UUID, UUID], Earlier]:
    """Return the expired award that each decision renews, by member and achievement.

    If there are several, it is the newest.
    """
    over = (
        Award.state == "expired",
        Award.member_id.in_({decision.member_id for decision in decisions}),
        Award.achievement_id.in_({decision.version.achievement_id for decision in decisions}),
    )
    rows = session.execute(
        select(Award, Credential)
        .join(Credential, Credential.award_id == Award.id)
        .where(*over, Credential.revoked_at.is_(None))
        .order_by(Award.awarded_at, Award.id)  # the last row is used
    )
    return {(award.member_id, award.achievement_id): Earlier(award.id, credential) for award, credential in rows}


def _renewal(settings: Settings, earlier: Earlier | None) -> Iterator[dict[str, Any]]:
    """Yield the evidence item that names the credential that is renewed.

    `related` of Open Badges is a member of achievements only, and says which of them belong together. For a credential,
    the one that it follows is part of the reason why it was awarded, and so is evidence.
    """
    if earlier is not None:
        yield {
            "id": credential_url(settings, earlier.credential.id),
            "type": ["Evidence"],
            "name": "The badge that this one renews",
            "narrative": "The same person held this achievement before.",
            "genre": "renewal",
        }


def member_identifier(settings: Settings, network: Network, ref: str) -> str:
    """Return the identifier of a member who has neither e-mail address nor DID.

    The credential has it hashed.
    """
    return f"{issuers.network_url(settings, network)}/members/{ref}"


def _recipient(
    settings: Settings, network: Network, person: Recipient, names: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    # A salt for each credential: with one for all, an attacker could guess the addresses of a whole network at once.
    salt = new_salt()
    named = {"id": person.did} if person.did else {}
    if person.email:
        return {**named, "identifier": [identity_object("emailAddress", person.email.lower(), salt), *names]}
    if named:
        return {**named, **_if_any("identifier", names)}
    value = member_identifier(settings, network, person.ref)
    return {"identifier": [identity_object("identifier", value, salt), *names]}


def _results(
    version: AchievementVersion, achievement: Mapping[str, Any], grounds: Sequence[Citation]
) -> Iterator[dict[str, Any]]:
    yield from citations.results(version, achievement, grounds)
    yield from credit.results(achievement["id"], version.definition)


def _if_any(name: str, items: Any) -> dict[str, Any]:
    """Return the member, or nothing if it is empty: an empty array is not allowed."""
    listed = list(items)
    return {name: listed} if listed else {}
