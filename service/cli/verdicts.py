"""What `laurel verify` finds of each badge, and how it says that."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import typer
from typer.exceptions import TyperException

from credentials import CredentialError, UnavailableError
from service.checking import check as checking
from service.checking import wording
from service.checking.check import Checked
from service.checking.desk import Desk
from service.checking.keeping import bundles, offline
from service.checking.keeping.offline import OfflineCheck, Pin
from service.checking.tones import NO_BADGE
from service.errors import InvalidError, ServiceError
from service.runtime.runtime import Runtime
from service.runtime.settings import SettingsError
from service.texts.languages import ENGLISH
from service.unpacking import unpack
from service.unpacking.unpack import Opened

MARKS: Final = {"passed": "✓", "failed": "✗", "undecided": "?", "skipped": "·"}
DAY_SECONDS: Final = 86_400


@dataclass(frozen=True)
class Result:
    """The result for one badge: as JSON, as text, and the verdict."""

    value: dict[str, Any]
    text: str
    verdict: str


def of(source: str, recipient: str | None, pin: str | None, *, evidence: bool) -> list[Result]:
    """Return the result for each badge in a source.

    Args:
        source: a file, an address, or - for standard input.
        recipient: e-mail, DID or other identifier to compare with.
        pin: of a bundle: a key of the issuer.
        evidence: ask others also for what is of this badge alone.
    Raises:
        TyperException: the source, the pin or a setting is not what it should be.
    """
    try:
        runtime = Runtime.stranger()
        desk = Desk.open(runtime)
    except SettingsError as error:
        raise _misunderstood(str(error)) from error
    try:
        return list(_results(desk, source, recipient, pin, evidence=evidence))
    finally:
        desk.workers.close()
        runtime.database.dispose()


def worst(results: Sequence[Result]) -> str:
    """Return the worst verdict of several."""
    verdicts = {result.verdict for result in results}
    return next((verdict for verdict in ("rejected", "undecided") if verdict in verdicts), "verified")


def _misunderstood(message: str) -> TyperException:
    return typer.BadParameter(message)


def _results(desk: Desk, source: str, recipient: str | None, pin: str | None, *, evidence: bool) -> Iterator[Result]:
    if source.startswith(("https://", "http://")):
        opened = [Opened(source, url=source)]
    else:
        content = _content(source)
        if bundles.is_bundle(content):
            yield _of_bundle(desk, content, recipient, _pin(pin))
            return
        opened = unpack.open_file("" if source == "-" else Path(source).name, content, desk.allowance())
    if pin is not None:
        raise _misunderstood(
            "--pin is for a bundle: otherwise the issuer's keys are asked for where they are published"
        )
    for each in opened:
        result = _of_one(desk, each, recipient, evidence=evidence)
        yield (
            result
            if len(opened) == 1
            else Result({"name": each.name} | result.value, f"{each.name}\n{result.text}", result.verdict)
        )


def _content(source: str) -> bytes:
    if source == "-":
        return sys.stdin.buffer.read(bundles.MAX_BUNDLE_BYTES * 4)
    path = Path(source)
    if not path.is_file():
        raise _misunderstood(f"expected a file, an https address or -, got {source!r}")
    return path.read_bytes()


def _pin(pin: str | None) -> Pin | None:
    if pin is None:
        return None
    try:
        path = Path(pin)
        return offline.read_pin(path.read_text(encoding="utf-8") if len(pin) < 1000 and path.is_file() else pin)
    except (InvalidError, UnicodeDecodeError) as error:
        raise _misunderstood(f"--pin: {error}") from error


def _of_one(desk: Desk, opened: Opened, recipient: str | None, *, evidence: bool) -> Result:
    if opened.problem is not None:
        return _problem(opened.problem.code, opened.problem.message, "rejected")
    try:
        if opened.url is not None:
            checked = checking.check_address(desk, opened.url, recipient, evidence=evidence)
        else:
            checked = checking.check(desk, opened.received or b"", recipient, evidence=evidence)
    except UnavailableError as error:
        return _problem(error.code, error.message, "undecided")
    except (ServiceError, CredentialError) as error:
        return _problem(error.code, error.message, "rejected")
    return Result(checked.to_json(), "\n".join(_lines(checked)), checked.report.verdict)


def _of_bundle(desk: Desk, content: bytes, recipient: str | None, pin: Pin | None) -> Result:
    try:
        found = offline.check(desk, bundles.read(content), recipient, pin)
    except ServiceError as error:
        return _problem(error.code, error.message, "rejected")
    text = "\n".join([*_lines(found.checked), "", *_told(found)])
    return Result(found.to_json(), text, found.checked.report.verdict)


def _problem(code: str, message: str, verdict: str) -> Result:
    return Result({"problem": {"code": code, "message": message}, "verdict": verdict}, f"{message} ({code})", verdict)


# --- In plain sentences ----------------------------------------------------------------------------------------------


def _lines(checked: Checked) -> Iterator[str]:
    title, sentence = wording.headline(checked, ENGLISH)
    yield title
    if sentence:
        yield sentence
    yield ""
    if checked.newer:
        yield f"See {checked.newer}"
        yield ""
    if checked.headline not in NO_BADGE:
        for said in wording.said(checked, ENGLISH):
            yield f"{said.question} {said.word}. {said.sentence}"
        yield ""
    yield f"Step by step (for programs: {checked.report.verdict}):"
    for check in checked.report.checks:
        yield f"  {MARKS[check.outcome]} {check.name}: {check.outcome}"
        for found in check.findings:
            yield f"      {found.message} ({found.code}{' at ' + found.pointer if found.pointer else ''})"


def _told(found: OfflineCheck) -> Iterator[str]:
    """Yield how old the contents of the bundle are, and how far to trust its keys."""
    yield f"We asked nobody: all this is from a bundle that says it was made on {ENGLISH.moment(found.made_at)}."
    for each in found.lists:
        age = int((found.checked.at - each.signed_at).total_seconds() // DAY_SECONDS)
        ago = ENGLISH.ngettext("%(num)s day ago", "%(num)s days ago", age) if age > 0 else "less than a day ago"
        yield (
            f"The status list was signed on {ENGLISH.day(each.signed_at)}, {ago}; the bundle says that it was fetched on "
            f"{ENGLISH.day(each.fetched_at)}. A badge that was revoked after that would still look good here."
        )
    if not found.lists and found.checked.outcome("status") != "skipped":
        yield "The bundle has no status list that counts: we do not know whether the badge was taken back."
    keys = f" The fingerprint of the key: {', '.join(found.keys)}." if found.keys else ""
    match found.keys_from:
        case "identifier":
            yield f"The issuer's id is its key, so no document is needed to know it.{keys}"
        case "pinned":
            yield f"Only the keys that you gave counted as the issuer's.{keys}"
        case "bundle":
            domain = found.checked.issuer.domain if found.checked.issuer is not None else ""
            yield (
                "The person who made the bundle put the issuer's keys there. If that was the candidate, it only proves "
                f"that the badge fits those keys.{keys} Compare them with a key that you have from "
                f"{domain or 'the issuer'} itself (--pin), or check the badge online."
            )
