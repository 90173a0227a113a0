"""Endorsements: which of them stand, and the credential that each becomes.

A peer endorses a skill of a badge; the network says so, as the issuer.

1. Each has an address of its own, and a status. It is signed when somebody asks for it. No signed text is kept, so that
   what a peer withdraws, and a name that they change, is gone at once. Ed25519 signs the same document in the same way
   each time.
2. Those that the recipient puts into the badge stand there as one endorsement, which lists them: several with the same
   subject would be one graph, in which nobody could tell who said what. Its subject is the part of the badge that its
   skills are (`#skills`), because some verifiers refuse a badge in which something else describes the badge itself. It
   has no status: what a peer withdraws must never make a copy of somebody's badge fail.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session as OrmSession
from sqlalchemy.orm import aliased

from credentials.instants import write_instant
from credentials.status import status_entry
from service.errors import GoneError
from service.issuing import credentials, signed_copies, status_lists, unsigned
from service.networks import protected
from service.runtime.runtime import Runtime
from service.runtime.settings import Settings
from service.signing import issuers, keyring
from service.tables import Account, Award, Credential, Endorsement, Member, Network, Person
from service.texts.display_names import one_line

Choice = Literal["waiting", "hidden", "page", "badge"]
SHOWN: Final = ("page", "badge")
MOST_EMBEDDED: Final = 20
"""How many endorsements a badge holds: its files stay small enough for other people's software."""
SCHEMA: Final = {
    "id": "https://purl.imsglobal.org/spec/ob/v3p0/schema/json/ob_v3p0_endorsementcredential_schema.json",
    "type": "1EdTechJsonSchemaValidator2019",
}
_MARKS: Final = re.compile(r"([\\`*_\[\]<>&!#])")
"""What Markdown reads as more than text."""


@dataclass(frozen=True)
class Skill:
    """A skill of a badge: an alignment of its achievement, from 1, or the achievement itself, 0."""

    place: int
    name: str
    url: str


def endorsement_url(settings: Settings, endorsement_id: str) -> str:
    """Return the public address of an endorsement, which is also its `id`."""
    return f"{settings.base_url}/endorsements/{endorsement_id}"


def skills(row: Credential) -> list[Skill]:
    """Return the skills of a badge; the achievement itself is the only one if it is aligned to none."""
    achievement = json.loads(row.signed)["credentialSubject"]["achievement"]
    aligned = enumerate(achievement.get("alignment", []), 1)
    found = [Skill(place, each["targetName"], each["targetUrl"]) for place, each in aligned]
    return found or [Skill(0, achievement["name"], achievement["id"])]


def standing(session: OrmSession, row: Credential, *where: ColumnElement[bool]) -> list[Endorsement]:
    """Return the endorsements of a badge that stand, oldest first.

    One that waits for the peer does not, nor one of somebody who turned out to be the recipient, nor one that was given
    with an account that is the peer's no more. Of two members who turned out to be one person, the newer one counts.
    """
    peer, recipient, one, other = aliased(Member), aliased(Member), aliased(Person), aliased(Person)
    query = (
        select(Endorsement, one.id, one.account_id)
        .join(peer, peer.id == Endorsement.member_id)
        .join(Award, Award.id == row.award_id)
        .join(recipient, recipient.id == Award.member_id)
        .outerjoin(one, one.id == peer.person_id)
        .outerjoin(other, other.id == recipient.person_id)
        .where(Endorsement.credential_id == row.id, Endorsement.withdrawn_at.is_(None), peer.erased_at.is_(None))
        .where(or_(Endorsement.named.is_(False), Endorsement.consented_at.is_not(None)))
        .where(peer.id != recipient.id, or_(one.id.is_(None), other.id.is_(None), one.id != other.id))
        .where(or_(one.account_id.is_(None), other.account_id.is_(None), one.account_id != other.account_id))
        .where(or_(Endorsement.account_id.is_(None), Endorsement.account_id == one.account_id))
        .where(*where)
    )
    found: dict[tuple[int, object], Endorsement] = {}
    for each, person_id, account_id in session.execute(query.order_by(Endorsement.given_at, Endorsement.id)):
        found[each.skill, account_id or person_id or each.member_id] = each
    return list(found.values())


def name_of(session: OrmSession, row: Endorsement, now: datetime) -> str | None:
    """Return the name of the peer as far as they consent; children and students are never named."""
    if not row.named or row.consented_at is None or protected.is_protected(session, row.member_id, now):
        return None
    member = session.get_one(Member, row.member_id)
    of_account = select(Account.name).join(Person, Person.account_id == Account.id).where(Person.id == member.person_id)
    return one_line(session.scalar(of_account) or member.name) or None


def put_in(
    session: OrmSession, settings: Settings, row: Credential, document: dict[str, Any], now: datetime
) -> dict[str, Any]:
    """Return what a badge says, with those endorsements that its recipient wants in it, still without a proof."""
    kept = {name: value for name, value in document.items() if name != "endorsement"}
    found = standing(session, row, Endorsement.choice == "badge")[:MOST_EMBEDDED]
    if not found:
        return kept
    network = session.get_one(Network, row.network_id)
    listed = [
        "\n\n".join(_said(session, network, each, [skill], now) for each in found if each.skill == skill.place)
        for skill in skills(row)
    ]
    comment = "\n\n".join(each for each in listed if each)
    begins = max(each.given_at for each in found)
    url = kept["id"]
    within = _document(settings, network, row, f"{url}#endorsements", f"{url}#skills", comment, begins)
    return kept | {"endorsement": [within]}


def published(session: OrmSession, runtime: Runtime, endorsement_id: str) -> dict[str, Any] | None:
    """Return a signed endorsement; None if there is none, or its recipient does not show it.

    Raises:
        GoneError: the peer withdrew it (code "endorsement-withdrawn").
        CustodyError: it cannot be signed now.
    """
    row = session.get(Endorsement, endorsement_id)
    if row is None or row.status_index is None:
        return None
    if row.withdrawn_at is not None:
        raise GoneError("endorsement-withdrawn", "The endorsement at this address was withdrawn.")
    badge = session.get_one(Credential, row.credential_id)
    shown = (Endorsement.id == row.id, Endorsement.choice.in_(SHOWN))
    if badge.visibility == "private" or not standing(session, badge, *shown):
        return None
    network = session.get_one(Network, row.network_id)
    key = keyring.active_key(session, network, "Ed25519")
    issuer = credentials.issuer_keys(session, runtime, network)
    document = alone(session, runtime.settings, row, runtime.now())
    return credentials.prove(issuer, document, max(row.given_at, key.valid_from))


def fetch(runtime: Runtime, endorsement_id: str) -> str | None:
    """Return the text of a signed endorsement as `published` does, and note what it says, if that is not known.

    Raises:
        GoneError, CustodyError: as `published`.
    """
    with runtime.database.read() as session:
        document = published(session, runtime, endorsement_id)
        if document is None:
            return None
        is_known = signed_copies.is_noted(session, signed_copies.digest(document))
    if not is_known:
        with runtime.database.write() as session:
            badge_id = session.get_one(Endorsement, endorsement_id).credential_id
            signed_copies.note_endorsement(session, badge_id, document)
    return text_of(document)


def text_of(document: dict[str, Any]) -> str:
    """Return the JSON text of an endorsement."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def is_ours(session: OrmSession, settings: Settings, received: dict[str, Any], now: datetime) -> bool:
    """Return whether an endorsement says what one that was signed here says: some time, or as it is published now.

    Raises:
        MalformedError: it holds a value that has no canonical form.
    """
    said = signed_copies.digest(received)
    if signed_copies.is_noted(session, said):
        return True
    name = str(received.get("id", "")).removeprefix(endorsement_url(settings, ""))
    row = session.get(Endorsement, name) if name.isalnum() else None
    if row is None or row.status_index is None or row.withdrawn_at is not None:
        return False
    return signed_copies.digest(alone(session, settings, row, now)) == said


def alone(session: OrmSession, settings: Settings, row: Endorsement, now: datetime) -> dict[str, Any]:
    """Return the endorsement at an address of its own, which has a place in a status list, without a proof."""
    badge, network = session.get_one(Credential, row.credential_id), session.get_one(Network, row.network_id)
    assert row.status_list_id is not None
    assert row.status_index is not None
    comment = _said(session, network, row, skills(badge), now)
    url, subject = endorsement_url(settings, row.id), unsigned.credential_url(settings, badge.id)
    document = _document(settings, network, badge, url, subject, comment, row.given_at)
    list_url = status_lists.list_url(settings, row.status_list_id)
    return document | {"credentialStatus": status_entry(list_url, row.status_index, "revocation")}


def _document(
    settings: Settings, network: Network, badge: Credential, url: str, subject: str, comment: str, begins: datetime
) -> dict[str, Any]:
    """Return an endorsement of a badge, without a proof.

    Args:
        subject: what is endorsed.
    Spec: Open Badges 3.0, EndorsementCredential and EndorsementSubject.
    """
    name = json.loads(badge.signed)["name"]
    return {
        "@context": list(unsigned.CONTEXTS),
        "id": url,
        "type": ["VerifiableCredential", "EndorsementCredential"],
        "name": f"Endorsement of {name}",
        "issuer": issuers.profile(settings, network),
        "validFrom": write_instant(begins),
        "credentialSubject": {"id": subject, "type": ["EndorsementSubject"], "endorsementComment": comment},
        "credentialSchema": [SCHEMA],
    }


def _said(session: OrmSession, network: Network, row: Endorsement, of: Sequence[Skill], now: datetime) -> str:
    """Return what an endorsement says, as Markdown: skill, peer as far as they consent, and their words."""
    skill = next(each for each in of if each.place == row.skill)
    name, by = name_of(session, row, now), f"a member of {_plain(network.name)}"
    if name is not None:
        by = f"{_plain(name)}, {by}"
    lines = [f"Skill: {_plain(skill.name)}", f"Endorsed by {by}", *([_plain(row.comment)] if row.comment else [])]
    return "\n\n".join(lines)


def _plain(text: str) -> str:
    """Return a text as Markdown that shows it as it is."""
    return _MARKS.sub(r"\\\1", text)
