"""Fair limits: a burst, then a steady rate, each caller by itself."""

from contextlib import ExitStack

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


def test_an_ipv6_network_of_64_bits_is_one_caller() -> None:
    limit = FairUse(per_minute=1, burst=1)
    limit.take("2001:db8:1:2::1", at=0)
    with pytest.raises(TooManyRequestsError):
        limit.take("2001:db8:1:2:ffff::9", at=0)
    limit.take("2001:db8:1:3::1", at=0)


def test_an_ipv6_network_of_48_bits_does_not_have_65_536_allowances() -> None:
    limit = FairUse(per_minute=60, burst=3)
    for n in range(4):
        for _ in range(3):
            limit.take(f"2001:db8:1:{n}::1", at=0)
    with pytest.raises(TooManyRequestsError) as caught:
        limit.take("2001:db8:1:ffff::1", at=0)
    assert caught.value.details == {"retry_after_seconds": 1}
    limit.take("2001:db8:2::1", at=0)


def test_who_is_refused_for_their_network_does_not_use_up_their_own_allowance() -> None:
    limit = FairUse(per_minute=60, burst=1)
    for n in range(4):
        limit.take(f"2001:db8:1:{n}::1", at=0)
    with pytest.raises(TooManyRequestsError):
        limit.take("2001:db8:1:9::1", at=0)
    limit.take("2001:db8:1:9::1", at=0.25)


def test_an_ipv6_network_of_48_bits_has_four_times_as_much_in_progress_as_an_address() -> None:
    limit = FairUse(at_once=1)
    with ExitStack() as going_on:
        for n in range(4):
            going_on.enter_context(limit.turn(f"2001:db8:1:{n}::1", lambda: 0.0))
        with pytest.raises(TooManyRequestsError), limit.turn("2001:db8:1:9::1", lambda: 0.0):
            pass
    assert not limit._going_on


@pytest.mark.parametrize(
    ("one", "another"),
    [
        ("192.0.2.1", "::ffff:192.0.2.1"),  # as a socket for both versions shows it
        ("192.0.2.1", "2002:c000:201:7::9"),  # 6to4
        ("192.0.2.1", "2001:0:4136:e378:8000:63bf:3fff:fdfe"),  # Teredo
        ("192.0.2.1", "64:ff9b::192.0.2.1"),  # NAT64
        ("fe80::1%eth0", "fe80::2%eth1"),
        ("2001:db8::1", "2001:DB8:0:0:1::"),
    ],
)
def test_one_caller_is_one_in_every_spelling(one: str, another: str) -> None:
    limit = FairUse(per_minute=1, burst=1)
    limit.take(one, at=0)
    with pytest.raises(TooManyRequestsError):
        limit.take(another, at=0)


@pytest.mark.parametrize("form", ["::ffff:192.0.2.{}", "2002:c000:2{:02x}::1", "64:ff9b::192.0.2.{}"])
def test_ipv4_callers_who_come_as_ipv6_are_told_apart(form: str) -> None:
    limit = FairUse(per_minute=1, burst=1)
    for n in range(20):
        limit.take(form.format(n), at=0)


def test_memory_is_bounded_and_holds_no_address() -> None:
    limit = FairUse(per_minute=1, burst=1)
    for n in range(CALLERS_KEPT + 10):
        limit.take(f"caller-{n}", at=0)
    assert len(limit._accounts) == CALLERS_KEPT
    assert not any(b"caller" in who for who in limit._accounts)
