"""The operator confirms who a network is, by its name.

Anybody who may create networks may name one as they like, so a check of a badge calls a network known only once the
operator has looked at it. A new name or web site ends the confirmation. The names stay noted: once the operator
confirms the network again, the badges that bear an earlier confirmed name are good again, and one that was issued under
a name that nobody confirmed is not.
"""

from pydantic import Field

from service.access.act import Act
from service.bodies import Body, Line
from service.errors import ConflictError
from service.outbox import events
from service.storage import locks


class ConfirmationIn(Body):
    """Who the operator believes the network to be."""

    name: Line = Field(description="the present name of the network, letter by letter", examples=["River Writers"])


def confirm(act: Act, body: ConfirmationIn) -> None:
    """Confirm the act's network under its present name; once more changes nothing.

    Raises:
        ConflictError: the network has another name (code "network-name-differs").
    """
    network = act.network
    locks.network(act.session, network.id)
    act.session.refresh(network)
    if body.name != network.name:
        message = "Expected the present name of the network, letter by letter, got another one."
        raise ConflictError("network-name-differs", message, "/name")
    if network.confirmed_at is None:
        network.confirmed_at = act.now
        network.confirmed_names = sorted({*network.confirmed_names, network.name})
        events.append(act, "network.confirmed", {"network": str(network.id)})


def withdraw(act: Act) -> None:
    """Take the confirmation back, with every name that was confirmed; once more changes nothing."""
    network = act.network
    locks.network(act.session, network.id)
    act.session.refresh(network)
    network.confirmed_names = []
    lapse(act)


def lapse(act: Act) -> None:
    """End the confirmation of the act's network, if it has one."""
    if act.network.confirmed_at is not None:
        act.network.confirmed_at = None
        events.append(act, "network.unconfirmed", {"network": str(act.network.id)})
