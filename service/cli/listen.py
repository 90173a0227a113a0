"""`laurel listen` and `laurel trigger`: events on a developer's machine."""

from typing import Annotated
from uuid import UUID

import typer

from service.cli.terminal import NetworkSlug, err, out

ForwardTo = Annotated[str | None, typer.Option("--forward-to", help="Address on your machine that takes webhooks.")]
Secret = Annotated[
    str | None,
    typer.Option(
        envvar="LAUREL_WEBHOOK_SECRET",
        help="Sign with this secret (whsec_...); left out: a new one, which is shown.",
        show_default=False,
    ),
]
NOT_ACCEPTED = 1


def listen(
    network: NetworkSlug,
    forward_to: ForwardTo = None,
    since: Annotated[
        int | None, typer.Option(min=0, help="Position of the event after which to begin; left out: new events only.")
    ] = None,
    types: Annotated[
        list[str] | None, typer.Option("--type", help="Only events of this type; may be given several times.")
    ] = None,
    url: Annotated[
        str | None,
        typer.Option(help="Address of a service elsewhere; left out: the database of this configuration."),
    ] = None,
    token: Annotated[
        str | None, typer.Option(envvar="LAUREL_TOKEN", help="Token of the network, for --url.", show_default=False)
    ] = None,
    secret: Secret = None,
    once: Annotated[bool, typer.Option("--once", help="End with the events that there are.")] = False,
) -> None:
    """Show a network's events as they happen, and forward them to your machine.

    What is forwarded is what a webhook is sent, signed in the same way (Standard Webhooks). An event that is not
    accepted is sent again, later and later, and holds the others back. End it with Ctrl-C; it then says where to go on.

    Exit status: 0; 1 with --once if something was not accepted, or if the service refuses.
    """
    from service.cli.listening import Forward, Listener, known_type, source_of

    chosen = [known_type(each).value for each in types or ()]
    forward = Forward.to(forward_to, secret) if forward_to is not None else None
    with source_of(network, url, token) as source:
        listener = Listener(source, _say, since, chosen, forward)
        accepted = True
        try:
            listener.begin()
            accepted = listener.listen(once=once)
        except KeyboardInterrupt:
            _say("")
        if listener.position is not None:
            _say(f"Go on later with --since {listener.position}.")
    if not accepted:
        raise typer.Exit(NOT_ACCEPTED)


def trigger(
    event_type: Annotated[str, typer.Argument(metavar="TYPE", help="Such as award.made; /docs/events lists all.")],
    forward_to: ForwardTo = None,
    webhook: Annotated[UUID | None, typer.Option(help="Id of a webhook of this service, instead.")] = None,
    network: Annotated[str | None, typer.Option("--network", "-n", help="Slug of the webhook's network.")] = None,
    secret: Secret = None,
) -> None:
    """Send a sample of an event, to your machine or to a webhook.

    Nothing happens in the network: all that the sample says is made up. Its `webhook-id` begins with sample-. A webhook
    gets it signed with its own secret.

    Exit status: 0; 1 if it was not accepted.
    """
    if (forward_to is None) == (webhook is None) or (webhook is None) != (network is None):
        raise typer.BadParameter("give either --forward-to, or --webhook with --network")
    from service.cli.listening import Forward, known_type, send_to_webhook
    from service.notifications.samples import sample
    from service.tables.identifiers import new_id

    made = sample(known_type(event_type))
    if forward_to is not None:
        forward = Forward.to(forward_to, secret)
        _say(f"Secret of the signature: {forward.secret_text}")
        accepted, said = forward.send(f"sample-{new_id()}", made)
    else:
        assert network is not None
        assert webhook is not None
        accepted, said = send_to_webhook(network, webhook, made)
    (out if accepted else err).print(f"{event_type} → {said}", markup=False)
    if not accepted:
        raise typer.Exit(NOT_ACCEPTED)


def _say(line: str) -> None:
    out.print(line, markup=False)
