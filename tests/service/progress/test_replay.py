"""A decision can be retraced: what was known then is evaluated as it was then."""

from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, update

from service.access.act import Act
from service.achievements import enrolments
from service.achievements.enrolments import EnrolmentIn
from service.evidence import derivation
from service.progress import progress
from service.progress.progress import Replay
from service.runtime.runtime import Runtime
from service.storage import past
from service.storage.database import Database, WriteSession
from service.tables import Achievement, AchievementVersion, Award, Credential, Member, Network, Record, RecordBody, Role
from service.tables.past import PAST
from tests.worlds.acting import Actor, refused
from tests.worlds.criteria_oracle import Held, World
from tests.worlds.criteria_worlds import MEMBERS, NOW, PERSONS, definitions, worlds, write, write_evidence
from tests.worlds.posting import AT, ENDORSEMENT, REVIEW, ROOT, posted, river
from tests.worlds.runtimes import Clock

LATER = NOW + timedelta(days=30)
random_settings = settings(deadline=None, suppress_health_check=list(HealthCheck), max_examples=60)


def go_on(session: WriteSession, network: Network, version: AchievementVersion, world: World, draw: Any) -> None:
    """Let happen whatever can happen later: evidence comes and is voided, people merge, roles and awards end."""
    record_ids = [deed.id for deed in world.deeds] + [given.id for given in world.judgements]
    act = Act(session, network, None, LATER)
    for nth, record_id in enumerate(draw(st.lists(st.sampled_from(record_ids), unique=True)) if record_ids else []):
        record = session.get_one(Record, record_id)
        void = Record(
            id=UUID(int=7000 + nth),
            network_id=network.id,
            position=1000 + nth,
            kind="void",
            voids=record.id,
            received_at=LATER,
            body_digest="",
            tier=3,
            status="accepted",
        )
        session.add(void)
        session.flush()
        derivation.forget(act, [record.id], void.id)
    # What was about a piece of work that is void now cannot come in any more.
    more = replace(
        world,
        meetings=[],
        deeds=[replace(each, id=UUID(int=5000 + n)) for n, each in enumerate(world.deeds)],
        judgements=[
            replace(each, id=UUID(int=6000 + n)) for n, each in enumerate(world.judgements) if each.about in MEMBERS
        ],
    )
    write_evidence(session, network, more)
    for role in session.scalars(select(Role)).all():
        if draw(st.booleans()):
            past.archive(session, Role, Role.__table__.c.id == role.id, LATER)
            role.from_at, role.until_at, role.known_from = LATER, None, LATER
            role.from_date = LATER.date()
    for member in session.scalars(select(Member)).all():
        if draw(st.booleans()):
            past.archive(session, Member, Member.__table__.c.id == member.id, LATER)
            member.person_id, member.organization = draw(st.sampled_from((None, *PERSONS))), "Elsewhere"
            member.known_from = LATER
    achievement = session.get_one(Achievement, version.achievement_id)
    for member_id in draw(st.lists(st.sampled_from(MEMBERS), unique=True)):
        enrolments.enrol(act, achievement, session.get_one(Member, member_id), EnrolmentIn(at=LATER))
    for award in session.scalars(select(Award)).all():
        if award.state == "awarded" and draw(st.booleans()):
            award.state = "revoked"
            session.execute(update(Credential).where(Credential.award_id == award.id).values(revoked_at=LATER))
    session.flush()


def happens(award: Held) -> bool:
    """Return whether there can be such an award: nobody decides in the future, and none has expired before its time."""
    over = award.valid_until is not None and award.valid_until <= NOW
    return award.at <= NOW and (over or award.state != "expired")


@given(definition=definitions, world=worlds(), later=st.data())
@random_settings
def test_whatever_comes_later_a_replay_is_what_was_evaluated_then(
    database: Database, definition: dict[str, Any], world: World, later: st.DataObject
) -> None:
    world = replace(world, held=[award for award in world.held if happens(award)])
    with WriteSession(database.engine.execution_options(laurel_writes=True)) as session:
        network, version = write(session, world, definition)
        position = len(world.deeds) + len(world.judgements)
        then = {member: progress.explain(session, network, version, member, NOW) for member in MEMBERS}
        decided = progress.evaluate(session, network, version, MEMBERS, NOW)
        everybody = progress.evaluate(session, network, version, None, NOW)
        go_on(session, network, version, world, later.draw)
        for member in MEMBERS:
            again = progress.explain(session, network, version, member, LATER, Replay(NOW, position))
            assert again == then[member]
        for member_ids, expected in ((MEMBERS, decided), (None, everybody)):
            replayed = progress.evaluate(session, network, version, member_ids, LATER, as_of=NOW, position=position)
            assert replayed == expected


ACHIEVEMENT: dict[str, Any] = {
    "ref": "reader",
    "name": "Reader",
    "description": "Reads drafts.",
    "achievement_type": "Badge",
    "criteria": {
        "narrative": "Review drafts.",
        "rule": {
            "all": [
                {"rule": "count", "where": {"types": ["reviewed"], "role": "facilitator"}, "gte": 2},
                {"rule": "count", "where": {"types": ["reviewed"]}, "distinct": "peer", "gte": 2},
                {"rule": "endorsed", "skill": "reading", "gte": 2, "distinct_orgs": 2},
                {"rule": "count", "where": {"types": ["mentored"]}, "gte": 1, "window": {"last": "P1W"}},
                {"rule": "count", "gte": 1, "window": {"since": "enrolment"}},
            ]
        },
    },
    "award": "reviewed",
    "publish": True,
}


@pytest.fixture
def who(runtime: Runtime, client: TestClient) -> Actor:
    """Whoever may do everything in a network with the members m11, m12 and m13, and one session."""
    return river(runtime, client)


def test_a_month_later_the_progress_of_then_is_the_same(who: Actor, clock: Clock) -> None:
    path = f"{ROOT}/members/m11/progress"
    posted(who.put(f"{ROOT}/members/m11", {"roles": [{"role": "facilitator", "from": "2026-01-01T00:00:00Z"}]}), 200)
    for ref, organization in (("m12", "Lincoln School"), ("m13", "Harbor School")):
        posted(who.put(f"{ROOT}/members/{ref}", {"organization": organization}), 200)
        posted(who.post(f"{ROOT}/evaluations", ENDORSEMENT | {"evaluator": ref, "skill": "reading"}))
    posted(who.post(f"{ROOT}/achievements", ACHIEVEMENT))
    made = [posted(who.post(f"{ROOT}/contributions", REVIEW | {"peer": ref})) for ref in ("m12", "m13")]
    posted(who.post(f"{ROOT}/contributions", REVIEW | {"type": "mentored"}))
    posted(who.post(f"{ROOT}/contributions", REVIEW | {"peer": "m99"}), 202)
    then = posted(who.get(path), 200)
    assert then["items"][0]["met"]
    as_of, position = clock.at.isoformat().replace("+00:00", "Z"), 6
    clock.advance(days=29)
    posted(who.post(f"{ROOT}/records/{made[0]['id']}/void", {"reason": "by mistake"}))
    posted(who.put(f"{ROOT}/members/m99", {}))
    posted(who.put(f"{ROOT}/members/m12", {"email": "m13@example.org", "organization": "Harbor School"}), 200)
    posted(who.put(f"{ROOT}/members/m11", {"roles": [{"role": "facilitator", "from": AT}]}), 200)
    posted(who.put(f"{ROOT}/achievements/reader/enrolments/m11", {"at": "2026-03-20T00:00:00Z"}), 201)
    changed = deepcopy(ACHIEVEMENT)
    changed["criteria"]["rule"]["all"].pop()
    del changed["ref"], changed["publish"]
    posted(who.put(f"{ROOT}/achievements/reader", changed), 200)
    posted(who.post(f"{ROOT}/achievements/reader/publication"), 200)
    now = posted(who.get(path), 200)
    assert [each["met"] for each in now["items"][0]["criteria"]["children"]] != [True] * 5
    assert posted(who.get(path, as_of=as_of), 200) == then
    assert posted(who.get(path, as_of=as_of, position=position), 200) == then
    before = posted(who.get(path, as_of=as_of, position=0), 200)
    assert [each["observed"] for each in before["items"][0]["criteria"]["children"]] == [0] * 5
    # Before it was published there was nothing to reach.
    assert posted(who.get(path, as_of="2026-03-02T11:59:59Z"), 200)["items"] == []


def test_a_replay_on_erased_evidence_says_so(who: Actor, runtime: Runtime, clock: Clock) -> None:
    posted(who.post(f"{ROOT}/achievements", ACHIEVEMENT | {"ref": "a"}))
    record = posted(who.post(f"{ROOT}/contributions", REVIEW))
    with runtime.database.write() as session:
        session.execute(delete(RecordBody).where(RecordBody.record_id == UUID(record["id"])))
    as_of = clock.at.isoformat().replace("+00:00", "Z")
    [told] = posted(who.get(f"{ROOT}/members/m11/progress", as_of=as_of), 200)["items"]
    assert told["erased_record_ids"] == [record["id"]]


def test_a_replay_is_of_the_past(who: Actor) -> None:
    path = f"{ROOT}/members/m11/progress"
    assert refused(who.get(path, as_of="2027-01-01T00:00:00Z")) == (422, "time-in-future", "as_of")
    assert refused(who.get(path, as_of="yesterday"))[0] == 422
    assert refused(who.get(path, position=-1))[0] == 422


def test_what_nobody_changed_is_not_kept_twice(who: Actor, runtime: Runtime) -> None:
    for _ in range(2):
        posted(who.put(f"{ROOT}/members/m11", {"organization": "Lincoln School", "roles": ["lead"]}), 200)
    with runtime.database.read() as session:
        assert list(session.scalars(select(PAST[Role].c.role))) == []
        assert list(session.scalars(select(PAST[Member].c.organization))) == [None]
