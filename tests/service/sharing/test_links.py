"""Links to share a badge, read back as the other sites read them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.sharing import links
from service.sharing.links import SharedBadge
from service.texts.languages import ENGLISH, LANGUAGES

BADGE = SharedBadge(
    credential_id="404262f2b1afa1d3f03028fec0bedbd8",
    url="https://badges.example.org/credentials/404262f2b1afa1d3f03028fec0bedbd8",
    name="Peer Facilitator",
    issuer="River Writers",
    awarded=datetime(2026, 3, 2, 12, tzinfo=UTC),
    until=datetime(2029, 11, 30, 12, tzinfo=UTC),
)
SENTENCE = "Peer Facilitator: a badge from River Writers that anyone can check"
names = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=200)


def fields(url: str) -> dict[str, str]:
    """Return the fields of a link as a browser gives them to the site."""
    return {name: value for name, [value] in parse_qs(urlsplit(url).query, strict_parsing=True).items()}


def posts(badge: SharedBadge = BADGE) -> dict[str, str]:
    return {link.name: link.url for link in links.to_post(badge, ENGLISH)}


def test_linkedin_gets_everything_that_its_form_asks_for() -> None:
    url = links.to_linkedin(BADGE)
    assert url.startswith("https://www.linkedin.com/profile/add?")
    assert fields(url) == {
        "startTask": "CERTIFICATION_NAME",
        "name": "Peer Facilitator",
        "organizationName": "River Writers",
        "issueYear": "2026",
        "issueMonth": "3",
        "expirationYear": "2029",
        "expirationMonth": "11",
        "certUrl": BADGE.url,
        "certId": "404262f2b1afa1d3f03028fec0bedbd8",
    }


def test_a_badge_that_does_not_expire_has_no_end_at_linkedin() -> None:
    given_fields = fields(links.to_linkedin(replace(BADGE, until=None)))
    assert not {"expirationYear", "expirationMonth"} & given_fields.keys()


def test_the_month_is_that_of_the_page_wherever_the_badge_was_awarded() -> None:
    new_year = datetime(2027, 1, 1, 3, tzinfo=timezone(timedelta(hours=9)))
    given_fields = fields(links.to_linkedin(replace(BADGE, awarded=new_year)))
    assert (given_fields["issueYear"], given_fields["issueMonth"]) == ("2026", "12")


@given(name=names, issuer=names)
def test_no_name_changes_what_a_link_asks(name: str, issuer: str) -> None:
    badge = replace(BADGE, name=name, issuer=issuer)
    given_fields = fields(links.to_linkedin(badge))
    assert (given_fields["name"], given_fields["organizationName"]) == (name, issuer)
    assert given_fields["certUrl"] == BADGE.url
    urls = posts(badge)
    assert fields(urls["X"]).keys() == {"text", "url"}
    assert fields(urls["Bluesky"]).keys() == {"text"}
    assert fields(urls["Email"]).keys() == {"subject", "body"}
    for url in urls.values():
        assert url.isascii()
        assert not set(url) & set(" \"<>'")


def test_a_post_says_the_name_the_network_and_the_link() -> None:
    urls = posts()
    both = f"{SENTENCE}\n{BADGE.url}"
    assert fields(urls["Bluesky"]) == {"text": both}
    assert fields(urls["X"]) == {"text": SENTENCE, "url": BADGE.url}
    mastodon = urlsplit(urls["Mastodon"])
    assert (mastodon.netloc, mastodon.query) == ("share.joinmastodon.org", ""), "what follows # is sent to no server"
    assert parse_qs(mastodon.fragment) == {"text": [both]}
    assert urls["X"].startswith("https://x.com/intent/post?")
    assert urls["Bluesky"].startswith("https://bsky.app/intent/compose?")


def test_a_mail_has_a_subject_and_the_link_on_a_line_of_its_own() -> None:
    url = posts()["Email"]
    assert url.startswith("mailto:?")
    assert "+" not in url, "which a program for mail shows as it is"
    mail = fields(url)
    assert mail["subject"] == "Peer Facilitator · River Writers"
    assert BADGE.url in mail["body"].split("\r\n")


@pytest.mark.parametrize("code", LANGUAGES)
@given(name=names, issuer=names)
def test_a_post_is_never_too_long_for_the_shortest_site(code: str, name: str, issuer: str) -> None:
    badge = replace(BADGE, name=name, issuer=issuer)
    text = fields({link.name: link.url for link in links.to_post(badge, LANGUAGES[code])}["X"])["text"]
    assert sum(1 if ord(each) <= 0x10FF else 2 for each in text) + len(" https://t.co/0123456789") <= 280


@pytest.mark.parametrize(
    ("text", "most", "shown"),
    [
        ("Peer mentor", 11, "Peer mentor"),
        ("Peer mentor", 10, "Peer ment…"),
        ("Peer mentor", 6, "Peer…"),
        ("読書会の進行", 12, "読書会の進行"),
        ("読書会の進行", 11, "読書会の進…"),
        ("a👩\N{ZERO WIDTH JOINER}🏫", 5, "a👩…"),
    ],
)
def test_a_long_name_is_cut_where_a_reader_sees_it(text: str, most: int, shown: str) -> None:
    assert links.shortened(text, most) == shown
