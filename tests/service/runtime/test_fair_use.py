"""Fair limits: a burst, then a steady rate, each caller by itself."""

import pytest

from service.errors import TooManyRequestsError
from service.runtime.fair_use import CALLERS_KEPT, FairUse


def test_a_burst_passes_and_the_next_is_told_when_to_come_back() -> None:
    limit = FairUse(per_minute=60, burst=3)
    for _ in range(3):
        limit.take("192.0.2.1", at=0)
    with pytest.raises(TooManyRequestsError) as caught:
        limit.take("192.0.2.1", at=0)
    assert caught.value.details == {"retry_after_seconds": 1}


def test_the_allowance_comes_back_with_time() -> None:
    limit = FairUse(per_minute=60, burst=1)
    limit.take("192.0.2.1", at=0)
    limit.take("192.0.2.1", at=1)


def test_one_caller_does_not_use_up_anothers_allowance() -> None:
    limit = FairUse(per_minute=1, burst=1)
    limit.take("192.0.2.1", at=0)
    limit.take("192.0.2.2", at=0)


def test_seconds_count_where_something_takes_long() -> None:
    limit, seconds = FairUse(per_minute=60, burst=60), iter([0.0, 0.0, 100.0, 100.0])
    steady = seconds.__next__
    with limit.turn("192.0.2.1", steady), limit.turn("192.0.2.1", steady):
        pass
    with pytest.raises(TooManyRequestsError) as caught:
        limit.take("192.0.2.1", at=100)
    assert caught.value.details == {"retry_after_seconds": 41}


def test_what_takes_long_is_not_done_as_often_as_one_likes_at_once() -> None:
    limit = FairUse(at_once=2)
    with limit.turn("192.0.2.1", lambda: 0.0), limit.turn("192.0.2.1", lambda: 0.0):
        with pytest.raises(TooManyRequestsError), limit.turn("192.0.2.1", lambda: 0.0):
            pass
        with limit.turn("192.0.2.2", lambda: 0.0):
            pass
    with limit.turn("192.0.2.1", lambda: 0.0):
        assert len(limit._going_on) == 1
    assert not limit._going_on


def test_a_place_is_free_again_whatever_came_of_it() -> None:
    limit = FairUse(at_once=1, burst=1, per_minute=60)
    with pytest.raises(RuntimeError), limit.turn("192.0.2.1", lambda: 0.0):
        raise RuntimeError
    with pytest.raises(TooManyRequestsError), limit.turn("192.0.2.1", lambda: 0.0):  # the allowance is used up
        pass
    with limit.turn("192.0.2.1", lambda: 1.0):
        pass


def test_a_debt_ends() -> None:
    limit, seconds = FairUse(per_minute=60, burst=60), iter([0.0, 1_000_000.0])
    with limit.turn("192.0.2.1", lambda: next(seconds)):
        pass
    limit.take("192.0.2.1", at=1_000_700)


def test_whoever_has_a_network_of_addresses_is_one_caller() -> None:
    limit = FairUse(per_minute=1, burst=1)
    limit.take("2001:db8:1:2::1", at=0)
    with pytest.raises(TooManyRequestsError):
        limit.take("2001:db8:1:2:ffff::9", at=0)
    limit.take("2001:db8:1:3::1", at=0)
    limit.take("::ffff:192.0.2.1", at=0)
    limit.take("::ffff:192.0.2.2", at=0)


def test_memory_is_bounded_and_holds_no_address() -> None:
    limit = FairUse(per_minute=1, burst=1)
    for n in range(CALLERS_KEPT + 10):
        limit.take(f"caller-{n}", at=0)
    assert len(limit._left) == CALLERS_KEPT
    assert not any(b"caller" in who for who in limit._left)
