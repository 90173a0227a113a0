"""Receipts of checks before other people's verifiers: what the service signs is verified without it."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from credentials import Fetched, UnavailableError
from credentials.proofs.dids import did_web_url
from service.checking import check
from service.checking.keeping import receipts
from service.runtime.runtime import Runtime
from service.signing import service_identity
from service.storage import migrations
from service.texts.languages import ENGLISH, SPANISH, Language
from tests.interop import verifying
from tests.interop.issuing import Issuer
from tests.interop.judging import Judges
from tests.worlds.runtimes import Clock, desk_of, settings_in, start


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runtime]:
    """A service; other people's programs go by the clock on the wall."""
    with start(
        settings_in(tmp_path_factory.mktemp("here")), Clock(datetime.now(UTC).replace(microsecond=0))
    ) as runtime:
        migrations.upgrade(runtime.database)
        yield runtime


def receipt(here: Runtime, *, changed: bool = False, language: Language = ENGLISH) -> dict[str, Any]:
    """Return the receipt of the check of a badge, or of a copy of it that was changed."""
    issuer = Issuer()

    def load(url: str) -> Fetched:
        if url not in issuer.documents:
            raise UnavailableError("document-unknown", "nothing is there")
        return issuer.load(url)

    signed = issuer.sign(issuer.badge()) | ({"name": "Doctor of Everything"} if changed else {})
    checked = check.check(desk_of(here), json.dumps(signed), "élève@schule.example", documents=load)
    record: dict[str, Any] = json.loads(receipts.issue(here, checked, language))
    return record


def documents(here: Runtime) -> dict[str, Any]:
    """Return what lies at the service's own address."""
    with here.database.read() as session:
        return {did_web_url(service_identity.did(here.settings)): service_identity.did_document(session, here.settings)}


@pytest.mark.parametrize("language", [ENGLISH, SPANISH])
@pytest.mark.parametrize("changed", [False, True])
def test_digital_bazaar_verifies_a_receipt(judges: Judges, here: Runtime, changed: bool, language: Language) -> None:
    signed = receipt(here, changed=changed, language=language)
    answer = judges.ask("digitalbazaar", credential=signed, documents=documents(here))
    assert answer == {"verified": True, "reasons": [], "statuses": []}


def test_digital_bazaar_verifies_a_receipt_by_a_key_that_was_retired(judges: Judges, here: Runtime) -> None:
    signed = receipt(here)
    with here.database.write() as session:
        service_identity.rotate(session, here, here.now())
    for each in (signed, receipt(here)):
        assert judges.ask("digitalbazaar", credential=each, documents=documents(here))["verified"] is True


def test_digital_bazaar_refuses_a_changed_receipt(judges: Judges, here: Runtime) -> None:
    signed = receipt(here, changed=True)
    next(item for item in signed["evidence"] if item["name"] == "authentic")["genre"] = "yes"
    answer = judges.ask("digitalbazaar", credential=signed, documents=documents(here))
    assert answer["verified"] is False
    assert "Invalid signature." in answer["reasons"]


def test_the_consortium_verifies_a_receipt(judges: Judges, here: Runtime) -> None:
    answer = judges.ask("digitalcredentials", credential=receipt(here), documents=documents(here))
    assert answer["steps"]["valid_signature"] is True
    assert answer["reasons"] == []


def test_openvc_verifies_a_receipt(here: Runtime) -> None:
    signed = receipt(here)  # with the first one the service gets its keys
    result = verifying.openvc(documents(here), signed)
    assert result.issuer == service_identity.did(here.settings)


def test_every_term_of_a_receipt_is_signed(judges: Judges, here: Runtime) -> None:
    signed = {name: value for name, value in receipt(here).items() if name != "proof"}
    canonical = judges.ask("canonicalization", document=signed, documents={})["canonical"]
    texts = [value for item in signed["evidence"] for name, value in item.items() if name not in {"id", "type"}]
    texts += [signed["name"], signed["description"], *signed["credentialSubject"].values()]
    for text in texts:
        assert json.dumps(text, ensure_ascii=False)[1:-1] in canonical
