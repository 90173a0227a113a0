"""E-mail addresses in the one form in which accounts keep them."""

import unicodedata

from pydantic import TypeAdapter, ValidationError

from service.bodies import EmailAddress

_ADDRESS: TypeAdapter[str] = TypeAdapter(EmailAddress)


def read(typed: str) -> str | None:
    """Return the address that somebody typed; None if it is none, or has characters that nobody sees."""
    try:
        address = normal(_ADDRESS.validate_python(typed.strip()))
    except ValidationError:
        return None
    return address if address.isprintable() and "\ufffd" not in address else None


def normal(address: str) -> str:
    """Return an address in lower case and composed characters, its domain as people read it: bücher.example.

    One mailbox has one account, in whichever way somebody types it. Mails go to this form, so that no other address is
    ever proved by them.

    Spec: RFC 5890, section 2.3.2.1 (A-labels and U-labels).
    """
    local, _, domain = unicodedata.normalize("NFC", address.strip().lower()).rpartition("@")
    return f"{local}@{'.'.join(map(_as_read, domain.split('.')))}"


def _as_read(label: str) -> str:
    """Return a label such as xn--bcher-kva as it is read; one that stands for nothing is returned as it is."""
    if not label.startswith("xn--"):
        return label
    try:
        read = label[4:].encode("ascii").decode("punycode")
    except UnicodeError:
        return label
    usual = unicodedata.normalize("NFC", read.lower())
    return read if read == usual and not read.isascii() and read.encode("punycode").decode() == label[4:] else label
