"""PostgreSQL finds the rows of a list through indexes: the cost of a page does not grow with other networks."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import event, text

from service.awards import listing as awards
from service.evidence import listing
from service.evidence.listing import RecordFilter
from service.issuing import credentials
from service.networks import meetings, members
from service.networks.members import MemberFilter
from service.notifications import expiring
from service.runtime.runtime import Runtime
from service.storage.database import ReadSession
from service.storage.paging import Window
from service.tables import Network, Row
from tests.worlds.posting import REVIEW, ROOT, SURVEY, posted, river

WINDOW = Window(limit=50)
List = Callable[[ReadSession, Network], Any]


def evidence(sort: str | None = None, **which: Any) -> List:
    return lambda session, network: listing.list_records(
        session, network, RecordFilter(**which), window=WINDOW, sort=sort
    )


def people(sort: str | None = None, **which: Any) -> List:
    return lambda session, network: members.list_members(
        session, network, network.created_at, window=WINDOW, which=MemberFilter(**which), sort=sort
    )


LISTS: dict[str, tuple[List, str]] = {
    "contributions, the newest first": (evidence("-occurred_at", kind="contribution"), "ix_records_network_id_kind"),
    "of a time": (evidence(kind="contribution", occurred_from=date(2026, 3, 1)), "records"),
    "of a member": (evidence("-occurred_at", kind="contribution", member="m11"), "ix_contributions_"),
    "of a session": (evidence(kind="contribution", session="s1"), "ix_contributions_session_id"),
    "of a tag": (evidence(kind="contribution", tag="writing"), "ix_contribution_tags_tag"),
    "of a resource": (evidence(kind="contribution", resource="draft"), "ix_contributions_resource"),
    "evaluations by somebody": (evidence(kind="evaluation", evaluator="m12"), "ix_evaluations_"),
    "evaluations of a session": (evidence(kind="evaluation", session="s1"), "ix_evaluations_about_id"),
    "a member by e-mail": (people(email="m11@example.org"), "ix_identities_kind_value"),
    "members by ref": (people("ref"), "uq_members_network_id_ref"),
    "sessions, the newest first": (
        lambda session, network: meetings.list_sessions(
            session, network, window=WINDOW, series=None, starts_from=None, starts_until=None, sort="-starts_at"
        ),
        "ix_sessions_network_id_starts_at",
    ),
    "awards, the newest first": (
        lambda session, network: awards.list_awards(
            session, network, window=WINDOW, member=None, achievement=None, state=None, sort="-awarded_at"
        ),
        "ix_awards_network_id_awarded_at",
    ),
    "credentials, the newest first": (
        lambda session, network: credentials.list_issued(
            session, network, window=WINDOW, member=None, achievement=None, revoked=None, sort="-issued_at"
        ),
        "ix_credentials_network_id_issued_at",
    ),
    "badges that end soon": (
        lambda session, network: session.execute(
            expiring.ending_soon(network.created_at, network.created_at, "")
        ).all(),
        "ix_credentials_valid_until",
    ),
}


@pytest.mark.parametrize("name", LISTS)
def test_a_list_is_found_through_an_index(runtime: Runtime, client: TestClient, name: str) -> None:
    if runtime.database.is_sqlite:  # it has no sizes to pretend
        return
    who = river(runtime, client)
    posted(who.post(f"{ROOT}/contributions", REVIEW | {"session": "s1", "tags": ["writing"], "resource": "draft"}))
    posted(who.post(f"{ROOT}/evaluations", SURVEY))
    asked: list[tuple[str, Any]] = []
    ask, index = LISTS[name]
    with runtime.database.engine.connect() as connection, ReadSession(connection) as session:
        network = session.query(Network).one()

        @event.listens_for(connection, "before_cursor_execute")
        def _note(_connection: Any, _cursor: Any, statement: str, values: Any, *_rest: Any) -> None:
            asked.append((statement, values))

        ask(session, network)
        noted = asked[:]
        session.execute(text("SET LOCAL enable_seqscan = off"))
        for table in Row.metadata.tables:  # as if they were large: among a few rows one index is as good as another
            session.execute(text(f"UPDATE pg_class SET reltuples = 1e6, relpages = 1 WHERE oid = '{table}'::regclass"))
            session.execute(text(f"DELETE FROM pg_statistic WHERE starelid = '{table}'::regclass"))
        cursor: Any = connection.connection.cursor()
        plans = []
        for statement, values in noted:
            cursor.execute(f"EXPLAIN {statement}", values)
            plans.append("\n".join(str(row[0]) for row in cursor.fetchall()))
        session.rollback()
    assert any(index in plan for plan in plans), "\n\n".join(plans)
    assert not any("Seq Scan" in plan for plan in plans), "\n\n".join(plans)
