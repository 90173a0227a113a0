"""Whether a badge was decided by the published rule: its receipt, held against badge and definition.

A service that has the rows of a badge reads receipt and definition there; every other one loads them. The tests of the
first stand on rows.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update

from credentials import Check, Fetched, Finding, Report, UnavailableError, canonical_json
from credentials.report import NAMES, Outcome
from service.checking.basis import comparison
from service.checking.questions import Question
from service.issuing import citations
from service.runtime.runtime import Runtime
from service.tables import AchievementVersion, Award, Receipt
from tests.worlds.awarding import SHARE_TWICE, Stage, once
from tests.worlds.stored_badges import StoredBadge, stored

pytestmark = pytest.mark.any_database("a receipt is read and compared here; the rows are only looked up")


@dataclass
class Elsewhere:
    """Documents by address, and which of them were asked for."""

    documents: Mapping[str, bytes]
    asked: list[str] = field(default_factory=list)

    def __call__(self, url: str) -> Fetched:
        """Return the document at an address."""
        self.asked.append(url)
        if url not in self.documents:
            raise UnavailableError("fetch-failed", "expected a document, got none")
        return Fetched(self.documents[url], "application/json")


def reported(resources: Outcome = "skipped", code: str | None = None, pointer: str = "") -> Report:
    """Return a report in which everything passed but what is said of the related resources."""
    findings = (Finding(code, "expected something, got something else", pointer),) if code else ()
    checks = [Check(name, "passed") if name != "resources" else Check(name, resources, findings) for name in NAMES]
    return Report("verified", tuple(checks), None, "json")


@once
def laid(stage: Stage) -> None:
    stage.member("m11", email="m11@river.example.org")


@pytest.fixture
def stage(client: TestClient, runtime: Runtime) -> Stage:
    stage = Stage.set_up(client, runtime)
    laid(stage)
    return stage


@once
def earned(stage: Stage, **more: Any) -> Any:
    stage.achievement(**more)
    for n in (1, 2):
        stage.share(n)
    (award,) = stage.awards(achievement="sharer")
    return award


def nowhere(url: str) -> Fetched:
    raise AssertionError(f"nothing is to be asked for, and {url} was")


def asked(stage: Stage, award: Any) -> Question:
    """Return the answer for a badge that was issued here."""
    return comparison.look(stage.runtime, stage.credential(award), reported(), ask=False, load=nowhere).policy


# --- What decided a badge, by its documents --------------------------------------------------------------------------


def judged(without_rows: Runtime, kept: StoredBadge) -> Question:
    """Return the answer for a badge, by its documents."""
    return comparison.look(without_rows, kept.credential, reported(), ask=True, load=kept.load, rows=False).policy


@stored
def decided(stage: Stage, /, **more: Any) -> Any:
    stage.member("m11", email="m11@river.example.org")
    return earned(stage, **more)


@stored
def rated(stage: Stage) -> Any:
    for ref in ("m11", "m12"):
        stage.member(ref)
    described = {
        "ref": "specific",
        "name": "Specific",
        "result_type": "RubricCriterionLevel",
        "rubric": "feedback",
        "criterion": "specific",
        "levels": [{"ref": "good", "name": "Good", "level": 3}],
    }
    rule = {"rule": "rubric", "rubric": "feedback", "criteria": "*", "min_level": 3, "unposted": True}
    stage.achievement(rule=rule, result_descriptions=[described])
    stage.rate("m12", {"specific": 3})
    (award,) = stage.awards()
    return award


@stored
def built_on_another(stage: Stage) -> Any:
    stage.member("m11", email="m11@river.example.org")
    earned(stage)
    stage.achievement("keeper", {"rule": "holds", "achievements": ["sharer"]}, award="reviewed")
    return stage.award("keeper").json()


@stored
def approved(stage: Stage) -> Any:
    stage.member("m11", email="m11@river.example.org")
    stage.member("d1", roles=["director"])
    stage.achievement(rule={"all": [SHARE_TWICE, {"rule": "approval", "by_role": "director"}]})
    for n in (1, 2):
        stage.share(n)
    (waiting,) = stage.send("GET", "./approvals", params={"state": "waiting"})["items"]
    by = stage.token_with("awards:approve", member="d1")
    stage.send("POST", f"./approvals/{waiting['id']}/approval", {}, token=by)
    (award,) = stage.awards()
    return award


@stored
def overridden(stage: Stage, /, **more: Any) -> Any:
    stage.member("m11", email="m11@river.example.org")
    stage.achievement(award="reviewed", **more)
    body = {"achievement": "sharer", "member": "m11", "basis": "override", "reason": "She held the circle together."}
    return stage.send("POST", "./awards", body)


@stored
def recorded(stage: Stage) -> Any:
    stage.member("m11", email="m11@river.example.org")
    stage.achievement(award="reviewed")
    return stage.recorded()


RULES = [
    {"any": [SHARE_TWICE, {"rule": "count", "where": {"types": ["mentored"]}, "gte": 40}]},
    {"at_least": {"n": 1, "of": [{"rule": "sum", "field": "minutes", "gte": 9000}, {"all": [SHARE_TWICE]}]}},
    {"any": [{"rule": "attendance", "series": "circle", "min_rate": 0.5}, SHARE_TWICE]},
    {"any": [{"rule": "rubric", "rubric": "feedback", "criteria": ["a", "b"], "min_level": 3}, SHARE_TWICE]},
    {"any": [{"rule": "score", "assessment": "final", "stat": "best", "gte": 0.8}, SHARE_TWICE]},
    {"any": [{"rule": "gain", "instrument": "belonging", "metric": "change", "gte": 0.1}, SHARE_TWICE]},
    {"any": [{"rule": "endorsed", "skill": "feedback", "gte": 3, "distinct_orgs": 2}, SHARE_TWICE]},
    {"any": [{"rule": "tenure", "role": "mentor", "min_days": 30, "min_sessions_led": 2}, SHARE_TWICE]},
]


@pytest.mark.parametrize("rule", RULES, ids="-".join)
def test_every_kind_of_rule_is_retraced(without_rows: Runtime, rule: Any) -> None:
    assert judged(without_rows, decided(rule=rule)).reason == "policy-followed"


def test_a_rubric_whose_criteria_are_declared_is_retraced(without_rows: Runtime) -> None:
    assert judged(without_rows, rated()).reason == "policy-followed"


def test_an_award_built_on_another_is_retraced(without_rows: Runtime) -> None:
    assert judged(without_rows, built_on_another()).reason == "policy-followed"


def test_what_people_approved_is_said_to_be_approved(without_rows: Runtime) -> None:
    assert judged(without_rows, approved()) == Question("policy", "yes", "policy-approved")


def test_a_decision_by_hand_against_a_rule_did_not_follow_it(without_rows: Runtime) -> None:
    assert judged(without_rows, overridden()) == Question("policy", "no", "policy-override")


def test_where_criteria_are_words_people_decide(without_rows: Runtime) -> None:
    assert judged(without_rows, overridden(rule=None)) == Question("policy", "could-not-check", "policy-people")


def test_what_was_awarded_elsewhere_is_only_recorded(without_rows: Runtime) -> None:
    assert judged(without_rows, recorded()) == Question("policy", "could-not-check", "policy-recorded")


# --- Badges that were issued here ----------------------------------------------------------------------------------


def test_what_the_rule_decided_followed_it(stage: Stage) -> None:
    assert asked(stage, earned(stage)) == Question("policy", "yes", "policy-followed")


def test_a_decision_that_is_looked_at_again_is_open(stage: Stage) -> None:
    award = earned(stage)
    with stage.runtime.database.write() as session:
        session.execute(update(Award).values(review_since=stage.runtime.now()))
    assert asked(stage, award) == Question("policy", "could-not-check", "policy-under-review")


def test_a_definition_that_was_changed_in_the_rows_shows(stage: Stage) -> None:
    award = earned(stage)
    with stage.runtime.database.write() as session:
        row = session.query(AchievementVersion).one()
        row.definition = row.definition | {"criteria": {"narrative": "Share.", "rule": SHARE_TWICE | {"gte": 1}}}
    assert asked(stage, award) == Question("policy", "no", "policy-rule-differs")


def test_a_receipt_that_was_changed_in_the_rows_shows_nothing(stage: Stage) -> None:
    award = earned(stage)
    with stage.runtime.database.write() as session:
        session.execute(update(Receipt).values(public="{}"))
    assert asked(stage, award) == Question("policy", "could-not-check", "policy-receipt-changed")


def test_a_receipt_that_is_not_kept_cannot_be_had(stage: Stage) -> None:
    credential = stage.credential(earned(stage))
    credential["evidence"][-1]["id"] += "0"
    found = comparison.look(stage.runtime, credential, reported(), ask=False, load=nowhere).policy
    assert found.reason == "policy-receipt-not-reached"


def test_a_badge_signed_again_on_other_records_says_so(stage: Stage) -> None:
    earned(stage)
    stage.share(3)
    record = stage.send("GET", "./records")["items"][0]
    stage.send("POST", f"./records/{record['id']}/void", {"reason": "Posted by mistake."})
    (award,) = stage.awards()
    stage.send(
        "POST", f"/v1/credentials/{award['credential']['id']}/replacement", {"reason": "The evidence was corrected."}
    )
    (award,) = stage.awards()
    assert asked(stage, award) == Question("policy", "could-not-check", "policy-evidence-differs")


# --- Badges of others, and bundles ---------------------------------------------------------------------------------


@dataclass
class Case:
    """A badge of another, with its receipt and the definition of its achievement."""

    credential: dict[str, Any]
    receipt: dict[str, Any]
    definition: bytes

    def judged(self, without_rows: Runtime, *, ask: bool = True, cited: bytes | None = None) -> Question:
        """Return the answer, where the badge cites the receipt by the digest of these bytes."""
        served = canonical_json(self.receipt) if cited is None else cited
        item = self.credential["evidence"][-1]
        item["digestMultibase"] = citations.multibase(hashlib.sha256(served).hexdigest())
        documents = {item["id"]: served, f"{self.receipt.get('achievement')}/definition.json": self.definition}
        elsewhere = Elsewhere(documents)
        found = comparison.look(without_rows, self.credential, reported(), ask=ask, load=elsewhere, rows=False).policy
        assert ask or elsewhere.asked == []
        return found


@pytest.fixture
def case() -> Case:
    kept = decided(rule={"all": [SHARE_TWICE, {"any": [{"rule": "count", "where": {}, "gte": 1}]}]})
    return Case(kept.credential, kept.receipt, kept.definition)


def test_a_receipt_of_others_is_held_against_the_definition_that_they_publish(
    without_rows: Runtime, case: Case
) -> None:
    assert case.judged(without_rows) == Question("policy", "yes", "policy-followed")


def test_others_are_asked_only_where_somebody_asked_for_it(without_rows: Runtime, case: Case) -> None:
    assert case.judged(without_rows, ask=False) == Question("policy", "could-not-check", "policy-not-asked")


def test_without_a_receipt_nothing_is_offered(without_rows: Runtime, case: Case) -> None:
    case.credential["evidence"].pop()
    found = comparison.look(without_rows, case.credential, reported(), ask=True, load=nowhere, rows=False).policy
    assert found == Question("policy", "not-offered", "policy-no-receipt")


def test_a_receipt_with_another_digest_shows_nothing(without_rows: Runtime, case: Case) -> None:
    item = case.credential["evidence"][-1]
    elsewhere = Elsewhere({item["id"]: b"{}"})
    found = comparison.look(without_rows, case.credential, reported(), ask=True, load=elsewhere, rows=False).policy
    assert found.reason == "policy-receipt-changed"


@pytest.mark.parametrize("cited", [b"Thank you for your order.", b'"receipt"', b'{"form":"receipt/9"}'])
def test_a_receipt_of_another_kind_is_not_known_here(without_rows: Runtime, case: Case, cited: bytes) -> None:
    assert case.judged(without_rows, cited=cited) == Question(
        "policy", "could-not-check", "policy-receipt-unknown-form"
    )


@pytest.mark.parametrize("definition", [b"<html>", b"[]", b"{}", b'{"criteria":{"rule":{"rule":"charm"}}}'])
def test_a_definition_in_another_form_is_not_known_here(without_rows: Runtime, case: Case, definition: bytes) -> None:
    case.definition = definition
    assert case.judged(without_rows).reason == "policy-rule-unknown"


def test_a_definition_that_was_published_anew_is_another_rule(without_rows: Runtime, case: Case) -> None:
    case.definition = canonical_json(json.loads(case.definition) | {"name": "Another"})
    assert case.judged(without_rows) == Question("policy", "no", "policy-rule-differs")


def test_without_the_definition_the_rule_is_open(without_rows: Runtime, case: Case) -> None:
    item = case.credential["evidence"][-1]
    elsewhere = Elsewhere({item["id"]: canonical_json(case.receipt)})
    found = comparison.look(without_rows, case.credential, reported(), ask=True, load=elsewhere, rows=False).policy
    assert found == Question("policy", "could-not-check", "policy-rule-not-reached")


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("issuer", "did:web:somebody.example"),
        ("achievement", "https://river.example.org/achievements/1"),
        ("achievement", None),
        ("version", 2),
        ("awarded_at", "2026-03-01T12:00:00Z"),
        ("awarded_at", "yesterday"),
    ],
)
def test_a_receipt_about_another_decision_shows(without_rows: Runtime, case: Case, member: str, value: Any) -> None:
    case.receipt[member] = value
    assert case.judged(without_rows) == Question("policy", "no", "policy-receipt-of-another")


def changed(criteria: Callable[[dict[str, Any]], object]) -> Callable[[dict[str, Any]], object]:
    return lambda receipt: criteria(receipt["criteria"])


CONTRADICTIONS: dict[str, Callable[[dict[str, Any]], object]] = {
    "awarded after it was decided": lambda receipt: receipt.update(as_of="2026-03-01T00:00:00Z"),
    "decided at no time": lambda receipt: receipt.update(as_of=None),
    "of no known basis": lambda receipt: receipt.update(basis="charm"),
    "by a rule without criteria": lambda receipt: receipt.pop("criteria"),
    "approved by nobody": lambda receipt: receipt.update(basis="approval"),
    "resting on other records": lambda receipt: receipt["evidence"].pop(),
    "criteria that are no object": lambda receipt: receipt.update(criteria=[]),
    "not met at the top": changed(lambda node: node.update(met=False)),
    "fewer met than said": changed(lambda node: node.update(observed=1)),
    "fewer needed than all": changed(lambda node: node.update(required=1)),
    "a group of nothing": changed(lambda node: node.update(children=[])),
    "a number that is a text": changed(lambda node: node.update(observed="2")),
    "met that is no fact": changed(lambda node: node.update(met=1)),
    "a condition met below its number": changed(lambda node: node["children"][0].update(observed=1)),
    "a condition not met at its number": changed(lambda node: node["children"][0].update(met=False)),
    "a condition with children": changed(lambda node: node["children"][0].update(children=[])),
    "records that are no names": changed(lambda node: node["children"][0].update(evidence=[1])),
    "records that are no list": changed(lambda node: node["children"][0].update(evidence="all")),
    "a kind that is no name": changed(lambda node: node["children"][0].update(rule=7)),
}


@pytest.mark.parametrize("contradiction", CONTRADICTIONS)
def test_a_receipt_that_contradicts_itself_shows(without_rows: Runtime, case: Case, contradiction: str) -> None:
    CONTRADICTIONS[contradiction](case.receipt)
    assert case.judged(without_rows) == Question("policy", "no", "policy-receipt-contradicts")


def test_criteria_without_end_are_not_followed(without_rows: Runtime, case: Case) -> None:
    for _ in range(20):
        case.receipt["criteria"] = {
            "rule": "all", "met": True, "observed": 1, "required": 1, "children": [case.receipt["criteria"]],
        }  # fmt: skip
    assert case.judged(without_rows).reason == "policy-receipt-contradicts"


def test_an_unmet_receipt_of_a_decision_by_hand_is_consistent(without_rows: Runtime, case: Case) -> None:
    case.receipt["basis"] = "override"
    assert case.judged(without_rows) == Question("policy", "no", "policy-override")


DIFFERENCES: dict[str, Callable[[dict[str, Any]], object]] = {
    "a lower number": changed(lambda node: node["children"][0].update(required=1)),
    "another kind": changed(lambda node: node["children"][0].update(rule="sum")),
    "another group": changed(lambda node: node["children"][1].update(rule="all")),
    "one condition less": changed(lambda node: node.update(children=node["children"][:1], observed=1, required=1)),
}


@pytest.mark.parametrize("difference", DIFFERENCES)
def test_criteria_other_than_the_published_ones_show(without_rows: Runtime, case: Case, difference: str) -> None:
    DIFFERENCES[difference](case.receipt)
    kept = {record for child in case.receipt["criteria"]["children"] for record in child.get("evidence", [])}
    if difference == "one condition less":
        case.receipt["evidence"] = [each for each in case.receipt["evidence"] if each["id"] in kept]
    assert case.judged(without_rows) == Question("policy", "no", "policy-rule-differs")


def test_a_badge_with_other_evidence_than_its_receipt_is_open(without_rows: Runtime, case: Case) -> None:
    case.credential["evidence"].pop(0)
    assert case.judged(without_rows) == Question("policy", "could-not-check", "policy-evidence-differs")


# --- The receipt, and the definition -------------------------------------------------------------------------------


def test_the_receipt_is_given_to_whoever_shows_a_badge(stage: Stage) -> None:
    award = earned(stage)
    credential = stage.credential(award)
    found = comparison.look(stage.runtime, credential, reported(), ask=False, load=nowhere).receipt
    assert found == stage.client.get(award["receipt"]).json()
    assert comparison.look(stage.runtime, credential, reported(), ask=False, load=nowhere, rows=False).receipt is None
    elsewhere = Elsewhere({award["receipt"]: b"{}"})
    assert comparison.look(stage.runtime, credential, reported(), ask=True, load=elsewhere, rows=False).receipt is None


def test_the_definition_is_published_as_the_bytes_whose_digest_receipts_give(stage: Stage) -> None:
    award = earned(stage)
    receipt = stage.client.get(award["receipt"]).json()
    answer = stage.client.get(f"{receipt['achievement']}/definition.json")
    assert answer.headers["content-type"] == "application/json"
    assert hashlib.sha256(answer.content).hexdigest() == receipt["definition_sha256"]
    assert answer.json()["criteria"]["rule"] == SHARE_TWICE
    again = stage.client.get(
        f"{receipt['achievement']}/definition.json", headers={"If-None-Match": answer.headers["etag"]}
    )
    assert (again.status_code, again.content) == (304, b"")


def test_a_draft_has_no_published_definition(stage: Stage) -> None:
    stage.achievement(publish=False)
    with stage.runtime.database.read() as session:
        (version,) = session.query(AchievementVersion).all()
    answer = stage.client.get(f"/achievements/{version.id}/definition.json")
    assert (answer.status_code, answer.json()["code"]) == (404, "achievement-unknown")
    assert stage.client.get("/achievements/none/definition.json").status_code == 404
