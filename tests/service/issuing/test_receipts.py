"""Receipts of decisions: what they say and hide, that the credential cites their very bytes, and that they replay."""

import hashlib
import json
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, update

from credentials import parse_json
from credentials.strict_json import canonical_json
from service.checking import verification
from service.evidence.bodies import seal
from service.issuing import citations
from service.runtime.runtime import Runtime
from service.tables import Award, AwardChild, Credential, Receipt, Record
from tests.worlds.awarding import SHARE_TWICE, Stage, once

pytestmark = pytest.mark.any_database("what stands in a document is of no database")

REASON = "She held the circle together in a hard year."


@once
def laid(stage: Stage) -> None:
    stage.member("m11", name="Quite Secret", email="quite.secret@river.example.org")


@pytest.fixture
def stage(client: TestClient, runtime: Runtime) -> Stage:
    stage = Stage.set_up(client, runtime)
    laid(stage)
    return stage


def earned(stage: Stage, **more: Any) -> Any:
    stage.achievement(**more)
    for n in (1, 2):
        stage.share(n)
    (award,) = stage.awards(achievement="sharer")
    return award


def cited(stage: Stage, award: Any) -> Any:
    """Return how the credential cites its receipt."""
    (item,) = [item for item in stage.credential(award)["evidence"] if item["genre"] == "receipt"]
    return item


def served(stage: Stage, award: Any, **headers: str) -> Any:
    answer = stage.client.get(award["receipt"], headers=headers)
    assert answer.status_code == 200, answer.text
    return answer


def replay(stage: Stage, award: Any) -> Any:
    return stage.send("POST", f"./awards/{award['id']}/replay")


def test_the_credential_cites_the_very_bytes_that_are_served(stage: Stage) -> None:
    award = earned(stage)
    item, answer = cited(stage, award), served(stage, award)
    assert item["id"] == award["receipt"]
    assert item["type"] == ["Evidence"]
    assert item["digestMultibase"] == citations.multibase(hashlib.sha256(answer.content).hexdigest())
    assert canonical_json(parse_json(answer.content)) == answer.content
    report = verification.verify_received(stage.runtime, json.dumps(stage.credential(award)))
    assert report.verdict == "verified"


def test_the_receipt_says_rule_by_rule_what_was_asked_and_what_was_there(stage: Stage) -> None:
    award = earned(stage)
    said = served(stage, award).json()
    assert (said["form"], said["id"], said["basis"]) == ("receipt/1", award["receipt"], "rule")
    assert said["issuer"] == "did:web:localhost%3A8000:networks:river"
    assert (said["as_of"], said["awarded_at"]) == ("2026-03-02T12:00:00Z", "2026-03-02T12:00:00Z")
    criteria = said["criteria"]
    assert (criteria["rule"], criteria["met"], criteria["observed"], criteria["required"]) == ("count", True, 2, 2)
    assert criteria["evidence"] == [item["id"] for item in said["evidence"]]
    seals = {item["digestMultibase"] for item in stage.credential(award)["evidence"] if item["genre"] == "shared"}
    assert {item["digest"] for item in said["evidence"]} == seals
    assert said["decided_by"] == []
    version = stage.client.get(said["achievement"], headers={"Accept": "application/json"}).json()
    assert version["version"] == str(said["version"])
    published = stage.send("GET", "./achievements/sharer/versions/1")
    assert said["definition_sha256"] == published["definition_sha256"]


def test_the_position_is_that_of_the_evidence_that_was_there(stage: Stage) -> None:
    award = earned(stage)
    # The first contribution was committed, the second came in with the decision.
    assert served(stage, award).json()["position"] == 1
    with stage.runtime.database.read() as session:
        row = session.scalars(select(Receipt)).one()
        second = session.scalars(select(Record.id).where(Record.position == 2)).one()
        assert row.full["beside"] == [str(second)]


def test_people_and_reasons_stand_in_it_as_salted_digests_that_can_be_opened(stage: Stage) -> None:
    stage.achievement(award="reviewed")
    stage.member("m12", name="Also Secret", roles=["facilitator"])
    by = stage.token_with("awards:override", "read", member="m12")
    body = {"achievement": "sharer", "member": "m11", "basis": "override", "reason": REASON}
    award = stage.send("POST", "./awards", body, token=by)
    answer = served(stage, award)
    said = answer.json()
    (decider,) = said["decided_by"]
    assert (decider["role"], said["basis"]) == ("facilitator", "override")
    for secret in (REASON, "Secret", "m11", "m12", "river.example.org"):
        assert secret not in answer.text
    with stage.runtime.database.read() as session:
        row, made = session.scalars(select(Receipt)).one(), session.scalars(select(Award)).one()
        salts = row.full["salts"]
        assert said["reason"] == citations.multibase(seal(salts["reason"], {"reason": REASON}))
        assert said["recipient"] == citations.multibase(seal(salts["recipient"], {"member": str(made.member_id)}))
        opened = seal(salts["decider-0"], {"decider": str(made.actor_member_id)})
        assert decider["who"] == citations.multibase(opened)
        assert str(made.member_id) not in row.public


def test_two_receipts_of_one_person_have_nothing_in_common_that_tells_it(stage: Stage) -> None:
    stage.achievement("other", SHARE_TWICE)
    first = earned(stage)
    (second,) = stage.awards(achievement="other")
    assert served(stage, first).json()["recipient"] != served(stage, second).json()["recipient"]


def test_the_award_says_who_decided(stage: Stage) -> None:
    stage.achievement(award="reviewed")
    by = stage.token_with("awards:override", "read")
    body = {"achievement": "sharer", "member": "m11", "basis": "override", "reason": REASON}
    (decider,) = stage.send("POST", "./awards", body, token=by)["decided_by"]
    assert (decider["role"], decider["at"], "member" in decider) == ("network", "2026-03-02T12:00:00Z", False)
    stage.achievement("ruled")
    for n in (1, 2):
        stage.share(n)
    (ruled,) = stage.awards(achievement="ruled")
    assert ruled["decided_by"] == []


def test_approvals_stand_in_the_receipt_with_their_role(stage: Stage) -> None:
    stage.member("d1", roles=["director"])
    stage.achievement(rule={"all": [SHARE_TWICE, {"rule": "approval", "by_role": "director"}]})
    for n in (1, 2):
        stage.share(n)
    (waiting,) = stage.send("GET", "./approvals", params={"state": "waiting"})["items"]
    by = stage.token_with("awards:approve", member="d1")
    stage.send("POST", f"./approvals/{waiting['id']}/approval", {}, token=by)
    (award,) = stage.awards()
    said = served(stage, award).json()
    assert [each["role"] for each in said["decided_by"]] == ["director"]
    assert [child["met"] for child in said["criteria"]["children"]] == [True, True]
    assert [(each["member"], each["role"]) for each in award["decided_by"]] == [("d1", "director")]
    assert replay(stage, award)["outcome"] == "same"


def test_what_an_award_was_built_on_is_pinned(stage: Stage) -> None:
    first = earned(stage)
    stage.achievement("keeper", {"rule": "holds", "achievements": ["sharer"]}, award="reviewed")
    parent = stage.award("keeper").json()
    (held,) = served(stage, parent).json()["holds"]
    assert held["achievement"] == served(stage, first).json()["achievement"]
    assert first["id"] not in served(stage, parent).text
    with stage.runtime.database.read() as session:
        (row,) = session.scalars(select(AwardChild))
        assert (str(row.award_id), str(row.child_id)) == (parent["id"], first["id"])
    assert replay(stage, parent)["outcome"] == "same"


# --- Replay --------------------------------------------------------------------------------------------------------


def test_deciding_again_gives_the_same_receipt(stage: Stage, clock: Any) -> None:
    award = earned(stage)
    clock.advance(days=31)
    stage.member("m12")
    stage.share(1, "m12")
    again = replay(stage, award)
    assert again["outcome"] == "same"
    assert again["sha256"] == again["recorded_sha256"] == hashlib.sha256(served(stage, award).content).hexdigest()


def test_what_came_since_does_not_change_what_was_decided(stage: Stage, clock: Any) -> None:
    award = earned(stage)
    clock.advance(days=31)
    for n in (3, 4):
        stage.share(n, occurred_at="2026-03-01T08:00:00Z")  # late: it happened before the decision
    assert replay(stage, award)["outcome"] == "same"
    record = stage.send("GET", "./records")["items"][0]
    stage.send("POST", f"./records/{record['id']}/void", {"reason": "Posted by mistake."})
    # The award stands on what is left; how it was decided is still to be seen.
    (now,) = stage.awards()
    assert now["state"] == "awarded"
    assert replay(stage, award)["outcome"] == "same"


def test_records_of_the_same_moment_that_it_does_not_rest_on_are_part_of_it(stage: Stage, clock: Any) -> None:
    stage.achievement(award="reviewed", rule=SHARE_TWICE)
    stage.achievement("early", SHARE_TWICE)
    stage.share(1)
    # It comes in with the decision; of three later ones none is newer, so that the award does not rest on it alone.
    stage.share(2, occurred_at="2025-03-01T08:00:00Z")
    (award,) = stage.awards(achievement="early")
    clock.advance(days=1)
    stage.share(3)
    assert replay(stage, award)["outcome"] == "same"


def test_a_parent_is_retraced_after_its_child_was_revoked(stage: Stage, clock: Any) -> None:
    child = earned(stage)
    stage.achievement("keeper", {"rule": "holds", "achievements": ["sharer"]}, award="reviewed")
    parent = stage.award("keeper").json()
    clock.advance(days=1)
    stage.send("POST", f"/v1/credentials/{child['credential']['id']}/revocation", {"reason": "It was a copy."})
    assert replay(stage, parent)["outcome"] == "same"


def test_an_approval_that_ended_since_is_still_to_be_seen(stage: Stage, clock: Any) -> None:
    stage.member("d1", roles=["director"])
    stage.achievement(rule={"all": [SHARE_TWICE, {"rule": "approval", "by_role": "director"}]})
    for n in (1, 2):
        stage.share(n)
    (waiting,) = stage.send("GET", "./approvals", params={"state": "waiting"})["items"]
    by = stage.token_with("awards:approve", member="d1")
    stage.send("POST", f"./approvals/{waiting['id']}/approval", {}, token=by)
    (award,) = stage.awards()
    clock.advance(days=1)
    stage.send("POST", f"/v1/credentials/{award['credential']['id']}/revocation", {"reason": "It was a copy."})
    assert replay(stage, award)["outcome"] == "same"


def test_an_award_decided_in_a_batch_gives_the_same_receipt(stage: Stage) -> None:
    stage.member("m12")
    for ref in ("m11", "m12"):
        for n in (1, 2):
            stage.share(n, ref)
    stage.achievement(award="reviewed")
    for ref in ("m11", "m12"):
        assert replay(stage, stage.award(member=ref).json())["outcome"] == "same"


def test_a_record_that_was_tampered_with_shows(stage: Stage) -> None:
    award = earned(stage)
    with stage.runtime.database.write() as session:
        session.execute(update(Record).where(Record.position == 1).values(body_digest="0" * 64))
    again = replay(stage, award)
    assert again["outcome"] == "differs"
    assert again["sha256"] != again["recorded_sha256"]


def test_on_erased_evidence_what_is_on_record_stands(stage: Stage) -> None:
    award = earned(stage)
    with stage.runtime.database.write() as session:
        session.execute(update(Record).where(Record.position == 1).values(salt=None))
    again = replay(stage, award)
    assert (again["outcome"], again["sha256"]) == ("erased", again["recorded_sha256"])


def test_what_people_decided_is_not_worked_out_again(stage: Stage) -> None:
    stage.achievement(award="reviewed")
    assert replay(stage, stage.recorded())["outcome"] == "decided"


def test_another_networks_award_is_not_replayed(stage: Stage) -> None:
    award = earned(stage)
    other = Stage.set_up(stage.client, stage.runtime, "hill")
    answer = other.call("POST", f"./awards/{award['id']}/replay")
    assert (answer.status_code, answer.json()["code"]) == (404, "award-unknown")


# --- Its address ---------------------------------------------------------------------------------------------------


def test_the_receipt_is_cacheable_and_open_to_programs_and_not_listed(stage: Stage) -> None:
    award = earned(stage)
    answer = served(stage, award, Origin="https://elsewhere.example")
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["x-robots-tag"] == "noindex"
    again = stage.client.get(award["receipt"], headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert stage.client.get(award["receipt"] + ".json").content == answer.content


def test_people_read_it_as_a_page(stage: Stage) -> None:
    award = earned(stage)
    page = served(stage, award, Accept="text/html")
    assert page.headers["content-type"].startswith("text/html")
    assert page.headers["x-robots-tag"] == "noindex"
    assert "2 resources shared (2 needed)." in page.text
    assert "Secret" not in page.text
    badge = stage.client.get(award["credential"]["url"], headers={"Accept": "text/html"})
    assert f'href="{award["receipt"]}"' in badge.text


def test_the_receipt_of_a_private_badge_is_private(stage: Stage) -> None:
    award = earned(stage)
    with stage.runtime.database.write() as session:
        session.execute(update(Credential).values(visibility="private"))
    for accept, code in (("application/json", "receipt-unknown"), ("text/html", None)):
        answer = stage.client.get(award["receipt"], headers={"Accept": accept})
        assert answer.status_code == 404
        assert code is None or answer.json()["code"] == code
    unknown = stage.client.get("/receipts/" + "0" * 32)
    assert (unknown.status_code, unknown.json()["code"]) == (404, "receipt-unknown")
