"""Contributions: recorded, sealed, counted; held for members who are not known yet; refused with a reason."""

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from service.evidence import derivation
from service.runtime.runtime import Runtime
from service.tables import Contribution, ContributionTag, Network, Record
from tests.worlds.acting import Actor, actor, all_pages, refused, told
from tests.worlds.posting import AT, REVIEW, ROOT, derived, hill, posted, river, rows_of, statuses, unsettled
from tests.worlds.runtimes import Clock

PATH = f"{ROOT}/contributions"


@pytest.fixture
def who(runtime: Runtime, client: TestClient) -> Actor:
    return river(runtime, client)


@pytest.fixture
def write_only(runtime: Runtime, client: TestClient, who: Actor) -> Actor:
    _ = who
    return actor(runtime, client, slug="river-writers", scopes=["evidence:write"])


def test_a_contribution_is_recorded_and_given_back_as_it_was_posted(runtime: Runtime, who: Actor) -> None:
    body = REVIEW | {
        "ref": "review-1",
        "title": "Comments on a draft",
        "description": "What helps, and where I was lost.",
        "url": "https://river.example.org/drafts/1",
        "minutes": 25,
        "artifacts": [
            {"url": "https://river.example.org/drafts/1.pdf", "sha256": "AB" * 32, "media_type": "application/pdf"}
        ],
        "session": "s1",
        "peer": "m12",
        "resource": "draft 1",
        "tags": ["peer-writing", "draft", "draft"],
        "source": {"system": "lms", "id": "https://lms.example.org/xapi/4711?a=b"},
    }
    made = posted(who.post(PATH, body))
    assert (made["status"], made["tier"], made["awards"]) == ("accepted", 3, [])
    shown = posted(who.get(f"{ROOT}/records/{made['id']}"), 200)
    assert shown["body"] == body | {"artifacts": [body["artifacts"][0] | {"sha256": "ab" * 32}]}  # type: ignore[index]
    assert shown | {"body": None, "salt": None} == {
        "id": made["id"],
        "position": 1,
        "kind": "contribution",
        "status": "accepted",
        "ref": "review-1",
        "source": body["source"],
        "received_at": "2026-03-02T12:00:00Z",
        "occurred_at": AT,
        "type": "reviewed",
        "member": "m11",
        "member_id": posted(who.get(f"{ROOT}/members/m11"), 200)["id"],
        "minutes": 25,
        "session": "s1",
        "resource": "draft 1",
        "tags": ["draft", "peer-writing"],
        "peer": "m12",
        "tier": 3,
        "digest": made["digest"],
        "body": None,
        "salt": None,
    }
    assert posted(who.get(f"{PATH}/review-1"), 200) == posted(who.get(f"{PATH}/{made['id']}"), 200) == shown
    [row] = rows_of(runtime, Contribution)
    assert (str(row.record_id), row.type, row.minutes, row.resource, row.tier) == (
        made["id"],
        "reviewed",
        25,
        "draft 1",
        3,
    )
    assert [tag.tag for tag in rows_of(runtime, ContributionTag)] == ["peer-writing", "draft"]


def test_the_seal_is_over_the_salted_canonical_body(who: Actor) -> None:
    made = posted(who.post(PATH, REVIEW | {"occurred_at": "2026-03-01T18:00:00.250+01:00", "title": "Ü", "minutes": 5}))
    shown = posted(who.get(f"{ROOT}/records/{made['id']}"), 200)
    assert shown["body"]["occurred_at"] == AT
    salt = shown["salt"]
    assert len(bytes.fromhex(salt)) == 16
    canonical = (
        '{"body":{"member":"m11","minutes":5,"occurred_at":"2026-03-01T17:00:00Z","title":"Ü","type":"reviewed"},'
        f'"salt":"{salt}"}}'
    )
    assert made["digest"] == shown["digest"] == hashlib.sha256(canonical.encode()).hexdigest()
    again = posted(who.post(PATH, REVIEW | {"occurred_at": AT, "title": "Ü", "minutes": 5}), 202)
    assert again["digest"] != made["digest"]


DAYS_AND_WEEKS = [
    ("2026-11-29T23:30:00Z", "Europe/Berlin", "2026-11-30", "2026-W49"),
    ("2026-11-29T23:30:00Z", "America/Chicago", "2026-11-29", "2026-W48"),
    ("2026-12-31T12:00:00Z", "UTC", "2026-12-31", "2026-W53"),
    ("2027-01-03T12:00:00Z", "UTC", "2027-01-03", "2026-W53"),
    ("2024-12-30T00:00:00Z", "UTC", "2024-12-30", "2025-W01"),
    ("1900-01-01T00:00:00Z", "Pacific/Pago_Pago", "1899-12-31", "1899-W52"),
]


def test_days_and_weeks_are_those_of_the_network(
    runtime: Runtime, client: TestClient, who: Actor, clock: Clock
) -> None:
    _ = who
    clock.advance(days=400)
    admin, poster = actor(runtime, client), actor(runtime, client, slug="river-writers")
    for at, zone, _day, _week in DAYS_AND_WEEKS:
        posted(admin.ask("PATCH", ROOT, {"time_zone": zone}), 200)
        posted(poster.post(PATH, REVIEW | {"occurred_at": at}))
    rows = sorted(rows_of(runtime, Contribution), key=lambda row: row.record_id)
    assert [(row.local_date.isoformat(), row.local_week) for row in rows] == [each[2:] for each in DAYS_AND_WEEKS]


def test_the_same_again_is_the_same_record(runtime: Runtime, who: Actor) -> None:
    for key in ({"ref": "r1"}, {"source": {"system": "lms", "id": "1"}}):
        first = posted(who.post(PATH, REVIEW | key))
        again = posted(who.post(PATH, REVIEW | key), 200)
        assert again == first | {"status": "duplicate", "awards": []}
        # The same said otherwise: order of members, another zone, a null for what is left out.
        same = {"title": None, "occurred_at": "2026-03-01T11:00:00-06:00"} | key | {"type": "reviewed", "member": "m11"}
        assert posted(who.post(PATH, same), 200)["id"] == first["id"]
    assert len(rows_of(runtime, Record)) == 2


def test_without_a_key_of_its_own_it_is_another_record(runtime: Runtime, who: Actor) -> None:
    posted(who.post(PATH, REVIEW))
    posted(who.post(PATH, REVIEW))
    assert len(rows_of(runtime, Contribution)) == 2


def test_an_idempotency_key_makes_a_retry_harmless(runtime: Runtime, who: Actor) -> None:
    headers = {"Idempotency-Key": "one"}
    first = who.post(PATH, REVIEW, headers=headers)
    again = who.post(PATH, REVIEW, headers=headers)
    assert (again.status_code, again.json()) == (first.status_code, first.json()) == (201, first.json())
    assert len(rows_of(runtime, Record)) == 1
    answer = who.post(PATH, REVIEW | {"minutes": 5}, headers=headers)
    assert refused(answer) == (409, "idempotency-key-reused", None)


@pytest.mark.parametrize(
    ("before", "body", "pointer"),
    [
        ([{"ref": "r1"}], {"ref": "r1", "minutes": 5}, "/ref"),
        ([{"source": {"system": "lms", "id": "1"}}], {"source": {"system": "lms", "id": "1"}, "minutes": 5}, "/source"),
        ([{"ref": "r1"}], {"ref": "r1", "source": {"system": "lms", "id": "1"}}, "/ref"),
        (
            [{"ref": "r1"}, {"source": {"system": "lms", "id": "1"}}],
            {"ref": "r1", "source": {"system": "lms", "id": "1"}},
            "/ref",
        ),
    ],
)
def test_a_key_that_is_another_records_is_a_conflict(who: Actor, before: list[Any], body: Any, pointer: str) -> None:
    ids = [posted(who.post(PATH, REVIEW | each))["id"] for each in before]
    answer = who.post(PATH, REVIEW | body)
    assert refused(answer) == (409, "record-differs", pointer)
    assert answer.json()["id"] in ids


def test_another_kind_and_another_network_have_their_own_keys(runtime: Runtime, client: TestClient, who: Actor) -> None:
    key = {"ref": "r1", "source": {"system": "lms", "id": "1"}}
    posted(who.post(PATH, REVIEW | key))
    about = {"kind": "endorsement", "about": {"member": "m11"}, "evaluator": "m12", "occurred_at": AT}
    posted(who.post(f"{ROOT}/evaluations", about | key))
    other = hill(runtime, client)
    posted(other.put("/v1/networks/hill-readers/members/m11", {}))
    posted(other.post("/v1/networks/hill-readers/contributions", REVIEW | key))


def test_two_at_the_same_moment_are_one_record(runtime: Runtime, who: Actor) -> None:
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: who.post(PATH, REVIEW | {"ref": "r1"}), range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 201]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len(rows_of(runtime, Contribution)) == 1
    assert unsettled(runtime) == 0


def test_of_an_unknown_member_it_is_held_and_flows_in_when_the_member_is_posted(runtime: Runtime, who: Actor) -> None:
    held = posted(who.post(PATH, REVIEW | {"member": "dana", "ref": "r1"}), 202)
    assert (held["status"], held["waits_for"]) == ("held", "/member")
    assert posted(who.post(PATH, REVIEW | {"member": "dana", "ref": "r1"}), 200)["id"] == held["id"]
    [shown] = all_pages(who, f"{ROOT}/records", member="dana")
    assert (shown["status"], shown["held_for"]) == ("held", "dana")
    assert derived(runtime)["contributions"] == []
    posted(who.put(f"{ROOT}/members/dana", {}))
    [row] = rows_of(runtime, Contribution)
    assert (str(row.record_id), row.local_week) == (held["id"], "2026-W09")
    shown = posted(who.get(f"{PATH}/r1"), 200)
    assert (shown["status"], "held_for" in shown) == ("accepted", False)
    assert unsettled(runtime) == 0


def test_it_waits_for_the_peer_too(runtime: Runtime, who: Actor) -> None:
    answer = posted(who.post(PATH, REVIEW | {"member": "dana", "peer": "emil"}), 202)
    assert answer["waits_for"] == "/member"
    posted(who.put(f"{ROOT}/members/dana", {}))
    assert statuses(runtime) == ["held"]
    [shown] = all_pages(who, PATH, member="emil")
    assert shown["held_for"] == "emil"
    posted(who.put(f"{ROOT}/members/emil", {}))
    assert statuses(runtime) == ["accepted"]
    assert posted(who.post(PATH, REVIEW | {"peer": "fred"}), 202)["waits_for"] == "/peer"


def test_held_beside_a_post_of_the_member_it_still_flows_in(runtime: Runtime, who: Actor) -> None:
    with ThreadPoolExecutor(4) as pool:
        for turn in range(5):
            body = REVIEW | {"member": f"new-{turn}"}
            posting = [pool.submit(who.post, PATH, body) for _ in range(2)]
            posting.append(pool.submit(who.put, f"{ROOT}/members/new-{turn}", {}))
            assert {task.result().status_code for task in posting} <= {201, 202}
    assert statuses(runtime) == ["accepted"] * 10


def test_what_turns_out_to_be_with_oneself_is_quarantined(runtime: Runtime, who: Actor) -> None:
    posted(who.post(PATH, REVIEW | {"peer": "m11-2"}), 202)
    posted(who.put(f"{ROOT}/members/m11-2", {"email": "M11@example.org"}))
    assert statuses(runtime) == ["quarantined"]
    assert "record.quarantined" in told(runtime)
    assert rows_of(runtime, Contribution) == []
    [shown] = all_pages(who, f"{ROOT}/records", status="quarantined")
    assert "held_for" not in shown


def test_the_tier_says_whose_word_it_is(runtime: Runtime, client: TestClient, who: Actor) -> None:
    posted(who.put(f"{ROOT}/members/fay", {"roles": ["facilitator"], "email": "fay@example.org"}))
    posted(
        who.put(
            f"{ROOT}/members/gus",
            {"roles": [{"role": "assessor", "until": "2026-03-01T00:00:00Z", "from": "2026-01-01T00:00:00Z"}]},
        )
    )
    posted(who.put(f"{ROOT}/members/fay-too", {"email": "fay@example.org"}))
    by = {ref: actor(runtime, client, slug="river-writers", member=ref) for ref in ("m11", "fay", "gus")}
    tiers = {
        (poster, member): posted(by[poster].post(PATH, REVIEW | {"member": member}))["tier"]
        for poster, member in [
            ("m11", "m11"),
            ("m11", "m12"),
            ("fay", "m11"),
            ("fay", "fay"),
            ("fay", "fay-too"),
            ("gus", "m11"),
        ]
    }
    assert tiers == {
        ("m11", "m11"): 0,
        ("m11", "m12"): 1,
        ("fay", "m11"): 2,
        ("fay", "fay"): 0,
        ("fay", "fay-too"): 0,
        ("gus", "m11"): 1,
    }
    # Held for somebody who turns out to be the poster: a claim about oneself after all.
    posted(by["fay"].post(PATH, REVIEW | {"ref": "later", "member": "fay-three"}), 202)
    posted(who.put(f"{ROOT}/members/fay-three", {"email": "fay@example.org"}))
    assert posted(who.get(f"{PATH}/later"), 200)["tier"] == 0


FAR = "2026-03-02T12:05:01Z"


REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"occurred_at": FAR}, "time-in-future", "/occurred_at"),
    ({"session": "s2"}, "session-unknown", "/session"),
    ({"artifacts": [{"url": "https://a.example/"}, {"blob": "0" * 64}]}, "blob-unknown", "/artifacts/1/blob"),
    ({"peer": "m11"}, "peer-is-member", "/peer"),
    ({"occurred_at": "2026-03-01"}, "instant-invalid", "/occurred_at"),
    ({"occurred_at": "2026-03-01T17:00:00"}, "instant-invalid", "/occurred_at"),
    ({"occurred_at": "1899-12-31T23:59:59Z"}, "time-too-early", "/occurred_at"),
    ({"type": "danced"}, "contribution-type-unknown", "/type"),
    ({"type": None}, "string-type", "/type"),
    ({"member": ""}, "string-too-short", "/member"),
    ({"member": 7}, "string-type", "/member"),
    ({"members": "m11"}, "extra-forbidden", "/members"),
    ({"minutes": -1}, "greater-than-equal", "/minutes"),
    ({"minutes": "25"}, "int-type", "/minutes"),
    ({"minutes": True}, "int-type", "/minutes"),
    ({"minutes": 2**70}, "less-than-equal", "/minutes"),
    ({"url": "javascript:alert(1)"}, "url-invalid", "/url"),
    ({"artifacts": [{}]}, "artifact-place", "/artifacts/0"),
    ({"artifacts": [{"url": "https://a.example/", "blob": "0" * 64}]}, "artifact-place", "/artifacts/0"),
    ({"artifacts": [{"blob": "0" * 64, "sha256": "1" * 64}]}, "artifact-digest", "/artifacts/0"),
    (
        {"artifacts": [{"url": "https://a.example/", "sha256": "0" * 63}]},
        "string-pattern-mismatch",
        "/artifacts/0/sha256",
    ),
    (
        {"artifacts": [{"url": "https://a.example/", "sha256": "g" * 64}]},
        "string-pattern-mismatch",
        "/artifacts/0/sha256",
    ),
    (
        {"artifacts": [{"url": "https://a.example/", "media_type": "pdf"}]},
        "string-pattern-mismatch",
        "/artifacts/0/media_type",
    ),
    ({"tags": ["a\nb"]}, "line-invalid", "/tags/0"),
    ({"tags": ["x"] * 51}, "too-long", "/tags"),
    ({"title": "nul \0"}, "text-nul", "/title"),
    ({"ref": "a/b"}, "ref-invalid", "/ref"),
    ({"source": {"system": "lms"}}, "missing", "/source/id"),
]


def test_what_cannot_be_is_refused_where_it_stands(runtime: Runtime, who: Actor) -> None:
    for said, code, pointer in REFUSED:
        answer = who.post(PATH, REVIEW | said)
        assert refused(answer) == (422, code, pointer), answer.text
        assert '"m11"' not in answer.text
    assert rows_of(runtime, Record) == []


def test_five_minutes_ahead_is_a_clock_that_is_fast(who: Actor) -> None:
    posted(who.post(PATH, REVIEW | {"occurred_at": "2026-03-02T12:05:00Z"}))


NO_JSON_OBJECT = [
    (b'{"member": "m11"', 400, "json-syntax"),
    (b'{"member": "m11", "member": "m12"}', 400, "json-duplicate-key"),
    (b'{"minutes": NaN}', 400, "json-number"),
    (b'{"title": "\\ud800"}', 400, "json-lone-surrogate"),
    (b"[" * 100 + b"]" * 100, 400, "json-too-deep"),
    (b"\xff", 400, "json-not-utf8"),
    (b"[]", 422, "model-attributes-type"),
    (b" " * 1_100_000, 413, "body-too-large"),
]


def test_what_is_no_json_object_is_refused(runtime: Runtime, who: Actor) -> None:
    for body, status, code in NO_JSON_OBJECT:
        answer = who.ask("POST", PATH, content=body, headers={"Content-Type": "application/json"})
        assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert rows_of(runtime, Record) == []


def test_who_may_not_write_or_read_is_refused(runtime: Runtime, client: TestClient, write_only: Actor) -> None:
    reading = actor(runtime, client, slug="river-writers", scopes=["read"])
    assert refused(reading.post(PATH, REVIEW)) == (403, "scope-missing", None)
    assert refused(write_only.get(PATH)) == (403, "scope-missing", None)
    assert refused(Actor(client, "laurel_unknown").post(PATH, REVIEW)) == (401, "token-unknown", None)
    assert refused(hill(runtime, client).post(PATH, REVIEW)) == (404, "network-unknown", None)
    posted(actor(runtime, client).post(f"{ROOT}/closure"), 200)
    assert refused(write_only.post(PATH, REVIEW)) == (409, "network-closed", None)


def test_expired_and_revoked_tokens_write_nothing(
    runtime: Runtime, client: TestClient, who: Actor, clock: Clock
) -> None:
    made = posted(actor(runtime, client).post(f"{ROOT}/tokens", {"name": "lost", "scopes": ["evidence:write"]}))
    lost = Actor(client, made["token"])
    posted(lost.post(PATH, REVIEW))
    assert actor(runtime, client).ask("DELETE", f"{ROOT}/tokens/{made['id']}").status_code < 300
    assert refused(lost.post(PATH, REVIEW)) == (401, "token-revoked", None)
    clock.advance(days=31)
    assert refused(who.post(PATH, REVIEW)) == (401, "token-expired", None)
    assert len(rows_of(runtime, Record)) == 1


def test_a_token_for_evidence_earns_by_the_rules_alone(runtime: Runtime, who: Actor, write_only: Actor) -> None:
    """It may post and so complete a rule; it can neither award nor define what is awarded."""
    posted(
        who.post(
            f"{ROOT}/achievements",
            {
                "ref": "reviewer",
                "name": "Reviewer",
                "description": "Reviews.",
                "achievement_type": "Badge",
                "criteria": {"narrative": "Review two drafts.", "rule": {"rule": "count", "gte": 2}},
                "award": "automatic",
                "publish": True,
            },
        )
    )
    award = {"achievement": "reviewer", "member": "m11", "basis": "override", "reason": "Because."}
    assert refused(write_only.post(f"{ROOT}/awards", award)) == (403, "scope-missing", None)
    assert refused(write_only.post(f"{ROOT}/achievements/reviewer/publication")) == (403, "scope-missing", None)
    assert posted(write_only.post(PATH, REVIEW))["awards"] == []
    [made] = posted(write_only.post(PATH, REVIEW))["awards"]
    assert made["achievement"] == "reviewer"
    assert made["credential"].startswith("http://localhost:8000/credentials/")
    assert posted(write_only.post(PATH, REVIEW))["awards"] == []
    assert unsettled(runtime) == 0


def test_contributions_are_listed_by_member_type_status_and_time(who: Actor, clock: Clock) -> None:
    posted(who.post(PATH, REVIEW | {"ref": "a1"}))
    posted(who.post(PATH, REVIEW | {"ref": "b1", "member": "m12", "type": "shared"}))
    posted(
        who.post(
            f"{ROOT}/evaluations",
            {"kind": "endorsement", "about": {"member": "m11"}, "evaluator": "m12", "occurred_at": AT},
        )
    )
    clock.advance(minutes=1)
    posted(who.post(PATH, REVIEW | {"ref": "a2", "type": "x-danced"}))
    posted(who.post(PATH, REVIEW | {"ref": "d1", "member": "dana"}), 202)

    def refs(**query: Any) -> list[str]:
        return [item["ref"] for item in all_pages(who, PATH, **query)]

    assert refs() == ["a1", "b1", "a2", "d1"]
    assert refs(member="m11") == ["a1", "a2"]
    assert refs(member="dana") == ["d1"]
    assert refs(type="shared") == ["b1"]
    assert refs(status="held") == ["d1"]
    assert refs(since="2026-03-02T12:01:00Z") == ["a2", "d1"]
    assert "body" not in all_pages(who, PATH)[0]
    assert refused(who.get(PATH, after="x"))[:2] == (422, "cursor-invalid")
    assert refused(who.get(f"{PATH}/nothing")) == (404, "record-unknown", None)


def test_everything_derived_can_be_made_anew(runtime: Runtime, client: TestClient, who: Actor) -> None:
    posted(
        who.post(
            PATH,
            REVIEW | {"ref": "r1", "session": "s1", "peer": "m12", "tags": ["a", "b"], "minutes": 5, "resource": "x"},
        )
    )
    gone = posted(who.post(PATH, REVIEW))["id"]
    posted(who.post(PATH, REVIEW | {"member": "dana"}), 202)
    posted(actor(runtime, client, slug="river-writers", member="m11").post(PATH, REVIEW))
    posted(who.post(f"{ROOT}/records/{gone}/void", {"reason": "Wrong."}))
    rating = {
        "kind": "rubric",
        "about": {"contribution": "r1"},
        "occurred_at": AT,
        "rubric": "f",
        "ratings": {"x": 3, "y": 2.5},
    }
    posted(actor(runtime, client, slug="river-writers", member="m13").post(f"{ROOT}/evaluations", rating))
    judged = posted(who.post(PATH, REVIEW | {"ref": "r2"}))["id"]
    posted(who.post(f"{ROOT}/evaluations", rating | {"about": {"contribution": "r2"}, "evaluator": "m12"}))
    posted(who.post(f"{ROOT}/records/{judged}/void", {"reason": "Wrong."}))
    before = derived(runtime)
    assert [len(rows) for rows in before.values()] == [2, 2, 1, 2]
    with runtime.database.write() as session:
        network = session.scalars(select(Network).where(Network.slug == "river-writers")).one()
        assert derivation.rebuild(session, network) == 4
    assert derived(runtime) == before
    assert json.loads(who.get(f"{PATH}/r1").text)["status"] == "accepted"
