"""What a check says to a person of a badge that was issued here: what our rows add to its documents.

These tests stand on rows: only they know our networks, suspensions, the bodies that were sealed and every text that was
ever signed. What is said without them is in `test_check.py`.
"""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from credentials import Fetched, UnavailableError
from service.accounts import accounts
from service.checking import check as checking
from service.checking import verification, wording
from service.checking.check import Checked
from service.checking.keeping import receipts
from service.checking.questions import Question
from service.checking.tones import TONES
from service.runtime.runtime import Runtime
from service.storage import restores
from service.tables import Credential, Identity, RecordBody
from service.texts.languages import ENGLISH
from tests.credentials.parties import Party
from tests.service.checking import test_check, test_older
from tests.service.checking.test_check import PERSON, Others, answer, has_its_words
from tests.worlds import forging
from tests.worlds.acting import actor
from tests.worlds.awarding import Stage, once
from tests.worlds.forging import Thief
from tests.worlds.runtimes import desk_of
from tests.worlds.signing_in import claim

pytestmark = pytest.mark.any_database("the rows are only looked up, on every database alike")


EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


@once
def laid(stage: Stage) -> None:
    stage.member("m11", name="Quite Secret", email=PERSON)


@pytest.fixture
def stage(client: TestClient, runtime: Runtime) -> Stage:
    stage = Stage.set_up(client, runtime)
    laid(stage)
    return stage


@once
def award(stage: Stage) -> Any:
    stage.achievement()
    for n in (1, 2):
        stage.share(n)
    (made,) = stage.awards()
    return made


def badge(stage: Stage) -> Any:
    return stage.credential(award(stage))


def check(stage: Stage, credential: Any, recipient: str | None = None, **more: Any) -> Checked:
    text = credential if isinstance(credential, str) else json.dumps(credential)
    return checking.check(more.pop("desk", desk_of(stage.runtime)), text, recipient, **more)


# --- One badge of every headline that needs rows ---------------------------------------------------------------------


def suspended(stage: Stage) -> Checked:
    made = award(stage)
    stage.send("POST", f"/v1/credentials/{made['credential']['id']}/suspension", {"reason": "A mistake."})
    return check(stage, stage.credential(made))


def sandbox(stage: Stage) -> Checked:
    other = Stage.set_up(stage.client, stage.runtime, slug="trying", sandbox=True)
    other.member("m11", email=PERSON)
    return check(other, badge(other))


def evidence_changed(stage: Stage) -> Checked:
    made = award(stage)
    with stage.runtime.database.write() as session:
        for row in session.scalars(select(RecordBody)):
            row.body = row.body | {"resource": "another"}
    return check(stage, stage.credential(made))


def newer_copy(stage: Stage) -> Checked:
    made = award(stage)
    text = stage.credential(made)
    stage.runtime.now.advance(days=1)  # type: ignore[attr-defined]
    forging.sign_anew(stage, made["credential"]["id"])
    return check(stage, text)


def forged(stage: Stage) -> Checked:
    return check(stage, Thief.of(stage).sign(badge(stage) | {"awardedDate": "2020-01-01T00:00:00Z"}))


def records_lost(stage: Stage) -> Checked:
    award(stage)
    with stage.runtime.database.write() as session:
        restores.note(session, stage.runtime.now() - timedelta(hours=1), stage.runtime.now())
    stage.laid.clear()  # what was written besides must not be replaced
    return forged(stage)


def replaced(stage: Stage) -> Checked:
    made = award(stage)
    text = stage.credential(made)
    stage.member("m11", name="Another Name", email=PERSON)
    stage.runtime.now.advance(days=1)  # type: ignore[attr-defined]
    stage.send("POST", f"/v1/credentials/{made['credential']['id']}/replacement", {"reason": "A new name."})
    return check(stage, text)


EXAMPLES: dict[str, Callable[[Stage], Checked]] = {
    "genuine": lambda stage: check(stage, badge(stage)),
    "genuine-newer-copy": newer_copy,
    "genuine-recipient-open": lambda stage: check(stage, badge(stage), "did:example:somebody"),
    "test": sandbox,
    "evidence-changed": evidence_changed,
    "replaced": replaced,
    "suspended": suspended,
    "forged": forged,
    "records-lost": records_lost,
}


PAGES = {"issuer-description", "achievement-description", "decision-record"}


def test_every_headline_has_an_example() -> None:
    older = {headline for headline, _ in test_older.EXAMPLES.values()}
    assert EXAMPLES.keys() | test_check.EXAMPLES.keys() | older | PAGES == TONES.keys()


@pytest.mark.parametrize("headline", EXAMPLES)
def test_every_headline_that_needs_rows_is_what_some_badge_comes_to(stage: Stage, headline: str) -> None:
    checked = EXAMPLES[headline](stage)
    assert (checked.headline, checked.tone) == (headline, TONES[headline])
    has_its_words(checked)


def test_only_a_verified_badge_of_a_known_issuer_is_green(stage: Stage) -> None:
    for headline, make in EXAMPLES.items():
        if TONES[headline] == "good":
            checked = make(stage)
            assert checked.report.verdict == "verified"
            assert answer(checked, "issuer")[0] == "yes"


def test_five_yes_are_the_common_case(stage: Stage) -> None:
    checked = check(stage, badge(stage), PERSON.upper())
    assert {each.answer for each in checked.questions} == {"yes"}
    assert wording.headline(checked, ENGLISH)[1].endswith("issued to the person you named.")


def test_a_replaced_badge_leads_to_the_new_one(stage: Stage) -> None:
    checked = replaced(stage)
    old = checked.report.readable["id"]
    assert checked.newer not in {"", old}
    assert check(stage, stage.client.get(checked.newer + ".json").text).headline == "genuine"
    assert checked.to_json()["newer"] == checked.newer


def test_a_replacement_that_its_person_keeps_private_is_not_told(stage: Stage) -> None:
    checked = replaced(stage)
    with stage.runtime.database.write() as session:
        row = session.get_one(Credential, checked.newer.rpartition("/")[2])
        row.visibility = "private"
    again = check(stage, checked.received.decode())
    assert (again.headline, again.newer) == ("replaced", "")


def test_a_reinstated_badge_shows_no_trace_of_its_suspension(stage: Stage) -> None:
    made = award(stage)
    text, before = stage.client.get(made["credential"]["url"] + ".json").text, check(stage, badge(stage))
    path = f"/v1/credentials/{made['credential']['id']}"
    stage.send("POST", f"{path}/suspension", {"reason": "A doubt that was wrong."})
    stage.send("POST", f"{path}/reinstatement")
    after = check(stage, text)
    assert after.to_json() == before.to_json()
    told = [after.to_json(), json.loads(receipts.issue(stage.runtime, after, ENGLISH))]
    listed = stage.client.get(badge(stage)["credentialStatus"]["statusListCredential"]).json()
    assert not re.search("suspen|reinstat|doubt", json.dumps([*told, listed.get("description", "")]))


# --- Whose it is ----------------------------------------------------------------------------------------------------


def proved(stage: Stage, address: str, *, kind: str = "email", at: datetime | None = EPOCH) -> None:
    with stage.runtime.database.write() as session:
        person = session.scalars(select(Identity.person_id).where(Identity.value == PERSON)).one()
        session.add(Identity(person_id=person, kind=kind, value=address, proved_at=at))
    stage.laid.clear()


def test_another_address_that_the_person_has_proved_is_theirs(stage: Stage) -> None:
    text = badge(stage)
    proved(stage, "new@home.example")
    checked = check(stage, text, "New@Home.example")
    assert (checked.headline, checked.report.verdict, checked.outcome("recipient")) == ("genuine", "verified", "passed")


def test_every_address_of_the_account_with_which_a_badge_was_claimed_is_theirs(stage: Stage) -> None:
    text = badge(stage)
    claim(stage.runtime, "river", "m11", PERSON)
    with stage.runtime.database.write() as session:
        account = accounts.with_address(session, PERSON, stage.runtime.now())
        accounts.with_address(session, "kept@home.example", stage.runtime.now(), into=account)
    assert check(stage, text, "kept@home.example").headline == "genuine"
    assert check(stage, text, "else@home.example").headline == "not-theirs"


def test_an_address_that_only_a_network_claims_is_not_compared(stage: Stage) -> None:
    text = badge(stage)
    proved(stage, "claimed@home.example", at=None)
    assert check(stage, text, "claimed@home.example").headline == "not-theirs"


def test_a_private_badge_is_compared_only_with_what_it_says(stage: Stage) -> None:
    text = badge(stage)
    proved(stage, "new@home.example")
    with stage.runtime.database.write() as session:
        session.scalars(select(Credential)).one().visibility = "private"
    assert check(stage, text, "new@home.example").headline == "not-theirs"


def test_a_badge_without_a_good_signature_tells_no_address(stage: Stage) -> None:
    text = badge(stage) | {"name": "Another"}
    proved(stage, "new@home.example")
    assert check(stage, text, "new@home.example").outcome("recipient") != "passed"


def test_a_practice_badge_is_told_as_one_also_to_somebody_else(stage: Stage) -> None:
    other = Stage.set_up(stage.client, stage.runtime, slug="trying", sandbox=True)
    other.member("m11", email=PERSON)
    assert check(other, badge(other), "else@river.example.org").headline == "test"


def test_a_name_is_told_that_only_an_address_can_be_compared(stage: Stage) -> None:
    checked = check(stage, badge(stage), "Quite Secret")
    assert checked.comparable == {"email"}
    assert wording.headline(checked, ENGLISH)[1] == "This badge can only be compared with an email address."


# --- What is no badge -----------------------------------------------------------------------------------------------


def test_a_page_of_this_service_is_called_what_it_is(stage: Stage) -> None:
    made = award(stage)
    pages = {
        f"{stage.runtime.settings.base_url}/networks/river": "issuer-description",
        f"{stage.runtime.settings.base_url}/networks/river/did.json": "issuer-description",
        badge(stage)["credentialSubject"]["achievement"]["id"]: "achievement-description",
        badge(stage)["credentialSubject"]["achievement"]["id"] + "/definition.json": "achievement-description",
        made["receipt"]: "decision-record",
    }
    for url, headline in pages.items():
        checked = checking.check_address(desk_of(stage.runtime), url)
        assert (checked.headline, checked.tone) == (headline, "unsure")
        has_its_words(checked)


# --- Who issued it --------------------------------------------------------------------------------------------------


def test_the_networks_of_this_service_are_known_unless_the_operator_says_otherwise(stage: Stage) -> None:
    doubtful = stage.runtime.settings.model_copy(update={"trust_own_networks": False})
    checked = check(stage, badge(stage), desk=desk_of(replace(stage.runtime, settings=doubtful)))
    assert (checked.headline, answer(checked, "issuer")) == (
        "genuine-unlisted",
        ("could-not-check", "issuer-unconfirmed"),
    )
    assert checked.issuer is not None
    assert checked.issuer.page.endswith("/networks/river")


def test_a_network_that_nobody_confirmed_is_not_known(stage: Stage) -> None:
    text = badge(stage)
    actor(stage.runtime, stage.client).delete("/v1/networks/river/confirmation")
    checked = check(stage, text)
    assert (checked.headline, checked.tone) == ("genuine-unlisted", "unsure")
    assert answer(checked, "issuer") == ("could-not-check", "issuer-unconfirmed")
    assert "operator has not confirmed" in wording.headline(checked, ENGLISH)[1]
    assert [each.word for each in wording.said(checked, ENGLISH) if each.name == "issuer"] == ["No"]


def test_a_badge_keeps_a_name_that_was_confirmed_and_gains_none_that_was_not(stage: Stage) -> None:
    confirmed, admin = badge(stage), actor(stage.runtime, stage.client)
    admin.patch("/v1/networks/river", {"name": "Ministry of Education"})
    assert check(stage, confirmed).headline == "genuine-unlisted"
    stage.member("m12", email="m12@example.org")
    for n in (1, 2):
        stage.share(n, member="m12")
    feigned = stage.credential(next(each for each in stage.awards() if each["member"] == "m12"))
    admin.patch("/v1/networks/river", {"name": "River School"})
    admin.put("/v1/networks/river/confirmation", {"name": "River School"})
    assert check(stage, confirmed).headline == "genuine"
    assert check(stage, feigned).headline == "genuine-unlisted"


def named_like_ours(stage: Stage) -> Checked:
    party = Party(3)
    return check(stage, Others(party, issuer={"id": party.did, "type": ["Profile"], "name": "River Wríters"}).signed)


def test_a_foreign_issuer_that_bears_the_name_of_a_network_of_ours_is_warned_of(stage: Stage) -> None:
    checked = named_like_ours(stage)
    assert answer(checked, "issuer") == ("could-not-check", "issuer-alike")
    assert wording.headline(checked, ENGLISH)[1].startswith(
        "Careful: its issuer's name is almost the same as River Writers"
    )


def test_a_network_that_nobody_confirmed_casts_no_doubt_on_others(stage: Stage) -> None:
    actor(stage.runtime, stage.client).delete("/v1/networks/river/confirmation")
    assert answer(named_like_ours(stage), "issuer") == ("could-not-check", "issuer-without-domain")


def test_a_network_shows_its_keys_and_since_when(stage: Stage) -> None:
    checked = check(stage, badge(stage))
    assert checked.issuer is not None
    assert checked.issuer.since == stage.runtime.now()
    assert [key.kind for key in checked.issuer.keys] == ["Ed25519", "P-256"]
    assert checked.issuer.domain == "localhost:8000"


def test_a_copy_in_the_name_of_a_known_issuer_learns_nothing_of_it(stage: Stage) -> None:
    credential = badge(stage)
    credential["credentialSubject"]["achievement"]["name"] = "Doctor of Everything"
    checked = check(stage, credential)
    assert checked.headline == "changed"
    assert checked.issuer is not None
    assert (checked.issuer.listings, checked.issuer.keys, checked.issuer.page) == ((), (), "")


# --- The network is cut at each step --------------------------------------------------------------------------------


def test_with_the_network_cut_at_any_step_it_is_never_green(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    credential = badge(stage)
    asked: list[str] = []
    whole = verification.load

    def counting(runtime: Runtime, url: str) -> Fetched:
        asked.append(url)
        return whole(runtime, url)

    monkeypatch.setattr(verification, "load", counting)
    assert check(stage, credential).tone == "good"
    steps = list(dict.fromkeys(asked))
    assert len(steps) >= 2
    for step in steps:

        def cut(runtime: Runtime, url: str, step: str = step) -> Fetched:
            if url == step:
                raise UnavailableError("fetch-timeout", f"{url} did not answer within 10 s.")
            return whole(runtime, url)

        monkeypatch.setattr(verification, "load", cut)
        checked = check(stage, credential)
        assert checked.tone != "good", step
        assert "could-not-check" in {each.answer for each in checked.questions}, step


def test_a_report_for_programs_has_all_of_it(stage: Stage) -> None:
    said = check(stage, badge(stage)).to_json()
    assert said["verdict"] == "verified"
    assert (said["headline"], said["tone"], said["checked_at"]) == ("genuine", "good", "2026-03-02T12:00:00Z")
    assert said["questions"][0] == Question("authentic", "yes", "unchanged").to_json()
    assert said["issuer"]["domain"] == "localhost:8000"
