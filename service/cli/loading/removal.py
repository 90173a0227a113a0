"""Remove a network that is an example: its rows, its files and its keys.

Its addresses answer 404 from then on, its badges and status lists too: nothing remembers that they were there. That is
right for badges that say TEST, and for no others. Somebody who has a copy of one finds that its issuer is unknown.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from service.cli.loading import marks
from service.cli.loading.marks import Mark
from service.errors import ConflictError
from service.runtime.runtime import Runtime
from service.storage import removing
from service.tables import Key, Network


@dataclass(frozen=True)
class Removed:
    """What went: how many rows, by table, and how many private keys."""

    slug: str
    rows: Mapping[str, int]
    keys: int


def remove(runtime: Runtime, example: str | None, slug: str | None) -> Removed:
    """Remove an example whole, or go on where that was interrupted.

    1. All rows go in one transaction, with the files, which are rows. The mark then says which private keys are left.
    2. The private keys are deleted: not before, or a transaction that fails would leave a network without keys.
    3. The mark goes.

    Raises:
        NotFoundError, ConflictError: as `marks.chosen`.
        ConflictError: it is not a practice network any more (code "example-not-sandbox"), or somebody wrote in it
            meanwhile ("example-busy"); nothing has changed.
        CustodyError: a private key cannot be deleted; the same command goes on there.
    """
    try:
        mark, rows = _remove_rows(runtime, example, slug)
    except IntegrityError as error:
        message = "Something was written in the network meanwhile; nothing has changed. Run the command again."
        raise ConflictError("example-busy", message) from error
    for uri in mark.keys:  # (2)
        runtime.custody.forget(uri)
    with runtime.database.write() as session:  # (3)
        marks.forget(session, mark)
    runtime.database.overwrite_log()
    return Removed(mark.slug, rows, len(mark.keys))


def _remove_rows(runtime: Runtime, example: str | None, slug: str | None) -> tuple[Mark, Mapping[str, int]]:
    """Remove the rows of an example (1); return its mark as it is now, and how many rows went."""
    with runtime.database.write() as session:
        mark = marks.chosen(session, example, slug)
        network = session.get(Network, UUID(mark.network_id))
        if network is None:
            return mark, {}
        if not network.sandbox:
            message = f"Expected a practice network, whose badges say TEST; those of {mark.slug} do not."
            raise ConflictError("example-not-sandbox", message)
        keys = session.scalars(select(Key.custody_uri).where(Key.network_id == network.id)).all()
        rows = removing.remove(session, network.id)
        mark = replace(mark, state="removing", keys=list(keys))
        marks.write(session, mark)
        return mark, rows
