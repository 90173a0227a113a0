"""Which addresses are those of this service."""

from urllib.parse import urlsplit

from service.runtime.settings import Settings


def is_ours(settings: Settings, url: str) -> bool:
    """Return whether an address is one of this service.

    On localhost the scheme does not matter, because did:web knows only https.
    """
    try:
        asked, own = urlsplit(url), urlsplit(settings.base_url)
    except ValueError:  # a bracket that does not close, which no real address has
        return False
    return asked.netloc.lower() == own.netloc and (settings.local or asked.scheme == own.scheme)
