"""Somebody takes everything about them, over all networks, in one file: what their pages show, and nobody's secrets."""

import io
import json
import re
from typing import Any
from zipfile import ZipFile

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from service.checking import verification
from service.console.own_data import archive
from service.console.own_data.archive import Archive
from service.console.own_data.tables import SECRET
from service.runtime.runtime import Runtime
from service.tables import Row
from service.web.file_names import file_name
from tests.worlds.awarding import Stage
from tests.worlds.collecting import Collector, authority_link, earn
from tests.worlds.my_badges import browser_of, shown
from tests.worlds.presenting import row_of, see
from tests.worlds.runtimes import Clock
from tests.worlds.signing_in import claim, mails_to, send

MINE, OTHER = "m11@river.example.org", "m12@river.example.org"
PAGE, FILE = "/account/data", "/account/data/file"
SAID, PRIVATE = "words about the work of m11", "words of m12 about m12"


@pytest.fixture
def river(runtime: Runtime, client: TestClient) -> Stage:
    stage = Stage.set_up(client, runtime)
    stage.member("m11", email=MINE, name="Number Eleven", roles=["student"])
    stage.member("m12", email=OTHER, name="Number Twelve", roles=["director"])
    stage.member("m13")
    return stage


@pytest.fixture
def hill(river: Stage) -> Stage:
    stage = Stage.set_up(river.client, river.runtime, "hill", name="../../etc/passwd")
    stage.member("h1", email=MINE)
    return stage


@pytest.fixture
def badges(river: Stage, hill: Stage) -> list[str]:
    """Two badges of one name in a network, one in another; work, feedback, an approval, an appeal, a collection, an opening."""
    made = [earn(river, "writer"), earn(river, "Writer"), earn(hill, "reader", "h1")]
    for stage, ref in ((river, "m11"), (hill, "h1")):
        claim(stage.runtime, stage.slug, ref, MINE)
    file = river.call("POST", "/v1/blobs", files={"file": ("a.txt", b"what I wrote", "text/plain")}).json()["sha256"]
    river.share(1, description="my own words", artifacts=[{"blob": file}])
    river.share(2, "m12", description=PRIVATE)
    river.send("POST", "./evaluations", judged("m12", "m11", SAID))
    river.send("POST", "./evaluations", judged("m11", "m12", "what m11 said of m12"))
    river.send("POST", "./evaluations", judged("m13", "m12", "others about m12"))
    river.send("POST", "./achievements", DEFINED)
    token = river.token_with("cases:write", member="m11")
    river.send("POST", "./cases", {"achievement": "unearned", "statement": "I was there."}, token=token)
    who = Collector.enter(river.client, river.runtime, MINE)
    who.make("My year", made[0])
    see(river.runtime, made[2], "private")
    answer = who.post("/my-badges/openings/new", badge=made[2], **{"for": "Lakeside School", "days": "7"})
    path = re.findall(r'value="http://[^"/]+(/opened/[^"]+)"', answer.text)[0]
    river.client.cookies.clear()
    river.client.post(path)
    mails_to(river.runtime, MINE)
    return made


DEFINED = {
    "ref": "unearned",
    "name": "Unearned",
    "description": "D.",
    "achievement_type": "Badge",
    "criteria": {"narrative": "N.", "rule": {"rule": "count", "gte": 500}},
    "award": "reviewed",
    "publish": True,
}


def judged(evaluator: str, about: str, words: str) -> dict[str, Any]:
    said = {"about": {"member": about}, "kind": "endorsement", "skill": "feedback", "statement": words}
    return said | {"evaluator": evaluator, "occurred_at": "2026-03-01T10:00:00Z"}


def exported(stage: Stage, address: str = MINE, **fields: str) -> dict[str, bytes]:
    """Return the files of a ZIP by their names."""
    answer = send(browser_of(stage.runtime, address), PAGE, FILE, **fields)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "application/zip"
    assert answer.headers["Cache-Control"] == "no-store"
    with ZipFile(io.BytesIO(answer.content)) as found:
        assert found.testzip() is None
        return {name: found.read(name) for name in found.namelist()}


def lines(content: bytes) -> list[Any]:
    return [json.loads(line) for line in content.splitlines()]


# --- What is in it --------------------------------------------------------------------------------------------------------


def test_each_network_is_a_folder_with_the_same_files_and_a_text_tells_what_is_where(
    river: Stage, badges: list[str]
) -> None:
    found = exported(river)
    folders = {name.partition("/")[0] for name in found if "/" in name}
    assert folders == {"account", "River-Writers", "etc-passwd"}
    told = found["Read me.txt"].decode()
    assert "everything that http://localhost:8000 and its networks hold about you, as of 2 March 2026" in told
    for name in found:
        inside = re.sub(r"^[^/]+/(badges/|receipts/|files/)?.*", r"\1", name) or name.rpartition("/")[2]
        assert inside in told or name == "Read me.txt"
    assert f"River-Writers/badges/{'Writer'}.json" in found
    assert f"River-Writers/badges/{'Writer-2'}.json" in found
    assert len(badges) == len([name for name in found if "/badges/" in name and name.endswith(".json")])


def test_the_signed_badges_in_it_verify(river: Stage, badges: list[str]) -> None:
    found = exported(river)
    signed = {content for name, content in found.items() if "/badges/" in name}
    for badge in badges:
        row = row_of(river.runtime, badge)
        assert {row.signed.encode(), row.jwt.encode()} <= signed
    for content in signed:
        assert verification.verify_received(river.runtime, content).verdict == "verified"


@pytest.mark.usefixtures("badges")
def test_evidence_is_as_it_was_sent_with_its_corrections_and_what_was_derived(river: Stage) -> None:
    first = river.send("GET", "./contributions/m11-share-1")["id"]
    changes = {"changes": {"description": "my better words"}, "reason": "a slip"}
    river.send("POST", f"./records/{first}/correction", changes)
    newest, before = lines(exported(river)["River-Writers/evidence.ndjson"])
    assert (newest["body"]["description"], before["body"]["description"]) == ("my better words", "my own words")
    assert (newest["state"], before["state"]) == ("counts", "corrected")
    assert (newest["corrects"], newest["reason_of_correction"]) == (before["id"], "a slip")
    assert before["derived"]["resource"] == "resource-1"
    assert before["ref"] == "m11-share-1"
    assert len(before["digest"]) == 64


@pytest.mark.usefixtures("badges")
def test_feedback_has_the_names_that_the_page_shows_and_ones_own_words_are_apart(river: Stage) -> None:
    found = exported(river)
    (received,) = lines(found["River-Writers/feedback.ndjson"])
    assert (received["body"]["statement"], received["evaluator"]) == (SAID, "Number Twelve")
    (given_,) = lines(found["River-Writers/said-by-you.ndjson"])
    assert given_["body"]["statement"] == "what m11 said of m12"


@pytest.mark.usefixtures("badges")
def test_decisions_cases_files_and_mails_are_in_it(river: Stage) -> None:
    found = exported(river)
    decided = json.loads(found["River-Writers/decisions.json"])
    assert [each["state"] for each in decided["awards"]] == ["awarded", "awarded"]
    cases = json.loads(found["River-Writers/cases.json"])
    assert [each["text"] for each in cases["case_texts"]] == ["I was there."]
    assert b"what I wrote" in [content for name, content in found.items() if "/files/" in name]
    assert [name for name in found if name.startswith("River-Writers/receipts/")]
    mails = json.loads(found["River-Writers/emails.json"])["messages"]
    assert {each["subject"] for each in mails} == {"A badge was awarded to you", "Something happened in an appeal"} & {
        each["subject"] for each in mails
    }
    assert all(each["sent_at"] for each in mails if each["state"] == "sent")
    (member,) = json.loads(found["River-Writers/about-you.json"])["members"]
    assert member["name"] == "Number Eleven"


@pytest.mark.usefixtures("badges")
def test_who_looked_at_what_was_opened_is_in_it_and_what_the_person_put_together(river: Stage) -> None:
    who = Collector.enter(river.client, river.runtime, MINE)
    with pytest.raises(AssertionError, match="no such links"):  # of a student
        authority_link(who, badge=json.loads(exported(river)["River-Writers/badges.json"])["credentials"][0]["id"])
    found = exported(river)
    looked = json.loads(found["account/who-looked.json"])
    assert [each["shown_to"] for each in looked["openings"]] == ["Lakeside School"]
    assert [each["viewed_at"] for each in looked["opening_views"]] == ["2026-03-02T12:00:00Z"]
    together = json.loads(found["account/collections.json"])
    assert (together["collections"][0]["title"], len(together["collection_badges"])) == ("My year", 1)
    account = json.loads(found["account/account.json"])
    assert [each["value"] for each in account["account_addresses"]] == [MINE]


@pytest.mark.usefixtures("badges")
def test_only_what_one_network_holds_is_given_if_that_is_wanted(river: Stage) -> None:
    browser = browser_of(river.runtime, MINE)
    numbers = dict(re.findall(r'dir="auto">([^<]+)</p>.*?name="network" value="([^"]+)"', shown(browser, PAGE)))
    found = exported(river, network=numbers["River Writers"])
    assert {name.partition("/")[0] for name in found} == {"River-Writers", "Read me.txt"}


# --- What is not in it ----------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("badges")
def test_no_secret_of_any_row_is_in_it_and_nothing_that_others_said_of_others(river: Stage) -> None:
    whole = b"".join(exported(river).values()).decode()
    secrets = []
    with river.runtime.database.read() as session:
        for table in Row.metadata.tables.values():
            if table.name in {"records", "networks", "achievement_versions", "receipts"}:
                continue  # the salts of one's own records are given, as with each record
            columns = [column for column in table.columns if SECRET.search(column.name)]
            found = session.execute(select(*columns)).all() if columns else []
            secrets += [value for row in found for value in row if value]
    assert len(secrets) > 3
    assert [each for each in secrets if str(each) in whole] == []
    for words in (PRIVATE, "others about m12", OTHER):
        assert words not in whole


def test_nothing_of_somebody_else_is_given(river: Stage, badges: list[str]) -> None:
    found = exported(river, OTHER)
    assert {name.partition("/")[0] for name in found} == {"account", "Read me.txt"}
    claim(river.runtime, "river", "m12", OTHER)
    whole = b"".join(exported(river, OTHER).values()).decode()
    assert not [each for each in (*badges, MINE, "my own words", "I was there.") if each in whole]


@pytest.mark.usefixtures("badges")
@pytest.mark.parametrize("network", ["00000000-0000-0000-0000-000000000000", "../etc", "hill"])
def test_a_network_that_is_none_of_ones_own_looks_as_if_there_were_none(river: Stage, network: str) -> None:
    answer = send(browser_of(river.runtime, OTHER), PAGE, FILE, network=network)
    assert (answer.status_code, "You are not in this network." in answer.text) == (404, True)


# --- Who may, and what can go wrong ---------------------------------------------------------------------------------------


@pytest.mark.usefixtures("badges")
def test_who_signed_in_long_ago_gets_nothing_before_they_sign_in_again(river: Stage, clock: Clock) -> None:
    browser = browser_of(river.runtime, MINE)
    form = re.findall(r'name="form" value="([0-9a-f]+)"', browser.get(PAGE).text)[0]
    clock.advance(hours=2)
    answer = browser.post(FILE, data={"form": form})
    assert (answer.status_code, answer.headers["location"][:20]) == (303, "/sign-in?again=yes&o")
    assert browser.get(FILE).status_code == 405


@pytest.mark.usefixtures("badges")
def test_a_form_of_another_site_gets_nothing(river: Stage) -> None:
    assert browser_of(river.runtime, MINE).post(FILE).status_code == 403


@pytest.mark.usefixtures("badges")
def test_more_than_a_file_may_hold_is_refused_and_nothing_of_it_stays(
    river: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {path for path in river.runtime.settings.data_folder.rglob("*") if path.is_file()}
    exported(river)
    monkeypatch.setattr(archive, "MAX_BYTES", 1000)
    answer = send(browser_of(river.runtime, MINE), PAGE, FILE)
    assert (answer.status_code, "Take the data of each network by itself." in answer.text) == (413, True)
    assert {path for path in river.runtime.settings.data_folder.rglob("*") if path.is_file()} == before


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(max_size=12), max_size=8))
def test_names_in_an_archive_are_distinct_on_every_system_and_lead_nowhere_else(clock: Clock, names: list[str]) -> None:
    spool = io.BytesIO()
    made = Archive(spool, clock.at)
    for name in names:
        made.add(made.free(f"folder/{file_name(name, 'json')}"), [b"{}"])
    made.close()
    with ZipFile(spool) as found:
        listed = [each.casefold() for each in found.namelist()]
    assert len(set(listed)) == len(listed) == len(names)
    assert all(re.fullmatch(r"folder/[\w-]+\.json", each) for each in listed)
