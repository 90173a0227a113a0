"""What a check says to a person of a badge that was issued here: what our rows add to its documents.

These tests stand on rows: only they know our networks, suspensions, the bodies that were sealed and every text that was
ever signed. What is said without them is in `test_check.py`.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from credentials import Fetched, UnavailableError
from service.checking import check as checking
from service.checking import verification, wording
from service.checking.check import TONES, Checked
from service.checking.questions import Question
from service.runtime.runtime import Runtime
from service.storage import restores
from service.tables import RecordBody
from service.texts.languages import ENGLISH
from tests.service.checking import test_check, test_older
from tests.service.checking.test_check import PERSON, answer, has_its_words
from tests.worlds import forging
from tests.worlds.awarding import Stage, once
from tests.worlds.forging import Thief
from tests.worlds.runtimes import desk_of

pytestmark = pytest.mark.any_database("the rows are only looked up, on every database alike")


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


EXAMPLES: dict[str, Callable[[Stage], Checked]] = {
    "genuine": lambda stage: check(stage, badge(stage)),
    "genuine-newer-copy": newer_copy,
    "genuine-recipient-open": lambda stage: check(stage, badge(stage), "did:example:somebody"),
    "test": sandbox,
    "evidence-changed": evidence_changed,
    "suspended": suspended,
    "forged": forged,
    "records-lost": records_lost,
}


def test_every_headline_has_an_example() -> None:
    older = {headline for headline, _ in test_older.EXAMPLES.values()}
    assert EXAMPLES.keys() | test_check.EXAMPLES.keys() | older == TONES.keys()


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
    assert wording.headline(checked, ENGLISH)[1].endswith("issued to whom you gave.")


# --- Who issued it --------------------------------------------------------------------------------------------------


def test_the_networks_of_this_service_are_known_unless_the_operator_says_otherwise(stage: Stage) -> None:
    doubtful = stage.runtime.settings.model_copy(update={"trust_own_networks": False})
    checked = check(stage, badge(stage), desk=desk_of(replace(stage.runtime, settings=doubtful)))
    assert (checked.headline, answer(checked, "issuer")) == ("genuine-unlisted", ("could-not-check", "issuer-unlisted"))
    assert checked.issuer is not None
    assert checked.issuer.page.endswith("/networks/river")


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
