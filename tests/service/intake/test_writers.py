"""Fifty writers on one member's evidence, over HTTP: no award lost or doubled, no event out of order or missed."""

import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Self

import httpx2
from fastapi.testclient import TestClient
from sqlalchemy import select

from service.runtime.runtime import Runtime
from service.tables import Award, Credential, Record, UnsettledMember
from tests.worlds.awarding import Stage
from tests.worlds.listening import serving
from tests.worlds.posting import rows_of
from tests.worlds.receiving import receiver
from tests.worlds.runtimes import BASE_URL, app_of, whole_app_of
from tests.worlds.waiting import until

WRITERS, EACH = 50, 2
LADDER = (1, 50, 100)
"""How many different resources the achievements ask for; the last one needs everything."""
TIMEOUT_SECONDS = 300
"""Only a hanging service takes so long."""


@contextmanager
def served(runtime: Runtime) -> Iterator[str]:
    """Give the address of the app, listening on this machine."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        with serving(whole_app_of(runtime), listening):
            yield f"http://127.0.0.1:{port}"


class Follower:
    """A reader that goes on from the last event that it has, until it is told that nobody writes any more."""

    def __init__(self, events: str, headers: dict[str, str]) -> None:
        self.seen: list[Any] = []
        self._written = threading.Event()
        self._asking = (events, headers)
        self._thread = threading.Thread(target=self._follow)

    def _follow(self) -> None:
        events, headers = self._asking
        last = 0
        with httpx2.Client(headers=headers, timeout=TIMEOUT_SECONDS) as client:
            while True:
                over = self._written.is_set()
                answer = client.get(events, params={"after": last, "limit": 7}).json()
                self.seen += answer["items"]
                last = answer["last"]
                if over and not answer["items"]:
                    return
                time.sleep(0 if answer["items"] else 0.01)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._written.set()
        self._thread.join()


def test_fifty_writers_lose_and_double_nothing_and_a_reader_misses_nothing(runtime: Runtime) -> None:
    stage = Stage.set_up(TestClient(app_of(runtime), base_url=BASE_URL), runtime)
    stage.member("m11", email="m11@example.org")
    for least in LADDER:
        rule = {"rule": "count", "where": {"types": ["shared"]}, "distinct": "resource", "gte": least}
        stage.achievement(f"share-{least}", rule)
    stage.achievement("all", {"rule": "holds", "achievements": [f"share-{least}" for least in LADDER]})
    headers = {"Authorization": f"Bearer {stage.token}"}
    ready = threading.Barrier(WRITERS)
    with receiver() as there, served(runtime) as address:
        stage.send("POST", "./webhooks", {"url": there.url, "after": 0})
        network = f"{address}/v1/networks/{stage.slug}"

        def write(writer: int) -> list[int]:
            """Post what is this writer's own, and one that every writer posts."""
            answers = []
            with httpx2.Client(headers=headers, timeout=TIMEOUT_SECONDS) as client:
                ready.wait(TIMEOUT_SECONDS)
                for turn in range(EACH):
                    name = f"resource-{writer}-{turn}"
                    own = {"ref": name, "resource": name}
                    for said in (own, {"ref": f"everybodys-{turn}", "resource": "resource-0-0", "title": "again"}):
                        body = {"member": "m11", "type": "shared", "occurred_at": "2026-03-01T10:00:00Z"} | said
                        answers.append(client.post(f"{network}/contributions", json=body).status_code)
            return answers

        with Follower(f"{network}/events", headers) as follower, ThreadPoolExecutor(WRITERS) as pool:
            codes = [code for answers in pool.map(write, range(WRITERS)) for code in answers]
        assert until(lambda: len(there.received) >= len(follower.seen))
    assert codes.count(500) == 0
    # One of fifty wins with each of everybody's; all but the first of those say again what is there.
    assert (codes.count(201), codes.count(202)) == (WRITERS * EACH + 1, EACH - 1)
    assert codes.count(200) == len(codes) - WRITERS * EACH - EACH

    awards = rows_of(runtime, Award)
    assert len(awards) == len({row.achievement_id for row in awards}) == len(LADDER) + 1
    assert {row.state for row in awards} == {"awarded"}
    assert len(rows_of(runtime, Credential)) == len(awards)
    assert rows_of(runtime, UnsettledMember) == []
    records = sorted(row.position for row in rows_of(runtime, Record))
    assert records == list(range(1, WRITERS * EACH + EACH + 1))

    positions = [event["position"] for event in follower.seen]
    assert positions == list(range(1, len(positions) + 1)), "in order, without gaps, each once"
    told = all_events(stage)
    assert follower.seen == told
    assert [event["type"] for event in told].count("award.made") == len(awards)
    assert [event["type"] for event in told].count("credential.issued") == len(awards)
    assert there.positions == positions[: len(there.received)] == positions
    with runtime.database.read() as session:
        mine = session.scalars(select(Award.id)).all()
    assert {event["about"]["award"] for event in told if event["type"] == "award.made"} == {str(each) for each in mine}


def all_events(stage: Stage) -> list[Any]:
    found: list[Any] = []
    while True:
        answer = stage.send("GET", "./events", params={"after": len(found), "limit": 200})
        found += answer["items"]
        if "next" not in answer:
            return found
