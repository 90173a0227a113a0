"""Which addresses are badges of ours, how much room a card needs, and oEmbed as XML."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from defusedxml.ElementTree import fromstring
from hypothesis import given
from hypothesis import strategies as st

from service.runtime.settings import Settings
from service.sharing import embedding
from service.sharing.embedding import Room
from service.texts.languages import ENGLISH
from tests.worlds.runtimes import settings_in

ID = "404262f2b1afa1d3f03028fec0bedbd8"
OURS = "https://badges.example.org"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_in(tmp_path, base_url=OURS)


@pytest.mark.parametrize(
    "url",
    [
        f"{OURS}/credentials/{ID}",
        f"https://BADGES.example.org/credentials/{ID}",
        f"{OURS}/credentials/{ID}.html",
        f"{OURS}/credentials/{ID}?utm_source=mail",
        f"{OURS}/credentials/{ID}#evidence",
    ],
)
def test_an_address_of_a_badge_is_known_as_people_hand_it_on(settings: Settings, url: str) -> None:
    assert embedding.credential_id(settings, url) == ID


@pytest.mark.parametrize(
    "url",
    [
        f"https://elsewhere.example/credentials/{ID}",
        f"http://badges.example.org/credentials/{ID}",
        f"{OURS}:8443/credentials/{ID}",
        f"{OURS}.elsewhere.example/credentials/{ID}",
        f"https://somebody@badges.example.org/credentials/{ID}",
        f"{OURS}@elsewhere.example/credentials/{ID}",
        f"//badges.example.org/credentials/{ID}",
        f"/credentials/{ID}",
        f"{OURS}/credentials/{ID}/card",
        f"{OURS}/credentials/{ID}.json",
        f"{OURS}/credentials/{ID.upper()}",
        f"{OURS}/credentials/..%2f{ID}",
        f"{OURS}/credentials/{ID}%00",
        f"{OURS}/achievements/{ID}",
        "https://[badges.example.org/credentials",
        "javascript:alert(1)",
        "",
    ],
)
def test_no_other_address_is_one(settings: Settings, url: str) -> None:
    assert embedding.credential_id(settings, url) is None


def shown(name: str = "Sharer", issuer: str = "River Writers") -> Any:
    subject = {"achievement": {"name": name, "image": {"id": f"{OURS}/image.png"}}}
    document = {"id": f"{OURS}/credentials/{ID}", "issuer": {"name": issuer}, "credentialSubject": subject}
    state = SimpleNamespace(kind="valid", tone="good", title="")
    return cast("Any", SimpleNamespace(document=document, state=state, network=SimpleNamespace(slug="river")))


texts = st.text(st.characters(codec="utf-8"), min_size=1, max_size=200)


@given(name=texts)
def test_no_name_breaks_out_of_the_frame_or_of_xml(name: str) -> None:
    html = embedding.frame(shown(name), ENGLISH)
    assert html.count("<") == html.count(">") == 2
    assert html.count('"') == 2 * html.count('="')
    read = fromstring(embedding.as_xml({"type": "rich", "title": name, "html": html}))
    assert [part.tag for part in read] == ["type", "title", "html"]
    assert read[0].text == "rich"


def test_what_xml_cannot_hold_is_left_out() -> None:
    read = fromstring(embedding.as_xml({"title": "a\0b\x0bc\ufffe <d> & é 読 🏫"}))
    assert read[0].text == "abc <d> & é 読 🏫"


@given(width=st.integers(1, 3000), height=st.integers(1, 3000))
def test_nothing_is_larger_than_the_room_for_it(
    tmp_path_factory: pytest.TempPathFactory, width: int, height: int
) -> None:
    settings = settings_in(tmp_path_factory.getbasetemp(), base_url=OURS)
    said = embedding.described(settings, shown(), ENGLISH, Room(width, height))
    for kind in ("", "thumbnail_"):
        assert int(said.get(f"{kind}width", 0)) <= width
        assert int(said.get(f"{kind}height", 0)) <= height
    assert ("html" in said) == (said["type"] == "rich") == (width >= 280 and height >= 176)


def test_a_badge_that_does_not_hold_is_told_as_that_without_its_picture(settings: Settings) -> None:
    revoked = shown()
    revoked.state = SimpleNamespace(kind="revoked", tone="bad", title="This badge was revoked")
    said = embedding.described(settings, revoked, ENGLISH, Room())
    assert said["title"] == "This badge was revoked: Sharer · River Writers"
    assert "thumbnail_url" not in said
