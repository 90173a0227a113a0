"""What can go wrong with a request, without HTTP numbers.

The numbers are in `service.web.problems`.
"""

import errno
from collections.abc import Mapping
from typing import Any, Final


class ServiceError(Exception):
    """A request that cannot be carried out.

    Args:
        code: stable kebab-case name of the problem, part of the interface.
        message: one sentence with what was expected and what came; never a secret.
        pointer: JSON pointer (RFC 6901) into the request body, or "".
        details: further members of the answer (for example the progress behind a refused award).
    """

    def __init__(self, code: str, message: str, pointer: str = "", details: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.pointer = pointer
        self.details = dict(details or {})


class UnreadableError(ServiceError):
    """The body cannot be read at all."""


class UnauthenticatedError(ServiceError):
    """No token, or one that is unknown, expired or revoked."""


class ForbiddenError(ServiceError):
    """The token is good, but lacks the scope, or a rule forbids this actor."""


class NotFoundError(ServiceError):
    """No such thing in this network; a row of another network looks the same."""


class GoneError(ServiceError):
    """What was here was withdrawn or erased, for good."""


class PreconditionError(ServiceError):
    """What is there is not what the sender of the request has seen."""


class ConflictError(ServiceError):
    """The request contradicts what is already there."""


class ErasedError(ConflictError):
    """Something new about a member who was erased (code "member-erased")."""

    def __init__(self, pointer: str = "") -> None:
        message = "Expected a member who was not erased: nothing new is kept under this ref. Give the person a new one."
        super().__init__("member-erased", message, pointer)


class InvalidError(ServiceError):
    """The request is understood and refused: the pointer says where it is wrong."""


class MediaTypeError(ServiceError):
    """The body has a media type that is not taken here (code "media-type-unsupported").

    Args:
        taken: the media types that are.
        sent: what the header `Content-Type` says, if there is one.
    """

    def __init__(self, taken: str, sent: str | None) -> None:
        came = "none" if sent is None else ascii(sent[:100])
        super().__init__("media-type-unsupported", f"Expected a body of the Content-Type {taken}, got {came}.")


class TooLargeError(ServiceError):
    """The body exceeds a published limit."""


class TooSlowError(ServiceError):
    """The body of the request did not arrive in time."""


class TooManyRequestsError(ServiceError):
    """A fair-use limit is reached."""


class NotOfferedError(ServiceError):
    """A form of something that this service does not give."""


class CustodyError(ServiceError):
    """A private key cannot be used now; nothing was changed."""


class StorageError(ServiceError):
    """The database or the disk takes nothing now; what was not committed was not kept."""


class UpstreamError(ServiceError):
    """Another server, without which the request cannot be carried out, did not do its part."""


DISK_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""How the system says that a file has no more room."""
