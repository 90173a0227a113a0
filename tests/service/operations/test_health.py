"""Health tells the truth, at once, and says nothing that is secret."""

import errno
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr
from sqlalchemy import event, text

from service.operations import health
from service.operations.health import REASONS, Watch
from service.operations.upkeep import Lane, Upkeep
from service.runtime.custody import Custody
from service.runtime.runtime import Runtime
from service.runtime.work import GoOn
from service.storage import migrations
from service.storage.database import Database
from tests.worlds.awarding import Stage, once
from tests.worlds.runtimes import BASE_URL, Clock, app_of, whole_app_of
from tests.worlds.waiting import until


@once
def laid(stage: Stage) -> None:
    stage.achievement()


@pytest.fixture
def stage(runtime: Runtime) -> Stage:
    """A network with keys, in a service that looks when a test says so."""
    stage = Stage.set_up(TestClient(app_of(runtime), base_url=BASE_URL), runtime)
    laid(stage)
    return stage


def told(stage: Stage, watch: Watch | None = None, *, look: bool = True) -> list[str]:
    """Look at the service, and return the codes that both routes then tell."""
    watch = watch or Watch(stage.runtime)
    if look:
        watch.look()
    stage.client.app.state.watch = watch  # type: ignore[attr-defined]
    living, ready = stage.client.get("/health"), stage.client.get("/ready")
    codes: list[str] = [reason["code"] for reason in living.json()["reasons"]]
    assert [reason["code"] for reason in ready.json()["reasons"]] == codes
    assert [reason["detail"] for reason in living.json()["reasons"]] == [REASONS[code] for code in codes]
    assert living.json()["status"] == ready.json()["status"] == ("degraded" if codes else "ok")
    assert (living.status_code, ready.status_code) == (200, 503 if codes else 200)
    for secret in ("for tests", "another", str(stage.runtime.settings.data_folder.parent)):
        assert secret not in living.text + ready.text
    return codes


def of(runtime: Runtime, **settings: Any) -> Watch:
    """Return what looks at the same rows with other settings."""
    given = runtime.settings.model_copy(update=settings)
    return Watch(replace(runtime, settings=given, custody=Custody(given)))


def test_a_service_in_order_is_ok_and_ready(stage: Stage) -> None:
    assert told(stage) == []
    answer = stage.client.get("/health").json()
    assert answer["migrated"] is True
    assert answer["age_seconds"] >= 0
    assert {name for name, value in answer.items() if value == 0} >= {"overdue_status_lists", "messages_waiting"}


def test_a_service_that_has_not_looked_yet_is_not_ready(stage: Stage) -> None:
    assert told(stage, look=False) == ["starting"]
    assert "age_seconds" not in stage.client.get("/health").json()


def test_a_wrong_passphrase_is_told(stage: Stage) -> None:
    assert told(stage, of(stage.runtime, keys_passphrase=SecretStr("another"))) == ["passphrase-wrong"]


def test_a_missing_key_folder_is_told_although_keys_are_in_memory_until_it_is_back(stage: Stage) -> None:
    keys, watch = stage.runtime.settings.keys_folder, Watch(stage.runtime)
    assert told(stage, watch) == []
    keys.rename(keys.with_name("elsewhere"))
    assert told(stage, watch) == ["keys-missing"]
    keys.with_name("elsewhere").rename(keys)
    assert told(stage, watch) == []


def test_a_key_file_that_has_changed_is_opened_again(stage: Stage) -> None:
    watch = Watch(stage.runtime)
    assert told(stage, watch) == []
    one = next(stage.runtime.settings.keys_folder.glob("*.pem"))
    one.write_bytes(b"no key any more")
    assert told(stage, watch) == ["passphrase-wrong"]


@pytest.mark.parametrize("free_bytes", [0, 60_000_000])
def test_a_disk_that_is_nearly_full_is_told(stage: Stage, monkeypatch: pytest.MonkeyPatch, free_bytes: int) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(total=10**12, free=free_bytes))
    assert told(stage) == ["disk-full"]


def test_a_small_disk_with_room_is_in_order(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(total=20_000_000, free=15_000_000))
    assert told(stage) == []


def test_the_disk_of_the_database_counts_too(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    file = stage.runtime.database.file
    if file is None:
        return  # the disk of PostgreSQL is another machine's
    full = file.parent / "full"
    elsewhere = replace(stage.runtime, settings=stage.runtime.settings.model_copy(update={"data_folder": full}))
    free = {full: 10**11, file.parent: 0}
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(total=10**12, free=free[folder]))
    assert told(stage, Watch(elsewhere)) == ["disk-full"]


def test_a_write_that_finds_the_disk_full_is_told(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(**_where: Any) -> Any:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(health, "TemporaryFile", full)
    assert told(stage) == ["disk-full"]


def test_a_data_folder_that_cannot_be_written_is_told(stage: Stage, tmp_path: Path) -> None:
    (tmp_path / "a file").touch()
    assert told(stage, of(stage.runtime, data_folder=tmp_path / "a file")) == ["data-folder-not-writable"]


def test_a_database_that_does_not_answer_is_told(stage: Stage) -> None:
    down = Database("postgresql+psycopg://nobody@127.0.0.1:1/none")
    assert told(stage, Watch(replace(stage.runtime, database=down))) == ["database-unavailable"]
    assert "messages_waiting" not in stage.client.get("/health").json()


def test_a_database_that_is_not_migrated_is_told(stage: Stage) -> None:
    with stage.runtime.database.engine.begin() as connection:
        newest = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    try:
        assert told(stage) == ["database-not-migrated"]
        assert stage.client.get("/health").json()["migrated"] is False
    finally:
        with stage.runtime.database.engine.begin() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = :newest"), {"newest": newest})


def test_a_database_that_takes_nothing_new_is_told(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "WRITTEN_EVERY_SECONDS", 0)
    database = Database(stage.runtime.settings.database_url)
    watch = Watch(replace(stage.runtime, database=database))
    assert told(stage, watch) == []

    def only_read(connection: Any, _record: Any) -> None:
        forbid = "PRAGMA query_only=ON" if database.is_sqlite else "SET default_transaction_read_only = on"
        connection.execute(forbid)
        connection.commit()

    database.dispose()
    event.listen(database.engine, "connect", only_read)
    assert told(stage, watch) == ["database-not-writable"]
    database.dispose()
    event.remove(database.engine, "connect", only_read)
    assert told(stage, watch) == []
    database.dispose()


def test_lists_that_nobody_signs_again_are_told(stage: Stage, clock: Clock) -> None:
    stage.member()
    stage.recorded()
    assert told(stage) == []
    clock.advance(days=3)
    assert told(stage) == ["status-lists-overdue"]
    assert stage.client.get("/health").json()["overdue_status_lists"] == 1


@contextmanager
def kept_up(runtime: Runtime, work: Callable[[Runtime, GoOn], int]) -> Iterator[Upkeep]:
    upkeep = Upkeep(runtime, {"one lane": Lane({work: 0})})
    upkeep.start()
    yield upkeep
    upkeep.stop(60)


@pytest.mark.filterwarnings("ignore:Exception in thread")
def test_a_dead_worker_is_told(stage: Stage) -> None:
    def deadly(_runtime: Runtime, _go_on: GoOn) -> int:
        raise SystemExit

    with kept_up(stage.runtime, deadly) as upkeep:
        assert until(lambda: not upkeep.workers[0].thread.is_alive())
        assert told(stage, Watch(stage.runtime, upkeep.workers)) == ["upkeep-dead"]


def test_a_stuck_worker_is_told(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def stuck(_runtime: Runtime, _go_on: GoOn) -> int:
        begun.set()
        go_on.wait(60)
        return 0

    with kept_up(stage.runtime, stuck) as upkeep:
        assert begun.wait(60)
        watch = Watch(stage.runtime, upkeep.workers)
        assert told(stage, watch) == []
        monkeypatch.setattr(health, "STUCK_SECONDS", 0)
        assert told(stage, watch) == ["upkeep-stuck"]
        go_on.set()


def test_work_that_fails_is_told_until_it_succeeds(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.operations.upkeep.AFTER_FAILURE_SECONDS", 0)
    monkeypatch.setattr("service.operations.upkeep.PAUSE_SECONDS", 0.01)
    broken = threading.Event()
    broken.set()

    def failing(_runtime: Runtime, _go_on: GoOn) -> int:
        if broken.is_set():
            raise RuntimeError("broken")
        return 0

    with kept_up(stage.runtime, failing) as upkeep:
        watch = Watch(stage.runtime, upkeep.workers)
        assert until(lambda: upkeep.workers[0].failing)
        assert told(stage, watch) == ["upkeep-failing"]
        broken.clear()
        assert until(lambda: not upkeep.workers[0].failing)
        assert told(stage, watch) == []


def test_health_answers_while_the_database_hangs(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    hanging, go_on = threading.Event(), threading.Event()

    def hang(_database: Database) -> bool:
        hanging.set()
        return go_on.wait(60)

    watch = Watch(stage.runtime)
    watch.look()
    monkeypatch.setattr(migrations, "is_current", hang)
    watch.start()
    assert hanging.wait(60)
    assert told(stage, watch, look=False) == []
    monkeypatch.setattr(health, "TOO_OLD_SECONDS", 0)
    assert told(stage, watch, look=False) == ["look-overdue"]
    go_on.set()
    watch.stop(60)


def test_asking_for_health_reads_no_rows(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Database, "read", lambda _self: pytest.fail("rows were read"))
    monkeypatch.setattr(migrations, "is_current", lambda _database: pytest.fail("the database was asked"))
    assert told(stage, look=False) == ["starting"]


def test_the_service_looks_at_itself(runtime: Runtime) -> None:
    with TestClient(whole_app_of(runtime), base_url=BASE_URL) as client:
        assert until(lambda: client.get("/ready").status_code == 200)
