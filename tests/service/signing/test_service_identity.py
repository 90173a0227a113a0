"""The service's own identity: a did:web of its host, with one key in use and all that it ever had published."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from fastapi.testclient import TestClient

from credentials.proofs.dids import did_web_url, resolve_key
from service.checking import verification
from service.errors import NotFoundError
from service.public import documents
from service.runtime.custody import Custody
from service.runtime.runtime import Runtime
from service.runtime.settings import SettingsError
from service.signing import base_url, service_identity
from tests.worlds.runtimes import BASE_URL, Clock

ADDRESS = "/.well-known/did.json"


def rotated(runtime: Runtime) -> str:
    with runtime.database.write() as session:
        return service_identity.rotate(session, runtime, runtime.now()).kid


def test_it_is_the_did_of_the_host_whose_document_is_where_others_look(runtime: Runtime) -> None:
    assert service_identity.did(runtime.settings) == "did:web:localhost%3A8000"
    assert did_web_url(service_identity.did(runtime.settings)) == BASE_URL + ADDRESS


def test_there_is_no_document_before_the_first_key(client: TestClient) -> None:
    answer = client.get(ADDRESS)
    assert (answer.status_code, answer.json()["code"]) == (404, "service-key-unknown")


def test_its_key_is_made_once_and_published(runtime: Runtime, client: TestClient) -> None:
    first, again = (service_identity.identity(runtime) for _ in range(2))
    assert first.verification_method == again.verification_method
    answer = client.get(ADDRESS)
    assert answer.headers["Content-Type"] == "application/did+ld+json"
    document = answer.json()
    assert document["id"] == first.did
    assert document["assertionMethod"] == [first.verification_method]
    found = resolve_key(first.verification_method, lambda url: verification.load(runtime, url))
    assert (found.key, found.controller) == (first.signer.key, first.did)


def test_another_process_signs_with_the_same_key(runtime: Runtime) -> None:
    first = service_identity.identity(runtime)
    restarted = replace(runtime, custody=Custody(runtime.settings))
    assert service_identity.identity(restarted).verification_method == first.verification_method


def test_of_many_that_need_the_first_key_at_once_all_take_one(runtime: Runtime) -> None:
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: service_identity.identity(runtime).verification_method, range(8)))
    assert len(set(found)) == 1
    with runtime.database.read() as session:
        assert len(service_identity.keys(session)) == 1


def test_a_new_key_signs_and_the_retired_one_stays_published_with_its_dates(runtime: Runtime, clock: Clock) -> None:
    old = service_identity.identity(runtime)
    retired_at = clock.advance(days=1)
    kid = rotated(runtime)
    new = service_identity.identity(runtime)
    assert new.signer.key.thumbprint == kid != old.signer.key.thumbprint
    with runtime.database.read() as session:
        first, second = service_identity.keys(session)
        document = service_identity.did_document(session, runtime.settings)
    assert (first.retired_at, second.valid_from, second.retired_at) == (retired_at, retired_at, None)
    assert document is not None
    assert document["assertionMethod"] == [old.verification_method, new.verification_method]


def test_rotations_at_once_leave_one_key_in_use(runtime: Runtime) -> None:
    service_identity.identity(runtime)
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda _: rotated(runtime), range(3)))
    with runtime.database.read() as session:
        in_use = [key for key in service_identity.keys(session) if key.retired_at is None]
    assert len(in_use) == 1


def test_it_can_be_rotated_before_anything_was_signed(runtime: Runtime) -> None:
    kid = rotated(runtime)
    assert service_identity.identity(runtime).signer.key.thumbprint == kid


def test_its_base_url_is_remembered_with_its_first_key(runtime: Runtime) -> None:
    elsewhere = runtime.settings.model_copy(update={"base_url": "https://elsewhere.example.org"})
    with runtime.database.read() as session:
        base_url.check_base_url(session, elsewhere)
    service_identity.identity(runtime)
    with runtime.database.read() as session, pytest.raises(SettingsError, match="LAUREL_BASE_URL"):
        base_url.check_base_url(session, elsewhere)


def test_the_document_is_answered_from_the_rows_also_for_our_own_checks(runtime: Runtime) -> None:
    service_identity.identity(runtime)
    with runtime.database.read() as session:
        assert documents.find(session, runtime, BASE_URL + ADDRESS) is not None


def test_a_stolen_key_stays_named_and_asserts_nothing(runtime: Runtime, client: TestClient, clock: Clock) -> None:
    old = service_identity.identity(runtime)
    since = clock.at
    clock.advance(days=1)
    for _ in range(2):
        with runtime.database.write() as session:
            kid = old.signer.key.thumbprint
            made = service_identity.declare_compromised(session, runtime, kid, since, clock.at)
    new = service_identity.identity(runtime)
    assert new.signer.key.thumbprint == made.kid != kid
    document = client.get(ADDRESS).json()
    assert document["assertionMethod"] == [new.verification_method]
    revoked = {each["id"]: each.get("revoked") for each in document["verificationMethod"]}
    assert revoked == {old.verification_method: "2026-03-02T12:00:00Z", new.verification_method: None}


def test_a_key_that_the_service_never_had_cannot_be_declared(runtime: Runtime, clock: Clock) -> None:
    with runtime.database.write() as session, pytest.raises(NotFoundError) as missing:
        service_identity.declare_compromised(session, runtime, "none", clock.at, clock.at)
    assert missing.value.code == "key-unknown"
