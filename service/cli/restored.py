"""`laurel restored`: say that the database is a backup that was put in place."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from service.cli.terminal import AsJson, answer, opened


def restored(
    backup_of: Annotated[str, typer.Option(help="When the backup was made, with its time zone: 2026-03-01T03:00:00Z.")],
    until: Annotated[
        str | None, typer.Option(help="When it was put in place, if that was not just now; also with its time zone.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Note that a backup was put in place of the database.

    What was signed between the two instants is not on record any more: a badge of that time is told as undecided, not as
    a forgery. Run it before the service starts again.
    """
    from service.storage import restores

    with opened() as runtime, runtime.database.write() as session:
        at = _instant("--until", until) if until is not None else runtime.now()
        row = restores.note(session, _instant("--backup-of", backup_of), at)
        value = {"backup_of": row.backup_at.astimezone(UTC), "until": row.restored_at.astimezone(UTC)}
        said = f"What was signed from {_shown(row.backup_at)} to {_shown(row.restored_at)} is told as undecided."
        answer(as_json, value, lambda: said)


def _instant(option: str, text: str) -> datetime:
    """Return the instant that a person typed."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise typer.BadParameter(
            f"{option}: expected a date and time with its zone (2026-03-01T03:00:00Z), got {text!r}"
        )
    return instant


def _shown(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
