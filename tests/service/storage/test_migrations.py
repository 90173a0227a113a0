"""Migrations go up from empty, on both databases, and make what the rows say."""

import subprocess
import sys
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import CheckConstraint, inspect, select, text

from alembic import command
from service.runtime.runtime import Runtime
from service.storage import migrations
from service.storage.database import Database
from service.tables import Award, Case, Credential, Row, SignedCopy, Token
from tests.worlds.awarding import Stage
from tests.worlds.my_badges import MINE, browser_of, claimed, contested
from tests.worlds.posting import REVIEW, ROOT, posted, river
from tests.worlds.runtimes import BASE_URL, Clock, app_of, settings_in, start


def test_rows_and_migrations_agree(database: Database) -> None:
    migrations.check(database)


def test_the_command_alembic_finds_nothing_to_write(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It begins a migration without the service, and would drop tables that it does not know."""
    monkeypatch.setenv("LAUREL_DATABASE_URL", database_url)
    alembic = Path(sys.executable).with_name("alembic")
    subprocess.run([alembic, "-c", migrations.FOLDER / "alembic.ini", "check"], check=True)


def test_migrations_keep_the_checks_that_rows_ask_for(database: Database) -> None:
    made = inspect(database.engine)
    for table in Row.metadata.sorted_tables:
        asked = {constraint.name for constraint in table.constraints if isinstance(constraint, CheckConstraint)}
        assert {check["name"] for check in made.get_check_constraints(table.name)} == asked


def test_a_migrated_database_is_current_and_stays_so(database: Database) -> None:
    assert migrations.is_current(database)
    migrations.upgrade(database)
    assert migrations.is_current(database)


def test_an_empty_database_is_not_current(database: Database) -> None:
    with database.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM alembic_version")
    try:
        assert not migrations.is_current(database)
    finally:  # other tests use the same database of PostgreSQL
        with database.engine.begin() as connection:
            command.stamp(migrations._config(connection), "head")
    assert migrations.is_current(database)


def test_roles_on_record_get_their_days_in_the_time_zone_of_their_network(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/old.db")
    with database.engine.connect() as connection:
        command.upgrade(migrations._config(connection), "0001")
        ids = {"network": "a" * 32, "member": "b" * 32, "ended": "c" * 32, "running": "d" * 32}
        insert = "INSERT INTO roles (id, member_id, role, from_at, until_at) VALUES"
        for statement in (
            """INSERT INTO networks (id, slug, kind, name, url, time_zone, state, sandbox, created_at)
            VALUES (:network, 'n', 'informal', 'N', 'https://n.example', 'America/New_York', 'active', 0, '2026-01-01')""",
            "INSERT INTO members (id, network_id, ref, enrolled_at) VALUES (:member, :network, 'm', '2026-01-01')",
            f"{insert} (:ended, :member, 'lead', '2026-03-01 03:00:00', '2026-03-02 06:00:00')",
            f"{insert} (:running, :member, 'lead', '2026-03-03 06:00:00', NULL)",
        ):
            connection.execute(text(statement), ids)
        connection.commit()
    migrations.upgrade(database)
    with database.engine.connect() as connection:
        rows = connection.execute(text("SELECT from_date, until_date FROM roles ORDER BY from_at"))
        assert [tuple(row) for row in rows] == [("2026-02-28", "2026-03-02"), ("2026-03-03", None)]
    database.dispose()


def test_awards_survive_going_back_before_receipts_and_forth_again(tmp_path: Path) -> None:
    with start(settings_in(tmp_path), Clock()) as runtime:
        migrations.upgrade(runtime.database)
        # Not entered, so that nothing goes on beside.
        stage = Stage.set_up(TestClient(app_of(runtime), base_url=BASE_URL), runtime)
        stage.achievement(award="reviewed")
        stage.member("m11", email="m11@river.example.org")
        award = stage.recorded()
        with runtime.database.engine.connect() as connection:
            command.downgrade(migrations._config(connection), "0005")
            connection.commit()
            assert connection.scalar(text("SELECT count(*) FROM credentials")) == 1
        migrations.upgrade(runtime.database)
        migrations.check(runtime.database)
        with runtime.database.read() as session:
            row = session.scalars(select(Award)).one()
            assert str(row.id) == award["id"]
            assert row.recipient_who not in (None, row.member_id)  # the person, who is known
            assert session.scalars(select(Credential.award_id)).one() == row.id


def test_a_text_that_was_signed_before_copies_were_noted_is_noted_as_if_signed_now(tmp_path: Path) -> None:
    with start(settings_in(tmp_path), Clock()) as runtime:
        migrations.upgrade(runtime.database)
        stage = Stage.set_up(TestClient(app_of(runtime), base_url=BASE_URL), runtime)
        stage.achievement(award="reviewed")
        stage.member("m11")
        stage.recorded()
        noted = _copies(runtime.database)
        with runtime.database.engine.connect() as connection:
            command.downgrade(migrations._config(connection), "0014")
            connection.commit()
        migrations.upgrade(runtime.database)
        assert len(noted) == 1
        assert _copies(runtime.database) == noted


def test_a_case_that_was_opened_in_person_survives_going_back_in_a_network_without_tokens(runtime: Runtime) -> None:
    stage = Stage.set_up(TestClient(app_of(runtime), base_url=BASE_URL), runtime)
    claimed(stage)
    stage.achievement()
    contested(browser_of(runtime, MINE), stage, achievement="sharer")
    with runtime.database.engine.begin() as connection:
        connection.execute(text("UPDATE tokens SET network_id = NULL"))
    with runtime.database.engine.connect() as connection:
        command.downgrade(migrations._config(connection), "0030")
        connection.commit()
    migrations.upgrade(runtime.database)
    with runtime.database.read() as session:
        opened_by = session.get_one(Token, session.scalars(select(Case.opened_by_token)).one())
        assert (opened_by.scopes, opened_by.revoked_at) == ([], opened_by.created_at)


def test_what_is_there_outlives_a_way_down_and_up_again(runtime: Runtime) -> None:
    who = river(runtime, TestClient(app_of(runtime), base_url=BASE_URL))
    work = {"url": "https://river.example.org/draft", "sha256": "ab" * 32}
    posted(who.post(f"{ROOT}/contributions", REVIEW | {"artifacts": [work, {"url": "https://river.example.org/b"}]}))
    hook = {"url": "http://localhost:1/hook"}
    assert posted(who.post(f"{ROOT}/webhooks", hook))["state"] == "active"
    before = {table.name: _count(runtime.database, table.name) for table in Row.metadata.sorted_tables}
    assert before["contribution_artifacts"] == 1
    with runtime.database.engine.connect() as connection:
        command.downgrade(migrations._config(connection), "0001")
        connection.commit()
    migrations.upgrade(runtime.database)
    migrations.check(runtime.database)
    after = {table.name: _count(runtime.database, table.name) for table in Row.metadata.sorted_tables}
    assert after == before | {"webhooks": 0}


def _copies(database: Database) -> list[tuple[object, ...]]:
    columns = [column for column in SignedCopy.__table__.c if column.name != "id"]
    with database.read() as session:
        return [tuple(row) for row in session.execute(select(*columns))]


def _count(database: Database, table: str) -> int:
    with database.engine.connect() as connection:
        return int(connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one())
