"""Learners' records (CLR): what holds of any credential, for one that holds badges of the same learner."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from credentials import Report, UnavailableError, verify
from credentials.checks.inquiry import Inquiry
from credentials.checks.records import MAX_CREDENTIALS
from tests.credentials.parties import NOW, V1, V2, Party, World, not_passed

CLR = "https://purl.imsglobal.org/spec/clr/v2p0/"
OB = "https://purl.imsglobal.org/spec/ob/v3p0/"
LEARNER = "did:example:learner"
SCHOOL, EMPLOYER = Party(1), Party(2)
CONTEXTS = {
    "2.0.1": [V2, CLR + "context-2.0.1.json", OB + "context-3.0.3.json"],
    "2.0.0": [V2, CLR + "context.json", OB + "context-3.0.3.json"],
    "2.0.0 on VC Data Model 1.1": [
        V1,
        CLR + "context.json",
        OB + "context-3.0.2.json",
        "https://w3id.org/security/data-integrity/v2",
    ],
}


def achievement(number: int) -> dict[str, Any]:
    return {
        "id": f"https://school.example/achievements/{number}",
        "type": ["Achievement"],
        "name": f"Achievement {number}",
        "description": "Something that was learned.",
        "criteria": {"narrative": "Learn it."},
    }


def begins(contexts: list[str]) -> dict[str, str]:
    return {"issuanceDate" if contexts[0] == V1 else "validFrom": "2026-01-01T00:00:00Z"}


def badge(number: int, contexts: list[str]) -> dict[str, Any]:
    return EMPLOYER.sign(
        {
            "@context": [address for address in contexts if not address.startswith(CLR)],
            "id": f"https://employer.example/badges/{number}",
            "type": ["VerifiableCredential", "OpenBadgeCredential"],
            "issuer": {"id": EMPLOYER.did, "type": ["Profile"], "name": "Employer"},
            **begins(contexts),
            "name": f"Badge {number}",
            "credentialSubject": {
                "id": LEARNER,
                "type": ["AchievementSubject"],
                "narrative": f"Narrative {number}",
                "achievement": achievement(number),
            },
        }
    )


def record(contexts: list[str], *badges: dict[str, Any]) -> dict[str, Any]:
    return {
        "@context": contexts,
        "id": "https://school.example/records/1",
        "type": ["VerifiableCredential", "ClrCredential"],
        "issuer": {"id": SCHOOL.did, "type": ["Profile"], "name": "School"},
        **begins(contexts),
        "name": "Record",
        "credentialSubject": {
            "id": LEARNER,
            "type": ["ClrSubject"],
            "achievement": [achievement(7)],
            "verifiableCredential": list(badges),
        },
    }


def report(document: dict[str, Any]) -> Report:
    return verify(json.dumps(document), now=NOW, load=World().load)


@pytest.mark.parametrize("contexts", CONTEXTS.values(), ids=CONTEXTS)
def test_a_learner_may_be_the_subject_of_the_record_and_of_a_badge_in_it(contexts: list[str]) -> None:
    signed = SCHOOL.sign(record(contexts, badge(1, contexts)))
    found = report(signed)
    assert (found.verdict, not_passed(found)) == ("verified", [])


@pytest.mark.parametrize("contexts", CONTEXTS.values(), ids=CONTEXTS)
def test_a_learner_may_be_the_subject_of_several_badges_that_prove_themselves(contexts: list[str]) -> None:
    found = report(SCHOOL.sign(record(contexts, *(badge(number, contexts) for number in range(3)))))
    assert (found.verdict, not_passed(found)) == ("verified", [])


def exchanged(document: dict[str, Any]) -> None:
    """Attack: one badge gets what the other is for; as RDF the record says the same."""
    one, other = (each["credentialSubject"] for each in document["credentialSubject"]["verifiableCredential"])
    for member in ("achievement", "narrative"):
        one[member], other[member] = other[member], one[member]


def without_proof(document: dict[str, Any]) -> None:
    del document["credentialSubject"]["verifiableCredential"][1]["proof"]


def by_another_key(document: dict[str, Any]) -> None:
    badges = document["credentialSubject"]["verifiableCredential"]
    del badges[1]["proof"]
    badges[1] = SCHOOL.sign(badges[1])


def with_an_envelope_around_nothing(document: dict[str, Any]) -> None:
    document["credentialSubject"]["verifiableCredential"].append(
        {"type": "EnvelopedVerifiableCredential", "id": "data:application/vc+jwt,e30"}
    )


def with_too_many(document: dict[str, Any]) -> None:
    badges = document["credentialSubject"]["verifiableCredential"]
    badges += [badge(number, CONTEXTS["2.0.1"]) for number in range(10, 10 + MAX_CREDENTIALS - 1)]


@pytest.mark.parametrize(
    "change", [without_proof, by_another_key, with_an_envelope_around_nothing, with_too_many, exchanged]
)
def test_what_may_have_been_exchanged_between_badges_stays_ambiguous(change: Callable[[Any], None]) -> None:
    contexts = CONTEXTS["2.0.1"]
    document = record(contexts, badge(1, contexts), badge(2, contexts))
    if change is not exchanged:
        change(document)
    signed = SCHOOL.sign(document)
    if change is exchanged:
        change(signed)
    found = report(signed)
    assert [(name, outcome) for name, outcome, _ in not_passed(found)] == [("schema", "undecided")]


def test_a_badge_in_the_record_that_leaves_something_open_decides_nothing() -> None:
    contexts = CONTEXTS["2.0.1"]
    open_one = badge(1, contexts)
    del open_one["proof"]
    open_one["credentialSubject"]["achievement"]["creator"] = open_one["issuer"] | {"name": "Another"}
    document = record(contexts, EMPLOYER.sign(open_one), badge(2, contexts))
    assert [name for name, _, _ in not_passed(report(SCHOOL.sign(document)))] == ["schema"]


def test_a_badge_whose_form_cannot_be_looked_at_for_want_of_work_decides_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def spent(_inquiry: Inquiry, written: str) -> None:
        if '"ClrSubject"' in written and written.count('"OpenBadgeCredential"') == 1:
            raise UnavailableError("too-much-work", "expected little work, got much")

    monkeypatch.setattr(Inquiry, "spend", spent)
    contexts = CONTEXTS["2.0.1"]
    found = report(SCHOOL.sign(record(contexts, badge(1, contexts), badge(2, contexts))))
    assert [(name, outcome) for name, outcome, _ in not_passed(found)] == [("schema", "undecided")]


def test_what_a_record_and_a_badge_in_it_may_both_say_stays_ambiguous() -> None:
    contexts = [*CONTEXTS["2.0.1"], "https://www.w3.org/ns/credentials/examples/v2"]
    document = record(contexts, badge(1, contexts))
    document["credentialSubject"]["degree"] = "B"  # it may have stood in the badge too, before or after signing
    found = report(SCHOOL.sign(document))
    assert [name for name, _, _ in not_passed(found)] == ["schema"]
    assert found.verdict == "undecided"
