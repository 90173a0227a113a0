"""What a restore has lost is known by its time."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from service.errors import InvalidError
from service.runtime.runtime import Runtime
from service.storage import restores

pytestmark = pytest.mark.any_database("two comparisons of instants")

BACKUP, RESTORED = datetime(2026, 3, 1, 3, tzinfo=UTC), datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "lost"),
    [
        (BACKUP - timedelta(minutes=6), False),
        (BACKUP - timedelta(minutes=4), True),  # begun before the backup, committed after it
        (BACKUP + timedelta(hours=3), True),
        (RESTORED, True),
        (RESTORED + timedelta(seconds=1), False),
        (datetime.max.replace(tzinfo=UTC), False),
        (datetime.min.replace(tzinfo=timezone(timedelta(hours=14))), False),
    ],
)
def test_rows_are_lost_that_were_written_between_a_backup_and_its_restore(
    runtime: Runtime, at: datetime, *, lost: bool
) -> None:
    with runtime.database.write() as session:
        restores.note(session, BACKUP, RESTORED)
    with runtime.database.read() as session:
        assert restores.may_have_lost(session, at) is lost


def test_without_a_restore_nothing_is_lost(runtime: Runtime) -> None:
    with runtime.database.read() as session:
        assert not restores.may_have_lost(session, RESTORED)


def test_a_backup_that_is_younger_than_its_restore_is_refused(runtime: Runtime) -> None:
    with runtime.database.write() as session, pytest.raises(InvalidError) as refused:
        restores.note(session, RESTORED, BACKUP)
    assert refused.value.code == "restore-before-backup"
