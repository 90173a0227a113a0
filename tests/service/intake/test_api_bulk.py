"""Many records in one body: each line on its own, each chunk at once, nothing lost and nothing twice."""

import json
import os
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from io import BytesIO
from threading import Barrier
from typing import Any

import httpx2
import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy import select

from service.errors import CustodyError
from service.intake import bulk
from service.issuing import credentials
from service.runtime.runtime import Runtime
from service.tables import Award, Contribution, Evaluation, Import, ImportAnswer, Member, Record, RecordBody
from tests.worlds.acting import Actor, actor, refused
from tests.worlds.posting import (
    ENDORSEMENT,
    REVIEW,
    ROOT,
    RUBRIC,
    SURVEY,
    hill,
    lines,
    ndjson,
    posted,
    river,
    rows_of,
    statuses,
    unsettled,
)
from tests.worlds.runtimes import Clock, app_of

PATH = f"{ROOT}/contributions"


@pytest.fixture
def who(runtime: Runtime, client: TestClient) -> Actor:
    return river(runtime, client)


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "CHUNK_LINES", 3)


def send(who: Actor, body: Any, path: str = PATH, key: str | None = None, **headers: str) -> Response:
    headers = {"Content-Type": "application/x-ndjson"} | ({"Idempotency-Key": key} if key else {}) | headers
    content = body if isinstance(body, bytes) else ndjson(body)
    return who.ask("POST", path, content=content, headers=headers)


def reviewer(who: Actor, gte: int) -> None:
    """Publish an achievement that so many contributions earn."""
    body = {
        "ref": "reviewer",
        "name": "Reviewer",
        "description": "Reviews.",
        "achievement_type": "Badge",
        "criteria": {"narrative": "Review drafts.", "rule": {"rule": "count", "gte": gte}},
        "award": "automatic",
        "publish": True,
    }
    posted(who.post(f"{ROOT}/achievements", body))


def test_each_line_has_its_own_answer(runtime: Runtime, who: Actor) -> None:
    posted(who.post(PATH, REVIEW | {"ref": "there"}))
    answer = send(
        who,
        [
            REVIEW | {"ref": "r1", "tags": ["a"]},
            REVIEW | {"ref": "there"},
            REVIEW | {"ref": "r1", "tags": ["a"]},
            REVIEW | {"ref": "r1"},
            REVIEW | {"member": "dana"},
            b'{"member": "m11", "type": "reviewed", ',
            REVIEW | {"membre": "m11"},
            b'{"member": "m11", "member": "m12"}',
            b"[1, 2]",
            REVIEW | {"occurred_at": "2027-01-01T00:00:00Z"},
            REVIEW | {"session": "nowhere"},
            REVIEW | {"type": "danced"},
            REVIEW,
        ],
    )
    assert answer.status_code == 200
    found = lines(answer)
    assert [line["line"] for line in found] == list(range(1, 14))
    assert [
        (line["status"], line.get("problem", {}).get("code"), line.get("problem", {}).get("pointer")) for line in found
    ] == [
        ("accepted", None, None),
        ("duplicate", None, None),
        ("duplicate", None, None),
        ("rejected", "record-differs", "/ref"),
        ("held", None, None),
        ("rejected", "json-syntax", None),
        ("rejected", "invalid-request", "/membre"),
        ("rejected", "json-duplicate-key", None),
        ("rejected", "invalid-request", None),
        ("rejected", "time-in-future", "/occurred_at"),
        ("rejected", "session-unknown", "/session"),
        ("rejected", "invalid-request", "/type"),
        ("accepted", None, None),
    ]
    assert found[2]["id"] == found[0]["id"] == found[3]["problem"]["id"]
    assert all(("id" in line) == (line["status"] != "rejected") for line in found)
    assert all(line.get("problem", {}).get("detail", ".").strip() for line in found)
    assert len(rows_of(runtime, Contribution)) == 3
    with runtime.database.read() as session:
        order = session.scalars(select(Record.id).order_by(Record.position)).all()
    assert [str(record_id) for record_id in order[1:]] == [found[n]["id"] for n in (0, 4, 12)]


def test_evaluations_and_their_ratings_come_in_lines_too(runtime: Runtime, who: Actor) -> None:
    posted(who.post(PATH, REVIEW | {"ref": "draft-1"}))
    bodies = [
        RUBRIC | {"about": {"contribution": "draft-1"}},
        SURVEY,
        ENDORSEMENT,
        RUBRIC | {"evaluator": "m11"},
        RUBRIC | {"about": {"contribution": "draft-2"}},
        RUBRIC | {"evaluator": "dana"},
        {"kind": "verdict"},
    ]
    found = lines(send(who, bodies, f"{ROOT}/evaluations"))
    assert [line["status"] for line in found] == ["accepted"] * 3 + ["rejected", "rejected", "held", "rejected"]
    assert [line["problem"]["code"] for line in found if "problem" in line] == [
        "self-evaluation",
        "contribution-unknown",
        "invalid-request",
    ]
    assert len(rows_of(runtime, Evaluation)) == 3


def test_members_come_in_lines_and_what_was_held_for_them_flows_in(runtime: Runtime, who: Actor) -> None:
    reviewer(who, 2)
    send(who, [REVIEW | {"member": "dana"}, REVIEW | {"member": "dana", "peer": "emil"}])
    bodies = [
        {"ref": "dana", "email": "dana@example.org", "roles": ["assessor"]},
        {"ref": "m11", "email": "m11@example.org", "did": "did:example:m12"},
        {"ref": "m12", "did": "did:example:m12"},
        {"ref": "clash", "email": "m13@example.org", "did": "did:example:m12"},
        {"ref": "a/b"},
        {"ref": "emil", "nmae": "Emil"},
        {"ref": "emil"},
        {"ref": "emil"},
    ]
    found = lines(send(who, bodies, f"{ROOT}/members"))
    assert [line["status"] for line in found] == [
        "accepted",
        "accepted",
        "rejected",
        "rejected",
        "rejected",
        "rejected",
        "accepted",
        "accepted",
    ]
    assert found[2]["problem"]["code"] == found[3]["problem"]["code"] == "identity-conflict"
    assert found[6]["id"] == found[7]["id"]
    assert "clash" not in {member.ref for member in rows_of(runtime, Member)}
    assert statuses(runtime) == ["accepted", "accepted"]
    assert (len(rows_of(runtime, Award)), unsettled(runtime)) == (1, 0)


def test_a_body_is_read_as_it_is_written(runtime: Runtime, who: Actor) -> None:
    line = json.dumps(REVIEW).encode()
    variants = {
        b"": [],
        b"\n \n\r\n": [],
        line: [1],
        line + b"\r\n" + line + b"\r\n": [1, 2],
        b"\xef\xbb\xbf" + line + b"\n": [1],
        b"\n" + line + b"\n\n" + line: [2, 4],
    }
    for body, numbers in variants.items():
        answer = send(who, body)
        assert [(found["line"], found["status"]) for found in lines(answer)] == [(n, "accepted") for n in numbers]
    answer = send(who, [REVIEW], **{"Content-Type": "Application/X-NDJSON; charset=utf-8"})
    assert [found["status"] for found in lines(answer)] == ["accepted"]
    assert len(rows_of(runtime, Contribution)) == 7


def test_a_line_that_is_too_long_is_passed_over(runtime: Runtime, who: Actor) -> None:
    long = b'{"title": "' + b"x" * 3_000_000 + b'"}'
    just = json.dumps(REVIEW).encode().ljust(runtime.settings.max_body_bytes)
    found = lines(send(who, [long, REVIEW, just, just + b" ", b" " * 2_500_000, REVIEW]))
    assert [(line["line"], line["status"]) for line in found] == [
        (1, "rejected"),
        (2, "accepted"),
        (3, "accepted"),
        (4, "rejected"),
        (6, "accepted"),
    ]
    assert found[0]["problem"]["code"] == found[3]["problem"]["code"] == "json-too-large"


def test_chunks_are_bounded_in_lines_and_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "CHUNK_LINES", 3)
    monkeypatch.setattr(bulk, "CHUNK_BYTES", 100)
    texts = [b"1", b"2", b"", b"3", b"4", b"x" * 60, b"y" * 60, b"z" * 200, b"5"]
    chunks = list(bulk._chunks(BytesIO(b"\n".join(texts)), 150))
    assert [list(chunk) for chunk in chunks] == [[1, 2, 4], [5, 6, 7], [8], [9]]
    assert max(len(text) for chunk in chunks for text in chunk.values()) == 151


@pytest.mark.usefixtures("small_chunks")
def test_lines_of_several_chunks_are_answered_in_order(runtime: Runtime, who: Actor) -> None:
    bodies: list[Any] = [REVIEW | {"ref": f"r{n % 7}"} for n in range(10)]
    bodies[4] = b"{"
    found = lines(send(who, bodies))
    assert [line["line"] for line in found] == list(range(1, 11))
    expected = ["accepted"] * 7 + ["duplicate"] * 3
    expected[4] = "rejected"
    assert [line["status"] for line in found] == expected
    [row] = rows_of(runtime, Import)
    assert (row.next_line, row.finished_at is not None) == (11, True)


@pytest.mark.usefixtures("small_chunks")
def test_a_retry_with_the_same_key_has_the_same_answer(runtime: Runtime, who: Actor) -> None:
    bodies: list[Any] = [REVIEW, REVIEW, b"{", REVIEW | {"member": "dana"}, REVIEW]
    first = send(who, bodies, key="k")
    again = send(who, bodies, key="k")
    assert (again.status_code, again.text) == (200, first.text)
    assert len(rows_of(runtime, Record)) == 4
    # Without natural keys and without the header it is another body.
    assert send(who, bodies).text != first.text
    assert len(rows_of(runtime, Record)) == 8


def test_a_key_stands_for_one_request(who: Actor) -> None:
    send(who, [REVIEW], key="k")
    assert refused(send(who, [REVIEW, REVIEW], key="k")) == (409, "idempotency-key-reused", None)
    assert refused(send(who, [REVIEW], f"{ROOT}/evaluations", key="k")) == (409, "idempotency-key-reused", None)
    one = json.dumps(REVIEW).encode()
    as_json = {"Content-Type": "application/json", "Idempotency-Key": "k"}
    assert refused(who.ask("POST", PATH, content=one, headers=as_json)) == (409, "idempotency-key-reused", None)
    posted(who.ask("POST", PATH, content=one, headers=as_json | {"Idempotency-Key": "other"}))
    assert refused(send(who, one, key="other")) == (409, "idempotency-key-reused", None)


def test_a_key_is_forgotten_after_a_day_and_the_answer_with_it(runtime: Runtime, who: Actor, clock: Clock) -> None:
    first = send(who, [REVIEW | {"ref": "r1"}], key="k")
    clock.advance(hours=23)
    assert send(who, [REVIEW | {"ref": "r1"}], key="k").text == first.text
    clock.advance(hours=1)
    [line] = lines(send(who, [REVIEW | {"ref": "r1"}], key="k"))
    assert line["status"] == "duplicate"
    assert len(rows_of(runtime, Import)) == 2
    assert len(rows_of(runtime, ImportAnswer)) == 1


@pytest.mark.usefixtures("small_chunks")
def test_two_at_the_same_moment_share_the_work(runtime: Runtime, who: Actor) -> None:
    bodies = [REVIEW] * 20
    ready = Barrier(3)

    def post(_: int) -> Response:
        ready.wait(30)
        return send(who, bodies, key="k")

    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(post, range(3)))
    assert len({answer.text for answer in answers}) == 1
    assert [line["status"] for line in lines(answers[0])] == ["accepted"] * 20
    assert len(rows_of(runtime, Contribution)) == 20
    assert len(rows_of(runtime, Import)) == 1


@pytest.mark.usefixtures("small_chunks")
def test_two_with_the_same_records_and_no_key_lose_and_double_nothing(runtime: Runtime, who: Actor) -> None:
    bodies = [SURVEY | {"ref": f"s{n}", "source": {"system": "forms", "id": str(n)}} for n in range(20)]
    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda n: send(who, bodies[::-1] if n else bodies, f"{ROOT}/evaluations"), range(3)))
    found = [line for answer in answers for line in lines(answer)]
    assert sorted(line["status"] for line in found) == ["accepted"] * 20 + ["duplicate"] * 40
    assert len({line["id"] for line in found}) == len(rows_of(runtime, Evaluation)) == 20


def test_automatic_awards_follow_each_chunk(runtime: Runtime, who: Actor) -> None:
    reviewer(who, 2)
    send(who, [REVIEW | {"member": member} for member in ("m11", "m12", "m11", "m13", "m12")])
    assert (len(rows_of(runtime, Award)), unsettled(runtime)) == (2, 0)


def test_without_keys_the_evidence_stands_and_the_awards_wait(
    runtime: Runtime, who: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    reviewer(who, 1)

    def fail(*_: Any) -> None:
        raise CustodyError("custody-unavailable", "The key cannot be opened now.")

    with monkeypatch.context() as without:
        without.setattr(credentials, "issuer_keys", fail)
        assert [line["status"] for line in lines(send(who, [REVIEW]))] == ["accepted"]
    assert (len(rows_of(runtime, Award)), unsettled(runtime)) == (0, 1)
    send(who, b"")
    assert (len(rows_of(runtime, Award)), unsettled(runtime)) == (1, 0)


def test_who_may_not_is_refused_before_anything_is_read(runtime: Runtime, client: TestClient, who: Actor) -> None:
    reading = actor(runtime, client, slug="river-writers", scopes=["read", "members:write"])
    assert refused(send(reading, [REVIEW])) == (403, "scope-missing", None)
    assert refused(send(Actor(client, "laurel_unknown"), [REVIEW])) == (401, "token-unknown", None)
    assert refused(send(hill(runtime, client), [REVIEW])) == (404, "network-unknown", None)
    assert refused(send(who, [REVIEW], key="k" * 201))[0] == 422
    posted(actor(runtime, client).post(f"{ROOT}/closure"), 200)
    assert refused(send(who, [REVIEW])) == (409, "network-closed", None)
    assert rows_of(runtime, Import) == rows_of(runtime, Record) == []


def test_a_body_beyond_the_limit_is_refused_whole(runtime: Runtime, who: Actor) -> None:
    small = runtime.settings.model_copy(update={"max_bulk_bytes": 2048})
    with TestClient(app_of(replace(runtime, settings=small)), base_url="http://localhost:8000") as limited:
        narrow = Actor(limited, who.token)
        assert refused(send(narrow, ndjson([REVIEW] * 100)))[:2] == (413, "body-too-large")

        def pieces() -> Any:  # its length is not known beforehand
            yield from [ndjson([REVIEW])] * 100

        headers = {"Content-Type": "application/x-ndjson"}
        answer = narrow.ask("POST", PATH, content=pieces(), headers=headers)
        assert refused(answer)[:2] == (413, "body-too-large")
    assert rows_of(runtime, Record) == []


# A server whose n-th chunk is its last: it is killed before that chunk's commit, or right after it.
SERVER = """
import os, signal, socket, sys
import uvicorn
from datetime import UTC, datetime
from service.app import create_app
from service.awards import settling
from service.intake import bulk, posting
from service.runtime import settings
from service.runtime.runtime import Runtime

moment, fatal, listening = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
bulk.CHUNK_LINES = 3
module, name = {"before commit": (posting, "submit_all"), "after commit": (settling, "settle_pending")}[moment]
original, calls = getattr(module, name), 0

def deadly(*arguments, **named):
    global calls
    calls += 1
    if calls == fatal:
        if moment == "before commit":
            original(*arguments, **named)
        os.kill(os.getpid(), signal.SIGKILL)
    return original(*arguments, **named)

setattr(module, name, deadly)
runtime = Runtime.start(settings.load(), now=lambda: datetime(2026, 3, 2, 12, tzinfo=UTC))
uvicorn.Server(uvicorn.Config(create_app(runtime), log_level="error")).run(sockets=[socket.socket(fileno=listening)])
"""


def killed_while_importing(runtime: Runtime, token: str, body: bytes, moment: str, chunk: int) -> None:
    """Send a body to a server process that dies at the moment of that chunk."""
    given = runtime.settings
    environment = os.environ | {
        "LAUREL_DATABASE_URL": given.database_url,
        "LAUREL_KEYS_FOLDER": str(given.keys_folder),
        "LAUREL_KEYS_PASSPHRASE": "for tests",
        "LAUREL_DATA_FOLDER": str(given.data_folder),
    }
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        arguments = [sys.executable, "-c", SERVER, moment, str(chunk), str(listening.fileno())]
        server = subprocess.Popen(arguments, env=environment, pass_fds=[listening.fileno()])
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/x-ndjson", "Idempotency-Key": "k"}
    try:
        with pytest.raises(httpx2.TransportError):
            httpx2.post(f"http://127.0.0.1:{port}{PATH}", content=body, headers=headers, timeout=60)
        assert server.wait(60) == -signal.SIGKILL
    finally:
        server.kill()


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize(
    ("moment", "chunk", "kept"), [("before commit", 3, 6), ("after commit", 3, 9), ("after commit", 5, 14)]
)
def test_a_killed_server_loses_nothing_and_nothing_comes_twice(
    runtime: Runtime, who: Actor, moment: str, chunk: int, kept: int
) -> None:
    reviewer(who, 14)
    body = ndjson(
        [REVIEW | {"title": f"Review {n}"} for n in range(14)]
    )  # nothing in it that would make a retry harmless
    killed_while_importing(runtime, who.token, body, moment, chunk)
    assert len(rows_of(runtime, Contribution)) == kept
    assert rows_of(runtime, Award) == []
    answer = send(who, body, key="k")
    found = lines(answer)
    assert [(line["line"], line["status"]) for line in found] == [(n, "accepted") for n in range(1, 15)]
    titles = sorted(row.body["title"] for row in rows_of(runtime, RecordBody))
    assert titles == sorted(f"Review {n}" for n in range(14))
    assert {line["id"] for line in found} == {str(row.record_id) for row in rows_of(runtime, Contribution)}
    assert (len(rows_of(runtime, Award)), unsettled(runtime)) == (1, 0)
    assert [row.position for row in sorted(rows_of(runtime, Record), key=lambda row: row.id)] == list(range(1, 15))
    assert send(who, body, key="k").text == answer.text
    assert not list(runtime.settings.data_folder.glob("tmp*"))
