"""Peers who endorse a badge, for tests: one recipient, who claimed it, and one peer, who has an account too."""

from typing import Any

from sqlalchemy import select

from service.access.act import Act
from service.issuing import endorsements, endorsing
from service.issuing.endorsements import Choice
from service.issuing.endorsing import Wanted
from service.runtime.runtime import Runtime
from service.tables import Account, AccountAddress, Credential, Endorsement, Member, Network
from tests.worlds.awarding import Stage, once
from tests.worlds.my_badges import MINE, OTHER, earned
from tests.worlds.presenting import acting
from tests.worlds.signing_in import claim

FEEDBACK = {"target_name": "Gives feedback", "target_url": "https://standards.example.org/feedback"}
LISTENING = {"target_name": "Listens", "target_url": "https://standards.example.org/listening"}
GIVING, HEARING = 1, 2
"""The places of these skills in the badge."""


@once
def endorsable(stage: Stage, **achievement: Any) -> str:
    """Award m11 a badge with two skills, and return its id; m12 to m14 are peers, m12 has an account."""
    stage.member("m11", email=MINE)
    for ref in ("m12", "m13", "m14"):
        stage.member(ref, name=f"Known {ref}", **({"email": OTHER} if ref == "m12" else {}))
    claim(stage.runtime, stage.slug, "m11", MINE)
    claim(stage.runtime, stage.slug, "m12", OTHER)
    return earned(stage, **{"alignment": [FEEDBACK, LISTENING]} | achievement)


def endorse(
    runtime: Runtime,
    badge: str,
    peer: str = "m12",
    skill: int = GIVING,
    comment: str = "I saw it often.",
    *,
    named: bool = False,
    by_peer: bool = True,
    choice: Choice | None = None,
) -> str:
    """Endorse a badge as a peer, and let its recipient choose; return the id of the endorsement."""
    with acting(runtime, badge) as act:
        member = act.session.scalars(select(Member).where(Member.ref == peer)).one()
        made = endorsing.give(act, runtime, badge, member, Wanted(skill, comment, named, by_peer)).id
    if choice is not None:
        choose(runtime, badge, {made: choice})
    return made


def choose(runtime: Runtime, badge: str, wanted: dict[str, Choice]) -> None:
    """Choose as the recipient."""
    with acting(runtime, badge) as act:
        endorsing.choose(act, runtime, badge, wanted)


def withdraw(runtime: Runtime, endorsement: str) -> None:
    """Withdraw an endorsement."""
    with runtime.database.write() as session:
        row = session.get_one(Endorsement, endorsement)
        endorsing.withdraw(Act(session, session.get_one(Network, row.network_id), None, runtime.now()), runtime, row)


def standing(runtime: Runtime, badge: str) -> list[tuple[str, str]]:
    """Return the comments of the endorsements of a badge that stand, each with the recipient's choice."""
    with runtime.database.read() as session:
        found = endorsements.standing(session, session.get_one(Credential, badge))
        return [(each.comment, each.choice) for each in found]


def name_account(runtime: Runtime, address: str, name: str) -> None:
    """Give the account with an address a name."""
    with runtime.database.write() as session:
        query = select(Account).join(AccountAddress, AccountAddress.account_id == Account.id)
        session.scalars(query.where(AccountAddress.value == address)).one().name = name
