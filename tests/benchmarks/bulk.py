"""Benchmark of bodies of many lines, on both databases: evidence under three live rules, and awards.

`make bench ARGS=bulk`. The figures are lines a second of processor time of this process, so that of one core; the server
of PostgreSQL works beside it. A line of awards has everything included: the decision, its receipt, the signed credential,
its place in a status list, event and mail.
"""

import json
import resource
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from fastapi.testclient import TestClient

from tests.benchmarks.table import Row, show
from tests.worlds import databases
from tests.worlds.awarding import SHARE_TWICE, Stage
from tests.worlds.runtimes import BASE_URL, Clock, app_of, settings_in, start

MEMBERS: Final = 1_000
LINES: Final = 10_000
AWARDS: Final = 2_000
TARGETS: Final = {"SQLite": 3_000, "PostgreSQL": 2_000}
ISSUED: Final = 400


def run() -> None:
    """Measure on SQLite and PostgreSQL, and print the figures."""
    with (
        tempfile.TemporaryDirectory(prefix="laurel-bench-") as name,
        databases.postgresql_server("bench", Path(name) / "lock") as server,
    ):
        databases.migrated_sqlite(Path(name) / "laurel.db")
        for kind, url in (
            ("SQLite", f"sqlite:///{name}/laurel.db"),
            ("PostgreSQL", databases.migrated_postgresql(server)),
        ):
            folder = Path(name) / kind
            folder.mkdir()
            show(list(_rows(kind, folder, url)))


def _rows(kind: str, folder: Path, url: str) -> Iterator[Row]:
    with start(settings_in(folder, database_url=url), Clock()) as runtime:
        stage = Stage.set_up(TestClient(app_of(runtime), base_url=BASE_URL), runtime, kind="informal")
        members = [{"ref": f"m{n}", "email": f"m{n}@river.example"} for n in range(MEMBERS)]
        _sent(stage, "members", members)
        for number in range(3):
            stage.achievement(f"sharer-{number}", rule=SHARE_TWICE | {"gte": 100 + number})
        lines = [
            {
                "ref": f"c{n}",
                "member": f"m{n % MEMBERS}",
                "type": "shared",
                "resource": f"r{n}",
                "occurred_at": f"2026-02-{1 + n % 28:02}T10:00:00Z",
            }
            for n in range(LINES)
        ]
        rate = LINES / _sent(stage, "contributions", lines)
        yield Row(f"bulk-intake, {kind}", None, TARGETS[kind], ours_per_second=rate)
        awards = [
            {
                "member": f"m{n % MEMBERS}",
                "achievement": f"sharer-{n // MEMBERS}",
                "basis": "recorded",
                "reason": "Measured.",
                "awarded_at": "2026-02-01T10:00:00Z",
            }
            for n in range(AWARDS)
        ]
        rate = AWARDS / _sent(stage, "awards", awards)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        yield Row(f"bulk-issue, {kind}", None, ISSUED, ours_per_second=rate, memory_mb=peak, memory_target=300)


def _sent(stage: Stage, kind: str, lines: Sequence[Mapping[str, Any]]) -> float:
    """Send a body of many lines, and return how many seconds of the processor it took."""
    body = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    headers = {"Authorization": f"Bearer {stage.token}", "Content-Type": "application/x-ndjson"}
    begin = time.process_time()
    answer = stage.client.post(f"/v1/networks/{stage.slug}/{kind}/bulk", content=body, headers=headers)
    took = time.process_time() - begin
    last = json.loads(answer.text.splitlines()[-1])
    assert (last["status"], last["counts"]) == ("complete", {"accepted": len(lines)}), last
    return took
