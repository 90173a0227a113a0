"""Bundles: what is put in, what is read, and what nobody is asked.

Bundles of others are made and read without a row. Those that are made of a badge of this service, or served, stand on
its rows.
"""

import base64
import hashlib
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from credentials import PACKAGED, UnavailableError, verify
from service.checking import verification
from service.checking.basis import evidence as cited_evidence
from service.checking.keeping import bundles
from service.errors import InvalidError, TooLargeError
from service.issuing import citations
from service.runtime.fetching import Fetcher
from service.runtime.runtime import Runtime
from service.tables import Credential
from tests.credentials.parties import V2
from tests.worlds.awarding import Stage, once
from tests.worlds.publishing import OPEN_BADGES, Publisher, publisher

pytestmark = pytest.mark.any_database("a bundle is made of documents; the rows are only looked up")


@pytest.fixture
def issuer() -> Iterator[Publisher]:
    with publisher() as answering:
        yield answering


@once
def laid(stage: Stage) -> None:
    stage.member("m11", email="m11@river.example.org")
    stage.achievement()


@pytest.fixture
def stage(client: TestClient, runtime: Runtime) -> Stage:
    stage = Stage.set_up(client, runtime)
    laid(stage)
    return stage


@once
def earned(stage: Stage) -> str:
    """Return the address of a badge that a rule has awarded."""
    stage.share(1)
    stage.share(2)
    return str(stage.awards()[0]["credential"]["url"])


def made(issuer: Publisher, without_rows: Runtime, **changes: Any) -> bundles.Bundle:
    return bundles.make(without_rows, issuer.text(**changes).encode())


def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_fetcher: Fetcher, url: str) -> None:
        raise AssertionError(f"{url} was asked")

    monkeypatch.setattr(Fetcher, "fetch", refuse)


# --- What is in it -------------------------------------------------------------------------------------------------


def test_a_bundle_holds_what_a_check_asks_for_and_is_enough_for_one(
    issuer: Publisher, without_rows: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = issuer.text()
    bundle = bundles.read(bundles.make(without_rows, text.encode()).to_bytes())
    assert bundle.credential == text
    assert {issuer.did_url, issuer.list_url, V2, OPEN_BADGES} <= bundle.documents.keys()
    assert bundle.documents[OPEN_BADGES].body == PACKAGED.editions(OPEN_BADGES)[0].read()
    no_network(monkeypatch)
    found = verification.verify_received(without_rows, bundle.credential, documents=bundle.load)
    assert found == verify(text, now=without_rows.now(), load=issuer.world.load)
    assert found.verdict == "verified"


def test_the_file_is_of_the_form_that_is_documented(issuer: Publisher, without_rows: Runtime) -> None:
    said = json.loads(made(issuer, without_rows).to_bytes())
    assert list(said) == ["form", "credential", "made_at", "evidence", "documents"]
    assert (said["form"], said["made_at"], said["evidence"]) == ("laurel-bundle/1", "2026-03-02T12:00:00Z", False)
    document = said["documents"][issuer.did_url]
    assert list(document) == ["media_type", "fetched_at", "sha256", "body"]
    assert hashlib.sha256(document["body"].encode()).hexdigest() == document["sha256"]
    assert (document["media_type"], document["fetched_at"]) == ("application/json", "2026-03-02T12:00:00Z")


def test_of_a_picture_the_bundle_holds_what_is_baked_into_it(stage: Stage) -> None:
    url = earned(stage)
    picture = stage.client.get(url + ".png").content
    assert bundles.make(stage.runtime, picture).credential == stage.client.get(url + ".json").text


def test_of_a_jwt_the_bundle_holds_the_key(stage: Stage) -> None:
    token = stage.client.get(earned(stage) + ".jwt").content
    bundle = bundles.make(stage.runtime, token)
    assert verification.verify_received(stage.runtime, bundle.credential, documents=bundle.load).verdict == "verified"
    assert any("/keys/" in url for url in bundle.documents)


def test_what_cannot_be_had_is_not_in_it_and_leaves_the_check_open(issuer: Publisher, without_rows: Runtime) -> None:
    del issuer.world.documents[issuer.list_url]
    bundle = made(issuer, without_rows)
    found = verification.verify_received(without_rows, bundle.credential, documents=bundle.load)
    assert found.verdict == "undecided"
    status = next(check for check in found.checks if check.name == "status")
    assert status.findings[0].code == "document-not-in-bundle"


def test_our_receipts_are_in_it_and_fit_the_digest_that_the_badge_gives(stage: Stage) -> None:
    url = earned(stage)
    bundle = bundles.make(stage.runtime, stage.client.get(url + ".json").content)
    (cited,) = [item for item in json.loads(bundle.credential)["evidence"] if item["genre"] == "receipt"]
    digest = hashlib.sha256(bundle.documents[cited["id"]].body).hexdigest()
    assert citations.multibase(digest) == cited["digestMultibase"]


def evidence(issuer: Publisher, **changes: Any) -> list[dict[str, Any]]:
    digest = citations.multibase(hashlib.sha256(b'"r"').hexdigest())
    issuer.world.documents[f"{issuer.base_url}/receipts/1"] = b'"r"'
    item = {
        "id": f"{issuer.base_url}/receipts/1",
        "type": ["Evidence"],
        "genre": "receipt",
        "digestMultibase": digest,
    }
    return [item | changes]


def test_what_others_keep_of_one_badge_is_asked_for_only_when_that_is_wanted(
    issuer: Publisher, without_rows: Runtime
) -> None:
    text = issuer.text(evidence=evidence(issuer)).encode()
    assert f"{issuer.base_url}/receipts/1" not in bundles.make(without_rows, text).documents
    assert "/receipts/1" not in issuer.asked
    bundle = bundles.make(without_rows, text, evidence=True)
    assert (bundle.evidence, bundle.documents[f"{issuer.base_url}/receipts/1"].body) == (True, b'"r"')


@pytest.mark.parametrize(
    "changes",
    [
        {"digestMultibase": None},
        {"id": "ftp://x.example/receipts/1"},
        {"id": "https://localhost/receipts/1#part"},
        {"id": "http://10.0.0.1/"},
    ],
)
def test_evidence_without_digest_or_document_is_not_asked_for(
    issuer: Publisher, without_rows: Runtime, changes: dict[str, Any]
) -> None:
    item = {name: value for name, value in evidence(issuer, **changes)[0].items() if value is not None}
    bundle = bundles.make(without_rows, issuer.text(evidence=[item]).encode(), evidence=True)
    assert not [url for url in bundle.documents if "receipts" in url or "10.0.0.1" in url]


def test_nothing_is_asked_for_that_an_unproven_badge_names(issuer: Publisher, without_rows: Runtime) -> None:
    badge = issuer.badge(evidence=evidence(issuer))
    bundles.make(without_rows, json.dumps(badge).encode(), evidence=True)
    assert "/receipts/1" not in issuer.asked


def test_there_are_bounds_on_what_is_put_in(
    issuer: Publisher, without_rows: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = [evidence(issuer, id=f"{issuer.base_url}/files/{n}", genre="file")[0] for n in range(20)]
    bundles.make(without_rows, issuer.text(evidence=many).encode(), evidence=True)
    assert len([path for path in issuer.asked if path.startswith("/files/")]) == cited_evidence.MAX_FETCHED
    monkeypatch.setattr(bundles, "MAX_BUNDLE_BYTES", 1000)
    with pytest.raises(TooLargeError) as caught:
        made(issuer, without_rows)
    assert caught.value.code == "bundle-too-large"


@pytest.mark.parametrize("received", [b"", b"{}x", b"\xff\xfe", b"[]", b"\x89PNG\r\n\x1a\n", b"<svg/>"])
def test_of_what_is_no_credential_there_is_no_bundle(received: bytes, without_rows: Runtime) -> None:
    with pytest.raises(InvalidError) as caught:
        bundles.make(without_rows, received)
    assert caught.value.code == "not-a-credential"


def test_bytes_that_are_no_text_come_back_as_they_were(without_rows: Runtime) -> None:
    for body in (b"\xff\x00", b"with \x00 in it", "\ufeffé".encode()):
        document = bundles.Document(body, "x/y", without_rows.now())
        bundle = bundles.Bundle("{}", without_rows.now(), False, {"https://x.example/": document})
        assert bundles.read(bundle.to_bytes()) == bundle


# --- Reading -------------------------------------------------------------------------------------------------------


def changed(change: Callable[[Any], Any], issuer: Publisher, without_rows: Runtime) -> bytes:
    said = json.loads(made(issuer, without_rows).to_bytes())
    change(said)
    return json.dumps(said).encode()


def first(said: Any) -> Any:
    return next(iter(said["documents"].values()))


@pytest.mark.parametrize(
    ("change", "code", "pointer"),
    [
        (lambda said: said.update(form="laurel-bundle/2"), "bundle-malformed", "/form"),
        (lambda said: said.update(more=1), "bundle-malformed", "/more"),
        (lambda said: said.pop("credential"), "bundle-malformed", "/credential"),
        (lambda said: said.update(credential={}), "bundle-malformed", "/credential"),
        (lambda said: said.update(made_at="yesterday"), "bundle-malformed", "/made_at"),
        (lambda said: said.update(documents=[]), "bundle-malformed", "/documents"),
        (
            lambda said: said.update(documents={str(n): first(said) for n in range(bundles.MAX_DOCUMENTS + 1)}),
            "bundle-malformed",
            "/documents",
        ),
        (lambda said: first(said).update(body="other"), "bundle-digest", "/documents"),
        (lambda said: first(said).update(sha256="0" * 64), "bundle-digest", "/documents"),
    ],
)
def test_what_is_not_of_the_form_is_refused(
    change: Callable[[Any], Any], code: str, pointer: str, issuer: Publisher, without_rows: Runtime
) -> None:
    with pytest.raises(InvalidError) as caught:
        bundles.read(changed(change, issuer, without_rows))
    assert (caught.value.code, caught.value.pointer) == (code, pointer)


@pytest.mark.parametrize(
    "change",
    [
        lambda document: document.update(base64="AAAA"),
        lambda document: document.pop("body"),
        lambda document: document.update(sha256="00"),
        lambda document: document.update(media_type="x" * 201),
        lambda document: document.update(fetched_at=7),
    ],
)
def test_a_document_that_is_not_of_the_form_is_refused(
    change: Callable[[Any], Any], issuer: Publisher, without_rows: Runtime
) -> None:
    with pytest.raises(InvalidError, match="Bundle"):
        bundles.read(changed(lambda said: change(first(said)), issuer, without_rows))


def test_base64_that_is_none_is_refused(issuer: Publisher, without_rows: Runtime) -> None:
    def spoil(said: Any) -> None:
        document = first(said)
        document["base64"] = base64.b64encode(document.pop("body").encode()).decode() + "!"

    with pytest.raises(InvalidError, match="got other bytes"):
        bundles.read(changed(spoil, issuer, without_rows))


@pytest.mark.parametrize(
    "content", [b"", b"{", b'{"form": "laurel-bundle/1", "form": "laurel-bundle/1"}', b"[" * 100, b'"\\ud800"']
)
def test_json_that_two_readers_could_read_in_two_ways_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidError) as caught:
        bundles.read(content)
    assert caught.value.code == "bundle-malformed"


def test_a_file_beyond_the_bound_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundles, "MAX_BUNDLE_BYTES", 10)
    with pytest.raises(InvalidError, match="at most 10"):
        bundles.read(b'{"form": "laurel-bundle/1"}')


def test_a_bundle_says_of_itself_that_it_is_one(issuer: Publisher, without_rows: Runtime) -> None:
    assert bundles.is_bundle(made(issuer, without_rows).to_bytes())
    assert bundles.is_bundle(b'{"a": 1, "form": "laurel-bundle/9"}')
    for content in (b"", b"{}", issuer.text().encode(), b'["laurel-bundle/1"]', b'{"name": "laurel-bundle/1"}'):
        assert not bundles.is_bundle(content)
    assert not bundles.is_bundle(b'{"form": "laurel-bundle/1"')


@pytest.mark.parametrize("url", ["https://other.example/did.json", "https://örtlich.example/"])
def test_what_is_not_in_it_cannot_be_had(url: str, issuer: Publisher, without_rows: Runtime) -> None:
    with pytest.raises(UnavailableError) as caught:
        made(issuer, without_rows).load(url)
    assert caught.value.code == "document-not-in-bundle"


# --- Served --------------------------------------------------------------------------------------------------------


def test_a_badge_of_ours_is_served_as_a_bundle(stage: Stage, clock: Any) -> None:
    url = earned(stage)
    answer = stage.client.get(url + ".bundle")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.headers["content-disposition"] == 'attachment; filename="Sharer.bundle.json"'
    bundle = bundles.read(answer.content)
    assert bundle.credential == stage.client.get(url + ".json").text
    assert verification.verify_received(stage.runtime, bundle.credential, documents=bundle.load).verdict == "verified"
    clock.advance(minutes=10)
    tag = {"If-None-Match": answer.headers["etag"]}
    assert stage.client.get(url + ".bundle", headers=tag).status_code == 304
    stage.send("POST", f"/v1/credentials/{url.rpartition('/')[2]}/revocation", {"reason": "It was a copy."})
    changed = stage.client.get(url + ".bundle", headers=tag)
    assert changed.status_code == 200
    bundle = bundles.read(changed.content)
    assert verification.verify_received(stage.runtime, bundle.credential, documents=bundle.load).verdict == "rejected"


def test_a_private_badge_has_no_bundle_for_strangers(stage: Stage) -> None:
    url = earned(stage)
    with stage.runtime.database.write() as session:
        session.get_one(Credential, url.rpartition("/")[2]).visibility = "private"
    for address in (url + ".bundle", f"{url}0.bundle"):
        answer = stage.client.get(address)
        assert (answer.status_code, answer.json()["code"]) == (404, "credential-unknown")


@pytest.mark.parametrize("as_link", [True, False])
def test_a_bundle_of_any_issuer_is_had_by_form(issuer: Publisher, client: TestClient, as_link: bool) -> None:
    text = issuer.text()
    link = f"{issuer.base_url}/credentials/4f1a"
    issuer.world.documents[link] = text.encode()
    answer = client.post("/verify/bundle", data={"received": link if as_link else text})
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert answer.headers["content-disposition"].startswith("attachment")
    assert bundles.read(answer.content).credential == text


@pytest.mark.parametrize("sent", [{}, {"received": "[]"}, {"received": "http://10.0.0.1/x"}])
def test_where_no_bundle_can_be_made_a_page_says_why(client: TestClient, sent: dict[str, str]) -> None:
    answer = client.post("/verify/bundle", data=sent)
    assert (answer.status_code, answer.headers["cache-control"]) == (422, "no-store")
    assert "No bundle could be made" in answer.text


def test_bundles_are_made_within_fair_limits(stage: Stage, issuer: Publisher) -> None:
    url = earned(stage)
    statuses = [stage.client.get(url + "0.bundle").status_code for _ in range(61)]
    assert (statuses[0], statuses[-1]) == (404, 429)
    assert stage.client.post("/verify/bundle", data={"received": issuer.text()}).status_code == 429
