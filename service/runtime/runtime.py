"""One running service: settings, database, keys, fetcher, contexts and clock."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Self, cast

from credentials import PACKAGED, Contexts
from service.runtime.clock import HeldClock
from service.runtime.contexts import load_contexts
from service.runtime.custody import Custody
from service.runtime.fetching import Fetcher
from service.runtime.settings import Settings
from service.runtime.settings import load as load_settings

if TYPE_CHECKING:
    from sqlalchemy.orm import Session as OrmSession

    from service.storage.database import Database

NOBODYS_URL = "https://laurel.invalid"
"""An address that nobody can have (RFC 2606, section 2)."""


class _NoRows:
    """The database of a stranger, who reads and writes no row."""

    def dispose(self) -> None:
        """Close nothing."""


@dataclass(frozen=True)
class Runtime:
    """One running service: built once (`start`), passed down, never imported as a global."""

    settings: Settings
    database: "Database"
    custody: Custody
    fetcher: Fetcher
    contexts: Contexts = PACKAGED
    now: Callable[[], datetime] = field(default_factory=HeldClock)

    @property
    def has_rows(self) -> bool:
        """Whether there are rows to ask; a stranger has none."""
        return self.settings.base_url != NOBODYS_URL

    @cached_property
    def inline_contexts(self) -> Contexts:
        """The same contexts, for documents that may bring context objects of their own."""
        return self.contexts.with_inline()

    @classmethod
    def start(cls, settings: Settings, now: Callable[[], datetime] | None = None) -> Self:
        """Return the runtime for `settings`; open the database, but read no key.

        Args:
            now: gives the time, in place of a `HeldClock`.
        Raises:
            SettingsError: the operator's contexts cannot be used.
        """
        from service.storage.database import Database

        return cls._with(settings, Database(settings.database_url), now)

    @classmethod
    def _with(cls, settings: Settings, database: "Database", now: Callable[[], datetime] | None) -> Self:
        return cls(
            settings,
            database,
            Custody(settings),
            Fetcher(allow_localhost=settings.local),
            load_contexts(settings.contexts_folder),
            now or HeldClock(),
        )

    def hold_time(self, session: "OrmSession") -> None:
        """Give no time from now on that is earlier than the latest one that this installation has seen."""
        from service.storage import latest_time

        if isinstance(self.now, HeldClock):
            self.now.hold(latest_time.known(session))

    @classmethod
    def stranger(cls, now: Callable[[], datetime] | None = None) -> Self:
        """Return a runtime that checks badges from outside: without rows, keys and address, and it writes nothing.

        Only the settings of what is known here count: contexts and trust lists, and whether this is a development
        machine, which may call itself.

        Raises:
            SettingsError: as `start`, or a setting has a wrong value.
        """
        nothing = {"database_url": "sqlite:///:memory:", "keys_passphrase": "none is read", "vc_api": "off"}
        allow_localhost = load_settings(**nothing).local
        runtime = cls._with(load_settings(**nothing | {"base_url": NOBODYS_URL}), cast("Database", _NoRows()), now)
        return replace(runtime, fetcher=Fetcher(allow_localhost=allow_localhost))
