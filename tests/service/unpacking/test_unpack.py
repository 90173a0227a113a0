"""What visitors paste and drop, in every form and with every fault: what can be checked in it, or why nothing can."""

import base64
import gc
import json
import tracemalloc
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credentials import extract, strict_json
from service.runtime.fetching import AnsweredError
from service.unpacking import file_kinds, pasted_text
from service.unpacking import found as opened
from service.unpacking import reasons as unopened
from service.unpacking.unpack import MAX_FILE_BYTES, Opened, Problem, open_file, open_text
from tests.worlds.handed_over import (
    SVG,
    URL,
    badge_json,
    badge_jwt,
    badge_png,
    badge_svg,
    code,
    codes,
    forms,
    pdf,
    png,
    urls,
    verdict,
    zipped,
)


def read_by_another(svg: bytes) -> bytes:
    return svg.replace(b"<rect", b"<script>hostile()</script><rect")


# --- Files -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["json", "jwt", "png", "svg"])
def test_a_badge_in_any_form_is_taken_as_it_is_and_verified_whatever_its_name_says(ending: str) -> None:
    (found,) = open_file("holiday.mp4", forms()[ending])
    assert (found.name, found.received, found.problem) == ("holiday.mp4", forms()[ending], None)
    assert verdict(found) == "verified"


def test_a_badge_with_a_mark_of_its_encoding_before_it_is_verified() -> None:
    for content in (b"\xef\xbb\xbf" + badge_json().encode(), badge_json().encode("utf-16")):
        (found,) = open_file("badge.json", content)
        assert verdict(found) == "verified"


def test_a_picture_with_a_faulty_badge_in_it_is_left_to_the_report() -> None:
    twice = badge_svg().replace(b"</svg>", badge_svg()[badge_svg().index(b"<openbadges") : -6] + b"</svg>")
    assert codes(open_file("badge.svg", twice)) == [None]
    assert codes(open_file("badge.png", badge_png()[:-30])) == [None]


def test_a_drawing_with_a_script_is_still_checked_and_a_remark_says_so() -> None:
    (found,) = open_file("badge.svg", read_by_another(badge_svg()))
    assert verdict(found) == "verified"
    assert found.remarks == (unopened.SCRIPT_IN_PICTURE,)
    assert open_file("badge.svg", badge_svg())[0].remarks == ()


@pytest.mark.parametrize(
    "running",
    [
        b"<rect onload='hostile()'/>",
        b"<a xmlns:x='http://www.w3.org/1999/xlink' x:href=' java\nscript:hostile()'/>",
        b"<foreignObject/>",
        b"<SCRIPT/>",
    ],
)
def test_whatever_a_browser_would_run_in_a_drawing_is_remarked(running: bytes) -> None:
    assert file_kinds.holds_script(SVG.replace(b"<rect", running + b"<rect"))


def test_of_a_drawing_that_breaks_off_or_never_ends_only_the_beginning_is_looked_at() -> None:
    assert file_kinds.holds_script(b"<svg><script/><broken")
    endless = b"<svg>" + b"<g/>" * file_kinds._MAX_ELEMENTS + b"<script/></svg>"
    assert not file_kinds.holds_script(endless)


def test_a_drawing_without_a_badge_says_so() -> None:
    assert codes(open_file("logo.svg", SVG)) == ["picture-without-badge"]
    drawn_elsewhere = b'<?xml version="1.0"?><!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "x.dtd">' + SVG
    assert codes(open_file("logo.svg", drawn_elsewhere)) == ["picture-without-badge"]
    assert codes(open_file("logo.svg", SVG[:-20])) == ["picture-damaged"]


@pytest.mark.parametrize("content", [b"a,b\n", b'{"a": 1}\n', b"<html>", b"<svg>", "\U0001f600".encode()])
def test_a_text_of_more_than_8_mb_is_not_looked_through(content: bytes) -> None:
    assert codes(open_file("a", content * (8 * 2**20 // len(content) + 1))) == ["text-too-long"]


@pytest.mark.parametrize("content", [b"", b"\n \n", b"\0" * 4096, b"\xef\xbb\xbf"])
def test_an_empty_file_says_so(content: bytes) -> None:
    assert codes(open_file("badge.png", content)) == ["file-empty"]


def test_a_file_of_40_mb_is_too_large() -> None:
    assert MAX_FILE_BYTES == 32 * 1024 * 1024  # as the sentence says
    assert codes(open_file("video.mp4", bytes(40_000_000))) == ["file-too-large"]
    assert codes(open_file("all.zip", b"PK\3\4" + bytes(40_000_000))) == ["file-too-large"]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (zipped({"[Content_Types].xml": b"<Types/>", "word/document.xml": b"<w/>"}), "office-document"),
        (
            zipped({"mimetype": b"application/vnd.oasis.opendocument.text", "META-INF/manifest.xml": b""}),
            "office-document",
        ),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "office-document"),
        (b"{\\rtf1\\ansi My badge}", "office-document"),
        (zipped({"[Content_Types].xml": b"<Types/>", "xl/workbook.xml": b"<w/>"}), "spreadsheet"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(99), "photo-format-unreadable"),
        (b"\0\0\0\x18ftypavif\0\0\0\0" + bytes(99), "photo-format-unreadable"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0" + bytes(99), "file-unreadable"),
        (b"\x7fELF\2\1\1\0" + bytes(99), "file-unreadable"),
        (b"Meeting on Monday.\nBring cake.", "text-without-badge"),
        (b"<?xml version='1.0'?><note>nothing</note>", "text-without-badge"),
        (b'{"@context": ["https://www.w3.org/ns/cred', "json-damaged"),
        (b"<html><body>A page about cats</body></html>", "page-without-badge"),
    ],
)
def test_what_carries_nothing_has_its_own_problem(content: bytes, problem: str) -> None:
    assert codes(open_file("badge", content)) == [problem]


def test_every_problem_has_a_code_and_a_sentence_of_its_own() -> None:
    problems = [value for value in vars(unopened).values() if isinstance(value, Problem)]
    assert (
        len({problem.code for problem in problems}) == len({problem.message for problem in problems}) == len(problems)
    )
    assert all(problem.message.endswith(".") and len(problem.message) < 320 for problem in problems)


def test_a_screenshot_without_a_code_says_what_it_is_and_how_to_ask_for_the_badge() -> None:
    said = unopened.SCREENSHOT.message
    assert "A picture of a badge proves nothing" in said
    assert "Ask the candidate for the link" in said
    assert "or for the file" in said


def test_json_that_only_strict_readers_refuse_is_left_to_the_report() -> None:
    (found,) = open_file("badge.json", b'{"id": 1, "id": 2}')
    assert found.received == b'{"id": 1, "id": 2}'


def test_a_text_in_an_older_encoding_is_read() -> None:
    assert urls(open_file("mail.txt", f"Más aquí: {URL}".encode("cp1252"))) == [URL]


def test_a_file_of_lines_is_opened_line_by_line() -> None:
    assert urls(open_file("links.txt", f"{URL}\n{URL}2\n".encode())) == [URL, f"{URL}2"]


def test_a_table_gives_its_links_without_the_cells_beside_them() -> None:
    table = f"name;link;email\nMember 1;{URL};m1@example.org\nMember 2;{URL}2;m2@example.org\n".encode()
    assert urls(open_file("candidates.csv", table)) == [URL, f"{URL}2"]
    assert urls(open_file("candidates", table)) == [URL, f"{URL}2"]


def test_a_saved_page_leads_to_where_it_was_saved_from() -> None:
    page = b"<!DOCTYPE html>\n<!-- saved from url=(0042)" + URL.encode() + b" -->\n<html><body>Badge</body></html>"
    assert urls(open_file("badge.html", page)) == [URL]


def test_a_saved_page_that_does_not_say_where_it_is_from_leads_to_the_badge_linked_on_it() -> None:
    page = b'<html><body><a href="https://issuer.example/assertions/1.json">Data</a></body></html>'
    assert urls(open_file("badge.html", page)) == ["https://issuer.example/assertions/1.json"]


def test_a_saved_page_that_holds_the_badge_gives_the_badge() -> None:
    script = f'<html><script type="application/ld+json">{badge_json()}</script></html>'
    (found,) = open_file("badge.html", script.encode())
    assert verdict(found) == "verified"


def test_a_name_from_outside_is_shown_printable_and_short() -> None:
    (found,) = open_file("a\u202e\0\n" + "b" * 900 + ".png", badge_png())
    assert found.name.isprintable()
    assert len(found.name) <= 200
    assert found.name.startswith("a b")
    assert found.name.endswith("b.png")


# --- Texts -----------------------------------------------------------------------------------------------------------


def test_a_link_is_recognised_with_words_and_signs_around_it() -> None:
    for text in (
        URL,
        f"  {URL}\n",
        f"Here is my badge: {URL}.",
        f"Here is my badge <{URL}>, thank you!",
        f"(see {URL})",
        f"[my badge]({URL})",
        f"“{URL}”".replace("”", " ”"),
        f"> {URL}",
        f'<a href="{URL}">badge</a> is what I have',
        URL.removeprefix("https://"),
        URL.replace("https", "HTTPS"),
    ):
        (found,) = open_text(text)
        assert (found.url or "").lower() == URL, text


def test_brackets_that_belong_to_a_link_stay() -> None:
    assert urls(open_text(f"{URL}/a_(b)")) == [f"{URL}/a_(b)"]


def test_lines_are_opened_each_and_in_order_and_blank_ones_and_words_are_passed_over() -> None:
    text = f"My badges:\n\n1. {URL}\n\n2) {badge_jwt()}\nThat is all.\n{badge_json()}\n{URL}3\n"
    found = open_text(text)
    assert urls(found) == [URL, None, None, f"{URL}3"]
    assert [verdict(found[place]) for place in (1, 2)] == ["verified", "verified"]


def test_a_link_that_a_mail_shows_twice_in_a_line_counts_once() -> None:
    assert urls(open_text(f"{URL} <{URL}>")) == [URL]


def test_a_jwt_that_a_mail_broke_into_lines_is_put_together() -> None:
    token = badge_jwt()
    (found,) = open_text("\n".join(token[place : place + 76] for place in range(0, len(token), 76)))
    assert found.received == token.encode()


@pytest.mark.parametrize("indent", [None, 2, 0])
def test_json_is_recognised_alone_and_with_words_around_it(indent: int | None) -> None:
    written = json.dumps(json.loads(badge_json()), indent=indent)
    for text in (written, f"My badge:\n\n{written}\n\nKind regards"):
        (found,) = open_text(text)
        assert verdict(found) == "verified"


def test_the_text_of_a_drawing_is_recognised() -> None:
    (found,) = open_text(badge_svg().decode())
    assert verdict(found) == "verified"


@pytest.mark.parametrize(
    "url",
    [
        f"data:image/png;base64,{base64.b64encode(badge_png()).decode()}",
        f"data:image/svg+xml,{quote(badge_svg())}",
        f"data:application/json,{quote(badge_json())}",
        f"data:application/jwt,{badge_jwt()}",
    ],
    ids=["png", "svg", "json", "jwt"],
)
def test_a_data_link_is_opened(url: str) -> None:
    (found,) = open_text(f"Badge: {url}")
    assert verdict(found) == "verified"


@pytest.mark.parametrize(
    "url", ["data:image/png;base64,A", "data:x", "data:text/html,<p>", "data:image/png;base64,AAAA"]
)
def test_a_data_link_that_holds_nothing_says_so(url: str) -> None:
    assert codes(open_text(url)) == ["data-link-unreadable"]


def test_a_data_link_within_data_links_is_not_followed() -> None:
    nested = URL
    for _ in range(50):
        nested = f"data:text/plain,{quote(nested)}"
    assert codes(open_text(nested)) == ["data-link-unreadable"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "nothing-given"),
        (" \n\t", "nothing-given"),
        ("I earned a badge.", "text-without-badge"),
        ("badge.example.org", "text-without-badge"),
        ("{", "json-damaged"),
        ('{"type": "VerifiableCredential", “id”: 1}', "json-damaged"),
        ("http://badges.example.org/1", "link-insecure"),
        ("ftp://badges.example.org/1", "link-insecure"),
        ("https://www.linkedin.com/safety/go?url=https%3A%2F%2Fbadges.example.org%2F1", "link-leads-through"),
        ("https://lnkd.in/abc", "link-leads-through"),
        ("https://eur01.safelinks.protection.outlook.com/?url=x", "link-leads-through"),
        ("https://[::1", "link-unreachable"),
        ("https://badges.example.org/" + "a" * 5000, "link-unreachable"),
    ],
)
def test_a_text_with_nothing_to_check_says_why(text: str, problem: str) -> None:
    assert codes(open_text(text)) == [problem]


def test_a_site_whose_name_only_ends_like_another_is_not_taken_for_it() -> None:
    assert codes(open_text("https://notlinkedin.com/badges/1")) == [None]


def test_a_link_to_this_machine_is_left_to_a_development_service() -> None:
    assert urls(open_text("http://localhost:8000/credentials/1")) == ["http://localhost:8000/credentials/1"]


def test_a_host_name_of_three_parts_is_no_jwt() -> None:
    assert codes(open_text("badges-and-more.example-school.org")) == ["text-without-badge"]


def test_500_lines_are_opened_and_the_501st_says_that_there_is_more() -> None:
    found = open_text("\n".join(f"{URL}{place}" for place in range(700)))
    assert [each.url for each in found[:500]] == [f"{URL}{place}" for place in range(500)]
    assert codes(found[500:]) == ["too-many"]
    assert len(open_text("\n".join(f"{URL}{place}" for place in range(500)))) == 500


def test_a_text_beyond_the_limit_is_not_read() -> None:
    assert codes(open_text("a" * (8 * 2**20 + 1))) == ["text-too-long"]


def test_what_a_long_text_is_called_is_its_beginning() -> None:
    assert open_text(badge_jwt())[0].name == f"{badge_jwt()[:48]}..."
    assert open_text(URL)[0].name == URL


@given(st.text())
def test_any_text_is_opened_or_has_a_problem(text: str) -> None:
    assert_whole(open_text(text))


@given(
    st.sampled_from(
        [
            b"",
            b"{",
            b"[",
            b"<",
            b"<svg ",
            b"<html>",
            b"data:",
            b"https://",
            badge_jwt().encode()[:40],
            badge_json().encode(),
            b"\x89PNG\r\n\x1a\n",
            b"\xff\xd8\xff\xe0",
            b"GIF89a",
            b"BM",
            b"II*\x00",
            b"RIFF\x00\x00\x00\x00WEBP",
        ]
    ),
    st.binary(max_size=300),
)
def test_any_bytes_are_opened_or_have_a_problem(beginning: bytes, rest: bytes) -> None:
    try:
        assert_whole(open_file("x", beginning + rest))
    except UserWarning:  # a warning is an error in tests only
        pytest.fail("a warning came through")


def assert_whole(found: list[Opened]) -> None:
    assert 1 <= len(found) <= opened.MAX_OPENED + 1
    for each in found:
        assert sum(part is not None for part in (each.url, each.received, each.problem)) == 1
        assert each.name.isprintable()


# --- What credentials look like --------------------------------------------------------------------------------------


def test_a_credential_is_told_from_other_data_in_every_form() -> None:
    assert all(file_kinds.is_credential(content) for content in forms().values())
    others = [b"{}", b"[]", b"{", SVG, png(code()), b'{"type": "Person"}', b"a.b.c", b"eyJ9.e30.x", pdf()]
    assert not any(file_kinds.is_credential(content) for content in others)


@pytest.mark.parametrize(
    ("url", "named"),
    [
        (f"{URL}.json", True),
        ("https://issuer.example/public/assertions/1", True),
        ("https://badges.example/1", True),
        ("https://www.example.org/about", False),
        ("https://[::1", False),
    ],
)
def test_an_address_may_look_like_a_badge(url: str, named: bool) -> None:
    assert file_kinds.names_a_badge(url) is named


def test_of_an_answer_the_reason_follows_from_its_status() -> None:
    reasons = {status: unopened.why_not(AnsweredError("no", status)).code for status in (401, 403, 404, 410, 500, 999)}
    assert reasons == {
        401: "link-login",
        403: "link-login",
        404: "link-not-found",
        410: "link-not-found",
        500: "link-faulty",
        999: "link-faulty",
    }


def test_json_that_is_too_long_for_a_credential_is_not_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.unpacking.pasted_text.json", None)
    text = '{"a": "' + "x" * strict_json.MAX_BYTES + '"}'
    (found,) = open_text(text)
    assert found.received == text.encode()


def test_a_drawing_of_many_attributes_is_searched_for_a_script_at_its_beginning_only() -> None:
    attributes = " ".join(f'a{n}=""' for n in range(2 * file_kinds._MAX_ELEMENTS + 1))
    assert not file_kinds.holds_script(f"<svg><g {attributes}/><script/></svg>".encode())
    assert file_kinds.holds_script(f"<svg><script/><g {attributes}/></svg>".encode())


def test_reading_a_drawing_leaves_nothing_in_memory() -> None:
    def left() -> int:
        gc.collect()
        gc.freeze()  # what earlier tests left is not looked through each time
        file_kinds.holds_script(badge_svg())
        extract(badge_svg())
        return gc.collect()

    gc.disable()
    try:
        assert 0 in (left() for _ in range(5))  # now and then another thread leaves something
    finally:
        gc.enable()


def test_a_drawing_that_declares_attributes_by_the_thousand_is_searched_at_its_beginning_only() -> None:
    def drawing(attributes: int) -> bytes:
        declared = " ".join(f'a{n} CDATA "x"' for n in range(attributes))
        return f"<!DOCTYPE svg [<!ATTLIST g {declared}>]><svg>{'<g/>' * 150}<script/></svg>".encode()

    assert file_kinds.holds_script(drawing(600))
    assert not file_kinds.holds_script(drawing(1001))  # each is compared with all before it
    assert not file_kinds.holds_script(drawing(900))  # and each of the elements has all of them


def test_a_drawing_that_declares_a_handler_would_run_it() -> None:
    declared = " ".join(f'a{n} CDATA "x"' for n in range(1001))
    assert file_kinds.holds_script(f'<!DOCTYPE svg [<!ATTLIST svg onload CDATA "x" {declared}>]><svg/>'.encode())


@pytest.mark.parametrize("content", ["%", "%41", "%41xx", "%4"])
def test_percent_signs_of_a_data_link_take_no_memory(content: str) -> None:
    url = "data:," + content * (1_000_000 // len(content))
    tracemalloc.start()
    found = file_kinds.data_of(url)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found == url.removeprefix("data:,").replace("%41", "A").encode()
    assert peak < 10 * len(url)


@pytest.mark.parametrize("word", ["http://a ", "aaaaaaaaaa.b.c "])
def test_a_line_of_a_million_links_takes_no_memory(word: str) -> None:
    line = word * (1_000_000 // len(word))
    tracemalloc.start()
    list(pasted_text.of_lines(line, lambda _name, _content: [], lambda: 1.0))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3 * len(line)
