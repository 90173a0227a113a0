"""A soak: everything that ever stopped the service, again and again, while well-behaved clients go on working.

`make soak`, ten minutes, five on each database. At the end the accounts are exact, memory is back, and every request of a well-behaved client
was answered within two seconds or told when to come again. Only here do tests measure time, in seconds of one machine.
"""

import json
import random
import subprocess
import sys
import tempfile
import time
import timeit
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import func, select

from service.tables import Award, Contribution, Credential, Member, Message, Record, StatusList, UnsettledMember
from tests.attacks.attackers import ATTACKS
from tests.attacks.besieged import WORKERS, Besieged, besieged
from tests.attacks.clients import LATER, MEMBERS, NEEDED, Clients, at_work

MEGABYTE = 1 << 20
MOST_MEMORY = 500 * MEGABYTE
"""Of one worker with the processes that open files for it, whatever strangers send."""
ANSWERED_SECONDS = 2.0
HEALTH_SECONDS = 0.5
BREAKING = frozenset({"kills", "database stops"})
"""Phases in which the process or server at the other end of a connection is killed.

A connection may break then, and answers take longer: a process that starts takes a processor for some seconds.
"""
ANSWERED_WHILE_BREAKING_SECONDS = 10.0
AT_ONCE = "everything at once"
"""The phase in which all attackers work, on the same processors as the service."""
ANSWERED_AMID_EVERYTHING_SECONDS = 4.0
"""SQLite gives its lock to whoever asks at the right moment: one request in a thousand may wait longer than 99 % do."""
CHECKED_SECONDS = 0.000_06
"""How long one Ed25519 signature is checked on the machine for which these times hold."""


@pytest.fixture
def seconds(request: pytest.FixtureRequest) -> float:
    """How long the whole soak lasts, on both databases."""
    return float(request.config.getoption("soak"))


@pytest.fixture
def slowness() -> float:
    """How many times slower this machine is than the one for which the times hold; 1 if it is faster."""
    key = Ed25519PrivateKey.generate()
    signature, public = key.sign(b"laurel"), key.public_key()
    taken = min(timeit.repeat(lambda: public.verify(signature, b"laurel"), number=1000, repeat=5)) / 1000
    return max(1.0, taken / CHECKED_SECONDS)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that the database server may enter too, which runs under another account."""
    with tempfile.TemporaryDirectory(prefix="laurel-siege-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@contextmanager
def attacked(service: Besieged, seconds: float, *kinds: str) -> Iterator[None]:
    """Attack in these ways at once; attacks that nobody answered are none, and fail."""
    command = [sys.executable, "-m", "tests.attacks.attackers"]
    started = [
        subprocess.Popen(
            [*command, kind, service.url, str(seconds), str(seed)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        for seed, kind in enumerate(kinds)
    ]
    try:
        for process in started:
            assert process.stdout is not None
            assert process.stdout.readline() == "begins\n"
        yield
        reached = 0
        for kind, process in zip(kinds, started, strict=True):
            said, _ = process.communicate(timeout=seconds + 60)
            counts = Counter({int(status): count for status, count in json.loads(said).items()})
            sys.stdout.write(f"{kind}: {dict(counts)}\n")
            assert counts[500] == 0, f"{kind} found a fault"
            reached += counts.total()
        assert reached > 0, f"{', '.join(kinds)} reached nothing"
    finally:
        for process in started:
            process.kill()
            process.wait()


def phases(clients: Clients, seconds: float) -> None:
    """Lead the service through everything, each for its share of the time."""
    service, choice, share = clients.service, random.Random(1), seconds / 12

    clients.phase = "quiet"
    time.sleep(share)
    for kind in ATTACKS:
        clients.phase = kind
        with attacked(service, share, kind):
            time.sleep(share)
    clients.phase = "kills"
    with attacked(service, share, "tokenless"):
        until, killed = time.monotonic() + share, 0
        while time.monotonic() < until:
            killed += service.kill_one(choice)
            time.sleep(0.1)
        assert killed > 0
        service.wait_for_all()
    clients.phase = "mail server away"
    with attacked(service, share, "files"):
        service.mail.answer = "451 try again"
        time.sleep(share)
        service.mail.answer = "250 OK"
    clients.phase = "disk full"
    with service.full_disk(), attacked(service, share, "uploads"):
        time.sleep(share)
    if service.server is not None:
        clients.phase = "database stops"
        service.server.stop()
        time.sleep(share / 3)
        assert httpx2.get(f"{service.url}/health", timeout=5).status_code == 200
        assert httpx2.get(f"{service.url}/ready", timeout=5).status_code == 503
        service.server.start()
        time.sleep(share * 2 / 3)
    clients.phase = AT_ONCE
    with attacked(service, share, *ATTACKS):
        time.sleep(share)
    clients.phase = "quiet again"
    time.sleep(share)


@pytest.mark.timeout(0)  # it lasts as long as it is told
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_whatever_is_done_to_it_the_service_answers_and_its_accounts_are_exact(
    folder: Path, kind: str, seconds: float, slowness: float
) -> None:
    with besieged(folder, kind) as service:
        clients = Clients(service)
        clients.set_up()
        time.sleep(5)
        before = service.memory()
        with at_work(clients):
            phases(clients, seconds / 2)
        _assert_answered(clients, slowness)
        _assert_accounts(clients)
        _assert_ready_again(service)
        sys.stdout.write(
            f"MB: {before // MEGABYTE} before, {service.memory() // MEGABYTE} after; peaks {service.peaks}\n"
        )
        assert service.memory() < before + WORKERS * 100 * MEGABYTE
        assert max(service.peaks.values()) < MOST_MEMORY, service.peaks
        assert service.stop() < 20


def _assert_answered(clients: Clients, slowness: float) -> None:
    """Every request was answered within two seconds, or refused with the time at which to come again.

    While all attackers work at once that holds for 99 % of each client's requests, and four seconds for every one.
    """
    sys.stdout.write(f"times slower: {slowness:.2f}\n")
    for client in ("watcher", "programmer", "employer", "reader"):
        slowest = {phase: round(seconds, 3) for phase, seconds in clients.slowest(client).items()}
        assert slowest[AT_ONCE] < ANSWERED_SECONDS * slowness, slowest
        sys.stdout.write(f"{client}: p99 {slowest}\n")
    broken = [each for each in clients.answers if each.status == 0 and each.phase not in BREAKING]
    assert broken == []
    assert [each for each in clients.answers if each.status in LATER and not each.told] == []
    assert [each for each in clients.answers if each.status >= 500 and each.status not in LATER] == []
    late = [each for each in clients.answers if each.status != 0 and each.seconds > _patience(each.phase) * slowness]
    assert [each for each in late if not clients.stood_still(each)] == []
    watched = {phase: seconds for phase, seconds in clients.slowest("watcher").items() if phase not in BREAKING}
    assert all(seconds < HEALTH_SECONDS * slowness for seconds in watched.values()), watched


def _patience(phase: str) -> float:
    if phase in BREAKING:
        return ANSWERED_WHILE_BREAKING_SECONDS
    return ANSWERED_AMID_EVERYTHING_SECONDS if phase == AT_ONCE else ANSWERED_SECONDS


def _assert_accounts(clients: Clients) -> None:
    """What was accepted is there once; who earned the badge has it once, and was told once."""
    service = clients.service
    until = time.monotonic() + 90
    while _unsettled(service):
        assert time.monotonic() < until, "somebody decides in the end on every member"
        time.sleep(1)
    with service.database.read() as session:
        refs = list(session.scalars(select(Record.ref).where(Record.kind == "contribution")))
        assert Counter(refs).most_common(1)[0][1] == 1
        assert clients.kept.issubset(refs)
        assert len(set(refs) - clients.kept) <= 1, "only the last one may have got no answer"
        each = select(Contribution.member_id, func.count()).group_by(Contribution.member_id)
        earned = {member_id for member_id, count in session.execute(each) if count >= NEEDED}
        assert len(earned) > MEMBERS // 4, "the soak was too short to say anything"
        assert Counter(session.scalars(select(Award.member_id))) == Counter(earned)
        awards = set(session.scalars(select(Award.id)))
        assert Counter(session.scalars(select(Credential.award_id))) == Counter(awards)
        assert set(session.scalars(select(Message.state))) <= {"sent", "queued"}
        sent = session.scalar(select(func.count()).select_from(Message).where(Message.state == "sent"))
        assert session.scalar(select(func.count()).select_from(Message)) == len(awards)
        assert session.scalars(select(StatusList.signed)).all()
        assert session.scalar(select(func.count()).select_from(Member)) == MEMBERS + 1
    received = {
        line for _, text in service.mail.received for line in text.splitlines() if line.startswith(b"Message-ID")
    }
    assert sent is not None
    assert len(received) >= sent


def _unsettled(service: Besieged) -> int:
    with service.database.read() as session:
        return session.scalar(select(func.count()).select_from(UnsettledMember)) or 0


def _assert_ready_again(service: Besieged) -> None:
    until = time.monotonic() + 60
    while httpx2.get(f"{service.url}/ready", timeout=5).status_code != 200:
        assert time.monotonic() < until, httpx2.get(f"{service.url}/ready", timeout=5).text
        time.sleep(1)
