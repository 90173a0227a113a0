"""Refusals: a sentence for people, a problem for programs, and both arrive."""

import json
import re
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import Browser, Page, expect

from service.runtime.fair_use import FairUse
from service.runtime.runtime import Runtime
from service.sharing import views
from service.web import unread
from service.web.error_pages import WORDS
from tests.pages.conftest import Live
from tests.pages.scenes import everybody_can_use
from tests.worlds.runtimes import BASE_URL, app_of

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
SPANISH_BROWSER = BROWSER | {"Accept-Language": "es"}
MEGABYTE = 2**20


@pytest.fixture
def client(runtime: Runtime) -> TestClient:
    return TestClient(app_of(runtime), base_url=BASE_URL, raise_server_exceptions=False)


def fails(*_arguments: Any, **_values: Any) -> None:
    raise RuntimeError("secret detail")


def upload(base_url: str, size: int, headers: dict[str, str]) -> tuple[int, dict[str, str], str]:
    """Post a file of so many bytes as a browser does, all before it reads; return status, headers and text."""
    parts = urlsplit(base_url)
    first = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
    pieces = [first, *[b"a" * MEGABYTE] * (size // MEGABYTE), b"\r\n--x--\r\n"]
    chunked = headers.get("Transfer-Encoding") == "chunked"
    length = {} if chunked else {"Content-Length": str(sum(map(len, pieces)))}
    fields = {"Host": parts.netloc, "Content-Type": "multipart/form-data; boundary=x"} | length | headers
    head = "POST /verify HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields.items()) + "\r\n"
    with socket.create_connection((parts.hostname or "", parts.port or 80), timeout=30) as connection:
        connection.sendall(head.encode())
        for piece in [*pieces, b""] if chunked else pieces:
            connection.sendall(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
        return answer_on(connection)


def answer_on(connection: socket.socket) -> tuple[int, dict[str, str], str]:
    with connection.makefile("rb") as stream:
        status = int(stream.readline().split()[1])
        headers = {}
        while line := stream.readline().decode().strip():
            name, _, value = line.partition(": ")
            headers[name.lower()] = value
        return status, headers, stream.read(int(headers["content-length"])).decode()


@pytest.mark.parametrize(
    ("method", "address", "status", "said", "dicho"),
    [
        ("GET", "/nothing", 404, "Nothing is here", "Aquí no hay nada"),
        ("GET", "/static/nothing.css", 404, "Nothing is here", "Aquí no hay nada"),
        ("GET", "/credentials/0.exe", 404, "Nothing is here", "Aquí no hay nada"),
        ("GET", "/v1elsewhere", 404, "Nothing is here", "Aquí no hay nada"),
        ("GET", "/language", 405, "This address works differently", "Esta dirección funciona de otra manera"),
        ("DELETE", "/verify", 405, "This address works differently", "Esta dirección funciona de otra manera"),
        ("GET", "/achievements/x/image.gif", 422, "That could not be read", "No se pudo leer"),
        ("GET", "/networks/a%00b", 404, "Nothing is here", "Aquí no hay nada"),
    ],
)
def test_a_person_reads_a_sentence_and_a_program_a_problem(
    client: TestClient, method: str, address: str, status: int, said: str, dicho: str
) -> None:
    for headers, title in ((BROWSER, said), (SPANISH_BROWSER, dicho)):
        answer = client.request(method, address, headers=headers)
        assert (answer.status_code, answer.headers["Content-Type"]) == (status, "text/html; charset=utf-8")
        assert f"<h1>{title}</h1>" in answer.text
        assert answer.headers["X-Robots-Tag"] == "noindex"
        assert "Accept" in answer.headers["Vary"]


@pytest.mark.parametrize("accept", ["*/*", "application/json", "image/avif,image/*;q=0.8,*/*;q=0.5", ""])
@pytest.mark.parametrize(("method", "address", "status"), [("GET", "/nothing", 404), ("GET", "/language", 405)])
def test_a_program_keeps_its_problem(client: TestClient, method: str, address: str, status: int, accept: str) -> None:
    answer = client.request(method, address, headers={"Accept": accept})
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["status"] == answer.status_code == status
    assert "Accept" in answer.headers["Vary"]


@pytest.mark.parametrize("address", ["/v1/nothing", "/v1", "/vc/nothing", "/v1/networks/river"])
def test_addresses_of_programs_answer_browsers_with_problems_too(client: TestClient, address: str) -> None:
    answer = client.get(address, headers=BROWSER)
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_what_fails_here_is_said_without_its_reason(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "network", fails)
    answer = client.get("/networks/river", headers=SPANISH_BROWSER)
    assert (answer.status_code, answer.headers["Content-Language"]) == (500, "es")
    assert "<h1>Algo falló aquí</h1>" in answer.text
    assert "secret" not in answer.text


def test_who_asks_too_often_is_told_when_to_come_again(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_arguments: Any) -> None:
        FairUse(per_minute=60, burst=0).take("", 0)

    monkeypatch.setattr(views, "network", busy)
    answer = client.get("/networks/river", headers=BROWSER)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "1")
    assert "Try again in 1 s." in answer.text


def test_the_words_of_each_refusal_are_sentences() -> None:
    for title, sentence in WORDS.values():
        assert not title.endswith(".")
        assert sentence.endswith(".")


@pytest.mark.parametrize("connection", ["keep-alive", "close"])
@pytest.mark.parametrize("framing", [{}, {"Transfer-Encoding": "chunked"}], ids=["length", "chunked"])
def test_who_sends_a_file_that_is_too_large_reads_a_sentence(
    live: Live, connection: str, framing: dict[str, str]
) -> None:
    headers = SPANISH_BROWSER | framing | {"Connection": connection}
    status, answered, text = upload(live.base_url, 40 * MEGABYTE, headers)
    assert (status, answered["content-type"]) == (413, "text/html; charset=utf-8")
    assert "<h1>Este archivo es demasiado grande</h1>" in text
    assert re.search(r"hasta \d+ MB", text)


def test_a_program_that_sends_too_much_reads_a_problem(live: Live) -> None:
    status, _, text = upload(live.base_url, 40 * MEGABYTE, {"Connection": "close"})
    assert (status, json.loads(text)["code"]) == (413, "body-too-large")


def test_what_is_sent_beyond_all_bounds_is_not_waited_for(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unread, "MAX_DRAINED_BYTES", 2 * MEGABYTE)
    parts = urlsplit(live.base_url)
    with socket.create_connection((parts.hostname or "", parts.port or 80), timeout=30) as connection:
        head = f"POST /verify HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: text/plain\r\nContent-Length: {2**40}\r\n\r\n"
        connection.sendall(head.encode() + b"a" * (2 * MEGABYTE))
        status, headers, _ = answer_on(connection)
        assert (status, headers["connection"]) == (413, "close")
        assert connection.recv(1) == b""


def test_who_sends_nothing_more_is_not_waited_for_either(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unread, "DRAIN_SECONDS", 0.1)
    parts = urlsplit(live.base_url)
    with socket.create_connection((parts.hostname or "", parts.port or 80), timeout=30) as connection:
        head = f"POST /verify HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Length: {40 * MEGABYTE}\r\n\r\n"
        connection.sendall(head.encode() + b"a")
        status, headers, _ = answer_on(connection)
    assert (status, headers["connection"]) == (413, "close")


@pytest.mark.parametrize("sent", [0, 3 * MEGABYTE // 4], ids=["nothing", "all"])
def test_a_program_with_a_wrong_token_reads_why_whether_it_sends_its_body_or_not(live: Live, sent: int) -> None:
    parts = urlsplit(live.base_url)
    with socket.create_connection((parts.hostname or "", parts.port or 80), timeout=30) as connection:
        head = f"POST /v1/networks HTTP/1.1\r\nHost: {parts.netloc}\r\nAuthorization: Bearer wrong\r\nContent-Length: {3 * MEGABYTE // 4}\r\n\r\n"
        connection.sendall(head.encode() + b"a" * sent)
        status, headers, text = answer_on(connection)
        assert (status, headers["connection"], json.loads(text)["code"]) == (401, "close", "token-unknown")


def test_who_asks_before_sending_is_told_not_to(live: Live) -> None:
    parts = urlsplit(live.base_url)
    with socket.create_connection((parts.hostname or "", parts.port or 80), timeout=30) as connection:
        head = f"POST /verify HTTP/1.1\r\nHost: {parts.netloc}\r\nExpect: 100-continue\r\nContent-Length: {40 * MEGABYTE}\r\n\r\n"
        connection.sendall(head.encode())
        assert answer_on(connection)[0] == 413


def test_a_browser_without_script_shows_the_sentence(browser: Browser, live: Live, tmp_path: Path) -> None:
    large = tmp_path / "large.png"
    large.write_bytes(b"a" * (40 * MEGABYTE))
    context = browser.new_context(base_url=live.base_url, java_script_enabled=False)
    page = context.new_page()
    page.goto("/verify")
    page.locator("input[type=file]").set_input_files(large)
    page.get_by_role("button", name="Verify", exact=True).click()
    page.get_by_role("heading", name="This file is too large").wait_for()
    expect(page.get_by_text("A file can have up to")).to_be_visible()
    context.close()


def test_everybody_can_use_the_page_of_a_refusal(page: Page, violations: Callable[[Page], list[Any]]) -> None:
    for address in ("/nothing", "/language"):
        page.goto(address)
        everybody_can_use(page, violations, address)
