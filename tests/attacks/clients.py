"""Well-behaved clients of a service under attack: each notes how it was answered, and when."""

import itertools
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2

from tests.attacks.besieged import Besieged

MEMBERS = 40
NEEDED = 5
"""How many resources a member shares to earn the badge."""
LATER = frozenset({429, 503})
STOOD_STILL_SECONDS = 0.5


@dataclass(frozen=True)
class Answered:
    """How one request went.

    Args:
        status: its HTTP status; 0 if the connection broke.
        told: whether a refusal said when to come again.
    """

    client: str
    phase: str
    seconds: float
    status: int
    told: bool
    at: float = field(default_factory=time.monotonic)
    """When it was answered."""


@dataclass
class Clients:
    """The clients of one service, and what they noted."""

    service: Besieged
    phase: str = "quiet"
    answers: list[Answered] = field(default_factory=list)
    kept: set[str] = field(default_factory=set)
    """References of the contributions that the service said it has."""
    over: threading.Event = field(default_factory=threading.Event)
    stops: list[tuple[float, float]] = field(default_factory=list)
    """From when until when not even a thread that only sleeps went on: the machine had no time for the clients."""

    def ask(self, client: str, method: str, path: str, **more: Any) -> httpx2.Response | None:
        """Send one request over a connection of its own, and note how it went; None if the connection broke."""
        phase, began = self.phase, time.monotonic()
        try:
            with httpx2.Client(base_url=self.service.url, timeout=60, trust_env=False) as connection:
                answer = connection.request(method, path, **more)
        except httpx2.TransportError:
            self.answers.append(Answered(client, phase, time.monotonic() - began, 0, told=False))
            return None
        told = answer.headers.get("retry-after", "").isdecimal()
        self.answers.append(Answered(client, phase, time.monotonic() - began, answer.status_code, told))
        return answer

    def patiently(self, client: str, method: str, path: str, **more: Any) -> httpx2.Response | None:
        """Send a request until it is carried out, coming again when the service says; None once all is over."""
        while not self.over.is_set():
            answer = self.ask(client, method, path, **more)
            if answer is not None and answer.status_code not in LATER:
                return answer
            wait = min(int(answer.headers.get("retry-after", "1")), 10) if answer is not None else 1
            self.over.wait(wait)
        return None

    def programmer(self) -> None:
        """Post what members share, one after the other, each until it is accepted."""
        headers = {"Authorization": f"Bearer {self.service.token}"}
        for n in itertools.count():
            body = {
                "ref": f"share-{n}",
                "member": f"m{n % MEMBERS}",
                "type": "shared",
                "resource": f"resource-{n}",
                "occurred_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            }
            path = "/v1/networks/river/contributions"
            answer = self.patiently("programmer", "POST", path, json=body, headers=headers)
            if answer is None:
                return
            assert answer.is_success, f"{answer.status_code} {answer.text}"
            self.kept.add(body["ref"])
            self.over.wait(0.2)

    def watcher(self) -> None:
        """Ask five times a second whether the service lives."""
        while not self.over.wait(0.2):
            self.ask("watcher", "GET", "/health")

    def employer(self) -> None:
        """Check a badge every two seconds, from an address that nobody else has."""
        transport = httpx2.HTTPTransport(local_address="127.0.1.1")
        while not self.over.wait(2):
            page = self.ask("reader", "GET", self.badge, headers={"Accept": "text/html"})
            phase, began = self.phase, time.monotonic()
            try:
                with httpx2.Client(transport=transport, base_url=self.service.url, timeout=60) as connection:
                    answer = connection.post("/v1/verifications", json={"url": self.service.url + self.badge})
                status, told = answer.status_code, "retry-after" in answer.headers
            except httpx2.TransportError:
                status, told = 0, False
            self.answers.append(Answered("employer", phase, time.monotonic() - began, status, told))
            assert page is None or page.status_code in {200, *LATER}, page.status_code

    def sleeper(self) -> None:
        """Note when the machine stood still for those who measure."""
        began = time.monotonic()
        while not self.over.wait(0.05):
            now = time.monotonic()
            if now - began > STOOD_STILL_SECONDS:
                self.stops.append((began, now))
            began = now

    def stood_still(self, answered: Answered) -> bool:
        """Return whether the machine stood still while this was waited for."""
        return any(began < answered.at and ended > answered.at - answered.seconds for began, ended in self.stops)

    badge: str = ""

    def set_up(self) -> None:
        """Enrol members, publish what they can earn, and let the first one earn it."""
        headers = {"Authorization": f"Bearer {self.service.token}"}
        root = "/v1/networks/river"
        with httpx2.Client(base_url=self.service.url, headers=headers, timeout=60) as client:
            for n in (*range(MEMBERS), "first"):
                client.put(f"{root}/members/m{n}", json={"email": f"m{n}@river.example"}).raise_for_status()
            rule = {"rule": "count", "where": {"types": ["shared"]}, "distinct": "resource", "gte": NEEDED}
            achievement = {
                "ref": "sharer",
                "name": "Sharer",
                "description": "Shares what works.",
                "achievement_type": "Badge",
                "criteria": {"narrative": f"Share {NEEDED} resources.", "rule": rule},
                "award": "automatic",
                "publish": True,
            }
            client.post(f"{root}/achievements", json=achievement).raise_for_status()
            for n in range(NEEDED):
                shared = {"ref": f"first-{n}", "member": "mfirst", "type": "shared", "resource": f"first-{n}"}
                shared["occurred_at"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
                client.post(f"{root}/contributions", json=shared).raise_for_status()
                self.kept.add(shared["ref"])
            found = client.get(f"{root}/credentials").json()["items"]
            self.badge = found[0]["url"].removeprefix(self.service.url)

    def slowest(self, client: str) -> dict[str, float]:
        """Return for each phase the 99th percentile of the seconds that a client waited, unless the machine stood still."""
        waited: defaultdict[str, list[float]] = defaultdict(list)
        for each in self.answers:
            if each.client == client and not self.stood_still(each):
                waited[each.phase].append(each.seconds)
        return {phase: sorted(seconds)[int(0.99 * (len(seconds) - 1))] for phase, seconds in waited.items()}


@contextmanager
def at_work(clients: Clients) -> Iterator[None]:
    """Let every client work, in threads; what one of them raises is raised at the end."""
    failures: list[BaseException] = []

    def kept(work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:
            failures.append(error)
            raise

    works = (clients.programmer, clients.watcher, clients.employer, clients.sleeper)
    threads = [threading.Thread(target=kept, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        clients.over.set()
        for thread in threads:
            thread.join()
    assert failures == []
