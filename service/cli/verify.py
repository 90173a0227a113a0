"""`laurel verify`: check a badge of any issuer at a terminal.

It needs no database, no keys and no settings, and leaves nothing behind. It checks a bundle without any network.
"""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Final

import typer
from typer.core import TyperCommand
from typer.exceptions import TyperException

from service.cli.terminal import AsJson, out

EXIT: Final = {"verified": 0, "rejected": 1, "undecided": 2}
USAGE: Final = 64
"""Exit status of a command that was not understood (EX_USAGE of sysexits.h), because 2 means *undecided*."""


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
    as_json: AsJson = False,
) -> None:
    """Verify a badge of any issuer; a bundle without any network.

    Exit status: 0 verified, 1 rejected, 2 undecided, 64 the command was not understood. With several badges it is the
    worst.

    The issuer's keys in a bundle were put there by the person who made the bundle, unless the issuer's id is its key:
    give --pin, or read `keys_from` before you rely on 0.
    """
    from service.cli import verdicts

    results = verdicts.of(source, recipient, pin, evidence=evidence)
    if as_json:
        values = [result.value for result in results]
        said = values[0] if len(values) == 1 else {"items": values}
        sys.stdout.write(json.dumps(said, ensure_ascii=False, indent=2) + "\n")
    else:
        out.print("\n\n".join(result.text for result in results), markup=False)
    raise typer.Exit(EXIT[verdicts.worst(results)])
