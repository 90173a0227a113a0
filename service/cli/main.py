"""The `laurel` command: what an operator does at a terminal."""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from email import message_from_bytes
from email.policy import default as email_policy
from pathlib import Path
from typing import Annotated, Any

import typer
import uvicorn
from pydantic import ValidationError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from sqlalchemy import select

from credentials import CredentialError
from service.access import callers, tokens
from service.access.act import Act
from service.app import create_app
from service.checking.desk import Desk
from service.cli import demo as demonstration
from service.cli import verify
from service.errors import ServiceError
from service.intake import importing
from service.networks import members, networks
from service.operations import upkeep
from service.runtime import settings
from service.runtime.runtime import Runtime
from service.signing import base_url, keyring, service_identity
from service.storage import migrations
from service.tables import Key, Network, ServiceKey, Token

app = typer.Typer(
    name="laurel",
    help="Open Badges 3.0 credentials from what happens in peer learning networks.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
network_app = typer.Typer(help="Networks: each is an issuer with an address and keys of its own.", no_args_is_help=True)
token_app = typer.Typer(help="Tokens: what programs show when they post evidence or award.", no_args_is_help=True)
keys_app = typer.Typer(help="Signing keys of a network.", no_args_is_help=True)
status_app = typer.Typer(help="Status lists: where verifiers see what was revoked.", no_args_is_help=True)
app.add_typer(network_app, name="network")
app.add_typer(token_app, name="token")
app.add_typer(keys_app, name="keys")
app.add_typer(status_app, name="status")

out = Console(soft_wrap=True, highlight=False, emoji=False)
err = Console(stderr=True, soft_wrap=True, highlight=False, emoji=False)

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON, for programs.")]
NetworkSlug = Annotated[str, typer.Option("--network", "-n", help="Slug of the network.")]


def main() -> None:
    """Run the command.

    Every expected failure is one sentence on standard error. The exit status is then 1, for wrong settings 2;
    `verify` has its own.
    """
    try:
        app(standalone_mode=True)
    except settings.SettingsError as error:
        err.print(str(error), markup=False)
        sys.exit(2)
    except (ServiceError, CredentialError) as error:
        err.print(f"{error} ({error.code})", markup=False)
        sys.exit(1)
    except ValidationError as error:
        first = error.errors()[0]
        err.print(f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}.", markup=False)
        sys.exit(1)


@contextmanager
def _runtime() -> Iterator[Runtime]:
    """Yield the runtime of this command, on a migrated database."""
    runtime = Runtime.start(settings.load())
    try:
        if not migrations.is_current(runtime.database):
            if not runtime.settings.local:
                message = "The database is not at the newest revision: run `laurel migrate`."
                raise settings.SettingsError(message)
            migrations.upgrade(runtime.database)
        with runtime.database.read() as session:
            base_url.check_base_url(session, runtime.settings)
        yield runtime
    finally:
        runtime.database.dispose()


def _show(as_json: bool, value: Any, text: Callable[[], Any]) -> None:
    if as_json:
        sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2, default=str) + "\n")
    else:
        out.print(text(), markup=False) if isinstance(text(), str) else out.print(text())


def _table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> Table:
    table = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*("" if cell is None else str(cell) for cell in row))
    return table


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8000,
    workers: Annotated[int, typer.Option(min=1, help="Processes; each with its own connections.")] = 1,
) -> None:
    """Start the service. Settings come from LAUREL_* variables or .env."""
    with _runtime() as runtime:
        Desk.open(runtime)  # so that a broken trust list is told in one sentence, before a process starts
        out.print(f"Laurel at {runtime.settings.base_url} (API: {runtime.settings.base_url}/docs)", markup=False)
    # No access log: nobody needs to know who looked at which badge.
    uvicorn.run(
        "service.app:from_environment",
        factory=True,
        host=host,
        port=port,
        workers=workers,
        access_log=False,
        log_level="warning",
    )


@app.command()
def demo(folder: Annotated[Path, typer.Option(help="Where the demo keeps its files.")] = Path("var/demo")) -> None:
    """Play a small fictional network, from posted evidence to a verified badge."""
    demonstration.play(folder, say=lambda line: out.print(line, markup=False))


@app.command()
def migrate() -> None:
    """Bring the database to the newest revision."""
    runtime = Runtime.start(settings.load())
    migrations.upgrade(runtime.database)
    out.print("The database is at the newest revision.")


@app.command()
def openapi(
    check: Annotated[bool, typer.Option("--check", help="Compare only; exit 1 if it differs.")] = False,
) -> None:
    """Write openapi/openapi.json, the description of the API."""
    path = Path(__file__).parents[2] / "openapi" / "openapi.json"
    runtime = Runtime.start(settings.Settings(database_url="sqlite:///:memory:", _env_file=None))
    text = json.dumps(create_app(runtime).openapi(), ensure_ascii=False, indent=1) + "\n"
    if not check:
        path.write_text(text)
    elif not path.exists() or path.read_text() != text:
        err.print("openapi/openapi.json differs from the service: run `laurel openapi` and commit it.")
        raise typer.Exit(1)


@network_app.command("create")
def network_create(
    slug: Annotated[str, typer.Argument(help="Short name in addresses; never changes.")],
    name: Annotated[str, typer.Option(help="Name that people read on badges.")],
    url: Annotated[str, typer.Option(help="The network's own web site.")],
    kind: Annotated[str, typer.Option(help="formal or informal")] = "informal",
    time_zone: Annotated[str, typer.Option(help="IANA time zone, for days and weeks.")] = "UTC",
    sandbox: Annotated[bool, typer.Option("--sandbox", help="Badges say TEST.")] = False,
    as_json: AsJson = False,
) -> None:
    """Create a network with its keys."""
    with _runtime() as runtime, runtime.database.write() as session:
        said = {"slug": slug, "name": name, "url": url, "kind": kind, "time_zone": time_zone, "sandbox": sandbox}
        body = networks.NetworkIn.model_validate(said)
        made = networks.create_network(session, runtime, body, runtime.now())
        value = {"slug": made.slug, "name": made.name, "url": f"{runtime.settings.base_url}/networks/{made.slug}"}
        _show(as_json, value, lambda: f"{made.name} is at {value['url']}")


@token_app.command("create")
def token_create(
    name: Annotated[str, typer.Option(help="What the token is for.")] = "token",
    network: Annotated[str | None, typer.Option("--network", "-n", help="Slug of its network.")] = None,
    member: Annotated[str | None, typer.Option(help="Ref of the member it is bound to.")] = None,
    scope: Annotated[
        list[str] | None, typer.Option(help="May be given several times; default: all of the network's.")
    ] = None,
    admin: Annotated[bool, typer.Option("--admin", help="A token that creates networks, instead.")] = False,
    days: Annotated[int, typer.Option(min=1, max=3650, help="Days until it expires.")] = 365,
    as_json: AsJson = False,
) -> None:
    """Create a token; it is shown only this once."""
    if admin == (network is not None):
        raise typer.BadParameter("give either --admin or --network")
    with _runtime() as runtime, runtime.database.write() as session:
        found = networks.by_slug(session, network) if network else None
        bound = None
        if member is not None and found is not None:
            bound = members.get_member(session, found, member)
        now = runtime.now()
        scopes = ["admin"] if admin else scope or list(callers.NETWORK_SCOPES)
        row, secret = tokens.create_token(
            session,
            name=name,
            scopes=scopes,
            network=found,
            member=bound,
            now=now,
            expires_at=now + timedelta(days=days),
        )
        _show(
            as_json,
            {"id": str(row.id), "token": secret, "scopes": scopes, "expires_at": row.expires_at},
            lambda: secret,
        )


@token_app.command("list")
def token_list(as_json: AsJson = False) -> None:
    """List the tokens: what they may do and when they were used, never their text."""
    with _runtime() as runtime, runtime.database.read() as session:
        found = session.execute(
            select(Token, Network.slug).outerjoin(Network, Token.network_id == Network.id).order_by(Token.id)
        )
        rows = [
            {
                "id": str(row.id),
                "name": row.name,
                "network": slug,
                "scopes": row.scopes,
                "expires_at": row.expires_at.date(),
                "last_used_at": row.last_used_at,
                "revoked_at": row.revoked_at,
            }
            for row, slug in found
        ]
        columns = ("id", "name", "network", "scopes", "expires_at", "last_used_at", "revoked_at")
        _show(as_json, rows, lambda: _table(columns, [[_plain(row[c]) for c in columns] for row in rows]))


def _plain(value: Any) -> Any:
    return " ".join(value) if isinstance(value, list) else value


@token_app.command("revoke")
def token_revoke(token_id: Annotated[str, typer.Argument(help="Its id, from `laurel token list`.")]) -> None:
    """Revoke a token at once."""
    with _runtime() as runtime, runtime.database.write() as session:
        tokens.revoke_token(session, token_id, runtime.now())
        out.print("Revoked.")


OrNetwork = Annotated[str | None, typer.Option("--network", "-n", help="Slug of the network.")]
OrService = Annotated[bool, typer.Option("--service", help="The service's own, which sign receipts of checks.")]


@keys_app.command("list")
def keys_list(network: OrNetwork = None, service: OrService = False, as_json: AsJson = False) -> None:
    """List the keys of a network or of the service, with their dates.

    Retired keys stay published, so that what they signed still verifies.
    """
    _check_one_owner(network, service=service)
    with _runtime() as runtime, runtime.database.read() as session:
        _show_keys(
            as_json,
            service_identity.keys(session)
            if network is None
            else keyring.keys_of(session, networks.by_slug(session, network)),
        )


@keys_app.command("new")
def keys_new(
    network: NetworkSlug,
    algorithm: Annotated[str, typer.Option(help="Ed25519, P-256 or RSA")] = "Ed25519",
    as_json: AsJson = False,
) -> None:
    """Make another key; the newest of its algorithm signs from now on."""
    with _runtime() as runtime, runtime.database.write() as session:
        act = Act(session, networks.by_slug(session, network), None, runtime.now())
        _show_keys(
            as_json,
            [keyring.create_key(act, runtime, algorithm)],
        )


@keys_app.command("rotate")
def keys_rotate(network: OrNetwork = None, service: OrService = False, as_json: AsJson = False) -> None:
    """Replace the signing keys of a network or of the service.

    The old keys are kept and stay published, with their dates.
    """
    _check_one_owner(network, service=service)
    with _runtime() as runtime, runtime.database.write() as session:
        now = runtime.now()
        _show_keys(
            as_json,
            [service_identity.rotate(session, runtime, now)]
            if network is None
            else keyring.rotate(Act(session, networks.by_slug(session, network), None, now), runtime),
        )


def _check_one_owner(network: str | None, *, service: bool) -> None:
    if service == (network is not None):
        raise typer.BadParameter("give either --network or --service")


def _show_keys(as_json: bool, keys: Sequence[Key | ServiceKey]) -> None:
    columns = ("kid", "algorithm", "valid_from", "retired_at", "compromised_at")
    rows = [{column: getattr(key, column, None) for column in columns} for key in keys]
    _show(as_json, rows, lambda: _table(columns, [[row[c] for c in columns] for row in rows]))


@status_app.command("publish")
def status_publish(as_json: AsJson = False) -> None:
    """Sign and publish every status list again."""
    with _runtime() as runtime:
        count = upkeep.publish_status_lists(runtime)
        _show(as_json, {"published": count}, lambda: f"{count} status lists published.")


@app.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV or NDJSON.")],
    mapping: Annotated[
        Path, typer.Option("--mapping", "-m", exists=True, dir_okay=False, help="What a row means (TOML).")
    ],
    network: NetworkSlug,
    report: Annotated[Path | None, typer.Option(help="Write what became of each row to this file (NDJSON).")] = None,
    columns: Annotated[
        bool, typer.Option("--columns", help="Show for each column the answers and their counts.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Import a file, row by row; the same file again changes nothing."""
    with _runtime() as runtime:
        plan = importing.read_mapping(mapping)
        with _progress("Importing") as advance:
            result = importing.run(runtime, network, file, plan, advance=advance)
        if report is not None:
            report.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in result.rows))
        _show(as_json, result.to_json(), lambda: result.text(columns=columns))
        if result.counts.get("rejected"):
            raise typer.Exit(1)


@contextmanager
def _progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """Yield a function (done, total) that moves a progress bar on standard error."""
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=err,
        transient=True,
    )
    with bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


@app.command()
def outbox(
    show: Annotated[str | None, typer.Argument(help="Name of a message: show it whole.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show the messages to educators that are in the outbox folder."""
    folder = settings.load().data_folder / "outbox"
    found = []
    for path in sorted(folder.glob("*.eml")):
        mail = message_from_bytes(path.read_bytes(), policy=email_policy)
        if show is not None and path.stem != show:
            continue
        body = mail.get_body(("plain",))
        text = body.get_content() if body is not None else ""
        found.append({"name": path.stem, "to": str(mail["to"]), "subject": str(mail["subject"]), "text": text})
    if show is not None and not found:
        raise typer.BadParameter(f"no message is called {show!r}")
    if show is not None:
        _show(as_json, found[0], lambda: f"To: {found[0]['to']}\nSubject: {found[0]['subject']}\n\n{found[0]['text']}")
        return
    columns = ("name", "to", "subject")
    empty = f"No message in {folder}."
    _show(as_json, found, lambda: _table(columns, [[m[c] for c in columns] for m in found]) if found else empty)


app.command(cls=verify.VerifyCommand)(verify.verify)


if __name__ == "__main__":
    main()
