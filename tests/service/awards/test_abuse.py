"""What people try in order to get a badge that they have not earned, each as a story, and what becomes of it."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.access import callers
from service.access.act import Act
from service.console import leaked_tokens
from service.errors import UnauthenticatedError
from service.intake import releasing
from service.runtime.runtime import Runtime
from service.tables import Contribution, Evaluation, Network, Record
from tests.worlds.acting import Actor, actor, all_pages, refused
from tests.worlds.awarding import Stage, once
from tests.worlds.posting import all_lines, lines, ndjson, rows_of
from tests.worlds.runtimes import BASE_URL, app_of

SHARED = {"type": "shared", "occurred_at": "2026-03-01T10:00:00Z"}


@once
def laid(stage: Stage) -> None:
    for ref in ("m11", "m12", "m13", "m14"):
        stage.member(ref)


@pytest.fixture
def stage(runtime: Runtime) -> Iterator[Stage]:
    """A network whose members share resources: two different ones earn a badge."""
    client = TestClient(app_of(runtime), base_url=BASE_URL)
    stage = Stage.set_up(client, runtime)
    laid(stage)
    yield stage
    client.close()


def share(stage: Stage, n: int, token: str | None = None, member: str = "m11", **more: Any) -> Any:
    """Post that a member shared the n-th resource."""
    body = SHARED | {"member": member, "resource": f"resource-{n}", "ref": f"{member}-{n}"} | more
    return stage.call("POST", "./contributions", token=token, json=body)


def flags(stage: Stage, **query: Any) -> list[Any]:
    items: list[Any] = stage.send("GET", "./flags", params=query)["items"]
    return items


def states(stage: Stage) -> list[str]:
    return [award["state"] for award in stage.awards()]


def record(stage: Stage, record_id: str) -> Any:
    return stage.send("GET", f"./records/{record_id}")


def told(stage: Stage) -> list[str]:
    return [event["type"] for event in stage.send("GET", "./events", params={"limit": 200})["items"]]


# --- A token that others have ------------------------------------------------------------------------------------


@pytest.fixture
def leaked(stage: Stage) -> Any:
    """A token of the attendance import, which somebody has copied."""
    admin = actor(stage.runtime, stage.client)
    made = admin.post(
        f"/v1/networks/{stage.slug}/tokens", {"name": "import", "scopes": ["evidence:write", "read"]}
    ).json()
    return made | {"path": f"/v1/networks/{stage.slug}/tokens/{made['id']}"}


@pytest.fixture
def admin(stage: Stage) -> Actor:
    return actor(stage.runtime, stage.client)


def test_a_leaked_token_is_revoked_and_what_was_posted_with_it_counts_no_more(
    stage: Stage, leaked: Any, admin: Actor, clock: Any
) -> None:
    stage.achievement()
    honest = share(stage, 1, leaked["token"]).json()
    clock.advance(hours=1)
    since = clock.at
    forged = share(stage, 2, leaked["token"]).json()
    assert states(stage) == ["awarded"], "the thief's evidence has completed the badge"
    clock.advance(hours=1)
    answer = admin.post(f"{leaked['path']}/revocation", {"quarantine_since": since.isoformat()})
    assert (answer.status_code, answer.json()["records"]) == (200, 1)
    assert answer.json()["revoked_at"] == "2026-03-02T14:00:00Z"
    assert "token" not in answer.json()
    assert refused(share(stage, 3, leaked["token"]))[:2] == (401, "token-revoked")
    assert states(stage) == ["revoked"]
    assert [record(stage, each["id"])["status"] for each in (honest, forged)] == ["accepted", "quarantined"]
    [flag] = flags(stage)
    assert (flag["kind"], flag["record"], flag["member"], flag["quarantined"]) == ("token", forged["id"], "m11", True)
    assert told(stage)[-3:] == ["token.revoked", "record.quarantined", "credential.revoked"]
    progress = stage.send("GET", "./members/m11/progress", params={"achievement": "sharer"})
    assert forged["id"] not in str(progress)


def test_what_is_found_good_counts_again_and_is_awarded(stage: Stage, leaked: Any, admin: Actor, clock: Any) -> None:
    stage.achievement()
    made = [share(stage, n, leaked["token"]).json()["id"] for n in (1, 2)]
    admin.post(f"{leaked['path']}/revocation", {"quarantine_since": clock.at.isoformat()})
    assert states(stage) == ["revoked"]
    first = stage.send("POST", f"./records/{made[0]}/release")
    assert (first["status"], states(stage)) == ("accepted", ["revoked"])
    assert stage.send("POST", f"./records/{made[0]}/release") == first
    stage.send("POST", f"./records/{made[1]}/release")
    assert states(stage) == ["revoked", "awarded"]
    assert [flag["state"] for flag in flags(stage)] == ["released", "released"]
    assert flags(stage, state="open") == []
    assert told(stage).count("record.released") == 2


@pytest.mark.parametrize(("outcome", "expected"), [("release", "awarded"), ("void", "revoked")])
def test_everything_is_decided_on_at_once_some_at_a_time(
    stage: Stage, leaked: Any, admin: Actor, clock: Any, monkeypatch: pytest.MonkeyPatch, outcome: str, expected: str
) -> None:
    monkeypatch.setattr(releasing, "CHUNK", 2)
    stage.achievement()
    made = [share(stage, n, leaked["token"]).json()["id"] for n in range(5)]
    swept = admin.post(f"{leaked['path']}/revocation", {"quarantine_since": clock.at.isoformat()}).json()
    assert swept["records"] == 5
    body = {"outcome": outcome, "reason": "Looked at."}
    assert admin.post(f"{leaked['path']}/quarantine", body).json()["records"] == 5
    assert states(stage)[-1] == expected
    assert {("voided" in record(stage, each)) for each in made} == {outcome == "void"}
    assert flags(stage, state="open") == []
    assert admin.post(f"{leaked['path']}/quarantine", body).json()["records"] == 0


def test_a_call_that_broke_off_goes_on_when_it_is_made_again(
    stage: Stage, leaked: Any, admin: Actor, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(releasing, "CHUNK", 2)
    made = [share(stage, n, leaked["token"]).json()["id"] for n in range(5)]
    honest, body = leaked_tokens._set_aside, {"quarantine_since": clock.at.isoformat()}
    calls: list[Any] = []

    def killed(*arguments: Any) -> int:
        calls.append(arguments)
        if len(calls) == 2:
            raise SystemExit
        return honest(*arguments)

    with monkeypatch.context() as dying:
        dying.setattr(leaked_tokens, "_set_aside", killed)
        with pytest.raises(SystemExit):
            leaked_tokens.revoke_token(
                stage.runtime,
                rows_of(stage.runtime, Network)[0].id,
                leaked["id"],
                leaked_tokens.TokenRevocationIn(quarantine_since=clock.at),
                clock.at,
            )
    assert [record(stage, each)["status"] for each in made].count("quarantined") == 2
    assert refused(share(stage, 9, leaked["token"]))[:2] == (401, "token-revoked")
    assert admin.post(f"{leaked['path']}/revocation", body).json()["records"] == 3
    assert [record(stage, each)["status"] for each in made] == ["quarantined"] * 5
    assert told(stage).count("token.revoked") == 1


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_post_that_is_on_its_way_when_the_token_is_revoked_does_not_get_through(
    stage: Stage, leaked: Any, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was let in by the token before, and writes after it. (On SQLite nobody writes in between.)"""
    honest = callers.still_good

    def late(*arguments: Any) -> None:
        monkeypatch.setattr(callers, "still_good", honest)
        with stage.runtime.database.write() as session:
            network = session.query(Network).one()
            leaked_tokens.withdraw_token(Act(session, network, None, clock.at), leaked["id"])
        honest(*arguments)

    monkeypatch.setattr(callers, "still_good", late)
    assert refused(share(stage, 1, leaked["token"]))[:2] == (401, "token-revoked")
    assert rows_of(stage.runtime, Record) == []


def test_a_post_that_is_being_written_when_the_token_is_revoked_is_waited_for(
    stage: Stage, leaked: Any, admin: Actor, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    written, go_on = threading.Event(), threading.Event()
    honest = callers.still_good

    def slow(*arguments: Any) -> None:
        honest(*arguments)
        written.set()
        assert go_on.wait(60)

    monkeypatch.setattr(callers, "still_good", slow)
    answers: list[Any] = []
    posting = threading.Thread(target=lambda: answers.append(share(stage, 1, leaked["token"])))
    posting.start()
    assert written.wait(60)
    since = {"quarantine_since": (clock.at - timedelta(hours=1)).isoformat()}
    revoking = threading.Thread(target=lambda: answers.append(admin.post(f"{leaked['path']}/revocation", since)))
    revoking.start()
    revoking.join(0.3)
    assert answers == [], "the revocation waits for what is being written"
    go_on.set()
    posting.join(60)
    revoking.join(60)
    assert sorted(answer.status_code for answer in answers) == [200, 201]
    [row] = rows_of(stage.runtime, Record)
    assert row.status == "quarantined"


def test_a_bulk_import_with_a_revoked_token_stops_where_it_is(
    stage: Stage, leaked: Any, admin: Actor, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.intake.bulk.CHUNK_LINES", 2)
    honest = callers.still_good
    chunks: list[Any] = []

    def revoked_in_between(*arguments: Any) -> None:
        chunks.append(arguments)
        if len(chunks) == 2:
            raise UnauthenticatedError("token-revoked", "Expected a valid token; this one was revoked.")
        honest(*arguments)

    monkeypatch.setattr(callers, "still_good", revoked_in_between)
    bodies = [SHARED | {"member": "m11", "resource": f"r{n}", "ref": f"b{n}"} for n in range(6)]
    answer = stage.call(
        "POST",
        "./contributions/bulk",
        token=leaked["token"],
        content=ndjson(bodies),
        headers={"Content-Type": "application/x-ndjson"},
    )
    *taken, last = all_lines(answer)
    assert [line["status"] for line in taken] == ["accepted", "accepted"]
    assert (last["status"], last["problem"]["code"]) == ("stopped", "token-revoked")
    monkeypatch.setattr(callers, "still_good", honest)
    since = {"quarantine_since": clock.at.isoformat()}
    assert admin.post(f"{leaked['path']}/revocation", since).json()["records"] == 2


def test_evaluations_of_what_is_set_aside_go_with_it_and_come_back_with_it(
    stage: Stage, leaked: Any, admin: Actor, clock: Any
) -> None:
    work = share(stage, 1, leaked["token"]).json()["id"]
    rating = {
        "kind": "rubric",
        "about": {"contribution": work},
        "evaluator": "m12",
        "occurred_at": SHARED["occurred_at"],
    }
    judged = stage.send("POST", "./evaluations", rating | {"rubric": "feedback", "ratings": {"specific": 3}})["id"]
    admin.post(f"{leaked['path']}/revocation", {"quarantine_since": clock.at.isoformat()})
    assert [(flag["kind"], flag["record"], flag.get("other")) for flag in flags(stage)] == [
        ("token", work, None),
        ("contribution", judged, work),
    ]
    assert (rows_of(stage.runtime, Contribution), rows_of(stage.runtime, Evaluation)) == ([], [])
    assert refused(stage.call("POST", "./evaluations", json=rating | {"rubric": "f", "ratings": {"s": 1}}))[:2] == (
        422,
        "contribution-void",
    )
    stage.send("POST", f"./records/{work}/release")
    assert [len(rows_of(stage.runtime, table)) for table in (Contribution, Evaluation)] == [1, 1]
    assert record(stage, judged)["status"] == "accepted"


def test_what_is_voided_takes_the_evaluations_of_it_along(stage: Stage, leaked: Any, admin: Actor, clock: Any) -> None:
    work = share(stage, 1, leaked["token"]).json()["id"]
    endorsement = {"kind": "rubric", "about": {"contribution": work}, "evaluator": "m12"}
    stage.send(
        "POST",
        "./evaluations",
        endorsement | {"rubric": "f", "ratings": {"s": 3}, "occurred_at": SHARED["occurred_at"]},
    )
    admin.post(f"{leaked['path']}/revocation", {"quarantine_since": clock.at.isoformat()})
    stage.send("POST", f"./records/{work}/void", {"reason": "Forged."})
    assert [flag["state"] for flag in flags(stage)] == ["voided", "voided"]
    answer = stage.call("POST", f"./records/{work}/release")
    assert refused(answer)[:2] == (409, "record-void")


def test_held_evidence_of_a_leaked_token_does_not_flow_in_with_its_member(
    stage: Stage, leaked: Any, admin: Actor, clock: Any
) -> None:
    held = share(stage, 1, leaked["token"], member="m99").json()
    assert held["status"] == "held"
    admin.post(f"{leaked['path']}/revocation", {"quarantine_since": clock.at.isoformat()})
    stage.member("m99")
    assert record(stage, held["id"])["status"] == "quarantined"
    assert rows_of(stage.runtime, Contribution) == []
    other = share(stage, 2, member="m98").json()
    assert stage.send("POST", f"./records/{held['id']}/release")["status"] == "accepted"
    assert record(stage, other["id"])["status"] == "held"


def test_what_a_leaked_token_voided_stays_void_and_is_pointed_out(
    stage: Stage, leaked: Any, admin: Actor, clock: Any
) -> None:
    mine = share(stage, 1).json()["id"]
    void = stage.send("POST", f"./records/{mine}/void", {"reason": "x"}, token=leaked["token"])["id"]
    for _ in range(2):
        admin.post(f"{leaked['path']}/revocation", {"quarantine_since": clock.at.isoformat()})
        [flag] = flags(stage)
        assert (flag["record"], flag["other"], flag["quarantined"]) == (void, mine, False)
    assert refused(stage.call("POST", f"./records/{void}/release"))[:2] == (409, "record-void")


def test_revocation_without_a_time_leaves_what_was_posted(stage: Stage, leaked: Any, admin: Actor, clock: Any) -> None:
    share(stage, 1, leaked["token"])
    assert admin.post(f"{leaked['path']}/revocation", {}).json()["records"] == 0
    assert (flags(stage), len(rows_of(stage.runtime, Contribution))) == ([], 1)
    later = {"quarantine_since": (clock.at + timedelta(seconds=1)).isoformat()}
    assert refused(admin.post(f"{leaked['path']}/revocation", later)) == (422, "time-in-future", "/quarantine_since")


def test_only_an_admin_revokes_a_token_and_only_of_its_network(stage: Stage, leaked: Any, admin: Actor) -> None:
    Stage.set_up(stage.client, stage.runtime, "hill")
    for action, body in (("revocation", {}), ("quarantine", {"outcome": "void", "reason": "x"})):
        assert refused(stage.call("POST", f"{leaked['path']}/{action}", json=body))[:2] == (403, "scope-missing")
        elsewhere = leaked["path"].replace(stage.slug, "hill")
        assert refused(admin.post(f"{elsewhere}/{action}", body))[:2] == (404, "token-unknown")
    assert share(stage, 1, leaked["token"]).status_code == 201


def test_nobody_releases_what_bears_on_themself(stage: Stage, leaked: Any, admin: Actor, clock: Any) -> None:
    stage.member("m12", roles=[{"role": "facilitator", "from": "2026-01-01T00:00:00Z"}])
    stage.member("m13", roles=[{"role": "facilitator", "from": "2026-01-01T00:00:00Z"}])
    made = share(stage, 1, leaked["token"], member="m12").json()["id"]
    admin.post(f"{leaked['path']}/revocation", {"quarantine_since": clock.at.isoformat()})
    stage.member("m12", email="m12@example.org")
    stage.member("also-m12", email="m12@example.org", roles=[{"role": "assessor", "from": "2026-01-01T00:00:00Z"}])
    for ref, code in (("m11", "release-own"), ("m12", "self-decision"), ("also-m12", "self-decision")):
        token = stage.token_with("evidence:write", member=ref)
        assert refused(stage.call("POST", f"./records/{made}/release", token=token))[:2] == (403, code)
    token = stage.token_with("evidence:write", member="m13")
    assert stage.call("POST", f"./records/{made}/release", token=token).json()["status"] == "accepted"


def test_another_networks_records_and_flags_are_not_there(stage: Stage, leaked: Any, admin: Actor, clock: Any) -> None:
    made = share(stage, 1, leaked["token"]).json()["id"]
    admin.post(f"{leaked['path']}/revocation", {"quarantine_since": clock.at.isoformat()})
    other = Stage.set_up(stage.client, stage.runtime, "hill")
    assert flags(other) == []
    assert refused(other.call("POST", f"./records/{made}/release"))[:2] == (404, "record-unknown")
    assert refused(stage.call("GET", "./flags", token=other.token))[:2] == (404, "network-unknown")
    blind = stage.token_with("evidence:write")
    assert refused(stage.call("GET", "./flags", token=blind))[:2] == (403, "scope-missing")


def test_flags_are_listed_in_pages_and_by_what_they_are_about(
    stage: Stage, leaked: Any, admin: Actor, clock: Any
) -> None:
    made = [share(stage, n, leaked["token"], member=f"m1{n}").json()["id"] for n in (1, 2, 3)]
    admin.post(f"{leaked['path']}/revocation", {"quarantine_since": clock.at.isoformat()})
    reader = actor(stage.runtime, stage.client, slug=stage.slug, scopes=["read"])
    assert [flag["record"] for flag in all_pages(reader, f"/v1/networks/{stage.slug}/flags")] == made
    assert [flag["record"] for flag in flags(stage, member="m12")] == [made[1]]
    assert [flag["record"] for flag in flags(stage, record=made[2])] == [made[2]]
    assert flags(stage, kind="late") == flags(stage, state="voided") == []
    unknown = stage.call("GET", "./flags", params={"member": "nobody"})
    assert refused(unknown) == (422, "member-unknown", "member")


# --- Evidence that comes long after ------------------------------------------------------------------------------

OLD = {"occurred_at": "2025-11-01T10:00:00Z"}


def attesting(min_tier: int) -> Any:
    """A rule that counts what is shared from a tier on."""
    return {"rule": "count", "where": {"types": ["shared"], "min_tier": min_tier}, "gte": 1}


def test_evidence_that_comes_long_after_counts_a_tier_lower_until_somebody_vouches_for_it(stage: Stage) -> None:
    stage.achievement(rule=attesting(3))
    late = share(stage, 1, **OLD)
    assert (late.status_code, late.json()["tier"], late.json()["flags"]) == (201, 2, ["late"])
    assert states(stage) == []
    [flag] = flags(stage)
    assert (flag["kind"], flag["record"], flag["member"], flag["quarantined"]) == (
        "late",
        late.json()["id"],
        "m11",
        False,
    )
    mine = stage.token_with("evidence:write", member="m11")
    answer = stage.call("POST", f"./records/{late.json()['id']}/release", token=mine)
    assert refused(answer)[:2] == (403, "self-decision")
    assert stage.send("POST", f"./records/{late.json()['id']}/release")["tier"] == 3
    assert (states(stage), flags(stage)[0]["state"]) == (["awarded"], "released")


def test_windows_go_by_when_it_happened_and_not_by_when_it_came(stage: Stage) -> None:
    window = {"from": "2026-01-01", "to": "2026-12-31"}
    stage.achievement(rule={"rule": "count", "where": {"types": ["shared"]}, "gte": 1, "window": window})
    share(stage, 1, **OLD)
    assert states(stage) == []
    share(stage, 2)
    assert states(stage) == ["awarded"]


def test_a_network_says_what_is_late(stage: Stage, admin: Actor) -> None:
    path = f"/v1/networks/{stage.slug}"
    assert admin.get(path).json()["late_after_days"] == 90
    assert admin.ask("PATCH", path, {"late_after_days": 200}).json()["late_after_days"] == 200
    assert share(stage, 1, **OLD).json()["tier"] == 3
    admin.ask("PATCH", path, {"late_after_days": 1})
    assert share(stage, 2, occurred_at="2026-03-01T12:00:00Z").json()["tier"] == 3
    assert share(stage, 3, occurred_at="2026-03-01T11:59:59Z").json()["tier"] == 2
    assert refused(admin.ask("PATCH", path, {"late_after_days": 0}))[:2] == (422, "greater-than-equal")


def test_a_members_own_late_word_cannot_sink_below_the_lowest_tier(stage: Stage) -> None:
    mine = stage.token_with("evidence:write", member="m11")
    late = share(stage, 1, mine, **OLD).json()
    assert (late["tier"], late["flags"]) == (0, ["late"])


def test_late_evidence_that_waited_for_its_member_is_late_too(stage: Stage) -> None:
    held = share(stage, 1, member="m99", **OLD).json()
    stage.member("m99")
    assert record(stage, held["id"])["tier"] == 2
    assert [flag["kind"] for flag in flags(stage, member="m99")] == ["late"]


def test_late_evidence_of_a_leaked_token_is_still_late_when_all_is_released(
    stage: Stage, leaked: Any, admin: Actor, clock: Any
) -> None:
    made = share(stage, 1, leaked["token"], **OLD).json()["id"]
    admin.post(f"{leaked['path']}/revocation", {"quarantine_since": clock.at.isoformat()})
    admin.post(f"{leaked['path']}/quarantine", {"outcome": "release", "reason": "Checked."})
    assert (record(stage, made)["status"], record(stage, made)["tier"]) == ("accepted", 2)
    assert [flag["kind"] for flag in flags(stage, state="open")] == ["late"]


# --- The same evidence again -------------------------------------------------------------------------------------


def test_the_same_evidence_under_another_id_does_not_count_again(stage: Stage) -> None:
    stage.achievement(rule={"rule": "count", "where": {"types": ["shared"]}, "gte": 2})
    first = share(stage, 1, title="Reading aloud").json()
    for other in ({"ref": "another"}, {"source": {"system": "lms", "id": "1"}}, {"ref": None}):
        said = {name: value for name, value in other.items() if value is not None}
        again = SHARED | {"member": "m11", "resource": "resource-1", "title": "Reading aloud"} | said
        answer = stage.call("POST", "./contributions", json=again)
        assert (answer.status_code, answer.json()["status"]) == (202, "quarantined")
        assert (answer.json()["flags"], answer.json()["awards"]) == (["repeated"], [])
    assert states(stage) == []
    assert {(flag["kind"], flag["other"], flag["quarantined"]) for flag in flags(stage)} == {
        ("repeated", first["id"], True)
    }
    assert share(stage, 1, title="Reading aloud").json()["status"] == "duplicate"


def test_one_piece_of_evidence_counts_once_for_a_criterion(stage: Stage) -> None:
    stage.achievement(rule={"rule": "count", "where": {"types": ["shared"]}, "gte": 2})
    for _ in range(3):
        share(stage, 1)
    assert states(stage) == []
    assert len(rows_of(stage.runtime, Contribution)) == 1


def test_a_repetition_is_found_within_one_body_of_many_lines(stage: Stage) -> None:
    bodies = [SHARED | {"member": "m11", "resource": "r", "ref": f"b{n}"} for n in range(3)]
    answer = stage.call(
        "POST", "./contributions/bulk", content=ndjson(bodies), headers={"Content-Type": "application/x-ndjson"}
    )
    assert [line["status"] for line in lines(answer)] == ["accepted", "quarantined", "quarantined"]


def test_an_evaluation_that_is_given_twice_counts_once_and_an_anonymous_answer_each_time(stage: Stage) -> None:
    body = {"kind": "endorsement", "about": {"member": "m11"}, "evaluator": "m12", "skill": "feedback"}
    for ref, expected in (("a", 201), ("b", 202)):
        answer = stage.call("POST", "./evaluations", json=body | {"ref": ref, "occurred_at": SHARED["occurred_at"]})
        assert answer.status_code == expected
    stage.send("PUT", "./sessions/s1", {"starts_at": "2026-03-01T10:00:00Z"})
    survey = {"kind": "survey", "about": {"session": "s1"}, "anonymous": True, "instrument": "pulse"}
    for ref in ("c", "d"):
        said = survey | {"ref": ref, "answers": {"good": 4}, "occurred_at": SHARED["occurred_at"]}
        assert stage.call("POST", "./evaluations", json=said).status_code == 201


def test_what_differs_in_anything_but_its_id_is_something_else(stage: Stage) -> None:
    share(stage, 1)
    assert share(stage, 1, ref="other", minutes=5).status_code == 201
    assert share(stage, 1, ref="later", occurred_at="2026-03-01T10:00:01Z").status_code == 201
    assert share(stage, 1, ref="theirs", member="m12").status_code == 201
    for ref in ("bare-1", "bare-2"):
        assert stage.call("POST", "./contributions", json=SHARED | {"member": "m11", "ref": ref}).status_code == 201


def test_what_was_set_aside_counts_once_somebody_has_looked_at_it(stage: Stage) -> None:
    stage.achievement(rule={"rule": "count", "where": {"types": ["shared"]}, "gte": 2})
    share(stage, 1)
    again = share(stage, 1, ref="another").json()["id"]
    stage.send("POST", f"./records/{again}/release")
    assert states(stage) == ["awarded"]


def test_what_waited_for_its_member_is_looked_at_when_it_flows_in(stage: Stage) -> None:
    first, second = (share(stage, 1, member="m99", ref=ref).json() for ref in ("a", "b"))
    assert (first["status"], second["status"]) == ("held", "held")
    stage.member("m99")
    assert [record(stage, each["id"])["status"] for each in (first, second)] == ["accepted", "quarantined"]


# --- In two meetings at once -------------------------------------------------------------------------------------


def meeting(stage: Stage, ref: str, starts: str, ends: str | None) -> None:
    times = {"starts_at": f"2026-03-01T{starts}:00Z"} | ({"ends_at": f"2026-03-01T{ends}:00Z"} if ends else {})
    stage.send("PUT", f"./sessions/{ref}", times)


def attend(stage: Stage, session: str | None, member: str = "m11", at: str = "10:00", minutes: int = 60) -> Any:
    body = {"member": member, "type": "attended", "occurred_at": f"2026-03-01T{at}:00Z", "minutes": minutes}
    return stage.call("POST", "./contributions", json=body | ({"session": session} if session else {}))


def test_who_idles_in_two_meetings_at_once_has_the_minutes_of_one(stage: Stage) -> None:
    stage.achievement(rule={"rule": "sum", "field": "minutes", "where": {"types": ["attended"]}, "gte": 120})
    meeting(stage, "s1", "10:00", "11:00")
    meeting(stage, "s2", "10:00", "11:00")
    first, second = attend(stage, "s1").json(), attend(stage, "s2")
    assert (second.status_code, second.json()["status"], second.json()["flags"]) == (202, "quarantined", ["overlap"])
    assert states(stage) == []
    assert [(flag["record"], flag["other"], flag["quarantined"]) for flag in flags(stage, kind="overlap")] == [
        (second.json()["id"], first["id"], True),
        (first["id"], second.json()["id"], False),
    ]
    meeting(stage, "s3", "11:00", "12:00")
    assert attend(stage, "s3", at="11:00").status_code == 201
    assert states(stage) == ["awarded"]


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (("10:00", "11:00"), ("10:50", "11:50"), 201),
        (("10:00", "11:00"), ("10:49", "11:50"), 202),
        (("10:00", "11:00"), ("10:20", "10:40"), 202),
        (("10:20", "10:40"), ("10:00", "11:00"), 202),
        (("10:00", "11:00"), ("12:00", "13:00"), 201),
        (("10:00", None), ("10:00", "11:00"), 202),
    ],
)
def test_meetings_may_overrun_a_little(
    stage: Stage, first: tuple[str, str | None], second: tuple[str, str | None], expected: int
) -> None:
    meeting(stage, "s1", *first)
    meeting(stage, "s2", *second)
    assert attend(stage, "s1").status_code == 201
    assert attend(stage, "s2").status_code == expected
    assert attend(stage, "s2", member="m12").status_code == 201


def test_who_comes_back_to_a_meeting_is_in_the_same_one(stage: Stage) -> None:
    meeting(stage, "s1", "10:00", "11:00")
    assert [attend(stage, "s1", minutes=minutes).status_code for minutes in (20, 30)] == [201, 201]


def test_without_sessions_the_minutes_say_who_was_where(stage: Stage) -> None:
    assert [attend(stage, None, at=at, minutes=60).status_code for at in ("10:00", "10:30", "11:00")] == [201, 202, 201]
    assert attend(stage, None, at="10:10", minutes=0).status_code == 201


def test_an_overlap_is_found_within_one_body_of_many_lines(stage: Stage) -> None:
    meeting(stage, "s1", "10:00", "11:00")
    meeting(stage, "s2", "10:30", "11:30")
    bodies = [
        {"member": "m11", "type": "attended", "occurred_at": "2026-03-01T10:30:00Z", "session": ref}
        for ref in ("s1", "s2")
    ]
    answer = stage.call(
        "POST", "./contributions/bulk", content=ndjson(bodies), headers={"Content-Type": "application/x-ndjson"}
    )
    assert [line["status"] for line in lines(answer)] == ["accepted", "quarantined"]


# --- One piece of work under two names ---------------------------------------------------------------------------

DIGEST = "ab" * 32


def hand_in(stage: Stage, member: str, digest: str = DIGEST, **more: Any) -> Any:
    body = {"member": member, "type": "authored", "occurred_at": SHARED["occurred_at"]}
    artifact = {"url": f"https://river.example.org/{member}", "sha256": digest}
    return stage.call("POST", "./contributions", json=body | {"artifacts": [artifact]} | more)


def test_one_piece_of_work_under_two_names_counts_for_the_first(stage: Stage) -> None:
    stage.achievement(rule={"rule": "count", "where": {"types": ["authored"]}, "gte": 1})
    first, second = hand_in(stage, "m11").json(), hand_in(stage, "m12")
    assert (second.status_code, second.json()["flags"], second.json()["awards"]) == (202, ["shared-artifact"], [])
    assert [award["member"] for award in stage.awards()] == ["m11"]
    shown = [(flag["member"], flag["other_member"], flag["quarantined"]) for flag in flags(stage)]
    assert shown == [("m12", "m11", True), ("m11", "m12", False)]
    stage.send("POST", f"./records/{second.json()['id']}/release")
    assert [award["member"] for award in stage.awards()] == ["m11", "m12"]
    assert record(stage, first["id"])["status"] == "accepted"


def test_an_uploaded_file_is_known_again(stage: Stage) -> None:
    answer = stage.call("POST", "./blobs", files={"file": ("a.pdf", b"%PDF-1.7 work", "application/pdf")})
    if answer.status_code == 404:
        answer = stage.call("POST", "/v1/blobs", files={"file": ("a.pdf", b"%PDF-1.7 work", "application/pdf")})
    digest = answer.json()["sha256"]
    assert hand_in(stage, "m11", artifacts=[{"blob": digest}]).status_code == 201
    assert hand_in(stage, "m12", digest).status_code == 202


def test_work_done_together_and_ones_own_work_are_nobodys_copies(stage: Stage) -> None:
    assert hand_in(stage, "m11", peer="m12").status_code == 201
    assert hand_in(stage, "m12").status_code == 201
    assert hand_in(stage, "m11", ref="again", title="presented").status_code == 201
    stage.member("m21", email="m21@example.org")
    stage.member("also-m21", email="m21@example.org")
    assert [hand_in(stage, ref, "cd" * 32).status_code for ref in ("m21", "also-m21")] == [201, 201]


def test_another_networks_files_are_nobodys_business_here(stage: Stage) -> None:
    other = Stage.set_up(stage.client, stage.runtime, "hill")
    other.member("m11")
    assert (hand_in(stage, "m12").status_code, hand_in(other, "m11").status_code) == (201, 201)


def test_two_who_hand_in_one_file_at_the_same_moment_do_not_both_count(stage: Stage) -> None:
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda ref: hand_in(stage, ref).status_code, ["m11", "m12", "m13", "m14"]))
    assert sorted(answers) == [201, 202, 202, 202]


# --- Colleagues who endorse one another --------------------------------------------------------------------------


def endorse(stage: Stage, evaluator: str, member: str, skill: str = "feedback", **more: Any) -> Any:
    body = {"kind": "endorsement", "about": {"member": member}, "evaluator": evaluator, "skill": skill}
    return stage.call("POST", "./evaluations", json=body | {"occurred_at": SHARED["occurred_at"]} | more)


def test_pairs_who_endorse_one_another_are_shown(stage: Stage) -> None:
    first, second = endorse(stage, "m11", "m12").json(), endorse(stage, "m12", "m11")
    assert (second.status_code, second.json()["flags"]) == (201, ["reciprocal"])
    [flag] = flags(stage, kind="reciprocal")
    assert (flag["record"], flag["other"]) == (second.json()["id"], first["id"])
    assert (flag["member"], flag["other_member"], flag["quarantined"]) == ("m11", "m12", False)
    assert flag["why"] == "The member who is judged has judged the judge."
    endorse(stage, "m12", "m11", "patience")
    endorse(stage, "m11", "m12", "patience")
    assert len(flags(stage)) == 1, "a pair is pointed out once"


def test_a_ring_of_three_is_shown_when_it_closes_and_what_leads_into_it_is_not(stage: Stage) -> None:
    """The edges ab, bc, ca and dc: a ring of a, b and c."""
    a, b, c, d = "m11", "m12", "m13", "m14"
    endorse(stage, a, b)
    endorse(stage, d, c)
    between = endorse(stage, b, c).json()
    assert flags(stage) == []
    closing = endorse(stage, c, a).json()
    [flag] = flags(stage)
    assert (flag["kind"], flag["record"], flag["member"], flag["other_member"]) == ("ring", closing["id"], a, b)
    assert flag["other"] != between["id"]


def test_pairs_and_rings_are_found_within_one_body_of_many_lines(stage: Stage) -> None:
    edges = [("m11", "m12"), ("m12", "m11"), ("m12", "m13"), ("m13", "m11")]
    bodies = [
        {"kind": "endorsement", "about": {"member": member}, "evaluator": judge, "occurred_at": SHARED["occurred_at"]}
        for judge, member in edges
    ]
    answer = stage.call(
        "POST", "./evaluations/bulk", content=ndjson(bodies), headers={"Content-Type": "application/x-ndjson"}
    )
    ids = [line["id"] for line in lines(answer)]
    assert [(flag["kind"], flag["record"], flag["other"]) for flag in flags(stage)] == [
        ("reciprocal", ids[1], ids[0]),
        ("ring", ids[3], ids[0]),
    ]


def test_ratings_make_pairs_too_and_surveys_do_not(stage: Stage) -> None:
    stage.rate("m11", {"specific": 3}, member="m12")
    survey = {"kind": "survey", "about": {"member": "m11"}, "evaluator": "m12", "instrument": "pulse"}
    stage.send("POST", "./evaluations", survey | {"answers": {"good": 4}, "occurred_at": SHARED["occurred_at"]})
    assert flags(stage) == []
    endorse(stage, "m12", "m11")
    assert [flag["kind"] for flag in flags(stage)] == ["reciprocal"]


# --- Who would award themself ------------------------------------------------------------------------------------


def test_a_token_for_evidence_awards_nothing_whatever_it_asks_for(stage: Stage) -> None:
    stage.achievement(award="reviewed")
    for scopes, member in ((["evidence:write"], "m11"), (["evidence:write", "read", "members:write"], None)):
        token = stage.token_with(*scopes, member=member)
        for basis in ({}, {"basis": "override", "reason": "x"}, {"basis": "recorded", "reason": "x"}):
            body = {"achievement": "sharer", "member": "m11"} | basis
            if basis.get("basis") == "recorded":
                body["awarded_at"] = "2025-01-01T00:00:00Z"
            answer = stage.call("POST", "./awards", token=token, json=body)
            assert refused(answer)[:2] == (403, "scope-missing")
        claim: Any = {"award": "sharer", "awards": ["sharer"]}
        answer = share(stage, 1, token, **claim)
        assert refused(answer)[:2] == (422, "extra-forbidden")
    assert stage.awards() == []


def test_whose_own_word_it_is_stands_in_the_tier_whatever_the_body_says(stage: Stage) -> None:
    stage.achievement(rule=attesting(1))
    mine = stage.token_with("evidence:write", member="m11")
    assert share(stage, 1, mine).json()["tier"] == 0
    assert refused(share(stage, 2, mine, tier=3))[:2] == (422, "extra-forbidden")
    assert states(stage) == []
    assert share(stage, 3, stage.token_with("evidence:write", member="m12")).json()["tier"] == 1
    assert states(stage) == ["awarded"]


def test_nobody_judges_themself_under_whatever_name(stage: Stage) -> None:
    stage.member("m21", email="m21@example.org")
    stage.member("also-m21", email="m21@example.org")
    assert refused(endorse(stage, "m11", "m11"))[:2] == (422, "self-evaluation")
    assert refused(endorse(stage, "also-m21", "m21"))[:2] == (422, "self-evaluation")
    mine = stage.token_with("evidence:write", member="m11")
    body = {"kind": "endorsement", "about": {"member": "m11"}, "evaluator": "m12", "skill": "feedback"}
    answer = stage.call("POST", "./evaluations", token=mine, json=body | {"occurred_at": SHARED["occurred_at"]})
    assert refused(answer)[:2] == (403, "evaluator-not-caller")


def test_nobody_awards_themself_with_a_token_of_their_own(stage: Stage) -> None:
    stage.achievement(award="reviewed")
    token = stage.token_with("awards:write", "awards:override", member="m11")
    body = {"achievement": "sharer", "member": "m11", "basis": "override", "reason": "I did a lot."}
    assert refused(stage.call("POST", "./awards", token=token, json=body))[:2] == (403, "self-decision")
    assert stage.awards() == []
