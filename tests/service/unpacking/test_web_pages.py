"""A web page about a badge: where on it the badge may be."""

import base64
import json
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.unpacking import web_pages
from service.unpacking.web_pages import MAX_CANDIDATES, read_page
from tests.worlds.handed_over import badge_json, badge_png

HERE = "https://issuer.example/badges/7"


def leads(html: str, address: str = HERE) -> list[str | bytes]:
    return list(read_page(html.encode(), address).candidates)


@pytest.mark.parametrize(
    "html",
    [
        '<link rel="alternate" type="application/vc+ld+json" href="/x">',
        '<LINK REL="nofollow Alternate" TYPE="application/json; charset=utf-8" HREF="/x"/>',
        '<meta property="og:image" content="/x">',
        '<meta name="twitter:image" content="/x">',
        '<base href="https://issuer.example/"><link rel="alternate" type="application/jwt" href="x">',
    ],
)
def test_a_page_says_in_its_head_where_the_badge_is(html: str) -> None:
    assert leads(html) == ["https://issuer.example/x"]


@pytest.mark.parametrize(
    "name", ["badge.json", "x.jwt", "baked.png?v=2", "baked.svg#top", "assertions/9", "Credential/9"]
)
def test_a_link_on_a_page_that_ends_or_reads_like_a_badge_may_be_one(name: str) -> None:
    assert leads(f'<a href="/{name}">x</a>') == [f"https://issuer.example/{name.partition('#')[0]}"]


@pytest.mark.parametrize("tag", ['<img src="/b.png">', '<img src="/b.svg">', '<object data="/b.png"></object>'])
def test_a_picture_on_a_page_may_have_the_badge_in_it(tag: str) -> None:
    assert len(leads(tag)) == 1


@pytest.mark.parametrize(
    "html",
    [
        '<a href="/about">About</a>',
        '<a href="mailto:badges@issuer.example">Write</a>',
        '<a href="javascript:badge()">Show</a>',
        '<a href="http://issuer.example/badge.json">Insecure</a>',
        '<a href="https://[::1/badge.json">Broken</a>',
        '<a href="#badge">Below</a>',
        f'<a href="{HERE}">Here</a>',
        '<link rel="alternate" type="application/rss+xml" href="/feed">',
        '<link rel="stylesheet" type="application/json" href="/x">',
        '<img src="/photo.jpg">',
        '<img src="data:image/png;base64,AAAA">',
        '<img src="data:image/png;base64,A">',
        '<script type="application/ld+json">{"type": "Person"}</script>',
        '<script type="application/ld+json">{broken</script>',
        '<script type="text/javascript">{"type": "VerifiableCredential"}</script>',
        "<a>no address</a>",
    ],
)
def test_what_leads_nowhere_is_passed_over(html: str) -> None:
    assert leads(html) == []


def test_a_credential_within_the_page_is_taken_itself() -> None:
    picture = base64.b64encode(badge_png()).decode()
    html = f'<img src="data:image/png;base64,{picture}"><script type="application/ld+json">\n{badge_json()}\n</script>'
    assert leads(html) == [badge_png(), badge_json().encode()]


def test_candidates_come_best_first_each_once_and_not_too_many() -> None:
    html = (
        '<img src="/p.png"><a href="/badges/8">8</a><a href="/b.json">data</a><a href="/b.json#x">again</a>'
        '<meta property="og:image" content="/og"><link rel="alternate" type="application/vc" href="/vc">'
        f'<script type="application/ld+json">{badge_json()}</script><img src="/q.png">'
    )
    there = [f"https://issuer.example/{path}" for path in ("vc", "og", "b.json", "badges/8")]
    assert leads(html) == [badge_json().encode(), *there]
    assert len(leads("".join(f'<a href="/{place}.json">x</a>' for place in range(99)))) == MAX_CANDIDATES


@pytest.mark.parametrize(
    "html",
    [
        f"<!-- saved from url=(0042){HERE} --><html>",
        f'<link rel="canonical" href="{HERE}">',
        f'<meta property="og:url" content="{HERE}">',
    ],
)
def test_a_saved_page_says_where_it_is_from(html: str) -> None:
    assert read_page(html.encode()).address == HERE
    assert read_page(html.encode(), "https://elsewhere.example/").address == "https://elsewhere.example/"


def test_links_of_a_saved_page_are_seen_from_where_it_was_saved() -> None:
    html = f'<!-- saved from url=(0042){HERE} --><a href="../data.json">data</a>'
    assert leads(html, "") == ["https://issuer.example/data.json"]


@pytest.mark.parametrize("said", ["", "file:///home/badge.html", "javascript:badge()", "https://[::1"])
def test_a_saved_page_from_nowhere_has_no_address(said: str) -> None:
    assert read_page(f"<!-- saved from url=(0042){said} -->".encode()).address == ""


def test_only_the_beginning_of_a_page_is_read() -> None:
    link = '<a href="/badge.json">x</a>'
    assert leads(" " * (web_pages.MAX_PAGE_BYTES - 100) + link) != []
    assert leads(" " * web_pages.MAX_PAGE_BYTES + link) == []
    assert leads("<b>" * (web_pages.MAX_ELEMENTS - 1) + link) != []
    assert leads("<b>" * web_pages.MAX_ELEMENTS + link) == []


def test_an_address_that_each_base_makes_longer_does_not_grow_for_ever() -> None:
    def page(bases: int) -> str:
        return "<base href='a/'>" * bases + "<img src='badge.png'>"

    assert leads(page(1500)) == [f"https://issuer.example/badges/{'a/' * 1500}badge.png"]
    assert leads(page(4000)) == []


def test_only_so_many_addresses_on_a_page_are_made_absolute() -> None:
    link = '<a href="/badge.json">x</a>'
    assert leads("<a href=/x>" * (web_pages.MAX_LINKS - 1) + link) != []
    assert leads("<a href=/x>" * web_pages.MAX_LINKS + link) == []


def test_of_candidates_that_never_become_one_of_the_best_none_is_kept() -> None:
    pictures = "".join(f"<img src='{'x' * 2000}{n}.png'>" for n in range(400))
    tracemalloc.start()
    found = leads(pictures + '<a href="/badge.json">x</a>')
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found[0] == "https://issuer.example/badge.json"
    assert len(found) == MAX_CANDIDATES
    assert peak < 5 * len(pictures)


@pytest.mark.parametrize("many", ["a ", "a=x ", "a='' ", "<a ", "a/", "a=='x'/ "])
def test_a_tag_of_endless_attributes_takes_no_memory(many: str) -> None:
    page = "<a " + many * (500_000 // len(many))
    tracemalloc.start()
    assert leads('<a href="/badge.json">x</a>' + page + ">") == ["https://issuer.example/badge.json"]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10 * len(page)


def test_a_page_of_many_credentials_is_read_until_there_are_enough() -> None:
    made = [json.dumps({"type": "VerifiableCredential", "n": n}) for n in range(50)]
    page = "".join(f"<script type=application/ld+json>{each}</script>" for each in made)
    assert leads(page) == [each.encode() for each in made[:MAX_CANDIDATES]]


@pytest.mark.parametrize("open_end", ["<!--", "<a href='", "<![CDATA[", "<![hostile", "<script>", "</", "<?", "&#"])
def test_what_never_closes_does_not_undo_what_stands_before(open_end: str) -> None:
    assert leads('<a href="/badge.json">x</a>' + open_end * 2000) == ["https://issuer.example/badge.json"]


def test_a_page_in_another_encoding_is_read() -> None:
    page = '<a href="/badge.json">Más</a>'
    for encoding in ("utf-16", "cp1252"):
        assert read_page(page.encode(encoding), HERE).candidates == ("https://issuer.example/badge.json",)
    assert read_page(page.encode() + b"\xff\x81", HERE).candidates == ("https://issuer.example/badge.json",)


@given(
    st.lists(
        st.sampled_from(
            [
                "<a ",
                "href=",
                "'",
                '"',
                ">",
                "<script type=application/ld+json>",
                "{",
                "</script>",
                "<!--",
                "-->",
                "<![",
                "]>",
                "&amp",
                "data:image/png,",
                "//x",
                "badge.json",
                json.dumps({"type": "VerifiableCredential"}),
                "\x00",
            ]
        ),
        max_size=40,
    )
)
def test_whatever_is_written_on_a_page_it_is_read_to_an_end(words: list[str]) -> None:
    page = read_page("".join(words).encode(), HERE)
    assert len(page.candidates) <= MAX_CANDIDATES
    assert all(isinstance(each, bytes) or each.startswith("https://") for each in page.candidates)
