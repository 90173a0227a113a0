import copy
import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from credentials.findings import Finding
from credentials.graph.documents import PACKAGED
from credentials.graph.unprotected import (
    AMBIGUOUS,
    CLASS_NAMES,
    LISTS,
    MAX_FINDINGS,
    NUMBERS,
    PREFIXES,
    TEXTS,
    TRUTHS,
    VOCABULARIES,
)
from credentials.model.achievement import Achievement, Criteria, ResultDescription, RubricCriterionLevel
from credentials.model.badge import (
    AchievementSubject,
    BitstringStatusListEntry,
    EndorsementCredential,
    OpenBadgeCredential,
    Result,
)
from credentials.model.form import check_form, is_open_badge
from credentials.model.profile import IdentityObject, Profile
from credentials.model.values import RECEIVED, V1_CONTEXT, V2_CONTEXT, Image

FULL: Any = json.loads((Path(__file__).parents[1] / "assets/full-badge.json").read_text())

STRICTER = AMBIGUOUS | {
    # What the specifications say and the schemas do not.
    "recipient-missing",
    "criteria-missing",
    "result-description-unknown",
    "result-level-unknown",
    "result-status-missing",
    "result-value-not-allowed",
    "required-level-unknown",
    "required-value-not-allowed",
    "period-reversed",
    "array-empty",
    "value-null",
    "member-keyword",
    "member-not-term",
    "id-blank",
}
"""Codes under which we refuse what the schemas accept."""


@cache
def official_schema(path: Path) -> jsonschema_rs.Validator:
    return jsonschema_rs.validator_for(json.loads(path.read_text(encoding="utf-8")), validate_formats=True)


Schemas = Callable[[str], jsonschema_rs.Validator]


@pytest.fixture(scope="session")
def schema(shared: Path) -> Schemas:
    """What judges as 1EdTech's schema of a name does."""
    return lambda name: official_schema(shared / "1edtech-schemas" / f"{name}.json")


def changed(change: Callable[[Any], object], document: Any = FULL) -> Any:
    copied = copy.deepcopy(document)
    change(copied)
    return copied


def codes(document: Any) -> list[tuple[str, str]]:
    return [(finding.code, finding.pointer) for finding in check_form(document)]


# --- Against the schemas of 1EdTech ---

Place = tuple[str | int, ...]
RETYPED: list[Any] = [None, True, 2.5, [], {}, ["x"]]


def places(value: Any, path: Place = ()) -> Iterator[Place]:
    if path:
        yield path
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from places(inner, (*path, name))
    if isinstance(value, list):
        for index, inner in enumerate(value):
            yield from places(inner, (*path, index))


GONE = object()


def replaced(document: Any, place: Place, value: Any) -> Any:
    """Return a copy with another value at a place, or none; it shares what is not on the way there."""
    copied = copy.copy(document)
    if len(place) > 1:
        copied[place[0]] = replaced(document[place[0]], place[1:], value)
    elif value is GONE:
        del copied[place[0]]
    else:
        copied[place[0]] = value
    return copied


def value_at(document: Any, place: Place) -> Any:
    for step in place:
        document = document[step]
    return document


def mutants(document: Any) -> Iterator[Any]:
    for place in places(document):
        value = value_at(document, place)
        instead = [GONE, *RETYPED, [value]]
        if isinstance(value, list):
            instead.append(value[0])
        if isinstance(value, dict):
            instead.append({**value, "somethingElse": ["x"]})
        for replacement in instead:
            yield replaced(document, place, replacement)


def assert_alike(
    mutant: Any, findings: list[Finding], official: jsonschema_rs.Validator, write: Callable[[Any], Any]
) -> None:
    """Both accept, or both refuse, or ours is stricter for a reason; where ours is laxer, what it writes is right."""
    if findings:
        assert not official.is_valid(mutant) or {finding.code for finding in findings} <= STRICTER, findings
    elif not official.is_valid(mutant):
        assert official.is_valid(write(mutant)), next(official.iter_errors(mutant))


def write_badge(document: Any) -> Any:
    return OpenBadgeCredential.model_validate(document, by_alias=True, by_name=False, context=RECEIVED).to_json()


def write_endorsement(document: Any) -> Any:
    return EndorsementCredential.model_validate(document, by_alias=True, by_name=False, context=RECEIVED).to_json()


def test_the_full_badge_is_good_and_comes_out_as_it_went_in(schema: Schemas) -> None:
    assert schema("achievementcredential").is_valid(FULL)
    assert check_form(FULL) == []
    assert write_badge(FULL) == FULL


def test_every_single_change_of_a_badge_is_judged_as_the_schema_does(schema: Schemas) -> None:
    official = schema("achievementcredential")
    for mutant in mutants(FULL):
        if is_open_badge(mutant):  # else it is a credential of another kind
            assert_alike(mutant, check_form(mutant), official, write_badge)


def test_every_single_change_of_an_endorsement_is_judged_as_the_schema_does(schema: Schemas) -> None:
    official = schema("endorsementcredential")
    for mutant in mutants(FULL["endorsement"][0]):
        if "EndorsementCredential" in str(mutant.get("type")):  # else it is a credential of another kind
            assert_alike(mutant, check_form(mutant), official, write_endorsement)


@given(st.data())
def test_several_changes_of_a_badge_are_judged_as_the_schema_does(schema: Schemas, data: st.DataObject) -> None:
    mutant = FULL
    for _ in range(3):
        place = data.draw(st.sampled_from(list(places(mutant))))
        mutant = replaced(mutant, place, data.draw(st.sampled_from([GONE, *RETYPED])))
    if is_open_badge(mutant):
        assert_alike(mutant, check_form(mutant), schema("achievementcredential"), write_badge)


@pytest.mark.parametrize(
    ("member", "text"),
    [
        *(("achievementType", text) for text in ("Badge", "ext:Foo", "ext:", "ext:-", "Nonsense", "badge", "")),
        *(("inLanguage", text) for text in ("en", "zh-Hant-TW", "pt-BR", "es-419", "e", "EN", "en-us", "en\n")),
    ],
)
def test_texts_of_a_pattern_are_judged_as_the_schema_does(schema: Schemas, member: str, text: str) -> None:
    official = schema("achievementcredential")
    mutant = changed(lambda badge: badge["credentialSubject"]["achievement"].update({member: text}))
    assert official.is_valid(mutant) == (not check_form(mutant))


def test_every_single_change_of_a_profile_is_judged_as_the_schema_does(schema: Schemas) -> None:
    official = schema("profile")
    for mutant in mutants(FULL["issuer"]):
        badge = {**FULL, "issuer": mutant}
        assert_alike(
            mutant, check_form(badge), official, lambda mutant: write_badge({**FULL, "issuer": mutant})["issuer"]
        )


# --- What the schemas do not say ---


def subject(badge: Any) -> Any:
    return badge["credentialSubject"]


def achievement(badge: Any) -> Any:
    return badge["credentialSubject"]["achievement"]


R1, L1, L2 = (f"https://badges.example/achievements/1#{name}" for name in ("r1", "l1", "l2"))
AT_RESULT = "/credentialSubject/result/0"
AT_DESCRIPTION = "/credentialSubject/achievement/resultDescription"


@pytest.mark.parametrize(
    ("change", "code", "pointer"),
    [
        (lambda b: (subject(b).pop("id"), subject(b).pop("identifier")), "recipient-missing", "/credentialSubject"),
        (
            lambda b: achievement(b).update(criteria={}),
            "criteria-missing",
            "/credentialSubject/achievement/criteria",
        ),
        (
            lambda b: subject(b)["result"][0].update(resultDescription="urn:other"),
            "result-description-unknown",
            f"{AT_RESULT}/resultDescription",
        ),
        (
            lambda b: subject(b)["result"][0].update(achievedLevel="urn:other"),
            "result-level-unknown",
            f"{AT_RESULT}/achievedLevel",
        ),
        (
            lambda b: subject(b)["result"].insert(0, {"type": ["Result"], "achievedLevel": "urn:other"}),
            "result-level-unknown",
            f"{AT_RESULT}/achievedLevel",
        ),
        (lambda b: subject(b)["result"][3].pop("status"), "result-status-missing", "/credentialSubject/result/3"),
        (
            lambda b: subject(b)["result"][1].update(value="D"),
            "result-value-not-allowed",
            "/credentialSubject/result/1/value",
        ),
        (
            lambda b: subject(b)["result"][2].update(value="100.5"),
            "result-value-not-allowed",
            "/credentialSubject/result/2/value",
        ),
        (
            lambda b: subject(b)["result"][2].update(value="-1"),
            "result-value-not-allowed",
            "/credentialSubject/result/2/value",
        ),
        (
            lambda b: achievement(b)["resultDescription"][0].update(requiredLevel="urn:other"),
            "required-level-unknown",
            f"{AT_DESCRIPTION}/0/requiredLevel",
        ),
        (
            lambda b: achievement(b)["resultDescription"][1].update(requiredValue="D"),
            "required-value-not-allowed",
            f"{AT_DESCRIPTION}/1/requiredValue",
        ),
        (
            lambda b: subject(b)["image"].update(id="data:image/jpeg;base64,AAAA"),
            "image-type",
            "/credentialSubject/image/id",
        ),
        (lambda b: b["issuer"]["image"].update(id="data:image/gif,A"), "image-type", "/issuer/image/id"),
        (lambda b: b.update(validUntil="2025-12-31T23:59:59Z"), "period-reversed", "/validUntil"),
        (lambda b: b.update(validFrom="2026-01-01T00:00:00"), "date-malformed", "/validFrom"),
        (
            lambda b: subject(b).update(activityEndDate="2026-01-01"),
            "date-malformed",
            "/credentialSubject/activityEndDate",
        ),
        (lambda b: b["issuer"].update(dateOfBirth="2026-02-30"), "date-malformed", "/issuer/dateOfBirth"),
        (lambda b: b["issuer"].update(dateOfBirth=3), "date-malformed", "/issuer/dateOfBirth"),
        (lambda b: b["@context"].reverse(), "context-order", "/@context/0"),
        (lambda b: b["@context"].pop(1), "context-order", "/@context/1"),
        (lambda b: b.update({"@context": []}), "context-order", "/@context/0"),
        (lambda b: b["type"].remove("VerifiableCredential"), "type-missing", "/type"),
        (lambda b: subject(b).pop("type"), "member-missing", "/credentialSubject/type"),
        (lambda b: b["image"].pop("type"), "member-missing", "/image/type"),
        (lambda b: achievement(b).pop("name"), "member-missing", "/credentialSubject/achievement/name"),
        (lambda b: b["image"].update(other="x"), "member-forbidden", "/image/other"),
        (lambda b: b["image"].update(type="Picture"), "value-not-allowed", "/image/type"),
        (lambda b: b.update(issuer=3), "member-type", "/issuer"),
        (lambda b: b.update(proof={"type": 3}), "member-type", "/proof/type"),
        (
            lambda b: b.update(relatedResource=[{"id": "https://r.example/"}]),
            "digest-missing",
            "/relatedResource/0",
        ),
        (
            lambda b: b.update(relatedResource=[{"id": "https://r.example/", "digestSRI": "sha256-x"}] * 2),
            "resource-repeated",
            "/relatedResource/1",
        ),
        # What a signature over RDF does not protect.
        (lambda b: b.update(foo=None), "value-null", "/foo"),
        (lambda b: subject(b).update({"@nest": {}}), "member-keyword", "/credentialSubject/@nest"),
        (lambda b: b["evidence"][0].update({"@index": "x"}), "member-keyword", "/evidence/0/@index"),
        (
            lambda b: subject(b).update({"https://schema.org/name": "n"}),
            "member-not-term",
            "/credentialSubject/https:~1~1schema.org~1name",
        ),
        (lambda b: subject(b).update({"cred:evidence": "n"}), "member-not-term", "/credentialSubject/cred:evidence"),
        (
            lambda b: b["issuer"]["address"].update(GeoCoordinates=b["issuer"]["address"].pop("geo")),
            "member-not-term",
            "/issuer/address/GeoCoordinates",
        ),
        (lambda b: b["evidence"][0].update(id="_:e1"), "id-blank", "/evidence/0/id"),
        (lambda b: b["evidence"].append(b["evidence"][0]), "value-repeated", "/evidence/2"),
        (lambda b: b.update(evidence=[]), "array-empty", "/evidence"),
        (lambda b: b["issuer"].update(endorsementJwt=[]), "array-empty", "/issuer/endorsementJwt"),
        (lambda b: b.update(more={"inner": []}), "array-empty", "/more/inner"),
        (
            lambda b: b.update(credentialStatus=[b["credentialStatus"], {"id": "urn:s:2"}]),
            "member-missing",
            "/credentialStatus/1/type",
        ),
        (lambda b: achievement(b)["tag"].append("a"), "value-repeated", "/credentialSubject/achievement/tag/2"),
        (lambda b: b["type"].append("OpenBadgeCredential"), "value-repeated", "/type/2"),
        (
            lambda b: achievement(b)["resultDescription"][0]["rubricCriterionLevel"].reverse(),
            "levels-out-of-order",
            f"{AT_DESCRIPTION}/0/rubricCriterionLevel",
        ),
        (
            lambda b: achievement(b).update(creator={**b["issuer"], "name": "Somebody else"}),
            "id-ambiguous",
            "/issuer",
        ),
        (
            lambda b: (
                achievement(b).update(id="urn:a"),
                achievement(b)["criteria"].update(id="urn:a", name=achievement(b)["name"]),
            ),
            "id-ambiguous",
            "/credentialSubject/achievement/criteria",
        ),
        (
            lambda b: (achievement(b).update(creator=b["issuer"]), b.update(issuer=b["issuer"]["id"])),
            "id-ambiguous",
            "/issuer",
        ),
        (lambda b: subject(b).update({"@context": V2_CONTEXT}), "member-keyword", "/credentialSubject/@context"),
        (lambda b: b["type"].append("_:t"), "id-blank", "/type/2"),
        (lambda b: b["type"].append("obi:OpenBadgeCredential"), "type-not-term", "/type/2"),
        (lambda b: b["type"].append("https://schema.org/Thing"), "type-not-term", "/type/2"),
        (
            lambda b: subject(b).update(type=["AchievementSubject", "https://w3id.org/x"]),
            "type-not-term",
            "/credentialSubject/type/1",
        ),
        (lambda b: b.update(more=[[1], 2]), "array-nested", "/more/0"),
        (lambda b: b.update(more=[1, 1.0]), "value-repeated", "/more/1"),
        (lambda b: b.update(more=[True, True]), "value-repeated", "/more/1"),
        (lambda b: b.update(more=[{"@value": "a", "@language": "en"}] * 2), "value-repeated", "/more/1"),
        (lambda b: b.update(more={"@value": "a"}), "value-expanded", "/more"),
        (lambda b: b.update(more={"@value": "1", "@type": "xsd:integer"}), "value-expanded", "/more"),
        (lambda b: b.update(term={"@value": "1", "@type": "urn:t"}), "value-expanded", "/term"),
        (lambda b: b.update(creditsEarned="3"), "number-as-text", "/creditsEarned"),
        (lambda b: b.update(creditsEarned=True), "number-as-text", "/creditsEarned"),
        (lambda b: b.update(hashed="true"), "number-as-text", "/hashed"),
        (lambda b: b.update(points=[3]), "number-as-text", "/points/0"),
    ],
)
def test_one_fault_is_one_finding(change: Callable[[Any], object], code: str, pointer: str) -> None:
    assert codes(changed(change)) == [(code, pointer)]


@pytest.mark.parametrize(
    "change",
    [
        lambda b: b.update(proof=b["proof"][0], type=b["type"], credentialSchema=b["credentialSchema"][0]),
        lambda b: b.update(termsOfUse=b["termsOfUse"][0]),
        lambda b: subject(b).update(type="AchievementSubject"),
        lambda b: b.update(credentialStatus=[b["credentialStatus"], {"id": "urn:s:2", "type": "Anything"}]),
        lambda b: b.update(type=["VerifiableCredential", "AchievementCredential"]),
        lambda b: b.update(issuer=b["issuer"]["id"]),
        lambda b: b["image"].update(id="data:image/jpeg;base64,AAAA"),  # only subjects and profiles are baked or shown
        lambda b: subject(b)["image"].update(id="data:image/svg+xml;base64,AAAA"),
        lambda b: subject(b)["result"][2].update(value="very good"),
        lambda b: subject(b)["result"].append({"type": ["Result"], "achievedLevel": L1}),
        lambda b: subject(b)["result"].append({"type": ["Result"], "value": "anything"}),
        lambda b: subject(b)["result"][1].update(achievedLevel=L1),  # as in the specification's example
        lambda b: b.update(validUntil=b["validFrom"]),
        lambda b: b.update(relatedResource={"id": "https://r.example/", "digestMultibase": "uEiA"}),
        # One id with members that could have stood in one place only, or that are the same in both.
        lambda b: achievement(b)["criteria"].update(id=achievement(b)["id"]),
        lambda b: achievement(b).update(creator=b["issuer"]),
        lambda b: b["refreshService"].update(id=b["id"]),
        lambda b: b["evidence"][0].update(somethingElse=[1, True, 2]),
        lambda b: b.update(more=[{"@value": "1", "@type": "urn:t"}, {"a": 1}, {"a": 1}], partial=True, latitude=1),
        # An extension is not expected where something else is only pointed at.
        lambda b: (b.update(somethingElse=1), achievement(b).update(somethingElse={"a": 1})),
    ],
)
def test_what_is_right_in_another_way_has_no_finding(change: Callable[[Any], object]) -> None:
    assert codes(changed(change)) == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"digestMultibase": "uEiA"}, {}),  # moved to the evidence, where it is at home too
        ({"digestMultibase": "uEiA", "somethingElse": 1}, {"digestMultibase": "uEiA"}),  # an extension of the evidence
    ],
)
def test_a_member_that_could_have_stood_in_two_places_is_ambiguous(one: Any, other: Any) -> None:
    identifier = {"id": "https://r.example/"}
    badge = changed(
        lambda badge: (
            badge.update(relatedResource=[{**identifier, "digestSRI": "sha256-x", **one}]),
            badge["evidence"][0].update({**identifier, **other}),
        )
    )
    assert {code for code, _ in codes(badge)} == {"id-ambiguous"}


def test_a_member_moved_to_where_it_is_unknown_is_ambiguous() -> None:
    def move(badge: Any) -> None:
        criteria = achievement(badge)["criteria"]
        criteria.update(id=achievement(badge)["id"], image=achievement(badge).pop("image"))

    assert ("id-ambiguous", "/credentialSubject/achievement/criteria") in codes(changed(move))


@pytest.mark.parametrize(
    ("numbers", "good"),
    [
        ([("1", None), ("2", None), ("10", None)], True),
        ([("2", None), ("1", None)], False),
        ([("Mastered", "4"), ("Basic", "3"), ("Partial", "2")], True),  # as in the specification's example
        ([("Mastered", "4"), ("Partial", "2"), ("Basic", "3")], False),
        ([("Mastered", "4"), ("Basic", None)], False),
        ([("b", None), ("a", None)], False),
        ([("a", None)], True),
    ],
)
def test_levels_stand_in_the_order_of_their_numbers(numbers: list[tuple[str, str | None]], good: bool) -> None:
    levels = [
        {"id": f"urn:l:{name}", "type": ["RubricCriterionLevel"], "name": name, "level": name}
        | ({"points": points} if points else {})
        for name, points in numbers
    ]
    described = {"id": "urn:r", "type": ["ResultDescription"], "name": "n", "resultType": "RubricCriterionLevel"}
    badge = changed(
        lambda badge: achievement(badge)["resultDescription"].append({**described, "rubricCriterionLevel": levels})
    )
    assert codes(badge) == ([] if good else [("levels-out-of-order", f"{AT_DESCRIPTION}/4/rubricCriterionLevel")])


def terms(context: Any, outer: str = "") -> Iterator[tuple[str, str]]:
    """Yield each term of a context, scoped ones too, with its address."""
    for part in context if isinstance(context, list) else [context]:
        for name, defined in part.items() if isinstance(part, dict) else ():
            if name.startswith("@") or not defined:
                continue
            yield name, defined if isinstance(defined, str) else defined.get("@id", outer)
            if isinstance(defined, dict):
                yield from terms(defined.get("@context"))


def test_every_packaged_term_has_an_address_that_is_looked_for() -> None:
    editions = [edition for entry in PACKAGED.entries for edition in PACKAGED.editions(entry.address)]
    found = {pair for edition in editions for pair in terms(edition.document["@context"])}
    addresses = {address for name, address in found if "://" in address and name not in PREFIXES}
    assert len(addresses) > 100
    assert [address for address in addresses if not address.startswith(VOCABULARIES)] == []
    prefixes = {name for name, address in found if address.endswith(("#", "/", ":", "?"))}
    assert prefixes == PREFIXES
    properties = {address for name, address in found if name[0].islower()}
    assert {name for name, address in found if name[0].isupper() and address in properties} == CLASS_NAMES


def definitions(context: Any) -> Iterator[tuple[str, str, Any]]:
    """Yield each term of a context, scoped ones too, with the datatype and the container of its values."""
    for part in context if isinstance(context, list) else [context]:
        for name, defined in part.items() if isinstance(part, dict) else ():
            if isinstance(defined, dict) and not name.startswith("@"):
                yield name, defined.get("@type", "@none"), defined.get("@container", ())
                yield from definitions(defined.get("@context"))


def test_every_datatype_that_a_packaged_context_gives_is_known() -> None:
    editions = [edition for entry in PACKAGED.entries for edition in PACKAGED.editions(entry.address)]
    found = [defined for edition in editions for defined in definitions(edition.document["@context"])]
    of_objects = re.compile(r"@.*|.*[:#](verifiableCredential|[A-Z]\w*)")  # no literal is of a class
    typed = {name for name, datatype, _ in found if not of_objects.fullmatch(datatype)}
    assert typed == TEXTS | NUMBERS | TRUTHS
    assert {name for name, datatype, _ in found if datatype.endswith("oolean")} == TRUTHS
    assert {name for name, datatype, _ in found if datatype.endswith(("nteger", "float"))} < NUMBERS
    assert {name for name, _, container in found if "@list" in container} == LISTS


def test_the_work_for_many_objects_of_one_id_stays_small() -> None:
    many = [{"id": "urn:x", "type": ["Evidence"], "narrative": "n"} for _ in range(3000)]
    found = codes(changed(lambda badge: badge.update(evidence=many)))
    assert found[0] == ("value-repeated", "/evidence/1")
    assert len(found) == MAX_FINDINGS
    wrong = codes(changed(lambda badge: badge.update(evidence=[1] * 3000)))
    assert wrong[0] == ("member-type", "/evidence/0")
    assert len(wrong) == MAX_FINDINGS


# --- Other credentials ---

GENERAL: Any = {
    "@context": [V2_CONTEXT, {"term": "https://terms.example/term"}],
    "id": "urn:uuid:1",
    "type": ["VerifiableCredential", "Something"],
    "name": [{"@value": "Etwas", "@language": "de", "@direction": "ltr"}, {"@value": "Something"}],
    "description": "d",
    "issuer": {"id": "did:example:1", "name": {"@value": "Jemand", "@language": "de"}},
    "validFrom": "2026-01-01T00:00:00.5+01:00",
    "credentialSubject": [{"id": "did:example:2", "term": {"@value": "1", "@type": "https://terms.example/t"}}],
    "credentialStatus": [{"type": "Anything", "id": "urn:s:1"}, {"type": ["Anything"], "id": "urn:s:2"}],
    "credentialSchema": {"id": "https://schema.example/", "type": "JsonSchema"},
    "evidence": {"type": "Anything"},
    "termsOfUse": [{"type": "Anything"}],
    "refreshService": [{"type": "Anything", "id": "urn:s:3"}],
    "proof": {"type": "DataIntegrityProof"},
}


@pytest.mark.parametrize(
    "change",
    [
        lambda _: None,
        lambda c: c.update(type="VerifiableCredential", name="n"),
        lambda c: c.update(issuer="did:example:1", credentialSubject={"term": 3}),
        lambda c: (c.pop("id"), c.pop("validFrom")),
        lambda c: c.update({"@context": [V1_CONTEXT], "issuanceDate": c.pop("validFrom")}),
    ],
)
def test_a_credential_of_any_type_is_good(change: Callable[[Any], object]) -> None:
    assert codes(changed(change, GENERAL)) == []


@pytest.mark.parametrize(
    ("change", "code", "pointer"),
    [
        (lambda c: c.update({"@context": V2_CONTEXT}), "member-type", "/@context"),
        (lambda c: c["@context"].append(3), "member-type", "/@context/2"),
        (lambda c: c.pop("@context"), "member-missing", "/@context"),
        (lambda c: c.pop("type"), "member-missing", "/type"),
        (lambda c: c.update(type=["Something"]), "type-missing", "/type"),
        (lambda c: c.pop("issuer"), "member-missing", "/issuer"),
        (lambda c: c["issuer"].pop("id"), "member-missing", "/issuer/id"),
        (lambda c: c.update(issuer=["did:example:1"]), "member-type", "/issuer"),
        (lambda c: c.update(credentialSubject=[]), "subject-empty", "/credentialSubject"),
        (lambda c: c["evidence"].update(type=[]), "array-empty", "/evidence/type"),
        (lambda c: c.update(evidence=[]), "array-empty", "/evidence"),
        (lambda c: c.update(credentialSubject={}), "subject-empty", "/credentialSubject"),
        (lambda c: c.update(credentialSubject="did:example:2"), "member-type", "/credentialSubject"),
        (lambda c: c["credentialStatus"][1].pop("type"), "member-missing", "/credentialStatus/1/type"),
        (lambda c: c["credentialSchema"].pop("id"), "member-missing", "/credentialSchema/id"),
        (lambda c: c["name"][0].update({"@direction": "up"}), "value-not-allowed", "/name/0/@direction"),
        (lambda c: c["name"][0].update(other=1), "member-forbidden", "/name/0/other"),
        (lambda c: c.update(name={"@language": "en"}), "member-missing", "/name/@value"),
        (lambda c: c.update(name=3), "member-type", "/name"),
        (lambda c: c.update(validUntil="2025-01-01T00:00:00Z"), "period-reversed", "/validUntil"),
        (lambda c: c.update({"@context": [V1_CONTEXT]}), "member-missing", "/issuanceDate"),
        (
            lambda c: c.update(
                {"@context": [V1_CONTEXT], "issuanceDate": c.pop("validFrom"), "expirationDate": "2025-01-01T00:00:00Z"}
            ),
            "period-reversed",
            "/expirationDate",
        ),
    ],
)
def test_one_fault_of_any_credential_is_one_finding(change: Callable[[Any], object], code: str, pointer: str) -> None:
    found = [item for item in codes(changed(change, GENERAL)) if item[0] != "member-keyword"]
    assert found == [(code, pointer)]


def as_11(credential: Any) -> None:
    credential["@context"][0] = V1_CONTEXT
    credential["issuanceDate"] = credential.pop("validFrom")
    credential["expirationDate"] = credential.pop("validUntil")
    for inner in [*credential.get("endorsement", []), *achievement(credential).get("endorsement", [])]:
        inner["@context"][0] = V1_CONTEXT
        inner["issuanceDate"] = inner.pop("validFrom")
        inner["expirationDate"] = inner.pop("validUntil")


def test_a_badge_of_the_older_data_model_is_held_to_its_dates() -> None:
    badge = changed(as_11)
    assert codes(badge) == []
    assert codes(changed(lambda b: b.pop("issuanceDate"), badge)) == [("member-missing", "/issuanceDate")]
    assert codes(changed(lambda b: b.pop("name"), badge)) == [("member-missing", "/name")]
    assert codes(changed(lambda b: b["endorsement"][0].pop("name"), badge)) == [
        ("member-missing", "/endorsement/0/name")
    ]
    endorsement = badge["endorsement"][0]
    assert codes(endorsement) == []


# --- Building ---


def built() -> OpenBadgeCredential:
    return OpenBadgeCredential(
        context=[V2_CONTEXT, "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"],
        id="https://badges.example/1",
        issuer=Profile(id="did:web:badges.example", name="Network", date_of_birth=date(2000, 1, 2)),
        valid_from=datetime(2026, 1, 1, 1, 0, 0, 999, tzinfo=timezone(timedelta(hours=1))),
        credential_subject=AchievementSubject(
            identifier=[IdentityObject(hashed=True, identity_hash="sha256$00", identity_type="emailAddress")],
            credits_earned=3,
            achievement=Achievement(
                id="https://badges.example/a",
                name="A",
                description="d",
                criteria=Criteria(narrative="Do it"),
                credits_available=2.5,
                image=Image(id="https://badges.example/a.png"),
                result_description=[
                    ResultDescription(
                        id="urn:r",
                        name="r",
                        result_type="RubricCriterion",
                        rubric_criterion_level=[RubricCriterionLevel(id="urn:l", name="l")],
                    )
                ],
            ),
            result=[Result(result_description="urn:r", achieved_level="urn:l")],
        ),
        credential_status=BitstringStatusListEntry(
            id="https://badges.example/status#7",
            status_purpose="revocation",
            status_list_index="7",
            status_list_credential="https://badges.example/status",
        ),
    )


def test_what_is_built_is_written_as_an_issuer_should(schema: Schemas) -> None:
    written = built().to_json()
    assert check_form(written) == []
    assert schema("achievementcredential").is_valid(written)
    assert written["type"] == ["VerifiableCredential", "OpenBadgeCredential"]
    assert written["validFrom"] == "2026-01-01T00:00:00Z"
    assert written["issuer"] == {
        "id": "did:web:badges.example",
        "type": ["Profile"],
        "name": "Network",
        "dateOfBirth": "2000-01-02",
    }
    assert written["credentialStatus"]["type"] == "BitstringStatusListEntry"
    assert written["credentialStatus"]["statusListIndex"] == "7"
    texts = json.dumps(written)
    assert '"creditsEarned": 3}' in texts
    assert '"creditsAvailable": 2.5,' in texts
    assert "null" not in texts
    assert "[]" not in texts


def test_what_is_built_is_checked_and_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="array-empty"):
        Profile(id="urn:x", endorsement_jwt=[])
    with pytest.raises(ValidationError, match="date-malformed"):
        EndorsementCredential.model_validate(
            {**FULL["endorsement"][0], "validFrom": datetime(2026, 1, 1)}  # noqa: DTZ001 - without zone is the fault
        )
    with pytest.raises(ValidationError, match="frozen"):
        built().id = "urn:other"  # type: ignore[misc] # the fault that is tried
    assert built().valid_from.astimezone(UTC).hour == 0
