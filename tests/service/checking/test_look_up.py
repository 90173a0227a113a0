"""A link that somebody gave: what is asked for the badge behind it, and what is said where there is none."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from fastapi.testclient import TestClient

from credentials import CredentialError
from service.checking.check import check, check_address
from service.checking.desk import Desk
from service.checking.verification import MAX_FOLLOWED, look_up
from service.errors import ServiceError, TooManyRequestsError
from service.runtime import fetching
from service.runtime.fetching import Fetcher
from service.runtime.runtime import Runtime
from service.unpacking import reasons
from service.unpacking.unpack import Allowance
from tests.credentials.older_badges import older_png
from tests.worlds.awarding import Stage
from tests.worlds.handed_over import (
    SVG,
    attached,
    badge_json,
    badge_jwt,
    badge_png,
    code,
    linked,
    pdf,
    png,
    saved,
    scenery,
    zipped,
)
from tests.worlds.listening import Asked, answering

pytestmark = pytest.mark.any_database("what lies behind a link is fetched; no row is written for it")

HTML = "text/html; charset=utf-8"


@dataclass
class Site:
    """A site on this machine: what lies at each path, and what was asked for."""

    url: str = ""
    documents: dict[str, tuple[int, str, bytes]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    hold: threading.Event = field(default_factory=threading.Event)

    def put(self, path: str, body: bytes | str, media_type: str = "application/octet-stream", status: int = 200) -> str:
        """Put a document there and return its address."""
        self.documents[path] = (status, media_type, body.encode() if isinstance(body, str) else body)
        return self.url + path


@pytest.fixture
def site() -> Iterator[Site]:
    here = Site()

    def reply(asked: Asked) -> None:
        here.asked.append(asked.path)
        if asked.path == "/silent":
            here.hold.wait(20)
            return
        status, media_type, body = here.documents.get(asked.path, (404, "text/plain", b""))
        asked.answer(status, body, {"Content-Type": media_type})

    with answering(reply) as here.url:
        yield here
        here.hold.set()


def why_not(runtime: Runtime, url: str) -> tuple[str, str]:
    """Return the code of the error, and that of what is said to people."""
    with pytest.raises((CredentialError, ServiceError)) as caught:
        look_up(runtime, url, Allowance())
    assert isinstance(caught.value, CredentialError | ServiceError)
    return caught.value.code, reasons.why_not(caught.value).code


@pytest.mark.parametrize("body", [badge_json(), badge_jwt(), badge_png()], ids=["json", "jwt", "png"])
@pytest.mark.parametrize("media_type", ["application/octet-stream", HTML])
def test_a_credential_is_taken_whatever_its_site_calls_it(
    desk: Desk, site: Site, body: str | bytes, media_type: str
) -> None:
    assert check_address(desk, site.put("/7", body, media_type)).report.verdict == "verified"
    assert site.asked == ["/7"]


def test_a_page_about_the_badge_leads_to_the_badge(desk: Desk, site: Site) -> None:
    site.put("/7.json", badge_json(), "application/json")
    page = site.put("/7", '<a href="/about">x</a><link rel="alternate" type="application/json" href="7.json">', HTML)
    assert check_address(desk, page).report.verdict == "verified"
    assert site.asked == ["/7", "/7.json"]


def test_a_page_that_holds_the_badge_is_enough(desk: Desk, site: Site) -> None:
    page = site.put("/7", f'<script type="application/ld+json">{badge_json()}</script><img src="/x.png">', HTML)
    assert check_address(desk, page).report.verdict == "verified"
    assert site.asked == ["/7"]


def test_the_picture_on_a_page_may_have_the_badge_in_it(desk: Desk, site: Site) -> None:
    site.put("/logo.svg", SVG)
    site.put("/7.png", badge_png())
    page = site.put("/7", '<img src="/logo.svg"><img src="/missing.png"><img src="/7.png">', HTML)
    assert check_address(desk, page).report.verdict == "verified"


def test_a_picture_with_an_address_alone_leads_on_like_a_link(desk: Desk, site: Site) -> None:
    site.put("/7.json", badge_json(), "application/json")
    page = site.put("/7", '<link rel="alternate" type="application/json" href="7.json">', HTML)
    for address in (page, f"{site.url}/7.json"):
        checked = check(desk, older_png(address))
        assert (checked.report.verdict, checked.report.older, checked.address) == ("verified", None, address)
    assert set(site.asked) == {"/7", "/7.json"}


@pytest.mark.parametrize(
    ("body", "status"),
    [("<p>Not here", 200), ("{}", 200), ("", 404), ("", 500), (older_png("https://localhost:1/8"), 200)],
)
def test_a_picture_whose_address_leads_to_no_badge_is_open(
    desk: Desk, site: Site, body: str | bytes, status: int
) -> None:
    checked = check(desk, older_png(site.put("/7", body, HTML, status)))
    assert (checked.headline, checked.tone, checked.address) == ("older-not-reached", "unsure", "")
    assert site.asked.count("/7") == 1


def test_a_page_may_lead_to_a_badge_of_ours_which_nobody_is_asked_for(
    runtime: Runtime, desk: Desk, client: TestClient, site: Site
) -> None:
    stage = Stage.set_up(client, runtime)
    stage.member("m11")
    stage.achievement()
    for n in (1, 2):
        stage.share(n)
    (award,) = stage.awards(member="m11")
    page = site.put("/me", f'My work: <a href="{award["credential"]["url"]}">a badge</a>', HTML)
    assert check_address(desk, page).report.verdict == "verified"
    assert site.asked == ["/me"]


def test_a_page_is_followed_one_level_and_to_at_most_five_addresses(runtime: Runtime, site: Site) -> None:
    site.put("/deeper.json", badge_json())
    for place in range(9):
        site.put(f"/{place}.json", '<a href="/deeper.json">x</a>', HTML)
    page = site.put("/7", "".join(f'<a href="/{place}.json">x</a>' for place in range(9)), HTML)
    assert why_not(runtime, page) == ("not-a-credential", "link-is-no-badge")
    assert site.asked == ["/7", *(f"/{place}.json" for place in range(MAX_FOLLOWED))]


def test_addresses_on_a_page_are_guarded_like_every_other(runtime: Runtime, site: Site) -> None:
    page = site.put("/7", '<a href="https://10.0.0.1/badge.json">x</a><a href="http://10.0.0.2/badge.json">y</a>', HTML)
    assert why_not(runtime, page) == ("not-a-credential", "link-is-no-badge")


def test_after_a_server_that_never_answers_no_further_address_is_asked(
    runtime: Runtime, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "DEADLINE_SECONDS", 0.5)
    site.put("/7.png", badge_png())
    page = site.put("/7", '<meta property="og:image" content="/silent"><img src="/7.png">', HTML)
    assert why_not(runtime, page) == ("not-a-credential", "link-is-no-badge")
    assert site.asked == ["/7", "/silent"]


@pytest.mark.parametrize(
    "content",
    [pdf(attached("badge.json", badge_json().encode())), zipped({"a/badge.png": badge_png(), "cake.txt": b"cake"})],
    ids=["pdf", "zip"],
)
def test_a_pdf_or_zip_with_one_badge_in_it_gives_that_badge(desk: Desk, site: Site, content: bytes) -> None:
    assert check_address(desk, site.put("/7", content)).report.verdict == "verified"


def test_a_pdf_or_photo_may_lead_to_where_the_badge_is(runtime: Runtime, desk: Desk, site: Site) -> None:
    there = site.put("/badges/7", badge_json())
    for content in (pdf(linked(there)), saved(code(there), "JPEG"), png(code(there))):
        assert check_address(desk, site.put("/file", content)).report.verdict == "verified"
        runtime.fetcher._cache.clear()


@pytest.mark.parametrize(
    "content",
    [
        pdf(),
        zipped({"a.json": badge_json().encode(), "b.jwt": badge_jwt().encode()}),
        saved(scenery(400, 300), "JPEG"),
        b"<html><body>Sign in</body></html>",
    ],
    ids=["pdf", "several", "photo", "page"],
)
def test_what_leads_to_no_badge_or_to_several_is_no_credential(runtime: Runtime, site: Site, content: bytes) -> None:
    assert why_not(runtime, site.put("/7", content)) == ("not-a-credential", "link-is-no-badge")


def test_of_a_picture_without_a_badge_and_of_other_data_the_report_says_what_it_is(
    runtime: Runtime, desk: Desk, site: Site
) -> None:
    for path, content in {"/7.png": png(scenery(64, 64)), "/7.json": b"{}"}.items():
        assert look_up(runtime, site.put(path, content), Allowance()).body == content
        assert check_address(desk, site.url + path).report.verdict == "rejected"


@pytest.mark.parametrize(
    ("status", "said"),
    [(401, "link-login"), (403, "link-login"), (404, "link-not-found"), (410, "link-not-found"), (503, "link-faulty")],
)
def test_a_site_that_shows_nothing_has_its_own_sentence(runtime: Runtime, site: Site, status: int, said: str) -> None:
    assert why_not(runtime, site.put("/7", b"", status=status)) == ("fetch-status", said)


def test_a_site_that_never_answers_has_its_own_sentence(
    runtime: Runtime, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "DEADLINE_SECONDS", 0.3)
    assert why_not(runtime, f"{site.url}/silent") == ("fetch-timeout", "link-never-answers")


def test_a_link_into_a_private_network_has_its_own_sentence(runtime: Runtime) -> None:
    assert why_not(runtime, "https://10.0.0.1/badge") == ("address-refused", "link-private")


@pytest.mark.parametrize(
    ("url", "code", "said"),
    [
        ("http://issuer.example/badge", "address-refused", "link-insecure"),
        ("http://localhost:9/badge", "fetch-failed", "link-unreachable"),
        ("http://localhost:8000/credentials/unknown", "address-without-badge", "link-not-found"),
    ],
)
def test_a_link_that_cannot_be_asked_has_its_own_sentence(runtime: Runtime, url: str, code: str, said: str) -> None:
    assert why_not(runtime, url) == (code, said)


def test_a_host_that_nobody_knows_and_an_answer_without_end_have_their_own_sentences(
    runtime: Runtime, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "MAX_BYTES", 1000)
    assert why_not(runtime, site.put("/7", bytes(1001))) == ("fetch-too-large", "link-too-large")

    def resolve(_host: str, _port: int) -> list[str]:
        raise OSError

    object.__setattr__(runtime, "fetcher", Fetcher(allow_localhost=False, resolve=resolve))
    assert why_not(runtime, "https://issuer.example/") == ("fetch-failed", "link-unreachable")


def test_where_too_much_is_asked_at_once_people_are_told_to_wait() -> None:
    assert reasons.why_not(TooManyRequestsError("too-many-requests", "Wait.")).code == "busy"
