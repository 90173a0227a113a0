"""Every change of one place in a signed credential: no copy that says something else comes out *verified*.

The changes are made by rule, so that each kind of credential is gone through whole: a member changed, removed, renamed,
moved and copied, its value in every other form that JSON-LD would take for the same, and every keyword put in.
"""

import copy
import itertools
import json
import unicodedata
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from credentials import PACKAGED
from credentials.errors import CredentialError
from credentials.graph.canonicalize import canonicalize
from credentials.model.form import check_form
from credentials.proofs.encodings import base64url_encode
from credentials.proofs.jose import decode_jwt
from credentials.status import status_entry
from tests.credentials.test_verify import OB, PEER, PLACE, V1, V2, Issuer, Place, badge, older, places, report, value_at

EXAMPLES = "https://www.w3.org/ns/credentials/examples/v2"
SUITES = ["eddsa-rdfc-2022", "ecdsa-rdfc-2019", "eddsa-jcs-2022", "ecdsa-jcs-2019"]
NAMESPACES = {
    "obi": "https://purl.imsglobal.org/spec/vc/ob/vocab.html#",
    "cred": "https://www.w3.org/2018/credentials#",
    "sec": "https://w3id.org/security#",
    "status": "https://www.w3.org/ns/credentials/status#",
    "examples": "https://www.w3.org/ns/credentials/examples#",
    "schema": "https://schema.org/",
}
XSD = "http://www.w3.org/2001/XMLSchema#"
ISSUER = Issuer("mutations.example", 7)

Change = tuple[str, Any]


# --- What is signed ---


def rich_badge(members: Any) -> None:
    """Make a badge of evidence with and without ids and seals, criteria of the achievement's id, texts of all kinds."""
    subject = members["credentialSubject"]
    achievement = subject["achievement"]
    for name in ("endorsement", "refreshService", "termsOfUse", "image"):
        members.pop(name)
    for name in ("endorsementJwt", "otherIdentifier", "related", "creator", "specialization", "humanCode"):
        achievement.pop(name)
    for name in ("source", "image", "licenseNumber", "term", "role"):
        subject.pop(name)
    members["issuer"] = {name: members["issuer"][name] for name in ("id", "type", "name", "url")}
    achievement["creator"] = copy.deepcopy(members["issuer"])
    members["evidence"] = [
        {"type": ["Evidence"], "narrative": "Ünïcode \u212b é 学び"},
        {"id": "https://badges.example/e/2", "type": ["Evidence"], "name": "n", "genre": "g"},
        {"id": "https://badges.example/e/3", "type": ["Evidence"], "digestMultibase": "uEiDAAAA"},
    ]
    achievement["criteria"]["id"] = achievement["id"]
    achievement["resultDescription"] = achievement["resultDescription"][:2]
    subject["result"] = subject["result"][:2]


def any_credential() -> dict[str, Any]:
    return {
        "@context": [V2, EXAMPLES],
        "id": "urn:uuid:1",
        "type": ["VerifiableCredential", "ExampleDegreeCredential"],
        "name": {"@value": "Näme", "@language": "en"},
        "description": [{"@value": "a", "@language": "en"}, {"@value": "b", "@language": "de", "@direction": "ltr"}],
        "issuer": {"id": ISSUER.did, "name": "I"},
        "validFrom": "2026-01-01T00:00:00Z",
        "credentialSubject": {
            "id": "did:example:1",
            "degree": {"type": "ExampleBachelorDegree", "name": "B"},
            "gpa": 3.5,
            "honours": True,
            "years": [1, 2],
            "friend": {"id": "did:example:2"},
        },
        "evidence": [{"id": "urn:e:1", "type": ["Evidence"], "note": "x"}],
        "credentialStatus": [status_entry(ISSUER.list_url, PLACE, "revocation")],
    }


def any_with_terms_of_badges() -> dict[str, Any]:
    """Return a credential that has the terms of Open Badges and is none, so that no class says how they are written."""
    return {
        "@context": [V2, OB],
        "id": badge(PEER)["id"],
        "type": ["VerifiableCredential"],
        "issuer": {"id": ISSUER.did, "type": "Profile", "name": "I"},
        "credentialSubject": {
            "type": "AchievementSubject",
            "id": "did:example:1",
            "creditsEarned": 3,
            "identifier": [{"type": "IdentityObject", "hashed": True, "identityHash": "x"}],
            "achievement": {"id": "urn:a", "type": ["Achievement"], "name": "A", "tag": ["a", "b"], "version": "1"},
        },
        "endorsement": badge(PEER)["endorsement"],
    }


def older_badge() -> dict[str, Any]:
    members = older(ISSUER)
    subject = members["credentialSubject"]
    for holder, kept in (
        (members["issuer"], {"id", "type", "name", "image"}),
        (subject, {"id", "type", "achievement", "identifier", "creditsEarned", "activityEndDate"}),
        (subject["achievement"], {"id", "type", "name", "description", "criteria", "tag", "alignment"}),
    ):
        for name in holder.keys() - kept:
            holder.pop(name)
    return members


def an_endorsement() -> dict[str, Any]:
    endorsement = {name: value for name, value in badge(PEER)["endorsement"][0].items() if name != "proof"}
    endorsement["issuer"] = {**endorsement["issuer"], "id": ISSUER.did}
    return endorsement


KINDS: dict[str, Callable[[], dict[str, Any]]] = {
    "badge": lambda: badge(ISSUER, rich_badge),
    "older badge": older_badge,
    "endorsement": an_endorsement,
    "status list": ISSUER.status_list,
    "any": any_credential,
    "any with terms of badges": any_with_terms_of_badges,
}
WITH_MOVES = ("endorsement", "status list", "any", "any with terms of badges")  # badges: see test_verify


# --- What is changed ---


def other_forms(value: Any) -> Iterator[Any]:
    """Yield what JSON-LD might take for the same value, and what is nearly it."""
    yield from (None, [], {}, [value], [value, value], [[value]], [value, []], [value, None])
    for keyword in ("@value", "id", "@id", "@set", "@list", "@graph", "@nest", "@included", "@reverse", "@none", "en"):
        yield from ({keyword: value}, {keyword: [value]}, [{keyword: value}])
    yield from ({"@value": value, "@type": datatype} for datatype in (XSD + "string", XSD + "integer", "@json", "@id"))
    yield {"@value": value, "@index": "x"}
    match value:
        case bool():
            yield from (not value, str(value).lower(), int(value), {"@value": "true", "@type": XSD + "boolean"})
        case int() | float():
            yield from (str(value), f"{value:.1E}", str(float(value)), value + 1, value + 1e-9, -value)
        case str():
            yield from (value + " ", " " + value, value.upper(), value.swapcase(), value + "\u200b", value[:-1], "_:b")
            yield from (f"{space}{value}" for space in NAMESPACES.values())
            yield from (f"{prefix}:{value}" for prefix in NAMESPACES)
            yield from (unicodedata.normalize(form, value) for form in ("NFC", "NFD", "NFKC"))
            if value.isdecimal():
                yield from (int(value), float(value), f"{value}.0", f"0{value}", f"+{value}")
            if value.endswith("T00:00:00Z"):
                yield from (
                    value[:10],
                    value[:-1],
                    value[:-1] + "+00:00",
                    value[:-1] + ".000Z",
                    value[:10] + "T01:00:00+01:00",
                )
        case list():
            yield from (value[::-1], value + value[:1], value[1:], value[:-1], [*value, "x"], [*value, {}])
        case dict():
            yield value.get("id")
            yield from ({**value, **extra} for extra in EXTRAS)


ENTRIES: list[Any] = ["x", []]
REVERSED: list[Any] = [{}, {"issuer": {"id": "urn:z"}}]
CONTEXTS: list[Any] = [None, [], {}, V2, OB, [V2, OB], EXAMPLES, V1]
EXTRAS: list[dict[str, Any]] = [
    *({keyword: inner} for keyword in ("@index", "@language", "@type", "@vocab", "@none", "@foo") for inner in ENTRIES),
    *({keyword: {"id": "urn:z", "name": "q"}} for keyword in ("@nest", "@included", "@graph", "@set", "@list")),
    *({"@reverse": inner} for inner in REVERSED),
    *({"@context": inner} for inner in CONTEXTS),
    *({name: "x"} for name in ("unknownTerm", "", " ", "https://example.org/t", "cred:t", "description", "@value")),
    *({name: []} for name in ("unknownTerm", "name", "evidence", "type", "id", "proof", "verifiableCredential")),
    *({name: {}} for name in ("unknownTerm", "evidence", "proof", "Profile", "Criteria")),
    *({"id": name} for name in ("_:b", "urn:new", "", "x")),
]


def changes(signed: Any, *, moved: bool) -> Iterator[Change]:
    """Yield copies with one change; `moved` says whether each member is put into every other object too."""
    for place in [place for place in places(signed) if place[0] != "proof"]:
        value, step = value_at(signed, place), place[-1]
        name = "/".join(map(str, place))
        yield f"{name} removed", changed(signed, place, lambda holder: holder.pop(step))  # noqa: B023 - called at once
        for other in other_forms(value):
            if json.dumps(other) != json.dumps(value):
                yield f"{name} = {json.dumps(other)[:80]}", changed(signed, place, lambda holder: holder.__setitem__(step, other))  # noqa: B023 - called at once # fmt: skip
        if isinstance(step, str):
            for renamed in (step + "x", step + " ", step.capitalize(), f"@{step}", "creator", f"obi:{step}"):
                if renamed != step:
                    yield f"{name} named {renamed}", changed(signed, place, lambda holder: holder.__setitem__(renamed, holder.pop(step)))  # noqa: B023 - called at once # fmt: skip
            if moved or step in {"name", "description", "narrative", "type"}:
                yield from moves(signed, place)
    for address in (entry.address for entry in PACKAGED.entries):
        yield f"{address} as first context", {**signed, "@context": [address, *signed["@context"]]}


def moves(signed: Any, place: Place) -> Iterator[Change]:
    step = place[-1]
    for target in [(), *places(signed)]:
        outside = target != place[:-1] and target[: len(place)] != place and target[:1] != ("proof",)
        if outside and isinstance(value_at(signed, target), dict):
            for taken in (True, False):
                mutant = copy.deepcopy(signed)
                holder = value_at(mutant, place[:-1])
                value_at(mutant, target)[step] = holder.pop(step) if taken else copy.deepcopy(holder[step])
                yield f"{place} {'moved' if taken else 'copied'} to {target}", mutant


def changed(signed: Any, place: Place, change: Callable[[Any], object]) -> Any:
    mutant = copy.deepcopy(signed)
    change(value_at(mutant, place[:-1]))
    return mutant


# --- What it means ---

ORDERED = {"allowedValue", "rubricCriterionLevel", "@context"}
COMPACTABLE = {"type", "proof", "credentialSchema", "credentialStatus", "termsOfUse"}


def meaning(document: Any, *, badge_like: bool) -> Any:
    """Return one form for all documents that a reader of JSON takes for the same.

    The order of a set and an empty set say nothing, nor do the cases of a language tag, nor the older name of a badge,
    nor a context that is named twice. One value is a set of one, in Open Badges where they say so.
    """

    def of(value: Any, name: str) -> Any:
        if isinstance(value, dict):
            members = {member: of(inner, member) for member, inner in value.items()}
            if name == "proof" and "@context" in members:
                members.pop("@context")  # the document's, or the proof does not hold
            if members.keys() == {"@value"} and name in {"name", "description"}:
                return members["@value"]
            if members.keys() == {"id"} and name == "issuer" and not badge_like:
                return members["id"]
            return {member: inner for member, inner in members.items() if inner != []}
        if isinstance(value, list):
            items = [of(item, name) for item in value]
            if len(items) == 1 and (name in COMPACTABLE or not badge_like) and name != "@context":
                return items[0]
            if name == "@context":
                items = [item for index, item in enumerate(items) if item not in items[:index]]
            return items if name in ORDERED else sorted(items, key=json.dumps)
        if name == "@language" and isinstance(value, str):
            return value.lower()
        return "OpenBadgeCredential" if value == "AchievementCredential" and name == "type" else value

    return of(document, "")


def canonical(document: Any) -> bytes | None:
    try:
        return canonicalize({name: value for name, value in document.items() if name != "proof"}, PACKAGED)
    except CredentialError:
        return None


@pytest.mark.parametrize("kind", KINDS)
def test_no_change_of_one_place_is_verified(kind: str) -> None:
    signed = ISSUER.sign(KINDS[kind]())
    found = report(ISSUER, signed)
    assert found.verdict == "verified", found
    bytes_signed, badge_like = canonical(signed), kind in {"badge", "older badge", "endorsement"}
    told, tried, alike = meaning(signed | {"@context": []}, badge_like=badge_like), 0, 0
    for what, mutant in changes(signed, moved=kind in WITH_MOVES):
        tried += 1
        # With a finding of the form or other bytes nothing is verified: the tests of `verify` say so.
        if check_form(mutant) or canonical(mutant) != bytes_signed:
            continue
        # Contexts say nothing but what the bytes are, and those are the same.
        if meaning(mutant | {"@context": []}, badge_like=badge_like) == told:
            alike += 1
        else:
            assert report(ISSUER, mutant).verdict != "verified", what
    assert tried > 500
    assert alike > 1  # what means the same has no finding


@pytest.mark.parametrize("suite", SUITES)
def test_no_change_is_verified_under_any_suite(suite: str) -> None:
    signed = ISSUER.sign(any_credential(), suite)
    told = meaning(signed, badge_like=False)
    assert report(ISSUER, signed).verdict == "verified"
    for what, mutant in itertools.islice(changes(signed, moved=True), SUITES.index(suite), None, 37):
        if meaning(mutant, badge_like=False) != told:
            assert report(ISSUER, mutant).verdict != "verified", what


@pytest.mark.parametrize("suite", SUITES)
def test_no_change_of_a_proof_is_verified(suite: str) -> None:
    signed = ISSUER.sign(any_credential(), suite)
    (proof,) = signed["proof"]
    told, tried = meaning(signed, badge_like=False), 0
    for member, value in proof.items():
        others = [other for other in other_forms(value) if json.dumps(other) != json.dumps(value)]
        copies = [{**proof, member: other} for other in others]
        copies.append({name: inner for name, inner in proof.items() if name != member})
        for mutant in ({**signed, "proof": one} for one in copies):
            tried += 1
            if meaning(mutant, badge_like=False) != told and report(ISSUER, mutant).verdict == "verified":
                # A set of one, and what is signed as a set: the same proof to whoever reads proofs.
                assert canonical(mutant) == canonical(signed)
                assert mutant["proof"][member] in ([value], {"@value": value})
    for extra in [*EXTRAS, {"created": "2026-01-01T00:00:01Z"}, {"expires": "2030-01-01T00:00:00Z"}, {"domain": "d"}]:
        mutant = {**signed, "proof": [{**proof, **extra}]}
        if meaning(mutant, badge_like=False) != told:
            assert report(ISSUER, mutant).verdict != "verified", extra
    assert tried > 100


def test_no_change_of_a_token_is_verified() -> None:
    token = ISSUER.sign_jwt(badge(ISSUER, rich_badge))
    header, _, signature = token.split(".")
    assert report(ISSUER, token).verdict == "verified"
    payload = dict(decode_jwt(token).payload)
    for what, mutant in itertools.islice(changes(payload, moved=False), 0, None, 61):
        changed_token = f"{header}.{base64url_encode(json.dumps(mutant).encode())}.{signature}"
        assert report(ISSUER, changed_token).verdict != "verified", what
    members: list[dict[str, Any]] = [{"alg": "none"}, {"alg": "HS256"}, {"kid": "x"}, {"typ": "vc+jwt"}, {"crit": ["b64"]}, {"b64": False}]  # fmt: skip
    for change in members:
        changed_header = base64url_encode(json.dumps({**decode_jwt(token).header, **change}).encode())
        assert report(ISSUER, f"{changed_header}.{token.partition('.')[2]}").verdict != "verified", change
    for cut in (token[:-1], token + "A", token.rpartition(".")[0] + ".", token.replace(".", "..", 1), token.swapcase()):
        assert report(ISSUER, cut).verdict != "verified", cut
