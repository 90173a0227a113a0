"""Fair limits: a burst, then a steady rate, each caller by itself."""

import pytest

from service.errors import TooManyRequestsError
from service.fair_use import CALLERS_KEPT, FairUse


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


def test_memory_is_bounded_and_holds_no_address() -> None:
    limit = FairUse(per_minute=1, burst=1)
    for n in range(CALLERS_KEPT + 10):
        limit.take(f"caller-{n}", at=0)
    assert len(limit._left) == CALLERS_KEPT
    assert not any(b"caller" in who for who in limit._left)
