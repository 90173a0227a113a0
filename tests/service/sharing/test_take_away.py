"""Everything in one file: what is in it, under which names, and that each of it is the same badge."""

import json
from io import BytesIO
from typing import Any
from zipfile import ZipFile

import pytest
from fastapi.testclient import TestClient

from credentials import extract
from service.checking import verification
from service.checking.keeping import bundles
from service.runtime.runtime import Runtime
from service.sharing import take_away
from service.tables import Credential
from service.texts.languages import ENGLISH, SPANISH
from service.unpacking.unpack import open_file
from tests.worlds.awarding import Stage
from tests.worlds.runtimes import Clock

NAMES = ["Sharer.pdf", "Sharer.png", "Sharer.svg", "Sharer.json", "Sharer.jwt", "Sharer.bundle.json"]


@pytest.fixture
def stage(client: TestClient, runtime: Runtime) -> Stage:
    stage = Stage.set_up(client, runtime)
    stage.member("m11")
    stage.achievement()
    return stage


@pytest.fixture
def url(stage: Stage) -> str:
    for n in (1, 2):
        stage.share(n)
    return str(stage.awards()[0]["credential"]["url"])


def opened(content: bytes) -> dict[str, bytes]:
    with ZipFile(BytesIO(content)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def row_of(url: str) -> str:
    return url.rpartition("/")[2]


def test_it_holds_every_form_under_names_that_a_person_recognises(stage: Stage, url: str) -> None:
    answer = stage.client.get(url + ".zip")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/zip")
    assert answer.headers["content-disposition"] == 'attachment; filename="Sharer.zip"'
    files = opened(answer.content)
    assert list(files) == [*NAMES, "Read me.txt"]
    signed = stage.client.get(url + ".json").text
    assert files["Sharer.json"].decode() == signed
    assert files["Sharer.jwt"].decode() == stage.client.get(url + ".jwt").text
    assert extract(files["Sharer.png"]) == extract(files["Sharer.svg"]) == signed
    assert files["Sharer.pdf"] == stage.client.get(url + ".pdf").content
    assert bundles.read(files["Sharer.bundle.json"]).credential == signed


def test_what_is_in_it_verifies_form_by_form(stage: Stage, url: str) -> None:
    for name, content in opened(stage.client.get(url + ".zip").content).items():
        received = [each.received for each in open_file(name, content) if each.received is not None]
        if name.startswith("Sharer") and name != "Sharer.bundle.json":
            (badge,) = received
            assert verification.verify_received(stage.runtime, badge).verdict == "verified", name


def test_the_same_badge_gives_the_same_bytes_but_for_when_its_bundle_was_made(
    stage: Stage, url: str, clock: Clock
) -> None:
    first, again = (stage.client.get(url + ".zip") for _ in range(2))
    assert first.content == again.content
    clock.advance(minutes=10)
    later = stage.client.get(url + ".zip")
    assert later.headers["etag"] == first.headers["etag"]
    before, after = opened(first.content), opened(later.content)
    assert {name for name in before if before[name] != after[name]} <= {"Sharer.bundle.json"}
    with ZipFile(BytesIO(later.content)) as archive:
        assert len({each.date_time for each in archive.infolist()}) == 1
    unchanged = stage.client.get(url + ".zip", headers={"If-None-Match": first.headers["etag"]})
    assert (unchanged.status_code, unchanged.content) == (304, b"")


def test_a_file_says_what_each_is_for_in_the_visitors_language(stage: Stage, url: str) -> None:
    text = opened(stage.client.get(url + ".zip").content)["Read me.txt"].decode()
    assert all(name in text for name in NAMES)
    assert "A certificate to print." in text
    assert f"{stage.runtime.settings.base_url}/verify" in text
    clock = stage.runtime.now()
    tags = {
        found.etag
        for language in (ENGLISH, SPANISH)
        if (found := take_away.find(stage.runtime, row_of(url), clock, language, "a4"))
    }
    assert len(tags) == 2


def test_of_a_revoked_badge_it_has_everything_but_the_certificate(stage: Stage, url: str) -> None:
    before = stage.client.get(url + ".zip")
    stage.send("POST", f"/v1/credentials/{row_of(url)}/revocation", {"reason": "It was a copy."})
    answer = stage.client.get(url + ".zip", headers={"If-None-Match": before.headers["etag"]})
    assert answer.status_code == 200
    files = opened(answer.content)
    assert list(files) == [*NAMES[1:], "Read me.txt"]
    assert "Sharer.pdf" not in files["Read me.txt"].decode()


def test_a_bundle_that_would_be_too_large_is_left_out(stage: Stage, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundles, "MAX_BUNDLE_BYTES", 100)
    answer = stage.client.get(url + ".zip")
    assert (answer.status_code, list(opened(answer.content))) == (200, [*NAMES[:-1], "Read me.txt"])


def test_a_name_of_any_script_names_the_files(stage: Stage, url: str) -> None:
    with stage.runtime.database.write() as session:
        row = session.get_one(Credential, row_of(url))
        document: dict[str, Any] = json.loads(row.signed)
        document["credentialSubject"]["achievement"]["name"] = "同伴/审阅者: ../x"
        row.signed = json.dumps(document)
    answer = stage.client.get(url + ".zip")
    assert "filename*=UTF-8''%E5%90%8C" in answer.headers["content-disposition"]
    assert "同伴-审阅者-x.png" in opened(answer.content)


def test_a_private_badge_has_neither_for_strangers(stage: Stage, url: str) -> None:
    with stage.runtime.database.write() as session:
        session.get_one(Credential, row_of(url)).visibility = "private"
    for address in (url, f"{url}0", f"{url[:-32]}x"):
        for ending in ("zip", "pdf"):
            answer = stage.client.get(f"{address}.{ending}")
            assert (answer.status_code, answer.json()["code"]) == (404, "credential-unknown")


def test_files_are_made_within_fair_limits(stage: Stage, url: str) -> None:
    statuses = [stage.client.get(url + "0.zip").status_code for _ in range(61)]
    assert (statuses[0], statuses[-1]) == (404, 429)
