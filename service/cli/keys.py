"""`laurel keys`: the signing keys of a network or of the service."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from service.cli.terminal import AsJson, NetworkSlug, answer, opened, table

if TYPE_CHECKING:
    from service.console.compromised_keys import Declared
    from service.tables import Key, ServiceKey

keys_app = typer.Typer(help="Signing keys of a network.", no_args_is_help=True)

OrNetwork = Annotated[str | None, typer.Option("--network", "-n", help="Slug of the network.")]
OrService = Annotated[bool, typer.Option("--service", help="The service's own, which sign receipts of checks.")]


@keys_app.command("list")
def keys_list(network: OrNetwork = None, service: OrService = False, as_json: AsJson = False) -> None:
    """List the keys of a network or of the service, with their dates.

    Retired keys stay published, so that what they signed still verifies.
    """
    from service.networks import networks
    from service.signing import keyring, service_identity

    _check_one_owner(network, service=service)
    with opened() as runtime, runtime.database.read() as session:
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
    from service.access.act import Act
    from service.networks import networks
    from service.signing import keyring

    with opened() as runtime, runtime.database.write() as session:
        act = Act(session, networks.by_slug(session, network), None, runtime.now())
        _show_keys(
            as_json,
            [keyring.create_key(act, runtime, algorithm)],
        )


@keys_app.command("rotate")
def keys_rotate(
    network: OrNetwork = None,
    service: OrService = False,
    lost: Annotated[bool, typer.Option("--lost", help="Even if no key can be opened: all are lost for good.")] = False,
    as_json: AsJson = False,
) -> None:
    """Replace the signing keys of a network or of the service.

    The old keys are kept and stay published, with their dates. Refused if the passphrase does not open the keys that
    there are.
    """
    from service.access.act import Act
    from service.networks import networks
    from service.signing import keyring, service_identity

    _check_one_owner(network, service=service)
    with opened() as runtime, runtime.database.write() as session:
        now = runtime.now()
        _show_keys(
            as_json,
            [service_identity.rotate(session, runtime, now, lost=lost)]
            if network is None
            else keyring.rotate(Act(session, networks.by_slug(session, network), None, now), runtime, lost=lost),
        )


@keys_app.command("compromised")
def keys_compromised(
    kids: Annotated[list[str], typer.Argument(help="The `kid` of each key, from `laurel keys list`.")],
    since: Annotated[
        str, typer.Option(help="Since when others may have had it: 2026-03-01T08:00:00Z. Not known: its `valid_from`.")
    ],
    service: OrService = False,
    rehearse: Annotated[bool, typer.Option("--rehearse", help="Say what would happen, and change nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Declare that others may have had keys, and set right what these signed.

    The same command again goes on where an earlier one broke off.
    """
    from service.console import compromised_keys

    body = compromised_keys.CompromisedIn(kids=kids, since=_instant(since), rehearse=rehearse)
    with opened() as runtime:
        if service:
            done = compromised_keys.declare_services(runtime, body, runtime.now())
        else:
            done = compromised_keys.declare(runtime, body, runtime.now())
        answer(as_json, asdict(done), lambda: _told(done))


def _instant(text: str) -> datetime:
    """Return the instant that a person typed, in ISO 8601, with its time zone."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"expected a time such as 2026-03-01T08:00:00Z, got {text}") from error
    if instant.tzinfo is None:
        raise typer.BadParameter(f"expected a time with its zone, such as {text}Z for UTC, got {text}")
    return instant.astimezone(UTC)


def _told(done: "Declared") -> str:
    """Return what a declaration did, for a person at a terminal."""
    lines = ["This is a rehearsal: nothing has changed."] if done.rehearsed else []
    lines += [f"Others may have had it since {done.since:%Y-%m-%d %H:%M:%S} UTC: {kid}" for kid in done.kids]
    lines += [f"{name} signs now: {kid or 'a new key'}" for name, kid in done.signs.items()]
    if done.network is None:
        return "\n".join([*lines, "What it signed was given away, and nothing is kept here: receipts of checks."])
    lines.append(f"Status lists signed again: {done.status_lists}")
    lines.append(f"Badges from before, signed again under their id: {len(done.reissued)}")
    lines += [f"  {credential_id}" for credential_id in done.reissued]
    lines.append(f"Badges issued since, which people decide on: {len(done.suspended)}")
    lines += [
        f"  {each.credential} {each.state}, {each.achievement} of {each.member}, {each.issued_at:%Y-%m-%d %H:%M:%S}"
        for each in done.suspended
    ]
    if done.suspended:
        lines.append(f"The queue: GET /v1/networks/{done.network}/approvals?state=waiting&kind=standing")
    return "\n".join([*lines, f"People who get a mail: {done.people}"])


def _check_one_owner(network: str | None, *, service: bool) -> None:
    if service == (network is not None):
        raise typer.BadParameter("give either --network or --service")


def _show_keys(as_json: bool, keys: "Sequence[Key | ServiceKey]") -> None:
    columns = ("kid", "algorithm", "valid_from", "retired_at", "compromised_at", "declared_at")
    rows = [{column: getattr(key, column) for column in columns} for key in keys]
    answer(as_json, rows, lambda: table(columns, [[row[c] for c in columns] for row in rows]))
