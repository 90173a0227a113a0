"""`laurel serve`: start the service where its public address says."""

import errno
import os
import socket
import sys
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Annotated, Any, Final
from urllib.parse import urlsplit

import typer

from service.cli.terminal import opened, out

if TYPE_CHECKING:
    from service.runtime.settings import Settings

SERVICE = "service.app:from_environment"
CONNECTION = "service.web.connections:TimelyConnection"
"""Named and not given: a worker would import it, and all of the framework, before it tells its parent that it lives."""
PORT: Final = 8000
_ANY: Final = {"0.0.0.0", "::"}  # noqa: S104  (hosts that are compared, not listened on)
_REACHED: Final = {
    "localhost": {"localhost", "127.0.0.1", "::1"} | _ANY,
    "127.0.0.1": {"localhost", "127.0.0.1"} | _ANY,
    "::1": {"localhost", "::1", "::"},
}
"""On which hosts somebody must listen so that an address of this machine is answered."""


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on; left out: this machine only.")] = None,
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Port to listen on; left out: that of the base URL, or 8000.")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes; each with its own connections.")] = 1,
) -> None:
    """Start the service. Settings come from LAUREL_* variables or .env.

    On localhost it listens on the port of LAUREL_BASE_URL. Without one, --port says both: the port, and the address
    that badges carry. It is kept in the database, for the other commands and the next start.
    """
    import uvicorn

    from service.checking.desk import Desk
    from service.operations import ending
    from service.runtime import settings
    from service.signing import base_url
    from service.web import connections

    with opened() as runtime:
        Desk.open(runtime)  # so that a broken trust list is told in one sentence, before a process starts
        with runtime.database.read() as session:
            fixed = base_url.fixed(session)
        place = place_of(runtime.settings, host, port, named=settings.load().names_base_url, fixed=fixed)
        place.check_free()
        with runtime.database.write() as session:
            base_url.note_served(session, runtime.settings.at(place.base_url))
    out.print(f"Laurel listens on {place.listening}.", markup=False)
    out.print(f"Its public address is {place.base_url} (API: {place.base_url}/docs).", markup=False)
    os.environ["LAUREL_BASE_URL"] = place.base_url  # the processes that serve read their settings themselves
    if workers > 1:
        # A worker begins by importing the main module. It must not be the whole command: until that is imported, the
        # worker does not tell its parent that it lives, and on a busy machine it was replaced again and again.
        sys.modules["__main__"] = ModuleType("__main__")
    # No access log: nobody needs to know who looked at which badge.
    given: dict[str, Any] = {
        "factory": True,
        "host": place.host,
        "port": place.port,
        "access_log": False,
        "proxy_headers": False,  # `web/behind_proxies` decides who calls; uvicorn would believe all on this machine
        "log_level": "warning",
        "timeout_graceful_shutdown": ending.GRACE_SECONDS,
        "http": CONNECTION,
        "limit_concurrency": connections.AT_ONCE,
    }
    if workers == 1:
        uvicorn.run(SERVICE, **given)
    else:
        config = uvicorn.Config(SERVICE, workers=workers, **given)
        ending.Supervisor(config, [config.bind_socket()]).run()


@dataclass(frozen=True)
class Place:
    """Where the service listens, and under which address others reach it.

    Args:
        instead: what to give to use another port; "" if no other port will do.
    """

    host: str
    port: int
    base_url: str
    instead: str

    @property
    def listening(self) -> str:
        """The address at which it listens."""
        return f"http://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"

    def check_free(self) -> None:
        """Refuse an address at which nobody can listen, or somebody does.

        Raises:
            SettingsError: one sentence with how to mend it.
        """
        from service.runtime.settings import SettingsError

        try:
            with socket.socket(socket.AF_INET6 if ":" in self.host else socket.AF_INET) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind((self.host, self.port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                other = f", or give another port with {self.instead}" if self.instead else ""
                message = f"Port {self.port} of {self.host} is in use: stop the program that listens there{other}."
            elif error.errno in {errno.EACCES, errno.EPERM}:
                message = f"Port {self.port} of {self.host} is not for this account: expected a port above 1023."
            else:
                message = f"--host: expected an address of this machine, got {self.host!r}."
            raise SettingsError(message) from error


def place_of(settings: "Settings", host: str | None, port: int | None, *, named: bool, fixed: str | None) -> Place:
    """Return where to listen, and the public address.

    1. On localhost the port is that of the base URL. Where no setting names a base URL and no credential fixes it,
       `port` says both.
    2. Behind a proxy (the base URL is https, or proxies are named) the two differ, and that is right.

    Args:
        settings: their base URL is the one that the database knows where none is named.
        named: whether a setting names the base URL.
        fixed: the base URL in issued credentials.
    Raises:
        SettingsError: nobody would answer at the base URL.
    """
    from service.runtime.settings import SettingsError

    base_url = settings.base_url
    if port is not None and settings.local and not named and fixed is None:
        base_url = f"http://localhost:{port}"  # (1)
    parts = urlsplit(base_url)
    name = parts.hostname or ""
    listening = host or ("::1" if name == "::1" else "127.0.0.1")
    if parts.scheme == "https" or settings.trusted_proxies:  # (2)
        return Place(listening, port or PORT, base_url, "--port")
    expected = parts.port or 80
    why = f"{base_url} stands in the credentials already issued" if fixed else f"LAUREL_BASE_URL is {base_url}"
    dead = "badges would carry an address at which nobody answers"
    if port not in {None, expected}:
        other = "" if fixed else f", or set LAUREL_BASE_URL=http://localhost:{port}"
        message = (
            f"--port: expected {expected}, because {why}, got {port}: {dead}. Leave --port out{other}; if a proxy "
            f"listens on {expected}, name it in LAUREL_TRUSTED_PROXIES."
        )
        raise SettingsError(message)
    if listening not in _REACHED[name]:
        message = f"--host: expected {' or '.join(sorted(_REACHED[name]))}, because {why}, got {listening}: {dead}."
        raise SettingsError(message)
    instead = f"LAUREL_BASE_URL=http://localhost:{expected + 1}" if named else f"--port {expected + 1}"
    return Place(listening, expected, base_url, "" if fixed else instead)
