"""The service in a process of its own: with which settings, when it answers, how it ends."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import IO, Any

from service.runtime.runtime import Runtime
from tests.worlds.waiting import PATIENCE_SECONDS, until

LAUREL = str(Path(sys.executable).parent / "laurel")


def environment_of(runtime: Runtime, **more: str) -> dict[str, str]:
    """Return the environment of a process that works on the rows, keys and files of a runtime."""
    given = runtime.settings
    assert given.keys_passphrase is not None
    return {
        **os.environ,
        "LAUREL_DATABASE_URL": given.database_url,
        "LAUREL_KEYS_FOLDER": str(given.keys_folder),
        "LAUREL_KEYS_PASSPHRASE": given.keys_passphrase.get_secret_value(),
        "LAUREL_DATA_FOLDER": str(given.data_folder),
        **more,
    }


def free_port() -> int:
    """Return a port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@contextmanager
def laurel_serve(
    port: int, environment: Mapping[str, str], *, workers: int = 1, output: IO[bytes] | int | None = None
) -> Iterator["subprocess.Popen[bytes]"]:
    """Yield `laurel serve` once it answers; what is left of it at the end is ended.

    Args:
        output: where it writes; None to the outputs of the tests.
    """
    command = [LAUREL, "serve", "--port", str(port), "--workers", str(workers)]
    process = subprocess.Popen(command, env=environment, stdout=output, stderr=output, start_new_session=True)
    try:
        assert until(lambda: process.poll() is not None or _answers(port))
        assert process.poll() is None, "expected a service that starts, got one that ended"
        yield process
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _answers(port: int) -> bool:
    try:
        with closing(HTTPConnection("127.0.0.1", port, timeout=5)) as asked:
            asked.request("GET", "/health")
            return asked.getresponse().status > 0
    except (OSError, HTTPException):
        return False


def start_listening(
    program: str, *arguments: str, environment: Mapping[str, str], **more: Any
) -> tuple["subprocess.Popen[bytes]", int]:
    """Start a Python program that is given the number of a listening socket last; return it and the socket's port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        number = listening.fileno()
        command = [sys.executable, "-c", program, *arguments, str(number)]
        process = subprocess.Popen(command, env=environment, pass_fds=[number], **more)
        return process, listening.getsockname()[1]
