"""Who can find a badge, as its recipient chooses."""

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient

from credentials.status import read_entry
from service.checking import check
from service.errors import ConflictError
from service.issuing.visibility import Visibility
from service.runtime.runtime import Runtime
from tests.worlds.acting import told
from tests.worlds.awarding import Stage, once
from tests.worlds.presenting import document_of, row_of, see
from tests.worlds.runtimes import desk_of

FORMS = ("", ".html", ".json", ".jwt", ".png", ".svg")


@once
def laid(stage: Stage) -> str:
    stage.achievement()
    stage.member("ana", email="ana@river.example.org")
    stage.share(1, "ana")
    stage.share(2, "ana")
    [award] = stage.awards(member="ana")
    credential_id: str = award["credential"]["id"]
    return credential_id


@pytest.fixture
def stage(client: TestClient, runtime: Runtime) -> Stage:
    return Stage.set_up(client, runtime)


@pytest.fixture
def badge(stage: Stage) -> str:
    return laid(stage)


def get(stage: Stage, badge: str, ending: str = ".html", **headers: str) -> Any:
    return stage.client.get(f"/credentials/{badge}{ending}", headers=headers)


def receipt_of(stage: Stage, badge: str) -> str:
    [url] = [each["id"] for each in document_of(stage.runtime, badge)["evidence"] if each["genre"] == "receipt"]
    return str(url)


@pytest.mark.parametrize("ending", FORMS)
def test_a_private_badge_is_404_in_every_form_and_comes_back(stage: Stage, badge: str, ending: str) -> None:
    see(stage.runtime, badge, "private")
    assert get(stage, badge, ending).status_code == 404
    see(stage.runtime, badge, "unlisted")
    assert get(stage, badge, ending).status_code == 200


def test_so_is_the_receipt_of_its_decision_in_both_forms(stage: Stage, badge: str) -> None:
    url = receipt_of(stage, badge)
    assert stage.client.get(url).status_code == 200
    see(stage.runtime, badge, "private")
    for accept in ("application/json", "text/html"):
        assert stage.client.get(url, headers={"Accept": accept}).status_code == 404


def test_a_cached_copy_of_before_is_not_confirmed_any_more(stage: Stage, badge: str) -> None:
    for ending in (".json", ".html"):
        etag = get(stage, badge, ending).headers["ETag"]
        assert get(stage, badge, ending, **{"If-None-Match": etag}).status_code == 304
        see(stage.runtime, badge, "private")
        assert get(stage, badge, ending, **{"If-None-Match": etag}).status_code == 404
        see(stage.runtime, badge, "unlisted")


def test_its_status_is_published_all_the_same_and_copies_are_verified(stage: Stage, badge: str) -> None:
    given = row_of(stage.runtime, badge).signed
    see(stage.runtime, badge, "private")
    checked = check.check(desk_of(stage.runtime), given)
    assert checked.report.verdict == "verified"
    assert {each.answer for each in checked.questions if each.name in {"evidence", "policy"}} == {"yes"}
    stage.send("POST", f"/v1/credentials/{badge}/revocation", {"reason": "Wrong member."})
    entry = json.loads(given)["credentialStatus"]
    assert read_entry(entry, stage.client.get(entry["statusListCredential"]).json()) == 1


@pytest.mark.parametrize(("who", "listed"), [("public", True), ("unlisted", False)])
@pytest.mark.parametrize("ending", FORMS)
def test_search_engines_may_list_what_is_public_and_nothing_else(
    stage: Stage, badge: str, who: Visibility, listed: bool, ending: str
) -> None:
    see(stage.runtime, badge, who)
    answer = get(stage, badge, ending)
    assert answer.headers.get("X-Robots-Tag") == (None if listed else "noindex")


def test_the_network_sees_the_choice_and_is_told_of_a_change_once(stage: Stage, badge: str) -> None:
    assert stage.send("GET", f"/v1/credentials/{badge}")["visibility"] == "unlisted"
    for _ in range(2):
        see(stage.runtime, badge, "public")
    assert stage.send("GET", f"/v1/credentials/{badge}")["visibility"] == "public"
    assert told(stage.runtime, "river").count("credential.visibility-changed") == 1


def test_no_operation_of_the_network_changes_the_choice(stage: Stage, badge: str) -> None:
    see(stage.runtime, badge, "private")
    for method in ("PUT", "PATCH", "POST"):
        answer = stage.call(method, f"/v1/credentials/{badge}", json={"visibility": "public"})
        assert answer.status_code == 405, method
    stage.send("POST", f"/v1/credentials/{badge}/suspension", {"reason": "R."})
    stage.send("POST", f"/v1/credentials/{badge}/reinstatement")
    assert stage.send("GET", f"/v1/credentials/{badge}")["visibility"] == "private"


@pytest.mark.parametrize("role", ["student", "minor"])
def test_badges_of_children_and_students_are_never_public(stage: Stage, badge: str, role: str) -> None:
    stage.member("ana", email="ana@river.example.org", roles=[role])
    with pytest.raises(ConflictError) as caught:
        see(stage.runtime, badge, "public")
    assert caught.value.code == "visibility-protected"
    see(stage.runtime, badge, "private")
    see(stage.runtime, badge, "unlisted")


def test_who_becomes_a_student_later_is_listed_no_more(stage: Stage, badge: str) -> None:
    see(stage.runtime, badge, "public")
    stage.member("ana", email="ana@river.example.org", roles=["student"])
    assert get(stage, badge).headers["X-Robots-Tag"] == "noindex"


def test_who_is_a_student_as_another_member_is_one_here_too(stage: Stage, badge: str) -> None:
    stage.member("ana-again", email="ana@river.example.org", roles=["student"])
    with pytest.raises(ConflictError):
        see(stage.runtime, badge, "public")


def test_a_badge_that_was_replaced_is_hidden_with_the_one_in_its_place(stage: Stage, badge: str) -> None:
    made = stage.send("POST", f"/v1/credentials/{badge}/replacement", {"reason": "R."})["id"]
    assert get(stage, badge).status_code == 200
    url = receipt_of(stage, made)
    see(stage.runtime, made, "private")
    assert (get(stage, badge).status_code, get(stage, made).status_code) == (404, 404)
    assert stage.client.get(url).status_code == 404
