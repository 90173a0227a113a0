"""The `laurel` command: what an operator does at a terminal.

A command imports what it needs when it runs, so that no command waits for what only another one needs.
"""

import json
import sys
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from service.cli import imports, listen, restored, serving, verify
from service.cli.example import example_app
from service.cli.keys import keys_app
from service.cli.members import member_app
from service.cli.terminal import AsJson, answer, err, opened, out, table
from service.runtime import logs

app = typer.Typer(
    name="laurel",
    help="Open Badges 3.0 credentials from what happens in peer learning networks.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
network_app = typer.Typer(help="Networks: each is an issuer with an address and keys of its own.", no_args_is_help=True)
token_app = typer.Typer(help="Tokens: what programs show when they post evidence or award.", no_args_is_help=True)
status_app = typer.Typer(help="Status lists: where verifiers see what was revoked.", no_args_is_help=True)
app.add_typer(network_app, name="network")
app.add_typer(member_app, name="member")
app.add_typer(token_app, name="token")
app.add_typer(keys_app, name="keys")
app.add_typer(status_app, name="status")
app.add_typer(example_app, name="example")


def main() -> None:
    """Run the command.

    Every expected failure is one sentence on standard error. The exit status is then 1, for wrong settings 2;
    `verify` has its own.
    """
    logs.keep_quiet()
    try:
        app(standalone_mode=True)
    except Exception as error:  # noqa: BLE001  (its message may repeat what people wrote)
        from service.cli import failures

        sentence, status = failures.told(error)
        err.print(sentence, markup=False)
        sys.exit(status)


@app.command()
def demo(folder: Annotated[Path, typer.Option(help="Where the demo keeps its files.")] = Path("var/demo")) -> None:
    """Play a small fictional network, from posted evidence to a verified badge."""
    from service.cli import demo as demonstration

    demonstration.play(folder, say=lambda line: out.print(line, markup=False))


@app.command()
def migrate() -> None:
    """Bring the database to the newest revision."""
    from service.runtime import settings
    from service.runtime.runtime import Runtime
    from service.storage import migrations

    runtime = Runtime.start(settings.load())
    migrations.upgrade(runtime.database)
    out.print("The database is at the newest revision.")


@app.command()
def openapi(
    check: Annotated[bool, typer.Option("--check", help="Compare only; exit 1 if it differs.")] = False,
) -> None:
    """Write openapi/openapi.json, the description of the API."""
    from service.app import create_app
    from service.runtime import settings
    from service.runtime.runtime import Runtime

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
    from service.networks import networks

    with opened() as runtime, runtime.database.write() as session:
        said = {"slug": slug, "name": name, "url": url, "kind": kind, "time_zone": time_zone, "sandbox": sandbox}
        body = networks.NetworkIn.model_validate(said)
        made = networks.create_network(session, runtime, body, runtime.now())
        value = {"slug": made.slug, "name": made.name, "url": f"{runtime.settings.base_url}/networks/{made.slug}"}
        answer(as_json, value, lambda: f"{made.name} is at {value['url']}")


@network_app.command("confirm")
def network_confirm(
    slug: Annotated[str, typer.Argument(help="Slug of the network.")],
    name: Annotated[str, typer.Option(prompt="The name of the network", help="Its present name, letter by letter.")],
    as_json: AsJson = False,
) -> None:
    """Confirm who a network is; only then does a check of its badges call it known."""
    from service.access.act import Act
    from service.networks import confirming, networks

    with opened() as runtime, runtime.database.write() as session:
        network = networks.by_slug(session, slug)
        body = confirming.ConfirmationIn.model_validate({"name": name})
        confirming.confirm(Act(session, network, None, runtime.now()), body)
        value = {"slug": slug, "name": network.name, "confirmed_at": network.confirmed_at}
        answer(as_json, value, lambda: f"{network.name} is confirmed. A new name or web site ends that.")


@network_app.command("unconfirm")
def network_unconfirm(slug: Annotated[str, typer.Argument(help="Slug of the network.")]) -> None:
    """Take back the confirmation of a network."""
    from service.access.act import Act
    from service.networks import confirming, networks

    with opened() as runtime, runtime.database.write() as session:
        confirming.withdraw(Act(session, networks.by_slug(session, slug), None, runtime.now()))
        out.print("Nobody vouches for this network any more.")


@token_app.command("create")
def token_create(
    name: Annotated[str, typer.Option(help="What the token is for.")] = "token",
    network: Annotated[str | None, typer.Option("--network", "-n", help="Slug of its network.")] = None,
    member: Annotated[str | None, typer.Option(help="Ref of the member it is bound to.")] = None,
    scope: Annotated[
        list[str] | None,
        typer.Option(help="May be given several times; default: all of the network's but members:erase."),
    ] = None,
    admin: Annotated[bool, typer.Option("--admin", help="A token that creates networks, instead.")] = False,
    days: Annotated[int, typer.Option(min=1, max=3650, help="Days until it expires.")] = 365,
    as_json: AsJson = False,
) -> None:
    """Create a token; it is shown only this once."""
    if admin == (network is not None):
        raise typer.BadParameter("give either --admin or --network")
    from service.access import callers, tokens
    from service.networks import members, networks

    with opened() as runtime, runtime.database.write() as session:
        found = networks.by_slug(session, network) if network else None
        bound = None
        if member is not None and found is not None:
            bound = members.get_member(session, found, member)
        now = runtime.now()
        scopes = ["admin"] if admin else scope or callers.default_scopes(bound=bound is not None)
        row, secret = tokens.create_token(
            session,
            name=name,
            scopes=scopes,
            network=found,
            member=bound,
            now=now,
            expires_at=now + timedelta(days=days),
        )
        answer(
            as_json,
            {"id": str(row.id), "token": secret, "scopes": scopes, "expires_at": row.expires_at},
            lambda: secret,
        )


@token_app.command("list")
def token_list(as_json: AsJson = False) -> None:
    """List the tokens: what they may do and when they were used, never their text."""
    from sqlalchemy import select

    from service.tables import Network, Token

    with opened() as runtime, runtime.database.read() as session:
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
        answer(as_json, rows, lambda: table(columns, [[_plain(row[c]) for c in columns] for row in rows]))


def _plain(value: Any) -> Any:
    return " ".join(value) if isinstance(value, list) else value


@token_app.command("revoke")
def token_revoke(token_id: Annotated[str, typer.Argument(help="Its id, from `laurel token list`.")]) -> None:
    """Revoke a token at once."""
    from service.access import tokens

    with opened() as runtime, runtime.database.write() as session:
        tokens.revoke_token(session, token_id, runtime.now())
        out.print("Revoked.")


@status_app.command("publish")
def status_publish(as_json: AsJson = False) -> None:
    """Sign and publish every status list again."""
    from service.operations import upkeep

    with opened() as runtime:
        count = upkeep.publish_status_lists(runtime)
        answer(as_json, {"published": count}, lambda: f"{count} status lists published.")


@app.command()
def outbox(
    show: Annotated[str | None, typer.Argument(help="Name of a message: show it whole.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show the messages to educators that are in the outbox folder."""
    from email import message_from_bytes
    from email.policy import default as email_policy

    from service.runtime import settings

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
        answer(as_json, found[0], lambda: f"To: {found[0]['to']}\nSubject: {found[0]['subject']}\n\n{found[0]['text']}")
        return
    columns = ("name", "to", "subject")
    empty = f"No message in {folder}."
    answer(as_json, found, lambda: table(columns, [[m[c] for c in columns] for m in found]) if found else empty)


app.command()(serving.serve)
app.command("import")(imports.import_file)
app.command()(listen.listen)
app.command()(listen.trigger)
app.command()(restored.restored)
app.command(cls=verify.VerifyCommand)(verify.verify)


if __name__ == "__main__":
    main()
