"""Collections of badges: who puts together what, and what others see of it."""

from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pypdf import PdfReader
from sqlalchemy import select

from service.runtime.runtime import Runtime
from service.sharing import badge_collections
from service.tables import Collection, CollectionBadge
from tests.worlds.awarding import Stage
from tests.worlds.collecting import HOME, Collector, anybody, earn, holder
from tests.worlds.presenting import decline, see

HOSTILE = "<script>hostile()</script> \u202etxt"


@pytest.fixture
def stage(runtime: Runtime, client: TestClient) -> Stage:
    stage = Stage.set_up(client, runtime)
    stage.member("m11", email="m11@river.example.org")
    return stage


def words(who: Collector, collection: str, **said: str) -> Any:
    return who.post(f"{HOME}/{collection}", **({"title": "My year", "visibility": "unlisted"} | said))


def page_of(stage: Stage, collection: str) -> Any:
    return anybody(stage, f"/collections/{collection}")


def test_a_collection_shows_badges_of_several_networks_in_the_order_that_was_chosen(
    stage: Stage, client: TestClient
) -> None:
    lake = Stage.set_up(client, stage.runtime, "lake", name="Lake Readers")
    lake.member("m11", email="m11@river.example.org")
    first, second, third = earn(stage, "writer"), earn(lake, "reader"), earn(stage, "speaker")
    who = holder(stage)
    holder(lake)
    made = who.make("My year", first, second, third)
    assert who.held(made) == [first, second, third]
    assert who.post(f"{HOME}/{made}/badges/{third}/up").status_code == 303
    assert who.post(f"{HOME}/{made}/badges/{first}/down").status_code == 303
    assert who.held(made) == [third, first, second]
    text = page_of(stage, made).text
    assert text.index("Speaker") < text.index("Writer") < text.index("Reader")
    assert "Lake Readers" in text
    assert f"/credentials/{second}" in text


def test_at_the_ends_of_the_list_nothing_moves(stage: Stage) -> None:
    first, second = earn(stage, "writer"), earn(stage, "reader")
    who = holder(stage)
    made = who.make("My year", first, second)
    who.post(f"{HOME}/{made}/badges/{first}/up")
    who.post(f"{HOME}/{made}/badges/{second}/down")
    assert who.held(made) == [first, second]


def test_title_and_note_are_shown_as_text(stage: Stage) -> None:
    who = holder(stage)
    made = who.make("My year", earn(stage, "writer"))
    assert words(who, made, title=HOSTILE, note=f"First.\r\n{HOSTILE}").status_code == 303
    text = page_of(stage, made).text
    assert "<script>hostile" not in text
    assert "\u202e" not in text
    assert "&lt;script&gt;hostile()&lt;/script&gt; txt" in text
    assert '<p dir="auto">First.</p>' in text


def test_a_collection_is_unlisted_until_its_person_makes_it_public(stage: Stage) -> None:
    who = holder(stage)
    made = who.make("My year", earn(stage, "writer"))
    before = page_of(stage, made)
    assert (before.status_code, before.headers["x-robots-tag"]) == (200, "noindex")
    words(who, made, visibility="public")
    after = page_of(stage, made)
    assert "x-robots-tag" not in after.headers
    assert after.headers["cache-control"] == "no-store"


def test_the_name_stands_there_only_if_the_person_wants_it_and_is_that_of_today(stage: Stage) -> None:
    who = holder(stage)
    who.call_oneself("Fatima Zahra")
    made = who.make("My year", earn(stage, "writer"))
    assert "Fatima" not in page_of(stage, made).text
    words(who, made, named="yes")
    assert "Fatima Zahra" in page_of(stage, made).text
    who.call_oneself("Fatima Weber")
    text = page_of(stage, made).text
    assert "Fatima Weber" in text
    assert "Zahra" not in text
    words(who, made)
    assert "Fatima" not in page_of(stage, made).text


def test_who_has_no_name_cannot_show_it(stage: Stage) -> None:
    who = holder(stage)
    made = who.make("My year", earn(stage, "writer"))
    answer = words(who, made, named="yes")
    assert answer.status_code == 422
    assert "Say in your account what your name is." in answer.text


def test_a_private_badge_cannot_be_added(stage: Stage) -> None:
    badge = earn(stage, "writer")
    who = holder(stage)
    see(stage.runtime, badge, "private")
    made = who.make()
    answer = who.add(made, badge)
    assert answer.status_code == 409
    assert "A private badge cannot be in a collection." in answer.text
    assert "Writer" not in who.client.get(f"{HOME}/{made}").text


def test_a_badge_that_becomes_private_is_left_out_and_its_person_is_told(stage: Stage) -> None:
    badge, other = earn(stage, "writer"), earn(stage, "reader")
    who = holder(stage)
    made = who.make("My year", badge, other)
    see(stage.runtime, badge, "private")
    for path in ("", ".pdf"):
        answer = page_of(stage, f"{made}{path}")
        assert answer.status_code == 200
        assert badge.encode() not in answer.content
    assert "1 badge in it is private" in who.client.get(f"{HOME}/{made}").text
    see(stage.runtime, badge, "unlisted")
    assert badge in page_of(stage, made).text


def test_a_declined_badge_is_left_out(stage: Stage) -> None:
    badge = earn(stage, "writer")
    who = holder(stage)
    made = who.make("My year", badge)
    decline(stage.runtime, badge)
    assert "There are no badges in it that others can see." in page_of(stage, made).text


@pytest.mark.parametrize(
    ("path", "word"), [("revocation", "Revoked"), ("suspension", "Suspended")], ids=["revoked", "suspended"]
)
def test_a_badge_that_does_not_stand_is_shown_so_and_never_green(stage: Stage, path: str, word: str) -> None:
    badge = earn(stage, "writer")
    who = holder(stage)
    made = who.make("My year", badge)
    assert '<strong class="said bad">' not in page_of(stage, made).text
    stage.send("POST", f"/v1/credentials/{badge}/{path}", {"reason": "A mistake."})
    text = page_of(stage, made).text
    assert f'<strong class="said bad">{word}</strong>' in text
    assert "said good" not in text
    (page,) = PdfReader(BytesIO(page_of(stage, f"{made}.pdf").content)).pages
    assert word in page.extract_text()


def test_an_expired_badge_is_shown_as_expired(stage: Stage) -> None:
    badge = earn(stage, "writer", valid_for="P10Y")
    who = holder(stage)
    made = who.make("My year", badge)
    stage.runtime.now.advance(days=3650)  # type: ignore[attr-defined]
    text = page_of(stage, made).text
    assert '<strong class="said unsure">Expired</strong>' in text
    assert "valid until" not in text


@pytest.mark.parametrize("role", ["student", "minor"])
def test_collections_of_children_and_students_are_never_public_and_name_nobody(stage: Stage, role: str) -> None:
    badge = earn(stage, "writer")
    who = holder(stage)
    who.call_oneself("Young Person")
    made = who.make("My year", badge)
    assert words(who, made, visibility="public", named="yes").status_code == 303
    stage.member("m11", email="m11@river.example.org", roles=[role])
    shown = page_of(stage, made)
    assert shown.headers["x-robots-tag"] == "noindex"
    assert "Young Person" not in shown.text
    assert b"Young Person" not in page_of(stage, f"{made}.pdf").content
    for said in ({"visibility": "public"}, {"named": "yes"}):
        answer = words(who, made, **said)
        assert answer.status_code == 409
        assert "badges of children and students are never public" in answer.text


def test_it_is_printed_as_a_tagged_pdf(stage: Stage) -> None:
    who = holder(stage)
    who.call_oneself("Łukasz Ødegård")
    made = who.make("My year", earn(stage, "writer"), earn(stage, "reader"))
    words(who, made, named="yes", note="For the school board.", title="Mein Jahr")
    answer = page_of(stage, f"{made}.pdf?paper=letter")
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["x-robots-tag"] == "noindex"
    document: Any = PdfReader(BytesIO(answer.content))
    assert document.trailer["/Root"]["/MarkInfo"]["/Marked"]
    text = "".join(page.extract_text() for page in document.pages)
    for said in ("Mein Jahr", "Łukasz Ødegård", "For the school board.", "Writer", "Reader", "2 March 2026"):
        assert said in text, said
    assert document.pages[0].mediabox.width == 612


def test_a_letter_that_no_font_has_does_not_stop_the_print(stage: Stage) -> None:
    who = holder(stage)
    made = who.make("Year \U00013000", earn(stage, "writer"))
    answer = page_of(stage, f"{made}.pdf")
    assert answer.status_code == 200
    text = "".join(page.extract_text() for page in PdfReader(BytesIO(answer.content)).pages)
    assert "No font that we have can show every character" in " ".join(text.split())


@pytest.mark.parametrize(
    ("title", "sentence"),
    [
        ("", "Give the collection a title."),
        ("\u202e\u200b", "Give the collection a title."),
        ("x" * 121, "The title is too long."),
    ],
    ids=["none", "unseen", "long"],
)
def test_a_title_that_cannot_stand_is_refused_with_a_sentence(stage: Stage, title: str, sentence: str) -> None:
    who = holder(stage)
    for answer in (who.post(HOME, title=title), words(who, who.make(), title=title)):
        assert answer.status_code == 422
        assert sentence in answer.text


def test_a_note_that_is_too_long_is_refused(stage: Stage) -> None:
    who = holder(stage)
    answer = words(who, who.make(), note="ü" * 1001)
    assert answer.status_code == 422
    assert "The note is too long." in answer.text


@pytest.mark.parametrize("title", ["لوحة " * 20, "証明書" * 40, "👩🏽‍🏫" * 25])
def test_a_title_of_any_script_stands(stage: Stage, title: str) -> None:
    who = holder(stage)
    made = who.make(title.strip(), earn(stage, "writer"))
    assert title.strip() in page_of(stage, made).text
    assert page_of(stage, f"{made}.pdf").status_code == 200


def test_there_are_at_most_so_many_collections(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(badge_collections, "MAX_COLLECTIONS", 2)
    who = holder(stage)
    who.make()
    who.make()
    answer = who.post(HOME, title="Third")
    assert answer.status_code == 409
    assert "Remove one before you make another." in answer.text


def test_a_collection_holds_at_most_so_many_badges(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(badge_collections, "MAX_BADGES", 1)
    first, second = earn(stage, "writer"), earn(stage, "reader")
    who = holder(stage)
    made = who.make("My year", first)
    answer = who.add(made, second)
    assert answer.status_code == 409
    assert "A collection can have 50 badges." in answer.text
    assert who.held(made) == [first]


def test_a_badge_is_added_once_and_taken_out_again(stage: Stage) -> None:
    badge = earn(stage, "writer")
    who = holder(stage)
    made = who.make("My year", badge)
    assert who.add(made, badge).status_code == 303
    assert who.held(made) == [badge]
    for _ in range(2):
        assert who.post(f"{HOME}/{made}/badges/{badge}/out").status_code == 303
    assert who.held(made) == []


def test_a_removed_collection_leads_to_nothing_and_the_badges_stay(stage: Stage) -> None:
    badge = earn(stage, "writer")
    who = holder(stage)
    made = who.make("My year", badge)
    unsure = who.post(f"{HOME}/{made}/removal")
    assert unsure.status_code == 422
    assert page_of(stage, made).status_code == 200
    assert who.post(f"{HOME}/{made}/removal", sure="yes").headers["location"] == HOME
    gone = page_of(stage, made)
    assert gone.status_code == 404
    assert "the person has removed the collection" in gone.text
    assert page_of(stage, f"{made}.pdf").status_code == 404
    assert anybody(stage, f"/credentials/{badge}").status_code == 200


@pytest.mark.parametrize("address", ["0" * 32, "x" * 1000, "%20", "é"])
def test_there_is_nothing_at_an_address_that_no_collection_has(stage: Stage, address: str) -> None:
    assert page_of(stage, address).status_code == 404


def test_who_is_not_signed_in_is_led_to_sign_in(stage: Stage) -> None:
    stage.client.cookies.clear()
    answer = stage.client.get(HOME, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/sign-in?onward={HOME}")


def test_a_form_from_elsewhere_changes_nothing(stage: Stage) -> None:
    who = holder(stage)
    made = who.make()
    assert who.client.post(f"{HOME}/{made}", data={"title": "Theirs", "form": "0" * 64}).status_code == 403
    assert "Theirs" not in who.client.get(HOME).text


def test_a_badge_of_somebody_who_is_erased_goes_and_a_collection_of_nothing_else_with_it(
    stage: Stage, client: TestClient
) -> None:
    lake = Stage.set_up(client, stage.runtime, "lake", name="Lake Readers")
    lake.member("m11", email="m11@river.example.org")
    here, there = earn(stage, "writer"), earn(lake, "reader")
    who = holder(stage)
    holder(lake)
    only, both = who.make("Planted words", here), who.make("Of both", here, there)
    stage.send("DELETE", "./members/m11")
    assert page_of(stage, only).status_code == 404
    assert who.held(both) == [there]
    with stage.runtime.database.read() as session:
        assert session.scalars(select(Collection.title)).all() == ["Of both"]
        assert session.scalars(select(CollectionBadge.credential_id)).all() == [there]


ACTS = ("get", "words", "add-own", "add-theirs", "up", "out", "removal")


@settings(max_examples=25, deadline=timedelta(minutes=1), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=st.lists(st.tuples(st.booleans(), st.sampled_from(ACTS)), min_size=1, max_size=6))
def test_nobody_sees_or_changes_what_another_person_put_together(stage: Stage, acts: list[tuple[bool, str]]) -> None:
    """Another person finds nothing of it, and has no badge of theirs in a collection of their own, whatever they try."""
    if not stage.awards():
        stage.member("m12", email="m12@river.example.org")
        earn(stage, "writer")
        stage.recorded("writer", "m12")
    badges = {each["member"]: each["credential"]["id"] for each in stage.awards()}
    mine, theirs = badges["m11"], badges["m12"]
    who, other = holder(stage), holder(stage, "m12@river.example.org", "m12")
    made, others = who.make("Mine alone", mine), other.make("Theirs", theirs)
    for own, act in acts:
        target = others if own else made
        badge = theirs if own else mine
        path = f"{HOME}/{target}"
        if act == "get":
            answer = other.client.get(path)
        elif act == "words":
            answer = words(other, target, title="Taken over")
        elif act == "add-own":
            answer = other.add(target, theirs)
        elif act == "add-theirs":
            answer = other.add(target, mine)
        elif act == "removal":
            answer = other.post(f"{path}/removal", sure="yes") if not own else other.client.get(path)
        else:
            answer = other.post(f"{path}/badges/{badge}/{act}")
        if not own or act == "add-theirs":
            assert answer.status_code == 404, act
        assert "Mine alone" not in answer.text
    assert who.held(made) == [mine]
    assert "Mine alone" in who.client.get(f"{HOME}/{made}").text
    assert mine not in other.held(others)
