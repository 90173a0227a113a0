"""Look-ups of host names: under the caller's deadline, a few at once, and never in the way of an exit."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence

import pytest

from credentials import UnavailableError
from service.runtime import fetching, name_lookups
from service.runtime.fetching import Fetcher
from service.runtime.name_lookups import LookUpsFullError, NameLookUps

pytestmark = pytest.mark.any_database("a host name is no row")


class Stuck:
    """A resolver that answers nothing until it is let go."""

    def __init__(self) -> None:
        self.let_go = threading.Event()
        self.asked: list[str] = []

    def __call__(self, host: str, _port: int) -> Sequence[str]:
        self.asked.append(host)
        self.let_go.wait()
        return ["93.184.216.34"]


@pytest.fixture
def stuck() -> Iterator[Stuck]:
    resolver = Stuck()
    yield resolver
    resolver.let_go.set()


def refusal(fetcher: Fetcher, url: str = "https://issuer.example/") -> str:
    with pytest.raises(UnavailableError) as caught:
        fetcher.fetch(url)
    return caught.value.code


def test_a_name_that_nobody_answers_for_ends_at_the_deadline_of_the_fetch(
    stuck: Stuck, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "DEADLINE_SECONDS", 0.05)
    assert refusal(Fetcher(allow_localhost=False, resolve=stuck)) == "fetch-timeout"


def test_the_check_of_a_webhook_ends_at_the_same_deadline(stuck: Stuck, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "DEADLINE_SECONDS", 0.05)
    with pytest.raises(UnavailableError) as caught:
        Fetcher(allow_localhost=False, resolve=stuck).check("https://issuer.example/")
    assert caught.value.code == "fetch-timeout"


def test_when_every_place_is_taken_the_next_name_is_refused_and_not_asked_for(
    stuck: Stuck, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "DEADLINE_SECONDS", 0.05)
    monkeypatch.setattr(name_lookups, "AT_ONCE", 2)
    fetcher = Fetcher(allow_localhost=False, resolve=stuck)
    assert [refusal(fetcher, f"https://{n}.example/") for n in range(3)] == [
        "fetch-timeout",
        "fetch-timeout",
        "fetch-busy",
    ]
    assert stuck.asked == ["0.example", "1.example"]


def test_a_place_is_free_again_once_its_look_up_ends(stuck: Stuck, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(name_lookups, "AT_ONCE", 1)
    look_ups = NameLookUps(stuck)
    with pytest.raises(TimeoutError):
        look_ups.addresses("issuer.example", 443, time.monotonic())
    stuck.let_go.set()
    for thread in threading.enumerate():
        if thread.name == "laurel-name":
            thread.join()
    assert look_ups.addresses("issuer.example", 443, time.monotonic() + 60) == ["93.184.216.34"]


def test_an_unknown_name_says_so_and_frees_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(_host: str, _port: int) -> Sequence[str]:
        raise OSError("not known")

    monkeypatch.setattr(name_lookups, "AT_ONCE", 1)
    look_ups = NameLookUps(unknown)
    for _ in range(3):
        with pytest.raises(OSError, match="not known"):
            look_ups.addresses("issuer.example", 443, time.monotonic() + 60)


def test_a_machine_that_gives_no_thread_refuses_the_name_and_keeps_the_place(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(name_lookups, "AT_ONCE", 1)
    monkeypatch.setattr(threading.Thread, "start", refuse)
    look_ups = NameLookUps(lambda _host, _port: [])
    for _ in range(2):
        with pytest.raises(LookUpsFullError, match="No host name can be looked up now"):
            look_ups.addresses("issuer.example", 443, time.monotonic() + 60)


def test_an_address_needs_no_place(stuck: Stuck, monkeypatch: pytest.MonkeyPatch) -> None:
    stuck.let_go.set()
    monkeypatch.setattr(name_lookups, "AT_ONCE", 0)
    assert NameLookUps(stuck).addresses("93.184.216.34", 443, time.monotonic()) == ["93.184.216.34"]


def test_a_look_up_that_hangs_does_not_keep_the_process_from_ending() -> None:
    program = (
        "import threading, time\n"
        "from service.runtime.name_lookups import NameLookUps\n"
        "try:\n"
        "    NameLookUps(lambda host, port: threading.Event().wait()).addresses('x.example', 1, time.monotonic())\n"
        "except TimeoutError:\n"
        "    print('gave up')\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=60)
    assert ended.stdout == "gave up\n"
