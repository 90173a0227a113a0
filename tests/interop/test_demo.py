"""The files that `laurel demo` leaves, before other people's verifiers, which have nothing but those files."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.interop.issuing import changed
from tests.interop.judging import Judges
from tests.interop.verifying import openbadgeslib, openbadgeslib_jwt, openbadgeslib_picture, openvc

ROOT = Path(__file__).parent.parent.parent


@dataclass(frozen=True)
class Left:
    """What the demo has left, and what it has said."""

    said: str
    badge: dict[str, Any]
    token: str
    picture: bytes
    documents: dict[str, Any]

    @property
    def did(self) -> str:
        return str(self.badge["issuer"]["id"])


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Left:
    folder = tmp_path_factory.mktemp("demo")
    command = [sys.executable, "-m", "service.cli.main", "demo", "--folder", str(folder)]
    played = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    assert played.returncode == 0, played.stderr
    return Left(
        played.stdout,
        json.loads((folder / "badge.json").read_bytes()),
        (folder / "badge.jwt").read_text().strip(),
        (folder / "badge.png").read_bytes(),
        json.loads((folder / "documents.json").read_bytes()),
    )


def test_digital_bazaar_verifies_the_badge(judges: Judges, left: Left) -> None:
    answer = judges.ask("digitalbazaar", credential=left.badge, documents=left.documents)
    assert answer == {"verified": True, "reasons": [], "statuses": [False]}


def test_digital_bazaar_refuses_a_changed_copy(judges: Judges, left: Left) -> None:
    answer = judges.ask("digitalbazaar", credential=changed(left.badge), documents=left.documents)
    assert answer["verified"] is False


def test_the_consortium_verifies_the_badge_and_its_schema(judges: Judges, left: Left, shared: Path) -> None:
    (schema,) = left.badge["credentialSchema"]
    text = (shared / "1edtech-schemas" / "achievementcredential.json").read_text()
    answer = judges.ask(
        "digitalcredentials", credential=left.badge, documents=left.documents | {schema["id"]: json.loads(text)}
    )
    assert answer["reasons"] == []
    assert answer["steps"]["valid_signature"] is answer["steps"]["revocation_status"] is True
    assert answer["schemas"] == [{"schema": schema["id"], "valid": True}]


def test_jose_verifies_the_jwt(judges: Judges, left: Left) -> None:
    payload = judges.ask("jose", token=left.token, issuer=left.did, documents=left.documents)
    assert payload["credentialSubject"] == left.badge["credentialSubject"]


def test_openbadgeslib_verifies_the_badge(left: Left) -> None:
    assert openbadgeslib(left.documents, left.badge).issuer.id == left.did


def test_openbadgeslib_verifies_the_jwt(left: Left) -> None:
    assert openbadgeslib_jwt(left.documents, left.token).issuer.id == left.did


def test_openbadgeslib_finds_the_badge_in_the_picture(left: Left) -> None:
    result = openbadgeslib_picture(left.documents, left.picture)
    assert (result.valid, result.trusted) == (True, True), result.reason


def test_openvc_verifies_the_badge(left: Left) -> None:
    assert openvc(left.documents, left.badge).issuer == left.did


def test_the_demo_tells_the_whole_story(left: Left) -> None:
    assert "is rejected: proof failed" in left.said
    assert "finds it verified" in left.said
    assert "finds it rejected: status failed" in left.said
