"""oEmbed and Open Graph, read by other people's parsers."""

from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import micawber
import pytest
from bs4 import BeautifulSoup
from defusedxml.ElementTree import fromstring

from service.tables import Credential
from tests.pages.conftest import Live
from tests.pages.scenes import achievement_of, badge, later, revoke, stage_of
from tests.worlds.awarding import Stage


@pytest.fixture
def stage(live: Live) -> Stage:
    return stage_of(live)


@pytest.fixture
def consumer(live: Live) -> Any:
    """Another site that knows how to embed our badges."""
    known = micawber.ProviderRegistry()
    known.register(rf"{live.base_url}/credentials/\S+", micawber.Provider(f"{live.base_url}/oembed"))
    return known


def ask(stage: Stage, url: str, **more: Any) -> Any:
    return stage.client.get("/oembed", params={"url": url} | more)


def page_of(stage: Stage, url: str) -> BeautifulSoup:
    return BeautifulSoup(stage.client.get(url, headers={"Accept": "text/html"}).text, "html.parser")


def test_a_consumer_replaces_the_link_by_the_card(consumer: Any, stage: Stage) -> None:
    url = badge(stage)
    html = micawber.parse_text(f"My badge:\n{url}\n", consumer)
    (frame,) = BeautifulSoup(html, "html.parser").find_all("iframe")
    assert frame["src"] == url + "/card"
    assert frame["title"] == "The badge Sharer of River Writers"


def test_everything_that_the_specification_asks_of_a_rich_answer_is_there(
    consumer: Any, stage: Stage, live: Live
) -> None:
    url = badge(stage)
    said = consumer.request(url)
    assert said.pop("html").startswith(f'<iframe src="{url}/card"')
    assert said == {
        "type": "rich",
        "version": "1.0",
        "title": "Sharer · River Writers",
        "author_name": "River Writers",
        "author_url": f"{live.base_url}/networks/river",
        "provider_name": "Laurel",
        "provider_url": live.base_url,
        "cache_age": 300,
        "width": 480,
        "height": 176,
        "thumbnail_url": f"{achievement_of(stage, url)}/image.png",
        "thumbnail_width": 512,
        "thumbnail_height": 512,
        "url": url,
    }
    assert stage.client.get(said["thumbnail_url"]).headers["content-type"] == "image/png"


def test_the_card_keeps_to_the_room_there_is(consumer: Any, stage: Stage) -> None:
    url = badge(stage)
    said = consumer.request(url, maxwidth=320, maxheight=400)
    assert (said["width"], said["height"]) == (320, 176)
    assert 'width="320" height="176"' in said["html"]
    assert "thumbnail_url" not in said
    small = consumer.request(url, maxwidth=200, maxheight=100)
    assert (small["type"], small["title"]) == ("link", "Sharer · River Writers")
    assert "html" not in small


def test_the_page_of_a_badge_says_where_to_ask_in_both_formats(stage: Stage) -> None:
    url = badge(stage)
    page = page_of(stage, url)
    for kind in ("application/json+oembed", "text/xml+oembed"):
        (link,) = page.find_all("link", rel="alternate", type=kind)
        assert parse_qs(urlsplit(str(link["href"])).query)["url"] == [url]
        answer = stage.client.get(str(link["href"]))
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith(kind.removesuffix("+oembed"))


def test_both_formats_say_the_same(stage: Stage) -> None:
    url = badge(stage, name="Ask & answer <kindly>")
    told = {part.tag: part.text for part in fromstring(ask(stage, url, format="xml").content)}
    assert told == {name: str(value) for name, value in ask(stage, url).json().items()}


def test_a_page_tells_open_graph_the_same_as_oembed(stage: Stage) -> None:
    url = badge(stage, name="Ask & answer <kindly>")
    page = page_of(stage, url)
    said = {str(each["property"]): str(each["content"]) for each in page.find_all("meta", property=True)}
    oembed = ask(stage, url).json()
    assert said["og:title"] == oembed["title"] == "Ask & answer <kindly> · River Writers"
    assert said["og:url"] == url
    assert said["og:site_name"] == oembed["provider_name"]
    assert stage.client.get(said["og:image"]).headers["content-type"] == said["og:image:type"]


def test_a_badge_that_does_not_hold_is_told_as_that(consumer: Any, stage: Stage, live: Live) -> None:
    url = badge(stage, valid_for="P1Y")
    later(live, days=366)
    assert consumer.request(url)["title"] == "This badge has expired: Sharer · River Writers"
    revoke(stage, url)
    said = consumer.request(url)
    assert said["title"] == "This badge was revoked: Sharer · River Writers"
    assert "thumbnail_url" not in said


def test_a_sandbox_badge_says_test(consumer: Any, live: Live) -> None:
    said = consumer.request(badge(stage_of(live, sandbox=True)))
    assert (said["title"], said["author_name"]) == ("TEST Sharer · TEST River Writers", "TEST River Writers")


def test_a_private_badge_is_answered_as_one_that_does_not_exist(stage: Stage, live: Live) -> None:
    url = badge(stage)
    with live.runtime.database.write() as session:
        session.get_one(Credential, url.rpartition("/")[2]).visibility = "private"
    private, unknown = ask(stage, url), ask(stage, f"{live.base_url}/credentials/{'0' * 32}")
    assert private.status_code == unknown.status_code == 404
    assert private.json() | {"request_id": ""} == unknown.json() | {"request_id": ""}


def test_an_address_elsewhere_is_neither_answered_nor_asked(stage: Stage, live: Live) -> None:
    path = urlsplit(badge(stage)).path
    for url in (f"https://elsewhere.example{path}", path, f"{live.base_url}/networks/river"):
        answer = ask(stage, url)
        assert (answer.status_code, answer.json()["code"]) == (404, "credential-unknown")


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("format=yaml", 501, "oembed-format-unknown"),
        ("format=", 501, "oembed-format-unknown"),
        ("maxwidth=0", 422, "greater-than-equal"),
        ("maxheight=wide", 422, "int-parsing"),
    ],
)
def test_what_cannot_be_answered_is_refused(stage: Stage, query: str, status: int, code: str) -> None:
    answer = stage.client.get(f"/oembed?url={quote(badge(stage), safe='')}&{query}")
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_without_an_address_there_is_no_answer(stage: Stage) -> None:
    answer = stage.client.get("/oembed")
    assert (answer.status_code, answer.json()["code"], answer.json()["pointer"]) == (422, "missing", "url")


def test_any_site_may_ask_and_keep_the_answer_for_five_minutes(stage: Stage) -> None:
    answer = stage.client.get("/oembed", params={"url": badge(stage)}, headers={"Origin": "https://blog.example"})
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cache-control"] == "public, max-age=300"
    assert answer.headers["x-robots-tag"] == "noindex"
    assert "Accept-Language" in answer.headers["vary"]


def test_what_a_person_reads_is_in_their_language(stage: Stage) -> None:
    url = badge(stage)
    revoke(stage, url)
    answer = stage.client.get("/oembed", params={"url": url}, headers={"Accept-Language": "es"})
    assert answer.json()["title"] == "Esta insignia fue retirada: Sharer · River Writers"
