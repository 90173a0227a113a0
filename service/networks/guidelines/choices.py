"""What a network chose about its guidelines and confidential sessions."""

from typing import Literal

from pydantic import Field
from sqlalchemy.orm import Session as OrmSession

from service.access.act import Act
from service.bodies import Body
from service.outbox import events
from service.storage import locks
from service.storage.database import insert_new
from service.tables import GuidelineSettings, Network

Acceptance = Literal["remind", "hold"]
ConfidentialDetails = Literal["kept", "not-stored"]


class GuidelineSettingsIn(Body):
    """What a network chooses; what is left out stays as it is."""

    acceptance: Acceptance = Field(
        "remind",
        description="what follows if a member has not accepted the version in force: remind, they are asked again; "
        "hold, evidence about them is held until they accept",
    )
    grace_days: int = Field(
        14, ge=0, le=365, description="with hold: how many days members have to accept before evidence is held"
    )
    confidential_details: ConfidentialDetails = Field(
        "kept",
        description="of evidence about confidential sessions: kept, it is stored whole and never published; not-stored, "
        "only who, what kind, which session, when and how long is stored, from now on",
    )


def of(session: OrmSession, network: Network) -> GuidelineSettings:
    """Return what a network chose; what everybody begins with, if it chose nothing."""
    found = session.get(GuidelineSettings, network.id)
    if found is not None:
        return found
    begun = GuidelineSettingsIn.model_validate({}).model_dump()
    return GuidelineSettings(network_id=network.id, changed_at=network.created_at, **begun)


def held(act: Act) -> GuidelineSettings:
    """Return what the act's network chose, and let nobody else change it, or post evidence by it, until the commit."""
    locks.network(act.session, act.network.id)
    return of(act.session, act.network)


def change(act: Act, body: GuidelineSettingsIn) -> GuidelineSettings:
    """Change what a network chose, and return it.

    Evidence is held no earlier than the days of grace after the network chose that it is.
    """
    held(act)
    begun = GuidelineSettingsIn.model_validate({}).model_dump()
    insert_new(act.session, GuidelineSettings, begun | {"network_id": act.network.id, "changed_at": act.now})
    row = act.session.get_one(GuidelineSettings, act.network.id, populate_existing=True)
    for name, value in body.model_dump(exclude_unset=True).items():
        setattr(row, name, value)
    if act.session.is_modified(row):
        if row.acceptance == "remind":
            row.holds_since = None
        elif row.holds_since is None:
            row.holds_since = act.now
        row.changed_at = act.now
        events.append(act, "network.changed", {"network": str(act.network.id)})
    act.session.flush()
    return row
