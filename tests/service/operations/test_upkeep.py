"""What goes on beside the requests, and that it stops when it is told to."""

import threading
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.access.act import Act
from service.appeals import deadlines
from service.awards import settling
from service.criteria import rejudging
from service.errors import StorageError
from service.issuing import status_lists
from service.notifications import mail, payloads
from service.operations import upkeep
from service.operations.upkeep import LEFT_ALONE, Lane, Upkeep
from service.runtime.runtime import Runtime
from service.runtime.work import GoOn
from service.tables import Member, Network, StatusList, UnsettledMember
from tests.worlds.awarding import Stage, once
from tests.worlds.runtimes import BASE_URL, app_of, whole_app_of
from tests.worlds.waiting import PATIENCE_SECONDS, until


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
    before = set(threading.enumerate())
    with TestClient(whole_app_of(runtime), base_url=BASE_URL) as client:
        stage = Stage.set_up(client, runtime)
        stage.achievement()
        stage.member("m11", email="m11@example.org")
        for n in (1, 2):
            stage.share(n)
        assert until(lambda: list(mail.outbox_folder(runtime.settings).glob("*.eml")))
        started = set(threading.enumerate()) - before
        working = [thread for thread in started if thread.name.startswith("laurel-upkeep")]
        assert working
    assert until(lambda: not any(thread.is_alive() for thread in working))


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

    def failing(_runtime: Runtime, _go_on: GoOn) -> int:
        done.append("failing")
        raise RuntimeError("broken")

    def working(_runtime: Runtime, _go_on: GoOn) -> int:
        done.append("working")
        return 0

    monkeypatch.setattr(upkeep, "PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(upkeep, "AFTER_FAILURE_SECONDS", 0.05)
    keeper = Upkeep(runtime, {"one lane": Lane({failing: 0, working: 0})})
    keeper.start()
    assert until(lambda: done.count("failing") >= 2 and done.count("working") >= 2)
    keeper.stop()
    assert "failing failed and is tried again" in caplog.text


def test_rare_work_that_failed_is_tried_again_soon(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    """Health says that it failed until it was done: a service must not be unready for ten minutes after a second."""
    done: list[str] = []

    def rare(_runtime: Runtime, _go_on: GoOn) -> int:
        done.append("rare")
        if len(done) == 1:
            raise StorageError("database-unavailable", "It is away for a moment.")
        return 0

    monkeypatch.setattr(upkeep, "PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(upkeep, "AFTER_FAILURE_SECONDS", 0.05)
    keeper = Upkeep(runtime, {"one lane": Lane({rare: 600})})
    keeper.start()
    assert until(lambda: done == ["rare", "rare"] and not keeper.workers[0].failing)
    keeper.stop()


def test_it_stops_between_two_pieces(runtime: Runtime) -> None:
    begun, go_on, done = threading.Event(), threading.Event(), []

    def slow(_runtime: Runtime, _go_on: GoOn) -> int:
        begun.set()
        go_on.wait(PATIENCE_SECONDS)
        done.append("slow")
        return 0

    def never(_runtime: Runtime, _go_on: GoOn) -> int:
        done.append("never")
        return 0

    keeper = Upkeep(runtime, {"one lane": Lane({slow: 0, never: 0})})
    keeper.start()
    assert begun.wait(PATIENCE_SECONDS)
    stopper = threading.Thread(target=keeper.stop, args=(PATIENCE_SECONDS,))
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


def test_one_lane_does_not_wait_for_another(runtime: Runtime) -> None:
    go_on, done = threading.Event(), threading.Event()

    def waiting(_runtime: Runtime, _go_on: GoOn) -> int:
        go_on.wait(PATIENCE_SECONDS)
        return 0

    def quick(_runtime: Runtime, _go_on: GoOn) -> int:
        done.set()
        return 0

    keeper = Upkeep(runtime, {"slow": Lane({waiting: 0}), "quick": Lane({quick: 0})})
    keeper.start()
    assert done.wait(PATIENCE_SECONDS)
    go_on.set()
    keeper.stop(PATIENCE_SECONDS)


def test_mail_webhooks_lists_and_deadlines_have_lanes_of_their_own() -> None:
    lane_of = {work: name for name, lane in upkeep.LANES.items() for work in lane.work}
    apart = [mail.send_due, payloads.deliver_webhooks, status_lists.resign_due, deadlines.pass_deadlines]
    assert len({lane_of[work] for work in apart}) == len(apart)


def test_a_piece_that_hangs_does_not_hold_the_end(runtime: Runtime) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def hanging(_runtime: Runtime, _go_on: GoOn) -> int:
        begun.set()
        go_on.wait()
        return 0

    keeper = Upkeep(runtime, {"one lane": Lane({hanging: 0})})
    keeper.start()
    assert begun.wait(PATIENCE_SECONDS)
    keeper.stop(0.01)
    [worker] = keeper.workers
    assert worker.thread.is_alive()
    assert worker.thread.daemon, "so it ends with the process"
    go_on.set()
    worker.thread.join(PATIENCE_SECONDS)


def test_mails_that_are_not_sent_at_the_end_are_free_for_the_next_process(stage: Stage) -> None:
    for n in range(3):
        stage.member(f"m{n}", email=f"m{n}@example.org")
        stage.recorded(member=f"m{n}")
    asked = iter([True, False])
    assert mail.send_due(stage.runtime, lambda: next(asked)) == 1
    assert mail.send_due(stage.runtime) == 2


def test_awards_that_are_not_made_at_the_end_are_made_later(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settling, "BATCH", 1)
    stage.member("m12")
    with monkeypatch.context() as dying:
        dying.setattr(settling, "settle", lambda *_arguments, **_more: [])
        for ref in ("m11", "m12"):
            for n in (1, 2):
                stage.share(n, member=ref)
    with stage.runtime.database.read() as session:
        network_id = session.query(Network).one().id
    asked = iter([True, False])
    assert settling.settle_pending(stage.runtime, network_id, go_on=lambda: next(asked)) == 1
    assert settling.settle_pending(stage.runtime, network_id) == 1
