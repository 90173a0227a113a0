"""The clock: no time runs back, and a clock that was far ahead once does not stop it for ever."""

import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from credentials.reading import listed
from service.access import callers, tokens
from service.errors import UnauthenticatedError
from service.operations.upkeep import note_time
from service.runtime import clock as clocks
from service.runtime.clock import HeldClock
from service.runtime.runtime import Runtime
from service.storage import latest_time
from service.tables import ServiceFact
from tests.worlds.awarding import Stage
from tests.worlds.runtimes import BASE_URL, Clock, app_of

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def held(runtime: Runtime, clock: Clock) -> Runtime:
    """A service whose clock goes by `clock`, as the machine's."""
    return replace(runtime, now=HeldClock(clock))


def restarted(runtime: Runtime, clock: Clock) -> Runtime:
    again = replace(runtime, now=HeldClock(clock))
    with again.database.read() as session:
        again.hold_time(session)
    return again


def test_the_time_stands_still_while_the_machines_clock_is_behind(clock: Clock) -> None:
    held = HeldClock(clock)
    before = held()
    clock.advance(hours=-3)
    assert held() == before
    clock.advance(hours=3, seconds=1)
    assert held() == before + timedelta(seconds=1)


def test_a_clock_that_was_put_back_is_told_once(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    held = HeldClock(clock)
    held()
    clock.advance(hours=-3)
    with caplog.at_level(logging.WARNING):
        held()
        held()
    assert [record.getMessage() for record in caplog.records] == [
        "the clock of this machine is 3:00:00 behind the latest time seen, which counts until then"
    ]


def test_a_clock_that_was_years_ahead_for_a_moment_does_not_stop_the_time(held: Runtime, clock: Clock) -> None:
    note_time(held)
    right = held.now()
    clock.advance(days=3650)
    for _ in range(3):
        note_time(held)
    clock.at = right
    assert right <= held.now() <= right + 3 * latest_time.STEP
    assert restarted(held, clock).now() <= right + 3 * latest_time.STEP


def test_the_time_does_not_run_back_over_a_restart(held: Runtime, clock: Clock) -> None:
    note_time(held)
    before = held.now()
    clock.advance(days=-400)
    assert restarted(held, clock).now() == before


def test_the_latest_time_catches_up_after_the_service_was_stopped(held: Runtime, clock: Clock) -> None:
    note_time(held)
    clock.advance(hours=1)
    for _ in range(30):
        note_time(held)
        clock.advance(minutes=1)
    with held.database.read() as session:
        latest = latest_time.known(session)
    assert latest is not None
    assert clock.at - latest <= 2 * latest_time.NOTED_EVERY


def test_what_is_noted_is_written_once_a_minute_whoever_notes_it(held: Runtime, clock: Clock) -> None:
    assert [note_time(held) for _ in range(3)] == [1, 0, 0]
    assert note_time(restarted(held, clock)) == 0
    clock.advance(minutes=1)
    assert [note_time(held) for _ in range(2)] == [1, 0]


def test_a_machine_whose_clock_is_behind_follows_the_others(held: Runtime, clock: Clock) -> None:
    note_time(held)
    behind = replace(held, now=HeldClock(lambda: clock.at - HOUR))
    note_time(behind)
    assert behind.now() == clock.at
    clock.advance(minutes=2)
    note_time(held)
    note_time(behind)
    assert behind.now() == clock.at


def test_a_token_that_has_expired_stays_so_when_the_clock_is_put_back(held: Runtime, clock: Clock) -> None:
    now = held.now()
    with held.database.write() as session:
        _, secret = tokens.create_token(
            session, name="t", scopes=["admin"], network=None, now=now, expires_at=now + HOUR
        )
    with held.database.read() as session:
        assert callers.authenticate(session, secret, held.now())[0].scopes == {"admin"}
    note_time(held)
    for _ in range(15):
        clock.advance(minutes=5)
        note_time(held)
    clock.at = now
    with held.database.read() as session, pytest.raises(UnauthenticatedError) as caught:
        callers.authenticate(session, secret, clock.at)
    assert caught.value.code == "token-expired"


def test_a_badge_is_not_dated_before_one_that_was_issued_earlier(runtime: Runtime, clock: Clock) -> None:
    object.__setattr__(runtime, "now", HeldClock(clock))
    with TestClient(app_of(runtime), base_url=BASE_URL) as client:
        stage = Stage.set_up(client, runtime)
        stage.achievement(award="reviewed")
        first = issued(stage, "m1")
        clock.advance(hours=-5)
        second = issued(stage, "m2")
    assert second >= first
    assert runtime.now() - clock.at == timedelta(hours=5)


def issued(stage: Stage, ref: str) -> Any:
    stage.member(ref)
    credential = stage.credential(stage.recorded(member=ref))
    return listed(credential["proof"])[0]["created"]


def test_the_fact_is_one_row_that_sorts_like_time(held: Runtime) -> None:
    note_time(held)
    with held.database.read() as session:
        (value,) = [fact.value for fact in session.query(ServiceFact).filter_by(name=latest_time.NAME)]
    assert datetime.fromisoformat(value) == held.now()
    assert latest_time.read(value) == held.now()
    assert clocks.utc_now().tzinfo is UTC
