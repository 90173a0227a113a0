"""What holds for every test: which run, in what order; no skip in CI, no setting from outside, no deadline; shared data."""

import gc
import os
import resource
import time
from collections import defaultdict
from collections.abc import Generator
from pathlib import Path
from typing import TypeVar

import hypothesis
import pytest

ROOT = Path(__file__).parent.parent
ReportT = TypeVar("ReportT", pytest.TestReport, pytest.CollectReport)
IN_CI = os.environ.get("CI") == "true"
SLOW = Path(__file__).parent / "slow.txt"
ATTACKS = Path(__file__).parent / "attacks"
SLOW_SECONDS = 0.04
_BEGAN = pytest.StashKey[float]()

# Time is left to the benchmarks; in CI the same examples are drawn each time.
hypothesis.settings.register_profile("laurel", deadline=None, derandomize=IN_CI, print_blob=True)
hypothesis.settings.load_profile("laurel")

for name in [name for name in os.environ if name.startswith("LAUREL_")]:
    del os.environ[name]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--databases",
        choices=["all", "chosen", "sqlite"],
        default="all",
        help="all: every test of rows on SQLite and PostgreSQL; chosen: but those of `any_database` only on SQLite",
    )
    parser.addoption("--soak", type=float, metavar="SECONDS", help="also attack a service for so long (tests/attacks)")
    parser.addoption("--record-slow", action="store_true", help="write anew which tests are slow (tests/slow.txt)")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("record_slow"):
        config.pluginmanager.register(_Recording())


class _Recording:
    """Notes what the slowest case of each test takes of CPU, its child processes too, and writes down those that are slow.

    Workers measure, and their reports carry it to the process that writes.
    """

    def __init__(self) -> None:
        self._seconds: dict[str, float] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        item.stash[_BEGAN] = _cpu_seconds()
        return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        report.user_properties.append((_function(item), _cpu_seconds() - item.stash[_BEGAN]))
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "teardown" and "[postgresql" not in report.nodeid:
            name, taken = report.user_properties[-1]
            self._seconds[name] = max(float(str(taken)), self._seconds.get(name, 0))

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if not hasattr(session.config, "workerinput"):
            slow = {name: f"{taken:.2f}" for name, taken in self._seconds.items() if taken >= SLOW_SECONDS}
            lines = sorted(slow.items(), key=lambda each: (-float(each[1]), each[0]))
            SLOW.write_text("".join(f"{taken} {name}\n" for name, taken in lines))


def _cpu_seconds() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def _function(item: pytest.Item) -> str:
    return str(getattr(item, "originalname", item.name))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what is slow, leave out databases that were not asked for, and begin with the files of the slowest tests.

    These do not come last then, when the other workers have nothing left to do. A file stays together, for what its tests
    share.
    """
    taken = {name: float(seconds) for seconds, name in map(str.split, SLOW.read_text().splitlines())}
    for item in items:
        if _function(item) in taken:
            item.add_marker("slow")
    databases = config.getoption("databases")
    left_out = [item for item in items if _on_postgresql(item) and not _asks_postgresql(item, databases)]
    if config.getoption("soak") is None:
        left_out += [item for item in items if ATTACKS in item.path.parents]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
    kept, slowest = set(items) - set(left_out), defaultdict[Path, float](float)
    for item in kept:
        slowest[item.path] = max(slowest[item.path], taken.get(_function(item), 0))
    items[:] = sorted((item for item in items if item in kept), key=lambda item: -slowest[item.path])


def pytest_collection_finish() -> None:
    """Leave what was loaded until now out of garbage collection: to look through it takes half a second each time."""
    gc.collect()
    gc.freeze()


def _on_postgresql(item: pytest.Item) -> bool:
    case = getattr(item, "callspec", None)
    return case is not None and case.params.get("database_url") == "postgresql"


def _asks_postgresql(item: pytest.Item, databases: str) -> bool:
    suffices = item.get_closest_marker("any_database")
    assert suffices is None or suffices.args[0], "expected a reason why one database suffices"
    return databases == "all" or (databases == "chosen" and suffices is None)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    return _unskipped((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    return _unskipped((yield))


def _unskipped(report: ReportT) -> ReportT:
    """Make a skip a failure in CI: what a newcomer's machine may lack, CI must have."""
    if IN_CI and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.longrepr = f"CI skips nothing, and this was skipped: {reason}"
    return report


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of published schemas and real data that lies beside a clone in CI."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the shared data is not beside this clone (../shared/data)")
    return folder
