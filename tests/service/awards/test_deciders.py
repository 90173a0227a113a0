"""Who decided an award stands in rows, whichever way it was decided, and is read with it in one query."""

import threading
from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import event, select

from alembic import command
from service.awards import listing, settling
from service.awards.requests import AwardIn
from service.runtime.runtime import Runtime
from service.storage import migrations
from service.tables import Award, AwardDecider, Member, Network, Receipt, Token
from tests.worlds.awarding import SHARE_TWICE, Stage
from tests.worlds.runtimes import Clock

APPROVED = {"all": [SHARE_TWICE, {"rule": "approval", "by_role": "director", "n": 2}]}
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def stage(client: TestClient, runtime: Runtime) -> Stage:
    stage = Stage.set_up(client, runtime)
    for ref in ("d1", "d2"):
        stage.member(ref, roles=["director", "approver"])
    stage.member("a1", roles=["admin"])
    stage.member()
    return stage


def deciders(stage: Stage) -> list[tuple[str | None, str | None, datetime]]:
    """Return member, role and time of every decider in the rows, in order."""
    with stage.runtime.database.read() as session:
        rows = session.execute(
            select(AwardDecider, Member.ref)
            .outerjoin(Member, Member.id == AwardDecider.member_id)
            .order_by(AwardDecider.award_id, AwardDecider.place)
        )
        return [(ref, row.role, row.at) for row, ref in rows]


def told(stage: Stage, award: Any) -> list[tuple[str | None, str]]:
    """Return who decided an award as the API tells it."""
    shown = stage.send("GET", f"./awards/{award['id']}")
    return [(each.get("member"), each["role"]) for each in shown["decided_by"]]


def in_receipt(stage: Stage) -> list[Any]:
    with stage.runtime.database.read() as session:
        return list(session.scalars(select(Receipt)).one().full["deciders"])


def shared(stage: Stage) -> None:
    for n in (1, 2):
        stage.share(n)


def approve(stage: Stage, by: str, **query: str) -> None:
    (waiting,) = stage.send("GET", "./approvals", params={"state": "waiting"} | query)["items"]
    token = stage.token_with("awards:approve", member=by)
    stage.send("POST", f"./approvals/{waiting['id']}/approval", {}, token=token)


def overridden(stage: Stage, by: str | None = None, member: str = "m11") -> Any:
    body = {"achievement": "sharer", "member": member, "basis": "override", "reason": "Known."}
    return stage.send("POST", "./awards", body, token=stage.token_with("awards:override", "read", member=by))


def test_where_the_rule_alone_decided_there_is_nobody(stage: Stage) -> None:
    stage.achievement()
    shared(stage)
    assert (len(stage.awards()), deciders(stage)) == (1, [])


def test_who_approved_stands_there_in_the_order_in_which_they_did(stage: Stage, clock: Clock) -> None:
    stage.achievement(rule=APPROVED)
    shared(stage)
    approve(stage, "d2")
    clock.advance(hours=1)
    approve(stage, "d1")
    assert deciders(stage) == [("d2", "director", NOON), ("d1", "director", NOON.replace(hour=13))]
    assert told(stage, stage.awards()[0]) == [("d2", "director"), ("d1", "director")]
    assert [each["at"] for each in in_receipt(stage)] == ["2026-03-02T12:00:00+00:00", "2026-03-02T13:00:00+00:00"]


def test_who_overrides_or_records_stands_there_with_the_token(stage: Stage) -> None:
    stage.achievement(award="reviewed")
    overridden(stage, by="a1")
    assert deciders(stage) == [("a1", "admin", NOON)]
    with stage.runtime.database.read() as session:
        bound = select(Token.id).join(Member, Member.id == Token.member_id).where(Member.ref == "a1")
        assert session.scalars(select(AwardDecider.token_id)).all() == session.scalars(bound).all()
    stage.member("m12")
    stage.recorded(member="m12")
    assert deciders(stage)[1:] == [(None, None, NOON)]


def test_what_the_operator_records_was_decided_elsewhere(stage: Stage) -> None:
    stage.achievement(award="reviewed")
    body: dict[str, Any] = {"achievement": "sharer", "member": "m11", "basis": "recorded", "reason": "On paper."}
    with stage.runtime.database.read() as session:
        network_id = session.scalars(select(Network.id)).one()
    asked = AwardIn.model_validate(body | {"awarded_at": "2021-06-30T12:00:00Z"})
    (outcome,) = settling.award_many(stage.runtime, network_id, None, [asked])
    assert (outcome.created, deciders(stage)) == (True, [])


def test_what_waits_names_who_asked_and_then_the_second_person(stage: Stage, clock: Clock) -> None:
    stage.achievement(award="reviewed", cooling_off="P3D")
    award = overridden(stage, by="a1", member="d1")
    assert (award["state"], deciders(stage)) == ("pending", [("a1", "admin", NOON)])
    clock.advance(hours=1)
    approve(stage, "d2")
    both = [("a1", "admin", NOON), ("d2", "approver", NOON.replace(hour=13))]
    assert deciders(stage) == both
    assert told(stage, award) == [("a1", "admin"), ("d2", "approver")]
    clock.advance(days=3)
    assert settling.sign_due(stage.runtime) == 1
    assert deciders(stage) == both
    assert [each["role"] for each in in_receipt(stage)] == ["admin", "approver"]


def test_who_let_a_pending_award_stand_is_named_until_the_rule_decides_anew(stage: Stage, clock: Clock) -> None:
    stage.achievement()
    either = {"any": [SHARE_TWICE, {"rule": "holds", "achievements": ["sharer"]}]}
    shared(stage)
    stage.achievement("built", rule=either, cooling_off="P3D")
    (child,) = stage.awards(achievement="sharer")
    revocation = f"/v1/credentials/{child['credential']['id']}/revocation"
    (award,) = stage.awards(achievement="built")
    stage.send("POST", revocation, {"reason": "A copy."})
    approve(stage, "d1", kind="standing")
    assert deciders(stage) == [("d1", "approver", NOON)]
    clock.advance(days=3)
    settling.sign_due(stage.runtime)
    assert stage.send("GET", f"./awards/{award['id']}")["state"] == "awarded"
    assert (deciders(stage), told(stage, award)) == ([], [])


def test_who_keeps_what_its_recipient_decided_stands_there_instead(stage: Stage) -> None:
    stage.achievement(award="reviewed", cooling_off="P3D")
    award = overridden(stage, by="a1")
    for ref in ("m11", "a1"):
        stage.member(ref, email="one@river.example.org")
    approve(stage, "d1", kind="standing")
    assert deciders(stage) == [("d1", "approver", NOON)] * 2
    assert told(stage, award) == [("d1", "approver")] * 2


def test_the_mediator_who_overturns_stands_there(stage: Stage) -> None:
    stage.member("n1", roles=["mediator"])
    stage.achievement()
    by = stage.token_with("cases:write", "cases:decide", member="m11")
    case = stage.send("POST", "./cases", {"achievement": "sharer", "statement": "I shared two."}, token=by)
    manager = stage.token_with("cases:manage")
    stage.send("PUT", f"./cases/{case['id']}/mediator", {"member": "n1"}, token=manager)
    mediator = stage.token_with("cases:write", "cases:decide", member="n1")
    decided = {"outcome": "overturned", "reason": "She did."}
    stage.send("POST", f"./cases/{case['id']}/resolution", decided, token=mediator)
    assert deciders(stage) == [("n1", "mediator", NOON)]
    assert told(stage, stage.awards()[0]) == [("n1", "mediator")]


def test_another_credential_for_an_award_leaves_who_decided(stage: Stage, clock: Clock) -> None:
    stage.achievement(award="reviewed")
    award = overridden(stage, by="a1")
    before = deciders(stage)
    clock.advance(days=1)
    stage.send("POST", f"/v1/credentials/{award['credential']['id']}/replacement", {"reason": "A new address."})
    assert deciders(stage) == before
    again = stage.send("GET", f"./awards/{award['id']}")
    assert again["credential"]["id"] != award["credential"]["id"]
    assert again["decided_by"] == award["decided_by"]


def test_awards_are_read_with_who_decided_in_one_query(stage: Stage) -> None:
    stage.achievement(rule=APPROVED, cooling_off="P3D")
    shared(stage)
    approve(stage, "d1")
    approve(stage, "d2")
    stage.achievement("other")
    statements: list[str] = []

    @event.listens_for(stage.runtime.database.engine, "before_cursor_execute")
    def _note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if not threading.current_thread().name.startswith("laurel-upkeep"):
            statements.append(statement)

    with stage.runtime.database.read() as session:
        network = session.scalars(select(Network)).one()
        rows = session.scalars(select(Award).order_by(Award.id)).all()
        assert len(rows) == 2
        statements.clear()
        found = listing.named(session, rows)
        assert (len(statements), [len(each.deciders) for each in found]) == (1, [2, 0])
        statements.clear()
        one = listing.find(session, network, rows[0].id)
        assert (len(statements), [ref for _, ref in one.deciders]) == (1, ["d1", "d2"])


def test_who_decided_is_carried_over_from_receipts_and_from_what_waits(stage: Stage) -> None:
    stage.achievement(rule=APPROVED)
    shared(stage)
    approve(stage, "d1")
    approve(stage, "d2")
    stage.achievement("reviewed", award="reviewed", rule=None, cooling_off="P3D")
    body = {"achievement": "reviewed", "basis": "override", "reason": "Known."}
    for member, by in (("m11", "a1"), ("d1", None), ("d2", "a1")):
        token = stage.token_with("awards:override", member=by)
        stage.send("POST", "./awards", body | {"member": member}, token=token)
    approve(stage, "d2", kind="second", member="d1")
    before = deciders(stage)
    assert len(before) == 6
    database = stage.runtime.database
    with database.engine.connect() as connection:
        command.downgrade(migrations._config(connection), "0013")
        connection.commit()
    migrations.upgrade(database)
    migrations.check(database)
    assert deciders(stage) == before
