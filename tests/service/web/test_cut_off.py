"""Requests that are broken off because the process ends."""

import asyncio
from typing import Any

import pytest

from service.web.cut_off import CutOff
from tests.worlds.talking import talk

SCOPE = {"type": "http", "method": "POST", "path": "/v1/networks", "headers": [], "query_string": b""}
START = {"type": "http.response.start", "status": 200, "headers": []}


async def nothing() -> Any:
    await asyncio.Event().wait()


def broken_off(*, begun: bool, fails: bool = False) -> list[Any]:
    """Break off a request that never ends, and return what was sent to its sender.

    Args:
        fails: whether its end fails, as that of a session does in which a thread is still at work.
    """
    sent: list[Any] = []

    async def endless(_scope: Any, receive: Any, send: Any) -> None:
        if begun:
            await send(START)
        try:
            await receive()
        except asyncio.CancelledError:
            if fails:
                await send(START | {"status": 500})
            raise

    async def send(message: Any) -> None:
        sent.append(message)

    async def ending() -> None:
        request = asyncio.ensure_future(CutOff(endless, lambda _request, _body: None)(SCOPE, nothing, send))
        await asyncio.sleep(0)
        request.cancel()
        await request

    if begun:
        with pytest.raises(asyncio.CancelledError):
            talk(ending)
    else:
        talk(ending)
    return sent


def test_the_sender_is_told_when_to_come_again() -> None:
    start, body = broken_off(begun=False)
    assert (start["status"], dict(start["headers"])[b"retry-after"]) == (503, b"10")
    assert b'"code":"service-ending"' in body["body"]


def test_an_answer_that_has_begun_just_stops() -> None:
    assert broken_off(begun=True) == [START]


def test_a_request_that_fails_because_it_was_broken_off_is_told_the_same() -> None:
    start, _ = broken_off(begun=False, fails=True)
    assert (start["status"], dict(start["headers"])[b"retry-after"]) == (503, b"10")
