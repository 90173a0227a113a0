"""What can go wrong with a request, without HTTP numbers.

The numbers are in `service.web.problems`.
"""

from collections.abc import Mapping
from typing import Any


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


class UnauthenticatedError(ServiceError):
    """No token, or one that is unknown, expired or revoked."""


class ForbiddenError(ServiceError):
    """The token is good, but lacks the scope, or a rule forbids this actor."""


class NotFoundError(ServiceError):
    """No such thing in this network; a row of another network looks the same."""


class ConflictError(ServiceError):
    """The request contradicts what is already there."""


class InvalidError(ServiceError):
    """The request is understood and refused: the pointer says where it is wrong."""


class TooLargeError(ServiceError):
    """The body exceeds a published limit."""


class TooManyRequestsError(ServiceError):
    """A fair-use limit is reached."""


class CustodyError(ServiceError):
    """A private key cannot be used now; nothing was changed."""
