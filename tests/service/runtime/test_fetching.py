"""The guarded client: what it refuses, whom it really calls, and where it stops."""

import threading
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import httpcore2
import pytest

from credentials import UnavailableError
from service.runtime import fetching, name_lookups
from service.runtime.fetching import Fetcher
from tests.worlds.listening import Asked, answering

PUBLIC = "93.184.216.34"


class Listening(httpcore2.NetworkBackend):
    """Notes whom a connection would go to, and opens none."""

    def __init__(self) -> None:
        self.called: list[tuple[str, int]] = []

    def connect_tcp(self, host: str, port: int, *_rest: Any, **_options: Any) -> httpcore2.NetworkStream:
        self.called.append((host, port))
        raise httpcore2.ConnectError("no network in tests")


def resolving(*addresses: str) -> name_lookups.Resolve:
    def resolve(_host: str, _port: int) -> Sequence[str]:
        return addresses

    return resolve


def refusal(fetcher: Fetcher, url: str) -> str:
    with pytest.raises(UnavailableError) as caught:
        fetcher.fetch(url)
    return caught.value.code


@pytest.mark.parametrize(
    "url",
    [
        "http://issuer.example/did.json",
        "ftp://issuer.example/x",
        "file:///etc/passwd",
        "https://user@issuer.example/",
        "https:///path",
        "https://issuer.example:99999/",
        "https://[::1",
        "gopher://x",
        "",
        "https://issuer.example/\r\nX: y",
        "https://issüer.example/",
    ],
)
def test_addresses_that_are_not_plain_https_are_never_asked(url: str) -> None:
    network = Listening()
    assert refusal(Fetcher(allow_localhost=False, resolve=resolving(PUBLIC), network=network), url) == "address-refused"
    assert network.called == []


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.5",
        "172.16.3.4",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "fe80::1%eth0",
        "fd00::1",
        "::ffff:10.0.0.1",
        "64:ff9b::a00:1",
        "2002:a00:1::",
        "not an address",
    ],
)
def test_a_name_that_leads_to_a_private_address_is_refused(address: str) -> None:
    network = Listening()
    fetcher = Fetcher(allow_localhost=False, resolve=resolving(address), network=network)
    assert refusal(fetcher, "https://issuer.example/") == "address-refused"
    assert network.called == []


def test_one_private_address_among_public_ones_is_refused() -> None:
    fetcher = Fetcher(allow_localhost=False, resolve=resolving(PUBLIC, "10.0.0.1"), network=Listening())
    assert refusal(fetcher, "https://issuer.example/") == "address-refused"


def test_where_the_operator_chose_the_servers_a_private_address_is_called_but_only_encrypted() -> None:
    network = Listening()
    fetcher = Fetcher(allow_localhost=False, allow_private=True, resolve=resolving("10.0.0.5"), network=network)
    assert refusal(fetcher, "http://issuer.example/") == "address-refused"
    assert refusal(fetcher, "https://issuer.example/") == "fetch-failed"
    assert network.called == [("10.0.0.5", 443)]


def test_the_connection_goes_to_the_address_that_was_checked() -> None:
    network = Listening()
    answers = iter([[PUBLIC], ["10.0.0.1"]])
    fetcher = Fetcher(allow_localhost=False, resolve=lambda _host, _port: next(answers), network=network)
    assert refusal(fetcher, "https://issuer.example/") == "fetch-failed"
    assert network.called == [(PUBLIC, 443)]


def test_localhost_is_refused_unless_this_is_a_development_service() -> None:
    assert refusal(Fetcher(allow_localhost=False), "http://localhost:1/") == "address-refused"
    assert refusal(Fetcher(allow_localhost=False), "https://localhost:1/") == "address-refused"


def test_a_host_that_nobody_knows_is_a_failed_fetch() -> None:
    def resolve(_host: str, _port: int) -> Sequence[str]:
        raise OSError

    assert refusal(Fetcher(allow_localhost=False, resolve=resolve), "https://issuer.example/") == "fetch-failed"


class Answers:
    """A small server with every habit of a bad one."""

    asked: ClassVar[list[str]] = []
    hold: ClassVar[threading.Event]

    @classmethod
    def reply(cls, request: Asked) -> None:
        cls.asked.append(request.path)
        match request.path.partition("?")[0]:
            case "/json":
                request.answer(200, b'{"a": 1}', {"Content-Type": "application/json; charset=utf-8"})
            case "/missing":
                request.answer(404)
            case "/large":
                request.answer(200, b"x" * (fetching.MAX_BYTES + 1))
            case "/packed":
                request.answer(200, b"\x1f\x8b", {"Content-Encoding": "gzip"})
            case "/moved":
                request.answer(302, b"", {"Location": "/json"})
            case "/inside":
                request.answer(302, b"", {"Location": "http://10.0.0.1/secret"})
            case "/loop":
                request.answer(302, b"", {"Location": "/loop"})
            case "/gone":
                request.answer(410, b'{"revoked": true}' + b" " * 10_000)
            case "/drip":
                request.send_response(200)
                request.end_headers()
                cls.hold.wait(20)


@pytest.fixture
def server() -> Iterator[str]:
    Answers.asked = []
    Answers.hold = threading.Event()
    with answering(Answers.reply) as url:
        yield url
        Answers.hold.set()


@pytest.fixture
def local() -> Fetcher:
    return Fetcher(allow_localhost=True, resolve=resolving("127.0.0.1"))


def test_a_document_comes_with_its_bytes_and_media_type(server: str, local: Fetcher) -> None:
    found = local.fetch(f"{server}/json")
    assert (found.body, found.media_type) == (b'{"a": 1}', "application/json")


def test_a_document_is_asked_for_once_a_minute(server: str, local: Fetcher) -> None:
    assert local.fetch(f"{server}/json") == local.fetch(f"{server}/json")
    assert Answers.asked == ["/json"]


def test_a_redirect_is_followed_and_a_loop_ends(server: str, local: Fetcher) -> None:
    found = local.fetch(f"{server}/moved")
    assert (found.body, found.moved_to) == (b'{"a": 1}', f"{server}/json")
    assert refusal(local, f"{server}/loop") == "fetch-failed"
    assert Answers.asked.count("/loop") == fetching.MAX_REDIRECTS + 1


def test_a_redirect_to_a_private_address_is_refused(server: str, local: Fetcher) -> None:
    assert refusal(local, f"{server}/inside") == "address-refused"


@pytest.mark.parametrize(
    ("path", "code"), [("/missing", "fetch-status"), ("/large", "fetch-too-large"), ("/packed", "fetch-failed")]
)
def test_what_is_not_a_plain_answer_of_bounded_size_is_a_failed_fetch(
    server: str, local: Fetcher, path: str, code: str
) -> None:
    assert refusal(local, server + path) == code


def test_of_what_is_gone_it_is_kept_what_the_server_says_of_it_within_bounds(server: str, local: Fetcher) -> None:
    with pytest.raises(fetching.TakenAwayError) as caught:
        local.fetch(f"{server}/gone")
    assert (caught.value.status, len(caught.value.body)) == (410, fetching.MAX_ANSWER_BYTES)
    assert caught.value.body.startswith(b'{"revoked": true}')


@pytest.mark.parametrize("most", [8, 5000])
def test_of_an_answer_to_what_was_sent_only_so_much_is_read_as_the_sender_says(
    server: str, local: Fetcher, most: int
) -> None:
    assert len(local.post(f"{server}/gone", b"", {}, most_bytes=most).beginning) == most


def test_a_server_that_never_finishes_is_left_at_the_deadline(
    server: str, local: Fetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "DEADLINE_SECONDS", 0.3)
    assert refusal(local, f"{server}/drip") == "fetch-timeout"


def test_a_message_shows_no_query_and_no_user(server: str, local: Fetcher) -> None:
    with pytest.raises(UnavailableError) as caught:
        local.fetch(f"{server}/missing?token=secret")
    assert "secret" not in str(caught.value)


def test_what_is_kept_of_large_documents_is_bounded(
    server: str, local: Fetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = len(local.fetch(f"{server}/json").body)
    monkeypatch.setattr(fetching, "CACHED_BYTES", 2 * size)
    for n in range(5):
        local.fetch(f"{server}/json?{n}")
        assert local._cached_bytes == sum(len(found.body) for _, found in local._cache.values()) <= 2 * size
    assert list(local._cache) == [f"{server}/json?3", f"{server}/json?4"]


class Taken(threading.BoundedSemaphore):
    """Notes who waits for it, and is never free."""

    def __init__(self) -> None:
        super().__init__(1)
        self.waited = 0

    def acquire(self, blocking: bool = True, timeout: float | None = None) -> bool:  # noqa: ARG002
        self.waited += blocking
        return False


def test_only_a_few_wait_for_their_turn() -> None:
    network = Listening()
    fetcher = Fetcher(allow_localhost=False, resolve=resolving(PUBLIC), network=network)
    fetcher._slots = taken = Taken()
    assert refusal(fetcher, "https://issuer.example/x") == "fetch-timeout"
    assert taken.waited == 1
    fetcher._waiting = Taken()
    assert refusal(fetcher, "https://issuer.example/x") == "fetch-timeout"
    assert (taken.waited, network.called) == (1, [])
