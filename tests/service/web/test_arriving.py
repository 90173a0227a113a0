"""Bodies take room before they are read, over all callers, and their senders have a limited time."""

import asyncio
import json
from typing import Any

import pytest
from fastapi.testclient import TestClient
from starlette.types import Message

from service.errors import TooManyRequestsError, TooSlowError
from service.runtime.runtime import Runtime
from service.web import arriving, rooms
from service.web.arriving import Arrival, Rooms
from service.web.rooms import Room
from tests.worlds.posting import alone
from tests.worlds.talking import Talk, talk

pytestmark = pytest.mark.any_database("bodies are read before any row")

FORM = {"Content-Type": "multipart/form-data; boundary=x"}
MEGABYTE = 2**20


def upload(number: int, megabytes: int, path: str = "/verify/batch", **more: Any) -> Talk:
    """Say that a large form will come, and send nothing of it."""
    headers = FORM | {"Content-Length": str(megabytes * MEGABYTE)}
    return Talk("POST", path, headers, client=f"192.0.2.{number}", **more)


async def all_at_once(app: Any, requests: list[Talk], meanwhile: Any = None) -> None:
    """Have all of them answered or read; then the senders go away."""
    going = [asyncio.create_task(request.on(app)) for request in requests]
    await asyncio.gather(*(request.settled.wait() for request in requests))
    if meanwhile is not None:
        await meanwhile()
    for request in requests:
        request.gone = True
    for task in going:
        task.cancel()
    await asyncio.gather(*going, return_exceptions=True)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rooms, "WAIT_SECONDS", 0.01)


@pytest.mark.usefixtures("impatient")
def test_of_forty_uploads_of_60_mb_one_is_read_and_the_others_are_told_when_to_come(
    client: TestClient,
) -> None:
    requests = [upload(number, 60) for number in range(40)]
    talk(lambda: all_at_once(client.app, requests))
    assert [request.asked for request in requests[:2]] == [1, 0] or sum(
        request.status == 0 for request in requests
    ) == 1
    refused = [request for request in requests if request.status]
    assert {request.status for request in refused} == {429}
    assert {request.answered["retry-after"] for request in refused} == {"5"}
    assert {json.loads(request.body)["code"] for request in refused} == {"too-many-uploads"}


@pytest.mark.usefixtures("impatient")
def test_uploads_whose_length_is_not_told_take_room_as_they_come(client: TestClient) -> None:
    def table(number: int, pieces: int) -> Talk:
        headers = {"Content-Type": "text/csv", "Transfer-Encoding": "chunked"}
        sent = [b"a" * MEGABYTE] * pieces
        return Talk("POST", "/v1/verification-batches", headers, sent, ends=False, client=f"192.0.2.{number}")

    requests = [table(number, pieces) for number, pieces in enumerate([1, 1, 40, 40])]
    talk(lambda: all_at_once(client.app, requests))
    assert sorted(request.status for request in requests) == [0, 0, 0, 429]
    assert [request.status for request in requests[:2]] == [0, 0]


def test_a_text_may_be_longer_than_the_room_that_it_counts_for(client: TestClient) -> None:
    request = upload(1, 60, "/v1/verification-batches")
    request.headers = dict(request.headers) | {"Content-Type": "text/csv"}
    talk(lambda: all_at_once(client.app, [request]))
    assert (request.status, request.asked) == (0, 1)


@pytest.mark.usefixtures("impatient")
def test_one_address_has_a_share(client: TestClient) -> None:
    requests = [upload(1, 40), upload(1, 40), upload(2, 30)]
    talk(lambda: all_at_once(client.app, requests))
    assert (sorted(request.status for request in requests[:2]), requests[2].status) == ([0, 429], 0)


@pytest.mark.usefixtures("impatient")
def test_json_takes_more_room_than_files(client: TestClient) -> None:
    requests = [upload(number, 4, "/v1/verification-batches") for number in (1, 2)]
    for request in requests:
        request.headers = dict(request.headers) | {"Content-Type": "application/json"}
    talk(lambda: all_at_once(client.app, requests))
    assert sorted(request.status for request in requests) == [0, 429]


@pytest.mark.parametrize("addresses", [("2001:db8::1", "2001:db8::2"), ("::ffff:192.0.2.1", "::ffff:192.0.2.1")])
@pytest.mark.usefixtures("impatient")
def test_an_ipv6_network_has_one_share(client: TestClient, addresses: tuple[str, str]) -> None:
    requests = [upload(0, 40), upload(0, 40)]
    for request, address in zip(requests, addresses, strict=True):
        request.client = address
    talk(lambda: all_at_once(client.app, requests))
    assert sorted(request.status for request in requests) == [0, 429]


@pytest.mark.usefixtures("impatient")
def test_strangers_do_not_take_the_room_of_callers_with_a_token(
    runtime: Runtime,
    client: TestClient,
) -> None:
    river = alone(runtime, client)
    strangers = [upload(number, 60) for number in range(10)]
    text = json.dumps({"starts_at": "2026-03-01T17:00:00Z", "title": "a" * 190}).encode() + b" " * 900_000
    ours = Talk(
        "PUT",
        "/v1/networks/river-writers/sessions/s1",
        {
            "Content-Type": "application/json",
            "Content-Length": str(len(text)),
            "Authorization": f"Bearer {river.token}",
        },
        [text],
    )
    talk(lambda: all_at_once(client.app, strangers, lambda: ours.on(client.app)))  # type: ignore[arg-type]
    assert ours.status == 201


@pytest.mark.usefixtures("impatient")
def test_large_bodies_do_not_take_the_room_of_small_ones(client: TestClient) -> None:
    strangers = [upload(number, 60) for number in range(10)]
    small = Talk("POST", "/v1/verifications", {"Content-Type": "application/json", "Content-Length": "2"}, [b"{}"])
    talk(lambda: all_at_once(client.app, strangers, lambda: small.on(client.app)))  # type: ignore[arg-type]
    assert small.status == 422


@pytest.mark.usefixtures("impatient")
def test_room_is_given_back_when_a_request_ends(client: TestClient) -> None:
    for _ in range(5):
        request = upload(1, 60)
        talk(lambda request=request: all_at_once(client.app, [request]))  # type: ignore[misc]
        assert request.status == 0


@pytest.mark.usefixtures("impatient")
def test_a_person_whose_file_finds_no_room_reads_a_sentence(client: TestClient) -> None:
    requests = [upload(1, 60), upload(2, 60)]
    for request in requests:
        request.headers = dict(request.headers) | {"Accept": "text/html", "Accept-Language": "es"}
    talk(lambda: all_at_once(client.app, requests))
    (refused,) = [request for request in requests if request.status]
    assert refused.status == 429
    assert "Muchas personas están enviando archivos" in refused.body.decode()


# --- Slow bodies -----------------------------------------------------------------------------------------------------


def slow(pieces: list[bytes], length: int = 1000, path: str = "/v1/verifications", accept: str = "*/*") -> Talk:
    headers = {"Content-Type": "application/json", "Content-Length": str(length), "Accept": accept}
    return Talk("POST", path, headers, pieces, ends=False)


def test_who_sends_nothing_more_gets_a_408(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arriving, "SILENT_SECONDS", 0.01)
    request = slow([b'{"url":'])
    talk(lambda: request.on(client.app))  # type: ignore[arg-type]
    assert (request.status, request.answered["connection"]) == (408, "close")
    assert request.answered["content-type"] == "application/problem+json"
    assert json.loads(request.body)["code"] == "body-too-slow"


def test_a_caller_with_a_token_who_sends_nothing_more_gets_a_408_too(
    runtime: Runtime, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arriving, "SILENT_SECONDS", 0.01)
    request = slow([b"{"], path="/v1/networks/river-writers/contributions")
    request.headers = dict(request.headers) | {"Authorization": f"Bearer {alone(runtime, client).token}"}
    talk(lambda: request.on(client.app))  # type: ignore[arg-type]
    assert (request.status, json.loads(request.body)["code"]) == (408, "body-too-slow")


def test_who_sends_too_slowly_gets_a_408(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arriving, "GRACE_SECONDS", 0.01)
    monkeypatch.setattr(arriving, "SLOWEST", 2**20)
    request = slow([b"{"])
    talk(lambda: request.on(client.app))  # type: ignore[arg-type]
    assert request.status == 408


def test_a_long_body_must_be_as_far_as_its_time(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arriving, "GRACE_SECONDS", 0.01)
    monkeypatch.setattr(arriving, "WHOLE_SECONDS", 0.01)
    request = slow([b"{" * 65_536], 2**20)
    talk(lambda: request.on(client.app))  # type: ignore[arg-type]
    assert request.status == 408


def test_a_body_without_a_length_has_a_whole_time(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arriving, "GRACE_SECONDS", 0.01)
    monkeypatch.setattr(arriving, "WHOLE_SECONDS", 0.01)
    headers = {"Content-Type": "text/plain", "Transfer-Encoding": "chunked"}
    request = Talk("POST", "/v1/verifications", headers, [b"a" * 65_536], ends=False)
    talk(lambda: request.on(client.app))  # type: ignore[arg-type]
    assert request.status == 408


def test_who_is_slow_makes_room_for_those_who_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arriving, "SILENT_SECONDS", 10**6)
    monkeypatch.setattr(arriving, "WHOLE_SECONDS", 10**6)
    monkeypatch.setattr(arriving, "SLOWEST", 1)

    async def work() -> None:
        all_rooms, wanted = Rooms(), asyncio.Event()

        async def slowly() -> Message:
            if wanted.is_set():
                await asyncio.Event().wait()
            await wanted.wait()
            monkeypatch.setattr(arriving, "GRACE_SECONDS", 0.01)
            monkeypatch.setattr(arriving, "CONTESTED_SECONDS", 0.0)
            return {"type": "http.request", "body": b"a" * MEGABYTE, "more_body": True}

        def arrival(number: int) -> Arrival:
            length = (b"content-length", str(60 * MEGABYTE).encode())
            scope = {
                "type": "http",
                "headers": [(b"content-type", b"image/png"), length],
                "client": (f"192.0.2.{number}", 1),
            }
            return Arrival(scope, slowly, all_rooms)

        slow = arrival(1)
        first = asyncio.create_task(slow.receive())
        await asyncio.sleep(0)
        waiting = asyncio.create_task(arrival(2).receive())
        await asyncio.sleep(0)
        assert all_rooms.large.wanted
        wanted.set()
        await first
        with pytest.raises(TooSlowError):
            await slow.receive()
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)

    talk(work)


def test_a_person_whose_file_stops_on_its_way_reads_a_sentence(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arriving, "SILENT_SECONDS", 0.01)
    request = upload(1, 1, "/verify")
    request.headers = dict(request.headers) | {"Accept": "text/html", "Accept-Language": "es"}
    talk(lambda: request.on(client.app))  # type: ignore[arg-type]
    assert request.status == 408
    assert "No llegó" in request.body.decode()


def test_nobody_is_hurried_after_the_body(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SILENT_SECONDS", "GRACE_SECONDS", "WHOLE_SECONDS"):
        monkeypatch.setattr(arriving, name, 0.0)
    request = Talk("POST", "/v1/verifications", {"Content-Type": "application/json", "Content-Length": "2"}, [b"{}"])
    talk(lambda: request.on(client.app))  # type: ignore[arg-type]
    assert request.status == 422


# --- The room itself -------------------------------------------------------------------------------------------------


def test_turns_are_given_in_order() -> None:
    async def work() -> list[str]:
        room, came = Room(10, 10), []

        async def enter(who: str, size: int) -> None:
            await room.take(who, size)
            came.append(who)

        await room.take("first", 8)
        going = [asyncio.create_task(enter(who, size)) for who, size in (("large", 10), ("small", 2))]
        await asyncio.sleep(0)
        assert came == []
        room.leave("first", 8)
        await asyncio.sleep(0.01)
        assert came == ["large"]
        room.leave("large", 10)
        await asyncio.gather(*going)
        return came

    assert talk(work) == ["large", "small"]


def test_who_has_used_up_a_share_does_not_hold_up_others() -> None:
    async def work() -> None:
        room = Room(10, 5)
        await room.take("one", 5)
        waiting = asyncio.create_task(room.take("one", 5))
        await asyncio.sleep(0)
        await room.take("two", 5)
        room.leave("one", 5)
        await waiting

    talk(work)


@pytest.mark.usefixtures("impatient")
def test_who_leaves_the_line_leaves_nothing_behind() -> None:
    async def work() -> None:
        room = Room(10, 10)
        await room.take("one", 10)
        with pytest.raises(TooManyRequestsError):
            await room.take("two", 10)
        gone = asyncio.create_task(room.take("three", 10))
        await asyncio.sleep(0)
        gone.cancel()
        room.leave("one", 10)  # its turn comes as it goes
        await asyncio.gather(gone, return_exceptions=True)
        await room.take("four", 10)
        assert not room.wanted

    talk(work)


def test_a_line_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rooms, "OF_ONE_CALLER", 2)

    async def work() -> None:
        room = Room(1, 1)
        await room.take("one", 1)
        waiting = [asyncio.create_task(room.take("two", 1)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(TooManyRequestsError):
            await room.take("two", 1)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)

    talk(work)


@pytest.mark.parametrize("path", ["/v1/verifications", "/verify", "/verify/batch"])
def test_a_body_that_breaks_off_is_no_fault_of_the_service(client: TestClient, path: str) -> None:
    app: Any = client.app

    async def broken_off() -> int:
        request = Talk("POST", path, FORM | {"Content-Length": "1000"}, pieces=[b"--x\r\n"], ends=False)

        async def receive() -> Message:
            request.asked += 1
            if request.asked == 1:
                return {"type": "http.request", "body": b"--x\r\n", "more_body": True}
            return {"type": "http.disconnect"}

        await app(request._scope(), receive, request._send)  # an error here would be logged at length
        return request.status

    assert talk(broken_off) == 400


@pytest.mark.usefixtures("impatient")
def test_small_bodies_that_do_not_arrive_keep_nobody_out(client: TestClient) -> None:
    headers = {"Content-Type": "application/json", "Content-Length": str(arriving.SMALL_BYTES)}
    slow = [
        Talk("POST", "/v1/verifications", headers, [b"{"], ends=False, client=f"192.0.2.{place % 5 + 1}")
        for place in range(50)
    ]
    honest = Talk("POST", "/v1/verifications", {**headers, "Content-Length": "2"}, [b"{}"], client="192.0.2.99")
    talk(lambda: all_at_once(client.app, slow, lambda: honest.on(client.app)))  # type: ignore[arg-type]
    assert honest.status == 422


def test_a_small_body_of_json_takes_the_room_to_read_it_once_it_has_arrived() -> None:
    async def work() -> list[int]:
        all_rooms = Rooms()
        left = []
        pieces = iter([(b"x" * 1000, True), (b"x" * 1000, False)])

        async def receive() -> Message:
            left.append(all_rooms.small._left)
            body, more = next(pieces)
            return {"type": "http.request", "body": body, "more_body": more}

        headers = [(b"content-type", b"application/json"), (b"content-length", b"2000")]
        scope = {"type": "http", "headers": headers, "client": ("192.0.2.1", 1)}
        arrival = Arrival(scope, receive, all_rooms)

        async def app(_scope: Any, receive: Any, _send: Any) -> None:
            await receive()
            await receive()
            left.append(all_rooms.small._left)

        async def send(_message: Message) -> None: ...

        await arrival(app, send)
        return [*left, all_rooms.small._left]

    total = 24 * MEGABYTE
    assert talk(work) == [total - 2000, total - 2000, total - 2000 * arriving.JSON_WEIGHT, total]
