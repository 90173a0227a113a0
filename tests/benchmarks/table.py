"""The table of figures that `make bench` writes to `var/bench.json`: a row for each thing measured, beside its peer.

Peers take their turns in the same run. A figure is a median, in milliseconds or in things a second; a ratio above 1 means
that this project is ahead, and `target` is the ratio that it aims at. Only ratios say anything on another machine.
"""

import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

FILE = Path(__file__).parents[2] / "var" / "bench.json"
Timed = Callable[[], float]
"""A piece of work, done so many times, that returns how many milliseconds it takes."""


@dataclass(frozen=True)
class Row:
    """One row: ours and the peer's figure, in milliseconds (`ours_ms`) or a second (`ours_per_second`).

    `bare` is how many bare Ed25519 signatures or checks take as long as ours, and `memory_mb` the most memory that the
    process had by then, as the operating system counts it; their targets are the most that they may be. Without a peer
    `target` is a number a second.
    """

    name: str
    peer: str | None
    target: float | None
    ours_ms: float | None = None
    peer_ms: float | None = None
    ours_per_second: float | None = None
    peer_per_second: float | None = None
    bare: float | None = None
    bare_target: float | None = None
    memory_mb: float | None = None
    memory_target: float | None = None

    @property
    def ratio(self) -> float | None:
        """How many times faster ours is; None without a peer."""
        if self.ours_ms and self.peer_ms:
            return self.peer_ms / self.ours_ms
        if self.ours_per_second and self.peer_per_second:
            return self.ours_per_second / self.peer_per_second
        return None

    def to_json(self) -> dict[str, object]:
        """Return the row as it is written: figures with four digits, without what is not there."""
        told = asdict(self) | {"ratio": self.ratio}
        return {
            name: float(f"{value:.4g}") if isinstance(value, float) else value
            for name, value in told.items()
            if value is not None or name in {"peer", "target", "ratio"}
        }

    def __str__(self) -> str:
        """Return the row as a line."""
        unit, ours, theirs = (
            ("ms", self.ours_ms, self.peer_ms)
            if self.ours_ms is not None
            else ("a second", self.ours_per_second, self.peer_per_second)
        )
        line = f"{self.name:<34}{ours or 0:>10.4g} {unit}"
        if theirs is not None:
            line += f", {self.peer} {theirs:.4g}: ratio {self.ratio:.3g}"
        if self.target is not None:
            line += f" (target {self.target:.3g})"
        if self.bare is not None:
            line += f"; {self.bare:.1f} bare (at most {self.bare_target:g})"
        if self.memory_mb is not None:
            line += f"; {self.memory_mb:.0f} MB (at most {self.memory_target:g})"
        return line


def here(work: Callable[[], object], turns: int = 10) -> Timed:
    """Return a piece of work of this process, with its time."""

    def timed() -> float:
        start = time.perf_counter()
        for _ in range(turns):
            work()
        return (time.perf_counter() - start) * 1000 / turns

    return timed


def medians(*works: Timed, rounds: int = 40, warm_up: int = 5) -> list[float]:
    """Return the median time of each piece of work; they take turns.

    Args:
        warm_up: the first rounds, which are not counted: they load contexts and let compilers work.
    """
    times: list[list[float]] = [[] for _ in works]
    for round_ in range(rounds + warm_up):
        for place, work in enumerate(works):
            took = work()
            if round_ >= warm_up:
                times[place].append(took)
    return [statistics.median(each) for each in times]


def show(rows: Sequence[Row]) -> None:
    """Print rows, and add them to the file that `LAUREL_BENCH` names, for the process that gathers them."""
    for row in rows:
        sys.stdout.write(f"{row}\n")
    sys.stdout.flush()
    if gathered := os.environ.get("LAUREL_BENCH"):
        with Path(gathered).open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(row.to_json()) + "\n" for row in rows)


def machine() -> dict[str, object]:
    """Return what the figures were measured on; a bare Ed25519 check says how fast it is."""
    key = Ed25519PrivateKey.generate()
    signature, public = key.sign(b"m" * 64), key.public_key()
    [check] = medians(here(lambda: public.verify(signature, b"m" * 64), 50))
    return {
        "processors": os.cpu_count(),
        "python": platform.python_version(),
        "system": platform.platform(terse=True),
        "ed25519_check_ms": float(f"{check:.3g}"),
        "load_before": round(os.getloadavg()[0], 2),
    }


def write(rows: Sequence[dict[str, object]], measured_on: dict[str, object]) -> None:
    """Write the table."""
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(json.dumps({"machine": measured_on, "rows": rows}, indent=2) + "\n", encoding="utf-8")
