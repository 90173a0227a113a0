"""Lists in which every line is told: what is in it, or that nothing was found in it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.runtime.cpu_time import CpuTime
from service.unpacking.unpack import MAX_OPENED, Allowance, Opened, open_file, open_text
from tests.worlds.handed_over import URL, attached, badge_json, badge_jwt, badge_png, codes, pdf, urls, zipped
from tests.worlds.runtimes import WORKERS

JUNK = (
    "Member 4: sent by post",
    "www.example",
    "something.example.com later",
    "ID 4711",
    "a.b.c",
    "mailto:x@y.example",
)


def told(text: str) -> list[Opened]:
    return open_text(text, Allowance(each_line=True))


def line() -> st.SearchStrategy[str]:
    """Return lines of any kind, but none that begins a badge of several lines."""
    free = st.text(max_size=30).map(lambda text: " ".join(text.splitlines())).filter(lambda text: "://" not in text)
    free = free.filter(
        lambda text: not set("{}<") & set(text) and "link" not in text.lower() and "url" not in text.lower()
    )
    links = st.integers(0, 9).map(lambda n: f"https://badges.example.org/{n}")
    return st.one_of(free, links, st.sampled_from(JUNK), st.sampled_from(["", "  ", "\t"]))


@given(st.lists(line(), max_size=40), st.sampled_from(["\n", "\r\n", "\r"]))
def test_there_are_as_many_rows_as_lines_that_are_not_empty(lines: list[str], end: str) -> None:
    numbers = [n for n, each in enumerate(lines, start=1) if each.strip("\ufeff").strip()]
    found = told(end.join(lines))
    assert [each.line for each in found] == numbers or (not numbers and codes(found) == ["nothing-given"])


def test_a_line_without_a_badge_says_so_with_its_number_and_beginning() -> None:
    found = told(f"\n{URL}\n\nsent by post <b>soon</b> {'x' * 80}\n")
    assert [(each.line, each.url) for each in found] == [(2, URL), (4, None)]
    assert codes(found) == [None, "line-without-badge"]
    assert found[1].name.startswith("sent by post")
    assert len(found[1].name) < 60


def test_of_100_lines_none_is_dropped() -> None:
    lines = [JUNK[n % len(JUNK)] if n % 10 == 0 else f"https://badges.example.org/{n}" for n in range(100)]
    found = told("\n".join(lines))
    assert len(found) == 100
    assert codes(found).count("line-without-badge") == 10


@pytest.mark.parametrize("heading", ["link", "Enlace", "name;link;email", '"URL",name'])
def test_an_obvious_heading_is_no_row(heading: str) -> None:
    assert [(each.line, each.url) for each in told(f"{heading}\n{URL}")] == [(2, URL)]


def test_a_word_like_a_heading_further_down_is_a_row() -> None:
    assert codes(told(f"{URL}\nlink")) == [None, "line-without-badge"]


def test_a_line_that_only_looks_like_a_token_is_a_row() -> None:
    assert codes(told(f"something.example.com now\n{URL}")) == ["line-without-badge", None]


def test_a_badge_of_several_lines_is_one_row_and_the_lines_around_it_are_rows() -> None:
    written = json.dumps(json.loads(badge_json()), indent=1)
    (alone,) = told(f"\n{written}\n")
    assert (alone.line, alone.problem) == (2, None)
    found = told(f"My badge:\n{written}\nThank you\n{URL}")
    after = len(written.splitlines()) + 2
    assert [each.line for each in found] == [1, 2, after, after + 1]
    assert codes(found) == ["line-without-badge", None, "line-without-badge", None]


def test_a_broken_badge_at_the_beginning_hides_no_link_below_it() -> None:
    assert urls(told(f'{{"type": "oops\n{URL}')) == [None, URL]


def test_a_token_that_a_mail_program_broke_is_one_row() -> None:
    token = badge_jwt()
    assert codes(told(f"{token[:70]}\n{token[70:]}")) == [None]


def test_links_of_one_line_are_rows_with_the_same_number() -> None:
    assert [each.line for each in told(f"{URL} and {URL}x")] == [1, 1]


def test_more_than_500_lines_end_with_a_remark_that_more_follow() -> None:
    found = told("post\n" * (MAX_OPENED + 7))
    assert len(found) == MAX_OPENED + 1
    assert found[-1].problem is not None
    assert found[-1].problem.code == "too-many"


def test_a_list_in_a_zip_is_told_line_by_line_and_another_text_as_one() -> None:
    packed = zipped(
        {"list.txt": f"{URL}\nby post".encode(), "readme.txt": b"Hello,\nhere they are.", "b.png": badge_png()}
    )
    for allowance in (
        Allowance(each_line=True),
        Allowance(time=CpuTime(), each_line=True, apart=WORKERS.of("192.0.2.1")),
    ):
        found = open_file("all.zip", packed, allowance)
        assert [(each.file, each.line) for each in found[:2]] == [("list.txt", 1), ("list.txt", 2)]
        assert codes(found) == [None, "line-without-badge", "text-without-badge", None]


def test_a_table_in_a_zip_loses_its_heading_and_no_row() -> None:
    table = f"name;link\nMember 1;{URL}\nMember 2;by post\n".encode()
    found = open_file("all.zip", zipped({"table.csv": table}), Allowance(each_line=True))
    assert [(each.line, each.url) for each in found] == [(2, URL), (3, None)]


def test_a_file_in_a_pdf_that_is_no_badge_is_a_row_beside_the_badge() -> None:
    both = pdf(attached("badge.png", badge_png()), attached("bill.txt", b"12 euros"))
    assert codes(open_file("a.pdf", both)) == [None]
    assert codes(open_file("a.pdf", both, Allowance(each_line=True))) == [None, "pdf-file-without-badge"]


def test_without_the_wish_lines_without_a_badge_are_passed_over() -> None:
    found = open_text(f"Hello\n{URL}\nBye")
    assert [(each.url, each.line) for each in found] == [(URL, 0)]
