"""Take back what badges show of people who have become children or students.

Nobody chooses it: a name in clear goes out of the signed text, which is signed again under its id, and a public badge is
unlisted from then on. Copies that were given out keep what they say.
"""

from sqlalchemy import or_, select

from service.access.act import Act
from service.issuing import anew, credentials, own, reissuing
from service.networks import protected
from service.outbox import events
from service.runtime.runtime import Runtime
from service.runtime.work import GoOn, to_the_end
from service.tables import Award, Credential, Network


def set_right(runtime: Runtime, go_on: GoOn = to_the_end) -> int:
    """Set right every badge that shows more than it may; return how many were.

    One that others may have signed waits for people: a good signature would vouch for it.

    Raises:
        CustodyError: a key cannot be used; what is left is done later.
    """
    with runtime.database.read() as session:
        shows_more = or_(Credential.name_shown == "plain", Credential.visibility == "public")
        query = select(Credential.id, Credential.network_id).join(Award, Award.id == Credential.award_id)
        holders = protected.holders(runtime.now())
        found = session.execute(query.where(shows_more, Award.member_id.in_(holders)).order_by(Credential.id)).all()
    count = 0
    for credential_id, network_id in found:
        if not go_on():
            break
        with runtime.database.write() as session:
            act = Act(session, session.get_one(Network, network_id), None, runtime.now())
            count += _set_right(act, runtime, credential_id)
    return count


def _set_right(act: Act, runtime: Runtime, credential_id: str) -> int:
    row, award = own.lock(act, credential_id)
    if not protected.is_protected(act.session, award.member_id, act.now):
        return 0
    changed = 0
    if row.visibility == "public":
        row.visibility, changed = "unlisted", 1
        events.append(act, "credential.visibility-changed", credentials.about(row, award))
    if row.name_shown == "plain" and reissuing.compromised_key_of(act.session, row) is None:
        anew.store(act, runtime, award, row, reissuing.unsigned_document(row))
        changed = 1
    act.session.flush()
    return changed
