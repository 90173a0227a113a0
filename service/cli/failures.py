"""What the command says of a failure.

That is one sentence where the failure is expected, and otherwise where in the code it arose.
"""

import os

from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError, IntegrityError, ProgrammingError

from credentials import CredentialError
from service.errors import ServiceError, StorageError
from service.runtime import logs
from service.runtime.settings import SettingsError

WRONG_SETTINGS, FAILED = 2, 1
LOCKED = {"SQLITE_BUSY", "SQLITE_LOCKED", "55P03"}
FULL = {"SQLITE_FULL", "53100"}
NOT_THERE = {"SQLITE_CANTOPEN", "SQLITE_NOTADB", "3D000", "28000", "28P01", ""}
"""No such database, or it lets nobody in; PostgreSQL gives no code where it is not reached at all."""


def told(error: Exception) -> tuple[str, int]:
    """Return what is said of an error on standard error, and the exit status."""
    match error:
        case SettingsError():
            return str(error), WRONG_SETTINGS
        case StorageError(__cause__=DBAPIError() as cause):
            return _of_database(cause), FAILED
        case ServiceError() | CredentialError():
            return f"{error} ({error.code})", FAILED
        case ValidationError():
            first = error.errors()[0]
            return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}.", FAILED
        case DBAPIError() if not isinstance(error, IntegrityError | ProgrammingError):
            return _of_database(error), FAILED
        case OSError(filename=str() as name, errno=int() as number):
            return f"{name}: expected a file that can be used, got “{os.strerror(number)}”.", FAILED
        case _:
            return f"The command failed here.\n{logs.described(error)}", FAILED


def _of_database(error: DBAPIError) -> str:
    """Return one sentence; the message of the database can repeat what was to be written."""
    code = getattr(error.orig, "sqlite_errorname", None) or getattr(error.orig, "sqlstate", None) or ""
    if code in LOCKED:
        return f"The database is locked by somebody else; try again ({code})."
    if code in FULL:
        return f"The disk of the database is full; nothing was written ({code})."
    if code in NOT_THERE:
        got = code or "no connection"
        return f"LAUREL_DATABASE_URL: expected a database that answers, got {got}."
    return f"The database failed; nothing was written ({code})."
