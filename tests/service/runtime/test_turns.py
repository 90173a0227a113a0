"""Places for costly work: a bound over all callers, and nobody keeps the others out."""

import asyncio
import threading
from contextlib import ExitStack

import pytest

from service.errors import TooManyRequestsError
from service.runtime import cpu_time, turns
from service.runtime.cpu_time import CpuTime, patiently, waiting, working
from service.runtime.turns import CALLERS_KEPT, Asked, Turns
from tests.worlds.talking import talk

ONE, OTHER, THIRD = "192.0.2.1", "192.0.2.2", "192.0.2.3"


def asked(places: Turns, *addresses: str) -> list[Asked]:
    return [places._ask(address) for address in addresses]


def states(requests: list[Asked]) -> list[str]:
    return [each.state for each in requests]


def test_no_more_go_on_at_once_than_there_are_places() -> None:
    places = Turns(at_once=2, of_one=2)
    requests = asked(places, ONE, OTHER, THIRD)
    assert states(requests) == ["holding", "holding", "waiting"]
    places._leave(requests[0])
    assert states(requests) == ["gone", "holding", "holding"]


def test_one_caller_never_has_all_places() -> None:
    assert states(asked(Turns(at_once=4, of_one=2), ONE, ONE, ONE, OTHER)) == [
        "holding",
        "holding",
        "waiting",
        "holding",
    ]


def test_a_free_place_goes_to_the_caller_who_holds_the_fewest() -> None:
    places = Turns(at_once=2, of_one=2)
    requests = asked(places, ONE, OTHER, ONE, THIRD)
    places._leave(requests[1])
    assert states(requests) == ["holding", "gone", "waiting", "holding"]


def test_among_those_who_hold_none_it_goes_to_whoever_had_the_least_lately(monkeypatch: pytest.MonkeyPatch) -> None:
    at = 0.0
    monkeypatch.setattr("time.monotonic", lambda: at)
    places = Turns(at_once=1, of_one=1)
    for address, seconds in ((ONE, 3.0), (OTHER, 0.5)):
        with places.turn(address):
            at += seconds
    held, *waits = asked(places, THIRD, ONE, OTHER)
    places._leave(held)
    assert states(waits) == ["waiting", "holding"]


def test_some_places_are_kept_for_callers_who_had_little(monkeypatch: pytest.MonkeyPatch) -> None:
    at = 0.0
    monkeypatch.setattr("time.monotonic", lambda: at)
    places = Turns(at_once=3, of_one=3, kept=1)
    with places.turn(ONE):
        at += 2 * turns.LITTLE_SECONDS
    requests = asked(places, ONE, ONE, ONE, OTHER)
    assert states(requests) == ["holding", "holding", "waiting", "holding"]
    places._leave(requests[0])
    assert states(requests) == ["gone", "holding", "waiting", "holding"]
    places._leave(requests[3])
    assert states(requests) == ["gone", "holding", "holding", "gone"]


def test_what_a_caller_had_is_forgotten_with_time(monkeypatch: pytest.MonkeyPatch) -> None:
    at = 0.0
    monkeypatch.setattr("time.monotonic", lambda: at)
    places = Turns(at_once=1, of_one=1)
    for address, seconds in ((ONE, 8.0), (THIRD, 10 * turns.HALF_LIFE_SECONDS), (OTHER, 1.0)):
        with places.turn(address):
            at += seconds
    held, *waits = asked(places, THIRD, OTHER, ONE)
    places._leave(held)
    assert states(waits) == ["waiting", "holding"]


def test_who_finds_no_place_in_time_is_told_when_to_come_again() -> None:
    places = Turns(at_once=1, of_one=1, seconds=0)
    with places.turn(ONE):
        with pytest.raises(TooManyRequestsError) as caught, places.turn(OTHER):
            pass
        assert (caught.value.code, caught.value.details) == ("service-busy", {"retry_after_seconds": 5})
    with places.turn(OTHER):
        pass


def test_a_place_is_awaited_without_a_thread_and_given_back() -> None:
    async def tried() -> list[str]:
        places = Turns(at_once=1, of_one=1, seconds=0.01)
        said = []
        async with places.awaited(ONE):
            try:
                async with places.awaited(OTHER):
                    said.append("got a place that is taken")
            except TooManyRequestsError as error:
                said.append(error.code)
        async with places.awaited(OTHER):
            said.append("got it")
        return said

    assert talk(tried) == ["service-busy", "got it"]


def test_somebody_who_leaves_while_waiting_keeps_no_place() -> None:
    async def tried() -> list[str]:
        places = Turns(at_once=1, of_one=1)

        async def wanting() -> None:
            async with places.awaited(OTHER):
                pass

        async with places.awaited(ONE):
            task = asyncio.create_task(wanting())
            await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        return states(asked(places, THIRD))

    assert talk(tried) == ["holding"]


def test_a_place_that_is_handed_to_somebody_who_just_left_goes_to_the_next() -> None:
    places = Turns(at_once=1, of_one=1)
    held, left, following = asked(places, ONE, OTHER, THIRD)
    left.granted.cancel()
    places._leave(held)
    places._leave(left)
    assert states([left, following]) == ["gone", "holding"]


def test_only_so_many_wait_of_one_caller_and_of_all() -> None:
    places = Turns(at_once=1, of_one=1, waiting=2, waiting_of_one=1)
    asked(places, ONE, ONE)
    with pytest.raises(TooManyRequestsError):
        asked(places, ONE)
    asked(places, OTHER)
    with pytest.raises(TooManyRequestsError):
        asked(places, THIRD)


def test_an_ipv6_network_is_one_caller() -> None:
    assert states(asked(Turns(at_once=2, of_one=1), "2001:db8::1", "2001:db8::2")) == ["holding", "waiting"]


def test_callers_are_kept_for_a_while_and_never_by_their_address() -> None:
    places = Turns(at_once=1, of_one=1)
    for n in range(CALLERS_KEPT + 10):
        with places.turn(f"10.0.{n // 256}.{n % 256}"):
            pass
    assert len(places._had) == CALLERS_KEPT
    assert all(len(who) == 32 for who in places._had)


def test_an_amount_of_processor_time_counts_what_its_thread_and_others_used() -> None:
    used = 10.0
    amount = CpuTime(3.0, lambda: used)
    used += 1
    amount.charge(1.5)
    assert amount.left() == 0.5


def test_few_threads_work_and_another_may_while_one_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    places = Turns(at_once=1, of_one=1, seconds=0)
    monkeypatch.setattr(cpu_time, "_turns", places)
    with ExitStack() as stack:
        stack.enter_context(working(ONE))
        with working(ONE):  # within another it does nothing
            assert states(asked(places, OTHER)) == ["waiting"]
        with waiting():
            assert places._held.total() == 1  # the other's turn
            places._leave(next(iter(asked(places, THIRD))))
            places._held.clear()
        assert places._held.total() == 1
    with waiting():
        pass


def test_a_thread_whose_answer_has_begun_waits_longer_for_its_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    places = Turns(at_once=1, of_one=1, seconds=0)
    monkeypatch.setattr(cpu_time, "_turns", places)
    (held,) = asked(places, OTHER)
    with pytest.raises(TooManyRequestsError), working(ONE):
        pass
    monkeypatch.setattr(cpu_time, "PATIENT_SECONDS", 60.0)
    leaving = threading.Timer(0.05, places._leave, [held])
    leaving.start()
    with patiently(ONE), working():
        assert (cpu_time._mine.address, places._held.total()) == (ONE, 1)
    leaving.join()
