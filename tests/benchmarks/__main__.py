"""Benchmarks of time and memory, run by `make bench`; they assert nothing.

The rows with targets are also written to `var/bench.json` (`table`). Peers run side by side, taking turns. Quote the
medians and their ratio.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from service.awards import settling
from service.intake import importing
from service.intake.import_reports import ImportResult
from service.intake.mapping_files import read_mapping
from service.networks.networks import NetworkIn, create_network
from service.runtime.runtime import Runtime
from service.runtime.settings import load
from service.storage import migrations
from tests.benchmarks import answers, bulk, pages, rules, signatures, table, walks

SHARED = Path(__file__).parents[3] / "shared" / "data" / "carpentries"
MAPPINGS = Path(importing.__file__).parent / "examples" / "carpentries"
LINES = 5_000


def say(what: str, value: str) -> None:
    sys.stdout.write(f"{what:<68}{value:>20}\n")
    sys.stdout.flush()


def _imported(runtime: Runtime, file: Path, mapping: Path) -> ImportResult:
    plan = read_mapping(mapping)
    return importing.run(runtime, "bench", importing.open_table(file, plan), plan)


def service() -> None:
    with tempfile.TemporaryDirectory() as folder:
        _service(Path(folder))


def _service(folder: Path) -> None:
    runtime = Runtime.start(
        load(
            _env_file=None,
            database_url=f"sqlite:///{folder}/laurel.db",
            keys_folder=folder / "keys",
            data_folder=folder,
        )
    )
    migrations.upgrade(runtime.database)
    with runtime.database.write() as session:
        body = NetworkIn(slug="bench", name="Bench", kind="informal", url="https://bench.example", time_zone="UTC")
        network_id = create_network(session, runtime, body, runtime.now()).id
    members = folder / "members.csv"
    members.write_text("ref\n" + "".join(f"m{n}\n" for n in range(100)))
    (folder / "members.toml").write_text('source = "b"\n[[records]]\nkind = "member"\nref = "{ref}"\n')
    _imported(runtime, members, folder / "members.toml")
    rows = folder / "rows.csv"
    rows.write_text("n,m\n" + "".join(f"{n},m{n % 100}\n" for n in range(LINES)))
    (folder / "rows.toml").write_text(
        'source = "b"\n[[records]]\nkind = "contribution"\nid = "{n}"\nmember = "{m}"\ntype = "attended"\n'
        'occurred_at = "2026-01-01T10:00:00Z"\n'
    )
    start = time.perf_counter()
    _imported(runtime, rows, folder / "rows.toml")
    say(f"contributions taken in, {LINES:,} on SQLite", f"{LINES / (time.perf_counter() - start):,.0f} a second")
    if SHARED.is_dir():
        start = time.perf_counter()
        name = "badged_instructors"
        result = _imported(runtime, SHARED / f"{name}.csv", MAPPINGS / f"{name}.toml")
        say(
            "members, awards and signed credentials: 1,925 recorded instructors", f"{time.perf_counter() - start:.1f} s"
        )
        assert result.counts == {"accepted": 3850}, result.counts
    settling.settle_pending(runtime, network_id)
    say("peak memory of this process", f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")
    runtime.database.dispose()


PARTS: dict[str, Callable[[], None]] = {
    "signatures": signatures.run,
    "answers": answers.run,
    "bulk": bulk.run,
    "service": service,
    "pages": pages.run,
    "rules": lambda: rules.run(*map(int, sys.argv[2:])),
    "walks": lambda: walks.run(each=sys.argv[2:] == ["all"]),
}
"""What can be measured alone, each in a process of its own, so that the memory is its own."""


def main() -> None:
    if sys.argv[1:]:
        PARTS[sys.argv[1]]()
        return
    measured_on = table.machine()
    with tempfile.NamedTemporaryFile() as gathered:
        for part in PARTS:
            command = [sys.executable, "-m", "tests.benchmarks", part]
            subprocess.run(command, check=True, env=os.environ | {"LAUREL_BENCH": gathered.name})
        rows = [json.loads(line) for line in Path(gathered.name).read_text("utf-8").splitlines()]
    table.write(rows, measured_on)


if __name__ == "__main__":
    main()
