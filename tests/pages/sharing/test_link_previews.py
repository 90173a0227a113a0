"""What is shown of a link elsewhere: who gets the page, what the page says of itself, and its picture."""

import re
from html import unescape
from io import BytesIO

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from credentials import Fetched
from service.runtime.runtime import Runtime
from service.sharing import previews
from service.tables import Credential
from tests.worlds.awarding import Stage
from tests.worlds.runtimes import BASE_URL, app_of

CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"
SAFARI = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15"
OF_CHROME = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7"
OF_OTHERS = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
AXIOS = "application/json, text/plain, */*"
PAGE, DOCUMENT = "text/html", "json"

ASKING = {
    "curl": ({"User-Agent": "curl/8.17.0", "Accept": "*/*"}, DOCUMENT),
    "wget": ({"User-Agent": "Wget/1.25.0", "Accept": "*/*"}, DOCUMENT),
    "requests": ({"User-Agent": "python-requests/2.32.5", "Accept": "*/*"}, DOCUMENT),
    "httpx": ({"User-Agent": "python-httpx/0.28.1", "Accept": "*/*"}, DOCUMENT),
    "urllib": ({"User-Agent": "Python-urllib/3.14"}, DOCUMENT),
    "go": ({"User-Agent": "Go-http-client/2.0"}, DOCUMENT),
    "node": ({"User-Agent": "node", "Accept": "*/*", "Sec-Fetch-Mode": "cors"}, DOCUMENT),
    "java": ({"User-Agent": "Java-http-client/25"}, DOCUMENT),
    "no headers": ({"User-Agent": ""}, DOCUMENT),
    "verifier, VC": ({"User-Agent": "node", "Accept": "application/vc+ld+json"}, DOCUMENT),
    "verifier, JSON-LD": ({"User-Agent": "axios/1.13", "Accept": "application/ld+json, application/json"}, DOCUMENT),
    "verifier, JSON": ({"User-Agent": "axios/1.13", "Accept": AXIOS}, DOCUMENT),
    "verifier in Chrome": ({"User-Agent": CHROME, "Accept": "*/*", "Sec-Fetch-Dest": "empty"}, DOCUMENT),
    "verifier in Chrome, JSON": ({"User-Agent": CHROME, "Accept": AXIOS, "Sec-Fetch-Dest": "empty"}, DOCUMENT),
    "bot that wants JSON": ({"User-Agent": "Slackbot 1.0", "Accept": "application/json"}, DOCUMENT),
    "bot that refuses pages": ({"User-Agent": "Slackbot 1.0", "Accept": "text/html;q=0, */*"}, DOCUMENT),
    "Chrome": ({"User-Agent": CHROME, "Accept": OF_CHROME, "Sec-Fetch-Dest": "document"}, PAGE),
    "Firefox": ({"User-Agent": FIREFOX, "Accept": OF_OTHERS, "Sec-Fetch-Dest": "document"}, PAGE),
    "Safari": ({"User-Agent": SAFARI, "Accept": OF_OTHERS}, PAGE),
    "browser within an app": ({"User-Agent": SAFARI, "Accept": "*/*"}, PAGE),
    "Facebook": ({"User-Agent": "facebookexternalhit/1.1", "Accept": "*/*"}, PAGE),
    "Meta": ({"User-Agent": "meta-externalagent/1.1"}, PAGE),
    "LinkedIn": ({"User-Agent": "LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient)", "Accept": "*/*"}, PAGE),
    "X": ({"User-Agent": "Twitterbot/1.0", "Accept": "*/*"}, PAGE),
    "Slack": (
        {
            "User-Agent": "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
            "Accept": "*/*",
            "Range": "bytes=0-32768",
        },
        PAGE,
    ),
    "Discord": (
        {"User-Agent": "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)", "Accept": "*/*"},
        PAGE,
    ),
    "WhatsApp": ({"User-Agent": "WhatsApp/2.23.20.0 A", "Accept": "*/*"}, PAGE),
    "Telegram": ({"User-Agent": "TelegramBot (like TwitterBot)"}, PAGE),
    "Mastodon": (
        {"User-Agent": "Mastodon/4.5.0 (http.rb/5.3.1; +https://social.example/) Bot", "Accept": "text/html"},
        PAGE,
    ),
    "Bluesky": ({"User-Agent": "Mozilla/5.0 (compatible; Bluesky Cardyb/1.1; +mailto:support@bsky.app)"}, PAGE),
    "Apple": ({"User-Agent": "Applebot/0.1", "Accept": "*/*"}, PAGE),
    "Google": ({"User-Agent": "Googlebot/2.1 (+http://www.google.com/bot.html)", "Accept": "*/*"}, PAGE),
    "Bing": ({"User-Agent": "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)"}, PAGE),
    "Pinterest": ({"User-Agent": "Pinterestbot/1.0", "Accept": "*/*"}, PAGE),
    "Reddit": ({"User-Agent": "redditbot/1.0", "Accept": "*/*"}, PAGE),
    "Iframely": ({"User-Agent": "Iframely/1.3.1 (+https://iframely.com/docs/about)", "Accept": "*/*"}, PAGE),
    "Teams": ({"User-Agent": "Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5", "Accept": "*/*"}, PAGE),
    "Matrix": ({"User-Agent": "Synapse (bot; +https://github.com/matrix-org/synapse)"}, PAGE),
}


@pytest.fixture
def stage(runtime: Runtime) -> Stage:
    client = TestClient(app_of(runtime), base_url=BASE_URL)
    client.headers.pop("Accept")
    stage = Stage.set_up(client, runtime)
    stage.achievement(rule=None, award="reviewed")
    stage.member("m11", name="Quite Secret")
    return stage


@pytest.fixture
def url(stage: Stage) -> str:
    return str(stage.recorded()["credential"]["url"])


@pytest.fixture
def addresses(stage: Stage, url: str) -> dict[str, str]:
    """Every kind of address that has a page and a document."""
    document = stage.client.get(url + ".json").json()
    receipt = next(each["id"] for each in document["evidence"] if "/receipts/" in each["id"])
    achievement = document["credentialSubject"]["achievement"]["id"]
    return {"badge": url, "achievement": achievement, "network": f"{BASE_URL}/networks/river", "receipt": receipt}


@pytest.mark.parametrize("who", ASKING)
def test_who_gets_the_page_and_who_the_document(stage: Stage, addresses: dict[str, str], who: str) -> None:
    headers, wanted = ASKING[who]
    for kind, address in addresses.items():
        answer = stage.client.get(address, headers=headers)
        assert answer.status_code == 200, kind
        form = answer.headers["content-type"].partition(";")[0]
        assert (form == PAGE) if wanted == PAGE else form.endswith(DOCUMENT), kind
        vary = {each.strip() for each in answer.headers["vary"].split(",")}
        assert {"Accept", "User-Agent", "Sec-Fetch-Dest"} <= vary, kind


def told(text: str) -> dict[str, str]:
    """Return what a page says of itself to others, and its title."""
    found = re.findall(r'<meta (?:property|name)="([\w:]+)" content="([^"]*)">', text)
    return {name: unescape(content) for name, content in found} | {
        "": unescape(re.findall("<title>(.*)</title>", text)[0])
    }


def page(stage: Stage, address: str, **headers: str) -> dict[str, str]:
    return told(stage.client.get(address, headers={"Accept": "text/html"} | headers).text)


def test_a_badge_says_its_name_and_issuer_and_has_a_picture(stage: Stage, addresses: dict[str, str]) -> None:
    said = page(stage, addresses["badge"])
    assert said["og:title"] == "Sharer · River Writers"
    assert said["og:url"] == addresses["badge"]
    assert (said["og:site_name"], said["og:type"], said["og:locale"]) == ("Laurel", "website", "en_GB")
    assert said["og:image"] == f"{addresses['achievement']}/preview-en.png"
    assert (said["og:image:width"], said["og:image:height"]) == ("1200", "630")
    assert said["og:image:alt"] == "The badge Sharer of River Writers"
    assert said["twitter:card"] == "summary_large_image"
    assert said["og:description"]


@pytest.mark.parametrize("kind", ["achievement", "network", "receipt"])
def test_every_page_with_a_document_tells_of_itself(stage: Stage, addresses: dict[str, str], kind: str) -> None:
    said = page(stage, addresses[kind])
    assert said["og:url"] == addresses[kind]
    assert "River" in said["og:title"]
    assert stage.client.get(said["og:image"]).headers["content-type"] == "image/png"


def test_home_tells_of_itself_in_the_language_of_its_reader(stage: Stage) -> None:
    said = page(stage, BASE_URL + "/", **{"Accept-Language": "es"})
    assert said["og:locale"] == "es_ES"
    assert said["og:image"] == f"{BASE_URL}/preview-es.png"
    assert said["og:url"] == BASE_URL + "/"


def test_no_preview_names_a_person(stage: Stage, addresses: dict[str, str]) -> None:
    assert [address for address in addresses.values() if "Secret" in str(page(stage, address))] == []


@pytest.mark.parametrize("change", ["revoked_at", "suspended_at"])
def test_a_badge_that_does_not_hold_says_so_and_shows_no_picture_of_it(stage: Stage, url: str, change: str) -> None:
    with stage.runtime.database.write() as session:
        setattr(session.get_one(Credential, url.rpartition("/")[2]), change, stage.runtime.now())
    said = page(stage, url)
    assert re.fullmatch("This badge (is|was) .+: Sharer · River Writers", said["og:title"])
    assert said["og:image"] == f"{BASE_URL}/preview-en.png"


def test_of_a_private_badge_nothing_is_told(stage: Stage, url: str) -> None:
    with stage.runtime.database.write() as session:
        session.get_one(Credential, url.rpartition("/")[2]).visibility = "private"
    answer = stage.client.get(url, headers={"User-Agent": "Twitterbot/1.0", "Accept": "*/*"})
    assert answer.status_code == 404
    assert told(answer.text)[""] == "No badge at this address"
    assert "og:" not in answer.text
    assert "Sharer" not in answer.text


def picture(stage: Stage, address: str) -> Image.Image:
    answer = stage.client.get(address)
    assert answer.status_code == 200
    with Image.open(BytesIO(answer.content)) as opened:
        opened.load()
        return opened


def test_the_picture_has_the_size_that_is_told(stage: Stage, addresses: dict[str, str]) -> None:
    for address in (addresses["achievement"], addresses["network"], BASE_URL):
        for code in ("en", "es"):
            assert picture(stage, f"{address}/preview-{code}.png").size == (1200, 630)


def test_a_cache_asks_again_only_for_what_has_changed(stage: Stage, addresses: dict[str, str]) -> None:
    first = stage.client.get(f"{addresses['achievement']}/preview-en.png")
    assert first.headers["cache-control"] == "public, max-age=3600"
    again = stage.client.get(first.url, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    "path",
    [
        "/achievements/00000000-0000-7000-8000-000000000000/preview-en.png",
        "/achievements/x/preview-en.png",
        "/networks/nobody/preview-en.png",
    ],
)
def test_of_nothing_there_is_no_picture(stage: Stage, path: str) -> None:
    assert stage.client.get(path).status_code == 404


def test_a_language_that_we_do_not_speak_has_no_picture(stage: Stage) -> None:
    assert stage.client.get("/preview-xx.png").status_code == 404


SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9" fill="#00f"/></svg>'
HUGE = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + (65_535).to_bytes(4, "big") * 2


@pytest.mark.parametrize(
    ("content", "media_type", "shown"),
    [
        (SVG, "image/svg+xml", True),
        (b"<svg", "image/svg+xml", False),
        (HUGE, "image/png", False),
        (b"\x89PNG", "image/png", False),
        (HUGE[:16] + b"\0\0\0\x09" * 2, "image/png", True),
    ],
)
def test_a_networks_own_picture_is_shown_if_it_can_be_drawn(content: bytes, media_type: str, shown: bool) -> None:
    assert (previews.shown_as(Fetched(content, media_type)) is not None) == shown


def test_a_network_that_only_practises_says_test(runtime: Runtime) -> None:
    stage = Stage.set_up(TestClient(app_of(runtime), base_url=BASE_URL), runtime, slug="pond", sandbox=True)
    stage.achievement(rule=None, award="reviewed")
    stage.member("m11")
    said = page(stage, stage.recorded()["credential"]["url"])
    assert "TEST" in said["og:title"]
    drawn = picture(stage, said["og:image"]).convert("RGB")
    assert (200, 32, 43) in {drawn.getpixel((x, 390)) for x in range(70, 460)}  # the ribbon
