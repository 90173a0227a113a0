"""The drawer of badges from other issuers, good and bad, in every file format, tried at /verify; and with the network cut."""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import httpx2
import pytest
from playwright.sync_api import Browser, FilePayload, Page, expect

from credentials import bake
from service.runtime import fetching
from service.runtime.fair_use import FairUse
from tests.pages.conftest import Live, serving, visiting
from tests.pages.drawer import (
    BADGES,
    CANDIDATE,
    LISTED,
    MINUTES,
    NAME,
    SCRIPTED,
    Badge,
    Drawer,
    holding,
    holding_nothing,
    login,
    page_about,
    picture,
    revoked_version_2,
    several,
)
from tests.pages.elsewhere import Answer, Elsewhere, elsewhere
from tests.pages.reading import Reader
from tests.pages.scenes import HOSTILE, answers, choose, compare, everybody_can_use, inert, verify
from tests.worlds.handed_over import zipped

YES, NO, OPEN, NOT_OFFERED = "Yes", "No", "Could not check", "Not offered"
GENUINE = ("good", "This badge is genuine and valid")
UNLISTED = ("unsure", "Genuine, but we do not know this issuer")
REFUSED = ("bad", "Do not rely on this badge")
UNDECIDED = ("unsure", "This could not be decided")
UNCHECKED = ("unsure", "We could not check that")
CHANGED_EVIDENCE = "Genuine, but its evidence has changed"
COMMON = (YES, YES, YES, NOT_OFFERED, NOT_OFFERED)
"""The five answers for a badge that stands, of a known issuer that seals no evidence and publishes no decisions."""
HOSTED = ("unsure", "Its issuer confirms this badge today, without a signature")
OF_VERSION_2 = (YES, YES, NO, NOT_OFFERED, NOT_OFFERED)
NOTHING_HOLDS = (OPEN, OPEN, OPEN, OPEN)

EXPECTED: Final[Mapping[str, tuple[tuple[str, str], str, tuple[str, ...]]]] = {
    "of a listed school": (GENUINE, "Unchanged, signed by its issuer, and not taken back.", COMMON),
    "of a club on no list": (UNLISTED, "The signature is good.", (YES, YES, NO, NOT_OFFERED, NOT_OFFERED)),
    "of a key alone": (UNLISTED, "The signature is good.", (YES, NOT_OFFERED, NO, NOT_OFFERED, NOT_OFFERED)),
    "without a list": (
        GENUINE,
        "Unchanged and signed by its issuer, who cannot take it back.",
        (YES, NOT_OFFERED, YES, NOT_OFFERED, NOT_OFFERED),
    ),
    "signed with P-256": (GENUINE, "Unchanged", COMMON),
    "signed over JCS": (GENUINE, "Unchanged", COMMON),
    "as VC-JWT": (GENUINE, "Unchanged", COMMON),
    "as VC-JOSE": (GENUINE, "Unchanged", COMMON),
    "with evidence elsewhere": (GENUINE, "Unchanged", (YES, YES, YES, OPEN, NOT_OFFERED)),
    "endorsed": (GENUINE, "Unchanged", COMMON),
    "with a changed endorsement": (REFUSED, "Something in it is wrong.", COMMON),
    "with a newer copy": (GENUINE, "Unchanged", (YES, NOT_OFFERED, YES, NOT_OFFERED, NOT_OFFERED)),
    "with a newer copy and a list": (GENUINE, "Unchanged", COMMON),
    "not on an unsigned list": (GENUINE, "Unchanged", COMMON),
    "on an unsigned list": (("bad", "This badge was revoked"), "It is genuine, but", (YES, NO, *COMMON[2:])),
    "revoked": (
        ("bad", "This badge was revoked"),
        "It is genuine, but its issuer took it back.",
        (YES, NO, *COMMON[2:]),
    ),
    "suspended": (("bad", "This badge is suspended"), "It is genuine, and its issuer", (YES, NO, *COMMON[2:])),
    "expired": (("unsure", "This badge has expired"), "It is genuine, but no longer valid.", (YES, NO, *COMMON[2:])),
    "not yet valid": (("unsure", "This badge is not valid yet"), "It is genuine.", (YES, NO, *COMMON[2:])),
    "with one changed letter": (REFUSED, "It was changed after it was signed", (NO, *NOTHING_HOLDS)),
    "without signature": (REFUSED, "It has no signature.", (NO, *NOTHING_HOLDS)),
    "by another's key": (REFUSED, "The issuer that it names did not sign it.", (YES, OPEN, NO, OPEN, OPEN)),
    "by a key taken back": (
        REFUSED,
        "Its issuer took back the key that signed it, or the key has expired.",
        (YES, OPEN, NO, OPEN, OPEN),
    ),
    "by a key that is gone": (REFUSED, "The key that signed it is not among those", (NO, *NOTHING_HOLDS)),
    "with another's list": (GENUINE, "Unchanged", COMMON),
    "by a look-alike": (
        UNLISTED,
        "Careful: its issuer's name is almost the same as",
        (YES, YES, NO, NOT_OFFERED, NOT_OFFERED),
    ),
    "with unknown words": (UNDECIDED, "Something could not be checked", (OPEN, *NOTHING_HOLDS)),
    "of version 2.0": (HOSTED, "It is a badge of the older standard", OF_VERSION_2),
    "of version 2.0 in a picture": (HOSTED, "It is a badge of the older standard", OF_VERSION_2),
    "of version 2.0 by its address in a picture": (HOSTED, "It is a badge of the older standard", OF_VERSION_2),
    "of version 2.0, signed": (
        ("unsure", "Signed by its issuer, under the older standard"),
        "The signature is good (Open Badges 2.0).",
        (YES, NOT_OFFERED, *OF_VERSION_2[2:]),
    ),
    "of version 2.0, revoked": (
        ("bad", "This badge was revoked"),
        "It is a badge of the older standard, and its issuer took it back.",
        (OPEN, NO, OPEN, OPEN, OPEN),
    ),
    "a transcript": (
        ("unsure", "Genuine, but not a badge"),
        "It is a signed statement of another kind",
        (YES, NOT_OFFERED, YES, NOT_OFFERED, NOT_OFFERED),
    ),
    "a plain credential": (
        ("unsure", "Genuine, but not a badge"),
        "It is a signed statement of another kind",
        (YES, NOT_OFFERED, YES, NOT_OFFERED, NOT_OFFERED),
    ),
}
"""Of each badge tone and title, how the sentence begins, and the five answers."""


@pytest.fixture(scope="module")
def others() -> Iterator[Drawer]:
    """Other issuers, and the site where their documents lie."""
    with elsewhere() as site:
        yield Drawer.at(site)


@pytest.fixture(scope="module")
def live(others: Drawer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """One service for all tests here, with a list that names the school."""
    folder = tmp_path_factory.mktemp("drawer")
    lists = folder / "lists"
    lists.mkdir()
    (lists / "board.json").write_text(json.dumps(others.trust_list()))
    with serving(folder, FairUse(burst=10_000), trust_lists_folder=lists) as live:
        yield live


@pytest.fixture(scope="module")
def visitor(browser: Browser, live: Live) -> Iterator[tuple[Page, list[str]]]:
    """One visitor for all tests here."""
    with visiting(browser, live) as visit:
        yield visit


@pytest.fixture
def page(visitor: tuple[Page, list[str]]) -> Iterator[Page]:
    """The visitor's page; the test fails if it asked another host for anything, or its script broke."""
    opened, faults = visitor
    faults.clear()
    yield opened
    assert not faults


@pytest.fixture
def drawer(
    others: Drawer, live: Live, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[Drawer]:
    """The drawer as it is at first: nothing asked yet, nothing remembered from an earlier test."""
    if "never answers" in request.node.name:  # any other answer may take its time on a busy machine
        monkeypatch.setattr(fetching, "DEADLINE_SECONDS", 1.0)
    whole = dict(others.site.documents)
    others.site.visits.clear()
    live.runtime.fetcher._cache.clear()
    yield others
    others.site.released.set()
    others.site.released.clear()
    others.site.documents = whole


def give(to: Page | Reader, badge: Badge) -> tuple[str, str, str]:
    text = badge if isinstance(badge, str) else json.dumps(badge) if isinstance(badge, dict) else None
    if isinstance(to, Reader):
        return to.choose("badge.png", badge) if isinstance(badge, bytes) else to.verify(str(text))
    return choose(to, "badge.png", badge) if isinstance(badge, bytes) else verify(to, str(text))


def nothing_told(site: Elsewhere) -> None:
    """Hold the site to have learnt nothing of who asks, and not which badge is looked at."""
    for visit in site.visits:
        assert visit.headers.keys() <= {"host", "accept", "accept-encoding", "user-agent"}
        assert visit.headers["user-agent"] == "Laurel"
        assert "?" not in visit.path
    assert [path for path in site.paths() if "17" in path or "badge" in path] == []


# --- Badges ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", EXPECTED)
def test_every_badge_comes_to_what_holds_of_it(reader: Reader, drawer: Drawer, kind: str) -> None:
    headline, sentence, five = EXPECTED[kind]
    *said, text = give(reader, BADGES[kind](drawer))
    assert tuple(said) == headline
    assert text.startswith(sentence)
    assert tuple(reader.answers().values()) == five
    if kind == "with a newer copy":  # of which there is no list
        assert drawer.site.paths() == ["/school/did.json", "/school/refresh/17"]
    else:
        nothing_told(drawer.site)


def test_every_badge_in_the_drawer_is_tried() -> None:
    assert EXPECTED.keys() == BADGES.keys()


# --- Files ----------------------------------------------------------------------------------------------------------

HOLDING = tuple(holding("{}", "http://localhost/"))
SCRIPTED_FILE = "SVG with a script"
NOTHING: Final[Mapping[str, str]] = {
    "picture with nothing": "This picture may look like a badge, but there is no badge inside it.",
    "drawing with nothing": "This picture may look like a badge, but there is no badge inside it.",
    "screenshot without a code": "This is a picture of a screen or a page, and we found no code in it.",
    "photo without a code": "We found no code in this photo.",
    "PDF with nothing": "We found no badge in this PDF",
    "PDF that is locked": "This PDF is locked with a password.",
    "ZIP of ZIPs": "This is a ZIP inside a ZIP.",
    "ZIP of nothing": "There is no file in this ZIP.",
    "Word document": "This is a text document, for example from Word.",
    "HEIC": "We cannot read photos in this format (HEIC or AVIF).",
    "empty file": "This file is empty.",
    "program": "We cannot open this kind of file.",
    "text": "We found no link and no badge in this text.",
    "half a badge": "This text begins like a badge, but part of it is missing or was changed.",
    "half a picture": "This picture is damaged or incomplete.",
    "saved page about cats": "This is a saved web page without a link to a badge.",
}


@pytest.mark.parametrize("kind", HOLDING)
def test_a_badge_of_another_issuer_is_found_in_every_kind_of_file(reader: Reader, drawer: Drawer, kind: str) -> None:
    file = holding(drawer.good(), drawer.link())[kind]
    assert reader.choose(file.name, file.content)[:2] == GENUINE
    assert tuple(reader.answers().values()) == COMMON
    assert reader.page.one(".deed h2").text == NAME
    assert f"Issued by {LISTED} (localhost" in reader.page.text
    scripted = "The picture contains a script. We did not run it" in reader.page.text
    assert scripted == (kind == SCRIPTED_FILE)


@pytest.mark.parametrize("kind", [HOLDING[0], SCRIPTED_FILE])
def test_a_file_of_another_issuer_is_checked_in_a_browser(page: Page, drawer: Drawer, kind: str) -> None:
    file = holding(drawer.good(), drawer.link())[kind]
    assert choose(page, file.name, file.content)[:2] == GENUINE
    assert tuple(answers(page).values()) == COMMON
    assert page.locator(".deed h2").inner_text() == NAME
    expect(page.get_by_text(f"Issued by {LISTED} (localhost")).to_be_visible()
    assert page.evaluate("typeof hostile") == "undefined"
    scripted = page.get_by_text("The picture contains a script. We did not run it").count()
    assert scripted == (kind == SCRIPTED_FILE)


@pytest.mark.parametrize("kind", NOTHING)
def test_a_file_in_which_there_is_nothing_says_why(reader: Reader, drawer: Drawer, kind: str) -> None:
    file = holding_nothing()[kind]
    *said, sentence = reader.choose(file.name, file.content)
    assert tuple(said) == UNCHECKED
    assert sentence.startswith(NOTHING[kind])
    assert drawer.site.visits == []


def test_every_file_without_a_badge_is_tried() -> None:
    assert NOTHING.keys() == holding_nothing().keys()


def test_several_in_a_zip_are_checked_as_a_batch(reader: Reader, drawer: Drawer) -> None:
    page = reader.give("", ("all.zip", several(drawer)))
    said = {row.one("th").text: row.one("strong").text for row in page.all("tr.checked")}
    assert said == {
        "good/badge.json": GENUINE[1],
        "good/badge.png": GENUINE[1],
        "bad/badge.svg": "This badge was revoked",
        "good/badge.jwt": GENUINE[1],
        "empty/badge.png": "Not checked",
    }


# --- Links ----------------------------------------------------------------------------------------------------------

LEADS: Final[Mapping[str, Callable[[str], tuple[str, str]]]] = {
    "alternate": lambda to: (f'<link rel="alternate" type="application/vc+ld+json" href="{to}">', ""),
    "picture of the page": lambda to: (f'<meta property="og:image" content="{to}">', ""),
    "anchor": lambda to: ("", f'<a href="/about">About</a> <a href="{to}">Download</a>'),
    "picture": lambda to: ("", f'<img src="/logo.svg" alt=""><img src="{to}" alt="">'),
}
"""How the page of another issuer leads to the badge: what is in its head, and in its body."""


@pytest.mark.parametrize("way", LEADS)
def test_a_page_of_another_issuer_leads_to_its_badge(reader: Reader, drawer: Drawer, way: str) -> None:
    ending = "json" if way == "alternate" else "png"
    to = drawer.site.put(f"/shared/17.{ending}", bake(picture(), drawer.good()) if ending == "png" else drawer.good())
    link = drawer.site.put("/shared/17", page_about("A badge", *LEADS[way](to)))
    assert reader.verify(link)[:2] == GENUINE
    assert tuple(reader.answers().values()) == COMMON
    assert not [visit for visit in drawer.site.visits if visit.headers.keys() & {"referer", "cookie", "origin"}]
    assert "/about" not in drawer.site.paths()


def test_a_link_that_has_moved_is_followed(reader: Reader, drawer: Drawer) -> None:
    moved = Answer(status=301, headers={"Location": drawer.link()})
    assert reader.verify(drawer.site.put("/moved", moved))[:2] == GENUINE


def test_a_hosted_assertion_of_version_2_is_confirmed_by_its_link(reader: Reader, drawer: Drawer) -> None:
    assertion = drawer.of_version_2()
    assert reader.verify(str(assertion["id"]))[:2] == HOSTED
    assert drawer.site.paths() == ["/old/assertions/1", "/old/classes/1", "/old/issuer"]


def test_a_link_to_a_revoked_assertion_of_version_2_says_so(reader: Reader, drawer: Drawer) -> None:
    assertion = revoked_version_2(drawer)
    assert isinstance(assertion, dict)
    assert reader.verify(str(assertion["id"]))[:2] == ("bad", "This badge was revoked")


def test_a_badge_of_version_2_is_shown_and_compared_like_any_other(page: Page, drawer: Drawer) -> None:
    verify(page, json.dumps(drawer.of_version_2()))
    assert page.locator(".deed h2").inner_text() == NAME
    assert compare(page, CANDIDATE)[0] == "good"
    assert "Bundle for checking offline" not in page.content()


def test_a_badge_of_version_2_stays_text(page: Page, drawer: Drawer) -> None:
    assertion = drawer.of_version_2()
    badge = {
        "@context": "https://w3id.org/openbadges/v2",
        "type": "BadgeClass",
        "issuer": f"{drawer.site.url}/old/issuer",
    }
    drawer.site.put("/old/classes/1", badge | {"name": HOSTILE, "description": HOSTILE})
    assert verify(page, json.dumps(assertion))[:2] == HOSTED
    assert page.locator(".deed h2").inner_text() == HOSTILE
    inert(page)


OUT_OF_ORDER: Final[Mapping[str, Answer]] = {
    "closed": Answer(manner="closed"),
    "never answers": Answer(manner="silent"),
    "a fault": Answer(b"x", status=500),
    "gone": Answer(status=404),
    "a login": login(),
    "leads into a private network": Answer(status=302, headers={"Location": "https://10.0.0.1/"}),
    "leads in a circle": Answer(status=302, headers={"Location": "?again"}),
    "5 MB": Answer(b" " * 5_000_000, "application/json"),
    "compressed": Answer(b"x", headers={"Content-Encoding": "gzip"}),
}
"""How an address may fail so that nothing is had from it."""

SOMETHING_ELSE: Final[Mapping[str, Any]] = {
    "nothing": b"",
    "garbage": b"\x00\xff" * 40,
    "a page": page_about("This domain is for sale"),
    "other JSON": {"hello": 1},
    "a list": [1],
    "deep JSON": b"[" * 100_000,
}
"""What may lie at an address in place of what should."""

LINKS: Final[Mapping[str, str]] = {
    "closed": "We could not reach a site at this link.",
    "never answers": "The site behind this link did not answer in time.",
    "a fault": "The site behind this link is not working at the moment.",
    "gone": "There is nothing at this link",
    "a login": "The site behind this link shows it only to people who have signed in there.",
    "leads into a private network": "This link leads into a private network",
    "leads in a circle": "We could not reach a site at this link.",
    "5 MB": "What is at this link is too large to be a badge.",
    "compressed": "We could not reach a site at this link.",
    "a page": "This link does not lead to a badge.",
}


@pytest.mark.parametrize("how", LINKS)
def test_a_link_to_no_badge_says_why(reader: Reader, drawer: Drawer, how: str) -> None:
    *said, sentence = reader.verify(drawer.site.put("/shared/17", {**OUT_OF_ORDER, **SOMETHING_ELSE}[how]))
    assert tuple(said) == UNCHECKED
    assert sentence.startswith(LINKS[how])


@pytest.mark.parametrize("how", sorted(SOMETHING_ELSE.keys() - LINKS.keys()))
def test_a_link_to_something_else_is_not_relied_on(reader: Reader, drawer: Drawer, how: str) -> None:
    tone, title, _ = reader.verify(drawer.site.put("/shared/17", SOMETHING_ELSE[how]))
    assert (tone, title) in {("unsure", "This is not a badge"), REFUSED, UNCHECKED}
    assert YES not in reader.answers().values()


# --- With the network cut -------------------------------------------------------------------------------------------

KEYS, LIST = "/school/did.json", "/school/status/revocation"


@pytest.mark.parametrize("how", OUT_OF_ORDER)
def test_without_the_keys_of_the_issuer_nothing_is_decided(reader: Reader, drawer: Drawer, how: str) -> None:
    drawer.site.put(KEYS, OUT_OF_ORDER[how])
    *said, sentence = reader.verify(drawer.good())
    assert tuple(said) == UNDECIDED
    assert sentence.startswith("We could not get the issuer's keys.")
    assert set(reader.answers().values()) == {OPEN}


@pytest.mark.parametrize("how", [*SOMETHING_ELSE, "another's document"])
def test_something_else_in_place_of_the_keys_is_no_word_on_the_badge(reader: Reader, drawer: Drawer, how: str) -> None:
    drawer.site.put(KEYS, drawer.site.documents[drawer.site.url + "/club/did.json"])
    if how in SOMETHING_ELSE:
        drawer.site.put(KEYS, SOMETHING_ELSE[how])
    *said, sentence = reader.verify(drawer.good())
    assert tuple(said) == UNDECIDED
    assert sentence.startswith("We found something else where the issuer's keys should be")
    assert set(reader.answers().values()) == {OPEN}


@pytest.mark.parametrize("how", OUT_OF_ORDER)
def test_without_the_list_of_the_issuer_it_stays_open_whether_the_badge_stands(
    reader: Reader, drawer: Drawer, how: str
) -> None:
    drawer.site.put(LIST, OUT_OF_ORDER[how])
    *said, sentence = reader.verify(drawer.good())
    assert tuple(said) == UNDECIDED
    assert sentence.startswith("It is genuine. We could not find out whether its issuer has taken it back")
    assert tuple(reader.answers().values()) == (YES, OPEN, *COMMON[2:])


@pytest.mark.parametrize("how", [*SOMETHING_ELSE, "another's list", "an old list"])
def test_something_else_in_place_of_the_list_is_never_green(reader: Reader, drawer: Drawer, how: str) -> None:
    drawer.site.put(LIST, drawer.site.documents[drawer.site.url + "/club/status/revocation"])
    if how == "an old list":
        drawer.publish_list(drawer.school, "revocation", until=datetime(2026, 2, 1, tzinfo=UTC))
    elif how in SOMETHING_ELSE:
        drawer.site.put(LIST, SOMETHING_ELSE[how])
    *said, sentence = reader.verify(drawer.good())
    assert tuple(said) == UNDECIDED
    assert sentence.startswith("It is genuine. We could not find out whether its issuer has taken it back")
    assert tuple(reader.answers().values()) == (YES, OPEN, *COMMON[2:])


@pytest.mark.parametrize("how", OUT_OF_ORDER)
def test_without_the_evidence_it_stays_open_whether_that_is_unchanged(reader: Reader, drawer: Drawer, how: str) -> None:
    badge = json.dumps(drawer.with_evidence())
    drawer.site.put("/school/evidence/17", OUT_OF_ORDER[how])
    reader.verify(badge)
    reader.press("Look at the evidence too")
    assert "We could not get some of the evidence." in reader.source
    assert reader.verdict()[:2] == GENUINE
    assert tuple(reader.answers().values()) == (YES, YES, YES, OPEN, NOT_OFFERED)


def test_what_could_not_be_had_is_asked_for_again(reader: Reader, drawer: Drawer) -> None:
    keys, badge = drawer.site.documents[drawer.site.url + KEYS], drawer.good()
    drawer.site.put(KEYS, OUT_OF_ORDER["a fault"])
    assert reader.verify(badge)[:2] == UNDECIDED
    drawer.site.put(KEYS, keys)
    assert reader.verify(badge)[:2] == GENUINE


# --- What a visitor can do -------------------------------------------------------------------------------------------


def test_the_person_is_compared_and_nobody_is_asked(page: Page, drawer: Drawer) -> None:
    verify(page, drawer.good())
    drawer.site.visits.clear()
    assert compare(page, CANDIDATE)[0] == "good"
    assert compare(page, "somebody.else@valley.example")[0] == "unsure"
    assert drawer.site.visits == []


@pytest.mark.parametrize("kind", ["with one changed letter", "by another's key", "with unknown words"])
def test_whose_a_badge_is_is_not_said_without_a_signature_that_holds(
    reader: Reader, live: Live, drawer: Drawer, kind: str
) -> None:
    badge = BADGES[kind](drawer)
    give(reader, badge)
    assert "Without a good signature, anyone could have written whose badge this is." in reader.page.text
    assert 'id="person"' not in reader.source
    text = badge if isinstance(badge, str) else json.dumps(badge)  # as without a script
    sent = httpx2.post(f"{live.base_url}/verify", data={"received": text, "recipient": CANDIDATE})
    assert sent.status_code == 200
    assert "was issued to this person" not in sent.text


@pytest.mark.parametrize(("kept", "title", "answer"), [(MINUTES, GENUINE[1], YES), (b"x", CHANGED_EVIDENCE, NO)])
def test_evidence_is_looked_at_only_where_that_is_asked_for(
    reader: Reader, drawer: Drawer, kept: bytes, title: str, answer: str
) -> None:
    badge = json.dumps(drawer.with_evidence(kept))
    assert reader.verify(badge)[:2] == GENUINE
    assert reader.answers()["Is the evidence unchanged?"] == OPEN
    nothing_told(drawer.site)
    reader.press("Look at the evidence too")
    assert "Look at the evidence too" not in reader.source
    assert reader.verdict()[1] == title
    assert reader.answers()["Is the evidence unchanged?"] == answer
    assert "/school/evidence/17" in drawer.site.paths()


def test_a_newer_copy_is_what_the_page_is_about(reader: Reader, drawer: Drawer) -> None:
    reader.verify(json.dumps(drawer.refreshed(None)))
    assert reader.page.one(".deed h2").text == f"{NAME}, renewed"
    assert "The issuer has a newer copy. The answers here are about that one." in reader.page.text


def test_of_a_look_alike_it_is_said_whom_it_resembles(reader: Reader, drawer: Drawer) -> None:
    give(reader, BADGES["by a look-alike"](drawer))
    assert f"Its name is almost the same as {LISTED}, which is another issuer." in reader.page.text


def test_the_issuer_is_shown_with_its_domain_its_keys_and_who_knows_it(reader: Reader, drawer: Drawer) -> None:
    reader.verify(drawer.good())
    card = reader.page.one("section[aria-labelledby=issuer]")
    host = drawer.site.url.removeprefix("http://")
    assert [each.text for each in card.all("dd")] == [LISTED, host, "Board of the valley", drawer.school.did]
    (keys,) = [each for each in card.all("details") if each.text == "Its keys"]
    assert [row.all("td")[3].text for row in keys.all("tbody tr")] == ["in use", "in use"]


# --- Hostile badges -------------------------------------------------------------------------------------------------


def test_what_a_badge_of_another_issuer_says_stays_text(page: Page, drawer: Drawer) -> None:
    text = json.dumps(drawer.hostile(HOSTILE))
    within = f"<script type='application/ld+json'>{text.replace('<', chr(92) + 'u003c')}</script>"
    link = drawer.site.put("/shared/17", page_about("x", within))
    for given in (text, bake(picture(), text), bake(SCRIPTED, text), link):
        said = choose(page, f"{HOSTILE}.png", given) if isinstance(given, bytes) else verify(page, given)
        assert said[:2] == UNLISTED
        assert page.locator(".deed h2").inner_text() == HOSTILE
        assert HOSTILE in page.locator("section[aria-labelledby=issuer]").inner_text()
        inert(page)
        assert page.evaluate("typeof hostile") == "undefined"


def test_names_of_files_stay_text_in_a_batch(page: Page, drawer: Drawer) -> None:
    page.goto("/verify")
    content = zipped({f"{HOSTILE}.json": json.dumps(drawer.hostile(HOSTILE)).encode(), f"{HOSTILE}.png": picture()})
    file: FilePayload = {"name": f"{HOSTILE}.zip", "mimeType": "application/zip", "buffer": content}
    page.get_by_label("Or a file or photo").set_input_files(file)
    page.get_by_role("button", name="Verify", exact=True).click()
    page.locator("#result").wait_for()
    expect(page.get_by_text(HOSTILE).first).to_be_visible()
    inert(page)
    assert page.evaluate("typeof hostile") == "undefined"


@pytest.mark.parametrize("kind", ["of a club on no list", "with one changed letter", "by a look-alike"])
def test_everybody_can_use_what_is_said_of_others(
    page: Page, drawer: Drawer, violations: Callable[[Page], list[Any]], kind: str
) -> None:
    give(page, BADGES[kind](drawer))
    everybody_can_use(page, violations, "/verify")
