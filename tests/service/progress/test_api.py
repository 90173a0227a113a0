from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import jsonschema_rs
import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event
from sqlalchemy.orm import Session as OrmSession

from service.progress import progress
from service.progress.progress import Node
from service.runtime.runtime import Runtime
from service.storage.database import Database
from tests.worlds.acting import Actor, actor, all_pages, refused
from tests.worlds.criteria_oracle import Deed, Held, Judgement, Meeting, Period, Result, World, judge
from tests.worlds.criteria_worlds import MEMBERS, NOW, definitions, worlds, write, write_evidence
from tests.worlds.posting import REVIEW, ROOT, hill, posted, river
from tests.worlds.runtimes import BASE_URL

# Every example is rolled back, so they can share a database.
random_settings = settings(deadline=None, suppress_health_check=list(HealthCheck), max_examples=60)
ANA, BEN, CAM, DEE = MEMBERS
COUNT = {"rule": "count", "gte": 2}


@contextmanager
def rolled_back(database: Database) -> Iterator[OrmSession]:
    with OrmSession(database.engine.execution_options(laurel_writes=True)) as session:
        yield session


def assert_agrees(node: Node, result: Result) -> None:
    assert (node.met, node.required) == (result.met, result.required)
    assert node.observed == pytest.approx(result.observed)
    if result.also is not None:
        assert node.also is not None
        assert (node.also.observed, node.also.required) == result.also
    assert 0 <= node.progress <= 1
    assert (node.progress == 1) == node.met
    assert set(node.counted) == result.records
    assert node.records == len(result.records)
    for child, expected in zip(node.children, result.children, strict=True):
        assert_agrees(child, expected)


@given(definition=definitions, world=worlds())
@random_settings
def test_the_queries_agree_with_the_oracle(database: Database, definition: dict[str, Any], world: World) -> None:
    with rolled_back(database) as session:
        network, version = write(session, world, definition)
        expected = {member: judge(definition, world, member) for member in MEMBERS}
        for member in MEMBERS:
            assert_agrees(progress.explain(session, network, version, member, world.now), expected[member])
        together = progress.evaluate(session, network, version, MEMBERS, world.now)
        everybody = progress.evaluate(session, network, version, None, world.now)
        assert set(progress.who_meets(session, network, version, world.now)) == {
            member for member, result in expected.items() if result.met
        }
        for member, result in expected.items():
            assert together[member].met == result.met
            assert together[member].observed == pytest.approx(result.observed)
            assert result.met or together[member].record_ids == ()
            if member in everybody:
                assert (everybody[member].met, everybody[member].progress) == (result.met, together[member].progress)
            else:
                assert not result.met
                assert together[member].first_at is None


def assert_not_less(before: Node, after: Node) -> None:
    if before.criterion.stability == "grows":
        assert after.observed >= before.observed
        assert after.progress >= before.progress
        assert after.met >= before.met
    for child_before, child_after in zip(before.children, after.children, strict=True):
        assert_not_less(child_before, child_after)


@given(definition=definitions, world=worlds(), early=st.data())
@random_settings
def test_more_evidence_never_loses_what_can_only_grow(
    database: Database, definition: dict[str, Any], world: World, early: st.DataObject
) -> None:
    deeds = [deed for deed in world.deeds if early.draw(st.booleans())]
    known = {deed.id for deed in deeds}
    # What is judged is there before it is judged.
    judged = [given for given in world.judgements if given.about in known or given.about in MEMBERS]
    judgements = [given for given in judged if early.draw(st.booleans())]
    with rolled_back(database) as session:
        network, version = write(session, replace(world, deeds=deeds, judgements=judgements), definition)
        before = progress.evaluate(session, network, version, MEMBERS, world.now)
        later = replace(
            world,
            meetings=[],
            deeds=[deed for deed in world.deeds if deed not in deeds],
            judgements=[given for given in world.judgements if given not in judgements],
        )
        write_evidence(session, network, later)
        after = progress.evaluate(session, network, version, MEMBERS, world.now)
        for member in MEMBERS:
            assert_not_less(before[member], after[member])


def numbered(items: list[Any], start: int) -> list[Any]:
    return [replace(item, id=UUID(int=start + n)) for n, item in enumerate(items)]


def a_world(**said: Any) -> World:
    """Return a world of Member 11, Member 12, Cam and Dee; evidence is numbered in the order given."""
    said["deeds"] = numbered(said.get("deeds", []), 1000)
    said["judgements"] = numbered(said.get("judgements", []), 2000)
    return replace(World(now=NOW, zone="UTC", persons=dict.fromkeys(MEMBERS)), **said)


def deed(at: str = "2026-10-01T12:00:00Z", **said: Any) -> Deed:
    return replace(Deed(UUID(int=0), ANA, "reviewed", datetime.fromisoformat(at)), **said)


def judgement(judged_by: UUID, about: UUID = ANA, **ratings: float) -> Judgement:
    return Judgement(
        UUID(int=0), ANA, "rubric", "feedback", NOW, about, judge=judged_by, ratings=tuple(ratings.items())
    )


def explained(database: Database, world: World, definition: dict[str, Any], member: UUID = ANA) -> Node:
    """Return the node of a member, after holding it against the oracle."""
    with rolled_back(database) as session:
        network, version = write(session, world, definition)
        node = progress.explain(session, network, version, member, world.now)
    assert_agrees(node, judge(definition, world, member))
    return node


@pytest.mark.parametrize(
    ("window", "zone", "counted"),
    [
        pytest.param(
            {"from": "2026-10-10", "to": "2026-10-11"},
            "UTC",
            ["2026-10-10T00:00:00Z", "2026-10-10T23:59:59Z"],
            id="the first moment of a day counts, the first of the next does not",
        ),
        pytest.param(
            {"from": "2026-10-10", "to": "2026-10-11"},
            "America/New_York",
            ["2026-10-10T23:59:59Z", "2026-10-11T00:00:00Z", "2026-10-11T03:59:59Z"],
            id="days are those of the network",
        ),
        pytest.param(
            {"from": "2026-10-10T00:00:00Z", "to": "2026-10-11T00:00:00Z"},
            "America/New_York",
            ["2026-10-10T00:00:00Z", "2026-10-10T23:59:59Z"],
            id="instants are the same everywhere",
        ),
        pytest.param({"to": "2026-10-10"}, "UTC", ["2026-10-09T23:59:59Z"], id="without a beginning"),
        pytest.param(
            {"from": "2026-10-11"}, "UTC", ["2026-10-11T00:00:00Z", "2026-10-11T03:59:59Z"], id="without an end"
        ),
    ],
)
def test_windows_begin_at_their_first_moment_and_end_before_their_last(
    database: Database, window: dict[str, str], zone: str, counted: list[str]
) -> None:
    moments = [
        "2026-10-09T23:59:59Z",
        "2026-10-10T00:00:00Z",
        "2026-10-10T23:59:59Z",
        "2026-10-11T00:00:00Z",
        "2026-10-11T03:59:59Z",
    ]
    world = a_world(zone=zone, deeds=[deed(at) for at in moments])
    node = explained(database, world, COUNT | {"window": window})
    found = {each.id: each.at for each in world.deeds}
    assert sorted(found[record_id].strftime("%Y-%m-%dT%H:%M:%SZ") for record_id in node.counted) == counted


def test_a_window_reaches_back_on_the_calendar(database: Database) -> None:
    leap = datetime(2028, 2, 29, 12, tzinfo=UTC)
    world = a_world(now=leap, deeds=[deed("2027-02-28T12:00:00Z"), deed("2027-02-28T11:59:59Z")])
    assert explained(database, world, COUNT | {"window": {"last": "P1Y"}}).counted == (UUID(int=1000),)


def test_a_window_since_enrolment_begins_for_each_member_on_their_own(database: Database) -> None:
    enrolled = datetime(2026, 10, 10, tzinfo=UTC)
    days = ("2026-10-09T23:59:59Z", "2026-10-10T00:00:00Z")
    world = a_world(deeds=[deed(day, member=member) for member in (ANA, BEN) for day in days], enrolled={ANA: enrolled})
    rule = COUNT | {"window": {"since": "enrolment"}}
    assert explained(database, world, rule, ANA).counted == (UUID(int=1001),)
    assert explained(database, world, rule, BEN).records == 2


def test_weeks_and_days_are_those_of_the_network(database: Database) -> None:
    # The clocks go back in New York on Sunday, 1 November; the ISO week ends at its midnight.
    moments = ["2026-11-01T03:59:59Z", "2026-11-01T04:00:00Z", "2026-11-02T04:59:59Z", "2026-11-02T05:00:00Z"]
    world = a_world(zone="America/New_York", deeds=[deed(at) for at in moments])
    assert explained(database, world, COUNT | {"distinct": "day"}).observed == 3
    assert explained(database, world, COUNT | {"distinct": "week"}).observed == 2
    assert explained(database, replace(world, zone="UTC"), COUNT | {"distinct": "day"}).observed == 2


def test_a_rule_is_met_at_its_number_and_not_before(database: Database) -> None:
    one = explained(database, a_world(deeds=[deed()]), COUNT)
    two = explained(database, a_world(deeds=[deed(), deed()]), COUNT)
    assert (one.met, one.progress, one.text) == (False, 0.5, "1 of 2 contributions")
    assert (two.met, two.progress, two.text) == (True, 1, "2 of 2 contributions")


def test_a_cap_counts_each_day_on_its_own(database: Database) -> None:
    world = a_world(
        deeds=[
            deed("2026-10-10T23:50:00Z", minutes=50),
            deed("2026-10-11T00:10:00Z", minutes=50),
            deed("2026-10-11T08:00:00Z", minutes=50),
            deed("2026-10-12T08:00:00Z", minutes=None),
        ]
    )
    rule = {"rule": "sum", "field": "minutes", "gte": 200, "cap_per": {"day": 60}}
    assert explained(database, world, rule).observed == 110
    assert explained(database, world, rule | {"cap_per": {"session": 60}}).observed == 0


def test_members_who_are_one_person_count_as_one(database: Database) -> None:
    world = a_world(deeds=[deed(peer=peer) for peer in (BEN, CAM, DEE, ANA)])
    rule = COUNT | {"distinct": "peer"}
    assert explained(database, world, rule).observed == 3
    one_human = world.persons | {BEN: UUID(int=21), CAM: UUID(int=21)}
    assert explained(database, replace(world, persons=one_human), rule).observed == 2
    herself = world.persons | {ANA: UUID(int=21), BEN: UUID(int=21)}
    assert explained(database, replace(world, persons=herself), rule).observed == 2


RUBRIC = {"rule": "rubric", "rubric": "feedback", "criteria": ["kind", "useful"], "min_level": 3, "raters": 2}


def test_a_rubric_is_met_in_one_piece_of_work(database: Database) -> None:
    first, second = UUID(int=1000), UUID(int=1001)
    split = [
        judgement(BEN, first, kind=3, useful=2),
        judgement(CAM, first, kind=4, useful=4),
        judgement(BEN, second, kind=1, useful=3),
        judgement(CAM, second, kind=4, useful=3),
    ]
    world = a_world(deeds=[deed(), deed()], judgements=split)
    node = explained(database, world, RUBRIC)
    assert (node.met, node.observed, node.required, node.progress) == (False, 1, 2, 0.75)
    again = a_world(deeds=[deed(), deed()], judgements=[*split, judgement(DEE, first, useful=3)])
    node = explained(database, again, RUBRIC)
    assert node.met
    assert set(node.record_ids) == {UUID(int=2000), UUID(int=2001), UUID(int=2004)}


def test_people_rate_and_nobody_twice_and_nobody_themself(database: Database) -> None:
    def world(*judges: UUID, **persons: UUID) -> World:
        known = dict.fromkeys(MEMBERS) | {MEMBERS[int(name[1])]: person for name, person in persons.items()}
        return a_world(judgements=[judgement(each, kind=4, useful=4) for each in judges], persons=known)

    assert explained(database, world(BEN, CAM), RUBRIC).met
    assert not explained(database, world(BEN, BEN), RUBRIC).met
    assert not explained(database, world(BEN, CAM, m1=UUID(int=21), m2=UUID(int=21)), RUBRIC).met
    assert not explained(database, world(BEN, ANA), RUBRIC).met
    assert not explained(database, world(BEN, CAM, m0=UUID(int=21), m2=UUID(int=21)), RUBRIC).met


def test_only_the_asked_part_of_the_work_is_looked_at(database: Database) -> None:
    parts = [replace(judgement(BEN, kind=4, useful=4), part=part) for part in ("overview", "artifacts", None)]
    rule = RUBRIC | {"raters": 1}
    assert explained(database, a_world(judgements=parts), rule).records == 3
    assert explained(database, a_world(judgements=parts), rule | {"part": "artifacts"}).counted == (UUID(int=2001),)


def test_tier_four_is_what_two_found_at_tier_three(database: Database) -> None:
    rule = RUBRIC | {"raters": 1, "where": {"min_tier": 4}}
    found = [judgement(BEN, kind=3, useful=3), judgement(CAM, kind=3, useful=3)]
    assert explained(database, a_world(judgements=found), rule).met
    assert not explained(database, a_world(judgements=found[:1]), rule).met
    assert not explained(database, a_world(judgements=[found[0], replace(found[1], tier=2)]), rule).met


def test_pieces_of_one_session_are_put_together(database: Database) -> None:
    first, second = (Meeting(UUID(int=n), f"s{n}", "circle", NOW - timedelta(days=n)) for n in (1, 2))
    came = [deed(type="attended", meeting=first, minutes=minutes) for minutes in (20, 25)]
    came += [deed(type="attended", meeting=second, minutes=minutes) for minutes in (44, None)]
    came += [deed(type="facilitated", meeting=second, minutes=60)]
    rule = {"rule": "attendance", "series": "circle", "min_sessions": 2, "min_minutes": 45}
    node = explained(database, a_world(meetings=[first, second], deeds=came), rule)
    assert (node.observed, node.records) == (1, 2)


def test_the_window_of_attendance_is_about_when_sessions_begin(database: Database) -> None:
    meetings = [Meeting(UUID(int=n), f"s{n}", "circle", NOW - timedelta(days=n)) for n in (1, 2, 3, 4)]
    late = NOW - timedelta(hours=1)
    came = [replace(deed(type="attended", meeting=meeting), at=late) for meeting in meetings[:3]]
    world = a_world(meetings=meetings, deeds=came, enrolled={ANA: meetings[1].starts_at})
    rule = {"rule": "attendance", "series": "circle", "min_rate": 1}
    two_days, since = {"last": "P2D"}, {"since": "enrolment"}
    for window, attended, begun in ({}, 3, 4), ({"window": two_days}, 2, 2), ({"window": since}, 2, 2):
        node = explained(database, world, rule | window)
        assert (node.observed, node.required) == (attended, begun)


def test_a_rate_of_no_sessions_is_not_met(database: Database) -> None:
    rule = {"rule": "attendance", "series": "circle", "min_rate": 0.5}
    node = explained(database, a_world(), rule)
    assert (node.met, node.observed, node.required) == (False, 0, 1)
    begun = Meeting(UUID(int=1), "s1", "circle", NOW)
    ahead = [Meeting(UUID(int=n), f"s{n}", "circle", NOW + timedelta(seconds=1)) for n in (2, 3)]
    came = [deed(type="attended", meeting=begun), deed(type="attended", meeting=ahead[0])]
    assert not explained(database, a_world(meetings=[*ahead], deeds=came[1:]), rule).met
    assert explained(database, a_world(meetings=[begun, *ahead], deeds=came), rule).met


def test_records_are_the_newest_and_no_more_than_shown(database: Database) -> None:
    many = progress.SHOWN_RECORDS + 5
    world = a_world(deeds=[replace(deed(), at=NOW - timedelta(minutes=n)) for n in range(many)])
    with rolled_back(database) as session:
        network, version = write(session, world, {"all": [COUNT | {"gte": 103}]})
        (shown,) = progress.explain(session, network, version, ANA, NOW).children
        assert shown.records == many
        assert shown.counted == tuple(UUID(int=1000 + n) for n in range(progress.SHOWN_RECORDS))
        # An award rests on all that it needs, and on no more.
        node = progress.evaluate(session, network, version, [ANA], NOW)[ANA]
        assert node.record_ids == tuple(UUID(int=1000 + n) for n in range(103))


def test_of_a_group_only_what_is_met_is_ground_for_an_award(database: Database) -> None:
    world = a_world(deeds=[deed(type="reviewed"), deed(type="shared"), deed(type="shared")])
    rules = [COUNT | {"where": {"types": [name]}} for name in ("reviewed", "shared")]
    with rolled_back(database) as session:
        network, version = write(session, world, {"any": rules})
        node = progress.evaluate(session, network, version, [ANA], NOW)[ANA]
        assert set(node.record_ids) == {UUID(int=1001), UUID(int=1002)}
        network_wide = progress.evaluate(session, network, version, None, NOW)
        assert list(network_wide) == [ANA]
        assert network_wide[ANA].met
        assert network_wide[ANA].record_ids == ()


def test_many_members_are_asked_about_in_portions(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "MEMBERS_AT_ONCE", 3)
    world = a_world(deeds=[deed(member=member) for member in MEMBERS for _ in range(2)])
    with rolled_back(database) as session:
        network, version = write(session, world, {"any": [COUNT, {"rule": "holds", "achievements": ["first-steps"]}]})
        nodes = progress.evaluate(session, network, version, MEMBERS, NOW)
        assert [node.met for node in nodes.values()] == [True] * 4
        assert all(len(node.record_ids) == 2 for node in nodes.values())


def test_every_part_of_a_filter_must_fit(database: Database) -> None:
    here = Meeting(UUID(int=1), "s1", "circle", NOW, frozenset({"F1", "F2"}))
    there = Meeting(UUID(int=2), "s2", "club", NOW, frozenset({"F2"}))
    whole = deed(type="reviewed", tags=frozenset({"writing"}), tier=2, meeting=here)
    world = a_world(
        meetings=[here, there],
        deeds=[
            whole,
            replace(whole, type="shared"),
            replace(whole, tags=frozenset({"reading"})),
            replace(whole, tier=1),
            replace(whole, tier=3),
            replace(whole, meeting=there),
            replace(whole, meeting=None),
        ],
    )
    every = set(range(7))
    for where, left_out in (
        ({"types": ["reviewed", "x-own"]}, {1}),
        ({"tags_any": ["writing", "other"]}, {2}),
        ({"min_tier": 2}, {3}),
        ({"min_tier": 3}, every - {4}),
        ({"series": "circle"}, {5, 6}),
        ({"sessions": ["s1", "s3"]}, {5, 6}),
        ({"objective": "F1"}, {5, 6}),
        ({"objective": "F2"}, {6}),
        ({"objective": "F3"}, every),
        ({"statuses": ["accepted"]}, set()),
        ({"types": ["reviewed"], "tags_any": ["writing"], "min_tier": 2, "series": "circle"}, every - {0, 4}),
    ):
        node = explained(database, world, {"rule": "count", "gte": 1, "where": where})
        assert {record_id.int - 1000 for record_id in node.counted} == every - left_out, where


@pytest.mark.parametrize(
    ("stat", "observed", "record"), [("best", 0.9, 2001), ("last", 0.5, 2002), ("first", 0.3, 2000)]
)
def test_the_best_the_last_or_the_first_score_counts(
    database: Database, stat: str, observed: float, record: int
) -> None:
    scores = [
        replace(judgement(BEN), kind="score", instrument="final", at=NOW - timedelta(days=ago), scaled=scaled)
        for ago, scaled in ((3, 0.3), (2, 0.9), (1, 0.5))
    ]
    rule = {"rule": "score", "assessment": "final", "stat": stat, "gte": 0.9}
    node = explained(database, a_world(judgements=scores), rule)
    assert (node.observed, node.met, node.counted) == (observed, observed == 0.9, (UUID(int=record),))


def test_achievements_count_while_they_are_held(database: Database) -> None:
    rule = {"rule": "holds", "achievements": ["first-steps", "next-steps", "last-steps"], "n": 1}
    valid = rule | {"valid_on_award": True}

    def held(state: str, valid_until: datetime | None = None) -> World:
        award = Held(UUID(int=3000), ANA, "first-steps", 1, state, NOW - timedelta(days=400), valid_until)
        return a_world(held=[award])

    for state, ever, now in (
        ("awarded", True, True),
        ("suspended", True, False),
        ("expired", True, False),
        ("revoked", False, False),
        ("pending", False, False),
    ):
        assert explained(database, held(state), rule).met is ever
        assert explained(database, held(state), valid).met is now
    assert not explained(database, held("awarded", NOW), valid).met
    assert explained(database, held("awarded", NOW), rule).met
    assert explained(database, held("awarded", NOW + timedelta(seconds=1)), valid).met
    assert explained(database, held("awarded"), rule | {"min_version": 1}).met
    assert not explained(database, held("awarded"), rule | {"min_version": 2}).met
    assert not explained(database, held("awarded"), rule | {"window": {"last": "P1Y"}}).met


GAIN = {"rule": "gain", "instrument": "quiz", "metric": "change", "gte": 0.5}


def scored(occasion: str, scaled: float, day: int = 1, form: str | None = None) -> Judgement:
    at = datetime(2026, 9, day, 12, tzinfo=UTC)
    given = replace(judgement(BEN), kind="score", instrument="quiz", at=at, scaled=scaled)
    return replace(given, occasion=occasion, form=form, judge=None)


def test_a_gain_is_what_was_gained_of_what_could_be(database: Database) -> None:
    def gained(metric: str, pre: float, post: float) -> Node:
        world = a_world(judgements=[scored("pre", pre, 1), scored("post", post, 2)])
        return explained(database, world, GAIN | {"metric": metric})

    # 0.7 - 0.4 over 1 - 0.4 is a little less than a half in floating point; it is met all the same.
    assert (gained("change", 0.4, 0.7).met, gained("change", 0.4, 0.7).observed) == (True, 0.5)
    assert gained("normalized", 0.4, 0.7).met
    assert not gained("raw", 0.4, 0.7).met
    assert gained("raw", 0.2, 0.7).met
    assert gained("change", 0.9, 0.8).observed == pytest.approx(-1 / 9)
    assert gained("normalized", 0.9, 0.8).observed == pytest.approx(-1)
    # Who had everything has nothing to gain; nobody is told a number there.
    for metric, pre, post in (("normalized", 1, 1), ("change", 1, 1), ("change", 0, 0), ("change", 0.5, 0.5)):
        node = gained(metric, pre, post)
        assert (node.met, node.observed, node.progress) == (False, 0, 0)
    assert gained("change", 1, 0.5).text == "a normalized change in quiz: -0.5, needed 0.5"
    assert gained("change", 1, 0.5).progress == 0


def test_the_first_score_before_counts_and_the_best_after(database: Database) -> None:
    given = [scored("pre", 0.6, 1), scored("pre", 0.1, 2), scored("post", 0.9, 3), scored("post", 0.7, 4)]
    node = explained(database, a_world(judgements=given), GAIN)
    assert node.observed == pytest.approx(0.75)
    assert node.counted == (UUID(int=2002), UUID(int=2000))
    assert not explained(database, a_world(judgements=[given[2], replace(given[0], at=NOW)]), GAIN).met
    assert explained(database, a_world(judgements=given[2:]), GAIN).records == 0


def test_before_and_after_lie_days_apart_on_the_calendar_of_the_network(database: Database) -> None:
    late = replace(scored("pre", 0.2), at=datetime(2026, 9, 1, 3, 59, tzinfo=UTC))
    early = replace(scored("post", 0.8), at=datetime(2026, 9, 3, 4, tzinfo=UTC))
    world = a_world(judgements=[late, early])
    assert not explained(database, world, GAIN | {"min_days": 3}).met
    # In New York it is still the evening of 31 August, and already 3 September.
    assert explained(database, replace(world, zone="America/New_York"), GAIN | {"min_days": 3}).met
    assert not explained(database, replace(world, zone="America/New_York"), GAIN | {"min_days": 4}).met


def test_forms_are_the_same_or_others_and_not_unknown(database: Database) -> None:
    for before, after, same, other in (("A", "A", True, False), ("A", "B", False, True), ("A", None, False, False)):
        world = a_world(judgements=[scored("pre", 0.2, 1, before), scored("post", 0.8, 2, after)])
        assert explained(database, world, GAIN).met
        assert explained(database, world, GAIN | {"same_form": True}).met is same
        assert explained(database, world, GAIN | {"same_form": False}).met is other


def test_a_score_after_can_stand_for_a_gain(database: Database) -> None:
    rule = GAIN | {"or_post_gte": 0.9}
    world = a_world(judgements=[scored("pre", 0.85, 1), scored("post", 0.9, 2)])
    node = explained(database, world, rule)
    assert (node.met, node.progress, node.record_ids) == (True, 1, (UUID(int=2001), UUID(int=2000)))
    assert explained(database, a_world(judgements=[scored("post", 0.9)]), rule).met
    node = explained(database, a_world(judgements=[scored("post", 0.45)]), rule)
    assert (node.met, node.progress) == (False, 0.5)
    assert node.text == ("a normalized change in quiz: 0, needed 0.5, or a score after in quiz: 0.45, needed 0.9")


ENDORSED = {"rule": "endorsed", "skill": "feedback", "gte": 2}


def endorsement(judge: UUID, member: UUID = ANA, **said: Any) -> Judgement:
    return replace(judgement(judge, member), kind="endorsement", member=member, ratings=(), **said)


def test_people_endorse_and_nobody_twice_and_nobody_themself(database: Database) -> None:
    given = [endorsement(BEN), endorsement(BEN), endorsement(CAM, instrument="teaching"), endorsement(ANA)]
    node = explained(database, a_world(judgements=given), ENDORSED)
    assert (node.observed, node.records) == (1, 1)
    world = a_world(judgements=[*given, endorsement(CAM)])
    assert explained(database, world, ENDORSED).met
    one_human = world.persons | {BEN: UUID(int=21), CAM: UUID(int=21)}
    assert explained(database, replace(world, persons=one_human), ENDORSED).observed == 1


def test_endorsers_come_from_different_organizations(database: Database) -> None:
    rule = ENDORSED | {"distinct_orgs": 2}
    world = a_world(judgements=[endorsement(BEN), endorsement(CAM)], organizations={BEN: "Lincoln School"})
    node = explained(database, world, rule)
    assert (node.met, node.observed, node.progress) == (False, 2, 0.75)
    assert node.text == "2 of 2 people who endorsed feedback, and 1 of 2 organizations"
    both = {BEN: "Lincoln School", CAM: "Harbor School"}
    assert explained(database, replace(world, organizations=both), rule).met


def test_endorsers_had_the_role_and_the_achievement_when_they_endorsed(database: Database) -> None:
    week = timedelta(days=7)
    given = [endorsement(BEN), endorsement(CAM), endorsement(DEE)]
    roles = [
        Period(BEN, "assessor", NOW - week, NOW),
        Period(CAM, "assessor", NOW, None),
        Period(DEE, "facilitator", NOW - week, None),
    ]
    node = explained(database, a_world(judgements=given, periods=roles), ENDORSED | {"from_role": "assessor"})
    assert node.counted == (UUID(int=2001),)
    held = [
        Held(UUID(int=3000), BEN, "first-steps", 1, "awarded", NOW),
        Held(UUID(int=3001), CAM, "first-steps", 1, "awarded", NOW + timedelta(seconds=1)),
        Held(UUID(int=3002), DEE, "first-steps", 1, "revoked", NOW - week),
    ]
    rule = ENDORSED | {"from_achievement": "first-steps"}
    assert explained(database, a_world(judgements=given, held=held), rule).counted == (UUID(int=2000),)


def test_endorsements_in_return_count_only_so_often(database: Database) -> None:
    given = [replace(endorsement(judge), at=NOW - timedelta(days=n)) for n, judge in enumerate((BEN, CAM, DEE))]
    given += [endorsement(ANA, BEN, instrument="teaching"), endorsement(ANA, CAM)]
    world = a_world(judgements=given)
    assert explained(database, world, ENDORSED).observed == 3
    node = explained(database, world, ENDORSED | {"max_reciprocal": 1})
    assert node.counted == (UUID(int=2000), UUID(int=2002))
    assert explained(database, world, ENDORSED | {"max_reciprocal": 0}).counted == (UUID(int=2002),)
    # Who is endorsed in return as another member is endorsed in return all the same.
    other = replace(world, persons={**world.persons, BEN: UUID(int=21), DEE: UUID(int=21)})
    assert explained(database, other, ENDORSED | {"max_reciprocal": 0}).observed == 0


TENURE = {"rule": "tenure", "role": "facilitator", "min_days": 8}


def period(begins: str, ends: str | None = None, role: str = "facilitator") -> Period:
    return Period(ANA, role, datetime.fromisoformat(begins), datetime.fromisoformat(ends) if ends else None)


def test_days_in_a_role_count_once_and_up_to_today(database: Database) -> None:
    assert explained(database, a_world(), TENURE).observed == 0
    overlapping = [
        period("2026-10-01T08:00:00Z", "2026-10-05T08:00:00Z"),
        period("2026-10-02T08:00:00Z", "2026-10-03T08:00:00Z"),
        period("2026-10-04T08:00:00Z", "2026-10-07T08:00:00Z"),
        period("2026-10-20T08:00:00Z", "2026-10-20T20:00:00Z"),
        period("2026-10-08T08:00:00Z", "2026-10-30T08:00:00Z", role="assessor"),
    ]
    assert explained(database, a_world(periods=overlapping), TENURE).observed == 6
    going_on = [period("2026-10-26T00:00:00Z")]
    node = explained(database, a_world(periods=going_on), TENURE)
    assert (node.met, node.observed, node.text) == (False, 7, "7 of 8 days as facilitator")
    # In Auckland it is a day later already when it begins, and today is the same day.
    assert explained(database, a_world(periods=going_on, zone="Pacific/Auckland"), TENURE).observed == 7
    assert explained(database, a_world(periods=[period("2026-11-03T00:00:00Z")]), TENURE).first_at is None


def test_days_are_days_also_where_the_clocks_change(database: Database) -> None:
    # From midnight to midnight in New York, with 25 hours in one of the days, and with 23.
    autumn = period("2026-10-28T04:00:00Z", "2026-11-02T05:00:00Z")
    spring = period("2026-03-07T05:00:00Z", "2026-03-10T04:00:00Z")
    for each, days in ((autumn, 5), (spring, 3)):
        assert explained(database, a_world(periods=[each], zone="America/New_York"), TENURE).observed == days


def test_a_window_cuts_the_days_in_a_role(database: Database) -> None:
    world = a_world(periods=[period("2026-01-01T00:00:00Z")])
    for window, days in (
        ({"last": "P1W"}, 7),
        ({"from": "2026-02-01", "to": "2026-03-01"}, 28),
        ({"to": "2026-01-03T23:59:59Z"}, 2),
        ({"from": "2026-12-01"}, 0),
    ):
        assert explained(database, world, TENURE | {"window": window}).observed == days


def test_sessions_are_led_by_who_has_the_role_then(database: Database) -> None:
    meetings = [Meeting(UUID(int=n), f"s{n}", "circle", NOW) for n in (1, 2, 3)]
    led = [
        deed("2026-10-02T12:00:00Z", type="facilitated", meeting=meetings[0]),
        deed("2026-10-03T12:00:00Z", type="facilitated", meeting=meetings[0]),
        deed("2026-10-20T12:00:00Z", type="facilitated", meeting=meetings[1]),
        deed("2026-10-04T12:00:00Z", type="attended", meeting=meetings[2]),
        deed("2026-10-04T12:00:00Z", type="facilitated"),
    ]
    world = a_world(meetings=meetings, deeds=led, periods=[period("2026-10-01T00:00:00Z", "2026-10-20T12:00:00Z")])
    node = explained(database, world, TENURE | {"min_sessions_led": 2})
    assert (node.met, node.observed, node.progress, node.counted) == (False, 19, 0.75, (UUID(int=1001),))
    assert node.text == "19 of 8 days as facilitator, and 1 of 2 sessions led as facilitator"
    only = {"rule": "tenure", "role": "facilitator", "min_sessions_led": 1}
    assert explained(database, world, only).text == "1 of 1 session led as facilitator"


def test_contributions_can_be_asked_of_who_has_a_role(database: Database) -> None:
    world = a_world(
        deeds=[deed("2026-10-01T11:59:59Z"), deed("2026-10-01T12:00:00Z"), deed("2026-10-02T12:00:00Z")],
        periods=[period("2026-10-01T12:00:00Z", "2026-10-02T12:00:00Z")],
    )
    node = explained(database, world, COUNT | {"where": {"role": "facilitator"}})
    assert node.counted == (UUID(int=1001),)


CREDITED = {"credit": "sharer", "where": {"types": ["adopted"]}}
EVERY_KIND = [
    COUNT | {"where": {"types": ["reviewed", "shared"], "tags_any": ["writing"], "series": "circle"}},
    *(COUNT | {"distinct": unit} for unit in ("item", "session", "day", "week", "peer", "resource")),
    *(COUNT | CREDITED | {"distinct": unit} for unit in ("item", "peer", "resource")),
    COUNT | CREDITED | {"window": {"since": "enrolment"}},
    COUNT | {"window": {"since": "enrolment"}},
    COUNT | {"window": {"last": "P1Y"}, "where": {"sessions": ["s1"]}},
    COUNT | {"where": {"objective": "F1"}},
    {"rule": "sum", "field": "minutes", "gte": 60, "cap_per": {"week": 60}},
    {"rule": "attendance", "series": "circle", "min_sessions": 2, "min_minutes": 45},
    {"rule": "attendance", "series": "circle", "min_rate": 0.5, "window": {"since": "enrolment"}},
    RUBRIC,
    {"rule": "score", "assessment": "final", "gte": 0.5},
    GAIN | {"or_post_gte": 0.5, "min_days": 1, "same_form": True},
    ENDORSED | {"distinct_orgs": 2, "from_role": "assessor", "from_achievement": "first-steps", "max_reciprocal": 1},
    TENURE | {"min_sessions_led": 1, "window": {"last": "P1Y"}},
    {"rule": "holds", "achievements": ["first-steps"], "valid_on_award": True, "min_version": 1},
]


@pytest.mark.parametrize("definition", EVERY_KIND, ids=str)
def test_one_member_is_looked_up_through_indexes(database: Database, definition: dict[str, Any]) -> None:
    """No table is read through, and evidence is found by its member: the cost does not grow with the network."""
    asked: list[tuple[str, Any]] = []
    with rolled_back(database) as session:
        world = a_world(deeds=[deed(tags=frozenset({"writing"}))], judgements=[judgement(BEN, kind=3)])
        network, version = write(session, world, definition)
        session.flush()

        @event.listens_for(session.connection(), "before_cursor_execute")
        def _note(_connection: Any, _cursor: Any, statement: str, values: Any, *_rest: Any) -> None:
            asked.append((statement, values))

        progress.explain(session, network, version, ANA, NOW)
        cursor: Any = session.connection().connection.cursor()
        if not database.is_sqlite:
            cursor.execute("SET LOCAL enable_seqscan = off")
            for name in TABLES:  # as if they were large: among a few rows one index is as good as another
                cursor.execute(f"UPDATE pg_class SET reltuples = 1e6, relpages = 1 WHERE oid = '{name}'::regclass")
                cursor.execute(f"DELETE FROM pg_statistic WHERE starelid = '{name}'::regclass")
        plans = []
        for statement, values in asked[:]:
            command = "EXPLAIN QUERY PLAN" if database.is_sqlite else "EXPLAIN"
            cursor.execute(f"{command} {statement}", values)
            plans.append([str(row[-1]) for row in cursor.fetchall()])
    assert plans
    for plan in plans:
        if database.is_sqlite:
            read_through = [line for line in plan if line.startswith("SCAN") and any(name in line for name in TABLES)]
            by_member = [line for line in plan if "member_id=?" in line or "sqlite_autoindex_members_1 (id=?)" in line]
        else:
            read_through = [line for line in plan if "Seq Scan" in line]
            by_member = [line for line in plan if "Index Cond" in line and "member_id" in line]
        assert read_through == [], "\n".join(plan)
        assert by_member, "\n".join(plan)


TABLES = (
    "contributions",
    "evaluations",
    "ratings",
    "sessions",
    "members",
    "objectives",
    "session_objectives",
    "awards",
    "credentials",
    "contribution_tags",
    "roles",
)


ACHIEVEMENT: dict[str, Any] = {
    "ref": "reader",
    "name": "Generous Reader",
    "description": "Reads drafts.",
    "achievement_type": "Badge",
    "criteria": {
        "narrative": "Review two drafts of colleagues.",
        "rule": {"all": [{"rule": "count", "where": {"types": ["reviewed"]}, "gte": 2}]},
    },
    "award": "reviewed",
    "publish": True,
}


@pytest.fixture
def who(runtime: Runtime, client: TestClient) -> Actor:
    """Whoever may do everything in a network with the members m11, m12 and m13, and the session s1."""
    return river(runtime, client)


def test_what_a_member_has_reached_is_told_rule_by_rule(who: Actor) -> None:
    posted(who.post(f"{ROOT}/achievements", ACHIEVEMENT))
    record = posted(who.post(f"{ROOT}/contributions", REVIEW | {"ref": "r1"}))
    assert posted(who.get(f"{ROOT}/members/m11/progress"), 200) == {
        "items": [
            {
                "achievement": "reader",
                "name": "Generous Reader",
                "version": 1,
                "enrolled": False,
                "award": "reviewed",
                "met": False,
                "progress": 0.5,
                "text": "0 of 1 condition met, all needed",
                "criteria": {
                    "rule": "all",
                    "met": False,
                    "observed": 0,
                    "required": 1,
                    "progress": 0.5,
                    "text": "0 of 1 condition met, all needed",
                    "stability": "grows",
                    "children": [
                        {
                            "rule": "count",
                            "met": False,
                            "observed": 1,
                            "required": 2,
                            "progress": 0.5,
                            "text": "1 of 2 contributions of type reviewed",
                            "stability": "grows",
                            "records": 1,
                            "record_ids": [record["id"]],
                        }
                    ],
                },
            }
        ]
    }


def observed(who: Actor, member: str = "m11") -> int:
    (standing,) = who.get(f"{ROOT}/members/{member}/progress").json()["items"]
    count: int = standing["criteria"]["children"][0]["observed"]
    return count


def test_evidence_counts_when_it_is_there_and_until_it_is_void(who: Actor) -> None:
    posted(who.post(f"{ROOT}/achievements", ACHIEVEMENT))
    posted(who.post(f"{ROOT}/contributions", REVIEW | {"member": "dana"}), 202)
    posted(who.put(f"{ROOT}/members/dana", {}))
    assert observed(who, "dana") == 1
    record = posted(who.post(f"{ROOT}/contributions", REVIEW | {"ref": "r1"}))
    assert observed(who) == 1
    who.post(f"{ROOT}/records/{record['id']}/void", {"reason": "posted by mistake"})
    assert observed(who) == 0


def test_an_achievement_without_a_rule_is_told_as_such(who: Actor) -> None:
    posted(who.post(f"{ROOT}/achievements", ACHIEVEMENT | {"criteria": {"narrative": "Lead with grace."}}))
    (standing,) = who.get(f"{ROOT}/members/m11/progress").json()["items"]
    assert (standing["met"], standing["progress"]) == (False, 0)
    assert "criteria" not in standing


def test_progress_is_asked_for_in_pages_or_for_one_achievement(who: Actor) -> None:
    refs = [f"a{n}" for n in range(5)]
    for ref in refs:
        posted(who.post(f"{ROOT}/achievements", ACHIEVEMENT | {"ref": ref}))
    posted(who.post(f"{ROOT}/achievements", ACHIEVEMENT | {"ref": "draft", "publish": False}))
    path = f"{ROOT}/members/m11/progress"
    assert [standing["achievement"] for standing in all_pages(who, path)] == refs
    assert [standing["achievement"] for standing in all_pages(who, path, achievement="a3")] == ["a3"]
    assert all_pages(who, path, achievement="draft") == []


def test_progress_of_what_is_not_there_is_refused(runtime: Runtime, client: TestClient, who: Actor) -> None:
    path = f"{ROOT}/members/m11/progress"
    assert refused(who.get(f"{ROOT}/members/eve/progress")) == (404, "member-unknown", None)
    assert refused(who.get(path, achievement="none")) == (404, "achievement-unknown", None)
    assert refused(who.get(path, after="%%%")) == (422, "cursor-invalid", "after")
    assert refused(hill(runtime, client).get(path)) == (404, "network-unknown", None)
    writer = actor(runtime, client, slug="river-writers", scopes=["achievements:write"])
    assert refused(writer.get(path)) == (403, "scope-missing", None)
    assert refused(client.get(path)) == (401, "token-missing", None)


def test_the_language_is_published(client: TestClient) -> None:
    answer = client.get("/schemas/criteria/1")
    assert answer.headers["content-type"] == "application/schema+json"
    assert "max-age" in answer.headers["cache-control"]
    schema = answer.json()
    assert schema["$id"] == f"{BASE_URL}/schemas/criteria/1"
    assert jsonschema_rs.is_valid(schema, ACHIEVEMENT["criteria"]["rule"])
    assert not jsonschema_rs.is_valid(schema, {"not": {}})
