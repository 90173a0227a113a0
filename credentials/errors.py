"""The errors of this library: one kind for each part of a document that can fail."""


class CredentialError(Exception):
    """A document that cannot be accepted, or cannot be judged.

    Args:
        code: stable kebab-case name of the fault, part of the interface.
        message: one sentence with what was expected and what came; never a secret, never the whole document.
        pointer: JSON pointer (RFC 6901) to the place in the document, or "" where it has none.
    """

    def __init__(self, code: str, message: str, pointer: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.pointer = pointer


class MalformedError(CredentialError):
    """It is not JSON, not a credential, or does not follow its schema."""


class ContextError(CredentialError):
    """Its JSON-LD says less than it seems to.

    For example it has an unknown context, an undefined term or a relative address.
    """


class ProofError(CredentialError):
    """A signature or its options do not hold."""


class StatusError(CredentialError):
    """A status list or its entry is malformed, out of range, or of another purpose."""


class ImageError(CredentialError):
    """A picture cannot be read, has no credential, or has two."""


class UnsupportedError(CredentialError):
    """It names a suite, key type or DID method that is not checked here."""


class UnavailableError(CredentialError):
    """Something it refers to could not be fetched: undecided, not wrong."""


class GoneError(UnavailableError):
    """What was at an address was taken away for good; `body` is what the server says about that."""

    def __init__(self, code: str, message: str, body: bytes = b"") -> None:
        super().__init__(code, message)
        self.body = body


def shown(value: object) -> str:
    """Return a foreign value in a form fit for a message.

    The form is printable ASCII of at most 60 characters.
    """
    match value:
        case str():
            text = ascii(value[:60])
            return text if len(text) <= 60 else text[:57] + "..."
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
        case int() | float():
            return "a number"
        case list():
            return "an array"
        case _:
            return "an object"
