"""Lock the credential about which its recipient chooses something."""

from service.access.act import Act
from service.errors import NotFoundError
from service.storage import locks
from service.tables import Award, Credential


def lock(act: Act, credential_id: str) -> tuple[Credential, Award]:
    """Lock the member, the award and the credential until the commit, in this order, and return the last two.

    Raises:
        NotFoundError: there is none of this network (code "credential-unknown").
    """
    row = act.session.get(Credential, credential_id)
    if row is None or row.network_id != act.network.id:
        raise NotFoundError("credential-unknown", "No credential of this network has this id.")
    award = act.session.get_one(Award, row.award_id)
    locks.members(act.session, [award.member_id])
    locks.again(act.session, award)
    locks.again(act.session, row)
    return row, award
