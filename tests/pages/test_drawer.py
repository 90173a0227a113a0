"""The drawer of badges from other issuers, good and bad, in every file format, tried at /verify; and with the network cut."""

import json
from collections.abc import Iterator, Mapping
from typing import Final

import pytest
from playwright.sync_api import Browser, Page

from service import fetching
from service.fair_use import FairUse
from tests.pages.conftest import Live, serving, visiting
from tests.pages.drawer import (
    BADGES,
    LISTED,
    NAME,
    Badge,
    Drawer,
    holding,
    holding_nothing,
)
from tests.pages.elsewhere import Elsewhere, elsewhere
from tests.pages.scenes import answers, choose, verify

YES, NO, OPEN, NOT_OFFERED = "Yes", "No", "Could not check", "Not offered"
GENUINE = ("good", "This badge is genuine and valid")
UNLISTED = ("unsure", "Genuine, but by an issuer that no list here knows")
REFUSED = ("bad", "Do not rely on this badge")
UNDECIDED = ("unsure", "This could not be decided")
UNCHECKED = ("unsure", "That could not be checked")
COMMON = (YES, YES, YES, NOT_OFFERED, NOT_OFFERED)
"""The five answers for a badge that stands, of a known issuer that seals no evidence and publishes no decisions."""
NOTHING_HOLDS = (OPEN, OPEN, OPEN, OPEN)

EXPECTED: Final[Mapping[str, tuple[tuple[str, str], str, tuple[str, ...]]]] = {
    "of a listed school": (GENUINE, "Unchanged, signed by its issuer, and not taken back.", COMMON),
    "of a club on no list": (UNLISTED, "The signature holds.", (YES, YES, OPEN, NOT_OFFERED, NOT_OFFERED)),
    "of a key alone": (UNLISTED, "The signature holds.", (YES, NOT_OFFERED, OPEN, NOT_OFFERED, NOT_OFFERED)),
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
    "with a changed endorsement": (REFUSED, "Something that belongs to it is not in order.", COMMON),
    "with a newer copy": (GENUINE, "Unchanged", (YES, NOT_OFFERED, YES, NOT_OFFERED, NOT_OFFERED)),
    "with a newer copy and a list": (GENUINE, "Unchanged", COMMON),
    "not on an unsigned list": (GENUINE, "Unchanged", COMMON),
    "on an unsigned list": (("bad", "This badge was revoked"), "It is genuine, and", (YES, NO, *COMMON[2:])),
    "revoked": (
        ("bad", "This badge was revoked"),
        "It is genuine, and its issuer took it back.",
        (YES, NO, *COMMON[2:]),
    ),
    "suspended": (("bad", "This badge is suspended"), "It is genuine, and its issuer", (YES, NO, *COMMON[2:])),
    "expired": (("unsure", "This badge has expired"), "It is genuine, and its time is over.", (YES, NO, *COMMON[2:])),
    "not yet valid": (("unsure", "This badge is not valid yet"), "It is genuine, and", (YES, NO, *COMMON[2:])),
    "with one changed letter": (REFUSED, "It was changed after it was signed", (NO, *NOTHING_HOLDS)),
    "without signature": (REFUSED, "It carries no signature.", (NO, *NOTHING_HOLDS)),
    "by another's key": (REFUSED, "The issuer that it names did not sign it.", (YES, OPEN, NO, OPEN, OPEN)),
    "with another's list": (REFUSED, "Something that belongs to it is not in order.", (YES, NO, *COMMON[2:])),
    "by a look-alike": (UNLISTED, "The signature holds.", (YES, YES, OPEN, NOT_OFFERED, NOT_OFFERED)),
    "with unknown words": (UNDECIDED, "Something could not be checked", (OPEN, *NOTHING_HOLDS)),
    "of version 2.0": (
        ("unsure", "A badge of an older kind, which cannot be checked here"),
        "Open Badges 2.0 and before are kept on their issuer's server.",
        (OPEN, *NOTHING_HOLDS),
    ),
    "of version 2.0 in a picture": (
        ("unsure", "A badge of an older kind, which cannot be checked here"),
        "Open Badges 2.0 and before are kept on their issuer's server.",
        (OPEN, *NOTHING_HOLDS),
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
def drawer(others: Drawer, live: Live, monkeypatch: pytest.MonkeyPatch) -> Iterator[Drawer]:
    """The drawer as it is at first: nothing asked yet, nothing remembered from an earlier test."""
    monkeypatch.setattr(fetching, "DEADLINE_SECONDS", 0.5)
    whole = dict(others.site.documents)
    others.site.visits.clear()
    live.running.fetcher._cache.clear()
    yield others
    others.site.released.set()
    others.site.released.clear()
    others.site.documents = whole


def give(page: Page, badge: Badge) -> tuple[str, str, str]:
    if isinstance(badge, bytes):
        return choose(page, "badge.png", badge)
    return verify(page, badge if isinstance(badge, str) else json.dumps(badge))


def nothing_told(site: Elsewhere) -> None:
    """Hold the site to have learnt nothing of who asks, and not which badge is looked at."""
    for visit in site.visits:
        assert visit.headers.keys() <= {"host", "accept", "accept-encoding", "user-agent"}
        assert visit.headers["user-agent"] == "Laurel"
        assert "?" not in visit.path
    assert [path for path in site.paths() if "17" in path or "badge" in path] == []


# --- Badges ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", EXPECTED)
def test_every_badge_comes_to_what_holds_of_it(page: Page, drawer: Drawer, kind: str) -> None:
    headline, sentence, five = EXPECTED[kind]
    *said, text = give(page, BADGES[kind](drawer))
    assert tuple(said) == headline
    assert text.startswith(sentence)
    assert tuple(answers(page).values()) == five
    if kind == "with a newer copy":  # of which there is no list
        assert drawer.site.paths() == ["/school/did.json", "/school/refresh/17"]
    else:
        nothing_told(drawer.site)


def test_every_badge_in_the_drawer_is_tried() -> None:
    assert EXPECTED.keys() == BADGES.keys()


# --- Files ----------------------------------------------------------------------------------------------------------

HOLDING = tuple(holding("{}", "http://localhost/"))
NOTHING: Final[Mapping[str, str]] = {
    "picture with nothing": "This picture may look like a badge, but no badge is stored in it.",
    "drawing with nothing": "This picture may look like a badge, but no badge is stored in it.",
    "screenshot without a code": "This is a picture of a screen or a page, without a code that can be read.",
    "photo without a code": "No code was found in this photo.",
    "PDF with nothing": "This PDF holds no badge",
    "PDF that is locked": "This PDF is locked with a password.",
    "ZIP of ZIPs": "This is a ZIP inside a ZIP.",
    "ZIP of nothing": "There is no file in this ZIP.",
    "Word document": "This is a text document, such as Word makes them.",
    "HEIC": "This photo has a format (HEIC or AVIF) that cannot be read here.",
    "empty file": "This file is empty.",
    "program": "This kind of file cannot be opened here.",
    "text": "No link and no badge was found in this text.",
    "half a badge": "This text begins like a badge, but it is incomplete or was changed on its way.",
    "half a picture": "This picture is damaged or incomplete.",
    "saved page about cats": "This is a saved web page, and no badge is linked from it.",
}


@pytest.mark.parametrize("kind", HOLDING)
def test_a_badge_of_another_issuer_is_found_in_every_kind_of_file(page: Page, drawer: Drawer, kind: str) -> None:
    file = holding(drawer.good(), drawer.link())[kind]
    assert choose(page, file.name, file.content)[:2] == GENUINE
    assert tuple(answers(page).values()) == COMMON
    assert page.locator(".deed h2").inner_text() == NAME
    assert page.get_by_text(f"Issued by {LISTED} (localhost").is_visible()
    assert page.evaluate("typeof hostile") == "undefined"
    scripted = page.get_by_text("The picture holds a script. It was not run").count()
    assert scripted == (kind == "SVG with a script")


@pytest.mark.parametrize("kind", NOTHING)
def test_a_file_in_which_there_is_nothing_says_why(page: Page, drawer: Drawer, kind: str) -> None:
    file = holding_nothing()[kind]
    *said, sentence = choose(page, file.name, file.content)
    assert tuple(said) == UNCHECKED
    assert sentence.startswith(NOTHING[kind])
    assert drawer.site.visits == []


def test_every_file_without_a_badge_is_tried() -> None:
    assert NOTHING.keys() == holding_nothing().keys()
