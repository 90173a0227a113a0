"""Benchmark of what a signature over RDF costs, beside others on the same badge.

It measures canonicalizing, issuing and verifying: `make bench ARGS=signatures`. Each row is a median. Peers take turns in
the same run, each by its own clock: PyLD in this process, @digitalbazaar/vc in Node, if that is here.
"""

import json
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pyld import jsonld

from credentials import PACKAGED, Fetched, verify
from credentials.graph.canonicalize import canonicalize, canonicalize_slowly
from tests.interop.issuing import Issuer
from tests.interop.judging import Judges

INTEROP = Path(__file__).parents[1] / "interop"
ROUNDS = 40
TURNS = 10
"""How often each works in its turn: what the others leave in memory is not measured."""
WARM_UP = 5
"""The first rounds load contexts, prove the tables, and let Node compile."""

Timed = Callable[[], float]
"""A piece of work, done so many times, that returns how many milliseconds it takes."""


def say(what: str, value: str) -> None:
    sys.stdout.write(f"{what:<68}{value:>20}\n")
    sys.stdout.flush()


def here(work: Callable[[], object]) -> Timed:
    """Return a piece of work of this process, with its time."""

    def timed() -> float:
        start = time.perf_counter()
        for _ in range(TURNS):
            work()
        return (time.perf_counter() - start) * 1000 / TURNS

    return timed


def medians(*works: Timed) -> list[float]:
    """Return the median time of each piece of work; they take turns."""
    times: list[list[float]] = [[] for _ in works]
    for round_ in range(ROUNDS + WARM_UP):
        for place, work in enumerate(works):
            took = work()
            if round_ >= WARM_UP:
                times[place].append(took)
    return [statistics.median(each) for each in times]


def run() -> None:
    """Measure, and print the figures."""
    issuer = Issuer()
    badge = {name: value for name, value in issuer.badge().items() if name != "credentialStatus"}
    signed = issuer.sign(badge)
    text = json.dumps(signed)
    documents = {url: json.dumps(document).encode() for url, document in issuer.documents.items()}
    message, key = b"m" * 64, issuer.signer.key
    signature = issuer.signer.sign(message)

    def verified() -> None:
        report = verify(text, now=issuer.now, load=lambda url: Fetched(documents[url], "application/json"))
        assert report.verdict == "verified", report

    mine = [
        here(lambda: canonicalize(badge, PACKAGED)),
        here(lambda: json.dumps(issuer.sign(badge)).encode()),
        here(verified),
        here(lambda: issuer.signer.sign(message)),
        here(lambda: key.verify(signature, message)),
        here(lambda: canonicalize_slowly(badge, PACKAGED, "sha256")),
        here(lambda: normalized(badge)),
    ]
    with peer(issuer, badge, signed) as theirs:
        canonical, issued, checked, bare_sign, bare_check, slow, pyld, *bazaar = medians(*mine, *theirs)
    say("statements of the badge", str(len(canonicalize(badge, PACKAGED).splitlines())))
    say("canonicalize: Laurel", f"{canonical:.3f} ms")
    say("canonicalize: Laurel, on the slow road", f"{slow:.3f} ms")
    say("canonicalize: PyLD", f"{pyld:.3f} ms")
    say("canonicalize: ratio, PyLD to Laurel", f"{pyld / canonical:.1f}")
    say("issue: Laurel, JSON bytes out", f"{issued:.3f} ms")
    say("issue: bare Ed25519 signatures in that time", f"{issued / bare_sign:.1f}")
    say("verify: Laurel, from JSON text", f"{checked:.3f} ms")
    say("verify: bare Ed25519 checks in that time", f"{checked / bare_check:.1f}")
    for row, ours, other in zip(("issue", "verify"), (issued, checked), bazaar, strict=False):
        say(f"{row}: @digitalbazaar/vc", f"{other:.3f} ms")
        say(f"{row}: ratio, @digitalbazaar/vc to Laurel", f"{other / ours:.1f}")


def normalized(document: dict[str, Any]) -> object:
    """Return what PyLD makes of a document; it keeps what it read of the contexts, as we do."""

    def load(address: str, _options: object) -> dict[str, Any]:
        return {"document": PACKAGED.get(address), "documentUrl": address, "contextUrl": None}

    options = {"base": None, "documentLoader": load, "algorithm": "URDNA2015", "format": "application/n-quads"}
    return jsonld.normalize(document, options)


@contextmanager
def peer(issuer: Issuer, badge: dict[str, Any], signed: dict[str, Any]) -> Iterator[list[Timed]]:
    """Yield issuing and verifying by Digital Bazaar's programs; none if they are not installed."""
    node = shutil.which("node")
    if node is None or not (INTEROP / "node_modules").is_dir():
        say("@digitalbazaar/vc: not installed", "")
        yield []
        return
    with subprocess.Popen(
        [node, "judges.mjs"], cwd=INTEROP, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        judges = Judges(process)
        key = judges.ask("digitalbazaar key", controller=issuer.did)
        contexts = {address: PACKAGED.get(address) for address in badge["@context"]}

        def timed(judge: str, **request: Any) -> Timed:
            def ask() -> float:
                answer = judges.ask(judge, turns=TURNS, documents=issuer.documents | contexts, **request)
                assert "error" not in answer["answer"], answer
                assert answer["answer"].get("verified", True), answer
                return float(answer["milliseconds"])

            return ask

        yield [timed("digitalbazaar signature", credential=badge, key=key), timed("digitalbazaar", credential=signed)]
