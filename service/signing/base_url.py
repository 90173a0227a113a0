"""Keep the public base URL fixed once a credential exists."""

from sqlalchemy.orm import Session as OrmSession

from service.runtime.settings import Settings, SettingsError
from service.storage.database import WriteSession, insert_new
from service.tables import ServiceFact


def remember_base_url(session: WriteSession, settings: Settings) -> None:
    """Write down the base URL with the first credential: from then on it stands in what others hold."""
    insert_new(session, ServiceFact, {"name": "base_url", "value": settings.base_url})


def check_base_url(session: OrmSession, settings: Settings) -> None:
    """Let the service start if its base URL is the one in the credentials that it has issued.

    Raises:
        SettingsError: it is another one.
    """
    fact = session.get(ServiceFact, "base_url")
    if fact is not None and fact.value != settings.base_url:
        raise SettingsError(
            f"LAUREL_BASE_URL: expected {fact.value}, which stands in the credentials already issued, got {settings.base_url}."
        )
