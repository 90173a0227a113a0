"""Many records in one body: each line on its own, each chunk at once, nothing lost and nothing twice."""

import json
import re
import signal
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from hashlib import sha256
from io import BytesIO
from threading import Barrier
from typing import Any

import httpx2
import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy import select

from service.access import callers
from service.errors import CustodyError, UnauthenticatedError
from service.intake import api_bulk, bulk, bulk_kinds, imports
from service.issuing import credentials
from service.operations import upkeep
from service.runtime.runtime import Runtime
from service.tables import Award, Contribution, Evaluation, Import, ImportAnswer, Member, Record, RecordBody
from tests.worlds.acting import Actor, actor, refused, told
from tests.worlds.posting import (
    AT,
    ENDORSEMENT,
    REVIEW,
    ROOT,
    RUBRIC,
    SURVEY,
    all_lines,
    hill,
    lines,
    ndjson,
    posted,
    river,
    rows_of,
    statuses,
    unsettled,
)
from tests.worlds.processes import environment_of, start_listening
from tests.worlds.runtimes import Clock, app_of

ONE = f"{ROOT}/contributions"
PATH = f"{ONE}/bulk"


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
    posted(who.post(ONE, REVIEW | {"ref": "there"}))
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
        ("rejected", "extra-forbidden", "/membre"),
        ("rejected", "json-duplicate-key", None),
        ("rejected", "model-type", None),
        ("rejected", "time-in-future", "/occurred_at"),
        ("rejected", "session-unknown", "/session"),
        ("rejected", "contribution-type-unknown", "/type"),
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
    posted(who.post(ONE, REVIEW | {"ref": "draft-1"}))
    bodies = [
        RUBRIC | {"about": {"contribution": "draft-1"}},
        SURVEY,
        ENDORSEMENT,
        RUBRIC | {"evaluator": "m11"},
        RUBRIC | {"about": {"contribution": "draft-2"}},
        RUBRIC | {"evaluator": "dana"},
        {"kind": "verdict"},
    ]
    found = lines(send(who, bodies, f"{ROOT}/evaluations/bulk"))
    assert [line["status"] for line in found] == ["accepted"] * 3 + ["rejected", "rejected", "held", "rejected"]
    assert [line["problem"]["code"] for line in found if "problem" in line] == [
        "self-evaluation",
        "contribution-unknown",
        "evaluation-kind",
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
    found = lines(send(who, bodies, f"{ROOT}/members/bulk"))
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


def test_bodies_wait_in_a_folder_that_only_this_account_may_read(runtime: Runtime, who: Actor) -> None:
    send(who, [REVIEW])
    assert stat.S_IMODE(runtime.settings.data_folder.stat().st_mode) == 0o700


def test_a_body_may_have_more_values_than_a_line(who: Actor) -> None:
    found = send(who, b'{"wrong": [1,2,3,4,5,6,7,8,9,10]}\n' * 3000)
    assert (found.status_code, len(lines(found))) == (200, 3000)


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
    monkeypatch.setattr(bulk, "CHUNK_BYTES", 100)
    texts = [b"1", b"2", b"", b"3", b"4", b"x" * 60, b"y" * 60, b"z" * 200, b"5"]
    chunks = list(bulk._chunks(BytesIO(b"\n".join(texts)), 150, 3))
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
    assert refused(send(who, [REVIEW], f"{ROOT}/evaluations/bulk", key="k")) == (409, "idempotency-key-reused", None)
    one = json.dumps(REVIEW).encode()
    as_json = {"Content-Type": "application/json", "Idempotency-Key": "k"}
    assert refused(who.ask("POST", ONE, content=one, headers=as_json)) == (409, "idempotency-key-reused", None)
    posted(who.ask("POST", ONE, content=one, headers=as_json | {"Idempotency-Key": "other"}))
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
        answers = list(
            pool.map(lambda n: send(who, bodies[::-1] if n else bodies, f"{ROOT}/evaluations/bulk"), range(3))
        )
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
        assert "at most 2048 bytes" in answer.json()["detail"]
    assert rows_of(runtime, Record) == []


def test_a_line_says_what_the_answer_to_a_single_one_says(who: Actor) -> None:
    bodies = [
        REVIEW | {"ref": "r1"},
        REVIEW | {"ref": "late", "occurred_at": "2020-01-01T00:00:00Z"},
        REVIEW | {"ref": "same", "title": "Draft", "occurred_at": "2026-03-01T09:00:00Z"},
        REVIEW | {"ref": "again", "title": "Draft", "occurred_at": "2026-03-01T09:00:00Z"},
        REVIEW | {"ref": "held", "member": "dana"},
    ]
    found = lines(send(who, bodies))
    assert all(line["digest"] for line in found)
    assert [(line["status"], line["tier"], line.get("flags"), line.get("waits_for")) for line in found] == [
        ("accepted", 3, None, None),
        ("accepted", 2, ["late"], None),
        ("accepted", 3, None, None),
        ("quarantined", 3, ["repeated"], None),
        ("held", 3, None, "/member"),
    ]


def test_the_last_line_has_the_totals_and_what_to_wait_on(runtime: Runtime, who: Actor) -> None:
    answer = send(who, [REVIEW | {"ref": "r1"}, b"", REVIEW | {"ref": "r1"}, b"{", REVIEW | {"member": "dana"}])
    *_, last = all_lines(answer)
    [row] = rows_of(runtime, Import)
    counts = {"accepted": 1, "duplicate": 1, "held": 1, "rejected": 1}
    assert last == {"status": "complete", "import": str(row.id), "state": "settled", "lines": 5, "counts": counts}
    assert answer.headers["link"] == f'<{ROOT}/imports/{row.id}>; rel="status"'
    shown = who.get(f"{ROOT}/imports/{row.id}").json()
    assert shown == {
        "id": str(row.id),
        "kind": "contributions",
        "state": "settled",
        "lines": 5,
        "counts": counts,
        "started_at": "2026-03-02T12:00:00Z",
        "finished_at": "2026-03-02T12:00:00Z",
        "settled_at": "2026-03-02T12:00:00Z",
    }


def test_every_line_has_the_published_shape(who: Actor) -> None:
    reviewer(who, 1)
    bodies = [REVIEW, REVIEW | {"member": "dana"}, b"{", REVIEW | {"occurred_at": "never", "minutes": "x"}]
    for line in all_lines(send(who, bodies)):
        assert line.keys() <= {field.alias or name for name, field in api_bulk.LineOut.model_fields.items()}
        api_bulk.LineOut.model_validate(line)


def begun(runtime: Runtime, who: Actor, body: bytes) -> Iterator[str]:
    """Begin to take in a body; each piece of the answer is taken by the caller."""
    with runtime.database.read() as session:
        caller, _ = callers.authenticate(session, who.token, runtime.now())
    assert caller.network_id is not None
    request = bulk.BulkRequest(caller.network_id, caller, "contributions", f"POST {PATH}?", "k")
    spool = bulk.Spool(BytesIO(body), sha256(body).hexdigest())
    return bulk.work(runtime, request, spool, bulk.begin(runtime, request, spool))


@pytest.mark.usefixtures("small_chunks")
def test_a_line_is_sent_once_it_is_committed_and_not_when_all_are(runtime: Runtime, who: Actor) -> None:
    pieces = begun(runtime, who, ndjson([REVIEW] * 8))
    for committed in (3, 6, 8):
        assert len(next(pieces).splitlines()) in {3, 2}
        assert len(rows_of(runtime, Contribution)) == committed
    assert json.loads(next(pieces))["status"] == "complete"
    assert list(pieces) == []


@pytest.mark.usefixtures("small_chunks")
def test_a_body_whose_answer_was_broken_off_goes_on_with_its_key(runtime: Runtime, who: Actor) -> None:
    body = ndjson([REVIEW | {"title": f"Review {n}"} for n in range(8)])
    pieces = begun(runtime, who, body)
    first = next(pieces)
    pieces.close()  # type: ignore[attr-defined]
    [row] = rows_of(runtime, Import)
    assert who.get(f"{ROOT}/imports/{row.id}").json()["state"] == "receiving"
    again = send(who, body, key="k")
    assert again.text.startswith(first)
    assert [line["line"] for line in lines(again)] == list(range(1, 9))
    assert len(rows_of(runtime, Contribution)) == 8
    assert who.get(f"{ROOT}/imports/{row.id}").json()["state"] == "settled"


@pytest.mark.usefixtures("small_chunks")
def test_what_is_never_sent_again_is_told_as_broken_off(runtime: Runtime, who: Actor, clock: Clock) -> None:
    next(begun(runtime, who, ndjson([REVIEW] * 8)))
    clock.advance(hours=24)
    [row] = rows_of(runtime, Import)
    shown = who.get(f"{ROOT}/imports/{row.id}").json()
    assert (shown["state"], shown["lines"], shown["counts"]) == ("broken-off", 3, {"accepted": 3})


@pytest.mark.usefixtures("small_chunks")
def test_a_body_that_cannot_go_on_says_why_in_its_last_line(who: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    honest, chunks = callers.still_good, []

    def revoked(*arguments: Any) -> None:
        chunks.append(arguments)
        if len(chunks) > 1:
            raise UnauthenticatedError("token-revoked", "Expected a valid token; this one was revoked.")
        honest(*arguments)

    bodies = [{"ref": f"s{n}", "starts_at": AT} for n in range(5)]
    with monkeypatch.context() as revoking:
        revoking.setattr(callers, "still_good", revoked)
        answer = send(who, bodies, f"{ROOT}/sessions/bulk", key="k")
        *taken, last = all_lines(answer)
        assert [line["status"] for line in taken] == ["accepted"] * 3
        assert (last["status"], last["problem"]["code"]) == ("stopped", "token-revoked")
        assert refused(send(who, bodies, f"{ROOT}/sessions/bulk", key="other"))[:2] == (401, "token-revoked")
    assert len(lines(send(who, bodies, f"{ROOT}/sessions/bulk", key="k"))) == 5


def test_sessions_come_in_lines(who: Actor) -> None:
    bodies = [
        {"ref": "2026-03-01", "starts_at": AT},
        {"ref": "ends", "starts_at": AT, "ends_at": AT},
        {"ref": "2026-03-01", "starts_at": AT, "title": "Feedback"},
        {"ref": "no-start"},
    ]
    found = lines(send(who, bodies, f"{ROOT}/sessions/bulk"))
    assert [(line["status"], line.get("problem", {}).get("code")) for line in found] == [
        ("accepted", None),
        ("rejected", "session-ends-before-start"),
        ("accepted", None),
        ("rejected", "missing"),
    ]
    assert found[0]["id"] == found[2]["id"]
    assert who.get(f"{ROOT}/sessions/2026-03-01").json()["title"] == "Feedback"
    assert who.get(f"{ROOT}/sessions/ends").status_code == 404


def test_enrolments_come_in_lines_that_name_achievement_and_member(who: Actor) -> None:
    reviewer(who, 1)
    send(who, [REVIEW])
    bodies = [
        {"achievement": "reviewer", "member": "m11"},
        {"achievement": "reviewer", "member": "m12", "version": 1, "at": "2026-01-01T00:00:00Z"},
        {"achievement": "reviewer", "member": "m13", "version": 7},
        {"achievement": "nothing", "member": "m13"},
        {"achievement": "reviewer", "member": "nobody"},
    ]
    found = lines(send(who, bodies, f"{ROOT}/enrolments/bulk"))
    assert [(line["status"], line.get("version")) for line in found[:2]] == [("accepted", 1)] * 2
    assert [(line["problem"]["code"], line["problem"]["pointer"]) for line in found[2:]] == [
        ("version-unknown", "/version"),
        ("achievement-unknown", "/achievement"),
        ("member-unknown", "/member"),
    ]
    enrolled = who.get(f"{ROOT}/achievements/reviewer/enrolments").json()["items"]
    assert [each["member"] for each in enrolled] == ["m11", "m12"]


@pytest.mark.usefixtures("small_chunks")
def test_awards_come_in_lines_and_are_made_once(runtime: Runtime, who: Actor) -> None:
    reviewer(who, 1)
    on_paper = {"achievement": "reviewer", "basis": "recorded", "reason": "On paper.", "awarded_at": AT}
    bodies = [on_paper | {"member": ref} for ref in ("m11", "m12", "m11", "m13", "nobody")]
    bodies.append({"achievement": "reviewer", "member": "m11", "basis": "override"})
    answer = send(who, bodies, f"{ROOT}/awards/bulk", key="k")
    found = lines(answer)
    assert [(line["status"], line.get("state")) for line in found] == [
        ("accepted", "awarded"),
        ("accepted", "awarded"),
        ("duplicate", "awarded"),
        ("accepted", "awarded"),
        ("rejected", None),
        ("rejected", None),
    ]
    assert found[0]["id"] == found[2]["id"]
    assert [line["problem"]["code"] for line in found[4:]] == ["member-unknown", "reason-missing"]
    assert send(who, bodies, f"{ROOT}/awards/bulk", key="k").text == answer.text
    assert len(rows_of(runtime, Award)) == 3


def test_a_line_of_awards_needs_the_scope_of_its_basis(runtime: Runtime, client: TestClient, who: Actor) -> None:
    reviewer(who, 1)
    narrow = actor(runtime, client, slug="river-writers", scopes=["awards:write"])
    body = {"achievement": "reviewer", "member": "m11", "basis": "override", "reason": "Known."}
    [line] = lines(send(narrow, [body], f"{ROOT}/awards/bulk"))
    assert line["problem"]["code"] == "scope-missing"


def test_while_awards_cannot_be_decided_the_import_is_not_settled(
    runtime: Runtime, who: Actor, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    reviewer(who, 1)

    def fail(*_: Any) -> None:
        raise CustodyError("custody-unavailable", "The key cannot be opened now.")

    with monkeypatch.context() as without:
        without.setattr(credentials, "issuer_keys", fail)
        line, last = all_lines(send(who, [REVIEW]))
        assert (line["awards_wait"], last["state"]) == (True, "settling")
        clock.advance(minutes=1)
        # What others post about the member does not make the mark of the import younger.
        who.post(ONE, REVIEW | {"ref": "another"})
        assert imports.conclude_all(runtime) == 0
    assert "import.settled" not in told(runtime)
    clock.advance(minutes=1)
    assert upkeep.settle_left_over(runtime) == 1
    assert imports.conclude_all(runtime) == 1
    assert imports.conclude_all(runtime) == 0
    [row] = rows_of(runtime, Import)
    assert who.get(f"{ROOT}/imports/{row.id}").json()["state"] == "settled"
    assert told(runtime)[-1] == "import.settled"


def test_a_sender_does_not_wait_longer_than_a_moment_for_awards(
    runtime: Runtime, who: Actor, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    reviewer(who, 1)
    monkeypatch.setattr(bulk, "SETTLING_SECONDS", 0.0)
    line, last = all_lines(send(who, [REVIEW]))
    assert (line["status"], line["awards_wait"], last["state"]) == ("accepted", True, "settling")
    clock.advance(minutes=1)
    assert upkeep.settle_left_over(runtime) == 1
    assert imports.conclude_all(runtime) == 1


def test_evidence_is_told_once_for_each_body(runtime: Runtime, who: Actor) -> None:
    reviewer(who, 2)
    before = len(told(runtime))
    send(who, [REVIEW] * 3)
    kinds = told(runtime)[before:]
    assert kinds == ["award.made", "credential.issued", "evidence.received", "import.settled"]
    send(who, [b"{"])
    send(who, [{"ref": "m11", "name": "One"}], f"{ROOT}/members/bulk")
    assert told(runtime)[before + 4 :] == ["import.settled", "member.changed", "import.settled"]


def test_another_body_than_lines_is_refused_before_it_is_read(who: Actor) -> None:
    for path in ("contributions", "evaluations", "members", "sessions", "enrolments", "awards"):
        assert refused(who.post(f"{ROOT}/{path}/bulk", {})) == (415, "media-type-unsupported", None)


def test_an_import_of_another_network_is_unknown(runtime: Runtime, client: TestClient, who: Actor) -> None:
    send(who, [REVIEW])
    [row] = rows_of(runtime, Import)
    other = hill(runtime, client)
    assert refused(other.get(f"{ROOT}/imports/{row.id}"))[:2] == (404, "network-unknown")
    assert refused(other.get(f"/v1/networks/hill-readers/imports/{row.id}"))[:2] == (404, "import-unknown")
    sender = actor(runtime, client, slug="river-writers", scopes=["evidence:write"])
    assert sender.get(f"{ROOT}/imports/{row.id}").status_code == 200
    mediator = actor(runtime, client, slug="river-writers", scopes=["cases:manage"])
    assert refused(mediator.get(f"{ROOT}/imports/{row.id}"))[:2] == (403, "scope-missing")


@pytest.mark.usefixtures("small_chunks")
def test_at_the_addresses_of_single_bodies_many_go_as_before_and_say_that_this_ends(
    runtime: Runtime, client: TestClient, who: Actor
) -> None:
    answer = send(who, [REVIEW] * 5, ONE, key="k")
    assert [(line["line"], line["status"]) for line in all_lines(answer)] == [(n, "accepted") for n in range(1, 6)]
    assert answer.headers["deprecation"] == "@1795910400"
    assert f'<{PATH}>; rel="successor-version"' in answer.headers["link"]
    assert send(who, [REVIEW] * 5, ONE, key="k").text == answer.text
    assert len(rows_of(runtime, Contribution)) == 5
    for path in ("contributions", "evaluations", "members"):
        described = client.get("/openapi.json").json()["paths"]["/v1/networks/{slug}/" + path]["post"]
        assert list(described["requestBody"]["content"]) == ["application/json"]


def test_the_description_has_the_shape_of_a_line_for_each_kind(client: TestClient) -> None:
    description = client.get("/openapi.json").json()
    for kind in bulk_kinds.KINDS:
        operation = description["paths"]["/v1/networks/{slug}/" + kind + "/bulk"]["post"]
        [(sent, body)] = operation["requestBody"]["content"].items()
        [(given, answer)] = operation["responses"]["200"]["content"].items()
        assert sent == given == "application/x-ndjson"
        line = body["schema"]["contentSchema"]
        assert all(each.keys() == {"$ref"} for each in line.get("anyOf", [line])), "a line has a name, for clients"
        assert body["schema"]["format"] == answer["schema"]["format"] == "binary", "clients send and give it as a file"
        assert answer["schema"]["contentSchema"] == {"$ref": "#/components/schemas/LineOut"}
    named = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(description)))
    assert named <= description["components"]["schemas"].keys()


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


def killed_while_importing(runtime: Runtime, token: str, body: bytes, moment: str, chunk: int) -> list[str]:
    """Send a body to a server process that dies at the moment of that chunk; return what it had answered until then."""
    server, port = start_listening(SERVER, moment, str(chunk), environment=environment_of(runtime))
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/x-ndjson", "Idempotency-Key": "k"}
    told: list[str] = []

    def listen() -> None:
        url = f"http://127.0.0.1:{port}{PATH}"
        with httpx2.stream("POST", url, content=body, headers=headers, timeout=60) as answer:
            told.extend(answer.iter_lines())

    try:
        with pytest.raises(httpx2.TransportError):
            listen()
        assert server.wait(60) == -signal.SIGKILL
    finally:
        server.kill()
    return told


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize(
    ("moment", "chunk", "kept", "told"),
    [("before commit", 3, 6, 6), ("after commit", 3, 9, 6), ("after commit", 5, 14, 12)],
)
def test_a_killed_server_loses_nothing_and_nothing_comes_twice(
    runtime: Runtime, who: Actor, moment: str, chunk: int, kept: int, told: int
) -> None:
    reviewer(who, 14)
    body = ndjson(
        [REVIEW | {"title": f"Review {n}"} for n in range(14)]
    )  # nothing in it that would make a retry harmless
    answered = killed_while_importing(runtime, who.token, body, moment, chunk)
    assert len(answered) == told, "what is committed is told at once, and nothing else is"
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
    assert answer.text.splitlines()[:told] == answered
    assert send(who, body, key="k").text == answer.text
    assert not list(runtime.settings.data_folder.glob("tmp*"))
