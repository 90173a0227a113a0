"""A stolen key: what leaves the documents, what is signed again, what people decide, and who is told."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any
from urllib.parse import urlsplit

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import event, select

from credentials import PACKAGED, Fetched, Signer, UnavailableError, sign, sign_jwt, verify
from credentials.instants import write_instant
from credentials.proofs.jose import decode_jwt
from service.access.act import Act
from service.checking import check as checking
from service.checking import verification
from service.console import compromised_keys
from service.console.compromised_keys import CompromisedIn
from service.errors import CustodyError
from service.issuing import credentials
from service.notifications import mail
from service.runtime.runtime import Runtime
from service.signing import issuers, keyring
from service.storage import database
from service.tables import Award, Credential, Key, Network, Row, SignedCopy, StatusList
from tests.worlds.acting import actor, refused, told
from tests.worlds.awarding import Stage, once
from tests.worlds.runtimes import BASE_URL, Clock, app_of, desk_of

PATH = "/v1/networks/{}/compromised-keys"
BEFORE, SINCE = 10, 3
THEFT = datetime(2026, 3, 3, 12, tzinfo=UTC)


@once
def laid(stage: Stage) -> None:
    stage.achievement(award="reviewed")
    stage.achievement("closer", award="reviewed", name="Closer", status="suspension")
    for n in range(BEFORE + SINCE):
        stage.member(f"m{n}", **({"email": f"m{n}@example.org", "name": f"Member {n}"} if n % 2 else {}))


@once
def issued(stage: Stage) -> tuple[list[str], list[str]]:
    """Issue badges before the theft and since, and return their ids."""
    clock = stage.runtime.now
    assert isinstance(clock, Clock)
    now, clock.at = clock.at, THEFT - timedelta(hours=1)
    before = [stage.recorded(member=f"m{n}")["credential"]["id"] for n in range(BEFORE)]
    clock.at = THEFT
    members = [f"m{BEFORE + n}" for n in range(SINCE)]
    refs = ["closer", *["sharer"] * (SINCE - 1)]
    after = [stage.recorded(*each)["credential"]["id"] for each in zip(refs, members, strict=True)]
    clock.at = now
    return before, after


@pytest.fixture
def stage(runtime: Runtime) -> Iterator[Stage]:
    """The app without what goes on beside it."""
    client = TestClient(app_of(runtime), base_url=BASE_URL)
    stage = Stage.set_up(client, runtime)
    laid(stage)
    yield stage
    client.close()


class Story:
    """Ten badges, then a theft, then three more; what a stranger was given of each."""

    def __init__(self, stage: Stage, clock: Clock) -> None:
        self.stage, self.clock, self.runtime = stage, clock, stage.runtime
        self.before, self.after = issued(stage)
        clock.at = THEFT + timedelta(days=1)
        self.given = {each: self.texts(each) for each in (*self.before, *self.after)}
        self.stolen = {key.algorithm: key for key in self.keys()}

    def keys(self, slug: str = "river") -> list[Key]:
        with self.runtime.database.read() as session:
            network = session.scalars(select(Network).where(Network.slug == slug)).one()
            return list(keyring.keys_of(session, network))

    def thief(self, algorithm: str) -> Signer:
        return self.runtime.custody.signer(self.stolen[algorithm].custody_uri)

    def texts(self, credential_id: str) -> tuple[str, str]:
        found = [self.stage.client.get(f"/credentials/{credential_id}{ending}").text for ending in (".json", ".jwt")]
        return found[0], found[1]

    def row(self, credential_id: str) -> Credential:
        with self.runtime.database.read() as session:
            return session.get_one(Credential, credential_id)

    def declare(self, *algorithms: str, slug: str = "river", **more: Any) -> Any:
        admin = actor(self.runtime, self.stage.client)
        kids = [self.stolen[each].kid for each in algorithms or ("Ed25519",)]
        body = {"kids": kids, "since": write_instant(THEFT)}
        return admin.post(PATH.format(slug), body | more)

    def load(self, url: str) -> Fetched:
        """Load a document as a stranger does."""
        answer = self.stage.client.get(urlsplit(url).path)
        if answer.status_code != 200:
            raise UnavailableError("document-unknown", url)
        return Fetched(answer.content, answer.headers["content-type"].partition(";")[0])

    def verdict(self, received: str) -> tuple[str, list[str]]:
        """Return what a stranger's verifier finds, with the codes of what failed."""
        report = verify(received, now=self.clock.at, load=self.load, contexts=PACKAGED)
        codes = [finding.code for each in report.checks if each.outcome == "failed" for finding in each.findings]
        return report.verdict, codes


@pytest.fixture
def story(stage: Stage, clock: Clock) -> Story:
    return Story(stage, clock)


def rows_of(runtime: Runtime) -> dict[str, list[Any]]:
    """Return every row, but for those that hold when a token was used."""
    with runtime.database.read() as session:
        return {
            table.name: sorted(map(repr, session.execute(table.select())))
            for table in Row.metadata.sorted_tables
            if table.name != "tokens"
        }


def test_badges_from_before_are_signed_again_under_their_id(story: Story) -> None:
    answer = story.declare()
    assert answer.status_code == 200, answer.text
    assert sorted(answer.json()["reissued"]) == sorted(story.before)
    for credential_id in story.before:
        (old, old_jwt), (new, new_jwt) = story.given[credential_id], story.texts(credential_id)
        assert (story.verdict(new), story.verdict(new_jwt)) == (("verified", []), ("verified", []))
        assert story.verdict(old) == ("rejected", ["key-revoked"])
        assert story.verdict(old_jwt) == ("verified", []), "the key of JWT was not stolen"
        was, now = json.loads(old), json.loads(new)
        assert now["validFrom"] > was["validFrom"]
        assert {name: value for name, value in now.items() if name not in {"proof", "validFrom"}} == {
            name: value for name, value in was.items() if name not in {"proof", "validFrom"}
        }
        assert {name: decode_jwt(new_jwt).payload[name] for name in now if name != "proof"} == {
            name: value for name, value in now.items() if name != "proof"
        }


def test_badges_issued_since_are_suspended_until_a_person_decides(story: Story) -> None:
    answer = story.declare().json()
    assert sorted(each["credential"] for each in answer["suspended"]) == sorted(story.after)
    assert {(each["state"], each["achievement"]) for each in answer["suspended"]} == {
        ("suspended", "sharer"),
        ("suspended", "closer"),
    }
    waiting = story.stage.send("GET", "./approvals?state=waiting&kind=standing")["items"]
    assert [each["cause"] for each in waiting] == ["key-compromised"] * SINCE
    for credential_id in story.after:
        assert story.stage.send("GET", f"/v1/credentials/{credential_id}/status")["state"] == "suspended"
        assert story.verdict(story.texts(credential_id)[0])[0] == "rejected"
    assert story.verdict(story.texts(story.after[0])[1]) == ("rejected", ["credential-suspended"])


def test_what_people_approve_is_signed_again_and_what_they_decline_is_revoked(story: Story) -> None:
    story.declare()
    stage = story.stage
    stage.member("approver", roles=[{"role": "approver", "from": "2026-01-01T00:00:00Z"}])
    token = stage.token_with("awards:approve", "read", member="approver")
    good, bad, lone = stage.send("GET", "./approvals?state=waiting&kind=standing")["items"]
    stage.send("POST", f"./approvals/{good['id']}/approval", {}, token=token)
    stage.send("POST", f"./approvals/{bad['id']}/refusal", {"reason": "Nobody knows it."}, token=token)
    by_award = {str(story.row(each).award_id): each for each in story.after}
    for review, state in ((good, "valid"), (bad, "revoked"), (lone, "suspended")):
        credential_id = by_award[review["award"]]
        assert stage.send("GET", f"/v1/credentials/{credential_id}/status")["state"] == state
    assert story.verdict(story.texts(by_award[good["award"]])[0]) == ("verified", [])
    stage.send("POST", f"/v1/credentials/{by_award[lone['award']]}/reinstatement")
    assert story.verdict(story.texts(by_award[lone["award"]])[0]) == ("verified", [])
    assert stage.send("GET", "./approvals?state=waiting&kind=standing")["items"] == []
    states = {each["credential"]: each["state"] for each in story.declare().json()["suspended"]}
    assert [states[by_award[each["award"]]] for each in (good, bad, lone)] == ["valid", "revoked", "valid"]


def test_nobody_decides_on_their_own_badge_after_a_theft(story: Story) -> None:
    story.declare()
    stage = story.stage
    waiting = stage.send("GET", "./approvals?state=waiting&kind=standing")["items"][0]
    stage.member(waiting["member"], roles=[{"role": "approver", "from": "2026-01-01T00:00:00Z"}])
    token = stage.token_with("awards:approve", "read", member=waiting["member"])
    answer = stage.call("POST", f"./approvals/{waiting['id']}/approval", token, json={})
    assert refused(answer) == (403, "self-decision", None)


def forgeries(story: Story) -> dict[str, str]:
    """Return what a thief makes of a badge with each key and each name for it, dated back to before the theft."""
    document = json.loads(story.given[story.before[0]][0])
    del document["proof"]
    document["name"] = "Forged"
    thief, key = story.thief("Ed25519"), story.stolen["Ed25519"]
    did, at = document["issuer"]["id"], story.runtime.now().replace(month=1, day=1)
    method, address = f"{did}#{thief.key.multikey}", f"{BASE_URL}/keys/{key.kid}"
    other, jwk = story.thief("P-256"), story.stolen["P-256"]
    return {
        "proof": json.dumps(sign(document, thief, verification_method=method, created=at)),
        "proof that names the key's address": json.dumps(
            sign(document, thief, verification_method=address, created=at)
        ),
        "JWT that names the key's address": sign_jwt(document, thief, kid=address),
        "JWT that names the DID": sign_jwt(document, thief, kid=method),
        "JWT that names the set": sign_jwt(document, thief, kid=key.kid),
        "JWT by the other key": sign_jwt(document, other, kid=f"{BASE_URL}/keys/{jwk.kid}"),
        "JWT by the other key by its DID": sign_jwt(document, other, kid=f"{did}#{jwk.kid}"),
        "proof by the other key": json.dumps(
            sign(
                document,
                other,
                verification_method=f"{did}#{other.key.multikey}",
                created=at,
                suite="ecdsa-rdfc-2019",
            )
        ),
    }


def test_no_verifier_accepts_what_a_thief_signs_once_the_keys_are_declared(story: Story) -> None:
    made = forgeries(story)
    first = {name: story.verdict(text)[0] for name, text in made.items()}
    assert {"proof", "JWT that names the DID", "JWT by the other key"} <= {
        name for name, found in first.items() if found == "verified"
    }
    story.declare("Ed25519", "P-256")
    assert {name: story.verdict(text)[0] for name, text in made.items()} == dict.fromkeys(made, "rejected")


def test_our_own_check_tells_our_texts_from_a_thiefs_whatever_became_of_the_key(story: Story) -> None:
    made = forgeries(story)
    story.declare("Ed25519", "P-256")

    def found(received: str) -> tuple[str, set[str]]:
        report = verification.verify_received(story.runtime, received)
        return report.verdict, {finding.code for each in report.checks for finding in each.findings}

    for text in story.given[story.before[0]]:
        verdict, codes = found(text)
        assert (verdict, "newer-copy-here" in codes, "signed-here" in codes) == ("verified", True, True)
    for text in story.texts(story.before[0]):
        assert found(text)[0] == "verified"
    for text in story.given[story.after[1]]:
        verdict, codes = found(text)
        assert (verdict, "credential-suspended" in codes) == ("rejected", True)
    assert {name: found(text)[0] for name, text in made.items()} == dict.fromkeys(made, "rejected")


def test_a_key_leaves_what_the_documents_vouch_for_and_stays_named(story: Story) -> None:
    story.declare("Ed25519", "P-256")
    document = story.stage.client.get("/networks/river/did.json").json()
    stolen = [story.stolen[each].kid for each in ("Ed25519", "P-256")]
    fragments = {issuers.public_key(story.stolen[each]).multikey for each in ("Ed25519", "P-256")} | set(stolen)
    named = {each["id"].rpartition("#")[2]: each.get("revoked") for each in document["verificationMethod"]}
    revoked = {name for name, at in named.items() if at is not None}
    assert revoked == fragments - {stolen[0]}
    assert {named[each] for each in revoked} == {write_instant(THEFT)}
    asserting = {each.rpartition("#")[2] for each in document["assertionMethod"]}
    assert asserting == named.keys() - revoked
    assert len(asserting) == 3
    published = story.stage.client.get("/.well-known/jwks.json").json()["keys"]
    assert not {each["kid"].rpartition("/")[2] for each in published} & set(stolen)
    for kid in stolen:
        alone = story.stage.client.get(f"/keys/{kid}").json()
        assert "kty" not in alone
        assert "revoked" in alone


def test_jwts_by_the_other_key_verify_before_meanwhile_and_after(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    jwts = [story.given[each][1] for each in story.before]
    seen = []

    def look(*arguments: Any) -> None:
        seen.append({story.verdict(jwt)[0] for jwt in jwts})
        tell(*arguments)

    tell = compromised_keys._carry_out
    monkeypatch.setattr(compromised_keys, "_carry_out", look)
    monkeypatch.setattr(compromised_keys, "CHUNK", 4)
    story.declare()
    assert seen == [{"verified"}] * 4
    assert {story.verdict(jwt)[0] for jwt in jwts} == {"verified"}


def test_status_lists_are_signed_again_in_the_step_that_declares(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compromised_keys, "_set_right", lambda *_: 0)
    assert story.declare().json()["status_lists"] == 2
    with story.runtime.database.read() as session:
        texts = session.scalars(select(StatusList.signed)).all()
    multikey = issuers.public_key(story.keys()[-1]).multikey
    assert [json.loads(text or "")["proof"][0]["verificationMethod"].endswith(multikey) for text in texts] == [True] * 2


def test_a_declaration_that_is_killed_goes_on_and_each_badge_has_its_turn_once(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compromised_keys, "CHUNK", 4)
    commit, calls = database.commit, 0

    def dying(session: database.WriteSession) -> None:
        nonlocal calls
        calls += 1
        if calls == 3:  # after the declaration and one chunk
            raise KeyboardInterrupt
        commit(session)

    monkeypatch.setattr(database, "commit", dying)
    asked = CompromisedIn(kids=[story.stolen["Ed25519"].kid], since=THEFT)
    with pytest.raises(KeyboardInterrupt):
        compromised_keys.declare(story.runtime, asked, story.clock.at)
    monkeypatch.setattr(database, "commit", commit)
    assert 0 < told(story.runtime, "river").count("credential.reissued") < BEFORE
    assert compromised_keys.set_right_left_over(story.runtime) == 0, "the request may still be at it"
    story.clock.advance(minutes=1)
    compromised_keys.set_right_left_over(story.runtime)
    kinds = told(story.runtime, "river")
    assert (kinds.count("credential.reissued"), kinds.count("credential.suspended")) == (BEFORE, SINCE)
    assert {story.verdict(story.texts(each)[0])[0] for each in story.before} == {"verified"}
    assert sorted(story.declare().json()["reissued"]) == sorted(story.before)


def test_of_two_declarations_at_the_same_moment_each_badge_has_its_turn_once(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compromised_keys, "CHUNK", 2)
    asked = CompromisedIn(kids=[story.stolen["Ed25519"].kid], since=THEFT)
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda _: compromised_keys.declare(story.runtime, asked, story.clock.at), range(2)))
    assert done[0] == done[1]
    kinds = told(story.runtime, "river")
    assert {kind: kinds.count(kind) for kind in ("key.compromised", "key.rotated")} == dict.fromkeys(
        ("key.compromised", "key.rotated"), 1
    )
    assert (kinds.count("credential.reissued"), kinds.count("credential.suspended")) == (BEFORE, SINCE)
    assert len(letters(story)) == done[0].people


def test_a_declaration_is_cleared_when_nothing_signed_before_can_come_any_more(story: Story) -> None:
    story.declare()
    for minutes, cleared in ((1, False), (11, True)):
        story.clock.advance(minutes=minutes)
        assert compromised_keys.set_right_left_over(story.runtime) == 0
        assert (story.keys()[0].cleared_at is not None) == cleared


def test_the_same_declaration_again_changes_nothing_and_answers_the_same(story: Story) -> None:
    first = story.declare()
    there = rows_of(story.runtime)
    story.clock.advance(minutes=5)
    assert story.declare().json() == first.json()
    assert rows_of(story.runtime) == there


def test_a_rehearsal_says_the_same_and_changes_nothing(story: Story) -> None:
    there = rows_of(story.runtime)
    files = sorted(story.runtime.settings.keys_folder.iterdir())
    rehearsed = story.declare(rehearse=True).json()
    assert (rows_of(story.runtime), sorted(story.runtime.settings.keys_folder.iterdir())) == (there, files)
    made = story.declare().json()
    new = story.keys()[-1]
    assert made.pop("signs") == {"Ed25519": new.kid}
    assert rehearsed.pop("signs") == {"Ed25519": None}
    assert (rehearsed.pop("rehearsed"), made.pop("rehearsed")) == (True, False)
    assert rehearsed == made


def test_another_network_stays_as_it_is(stage: Stage, story: Story) -> None:
    hill = Stage.set_up(stage.client, stage.runtime, "hill")
    laid(hill)
    award = hill.recorded()
    given = story.texts(award["credential"]["id"])
    keys = [(key.kid, key.retired_at) for key in story.keys("hill")]
    lists = stage.client.get(urlsplit(hill.credential(award)["credentialStatus"]["statusListCredential"]).path).text
    story.declare("Ed25519", "P-256")
    assert story.texts(award["credential"]["id"]) == given
    assert [(key.kid, key.retired_at) for key in story.keys("hill")] == keys
    url = hill.credential(award)["credentialStatus"]["statusListCredential"]
    assert stage.client.get(urlsplit(url).path).text == lists
    assert refused(story.declare("Ed25519", slug="hill")) == (404, "key-unknown", "/kids")


@pytest.mark.any_database("a body is judged in the code; the rows are only looked up")
@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"since": "2030-01-01T00:00:00Z"}, (422, "time-in-future", "/since")),
        ({"since": "2020-01-01T00:00:00Z"}, (422, "time-before-key", "/since")),
        ({"kids": ["none"]}, (404, "key-unknown", "/kids")),
        ({"kids": []}, (422, "too-short", "/kids")),
    ],
)
@pytest.mark.parametrize("rehearse", [False, True])
def test_a_declaration_that_makes_no_sense_is_refused(
    story: Story, change: Any, expected: tuple[int, str, str], rehearse: bool
) -> None:
    assert refused(story.declare(rehearse=rehearse, **change)) == expected


def test_keys_of_different_ages_are_declared_since_the_oldest_was_made(story: Story) -> None:
    story.clock.advance(minutes=1)
    actor(story.runtime, story.stage.client).post("/v1/networks/river/keys/rotation")
    old, new = story.stolen["Ed25519"], story.keys()[-2]
    later = story.stage.recorded("closer", member="m3")["credential"]["id"]
    since = write_instant(old.valid_from)
    assert refused(story.declare(kids=[new.kid], since=since)) == (422, "time-before-key", "/since")
    answer = story.declare(kids=[old.kid, new.kid], since=since).json()
    assert answer["reissued"] == []
    assert {each["credential"] for each in answer["suspended"]} == {*story.before, *story.after, later}


def test_another_time_for_the_same_key_is_refused(story: Story) -> None:
    story.declare()
    answer = story.declare(since=write_instant(story.clock.at))
    assert refused(answer) == (409, "key-declared-already", "/since")


def test_only_an_admin_declares(story: Story) -> None:
    body = {"kids": [story.stolen["Ed25519"].kid], "since": "2026-03-03T00:00:00Z"}
    assert refused(story.stage.call("POST", "./compromised-keys", json=body)) == (403, "scope-missing", None)


def test_while_no_key_can_be_made_nothing_is_declared(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    there = rows_of(story.runtime)

    def locked(_algorithm: str) -> None:
        raise CustodyError("custody-unavailable", "The key folder has no passphrase.")

    monkeypatch.setattr(story.runtime.custody, "create", locked)
    assert refused(story.declare()) == (503, "custody-unavailable", None)
    assert rows_of(story.runtime) == there


def test_a_retired_key_is_declared_without_a_new_one(story: Story) -> None:
    stage = story.stage
    actor(story.runtime, stage.client).post("/v1/networks/river/keys/rotation")
    fresh = story.keys()[-2:]
    later = stage.recorded("closer", member="m3")["credential"]["id"]
    given = story.texts(later)
    answer = story.declare().json()
    assert answer["signs"] == {"Ed25519": fresh[0].kid}
    assert [key.kid for key in story.keys()[-2:]] == [key.kid for key in fresh]
    assert story.texts(later) == given, "another key signed it"
    assert later not in {each["credential"] for each in answer["suspended"]}


def test_only_the_stolen_key_of_jwts_leaves_proofs_of_before_in_force(story: Story) -> None:
    story.declare("P-256")
    for credential_id in story.before:
        old, old_jwt = story.given[credential_id]
        assert (story.verdict(old), story.verdict(old_jwt)[0]) == (("verified", []), "rejected")
        assert [story.verdict(text) for text in story.texts(credential_id)] == [("verified", [])] * 2


def test_revoked_badges_are_left_alone_and_a_suspension_from_before_stays(story: Story) -> None:
    revoked, suspended = story.before[:2]
    for credential_id, what in ((revoked, "revocation"), (suspended, "suspension")):
        story.stage.send("POST", f"/v1/credentials/{credential_id}/{what}", {"reason": "Wrong."})
    answer = story.declare().json()
    assert revoked not in answer["reissued"]
    assert story.texts(revoked) == story.given[revoked]
    assert suspended in answer["reissued"]
    assert story.row(suspended).suspension_reason == "Wrong."


def test_what_a_person_suspended_stays_so_when_people_let_it_stand(story: Story) -> None:
    stage, credential_id = story.stage, story.after[1]
    stage.send("POST", f"/v1/credentials/{credential_id}/suspension", {"reason": "Something else."})
    story.declare()
    stage.member("approver", roles=[{"role": "approver", "from": "2026-01-01T00:00:00Z"}])
    token = stage.token_with("awards:approve", "read", member="approver")
    waiting = stage.send("GET", "./approvals?state=waiting&kind=standing")["items"]
    [review] = [each for each in waiting if each["award"] == str(story.row(credential_id).award_id)]
    stage.send("POST", f"./approvals/{review['id']}/approval", {}, token=token)
    assert story.row(credential_id).suspension_reason == "Something else."
    assert story.verdict(story.row(credential_id).signed) == ("verified", []), "signed again, as it can be reinstated"


def test_a_key_that_has_signed_no_badge_is_replaced_and_no_badge_changes(story: Story) -> None:
    with story.runtime.database.write() as session:
        network = session.scalars(select(Network)).one()
        act = Act(session, network, None, THEFT)
        story.stolen["RSA"] = keyring.create_key(act, story.runtime, "RSA")
    answer = story.declare("RSA").json()
    assert (answer["reissued"], answer["suspended"], answer["people"]) == ([], [], 0)
    assert answer["signs"] == {"RSA": story.keys()[-1].kid}
    assert {each: story.texts(each) for each in story.given} == story.given


def test_the_key_of_a_closed_network_is_declared_too(story: Story) -> None:
    with story.runtime.database.write() as session:
        session.scalars(select(Network)).one().state = "closed"
    assert len(story.declare().json()["reissued"]) == BEFORE
    credential_id = story.after[0]
    story.stage.send("POST", f"/v1/credentials/{credential_id}/reinstatement")
    assert story.verdict(story.texts(credential_id)[0]) == ("verified", [])


def test_an_expired_badge_is_signed_again_and_stays_expired(stage: Stage, clock: Clock) -> None:
    stage.achievement("brief", award="reviewed", name="Brief", valid_for="P1D")
    credential_id = stage.recorded("brief", awarded_at=write_instant(clock.at))["credential"]["id"]
    story = Story(stage, clock)
    assert credential_id in story.declare().json()["reissued"]
    assert [story.verdict(text) for text in story.texts(credential_id)] == [("rejected", ["credential-expired"])] * 2


def test_a_private_badge_is_signed_again_too(story: Story) -> None:
    credential_id = story.before[0]
    with story.runtime.database.write() as session:
        session.get_one(Credential, credential_id).visibility = "private"
    story.declare()
    assert story.verdict(story.row(credential_id).signed) == ("verified", [])


def test_what_was_signed_before_and_stored_after_the_declaration_is_found(story: Story) -> None:
    with story.runtime.database.read() as session:
        old = credentials.issuer_keys(session, story.runtime, session.scalars(select(Network)).one())
    story.declare()
    story.clock.advance(minutes=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(credentials, "issuer_keys", lambda *_: old)
        late = story.stage.recorded("closer", member="m5")["credential"]["id"]
    assert compromised_keys.set_right_left_over(story.runtime) == 1
    assert story.stage.send("GET", f"/v1/credentials/{late}/status")["state"] == "suspended"


def test_a_list_that_was_begun_before_and_stored_after_the_declaration_is_signed_again(story: Story) -> None:
    """The transaction that opened it could not be seen by the one that declared."""
    with story.runtime.database.read() as session:
        begun = {row.id: row.signed for row in session.scalars(select(StatusList))}
    assert story.declare().status_code == 200
    with story.runtime.database.write() as session:
        for row in session.scalars(select(StatusList)):
            row.signed = begun[row.id]
    assert story.verdict(story.texts(story.before[0])[0])[0] == "rejected"
    story.clock.advance(minutes=1)
    compromised_keys.set_right_left_over(story.runtime)
    assert story.verdict(story.texts(story.before[0])[0]) == ("verified", [])


def test_people_decide_on_both_badges_of_one_achievement(story: Story) -> None:
    """Only one review waits at a time for a member and an achievement: the other badge has its turn after it."""
    stage, first = story.stage, story.after[1]
    with story.runtime.database.write() as session:  # as when its time is over
        session.get_one(Award, story.row(first).award_id).state = "expired"
    second = stage.recorded("sharer", member=f"m{BEFORE + 1}")["credential"]["id"]
    story.declare()
    stage.member("approver", roles=[{"role": "approver", "from": "2026-01-01T00:00:00Z"}])
    token = stage.token_with("awards:approve", "read", member="approver")
    for turn in range(2):
        assert [story.row(each).suspended_at is None for each in (first, second)].count(True) == turn
        waiting = stage.send("GET", "./approvals?state=waiting&kind=standing")["items"]
        [review] = [each for each in waiting if each["member"] == f"m{BEFORE + 1}"]
        story.clock.advance(hours=1)
        assert compromised_keys.set_right_left_over(story.runtime) == 0, "nothing to do until people have decided"
        stage.send("POST", f"./approvals/{review['id']}/approval", {}, token=token)
        story.clock.advance(hours=1)
        compromised_keys.set_right_left_over(story.runtime)
    assert [story.row(each).suspended_at for each in (first, second)] == [None, None]
    assert [story.verdict(story.texts(each)[0]) for each in (first, second)] == [("verified", [])] * 2
    assert story.keys()[0].cleared_at is not None


def test_a_declaration_lets_others_store_what_the_key_has_signed(story: Story) -> None:
    """They have locked the status list by then, for which the declaration waits: one of the two would be given up."""
    said: list[str] = []
    engine = story.runtime.database.engine
    event.listen(engine, "before_cursor_execute", lambda *called: said.append(" ".join(called[2].split())))
    assert story.declare().status_code == 200
    story.clock.advance(hours=1)
    compromised_keys.set_right_left_over(story.runtime)
    assert [each for each in said if " FROM keys " in each and each.endswith("FOR UPDATE")] == []


def test_the_text_signed_again_is_the_newer_one_though_the_clock_was_ahead_before(story: Story) -> None:
    """Otherwise the same badge would be signed again for ever, and the new text told as the older one."""
    credential_id = story.before[0]
    with story.runtime.database.write() as session:
        for copy in session.scalars(select(SignedCopy).where(SignedCopy.credential_id == credential_id)):
            copy.signed_at = story.clock.at + timedelta(days=400)
    story.declare()
    story.clock.advance(minutes=1)
    assert compromised_keys.set_right_left_over(story.runtime) == 0
    old, new = story.given[credential_id][0], story.texts(credential_id)[0]
    headlines = [checking.check(desk_of(story.runtime), text).headline for text in (old, new)]
    assert headlines == ["genuine-newer-copy", "genuine"]


def test_events_tell_of_the_key_and_of_each_badge(story: Story) -> None:
    at = len(told(story.runtime, "river"))
    story.declare()
    kinds = told(story.runtime, "river")[at:]
    assert kinds[:2] == ["key.compromised", "key.rotated"]
    assert {kind: kinds.count(kind) for kind in kinds[2:]} == {
        "credential.reissued": BEFORE,
        "credential.suspended": SINCE,
        "review.opened": SINCE,
        "approval.waiting": SINCE,
    }


def all_letters(story: Story) -> list[EmailMessage]:
    mail.send_due(story.runtime)
    found = []
    for path in sorted(mail.outbox_folder(story.runtime.settings).glob("*.eml")):
        letter = message_from_bytes(path.read_bytes(), policy=default)
        assert isinstance(letter, EmailMessage)
        found.append(letter)
    return found


def letters(story: Story) -> list[EmailMessage]:
    return [letter for letter in all_letters(story) if "download them again" in letter["Subject"]]


def test_each_person_with_an_address_gets_one_mail_about_all_their_badges(story: Story) -> None:
    story.clock.at, now = THEFT - timedelta(hours=1), story.clock.at
    second = story.stage.recorded("closer", member="m1")["credential"]["id"]
    story.clock.at = now
    answer = story.declare().json()
    found = {letter["To"]: letter for letter in letters(story)}
    assert answer["people"] == len(found) == (BEFORE + SINCE) // 2
    body = found["m1@example.org"].get_body(("plain",))
    assert body is not None
    text = str(body.get_content())
    assert f"/credentials/{story.before[1]}" in text
    assert f"/credentials/{second}" in text
    assert "signed again with another key" in text
    assert found["m1@example.org"]["Content-Language"] == "en"
    assert found["m1@example.org"]["Reply-To"] is None, "the network has no address"
    late = found[f"m{BEFORE + 1}@example.org"].get_body(("plain",))
    assert late is not None
    assert "suspended" in str(late.get_content())
    story.declare()
    assert len(letters(story)) == len(found)


def test_a_badge_brings_no_mail_of_its_own_until_people_have_decided_on_it(story: Story) -> None:
    before = len(all_letters(story))
    story.declare()
    assert len(all_letters(story)) == before + (BEFORE + SINCE) // 2
    late = story.after[1]  # of a member with an address
    story.stage.send("POST", f"/v1/credentials/{late}/reinstatement")
    letter = all_letters(story)[-1]
    assert (letter["To"], letter["Subject"]) == (f"m{BEFORE + 1}@example.org", "Your badge “Sharer” is valid again")
    body = letter.get_body(("plain",))
    assert body is not None
    assert "It was signed again with another key." in str(body.get_content())


def test_pages_say_when_and_why(story: Story) -> None:
    story.declare()
    client = story.stage.client

    def page(path: str, language: str) -> str:
        return client.get(path, headers={"Accept": "text/html", "Accept-Language": language}).text

    assert "Others may have had this key since 3 March 2026" in page("/networks/river", "en")
    assert "desde el 3 de marzo de 2026" in page("/networks/river", "es")
    assert "because others may have had the issuer's key" in page(f"/credentials/{story.before[0]}", "en")
    assert "otras personas" in page(f"/credentials/{story.before[0]}", "es")
    assert "Others may have had the issuer&#39;s key when it was signed" in page(f"/credentials/{story.after[0]}", "en")
    assert "otras personas" in page(f"/credentials/{story.after[0]}", "es")
