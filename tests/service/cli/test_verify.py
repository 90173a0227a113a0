"""`laurel verify`, as somebody uses it who has nothing to do with the service: online, and with the network unplugged."""

import json
import subprocess
import sys
import textwrap
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from fastapi.testclient import TestClient
from typer.testing import CliRunner, Result

from credentials import PrivateKeySigner, canonical_json, sign
from service.checking.keeping import bundles, offline
from service.cli import main as cli
from service.errors import InvalidError
from service.runtime.fetching import Fetcher
from service.runtime.runtime import Runtime
from tests.credentials import older_badges
from tests.credentials.parties import V2, Party
from tests.worlds.awarding import Stage
from tests.worlds.publishing import OPEN_BADGES, SIGNED_AT, Publisher, publisher

pytestmark = pytest.mark.any_database("the command checks documents; it has no database")

ROOT = Path(__file__).parents[3]
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)

Laurel = Callable[..., Result]


@pytest.fixture
def laurel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Laurel:
    """Run the command in an empty folder without settings, at the time that the tests' badges are made for."""
    folder = tmp_path / "empty"
    folder.mkdir()
    monkeypatch.chdir(folder)
    start = Runtime.stranger
    monkeypatch.setattr(Runtime, "stranger", lambda now=lambda: NOW: start(now))

    def run(*arguments: str, **options: Any) -> Result:
        result = CliRunner().invoke(cli.app, ["verify", *arguments], **options)
        assert list(folder.iterdir()) == [], "expected a check to leave nothing behind"
        return result

    return run


@pytest.fixture
def issuer() -> Iterator[Publisher]:
    with publisher() as answering:
        yield answering


def unplug(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every connection from here on fail the test."""

    def refuse(*_arguments: Any, **_options: Any) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(Fetcher, "fetch", refuse)
    monkeypatch.setattr("socket.socket.connect", refuse)
    monkeypatch.setattr("socket.getaddrinfo", refuse)


def said(result: Result) -> Any:
    return json.loads(result.stdout)


# --- A badge by itself ---------------------------------------------------------------------------------------------


def test_what_is_no_credential_is_rejected_with_exit_status_1(laurel: Laurel) -> None:
    result = laurel("-", "--json", input="{}")
    assert result.exit_code == 1
    assert said(result)["verdict"] == "rejected"


def self_signed(**more: Any) -> dict[str, Any]:
    """Return a credential by a key of its own, which is the issuer's unless another is named."""
    signer = PrivateKeySigner(ed25519.Ed25519PrivateKey.generate())
    did = f"did:key:{signer.key.multikey}"
    credential = {
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "type": ["VerifiableCredential"],
        "issuer": did,
        "credentialSubject": {"id": "did:example:subject"},
    } | more
    method = f"{did}#{signer.key.multikey}"
    return sign(credential, signer, verification_method=method, created=datetime(2026, 3, 2, tzinfo=UTC))


SOMEBODY = "did:key:z6MkpJySvETLnxhQG9DzEdmKJtysBDjuuTeDfUj1uNNCUqcj"


@pytest.mark.parametrize(
    ("more", "verdict", "status"),
    [
        ({}, "verified", 0),
        ({"credentialStatus": {"type": "https://example.org/#Status"}}, "undecided", 2),
        ({"issuer": SOMEBODY}, "rejected", 1),
    ],
)
@pytest.mark.parametrize("from_file", [False, True])
def test_the_exit_status_is_the_verdict(
    laurel: Laurel, tmp_path: Path, more: dict[str, Any], verdict: str, status: int, from_file: bool
) -> None:
    text = json.dumps(self_signed(**more))
    path = tmp_path / "credential.json"
    path.write_text(text)
    for options in ((), ("--json",)):
        result = laurel(str(path) if from_file else "-", *options, input=text)
        assert result.exit_code == status, result.output
    assert said(result)["verdict"] == verdict


def test_a_did_is_shown_as_it_is_written(laurel: Laurel) -> None:
    assert "one of 'did:key:z6Mk" in laurel("-", input=json.dumps(self_signed(issuer=SOMEBODY))).output


def test_a_badge_at_an_address_is_answered_in_plain_sentences(laurel: Laurel, issuer: Publisher) -> None:
    address = f"{issuer.base_url}/credentials/4f1a"
    issuer.world.documents[address] = issuer.signed()
    result = laurel(address)
    assert result.exit_code == 0, result.output
    assert "Is it still valid? Yes." in result.output
    assert [question["name"] for question in said(laurel(address, "--json"))["questions"]] == [
        *("authentic", "current", "issuer", "evidence", "policy")
    ]


def test_a_badge_of_the_older_standard_is_asked_for_at_its_address(
    laurel: Laurel, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = older_badges.site()
    monkeypatch.setattr(Fetcher, "fetch", lambda _self, url: at.load(url))
    result = laurel("-", input=json.dumps(older_badges.hosted_assertion()))
    assert result.exit_code == 0, result.output
    assert "Nobody can prove that it was not changed since it was issued." in " ".join(result.output.split())
    at.gone[older_badges.BADGE] = b'{"revoked": true}'
    result = laurel(older_badges.BADGE, "--json")
    assert (result.exit_code, said(result)["headline"]) == (1, "older-revoked")


def test_an_address_where_nothing_can_be_had_is_undecided(laurel: Laurel, issuer: Publisher) -> None:
    result = laurel(f"{issuer.base_url}/gone", "--json")
    assert (result.exit_code, said(result)["verdict"]) == (2, "undecided")
    assert said(result)["problem"]["code"].startswith("fetch-")


def test_of_several_badges_in_a_zip_the_worst_decides(laurel: Laurel, tmp_path: Path) -> None:
    path = tmp_path / "badges.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("good.json", json.dumps(self_signed()))
        archive.writestr("other.json", json.dumps(self_signed(issuer=SOMEBODY)))
        archive.writestr("empty.json", "")
    result = laurel(str(path), "--json")
    items = said(result)["items"]
    assert result.exit_code == 1
    assert sorted(item["verdict"] for item in items) == ["rejected", "rejected", "verified"]
    assert [item["problem"]["code"] for item in items if "problem" in item] == ["file-empty"]
    assert "other.json\n" in laurel(str(path)).output


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("nothing.json",),
        ("a.json", "b.json"),
        ("-", "--unknown"),
        ("-", "--pin", "z6Mk"),
        ("-", "--recipient"),
    ],
)
def test_a_command_that_is_not_understood_is_no_answer(laurel: Laurel, arguments: tuple[str, ...]) -> None:
    assert laurel(*arguments, input=json.dumps(self_signed())).exit_code == 64


def test_a_wrong_setting_is_no_answer(laurel: Laurel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAUREL_CONTEXTS_FOLDER", "/nowhere")
    result = laurel("-", input="{}")
    assert (result.exit_code, "LAUREL_CONTEXTS_FOLDER" in result.output) == (64, True)


def test_no_key_and_no_database_is_needed_where_the_service_would_need_them(
    laurel: Laurel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAUREL_BASE_URL", "https://badges.example")
    monkeypatch.setenv("LAUREL_DATABASE_URL", "postgresql://nobody@nowhere.invalid/none")
    assert laurel("-", input=json.dumps(self_signed())).exit_code == 0


# --- A bundle ------------------------------------------------------------------------------------------------------


@pytest.fixture
def maker() -> Iterator[Runtime]:
    """A service that makes bundles."""
    runtime = Runtime.stranger(lambda: NOW)
    yield runtime
    runtime.database.dispose()


def bundled(maker: Runtime, text: str) -> Any:
    """Return the bundle of a badge, to be changed by whoever forges one."""
    return json.loads(bundles.make(maker, text.encode()).to_bytes())


def put(bundle: Any, url: str, document: Any) -> None:
    """Lay a document into a bundle, with the digest that belongs to it."""
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    bundle["documents"][url] = bundles.Document(body, "application/json", NOW).to_json()


def checked(laurel: Laurel, tmp_path: Path, bundle: Any, *options: str) -> Result:
    path = tmp_path / "badge.bundle.json"
    path.write_text(json.dumps(bundle))
    return laurel(str(path), *options)


def outcome(report: Any, name: str) -> tuple[str, list[str]]:
    check = next(each for each in report["checks"] if each["name"] == name)
    return check["outcome"], [finding["code"] for finding in check["findings"]]


def test_a_bundle_is_checked_without_asking_anybody(
    laurel: Laurel, maker: Runtime, issuer: Publisher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = bundled(maker, issuer.text())
    unplug(monkeypatch)
    result = checked(laurel, tmp_path, bundle, "--json")
    assert result.exit_code == 0, result.output
    report = said(result)
    assert (report["verdict"], report["headline"], report["tone"]) == ("verified", "genuine-keys-open", "unsure")
    assert report["bundle"] == {
        "made_at": "2026-03-02T12:00:00Z",
        "status_age_seconds": 86400,
        "keys_from": "bundle",
        "keys": [issuer.key.key.thumbprint],
        "lists": [
            {"address": issuer.list_url, "signed_at": "2026-03-01T12:00:00Z", "fetched_at": "2026-03-02T12:00:00Z"}
        ],
    }


def test_it_is_said_in_plain_sentences_how_old_it_is_and_whose_word_the_keys_are(
    laurel: Laurel, maker: Runtime, issuer: Publisher, tmp_path: Path
) -> None:
    text = checked(laurel, tmp_path, bundled(maker, issuer.text())).output
    assert "Genuine, if the keys in this file are the issuer's" in text
    assert "was signed on 1 March 2026, 1 day ago; the bundle says that it was fetched on 2 March 2026." in text
    assert "A badge that was revoked after that would still look good here." in text
    assert "The person who made the bundle put the issuer's keys there." in text
    assert issuer.key.key.thumbprint in text
    assert "Do we know the issuer? Could not check." in text


def test_a_bundle_of_ours_answers_all_five_questions(
    laurel: Laurel, client: TestClient, runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = Stage.set_up(client, runtime)
    stage.member("m11", email="m11@river.example.org")
    stage.achievement()
    stage.share(1)
    stage.share(2)
    url = stage.awards()[0]["credential"]["url"]
    bundle = client.get(url + ".bundle").json()
    did_url = next(address for address in bundle["documents"] if address.endswith("/did.json"))
    (tmp_path / "did.json").write_bytes(client.get(did_url).content)
    unplug(monkeypatch)
    result = checked(laurel, tmp_path, bundle, "--json", "--pin", str(tmp_path / "did.json"))
    assert result.exit_code == 0, result.output
    answers = {question["name"]: question["reason"] for question in said(result)["questions"]}
    assert answers == {
        "authentic": "unchanged",
        "current": "in-force",
        "issuer": "issuer-unlisted",
        "evidence": "evidence-with-issuer",
        "policy": "policy-followed",
    }
    assert said(result)["bundle"]["keys_from"] == "pinned"
    (receipt,) = [address for address in bundle["documents"] if "/receipts/" in address]
    put(bundle, receipt, json.loads(bundle["documents"][receipt]["body"]) | {"basis": "override"})
    swapped = {
        question["name"]: question["reason"]
        for question in said(checked(laurel, tmp_path, bundle, "--json"))["questions"]
    }
    assert (swapped["evidence"], swapped["policy"]) == ("evidence-changed", "policy-receipt-changed")


def test_the_recipient_is_compared(laurel: Laurel, maker: Runtime, issuer: Publisher, tmp_path: Path) -> None:
    bundle = bundled(maker, issuer.text())
    assert checked(laurel, tmp_path, bundle, "--recipient", "did:example:member-1").exit_code == 0
    assert checked(laurel, tmp_path, bundle, "--recipient", "did:example:member-2").exit_code == 1


def test_a_bundle_comes_by_standard_input_too(laurel: Laurel, maker: Runtime, issuer: Publisher) -> None:
    assert laurel("-", input=json.dumps(bundled(maker, issuer.text()))).exit_code == 0


def test_a_bundle_that_is_damaged_is_refused(laurel: Laurel, maker: Runtime, issuer: Publisher, tmp_path: Path) -> None:
    bundle = bundled(maker, issuer.text())
    bundle["documents"][issuer.did_url]["body"] += " "
    result = checked(laurel, tmp_path, bundle, "--json")
    assert (result.exit_code, said(result)["problem"]["code"]) == (1, "bundle-digest")


@pytest.mark.parametrize("credential", ["", "{}", "a.b.c"])
def test_a_bundle_of_something_else_is_rejected(
    laurel: Laurel, maker: Runtime, issuer: Publisher, tmp_path: Path, credential: str
) -> None:
    bundle = bundled(maker, issuer.text()) | {"credential": credential}
    assert checked(laurel, tmp_path, bundle).exit_code == 1


def test_no_socket_is_opened_by_the_command_itself(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    party = Party(1)
    badge = party.credential(
        **{
            "@context": [V2, OPEN_BADGES],
            "type": ["VerifiableCredential"],
            "credentialSubject": {"id": "did:example:a"},
        }
    )
    (tmp_path / "badge.bundle.json").write_bytes(
        bundles.Bundle(json.dumps(party.sign(badge)), now, False, {}).to_bytes()
    )
    program = """
        import sys
        sys.modules["requests"] = None  # PyLD imports it where a tool of the tests brings it, and it looks for IPv6

        def refuse(event, arguments):
            if event.startswith("socket."):
                raise SystemExit(f"{event} {arguments}")

        sys.addaudithook(refuse)
        from service.cli import main
        sys.argv = ["laurel", "verify", "badge.bundle.json", "--json"]
        main.main()
    """
    empty = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", textwrap.dedent(program)]
    result = subprocess.run(command, cwd=tmp_path, env=empty, check=False, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["bundle"]["keys_from"] == "identifier"
    assert [path.name for path in tmp_path.iterdir()] == ["badge.bundle.json"]


# --- Bundles that somebody has made up -------------------------------------------------------------------------------


@pytest.fixture
def candidate(issuer: Publisher) -> Party:
    """Somebody with keys of their own who writes the issuer's name over them."""
    made = Party(9, issuer.party.host)
    assert made.did == issuer.party.did
    return made


def document_of(party: Party, *more: Party) -> Any:
    """Return a DID document with the keys of all these."""
    methods = [
        {
            "id": each.method(each.ed25519),
            "type": "Multikey",
            "controller": party.did,
            "publicKeyMultibase": each.ed25519.key.multikey,
        }
        for each in (party, *more)
    ]
    return {
        "id": party.did,
        "verificationMethod": methods,
        "assertionMethod": [method["id"] for method in methods],
    }


def pins(issuer: Publisher, tmp_path: Path) -> list[str]:
    """Return what an employer may have of the issuer from elsewhere, in every form."""
    key = issuer.key.key
    files = {
        "did.json": document_of(issuer.party),
        "jwk.json": key.jwk,
        "jwks.json": {"keys": [issuer.party.p256.key.jwk, key.jwk]},
    }
    for name, document in files.items():
        (tmp_path / name).write_text(json.dumps(document))
    return [key.multikey, f"did:key:{key.multikey}", key.thumbprint, *(str(tmp_path / name) for name in files)]


FORMS = range(6)


@pytest.mark.parametrize("form", FORMS)
def test_the_true_key_may_be_pinned_in_any_form(
    laurel: Laurel, maker: Runtime, issuer: Publisher, tmp_path: Path, form: int
) -> None:
    result = checked(laurel, tmp_path, bundled(maker, issuer.text()), "--json", "--pin", pins(issuer, tmp_path)[form])
    assert result.exit_code == 0, result.output
    assert (said(result)["bundle"]["keys_from"], said(result)["headline"]) == ("pinned", "genuine-unlisted")
    assert "Only the keys that you gave counted as the issuer's." in (
        checked(laurel, tmp_path, bundled(maker, issuer.text()), "--pin", pins(issuer, tmp_path)[form]).output
    )


@pytest.mark.parametrize("form", FORMS)
def test_a_forged_badge_with_a_forged_did_document_does_not_pass_a_pin(
    laurel: Laurel, maker: Runtime, issuer: Publisher, candidate: Party, tmp_path: Path, form: int
) -> None:
    bundle = bundled(maker, issuer.text())
    bundle["credential"] = json.dumps(candidate.sign(issuer.badge(name="Doctor of Everything")))
    put(bundle, issuer.did_url, document_of(candidate))
    put(bundle, issuer.list_url, issuer.status_list(by=candidate))
    unpinned = checked(laurel, tmp_path, bundle, "--json")
    report = said(unpinned)
    # Nobody can tell from the bundle alone, and that is what is said.
    assert (report["tone"], report["bundle"]["keys_from"]) == ("unsure", "bundle")
    assert report["bundle"]["keys"] == [candidate.ed25519.key.thumbprint] != [issuer.key.key.thumbprint]
    pinned = checked(laurel, tmp_path, bundle, "--json", "--pin", pins(issuer, tmp_path)[form])
    assert pinned.exit_code == 1, pinned.output
    assert outcome(said(pinned), "proof") == ("failed", ["verification-method-missing"])


def test_a_list_by_a_key_slipped_in_beside_the_true_one_does_not_pass_a_pin(
    laurel: Laurel, maker: Runtime, issuer: Publisher, candidate: Party, tmp_path: Path
) -> None:
    issuer.publish(revoked=True)
    bundle = bundled(maker, issuer.text())
    assert checked(laurel, tmp_path, bundle).exit_code == 1  # revoked
    put(bundle, issuer.did_url, document_of(issuer.party, candidate))
    put(bundle, issuer.list_url, issuer.status_list(by=candidate))
    assert checked(laurel, tmp_path, bundle).exit_code == 0  # as far as the bundle goes
    for pin in pins(issuer, tmp_path):
        pinned = checked(laurel, tmp_path, bundle, "--json", "--pin", pin)
        assert pinned.exit_code == 1, pinned.output
        assert outcome(said(pinned), "status") == ("failed", ["status-list-proof"])


def test_a_key_at_an_address_of_its_own_does_not_pass_a_pin(
    laurel: Laurel, maker: Runtime, issuer: Publisher, candidate: Party, tmp_path: Path
) -> None:
    address = f"{issuer.base_url}/keys/1"
    bundle = bundled(maker, issuer.text())
    bundle["credential"] = candidate.jwt(issuer.badge(), "vc+jwt", kid=address)
    put(bundle, address, candidate.ed25519.key.jwk)
    put(bundle, f"{issuer.base_url}/.well-known/jwks.json", {"keys": [candidate.ed25519.key.jwk]})
    assert checked(laurel, tmp_path, bundle).exit_code == 0
    for pin in pins(issuer, tmp_path):
        pinned = checked(laurel, tmp_path, bundle, "--json", "--pin", pin)
        assert pinned.exit_code == 1, pinned.output
        assert outcome(said(pinned), "issuer") == ("failed", ["key-not-issuers"])


def test_a_pin_of_somebody_else_rejects(laurel: Laurel, maker: Runtime, issuer: Publisher, tmp_path: Path) -> None:
    bundle = bundled(maker, issuer.text())
    assert checked(laurel, tmp_path, bundle, "--pin", Party(7).ed25519.key.thumbprint).exit_code == 1
    (tmp_path / "other.json").write_text(json.dumps(document_of(Party(7, "other.example"))))
    result = checked(laurel, tmp_path, bundle, "--json", "--pin", str(tmp_path / "other.json"))
    assert (result.exit_code, said(result)["problem"]["code"]) == (1, "pin-other")


def test_an_issuer_whose_id_is_its_key_needs_no_pin_and_holds_against_one(laurel: Laurel, tmp_path: Path) -> None:
    party = Party(3)
    text = json.dumps(self_signed())
    bundle = json.loads(bundles.Bundle(text, NOW, False, {}).to_bytes())
    result = checked(laurel, tmp_path, bundle, "--json")
    assert (result.exit_code, said(result)["bundle"]["keys_from"]) == (0, "identifier")
    assert "The issuer's id is its key" in checked(laurel, tmp_path, bundle).output
    own = said(result)["bundle"]["keys"][0]
    assert checked(laurel, tmp_path, bundle, "--pin", own).exit_code == 0
    assert checked(laurel, tmp_path, bundle, "--pin", party.ed25519.key.multikey).exit_code == 1


@pytest.mark.parametrize("text", ["", "z6Mk", "x" * 43 + "!", "{}", "{", '{"keys": [7]}', "did:key:z", '{"kty": "x"}'])
def test_what_is_no_key_is_no_pin(laurel: Laurel, maker: Runtime, issuer: Publisher, tmp_path: Path, text: str) -> None:
    assert checked(laurel, tmp_path, bundled(maker, issuer.text()), "--pin", text).exit_code == 64
    with pytest.raises(InvalidError) as caught:
        offline.read_pin(text)
    assert caught.value.code == "pin-unknown"


def test_an_old_list_is_as_old_as_it_was_signed_whatever_the_bundle_says(
    laurel: Laurel, maker: Runtime, issuer: Publisher, tmp_path: Path
) -> None:
    issuer.publish(signed_at=SIGNED_AT - timedelta(days=20))
    bundle = bundled(maker, issuer.text())
    bundle["documents"][issuer.list_url]["fetched_at"] = "2026-03-02T11:59:59Z"
    bundle["made_at"] = "2026-03-02T11:59:59Z"
    assert said(checked(laurel, tmp_path, bundle, "--json"))["bundle"]["status_age_seconds"] == 21 * 86400
    assert "signed on 9 February 2026, 21 days ago" in checked(laurel, tmp_path, bundle).output


def test_a_proof_added_to_an_old_list_makes_it_no_younger(
    laurel: Laurel, maker: Runtime, issuer: Publisher, tmp_path: Path
) -> None:
    listed = issuer.status_list(signed_at=SIGNED_AT - timedelta(days=20))
    unproven = {name: value for name, value in listed.items() if name != "proof"}
    added = Party(5).prove(unproven, created=NOW)
    bundle = bundled(maker, issuer.text())
    put(bundle, issuer.list_url, listed | {"proof": [added, *listed["proof"]]})
    report = said(checked(laurel, tmp_path, bundle, "--json"))
    assert (report["verdict"], report["bundle"]["status_age_seconds"]) == ("verified", 21 * 86400)


def test_a_list_beyond_its_time_decides_nothing(
    laurel: Laurel, maker: Runtime, issuer: Publisher, tmp_path: Path
) -> None:
    issuer.publish(signed_at=SIGNED_AT - timedelta(days=40))
    result = checked(laurel, tmp_path, bundled(maker, issuer.text()), "--json")
    assert (result.exit_code, outcome(said(result), "status")) == (2, ("undecided", ["status-list-outdated"]))
    assert said(result)["bundle"]["status_age_seconds"] == 41 * 86400


@pytest.mark.parametrize(
    ("changes", "signer", "found"),
    [
        ({"issuer": Party(5).did}, None, (1, ("failed", ["status-list-proof"]))),
        ({"issuer": Party(5).did}, Party(5), (2, ("undecided", ["status-list-issuer"]))),
        ({"id": "https://issuer.example/status/2"}, None, (2, ("undecided", ["status-list-other"]))),
    ],
)
def test_another_list_in_the_place_of_the_badges_own_is_found_out(
    laurel: Laurel,
    maker: Runtime,
    issuer: Publisher,
    tmp_path: Path,
    changes: dict[str, Any],
    signer: Party | None,
    found: tuple[int, tuple[str, list[str]]],
) -> None:
    bundle = bundled(maker, issuer.text())
    listed = issuer.status_list(**changes)
    if signer is not None:
        unproven = {name: value for name, value in listed.items() if name != "proof"}
        listed = unproven | {"proof": [signer.prove(unproven, created=NOW)]}
    put(bundle, issuer.list_url, listed)
    result = checked(laurel, tmp_path, bundle, "--json")
    assert (result.exit_code, outcome(said(result), "status")) == found


def test_without_its_list_a_badge_is_undecided(
    laurel: Laurel, maker: Runtime, issuer: Publisher, tmp_path: Path
) -> None:
    bundle = bundled(maker, issuer.text())
    del bundle["documents"][issuer.list_url]
    result = checked(laurel, tmp_path, bundle)
    assert result.exit_code == 2
    assert "we do not know whether the badge was taken back" in result.output


def test_a_list_without_signature_counts_for_nothing(
    laurel: Laurel, maker: Runtime, issuer: Publisher, tmp_path: Path
) -> None:
    address = f"{issuer.base_url}/revocations"
    issuer.world.documents[address] = {"id": address, "issuer": issuer.party.did, "revokedCredential": []}
    bundle = bundled(maker, issuer.text(credentialStatus={"id": address, "type": "1EdTechRevocationList"}))
    assert address in bundle["documents"]
    result = checked(laurel, tmp_path, bundle, "--json")
    assert (result.exit_code, outcome(said(result), "status")) == (2, ("undecided", ["status-list-unsigned"]))


def test_contexts_in_a_bundle_are_not_believed(
    laurel: Laurel, maker: Runtime, issuer: Publisher, tmp_path: Path
) -> None:
    bundle = bundled(maker, issuer.text())
    before = said(checked(laurel, tmp_path, bundle, "--json"))
    for url in (V2, OPEN_BADGES):
        put(bundle, url, {"@context": {"@vocab": "https://forged.example/#"}})
    assert said(checked(laurel, tmp_path, bundle, "--json")) == before
    unknown = "https://forged.example/context.json"
    badge = issuer.badge() | {"@context": [V2, OPEN_BADGES, unknown], "sneaked": "in"}
    bundle["credential"] = canonical_json(badge | {"proof": issuer.signed()["proof"]}).decode()
    put(bundle, unknown, {"@context": {"sneaked": "https://forged.example/#sneaked"}})
    report = said(checked(laurel, tmp_path, bundle, "--json"))
    assert outcome(report, "context")[0] == "undecided"
    assert report["verdict"] != "verified"
