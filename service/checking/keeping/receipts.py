"""Receipts of a check: a signed and dated record of its result.

It is a Verifiable Credential of the service, so that anybody can verify it like a badge. The service keeps no copy.

A stranger decides what is checked, so this module limits what the service signs: codes of answers, sentences of our
own, and only two names from the badge, short and without markup. A badge is called by its address only where its
issuer owns that address: otherwise someone could show a bad copy to get a record against somebody else's badge.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final, get_args
from uuid import uuid4

from credentials import CredentialError, extract, parse_json, reading, sign
from credentials.checks.digests import read_digests
from credentials.instants import read_instant, write_instant
from credentials.model.values import V2_CONTEXT
from credentials.proofs.encodings import base64url_encode
from service.checking import questions, wording
from service.checking.check import Checked
from service.checking.issuers import domain_of
from service.checking.keeping import printing
from service.checking.tones import TONES, Tone
from service.errors import InvalidError
from service.issuing.citations import multibase
from service.runtime.runtime import Runtime
from service.signing import service_identity
from service.texts.display_names import MAX_NAME, one_line
from service.texts.languages import N_, Language

CONTEXTS: Final = (V2_CONTEXT, "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json")
TYPE: Final = ("VerifiableCredential",)
NAME = N_("Check receipt")
MAX_ADDRESS, MAX_DOMAIN, MAX_TEXT = 300, 260, 1000

RECIPIENT: Final[Mapping[str, str]] = {
    "yes": N_("It was issued to the person who was named. We did not check who that person is."),
    "no": N_(
        "It was issued to a different address than the one that was named. People change addresses: ask the person."
    ),
    "could-not-check": N_("It could not be compared with the person who was named."),
    "not-asked": N_("Nobody was named. A valid badge does not prove who holds it."),
}
"""The sentence on the comparison with a person, who is not named, for each answer."""

LIMITS: Final = (
    N_("That the person who showed the badge is the person it was issued to."),
    N_("That what the badge says is true. A signature shows who said it, and that nothing was changed since."),
    N_("That the issuer is who its name suggests. Names can look alike: only the domain is its own."),
    N_("That the badge is still valid later. An issuer can take it back."),
)
"""What neither a signature nor this record proves."""

VERIFYING = N_(
    "This document contains its signed record, the file check-receipt.json. Drop the document at %(address)s, or open "
    "the file in any program that checks Verifiable Credentials. Only the signed record counts."
)
UNSHOWN_NOTE = N_("%(mark)s replaces a character that this document cannot show. The signed record has it.")
TONE_WORDS: Final[Mapping[Tone, str]] = {
    "good": N_("Good"),
    "unsure": N_("An open question"),
    "bad": N_("Bad"),
}
NOT_ASKED, DIFFERENT_ADDRESS = N_("Not asked"), N_("Different address")

_COMPARED: Final = {"passed": "yes", "failed": "no", "undecided": "could-not-check", "skipped": "not-asked"}
_CREDENTIAL = N_("The SHA-256 digest of the credential, byte for byte as it was checked.")
_REFRESHED = N_("Its issuer has a newer copy. The answers are about that one.")
_NAMELESS = N_("Badge without a name")
_ADDRESS = re.compile(r"""https?://[!#-;=?-\[\]_a-z~]+""")
_ANGLES = {ord("<"): "\u2039", ord(">"): "\u203a"}


@dataclass(frozen=True)
class ReceiptAnswer:
    """An answer in a record: the name of the question, the code of the answer, and a sentence."""

    name: str
    answer: str
    sentence: str


@dataclass(frozen=True)
class CheckReceipt:
    """What a record of a check says.

    Only a verification shows who says so, and whether they signed it.

    Args:
        id: of the record.
        at: when the check was made.
        checker: the domain of the signer, or their DID where it belongs to no domain.
        checker_name, checker_url: what they call themselves, and their address.
        badge: the address of the badge, or a name made of the digest of its bytes.
        badge_name, badge_issuer: what the badge calls itself, and whom it names as issuer.
        headline, title, sentence: the result of the check, as stable code and in words.
        answers: to the five questions, in the order of `questions.NAMES`.
        recipient: the answer to whether it is a certain person's.
        digest: of the credential that was checked: multihash in multibase.
    """

    id: str
    at: datetime
    checker: str
    checker_name: str
    checker_url: str
    badge: str
    badge_name: str
    badge_issuer: str
    headline: str
    title: str
    sentence: str
    answers: tuple[ReceiptAnswer, ...]
    recipient: ReceiptAnswer
    digest: str


def issue(runtime: Runtime, checked: Checked, language: Language) -> str:
    """Sign the record of a check, dated at the instant of the check; return JSON text.

    Shape: a VC 2.0 credential `{@context, id, type, name, description, issuer, validFrom, credentialSubject, evidence,
    proof}`: `description` the headline; credentialSubject `{id, name, description}`, the badge; `evidence` an item for
    the headline, each of the five questions, the recipient and the credential `{id, type, name, genre, narrative}`,
    with the answer's code as `genre`, and in the last one `digestMultibase`. Apart from its `id`, equal checks have
    equal records.

    Raises:
        InvalidError: the check found no credential to record (code "nothing-to-record").
        CustodyError: the service cannot sign now (codes "custody-unavailable").
    Spec: VC Data Model 2.0, section 4; Open Badges 3.0, section B.1.10 (Evidence).
    """
    if checked.report.credential is None or checked.outcome("parse") != "passed":
        message = "Expected something that can be read as a credential, got nothing that a record could be about."
        raise InvalidError("nothing-to-record", message)
    title, sentence = wording.headline(checked, language)
    record_id = f"urn:uuid:{uuid4()}"
    credential = checked.report.readable
    record = {
        "@context": list(CONTEXTS),
        "id": record_id,
        "type": list(TYPE),
        "name": language.gettext(NAME),
        "description": title,
        "issuer": service_identity.profile(runtime.settings),
        "validFrom": write_instant(checked.at),
        "credentialSubject": {
            "id": _called(checked, credential),
            "name": _name_of(credential) or language.gettext(_NAMELESS),
            "description": sentence or title,
        },
        "evidence": [
            {"id": f"{record_id}#{item['name']}", "type": ["Evidence"], **item}
            for item in _evidence(checked, title, language)
        ],
    }
    identity = service_identity.identity(runtime)
    signed = sign(
        record,
        identity.signer,
        verification_method=identity.verification_method,
        created=checked.at,
        contexts=runtime.contexts,
    )
    return json.dumps(signed, ensure_ascii=False, indent=2)


def read(credential: object) -> CheckReceipt | None:
    """Return what a credential says if it has the form of such a record, of any issuer; otherwise None."""
    try:
        return _read(credential)
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def pdf(signed: str, language: Language) -> bytes:
    """Return a record as a PDF of one page, with the record attached.

    The same record gives the same bytes.

    Args:
        signed: as `issue` returned it.
        language: the one in which it was issued.
    """
    receipt = _own(signed)
    title = language.gettext(N_("Check receipt: %(badge)s"), badge=receipt.badge_name)
    return printing.pdf(
        "check_receipt.typ", _shown_receipt(receipt, language), title=title, attached=signed, at=receipt.at
    )


def file_name(signed: str, ending: str) -> str:
    """Return a name for the file of a record: the day, and enough of its id to tell it from others."""
    receipt = _own(signed)
    return f"check-receipt-{receipt.at:%Y-%m-%d}-{receipt.id[-8:]}.{ending}"


def text_of(received: bytes) -> bytes:
    """Return the credential as it was checked: as received, or as baked into the received picture."""
    try:
        return extract(received).encode()
    except CredentialError:
        return received


def digest_of(receipt: CheckReceipt) -> str:
    """Return the SHA-256 digest of the checked credential in hexadecimal, as tools for files write it."""
    return read_digests({"digestMultibase": receipt.digest})[0].value.hex()


def plain(value: object, limit: int = MAX_NAME) -> str:
    """Return a stranger's text as a name: one line, a limited length, no markup, no invisible characters.

    As `one_line`; < and > become quotation marks of one angle, and brackets make no link, so that a reader of HTML or
    Markdown finds neither.
    """
    text = one_line(value, 4 * limit).translate(_ANGLES).replace("](", "] (")
    return one_line(text, limit)


def _called(checked: Checked, credential: Mapping[str, Any]) -> str:
    """Return the badge's address, if its issuer owns it and signed the badge.

    Otherwise, return a name for its bytes.

    Spec: RFC 6920, section 3 (ni).
    """
    address, domain = credential.get("id"), checked.issuer.domain if checked.issuer is not None else ""
    proven = checked.outcome("proof") == checked.outcome("issuer") == "passed"
    written = isinstance(address, str) and len(address) <= MAX_ADDRESS and _ADDRESS.fullmatch(address) is not None
    if proven and written and domain and domain_of(str(address)) == domain:
        return str(address)
    return f"ni:///sha-256;{base64url_encode(sha256(text_of(checked.received)).digest())}"


def _name_of(credential: Mapping[str, Any]) -> str:
    named = reading.only_text(reading.achievement(credential).get("name"))
    return plain(named) or plain(reading.only_text(credential.get("name")))


def _evidence(checked: Checked, title: str, language: Language) -> Iterator[dict[str, str]]:
    issuer = checked.issuer
    if issuer is not None:
        # The domain, which only the issuer can have, follows the name and is never cut off.
        issuer = replace(issuer, name=plain(issuer.name), id=plain(issuer.id), domain=plain(issuer.domain, MAX_DOMAIN))
    yield {"name": "headline", "genre": checked.headline, "narrative": title}
    for said in wording.said(replace(checked, issuer=issuer), language):
        item = {"name": said.name, "genre": said.answer, "narrative": said.sentence}
        if said.name == "issuer" and issuer is not None:
            item["description"] = f"{issuer.name or issuer.id} ({issuer.domain})" if issuer.domain else issuer.id
        yield item
    compared = _COMPARED[checked.outcome("recipient")]
    yield {"name": "recipient", "genre": compared, "narrative": language.gettext(RECIPIENT[compared])}
    about = [_CREDENTIAL, _REFRESHED] if checked.report.refreshed else [_CREDENTIAL]
    yield {
        "name": "credential",
        "genre": "credential",
        "narrative": " ".join(language.gettext(text) for text in about),
        "digestMultibase": multibase(sha256(text_of(checked.received)).hexdigest()),
    }


def _own(signed: str) -> CheckReceipt:
    receipt = read(parse_json(signed))
    if receipt is None:
        raise ValueError("expected a record as `issue` returned it")
    return receipt


def _shown_receipt(receipt: CheckReceipt, language: Language) -> dict[str, Any]:
    """Return the texts that the document shows."""
    say = language.gettext
    at = receipt.at.astimezone(UTC)
    words = {**wording.ANSWERS, "not-asked": NOT_ASKED}
    compared = words | {"no": DIFFERENT_ADDRESS}
    asked = {**wording.QUESTIONS, "recipient": N_("Is it this person's?")}
    facts = (
        (N_("Badge"), receipt.badge_name, False),
        (N_("Its address"), receipt.badge if not receipt.badge.startswith("ni:") else "", True),
        (N_("Names as its issuer"), receipt.badge_issuer, False),
        (N_("Checked on"), f"{language.moment(at)} ({write_instant(at)})", False),
        (N_("SHA-256 of its text"), digest_of(receipt), True),
    )
    return {
        "lang": language.code,
        "name": say(NAME),
        "checker": receipt.checker_name,
        "moment": language.moment(at),
        "at": {part: getattr(at, part) for part in ("year", "month", "day", "hour", "minute", "second")},
        "tone": TONES[receipt.headline],
        "tone_word": say(TONE_WORDS[TONES[receipt.headline]]),
        "headline": receipt.title,
        "sentence": receipt.sentence,
        "facts": [{"label": say(label), "value": value, "code": code} for label, value, code in facts if value],
        "questions_title": say(N_("What was asked, and what was found")),
        "columns": [say(column) for column in (N_("Question"), N_("Answer"), N_("Why"))],
        "questions": [
            {"question": say(asked[each.name]), "word": say(word[each.answer]), "sentence": each.sentence}
            for each, word in (*((each, words) for each in receipt.answers), (receipt.recipient, compared))
        ],
        "limits_title": say(N_("What this does not prove")),
        "limits": [say(each) for each in LIMITS],
        "verifying_title": say(N_("How to verify this document")),
        "verifying": say(VERIFYING, address=f"{receipt.checker_url}/verify"),
        "attachment": say(N_("The signed record of the check")),
        "unshown_note": say(UNSHOWN_NOTE, mark=printing.UNSHOWN),
        "footer": receipt.id,
    }


def _read(credential: Any) -> CheckReceipt | None:
    items = {item["id"].removeprefix(f"{credential['id']}#"): item for item in credential["evidence"]}
    if credential["type"] != list(TYPE) or items.keys() != {"headline", *questions.NAMES, "recipient", "credential"}:
        return None
    found = {name: ReceiptAnswer(name, _text(item["genre"]), _text(item["narrative"])) for name, item in items.items()}
    answers, recipient, headline = tuple(found[name] for name in questions.NAMES), found["recipient"], found["headline"]
    at = read_instant(credential["validFrom"])
    known = {each.answer for each in answers} <= set(get_args(questions.Answer)) and recipient.answer in RECIPIENT
    if at is None or not known or headline.answer not in TONES:
        return None
    issuer, subject = credential["issuer"], credential["credentialSubject"]
    return CheckReceipt(
        id=_text(credential["id"]),
        at=at,
        checker=domain_of(_text(issuer["id"])) or _text(issuer["id"]),
        checker_name=_text(issuer["name"]),
        checker_url=_text(issuer["url"]),
        badge=_text(subject["id"]),
        badge_name=_text(subject["name"]),
        badge_issuer=_text(items["issuer"].get("description", "")),
        headline=headline.answer,
        title=_text(credential["description"]),
        sentence=_text(subject["description"]),
        answers=answers,
        recipient=recipient,
        digest=_text(items["credential"]["digestMultibase"]),
    )


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("expected text")
    return one_line(value, MAX_TEXT)
