"""What programs are told of a badge that they give or name: the report, and what it comes to for a person."""

import base64
import io
import json
import zipfile
from dataclasses import replace
from typing import Any

import pytest
from fastapi.testclient import TestClient

from credentials import parse_json
from service.checking import verification
from service.checking.desk import Desk
from service.checking.keeping import receipts
from service.checking.questions import NAMES
from service.runtime.cpu_time import CpuTime
from service.runtime.runtime import Runtime
from service.texts.languages import LANGUAGES
from tests.credentials import older_badges
from tests.worlds import handed_over
from tests.worlds.awarding import Stage, once
from tests.worlds.handed_over import badge_json, png, scenery

pytestmark = pytest.mark.any_database("what is checked are documents; the rows are only looked up")

PERSON = "quite.secret@river.example.org"


@once
def laid(stage: Stage) -> None:
    stage.member("m11", name="Quite Secret", email=PERSON)


@pytest.fixture
def stage(client: TestClient, runtime: Runtime) -> Stage:
    stage = Stage.set_up(client, runtime)
    laid(stage)
    return stage


def badge(stage: Stage) -> str:
    stage.achievement()
    for n in (1, 2):
        stage.share(n)
    (award,) = stage.awards()
    return str(award["credential"]["url"])


def ask(stage: Stage, **body: Any) -> Any:
    answer = stage.client.post("/v1/verifications", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def zipped(*contents: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for n, content in enumerate(contents):
            archive.writestr(f"badge-{n}.json", content)
    return file.getvalue()


def test_a_report_has_the_five_answers_beside_its_checks(stage: Stage) -> None:
    said = ask(stage, url=badge(stage))
    assert (said["verdict"], said["headline"], said["tone"]) == ("verified", "genuine", "good")
    assert [question["name"] for question in said["questions"]] == list(NAMES)
    assert {question["answer"] for question in said["questions"]} == {"yes"}
    assert said["issuer"]["lists"] == ["the networks of this service"]
    assert "receipt" not in said


def test_every_way_to_give_a_badge_is_the_same_badge(stage: Stage) -> None:
    url = badge(stage)
    files = {form: stage.client.get(f"{url}.{form}").content for form in ("json", "jwt", "png")}
    given: list[Any] = [
        {"credential": json.loads(files["json"])},
        {"jwt": files["jwt"].decode()},
        {"image": base64.b64encode(files["png"]).decode()},
    ]
    assert {ask(stage, **each)["headline"] for each in given} == {"genuine"}
    for content, media_type in (
        (files["json"], "application/json"),
        (files["jwt"], "text/plain"),
        (files["png"], "image/png"),
        (zipped(files["json"]), "application/zip"),
    ):
        answer = stage.client.post("/v1/verifications", content=content, headers={"Content-Type": media_type})
        assert (answer.status_code, answer.json()["headline"]) == (200, "genuine"), media_type
    form = {"files": {"file": ("badge.png", files["png"])}, "data": {"recipient": PERSON}}
    (recipient,) = [
        each["outcome"]
        for each in stage.client.post("/v1/verifications", **form).json()["checks"]  # type: ignore[arg-type]
        if each["name"] == "recipient"
    ]
    assert recipient == "passed"
    unknown = stage.client.post("/v1/verifications", **form | {"data": {"recipients": PERSON}})  # type: ignore[arg-type]
    assert (unknown.status_code, unknown.json()["code"]) == (422, "extra-forbidden")


def test_a_receipt_speaks_the_language_that_is_asked_for(stage: Stage) -> None:
    stage.client.headers["Accept-Language"] = "es"
    said = ask(stage, url=badge(stage), receipt=True)
    assert said["receipt"]["name"] == LANGUAGES["es"].gettext(receipts.NAME) != receipts.NAME


def test_a_receipt_comes_with_it_where_it_is_asked_for(stage: Stage) -> None:
    said = ask(stage, url=badge(stage), recipient=PERSON, receipt=True)
    receipt = json.dumps(said["receipt"])
    assert verification.verify_received(stage.runtime, receipt).verdict == "verified"
    assert said["receipt"]["credentialSubject"]["id"] == said["credential"]["id"]
    assert PERSON not in receipt


def test_a_file_with_several_badges_is_for_a_batch(stage: Stage) -> None:
    content = stage.client.get(badge(stage) + ".json").content
    answer = stage.client.post(
        "/v1/verifications", content=zipped(content, content), headers={"Content-Type": "application/zip"}
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "several-badges")
    assert "/v1/verification-batches" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (zipped(b"PK\x03\x04 nothing"), "zip-in-zip"),
        (b"%PDF-1.7 nothing", "pdf-damaged"),
        (b"\xff\xd8\xff\xe0", "picture-damaged"),
    ],
)
def test_a_file_without_a_badge_is_refused_with_the_code_of_the_reason(stage: Stage, content: bytes, code: str) -> None:
    answer = stage.client.post(
        "/v1/verifications", content=content, headers={"Content-Type": "application/octet-stream"}
    )
    assert (answer.status_code, answer.json()["code"]) == (422, code)


def test_a_bad_badge_is_a_report_and_no_refusal(stage: Stage) -> None:
    credential = parse_json(stage.client.get(badge(stage) + ".json").content)
    assert isinstance(credential, dict)
    said = ask(stage, credential=credential | {"name": "Doctor of Everything"})
    assert (said["verdict"], said["headline"]) == ("rejected", "changed")


@pytest.mark.parametrize(
    "body", [{}, {"url": "https://a.example", "jwt": "a.b.c"}, {"url": "https://a.example", "x": 1}]
)
def test_anything_else_than_one_badge_is_refused(stage: Stage, body: Any) -> None:
    assert stage.client.post("/v1/verifications", json=body).status_code == 422


@pytest.mark.parametrize("wrapped", [True, False])
def test_a_badge_of_the_older_standard_is_reported_with_what_its_issuers_address_says(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, wrapped: bool
) -> None:
    monkeypatch.setattr(verification, "load", lambda _runtime, url: older_badges.site().load(url))
    first: dict[str, Any] = {"recipient": older_badges.hashed(), "salt": older_badges.SALT, "badge": older_badges.CLASS}
    first |= {"verify": {"type": "hosted", "url": older_badges.BADGE}}
    given = {"credential": first, "recipient": older_badges.MAIL} if wrapped else first
    report = ask(stage, **given)
    assert (report["verdict"], report["headline"], report["tone"]) == ("verified", "older-hosted", "unsure")
    assert (report["older"]["kind"], report["older"]["address"]) == ("hosted", older_badges.BADGE)
    assert report["older"]["restated"]["credentialSubject"]["achievement"]["name"] == "Leads a circle"
    (compared,) = (check["outcome"] for check in report["checks"] if check["name"] == "recipient")
    assert compared == ("passed" if wrapped else "skipped")


def test_a_zip_that_takes_too_long_is_given_up_with_a_reason(client: TestClient, desk: Desk) -> None:
    picture = png(scenery(1, 1).convert("1").resize((2000, 2000)))
    content = handed_over.zipped({f"{n}.png": picture for n in range(400)})
    client.app.state.desk = replace(desk, time=lambda: CpuTime(0.2))  # type: ignore[attr-defined]
    answer = client.post("/v1/verifications", content=content, headers={"Content-Type": "application/zip"})
    assert answer.status_code == 422
    assert answer.json()["code"] in {"rest-not-searched", "searched-too-long"}  # by how far it came in its time
    page = client.post("/verify", files={"file": ("all.zip", content)})
    assert "Searching this took too long, so we stopped." in page.text


def test_a_document_that_takes_too_long_is_not_decided(client: TestClient, desk: Desk) -> None:
    client.app.state.desk = replace(desk, time=lambda: CpuTime(0.0))  # type: ignore[attr-defined]
    answer = client.post("/v1/verifications", content=badge_json()).json()
    assert (answer["verdict"], answer["tone"]) == ("undecided", "unsure")
    assert "too-much-time" in str(answer["checks"])
