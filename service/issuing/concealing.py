"""Take back what badges tell of a session that became confidential.

What they say of it is then what they would have said from the beginning: that something happened in a confidential session.
They are signed again under their ids, each in a transaction of its own. Copies that were given out keep what they say, and
so does a badge that was revoked; one that others may have signed waits for people first.
"""

from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session as OrmSession
from sqlalchemy.orm import aliased

from service.access.act import Act
from service.issuing import anew, citations, own, reissuing
from service.networks import meetings
from service.runtime.runtime import Runtime
from service.runtime.work import GoOn, to_the_end
from service.tables import AwardEvidence, Contribution, Credential, Evaluation, HiddenEvidence, Meeting, Network

Items = list[dict[str, object]]


def conceal_due(runtime: Runtime, go_on: GoOn = to_the_end) -> int:
    """Sign the badges again that tell of sessions which became confidential; return how many were.

    Raises:
        CustodyError: a key cannot be used; what is left is done later.
    """
    with runtime.database.read() as session:
        due = select(Meeting.id, Meeting.network_id).where(Meeting.badges_behind).order_by(Meeting.id)
        found = session.execute(due).all()
    count = 0
    for meeting_id, network_id in found:
        with runtime.database.read() as session:
            telling = _resting_on(session, meeting_id)
        waits = False
        for credential_id in telling:
            if not go_on():
                return count
            with runtime.database.write() as session:
                act = Act(session, session.get_one(Network, network_id), None, runtime.now())
                signed = _conceal(act, runtime, credential_id)
            count += bool(signed)
            waits = waits or signed is None
        if not waits:
            with runtime.database.write() as session:
                meetings.badges_told(session, meeting_id)
    return count


def _resting_on(session: OrmSession, meeting_id: UUID) -> list[str]:
    """Return the badges that stand and rest on what happened in a session, or was said of it."""
    work = aliased(Contribution)
    about = or_(Evaluation.about_id == meeting_id, work.session_id == meeting_id)
    judged = select(Evaluation.record_id).outerjoin(work, work.record_id == Evaluation.about_id).where(about)
    done = select(Contribution.record_id).where(Contribution.session_id == meeting_id)
    awards = select(AwardEvidence.award_id).where(AwardEvidence.record_id.in_(done.union_all(judged)))
    query = select(Credential.id).where(Credential.award_id.in_(awards), Credential.revoked_at.is_(None))
    return list(session.scalars(query.order_by(Credential.id)))


def _conceal(act: Act, runtime: Runtime, credential_id: str) -> bool | None:
    """Sign a badge again if it tells too much; return whether it was, or None if people must decide on it first."""
    row, award = own.lock(act, credential_id)
    counting = select(Contribution.record_id).union_all(select(Evaluation.record_id))
    cited = select(AwardEvidence.record_id).where(
        AwardEvidence.award_id == award.id, AwardEvidence.record_id.in_(counting)
    )
    told = citations.find(act.session, act.session.scalars(cited).all())
    secret = {
        citations.multibase(each.digest): {"narrative": each.narrative, "genre": each.genre}
        for each in told.values()
        if each.genre == citations.CONFIDENTIAL
    }
    document = reissuing.unsigned_document(row)
    spent: Items = list(citations.time_spent(document["id"], told.values()))
    if not secret:
        return False
    evidence = _rewritten(document.get("evidence", []), secret, spent)
    hidden = act.session.scalars(select(HiddenEvidence).where(HiddenEvidence.credential_id == row.id)).all()
    behind = [each for each in hidden if _rewritten([each.content], secret, spent) not in ([each.content], [])]
    if evidence == document.get("evidence", []) and not behind:
        return False
    if reissuing.compromised_key_of(act.session, row) is not None:
        return None
    for each in behind:
        each.content = _rewritten([each.content], secret, spent)[0]
    if row.revoked_at is None:
        anew.store(act, runtime, award, row, document | {"evidence": evidence})
    act.session.flush()
    return True


def _rewritten(items: Items, secret: dict[str, dict[str, str]], spent: Items) -> Items:
    """Return items of evidence without what is secret, also in the time spent in all."""
    found: Items = []
    for each in items:
        if str(each["id"]).endswith("#time"):
            found += spent
        else:
            found.append(each | secret.get(str(each.get("digestMultibase")), {}))
    return found
