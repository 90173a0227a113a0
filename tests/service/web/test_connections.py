"""A connection on which no request comes is closed."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from ipaddress import ip_network

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from service.web import connections
from service.web.behind_proxies import may_be_proxy
from service.web.connections import TimelyConnection
from tests.worlds.talking import talk

ANSWER = b"HTTP/1.1 204 No Content\r\n"
HEAD = b"GET / HTTP/1.1\r\nHost: localhost\r\n"


async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
    await asyncio.sleep(0.1)
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body"})


Conversation = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def on_a_connection(conversation: Conversation, state: ServerState | None = None) -> None:
    state = state or ServerState()

    async def work() -> None:
        config = uvicorn.Config(app, log_level="error", timeout_keep_alive=3600)
        config.load()
        loop = asyncio.get_running_loop()
        listening = socket.create_server(("127.0.0.1", 0))
        server = await loop.create_server(lambda: TimelyConnection(config, state, {}, loop), sock=listening)
        async with server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            await conversation(reader, writer)
            writer.close()

    talk(work)


@pytest.mark.parametrize("begun", [b"", b"GET", HEAD])
def test_a_head_that_does_not_end_is_not_waited_for(monkeypatch: pytest.MonkeyPatch, begun: bytes) -> None:
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.05)

    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(begun)
        assert await reader.read() == b""

    on_a_connection(conversation)


def test_nor_is_the_second_one(monkeypatch: pytest.MonkeyPatch) -> None:
    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + b"\r\n")
        monkeypatch.setattr(connections, "HEAD_SECONDS", 0.05)
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(ANSWER)
        writer.write(HEAD)
        assert await reader.read() == b""

    on_a_connection(conversation)


def test_a_request_that_takes_longer_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.05)

    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + b"\r\n")
        assert (await reader.read()).startswith(ANSWER)

    on_a_connection(conversation)


def test_what_is_written_leaves_at_once() -> None:
    """Also where a parent process made the socket: each answer after the first took 40 ms there."""
    state = ServerState()

    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + b"\r\n")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(ANSWER)
        (connection,) = state.connections
        served = connection.transport.get_extra_info("socket")
        assert served.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)

    on_a_connection(conversation, state)


def test_one_address_has_so_many_connections_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "may_be_proxy", lambda _peer, _trusted: False)
    monkeypatch.setattr(connections, "OF_ONE", 1)

    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + b"\r\n")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(ANSWER)
        again, second = await asyncio.open_connection(*writer.get_extra_info("peername"))
        assert (await again.read()).startswith(b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 5\r\n")
        second.close()

    on_a_connection(conversation)
    assert TimelyConnection._of == {}


@pytest.mark.parametrize(("peer", "proxy"), [("127.0.0.1", True), ("10.1.2.3", True), ("8.8.8.8", False), ("", True)])
def test_what_may_be_a_proxy_has_as_many_as_it_wants(peer: str, proxy: bool) -> None:
    assert may_be_proxy(peer, ()) is proxy
    assert may_be_proxy(peer or "8.8.8.8", [ip_network("8.8.8.0/24")]) is True
