"""What a network holds of a person is erased, in every table and every file, and the answer says what stays and why."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from service.checking import verification
from service.errors import CustodyError
from service.issuing import credentials
from service.notifications import mail
from service.runtime.runtime import Runtime
from service.tables import Contribution, Event, HiddenEvidence, Member, Record, RecordBody, Row, Token
from tests.worlds.acting import actor, refused, told
from tests.worlds.awarding import SHARE_TWICE, Stage
from tests.worlds.presenting import decline, hide, present, row_of
from tests.worlds.runtimes import Clock

NAME, EMAIL, WORDS = "Planted Person", "planted.person@river.example.org", "planted words"
PLANTED = (NAME, EMAIL, "planted.person", WORDS)
ANA, ERASED = "./members/ana", (409, "member-erased")
SHARED = {"type": "shared", "occurred_at": "2026-03-01T10:00:00Z"}
APPROVED = {"all": [SHARE_TWICE, {"rule": "approval", "by_role": "director"}]}


@pytest.fixture
def stage(runtime: Runtime, client: TestClient) -> Stage:
    """A network that knows much of Ana, and something of Ben."""
    stage = Stage.set_up(client, runtime)
    stage.achievement()
    stage.send("POST", "./achievements", DEFINED | {"ref": "other", "publish": True})
    stage.achievement("approved", rule=APPROVED)
    stage.member("ana", name=NAME, email=EMAIL, roles=["student"], organization="Lincoln School")
    stage.member("ben", name="Ben", email="ben@river.example.org", roles=["director", "mediator"])
    return stage


DEFINED = {
    "name": "Other",
    "description": "D.",
    "achievement_type": "Badge",
    "criteria": {"narrative": "N.", "rule": {"rule": "count", "gte": 500}},
    "award": "reviewed",
}


def live(stage: Stage) -> Any:
    """Let Ana do something in every part of the service, and return her award."""
    for n in (1, 2):
        stage.share(n, "ana", title=WORDS, description=f"{WORDS}, {n}")
    stage.send("POST", "./contributions", SHARED | {"ref": "held", "member": "nobody", "peer": "ana", "title": EMAIL})
    file = stage.call("POST", "/v1/blobs", files={"file": ("a.txt", WORDS.encode(), "text/plain")}).json()["sha256"]
    stage.send("POST", "./contributions", SHARED | {"member": "ana", "artifacts": [{"blob": file}], "ref": EMAIL})
    odd = SHARED | {"member": "ana", "ref": "again", "description": WORDS, "artifacts": [{"blob": file}]}
    stage.send("POST", "./contributions", odd, headers={"Idempotency-Key": "again"})
    judged = {"about": {"member": "ana"}, "evaluator": "ben", "occurred_at": "2026-03-01T10:00:00Z"}
    stage.send("POST", "./evaluations", judged | {"kind": "endorsement", "skill": "feedback", "statement": WORDS})
    void = stage.share(9, "ana", description=WORDS)
    stage.send("POST", f"./records/{void['id']}/void", {"reason": WORDS})
    stage.send("POST", "./contributions", SHARED | {"member": "ben", "ref": "of-ben", "description": f"With {EMAIL}."})
    stage.send("POST", "./contributions", SHARED | {"member": "ben", "ref": "ours", "peer": "ana", "title": "Together"})
    hers = stage.token_with("cases:write", "evidence:write", "read", member="ana")
    case = stage.send("POST", "./cases", {"achievement": "other", "statement": WORDS}, token=hers)
    stage.send("PUT", f"./cases/{case['id']}/mediator", {"member": "ben"})
    [award] = [each for each in stage.awards(member="ana") if each["achievement"] == "sharer"]
    recorded = stage.recorded("other", "ana", reason=WORDS)
    stage.send("POST", f"/v1/credentials/{recorded['credential']['id']}/revocation", {"reason": WORDS})
    mail.send_due(stage.runtime)
    return award


def whole(rows: Iterable[Sequence[Any]]) -> str:
    """Return what stands in rows; the text form of a row itself leaves out the middle of long values."""
    return repr([tuple(row) for row in rows])


def found_in_tables(runtime: Runtime) -> dict[str, list[str]]:
    with runtime.database.read() as session:
        contents = {name: whole(session.execute(select(t)).all()) for name, t in Row.metadata.tables.items()}
    return {name: found for name, content in contents.items() if (found := [p for p in PLANTED if p in content])}


def found_in_files(folder: Path) -> dict[str, list[str]]:
    contents = {path.name: path.read_bytes().decode("latin-1") for path in folder.rglob("*") if path.is_file()}
    return {name: found for name, content in contents.items() if (found := [p for p in PLANTED if p in content])}


def test_nothing_of_an_erased_person_is_left_in_any_table_or_file(stage: Stage, tmp_path: Path) -> None:
    live(stage)
    assert found_in_tables(stage.runtime).keys() >= {"members", "identities", "record_bodies", "case_texts", "awards"}
    assert found_in_files(tmp_path)
    answer = stage.send("DELETE", ANA)
    assert found_in_tables(stage.runtime) == {}
    assert found_in_files(tmp_path) == {}
    assert answer["erases"] == {
        "names": 1,
        "addresses": 1,
        "record_bodies": 9,
        "case_texts": 1,
        "reasons": 2,
        "endorsements": 0,
        "goals": 0,
        "applications": 0,
        "files": 1,
        "mails": answer["erases"]["mails"],
        "tokens": 1,
        "open_cases": 1,
        "pending_awards": 0,
    }
    assert answer["erases"]["mails"] >= 2


def test_the_answer_says_what_stays_and_why(stage: Stage) -> None:
    live(stage)
    answer = stage.send("DELETE", ANA)
    assert (answer["member"], answer["erased_at"]) == ("ana", "2026-03-02T12:00:00Z")
    stays = {each["what"]: each for each in answer["stays"]}
    assert (stays["awards"]["count"], stays["credentials"]["count"]) == (2, 2)
    assert stays.keys() == {"ref", "records", "numbers", "roles", "awards", "credentials", "receipts", "events"}
    assert all(each["why"] for each in stays.values())


def test_records_stay_with_their_dates_and_seals(stage: Stage) -> None:
    live(stage)
    before = stage.send("GET", "./contributions/ana-share-1")
    stage.send("DELETE", ANA)
    after = stage.send("GET", f"./records/{before['id']}")
    assert (after["digest"], after["received_at"]) == (before["digest"], before["received_at"])
    assert not {"body", "salt"} & after.keys()
    with stage.runtime.database.read() as session:
        assert session.get(Contribution, UUID(before["id"])) is not None
        kept = select(Record.salt).outerjoin(RecordBody, RecordBody.record_id == Record.id)
        assert None not in session.scalars(kept.where(RecordBody.record_id.is_not(None))).all()
        assert set(session.scalars(kept.where(RecordBody.record_id.is_(None)))) == {None}


def test_badges_that_were_given_out_stay_good_and_name_nobody(stage: Stage) -> None:
    award = live(stage)
    stage.send("DELETE", ANA)
    checked = stage.send("POST", "/v1/verifications", {"url": award["credential"]["url"]})
    assert NAME not in str(checked)
    assert "revoked" not in str(checked.get("result", checked.get("verdict", "")))
    assert stage.client.get(award["credential"]["url"], headers={"Accept": "text/html"}).status_code == 200
    assert stage.send("GET", f"./awards/{award['id']}")["state"] == "awarded"
    assert stage.send("POST", f"./awards/{award['id']}/replay")["outcome"] == "erased"


def test_it_is_seen_before_what_goes_and_nothing_changes(stage: Stage) -> None:
    live(stage)
    before = found_in_tables(stage.runtime)
    seen = stage.send("GET", f"{ANA}/erasure")
    assert "erased_at" not in seen
    assert found_in_tables(stage.runtime) == before
    done = stage.send("DELETE", ANA)
    assert done["erases"] == seen["erases"]


def test_a_second_time_is_answered_like_the_first(stage: Stage, clock: Clock) -> None:
    live(stage)
    first = stage.send("DELETE", ANA)
    clock.advance(days=1)
    assert stage.send("DELETE", ANA) == first
    assert stage.send("GET", f"{ANA}/erasure") == first
    assert told(stage.runtime, "river").count("member.erased") == 1
    shown = stage.send("GET", ANA)
    assert shown["erased_at"] == first["erased_at"]
    assert not {"name", "email", "did"} & shown.keys()


def test_the_event_names_ids_only(stage: Stage) -> None:
    member = stage.send("GET", ANA)["id"]
    stage.send("DELETE", ANA)
    with stage.runtime.database.read() as session:
        event = session.scalars(select(Event).where(Event.type == "member.erased")).one()
    assert event.about == {"member": member}


def test_nothing_new_is_kept_under_an_erased_ref(stage: Stage) -> None:
    share = stage.share(1, "ben")
    stage.send("DELETE", ANA)
    for method, path, body, pointer in (
        ("PUT", ANA, {"name": NAME}, None),
        ("PATCH", ANA, {"name": NAME}, None),
        ("POST", "./members", {"ref": "ana"}, None),
        ("POST", "./contributions", SHARED | {"member": "ana"}, "/member"),
        ("POST", "./contributions", SHARED | {"member": "ben", "peer": "ana"}, "/peer"),
        ("POST", "./evaluations", ENDORSED | {"about": {"member": "ana"}, "evaluator": "ben"}, "/about/member"),
        (
            "POST",
            "./evaluations",
            ENDORSED | {"about": {"contribution": share["id"]}, "evaluator": "ana"},
            "/evaluator",
        ),
        ("POST", "./awards", {"achievement": "other", "member": "ana", "basis": "override", "reason": "R."}, "/member"),
        ("POST", "./approvals", {"achievement": "approved", "member": "ana"}, "/member"),
        ("PUT", "./members/ben/person", {"same_as": "ana"}, "/same_as"),
    ):
        answer = stage.call(method, path, json=body)
        assert refused(answer) == (*ERASED, pointer), (method, path)


ENDORSED = {"kind": "endorsement", "skill": "feedback", "occurred_at": "2026-03-01T10:00:00Z"}


def test_an_erased_person_is_awarded_nothing_more(stage: Stage) -> None:
    stage.share(1, "ana")
    stage.share(2, "ana")
    stage.send("DELETE", ANA)
    stage.achievement("later")
    assert [award["achievement"] for award in stage.awards(member="ana")] == ["sharer"]
    assert stage.send("POST", "./achievements/later/dry-run", {"count": True})["count"] == 0


def test_what_waits_for_people_is_taken_back(stage: Stage) -> None:
    stage.share(1, "ana")
    stage.share(2, "ana")
    assert len(stage.send("GET", "./approvals", params={"state": "waiting"})["items"]) == 1
    stage.send("DELETE", ANA)
    assert stage.send("GET", "./approvals", params={"state": "waiting"})["items"] == []


def test_what_others_have_of_themselves_stays(stage: Stage) -> None:
    live(stage)
    stage.send("DELETE", ANA)
    assert stage.send("GET", "./contributions/ours")["body"]["title"] == "Together"
    assert "body" not in stage.send("GET", "./contributions/of-ben")
    ben = stage.send("GET", "./members/ben")
    assert (ben["name"], ben["email"]) == ("Ben", "ben@river.example.org")


def test_a_person_under_two_refs_is_erased_under_both(stage: Stage) -> None:
    stage.member("ana-2", email=EMAIL)
    first = stage.send("DELETE", ANA)
    assert first["erases"]["addresses"] == 0
    [shared] = [each for each in first["stays"] if each["what"] == "addresses"]
    assert "ana-2" in shared["why"]
    assert stage.send("GET", "./members/ana-2")["email"] == EMAIL
    assert "email" not in stage.send("GET", ANA)
    assert stage.send("DELETE", "./members/ana-2")["erases"]["addresses"] == 1
    assert found_in_tables(stage.runtime) == {}
    with stage.runtime.database.read() as session:
        assert len(set(session.scalars(select(Member.person_id).where(Member.ref.startswith("ana"))))) == 1


def test_a_ref_that_is_an_address_does_not_stay(stage: Stage) -> None:
    stage.member(EMAIL, email=EMAIL.replace("planted", "other"))
    stage.share(1, EMAIL, ref="shared-1")
    answer = stage.send("DELETE", f"./members/{EMAIL}")
    assert answer["member"].startswith("erased-")
    assert stage.send("GET", f"./members/{answer['member']}/erasure") == answer
    stage.send("DELETE", ANA)
    assert found_in_tables(stage.runtime) == {}


def test_a_token_of_a_member_erases_that_member_alone_and_ends_with_it(stage: Stage) -> None:
    hers = stage.token_with("members:erase", member="ana")
    assert refused(stage.call("DELETE", "./members/ben", hers)) == (403, "member-not-own", None)
    assert stage.call("DELETE", ANA, hers).status_code == 200
    assert refused(stage.call("DELETE", ANA, hers))[:2] == (401, "token-revoked")
    with stage.runtime.database.read() as session:
        assert NAME not in "".join(session.scalars(select(Token.name)))


def test_writing_members_is_not_enough_and_other_networks_see_nobody(stage: Stage) -> None:
    writer = stage.token_with("members:write", "read")
    assert refused(stage.call("DELETE", ANA, writer)) == (403, "scope-missing", None)
    hill = Stage.set_up(stage.client, stage.runtime, "hill")
    assert refused(hill.call("DELETE", "/v1/networks/river/members/ana"))[:2] == (404, "network-unknown")
    assert refused(hill.call("DELETE", ANA))[:2] == (404, "member-unknown")
    assert refused(hill.call("GET", f"{ANA}/erasure"))[:2] == (404, "member-unknown")


def test_a_closed_network_erases_too(stage: Stage) -> None:
    actor(stage.runtime, stage.client).post("/v1/networks/river/closure")
    assert stage.send("DELETE", ANA)["erased_at"]


def no_student(stage: Stage) -> None:
    """Let Ana be a student no more, so that she may be named in clear."""
    stage.send("PATCH", ANA, {"roles": []})


def test_a_name_in_signed_texts_goes_too_and_the_badges_stay_good(stage: Stage) -> None:
    award = live(stage)
    stage.achievement("later", rule={"rule": "count", "gte": 1})
    stage.share(20, "ana")
    found = {
        each["achievement"]: each["credential"]["id"] for each in stage.awards(member="ana") if "credential" in each
    }
    no_student(stage)
    for badge in (found["sharer"], found["later"]):
        present(stage.runtime, badge, name_shown="plain", name=NAME)
    hide(stage.runtime, found["sharer"], "evidence-1")
    decline(stage.runtime, found["later"])
    assert "credentials" in found_in_tables(stage.runtime)
    answer = stage.send("DELETE", ANA)
    assert answer["erases"]["names"] == 3
    assert found_in_tables(stage.runtime) == {}
    checked = verification.verify_received(
        stage.runtime, stage.client.get(award["credential"]["url"] + ".json").content
    )
    assert checked.verdict == "verified"
    assert row_of(stage.runtime, found["later"]).revoked_at is not None
    with stage.runtime.database.read() as session:
        assert session.scalars(select(HiddenEvidence)).all() == []


def test_while_a_name_cannot_be_signed_out_nothing_is_erased(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> Any:
        raise CustodyError("custody-unavailable", "The keys cannot be used.")

    award = live(stage)
    no_student(stage)
    present(stage.runtime, award["credential"]["id"], name_shown="plain", name=NAME)
    before = found_in_tables(stage.runtime)
    monkeypatch.setattr(credentials, "issuer_keys", refuse)
    assert refused(stage.call("DELETE", ANA))[:2] == (503, "custody-unavailable")
    assert found_in_tables(stage.runtime) == before
