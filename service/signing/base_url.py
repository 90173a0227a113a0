"""Keep the public base URL fixed once a credential exists."""

from sqlalchemy.orm import Session as OrmSession

from service.runtime.settings import Settings, SettingsError
from service.storage import facts
from service.storage.database import WriteSession


def remember_base_url(session: WriteSession, settings: Settings) -> None:
    """Write down the base URL with the first credential: from then on it stands in what others hold."""
    facts.remember(session, "base_url", settings.base_url)


def check_base_url(session: OrmSession, settings: Settings) -> None:
    """Let the service start if its base URL is the one in the credentials that it has issued.

    Raises:
        SettingsError: it is another one.
    """
    fixed = facts.known(session, "base_url")
    if fixed is not None and fixed != settings.base_url:
        raise SettingsError(
            f"LAUREL_BASE_URL: expected {fixed}, which stands in the credentials already issued, got {settings.base_url}."
        )
