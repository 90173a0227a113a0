"""The receipt of a check: what it says, that it verifies, and what nobody can make the service say.

What is checked are documents. But a receipt is signed with a key of the service, which is a row: most tests share one
database, and only those that ask over HTTP have one of their own.
"""

import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from io import BytesIO
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi.testclient import TestClient
from pypdf import PdfReader

from credentials import Fetched, Load, PrivateKeySigner, UnavailableError, bake, sign
from credentials.checks.digests import read_digests
from service.checking import check as checking
from service.checking import questions, verification, wording
from service.checking.check import Checked
from service.checking.desk import Desk
from service.checking.keeping import receipts
from service.errors import InvalidError
from service.runtime.custody import Custody
from service.runtime.runtime import Runtime
from service.signing import service_identity
from service.storage import migrations
from service.texts.languages import ENGLISH, SPANISH, Language
from tests.interop.issuing import Issuer
from tests.worlds.awarding import Stage
from tests.worlds.runtimes import Clock, desk_of, settings_in, start

pytestmark = pytest.mark.any_database("a receipt is made of what was checked; no row is written for it")

PERSON = "quite.secret@river.example.org"
SUBJECT = "credentialSubject"
HOSTILE = "<script>hostile()</script> [press](javascript:hostile())"


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runtime]:
    """A service on one database, for what does not depend on rows."""
    with start(
        settings_in(tmp_path_factory.mktemp("here")), Clock(datetime.now(UTC).replace(microsecond=0))
    ) as runtime:
        migrations.upgrade(runtime.database)
        yield runtime


@pytest.fixture
def issuer(here: Runtime) -> Issuer:
    """An issuer elsewhere."""
    issuer = Issuer()
    assert isinstance(here.now, Clock)
    here.now.at = issuer.now
    return issuer


def named(issuer: Issuer, name: Any) -> dict[str, Any]:
    badge = issuer.badge()
    badge[SUBJECT]["achievement"]["name"] = name
    return badge


def check(here: Runtime, issuer: Issuer, received: Any = None, recipient: str | None = None) -> Checked:
    text = json.dumps(issuer.sign(issuer.badge())) if received is None else received
    return checking.check(desk_of(here), text, recipient, documents=only(issuer))


def only(issuer: Issuer) -> Load:
    """Return what finds the documents of this issuer, and nothing else."""

    def load(url: str) -> Fetched:
        if url not in issuer.documents:
            raise UnavailableError("document-unknown", "nothing is there")
        return issuer.load(url)

    return load


def issued(here: Runtime, checked: Checked, language: Language = ENGLISH) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(receipts.issue(here, checked, language))
    return record


def evidence(record: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {item["name"]: item for item in record["evidence"]}


def badge_of(stage: Stage) -> str:
    stage.member("m11", email=PERSON)
    stage.achievement()
    for n in (1, 2):
        stage.share(n)
    return str(stage.awards()[0]["credential"]["url"])


# --- The record ------------------------------------------------------------------------------------------------------


def test_it_verifies_here_as_any_credential_does_and_is_by_the_service(here: Runtime, issuer: Issuer) -> None:
    text = receipts.issue(here, check(here, issuer), ENGLISH)
    report = verification.verify_received(here, text)
    assert report.verdict == "verified", report.checks
    assert json.loads(text)["issuer"]["id"] == service_identity.did(here.settings)
    assert checking.check(desk_of(here), text).headline == "not-a-badge"


def test_it_says_when_what_was_found_and_of_exactly_which_text(here: Runtime, issuer: Issuer) -> None:
    checked = check(here, issuer)
    record = issued(here, checked)
    read = receipts.read(record)
    assert read is not None
    assert (read.at, read.checker, read.checker_url) == (checked.at, "localhost:8000", here.settings.base_url)
    assert read.badge == json.loads(checked.received)["id"]
    assert read.badge_name == "Kollegiales Feedback · Stufe Ⅱ 🎖"
    assert read.badge_issuer == f"Physiklehrkräfte Zürich ⚛ ({issuer.base_url.removeprefix('https://')})"
    assert (read.headline, read.title, read.sentence) == (checked.headline, *wording.headline(checked, ENGLISH))
    assert [(each.name, each.answer) for each in read.answers] == [(q.name, q.answer) for q in checked.questions]
    assert [each.sentence for each in read.answers] == [said.sentence for said in wording.said(checked, ENGLISH)]
    assert read_digests({"digestMultibase": read.digest})[0].fits(checked.received)
    assert receipts.digest_of(read) == sha256(checked.received).hexdigest()


def test_equal_checks_have_equal_records_apart_from_the_id(here: Runtime, issuer: Issuer) -> None:
    checked = check(here, issuer)
    one, other = (receipts.issue(here, checked, ENGLISH) for _ in range(2))
    first, second = json.loads(one), json.loads(other)
    assert first["id"] != second["id"]
    del first["proof"], second["proof"]
    assert json.dumps(first).replace(first["id"], "") == json.dumps(second).replace(second["id"], "")


def test_a_record_that_was_changed_is_rejected(here: Runtime, issuer: Issuer) -> None:
    record = issued(here, check(here, issuer))
    for member, other in (("genre", "yes"), ("narrative", "Known from: everybody.")):
        copy = json.loads(json.dumps(record))
        evidence(copy)["issuer"][member] = other
        assert verification.verify_received(here, json.dumps(copy)).verdict == "rejected"


def test_it_stays_good_when_the_service_has_a_new_key(here: Runtime, issuer: Issuer) -> None:
    text = receipts.issue(here, check(here, issuer), ENGLISH)
    with here.database.write() as session:
        service_identity.rotate(session, here, here.now())
    assert verification.verify_received(here, text).verdict == "verified"
    newer = receipts.issue(here, check(here, issuer), ENGLISH)
    methods = [json.loads(each)["proof"][0]["verificationMethod"] for each in (text, newer)]
    assert methods[0] != methods[1]


def test_it_speaks_the_language_of_whoever_asked(here: Runtime, issuer: Issuer) -> None:
    checked = check(here, issuer)
    text = receipts.issue(here, checked, SPANISH)
    assert verification.verify_received(here, text).verdict == "verified"
    read = receipts.read(json.loads(text))
    assert read is not None
    assert (read.title, read.sentence) == wording.headline(checked, SPANISH)
    root: Any = PdfReader(BytesIO(receipts.pdf(text, SPANISH))).root_object
    assert root["/Lang"] == "es"


def test_the_digest_of_a_picture_is_that_of_the_credential_in_it(here: Runtime, issuer: Issuer) -> None:
    text = json.dumps(issuer.sign(issuer.badge()), indent=1)
    picture = bake(b'<svg xmlns="http://www.w3.org/2000/svg"/>', text)
    record = issued(here, check(here, issuer, picture))
    assert read_digests(evidence(record)["credential"])[0].fits(text.encode())


def test_a_newer_copy_is_named_as_what_the_answers_are_about(here: Runtime, issuer: Issuer) -> None:
    checked = check(here, issuer)
    newer = replace(checked, report=replace(checked.report, refreshed=True))
    plain, told = (evidence(issued(here, each))["credential"]["narrative"] for each in (checked, newer))
    assert told.startswith(plain)
    assert "newer copy" in told


# --- The person ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("recipient", "answer"), [(None, "not-asked"), ("élève@schule.example", "yes"), (PERSON, "no")]
)
def test_the_person_is_compared_and_not_named(
    here: Runtime, issuer: Issuer, caplog: pytest.LogCaptureFixture, recipient: str | None, answer: str
) -> None:
    caplog.set_level(logging.DEBUG)
    text = receipts.issue(here, check(here, issuer, recipient=recipient), ENGLISH)
    assert evidence(json.loads(text))["recipient"]["genre"] == answer
    document = receipts.pdf(text, ENGLISH)
    shown = PdfReader(BytesIO(document)).pages[0].extract_text()
    for kept in (text, document.decode("latin-1"), shown, caplog.text):
        assert "schule.example" not in kept
        assert "secret" not in kept


def test_a_person_that_the_badge_does_not_let_compare_stays_open(here: Runtime, issuer: Issuer) -> None:
    badge = issuer.badge()
    del badge[SUBJECT]["identifier"]
    checked = check(here, issuer, json.dumps(issuer.sign(badge)), PERSON)
    assert evidence(issued(here, checked))["recipient"]["genre"] == "could-not-check"


# --- What a stranger cannot make the service say ---------------------------------------------------------------------


def test_a_changed_copy_is_not_called_by_the_address_of_the_badge(here: Runtime, issuer: Issuer) -> None:
    copy = issuer.sign(issuer.badge()) | {"description": "changed"}
    checked = check(here, issuer, json.dumps(copy))
    record = issued(here, checked)
    assert checked.headline == "changed"
    assert record[SUBJECT]["id"].startswith("ni:///sha-256;")
    assert copy["id"] not in json.dumps(record)
    assert verification.verify_received(here, json.dumps(record)).verdict == "verified"


@pytest.mark.parametrize(
    "address", ["https://somebody.else.example/credentials/1", "urn:uuid:1a2b3c4d-0000-4000-8000-000000000000"]
)
def test_a_badge_is_not_called_by_an_address_that_is_not_its_issuers(
    here: Runtime, issuer: Issuer, address: str
) -> None:
    record = issued(here, check(here, issuer, json.dumps(issuer.sign(issuer.badge(id=address)))))
    assert record[SUBJECT]["id"].startswith("ni:///sha-256;")


def test_an_issuer_without_a_domain_owns_no_address(here: Runtime, issuer: Issuer) -> None:
    signer = PrivateKeySigner(Ed25519PrivateKey.generate())
    did = f"did:key:{signer.key.multikey}"
    badge = issuer.badge(issuer={"id": did, "type": ["Profile"], "name": "Somebody"})
    del badge["credentialStatus"]
    method = f"{did}#{signer.key.multikey}"
    signed = sign(badge, signer, verification_method=method, created=issuer.now)
    checked = check(here, issuer, json.dumps(signed))
    assert checked.headline == "genuine-unlisted"
    record = issued(here, checked)
    assert record[SUBJECT]["id"].startswith("ni:///sha-256;")
    assert evidence(record)["issuer"]["description"] == did


def test_of_what_the_badge_says_only_two_names_are_signed_and_without_markup(here: Runtime, issuer: Issuer) -> None:
    badge = named(issuer, HOSTILE)
    badge["issuer"] |= {"name": HOSTILE, "description": HOSTILE, "email": "hostile@elsewhere.example"}
    badge |= {"name": HOSTILE, "description": "hostile prose"}
    badge[SUBJECT]["achievement"] |= {"description": "hostile prose", "criteria": {"narrative": "hostile prose"}}
    text = receipts.issue(here, check(here, issuer, json.dumps(issuer.sign(badge))), ENGLISH)
    assert "\u2039script\u203ahostile()\u2039/script\u203a [press] (javascript" in text
    for left in ("<", "](", "prose", "elsewhere"):
        assert left not in text
    assert verification.verify_received(here, text).verdict == "verified"


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("  Two\r\n\tlines \u2028 here ", "Two lines here"),
        ("a\u202egnp.exe\u2066b\u0000c\ufeff", "agnp.exebc"),
        ("می\u200cکند 👩\u200d🏫", "می\u200cکند 👩\u200d🏫"),
        ("x" * 500, "x" * 159 + "…"),
        (["a"], ""),
        (None, ""),
    ],
)
def test_a_name_is_one_short_line(name: object, kept: str) -> None:
    assert receipts.plain(name) == kept


@pytest.mark.parametrize("name", ["", 7, "\u202e"])
def test_a_badge_may_have_no_name(here: Runtime, issuer: Issuer, name: object) -> None:
    badge = named(issuer, name) | {"name": "\u200b"}
    record = issued(here, check(here, issuer, json.dumps(badge)))
    assert record[SUBJECT]["name"] == "Badge without a name"


@pytest.mark.parametrize("received", ["", "hello", "[]", '{"a": 1, "a": 2}', "a.b.c", "%PDF-1.7"])
def test_there_is_no_receipt_of_what_cannot_be_read(here: Runtime, received: str) -> None:
    with pytest.raises(InvalidError) as caught:
        receipts.issue(here, checking.check(desk_of(here), received), ENGLISH)
    assert caught.value.code == "nothing-to-record"


@pytest.mark.parametrize("odd", [[], 7, None, "text", {"achievement": [1]}, [{"achievement": {"name": ["x"]}}]])
def test_a_credential_of_any_shape_has_a_receipt_that_verifies(here: Runtime, issuer: Issuer, odd: Any) -> None:
    credential = issuer.sign(issuer.badge()) | {SUBJECT: odd, "issuer": odd, "id": odd, "name": odd}
    text = receipts.issue(here, check(here, issuer, json.dumps(credential)), ENGLISH)
    assert verification.verify_received(here, text).verdict == "verified"
    assert receipts.read(json.loads(text)) is not None
    assert receipts.pdf(text, ENGLISH).startswith(b"%PDF")


# --- Reading one -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("other", [None, [], "text", {}, {"id": 1, "evidence": [{"id": 2}]}, {"evidence": None}])
def test_what_is_no_receipt_is_not_read_as_one(other: object) -> None:
    assert receipts.read(other) is None


def test_a_badge_is_not_read_as_a_receipt(issuer: Issuer) -> None:
    assert receipts.read(issuer.badge()) is None


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("authentic", {"genre": "perhaps"}),
        ("authentic", {"narrative": 7}),
        ("recipient", {"genre": "somebody"}),
        ("headline", {"genre": "marvellous"}),
        ("policy", {"id": "urn:uuid:other#policy"}),
        ("credential", {"digestMultibase": None}),
    ],
)
def test_a_record_of_another_form_is_not_read(here: Runtime, issuer: Issuer, name: str, change: dict[str, Any]) -> None:
    record = issued(here, check(here, issuer))
    evidence(record)[name] |= change
    assert receipts.read(record) is None


@pytest.mark.parametrize(
    "change", [{"type": ["VerifiableCredential", "OpenBadgeCredential"]}, {"validFrom": "today"}, {"issuer": "did:a:b"}]
)
def test_a_record_with_other_members_is_not_read(here: Runtime, issuer: Issuer, change: dict[str, Any]) -> None:
    assert receipts.read(issued(here, check(here, issuer)) | change) is None


def test_every_answer_has_its_words(here: Runtime, issuer: Issuer) -> None:
    record = issued(here, check(here, issuer))
    assert list(evidence(record)) == ["headline", *questions.NAMES, "recipient", "credential"]


def test_who_made_it_is_told_by_domain_and_not_by_what_they_call_themselves(here: Runtime, issuer: Issuer) -> None:
    record = issued(here, check(here, issuer))
    for did, told in (("did:web:elsewhere.example:a", "elsewhere.example"), ("did:key:z6Mk", "did:key:z6Mk")):
        read = receipts.read(record | {"issuer": record["issuer"] | {"id": did}})
        assert read is not None
        assert (read.checker, read.checker_name) == (told, "Laurel at localhost:8000")


# --- The document ----------------------------------------------------------------------------------------------------


def test_the_document_can_be_read_aloud_and_kept_for_long(here: Runtime, issuer: Issuer) -> None:
    text = receipts.issue(here, check(here, issuer), ENGLISH)
    document = PdfReader(BytesIO(receipts.pdf(text, ENGLISH)))
    assert document.metadata is not None
    assert document.metadata.title == "Check receipt: Kollegiales Feedback · Stufe Ⅱ 🎖"
    assert document.metadata.creation_date == issuer.now
    root: Any = document.root_object
    assert root["/Lang"] == "en"
    assert root["/MarkInfo"]["/Marked"]
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    about = root["/Metadata"].get_data().decode()
    for part in ("<pdfaid:part>3", "<pdfaid:conformance>A", "<pdfuaid:part>1"):
        assert part in about


def test_the_document_carries_its_record_and_says_the_same(here: Runtime, issuer: Issuer) -> None:
    checked = check(here, issuer)
    text = receipts.issue(here, checked, ENGLISH)
    document = PdfReader(BytesIO(receipts.pdf(text, ENGLISH)))
    ((name, contents),) = document.attachments.items()
    assert (name, contents) == ("check-receipt.json", [text.encode()])
    assert verification.verify_received(here, contents[0]).verdict == "verified"
    (page,) = document.pages
    shown = " ".join(page.extract_text().split())
    read = receipts.read(json.loads(text))
    assert read is not None
    said = [part for each in wording.said(checked, ENGLISH) for part in (each.question, each.word, each.sentence)]
    for part in (read.title, read.sentence, read.badge, read.id, receipts.digest_of(read), *said):
        assert part in shown
    assert f"{here.settings.base_url}/verify" in shown


def test_the_same_record_makes_the_same_document(here: Runtime, issuer: Issuer) -> None:
    text = receipts.issue(here, check(here, issuer), ENGLISH)
    assert receipts.pdf(text, ENGLISH) == receipts.pdf(text, ENGLISH)


def test_letters_of_many_scripts_are_shown_and_others_are_said_to_be_missing(here: Runtime, issuer: Issuer) -> None:
    for name, shown in (
        ("Żółć Ελληνικά Кириллица ⚛", "Żółć Ελληνικά Кириллица ⚛"),
        ("技能バッジ 🎖 한국 𒀀𒀁 Żółć", "技能バッジ 🎖 한국 ▯▯ Żółć"),
    ):
        text = receipts.issue(here, check(here, issuer, json.dumps(issuer.sign(named(issuer, name)))), ENGLISH)
        document = PdfReader(BytesIO(receipts.pdf(text, ENGLISH)))
        words = " ".join(document.pages[0].extract_text().split())
        assert shown in words
        assert ("replaces a character" in words) == ("▯" in shown)
        assert document.metadata is not None
        assert document.metadata.title == f"Check receipt: {name}"


@pytest.mark.parametrize("letters", ["W", "W ", "\u0301W", "#panic() *b* _ $x$ @a ", "عربي ", "技"])
def test_the_longest_names_keep_to_one_page_and_are_no_markup(here: Runtime, issuer: Issuer, letters: str) -> None:
    name = letters * 200
    badge = named(issuer, name)
    badge["issuer"]["name"] = name
    text = receipts.issue(here, check(here, issuer, json.dumps(issuer.sign(badge)), PERSON), ENGLISH)
    document = PdfReader(BytesIO(receipts.pdf(text, ENGLISH)))
    (page,) = document.pages
    if letters.startswith("#"):
        assert "#panic() *b* _ $x$ @a" in " ".join(page.extract_text().split())


def test_a_document_is_made_of_a_record_only(issuer: Issuer) -> None:
    with pytest.raises(ValueError, match="as `issue` returned it"):
        receipts.pdf(json.dumps(issuer.badge()), ENGLISH)


# --- At its addresses ------------------------------------------------------------------------------------------------


def test_a_form_gets_the_record_or_the_document_to_keep(client: TestClient, runtime: Runtime) -> None:
    url = badge_of(Stage.set_up(client, runtime))
    text = client.get(url + ".json").text
    for received in (url, text):
        for form, media_type in (("json", "application/vc+ld+json"), ("pdf", "application/pdf")):
            answer = client.post(f"/verify/receipt.{form}", data={"received": received, "recipient": PERSON})
            assert answer.status_code == 200, answer.text
            assert answer.headers["Content-Type"] == media_type
            assert answer.headers["Cache-Control"] == "no-store"
            found = answer.headers["Content-Disposition"]
            assert found.startswith('attachment; filename="check-receipt-2026-03-02-')
            assert found.endswith(f'.{form}"')
            content = answer.content
            if form == "pdf":
                ((content,),) = PdfReader(BytesIO(content)).attachments.values()
            report = verification.verify_received(runtime, content)
            assert report.verdict == "verified"
            read = receipts.read(report.credential)
            assert read is not None
            assert (read.badge, read.headline, read.recipient.answer) == (url, "genuine", "yes")
            assert read_digests({"digestMultibase": read.digest})[0].fits(text.encode())
            assert PERSON.encode() not in content


def test_the_digest_is_of_the_text_as_it_was_before_the_browser_sent_it(client: TestClient, runtime: Runtime) -> None:
    url = badge_of(Stage.set_up(client, runtime))
    text = json.dumps(client.get(url + ".json").json(), indent=2)
    answer = client.post("/verify/receipt.json", data={"received": text.replace("\n", "\r\n")})
    assert read_digests(evidence(answer.json())["credential"])[0].fits(text.encode())


def test_a_revoked_badge_has_a_receipt_that_says_so(client: TestClient, runtime: Runtime) -> None:
    stage = Stage.set_up(client, runtime)
    url = badge_of(stage)
    stage.send("POST", f"/v1/credentials/{url.rpartition('/')[2]}/revocation", {"reason": "A mistake."})
    record = client.post("/verify/receipt.json", data={"received": url}).json()
    assert record[SUBJECT]["id"] == url
    assert evidence(record)["current"]["genre"] == "no"
    assert verification.verify_received(runtime, json.dumps(record)).verdict == "verified"


@pytest.mark.parametrize("form", ["json", "pdf"])
@pytest.mark.parametrize("received", ["", "hello", "http://10.0.0.1/", "http://localhost:8000/nothing<b>%3A</b>"])
def test_what_cannot_be_read_is_answered_with_a_page_and_signs_nothing(
    client: TestClient, runtime: Runtime, form: str, received: str
) -> None:
    answer = client.post(f"/verify/receipt.{form}", data={"received": received})
    assert answer.status_code == 422
    assert "No receipt could be made" in answer.text
    assert "<b>" not in answer.text
    assert "Content-Disposition" not in answer.headers
    with runtime.database.read() as session:
        assert service_identity.keys(session) == []


def test_a_file_is_not_taken(client: TestClient) -> None:
    answer = client.post("/verify/receipt.json", files={"received": ("badge.json", b"{}")})
    assert answer.status_code in {400, 422}


def test_there_are_fair_limits(client: TestClient, desk: Desk) -> None:
    for _ in range(int(desk.fair_use.burst)):
        desk.fair_use.take("testclient", desk.steady())
    answer = client.post("/verify/receipt.json", data={"received": "{}"})
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "1")


def test_without_its_key_the_service_gives_none(client: TestClient, runtime: Runtime) -> None:
    url = badge_of(Stage.set_up(client, runtime))
    service_identity.identity(runtime)
    for path in runtime.settings.keys_folder.glob("*.pem"):
        path.unlink()
    client.app.state.desk = desk_of(replace(runtime, custody=Custody(runtime.settings)))  # type: ignore[attr-defined]
    answer = client.post("/verify/receipt.json", data={"received": url})
    assert answer.status_code == 503
    assert "No receipt could be made" in answer.text
