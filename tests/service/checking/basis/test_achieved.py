"""What a person did for a badge, as it is told: of our own badges, and of badges of any shape."""

from datetime import UTC, datetime
from typing import Any

import pytest

from credentials.model.badge import OpenBadgeCredential
from service.checking import verification
from service.checking.basis import comparison
from service.checking.basis.achieved import MAX_CHARACTERS, MAX_LISTED, Authority, Credited, Deeds, Level, Skill, deeds
from service.runtime.runtime import Runtime
from tests.service.checking.basis.test_policy import approved, reported
from tests.worlds.awarding import Stage, described
from tests.worlds.stored_badges import stored


@stored
def earned(stage: Stage, /, *minutes: int, **more: Any) -> Any:
    stage.member("m11", email="m11@river.example.org")
    stage.achievement(**more)
    for n, each in enumerate(minutes, start=1):
        stage.share(n, minutes=each)
    (award,) = stage.awards(achievement="sharer")
    return award


@stored
def earned_partly_in_confidence(stage: Stage) -> Any:
    stage.member("m11", email="m11@river.example.org")
    stage.send("PUT", "./sessions/s1", {"starts_at": "2026-03-01T10:00:00Z", "confidential": True})
    stage.achievement()
    stage.share(1, minutes=60, session="s1")
    stage.share(2, minutes=30)
    (award,) = stage.awards()
    return award


@stored
def rated(stage: Stage) -> Any:
    for ref in ("m11", "m12", "m13"):
        stage.member(ref)
    rule = {
        "rule": "rubric",
        "rubric": "feedback",
        "criteria": ["specific"],
        "min_level": 3,
        "raters": 2,
        "unposted": True,
    }
    aligned = {
        "target_name": "Feedback",
        "target_url": "https://standards.example.org/1",
        "target_framework": "Standards",
    }
    stage.achievement(rule=rule, result_descriptions=[described("specific")], alignment=[aligned])
    stage.rate("m12", {"specific": 3})
    stage.rate("m13", {"specific": 3})
    (award,) = stage.awards()
    return award


def achieved(**members: Any) -> dict[str, Any]:
    return {"credentialSubject": {"achievement": members}}


# --- Our own -------------------------------------------------------------------------------------------------------


def test_a_badge_says_how_long_everything_took(without_rows: Runtime) -> None:
    kept = earned(90, 45)
    badge = kept.credential
    (item,) = [item for item in badge["evidence"] if item["genre"] == "duration"]
    assert item == {
        "id": f"{badge['id']}#time",
        "type": ["Evidence"],
        "name": "Time spent",
        "description": "PT2H15M",
        "narrative": "2 hours and 15 minutes in all, by 2 pieces of evidence.",
        "genre": "duration",
    }
    assert deeds(badge).minutes == 135
    assert OpenBadgeCredential.model_validate(badge).id == badge["id"]
    assert verification.verify_received(without_rows, kept.text, documents=kept.load).verdict == "verified"


@pytest.mark.parametrize(
    ("minutes", "said", "told"),
    [
        ((60, 0), "PT1H", "1 hour in all, by 1 piece of evidence."),
        ((1, 0), "PT1M", "1 minute in all, by 1 piece of evidence."),
    ],
)
def test_a_round_time_is_said_without_a_rest(minutes: tuple[int, ...], said: str, told: str) -> None:
    badge = earned(*minutes).credential
    (item,) = [item for item in badge["evidence"] if item["genre"] == "duration"]
    assert (item["description"], item["narrative"]) == (said, told)


def test_without_minutes_no_time_is_said() -> None:
    badge = earned(0, 0).credential
    assert "duration" not in {item["genre"] for item in badge["evidence"]}
    assert deeds(badge).minutes is None


def test_the_minutes_of_a_confidential_session_are_not_told() -> None:
    assert deeds(earned_partly_in_confidence().credential).minutes == 30


def test_level_date_evidence_and_skills_are_told() -> None:
    told = deeds(rated().credential)
    assert told.levels == (Level("Feedback is specific", "Proficient", "Proficient"),)
    assert told.skills == (Skill("Feedback", "Standards", "https://standards.example.org/1"),)
    assert told.awarded == datetime(2026, 3, 2, 12, tzinfo=UTC)
    assert told.judgements == len(told.done) == 2
    assert told.done[0].startswith("Was assessed with a rubric")


def test_who_decided_is_told_by_role(without_rows: Runtime) -> None:
    kept = approved()
    found = comparison.look(without_rows, kept.credential, reported(), ask=True, load=kept.load, rows=False)
    assert deeds(kept.credential, found.receipt).deciders == ("director",)
    assert deeds(kept.credential).deciders == ()


# --- Of anybody ----------------------------------------------------------------------------------------------------


def test_of_a_badge_that_says_nothing_nothing_is_told() -> None:
    assert deeds({}) == Deeds()


def test_credits_and_the_dates_of_the_activity_are_told() -> None:
    subject = {
        "creditsEarned": 2.5,
        "activityStartDate": "2026-01-01T00:00:00Z",
        "activityEndDate": "2026-02-01T00:00:00Z",
    }
    told = deeds({"credentialSubject": subject, "validFrom": "2026-03-01T00:00:00Z"})
    assert told.credits == 2.5
    assert told.began == datetime(2026, 1, 1, tzinfo=UTC)
    assert told.ended == datetime(2026, 2, 1, tzinfo=UTC)
    assert told.awarded == datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize("value", [True, "3", 0, -1, float("nan"), float("inf"), 1e9, [3]])
def test_credits_that_are_no_number_are_left_out(value: Any) -> None:
    assert deeds({"credentialSubject": {"creditsEarned": value}}).credits is None


@pytest.mark.parametrize("value", ["PT", "PT0M", "2 hours", "PT1H1H", "PT99999999H", 90, None, "PT1.5H"])
def test_a_time_in_another_form_is_left_out(value: Any) -> None:
    assert deeds({"evidence": {"genre": "duration", "description": value}}).minutes is None


def test_two_times_are_none() -> None:
    item = {"genre": "duration", "description": "PT2H"}
    assert deeds({"evidence": [item, item]}).minutes is None
    assert deeds({"evidence": [item]}).minutes == 120


def test_one_object_is_as_good_as_a_list_of_one() -> None:
    badge = achieved(alignment={"targetName": "Reading", "targetUrl": "https://standards.example.org/2"})
    badge["credentialSubject"]["result"] = {"value": "A"}
    badge["evidence"] = {"name": "A poem"}
    told = deeds(badge)
    assert (told.levels, told.done) == ((Level("", "A"),), ("A poem",))
    assert told.skills == (Skill("Reading", "", "https://standards.example.org/2"),)


def test_a_value_that_was_asked_for_is_told() -> None:
    badge = achieved(resultDescription=[{"id": "urn:r", "name": "Grade", "requiredValue": "B"}])
    badge["credentialSubject"]["result"] = [
        {"resultDescription": "urn:r", "value": "A"},
        {"resultDescription": "urn:r"},
    ]
    assert deeds(badge).levels == (Level("Grade", "A", "B"),)


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "https://",
        "https://[x",
        "https://user@standards.example.org/",
        "https://standards.example.org/a b",
        "https://standards.example.org/\u202e",
        "https://standards.example.org/" + "a" * MAX_CHARACTERS,
        7,
    ],
)
def test_an_address_that_cannot_be_shown_as_a_link_is_left_out(address: Any) -> None:
    assert deeds(achieved(alignment=[{"targetName": "Reading", "targetUrl": address}])).skills == (
        Skill("Reading", "", None),
    )


def test_a_skill_is_told_with_its_framework_and_code() -> None:
    aligned = {
        "targetName": "Active listening",
        "targetUrl": "https://www.onetonline.org/find/descriptor/result/2.B.1.a",
        "targetFramework": "O*NET",
        "targetCode": "2.B.1.a",
    }
    assert deeds(achieved(alignment=[aligned])).skills == (
        Skill("Active listening", "O*NET", "https://www.onetonline.org/find/descriptor/result/2.B.1.a", "2.B.1.a"),
    )


def test_an_http_address_identifies_a_skill_and_is_no_link() -> None:
    told = deeds(achieved(alignment=[{"targetName": "Mentoring", "targetUrl": "http://data.europa.eu/esco/skill/1"}]))
    assert told.skills == (Skill("Mentoring", "", "http://data.europa.eu/esco/skill/1"),)
    assert told.skills[0].link is None


BOARD = {"targetName": "State Board", "targetUrl": "http://board.example.org/", "targetType": "ext:CreditAuthority"}


def credited(*results: Any, alignment: Any = (BOARD,), **said: Any) -> dict[str, Any]:
    """Return a badge whose results describe credits, each under an id of its own."""
    described = [
        {"id": f"urn:{n}", "name": "Credits", "resultType": "ext:CreditsEarned", "alignment": list(alignment)} | said
        for n, _ in enumerate(results)
    ]
    badge = achieved(resultDescription=described)
    results_of = [{"resultDescription": f"urn:{n}", "value": value} for n, value in enumerate(results)]
    badge["credentialSubject"] |= {"creditsEarned": 2, "result": results_of}
    return badge


def test_credits_are_told_with_their_authority_and_not_as_a_level() -> None:
    board = Authority("State Board", "http://board.example.org/")
    told = deeds(credited("2.5"))
    assert (told.credits, told.levels) == (2, ())
    assert told.credited == (Credited(2.5, board),)
    assert (told.credit_authority, board.link) == (board, None)


def test_credits_of_two_authorities_are_told_each() -> None:
    badge = credited("2", "3")
    other = BOARD | {"targetName": "University", "targetFramework": "ECTS"}
    badge["credentialSubject"]["achievement"]["resultDescription"][1]["alignment"] = [other]
    told = deeds(badge)
    assert [(each.value, each.unit, each.authority.name) for each in told.credited] == [
        (2, "", "State Board"),
        (3, "ECTS", "University"),
    ]
    assert told.credit_authority is None


@pytest.mark.parametrize(
    "badge",
    [
        credited("2", alignment=[]),
        credited("2", alignment=[BOARD, BOARD]),
        credited("2", alignment=[BOARD | {"targetName": 7}]),
        credited("2", alignment=[BOARD | {"targetType": ["ext:CreditAuthority"]}]),
        credited("2", resultType="RawScore"),
        credited("2", id=7),
        *(credited(value) for value in ("0", "-1", "two", "1e9", "9" * 7, 2, None, "٣")),
    ],
)
def test_credits_that_cannot_be_read_are_left_out(badge: dict[str, Any]) -> None:
    assert deeds(badge).credited == ()


def test_what_turns_or_hides_text_is_left_out_and_long_text_is_cut() -> None:
    told = deeds({"evidence": [{"narrative": "a\u202eb\nc"}, {"narrative": "x" * 5000}, {"narrative": "\u200b"}]})
    assert told.done == ("a b c", "x" * (MAX_CHARACTERS - 1) + "…")


def test_of_very_much_evidence_some_is_told_and_the_rest_counted() -> None:
    told = deeds({"evidence": [{"narrative": "Read."}] * (MAX_LISTED + 7)})
    assert (len(told.done), told.more) == (MAX_LISTED, 7)


def test_evidence_of_an_unknown_genre_is_told_and_of_none_counted_as_judgement() -> None:
    told = deeds(
        {"evidence": [{"narrative": "Read.", "genre": ["rubric"]}, {"narrative": "Was rated.", "genre": "score"}]}
    )
    assert (told.done, told.judgements) == (("Read.", "Was rated."), 1)
