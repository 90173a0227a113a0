"""What names this service is compared with every text that was ever signed here, whatever key has signed it."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import event

from credentials.proofs.encodings import base64url_decode, base64url_encode
from service.checking import check as checking
from service.checking import wording
from service.checking.check import Checked
from service.checking.keeping import bundles
from service.issuing import signed_copies
from service.runtime.runtime import Runtime
from service.storage import restores
from service.tables import Credential
from service.texts.languages import ENGLISH
from service.vc_api import keys, vc_api
from tests.credentials.parties import V2, Party
from tests.worlds import forging
from tests.worlds.awarding import Stage, once
from tests.worlds.forging import Thief
from tests.worlds.runtimes import desk_of

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
NOBODY = "0" * 32
Change = Callable[[dict[str, Any]], dict[str, Any]]


@once
def laid(stage: Stage) -> Any:
    stage.achievement()
    stage.member("m11", name="Quite Secret", email="quite.secret@river.example.org")
    for n in (1, 2):
        stage.share(n)
    [award] = stage.awards()
    return award


@pytest.fixture
def stage(client: TestClient, runtime: Runtime) -> Stage:
    return Stage.set_up(client, runtime)


@pytest.fixture
def award(stage: Stage) -> Any:
    return laid(stage)


@pytest.fixture
def genuine(stage: Stage, award: Any) -> dict[str, Any]:
    found: dict[str, Any] = stage.credential(award)
    return found


def file_of(stage: Stage, award: Any, ending: str) -> bytes:
    answer = stage.client.get(f"{award['credential']['url']}.{ending}")
    assert answer.status_code == 200
    return answer.content


def check(stage: Stage, received: bytes | str | dict[str, Any], **more: Any) -> Checked:
    text = json.dumps(received) if isinstance(received, dict) else received
    return checking.check(desk_of(stage.runtime), text, **more)


def codes(checked: Checked) -> set[str]:
    return {finding.code for each in checked.report.checks for finding in each.findings}


# --- Forgeries -------------------------------------------------------------------------------------------------------


def renamed(document: dict[str, Any]) -> dict[str, Any]:
    subject = document["credentialSubject"]
    return document | {"credentialSubject": subject | {"achievement": subject["achievement"] | {"name": "Doctor"}}}


def given_to_another(document: dict[str, Any]) -> dict[str, Any]:
    return document | {"credentialSubject": document["credentialSubject"] | {"id": "did:example:thief"}}


def dated_otherwise(document: dict[str, Any]) -> dict[str, Any]:
    return document | {"awardedDate": "2020-01-01T00:00:00Z", "validFrom": "2026-03-01T00:00:00Z"}


def without_end(document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name != "credentialStatus"}


def of_unknown_id(document: dict[str, Any]) -> dict[str, Any]:
    return document | {"id": document["id"].rpartition("/")[0] + f"/{NOBODY}"}


def at_another_address_of_ours(document: dict[str, Any]) -> dict[str, Any]:
    return document | {"id": document["id"].replace("/credentials/", "/badges/")}


def of_an_id_elsewhere(document: dict[str, Any]) -> dict[str, Any]:
    return document | {"id": "urn:uuid:0b5a6d2e-7f4c-4a53-9a2b-2f5d5b1c9a10"}


def without_id(document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name != "id"}


CHANGES: list[Change] = [
    renamed,
    given_to_another,
    dated_otherwise,
    without_end,
    of_unknown_id,
    at_another_address_of_ours,
    of_an_id_elsewhere,
    without_id,
]


def of_another_issuer(document: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Return a badge like one of ours, signed by somebody else with a key of their own."""
    party = Party(3)
    said = {name: value for name, value in document.items() if name not in {"proof", "credentialStatus", "evidence"}}
    said |= {"id": "urn:uuid:1", "issuer": {"id": party.did, "type": ["Profile"], "name": "A School"}}
    return party.sign(said | changes)


def called_a_list(document: dict[str, Any]) -> dict[str, Any]:
    return document | {"type": ["VerifiableCredential", "BitstringStatusListCredential"]}


def is_told_as_forged(checked: Checked) -> None:
    assert (checked.headline, checked.tone, checked.report.verdict) == ("forged", "bad", "rejected")
    answers = {each.name: (each.answer, each.reason) for each in checked.questions}
    assert answers["authentic"] == ("no", "forged")
    assert answers["issuer"] == ("no", "never-signed-here")
    assert "never-signed-here" in codes(checked)


@pytest.mark.parametrize("change", CHANGES)
def test_a_text_that_was_never_signed_here_is_a_forgery_though_the_key_is_ours(
    stage: Stage, genuine: dict[str, Any], change: Change
) -> None:
    is_told_as_forged(check(stage, Thief.of(stage).sign(change(genuine))))


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.any_database("the same rows are asked")
def test_so_is_a_jwt(stage: Stage, genuine: dict[str, Any], change: Change) -> None:
    is_told_as_forged(check(stage, Thief.of(stage).sign_jwt(change(genuine))))


@pytest.mark.parametrize("place", ["/credentials/{credential}", "/credentials/{list}", "/status/{unknown}"])
@pytest.mark.any_database("the same rows are asked")
def test_so_is_what_calls_itself_a_status_list(stage: Stage, award: Any, genuine: dict[str, Any], place: str) -> None:
    """Older texts of lists are not kept, which leaves them open: not what is no list of ours."""
    listed = genuine["credentialStatus"]["statusListCredential"].rpartition("/")[2]
    there = place.format(credential=award["credential"]["id"], list=listed, unknown=str(UUID(int=7)))
    home = genuine["id"].partition("/credentials/")[0]
    checked = check(stage, Thief.of(stage).sign(called_a_list(genuine) | {"id": home + there}))
    assert (checked.tone, checked.report.verdict) == ("bad", "rejected")
    assert "never-signed-here" in codes(checked)


@pytest.mark.parametrize("ending", ["png", "svg"])
@pytest.mark.any_database("the same rows are asked")
def test_so_is_a_picture(stage: Stage, genuine: dict[str, Any], ending: str) -> None:
    is_told_as_forged(check(stage, Thief.of(stage).bake(renamed(genuine), ending)))


def test_a_forgery_with_a_retired_key_is_never_genuine(stage: Stage, genuine: dict[str, Any]) -> None:
    thief = Thief.of(stage)
    stage.runtime.now.advance(days=1)  # type: ignore[attr-defined]
    forging.rotate(stage)
    for text in (thief.sign(renamed(genuine)), thief.sign_jwt(renamed(genuine))):
        is_told_as_forged(check(stage, text))


def test_a_forgery_with_a_compromised_key_is_told_as_one(stage: Stage, genuine: dict[str, Any]) -> None:
    """Otherwise the sentence would be that its issuer may have a new copy of it."""
    thief = Thief.of(stage)
    forging.rotate(stage)
    forging.declare_compromised(stage)
    for text in (thief.sign(renamed(genuine)), thief.sign_jwt(renamed(genuine))):
        is_told_as_forged(check(stage, text))


def test_the_signature_of_one_badge_does_not_make_another_genuine(stage: Stage, genuine: dict[str, Any]) -> None:
    """A proof of a kind that is not known here is passed over, if another one holds."""
    forged = json.loads(Thief.of(stage).sign(renamed(genuine)))
    forged["proof"].append(genuine["proof"][0] | {"cryptosuite": "unheard-of-2030"})
    is_told_as_forged(check(stage, forged))


def test_another_issuer_cannot_use_the_address_of_a_badge_of_ours(stage: Stage, genuine: dict[str, Any]) -> None:
    is_told_as_forged(check(stage, of_another_issuer(genuine, id=genuine["id"])))


@pytest.mark.any_database("no row is asked")
def test_an_endorsement_that_names_us_is_a_forgery(stage: Stage, genuine: dict[str, Any]) -> None:
    endorsement = {
        "@context": genuine["@context"],
        "id": "https://peer.example/endorsements/1",
        "type": ["VerifiableCredential", "EndorsementCredential"],
        "name": "An endorsement",
        "issuer": genuine["issuer"],
        "validFrom": "2026-03-01T00:00:00Z",
        "credentialSubject": {"id": "urn:uuid:1", "type": ["EndorsementSubject"], "endorsementComment": "Good."},
    }
    forged = of_another_issuer(genuine, endorsement=[json.loads(Thief.of(stage).sign(endorsement))])
    checked = check(stage, forged)
    assert (checked.report.verdict, checked.tone) == ("rejected", "bad")
    assert "never-signed-here" in codes(checked)
    peer = Party(4)
    own = endorsement | {"issuer": {"id": peer.did, "type": ["Profile"], "name": "A peer"}}
    assert check(stage, of_another_issuer(genuine, endorsement=[peer.sign(own)])).report.verdict == "verified"


def test_one_network_cannot_sign_the_badge_of_another(stage: Stage, genuine: dict[str, Any]) -> None:
    hill = Stage.set_up(stage.client, stage.runtime, "hill")
    thief = Thief.of(hill)
    stolen = genuine | {"issuer": genuine["issuer"] | {"id": genuine["issuer"]["id"].replace(":river", ":hill")}}
    is_told_as_forged(check(stage, thief.sign(stolen)))


@pytest.mark.any_database("the same rows are asked")
def test_a_sandbox_and_a_closed_network_are_asked_like_any_other(client: TestClient, runtime: Runtime) -> None:
    stage = Stage.set_up(client, runtime, "beach", sandbox=True)
    document = stage.credential(laid(stage))
    assert check(stage, document).headline == "test"
    with runtime.database.write() as session:
        forging.network_of(session, stage).state = "closed"
    assert check(stage, document).headline == "test"
    is_told_as_forged(check(stage, Thief.of(stage).sign(renamed(document))))


# --- What is ours, in whatever form ----------------------------------------------------------------------------------


def spaced(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=4)


def in_another_order(document: dict[str, Any]) -> str:
    return json.dumps(dict(reversed(document.items())))


def with_escapes(document: dict[str, Any]) -> str:
    return json.dumps(document).replace("Sharer", "\\u0053harer")


def without_arrays_of_one(document: dict[str, Any]) -> str:
    """A wallet's copy: the same meaning, another document."""
    return json.dumps(document | {"proof": document["proof"][0], "credentialSchema": document["credentialSchema"][0]})


@pytest.mark.parametrize("write", [spaced, in_another_order, with_escapes, without_arrays_of_one])
def test_a_copy_that_is_written_in_another_way_is_genuine(
    stage: Stage, genuine: dict[str, Any], write: Callable[[dict[str, Any]], str]
) -> None:
    checked = check(stage, write(genuine))
    assert (checked.headline, checked.newer, codes(checked)) == ("genuine", "", codes(check(stage, genuine)))


@pytest.mark.parametrize("ending", ["json", "jwt", "png", "svg"])
def test_every_form_of_a_badge_is_genuine(stage: Stage, award: Any, ending: str) -> None:
    assert check(stage, file_of(stage, award, ending)).headline == "genuine"


def mauled(jwt: str) -> str:
    """Return a JWT with the other signature that ECDSA allows for the same key and text."""
    said, _, signature = jwt.rpartition(".")
    raw = base64url_decode(signature)
    other = P256_ORDER - int.from_bytes(raw[32:])
    return f"{said}.{base64url_encode(raw[:32] + other.to_bytes(32))}"


@pytest.mark.any_database("the same rows are asked")
def test_the_other_signature_of_the_same_jwt_is_no_forgery(stage: Stage, award: Any) -> None:
    jwt = file_of(stage, award, "jwt").decode()
    assert mauled(jwt) != jwt
    assert check(stage, mauled(jwt)).headline == "genuine"


@pytest.mark.any_database("the same rows are asked")
def test_the_same_words_signed_once_more_say_what_was_signed_here(stage: Stage, genuine: dict[str, Any]) -> None:
    stage.runtime.now.advance(days=1)  # type: ignore[attr-defined]
    assert check(stage, Thief.of(stage).sign(genuine)).headline == "genuine"


# --- Yesterday's text ------------------------------------------------------------------------------------------------


@pytest.fixture
def yesterdays(stage: Stage, award: Any) -> dict[str, bytes]:
    """Every form of a badge that has been signed again since."""
    texts = {ending: file_of(stage, award, ending) for ending in ("json", "jwt", "png", "svg")}
    stage.runtime.now.advance(days=1)  # type: ignore[attr-defined]
    forging.sign_anew(stage, award["credential"]["id"])
    return texts


@pytest.mark.parametrize("ending", ["json", "jwt", "png", "svg"])
def test_an_older_text_is_genuine_and_leads_to_the_newer_one(
    stage: Stage, award: Any, yesterdays: dict[str, bytes], ending: str
) -> None:
    checked = check(stage, yesterdays[ending])
    assert (checked.headline, checked.report.verdict) == ("genuine-newer-copy", "verified")
    assert checked.newer == checked.to_json()["newer"] == award["credential"]["url"]
    assert "newer-copy-here" in codes(checked)


@pytest.mark.parametrize("ending", ["json", "jwt", "png", "svg"])
def test_the_newest_text_is_genuine(stage: Stage, award: Any, yesterdays: dict[str, bytes], ending: str) -> None:
    assert yesterdays
    checked = check(stage, file_of(stage, award, ending))
    assert (checked.headline, checked.to_json()["newer"]) == ("genuine", None)


@pytest.mark.any_database("the same rows are asked")
def test_an_older_text_written_in_another_way_is_told_as_the_older_one(
    stage: Stage, yesterdays: dict[str, bytes]
) -> None:
    for write in (spaced, in_another_order, without_arrays_of_one):
        assert check(stage, write(json.loads(yesterdays["json"]))).headline == "genuine-newer-copy"


@pytest.mark.parametrize(("what", "headline"), [("revocation", "revoked"), ("suspension", "suspended")])
def test_an_older_text_stands_no_longer_than_the_newest(
    stage: Stage, award: Any, yesterdays: dict[str, bytes], what: str, headline: str
) -> None:
    stage.send("POST", f"/v1/credentials/{award['credential']['id']}/{what}", {"reason": "A mistake."})
    assert check(stage, yesterdays["json"]).headline == headline


def test_the_rows_know_a_revocation_that_the_older_text_gives_no_list_for(stage: Stage, award: Any) -> None:
    """The newer text may have another place in a list, or the older one none."""
    made = stage.credential(award)
    without = json.loads(Thief.of(stage).sign(without_end(made)))
    with stage.runtime.database.write() as session:
        row = session.get_one(Credential, award["credential"]["id"])
        newest = row.signed
        row.signed = json.dumps(without)
        signed_copies.keep(session, row, stage.runtime.now() - timedelta(days=1))
        row.signed = newest
    assert check(stage, without).headline == "genuine-newer-copy"
    stage.send("POST", f"/v1/credentials/{award['credential']['id']}/revocation", {"reason": "A mistake."})
    assert check(stage, without).headline == "revoked"


# --- The key's standing ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["json", "jwt"])
def test_a_text_of_ours_is_genuine_though_its_key_was_compromised_since(stage: Stage, award: Any, ending: str) -> None:
    text = file_of(stage, award, ending)
    forging.rotate(stage)
    forging.declare_compromised(stage)
    checked = check(stage, text)
    assert (checked.headline, checked.report.verdict) == ("genuine", "verified")
    assert "signed-here" in codes(checked)


@pytest.mark.any_database("the same rows are asked")
def test_it_is_told_with_the_newer_copy_once_that_is_signed(stage: Stage, award: Any) -> None:
    text = file_of(stage, award, "json")
    copied = without_arrays_of_one(json.loads(text))
    forging.rotate(stage)
    forging.declare_compromised(stage)
    stage.runtime.now.advance(days=1)  # type: ignore[attr-defined]
    forging.sign_anew(stage, award["credential"]["id"])
    assert check(stage, text).headline == "genuine-newer-copy"
    assert check(stage, copied).headline == "genuine-newer-copy"


@pytest.mark.any_database("the same rows are asked")
def test_a_text_of_ours_with_a_broken_signature_stays_broken(stage: Stage, genuine: dict[str, Any]) -> None:
    genuine["proof"][0]["proofValue"] = genuine["proof"][0]["proofValue"][:-4] + "1111"
    assert check(stage, genuine).headline == "changed"


@pytest.mark.any_database("the same rows are asked")
def test_a_text_of_ours_without_its_proof_stays_unsigned(stage: Stage, genuine: dict[str, Any]) -> None:
    del genuine["proof"]
    assert check(stage, genuine).headline == "unsigned"


# --- Records that were lost ------------------------------------------------------------------------------------------


def lose(stage: Stage, since: timedelta) -> None:
    with stage.runtime.database.write() as session:
        restores.note(session, stage.runtime.now() - since, stage.runtime.now())


def test_a_text_of_a_time_whose_records_were_lost_is_undecided(stage: Stage, genuine: dict[str, Any]) -> None:
    lose(stage, timedelta(hours=1))
    checked = check(stage, Thief.of(stage).sign(of_unknown_id(genuine)))
    assert (checked.headline, checked.tone, checked.report.verdict) == ("records-lost", "unsure", "undecided")
    assert "backup" in wording.headline(checked, ENGLISH)[1]


def test_a_text_from_before_the_backup_is_still_a_forgery(stage: Stage, genuine: dict[str, Any]) -> None:
    lose(stage, timedelta(hours=1))
    is_told_as_forged(check(stage, Thief.of(stage).sign(dated_otherwise(genuine))))


@pytest.mark.any_database("the same rows are asked")
def test_what_the_rows_know_of_that_time_is_genuine(stage: Stage, genuine: dict[str, Any]) -> None:
    lose(stage, timedelta(hours=1))
    assert check(stage, genuine).headline == "genuine"


# --- Nobody learns more than what they have --------------------------------------------------------------------------


def told(checked: Checked) -> dict[str, Any]:
    """Return all that is answered, without the credential that was sent."""
    return {name: value for name, value in checked.to_json().items() if name != "credential"}


def hide(stage: Stage, award: Any) -> None:
    with stage.runtime.database.write() as session:
        session.get_one(Credential, award["credential"]["id"]).visibility = "private"


@pytest.mark.parametrize("private", [False, True])
@pytest.mark.any_database("the same rows are asked")
def test_a_forgery_does_not_tell_whether_there_is_a_badge_of_its_id(
    stage: Stage, award: Any, genuine: dict[str, Any], *, private: bool
) -> None:
    if private:
        hide(stage, award)
    thief = Thief.of(stage)
    known = check(stage, thief.sign(renamed(genuine)))
    unknown = check(stage, thief.sign(of_unknown_id(renamed(genuine))))
    assert told(known) == told(unknown)


@pytest.mark.any_database("the same rows are asked")
def test_a_text_without_a_good_signature_does_not_tell_it_either(
    stage: Stage, award: Any, genuine: dict[str, Any]
) -> None:
    hide(stage, award)
    before = {"proof": genuine["proof"]}
    known = check(stage, renamed(genuine) | before)
    unknown = check(stage, of_unknown_id(renamed(genuine)) | before)
    assert told(known) == told(unknown)


@pytest.mark.any_database("the same rows are asked")
def test_a_private_badge_is_genuine_to_those_who_have_it(stage: Stage, award: Any, genuine: dict[str, Any]) -> None:
    hide(stage, award)
    assert check(stage, genuine).headline == "genuine"


@pytest.mark.parametrize("name", ["\0", "\ud800", "A" * 32, "x" * 5000, "%00", "0" * 31 + "\n", "[", "?" * 32])
def test_an_id_that_can_be_nobodys_is_looked_up_without_harm(stage: Stage, genuine: dict[str, Any], name: str) -> None:
    checked = check(stage, genuine | {"id": f"{genuine['id'].rpartition('/')[0]}/{name}"})
    assert checked.report.verdict == "rejected"


@pytest.mark.parametrize(
    "slug", ["\0", "%00", "%2500", "\ud800", "x" * 3000, "river:x", "", "river%2F..%2Fhill", "[", "é"]
)
def test_an_issuer_that_can_be_nobody_is_looked_up_without_harm(
    stage: Stage, genuine: dict[str, Any], slug: str
) -> None:
    did = genuine["issuer"]["id"].replace(":river", f":{slug}")
    proof = genuine["proof"][0] | {"verificationMethod": f"{did}#z6Mk"}
    checked = check(stage, genuine | {"issuer": {"id": did, "type": ["Profile"], "name": "A"}, "proof": [proof]})
    assert checked.report.verdict != "verified"


@pytest.mark.parametrize(
    "issuer",
    [
        "javascript:x()",
        "did:web:",
        "did:web:[",
        "did:key:z6Mk",
        "https://[",
        "http://localhost:8000",
        "\0",
        5,
        [],
        {},
        None,
    ],
)
@pytest.mark.any_database("no row is asked")
def test_any_issuer_is_looked_at_without_harm(stage: Stage, genuine: dict[str, Any], issuer: object) -> None:
    for named in (issuer, {"id": issuer, "type": ["Profile"], "name": "A"}):
        assert check(stage, genuine | {"issuer": named}).report.verdict == "rejected"
        without_key = [genuine["proof"][0] | {"verificationMethod": "did:web:localhost%3A8000:networks:river#x"}]
        assert check(stage, genuine | {"issuer": named, "proof": without_key}).report.verdict == "rejected"


@pytest.mark.any_database("no text of ours has such members")
def test_whatever_stands_in_a_member_there_is_a_report(stage: Stage, genuine: dict[str, Any]) -> None:
    """Also in a text with a good signature, as a thief of a key could make."""
    thief = Thief.of(stage)
    values: list[Any] = [None, 5, 1e300, [], {}, [[{}]], {"id": "\0"}, "", "\0", "[", "9999-12-31T23:59:59-14:00"]
    for member in genuine:
        for value in values:
            changed = genuine | {member: value}
            assert check(stage, changed).report.verdict != "verified"
            assert check(stage, thief.sign_jwt(changed)).report.verdict != "verified" or member == "proof"


# --- What else is signed here ----------------------------------------------------------------------------------------


@pytest.mark.any_database("the same rows are asked")
def test_a_receipt_of_a_check_is_no_forgery(stage: Stage, genuine: dict[str, Any]) -> None:
    receipt = stage.client.post("/verify/receipt.json", data={"received": json.dumps(genuine)}).text
    assert check(stage, receipt).headline == "not-a-badge"


@pytest.mark.any_database("the same rows are asked")
def test_the_published_status_list_is_no_forgery(stage: Stage, genuine: dict[str, Any]) -> None:
    published = stage.client.get(genuine["credentialStatus"]["statusListCredential"]).text
    assert check(stage, published).headline == "not-a-badge"


@pytest.mark.any_database("the same rows are asked")
def test_another_status_list_than_the_published_one_is_not_decided(stage: Stage, genuine: dict[str, Any]) -> None:
    published = stage.client.get(genuine["credentialStatus"]["statusListCredential"]).json()
    checked = check(stage, Thief.of(stage).sign(published | {"validFrom": "2026-03-01T00:00:00Z"}))
    assert (checked.headline, checked.report.verdict) == ("not-decided", "undecided")
    assert "older-texts-not-kept" in codes(checked)


@pytest.mark.any_database("the same rows are asked")
def test_a_badge_of_another_issuer_is_not_looked_up(stage: Stage, genuine: dict[str, Any]) -> None:
    assert check(stage, of_another_issuer(genuine)).headline == "genuine-unlisted"


@pytest.mark.any_database("the same rows are asked")
def test_a_badge_whose_status_stands_in_the_list_of_another_signer_is_in_force(
    stage: Stage, genuine: dict[str, Any]
) -> None:
    checked = check(stage, of_another_issuer(genuine, credentialStatus=genuine["credentialStatus"]))
    (current,) = [each for each in wording.said(checked, ENGLISH) if each.name == "current"]
    assert (
        current.answer,
        current.sentence.endswith("Somebody other than its issuer signed the list that says so."),
    ) == ("yes", True)


# --- Wherever it is asked --------------------------------------------------------------------------------------------


@pytest.mark.any_database("the same rows are asked")
def test_the_api_says_that_it_is_forged(stage: Stage, genuine: dict[str, Any]) -> None:
    said = stage.client.post("/v1/verifications", json=json.loads(Thief.of(stage).sign(renamed(genuine)))).json()
    assert (said["verdict"], said["headline"], said["newer"]) == ("rejected", "forged", None)


@pytest.mark.any_database("the same rows are asked")
def test_a_batch_tells_each_badge_truly(stage: Stage, genuine: dict[str, Any], yesterdays: dict[str, bytes]) -> None:
    forged = json.loads(Thief.of(stage).sign(renamed(genuine)))
    items = [{"credential": json.loads(yesterdays["json"])}, {"credential": forged}]
    answer = stage.client.post("/v1/verification-batches", json={"items": items})
    assert answer.status_code == 200, answer.text
    results = [json.loads(line).get("result") for line in answer.text.splitlines()]
    assert [each["headline"] for each in results if each] == ["genuine-newer-copy", "forged"]


@pytest.mark.any_database("the same rows are asked")
def test_the_page_leads_to_the_newer_copy(stage: Stage, award: Any, yesterdays: dict[str, bytes]) -> None:
    page = stage.client.post("/verify", data={"received": yesterdays["json"].decode()}).text
    assert f'<a href="{award["credential"]["url"]}">The newer copy</a>' in page


@pytest.mark.any_database("the same rows are asked")
def test_a_bundle_is_compared_where_it_is_checked_online(stage: Stage, genuine: dict[str, Any]) -> None:
    bundle = bundles.make(stage.runtime, Thief.of(stage).sign(renamed(genuine)).encode()).to_bytes()
    page = stage.client.post("/verify", files={"file": ("badge.bundle.json", bundle)}).text
    assert "This badge is forged" in page


@pytest.mark.any_database("the same rows are asked")
def test_the_page_of_a_badge_is_about_the_newest_text(stage: Stage, award: Any, yesterdays: dict[str, bytes]) -> None:
    assert yesterdays
    page = stage.client.get(award["credential"]["url"], headers={"Accept": "text/html"}).text
    assert "newer copy" not in page


@pytest.mark.any_database("the same rows are asked")
def test_the_vc_api_does_not_verify_a_forgery(stage: Stage, genuine: dict[str, Any]) -> None:
    runtime = stage.runtime
    assert vc_api.verify_credential(runtime, json.dumps(genuine), {}).verified
    assert not vc_api.verify_credential(runtime, Thief.of(stage).sign(renamed(genuine)), {}).verified
    assert not vc_api.verify_credential(runtime, Thief.of(stage).sign_jwt(renamed(genuine)), {}).verified


@pytest.mark.any_database("the same rows are asked")
def test_a_presentation_does_not_make_a_forgery_good(stage: Stage, genuine: dict[str, Any]) -> None:
    forged = json.loads(Thief.of(stage).sign(renamed(genuine)))
    shown = {"@context": [V2], "type": ["VerifiablePresentation"], "verifiableCredential": [genuine, forged]}
    whole, each = vc_api.verify_shown(stage.runtime, json.dumps(shown), {}, unsigned=True)
    assert [one.verified for one in each] == [True, False]
    assert not whole.verified
    good = shown | {"verifiableCredential": [genuine]}
    assert vc_api.verify_shown(stage.runtime, json.dumps(good), {}, unsigned=True)[0].verified


@pytest.mark.any_database("the same rows are asked")
def test_what_the_vc_api_signs_for_itself_is_no_forgery(stage: Stage, genuine: dict[str, Any]) -> None:
    said = {name: value for name, value in genuine.items() if name not in {"proof", "credentialStatus"}}
    said |= {"id": "urn:uuid:0b5a6d2e-7f4c-4a53-9a2b-2f5d5b1c9a10"}
    options = vc_api.read_options(stage.runtime.settings, {}, stage.runtime.now())
    own = {"issuer": keys.identity(stage.runtime, options.key_type).did}
    made = vc_api.issue(stage.runtime, said | own, options)
    assert "never-signed-here" not in codes(check(stage, made))


# --- Cost ------------------------------------------------------------------------------------------------------------


@pytest.mark.any_database("the same rows are asked")
def test_a_genuine_badge_costs_one_question_to_the_rows(stage: Stage, genuine: dict[str, Any]) -> None:
    asked: list[str] = []

    def note(*given: Any) -> None:
        asked.append(given[2])

    event.listen(stage.runtime.database.engine, "before_cursor_execute", note)
    check(stage, genuine)
    event.remove(stage.runtime.database.engine, "before_cursor_execute", note)
    assert sum("signed_copies" in statement for statement in asked) == 1
