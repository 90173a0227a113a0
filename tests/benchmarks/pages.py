"""Benchmark of the pages of a badge: time to the first byte, and bytes.

`make bench ARGS=pages`. It measures over a socket to a real server in a process of its own on loopback, with one
visitor at a time, on both databases.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2

from service.access.callers import default_scopes
from tests.worlds import databases
from tests.worlds.processes import LAUREL, free_port, laurel_serve

ROUNDS = 200
LONG = 100
"""How many records the long badge rests on: the most that are cited one by one."""


def say(what: str, value: str) -> None:
    sys.stdout.write(f"{what:<68}{value:>20}\n")
    sys.stdout.flush()


def run() -> None:
    """Print the figures for SQLite and PostgreSQL."""
    with (
        tempfile.TemporaryDirectory(prefix="laurel-bench-") as folder,
        databases.postgresql_server("bench", Path(folder) / "lock") as server,
    ):
        postgresql = databases.migrated_postgresql(server)
        for name, url in (("SQLite", f"sqlite:///{folder}/laurel.db"), ("PostgreSQL", postgresql)):
            with _serving(Path(folder) / name, url) as client:
                _measure(name, client, *_badges(client))


def _measure(name: str, client: httpx2.Client, short: str, long: str) -> None:
    html = {"Accept": "text/html"}
    page = client.get(short, headers=html)
    assets = [part.split('"')[0] for part in page.text.split('href="/static/')[1:]]
    total = len(page.content) + sum(len(client.get(f"/static/{asset}").content) for asset in assets)
    say(f"{name}: badge page with its style, without the picture", f"{total / 1000:.1f} kB")
    for what, path, headers in (
        ("badge page, 2 records cited", short, html),
        (f"badge page, {LONG} records cited", long, html),
        ("badge page, unchanged (304)", short, html | {"If-None-Match": page.headers["ETag"]}),
        ("check by link (GET /verify?link=)", f"/verify?link={short}", html),
        ("JSON of the badge", f"{short}.json", {}),
    ):
        times = []
        for _ in range(ROUNDS if "verify" not in path else 50):  # within fair use
            start = time.perf_counter()
            with client.stream("GET", path, headers=headers) as answer:
                next(answer.iter_raw(), b"")
                times.append((time.perf_counter() - start) * 1000)
                assert answer.status_code in {200, 304}, answer.status_code
        tenth = statistics.quantiles(times, n=20)[-1]
        say(f"{name}: first byte of {what}, median and 95 %", f"{statistics.median(times):.1f}, {tenth:.1f} ms")


def _badges(client: httpx2.Client) -> tuple[str, str]:
    """Make two badges, one on two records and one on many; return their addresses."""
    net = "/v1/networks/bench"
    body = {"slug": "bench", "name": "Bench", "kind": "informal", "url": "https://bench.example", "time_zone": "UTC"}
    client.post("/v1/networks", json=body).raise_for_status()
    token = client.post(f"{net}/tokens", json={"name": "b", "scopes": default_scopes(bound=False)}).json()["token"]
    sent: dict[str, Any] = {"headers": {"Authorization": f"Bearer {token}"}}
    client.put(f"{net}/members/m1", json={"email": "m1@bench.example"}, **sent).raise_for_status()
    for ref, count in (("short", 2), ("long", LONG)):
        rule = {
            "rule": "count",
            "where": {"types": ["shared"], "tags_any": [ref]},
            "distinct": "resource",
            "gte": count,
        }
        body = {"ref": ref, "name": ref.capitalize(), "description": "For figures.", "achievement_type": "Badge"}
        more = {"criteria": {"narrative": "Share.", "rule": rule}, "award": "automatic", "publish": True}
        client.post(f"{net}/achievements", json=body | more, **sent).raise_for_status()
        for n in range(count):
            shared = {"ref": f"{ref}-{n}", "member": "m1", "type": "shared", "resource": f"r-{n}", "tags": [ref]}
            shared["occurred_at"] = f"2026-0{1 + n // 25}-{1 + n % 25:02}T10:00:00Z"
            client.post(f"{net}/contributions", json=shared, **sent).raise_for_status()
    items = client.get(f"{net}/credentials", **sent).json()["items"]
    found = {item["achievement"]: str(item["url"]) for item in items}
    return found["short"], found["long"]


@contextmanager
def _serving(folder: Path, database_url: str) -> Iterator[httpx2.Client]:
    """Run `laurel serve` on a free port, and yield a client that may create networks."""
    folder.mkdir()
    port = free_port()
    url = f"http://localhost:{port}"
    environment = os.environ | {
        "LAUREL_DATABASE_URL": database_url,
        "LAUREL_BASE_URL": url,
        "LAUREL_KEYS_FOLDER": str(folder / "keys"),
        "LAUREL_DATA_FOLDER": str(folder),
    }
    asked = [LAUREL, "token", "create", "--admin"]
    made = subprocess.run(asked, env=environment, capture_output=True, text=True, check=True)
    with laurel_serve(port, environment, output=subprocess.DEVNULL):
        headers = {"Authorization": f"Bearer {made.stdout.strip()}"}
        with httpx2.Client(base_url=url, headers=headers, timeout=60) as client:
            yield client
