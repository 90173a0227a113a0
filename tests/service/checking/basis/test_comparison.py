"""What a badge rests on: whether its evidence is unchanged, of our own badges and of those of others.

Badges that were issued here are held against our rows, so their tests stand on rows. For those of others no row is read.
"""

import hashlib
import json
from collections.abc import Mapping
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, event, func, select, update

from credentials import Fetched, Report
from service.checking import verification
from service.checking.basis import comparison, our_records, policy
from service.checking.basis.achieved import deeds
from service.checking.basis.comparison import ANSWERS, REASONS
from service.checking.questions import Question
from service.issuing import citations
from service.runtime.runtime import Runtime
from service.tables import Blob, Credential, Evaluation, Record, RecordBody
from tests.service.checking.basis.test_policy import Elsewhere, decided, reported
from tests.worlds.awarding import Stage, once

pytestmark = pytest.mark.any_database("seals are compared here; the rows are only looked up")

WORK = b"%PDF-1.7 the work itself"


@once
def laid(stage: Stage) -> None:
    stage.member("m11", name="Quite Secret", email="quite.secret@river.example.org")


@pytest.fixture
def stage(client: TestClient, runtime: Runtime) -> Stage:
    stage = Stage.set_up(client, runtime)
    laid(stage)
    return stage


@once
def earned(stage: Stage, **more: Any) -> Any:
    stage.achievement()
    for n in (1, 2):
        stage.share(n, **more)
    (award,) = stage.awards(achievement="sharer")
    return award


def nowhere(url: str) -> Fetched:
    raise AssertionError(f"nothing is to be asked for, and {url} was")


def asked(stage: Stage, credential: Mapping[str, Any], **more: Any) -> Question:
    """Return the answer for a badge, without anything that may be fetched."""
    return comparison.look(stage.runtime, credential, reported(), ask=False, load=nowhere, **more).evidence


def reason(stage: Stage, award: Any) -> str:
    return asked(stage, stage.credential(award)).reason


def record_id(stage: Stage, position: int = 1) -> Any:
    with stage.runtime.database.read() as session:
        return session.scalars(select(Record.id).where(Record.position == position)).one()


# --- Badges that were issued here ----------------------------------------------------------------------------------


def test_evidence_that_still_has_its_seals_is_unchanged(stage: Stage) -> None:
    assert asked(stage, stage.credential(earned(stage))) == Question("evidence", "yes", "evidence-unchanged")


def test_a_body_that_was_changed_shows(stage: Stage) -> None:
    award = earned(stage)
    with stage.runtime.database.write() as session:
        row = session.get_one(RecordBody, record_id(stage))
        row.body = row.body | {"resource": "another"}
    assert asked(stage, stage.credential(award)) == Question("evidence", "no", "evidence-changed")


def test_a_seal_that_was_written_anew_with_its_body_shows(stage: Stage) -> None:
    award = earned(stage)
    with stage.runtime.database.write() as session:
        session.execute(update(Record).where(Record.position == 1).values(body_digest="0" * 64))
    assert reason(stage, award) == "evidence-changed"


def test_erased_content_is_told_apart_from_changed_content(stage: Stage) -> None:
    award = earned(stage)
    with stage.runtime.database.write() as session:
        session.execute(update(Record).where(Record.position == 1).values(salt=None))
        session.execute(delete(RecordBody).where(RecordBody.record_id == record_id(stage)))
    assert asked(stage, stage.credential(award)) == Question("evidence", "could-not-check", "evidence-erased")


def test_an_erased_record_with_another_seal_is_a_changed_one(stage: Stage) -> None:
    award = earned(stage)
    with stage.runtime.database.write() as session:
        session.execute(update(Record).where(Record.position == 1).values(salt=None, body_digest="0" * 64))
    assert reason(stage, award) == "evidence-changed"


def test_evidence_that_was_voided_since_was_taken_back(stage: Stage) -> None:
    award = earned(stage)
    stage.share(3)
    stage.send("POST", f"./records/{record_id(stage)}/void", {"reason": "Posted by mistake."})
    assert stage.awards()[0]["state"] == "awarded"
    assert asked(stage, stage.credential(award)) == Question("evidence", "no", "evidence-taken-back")


def correct(stage: Stage, record: Any, changes: Any) -> Any:
    return stage.send("POST", f"./records/{record}/correction", {"changes": changes, "reason": "A slip."})


def test_evidence_that_was_corrected_since_still_carries_the_badge(stage: Stage) -> None:
    award = earned(stage)
    correct(stage, record_id(stage), {"minutes": 55})
    assert asked(stage, stage.credential(award)) == Question("evidence", "yes", "evidence-corrected")
    with stage.runtime.database.write() as session:
        row = session.get_one(RecordBody, record_id(stage))
        row.body = row.body | {"resource": "another"}
    assert reason(stage, award) == "evidence-changed"


def test_a_badge_that_its_corrected_evidence_does_not_carry_waits_for_people(stage: Stage) -> None:
    award = earned(stage)
    new = correct(stage, record_id(stage), {"type": "mentored"})["id"]
    undecided = Question("evidence", "could-not-check", "evidence-corrected-by-people")
    assert asked(stage, stage.credential(award)) == undecided
    correct(stage, new, {"type": "shared"})
    assert reason(stage, award) == "evidence-corrected"


def test_a_correction_that_was_voided_carries_nothing(stage: Stage) -> None:
    award = earned(stage)
    stage.share(3)
    new = correct(stage, record_id(stage), {"minutes": 55})["id"]
    stage.send("POST", f"./records/{new}/void", {"reason": "It never happened."})
    assert stage.awards()[0]["state"] == "awarded"
    assert reason(stage, award) == "evidence-taken-back"


def test_the_page_of_a_receipt_says_what_was_corrected_since(stage: Stage) -> None:
    award = earned(stage)

    def page() -> str:
        return str(stage.client.get(award["receipt"], headers={"Accept": "text/html"}).text)

    assert "corrected" not in page()
    new = correct(stage, record_id(stage), {"minutes": 55})["id"]
    assert "1 record has been corrected since." in page()
    assert "With the corrections, the rule is still met." in page()
    correct(stage, new, {"type": "mentored"})
    assert "People will decide whether the badge still stands." in page()


def test_evidence_that_was_set_aside_since_was_taken_back(stage: Stage) -> None:
    award = earned(stage)
    with stage.runtime.database.write() as session:
        session.execute(update(Record).where(Record.position == 2).values(status="quarantined"))
    assert reason(stage, award) == "evidence-taken-back"


def test_a_judgement_falls_with_the_work_that_it_is_about(stage: Stage) -> None:
    stage.member("m12")
    stage.achievement(
        rule={"rule": "rubric", "rubric": "feedback", "criteria": ["specific"], "min_level": 3, "unposted": True}
    )
    work = stage.share(1)
    stage.rate("m12", {"specific": 3}, about={"contribution": "m11-share-1"})
    (award,) = stage.awards()
    assert reason(stage, award) == "evidence-unchanged"
    stage.send("POST", f"./records/{work['id']}/void", {"reason": "It was a copy."})
    with stage.runtime.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Evaluation)) == 0
    assert reason(stage, award) == "evidence-taken-back"


def test_a_receipt_of_ours_that_was_changed_shows(stage: Stage) -> None:
    credential = stage.credential(earned(stage))
    for item in credential["evidence"]:
        if item["genre"] == "receipt":
            item["digestMultibase"] = citations.multibase("0" * 64)
    assert asked(stage, credential).reason == "evidence-changed"


def test_a_seal_or_receipt_that_we_never_wrote_is_not_on_record(stage: Stage) -> None:
    award = earned(stage)
    credential = stage.credential(award)
    credential["evidence"][0]["digestMultibase"] = citations.multibase("0" * 64)
    assert asked(stage, credential) == Question("evidence", "could-not-check", "evidence-not-on-record")
    credential = stage.credential(award)
    credential["evidence"][-1]["id"] += "0"
    assert asked(stage, credential).reason == "evidence-not-on-record"


def test_records_that_are_gone_are_not_on_record(stage: Stage) -> None:
    award = earned(stage)
    credential, digest = stage.credential(award), "1" * 64
    with stage.runtime.database.read() as session:
        own = our_records.find(session, stage.runtime, credential, award["receipt"])
        assert own is not None
        for there, expected in ((record_id(stage), "evidence-changed"), (UUID(int=7), "evidence-not-on-record")):
            assert list(our_records.compare(session, own, {digest}, {there: digest}, file_bytes=0)) == [expected]


def test_a_badge_signed_again_on_other_records_is_held_against_those(stage: Stage) -> None:
    earned(stage)
    stage.share(3)
    stage.send("POST", f"./records/{record_id(stage)}/void", {"reason": "Posted by mistake."})
    (award,) = stage.awards()
    stage.send(
        "POST", f"/v1/credentials/{award['credential']['id']}/replacement", {"reason": "The evidence was corrected."}
    )
    (award,) = stage.awards()
    assert reason(stage, award) == "evidence-unchanged"


def test_an_award_without_records_cites_no_evidence(stage: Stage) -> None:
    stage.achievement(award="reviewed")
    assert asked(stage, stage.credential(stage.recorded())) == Question("evidence", "not-offered", "evidence-none")


@once
def with_a_file(stage: Stage) -> Any:
    answer = stage.call("POST", "/v1/blobs", content=WORK, headers={"Content-Type": "application/pdf"})
    assert answer.is_success, answer.text
    stage.achievement()
    stage.share(1, artifacts=[{"blob": answer.json()["sha256"]}])
    stage.share(2, artifacts=[{"url": "https://river.example.org/2", "sha256": "1" * 64}])
    (award,) = stage.awards()
    return award


def test_files_among_the_evidence_are_read_again(stage: Stage) -> None:
    award = with_a_file(stage)
    assert reason(stage, award) == "evidence-unchanged"
    with stage.runtime.database.write() as session:
        session.execute(update(Blob).values(content=b"%PDF-1.7 another work "))
    assert reason(stage, award) == "evidence-changed"


def test_a_file_that_is_gone_is_said_to_be_missing(stage: Stage) -> None:
    award = with_a_file(stage)
    with stage.runtime.database.write() as session:
        session.execute(delete(Blob))
    assert reason(stage, award) == "evidence-file-missing"


def test_large_files_are_read_only_where_somebody_asked(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    award = with_a_file(stage)
    monkeypatch.setattr(our_records, "MAX_FILE_BYTES", len(WORK) - 1)
    assert reason(stage, award) == "evidence-large"
    credential = stage.credential(award)
    found = comparison.look(stage.runtime, credential, reported(), ask=True, load=nowhere).evidence
    assert found.reason == "evidence-unchanged"


def test_of_more_than_a_hundred_records_those_beyond_count_too(stage: Stage) -> None:
    stage.achievement(rule={"rule": "count", "where": {"types": ["shared"]}, "gte": 102})
    for n in range(102):
        stage.share(n)
    (award,) = stage.awards()
    credential = stage.credential(award)
    assert asked(stage, credential).reason == "evidence-unchanged"
    cited = policy.seals_of(credential)
    assert len(cited) == citations.MAX_EVIDENCE
    with stage.runtime.database.write() as session:
        left_out = Record.body_digest.not_in(cited)
        session.execute(update(Record).where(left_out, Record.kind == "contribution").values(status="quarantined"))
    assert asked(stage, credential).reason == "evidence-taken-back"


def test_a_badge_that_only_says_that_it_is_ours_is_anothers(stage: Stage) -> None:
    credential = stage.credential(earned(stage)) | {"issuer": {"id": "did:web:somebody.example"}}
    assert asked(stage, credential).reason == "evidence-with-issuer"
    credential["id"] = "http://localhost:8000/credentials/" + "0" * 32
    assert asked(stage, credential).answer == "could-not-check"


def test_without_rows_our_own_badge_is_like_anothers(without_rows: Runtime) -> None:
    credential = decided().credential
    found = comparison.look(without_rows, credential, reported(), ask=False, load=nowhere, rows=False).evidence
    assert found.reason == "evidence-with-issuer"


def test_both_answers_cost_three_queries(stage: Stage) -> None:
    credential = stage.credential(earned(stage))
    asked_for: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.lstrip().upper().startswith("SELECT"):
            asked_for.append(statement)

    event.listen(stage.runtime.database.engine, "before_cursor_execute", note)
    asked(stage, credential)
    event.remove(stage.runtime.database.engine, "before_cursor_execute", note)
    assert len(asked_for) == 3


def test_a_private_badge_is_compared_for_whoever_has_it_to_show(stage: Stage) -> None:
    award = earned(stage)
    credential = stage.credential(award)
    with stage.runtime.database.write() as session:
        session.execute(update(Credential).values(visibility="private"))
    assert asked(stage, credential).answer == "yes"


# --- Badges of others ----------------------------------------------------------------------------------------------


def of_others(*evidence: Any, **more: Any) -> dict[str, Any]:
    return (
        {"id": "https://elsewhere.example/badges/1", "issuer": {"id": "did:web:elsewhere.example"}}
        | ({"evidence": list(evidence)} if evidence else {})
        | more
    )


def item(body: bytes | None = b"the work", **more: Any) -> dict[str, Any]:
    digest = {} if body is None else {"digestMultibase": citations.multibase(hashlib.sha256(body).hexdigest())}
    return {"id": "https://work.example/1", "type": ["Evidence"]} | digest | more


@pytest.mark.parametrize(
    ("evidence", "ask", "answer", "expected"),
    [
        ([], True, "not-offered", "evidence-none"),
        ([item(None)], True, "not-offered", "evidence-without-digest"),
        ([{"type": ["Evidence"], "narrative": "Wrote a work."}], True, "not-offered", "evidence-only-told"),
        ([item()], False, "could-not-check", "evidence-not-asked"),
        ([item()], True, "yes", "evidence-unchanged"),
        ([item(digestMultibase=None, digestSRI="sha256-" + "A" * 43 + "=")], True, "could-not-check", None),
        ([item(b"another")], True, "no", "evidence-changed"),
        ([item(), item(b"another", id="https://work.example/1#part")], True, "no", "evidence-changed"),
        ([item(id="https://work.example/gone")], True, "could-not-check", "evidence-not-reached"),
        ([item(digestMultibase=[], digestSRI=[])], True, "not-offered", "evidence-without-digest"),
        ([item(digestMultibase="m1234")], True, "could-not-check", "evidence-fingerprint-unknown"),
        ([item(id="urn:uuid:7")], True, "could-not-check", "evidence-with-issuer"),
        ([item(id="https://elsewhere.example/badges/1#evidence-1")], True, "could-not-check", "evidence-with-issuer"),
        ([item(), item(None, id="https://work.example/2")], True, "could-not-check", "evidence-partly-sealed"),
        ([item()] * 6, True, "could-not-check", "evidence-too-many"),
        ([item(None)] * 201, True, "could-not-check", "evidence-too-many"),
    ],
)
def test_evidence_of_others_is_compared_with_its_digest(
    without_rows: Runtime, evidence: list[Any], ask: bool, answer: str, expected: str | None
) -> None:
    elsewhere = Elsewhere({"https://work.example/1": b"the work"})
    found = comparison.look(without_rows, of_others(*evidence), reported(), ask=ask, load=elsewhere).evidence
    assert found.answer == answer
    assert expected in (None, found.reason)
    assert ask or elsewhere.asked == []


@pytest.mark.parametrize(
    ("outcome", "code", "expected"),
    [
        ("passed", None, "evidence-unchanged"),
        ("failed", "digest-mismatch", "evidence-changed"),
        ("failed", "digest-malformed", "evidence-fingerprint-unknown"),
        ("undecided", "fetch-failed", "evidence-not-reached"),
        ("skipped", None, "evidence-not-reached"),
    ],
)
def test_related_resources_count_as_the_report_found_them(
    without_rows: Runtime, outcome: Any, code: str | None, expected: str
) -> None:
    related = {"id": "https://work.example/1", "digestSRI": "sha256-x"}
    badge = of_others({"id": "https://work.example/1", "type": ["Evidence"]}, relatedResource=related)
    report = reported(outcome, code, "/relatedResource/digestSRI")
    assert comparison.look(without_rows, badge, report, ask=False, load=nowhere).evidence.reason == expected


def test_of_too_many_related_resources_the_rest_is_open(without_rows: Runtime) -> None:
    badge = of_others(relatedResource=[{"id": "https://work.example/1", "digestSRI": "sha256-x"}])
    report = reported("undecided", "resources-too-many", "/relatedResource")
    assert comparison.look(without_rows, badge, report, ask=False, load=nowhere).evidence.reason == "evidence-too-many"


def test_a_context_among_the_related_resources_is_no_evidence(without_rows: Runtime) -> None:
    badge = of_others(relatedResource={"id": "https://www.w3.org/ns/credentials/v2", "digestSRI": "sha256-x"})
    assert comparison.look(without_rows, badge, reported(), ask=False, load=nowhere).evidence.reason == "evidence-none"


# --- Any shape -----------------------------------------------------------------------------------------------------

WORDS = st.sampled_from(
    [
        "id", "type", "evidence", "issuer", "genre", "receipt", "duration", "summary", "digestMultibase", "digestSRI",
        "relatedResource", "credentialSubject", "achievement", "alignment", "targetUrl", "targetName", "result",
        "resultDescription", "achievedLevel", "description", "narrative", "awardedDate", "creditsEarned", "PT2H30M",
        "https://[x", "https://work.example/1", "http://localhost:8000/credentials/1", "https://elsewhere.example/badges/1",
        "uEiA", "zQm", "sha256-AAAA", "2026-03-01T10:00:00Z", "\ud800", "",
    ]
)  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=6),
    max_leaves=25,
)
BADGES = st.dictionaries(WORDS, VALUES, max_size=10)


@pytest.fixture
def alone(runtime: Runtime) -> Runtime:
    return runtime


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(badge=BADGES, ask=st.booleans(), outcome=st.sampled_from(["passed", "failed", "undecided", "skipped"]))
def test_no_shape_of_a_badge_raises(alone: Runtime, badge: dict[str, Any], ask: bool, outcome: Any) -> None:
    elsewhere = Elsewhere({"https://work.example/1": json.dumps(badge).encode("utf-8", "replace")})
    found = comparison.look(alone, badge, reported(outcome), ask=ask, load=elsewhere)
    for question in (found.evidence, found.policy):
        assert ANSWERS[question.reason] == question.answer
    assert found.receipt is None
    assert len(elsewhere.asked) == len(set(elsewhere.asked))
    told = deeds(badge, badge)
    assert all(skill.url is None or skill.url.startswith("https://") for skill in told.skills)


def test_every_reason_is_a_sentence_for_people() -> None:
    for code, sentence in REASONS.items():
        assert code == code.lower()
        assert sentence.endswith("."), code
        assert "%" not in sentence
        for word in ("digest", "receipt", "hash", "JSON", "credential", "tier"):
            assert word not in sentence, code


def test_what_is_asked_through_the_whole_check_is_the_same(stage: Stage) -> None:
    credential = stage.credential(earned(stage))
    report = verification.verify_received(stage.runtime, json.dumps(credential))
    assert isinstance(report, Report)
    found = comparison.look(stage.runtime, credential, report, ask=False, load=nowhere)
    assert (found.evidence.answer, found.policy.answer) == ("yes", "yes")


def test_an_address_that_does_not_answer_is_asked_once(without_rows: Runtime) -> None:
    elsewhere = Elsewhere({})
    found = comparison.look(without_rows, of_others(item(genre="receipt")), reported(), ask=True, load=elsewhere)
    assert (found.evidence.reason, found.policy.reason) == ("evidence-not-reached", "policy-receipt-not-reached")
    assert elsewhere.asked == ["https://work.example/1"]


@pytest.mark.parametrize("address", ["https://[x", "https://work.example:port/", "http://127.0.0.1/", "https://"])
def test_an_address_that_is_none_is_not_reached(without_rows: Runtime, address: str) -> None:
    badge = of_others(item(id=address, genre="receipt"))
    load = partial(verification.load, without_rows)
    found = comparison.look(without_rows, badge, reported(), ask=True, load=load)
    assert (found.evidence.reason, found.policy.reason) == ("evidence-not-reached", "policy-receipt-not-reached")
