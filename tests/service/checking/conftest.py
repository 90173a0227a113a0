"""A service that has no row, for checks of what documents say."""

from pathlib import Path

import pytest

from service.runtime.runtime import Runtime
from tests.worlds import stored_badges


@pytest.fixture
def without_rows(tmp_path: Path) -> Runtime:
    """A service that fails where it is asked for a row."""
    return stored_badges.without_rows(tmp_path)
