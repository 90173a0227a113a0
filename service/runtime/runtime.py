"""One running service: settings, database, keys, fetcher, contexts and clock."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Self

from credentials import PACKAGED, Contexts
from service.runtime.contexts import load_contexts
from service.runtime.custody import Custody
from service.runtime.fetching import Fetcher
from service.runtime.settings import Settings
from service.runtime.settings import load as load_settings
from service.storage.database import Database

NOBODYS_URL = "https://laurel.invalid"
"""An address that nobody can have (RFC 2606, section 2)."""


def utc_now() -> datetime:
    """Return the present instant, aware, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Runtime:
    """One running service: built once (`start`), passed down, never imported as a global."""

    settings: Settings
    database: Database
    custody: Custody
    fetcher: Fetcher
    contexts: Contexts = PACKAGED
    now: Callable[[], datetime] = utc_now

    @cached_property
    def inline_contexts(self) -> Contexts:
        """The same contexts, for documents that may bring context objects of their own."""
        return self.contexts.with_inline()

    @classmethod
    def start(cls, settings: Settings, now: Callable[[], datetime] = utc_now) -> Self:
        """Return the runtime for `settings`; open the database, but read no key.

        Raises:
            SettingsError: the operator's contexts cannot be used.
        """
        return cls(
            settings,
            Database(settings.database_url),
            Custody(settings),
            Fetcher(allow_localhost=settings.local),
            load_contexts(settings.contexts_folder),
            now,
        )

    @classmethod
    def stranger(cls, now: Callable[[], datetime] = utc_now) -> Self:
        """Return a runtime that checks badges from outside: without rows, keys and address, and it writes nothing.

        Only the settings of what is known here count: contexts and trust lists, and whether this is a development
        machine, which may call itself.

        Raises:
            SettingsError: as `start`, or a setting has a wrong value.
        """
        nothing = {"database_url": "sqlite:///:memory:", "keys_passphrase": "none is read"}
        allow_localhost = load_settings(**nothing).local
        runtime = cls.start(load_settings(**nothing | {"base_url": NOBODYS_URL}), now)
        return replace(runtime, fetcher=Fetcher(allow_localhost=allow_localhost))
