"""Benchmarks of time and memory, run by `make bench`; they assert nothing.

Peers run side by side on the same badge, taking turns. Quote the medians and their ratio.
"""

import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from credentials import Fetched, verify
from service.awards import settling
from service.intake import importing
from service.intake.import_reports import ImportResult
from service.intake.mapping_files import read_mapping
from service.networks.networks import NetworkIn, create_network
from service.runtime.runtime import Runtime
from service.runtime.settings import load
from service.storage import migrations
from tests.benchmarks import pages, rules, signatures, walks
from tests.interop.issuing import Issuer
from tests.interop.verifying import openbadgeslib

ROUNDS = 60
SHARED = Path(__file__).parents[3] / "shared" / "data" / "carpentries"
MAPPINGS = Path(importing.__file__).parent / "examples" / "carpentries"
LINES = 5_000


def say(what: str, value: str) -> None:
    sys.stdout.write(f"{what:<68}{value:>20}\n")
    sys.stdout.flush()


def milliseconds(*works: Callable[[], object]) -> list[float]:
    """Return the median time of each piece of work; they take turns."""
    times: list[list[float]] = [[] for _ in works]
    for round_ in range(ROUNDS + 5):
        for place, work in enumerate(works):
            start = time.perf_counter()
            work()
            if round_ >= 5:  # the first rounds load contexts
                times[place].append((time.perf_counter() - start) * 1000)
    return [statistics.median(each) for each in times]


def library() -> None:
    issuer = Issuer()
    badge = issuer.badge()
    signed = issuer.sign(badge)
    text = json.dumps(signed)
    documents = {url: json.dumps(document).encode() for url, document in issuer.documents.items()}

    def ours() -> object:
        return verify(text, now=issuer.now, load=lambda url: Fetched(documents[url], "application/json"))

    recipient: str = badge["credentialSubject"]["id"]
    [signing, jwt] = milliseconds(lambda: issuer.sign(badge), lambda: issuer.sign_jwt(badge))
    say("sign a badge, eddsa-rdfc-2022", f"{signing:.2f} ms")
    say("sign a badge, VC-JWT with ES256", f"{jwt:.2f} ms")
    mine, theirs = milliseconds(ours, lambda: openbadgeslib(issuer.documents, signed, recipient))
    say("verify a badge with its status list: Laurel", f"{mine:.2f} ms")
    say("verify the same badge: openbadgeslib", f"{theirs:.2f} ms")
    say("ratio, openbadgeslib to Laurel", f"{theirs / mine:.2f}")


def _imported(runtime: Runtime, file: Path, mapping: Path) -> ImportResult:
    plan = read_mapping(mapping)
    return importing.run(runtime, "bench", importing.open_table(file, plan), plan)


def service(folder: Path) -> None:
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


def main() -> None:
    if sys.argv[1:] == ["service"]:  # in a process of its own, so that the memory is its own
        with tempfile.TemporaryDirectory() as folder:
            service(Path(folder))
        return
    if sys.argv[1:2] == ["rules"]:
        rules.run(*map(int, sys.argv[2:]))
        return
    if sys.argv[1:] == ["pages"]:
        pages.run()
        return
    if sys.argv[1:] == ["signatures"]:
        signatures.run()
        return
    if sys.argv[1:2] == ["walks"]:
        walks.run(each=sys.argv[2:] == ["all"])
        return
    library()
    for part in ("signatures", "service", "pages", "rules", "walks"):
        subprocess.run([sys.executable, "-m", "tests.benchmarks", part], check=True)


if __name__ == "__main__":
    main()
