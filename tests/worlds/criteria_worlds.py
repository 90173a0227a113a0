"""Random definitions and random evidence, and a writer of evidence as rows.

Both have few and close values, so that the evidence matches the definitions.
"""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from hypothesis import strategies as st
from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session as OrmSession

from service.tables import (
    Achievement,
    AchievementVersion,
    Approval,
    Award,
    Contribution,
    ContributionTag,
    Credential,
    Enrolment,
    Evaluation,
    Member,
    Network,
    Objective,
    Person,
    Rating,
    Record,
    Review,
    Role,
    Row,
    Rubric,
    RubricUse,
    RubricVersion,
    SessionObjective,
    StatusList,
)
from service.tables import Meeting as MeetingRow
from service.tables.identifiers import new_id
from tests.worlds.criteria_oracle import Deed, Held, Judgement, Meeting, Period, Vote, World

# The clocks go back in New York on 1 November 2026: the windows below end on both sides of it.
ZONES = ("UTC", "America/New_York", "Pacific/Auckland")
NOW = datetime(2026, 11, 2, 5, 30, tzinfo=UTC)
MEMBERS = [UUID(int=n) for n in (11, 12, 13, 14)]
PERSONS = [UUID(int=n) for n in (21, 22)]
OTHERS = ("first-steps", "next-steps", "last-steps")
TYPES = ("attended", "facilitated", "reviewed", "x-own", "shared", "adopted")
ROLES = ("facilitator", "assessor")
ORGANIZATIONS = ("Lincoln School", "Harbor School")
TAGS = ("writing", "reading")
SERIES = ("circle", "club")
OBJECTIVES = ("F1", "F2")
RESOURCES = ("https://example.org/a", "https://example.org/b")
CRITERIA = ("specific", "kind", "useful")
PARTS = ("overview", "artifacts")
DAYS = [date(2026, 10, day) for day in (26, 31)] + [date(2026, 11, day) for day in (1, 2)]

moments = st.one_of(
    # Midnights of each zone and the moments just before, so that instants are exactly on the bounds.
    st.builds(
        lambda day, zone, early: (
            datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)) - timedelta(seconds=early)
        ).astimezone(UTC),
        st.sampled_from(DAYS),
        st.sampled_from(ZONES),
        st.sampled_from((0, 1)),
    ),
    st.builds(
        lambda days, more: NOW - timedelta(days=days, seconds=more), st.integers(0, 8), st.sampled_from((-1, 0, 1))
    ),
    st.builds(lambda days: NOW - timedelta(days=days), st.sampled_from((30, 31, 365, 366))),
)
tiers = st.integers(0, 3)
members = st.sampled_from(MEMBERS)


def some(values: tuple[str, ...]) -> st.SearchStrategy[list[str]]:
    """Return lists of one or more of the values, each once."""
    return st.lists(st.sampled_from(values), min_size=1, unique=True)


def objects(needed: dict[str, Any], optional: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Return JSON objects with the needed members and any of the optional ones."""
    return st.fixed_dictionaries(needed, optional=optional)


written = st.one_of(
    st.sampled_from(DAYS).map(date.isoformat), moments.map(lambda at: at.strftime("%Y-%m-%dT%H:%M:%SZ"))
)


@st.composite
def between(draw: st.DrawFn) -> dict[str, str]:
    """Draw windows with a beginning, an end, or both in order."""
    window = draw(objects({}, {"from": written, "to": written}).filter(bool))
    if len(window) == 2 and len(window["from"]) == len(window["to"]):
        window["from"], window["to"] = sorted(window.values())
    if len(window) == 2 and window["from"][:10] >= window["to"][:10]:
        window["from"] = "2026-10-01"
    return window


windows = st.one_of(
    between(),
    objects({"last": st.sampled_from(("P1D", "P1W", "P1M", "P1Y", "PT36H", "P1DT90M", "PT30M"))}, {}),
    st.just({"since": "enrolment"}),
)
tier_filters = objects({}, {"min_tier": tiers, "statuses": st.just(["accepted"])})
filters = objects(
    {},
    {
        "types": some(TYPES),
        "tags_any": some(TAGS),
        "min_tier": tiers,
        "role": st.sampled_from(ROLES),
        "series": st.sampled_from(SERIES),
        "sessions": some(("s1", "s2", "s3")),
        "objective": st.sampled_from(OBJECTIVES),
    },
)
rule_shapes = {
    "count": objects(
        {"rule": st.just("count"), "gte": st.integers(1, 4)},
        {
            "where": filters,
            "window": windows,
            "distinct": st.sampled_from(("item", "session", "day", "week", "peer", "resource")),
        },
    ),
    "credited": objects(
        {"rule": st.just("count"), "gte": st.integers(1, 3), "credit": st.just("sharer")},
        {
            "where": filters.map(lambda where: where | {"types": ["adopted"]}),
            "window": windows,
            "distinct": st.sampled_from(("item", "peer", "resource")),
        },
    ).map(lambda rule: {"where": {"types": ["adopted"]}} | rule),
    "sum": objects(
        {"rule": st.just("sum"), "field": st.just("minutes"), "gte": st.integers(1, 150)},
        {
            "where": filters,
            "window": windows,
            "cap_per": st.sampled_from(({"day": 60}, {"week": 90}, {"session": 50}, {"day": 1})),
        },
    ),
    "attendance": objects(
        {"rule": st.just("attendance"), "series": st.sampled_from(SERIES)},
        {
            "min_sessions": st.integers(1, 3),
            "min_rate": st.sampled_from((0.1, 1 / 3, 0.5, 0.75, 1)),
            "min_minutes": st.sampled_from((1, 45, 60)),
            "window": windows,
        },
    ).filter(lambda rule: "min_sessions" in rule or "min_rate" in rule),
    "rubric": objects(
        {
            "rule": st.just("rubric"),
            "rubric": st.sampled_from(("feedback", "teaching")),
            "criteria": some(CRITERIA),
            "min_level": st.sampled_from((1, 2, 2.5, 3)),
        },
        {
            "raters": st.integers(1, 2),
            "part": st.sampled_from(PARTS),
            "unposted": st.booleans(),
            "where": objects({}, {"min_tier": st.integers(0, 4)}),
            "window": windows,
        },
    ),
    "score": objects(
        {
            "rule": st.just("score"),
            "assessment": st.sampled_from(("feedback", "teaching")),
            "gte": st.sampled_from((0.3, 0.5, 0.9, 1)),
        },
        {
            "stat": st.sampled_from(("best", "last", "first")),
            "self_report": st.booleans(),
            "where": tier_filters,
            "window": windows,
        },
    ),
    "gain": objects(
        {
            "rule": st.just("gain"),
            "instrument": st.sampled_from(("feedback", "teaching")),
            "metric": st.sampled_from(("normalized", "change", "raw")),
            "gte": st.sampled_from((0.1, 0.3, 0.5, 1)),
        },
        {
            "or_post_gte": st.sampled_from((0.5, 1)),
            "min_days": st.sampled_from((1, 2, 30)),
            "same_form": st.booleans(),
            "self_report": st.booleans(),
            "where": tier_filters,
            "window": windows,
        },
    ),
    "endorsed": objects(
        {"rule": st.just("endorsed"), "skill": st.sampled_from(("feedback", "teaching")), "gte": st.just(2)},
        {
            "distinct_orgs": st.integers(1, 2),
            "from_role": st.sampled_from(ROLES),
            "from_achievement": st.sampled_from(OTHERS),
            "max_reciprocal": st.integers(0, 1),
            "where": tier_filters,
            "window": windows,
        },
    ),
    "tenure": objects(
        {"rule": st.just("tenure"), "role": st.sampled_from(ROLES)},
        {
            "min_days": st.sampled_from((1, 2, 8, 30)),
            "min_sessions_led": st.integers(1, 2),
            "window": windows.filter(lambda window: "since" not in window),
        },
    ).filter(lambda rule: "min_days" in rule or "min_sessions_led" in rule),
    "holds": objects(
        {"rule": st.just("holds"), "achievements": some(OTHERS)},
        {"n": st.just(1), "valid_on_award": st.booleans(), "min_version": st.integers(1, 2), "window": windows},
    ),
    "approval": objects(
        {"rule": st.just("approval"), "by_role": st.sampled_from(ROLES)},
        {"n": st.integers(1, 2), "not_conflicted": st.booleans(), "window": windows},
    ),
}
rules = st.one_of(*rule_shapes.values())


@st.composite
def at_least(draw: st.DrawFn, parts: st.SearchStrategy[Any]) -> dict[str, Any]:
    """Draw groups that ask for some of their parts."""
    of = draw(st.lists(parts, min_size=1, max_size=3))
    return {"at_least": {"n": draw(st.integers(1, len(of))), "of": of}}


definitions = st.recursive(
    rules,
    lambda parts: st.one_of(
        st.lists(parts, min_size=1, max_size=3).map(lambda all_of: {"all": all_of}),
        st.lists(parts, min_size=1, max_size=3).map(lambda any_of: {"any": any_of}),
        at_least(parts),
    ),
    max_leaves=5,
)


def who(persons: dict[UUID, UUID | None], member: UUID) -> UUID:
    """Return who a member is."""
    return persons[member] or member


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Draw networks of four members, some of them one person, with some evidence."""
    ids = iter(draw(st.permutations([UUID(int=n) for n in range(1000, 1050)])))
    meetings = [
        Meeting(
            next(ids),
            f"s{n + 1}",
            draw(st.sampled_from((*SERIES, None))),
            draw(moments),
            frozenset(draw(st.sets(st.sampled_from(OBJECTIVES)))),
        )
        for n in range(3)
    ]
    meeting = st.sampled_from((None, *meetings))
    deeds = draw(
        st.lists(
            st.builds(
                lambda **given: Deed(id=UUID(int=0), tags=frozenset(given.pop("tags")), **given),
                member=members,
                type=st.sampled_from((*TYPES, "adopted", "shared")),
                at=moments,
                tier=tiers,
                minutes=st.sampled_from((None, 0, 1, 44, 45, 60)),
                meeting=meeting,
                peer=st.one_of(st.none(), members),
                resource=st.sampled_from((None, *RESOURCES)),
                tags=st.sets(st.sampled_from(TAGS)),
            ),
            max_size=12,
        )
    )
    deeds = [replace(deed, id=next(ids)) for deed in deeds]
    works = st.sampled_from([deed.id for deed in deeds[-2:]] + MEMBERS[:1])
    judgements = draw(
        st.lists(
            st.builds(
                lambda **given: Judgement(id=UUID(int=0), **given),
                member=members,
                kind=st.sampled_from(("rubric", "score", "survey", "endorsement")),
                instrument=st.sampled_from(("feedback", "teaching")),
                at=moments,
                about=works,
                judge=st.one_of(st.none(), members, members, members),
                part=st.sampled_from((None, *PARTS)),
                tier=tiers,
                ratings=st.dictionaries(st.sampled_from(CRITERIA), st.sampled_from((1, 2, 3, 4)), max_size=3).map(
                    lambda ratings: tuple(ratings.items())
                ),
                scaled=st.sampled_from((None, 0.0, 0.3, 0.4, 0.5, 0.7, 0.9, 1.0)),
                occasion=st.sampled_from((None, "pre", "post", "post")),
                form=st.sampled_from((None, "A", "B")),
                posted=st.booleans(),
            ),
            max_size=12,
        )
    )
    # An endorsement always says who endorses.
    judgements = [
        replace(given, id=next(ids), about=given.member if given.about in MEMBERS else given.about)
        for given in judgements
        if given.kind != "endorsement" or given.judge is not None
    ]
    periods = draw(
        st.lists(
            st.builds(
                Period, member=members, role=st.sampled_from(ROLES), begins=moments, ends=st.one_of(st.none(), moments)
            ).filter(lambda period: period.ends is None or period.begins < period.ends),
            max_size=5,
        )
    )
    held = draw(
        st.lists(
            st.builds(
                Held,
                id=st.just(UUID(int=0)),
                member=members,
                achievement=st.sampled_from(OTHERS),
                version=st.integers(1, 2),
                state=st.sampled_from(("awarded", "suspended", "revoked", "expired", "pending")),
                at=moments,
                valid_until=st.sampled_from((None, NOW, NOW + timedelta(seconds=1))),
            ),
            max_size=5,
            unique_by=lambda award: (award.member, award.achievement),
        )
    )
    persons = {member: draw(st.sampled_from((None, *PERSONS))) for member in MEMBERS}
    votes = draw(
        st.lists(
            st.builds(
                lambda **given: Vote(id=UUID(int=0), **given),
                member=members,
                approver=members,
                role=st.sampled_from(ROLES),
                at=moments,
                approved=st.sampled_from((True, True, True, False)),
                ended=st.sampled_from((None, None, NOW, NOW + timedelta(seconds=1))),
            ),
            max_size=6,
        )
    )
    # An approval that turned out to be of oneself has ended.
    votes = [
        replace(
            vote, id=next(ids), ended=NOW if who(persons, vote.member) == who(persons, vote.approver) else vote.ended
        )
        for vote in votes
    ]
    return World(
        now=NOW,
        zone=draw(st.sampled_from(ZONES)),
        votes=votes,
        persons=persons,
        meetings=meetings,
        deeds=deeds,
        judgements=judgements,
        held=[replace(award, id=next(ids)) for award in held],
        periods=periods,
        organizations=draw(st.dictionaries(members, st.sampled_from(ORGANIZATIONS))),
        enrolled=draw(st.dictionaries(members, moments, max_size=2)),
    )


def write(session: OrmSession, world: World, definition: dict[str, Any]) -> tuple[Network, AchievementVersion]:
    """Write a world and an achievement with the definition as rows.

    Return the network and the version of the achievement.
    """
    network = Network(
        slug="circle",
        kind="informal",
        name="Circle",
        url="https://circle.example",
        time_zone=world.zone,
        created_at=NOW,
    )
    session.add(network)
    session.flush()
    session.add_all(Person(id=person, created_at=NOW) for person in PERSONS)
    session.flush()
    session.add_all(
        Member(
            id=member,
            network_id=network.id,
            ref=f"m{member.int}",
            person_id=person,
            organization=world.organizations.get(member),
            enrolled_at=NOW,
        )
        for member, person in world.persons.items()
    )
    session.flush()
    session.add_all(
        Role(
            member_id=period.member,
            role=period.role,
            from_at=period.begins,
            until_at=period.ends,
            from_date=world.day(period.begins),
            until_date=world.day(period.ends) if period.ends is not None else None,
        )
        for period in world.periods
    )
    refs = ("tested", *OTHERS)
    achievements = {ref: Achievement(network_id=network.id, ref=ref, created_at=NOW) for ref in refs}
    session.add_all(achievements.values())
    session.flush()
    versions = {
        (ref, number): AchievementVersion(
            achievement_id=achievements[ref].id,
            version=number,
            name=ref,
            award="automatic",
            definition={"criteria": {"narrative": "As the rule says.", "rule": definition}},
            published_at=NOW,
        )
        for ref in refs
        for number in (1, 2)
    }
    session.add_all(versions.values())
    status_list = StatusList(network_id=network.id, purpose="revocation", length=1000)
    session.add(status_list)
    session.flush()
    tested = versions["tested", 1]
    add(
        session,
        Enrolment,
        [
            {
                "member_id": member,
                "achievement_id": tested.achievement_id,
                "achievement_version_id": tested.id,
                "at": at,
            }
            for member, at in world.enrolled.items()
        ],
    )
    for place, award in enumerate(world.held):
        version = versions[award.achievement, award.version]
        common = {"network_id": network.id, "achievement_id": version.achievement_id}
        session.add(
            Award(
                **common,
                id=award.id,
                member_id=award.member,
                achievement_version_id=version.id,
                basis="rule",
                state=award.state,
                awarded_at=award.at,
                decided_at=award.at,
            )
        )
        session.flush()
        session.add(
            Credential(
                network_id=network.id,
                award_id=award.id,
                status_list_id=status_list.id,
                status_index=place,
                issued_at=award.at,
                valid_from=award.at,
                valid_until=award.valid_until,
                signed="{}",
                jwt="",
                sha256="",
            )
        )
    session.flush()
    write_votes(session, network, tested, world)
    write_evidence(session, network, world)
    return network, tested


def write_votes(session: OrmSession, network: Network, tested: AchievementVersion, world: World) -> None:
    """Write the votes on awards, each in a review of its own."""
    for vote in world.votes:
        common = {
            "network_id": network.id,
            "member_id": vote.member,
            "achievement_id": tested.achievement_id,
            "achievement_version_id": tested.id,
        }
        session.add(Review(**common, id=vote.id, kind="approval", cause="asked", state="withdrawn", opened_at=vote.at))
        session.flush()
        session.add(
            Approval(
                **common,
                review_id=vote.id,
                approver_id=vote.approver,
                role=vote.role,
                outcome="approved" if vote.approved else "declined",
                at=vote.at,
                ended_at=vote.ended,
                recipient_who=world.person(vote.member),
                approver_who=world.person(vote.approver),
            )
        )
    session.flush()


def write_evidence(session: OrmSession, network: Network, world: World) -> None:
    """Write the sessions and evidence of a world as derived rows with their records."""
    common = {"network_id": network.id}
    add(
        session,
        MeetingRow,
        [
            common
            | {
                "id": each.id,
                "ref": each.ref,
                "series": each.series,
                "starts_at": each.starts_at,
                "confidential": False,
            }
            for each in world.meetings
        ],
    )
    known = dict(session.execute(select(Objective.ref, Objective.id).where(Objective.network_id == network.id)).all())
    fresh = sorted({code for each in world.meetings for code in each.objectives} - known.keys())
    known |= {code: new_id() for code in fresh}
    add(
        session,
        Objective,
        [common | {"id": known[code], "ref": code, "version": 1, "created_at": network.created_at} for code in fresh],
    )
    named = [
        {"session_id": each.id, "objective_id": known[code]} for each in world.meetings for code in each.objectives
    ]
    add(session, SessionObjective, named)
    position = session.scalar(select(func.max(Record.position)).where(Record.network_id == network.id)) or 0
    entries = [(deed.id, deed.at, deed.tier) for deed in world.deeds]
    entries += [(given.id, given.at, given.tier) for given in world.judgements]
    add(
        session,
        Record,
        [
            common
            | {
                "id": key,
                "position": position + nth,
                "kind": "contribution",
                "received_at": at,
                "body_digest": "",
                "tier": tier,
                "status": "accepted",
            }
            for nth, (key, at, tier) in enumerate(entries, start=1)
        ],
    )

    def dated(at: datetime) -> dict[str, Any]:
        day = at.astimezone(ZoneInfo(world.zone)).date()
        year, week, _ = day.isocalendar()
        return common | {"occurred_at": at, "local_date": day, "local_week": f"{year}-W{week:02}"}

    add(
        session,
        Contribution,
        [
            dated(each.at)
            | {
                "record_id": each.id,
                "member_id": each.member,
                "type": each.type,
                "minutes": each.minutes,
                "session_id": each.meeting.id if each.meeting else None,
                "peer_id": each.peer,
                "resource": each.resource,
                "tier": each.tier,
            }
            for each in world.deeds
        ],
    )
    add(session, ContributionTag, [{"record_id": each.id, "tag": tag} for each in world.deeds for tag in each.tags])
    add(
        session,
        Evaluation,
        [
            dated(each.at)
            | {
                "record_id": each.id,
                "kind": each.kind,
                "about_kind": "member" if each.about in MEMBERS else "contribution",
                "about_id": each.about,
                "member_id": each.member,
                "evaluator_id": each.judge,
                "instrument": each.instrument,
                "part": each.part,
                "occasion": each.occasion,
                "form": each.form,
                "scaled": each.scaled if each.kind in ("score", "survey") else None,
                "tier": each.tier,
            }
            for each in world.judgements
        ],
    )
    add(
        session,
        Rating,
        [
            {"record_id": each.id, "criterion": name, "level": level}
            for each in world.judgements
            if each.kind == "rubric"
            for name, level in each.ratings
        ],
    )
    write_uses(session, network, [each.id for each in world.judgements if each.kind == "rubric" and each.posted])


def write_uses(session: OrmSession, network: Network, record_ids: list[UUID]) -> None:
    """Write that evaluations were held against a rubric that was posted."""
    if not record_ids:
        return
    version = session.scalar(select(RubricVersion).join(Rubric).where(Rubric.network_id == network.id))
    if version is None:
        rubric = Rubric(network_id=network.id, ref="posted", version=1, created_at=NOW)
        session.add(rubric)
        session.flush()
        said: dict[str, Any] = {"name": "Posted", "content": {}, "criteria": [], "lowest": 0, "highest": 4}
        version = RubricVersion(rubric_id=rubric.id, version=1, changed_at=NOW, **said)
        session.add(version)
        session.flush()
    add(session, RubricUse, [{"record_id": each, "rubric_version_id": version.id} for each in record_ids])


def add(session: OrmSession, row: type[Row], values: list[dict[str, Any]]) -> None:
    """Insert rows, if there are any."""
    if values:
        session.execute(insert(row), values)
