"""Build what tests start from once for each worker, and copy it for later tests.

A copy has rows, keys and files. Every test still has a database of its own, which nobody else changes.
"""

from collections.abc import Callable, Hashable
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import select

from service.runtime.runtime import Runtime
from service.tables import Network, Token
from tests.worlds import databases

Built = TypeVar("Built")


@dataclass(frozen=True)
class _Kept:
    rows: databases.Rows
    files: dict[tuple[str, Path], bytes]
    built: Any


_kept: dict[tuple[Hashable, ...], _Kept] = {}


def lay(runtime: Runtime, key: Hashable, build: Callable[[], Built]) -> Built:
    """Build something in the service, or lay a copy of an earlier build.

    Return what `build` returned the first time.

    Args:
        key: everything besides settings and time in which this build differs from others; also what was laid before,
            because a copy replaces that.
    """
    given = runtime.settings
    settled = given.model_dump_json(exclude={"database_url", "keys_folder", "data_folder"})
    known = (runtime.database.is_sqlite, settled, runtime.now(), key)
    folders = {"keys": given.keys_folder, "data": given.data_folder}
    if known not in _kept:
        built = build()
        assert runtime.now() == known[2], "expected a build that leaves the time as it is"
        files = {
            (name, path.relative_to(folder)): path.read_bytes()
            for name, folder in folders.items()
            for path in folder.rglob("*")
            if path.is_file()
        }
        _kept[known] = _Kept(databases.rows_of(runtime.database), files, deepcopy(built))
        return built
    kept = _kept[known]
    databases.lay_rows(runtime.database, kept.rows)
    for (name, inside), content in kept.files.items():
        path = folders[name] / inside
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    copied: Built = deepcopy(kept.built)
    return copied


def is_empty(runtime: Runtime) -> bool:
    """Return whether the service has no network and no token yet."""
    with runtime.database.read() as session:
        return session.scalar(select(Network.id).limit(1)) is None and session.scalar(select(Token.id).limit(1)) is None
