"""`laurel verify`: check a badge of any issuer at a terminal.

It needs no database, no keys and no settings, and leaves nothing behind. It checks a bundle without any network.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from typer.core import TyperCommand
from typer.exceptions import TyperException

from credentials import CredentialError, UnavailableError
from service.checking import check as checking
from service.checking import wording
from service.checking.check import Checked
from service.checking.desk import Desk
from service.checking.keeping import bundles, offline
from service.checking.keeping.offline import OfflineCheck, Pin
from service.errors import InvalidError, ServiceError
from service.runtime.runtime import Runtime
from service.runtime.settings import SettingsError
from service.texts.languages import ENGLISH
from service.unpacking import unpack
from service.unpacking.unpack import Opened

EXIT: Final = {"verified": 0, "rejected": 1, "undecided": 2}
USAGE: Final = 64
"""Exit status of a command that was not understood (EX_USAGE of sysexits.h), because 2 means *undecided*."""
MARKS: Final = {"passed": "✓", "failed": "✗", "undecided": "?", "skipped": "·"}
DAY_SECONDS: Final = 86_400

out = Console(soft_wrap=True, highlight=False, emoji=False)


class VerifyCommand(TyperCommand):
    """A command that ends with a status of its own if it was not understood."""

    def make_context(self, *args: Any, **kwargs: Any) -> Any:
        """Read the arguments."""
        with _usage():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        with _usage():
            return super().invoke(ctx)


@contextmanager
def _usage() -> Iterator[None]:
    try:
        yield
    except TyperException as error:
        error.exit_code = USAGE
        raise
    except SettingsError as error:
        misunderstood = _misunderstood(str(error))
        misunderstood.exit_code = USAGE
        raise misunderstood from error


def _misunderstood(message: str) -> TyperException:
    return typer.BadParameter(message)


@dataclass(frozen=True)
class _Result:
    """The result for one badge: as JSON, as text, and the verdict."""

    value: dict[str, Any]
    text: str
    verdict: str


def verify(
    source: Annotated[
        str,
        typer.Argument(
            help="A file (badge, picture, PDF, ZIP, photo of a QR code, or bundle), an address, or - for standard input."
        ),
    ],
    recipient: Annotated[str | None, typer.Option(help="E-mail, DID or other identifier to compare with.")] = None,
    pin: Annotated[
        str | None,
        typer.Option(
            help="For a bundle: a key of the issuer that you have from elsewhere. A Multikey, a fingerprint, or a file "
            "with a DID document or JWK. No other key counts then."
        ),
    ] = None,
    evidence: Annotated[
        bool,
        typer.Option("--evidence", help="Ask others also for what is of this badge alone; they see that you look."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON, for programs.")] = False,
) -> None:
    """Verify a badge of any issuer; a bundle without any network.

    Exit status: 0 verified, 1 rejected, 2 undecided, 64 the command was not understood. With several badges it is the
    worst.

    The issuer's keys in a bundle were put there by the person who made the bundle, unless the issuer's id is its key:
    give --pin, or read `keys_from` before you rely on 0.
    """
    runtime = Runtime.stranger()
    try:
        results = list(_results(Desk.open(runtime), source, recipient, pin, evidence=evidence))
    finally:
        runtime.database.dispose()
    if as_json:
        values = [result.value for result in results]
        said = values[0] if len(values) == 1 else {"items": values}
        sys.stdout.write(json.dumps(said, ensure_ascii=False, indent=2) + "\n")
    else:
        out.print("\n\n".join(result.text for result in results), markup=False)
    raise typer.Exit(EXIT[_worst(results)])


def _worst(results: Sequence[_Result]) -> str:
    verdicts = {result.verdict for result in results}
    return next((verdict for verdict in ("rejected", "undecided") if verdict in verdicts), "verified")


def _results(desk: Desk, source: str, recipient: str | None, pin: str | None, *, evidence: bool) -> Iterator[_Result]:
    if source.startswith(("https://", "http://")):
        opened = [Opened(source, url=source)]
    else:
        content = _content(source)
        if bundles.is_bundle(content):
            yield _of_bundle(desk, content, recipient, _pin(pin))
            return
        opened = unpack.open_file("" if source == "-" else Path(source).name, content)
    if pin is not None:
        raise _misunderstood(
            "--pin is for a bundle: otherwise the issuer's keys are asked for where they are published"
        )
    for each in opened:
        result = _of_one(desk, each, recipient, evidence=evidence)
        yield (
            result
            if len(opened) == 1
            else _Result({"name": each.name} | result.value, f"{each.name}\n{result.text}", result.verdict)
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


def _of_one(desk: Desk, opened: Opened, recipient: str | None, *, evidence: bool) -> _Result:
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
    return _Result(checked.to_json(), "\n".join(_lines(checked)), checked.report.verdict)


def _of_bundle(desk: Desk, content: bytes, recipient: str | None, pin: Pin | None) -> _Result:
    try:
        found = offline.check(desk, bundles.read(content), recipient, pin)
    except ServiceError as error:
        return _problem(error.code, error.message, "rejected")
    text = "\n".join([*_lines(found.checked), "", *_told(found)])
    return _Result(found.to_json(), text, found.checked.report.verdict)


def _problem(code: str, message: str, verdict: str) -> _Result:
    return _Result({"problem": {"code": code, "message": message}, "verdict": verdict}, f"{message} ({code})", verdict)


# --- In plain sentences ----------------------------------------------------------------------------------------------


def _lines(checked: Checked) -> Iterator[str]:
    title, sentence = wording.headline(checked, ENGLISH)
    yield title
    if sentence:
        yield sentence
    yield ""
    for said in wording.said(checked, ENGLISH):
        yield f"{said.question} {said.word}. {said.sentence}"
    yield ""
    yield f"{checked.report.verdict.capitalize()}, step by step:"
    for check in checked.report.checks:
        yield f"  {MARKS[check.outcome]} {check.name}: {check.outcome}"
        for found in check.findings:
            yield f"      {found.message} ({found.code}{' at ' + found.pointer if found.pointer else ''})"


def _told(found: OfflineCheck) -> Iterator[str]:
    """Yield how old the contents of the bundle are, and how far to trust its keys."""
    yield f"Nobody was asked: all this is from a bundle that says it was made on {ENGLISH.moment(found.made_at)}."
    for each in found.lists:
        age = int((found.checked.at - each.signed_at).total_seconds() // DAY_SECONDS)
        ago = ENGLISH.ngettext("%(num)s day ago", "%(num)s days ago", age) if age > 0 else "less than a day ago"
        yield (
            f"The status list was signed on {ENGLISH.day(each.signed_at)}, {ago}; the bundle says that it was fetched on "
            f"{ENGLISH.day(each.fetched_at)}. A badge revoked since it was signed would still look good here."
        )
    if not found.lists and found.checked.outcome("status") != "skipped":
        yield "The bundle holds no status list that counts: whether the badge was taken back is not known."
    keys = f" The fingerprint of the key: {', '.join(found.keys)}." if found.keys else ""
    match found.keys_from:
        case "identifier":
            yield f"The issuer's id is its key, so that no document is needed to know it.{keys}"
        case "pinned":
            yield f"Of the issuer's keys only those counted that you gave.{keys}"
        case "bundle":
            domain = found.checked.issuer.domain if found.checked.issuer is not None else ""
            yield (
                "The issuer's keys are as whoever made the bundle put them there. If the candidate made it, it proves no "
                f"more than that the badge fits those keys.{keys} Compare that with a key that you have from "
                f"{domain or 'the issuer'} itself (--pin), or check the badge online."
            )
