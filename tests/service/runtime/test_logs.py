"""What logs give of errors and of other people's lines: types, codes and places, never what somebody wrote."""

import io
import logging
import smtplib
import subprocess
import sys
from collections.abc import Callable, Iterator

import psycopg
import pytest
from pydantic import BaseModel, ValidationError
from sqlalchemy.exc import IntegrityError

from credentials import CredentialError
from service.errors import InvalidError
from service.runtime import logs
from service.runtime.settings import SettingsError

pytestmark = pytest.mark.any_database("a log is no row")

SECRET = "ada.lovelace@river.example.org"


class Shape(BaseModel):
    number: int


@pytest.fixture
def written() -> Iterator[Callable[[], str]]:
    """What a plain handler of an operator has written."""
    before, stream = logging.getLogRecordFactory(), io.StringIO()
    handler = logging.StreamHandler(stream)
    loggers = [logging.getLogger(), logging.getLogger("uvicorn")]  # a server may have set up its own
    logging.setLogRecordFactory(logs._record)
    for logger in loggers:
        logger.addHandler(handler)
    yield stream.getvalue
    for logger in loggers:
        logger.removeHandler(handler)
    logging.setLogRecordFactory(before)


def refuse_value() -> None:
    Shape.model_validate({"number": SECRET})


def refuse_key() -> None:
    try:
        raise psycopg.errors.UniqueViolation(f"DETAIL: Key (value)=({SECRET}) already exists.")
    except psycopg.Error as error:
        raise IntegrityError("INSERT", {"value": SECRET}, error) from error


def miss_key() -> None:
    dict[str, str]()[SECRET]


def refuse_recipient() -> None:
    raise smtplib.SMTPRecipientsRefused({SECRET: (550, SECRET.encode())})


def refuse_file() -> None:
    raise OSError(28, SECRET, SECRET)


def refuse_request() -> None:
    raise InvalidError("name-too-long", f"Expected less, got {SECRET}.")


def refuse_document() -> None:
    raise CredentialError("term-undefined", f"expected a term, got {SECRET}")


def fail_together() -> None:
    raise ExceptionGroup(SECRET, [ValueError(SECRET), KeyError(SECRET)])


@pytest.mark.parametrize(
    ("fail", "told"),
    [
        (refuse_value, "ValidationError (int_parsing)"),
        (refuse_key, "psycopg.errors.UniqueViolation (23505)"),
        (refuse_key, "sqlalchemy.exc.IntegrityError"),
        (miss_key, "KeyError"),
        (refuse_recipient, "smtplib.SMTPRecipientsRefused (550)"),
        (refuse_file, "OSError (ENOSPC)"),
        (refuse_request, "service.errors.InvalidError (name-too-long)"),
        (refuse_document, "credentials.errors.CredentialError (term-undefined)"),
        (fail_together, "ValueError"),
    ],
)
def test_of_an_error_a_log_gives_type_codes_and_place(
    written: Callable[[], str], fail: Callable[[], None], told: str
) -> None:
    try:
        fail()
    except Exception:
        logging.getLogger("service.anything").exception("work %s failed", 7)
    assert "work 7 failed" in written()
    assert told in written()
    assert f"in {fail.__name__}\n" in written()
    assert SECRET not in written()


def test_an_error_that_is_an_argument_of_our_line_is_named(written: Callable[[], str]) -> None:
    logging.getLogger("service.anything").warning("left alone: %s", ValueError(SECRET))
    logging.getLogger("service.anything").warning("left alone: %s", SettingsError("Expected a folder, got 'x'."))
    assert "left alone: ValueError\n" in written()
    assert "Expected a folder, got 'x'." in written()
    assert SECRET not in written()


def test_of_a_line_by_somebody_else_only_what_stands_in_their_code_is_written(written: Callable[[], str]) -> None:
    theirs = logging.getLogger("somebody.else")
    theirs.error("refused %s", SECRET)
    theirs.error(f"refused {SECRET}")
    theirs.error("failed with %s", ValueError(SECRET))
    theirs.error("refused %(name)s", {"name": SECRET})
    lines = written().splitlines()
    assert [line.partition(" (somebody.else, test_logs.py:")[0] for line in lines] == [
        "refused %s",
        lines[1],
        "failed with %s ValueError",
        "refused %(name)s",
    ]
    assert lines[1].startswith("(somebody.else, test_logs.py:")
    assert SECRET not in written()


def test_of_the_server_the_operator_still_reads_why_it_does_not_start(written: Callable[[], str]) -> None:
    server = logging.getLogger("uvicorn.error")
    server.error(OSError(98, "address already in use"))
    server.error("Application startup failed. Exiting.")
    server.error(f"Traceback (most recent call last):\n  ...\nValueError: {SECRET}\n")
    assert "OSError (EADDRINUSE): Address already in use (uvicorn.error" in written()
    assert "Application startup failed. Exiting." in written()
    assert SECRET not in written()


@pytest.mark.parametrize(
    "failing",
    [
        f"raise ValueError({SECRET!r})",
        f"import threading; t = threading.Thread(target=lambda: {{}}[{SECRET!r}]); t.start(); t.join()",
        f"import warnings; warnings.warn({SECRET!r})",
        f"class Odd:\n  def __del__(self): raise ValueError({SECRET!r})\nodd = Odd(); del odd",
        f"import asyncio\nasync def odd(): asyncio.get_running_loop().call_soon(lambda: {{}}[{SECRET!r}])\nasyncio.run(odd())",
    ],
)
def test_what_nobody_catches_is_written_without_its_message(failing: str) -> None:
    program = f"from service.runtime import logs\nlogs.keep_quiet()\n{failing}\n"
    ended = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True, timeout=60)
    assert ended.stderr
    assert SECRET not in ended.stderr + ended.stdout


def test_an_error_without_a_cause_that_can_be_told_is_only_named() -> None:
    assert logs.named(ValidationError.from_exception_data("x", [])) == "pydantic_core._pydantic_core.ValidationError"
