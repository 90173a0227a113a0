"""Benchmark of what a signature costs, beside others on the same badge.

It measures canonicalizing, issuing and verifying with a proof over RDF, issuing as JWT, and baking into pictures:
`make bench ARGS=signatures`. Each peer goes by its own clock: those in Python in this process, @digitalbazaar/vc in Node,
if that is here.
"""

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec
from openbadgeslib import baking
from openbadgeslib.ob3 import OB3Signer
from openvc.keys import P256SigningKey
from openvc.proof.vc_jwt import VcJwtProofSuite
from pyld import jsonld

from credentials import PACKAGED, Fetched, bake, extract, verify
from credentials.graph.canonicalize import canonicalize, canonicalize_slowly
from credentials.proofs.jose import decode_jwt
from service.achievements import emblems, pictures
from tests.benchmarks.table import Row, Timed, here, medians, show
from tests.interop.issuing import Issuer
from tests.interop.judging import Judges

INTEROP = Path(__file__).parents[1] / "interop"
BAZAAR: Final = "@digitalbazaar/vc"
SVG: Final = emblems.drawn(emblems.Emblem(bytes(16), "Generous Reader", "River Writers", False)).encode()
TURNS = 10
"""How often each works in its turn: what the others leave in memory is not measured."""


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
    issued_there, checked_there = bazaar or (None, None)
    rows = [
        Row("canonicalize", "PyLD", 50, canonical, pyld),
        Row("canonicalize, not ordinary", "PyLD", None, slow, pyld),
        Row("issue", BAZAAR, 17, issued, issued_there, bare=issued / bare_sign, bare_target=9),
        Row("verify", BAZAAR, 8, checked, checked_there, bare=checked / bare_check, bare_target=5.5),
        *in_other_forms(issuer, badge),
    ]
    show(rows)


def in_other_forms(issuer: Issuer, badge: dict[str, Any]) -> Iterator[Row]:
    """Yield the rows of badges as JWT and in pictures."""
    second = OB3Signer(ec.generate_private_key(ec.SECP256R1()), "ES256")
    third, key = VcJwtProofSuite(), P256SigningKey.generate(f"{issuer.did}#key")
    token = issuer.sign_jwt(badge)
    claims = dict(decode_jwt(token).payload)
    ours, theirs, others = medians(
        here(lambda: issuer.sign_jwt(badge)),
        here(lambda: second.sign_payload(claims)),
        here(lambda: third.sign(badge, signing_key=key)),
    )
    yield Row("issue-jwt", "openbadgeslib", 1, ours, theirs)
    yield Row("issue-jwt", "openvc-core", 1, ours, others)
    for name, image, put_in, taken_out in (
        ("png", pictures.png(SVG.decode()), baking.bake_png, baking.extract_png),
        ("svg", SVG, baking.bake_svg, baking.extract_svg),
    ):
        baked, theirs_baked = bake(image, token), put_in(image, token)
        ours, theirs, ours_back, theirs_back = medians(
            here(lambda image=image: bake(image, token)),  # type: ignore[misc]
            here(lambda image=image, put_in=put_in: put_in(image, token)),  # type: ignore[misc]
            here(lambda baked=baked: extract(baked)),  # type: ignore[misc]
            here(lambda baked=theirs_baked, taken_out=taken_out: taken_out(baked)),  # type: ignore[misc]
        )
        yield Row(f"bake {name}", "openbadgeslib", 1, ours, theirs)
        yield Row(f"extract {name}", "openbadgeslib", 1, ours_back, theirs_back)


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
