"""Many badges at once at /verify/batch: rows while they are decided, what hung tried again alone, tables, one page each."""

import base64
import csv
import html
import io
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from playwright.sync_api import Browser, Page, expect
from pypdf import PdfReader

from credentials import PrivateKeySigner, bake, sign
from service.checking.batch.batch import MAX_ITEMS, THREAD_NAME
from service.checking.batch.time_limits import BatchTime
from service.runtime import fetching
from service.runtime.fair_use import FairUse
from tests.pages.conftest import Live
from tests.pages.reading import Element, Reader
from tests.pages.scenes import HOSTILE, PERSON, badge, everybody_can_use, file_of, inert, stage_of, top
from tests.worlds.awarding import Stage
from tests.worlds.listening import Asked, answering
from tests.worlds.waiting import until

WAIT_SECONDS = 300
"""So long a test waits for what must happen; nothing is measured."""
FORM = {"received": ""}


class Elsewhere:
    """Two servers that hold a badge at any path: one answers, the other keeps everybody waiting until it is released."""

    def __init__(self, content: bytes) -> None:
        self.released = threading.Event()
        self.asked: list[str] = []

        def reply(asked: Asked) -> None:
            self.asked.append(asked.path)
            if asked.path.startswith("/held"):
                self.released.wait(WAIT_SECONDS)
            asked.answer(200, content, {"Content-Type": "application/json"})

        self._open = ExitStack()
        self._prompt, self._slow = (self._open.enter_context(answering(reply)) for _ in range(2))

    def link(self, number: int) -> str:
        """Return a link that is answered at once."""
        return f"{self._prompt}/badge/{number}"

    def held(self, number: int) -> str:
        """Return a link that is answered once it is released."""
        return f"{self._slow}/held/{number}"

    def close(self) -> None:
        """End both servers."""
        self.released.set()
        self._open.close()


@pytest.fixture
def stage(live: Live) -> Stage:
    return stage_of(live)


@pytest.fixture
def elsewhere(stage: Stage) -> Iterator[Elsewhere]:
    servers = Elsewhere(file_of(stage, badge(stage), "json"))
    yield servers
    servers.close()


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fetcher that does not wait long for those who never answer, and checks that never use up their time."""
    monkeypatch.setattr(fetching, "DEADLINE_SECONDS", 10.0)
    monkeypatch.setattr(BatchTime, "ORDINARY", float("inf"))  # a loaded machine takes longer for an ordinary badge


def of_unreachable_issuer(stage: Stage) -> str:
    """Return a badge of an issuer whose server cannot be reached."""
    credential = json.loads(file_of(stage, badge(stage), "json"))
    issuer = "did:web:localhost%3A9:networks:gone"  # the port on which nobody listens
    for member in ("proof", "credentialStatus"):
        del credential[member]
    credential["issuer"]["id"] = issuer
    signer = PrivateKeySigner(Ed25519PrivateKey.generate())
    method = f"{issuer}#{signer.key.multikey}"
    return json.dumps(sign(credential, signer, verification_method=method, created=stage.runtime.now()))


def give(page: Page, lines: list[str]) -> None:
    page.goto("/verify/batch")
    page.get_by_label("Links, one on each line").fill("\n".join(lines))
    page.get_by_role("button", name="Verify all").click(no_wait_after=True)


def give_table(page: Page, text: str, path: Path) -> None:
    path.write_text(text, encoding="utf-8")
    page.goto("/verify/batch")
    page.get_by_label("Or files").set_input_files(path)
    page.get_by_role("button", name="Verify all").click()


def over(page: Page) -> None:
    """Wait until the whole answer is there."""
    expect(page.locator("#csv")).to_be_visible(timeout=WAIT_SECONDS * 1000)
    page.wait_for_load_state()


def downloaded(page: Page | Element, name: str) -> str:
    """Return what a download holds, as it is in its link."""
    if isinstance(page, Element):
        href = page.one(f"a[id={name}]").attributes["href"]
    else:
        href = str(page.locator(f"#{name}").get_attribute("href"))
    head, _, data = href.partition(",")
    return base64.b64decode(data).decode() if head.endswith(";base64") else unquote(data)


def table_of(page: Page | Element, delimiter: str = ",") -> list[list[str]]:
    text = downloaded(page, "csv")
    assert text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(text[1:], newline=""), delimiter=delimiter, strict=True))


def kinds(page: Page) -> list[str]:
    found: list[str] = page.evaluate("[...document.querySelectorAll('tr[data-number]')].map((row) => row.dataset.kind)")
    return found


def test_the_progress_follows_the_rows(page: Page, elsewhere: Elsewhere) -> None:
    give(page, [elsewhere.link(1), elsewhere.link(2), elsewhere.held(3), elsewhere.link(4)])
    expect(page.locator("tr[data-number]")).to_have_count(2, timeout=WAIT_SECONDS * 1000)
    expect(page.get_by_label("Progress")).to_be_visible()
    assert page.locator("#bar").evaluate("bar => [bar.value, bar.max]") == [2, 4]
    expect(page.get_by_role("status")).to_have_text("2 of 4 checked")
    elsewhere.released.set()
    over(page)
    expect(page.locator("tr[data-number]")).to_have_count(4)
    expect(page.locator("#progress")).to_be_hidden()
    expect(page.get_by_role("status")).to_have_text("4 of 4 checked")


@pytest.mark.usefixtures("hurried")
def test_of_500_links_three_hang_and_are_tried_again_alone(page: Page, elsewhere: Elsewhere) -> None:
    links = [elsewhere.link(n) for n in range(MAX_ITEMS)]
    for place in (7, 250, 499):
        links[place] = elsewhere.held(place)
    give(page, links)
    over(page)
    found = kinds(page)
    assert len(found) == MAX_ITEMS
    assert [place for place, kind in enumerate(found) if kind == "unchecked"] == [7, 250, 499]
    expect(page.locator("#again h2")).to_contain_text("3 did not answer")
    rows = table_of(page)
    assert len(rows) == MAX_ITEMS + 1
    assert [row[0] for row in rows[1:]] == links
    asked = len(elsewhere.asked)
    elsewhere.released.set()
    page.get_by_role("button", name="Try these again").click()
    expect(page.locator("#again")).to_have_count(0, timeout=WAIT_SECONDS * 1000)
    assert kinds(page) == [kind if kind != "unchecked" else found[0] for kind in found]
    assert len(elsewhere.asked) == asked + 3
    expect(page.locator("[data-sum='unchecked']")).to_have_text("0")
    rows = table_of(page)
    assert [row[0] for row in rows[1:]] == links
    assert {row[1] for row in rows[1:]} == {rows[1][1]}
    told = json.loads(downloaded(page, "json"))
    assert [each["number"] for each in told["items"]] == list(range(1, MAX_ITEMS + 1))
    assert not any(each["try_again"] for each in told["items"])
    assert page.evaluate("document.activeElement.id") == "what"


@pytest.mark.usefixtures("hurried")
def test_without_a_script_the_rows_arrive_and_what_hung_has_a_page_of_its_own(
    browser: Browser, live: Live, elsewhere: Elsewhere
) -> None:
    context = browser.new_context(base_url=live.base_url, java_script_enabled=False)
    page = context.new_page()
    give(page, [elsewhere.link(1), elsewhere.held(2), elsewhere.link(3), elsewhere.held(4)])
    over(page)
    expect(page.locator("#progress")).to_be_hidden()
    expect(page.locator("tr[data-kind='unchecked']")).to_have_count(2)
    assert len(table_of(page)) == 5
    elsewhere.released.set()
    page.get_by_role("button", name="Try these again").click()
    expect(page.locator("tr[data-number]")).to_have_count(2, timeout=WAIT_SECONDS * 1000)
    over(page)
    expect(page.locator("tr[data-number] td.number")).to_have_text(["2", "4"])
    expect(page.locator("#again")).to_have_count(0)
    assert [row[0] for row in table_of(page)[1:]] == [elsewhere.held(2), elsewhere.held(4)]
    context.close()


def test_a_file_whose_issuer_cannot_be_reached_is_tried_again_from_its_text(
    page: Page, stage: Stage, tmp_path: Path
) -> None:
    svg = b'<svg xmlns="http://www.w3.org/2000/svg"/>'
    (tmp_path / "badge.svg").write_bytes(bake(svg, of_unreachable_issuer(stage)))
    page.goto("/verify/batch")
    page.get_by_label("Or files").set_input_files(tmp_path / "badge.svg")
    page.get_by_role("button", name="Verify all").click()
    over(page)
    assert kinds(page) == ["unsure"]
    page.get_by_role("button", name="Try these again").click()
    expect(page.get_by_role("status").first).to_have_text("1 of 1 checked")
    expect(page.locator("tr[data-number] th")).to_have_text("badge.svg")
    assert kinds(page) == ["unsure"]
    expect(page.locator("#again")).to_be_visible()


def test_a_table_comes_back_and_each_candidate_has_a_page(reader: Reader, stage: Stage) -> None:
    url = badge(stage)
    text = (
        "Post;Nombre;Correo;Enlace\n"
        f"=cmd;Member 11;{PERSON[1]};{url}\n"
        f"b;Member 11;{PERSON[1].upper()};{url}\n"
        f"c;Somebody else;other@river.example.org;{url}\n"
        ";;;\n"
        "d;Without a link;;\n"
    )
    page = reader.give("", ("candidates.csv", text.encode()), to="/verify/batch")
    rows = table_of(page, ";")
    assert [row[:4] for row in rows] == [
        ["Post", "Nombre", "Correo", "Enlace"],
        ["'=cmd", "Member 11", PERSON[1], url],
        ["b", "Member 11", PERSON[1].upper(), url],
        ["c", "Somebody else", "other@river.example.org", url],
        ["d", "Without a link", "", ""],
    ]
    assert [each.text for each in page.all("h3")] == [
        f"Member 11 ({PERSON[1]})",
        "Somebody else (other@river.example.org)",
        "Without a link",
    ]
    assert len(page.one(".candidate").all("article")) == 2
    assert "issued to the person you named" in page.one("tr[data-number=1]").text
    assert "Issued to a different address" in page.one("tr[data-number=3]").text
    assert page.one("tr[data-number=3]").attributes["data-kind"] == "unsure"
    assert "This row has no link." in page.one("tr[data-number=4]").text
    assert "We skipped 1 empty row of the table." in page.text
    told = json.loads(downloaded(page, "json"))
    assert told["columns"] == ["Post", "Nombre", "Correo", "Enlace"]
    assert [each["recipient"] for each in told["items"]] == ["passed", "passed", "failed", "skipped"]
    assert told["items"][0]["row"][0] == "=cmd"
    assert urlsplit(reader.address).path + urlsplit(reader.address).query == "/verify/batch"


def test_printing_gives_one_candidate_a_page_and_nothing_else(page: Page, stage: Stage, tmp_path: Path) -> None:
    url = badge(stage)
    text = "name,link\n" + "".join(f"Candidate {n},{url}\n" for n in (1, 2, 3))
    give_table(page, text, tmp_path / "candidates.csv")
    over(page)
    expect(page.locator("details.candidate")).to_have_count(3)
    expect(page.locator("details.candidate[open]")).to_have_count(0)
    pages = [sheet.extract_text() for sheet in PdfReader(io.BytesIO(page.pdf(format="A4"))).pages]
    assert len(pages) == 3
    for number, sheet in enumerate(pages, start=1):
        assert re.findall(r"Candidate \d", sheet) == [f"Candidate {number}"]
        for words in (
            "Sharer",
            "Is it authentic?",
            "Is it still valid?",
            "Do we know the issuer?",
            "2 March 2026, 12:00 UTC",
        ):
            assert words in sheet
        assert "Download" not in sheet
        assert "Verify all" not in sheet


@pytest.mark.parametrize("script", [True, False])
def test_the_result_of_one_badge_prints_on_one_page(browser: Browser, live: Live, stage: Stage, script: bool) -> None:
    url = badge(stage, description="A long description. " * 30)
    context = browser.new_context(base_url=live.base_url, java_script_enabled=script)
    page = context.new_page()
    page.goto("/verify")
    page.locator("textarea, input[name=received]").first.fill(url)
    page.get_by_role("button", name="Verify", exact=True).click()
    page.locator(".verdict").wait_for()
    page.wait_for_load_state()
    (sheet,) = PdfReader(io.BytesIO(page.pdf(format="A4"))).pages
    said = sheet.extract_text()
    for words in (
        "Sharer",
        "River Writers",
        "Checked on 2 March 2026",
        *page.locator(".question .asked").all_inner_texts(),
    ):
        assert words in said
    assert page.locator(".question p").first.evaluate("part => part.textContent") in " ".join(said.split())
    assert "Verify another badge" not in said
    context.close()


def test_without_a_script_folded_sheets_are_printed_too(browser: Browser, live: Live, stage: Stage) -> None:
    context = browser.new_context(base_url=live.base_url, java_script_enabled=False)
    page = context.new_page()
    give(page, [badge(stage), "sent by post"])
    over(page)
    pages = [sheet.extract_text() for sheet in PdfReader(io.BytesIO(page.pdf(format="A4"))).pages]
    assert len(pages) == 2
    assert "Is it authentic?" in pages[0]
    assert "There is no link and no badge on this line" in pages[1]
    context.close()


def test_every_line_is_a_row_and_the_totals_add_up(page: Page, stage: Stage) -> None:
    url = badge(stage)
    give(page, ["Link", url, "", "Member 4: <b>by post</b>", f"{url}?x=1", "   ", "ID 4711"])
    over(page)
    assert page.locator("tr[data-number] th").all_inner_texts() == [
        f"{url}\nline 2",
        "Member 4: <b>by post</b>\nline 4",
        f"{url}?x=1\nline 5",
        "ID 4711\nline 7",
    ]
    assert sum(map(int, page.locator("[data-sum]").all_inner_texts())) == 4
    rows = [dict(zip(table_of(page)[0], row, strict=True)) for row in table_of(page)[1:]]
    assert [row["Line"] for row in rows] == ["2", "4", "5", "7"]


def test_totals_and_downloads_stand_above_the_rows_and_only_problems_can_be_shown(page: Page, stage: Stage) -> None:
    give(page, [badge(stage), "sent by post"])
    over(page)
    assert page.locator("#totals #csv").count() == 1
    assert top(page, "#csv") < top(page, "tr[data-number='1']")
    expect(page.locator("#below")).to_be_hidden()
    page.get_by_label("Only problems").check()
    expect(page.locator("tr[data-number='1']")).to_be_hidden()
    expect(page.locator("tr[data-number='2']")).to_be_visible()
    expect(page.locator(".none")).to_be_hidden()
    assert len(table_of(page)) == 3, "a download holds everything"
    give(page, [badge(stage)])
    over(page)
    page.get_by_label("Only problems").check()
    expect(page.locator(".none")).to_be_visible()


NEEDS = {"issuers": "River Writers", "from": "2026-01-01", "to": "2026-12-31", "hours": "2,5", "credits": ""}


def test_people_are_counted_and_what_was_typed_stays_for_the_next_time(stage: Stage) -> None:
    url = badge(stage)
    table = f"person,link\nA,{url}\nA,by post\nB,{url}\n".encode()
    files = {"file": ("a.csv", table, "text/csv")}
    page = html.unescape(stage.client.post("/verify/batch", data=FORM | NEEDS, files=files).text)
    assert "0 accepted, 1 short of hours, 1 to ask" in page
    assert "Your list has only this issuer's name." in page
    assert "1 line of your list holds only a name." in page
    assert 'name="hours" inputmode="decimal" autocomplete="off" value="2,5"' in page
    assert '<details id="counting" open>' in page
    data = base64.b64decode(re.findall(r'href="data:application/json[^,]*,([^"]*)"', page)[0])
    people = json.loads(data)["people"]
    assert [(each["person"], each["decision"]) for each in people] == [("A", "to-ask"), ("B", "short")]


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"from": "2026-13-01"}, "We cannot read a date."),
        ({"from": "2027-01-01"}, "The first day is after the last day."),
        ({"hours": "many"}, "Hours and credits must be numbers"),
        ({"hours": "-3"}, "Hours and credits must be numbers"),
        ({"issuers": "a.example\n" * 2001}, "Your list of approved issuers is too long."),
    ],
)
def test_what_was_typed_survives_a_refusal(stage: Stage, typed: dict[str, str], sentence: str) -> None:
    sent = {"received": "https://10.0.0.1/badge"} | NEEDS | typed
    answer = stage.client.post("/verify/batch", data=sent)
    page = html.unescape(answer.text)
    assert answer.status_code == 422
    assert sentence in page
    assert "https://10.0.0.1/badge</textarea>" in page
    assert f'name="hours" inputmode="decimal" autocomplete="off" value="{sent["hours"]}"' in page
    assert f'name="from" value="{sent["from"]}"' in page
    assert sent["issuers"].strip()[-20:] in page


def test_approved_issuers_are_read_from_a_file_too(stage: Stage) -> None:
    did = stage.client.get(badge(stage) + ".json").json()["issuer"]["id"]
    files = {"issuers_file": ("issuers.csv", f"name,did\nRiver,{did}\n".encode(), "text/csv")}
    page = stage.client.post("/verify/batch", data={"received": badge(stage), "hours": "1"}, files=files).text
    assert "1 entry on your list of approved issuers." in page
    assert "The issuer is not on your list." not in page


@pytest.mark.usefixtures("stage")
def test_where_people_are_counted_the_whole_list_is_sent_again(page: Page) -> None:
    page.goto("/verify/batch")
    page.get_by_label("Links, one on each line").fill("http://localhost:9/badge")
    page.get_by_text("Count hours and credits").click()
    page.get_by_label("Hours needed").fill("5")
    page.get_by_role("button", name="Verify all").click()
    over(page)
    expect(page.locator("#again")).to_have_count(0)
    expect(page.locator("#retry")).to_contain_text("Send the whole list again")
    expect(page.get_by_label("Links, one on each line")).to_have_value("http://localhost:9/badge")
    expect(page.get_by_label("Hours needed")).to_have_value("5")


def test_files_and_links_are_checked_together(reader: Reader, stage: Stage) -> None:
    url = badge(stage)
    names = [f"badge.{ending}" for ending in ("png", "svg", "json", "jwt")]
    files = [(name, file_of(stage, url, name.partition(".")[2])) for name in names]
    page = reader.give(url, *files, to="/verify/batch")
    rows = page.all("tr.checked")
    assert {row.attributes["data-kind"] for row in rows} == {"good"}
    assert [row.one("th").text for row in rows] == [url, *names]


def test_a_link_to_a_network_names_no_badge(reader: Reader, stage: Stage) -> None:
    network = f"{badge(stage).partition('/credentials/')[0]}/networks/river"
    row = reader.give(network, to="/verify/batch").one("tr.checked")
    assert "This is the page of a network or issuer" in row.text
    assert "Badge without a name" not in row.text


def test_what_a_badge_and_a_table_say_stays_text(page: Page, stage: Stage, tmp_path: Path) -> None:
    credential = json.loads(file_of(stage, badge(stage), "json"))
    credential["credentialSubject"]["achievement"]["name"] = HOSTILE
    credential["issuer"]["name"] = HOSTILE
    files = {"badge.json": json.dumps(credential).encode(), "<img src=x onerror=hostile()>.json": b"{}"}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    page.goto("/verify/batch")
    page.get_by_label("Or files").set_input_files([tmp_path / name for name in files])
    page.get_by_role("button", name="Verify all").click()
    over(page)
    assert page.evaluate("typeof hostile") == "undefined"
    inert(page)
    cell = f'"{HOSTILE}"'.replace('"', '""')
    give_table(page, f'link,name,note\nhttps://10.0.0.1/,"{cell[2:-2]}","{cell[2:-2]}"\n', tmp_path / "table.csv")
    over(page)
    assert HOSTILE in page.locator("h3").inner_text()
    assert table_of(page)[1][2] == HOSTILE
    inert(page)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "This table is empty."),
        (b"link\n\x81\n", "We cannot read the letters in this table."),
        (b'link\n"a', "This table ends inside a cell"),
        (b"a,b\nc,d\n", "No column of this table is named link."),
        (b"link,enlace\na,b\n", "Two columns of this table mean the same thing"),
        (b"link\n", "This table has a heading but no rows."),
        (b"link\n" + b"https://a.example\n" * 501, "This table has more than 500 rows."),
        (b"link" + b",a" * 101 + b"\nx\n", "This table has more than 100 columns."),
    ],
)
def test_each_table_that_cannot_be_read_has_its_own_sentence(stage: Stage, content: bytes, sentence: str) -> None:
    answer = stage.client.post("/verify/batch", data=FORM, files={"file": ("a.csv", content, "text/csv")})
    assert answer.status_code == 422
    assert sentence in html.unescape(answer.text)
    assert answer.headers["cache-control"] == "no-store"


def test_nothing_too_much_and_a_table_beside_files_have_sentences(stage: Stage) -> None:
    empty = stage.client.post("/verify/batch", data=FORM)
    assert "Paste links, one on each line, or choose files." in empty.text
    many = stage.client.post("/verify/batch", data={"received": "https://10.0.0.1/x\n" * 501 + "https://10.0.0.1/y"})
    assert "There are more than 500 links and files." in many.text
    files = [("file", ("a.csv", b"link\nhttps://a.example/\n")), ("file", ("b.json", b"{}"))]
    assert "Send it by itself" in stage.client.post("/verify/batch", files=files).text
    assert {empty.status_code, many.status_code} == {422}


@pytest.mark.parametrize(
    "item",
    [
        "{",
        "{}",
        '{"number": 1, "name": "a"}',
        '{"number": 1, "name": "a", "url": "https://a.example", "text": "b"}',
        '{"number": 501, "name": "a", "url": "https://a.example"}',
        '{"number": 1, "name": "a", "url": "https://a.example", "more": 1}',
    ],
)
def test_a_form_that_this_page_did_not_make_is_refused(stage: Stage, item: str) -> None:
    table = '{"heading": [], "delimiter": ","}'
    answer = stage.client.post("/verify/batch", data={"item": item, "table": table})
    assert answer.status_code == 422
    assert "Something went wrong with the form." in answer.text


def test_the_answer_is_kept_nowhere_and_listed_nowhere(stage: Stage) -> None:
    answer = stage.client.post("/verify/batch", data={"received": badge(stage)})
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-robots-tag"] == "noindex"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert not re.search(r'<a [^>]*href="https?:', answer.text)


def test_whoever_asks_too_much_is_told_when_to_come_back(live: Live, stage: Stage) -> None:
    fair = FairUse(per_minute=60, burst=1)
    live.desk.batch_fair_use.__dict__.update(vars(fair))
    answer = stage.client.post("/verify/batch", data={"received": "https://10.0.0.1/a\nhttps://10.0.0.1/b"})
    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "1"
    assert "Try again in 1 s." in answer.text


def test_more_batches_than_there_is_room_for_wait(live: Live, stage: Stage) -> None:
    class Busy:
        def close(self) -> None:
            raise AssertionError("it is not idle")

    for _ in range(live.desk.batch_places.at_once):
        live.desk.batch_places.take(Busy(), 1e12)
    answer = stage.client.post("/verify/batch", data={"received": "https://10.0.0.1/a"})
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "15")
    assert "Other people are checking many badges at the moment." in answer.text


def test_who_goes_away_leaves_no_work_behind(live: Live, elsewhere: Elsewhere) -> None:
    body = "received=" + "%0A".join([elsewhere.link(1), elsewhere.held(2), elsewhere.held(3)])
    connection = HTTPConnection("localhost", urlsplit(live.base_url).port or 0)
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    connection.request("POST", "/verify/batch", body, headers)
    answer = connection.getresponse()
    while b'data-number="1"' not in answer.read1():
        pass
    assert live.desk.batch_places._seen
    answer.close()
    connection.close()
    assert until(lambda: not live.desk.batch_places._seen)
    elsewhere.released.set()
    for thread in threading.enumerate():
        if thread.name == THREAD_NAME:
            thread.join(WAIT_SECONDS)
            assert not thread.is_alive()
    assert "/held/3" in elsewhere.asked


def test_the_page_speaks_spanish(stage: Stage) -> None:
    answer = stage.client.get("/verify/batch", headers={"Accept-Language": "es"})
    assert '<html lang="es"' in answer.text
    table = {"file": ("a.csv", b"link\nhttps://10.0.0.1/\n", "text/csv")}
    assert (
        answer.status_code
        == stage.client.post("/verify/batch", files=table, headers={"Accept-Language": "es"}).status_code
    )


@pytest.mark.usefixtures("hurried")
def test_everybody_can_use_it(
    page: Page, elsewhere: Elsewhere, violations: Callable[[Page], list[Any]], tmp_path: Path
) -> None:
    page.goto("/verify/batch")
    everybody_can_use(page, violations, "/verify/batch")
    text = f"name,email,link\nMember 11,{PERSON[1]},{elsewhere.link(1)}\nb,,{elsewhere.held(2)}\nc,,\nd,x@y.example,{elsewhere.link(3)}\n"
    give_table(page, text, tmp_path / "table.csv")
    over(page)
    everybody_can_use(page, violations, "an answer")
    text = f"person,link\nMember 11,{elsewhere.link(1)}\nMember 11,by post\nMember 12,{elsewhere.link(1)}\n"
    (tmp_path / "people.csv").write_text(text, encoding="utf-8")
    page.goto("/verify/batch")
    page.get_by_label("Or files").set_input_files(tmp_path / "people.csv")
    page.get_by_text("Count hours and credits").click()
    page.get_by_label("Hours needed").fill("5")
    page.get_by_label("Approved issuers, one on each line").fill("River Writers")
    everybody_can_use(page, violations, "what to count")
    page.get_by_role("button", name="Verify all").click()
    over(page)
    page.locator(".person summary").first.click()
    everybody_can_use(page, violations, "people")


def test_the_keyboard_alone_gives_links_and_reads_the_answer(page: Page, stage: Stage) -> None:
    url = badge(stage)
    page.goto("/verify/batch")
    reached: list[str] = []
    while "Verify all" not in reached and len(reached) < 20:
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id || document.activeElement.innerText"))
        if reached[-1] == "received":
            page.keyboard.insert_text(url)
    assert reached[-4:] == ["received", "file", "Count hours and credits", "Verify all"]
    page.keyboard.press("Enter")
    over(page)
    page.locator("#csv").focus()
    with page.expect_download() as saved:
        page.keyboard.press("Enter")
    assert saved.value.suggested_filename == "checked-badges.csv"
    assert url in Path(saved.value.path()).read_text(encoding="utf-8-sig")


def test_a_phone_shows_each_badge_without_scrolling_sideways(phone: Page, stage: Stage) -> None:
    give(phone, [badge(stage), "https://10.0.0.1/" + "x" * 200])
    over(phone)
    assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth")
    expect(phone.locator("tr[data-number='2'] strong")).to_be_visible()
