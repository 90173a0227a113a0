"""`laurel serve` as a process: that it ends when it is told to, whatever goes on."""

import json
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import psutil
import pytest
from fastapi.testclient import TestClient

from service.runtime.runtime import Runtime
from service.tables import Message, Webhook
from service.tables.identifiers import new_id
from tests.worlds.awarding import Stage
from tests.worlds.processes import environment_of, free_port, laurel_serve
from tests.worlds.runtimes import BASE_URL, app_of
from tests.worlds.waiting import PATIENCE_SECONDS, until

pytestmark = pytest.mark.any_database("processes end alike on every database")

MAILS = 300


@dataclass
class Silent:
    """A server that takes connections and never says a word."""

    port: int
    taken: list[socket.socket] = field(default_factory=list)

    @property
    def url(self) -> str:
        """An address at it."""
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def silent() -> Iterator[Silent]:
    """Yield a silent server on this machine."""
    with socket.create_server(("127.0.0.1", 0), backlog=500) as listening:
        here = Silent(listening.getsockname()[1])

        def take() -> None:
            while True:
                try:
                    here.taken.append(listening.accept()[0])
                except OSError:
                    return

        threading.Thread(target=take, daemon=True).start()
        try:
            yield here
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            for each in here.taken:
                each.close()


@dataclass(frozen=True)
class Served:
    """A running `laurel serve`."""

    process: subprocess.Popen[bytes]
    port: int

    def begin(self, request: str, body: bytes, length: int | None = None, **headers: str) -> socket.socket:
        """Send a request of which nothing is read; if `length` is more than the body, it stays unfinished."""
        named = {"Host": "localhost", "Content-Length": str(length or len(body))} | headers
        lines = [f"{request} HTTP/1.1", *(f"{name.replace('_', '-')}: {value}" for name, value in named.items())]
        sending = socket.create_connection(("127.0.0.1", self.port))
        sending.sendall("\r\n".join([*lines, "", ""]).encode() + body)
        return sending

    def told_to_end(self) -> int:
        """Send SIGTERM and return the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE_SECONDS)


@contextmanager
def serving(runtime: Runtime, workers: int, **given: str) -> Iterator[Served]:
    """Yield `laurel serve` on the rows, files and keys of a runtime, as if a proxy stood before it."""
    port = free_port()
    environment = environment_of(runtime, LAUREL_TRUSTED_PROXIES="192.0.2.1", **given)
    with laurel_serve(port, environment, workers=workers) as process:
        yield Served(process, port)


def busy_stage(runtime: Runtime, there: Silent) -> Stage:
    """Leave hundreds of mails and some webhooks to a server that does not answer."""
    stage = Stage.set_up(TestClient(app_of(runtime), base_url=BASE_URL), runtime)
    stage.achievement()
    stage.member("m11", email="m11@example.org")
    for n in range(6):
        stage.send("POST", "./webhooks", {"url": f"{there.url}/{n}"})
    stage.recorded()
    with runtime.database.write() as session:
        first = session.query(Message).one()
        about = {"network_id": first.network_id, "credential_id": first.credential_id, "due_at": first.due_at}
        session.add_all(Message(id=new_id(), **about) for _ in range(MAILS - 1))
    return stage


@pytest.mark.parametrize("workers", [1, 2])
def test_the_service_ends_whatever_goes_on(runtime: Runtime, workers: int) -> None:
    with ExitStack() as open_, silent() as there:
        stage = busy_stage(runtime, there)
        mail_url = f"smtp://127.0.0.1:{there.port}"
        served = open_.enter_context(serving(runtime, workers, LAUREL_MAIL_URL=mail_url))
        bearer = f"Bearer {stage.token}"
        lines = {"Authorization": bearer, "Content_Type": "application/x-ndjson"}
        links = [{"id": str(n), "url": f"{there.url}/badge-{n}"} for n in range(50)]
        batch, single = json.dumps({"items": links}).encode(), json.dumps({"url": f"{there.url}/badge"}).encode()
        path = f"POST /v1/networks/{stage.slug}/contributions"
        upload = open_.enter_context(served.begin(path, b'{"ref": "never finished"', 1_000_000, **lines))
        for _ in range(2):
            open_.enter_context(served.begin("POST /v1/verification-batches", batch, Content_Type="application/json"))
        for _ in range(6):
            open_.enter_context(served.begin("POST /v1/verifications", single, Content_Type="application/json"))
        assert until(lambda: len(there.taken) >= 10), "mails, webhooks and checks wait for the other server"
        served.told_to_end()
        assert upload.recv(4096).split()[1] in {b"503", b"408"}, "its sender is told to come again"
    with runtime.database.read() as session:
        assert session.query(Message).filter(Message.state != "queued").count() == 0, "no mail is lost"
        soon = session.query(Message).filter(Message.attempts == 0).count()
        assert soon >= MAILS - 10, "those that were not at their turn are free for the next process"
        assert session.query(Webhook).filter(Webhook.attempts > 1).count() == 0


def test_an_idle_service_ends_too(runtime: Runtime) -> None:
    with serving(runtime, 1) as served:
        assert served.told_to_end() == -signal.SIGTERM


def test_workers_end_when_the_process_that_started_them_was_killed(runtime: Runtime) -> None:
    with serving(runtime, 2) as served:
        started = psutil.Process(served.process.pid).children(recursive=True)
        assert len(started) >= 2
        served.process.kill()
        assert until(lambda: not any(each.is_running() and each.status() != "zombie" for each in started))
