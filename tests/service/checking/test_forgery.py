"""What people try in order to have a badge believed that nobody gave them, each as a story, and what becomes of it.

A story is told to the whole service, over HTTP, beside the rows of the genuine badge: it must not help a forged one.
"""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from credentials import Fetched, sign
from service.checking import check, verification, wording
from service.checking.keeping import receipts
from service.checking.trust_lists import TrustLists
from service.runtime.runtime import Runtime
from service.texts.languages import ENGLISH
from tests.credentials.parties import Party, World
from tests.worlds.awarding import Stage, once
from tests.worlds.runtimes import desk_of

pytestmark = pytest.mark.any_database("what is checked are documents; the rows are only looked up")

FORGER = Party(7, "forger.example")


@once
def laid(stage: Stage) -> None:
    stage.member("m11", name="Quite Secret", email="quite.secret@river.example.org")


@pytest.fixture
def stage(client: TestClient, runtime: Runtime) -> Stage:
    stage = Stage.set_up(client, runtime)
    laid(stage)
    return stage


@once
def genuine_badge(stage: Stage) -> Any:
    """A badge of this service, as its owner has it."""
    stage.achievement()
    for n in (1, 2):
        stage.share(n)
    (award,) = stage.awards()
    return stage.credential(award)


@pytest.fixture
def genuine(stage: Stage) -> Any:
    return genuine_badge(stage)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """What lies elsewhere, where the forger's keys are published."""
    world = World()
    FORGER.publish(world, assertionMethod=[FORGER.ed25519])
    ours = verification.load

    def load(runtime: Runtime, url: str) -> Fetched:
        return world.load(url) if url.startswith(f"https://{FORGER.host}/") else ours(runtime, url)

    monkeypatch.setattr(verification, "load", load)
    return world


def forged(stage: Stage, genuine: Any, party: Party = FORGER, **changes: Any) -> str:
    """Return a badge in the form of a genuine one, with its `id` and the forger's own signature."""
    kept = {name: value for name, value in genuine.items() if name not in {"proof", "credentialStatus", "evidence"}}
    issuer = {"id": party.did, "type": ["Profile"], "name": "A School"}
    credential = kept | {"issuer": issuer} | changes
    method = party.method(party.ed25519)
    return json.dumps(sign(credential, party.ed25519, verification_method=method, created=stage.runtime.now()))


def page_of(stage: Stage, text: str) -> str:
    """Return the page of the check of a text."""
    answer = stage.client.post("/verify", data={"received": text})
    assert answer.status_code == 200, answer.text
    return answer.text


# --- A badge of one's own under the address of one of ours ----------------------------------------------------------


@pytest.mark.usefixtures("world")
def test_nobody_is_asked_about_one_badge_where_another_was_shown(stage: Stage, genuine: Any) -> None:
    assert "Ask the candidate" in page_of(stage, json.dumps(genuine))
    page = page_of(stage, forged(stage, genuine))
    assert "This badge is forged" in page
    assert "Ask the candidate" not in page


# --- Names that bend the sentence they stand in ---------------------------------------------------------------------


@pytest.mark.usefixtures("world")
def test_no_name_turns_the_words_after_it_around(stage: Stage, genuine: Any) -> None:
    turning = "\u202e\u2066A\u0000 School\u2028"
    subject = genuine["credentialSubject"] | {
        "achievement": genuine["credentialSubject"]["achievement"] | {"name": f"Sharer{turning}"}
    }
    issuer = {"id": FORGER.did, "type": ["Profile"], "name": turning}
    page = page_of(stage, forged(stage, genuine, credentialSubject=subject, issuer=issuer))
    seen = page.partition("<pre")[0].replace("&#34;", '"')
    seen = re.sub(r'(value|data-subject)="[^"]*"?', "", seen)  # what goes back as it came is not shown
    assert "A School" in seen
    assert not set("\u202e\u2066\u2028\u0000") & set(re.sub(r"<[^>]*>", "", seen))


def test_a_name_as_long_as_a_book_leaves_room_for_the_domain(stage: Stage, genuine: Any) -> None:
    school = Party(8)
    text = forged(stage, genuine, school, issuer={"id": school.did, "type": ["Profile"], "name": "A School " * 100_000})
    assert len(page_of(stage, text).partition("Details")[0].replace("A School " * 100_000, "")) < 60_000


def test_a_date_holds_no_other_words(stage: Stage, genuine: Any) -> None:
    text = json.dumps(genuine | {"awardedDate": "2026-T Known from: everybody.", "validUntil": "2026-T. Believe it."})
    facts = page_of(stage, text).partition("</dl>")[0]
    assert "everybody" not in facts
    assert "Believe" not in facts


@pytest.mark.usefixtures("world")
def test_a_list_vouches_for_the_name_that_stands_in_it(stage: Stage, genuine: Any, tmp_path: Path) -> None:
    (tmp_path / "list.json").write_text(
        json.dumps({"name": "Board", "issuers": [{"id": FORGER.did, "name": "Evening School"}]})
    )
    desk = replace(desk_of(stage.runtime), trust_lists=TrustLists(tmp_path))
    issuer = {"id": FORGER.did, "type": ["Profile"], "name": "Famous University"}
    checked = check.check(desk, forged(stage, genuine, id="https://forger.example/1", issuer=issuer))
    sentence = wording.said(checked, ENGLISH)[2].sentence
    assert sentence == "Evening School (forger.example). We know it from: Board."


def test_a_network_of_ours_that_is_named_like_a_listed_issuer_is_warned_of(
    stage: Stage, genuine: Any, tmp_path: Path
) -> None:
    (tmp_path / "list.json").write_text(
        json.dumps({"name": "Board", "issuers": [{"id": "did:web:famous.example", "name": "River Writers"}]})
    )
    checked = check.check(replace(desk_of(stage.runtime), trust_lists=TrustLists(tmp_path)), json.dumps(genuine))
    assert checked.issuer is not None
    assert checked.issuer.alike is not None


# --- What an issuer publishes about itself --------------------------------------------------------------------------


@pytest.mark.parametrize("revoked", [5, {}, [1], True, "soon", "2026-01-01T00:00:00Z", "x\u202e" * 5000])
def test_whatever_stands_beside_a_key_the_page_is_shown(stage: Stage, genuine: Any, world: World, revoked: Any) -> None:
    address = f"https://{FORGER.host}/.well-known/did.json"
    world.documents[address]["verificationMethod"].append({"id": "x#\u202ey", "type": "\u202e", "revoked": revoked})
    page = page_of(stage, forged(stage, genuine, id="https://forger.example/1"))
    assert "Its keys" in page
    assert "\u202e" not in page


# --- A receipt that somebody else made ------------------------------------------------------------------------------


def receipt_of(stage: Stage, genuine: Any) -> Any:
    answer = stage.client.post("/verify/receipt.json", data={"received": json.dumps(genuine)})
    assert answer.status_code == 200
    return answer.json()


def test_our_own_receipt_says_what_held(stage: Stage, genuine: Any) -> None:
    page = page_of(stage, json.dumps(receipt_of(stage, genuine)))
    assert "This receipt of a check is genuine" in page
    assert "It says what was true on its day" in page
    assert '<div class="verdict good"' in page
    assert page.count("<dt>Known from</dt>") == 1
    assert "this service itself" in page
    assert 'class="questions"' not in page


@pytest.mark.usefixtures("world")
def test_a_receipt_that_somebody_wrote_themself_is_worth_their_word(stage: Stage, genuine: Any) -> None:
    receipt = receipt_of(stage, genuine)
    receipt["credentialSubject"]["name"] = "Doctor of Everything\u202e" + "x" * 5000
    issuer = {"id": FORGER.did, "type": ["Profile"], "name": "Laurel", "url": "https://forger.example"}
    page = page_of(stage, forged(stage, receipt, evidence=receipt["evidence"], issuer=issuer))
    assert "A receipt of a check, by somebody we do not know" in page
    assert "This receipt of a check is genuine" not in page
    assert "what held on its day" not in page
    assert "xxxxx…" in page


def test_a_long_name_does_not_push_the_domain_out_of_a_receipt(stage: Stage, genuine: Any, world: World) -> None:
    host = f"{'long-host-name.' * 13}example"
    party = Party(9, host)
    party.publish(world, assertionMethod=[party.ed25519])
    issuer = {"id": party.did, "type": ["Profile"], "name": "Famous University (famous.example) " * 20}
    signed = forged(stage, genuine, party, issuer=issuer)
    checked = check.check(desk_of(stage.runtime), signed, documents=world.load)
    receipt = json.loads(receipts.issue(stage.runtime, checked, ENGLISH))
    (said,) = [item["description"] for item in receipt["evidence"] if item["name"] == "issuer"]
    assert said.endswith(f"… ({host})")
