"""Fair limits that several processes keep together, each counting by itself in between."""

import hmac
import secrets
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from ipaddress import IPv4Network
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import event, select

from service.checking.desk import Desk
from service.errors import StorageError, TooManyRequestsError
from service.runtime.custody import Custody
from service.runtime.fair_use import FairUse
from service.runtime.runtime import Runtime
from service.runtime.shared_limits import SharedLimits, forget_whole
from service.storage.database import Database
from service.tables import SharedLimit
from tests.worlds.runtimes import BASE_URL, Clock, desk_of, settings_in, whole_app_of
from tests.worlds.waiting import until

SLOW = 1e-6
"""An allowance for each minute that is nothing in the time that a test takes."""
ADDRESS = "192.0.2.1"


class Process:
    """One of several that serve with one database, with a limit of its own and a clock that stands still."""

    def __init__(self, runtime: Runtime, limit: FairUse | None = None) -> None:
        self.runtime = replace(runtime, custody=Custody(runtime.settings))
        self.limit = limit or FairUse(per_minute=SLOW, burst=12, at_once=2)
        self.seconds = 0.0
        self.shared = SharedLimits(self.runtime, {"checks": self.limit}, lambda: self.seconds)

    def exchange(self) -> int:
        return self.shared.exchange(self.runtime)

    def passes(self, times: int = 1, address: str = ADDRESS) -> int:
        """Ask that often, and return how often it was let."""
        passed = 0
        for _ in range(times):
            try:
                self.limit.take(address, self.seconds)
            except TooManyRequestsError:
                continue
            passed += 1
        return passed


def rows(runtime: Runtime) -> list[SharedLimit]:
    with runtime.database.read() as session:
        return list(session.scalars(select(SharedLimit)))


def written(runtime: Runtime) -> list[str]:
    """Return a list to which every statement that writes is added from now on."""
    found: list[str] = []

    @event.listens_for(runtime.database.engine, "before_cursor_execute")
    def _note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        if not statement.lstrip().startswith(("SELECT", "BEGIN\n")) and statement != "BEGIN":
            found.append(statement)

    return found


def test_what_was_used_at_one_process_is_used_up_at_another(runtime: Runtime) -> None:
    one, another = Process(runtime), Process(runtime)
    assert one.passes(12) == 12
    one.exchange()
    another.exchange()
    assert another.passes() == 0
    assert another.passes(address="192.0.2.2") == 1


def test_two_processes_let_pass_at_most_what_they_were_asked_between_two_exchanges_too_much(runtime: Runtime) -> None:
    processes = [Process(runtime), Process(runtime)]
    passed = 0
    for _ in range(40):
        passed += sum(each.passes(2) for each in processes)
        for each in processes:
            each.exchange()
    assert 12 <= passed <= 12 + 4


def test_processes_that_exchange_at_the_same_moment_lose_nothing(runtime: Runtime) -> None:
    processes = [Process(runtime, FairUse(per_minute=SLOW, burst=1000)) for _ in range(4)]
    addresses = [ADDRESS, *(f"192.0.2.{n}" for n in range(100, 120))]

    def work(process: Process) -> None:
        for _ in range(5):
            for address in addresses:
                process.limit.take(address, 0, cost=100)
                process.limit.learn({}, 0)  # what the others used does not stop this one
            process.exchange()
            process.limit.learn({}, 0)
            forget_whole(runtime)

    with ThreadPoolExecutor() as threads:
        list(threads.map(work, processes))
    fresh = Process(runtime, FairUse(per_minute=SLOW, burst=1000))
    fresh.exchange()
    with pytest.raises(TooManyRequestsError) as caught:
        fresh.limit.take(ADDRESS, 0, cost=0)
    assert caught.value.details["retry_after_seconds"] == pytest.approx(1000 * 60 / SLOW, rel=1e-3)


def test_a_caller_who_took_too_much_at_once_owes_it(runtime: Runtime) -> None:
    one, another = Process(runtime), Process(runtime)
    assert (one.passes(12), another.passes(12)) == (12, 12)
    for each in (one, another, one):
        each.exchange()
    with pytest.raises(TooManyRequestsError) as caught:
        one.limit.take(ADDRESS, 0)
    assert caught.value.details["retry_after_seconds"] == pytest.approx(13 * 60 / SLOW, rel=1e-3)


def test_a_debt_that_many_processes_add_to_ends(runtime: Runtime) -> None:
    processes = [Process(runtime) for _ in range(15)]
    for each in processes:
        each.passes(12)
    for each in processes:
        each.exchange()
    with pytest.raises(TooManyRequestsError) as caught:
        processes[-1].limit.take(ADDRESS, 0)
    assert caught.value.details["retry_after_seconds"] == pytest.approx((10 * 12 + 1) * 60 / SLOW, rel=1e-3)


def test_what_was_learned_runs_down_with_time(runtime: Runtime) -> None:
    one, another = (Process(runtime, FairUse(per_minute=60, burst=6000)) for _ in range(2))
    one.limit.take(ADDRESS, 0, cost=6000)
    one.exchange()
    another.exchange()
    another.seconds = 1000
    with pytest.raises(TooManyRequestsError):
        another.limit.take(ADDRESS, 1000, cost=2000)
    another.limit.take(ADDRESS, 1000, cost=900)


def test_the_seconds_of_slow_work_are_told(runtime: Runtime) -> None:
    one, another = (Process(runtime, FairUse(per_minute=60, burst=60)) for _ in range(2))
    seconds = iter([0.0, 1000.0])
    with one.limit.turn(ADDRESS, lambda: next(seconds)):
        pass
    one.exchange()
    another.exchange()
    assert another.passes() == 0


def test_a_network_of_48_bits_is_one_caller_at_all_processes(runtime: Runtime) -> None:
    one, another = Process(runtime), Process(runtime)
    assert sum(one.passes(12, f"2001:db8:1:{n}::1") for n in range(8)) == 48
    one.exchange()
    another.exchange()
    assert another.passes(address="2001:db8:1:ffff::1") == 0
    assert another.passes(address="2001:db8:2::1") == 1


def test_a_new_process_knows_who_owes(runtime: Runtime) -> None:
    one = Process(runtime)
    one.passes(12)
    one.exchange()
    fresh = Process(runtime)
    fresh.exchange()
    assert fresh.passes() == 0


def test_the_limits_of_one_name_are_not_those_of_another(runtime: Runtime) -> None:
    one = Process(runtime)
    one.passes(12)
    one.exchange()
    batches = FairUse(per_minute=SLOW, burst=12)
    SharedLimits(runtime, {"batches": batches}, lambda: 0).exchange(runtime)
    batches.take(ADDRESS, 0)
    assert batches.key() != one.limit.key()


def test_people_who_check_a_few_badges_leave_no_row(runtime: Runtime) -> None:
    one = Process(runtime, FairUse())
    assert one.passes(4) == 4
    one.exchange()
    assert rows(runtime) == []


def test_who_asks_steadily_is_told_of_although_their_allowance_is_whole_each_time(runtime: Runtime) -> None:
    one = Process(runtime, FairUse())
    for _ in range(20):
        one.seconds += 1
        one.passes()
        one.exchange()
    assert len(rows(runtime)) == 1


def test_who_comes_now_and_then_leaves_no_row(runtime: Runtime) -> None:
    one = Process(runtime, FairUse())
    for _ in range(20):
        one.seconds += 61
        one.passes()
        one.exchange()
    assert rows(runtime) == []


def test_nothing_is_written_while_nobody_uses_much(runtime: Runtime) -> None:
    one, another = Process(runtime), Process(runtime)
    one.passes(12)
    one.exchange()
    seen = written(runtime)
    for each in (one, another, one, another):
        each.exchange()
    assert forget_whole(runtime) == 0
    assert seen == []
    another.passes(12, "192.0.2.2")
    another.exchange()
    assert any(statement.startswith("INSERT") for statement in seen)


def test_rows_are_deleted_when_the_allowance_is_whole_again(runtime: Runtime, clock: Clock) -> None:
    quick, slow = Process(runtime, FairUse(per_minute=6e6, burst=12)), Process(runtime)
    quick.passes(12)
    slow.passes(12, "192.0.2.2")
    quick.exchange()
    slow.exchange()
    assert len(rows(runtime)) == 2
    clock.advance(seconds=1)
    while not (deleted := forget_whole(runtime)):  # the clock of PostgreSQL does not stand still
        pass
    assert deleted == 1
    assert len(rows(runtime)) == 1


def test_a_row_that_is_over_counts_for_nothing_any_more(runtime: Runtime) -> None:
    one = Process(runtime)
    one.passes(12)
    one.exchange()
    with runtime.database.write() as session:
        for row in session.scalars(select(SharedLimit)):
            row.whole_again = 1.0
    another = Process(runtime)
    another.exchange()
    assert another.passes(3) == 3
    another.exchange()
    fresh = Process(runtime)
    fresh.exchange()
    assert fresh.passes(12) == 9


def test_limits_go_on_when_the_database_is_away(runtime: Runtime, tmp_path: Path) -> None:
    one = Process(runtime)
    one.runtime = replace(runtime, database=Database(f"sqlite:///{tmp_path}/empty.db"))
    assert one.passes(12) == 12
    with pytest.raises(StorageError):
        one.exchange()
    assert one.passes() == 0


def test_what_could_not_be_told_in_time_is_not_told_late(runtime: Runtime) -> None:
    one = Process(runtime, FairUse(per_minute=60, burst=60))
    for _ in range(100):  # one a second is fair; all at once would be a debt
        one.seconds += 1
        one.passes()
    one.exchange()
    assert rows(runtime) == []
    one.passes(10)
    one.exchange()
    assert len(rows(runtime)) == 1


def test_the_database_does_not_tell_addresses(runtime: Runtime) -> None:
    one = Process(runtime)
    one.passes(12)
    one.exchange()
    (row,) = rows(runtime)
    public = [b"", b"checks", b"fair limits", hmac.digest(b"fair limits", b"checks", "sha256")]
    addresses = [str(each).encode() for each in IPv4Network("192.0.2.0/28")]
    assert row.caller not in {hmac.digest(key, each, "sha256") for key in public for each in addresses}
    assert row.caller == hmac.digest(one.limit.key(), ADDRESS.encode(), "sha256")
    assert len(one.limit.key()) == 32


def test_processes_with_another_passphrase_keep_their_limits_to_themselves(runtime: Runtime, tmp_path: Path) -> None:
    one = Process(runtime)
    one.passes(12)
    one.exchange()
    other = Process(replace(runtime, settings=settings_in(tmp_path, keys_passphrase=secrets.token_hex())))
    other.exchange()
    assert other.passes() == 1


def test_without_a_passphrase_the_limits_of_a_process_hold(runtime: Runtime, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    given = settings_in(tmp_path, keys_folder=tmp_path / "file" / "keys").model_copy(update={"keys_passphrase": None})
    one = Process(replace(runtime, settings=given))
    assert one.passes(13) == 12
    one.exchange()
    assert one.passes() == 0


def test_a_running_service_exchanges_all_limits_of_its_desk(runtime: Runtime, desk: Desk) -> None:
    with TestClient(whole_app_of(runtime, desk), base_url=BASE_URL):
        for limit in desk.shared_limits().values():
            limit.take(ADDRESS, desk.steady(), cost=limit.burst)
        assert until(lambda: len(rows(runtime)) >= 3)
    other = desk_of(runtime)
    SharedLimits(runtime, other.shared_limits(), other.steady).exchange(runtime)
    for limit in other.shared_limits().values():
        with pytest.raises(TooManyRequestsError):
            limit.take(ADDRESS, other.steady(), cost=limit.burst)


def test_a_first_start_on_localhost_makes_the_passphrase_that_its_limits_need(
    runtime: Runtime, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    given = settings_in(tmp_path, keys_folder=tmp_path / "new").model_copy(update={"keys_passphrase": None})
    first, second = (Process(replace(runtime, settings=given)) for _ in range(2))
    assert first.passes(12) == 12
    first.exchange()
    second.exchange()
    assert second.passes() == 0
    assert not caplog.records


def test_no_passphrase_is_made_beside_keys_that_another_one_locks(
    runtime: Runtime, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "new"
    given = settings_in(tmp_path, keys_folder=folder).model_copy(update={"keys_passphrase": None})
    Custody(given).create("Ed25519")
    (folder / "development.passphrase").unlink()
    process = Process(replace(runtime, settings=given))
    process.passes()
    process.exchange()
    assert not (folder / "development.passphrase").exists()
    assert "not shared" in caplog.text
