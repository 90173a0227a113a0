"""Rubrics: posted, changed in versions, and held against evaluations."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.evidence import derivation
from service.runtime.runtime import Runtime
from service.tables import AchievementVersion, Evaluation, Event, Network, RubricUse, RubricVersion
from tests.worlds.acting import Actor, actor, all_pages, refused
from tests.worlds.posting import ROOT, RUBRIC, hill, lines, ndjson, posted, river, rows_of

PATH = f"{ROOT}/rubrics"
EVALUATIONS = f"{ROOT}/evaluations"
FEEDBACK = {
    "name": "Formative feedback",
    "levels": [{"level": 1, "name": "Beginning"}, {"level": 2, "name": "Developing"}, {"level": 4, "name": "Strong"}],
    "criteria": [
        {
            "ref": "specific",
            "name": "Feedback is specific",
            "descriptors": [{"level": 4, "text": "Every remark names a place in the draft."}],
        },
        {"ref": "kind/useful~", "name": "Feedback is kind and useful"},
    ],
    "for_assessors": "Read the whole draft first.",
    "for_public": "What good feedback is.",
    "alignment": [
        {
            "target_name": "Formative feedback",
            "target_url": "https://case.example.org/ims/case/v1p0/CFRubrics/6f3c1f0e-5ff7-4a0c-9f0c-2f8b0a5a7d11",
            "target_type": "CFRubric",
        }
    ],
}
STRICTER = FEEDBACK | {"levels": FEEDBACK["levels"][:2], "criteria": [{"ref": "specific", "name": "Specific"}]}
LATER = {"occurred_at": "2026-03-01T18:00:00Z"}


@pytest.fixture
def who(runtime: Runtime, client: TestClient) -> Actor:
    return river(runtime, client)


def post(who: Actor, body: Any = FEEDBACK, status: int = 201) -> Any:
    return posted(who.put(f"{PATH}/feedback", body), status)


def used(runtime: Runtime) -> list[str | None]:
    """The versions by which the evaluations that count are judged, in the order in which they came."""
    return [row.instrument_version for row in sorted(rows_of(runtime, Evaluation), key=lambda row: row.record_id)]


def test_a_rubric_is_kept_as_it_is_posted(who: Actor) -> None:
    made = post(who)
    assert {name: made[name] for name in FEEDBACK} == FEEDBACK
    assert (made["ref"], made["version"], made["newest_version"]) == ("feedback", 1, 1)
    assert posted(who.get(f"{PATH}/feedback"), 200) == made


def test_a_rubric_that_says_the_same_again_changes_nothing(runtime: Runtime, who: Actor) -> None:
    assert post(who) == post(who, status=200)
    assert [row.type for row in rows_of(runtime, Event) if row.type.startswith("rubric.")] == ["rubric.posted"]


def test_a_rubric_changes_in_place_until_the_first_score(runtime: Runtime, who: Actor) -> None:
    post(who)
    assert post(who, STRICTER, 200)["version"] == 1
    assert len(rows_of(runtime, RubricVersion)) == 1
    assert [row.type for row in rows_of(runtime, Event) if row.type.startswith("rubric.")] == [
        "rubric.posted",
        "rubric.changed",
    ]


def test_a_change_after_the_first_score_is_a_new_version_and_what_was_scored_keeps_its_own(
    runtime: Runtime, who: Actor
) -> None:
    post(who)
    posted(who.post(EVALUATIONS, RUBRIC | {"ref": "first", "ratings": {"specific": 4}}))
    assert post(who, STRICTER, 200)["version"] == 2
    assert refused(who.post(EVALUATIONS, RUBRIC | LATER | {"ratings": {"specific": 4}}))[1] == "level-out-of-range"
    posted(who.post(EVALUATIONS, RUBRIC | LATER | {"ratings": {"specific": 2}}))
    assert used(runtime) == ["1", "2"]
    assert posted(who.get(f"{EVALUATIONS}/first"), 200)["rubric_version"] == 1
    assert posted(who.get(f"{PATH}/feedback", version=1), 200)["levels"] == FEEDBACK["levels"]


def test_what_waits_for_a_member_is_held_against_the_version_of_then(runtime: Runtime, who: Actor) -> None:
    post(who)
    posted(who.post(EVALUATIONS, RUBRIC | {"about": {"member": "dana"}, "ratings": {"specific": 4}}), 202)
    assert post(who, STRICTER, 200)["version"] == 2
    posted(who.put(f"{ROOT}/members/dana", {}))
    assert used(runtime) == ["1"]


def test_deriving_everything_again_keeps_the_versions(runtime: Runtime, who: Actor) -> None:
    post(who)
    posted(who.post(EVALUATIONS, RUBRIC | {"ratings": {"specific": 4}}))
    post(who, STRICTER, 200)
    with runtime.database.write() as session:
        network = session.query(Network).filter_by(slug="river-writers").one()
        derivation.rebuild(session, network)
    assert used(runtime) == ["1"]


def test_a_correction_is_held_against_the_version_of_what_it_corrects(runtime: Runtime, who: Actor) -> None:
    post(who)
    made = posted(who.post(EVALUATIONS, RUBRIC | {"ratings": {"specific": 4}}))
    post(who, STRICTER, 200)
    path = f"{ROOT}/records/{made['id']}/correction"
    answer = who.post(path, {"reason": "Misread.", "changes": {"ratings": {"specific": 5}}})
    assert refused(answer) == (422, "level-out-of-range", "/changes/ratings/specific")
    posted(who.post(path, {"reason": "Misread.", "changes": {"ratings": {"specific": 1, "kind/useful~": 4}}}))
    assert used(runtime) == ["1"]


@pytest.mark.parametrize(
    ("changes", "code", "pointer"),
    [
        pytest.param(
            {"ratings": {"specifik": 3}}, "rubric-criterion-unknown", "/ratings/specifik", id="an unknown criterion"
        ),
        pytest.param(
            {"ratings": {"specific": 3, "a/b~c": 3}},
            *("rubric-criterion-unknown", "/ratings/a~1b~0c"),
            id="an unknown criterion with signs of a pointer",
        ),
        pytest.param({"ratings": {"specific": 99}}, "level-out-of-range", "/ratings/specific", id="a level above"),
        pytest.param({"ratings": {"specific": 0.5}}, "level-out-of-range", "/ratings/specific", id="a level below"),
        pytest.param({"rubric_version": "2"}, "rubric-version-unknown", "/rubric_version", id="a version to come"),
        pytest.param({"rubric_version": "first"}, "rubric-version-unknown", "/rubric_version", id="no number"),
        pytest.param(
            {"about": {"member": "dana"}, "ratings": {"specific": 99}},
            *("level-out-of-range", "/ratings/specific"),
            id="a level above, for a member who is still to come",
        ),
    ],
)
def test_an_evaluation_that_does_not_fit_its_rubric_is_refused(
    runtime: Runtime, who: Actor, changes: dict[str, Any], code: str, pointer: str
) -> None:
    post(who)
    assert refused(who.post(EVALUATIONS, RUBRIC | changes)) == (422, code, pointer)
    assert rows_of(runtime, RubricUse) == []


def test_a_version_that_is_named_is_the_one_that_counts(runtime: Runtime, who: Actor) -> None:
    post(who)
    posted(who.post(EVALUATIONS, RUBRIC))
    post(who, STRICTER, 200)
    posted(who.post(EVALUATIONS, RUBRIC | LATER | {"rubric_version": "1", "ratings": {"specific": 4}}))
    assert used(runtime) == ["1", "1"]


def test_lines_of_many_are_held_against_the_rubric_each_by_itself(runtime: Runtime, who: Actor) -> None:
    post(who)
    bodies = [RUBRIC | {"ratings": {"specific": level}, "ref": f"e{level}"} for level in (2, 99)]
    answer = who.ask(
        "POST", f"{EVALUATIONS}/bulk", content=ndjson(bodies), headers={"Content-Type": "application/x-ndjson"}
    )
    good, bad = lines(answer)
    assert (good["status"], bad["problem"]["code"], bad["problem"]["pointer"]) == (
        "accepted",
        "level-out-of-range",
        "/ratings/specific",
    )
    assert used(runtime) == ["1"]


def test_a_rubric_that_was_not_posted_is_taken_as_it_comes(runtime: Runtime, who: Actor) -> None:
    posted(who.post(EVALUATIONS, RUBRIC | {"rubric_version": "spring", "ratings": {"any": 99}, "ref": "e"}))
    assert used(runtime) == ["spring"]
    assert "rubric_version" not in posted(who.get(f"{EVALUATIONS}/e"), 200)


@pytest.mark.parametrize(
    ("changes", "code", "pointer"),
    [
        pytest.param({"levels": []}, "too-short", "/levels", id="no levels"),
        pytest.param({"levels": [{"level": n, "name": "x"} for n in range(21)]}, "too-long", "/levels", id="21 levels"),
        pytest.param({"levels": FEEDBACK["levels"][::-1]}, "levels-unordered", "/levels", id="from high to low"),
        pytest.param(
            {"levels": [{"level": 2, "name": "a"}, {"level": 2.0, "name": "b"}]},
            *("levels-unordered", "/levels"),
            id="a level twice",
        ),
        pytest.param(
            {"levels": [{"level": -1, "name": "a"}]}, "greater-than-equal", "/levels/0/level", id="a level below 0"
        ),
        pytest.param({"criteria": []}, "too-short", "/criteria", id="no criteria"),
        pytest.param(
            {"criteria": [{"ref": f"c{n}", "name": "x"} for n in range(51)]}, "too-long", "/criteria", id="51 criteria"
        ),
        pytest.param(
            {"criteria": [{"ref": "a", "name": "x"}, {"ref": "a", "name": "y"}]},
            *("repeated", "/criteria"),
            id="a criterion twice",
        ),
        pytest.param(
            {"criteria": [{"ref": "a", "name": "x", "descriptors": [{"level": 3, "text": "x"}]}]},
            *("descriptor-level-unknown", "/criteria"),
            id="a descriptor of no level",
        ),
        pytest.param(
            {"criteria": [{"ref": "a", "name": "x", "descriptors": [{"level": 1, "text": "x"}] * 2}]},
            *("repeated", "/criteria/0/descriptors"),
            id="a descriptor twice",
        ),
        pytest.param({"for_public": "x" * 10_001}, "string-too-long", "/for_public", id="a text that is too long"),
        pytest.param(
            {"alignment": [{"target_name": "x", "target_url": "https://x.example", "target_type": "CFItem"}]},
            *("literal-error", "/alignment/0/target_type"),
            id="an alignment with something else",
        ),
        pytest.param({"name": None}, "string-type", "/name", id="no name"),
        pytest.param({"scale": 4}, "extra-forbidden", "/scale", id="an unknown member"),
        pytest.param({"ref": "other"}, "ref-differs", "/ref", id="another ref than the path's"),
    ],
)
def test_a_rubric_that_makes_no_sense_is_refused(
    runtime: Runtime, who: Actor, changes: dict[str, Any], code: str, pointer: str
) -> None:
    assert refused(who.put(f"{PATH}/feedback", FEEDBACK | changes)) == (422, code, pointer)
    assert rows_of(runtime, RubricVersion) == []


def test_a_rubric_or_a_version_that_is_not_there_is_not_found(who: Actor) -> None:
    assert refused(who.get(f"{PATH}/feedback"))[:2] == (404, "rubric-unknown")
    post(who)
    assert refused(who.get(f"{PATH}/feedback", version=2))[:2] == (404, "rubric-version-unknown")


def test_everybody_may_read_a_version_without_what_it_says_to_assessors(client: TestClient, who: Actor) -> None:
    made = post(who)
    answer = client.get(made["url"])
    told = {name: value for name, value in FEEDBACK.items() if name != "for_assessors"}
    assert (answer.status_code, answer.json()) == (200, told | {"ref": "feedback", "version": 1})
    for unknown in ("00000000-0000-7000-8000-000000000000", "feedback"):
        assert refused(client.get(f"/rubrics/{unknown}"))[:2] == (404, "rubric-unknown")


def test_another_networks_rubric_is_not_found_and_judges_nothing_here(
    runtime: Runtime, client: TestClient, who: Actor
) -> None:
    other = hill(runtime, client)
    posted(other.put("/v1/networks/hill-readers/rubrics/feedback", STRICTER))
    assert refused(who.get(f"{PATH}/feedback"))[:2] == (404, "rubric-unknown")
    assert refused(other.get(f"{PATH}/feedback"))[0] == 404
    assert refused(other.put(f"{PATH}/feedback", FEEDBACK))[0] == 404
    posted(who.post(EVALUATIONS, RUBRIC | {"ratings": {"specific": 4}}))
    assert rows_of(runtime, RubricUse) == []


def test_a_rubric_is_posted_with_the_scope_of_achievements(runtime: Runtime, client: TestClient, who: Actor) -> None:
    reader = actor(runtime, client, slug="river-writers", scopes=["read"])
    assert refused(reader.put(f"{PATH}/feedback", FEEDBACK))[0] == 403
    post(who)
    posted(reader.get(f"{PATH}/feedback"), 200)


def test_rubrics_are_listed_page_by_page(who: Actor) -> None:
    for ref in ("a", "b", "c"):
        posted(who.put(f"{PATH}/{ref}", FEEDBACK))
    found = all_pages(who, PATH)
    assert [(each["ref"], each["name"], each["version"]) for each in found] == [
        (ref, "Formative feedback", 1) for ref in ("a", "b", "c")
    ]


def test_an_edit_holds_only_for_what_its_author_has_seen(who: Actor) -> None:
    first = who.put(f"{PATH}/feedback", FEEDBACK, headers={"If-None-Match": "*"})
    tag = first.headers["ETag"]
    assert who.get(f"{PATH}/feedback").headers["ETag"] == tag
    assert who.ask("GET", f"{PATH}/feedback", headers={"If-None-Match": tag}).status_code == 304
    assert who.put(f"{PATH}/feedback", STRICTER, headers={"If-Match": tag}).status_code == 200
    late = who.put(f"{PATH}/feedback", FEEDBACK, headers={"If-Match": tag})
    assert refused(late)[:2] == (412, "precondition-failed")


def test_a_rubric_that_two_post_at_the_same_moment_has_one_version(runtime: Runtime, who: Actor) -> None:
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: who.put(f"{PATH}/feedback", FEEDBACK).status_code, range(4)))
    assert sorted(answers) == [200, 200, 200, 201]
    assert len(rows_of(runtime, RubricVersion)) == 1


def test_a_score_and_a_change_at_the_same_moment_never_meet_in_one_version(runtime: Runtime, who: Actor) -> None:
    """Either the score is held against what was changed, or the change is the next version."""
    post(who)
    with ThreadPoolExecutor(2) as pool:
        scored = pool.submit(who.post, EVALUATIONS, RUBRIC | {"ratings": {"specific": 4}})
        changed = pool.submit(who.put, f"{PATH}/feedback", STRICTER)
    version = posted(changed.result(), 200)["version"]
    assert (scored.result().status_code, version) in {(201, 2), (422, 1)}
    kept = {row.id: row.highest for row in rows_of(runtime, RubricVersion)}
    assert all(kept[row.rubric_version_id] == 4 for row in rows_of(runtime, RubricUse))


# --- Rules ---------------------------------------------------------------------------------------------------------


RULE = {"rule": "rubric", "rubric": "feedback", "criteria": ["specific"], "min_level": 3}


def definition(rule: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "ref": "reader",
        "name": "Reader",
        "description": "Reads drafts.",
        "achievement_type": "Badge",
        "criteria": {"narrative": "As the rule says.", "rule": rule},
        "award": "reviewed",
        "publish": True,
    } | more


def met(who: Actor) -> bool:
    [standing] = posted(who.get(f"{ROOT}/members/m11/progress"), 200)["items"]
    return bool(standing["met"])


def test_an_unposted_rubric_fulfils_no_rule_and_the_definition_is_warned_of_it(who: Actor) -> None:
    made = posted(who.post(f"{ROOT}/achievements", definition(RULE)))
    assert [(each["code"], each["pointer"]) for each in made["warnings"] if "unposted" in each["code"]] == [
        ("rubric-unposted", "/criteria/rule/rubric")
    ]
    posted(who.post(EVALUATIONS, RUBRIC | {"ratings": {"specific": 99}}))
    assert not met(who)


def test_a_rule_may_say_that_an_unposted_rubric_counts(who: Actor) -> None:
    made = posted(who.post(f"{ROOT}/achievements", definition(RULE | {"unposted": True})))
    assert not [each for each in made["warnings"] if "unposted" in each["code"]]
    posted(who.post(EVALUATIONS, RUBRIC | {"ratings": {"specific": 99}}))
    assert met(who)


def test_a_posted_rubric_counts_for_what_came_after_it(who: Actor) -> None:
    posted(who.post(f"{ROOT}/achievements", definition(RULE)))
    posted(who.post(EVALUATIONS, RUBRIC | {"ratings": {"specific": 4}}))
    post(who)
    assert not met(who)
    posted(who.post(EVALUATIONS, RUBRIC | LATER | {"ratings": {"specific": 4}}))
    assert met(who)


def test_a_rule_that_names_a_criterion_that_the_rubric_lacks_is_warned_of(who: Actor) -> None:
    post(who)
    made = posted(who.post(f"{ROOT}/achievements", definition(RULE | {"criteria": ["specific", "specifik"]})))
    found = [each for each in made["warnings"] if each["code"] == "criterion-unposted"]
    assert [each["pointer"] for each in found] == ["/criteria/rule/criteria/1"]
    assert "did you mean `specific`?" in found[0]["detail"]


def test_a_rule_that_asks_for_more_than_the_rubric_has_is_warned_of(who: Actor) -> None:
    post(who)
    made = posted(who.post(f"{ROOT}/achievements", definition(RULE | {"min_level": 4.5})))
    found = [(each["code"], each["pointer"]) for each in made["warnings"]]
    assert ("level-unposted", "/criteria/rule/min_level") in found


def as_before(runtime: Runtime) -> None:
    """Let the newest version be one that was made before rubrics could be posted."""
    with runtime.database.write() as session:
        version = session.query(AchievementVersion).order_by(AchievementVersion.version.desc()).first()
        assert version is not None
        said = version.definition
        version.definition = said | {"criteria": said["criteria"] | {"rule": RULE}}


def test_a_version_that_was_published_before_rubrics_were_posted_goes_on_counting_all(
    runtime: Runtime, who: Actor
) -> None:
    posted(who.post(f"{ROOT}/achievements", definition(RULE)))
    as_before(runtime)
    posted(who.post(EVALUATIONS, RUBRIC | {"ratings": {"specific": 99}}))
    assert met(who)


def test_posting_an_older_definition_again_does_not_change_what_it_counts(runtime: Runtime, who: Actor) -> None:
    posted(who.post(f"{ROOT}/achievements", definition(RULE)))
    as_before(runtime)
    assert posted(who.post(f"{ROOT}/achievements", definition(RULE)), 200)["version"] == 1
    same = {name: value for name, value in definition(RULE).items() if name not in ("ref", "publish")}
    assert posted(who.put(f"{ROOT}/achievements/reader", same), 200)["version"] == 1
    posted(who.post(EVALUATIONS, RUBRIC | {"ratings": {"specific": 99}}))
    assert met(who)


def test_an_older_draft_that_is_published_now_counts_posted_rubrics_alone(runtime: Runtime, who: Actor) -> None:
    posted(who.post(f"{ROOT}/achievements", definition(RULE, publish=False)))
    as_before(runtime)
    posted(who.post(f"{ROOT}/achievements/reader/publication"), 200)
    [version] = rows_of(runtime, AchievementVersion)
    assert version.definition["criteria"]["rule"]["unposted"] is False


def test_a_nested_rule_is_made_explicit_too(runtime: Runtime, who: Actor) -> None:
    nested = {"at_least": {"n": 1, "of": [{"any": [RULE]}, RULE | {"unposted": True}]}}
    posted(who.post(f"{ROOT}/achievements", definition(nested)))
    [version] = rows_of(runtime, AchievementVersion)
    one, other = version.definition["criteria"]["rule"]["at_least"]["of"]
    assert (one["any"][0]["unposted"], other["unposted"]) == (False, True)
