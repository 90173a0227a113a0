"""Many checks in one request: in order, once each, bounded in time and threads, and gone when nobody reads."""

import logging
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from credentials import Fetched, UnavailableError
from service.checking import check
from service.checking.batch import time_limits
from service.checking.batch.batch import MAX_ITEMS, Batch, Item, ItemAnswer, begin
from service.checking.batch.time_limits import BatchTime, ItemTime, SharedFetcher
from service.checking.check import Checked
from service.checking.desk import Desk, Patience
from service.errors import InvalidError, TooManyRequestsError
from service.runtime.fair_use import FairUse, Places
from service.runtime.fetching import Fetcher
from service.runtime.turns import busy
from service.unpacking.found import Problem
from tests.worlds.handed_over import badge_json
from tests.worlds.runtimes import Clock, desk_of, settings_in, start

WAIT_SECONDS = 60
"""So long a test waits for what must happen; nothing is measured."""
HURRIED = Patience(threads=3, item_seconds=0.2, ahead=5)
PATIENT = Patience(threads=3, item_seconds=WAIT_SECONDS, ahead=5)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A desk of a service that needs no row."""
    with start(settings_in(tmp_path), Clock()) as runtime:
        yield replace(desk_of(runtime), patience=PATIENT)


def fetching(desk: Desk, fetcher: Fetcher, patience: Patience = PATIENT) -> Desk:
    """Return the desk of a service that fetches with `fetcher`."""
    return replace(desk, runtime=replace(desk.runtime, fetcher=fetcher), patience=patience)


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """What a check that hangs waits for; opened at the end, so that no thread is left."""
    opened = threading.Event()
    yield opened
    opened.set()


class Asked:
    """A check that notes what it was asked, and hangs where the link says so."""

    def __init__(self, desk: Desk, gate: threading.Event | None = None) -> None:
        self._checked = check.check(desk, b"{}")
        self._gate = gate
        self._lock = threading.Lock()
        self.links: list[str] = []
        self.at_once = self.most_at_once = 0

    def __call__(self, _desk: Desk, item: Item) -> Checked:
        with self._lock:
            self.links.append(item.name)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            if "hang" in item.name:
                assert self._gate is not None
                assert self._gate.wait(WAIT_SECONDS)
            return self._checked
        finally:
            with self._lock:
                self.at_once -= 1


class Server(Fetcher):
    """A network of hosts: those called slow keep everybody waiting in vain, the others say where they are."""

    def __init__(self, gate: threading.Event | None = None) -> None:
        self.asked: list[str] = []
        self._gate = gate

    def fetch(self, url: str) -> Fetched:
        self.asked.append(url)
        if self._gate is not None:
            self._gate.wait(WAIT_SECONDS)
        if "slow" in url:
            raise UnavailableError("fetch-timeout", "It did not answer in time.")
        if "gone" in url:
            raise UnavailableError("fetch-status", "It answered 404.")
        if "broken" in url:
            raise RuntimeError(url)
        return Fetched(url.encode(), "text/plain")


def links(*names: str) -> list[Item]:
    return [Item(name, url=f"https://{name}.example/badge") for name in names]


def numbered(count: int) -> list[Item]:
    return links(*(str(n) for n in range(count)))


def looked_up(desk: Desk, item: Item) -> Checked:
    """A check that only fetches."""
    desk.runtime.fetcher.fetch(item.url or "")
    return Asked(desk)(desk, item)


def codes(told: list[ItemAnswer]) -> list[str]:
    return [each.error.code if each.error is not None else "" for each in told]


def test_answers_come_in_the_order_asked_and_the_work_ends_with_them(desk: Desk) -> None:
    batch = Batch(desk, numbered(40), Asked(desk))
    told = list(batch)
    assert [each.index for each in told] == list(range(40))
    assert [each.item.name for each in told] == [str(n) for n in range(40)]
    assert batch.ended(WAIT_SECONDS)


def test_no_more_threads_work_than_there_may(desk: Desk) -> None:
    asked = Asked(desk)
    list(Batch(desk, numbered(40), asked))
    assert 1 <= asked.most_at_once <= PATIENT.threads


def test_an_answer_is_given_before_the_next_is_known(desk: Desk, gate: threading.Event) -> None:
    batch = iter(Batch(desk, links("1", "2", "hang"), Asked(desk, gate)))
    assert [next(batch).item.name, next(batch).item.name] == ["1", "2"]
    gate.set()
    assert next(batch).item.name == "hang"


def test_what_does_not_answer_in_time_is_said_and_the_others_are_answered(desk: Desk, gate: threading.Event) -> None:
    batch = Batch(replace(desk, patience=HURRIED), links("1", "hang", *"23456789"), Asked(desk, gate))
    told = list(batch)
    assert codes(told) == ["", "not-in-time", *[""] * 8]
    assert [each.again for each in told] == [False, True, *[False] * 8]
    gate.set()
    assert batch.ended(WAIT_SECONDS)


def test_where_every_thread_is_kept_waiting_the_rest_is_answered_too(desk: Desk, gate: threading.Event) -> None:
    asked = Asked(desk, gate)
    batch = Batch(replace(desk, patience=HURRIED), links("hang1", "hang2", "hang3", "4", "5"), asked)
    assert codes(list(batch)) == ["not-in-time"] * 5
    gate.set()
    assert batch.ended(WAIT_SECONDS)
    assert sorted(asked.links) == ["hang1", "hang2", "hang3"]


def test_after_its_whole_time_a_batch_is_answered_at_once(desk: Desk, gate: threading.Event) -> None:
    patience = Patience(threads=1, item_seconds=WAIT_SECONDS, batch_seconds=0.2)
    asked = Asked(desk, gate)
    batch = Batch(replace(desk, patience=patience), links("1", "hang", *"3456"), asked)
    assert codes(list(batch)) == ["", *["not-in-time"] * 5]
    gate.set()
    assert batch.ended(WAIT_SECONDS)
    assert asked.links == ["1", "hang"]


def test_what_was_given_twice_is_checked_once_and_answered_twice(desk: Desk) -> None:
    asked = Asked(desk)
    items = [
        *links("1", "2", "1", "1"),
        Item("1", url="https://1.example/badge", recipient="m1@circle.example"),
        Item("file", received=b"{}"),
        Item("copy", received=b"{}"),
    ]
    told = list(Batch(desk, items, asked))
    assert sorted(asked.links) == ["1", "1", "2", "file"]
    assert [each.item for each in told] == items
    assert all(each.checked is not None for each in told)


def test_what_cannot_be_checked_is_answered_in_its_place(desk: Desk) -> None:
    problem = Problem("link-missing", "Expected a link.")
    asked = Asked(desk)
    told = list(Batch(desk, [*links("1"), Item("row", problem=problem), Item("row", problem=problem)], asked))
    assert [each.item.problem for each in told] == [None, problem, problem]
    assert [each.checked is None for each in told] == [False, True, True]
    assert asked.links == ["1"]


def test_a_reader_who_stops_ends_the_work(desk: Desk) -> None:
    asked = Asked(desk)
    batch = Batch(desk, numbered(400), asked)
    reading = iter(batch)
    next(reading)
    del reading
    assert batch.ended(WAIT_SECONDS)
    assert len(asked.links) <= 1 + PATIENT.ahead + PATIENT.threads


def test_closing_wakes_who_waits_for_an_answer(desk: Desk, gate: threading.Event) -> None:
    batch = Batch(desk, links("1", "hang", "2"), Asked(desk, gate))
    reading = iter(batch)
    next(reading)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(list, reading)
        batch.close()
        assert waiting.result(WAIT_SECONDS) == []
    gate.set()
    assert batch.ended(WAIT_SECONDS)


def test_threads_run_only_a_little_ahead_of_the_reader(desk: Desk) -> None:
    asked = Asked(desk)
    batch = Batch(desk, numbered(100), asked)
    reading = iter(batch)
    for _ in range(10):
        next(reading)
    assert len(asked.links) <= 10 + PATIENT.ahead
    batch.close()
    assert batch.ended(WAIT_SECONDS)


def test_a_document_that_several_want_at_once_is_asked_for_once(gate: threading.Event) -> None:
    url = "https://issuer.example/did.json"
    server = Server(gate)
    shared = SharedFetcher(server, 2)
    with ThreadPoolExecutor(3) as pool:
        waiting = [pool.submit(shared.fetch, url) for _ in range(3)]
        until = time.monotonic() + WAIT_SECONDS
        while (
            url not in shared._going or len(vars(shared._going[url]._condition)["_waiters"]) < 2
        ) and time.monotonic() < until:
            time.sleep(0.001)
        gate.set()
        assert {each.result(WAIT_SECONDS).body for each in waiting} == {url.encode()}
    assert server.asked == [url]
    assert not shared._going


def test_what_one_thread_could_not_get_is_raised_in_each_that_waited_for_it(gate: threading.Event) -> None:
    url = "https://slow.example/did.json"
    shared = SharedFetcher(Server(gate), 2)
    with ThreadPoolExecutor(3) as pool:
        waiting = [pool.submit(shared.fetch, url) for _ in range(3)]
        gate.set()
        raised = [each.exception(WAIT_SECONDS) for each in waiting]
    assert all(isinstance(error, UnavailableError) for error in raised)


def test_a_host_that_kept_the_batch_waiting_twice_is_not_asked_again(desk: Desk) -> None:
    server = Server()
    one = fetching(desk, server, Patience(threads=1))
    items = [Item(str(n), url=f"https://slow.example/{n}") for n in range(5)] + links("quick")
    told = list(Batch(one, items, looked_up))
    assert codes(told) == ["fetch-timeout", "fetch-timeout", *["host-silent"] * 3, ""]
    assert [each.again for each in told] == [True] * 5 + [False]
    assert len([url for url in server.asked if "slow" in url]) == 2
    assert "slow.example" in str(told[2].error)


def test_a_host_is_only_called_silent_in_the_batch_that_waited_for_it(desk: Desk) -> None:
    one = fetching(desk, Server(), Patience(threads=1))
    slow = [Item(str(n), url=f"https://slow.example/{n}") for n in range(2)]
    assert codes(list(Batch(one, slow, looked_up))) == codes(list(Batch(one, slow, looked_up))) == ["fetch-timeout"] * 2


def test_what_a_host_says_is_no_silence(desk: Desk) -> None:
    one = fetching(desk, Server(), Patience(threads=1))
    told = list(Batch(one, [Item(str(n), url=f"https://gone.example/{n}") for n in range(4)], looked_up))
    assert codes(told) == ["fetch-status"] * 4
    assert not any(each.again for each in told)


def test_a_check_whose_time_is_over_asks_nobody_any_more(desk: Desk, gate: threading.Event) -> None:
    server = Server()
    late: list[str] = []
    ended = threading.Event()

    def slowly(given: Desk, item: Item) -> Checked:
        try:
            gate.wait(WAIT_SECONDS)
            return looked_up(given, item)
        except UnavailableError as error:
            late.append(error.code)
            raise
        finally:
            ended.set()

    batch = Batch(fetching(desk, server, HURRIED), links("1"), slowly)
    assert codes(list(batch)) == ["not-in-time"]
    gate.set()
    assert ended.wait(WAIT_SECONDS)
    assert batch.ended(WAIT_SECONDS)
    assert (late, server.asked) == (["check-over"], [])


def test_a_fault_of_ours_costs_one_answer_and_is_logged_without_what_was_checked(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        told = list(Batch(fetching(desk, Server()), links("1", "broken", "2"), looked_up))
    assert codes(told) == ["", "internal-error", ""]
    assert told[1].again
    assert "RuntimeError" in caplog.text
    assert "broken.example" not in caplog.text


def test_a_real_check_of_what_is_no_badge_is_an_answer(desk: Desk) -> None:
    (told,) = Batch(desk, [Item("x.json", received=b"{}")])
    assert told.checked is not None
    assert told.checked.headline == "unreadable" or told.checked.tone == "bad"
    assert not told.again


def test_a_link_that_is_never_asked_is_trouble(desk: Desk) -> None:
    told = list(Batch(desk, [Item("a", url="https://10.0.0.1/badge"), Item("b", url="ftp://x.example")]))
    assert codes(told) == ["address-refused"] * 2
    assert not any(each.again for each in told)


@pytest.mark.parametrize(("count", "code"), [(0, "batch-empty"), (MAX_ITEMS + 1, "batch-too-long")])
def test_nothing_and_too_much_are_refused(desk: Desk, count: int, code: str) -> None:
    with pytest.raises(InvalidError) as caught:
        begin(desk, numbered(count), "192.0.2.1")
    assert caught.value.code == code


def test_each_badge_counts_against_the_fair_limit_and_a_refusal_keeps_no_place(desk: Desk) -> None:
    limited = replace(desk, batch_fair_use=FairUse(per_minute=60, burst=10), batch_places=Places(at_once=1))
    begin(limited, numbered(8), "192.0.2.1", Asked(desk)).close()
    with pytest.raises(TooManyRequestsError) as caught:
        begin(limited, numbered(8), "192.0.2.1", Asked(desk))
    assert caught.value.details == {"retry_after_seconds": 6}
    begin(limited, numbered(8), "192.0.2.2", Asked(desk)).close()


def test_only_so_many_batches_run_at_once(desk: Desk) -> None:
    few = replace(desk, batch_places=Places(at_once=1))
    with_place = begin(few, numbered(2), "192.0.2.1", Asked(desk))
    with pytest.raises(TooManyRequestsError) as caught:
        begin(few, numbered(2), "192.0.2.2", Asked(desk))
    assert caught.value.code == "too-many-batches"
    assert caught.value.details["retry_after_seconds"] > 0
    assert len(list(with_place)) == 2
    assert len(list(begin(few, numbered(2), "192.0.2.2", Asked(desk)))) == 2


def test_who_reads_no_more_loses_the_place_to_others(desk: Desk) -> None:
    few = replace(desk, batch_places=Places(at_once=1, idle_seconds=0))
    stalled = begin(few, numbered(50), "192.0.2.1", Asked(desk))
    reading = iter(stalled)
    next(reading)
    assert len(list(begin(few, numbered(2), "192.0.2.2", Asked(desk)))) == 2
    assert list(reading) == []
    assert stalled.ended(WAIT_SECONDS)


def test_nothing_of_a_batch_is_written_down(
    desk: Desk, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    secret = "quite.secret@river.example.org"
    with caplog.at_level(logging.INFO):
        items = [
            Item(secret, url="https://10.0.0.1/badge", recipient=secret, candidate=secret, cells=(secret,)),
            Item(secret, received=secret.encode(), recipient=secret, candidate=secret),
        ]
        list(begin(desk, items, secret))
    said = capfd.readouterr()
    assert secret not in caplog.text + said.out + said.err
    assert not any(secret.encode() in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert secret not in repr(items).replace(f"name='{secret}'", "")


def test_what_the_time_of_a_batch_does_not_reach_is_not_begun_and_can_be_tried_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time_limits, "REQUEST_SECONDS", 0.0)
    asked = Asked(desk)
    told = list(Batch(desk, numbered(4), asked))
    assert codes(told) == ["batch-time-used-up"] * 4
    assert all(each.again for each in told)
    assert asked.links == []


def test_the_checks_of_a_batch_share_its_time_and_each_has_its_own() -> None:
    used = 0.0
    batch = BatchTime()
    first, second = (ItemTime(batch, lambda: used) for _ in range(2))
    assert first.left() == BatchTime.MOST_OF_AN_ITEM
    used = 0.75
    assert (first.used, first.left()) == (0.75, 0.25)
    batch.used(2.0 + BatchTime.ORDINARY)
    assert second.left() == 0.25
    batch.used(1.0 + BatchTime.ORDINARY)
    assert second.left() < 0


def test_ordinary_badges_do_not_use_up_the_time_of_a_batch() -> None:
    batch = BatchTime()
    before = batch.left()
    for _ in range(500):
        batch.used(BatchTime.ORDINARY)
    assert batch.left() == before


def test_an_item_for_which_there_was_no_place_can_be_tried_again(desk: Desk) -> None:
    def busily(_desk: Desk, _item: Item) -> Checked:
        raise busy()

    (told,) = Batch(desk, links("1"), busily)
    assert (codes([told]), told.again) == (["service-busy"], True)


def test_an_item_that_is_undecided_because_its_time_ended_can_be_tried_again(desk: Desk) -> None:
    def slowly(of_batch: Desk, _item: Item) -> Checked:
        of_batch.time().charge(60)
        return check.check(of_batch, badge_json())

    (told,) = Batch(desk, links("1"), slowly)
    assert told.checked is not None
    assert (told.checked.report.verdict, told.again) == ("undecided", True)
