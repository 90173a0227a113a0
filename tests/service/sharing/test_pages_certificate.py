"""The address of a certificate: paper and language of the visitor, caches, and badges that have none."""

from io import BytesIO
from typing import Any

import pytest
from fastapi.testclient import TestClient
from PIL import Image
from pypdf import PdfReader

from service.checking import check
from service.runtime.runtime import Runtime
from service.runtime.turns import Turns
from service.web.costly import Costly
from tests.worlds.awarding import Stage
from tests.worlds.runtimes import Clock, desk_of

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.fixture
def stage(client: TestClient, runtime: Runtime) -> Stage:
    stage = Stage.set_up(client, runtime)
    stage.member("m11")
    return stage


def earned(stage: Stage, **achievement: Any) -> str:
    stage.achievement(**achievement)
    for n in (1, 2):
        stage.share(n)
    return str(stage.awards()[0]["credential"]["url"])


def width(content: bytes) -> float:
    return float(PdfReader(BytesIO(content)).pages[0].mediabox.width)


def test_the_certificate_of_a_badge_is_a_pdf_that_verify_takes(stage: Stage) -> None:
    url = earned(stage)
    answer = stage.client.get(url + ".pdf")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
    assert answer.headers["content-disposition"] == 'inline; filename="Sharer.pdf"'
    assert answer.headers["x-robots-tag"] == "noindex"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "content-security-policy" not in answer.headers
    page = stage.client.post("/verify", files={"file": ("Sharer.pdf", answer.content)}, headers=BROWSER)
    assert "This badge is genuine and valid" in page.text
    (attached,) = PdfReader(BytesIO(answer.content)).attachments["badge.json"]
    assert check.check(desk_of(stage.runtime), attached.decode()).headline == "genuine"


def test_paper_and_language_are_the_visitors_unless_another_paper_is_asked_for(stage: Stage) -> None:
    url = earned(stage)

    def asked(query: str = "", **headers: str) -> bytes:
        return stage.client.get(f"{url}.pdf{query}", headers=headers).content

    assert width(asked()) == width(asked(**{"Accept-Language": "es"})) == pytest.approx(841.89, abs=0.1)
    assert width(asked(**{"Accept-Language": "es-MX"})) == width(asked("?paper=letter")) == pytest.approx(792)
    assert width(asked("?paper=a4", **{"Accept-Language": "es-MX"})) == pytest.approx(841.89, abs=0.1)
    root: Any = PdfReader(BytesIO(asked(**{"Accept-Language": "es-MX"}))).root_object
    assert root["/Lang"] == "es"
    refused = stage.client.get(url + ".pdf?paper=a5")
    assert refused.status_code == 422


def test_what_has_not_changed_is_not_sent_again(stage: Stage, clock: Clock) -> None:
    url = earned(stage)
    first = stage.client.get(url + ".pdf")
    clock.advance(days=30)
    again = stage.client.get(url + ".pdf", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert "Accept-Language" in again.headers["vary"]


@pytest.mark.parametrize("ending", ["pdf", "zip"])
def test_it_is_made_in_a_place_for_costly_work_as_pictures_are(stage: Stage, ending: str) -> None:
    url = earned(stage)
    taken = Costly()
    taken.turns = Turns(at_once=0, of_one=0, seconds=0)
    stage.client.app.state.costly = taken  # type: ignore[attr-defined]
    answer = stage.client.get(f"{url}.{ending}")
    assert (answer.status_code, answer.json()["code"]) == (429, "service-busy")


def test_that_of_a_sandbox_says_that_it_is_worth_nothing(client: TestClient, runtime: Runtime) -> None:
    stage = Stage.set_up(client, runtime, sandbox=True)
    stage.member("m11")
    content = stage.client.get(earned(stage) + ".pdf").content
    assert "TEST: a practice badge" in PdfReader(BytesIO(content)).pages[0].extract_text()


def test_it_shows_the_networks_own_picture_redrawn(stage: Stage) -> None:
    own = BytesIO()
    Image.new("RGB", (3000, 1500), (200, 30, 40)).save(own, "PNG")
    posted = stage.call("POST", "/v1/blobs", content=own.getvalue(), headers={"Content-Type": "image/png"})
    url = earned(stage, image=posted.json()["sha256"])
    (image,) = PdfReader(BytesIO(stage.client.get(url + ".pdf").content)).pages[0].images
    assert image.image is not None
    assert image.image.size == (1024, 1024)
    assert image.image.convert("RGB").getpixel((512, 512)) == (200, 30, 40)


@pytest.mark.parametrize(
    ("act", "sentence"),
    [
        ("revocation", "The issuer has taken back this badge, so it has no certificate."),
        ("suspension", "It has no certificate until the issuer has decided."),
    ],
)
def test_a_badge_that_its_issuer_does_not_stand_by_has_none_and_says_why(stage: Stage, act: str, sentence: str) -> None:
    url = earned(stage)
    stage.send("POST", f"/v1/credentials/{url.rpartition('/')[2]}/{act}", {"reason": "It is looked into."})
    answer = stage.client.get(url + ".pdf")
    assert (answer.status_code, answer.json()["code"]) == (409, "certificate-withheld")
    assert sentence in answer.json()["detail"]
    page = stage.client.get(url + ".pdf", headers=BROWSER)
    assert (page.status_code, page.headers["content-type"]) == (409, "text/html; charset=utf-8")
    assert sentence in page.text
    shown = stage.client.get(url, headers=BROWSER).text
    assert ".pdf" not in shown
    assert f"{url}.zip" in shown


def test_the_page_of_a_badge_leads_to_its_certificate_and_to_everything(stage: Stage) -> None:
    url = earned(stage)
    shown = stage.client.get(url, headers=BROWSER).text
    for address in (f"{url}.pdf?paper=a4", f"{url}.pdf?paper=letter", f"{url}.zip"):
        assert f'href="{address}"' in shown
        assert stage.client.get(address).status_code == 200


def test_a_badge_that_has_ended_has_one_that_says_so(stage: Stage, clock: Clock) -> None:
    url = earned(stage, valid_for="P1M")
    assert "Valid until" in PdfReader(BytesIO(stage.client.get(url + ".pdf").content)).pages[0].extract_text()
    clock.advance(days=40)
    answer = stage.client.get(url + ".pdf")
    assert "Expired on" in PdfReader(BytesIO(answer.content)).pages[0].extract_text()
