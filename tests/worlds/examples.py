"""Practice networks, loaded as `laurel example load` does, with their badges and what a stranger asks for."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select

from credentials import Fetched, Report, verify
from service.checking import verification
from service.cli.loading import loading, shelf
from service.cli.loading.loading import Loaded
from service.cli.loading.shelf import Example
from service.runtime.runtime import Runtime
from service.tables import Achievement, Award, Credential, Network, Row
from tests.worlds import databases
from tests.worlds.runtimes import Clock, settings_in, start

NOW = datetime(2027, 3, 3, 12, tzinfo=UTC)
POSTED = ("casel-stack", "faculty-collaborative", "writing-group")
"""The examples whose evidence is in files of ours."""
FILES = {
    "training_events.csv": "slug,start,country,attendance,tags,count_badged\n"
    "2012-08-26-ttt-online,2012-08-26,W3,21,5,17\n2013-01-06-ttt-online,2013-01-06,W3,12,5,5\n",
    "badged_instructors.csv": "person,country,first_badge_date\n481,US,2014-05-04\n7202,GB,2017-12-08\n7511,US,2013-07-20\n",
    "training_survey_2018.csv": "Date,UniqueID,Worth\n9/8/18 15:29,2joche,Agree\n9/8/18 3:42,1joang,Agree\n",
}
"""Files as The Carpentries publish them, short, with numbers that stand for nobody."""


@dataclass
class Stage:
    """A service with an example in it."""

    runtime: Runtime
    example: Example
    loaded: Loaded
    told: list[str] = field(default_factory=list)

    def badges(self) -> dict[str, str]:
        """Return one badge of each achievement, as signed JSON."""
        with self.runtime.database.read() as session:
            query = (
                select(Achievement.ref, Credential.signed)
                .join(Award, Award.id == Credential.award_id)
                .join(Achievement, Achievement.id == Award.achievement_id)
                .join(Network, Network.id == Credential.network_id)
                .where(Network.slug == self.loaded.slug)
                .order_by(Credential.issued_at, Credential.id)
            )
            return dict(session.execute(query).all())

    def checked(self, text: str) -> tuple[Report, dict[str, Any]]:
        """Verify a badge with the library alone; return the report, and the JSON at each address that it asked for."""
        asked: dict[str, Any] = {}

        def load(url: str) -> Fetched:
            found = verification.load(self.runtime, url)
            asked[url] = json.loads(found.body) if found.body.startswith(b"{") else found.body.decode()
            return found

        return verify(text, now=self.runtime.now(), load=load), asked

    def rows(self) -> dict[str, set[str]]:
        """Return all rows of the database as texts, by table."""
        return rows_of(self.runtime)


def rows_of(runtime: Runtime) -> dict[str, set[str]]:
    """Return all rows of a database as texts, by table; tables without rows are left out."""
    with runtime.database.read() as session:
        found = {
            table.name: {repr(tuple(row)) for row in session.execute(select(table))}
            for table in Row.metadata.sorted_tables
        }
    return {name: rows for name, rows in found.items() if rows}


def given(folder: Path) -> Path:
    """Write public files into a folder, and return it."""
    folder.mkdir(exist_ok=True)
    for name, text in FILES.items():
        (folder / name).write_text(text)
    return folder


def load(runtime: Runtime, name: str, folder: Path | None = None, slug: str | None = None) -> Stage:
    """Load an example."""
    told: list[str] = []
    example = shelf.named(name, folder)
    return Stage(runtime, example, loading.load(runtime, example, slug, say=told.append), told)


@contextmanager
def staged(name: str, folder: Path, now: datetime = NOW) -> Iterator[Stage]:
    """Yield an example in a service of its own, on SQLite."""
    databases.migrated_sqlite(folder / "laurel.db")
    with start(settings_in(folder), Clock(now)) as runtime:
        yield load(runtime, name, given(folder / "given"))
