"""What goes on beside the requests, and that it stops when it is told to."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.access.act import Act
from service.criteria import rejudging
from service.notifications import mail
from service.operations import upkeep
from service.operations.upkeep import LEFT_ALONE, Upkeep
from service.runtime.runtime import Runtime
from service.tables import Member, Network, StatusList, UnsettledMember
from tests.worlds.awarding import Stage, once
from tests.worlds.runtimes import BASE_URL, app_of

PATIENCE_SECONDS = 60
"""Only a hanging test waits so long."""


def until(fact: Callable[[], Any]) -> bool:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if fact():
            return True
        time.sleep(0.02)
    return False


@once
def laid(stage: Stage) -> None:
    stage.achievement()
    stage.member("m11", email="m11@example.org")


@pytest.fixture
def stage(runtime: Runtime) -> Stage:
    """The app without its upkeep, which the test runs itself."""
    stage = Stage.set_up(TestClient(app_of(runtime), base_url=BASE_URL), runtime)
    laid(stage)
    return stage


def mark_left_over(stage: Stage) -> None:
    """Leave what a process leaves that is killed between evidence and award."""
    with stage.runtime.database.write() as session:
        network = session.query(Network).one()
        rejudging.mark(Act(session, network, None, stage.runtime.now()), [session.query(Member).one().id])


def test_the_app_sends_messages_beside_its_requests_and_stops(runtime: Runtime) -> None:
    before = threading.active_count()
    with TestClient(app_of(runtime), base_url=BASE_URL) as client:
        stage = Stage.set_up(client, runtime)
        stage.achievement()
        stage.member("m11", email="m11@example.org")
        for n in (1, 2):
            stage.share(n)
        assert until(lambda: list(mail.outbox_folder(runtime.settings).glob("*.eml")))
    assert until(lambda: threading.active_count() <= before)
    assert not [thread for thread in threading.enumerate() if thread.name == "laurel-upkeep"]


def test_everything_that_was_left_over_is_done(stage: Stage, clock: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as dying:
        dying.setattr("service.awards.settling.settle", lambda *_arguments, **_more: [])
        for n in (1, 2):
            stage.share(n)
    assert stage.awards() == []
    clock.at += LEFT_ALONE
    working = Upkeep(stage.runtime)
    working.start()
    assert until(stage.awards)
    working.stop()
    clock.advance(days=2)
    working = Upkeep(stage.runtime)
    working.start()

    def signed_anew() -> bool:
        with stage.runtime.database.read() as session:
            return bool(session.query(StatusList).one().published_at == clock.at)

    assert until(signed_anew)
    working.stop()


def test_a_fresh_mark_is_left_to_the_request_that_made_it(stage: Stage, clock: Any) -> None:
    mark_left_over(stage)
    clock.advance(seconds=5)
    assert upkeep.settle_left_over(stage.runtime) == 0
    with stage.runtime.database.read() as session:
        assert session.query(UnsettledMember).count() == 1
    clock.at += LEFT_ALONE
    upkeep.settle_left_over(stage.runtime)
    with stage.runtime.database.read() as session:
        assert session.query(UnsettledMember).count() == 0


def test_a_piece_that_fails_does_not_stop_the_others(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    done: list[str] = []

    def failing(_runtime: Runtime) -> int:
        done.append("failing")
        raise RuntimeError("broken")

    def working(_runtime: Runtime) -> int:
        done.append("working")
        return 0

    monkeypatch.setattr(upkeep, "WORK", {failing: 0, working: 0})
    monkeypatch.setattr(upkeep, "PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(upkeep, "AFTER_FAILURE_SECONDS", 0.05)
    keeper = Upkeep(runtime)
    keeper.start()
    assert until(lambda: done.count("failing") >= 2 and done.count("working") >= 2)
    keeper.stop()
    assert "failing failed and is tried again" in caplog.text


def test_it_stops_between_two_pieces(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go_on, done = threading.Event(), threading.Event(), []

    def slow(_runtime: Runtime) -> int:
        begun.set()
        go_on.wait(PATIENCE_SECONDS)
        done.append("slow")
        return 0

    def never(_runtime: Runtime) -> int:
        done.append("never")
        return 0

    monkeypatch.setattr(upkeep, "WORK", {slow: 0, never: 0})
    keeper = Upkeep(runtime)
    keeper.start()
    assert begun.wait(PATIENCE_SECONDS)
    stopper = threading.Thread(target=keeper.stop)
    stopper.start()
    assert until(keeper._stopping.is_set)
    go_on.set()
    stopper.join(PATIENCE_SECONDS)
    assert not stopper.is_alive()
    assert done == ["slow"]


def test_several_processes_keep_up_together(stage: Stage, clock: Any) -> None:
    for n in (1, 2):
        stage.share(n)
    mark_left_over(stage)
    clock.at += LEFT_ALONE
    keepers = [Upkeep(stage.runtime) for _ in range(3)]
    for keeper in keepers:
        keeper.start()
    assert until(lambda: list(mail.outbox_folder(stage.runtime.settings).glob("*.eml")))
    for keeper in keepers:
        keeper.stop()
    assert len(list(mail.outbox_folder(stage.runtime.settings).glob("*"))) == 1
    assert len(stage.awards()) == 1
