"""Ask members to accept: by a new version, or by holding evidence."""

from sqlalchemy import select

from service.access.act import Act
from service.evidence import acceptances
from service.intake import posting
from service.networks.guidelines import choices, documents
from service.networks.guidelines.choices import GuidelineSettingsIn
from service.outbox import mailbox
from service.participation.acceptances import who
from service.tables import GuidelineSettings, GuidelineVersion, Member


def publish(act: Act) -> GuidelineVersion:
    """Publish the draft of the guidelines, and ask those by mail who accepted an earlier version; return it.

    Raises:
        ConflictError, InvalidError: as `documents.publish`.
    """
    version = documents.publish(act)
    act.session.flush()
    mailbox.queue_guidelines(act, version.id, who.have_accepted(act.session, act.network))
    return version


def choose(act: Act, body: GuidelineSettingsIn) -> GuidelineSettings:
    """Change what the act's network chose about its guidelines, and return it.

    Evidence that waited counts now as far as it need not wait any more; whom it is about is marked, to be settled.

    Raises:
        ForbiddenError: evidence about the caller waits, and would not (code "self-decision").
    """
    choices.held(act)
    waiting = acceptances.waiting(act.session, act.network)
    if waiting and body.model_fields_set & {"acceptance", "grace_days"}:
        mine = Member.network_id == act.network.id
        act.decides_on(*act.session.scalars(select(Member.id).where(mine, Member.ref.in_(waiting))))
    row = choices.change(act, body)
    if waiting:
        posting.release_held(act, waiting)
    return row
