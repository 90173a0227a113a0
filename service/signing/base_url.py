"""The public base URL: fixed once a credential exists; commands know it before."""

from sqlalchemy.orm import Session as OrmSession

from service.runtime.settings import Settings, SettingsError, is_local
from service.storage import facts
from service.storage.database import WriteSession

FIXED, SERVED = "base_url", "served_at"


def remember_base_url(session: WriteSession, settings: Settings) -> None:
    """Store the base URL with the first credential.

    From then on it is in documents that others hold.
    """
    facts.remember(session, FIXED, settings.base_url)


def fixed(session: OrmSession) -> str | None:
    """Return the base URL that stands in issued credentials; None before the first one."""
    return facts.known(session, FIXED)


def note_served(session: WriteSession, settings: Settings) -> None:
    """Note where the service is reached from now on, for commands that are told no base URL."""
    facts.change(session, SERVED, settings.base_url)


def settled(session: OrmSession, settings: Settings) -> Settings:
    """Return the settings; where they name no base URL, with the one on localhost that this database has.

    It is the one in issued credentials, or else the one at which the service was served last.
    """
    if settings.names_base_url:
        return settings
    known = fixed(session) or facts.known(session, SERVED)
    return settings.at(known) if known is not None and is_local(known) else settings


def check_base_url(session: OrmSession, settings: Settings) -> None:
    """Refuse to start with a base URL that is not the one in the issued credentials.

    Raises:
        SettingsError: it is another one.
    """
    before = fixed(session)
    if before is not None and before != settings.base_url:
        raise SettingsError(
            f"LAUREL_BASE_URL: expected {before}, which stands in the credentials already issued, got {settings.base_url}."
        )
