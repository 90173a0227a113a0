"""Attackers of a service, each a process of its own: `python -m tests.attacks.attackers KIND URL SECONDS SEED`.

An attacker writes a line when it begins, and one at its end: how often it was answered with each status (0: the
connection broke).
"""

import json
import os
import random
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

import httpx2

from tests.attacks import hostile_files

ADDRESSES = [f"127.0.2.{n}" for n in range(1, 8)]
AT_ONCE = 6
"""Connections from each address."""
Attack = Callable[["Attacker", str, random.Random], None]


class Attacker:
    """Repeats one attack from several addresses until its time is over."""

    def __init__(self, url: str, seconds: float) -> None:
        self.url = url
        self.until = time.monotonic() + seconds
        self.counts: Counter[int] = Counter()
        self._lock = threading.Lock()

    def left(self) -> float:
        """Return how many seconds are left."""
        return self.until - time.monotonic()

    def count(self, status: int) -> None:
        """Note an answer."""
        with self._lock:
            self.counts[status] += 1

    def send(self, address: str, method: str, path: str, **more: object) -> None:
        """Send one request from an address, over a connection of its own."""
        try:
            with httpx2.Client(transport=httpx2.HTTPTransport(local_address=address), timeout=60) as client:
                self.count(client.request(method, self.url + path, **more).status_code)  # type: ignore[arg-type]
        except httpx2.HTTPError:
            self.count(0)

    def connect(self, address: str) -> socket.socket:
        """Open a connection from an address."""
        parts = urlsplit(self.url)
        return socket.create_connection((parts.hostname or "", parts.port or 80), 10, (address, 0))

    def run(self, attack: Attack, addresses: Sequence[str], seed: int) -> None:
        """Attack from all addresses at once."""

        def repeat(address: str, choice: random.Random) -> None:
            while self.left() > 0:
                try:
                    attack(self, address, choice)
                except OSError:
                    self.count(0)
                    time.sleep(0.1)

        threads = [
            threading.Thread(target=repeat, args=(address, random.Random(f"{seed} {address} {n}")), daemon=True)
            for address in addresses
            for n in range(AT_ONCE)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(max(0.0, self.left() + 5))


def flood(attacker: Attacker, address: str, _choice: random.Random) -> None:
    """Send the ZIP of large pictures again and again."""
    name, content = hostile_files.zip_of_large_pictures()
    attacker.send(address, "POST", "/verify", files={"file": (name, content)})


def files(attacker: Attacker, address: str, choice: random.Random) -> None:
    """Send hostile files of all kinds to every door that takes files."""
    name, content = hostile_files.drawn(choice.randrange(1 << 32))
    door = choice.choice(["/verify", "/verify", "/verify/batch", "/v1/verifications"])
    attacker.send(address, "POST", door, files={"file": (name, content)})


def tokenless(attacker: Attacker, address: str, choice: random.Random) -> None:
    """Post large bodies without a token, or with one that does not exist."""
    body = b"[" + b"0," * choice.choice([10, 100_000, 500_000]) + b"0]"
    headers = {"Content-Type": "application/json"}
    if choice.random() < 0.5:
        headers["Authorization"] = f"Bearer {choice.randrange(1 << 64)}"
    path = choice.choice(["contributions", "evaluations", "awards"])
    attacker.send(address, "POST", f"/v1/networks/river/{path}", content=body, headers=headers)


def uploads(attacker: Attacker, address: str, _choice: random.Random) -> None:
    """Upload 60 MB at once from everywhere."""
    attacker.send(address, "POST", "/verify/batch", files={"file": ("large.zip", bytes(60 << 20))})


def slow(attacker: Attacker, address: str, choice: random.Random) -> None:
    """Announce a body, and send a byte of it now and then."""
    with attacker.connect(address) as connection:
        path = choice.choice(["/verify", "/v1/verifications", "/v1/networks/river/contributions"])
        head = (
            f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n"
        )
        connection.sendall(head.encode()[: choice.choice([20, None])])
        connection.sendall(b"\r\n")
        connection.settimeout(1)
        while attacker.left() > 0:
            connection.sendall(b" ")
            try:
                answer = connection.recv(100)
            except TimeoutError:
                continue
            attacker.count(int(answer.split()[1]) if answer.startswith(b"HTTP/1.1 ") else 0)
            return


ATTACKS: dict[str, Attack] = {each.__name__: each for each in (flood, files, tokenless, uploads, slow)}


def main() -> None:
    """Run the attack that the command line names."""
    kind, url, seconds, seed = sys.argv[1:]
    hostile_files.zip_of_large_pictures()
    sys.stdout.write("begins\n")
    sys.stdout.flush()
    # Attackers have machines of their own; here they take only what the service and its clients leave.
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    attacker = Attacker(url, float(seconds))
    attacker.run(ATTACKS[kind], ADDRESSES, int(seed))
    sys.stdout.write(json.dumps(attacker.counts) + "\n")
    sys.stdout.flush()
    os._exit(0)  # some threads may still wait for an answer


if __name__ == "__main__":
    main()
