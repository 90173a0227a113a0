"""What people wrote stays in the tables for it, whatever fails: not in logs, other tables, spools or half-written files.

A server process of its own is sent names, addresses and texts, and is made to fail in every way that is known. Then all
that it left is searched.
"""

import resource
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import httpx2
import psycopg
import pytest
from sqlalchemy import Table, select, text

from service.networks import networks
from service.runtime.clock import utc_now
from service.runtime.runtime import Runtime
from service.tables import Message, Row
from tests.worlds.acting import actor
from tests.worlds.mailing import mail_server
from tests.worlds.processes import environment_of, start_listening
from tests.worlds.runtimes import Clock
from tests.worlds.waiting import until

NAME, EMAIL = "Planted Person", "planted.person@river.example.org"
EVIDENCE, CASE = "planted words of a contribution", "planted words of a case"
PLANTED = (NAME, EMAIL, "planted.person", EVIDENCE, CASE)
PERSONAL = {"identities", "members", "record_bodies", "case_texts"}
"""Where personal content may be."""
ROOT = "/v1/networks/river"

SERVER = """
import socket, sys
import uvicorn
from service.storage import database
database.BUSY_TIMEOUT_SECONDS = 0.2
from service import app
listening = socket.socket(fileno=int(sys.argv[1]))
uvicorn.Server(uvicorn.Config(app.from_environment(), log_level="warning", access_log=False)).run(sockets=[listening])
"""


class Served:
    """A server process, spoken to as a network and as its members, and what it wrote to its outputs."""

    def __init__(self, runtime: Runtime, folder: Path, mail_url: str) -> None:
        self.runtime = runtime
        (folder / "tmp").mkdir(exist_ok=True)
        url = runtime.settings.database_url
        limit = "&options=-c%20statement_timeout%3D1500"
        environment = environment_of(runtime) | {
            "LAUREL_DATABASE_URL": url if runtime.database.is_sqlite else url + limit,
            "LAUREL_MAIL_URL": mail_url,
            "TMPDIR": str(folder / "tmp"),
        }
        self.process, self.port = start_listening(
            SERVER, environment=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        assert self.process.stdout is not None
        self._said: list[bytes] = []
        self._reader = threading.Thread(target=self._read, args=(self.process.stdout,))
        self._reader.start()
        self.ended = False
        address = f"http://127.0.0.1:{self.port}"
        # A server closes the connection after an answer of 500: a client that kept it would fail at its next request.
        speaking: Any = httpx2.Client
        self.client = speaking(base_url=address, timeout=60, headers={"Connection": "close"})
        self.who = actor(runtime, self.client, slug="river")

    def _read(self, output: IO[bytes]) -> None:
        self._said.extend(iter(output.readline, b""))

    def end(self, how: signal.Signals) -> str:
        """End the process and return what it wrote."""
        self.ended = True
        self.client.close()
        self.process.send_signal(how)
        self.process.wait(60)
        self._reader.join()
        assert self.process.stdout is not None
        self.process.stdout.close()
        return b"".join(self._said).decode()

    def member(self, ref: str) -> Any:
        return self.who.put(f"{ROOT}/members/{ref}", {"name": NAME, "email": f"{ref}.{EMAIL}"})

    def contribute(self, ref: str) -> Any:
        body = {"ref": ref, "member": "m1", "type": "shared", "occurred_at": "2026-03-01T10:00:00Z"}
        body |= {"title": EVIDENCE, "description": EVIDENCE}
        return self.who.post(f"{ROOT}/contributions", body, headers={"Idempotency-Key": ref})

    def record_award(self, member: str) -> Any:
        body = {"achievement": "sharer", "member": member, "basis": "recorded", "reason": "Awarded on paper."}
        return self.who.post(f"{ROOT}/awards", body | {"awarded_at": "2021-06-30T12:00:00Z"})

    def contest(self) -> Any:
        return actor(self.runtime, self.client, slug="river", member="m1").post(
            f"{ROOT}/cases", {"achievement": "other", "statement": CASE}
        )

    def import_many(self, count: int) -> Any:
        line = '{"ref": "bulk-%d", "member": "m1", "type": "shared", "occurred_at": "2026-03-01T10:00:00Z", "title": "%s"}\n'
        wrong = (
            f'{{"ref": "wrong", "member": "m1", "type": "{EVIDENCE}", "minutes": "{EMAIL}", "occurred_at": "{NAME}"}}\n'
        )
        body = wrong + "".join(line % (n, EVIDENCE) for n in range(count))
        headers = {"Authorization": f"Bearer {self.who.token}", "Content-Type": "application/x-ndjson"}
        return self.client.post(f"{ROOT}/contributions/bulk", content=body, headers=headers)


# --- Failures ---------------------------------------------------------------------------------------------------------

REFUSED = ("record_bodies", "identities", "case_texts")


def execute(runtime: Runtime, *statements: str) -> None:
    with runtime.database.engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))


@contextmanager
def refused_rows(served: Served) -> Iterator[None]:
    """Have the database refuse rows; PostgreSQL says which, with all that is in them."""
    if served.runtime.database.is_sqlite:
        raised = "BEGIN SELECT RAISE(ABORT, 'refused'); END"
        execute(served.runtime, *(f"CREATE TRIGGER no_{t} BEFORE INSERT ON {t} {raised}" for t in REFUSED))
        yield
        execute(served.runtime, *(f"DROP TRIGGER no_{t}" for t in REFUSED))
    else:
        execute(served.runtime, *(f"ALTER TABLE {t} ADD CONSTRAINT no_{t} CHECK (false) NOT VALID" for t in REFUSED))
        yield
        execute(served.runtime, *(f"ALTER TABLE {t} DROP CONSTRAINT no_{t}" for t in REFUSED))


@contextmanager
def full_disk(served: Served) -> Iterator[None]:
    """Let the process write no file; PostgreSQL's disk is full for the rows, which it repeats."""
    if served.runtime.database.is_sqlite:
        before = resource.prlimit(served.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(served.process.pid, resource.RLIMIT_FSIZE, (0, before[1]))
        yield
        resource.prlimit(served.process.pid, resource.RLIMIT_FSIZE, before)
    else:
        raised = "RAISE EXCEPTION 'no place for %', NEW USING ERRCODE = 'disk_full'"
        execute(
            served.runtime,
            f"CREATE FUNCTION no_place() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {raised}; END $$",
            *(
                f"CREATE TRIGGER full_{t} BEFORE INSERT ON {t} FOR EACH ROW EXECUTE FUNCTION no_place()"
                for t in REFUSED
            ),
        )
        yield
        execute(served.runtime, "DROP FUNCTION no_place CASCADE")


@contextmanager
def held_tables(served: Served) -> Iterator[None]:
    """Hold what the process wants to write until it gives up."""
    if served.runtime.database.is_sqlite:
        with served.runtime.database.write() as session:
            session.connection()  # a transaction begins with its first statement
            yield
    else:
        with psycopg.connect(served.runtime.settings.database_url.replace("+psycopg", "")) as other:
            other.execute(f"LOCK TABLE {', '.join(REFUSED)} IN ACCESS EXCLUSIVE MODE")
            yield
            other.rollback()


def say_garbage(served: Served) -> None:
    with socket.create_connection(("127.0.0.1", served.port)) as speaking:
        speaking.sendall(f"{EMAIL} {NAME}\r\n\r\n".encode())
        speaking.recv(1000)


def kill_while_it_imports(served: Served) -> str:
    """Kill the process in the middle of a body of many records, and return what it wrote."""

    def post() -> None:
        with pytest.raises(httpx2.TransportError):
            served.import_many(20_000)

    sending = threading.Thread(target=post)
    sending.start()
    assert until(lambda: rows_in(served.runtime, Row.metadata.tables["record_bodies"]) > 600)
    served.process.kill()
    sending.join()
    return served.end(signal.SIGKILL)


# --- What was left ----------------------------------------------------------------------------------------------------


def rows_in(runtime: Runtime, table: Table) -> int:
    with runtime.database.read() as session:
        return len(session.execute(select(*table.primary_key.columns)).all())


def messages(runtime: Runtime) -> list[str]:
    with runtime.database.read() as session:
        return list(session.scalars(select(Message.state)))


def found_in(content: str) -> list[str]:
    return [planted for planted in PLANTED if planted in content]


def whole(rows: Iterable[Sequence[Any]]) -> str:
    """Return what stands in rows; the text form of a row itself leaves out the middle of long values."""
    return repr([tuple(row) for row in rows])


def found_in_tables(runtime: Runtime) -> dict[str, list[str]]:
    with runtime.database.read() as session:
        contents = {name: whole(session.execute(select(t)).all()) for name, t in Row.metadata.tables.items()}
    assert all(found_in(contents[name]) for name in PERSONAL), "expected what was planted where it belongs"
    return {name: found for name, content in contents.items() if name not in PERSONAL and (found := found_in(content))}


def found_in_files(folder: Path) -> dict[str, list[str]]:
    """Return what stands in which file, but for the database and for mails, which are written to the person."""
    files = [path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("laurel.db")]
    mails = {path for path in files if path.suffix == ".eml"}
    assert mails, "expected mails in the outbox"
    found = {path.name: found_in(path.read_bytes().decode("latin-1")) for path in files}
    for path in mails:
        found[path.name] = [each for each in found[path.name] if each in {EVIDENCE, CASE}]
    return {name: each for name, each in found.items() if each}


@pytest.fixture
def serve(runtime: Runtime, tmp_path: Path) -> Iterator[Callable[[str], Served]]:
    """Start a server process that sends mail to an address, or into the outbox folder."""
    started: list[Served] = []

    def start(mail_url: str) -> Served:
        started.append(Served(runtime, tmp_path, mail_url))
        return started[-1]

    yield start
    for each in started:
        if not each.ended:
            sys.stdout.write(each.end(signal.SIGKILL))


def test_what_people_wrote_stays_where_it_belongs_whatever_fails(
    runtime: Runtime, clock: Clock, tmp_path: Path, serve: Callable[[str], Served]
) -> None:
    clock.at = utc_now()
    make_network(runtime)
    with mail_server() as box:
        box.answer = "550 no mailbox for {recipient}"
        served = serve(box.url)
        publish(served)
        answers = [served.member("m1"), served.contribute("c1"), served.record_award("m1"), served.contest()]
        assert [answer.status_code for answer in answers] == [201] * 4, [answer.text for answer in answers]
        assert until(lambda: "failed" in messages(runtime))
        assert EMAIL in "".join(box.recipients)
        for failing, status in ((refused_rows, 500), (full_disk, 503), (held_tables, 503)):
            with failing(served):
                failed = [served.member(failing.__name__), served.contribute(failing.__name__), served.import_many(3)]
            assert [answer.status_code for answer in failed] == [status] * 3, failing.__name__
        say_garbage(served)
        written = kill_while_it_imports(served)
    assert "unexpected error at POST /v1/networks/{slug}/contributions" in written
    assert "was not sent" in written
    again = serve("")
    assert again.member("m2").status_code == 201
    assert again.record_award("m2").status_code == 201
    assert until(lambda: "sent" in messages(runtime))
    written += again.end(signal.SIGTERM)
    assert found_in(written) == [], written
    assert found_in_tables(runtime) == {}
    assert found_in_files(tmp_path) == {}


def make_network(runtime: Runtime) -> None:
    said = {
        "slug": "river",
        "name": "River",
        "kind": "informal",
        "url": "https://river.example.org",
        "time_zone": "UTC",
    }
    with runtime.database.write() as session:
        networks.create_network(session, runtime, networks.NetworkIn.model_validate(said), runtime.now())


def publish(served: Served) -> None:
    for ref in ("sharer", "other"):
        criteria = {"narrative": "N.", "rule": {"rule": "count", "gte": 500_000}}
        body = {"ref": ref, "name": ref, "description": "D.", "achievement_type": "Badge", "criteria": criteria}
        answer = served.who.post(f"{ROOT}/achievements", body | {"award": "reviewed", "publish": True})
        assert answer.status_code == 201, answer.text
