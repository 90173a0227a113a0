"""Achievements: drafts, published versions, and by which version members are judged."""

import hashlib
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from fastapi.testclient import TestClient

from service.access.act import Act
from service.achievements import achievements
from service.achievements.parts import ACHIEVEMENT_TYPES, IDENTIFIER_TYPES, RESULT_TYPES
from service.awards import settling
from service.criteria import rejudging
from service.networks.alignments import TARGET_TYPES
from service.runtime.runtime import Runtime
from service.suggestions import MISSPELT
from service.tables import AchievementVersion, Contribution, Enrolment, Network, UnsettledMember
from tests.worlds.acting import Actor, actor, all_pages, refused, told
from tests.worlds.posting import AT, REVIEW, ROOT, hill, posted, river, rows_of
from tests.worlds.runtimes import BASE_URL, Clock

ACHIEVEMENTS = f"{ROOT}/achievements"
RULE = {"rule": "count", "where": {"types": ["reviewed"]}, "gte": 2}
READER: dict[str, Any] = {
    "ref": "reader",
    "name": "Generous Reader",
    "description": "Reads colleagues' drafts and says what would help.",
    "achievement_type": "Badge",
    "criteria": {"narrative": "Review two drafts.", "rule": RULE},
    "award": "reviewed",
}
LEVELS = [{"ref": f"l{n}", "name": f"Level {n}", "level": n} for n in (1, 2, 3)]
KIND = {
    "ref": "kind",
    "name": "Feedback is kind",
    "result_type": "RubricCriterionLevel",
    "rubric": "feedback",
    "criterion": "kind",
    "levels": LEVELS,
    "required_level": "l3",
}
RUBRIC = {"rule": "rubric", "rubric": "feedback", "criteria": "*", "min_level": 3}
JUDGED = READER | {"criteria": {"narrative": "As two judge.", "rule": RUBRIC}, "result_descriptions": [KIND]}

CREDIT = {"value": 2, "unit": "CEU", "authority": {"name": "State Board", "url": "http://board.example.org/ceu"}}
RELATED = {"id": "https://river.example.org/lector", "in_language": "es", "version": "2"}
CTID = {"identifier": "ce-5f0c1e84-5c0a-4f7b-9c55-0a1b2c3d4e5f", "identifier_type": "ext:CTID"}
FIELDS: dict[str, Any] = {
    "alignment": [
        {
            "target_name": "Active listening",
            "target_url": "http://data.europa.eu/esco/skill/8f18f987-33e2-4228-9efb-65de25d03330",
            "target_framework": "O*NET",
            "target_code": "2.B.1.a",
            "target_type": "ext:O-NET",
        }
    ],
    "credits": [CREDIT],
    "field_of_study": "Education",
    "human_code": "EDU-204",
    "in_language": "en",
    "related": [RELATED],
    "other_identifiers": [CTID],
}
"""What TrustEd Microcredentials, CTDL and ELM ask for beside a name and criteria."""


@pytest.fixture
def who(runtime: Runtime, client: TestClient) -> Actor:
    """Whoever may do everything in a network with the members m11, m12 and m13, and the session s1."""
    return river(runtime, client)


def ruled(rule: Any, **said: Any) -> dict[str, Any]:
    return READER | {"criteria": {"narrative": "As the rule says.", "rule": rule}} | said


def changed(**said: Any) -> dict[str, Any]:
    return {name: value for name, value in (READER | said).items() if name != "ref"}


def publish(who: Actor, body: dict[str, Any] = READER) -> Any:
    return posted(who.post(ACHIEVEMENTS, body | {"publish": True}))


def review(who: Actor, ref: str, **said: Any) -> Any:
    return posted(who.post(f"{ROOT}/contributions", REVIEW | {"ref": ref} | said))


def progress_of(who: Actor, member: str) -> Any:
    return who.get(f"{ROOT}/members/{member}/progress").json()["items"]


def test_an_achievement_is_a_draft_until_it_is_published(runtime: Runtime, who: Actor) -> None:
    draft = posted(who.post(ACHIEVEMENTS, READER))
    assert draft.pop("id")
    assert draft.pop("version_id")
    assert draft == READER | {"version": 1, "state": "draft", "created_at": "2026-03-02T12:00:00Z"}
    assert progress_of(who, "m11") == []

    published = posted(who.post(f"{ACHIEVEMENTS}/reader/publication"), 200)
    assert (published["state"], published["published_version"]) == ("published", 1)
    assert published["url"] == f"{BASE_URL}/achievements/{published['version_id']}"
    assert published["published_at"] == "2026-03-02T12:00:00Z"
    definition = {name: value for name, value in READER.items() if name != "ref"}
    assert published["definition_sha256"] == hashlib.sha256(rfc8785.dumps(definition)).hexdigest()
    assert [standing["achievement"] for standing in progress_of(who, "m11")] == ["reader"]
    assert who.get(f"{ACHIEVEMENTS}/reader").json() == published

    assert posted(who.post(f"{ACHIEVEMENTS}/reader/publication"), 200) == published
    assert told(runtime).count("achievement.published") == 1


def test_posting_the_same_again_gives_the_same(runtime: Runtime, who: Actor) -> None:
    draft = posted(who.post(ACHIEVEMENTS, READER))
    assert posted(who.post(ACHIEVEMENTS, READER), 200) == draft
    published = posted(who.post(ACHIEVEMENTS, READER | {"publish": True}), 200)
    assert published["state"] == "published"
    assert posted(who.post(ACHIEVEMENTS, READER), 200) == published
    assert len(rows_of(runtime, AchievementVersion)) == 1
    other = who.post(ACHIEVEMENTS, READER | {"name": "Reader"})
    assert refused(other) == (409, "achievement-differs", "/ref")


def test_two_posts_at_the_same_moment_make_one_achievement(runtime: Runtime, who: Actor) -> None:
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: who.post(ACHIEVEMENTS, READER | {"publish": True}), range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 201]
    assert len({answer.json()["version_id"] for answer in answers}) == 1
    assert len(rows_of(runtime, AchievementVersion)) == 1
    assert told(runtime).count("achievement.published") == 1


def test_a_draft_changes_and_a_published_version_never(runtime: Runtime, who: Actor) -> None:
    posted(who.post(ACHIEVEMENTS, READER))
    second = posted(who.put(f"{ACHIEVEMENTS}/reader", changed(name="Reader")), 200)
    assert (second["name"], second["version"], second["state"]) == ("Reader", 1, "draft")
    first = posted(who.post(f"{ACHIEVEMENTS}/reader/publication"), 200)

    assert posted(who.put(f"{ACHIEVEMENTS}/reader", changed(name="Reader")), 200) == first
    third = posted(who.put(f"{ACHIEVEMENTS}/reader", changed(name="Best Reader")), 200)
    assert (third["version"], third["state"], third["published_version"]) == (2, "draft", 1)
    assert posted(who.put(f"{ACHIEVEMENTS}/reader", changed(name="Great Reader")), 200)["version"] == 2
    assert posted(who.post(f"{ACHIEVEMENTS}/reader/publication"), 200)["published_version"] == 2

    versions = all_pages(who, f"{ACHIEVEMENTS}/reader/versions")
    assert [(each["version"], each["name"]) for each in versions] == [(1, "Reader"), (2, "Great Reader")]
    assert who.get(f"{ACHIEVEMENTS}/reader/versions/1").json() == versions[0]
    assert versions[0]["definition_sha256"] == first["definition_sha256"] != versions[1]["definition_sha256"]
    assert told(runtime).count("achievement.published") == 2


def test_put_defines_what_is_not_there(who: Actor) -> None:
    assert posted(who.put(f"{ACHIEVEMENTS}/reader", changed()), 201)["version"] == 1
    assert posted(who.post(ACHIEVEMENTS, READER), 200)["ref"] == "reader"


def test_achievements_are_listed_and_filtered(who: Actor) -> None:
    for ref in ("a", "b", "c"):
        posted(who.post(ACHIEVEMENTS, READER | {"ref": ref}))
    posted(who.post(f"{ACHIEVEMENTS}/b/publication"), 200)
    posted(who.post(f"{ACHIEVEMENTS}/c/publication"), 200)
    posted(who.put(f"{ACHIEVEMENTS}/c", changed(award="automatic")), 200)

    def refs(**query: str) -> list[str]:
        return [each["ref"] for each in all_pages(who, ACHIEVEMENTS, **query)]

    assert refs() == ["a", "b", "c"]
    assert refs(state="draft") == ["a", "c"]
    assert refs(state="published") == ["b", "c"]
    assert refs(award="automatic") == ["c"]


@pytest.mark.any_database("a body is judged in the code; the rows are only looked up")
@pytest.mark.parametrize(
    ("change", "code", "pointer"),
    [
        pytest.param({"name": ""}, "string-too-short", "/name", id="no name"),
        pytest.param({"name": "a\nb"}, "line-invalid", "/name", id="two lines"),
        pytest.param({"name": "a\0b"}, "text-nul", "/name", id="what no database keeps"),
        pytest.param({"ref": "a/b"}, "ref-invalid", "/ref", id="a slash in the ref"),
        pytest.param({"description": None}, "string-type", "/description", id="no description"),
        pytest.param({"achievement_type": "badge"}, "type-unknown", "/achievement_type", id="no such type"),
        pytest.param({"achievement_type": "ext:"}, "type-unknown", "/achievement_type", id="an extension without name"),
        pytest.param({"criteria": {}}, "missing", "/criteria/narrative", id="no narrative"),
        pytest.param(
            {"criteria": {"narrative": "x", "rules": []}}, "extra-forbidden", "/criteria/rules", id="a misspelt rule"
        ),
        pytest.param({"award": "manual"}, "literal-error", "/award", id="awarded how"),
        pytest.param(
            {"award": "automatic", "criteria": {"narrative": "x"}},
            "rule-missing",
            "/award",
            id="automatic without a rule",
        ),
        pytest.param({"valid_for": "3 years"}, "duration-invalid", "/valid_for", id="no duration"),
        pytest.param({"tags": ["a", "a"]}, "repeated", "/tags", id="a tag twice"),
        pytest.param({"tags": []}, "too-short", "/tags", id="no tags"),
        pytest.param({"image": "x"}, "string-pattern-mismatch", "/image", id="no digest"),
        pytest.param(
            {"alignment": [{"target_name": "x", "target_url": "ftp://x.example"}]},
            "url-invalid",
            "/alignment/0/target_url",
            id="an alignment that is no web address",
        ),
        pytest.param(
            {"alignment": [{"target_name": "x", "target_url": "https://x.example/<a>"}]},
            "url-invalid",
            "/alignment/0/target_url",
            id="an alignment that is no IRI",
        ),
        pytest.param(
            {"alignment": [{"target_name": "x", "target_url": "https://x.example", "target_type": "Standard"}]},
            "type-unknown",
            "/alignment/0/target_type",
            id="aligned to what",
        ),
        pytest.param(
            {"result_descriptions": [KIND | {"result_type": "Level"}]},
            "type-unknown",
            "/result_descriptions/0/result_type",
            id="no such result",
        ),
        pytest.param(
            {"result_descriptions": [KIND, KIND]}, "repeated", "/result_descriptions", id="a result described twice"
        ),
        pytest.param(
            {"result_descriptions": [KIND, KIND | {"ref": "kind-2"}]},
            "repeated",
            "/result_descriptions",
            id="a criterion described twice",
        ),
        pytest.param(
            {"result_descriptions": [KIND | {"criterion": None}]},
            "rubric-incomplete",
            "/result_descriptions/0",
            id="a rubric without criterion",
        ),
        pytest.param(
            {"result_descriptions": [KIND | {"levels": LEVELS[::-1]}]},
            "levels-unordered",
            "/result_descriptions/0/levels",
            id="levels from high to low",
        ),
        pytest.param(
            {"result_descriptions": [KIND | {"levels": [LEVELS[0], LEVELS[1] | {"ref": "l1"}]}]},
            "repeated",
            "/result_descriptions/0/levels",
            id="two levels under one ref",
        ),
        pytest.param(
            {"result_descriptions": [KIND | {"required_level": "l4"}]},
            "level-unknown",
            "/result_descriptions/0/required_level",
            id="a required level that is none",
        ),
        pytest.param(
            {
                "result_descriptions": [
                    {"ref": "p", "name": "P", "result_type": "Percent", "value_min": 1, "value_max": 1}
                ]
            },
            "values-unordered",
            "/result_descriptions/0/value_max",
            id="values without room",
        ),
        pytest.param({"credits": []}, "too-short", "/credits", id="no credits"),
        pytest.param({"credits": [CREDIT | {"value": 0}]}, "greater-than", "/credits/0/value", id="zero credits"),
        pytest.param(
            {"credits": [CREDIT | {"value": 10_001}]}, "less-than-equal", "/credits/0/value", id="too many credits"
        ),
        pytest.param({"credits": [{"value": 2}]}, "missing", "/credits/0/authority", id="credits of nobody"),
        pytest.param(
            {"credits": [CREDIT | {"authority": {"name": "x", "url": "x"}}]},
            "url-invalid",
            "/credits/0/authority/url",
            id="an authority without an address",
        ),
        pytest.param({"credits": [CREDIT, CREDIT]}, "repeated", "/credits", id="credits of an authority twice"),
        pytest.param({"credits": [CREDIT] * 11}, "too-long", "/credits", id="credits of too many authorities"),
        pytest.param({"in_language": "English"}, "string-pattern-mismatch", "/in_language", id="no code of a language"),
        pytest.param({"field_of_study": ""}, "string-too-short", "/field_of_study", id="no field of study"),
        pytest.param({"human_code": "a\nb"}, "line-invalid", "/human_code", id="a code of two lines"),
        pytest.param(
            {"related": [{"id": "javascript:alert(1)"}]}, "url-invalid", "/related/0/id", id="related to no address"
        ),
        pytest.param({"related": [RELATED, RELATED]}, "repeated", "/related", id="related twice"),
        pytest.param(
            {"other_identifiers": [CTID | {"identifier_type": "emailAddress"}]},
            "type-unknown",
            "/other_identifiers/0/identifier_type",
            id="an identifier of people",
        ),
        pytest.param(
            {"other_identifiers": [CTID | {"identifier": "ce-1"}]},
            "ctid-invalid",
            "/other_identifiers/0",
            id="a CTID that is none",
        ),
        pytest.param({"other_identifiers": [CTID, CTID]}, "repeated", "/other_identifiers", id="an identifier twice"),
        pytest.param({"publish": "yes"}, "bool-type", "/publish", id="yes for true"),
        pytest.param({"issuer": "x"}, "extra-forbidden", "/issuer", id="an unknown member"),
    ],
)
def test_a_definition_without_the_published_shape_is_refused(
    who: Actor, change: dict[str, Any], code: str, pointer: str
) -> None:
    answer = who.post(ACHIEVEMENTS, READER | change)
    assert refused(answer) == (422, code, pointer)
    assert all_pages(who, ACHIEVEMENTS) == []


@pytest.mark.any_database("a body is judged in the code; the rows are only looked up")
@pytest.mark.parametrize(
    ("rule", "code", "pointer"),
    [
        ({"rule": "count", "gte": 0}, "greater-than-equal", "/gte"),
        ({"rule": "counts", "gte": 1}, "rule-unknown", "/rule"),
        ({"all": [RULE, {"at_least": {"n": 2, "of": [RULE]}}]}, "n-too-large", "/all/1/at_least/n"),
    ],
)
def test_a_rule_that_is_not_criteria_is_refused_also_in_a_draft(who: Actor, rule: Any, code: str, pointer: str) -> None:
    assert refused(who.post(ACHIEVEMENTS, ruled(rule))) == (422, code, "/criteria/rule" + pointer)
    assert refused(who.put(f"{ACHIEVEMENTS}/reader", changed(**ruled(rule)))) == (422, code, "/criteria/rule" + pointer)


@pytest.mark.any_database("a body is judged in the code; the rows are only looked up")
@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        pytest.param(
            ruled({"rule": "count", "gte": 9, "distinct": "day", "window": {"from": "2026-01-01", "to": "2026-01-09"}}),
            "rule-impossible",
            "/criteria/rule/gte",
            id="more days than there are",
        ),
        pytest.param(
            ruled({"rule": "count", "gte": 1, "where": {"sessions": ["s1", "s2"]}}),
            "session-unknown",
            "/criteria/rule/where/sessions/1",
            id="a session that is not there",
        ),
        pytest.param(ruled(RUBRIC), "rubric-undeclared", "/criteria/rule/criteria", id="all criteria of what"),
        pytest.param(
            JUDGED | {"criteria": {"narrative": "x", "rule": RUBRIC | {"criteria": ["kind", "useful"]}}},
            "criterion-undeclared",
            "/criteria/rule/criteria/1",
            id="a criterion that the results do not describe",
        ),
        pytest.param(
            JUDGED | {"criteria": {"narrative": "x", "rule": RUBRIC | {"min_level": 4}}},
            "rule-impossible",
            "/criteria/rule/min_level",
            id="a level above the highest",
        ),
        pytest.param(
            JUDGED | {"result_descriptions": [KIND | {"required_level": "l2"}]},
            "required-level-differs",
            "/result_descriptions/0/required_level",
            id="another level than the rule asks for",
        ),
        pytest.param(
            ruled({"any": [RULE, {"rule": "holds", "achievements": ["writer"]}]}),
            "achievement-unknown",
            "/criteria/rule/any/1/achievements/0",
            id="an achievement that is not there",
        ),
        pytest.param(
            ruled({"rule": "endorsed", "skill": "reading", "gte": 1, "from_achievement": "writer"}),
            "achievement-unknown",
            "/criteria/rule/from_achievement",
            id="endorsers with an achievement that is not there",
        ),
        pytest.param(
            ruled({"rule": "count", "gte": 1, "window": {"to": "2026-03-02"}}),
            "window-over",
            "/criteria/rule/window/to",
            id="a window that is over, with nothing in it",
        ),
        pytest.param(
            ruled({"rule": "holds", "achievements": ["reader"]}),
            "requires-itself",
            "/criteria/rule/achievements/0",
            id="itself",
        ),
    ],
)
def test_what_cannot_be_published_stays_a_draft(
    runtime: Runtime, who: Actor, body: dict[str, Any], code: str, pointer: str
) -> None:
    assert refused(who.post(ACHIEVEMENTS, body | {"publish": True})) == (422, code, pointer)
    assert all_pages(who, ACHIEVEMENTS) == []
    posted(who.post(ACHIEVEMENTS, body))
    answer = who.post(f"{ACHIEVEMENTS}/reader/publication")
    assert refused(answer) == (422, code, pointer)
    assert who.get(f"{ACHIEVEMENTS}/reader").json()["state"] == "draft"
    assert "achievement.published" not in told(runtime)


def test_a_window_that_is_over_can_be_met_by_what_is_recorded(who: Actor) -> None:
    rule = {"rule": "count", "gte": 5, "where": {"types": ["reviewed"]}, "window": {"to": "2026-03-02"}}
    posted(who.post(f"{ROOT}/contributions", {"member": "m11", "type": "shared", "occurred_at": AT}))
    assert refused(who.post(ACHIEVEMENTS, READER | ruled(rule) | {"publish": True}))[1] == "window-over"
    posted(who.post(f"{ROOT}/contributions", {"member": "m11", "type": "reviewed", "occurred_at": AT}))
    posted(who.post(ACHIEVEMENTS, READER | ruled(rule) | {"publish": True}))


def test_a_version_that_is_asked_for_is_there(who: Actor) -> None:
    publish(who, READER | {"ref": "a"})
    holding = {"rule": "holds", "achievements": ["a"], "min_version": 2}
    body = READER | {"ref": "b"} | ruled(holding) | {"publish": True}
    assert refused(who.post(ACHIEVEMENTS, body)) == (422, "version-unknown", "/criteria/rule/min_version")
    posted(who.put(f"{ACHIEVEMENTS}/a", changed(name="Second")), 200)
    posted(who.post(f"{ACHIEVEMENTS}/a/publication"), 200)
    posted(who.post(ACHIEVEMENTS, body))


def test_achievements_cannot_require_each_other(who: Actor) -> None:
    def holding(ref: str) -> dict[str, Any]:
        return changed(**ruled({"rule": "holds", "achievements": [ref]}))

    for ref in ("a", "b", "c"):
        publish(who, READER | {"ref": ref})
    for ref, other in (("b", "a"), ("c", "b")):
        posted(who.put(f"{ACHIEVEMENTS}/{ref}", holding(other)), 200)
        posted(who.post(f"{ACHIEVEMENTS}/{ref}/publication"), 200)
    posted(who.put(f"{ACHIEVEMENTS}/a", holding("c")), 200)
    answer = who.post(f"{ACHIEVEMENTS}/a/publication")
    assert refused(answer) == (422, "requires-itself", "/criteria/rule/achievements/0")


def test_a_picture_must_be_a_picture_of_the_network(runtime: Runtime, client: TestClient, who: Actor) -> None:
    unknown = who.post(ACHIEVEMENTS, READER | {"image": "0" * 64})
    assert refused(unknown) == (422, "blob-unknown", "/image")
    text = posted(who.post("/v1/blobs", content=b"only words", headers={"Content-Type": "text/plain"}))
    assert refused(who.post(ACHIEVEMENTS, READER | {"image": text["sha256"]})) == (422, "image-unfit", "/image")
    svg = b'<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"><circle r="5" cx="5" cy="5"/></svg>'
    drawn = posted(who.post("/v1/blobs", content=svg, headers={"Content-Type": "image/svg+xml"}))
    assert posted(who.post(ACHIEVEMENTS, READER | {"image": drawn["sha256"]}))["image"] == drawn["sha256"]
    other = hill(runtime, client)
    theirs = other.post("/v1/networks/hill-readers/achievements", READER | {"image": drawn["sha256"]})
    assert refused(theirs) == (422, "blob-unknown", "/image")


@pytest.mark.any_database("a body is judged in the code; the rows are only looked up")
@pytest.mark.parametrize("method", ["get", "versions", "versions/1", "publication", "enrolments", "enrolments/m11"])
def test_what_is_not_there_is_not_found(runtime: Runtime, client: TestClient, who: Actor, method: str) -> None:
    path = {"get": "reader"}.get(method, f"reader/{method}")
    ask = who.post if method == "publication" else who.get
    assert refused(ask(f"{ACHIEVEMENTS}/{path}")) == (404, "achievement-unknown", None)
    publish(who)
    stranger = hill(runtime, client)
    theirs = stranger.post if method == "publication" else stranger.get
    assert refused(theirs(f"{ACHIEVEMENTS}/{path}")) == (404, "network-unknown", None)


def test_a_version_or_enrolment_that_is_not_there_is_not_found(who: Actor) -> None:
    publish(who)
    assert refused(who.get(f"{ACHIEVEMENTS}/reader/versions/2")) == (404, "version-unknown", None)
    assert who.get(f"{ACHIEVEMENTS}/reader/versions/{10**30}").status_code == 422
    assert refused(who.get(f"{ACHIEVEMENTS}/reader/enrolments/m11")) == (404, "enrolment-unknown", None)
    assert refused(who.get(f"{ACHIEVEMENTS}/reader/enrolments/eve")) == (404, "member-unknown", None)


@pytest.mark.usefixtures("who")
def test_defining_needs_its_scope(runtime: Runtime, client: TestClient) -> None:
    reader = actor(runtime, client, slug="river-writers", scopes=["read"])
    for answer in (
        reader.post(ACHIEVEMENTS, READER),
        reader.put(f"{ACHIEVEMENTS}/reader", changed()),
        reader.post(f"{ACHIEVEMENTS}/reader/publication"),
        reader.put(f"{ACHIEVEMENTS}/reader/enrolments/m11", {}),
    ):
        assert refused(answer) == (403, "scope-missing", None)
    writer = actor(runtime, client, slug="river-writers", scopes=["achievements:write"])
    assert refused(writer.get(ACHIEVEMENTS)) == (403, "scope-missing", None)
    assert writer.post(ACHIEVEMENTS, READER).status_code == 201


def test_evidence_from_before_the_publication_earns_the_award(runtime: Runtime, who: Actor) -> None:
    review(who, "r1")
    review(who, "r2")
    publish(who, READER | {"award": "automatic"})
    found = who.get(f"{ROOT}/awards").json()["items"]
    assert [(each["member"], each["achievement"]) for each in found] == [("m11", "reader")]
    assert rows_of(runtime, UnsettledMember) == []


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)  # on SQLite nobody writes beside a decision
def test_a_publication_beside_a_decision_is_not_lost(
    runtime: Runtime, who: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A decision on a member's awards that has not seen the new version must leave the mark that tells of it."""
    review(who, "r1")
    review(who, "r2")
    posted(who.post(ACHIEVEMENTS, READER | {"award": "automatic"}))
    network_id = rows_of(runtime, Network)[0].id
    m11 = rows_of(runtime, Contribution)[0].member_id
    with runtime.database.write() as session:
        rejudging.mark(Act(session, session.get_one(Network, network_id), None, runtime.now()), [m11])
    earned = settling._earned
    threads: list[threading.Thread] = []

    def publish_meanwhile() -> None:
        with runtime.database.write() as session:
            network = session.get_one(Network, network_id)
            achievements.publish(Act(session, network, None, runtime.now()), "reader")

    def look(*given: Any) -> Any:
        found = earned(*given)
        if not threads:
            threads.append(threading.Thread(target=publish_meanwhile))
            threads[0].start()
            threads[0].join(1)
        return found

    monkeypatch.setattr(settling, "_earned", look)
    with runtime.database.write() as session:
        act = Act(session, session.get_one(Network, network_id), None, runtime.now())
        assert settling.settle(act, runtime, [m11]) == []
    threads[0].join()
    assert [row.member_id for row in rows_of(runtime, UnsettledMember)] == [m11]
    assert settling.settle_pending(runtime, network_id) == 1


THREE = {"rule": "count", "where": {"types": ["reviewed"]}, "gte": 3}


def second_version(who: Actor) -> None:
    posted(who.put(f"{ACHIEVEMENTS}/reader", changed(**ruled(THREE))), 200)
    posted(who.post(f"{ACHIEVEMENTS}/reader/publication"), 200)


def judged(who: Actor, member: str) -> tuple[int, bool, bool, str]:
    (standing,) = progress_of(who, member)
    return standing["version"], standing["enrolled"], standing["met"], standing["text"]


def test_who_has_begun_under_a_version_is_judged_by_it(who: Actor) -> None:
    publish(who)
    review(who, "r1")
    posted(who.post(f"{ROOT}/contributions", {"member": "m12", "type": "shared", "occurred_at": AT}))
    second_version(who)
    assert judged(who, "m11") == (1, True, False, "1 of 2 contributions of type reviewed")
    assert judged(who, "m12") == (2, False, False, "0 of 3 contributions of type reviewed")
    for ref in ("r2", "r3"):
        review(who, ref)
        review(who, f"m12-{ref}", member="m12")
    assert judged(who, "m11") == (1, True, True, "3 of 2 contributions of type reviewed")
    assert judged(who, "m12") == (2, False, False, "2 of 3 contributions of type reviewed")
    assert all_pages(who, f"{ACHIEVEMENTS}/reader/enrolments") == [{"member": "m11", "version": 1, "at": AT}]


def test_what_once_counted_binds_though_it_has_left_its_window(who: Actor, clock: Clock) -> None:
    publish(who, ruled(RULE | {"window": {"last": "P1W"}}))
    review(who, "r1")
    clock.advance(days=20)
    second_version(who)
    assert judged(who, "m11")[:2] == (1, True)


def test_members_are_enrolled_by_hand(runtime: Runtime, who: Actor) -> None:
    publish(who)
    second_version(who)
    path = f"{ACHIEVEMENTS}/reader/enrolments"
    old = posted(who.put(f"{path}/m11", {"version": 1, "at": "2026-01-01T00:00:00Z"}), 201)
    assert old == {"member": "m11", "version": 1, "at": "2026-01-01T00:00:00Z"}
    assert posted(who.put(f"{path}/m11", {"version": 1}), 200) == old
    assert posted(who.put(f"{path}/m12", {}), 201) == {"member": "m12", "version": 2, "at": "2026-03-02T12:00:00Z"}
    assert judged(who, "m11")[:2] == (1, True)
    assert who.get(f"{path}/m11").json() == old
    assert [each["member"] for each in all_pages(who, path)] == ["m11", "m12"]
    assert [each["member"] for each in all_pages(who, path, version=1)] == ["m11"]
    moved = posted(who.put(f"{path}/m11", {"version": 2}), 200)
    assert moved == old | {"version": 2}
    assert told(runtime).count("member.enrolled") == 3


def test_an_enrolment_by_hand_settles_what_it_earns(who: Actor) -> None:
    publish(who, READER | {"award": "automatic"})
    posted(who.put(f"{ACHIEVEMENTS}/reader", changed(**ruled(THREE, award="automatic"))), 200)
    posted(who.post(f"{ACHIEVEMENTS}/reader/publication"), 200)
    review(who, "r1")
    review(who, "r2")
    assert who.get(f"{ROOT}/awards").json()["items"] == []
    posted(who.put(f"{ACHIEVEMENTS}/reader/enrolments/m11", {"version": 1}), 201)
    assert [each["version"] for each in who.get(f"{ROOT}/awards").json()["items"]] == [1]


@pytest.mark.any_database("a body is judged in the code; the rows are only looked up")
@pytest.mark.parametrize(
    ("body", "status", "code", "pointer"),
    [
        ({"version": 3}, 404, "version-unknown", "/version"),
        ({"version": 2}, 409, "version-unpublished", "/version"),
        ({"version": 0}, 422, "greater-than-equal", "/version"),
        ({"at": "2026-03-02T12:00:01Z"}, 422, "time-in-future", "/at"),
        ({"since": "2026-01-01T00:00:00Z"}, 422, "extra-forbidden", "/since"),
    ],
)
def test_an_enrolment_that_cannot_be_is_refused(
    runtime: Runtime, who: Actor, body: dict[str, Any], status: int, code: str, pointer: str
) -> None:
    publish(who)
    posted(who.put(f"{ACHIEVEMENTS}/reader", changed(name="Draft")), 200)
    assert refused(who.put(f"{ACHIEVEMENTS}/reader/enrolments/m11", body)) == (status, code, pointer)
    assert rows_of(runtime, Enrolment) == []


def test_who_was_erased_is_not_enrolled(runtime: Runtime, client: TestClient, who: Actor) -> None:
    publish(who)
    eraser = actor(runtime, client, slug="river-writers", scopes=["members:erase"])
    posted(eraser.delete(f"{ROOT}/members/m11"), 200)
    answer = who.put(f"{ACHIEVEMENTS}/reader/enrolments/m11", {})
    assert refused(answer)[:2] == (409, "member-erased")


def test_nobody_is_enrolled_in_what_is_not_published(who: Actor) -> None:
    posted(who.post(ACHIEVEMENTS, READER))
    answer = who.put(f"{ACHIEVEMENTS}/reader/enrolments/m11", {})
    assert refused(answer) == (409, "version-unpublished", "/version")
    assert refused(who.put(f"{ACHIEVEMENTS}/reader/enrolments/eve", {})) == (404, "member-unknown", None)


def test_a_closed_network_defines_nothing_new(runtime: Runtime, who: Actor) -> None:
    posted(who.post(ACHIEVEMENTS, READER))
    with runtime.database.write() as session:
        session.get_one(Network, rows_of(runtime, Network)[0].id).state = "closed"
    for answer in (
        who.post(ACHIEVEMENTS, READER | {"ref": "other"}),
        who.put(f"{ACHIEVEMENTS}/reader", changed(name="Other")),
        who.post(f"{ACHIEVEMENTS}/reader/publication"),
        who.put(f"{ACHIEVEMENTS}/reader/enrolments/m11", {}),
    ):
        assert refused(answer) == (409, "network-closed", None)
    assert who.get(f"{ACHIEVEMENTS}/reader").status_code == 200


def test_every_type_of_the_standard_can_be_defined(shared: Path) -> None:
    schema = (shared / "1edtech-schemas" / "achievementcredential.json").read_text()
    for names in (ACHIEVEMENT_TYPES, RESULT_TYPES, TARGET_TYPES):
        assert sorted(names) in enumerations(json.loads(schema))
    assert any(set(IDENTIFIER_TYPES) < set(each) for each in enumerations(json.loads(schema)))


def test_all_that_a_definition_says_is_answered_and_sealed(who: Actor) -> None:
    said = READER | FIELDS | {"valid_for": "P3Y", "cooling_off": "P3D", "status": "suspension"}
    published = publish(who, said)
    assert published == published | said
    definition = {name: value for name, value in said.items() if name != "ref"}
    assert published["definition_sha256"] == hashlib.sha256(rfc8785.dumps(definition)).hexdigest()


def test_credits_field_language_code_and_identifiers_are_published(who: Actor) -> None:
    url = publish(who, READER | FIELDS)["url"]
    document = who.client.get(f"{url}.json").json()
    assert document["creditsAvailable"] == 2
    assert (document["fieldOfStudy"], document["humanCode"], document["inLanguage"]) == ("Education", "EDU-204", "en")
    assert document["related"] == [{"type": ["Related"], "id": RELATED["id"], "inLanguage": "es", "version": "2"}]
    assert document["otherIdentifier"] == [
        {"type": "IdentifierEntry", "identifier": CTID["identifier"], "identifierType": "ext:CTID"}
    ]
    assert document["resultDescription"] == [
        {
            "id": f"{url}#credits:1",
            "type": ["ResultDescription"],
            "name": "Credits in CEU (State Board)",
            "resultType": "ext:CreditsEarned",
            "valueMin": "2",
            "valueMax": "2",
            "alignment": [
                {
                    "type": ["Alignment"],
                    "targetName": "State Board",
                    "targetUrl": "http://board.example.org/ceu",
                    "targetType": "ext:CreditAuthority",
                    "targetFramework": "CEU",
                }
            ],
        }
    ]


def test_a_version_is_not_related_to_itself_and_may_be_to_the_one_before(who: Actor) -> None:
    draft = posted(who.post(ACHIEVEMENTS, READER))
    url = f"{BASE_URL}/achievements/{draft['version_id']}"
    posted(who.patch(f"{ACHIEVEMENTS}/reader", {"related": [RELATED, {"id": url}]}), 200)
    refusal = who.post(f"{ACHIEVEMENTS}/reader/publication")
    assert refused(refusal) == (422, "related-to-itself", "/related/1/id")
    posted(who.patch(f"{ACHIEVEMENTS}/reader", {"related": None}), 200)
    posted(who.post(f"{ACHIEVEMENTS}/reader/publication"), 200)
    posted(who.patch(f"{ACHIEVEMENTS}/reader", {"related": [{"id": url, "version": "1"}]}), 200)
    assert posted(who.post(f"{ACHIEVEMENTS}/reader/publication"), 200)["published_version"] == 2


def test_credits_of_two_authorities_have_no_sum(who: Actor) -> None:
    other = {"value": 0.5, "authority": {"name": "University", "url": "https://university.example.org/"}}
    document = who.client.get(publish(who, READER | {"credits": [CREDIT, other]})["url"] + ".json").json()
    assert "creditsAvailable" not in document
    assert [each["name"] for each in document["resultDescription"]] == [
        "Credits in CEU (State Board)",
        "Credits (University)",
    ]


def test_a_change_takes_one_of_these_members_away_and_leaves_the_others(who: Actor) -> None:
    posted(who.post(ACHIEVEMENTS, READER | FIELDS))
    left = posted(who.patch(f"{ACHIEVEMENTS}/reader", {"credits": None, "human_code": "EDU-205"}), 200)
    assert "credits" not in left
    assert (left["human_code"], left["related"]) == ("EDU-205", [RELATED])


def enumerations(schema: Any) -> list[list[str]]:
    """Return every list of allowed values in a schema, sorted."""
    if isinstance(schema, dict):
        own = [sorted(schema["enum"])] if "enum" in schema else []
        return own + [found for part in schema.values() for found in enumerations(part)]
    return [found for part in schema for found in enumerations(part)] if isinstance(schema, list) else []


def test_a_version_is_an_achievement_of_open_badges(runtime: Runtime, who: Actor) -> None:
    body = JUDGED | {
        "achievement_type": "MicroCredential",
        "tags": ["feedback"],
        "alignment": [
            {
                "target_name": "Feedback",
                "target_url": "https://standards.example/feedback",
                "target_type": "CFItem",
                "target_framework": "Standards",
            }
        ],
        "result_descriptions": [
            KIND,
            {"ref": "a score", "name": "Score", "result_type": "Percent", "value_min": 0, "value_max": 99.5},
        ],
    }
    url = publish(who, body)["url"]
    with runtime.database.read() as session:
        version = session.get_one(AchievementVersion, rows_of(runtime, AchievementVersion)[0].id)
        document = achievements.document(session, runtime.settings, version)
    assert document["id"] == url
    assert (document["achievementType"], document["version"]) == ("MicroCredential", "1")
    assert document["criteria"]["narrative"] == "As two judge."
    assert document["alignment"] == [
        {
            "type": ["Alignment"],
            "targetName": "Feedback",
            "targetUrl": "https://standards.example/feedback",
            "targetType": "CFItem",
            "targetFramework": "Standards",
        }
    ]
    kind, score = document["resultDescription"]
    assert kind["requiredLevel"] == f"{url}#kind/l3"
    assert [level["id"] for level in kind["rubricCriterionLevel"]] == [f"{url}#kind/l{n}" for n in (1, 2, 3)]
    assert [level["level"] for level in kind["rubricCriterionLevel"]] == ["1", "2", "3"]
    assert score == {
        "id": f"{url}#a%20score",
        "type": ["ResultDescription"],
        "name": "Score",
        "resultType": "Percent",
        "valueMin": "0",
        "valueMax": "99.5",
    }


# --- Names that nothing has borne ----------------------------------------------------------------------------------


def where(**filters: Any) -> dict[str, Any]:
    return {"rule": "count", "gte": 1, "where": filters}


UNBORNE: list[tuple[Any, str, str]] = [
    (where(tags_any=["peer-writing", "peer-writting"]), "tag-unused", "/where/tags_any/1"),
    (where(series="circel"), "series-unused", "/where/series"),
    (where(role="mentro"), "role-unused", "/where/role"),
    (where(types=["reviewed", "x-visti"]), "type-unused", "/where/types/1"),
    ({"rule": "attendance", "series": "circel", "min_sessions": 1}, "series-unused", "/series"),
    (
        {"rule": "rubric", "rubric": "feedbak", "criteria": ["kind"], "min_level": 1, "unposted": True},
        "rubric-unused",
        "/rubric",
    ),
    (
        {"rule": "rubric", "rubric": "feedback", "criteria": ["kidn"], "min_level": 1, "unposted": True},
        "criterion-unused",
        "/criteria/0",
    ),
    ({"rule": "score", "assessment": "quizz", "gte": 0.5}, "assessment-unused", "/assessment"),
    ({"rule": "gain", "instrument": "quizz", "metric": "raw", "gte": 0.5}, "instrument-unused", "/instrument"),
    ({"rule": "endorsed", "skill": "Peer feedbak", "gte": 1}, "skill-unused", "/skill"),
    ({"rule": "endorsed", "skill": "peer feedback", "gte": 1, "from_role": "mentro"}, "role-unused", "/from_role"),
    ({"rule": "tenure", "role": "mentro", "min_days": 1}, "role-unused", "/role"),
    ({"rule": "approval", "by_role": "mentro"}, "role-unused", "/by_role"),
]
MEANT = {"tag": "peer-writing", "series": "circle", "role": "mentor", "type": "x-visit", "rubric": "feedback"}
MEANT |= {"criterion": "kind", "assessment": "quiz", "instrument": "quiz", "skill": "peer feedback"}


def lived_in(who: Actor) -> None:
    """Let the network have borne one of each name."""
    posted(who.put(f"{ROOT}/members/m12", {"roles": ["mentor"]}), 200)
    review(who, "r1", tags=["peer-writing"])
    review(who, "r2", type="x-visit")
    judged = {"about": {"member": "m11"}, "evaluator": "m12", "occurred_at": AT}
    for said in (
        {"kind": "rubric", "rubric": "feedback", "ratings": {"kind": 3}},
        {"kind": "score", "assessment": "quiz", "score": {"scaled": 0.5}},
        {"kind": "endorsement", "skill": "peer feedback"},
    ):
        posted(who.post(f"{ROOT}/evaluations", judged | said))


@pytest.mark.any_database("a body is judged in the code; the rows are only looked up")
@pytest.mark.parametrize(("rule", "code", "place"), UNBORNE, ids=[f"{code}{place}" for _, code, place in UNBORNE])
def test_a_name_that_nothing_has_borne_is_published_with_a_warning(
    who: Actor, rule: Any, code: str, place: str
) -> None:
    lived_in(who)
    shown = publish(who, ruled(rule))
    assert shown["state"] == "published"
    [warning] = [each for each in shown["warnings"] if each["pointer"] == f"/criteria/rule{place}"]
    assert warning["code"] == code
    assert warning["detail"].endswith(f" yet (did you mean `{MEANT[code.removesuffix('-unused')]}`?).")
    tried = posted(who.post(f"{ACHIEVEMENTS}/reader/dry-run", {"definition": changed(**ruled(rule))}), 200)
    assert (tried["warnings"], tried["faults"]) == (shown["warnings"], [])
    assert posted(who.post(f"{ACHIEVEMENTS}/reader/publication"), 200)["warnings"] == shown["warnings"]


def test_names_that_something_has_borne_need_no_warning(who: Actor) -> None:
    lived_in(who)
    rules = [
        where(tags_any=["peer-writing"], series="circle", role="mentor", types=["reviewed", "x-visit"]),
        {"rule": "rubric", "rubric": "feedback", "criteria": ["kind"], "min_level": 1, "unposted": True},
        {"rule": "score", "assessment": "quiz", "gte": 0.5},
        {"rule": "endorsed", "skill": "peer feedback", "gte": 1},
        {"rule": "tenure", "role": "mentor", "min_days": 1},
    ]
    assert "warnings" not in publish(who, ruled({"all": rules}))
    one = {"name": "Feedback", "levels": [{"level": 3, "name": "Good"}], "criteria": [{"ref": "kind", "name": "Kind"}]}
    posted(who.put(f"{ROOT}/rubrics/feedback", one))
    assert "warnings" not in publish(who, JUDGED | {"ref": "judge"})


def test_a_draft_and_result_descriptions_are_warned_of_too(who: Actor) -> None:
    draft = posted(who.post(ACHIEVEMENTS, JUDGED))
    assert {(each["code"], each["pointer"]) for each in draft["warnings"]} == {
        ("rubric-unposted", "/criteria/rule/rubric"),
        ("rubric-unused", "/result_descriptions/0/rubric"),
        ("criterion-unused", "/result_descriptions/0/criterion"),
    }
    assert "did you mean" not in draft["warnings"][0]["detail"]
    assert "warnings" not in who.get(f"{ACHIEVEMENTS}/reader").json()


def test_a_session_or_achievement_that_is_not_there_is_refused_with_the_one_that_is_near(who: Actor) -> None:
    publish(who)
    posted(who.put(f"{ROOT}/sessions/2026-03-01", {"starts_at": AT}))
    for rule, near in (
        (where(sessions=["2026-03-1"]), "2026-03-01"),
        ({"rule": "holds", "achievements": ["raeder"]}, "reader"),
        ({"rule": "endorsed", "skill": "x", "gte": 1, "from_achievement": "raeder"}, "reader"),
    ):
        answer = who.post(ACHIEVEMENTS, ruled(rule, ref="other", publish=True))
        assert answer.status_code == 422
        assert answer.json()["detail"].startswith("Expected the ref of a ")
        assert f" of this network (did you mean `{near}`?)" in answer.json()["detail"]


def test_of_many_unknown_names_only_the_first_are_compared_with_those_that_there_are(who: Actor) -> None:
    review(who, "r1", tags=["peer-writing"])
    draft = posted(who.post(ACHIEVEMENTS, ruled(where(tags_any=[f"peer-writing-{n}" for n in range(30)]))))
    assert len(draft["warnings"]) == 30
    assert sum("did you mean" in each["detail"] for each in draft["warnings"]) == MISSPELT


def test_a_tag_of_what_was_written_fits_what_is_read_although_only_writing_warns(who: Actor) -> None:
    reader, draft = f"{ACHIEVEMENTS}/reader", changed(**ruled(where(tags_any=["nowhere"])))
    for method, path, body in (
        ("PUT", reader, draft),
        ("POST", f"{reader}/publication", None),
        ("PATCH", reader, {"name": "Reader"}),
    ):
        written, seen = who.ask(method, path, body), who.get(reader)
        tag = written.headers["etag"]
        assert "warnings" in written.json()
        assert (seen.headers["etag"], "warnings" in seen.json()) == (tag, False)
        assert who.ask("GET", reader, headers={"If-None-Match": tag}).status_code == 304
    assert who.patch(reader, {"name": "Giver"}, headers={"If-Match": tag}).status_code == 200


def test_a_draft_that_somebody_has_changed_is_not_published_unseen(who: Actor) -> None:
    reader = f"{ACHIEVEMENTS}/reader"
    tag = who.put(reader, changed()).headers["etag"]
    after = who.patch(reader, {"name": "Reader"}).headers["etag"]
    answer = who.ask("POST", f"{reader}/publication", headers={"If-Match": tag})
    assert refused(answer) == (412, "precondition-failed", None)
    assert who.ask("POST", f"{reader}/publication", headers={"If-Match": after}).json()["published_version"] == 1
