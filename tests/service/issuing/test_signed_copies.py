"""Every text that is signed is noted, by what it says."""

import ast
import json
from hashlib import sha256
from pathlib import Path

import pytest
import rfc8785
from fastapi.testclient import TestClient
from sqlalchemy import select

from credentials.proofs.claims import credential_of
from credentials.proofs.jose import decode_jwt
from service.issuing import signed_copies
from service.runtime.runtime import Runtime
from service.tables import Credential, Key, SignedCopy
from tests.worlds.awarding import Stage

ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.any_database("what is noted is of no database")


@pytest.fixture
def stage(client: TestClient, runtime: Runtime) -> Stage:
    stage = Stage.set_up(client, runtime)
    stage.achievement(award="reviewed")
    stage.member("m11")
    return stage


def noted(runtime: Runtime) -> list[SignedCopy]:
    with runtime.database.read() as session:
        return list(session.scalars(select(SignedCopy).order_by(SignedCopy.signed_at, SignedCopy.id)))


def test_what_a_credential_says_is_noted_when_it_is_signed(stage: Stage) -> None:
    said = stage.credential(stage.recorded())
    [proof] = said.pop("proof")
    [copy] = noted(stage.runtime)
    assert said["id"].endswith(copy.credential_id)
    assert copy.sha256 == sha256(rfc8785.dumps(said)).hexdigest()
    assert copy.proof_value == proof["proofValue"]
    assert copy.signed_at == stage.runtime.now()


def test_the_keys_that_signed_it_are_noted(stage: Stage) -> None:
    stage.recorded()
    [copy] = noted(stage.runtime)
    with stage.runtime.database.read() as session:
        keys = {key.algorithm: key.kid for key in session.scalars(select(Key))}
    assert (copy.kid, copy.jwt_kid) == (keys["Ed25519"], keys["P-256"])


def test_a_replacement_is_noted_under_its_own_id(stage: Stage) -> None:
    first = stage.recorded()["credential"]["id"]
    new = stage.send("POST", f"/v1/credentials/{first}/replacement", {"reason": "A name was misspelt."})
    assert [copy.credential_id for copy in noted(stage.runtime)] == [first, new["id"]]


def test_a_text_that_replaces_another_under_its_id_is_noted_beside_it(stage: Stage) -> None:
    made = stage.recorded()["credential"]["id"]
    with stage.runtime.database.write() as session:
        row = session.get_one(Credential, made)
        before = row.signed
        row.signed = json.dumps(json.loads(before) | {"name": "Sharer, corrected"})
        signed_copies.keep(session, row, stage.runtime.now())
    digests = [copy.sha256 for copy in noted(stage.runtime)]
    assert digests == [signed_copies.digest(json.loads(text)) for text in (before, row.signed)]


def test_the_jwt_says_the_same(stage: Stage) -> None:
    stage.recorded()
    [copy] = noted(stage.runtime)
    with stage.runtime.database.read() as session:
        row = session.scalars(select(Credential)).one()
    assert signed_copies.digest(credential_of(decode_jwt(row.jwt))) == copy.sha256


def test_every_function_that_gives_a_credential_its_text_notes_it() -> None:
    """Otherwise what it signs would be told as a forgery."""
    signing = []
    for path in sorted((ROOT / "service").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and _gives_a_text(node):
                signing.append(f"{path.stem}.{node.name}")
                assert "signed_copies.keep" in ast.unparse(node), signing[-1]
    assert "credentials.store" in signing


def _gives_a_text(function: ast.FunctionDef) -> bool:
    """Return whether a function sets the member `jwt`, which only rows of credentials have."""
    return any(
        (isinstance(node, ast.Attribute) and node.attr == "jwt" and isinstance(node.ctx, ast.Store))
        or (isinstance(node, ast.Call) and ast.unparse(node.func) == "Credential")
        for node in ast.walk(function)
    )
