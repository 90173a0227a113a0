"""Keep the public base URL fixed once a credential exists."""

from sqlalchemy.orm import Session as OrmSession

from service.runtime.settings import Settings, SettingsError
from service.storage import facts
from service.storage.database import WriteSession


def remember_base_url(session: WriteSession, settings: Settings) -> None:
    """Store the base URL with the first credential.

    From then on it is in documents that others hold.
    """
    facts.remember(session, "base_url", settings.base_url)


def check_base_url(session: OrmSession, settings: Settings) -> None:
    """Refuse to start with a base URL that is not the one in the issued credentials.

    Raises:
        SettingsError: it is another one.
    """
    fixed = facts.known(session, "base_url")
    if fixed is not None and fixed != settings.base_url:
        raise SettingsError(
            f"LAUREL_BASE_URL: expected {fixed}, which stands in the credentials already issued, got {settings.base_url}."
        )
