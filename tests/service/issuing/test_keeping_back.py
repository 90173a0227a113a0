"""Who has become a child or a student: no name of theirs is left in any picture, preview, page or new file, and nothing is public."""

import io
from typing import Any
from zipfile import ZipFile

import pytest
from fastapi.testclient import TestClient

from service.checking import verification
from service.issuing import keeping_back
from service.runtime.runtime import Runtime
from tests.worlds.awarding import Stage
from tests.worlds.collecting import Collector, anybody, authority_link, earn, holder
from tests.worlds.presenting import present, row_of, see
from tests.worlds.runtimes import Clock

NAME = "Young Person"
FORMS = ("", ".json", ".jwt", ".png", ".svg", ".pdf", ".zip", ".bundle", ".html", "/share", "/card", "/qr.svg")


@pytest.fixture
def stage(runtime: Runtime, client: TestClient) -> Stage:
    stage = Stage.set_up(client, runtime)
    stage.member("m11", email="m11@river.example.org")
    return stage


@pytest.fixture
def badge(stage: Stage) -> str:
    """A public badge that bears a name in clear."""
    found = earn(stage, "writer")
    present(stage.runtime, found, name_shown="plain", name=NAME)
    see(stage.runtime, found, "public")
    return found


def become(stage: Stage, *roles: Any) -> None:
    stage.member("m11", email="m11@river.example.org", roles=list(roles))


def inside(content: bytes, kind: str) -> bytes:
    """Return what stands in a file, and in the files within it."""
    if kind != "application/zip":
        return content
    with ZipFile(io.BytesIO(content)) as archive:
        return b"".join(archive.read(name) for name in archive.namelist())


@pytest.mark.parametrize("role", ["student", "minor"])
def test_no_form_of_the_badge_bears_the_name_or_is_listed(stage: Stage, badge: str, role: str) -> None:
    assert NAME in stage.client.get(f"/credentials/{badge}.json").text
    become(stage, role)
    assert keeping_back.set_right(stage.runtime) == 1
    for form in FORMS:
        answer = stage.client.get(f"/credentials/{badge}{form}", headers={"Accept": "text/html"})
        assert answer.status_code == 200, form
        assert NAME.encode() not in inside(answer.content, answer.headers["content-type"]), form
        assert answer.headers.get("x-robots-tag", "noindex") == "noindex"
    embedded = stage.client.get("/oembed", params={"url": f"http://localhost:8000/credentials/{badge}"})
    assert NAME not in embedded.text
    row = row_of(stage.runtime, badge)
    assert (row.visibility, row.name_shown) == ("unlisted", "none")
    assert verification.verify_received(stage.runtime, row.signed.encode()).verdict == "verified"
    assert keeping_back.set_right(stage.runtime) == 0


def test_a_role_that_begins_later_takes_effect_then(stage: Stage, badge: str, clock: Clock) -> None:
    become(stage, {"role": "student", "from": "2026-03-10T00:00:00Z"})
    assert keeping_back.set_right(stage.runtime) == 0
    clock.advance(days=9)
    assert keeping_back.set_right(stage.runtime) == 1
    assert row_of(stage.runtime, badge).name_shown == "none"


def test_the_badges_of_all_others_stay_as_they_chose(stage: Stage, badge: str) -> None:
    stage.member("m12", email="m12@river.example.org", roles=["student"])
    become(stage, "teacher")
    assert keeping_back.set_right(stage.runtime) == 0
    assert (row_of(stage.runtime, badge).visibility, row_of(stage.runtime, badge).name_shown) == ("public", "plain")


def test_a_second_ref_of_the_person_with_such_a_role_counts(stage: Stage, badge: str) -> None:
    stage.member("m11-at-school", email="m11@river.example.org", roles=["student"])
    assert keeping_back.set_right(stage.runtime) == 1
    assert NAME not in row_of(stage.runtime, badge).signed


def test_a_revoked_badge_loses_the_name_and_stays_revoked(stage: Stage, badge: str) -> None:
    stage.send("POST", f"/v1/credentials/{badge}/revocation", {"reason": "Made in error."})
    become(stage, "student")
    assert keeping_back.set_right(stage.runtime) == 1
    row = row_of(stage.runtime, badge)
    assert NAME not in row.signed
    assert row.revoked_at is not None


def test_a_link_for_an_authority_that_was_made_before_leads_to_nothing(stage: Stage, badge: str) -> None:
    who: Collector = holder(stage)
    path = authority_link(who, badge=badge, name=NAME)
    assert NAME in stage.client.post(path).text
    become(stage, "student")
    answer = stage.client.post(path)
    assert answer.status_code in {404, 410}
    assert NAME not in answer.text
    assert anybody(stage, path).status_code in {404, 410}
