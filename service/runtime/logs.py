"""Logs without what people wrote: one place, for every logger of the process.

The message of an error often repeats what was sent: PostgreSQL names the key that exists already, pydantic the value
that it refuses, a mail server the recipient. Nobody knows all of these messages. So none of them is written: of an error
a log gives its type, its codes and where in the code it arose, and of a line by somebody else's library only the text
that stands in its code. Our own lines are written as they are: they hold identifiers only.

Every command begins here, so that what only an error needs is imported once there is one.
"""

import errno
import json
import logging
import os
import re
import smtplib
import sys
import threading
import traceback
import warnings
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from service.errors import ServiceError

log = logging.getLogger(__name__)

OURS = ("service.", "credentials.")
CONSTANT = ("uvicorn.",)
"""Loggers whose text stands in their code, with the exception of tracebacks in it."""
PLAIN = re.compile(r"[\w.-]{1,80}", re.ASCII)
CODES = ("sqlstate", "sqlite_errorname", "smtp_code", "status_code")
NAMES = ("table_name", "column_name", "constraint_name")


def keep_quiet() -> None:
    """Have every log of this process, and what is written of errors that nobody catches, without their messages."""
    logging.setLogRecordFactory(_record)
    sys.excepthook = lambda kind, error, _where: _uncaught(kind, error)
    threading.excepthook = lambda failed: _uncaught(failed.exc_type, failed.exc_value)
    sys.unraisablehook = lambda failed: _uncaught(failed.exc_type, failed.exc_value)
    warnings.showwarning = lambda _message, category, filename, line, *_rest: log.warning(
        "a %s at %s:%s", category.__name__, filename, line
    )


def described(error: BaseException) -> str:
    """Return what a log may give of an error, and of those that led to it: types, codes and places in the code."""
    parts: list[str] = []
    for each in _led_by(error):
        places = traceback.extract_tb(each.__traceback__).format()
        parts.append("".join(["Traceback (most recent call last; without messages):\n", *places, named(each)]))
        parts += (described(one) for one in getattr(each, "exceptions", ()) if isinstance(each, BaseExceptionGroup))
    return "\n\n".join(reversed(parts))


def named(error: BaseException) -> str:
    """Return the type of an error with its codes."""
    from service.runtime.settings import SettingsError

    if isinstance(error, SettingsError):
        return f"{_type(error)}: {error}"  # one sentence of ours, about what the operator wrote
    found = ", ".join(dict.fromkeys(code for code in _codes(error) if PLAIN.fullmatch(code)))
    # The system's own words for the number, such as “Address already in use”; those of the error may name a file.
    number = error.errno if isinstance(error, OSError) else None
    words = f": {os.strerror(number)}" if number is not None and number in errno.errorcode else ""
    return f"{_type(error)} ({found}){words}" if found else _type(error)


def write_line(said: Mapping[str, Any]) -> None:
    """Write one line of JSON to the standard output, for the request log; it holds nothing that people wrote."""
    with suppress(OSError):  # nobody reads it any more
        print(json.dumps(said), flush=True)  # noqa: T201


def _led_by(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    each: BaseException | None = error
    while each is not None and id(each) not in seen:
        seen.add(id(each))
        yield each
        each = each.__cause__ or (None if each.__suppress_context__ else each.__context__)


def _codes(error: BaseException) -> Iterator[str]:
    from pydantic import ValidationError

    from credentials import CredentialError

    if isinstance(error, OSError) and error.errno is not None:
        yield errno.errorcode.get(error.errno, str(error.errno))
    if isinstance(error, ValidationError):
        yield from (each["type"] for each in error.errors(include_input=False, include_context=False))
    elif isinstance(error, smtplib.SMTPRecipientsRefused):
        yield from (str(code) for code, _ in error.recipients.values())
    elif isinstance(error, ServiceError | CredentialError):
        yield error.code
    else:
        yield from (str(getattr(error, name)) for name in CODES if isinstance(getattr(error, name, None), str | int))
        diagnosis = getattr(error, "diag", None)
        yield from (str(found) for name in NAMES if (found := getattr(diagnosis, name, None)) is not None)


def _type(error: BaseException) -> str:
    return f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")


def _record(*args: Any, **more: Any) -> logging.LogRecord:
    """Return the record of a log line, which every handler gets."""
    record = logging.LogRecord(*args, **more)
    if record.exc_info:
        error = record.exc_info[1]
        record.exc_text, record.exc_info = described(error) if error is not None else None, None
    if record.name.startswith(OURS):
        if isinstance(record.args, tuple):
            record.args = tuple(named(each) if isinstance(each, BaseException) else each for each in record.args)
    else:
        record.msg, record.args = _foreign(record), ()
    return record


def _foreign(record: logging.LogRecord) -> str:
    """Return the text of somebody else's line, as far as it stands in their code."""
    place = f"{record.name}, {record.filename}:{record.lineno}"
    if isinstance(record.msg, BaseException):
        return f"{named(record.msg)} ({place})"
    told = isinstance(record.msg, str) and (record.args or record.name.startswith(CONSTANT))
    first = str(record.msg).strip().partition("\n")[0] if told else ""
    failed = [named(each) for each in record.args if isinstance(each, BaseException)] if record.args else []
    return " ".join([first, *failed, f"({place})"]).strip()


def _uncaught(kind: type[BaseException], error: BaseException | None) -> None:
    if not issubclass(kind, KeyboardInterrupt | SystemExit):
        log.error("nobody caught an error", exc_info=error)
