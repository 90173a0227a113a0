"""The VC API as a part of the service: switched on, guarded, with keys of its own that last, and lists that are kept."""

import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select, update

from service.checking.desk import Desk
from service.errors import CustodyError
from service.operations import upkeep
from service.runtime import settings
from service.runtime.fair_use import FairUse
from service.runtime.runtime import Runtime
from service.signing import base_url
from service.tables import Key, VcApiKey, VcApiStatusEntry, VcApiStatusList
from service.vc_api import keys, vc_api
from service.vc_api import status as vc_api_status
from tests.worlds.runtimes import BASE_URL, Clock, app_of, settings_in, start

CREDENTIAL = {
    "@context": ["https://www.w3.org/ns/credentials/v2"],
    "id": "urn:uuid:0b5a6d2e-7f4c-4a53-9a2b-2f5d5b1c9a10",
    "type": ["VerifiableCredential"],
    "credentialSubject": {"id": "did:example:subject"},
}
REVOCATION = {"type": "BitstringStatusListEntry", "statusPurpose": "revocation"}

Serve = Callable[..., AbstractContextManager[TestClient]]


@pytest.fixture
def serve(database_url: str, tmp_path: Path, clock: Clock) -> Any:
    """Start a service with the given settings, as often as wanted, on one database and one key folder."""

    @contextmanager
    def started(**given: Any) -> Iterator[TestClient]:
        given = {"database_url": database_url, "vc_api": True} | given
        with start(settings_in(tmp_path, **given), clock) as runtime:
            app = app_of(runtime)
            with TestClient(app, base_url=BASE_URL) as client:
                yield client

    return started


def runtime_of(client: TestClient) -> Runtime:
    found: Runtime = client.app.state.runtime  # type: ignore[attr-defined]
    return found


def own(client: TestClient, **options: Any) -> dict[str, Any]:
    """Return the credential with the issuer for which the service signs with these options."""
    runtime = runtime_of(client)
    read = vc_api.read_options(runtime.settings, options, runtime.now())
    return CREDENTIAL | {"issuer": keys.identity(runtime, read.key_type).did}


def issue(client: TestClient, **options: Any) -> dict[str, Any]:
    body = {"credential": own(client, **options), "options": options}
    answer = client.post("/vc/credentials/issue", json=body)
    assert answer.status_code == 201, answer.text
    issued: dict[str, Any] = answer.json()["verifiableCredential"]
    return issued


def status(client: TestClient, credential: dict[str, Any]) -> int:
    return client.post("/vc/credentials/verify", json={"verifiableCredential": credential}).status_code


# --- Switched on and guarded -----------------------------------------------------------------------------------------


@pytest.mark.any_database("a body is judged in the code; the rows are only looked up")
@pytest.mark.parametrize(
    "path", ["credentials/issue", "credentials/verify", "presentations/verify", "credentials/status"]
)
def test_nothing_is_there_where_it_is_off(serve: Serve, path: str) -> None:
    with serve(vc_api=False) as client:
        assert client.post(f"/vc/{path}", json={}).status_code == 404


def test_it_is_in_the_description_of_the_api_only_where_it_is_on(serve: Serve) -> None:
    for on in (True, False):
        with serve(vc_api=on) as client:
            paths = client.get("/openapi.json").json()["paths"]
            assert ("/vc/credentials/issue" in paths) == on


def test_only_the_token_of_the_settings_opens_it(serve: Serve) -> None:
    secret = "a-secret-of-the-operator"
    with serve(vc_api_token=secret) as client:
        body = {"credential": own(client)}
        for headers, code in (({}, "token-missing"), ({"Authorization": "Bearer another"}, "token-invalid")):
            answer = client.post("/vc/credentials/issue", json=body, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (401, code)
            assert answer.headers["www-authenticate"] == "Bearer"
        answer = client.post("/vc/credentials/issue", json=body, headers={"Authorization": f"Bearer {secret}"})
        assert answer.status_code == 201


def test_the_token_is_long_and_never_shown(tmp_path: Path) -> None:
    with pytest.raises(settings.SettingsError) as caught:
        settings_in(tmp_path, vc_api_token="short")
    assert "LAUREL_VC_API_TOKEN" in str(caught.value)
    assert "short'" not in str(caught.value)
    assert "a-secret-of-the-operator" not in repr(settings_in(tmp_path, vc_api_token="a-secret-of-the-operator"))


def test_without_a_token_callers_are_held_to_fair_limits(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    with serve() as client:
        desk: Desk = client.app.state.desk  # type: ignore[attr-defined]
        monkeypatch.setitem(vars(desk), "vc_api_fair_use", FairUse(per_minute=1, burst=2))
        answers = [client.post("/vc/credentials/verify", json={"verifiableCredential": {}}) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [400, 400, 429]
        assert int(answers[2].headers["retry-after"]) > 0


# --- Bodies ----------------------------------------------------------------------------------------------------------


@pytest.mark.any_database("a body is judged in the code; the rows are only looked up")
@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("credentials/issue", "{"),
        ("credentials/issue", "[]"),
        ("credentials/issue", "{}"),
        ("credentials/issue", '{"credential": "text"}'),
        ("credentials/issue", '{"credential": {}, "options": 7}'),
        ("credentials/issue", '{"credential": {}, "credential": {}}'),
        ("credentials/verify", '{"verifiableCredential": 7}'),
        ("credentials/verify", '{"verifiableCredential": null}'),
        ("presentations/verify", '{"verifiablePresentation": []}'),
        ("credentials/status", "7"),
    ],
)
def test_a_body_of_another_form_is_400(serve: Serve, path: str, text: str) -> None:
    with serve() as client:
        answer = client.post(f"/vc/{path}", content=text, headers={"Content-Type": "application/json"})
        assert answer.status_code == 400
        assert answer.headers["content-type"] == "application/problem+json"


def test_members_of_other_software_are_passed_over(serve: Serve) -> None:
    with serve() as client:
        body = {"credential": own(client), "options": {"mandatoryPointers": ["/issuer"], "own": 1}, "own": 2}
        assert client.post("/vc/credentials/issue", json=body).status_code == 201
        assert client.post("/vc/credentials/issue", json=body | {"options": None}).status_code == 201


@pytest.mark.parametrize("options", [{"challenge": 7}, {"domain": ["a.example"]}])
def test_what_a_presentation_is_held_against_is_a_string(serve: Serve, options: dict[str, Any]) -> None:
    with serve() as client:
        body = {"verifiablePresentation": {"type": "VerifiablePresentation"}, "options": options}
        answer = client.post("/vc/presentations/verify", json=body)
        assert (answer.status_code, answer.json()["code"]) == (400, "option-unsupported")


def test_a_body_beyond_the_limit_is_413(serve: Serve) -> None:
    with serve(max_body_bytes=1024) as client:
        body = {"credential": CREDENTIAL | {"name": "x" * 2000}}
        assert client.post("/vc/credentials/issue", json=body).status_code == 413


# --- Keys ------------------------------------------------------------------------------------------------------------


def test_the_settings_choose_suite_and_key(serve: Serve) -> None:
    with serve(vc_api_suite="ecdsa-jcs-2019", vc_api_key_type="P-384") as client:
        issued = issue(client)
        assert issued["proof"]["cryptosuite"] == "ecdsa-jcs-2019"
        assert issued["issuer"].startswith("did:key:z82L")
        assert issue(client, cryptosuite="eddsa-rdfc-2022")["issuer"].startswith("did:key:z6Mk")


def test_the_keys_outlast_a_restart_and_are_the_same_in_every_process(serve: Serve) -> None:
    suites = ("eddsa-rdfc-2022", "ecdsa-rdfc-2019")
    with serve() as first, serve() as second:
        before = [issue(client, cryptosuite=suite)["issuer"] for suite in suites for client in (first, second)]
    with serve() as again:
        assert before == [issue(again, cryptosuite=suite)["issuer"] for suite in suites for _ in range(2)]


def test_they_are_no_networks_keys(serve: Serve) -> None:
    with serve() as client:
        issue(client)
        with runtime_of(client).database.read() as session:
            assert session.scalar(select(func.count()).select_from(Key)) == 0
            assert session.scalars(select(VcApiKey.algorithm)).all() == ["Ed25519"]


def test_of_two_keys_made_at_the_same_moment_both_take_the_first(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    with serve() as first, serve() as second:
        runtime, other = runtime_of(first), runtime_of(second)
        create = runtime.custody.create
        faster: list[str] = []

        def slow(algorithm: str) -> Any:
            faster.append(keys.identity(other, algorithm).did)
            return create(algorithm)

        monkeypatch.setattr(runtime.custody, "create", slow)
        assert [keys.identity(runtime, "Ed25519").did] == faster


def test_a_key_that_cannot_be_opened_is_said_and_nothing_is_issued(serve: Serve, tmp_path: Path) -> None:
    with serve() as client:
        body = {"credential": own(client)}
    shutil.rmtree(tmp_path / "keys")
    with serve() as client:
        answer = client.post("/vc/credentials/issue", json=body)
        assert (answer.status_code, answer.json()["code"]) == (503, "custody-unavailable")


# --- Status ----------------------------------------------------------------------------------------------------------


def entries(client: TestClient) -> list[VcApiStatusEntry]:
    with runtime_of(client).database.read() as session:
        return list(session.scalars(select(VcApiStatusEntry).order_by(VcApiStatusEntry.id)))


def test_every_credential_has_a_status_where_the_settings_say_so(serve: Serve) -> None:
    with serve(vc_api_status=True) as client:
        assert issue(client)["credentialStatus"]["statusPurpose"] == "revocation"
    with serve() as client:
        assert "credentialStatus" not in issue(client)


def test_of_the_credential_only_the_digest_of_its_id_is_kept(serve: Serve) -> None:
    with serve(vc_api_status=True) as client:
        issue(client)
        assert len(entries(client)[0].credential_sha256 or "") == 64


def test_credentials_of_one_id_have_one_status(serve: Serve) -> None:
    with serve(vc_api_status=True) as client:
        both = [issue(client), issue(client, cryptosuite="ecdsa-rdfc-2019")]
        body = {"credentialId": CREDENTIAL["id"], "credentialStatus": REVOCATION, "status": True}
        assert client.post("/vc/credentials/status", json=body).json() == {"updated": 2}
        assert [status(client, credential) for credential in both] == [400, 400]
        one = body | {"credentialStatus": both[0]["credentialStatus"], "status": False}
        assert client.post("/vc/credentials/status", json=one).json() == {"updated": 1}
        assert [status(client, credential) for credential in both] == [200, 400]


def test_a_revoked_one_stays_so_when_it_is_revoked_again(serve: Serve, clock: Clock) -> None:
    with serve(vc_api_status=True) as client:
        issue(client)
        body = {"credentialId": CREDENTIAL["id"], "credentialStatus": REVOCATION}
        first = clock.at
        client.post("/vc/credentials/status", json=body)
        clock.advance(hours=1)
        client.post("/vc/credentials/status", json=body)
        assert entries(client)[0].set_at == first


def test_a_place_that_somebody_took_meanwhile_is_drawn_again(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    with serve(vc_api_status=True) as client:
        taken = issue(client)["credentialStatus"]
        list_id = UUID(taken["statusListCredential"].rpartition("/")[2])
        draw, places = vc_api_status.draw, [(list_id, int(taken["statusListIndex"]))]
        monkeypatch.setattr(vc_api_status, "draw", lambda *given: places.pop() if places else draw(*given))
        assert issue(client)["credentialStatus"]["statusListIndex"] != taken["statusListIndex"]
        assert len(entries(client)) == 2


def test_many_at_the_same_moment_have_places_of_their_own(serve: Serve) -> None:
    with serve(vc_api_status=True) as client:
        issue(client)
        threads = [threading.Thread(target=issue, args=(client,)) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len({(row.status_list_id, row.status_index) for row in entries(client)}) == 7


def test_a_list_that_is_half_full_is_followed_by_another(serve: Serve) -> None:
    with serve(vc_api_status=True) as client:
        first = issue(client)["credentialStatus"]["statusListCredential"]
        with runtime_of(client).database.write() as session:
            session.execute(update(VcApiStatusList).values(length=2))
        assert issue(client)["credentialStatus"]["statusListCredential"] != first


def test_lists_are_signed_anew_every_day_by_the_upkeep(serve: Serve, clock: Clock) -> None:
    assert vc_api_status.resign_due in upkeep.LANES["status lists"].work
    with serve(vc_api_status=True) as client:
        issued = issue(client)
        runtime = runtime_of(client)
        assert vc_api_status.resign_due(runtime) == 0
        address = issued["credentialStatus"]["statusListCredential"]
        before = client.get(address).json()
        clock.advance(days=1, minutes=1)
        assert vc_api_status.resign_due(runtime) == 1
        assert client.get(address).json()["validFrom"] > before["validFrom"]
        clock.advance(days=29)
        assert status(client, issued) == 200


def test_lists_that_nobody_signs_are_overdue_until_all_are_published(serve: Serve, clock: Clock) -> None:
    with serve(vc_api_status=True) as client:
        issue(client)
        runtime = runtime_of(client)
        for days, expected in ((1, 0), (1, 1)):
            clock.advance(days=days)
            client.app.state.watch.look()  # type: ignore[attr-defined]
            assert client.get("/health").json()["overdue_status_lists"] == expected
        assert vc_api_status.publish_all(runtime) == 1
        assert vc_api_status.publish_all(runtime) == 1
        client.app.state.watch.look()  # type: ignore[attr-defined]
        assert client.get("/health").json()["overdue_status_lists"] == 0


def test_an_address_that_is_in_somebodys_hands_stays(serve: Serve) -> None:
    with serve(vc_api_status=True) as client, runtime_of(client).database.read() as session:
        issue(client)
        elsewhere = runtime_of(client).settings.model_copy(update={"base_url": "https://other.example"})
        with pytest.raises(settings.SettingsError):
            base_url.check_base_url(session, elsewhere)


def test_a_list_outlasts_that_the_vc_api_is_switched_off(serve: Serve) -> None:
    with serve(vc_api_status=True) as client:
        address = issue(client)["credentialStatus"]["statusListCredential"]
    with serve(vc_api=False) as client:
        assert client.get(address).status_code == 200
        assert client.get(f"{BASE_URL}/status/not-an-id").status_code == 404


def test_a_list_that_cannot_be_signed_leaves_the_status_as_it_was(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve(vc_api_status=True) as client:
        issued = issue(client)

        def refuse(*_given: Any, **_more: Any) -> Any:
            raise CustodyError("custody-unavailable", "A signing key cannot be opened.")

        with monkeypatch.context() as patched:
            patched.setattr(vc_api_status, "sign", refuse)
            body = {"credentialId": CREDENTIAL["id"], "credentialStatus": REVOCATION}
            assert client.post("/vc/credentials/status", json=body).status_code == 503
        assert status(client, issued) == 200
        assert entries(client)[0].set_at is None
