"""The pages in the visitor's language, and how a visitor chooses another one."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import Browser, Page, expect

from service.achievements import parts
from service.runtime.runtime import Runtime
from service.texts.languages import ENGLISH, LANGUAGES, SPANISH
from service.texts.vocabulary import ACHIEVEMENT_TYPES
from service.web.rendering import render
from service.web.templating import kind
from tests.pages.conftest import Live
from tests.pages.scenes import HOSTILE, achievement_of, badge, everybody_can_use, hostile_badge, inert, stage_of
from tests.worlds.awarding import Stage
from tests.worlds.runtimes import BASE_URL, Clock, app_of, settings_in, start

HTML = {"Accept": "text/html"}
SPANISH_BROWSER = HTML | {"Accept-Language": "es-MX,es;q=0.9,en;q=0.8"}
VARY = {"Accept", "Accept-Language", "Cookie"}


@pytest.fixture
def client(runtime: Runtime) -> TestClient:
    return TestClient(app_of(runtime), base_url=BASE_URL, follow_redirects=False)


@pytest.fixture
def stage(client: TestClient, runtime: Runtime) -> Stage:
    stage = Stage.set_up(client, runtime)
    stage.member("m11")
    return stage


def varies(headers: Any) -> set[str]:
    return {name.strip() for value in headers.get_list("vary") for name in value.split(",")}


def choose(client: TestClient, to: str, back: str = "/") -> Any:
    return client.post("/language", data={"to": to, "back": back})


def pages_of(stage: Stage) -> list[str]:
    """Return the address of each page."""
    url = badge(stage)
    receipt = stage.awards(member="m11")[0]["receipt"]
    shown = [url, achievement_of(stage, url), receipt, "/networks/river"]
    return ["/", "/docs", "/verify", f"/verify?link={url}", *shown, "/networks/nobody", "/nothing"]


def test_every_page_speaks_the_language_that_the_browser_prefers(stage: Stage) -> None:
    for address in pages_of(stage):
        english = stage.client.get(address, headers=HTML | {"Accept-Language": "en"})
        spanish = stage.client.get(address, headers=SPANISH_BROWSER)
        assert english.status_code == spanish.status_code
        for answer, code in ((english, "en"), (spanish, "es")):
            assert f'<html lang="{code}" dir="ltr">' in answer.text
            assert answer.headers["Content-Language"] == code
            assert varies(answer.headers) >= VARY
        assert english.headers.get("ETag", "none") != spanish.headers.get("ETag", "other")


def test_dates_and_words_follow_the_language(stage: Stage) -> None:
    url = badge(stage)
    for address, shown in (
        (url, ["Insignia", "¿Conocemos al emisor?", "Válida, sin fecha de fin", "2 de marzo de 2026"]),
        (f"/verify?link={url}", ["Esta insignia es auténtica y válida", "Comprobada el 2 de marzo de 2026, 12:00 UTC"]),
        ("/networks/river", ["Aquí desde", "2 de marzo de 2026", "Red informal de aprendizaje entre pares"]),
        (achievement_of(stage, url), ["Cómo se obtiene", "2 de marzo de 2026", "versión 1"]),
        (
            stage.awards(member="m11")[0]["receipt"],
            ["Por qué se otorgó Sharer", "2 registros", "2 recursos compartidos (mínimo: 2)"],
        ),
    ):
        text = stage.client.get(address, headers=SPANISH_BROWSER).text
        assert [one for one in shown if one not in text] == []


def test_a_rule_is_told_in_the_language_of_the_reader(stage: Stage) -> None:
    url = badge(stage)
    receipt = stage.client.get(stage.awards(member="m11")[0]["receipt"], headers=SPANISH_BROWSER).text
    assert "2 recursos compartidos (mínimo: 2)." in receipt
    assert (
        "Al menos 2 recursos compartidos." in stage.client.get(achievement_of(stage, url), headers=SPANISH_BROWSER).text
    )


def test_a_page_in_another_language_is_not_taken_for_unchanged(stage: Stage) -> None:
    first = stage.client.get("/networks/river", headers=SPANISH_BROWSER)
    known = {"If-None-Match": first.headers["ETag"]}
    same = stage.client.get("/networks/river", headers=SPANISH_BROWSER | known)
    assert (same.status_code, same.headers["Content-Language"]) == (304, "es")
    assert varies(same.headers) >= VARY
    assert stage.client.get("/networks/river", headers=HTML | known).status_code == 200


def test_a_choice_is_kept_in_a_cookie_that_holds_nothing_else(client: TestClient) -> None:
    answer = choose(client, "es", "/verify")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/verify")
    name, *attributes = answer.headers["Set-Cookie"].split("; ")
    assert name == "language=es"
    assert {one.lower() for one in attributes} == {"httponly", "max-age=31536000", "path=/", "samesite=lax"}
    assert client.get("/", headers=HTML | {"Accept-Language": "en"}).headers["Content-Language"] == "es"
    choose(client, "en")
    assert client.get("/", headers=SPANISH_BROWSER).headers["Content-Language"] == "en"


def test_the_cookie_travels_only_over_https_where_the_service_does(tmp_path: Path) -> None:
    given = settings_in(tmp_path, base_url="https://badges.example.org")
    with start(given, Clock()) as runtime:
        assert "; Secure" in choose(TestClient(app_of(runtime), follow_redirects=False), "es").headers["Set-Cookie"]


@pytest.mark.parametrize("to", ["", "xx", "es\r\nSet-Cookie: a=b", "ES"])
def test_a_language_that_there_is_not_is_no_choice(client: TestClient, to: str) -> None:
    choose(client, "es")
    answer = choose(client, to)
    assert answer.status_code == 303
    assert answer.headers.get_list("set-cookie")[0].startswith('language=""; ')
    assert client.get("/", headers=HTML | {"Accept-Language": "en"}).headers["Content-Language"] == "en"


@pytest.mark.parametrize(
    "back", ["/", "/verify", "/networks/river?a=b&c=d", "/a//b", "/%2F/elsewhere.example", "/a:b@c"]
)
def test_a_choice_leads_back(client: TestClient, back: str) -> None:
    assert choose(client, "es", back).headers["Location"] == back


@pytest.mark.parametrize(
    "back",
    [
        "",
        "verify",
        "https://elsewhere.example/",
        "//elsewhere.example",
        "///elsewhere.example",
        "/\\elsewhere.example",
        "\\\\elsewhere.example",
        "/\t/elsewhere.example",
        "/\n/elsewhere.example",
        "\t//elsewhere.example",
        " //elsewhere.example",
        "javascript:alert(1)",
        "/\r\nSet-Cookie: a=b",
        "/ñ",
        '/"><script>',
        "/" + "a" * 3000,
        "http:elsewhere.example",
        "/\x00",
    ],
)
def test_a_choice_never_leads_elsewhere(client: TestClient, back: str) -> None:
    answer = choose(client, "es", back)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")


@pytest.mark.parametrize(
    ("address", "back"),
    [
        ("/networks/nobody?x=1&y=%22", "/networks/nobody?x=1&amp;y=%22"),
        ("/networks/%C3%B1", "/networks/%C3%B1"),
        ("//elsewhere.example/", "/"),
        ("/nothing?%3Cscript%3E", "/nothing?%3Cscript%3E"),
    ],
)
def test_each_page_leads_back_to_itself(client: TestClient, address: str, back: str) -> None:
    client.base_url = ""  # so that the path is sent as it stands here
    text = client.get(BASE_URL + address, headers=HTML).text
    assert f'<input type="hidden" name="back" value="{back}">' in text


def test_a_page_that_answers_a_form_leads_back_to_the_form(client: TestClient) -> None:
    answer = client.post("/verify", data={"received": "{}"}, headers=SPANISH_BROWSER)
    assert answer.headers["Content-Language"] == "es"
    assert '<input type="hidden" name="back" value="/verify">' in answer.text


def test_a_page_may_say_itself_where_it_leads_back() -> None:
    def back(**given: Any) -> str:
        page = bytes(render("notice.html", language=ENGLISH, title="", sentence="", **given).body).decode()
        return page.partition('name="back" value="')[2].partition('"')[0]

    assert [back(), back(back="/verify")] == ["/", "/verify"]


@pytest.mark.parametrize("language", LANGUAGES.values(), ids=LANGUAGES.keys())
def test_a_text_that_is_no_constant_stays_text(language: Any) -> None:
    page = render("notice.html", language=language, title=HOSTILE, sentence="%(it)s <b>", values={"it": HOSTILE})
    text = bytes(page.body).decode()
    assert "<img" not in text
    assert "<b>" not in text
    assert text.count("&lt;script&gt;hostile()&lt;/script&gt;") == 3


@pytest.mark.parametrize(
    ("achievement_type", "english", "spanish"),
    [
        ("MicroCredential", "Micro-credential", "Microcredencial"),
        ("ext:StudyCircle", "Study circle", "Study circle"),
        ("Unheard", "Unheard", "Unheard"),
        ("", "Achievement", "Logro"),
    ],
)
def test_types_of_achievements_are_said_in_words(achievement_type: str, english: str, spanish: str) -> None:
    assert kind(achievement_type) == english
    assert kind(achievement_type, SPANISH) == spanish


def test_every_type_of_the_vocabulary_has_its_words() -> None:
    assert ACHIEVEMENT_TYPES.keys() == set(parts.ACHIEVEMENT_TYPES)


def test_a_visitor_chooses_a_language_without_script_and_keeps_it(browser: Browser, live: Live) -> None:
    stage_of(live)
    context = browser.new_context(base_url=live.base_url, java_script_enabled=False, locale="en-US")
    page = context.new_page()
    page.goto("/")
    expect(page.locator(".languages [aria-current]")).to_have_text("English")
    page.get_by_role("button", name="Español").click()
    page.wait_for_url(f"{live.base_url}/")
    expect(page.locator("html")).to_have_attribute("lang", "es")
    page.goto("/networks/river")
    expect(page.get_by_text("Aquí desde")).to_be_visible()
    page.get_by_role("button", name="English").click()
    page.wait_for_url("**/networks/river")
    expect(page.get_by_text("Here since")).to_be_visible()
    page.goto("/")
    expect(page.get_by_text("You want to check a badge")).to_be_visible()
    context.close()


def test_the_browsers_language_is_spoken_at_once(browser: Browser, live: Live) -> None:
    context = browser.new_context(base_url=live.base_url, locale="es-AR")
    page = context.new_page()
    page.goto("/")
    assert page.get_by_role("heading", level=1).inner_text().startswith("Insignias del aprendizaje")
    context.close()


def test_everybody_can_use_them_in_spanish(page: Page, live: Live, violations: Callable[[Page], list[Any]]) -> None:
    page.set_extra_http_headers({"Accept-Language": "es"})
    for address in set(pages_of(stage_of(live))) - {"/docs"}:  # whose content is English, and tried as such
        page.goto(address)
        expect(page.locator("html")).to_have_attribute("lang", "es")
        everybody_can_use(page, violations, address)


def test_what_a_network_writes_stays_text_in_spanish(page: Page, live: Live) -> None:
    page.set_extra_http_headers({"Accept-Language": "es"})
    stage = stage_of(live)
    url = hostile_badge(stage)
    for address in (achievement_of(stage, url), stage.awards(achievement="hostile")[0]["receipt"]):
        page.goto(address)
        assert HOSTILE in page.locator("main").inner_text()
        inert(page)
        assert page.evaluate("typeof hostile") == "undefined"
