"""What holds for every test: no skip in CI, no setting from outside, no deadline, the shared data."""

import os
from collections.abc import Generator
from pathlib import Path
from typing import TypeVar

import hypothesis
import pytest

ROOT = Path(__file__).parent.parent
ReportT = TypeVar("ReportT", pytest.TestReport, pytest.CollectReport)
IN_CI = os.environ.get("CI") == "true"

# Time is left to the benchmarks; in CI the same examples are drawn each time.
hypothesis.settings.register_profile("laurel", deadline=None, derandomize=IN_CI, print_blob=True)
hypothesis.settings.load_profile("laurel")

for name in [name for name in os.environ if name.startswith("LAUREL_")]:
    del os.environ[name]


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
