"""What the recipient of a badge chooses about it, and that nobody else does."""

import re
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from service.runtime.runtime import Runtime
from service.tables import CaseStep, Credential, Member
from tests.worlds.awarding import Stage
from tests.worlds.my_badges import (
    MINE,
    OTHER,
    browser_of,
    claimed,
    contested,
    done,
    earned,
    member_of,
    named,
    shown,
)
from tests.worlds.signing_in import FORM, send


@pytest.fixture
def stage(client: TestClient, runtime: Runtime) -> Stage:
    return Stage.set_up(client, runtime)


@pytest.fixture
def browser(runtime: Runtime, stage: Stage) -> Iterator[TestClient]:
    """The browser of somebody who is signed in; the stage is laid before, in an empty service."""
    assert stage.runtime is runtime
    with browser_of(runtime, MINE) as found:
        yield found


# --- Settings --------------------------------------------------------------------------------------------------------


def test_visibility_changes_what_strangers_find(browser: TestClient, client: TestClient, stage: Stage) -> None:
    claimed(stage)
    credential = earned(stage)
    page = f"/my-badges/{credential}"
    assert "See what they see" in shown(browser, page)
    done(send(browser, page, f"{page}/visibility", visibility="private"), page)
    assert client.get(f"/credentials/{credential}").status_code == 404
    assert "as if there were no badge" in shown(browser, page)
    done(send(browser, page, f"{page}/visibility", visibility="public"), page)
    assert client.get(f"/credentials/{credential}").status_code == 200


def shown_to_strangers(client: TestClient, credential: str) -> str:
    return client.get(f"/credentials/{credential}", headers={"Accept": "text/html"}).text


def test_the_name_of_the_account_is_put_on_a_badge_and_taken_off(
    browser: TestClient, client: TestClient, stage: Stage
) -> None:
    claimed(stage)
    credential = earned(stage)
    page = f"/my-badges/{credential}"
    answer = send(browser, page, f"{page}/name", name="plain")
    assert (answer.status_code, "First add your name in your account." in answer.text) == (422, True)
    named(stage.runtime, "Member Eleven")
    done(send(browser, page, f"{page}/name", name="plain"), page)
    assert "Member Eleven" in client.get(f"/credentials/{credential}.json").text
    assert "<bdi>Member Eleven</bdi>" in shown_to_strangers(client, credential)
    done(send(browser, page, f"{page}/name", name="hashed"), page)
    assert "Member Eleven" not in client.get(f"/credentials/{credential}.json").text
    assert "The badge does not show their name." in shown_to_strangers(client, credential)
    done(send(browser, page, f"{page}/name", name="none"), page)


def test_a_private_badge_is_still_downloaded_by_the_one_whose_it_is(
    browser: TestClient, client: TestClient, stage: Stage
) -> None:
    claimed(stage)
    credential = earned(stage)
    page = f"/my-badges/{credential}"
    public = client.get(f"/credentials/{credential}.json")
    done(send(browser, page, f"{page}/visibility", visibility="private"), page)
    for form, kind in (
        ("json", "application/vc+ld+json"),
        ("jwt", "text/plain"),
        ("png", "image/png"),
        ("svg", "image/svg"),
    ):
        answer = browser.get(f"{page}/file.{form}")
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
        assert answer.headers["content-type"].startswith(kind)
        assert answer.headers["content-disposition"].startswith("attachment")
    assert browser.get(f"{page}/file.json").content == public.content
    with browser_of(stage.runtime, OTHER) as theirs:
        assert theirs.get(f"{page}/file.json").status_code == 404


def test_evidence_that_is_hidden_leaves_the_page_and_new_files(
    browser: TestClient, client: TestClient, stage: Stage
) -> None:
    claimed(stage)
    credential = earned(stage)
    page = f"/my-badges/{credential}"
    names = re.findall(r'name="hide-([^"]+)"', shown(browser, page))
    assert names
    done(send(browser, page, f"{page}/evidence", **{f"hide-{names[0]}": "yes"}), page)
    assert f"#{names[0]}" not in client.get(f"/credentials/{credential}.json").text
    done(send(browser, page, f"{page}/evidence"), page)
    assert f"#{names[0]}" in client.get(f"/credentials/{credential}.json").text


def test_a_badge_is_declined_only_by_who_knows_that_it_cannot_be_undone(browser: TestClient, stage: Stage) -> None:
    claimed(stage)
    credential = earned(stage)
    page = f"/my-badges/{credential}"
    assert send(browser, page, f"{page}/declining").status_code == 422
    assert "You cannot undo this." in shown(browser, page)
    done(send(browser, page, f"{page}/declining", sure="yes"), page)
    assert "You declined this badge on 2 March 2026." in shown(browser, page)
    assert "Declined by you" in shown(browser, "/my-badges")


def test_children_and_students_are_offered_neither_public_nor_a_plain_name(browser: TestClient, stage: Stage) -> None:
    claimed(stage, roles=["student"])
    credential = earned(stage)
    named(stage.runtime, "Member Eleven")
    page = f"/my-badges/{credential}"
    text = shown(browser, page)
    assert 'value="public"' not in text
    assert 'value="plain"' not in text
    assert send(browser, page, f"{page}/visibility", visibility="public").status_code == 409
    assert send(browser, page, f"{page}/name", name="plain").status_code == 409


def test_a_form_without_the_secret_of_the_sign_in_changes_nothing(browser: TestClient, stage: Stage) -> None:
    claimed(stage)
    credential = earned(stage)
    assert browser.post(f"/my-badges/{credential}/declining", data={"sure": "yes"}).status_code == 403
    with stage.runtime.database.read() as session:
        assert session.get_one(Credential, credential).revoked_at is None


# --- Nobody else -----------------------------------------------------------------------------------------------------


def test_nothing_of_another_account_can_be_seen_or_changed(browser: TestClient, stage: Stage) -> None:
    claimed(stage)
    claimed(stage, "m12", OTHER)
    credential = earned(stage, "m12")
    stage.achievement("other", name="Other", rule={"rule": "count", "where": {"types": ["authored"]}, "gte": 2})
    theirs, member = browser_of(stage.runtime, OTHER), member_of(stage.runtime, "m12")
    where = contested(theirs, stage, "m12", achievement="other")
    of_member = f"/my-badges/members/{member}"
    gets = [
        f"/my-badges/{credential}",
        where,
        *(f"{of_member}/{of}" for of in ("progress", "records", "appeal?achievement=other")),
    ]
    posts = [f"/my-badges/{credential}/{of}" for of in ("visibility", "name", "evidence", "declining")]
    posts += [f"{where}/{of}" for of in ("statements", "escalation", "withdrawal")]
    posts += [f"{of_member}/appeal", f"{of_member}/giving-back", f"/my-badges/claims/{member}"]
    for path in gets:
        assert theirs.get(path).status_code == 200, path
        assert browser.get(path).status_code == 404, path
    said = {"visibility": "private", "name": "hashed", "sure": "yes", "statement": "x", "achievement": "other"}
    for path in posts:
        assert send(browser, "/my-badges", path, **said).status_code == 404, path
    with stage.runtime.database.read() as session:
        row = session.get_one(Credential, credential)
        assert (row.visibility, row.revoked_at, row.name_shown) == ("unlisted", None, "none")
        assert len(session.scalars(select(CaseStep)).all()) == 1


def test_whoever_tries_what_in_whatever_order_each_account_reaches_its_own_only(
    browser: TestClient, stage: Stage
) -> None:
    claimed(stage)
    claimed(stage, "m12", OTHER)
    badges = {MINE: earned(stage), OTHER: earned(stage, "m12")}
    members = {MINE: member_of(stage.runtime, "m11"), OTHER: member_of(stage.runtime, "m12")}
    browsers = {MINE: browser, OTHER: browser_of(stage.runtime, OTHER)}
    secrets = {who: FORM.findall(browsers[who].get("/my-badges").text)[0] for who in browsers}
    choices = st.sampled_from(["public", "unlisted", "private"])
    people = st.sampled_from([MINE, OTHER])

    @settings(max_examples=10)
    @given(st.lists(st.tuples(people, people, choices), min_size=1, max_size=6))
    def attempt(tries: list[tuple[str, str, str]]) -> None:
        for who, whose, visibility in tries:
            before = visibilities(stage, badges)
            path = f"/my-badges/{badges[whose]}/visibility"
            answer = browsers[who].post(path, data={"form": secrets[who], "visibility": visibility})
            assert answer.status_code == (303 if who == whose else 404)
            assert visibilities(stage, badges) == before | ({whose: visibility} if who == whose else {})
            for of in ("progress", "records", f"appeal?credential={badges[whose]}"):
                seen = browsers[who].get(f"/my-badges/members/{members[whose]}/{of}")
                assert seen.status_code == (200 if who == whose else 404)
            assert badges[whose] in browsers[whose].get("/my-badges").text
            assert (badges[whose] in browsers[who].get("/my-badges").text) is (who == whose)

    attempt()


def visibilities(stage: Stage, badges: dict[str, str]) -> dict[str, str]:
    with stage.runtime.database.read() as session:
        return {who: session.get_one(Credential, each).visibility for who, each in badges.items()}


def test_what_is_known_of_an_erased_member_is_not_shown(browser: TestClient, stage: Stage) -> None:
    claimed(stage)
    member = member_of(stage.runtime, "m11")
    assert browser.get(f"/my-badges/members/{member}/records").status_code == 200
    with stage.runtime.database.write() as session:
        session.execute(update(Member).values(erased_at=stage.runtime.now()))
    assert browser.get(f"/my-badges/members/{member}/records").status_code == 404
