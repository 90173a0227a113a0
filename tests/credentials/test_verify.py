import copy
import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from credentials import PACKAGED, Fetched, Report, UnavailableError, bake, sign, sign_jwt, verify
from credentials.checks import inquiry
from credentials.checks.inquiry import MAX_ADDRESSES, MAX_WORK
from credentials.checks.received import Secured
from credentials.checks.standing import MAX_ENTRIES, check_status
from credentials.errors import CredentialError
from credentials.graph.canonicalize import canonicalize
from credentials.instants import write_instant
from credentials.model.form import check_form
from credentials.proofs.data_integrity import SUITES, canonical_form, create_proof, signed_bytes
from credentials.proofs.dids import did_web_url
from credentials.proofs.encodings import base58btc_encode
from credentials.proofs.jose import decode_jwt, encode_jwt
from credentials.proofs.keys import PrivateKeySigner, Signer
from credentials.recipient import identity_object
from credentials.report import NAMES
from credentials.status import BitstringStatusList, status_entry, status_list_credential
from credentials.verify import MAX_ENDORSEMENTS, endorsements_in

FULL: Any = json.loads((Path(__file__).parent / "assets/full-badge.json").read_text(encoding="utf-8"))
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
SIGNED_AT = datetime(2026, 1, 1, tzinfo=UTC)
EMAIL = "member@school.example"
PLACE = 4711
V2 = "https://www.w3.org/ns/credentials/v2"
V1 = "https://www.w3.org/2018/credentials/v1"
OB = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"


def signer(number: int, curve: str = "Ed25519") -> PrivateKeySigner:
    if curve == "P-256":
        return PrivateKeySigner(ec.derive_private_key(2**200 + number, ec.SECP256R1()))
    return PrivateKeySigner(Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32))


@dataclass
class Issuer:
    """An issuer with a did:web, a key for each kind of proof, and addresses of its own."""

    host: str
    number: int
    documents: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.did = f"did:web:{self.host}"
        self.ed25519, self.p256 = signer(self.number), signer(self.number, "P-256")
        self.kid = f"https://{self.host}/keys/1"
        self.list_url = f"https://{self.host}/status/1"
        methods = [
            {"id": self.method(key), "type": "Multikey", "controller": self.did, "publicKeyMultibase": key.key.multikey}
            for key in (self.ed25519, self.p256)
        ]
        self.documents[did_web_url(self.did)] = {
            "id": self.did,
            "verificationMethod": methods,
            "assertionMethod": [method["id"] for method in methods],
        }
        self.documents[self.kid] = self.p256.key.jwk
        self.publish()

    def method(self, key: Signer) -> str:
        return f"{self.did}#{key.key.multikey}"

    def publish(self, *set_places: int, **changes: Any) -> None:
        self.documents[self.list_url] = self.sign(self.status_list(*set_places, **changes))

    def status_list(self, *set_places: int, purpose: str = "revocation", **changes: Any) -> dict[str, Any]:
        bits = BitstringStatusList()
        for place in set_places:
            bits.set(place, value=True)
        return {
            **status_list_credential(
                id=self.list_url,
                issuer=self.did,
                purpose=purpose,
                bits=bits,
                valid_from=NOW - timedelta(days=1),
                valid_until=NOW + timedelta(days=29),
                ttl_ms=300_000,
            ),
            **changes,
        }

    def sign(self, credential: dict[str, Any], suite: str = "eddsa-rdfc-2022") -> dict[str, Any]:
        """Sign whatever it is: the fault that a test puts in is no business of this issuer."""
        key = self.ed25519 if suite.startswith("eddsa") else self.p256
        proof = create_proof(
            credential,
            key,
            suite=suite,
            verification_method=self.method(key),
            created=SIGNED_AT,
            contexts=PACKAGED.with_inline(),
        )
        return {**credential, "proof": [proof]}

    def sign_jwt(self, credential: dict[str, Any]) -> str:
        return sign_jwt(credential, self.p256, kid=self.kid)

    def load(self, address: str) -> Fetched:
        self.asked.append(address)
        if address not in self.documents:
            raise UnavailableError("address-unavailable", f"expected a document at {address}, got none")
        found = self.documents[address]
        body = found if isinstance(found, bytes) else json.dumps(found).encode()
        return Fetched(body, "application/json")


@pytest.fixture
def issuer() -> Issuer:
    return Issuer("badges.example", 1)


PEER = Issuer("peer.example", 2)


def badge(issuer: Issuer, change: Callable[[Any], object] | None = None) -> dict[str, Any]:
    """Return a full badge of this issuer, unsigned, with two endorsements by another."""
    members: Any = copy.deepcopy(FULL)
    del members["proof"]
    members["issuer"]["id"] = issuer.did
    members["issuer"].pop("endorsementJwt")
    members["credentialSubject"]["identifier"] = [identity_object("emailAddress", EMAIL, "6b1f0d3c5a")]
    members["credentialStatus"] = status_entry(issuer.list_url, PLACE, "revocation")
    achievement = members["credentialSubject"]["achievement"]
    endorsement = achievement.pop("endorsement")[0]
    for name in ("proof", "credentialStatus", "refreshService"):
        del endorsement[name]
    endorsement["issuer"]["id"] = PEER.did
    other = {**endorsement, "id": "https://peer.example/endorsements/2"}
    members["endorsement"] = [
        PEER.sign({**endorsement, "credentialSubject": {**endorsement["credentialSubject"], "id": members["id"]}})
    ]
    achievement["endorsementJwt"] = [PEER.sign_jwt(other)]
    members.pop("endorsementJwt")
    if change is not None:
        change(members)
    return dict(members)


def report(issuer: Issuer, received: Any, **options: Any) -> Report:
    text = received if isinstance(received, bytes | str) else json.dumps(received)
    world = {**PEER.documents, **issuer.documents}

    def load(address: str) -> Fetched:
        return (issuer if address in world and address in issuer.documents else PEER).load(address)

    return verify(text, **{"now": NOW, "load": options.get("load", load), **options})


def outcomes(found: Report) -> dict[str, str]:
    return {check.name: check.outcome for check in found.checks}


def not_passed(found: Report) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """Return name, outcome, and codes with pointers, of each check that failed or is undecided."""
    return [
        (check.name, check.outcome, [(finding.code, finding.pointer) for finding in check.findings])
        for check in found.checks
        if check.outcome in {"failed", "undecided"}
    ]


# --- What is good ---


def test_a_badge_is_verified_check_by_check(issuer: Issuer) -> None:
    related = {"id": V2, "digestMultibase": "uEiBZlVztZpfWHgPyslVv6-UwirFoQoRvW1htfx963sknNA"}
    signed = issuer.sign(badge(issuer, lambda b: b.update(relatedResource=[related])))
    issuer.documents[signed["refreshService"]["id"]] = signed
    found = report(issuer, signed, recipient=EMAIL)
    assert found.verdict == "verified"
    assert [(check.name, check.outcome, check.findings) for check in found.checks] == [
        (name, "passed", ()) for name in NAMES
    ]
    assert found.form == "json"
    assert found.credential is not None


PNG = Path(__file__).parent / "assets/badge.png"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"/>'


def test_it_is_verified_in_every_form(issuer: Issuer) -> None:
    signed = json.dumps(issuer.sign(badge(issuer)))
    token = issuer.sign_jwt(badge(issuer))
    envelope = {
        "@context": [V2],
        "type": "EnvelopedVerifiableCredential",
        "id": f"data:application/vc+jwt,{token}",
    }
    png = PNG.read_bytes()
    forms: dict[str, list[bytes | str]] = {
        "json": [signed, signed.encode(), f"\ufeff \n{signed}\n", json.dumps(envelope)],
        "jwt": [token, token.encode(), f" {token}\n"],
        "png": [bake(png, signed), bake(png, token)],
        "svg": [bake(SVG, signed), bake(SVG, token), bake(SVG, token).decode()],
    }
    for form, all_received in forms.items():
        for received in all_received:
            found = report(issuer, received)
            assert (found.verdict, found.form) == ("verified", form), not_passed(found)


@pytest.mark.parametrize("suite", ["eddsa-rdfc-2022", "ecdsa-rdfc-2019", "eddsa-jcs-2022", "ecdsa-jcs-2019"])
def test_every_suite_is_verified(issuer: Issuer, suite: str) -> None:
    assert report(issuer, issuer.sign(badge(issuer), suite)).verdict == "verified"


def test_the_report_for_programs_says_the_same(issuer: Issuer) -> None:
    signed = issuer.sign(badge(issuer))
    signed["evidence"][0]["name"] = "changed"
    found = report(issuer, signed)
    written = json.loads(json.dumps(found.to_json()))
    assert list(written) == ["verdict", "form", "checks", "credential", "refreshed", "older"]
    assert written["verdict"] == "rejected"
    assert written["credential"] == signed
    assert [check["name"] for check in written["checks"]] == list(NAMES)
    assert written["checks"][4]["outcome"] == "failed"
    assert list(written["checks"][4]["findings"][0]) == ["code", "message", "pointer"]
    assert written["checks"][10] == {"name": "recipient", "outcome": "skipped", "findings": []}


def test_a_badge_without_what_is_optional_is_verified(issuer: Issuer) -> None:
    optional = ["evidence", "endorsement", "credentialStatus", "credentialSchema", "refreshService", "termsOfUse"]
    plain = badge(
        issuer,
        lambda b: (
            [b.pop(name) for name in [*optional, "validUntil", "awardedDate", "image", "name", "description"]],
            b["credentialSubject"]["achievement"].pop("endorsementJwt"),
        ),
    )
    found = report(issuer, issuer.sign(plain))
    assert found.verdict == "verified"
    skipped = [name for name, outcome in outcomes(found).items() if outcome == "skipped"]
    assert skipped == ["refresh", "status", "resources", "recipient", "endorsements"]


def test_what_was_signed_with_an_earlier_edition_of_a_context_is_verified(issuer: Issuer) -> None:
    published = issuer.status_list()
    published["credentialSubject"]["statusSize"] = 1  # which was of the list, and is of the entry
    (edition,) = PACKAGED.older([V2])
    method = issuer.method(issuer.ed25519)
    for suite, verdict in (("eddsa-rdfc-2022", "verified"), ("eddsa-jcs-2022", "rejected")):
        proof = create_proof(
            published, issuer.ed25519, suite=suite, verification_method=method, created=SIGNED_AT, contexts=edition
        )
        found = report(issuer, {**published, "proof": proof})
        assert found.verdict == verdict
        if verdict == "rejected":  # nothing says which edition its signer had in mind
            assert not_passed(found) == [("context", "failed", [("undefined-term", "/credentialSubject/statusSize")])]
        published["credentialSubject"]["encodedList"] += "A"
        assert outcomes(report(issuer, {**published, "proof": proof}))["proof"] != "passed"


PUBLISHED: Any = json.loads(
    (Path(__file__).parents[1] / "vectors/openbadges/validator-badges.json").read_text(encoding="utf-8")
)


@pytest.mark.parametrize(
    ("name", "verdict"), [("did-web-subject", "verified"), ("data-model-1.1", "verified"), ("revoked", "rejected")]
)
def test_published_badges_are_judged_as_their_publisher_does(name: str, verdict: str) -> None:
    published = PUBLISHED[name]
    proofs = published["proof"] if isinstance(published["proof"], list) else [published["proof"]]
    method, owner = proofs[0]["verificationMethod"], published["issuer"]["id"]
    key = {"id": method, "type": "Multikey", "controller": owner, "publicKeyMultibase": method.partition("#")[2]}
    lists = PUBLISHED["revoked-list"]
    documents = {
        # Their validator takes the key from the fragment; we want it from its owner.
        owner: {"id": owner, "assertionMethod": [key]},
        lists["id"]: lists,
        PUBLISHED["revoked"]["credentialStatus"]["statusListCredential"]: lists,
    }
    found = verify(
        json.dumps(published),
        now=NOW,
        load=lambda address: Fetched(json.dumps(documents[address]).encode(), "application/json"),
    )
    assert found.verdict == verdict, not_passed(found)
    if verdict == "rejected":  # though their list lies at another address than it says
        assert fault(found)[2] == "credential-revoked"


def older(issuer: Issuer) -> dict[str, Any]:
    def change(members: Any) -> None:
        members["@context"] = [V1, OB, "https://w3id.org/security/data-integrity/v1", FULL["@context"][2]]
        members["issuanceDate"], members["expirationDate"] = members.pop("validFrom"), members.pop("validUntil")
        members.pop("endorsement")
        members["credentialSubject"]["achievement"].pop("endorsementJwt")
        members["credentialStatus"] = {"id": "https://badges.example/revoked", "type": "1EdTechRevocationList"}

    issuer.documents["https://badges.example/revoked"] = {"issuer": issuer.did, "revokedCredential": []}
    return badge(issuer, change)


def test_a_badge_of_the_older_data_model_is_verified(issuer: Issuer) -> None:
    found = report(issuer, issuer.sign(older(issuer)), recipient=EMAIL)
    assert found.verdict == "verified", not_passed(found)
    expired = report(issuer, issuer.sign(older(issuer)), now=datetime(2028, 1, 1, tzinfo=UTC))
    assert [item for item in not_passed(expired) if item[0] == "validity"] == [
        ("validity", "failed", [("credential-expired", "/expirationDate")])
    ]


def test_a_credential_that_is_no_badge_is_verified(issuer: Issuer) -> None:
    general = {
        "@context": [V2, "https://www.w3.org/ns/credentials/examples/v2"],
        "type": ["VerifiableCredential", "ExampleDegreeCredential"],
        "issuer": issuer.did,
        "credentialSubject": [{"id": "did:example:1", "degree": "B"}, {"id": "did:example:2"}],
    }
    found = report(issuer, issuer.sign(general), recipient="did:example:2")
    assert found.verdict == "verified"
    assert outcomes(found)["subject"] == "skipped"
    assert outcomes(found)["validity"] == "skipped"


# --- One change of a signed badge ---

Place = tuple[str | int, ...]


def places(value: Any, path: Place = ()) -> Iterator[Place]:
    if path:
        yield path
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from places(inner, (*path, name))
    if isinstance(value, list):
        for index, inner in enumerate(value):
            yield from places(inner, (*path, index))


def value_at(document: Any, place: Place) -> Any:
    for step in place:
        document = document[step]
    return document


def with_change(document: Any, place: Place, change: Callable[[Any, Any], object]) -> Any:
    """Return a copy in which `change` was done to what holds the place, with its last step."""
    copied = copy.deepcopy(document)
    change(value_at(copied, place[:-1]), place[-1])
    return copied


def other_types(value: Any) -> list[Any]:
    """Return the same value as other types write it."""
    match value:
        case bool():
            return [str(value).lower(), int(value), not value]
        case int() | float():
            return [str(value), value + 1, f"{value}.0"]
        case str():
            return [{"@value": value}, {"id": value}, {"@id": value}, value + "x", "", value.upper() + "x"]
        case list():
            return [{"@set": value}, {"@list": value}]
        case _:
            return [value.get("id"), [value, value], {"@graph": value}, {"@graph": [value]}]


def mutants_at(signed: Any, place: Place) -> Iterator[tuple[str, Any]]:
    """Yield copies with one change at a place: another value, type, name or number of it."""
    value, step = value_at(signed, place), place[-1]

    def done(what: str, change: Callable[[Any], object]) -> tuple[str, Any]:
        return f"{'/'.join(map(str, place))}: {what}", with_change(signed, place, lambda holder, _: change(holder))

    def setting(other: Any) -> Callable[[Any], object]:
        return lambda holder: holder.__setitem__(step, other)

    yield done("removed", lambda holder: holder.pop(step))
    for other in [None, *other_types(value)]:
        yield done(f"= {json.dumps(other)[:60]}", setting(other))
    if isinstance(value, list):
        if len(value) == 1:
            yield done("single", setting(value[0]))
        yield done("reversed", lambda holder: holder[step].reverse())
        yield done("first twice", lambda holder: holder[step].append(holder[step][0]))
        yield done("emptied", setting([]))
        yield done("last removed", lambda holder: holder[step].pop())
    else:
        yield done("array", setting([value]))
    if isinstance(value, dict):
        extras: list[dict[str, Any]] = [
            {"@index": "x"},
            {"@nest": {}},
            {"@type": "x"},
            {"@included": []},
            {"unknownTerm": "x"},
            {"unknownTerm": None},
            {"id": "_:b0"},
            {"https://example.org/term": "x"},
            {"description": "x"},
        ]
        for extra in extras:
            if not extra.keys() & value.keys():
                yield done(f"with {extra}", lambda holder, extra=extra: holder[step].update(extra))  # type: ignore[misc] # the default binds the loop's variable
    if isinstance(step, str):
        named = (step + "x", step.capitalize(), step[:1].upper() + step[1:], f"@{step}", f"cred:{step}")
        for name in [*named, *(f"{vocabulary}{step}" for vocabulary in VOCABULARIES)]:
            if name != step:
                yield done(f"named {name}", lambda holder, name=name: holder.__setitem__(name, holder.pop(step)))  # type: ignore[misc] # the same


VOCABULARIES = (
    "https://schema.org/",
    "https://www.w3.org/2018/credentials#",
    "https://purl.imsglobal.org/spec/vc/ob/vocab.html#",
    "https://w3id.org/security#",
)
COMPACTABLE = {"type", "credentialSchema", "credentialStatus", "proof", "termsOfUse"}
ORDERED = {"allowedValue", "rubricCriterionLevel"}


def meaning(value: Any, name: str = "") -> Any:
    """Return one form for all that mean the same: order in sets, one value for an array of one, no empty arrays."""
    if isinstance(value, dict):
        members = {member: meaning(inner, member) for member, inner in value.items()}
        return {member: inner for member, inner in members.items() if inner != []}
    if isinstance(value, list):
        items = [meaning(item, name) for item in value]
        if name in {"@context", "proof"}:  # what is said again in the same way changes nothing
            return [item for index, item in enumerate(items) if item not in items[:index]]
        return items if name in ORDERED else sorted(items, key=json.dumps)
    if name == "type" and value == "AchievementCredential":
        return meaning("OpenBadgeCredential", name)
    return value


def compacted(value: Any) -> Any:
    """Return a copy with arrays of one where the specification lets a single value stand for them."""
    if isinstance(value, dict):
        members = {member: compacted(inner) for member, inner in value.items()}
        return {
            member: inner[0] if member in COMPACTABLE and isinstance(inner, list) and len(inner) == 1 else inner
            for member, inner in members.items()
        }
    return [compacted(item) for item in value] if isinstance(value, list) else value


def same_meaning(one: Any, other: Any) -> bool:
    one, other = (compacted(meaning(compacted(document))) for document in (one, other))
    return bool(one == other)


def small_badge(issuer: Issuer) -> dict[str, Any]:
    """Return a badge with one of everything that a network of ours puts in, and a creator with the issuer's id."""

    def change(members: Any) -> None:
        for name in ("endorsement", "refreshService", "termsOfUse", "image"):
            members.pop(name)
        subject, profile = members["credentialSubject"], members["issuer"]
        achievement = subject["achievement"]
        members["issuer"] = {name: profile[name] for name in ("id", "type", "name", "url", "image", "address")}
        for name in ("creator", "endorsementJwt", "related", "otherIdentifier"):
            achievement.pop(name)
        achievement["creator"] = copy.deepcopy(members["issuer"])
        achievement["resultDescription"] = achievement["resultDescription"][:2]
        subject["result"] = subject["result"][:2]
        members["evidence"][0]["digestMultibase"] = "uEiDAAAA"

    return badge(issuer, change)


def test_no_single_change_of_meaning_is_verified(issuer: Issuer) -> None:
    signed = issuer.sign(small_badge(issuer))
    assert report(issuer, signed).verdict == "verified"
    canonical = canonical_of(signed)
    verified = 0
    for place in places(signed):
        for what, mutant in mutants_at(signed, place):
            # Where the form is at fault or the signed bytes are others, the tests below say that nothing is verified.
            if place[0] != "proof" and (check_form(mutant) or canonical_of(mutant) != canonical):
                continue
            if report(issuer, mutant).verdict == "verified":
                assert same_meaning(mutant, signed), what
                verified += 1
    assert verified > 20  # what means the same is not refused


def canonical_of(document: dict[str, Any]) -> bytes | None:
    try:
        return canonicalize({name: value for name, value in document.items() if name != "proof"}, PACKAGED)
    except CredentialError:
        return None


def test_no_member_that_was_moved_is_verified(issuer: Issuer) -> None:
    signed = issuer.sign(small_badge(issuer))
    canonical = canonical_of(signed)
    tried = 0
    for place in places(signed):
        for target in [(), *places(signed)]:
            if isinstance(place[-1], str) and isinstance(value_at(signed, target), dict):
                mutant = copy.deepcopy(signed)
                moved = value_at(mutant, place[:-1]).pop(place[-1])
                if target == place[:-1] or target[: len(place)] == place:
                    continue
                value_at(mutant, target)[place[-1]] = moved
                if not check_form(mutant) and canonical_of(mutant) == canonical:
                    assert report(issuer, mutant).verdict != "verified", (place, target)
                tried += 1
    assert tried > 1000


@given(st.data())
def test_no_change_at_random_is_verified(data: st.DataObject) -> None:
    issuer = Issuer("badges.example", 1)
    signed = issuer.sign(badge(issuer), data.draw(st.sampled_from(["eddsa-rdfc-2022", "eddsa-jcs-2022"])))
    place = data.draw(st.sampled_from(list(places(signed))))
    _, mutant = data.draw(st.sampled_from(list(mutants_at(signed, place))))
    if report(issuer, mutant).verdict == "verified":
        assert same_meaning(mutant, signed)


def test_order_that_has_meaning_is_protected(issuer: Issuer) -> None:
    signed = issuer.sign(badge(issuer))
    described = signed["credentialSubject"]["achievement"]["resultDescription"]
    described[0]["rubricCriterionLevel"].reverse()
    assert not_passed(report(issuer, signed)) == [
        (
            "schema",
            "undecided",
            [
                (
                    "levels-out-of-order",
                    "/credentialSubject/achievement/resultDescription/0/rubricCriterionLevel",
                )
            ],
        )
    ]
    described[0]["rubricCriterionLevel"].reverse()
    described[1]["allowedValue"].reverse()
    assert not_passed(report(issuer, signed)) == [("proof", "failed", [("signature-invalid", "/proof/0")])]


def test_what_is_ambiguous_as_a_graph_is_not_as_text(issuer: Issuer) -> None:
    def change(members: Any) -> None:
        members["credentialSubject"]["achievement"]["creator"] = {
            "id": issuer.did,
            "type": ["Profile"],
            "name": "Other",
        }

    found = report(issuer, issuer.sign(badge(issuer, change)))
    assert not_passed(found) == [("schema", "undecided", [("id-ambiguous", "/issuer")])]
    assert report(issuer, issuer.sign(badge(issuer, change), "eddsa-jcs-2022")).verdict == "verified"


# --- One fault, one check ---


def fault(found: Report) -> tuple[str, str, str, str]:
    """Return the one check that speaks against it, how, and code and pointer of its one finding.

    Beside one that failed there may be others that are undecided because of it.
    """
    speaking = not_passed(found)
    failed = [item for item in speaking if item[1] == "failed"]
    ((name, outcome, findings),) = failed or speaking
    ((code, pointer),) = findings
    return name, outcome, code, pointer


def edited(change: Callable[[Any], object]) -> Callable[[Issuer], Any]:
    """Return what signs a badge that was changed before."""
    return lambda issuer: issuer.sign(badge(issuer, change))


def tampered(change: Callable[[Any], object]) -> Callable[[Issuer], Any]:
    """Return what signs a badge and changes it then."""

    def received(issuer: Issuer) -> Any:
        signed = issuer.sign(badge(issuer))
        change(signed)
        return signed

    return received


def marked(purpose: str) -> Callable[[Issuer], Any]:
    """Return what signs a badge and sets its bit in a list of this purpose."""

    def received(issuer: Issuer) -> Any:
        issuer.publish(PLACE, purpose=purpose)
        return issuer.sign(badge(issuer, lambda b: b["credentialStatus"].update(statusPurpose=purpose)))

    return received


def with_list(**changes: Any) -> Callable[[Issuer], Any]:
    """Return what signs a badge and publishes a status list with these changes."""

    def received(issuer: Issuer) -> Any:
        issuer.publish(**changes)
        return issuer.sign(badge(issuer))

    return received


def revoked_in_another_list(issuer: Issuer) -> Any:
    issuer.publish(PLACE, id="https://badges.example/status/2")
    return issuer.sign(badge(issuer))


def with_document(address: Callable[[Issuer], str], change: Callable[[Any], Any]) -> Callable[[Issuer], Any]:
    """Return what signs a badge and puts something else at an address."""

    def received(issuer: Issuer) -> Any:
        signed = issuer.sign(badge(issuer))
        where = address(issuer)
        document = copy.deepcopy(issuer.documents[where])
        changed = change(document)
        issuer.documents[where] = document if changed is None else changed
        return signed

    return received


def did_document(issuer: Issuer) -> str:
    return did_web_url(issuer.did)


def status_list(issuer: Issuer) -> str:
    return issuer.list_url


def by_another_key(issuer: Issuer) -> Any:
    thief = signer(9)
    did = f"did:key:{thief.key.multikey}"
    return sign(
        badge(issuer), thief, verification_method=f"{did}#{thief.key.multikey}", created=SIGNED_AT, contexts=PACKAGED
    )


def by_a_key_in_the_fragment(issuer: Issuer) -> Any:
    thief = signer(9)
    return sign(badge(issuer), thief, verification_method=issuer.method(thief), created=SIGNED_AT)


def by_an_undecided_key(issuer: Issuer) -> Any:
    return badge(issuer) | {"proof": proof_of(issuer, verification_method="did:example:1#2")}


def proof_of(issuer: Issuer, unsigned: Any = None, **changes: Any) -> Any:
    """Return a proof with these options, signed as they are."""
    options: dict[str, Any] = {
        "suite": "eddsa-rdfc-2022",
        "verification_method": issuer.method(issuer.ed25519),
        "created": SIGNED_AT,
        "contexts": PACKAGED,
    }
    return create_proof(unsigned or badge(issuer), issuer.ed25519, **options | changes)


REVOKED_LIST = {"id": "https://badges.example/revoked", "type": "1EdTechRevocationList"}


def with_revocation_list(document: Any) -> Callable[[Issuer], Any]:
    def received(issuer: Issuer) -> Any:
        issuer.documents[REVOKED_LIST["id"]] = document
        return issuer.sign(badge(issuer, lambda b: b.update(credentialStatus=REVOKED_LIST)))

    return received


def in_jwt(change: Callable[[Any], object], **header: Any) -> Callable[[Issuer], Any]:
    """Return what signs the claims of a badge, changed."""

    def received(issuer: Issuer) -> Any:
        payload = decode_jwt(issuer.sign_jwt(badge(issuer))).payload
        copied = copy.deepcopy(dict(payload))
        change(copied)
        return encode_jwt(copied, issuer.p256, **{"kid": issuer.kid, **header})

    return received


def hidden_status(issuer: Issuer) -> Any:
    """Return a revoked badge whose status is where a reader of JSON does not see it; the signature holds."""
    issuer.publish(PLACE)
    signed = issuer.sign(badge(issuer, lambda b: b.pop("endorsement")))
    signed["https://www.w3.org/2018/credentials#credentialStatus"] = signed.pop("credentialStatus")
    return signed


def hidden_end(issuer: Issuer) -> Any:
    """Return a badge whose proof has ended, and says so where a reader of JSON does not see it."""
    unsigned = badge(issuer)
    options = {name: value for name, value in proof_of(issuer).items() if name != "proofValue"}
    hidden = options | {"@nest": {"expires": write_instant(NOW)}}
    value = issuer.ed25519.sign(
        signed_bytes(
            unsigned, options | {"expires": write_instant(NOW)}, SUITES["eddsa-rdfc-2022"], "Ed25519", PACKAGED
        )
    )
    return unsigned | {"proof": hidden | {"proofValue": "z" + base58btc_encode(value)}}


def key_that_ended(member: str) -> Callable[[Issuer], Any]:
    """Return what signs a badge with a key that has ended since, and its list with another."""

    def received(issuer: Issuer) -> Any:
        issuer.documents[issuer.list_url] = issuer.sign(issuer.status_list(), "ecdsa-rdfc-2019")
        issuer.documents[did_web_url(issuer.did)]["verificationMethod"][0][member] = write_instant(NOW)
        return issuer.sign(badge(issuer))

    return received


def key_taken_back(issuer: Issuer) -> Any:
    received = key_that_ended("revoked")(issuer)
    issuer.documents[did_web_url(issuer.did)]["assertionMethod"].pop(0)
    return received


def key_of_jwt_taken_back(issuer: Issuer) -> Any:
    """Return a JWT whose key's address tells of a revocation, while the DID document lists it still."""
    token = issuer.sign_jwt(badge(issuer))
    jwk = issuer.documents[issuer.kid]
    method = {"id": issuer.kid, "type": "JsonWebKey", "controller": issuer.did, "revoked": write_instant(NOW)}
    issuer.documents[issuer.kid] = method | {"publicKeyJwk": jwk}
    return token


def key_for_something_else(issuer: Issuer) -> Any:
    issuer.documents[issuer.list_url] = issuer.sign(issuer.status_list(), "ecdsa-rdfc-2019")
    issuer.documents[did_web_url(issuer.did)]["assertionMethod"].pop(0)
    return issuer.sign(badge(issuer))


UNKNOWN = "https://unknown.example/context"

FAULTS: dict[str, tuple[Callable[[Issuer], Any], tuple[str, str, str, str]]] = {
    # parse
    "nothing": (lambda _: b"", ("parse", "failed", "json-syntax", "")),
    "no object": (lambda _: b"[]", ("parse", "failed", "credential-malformed", "")),
    "a key twice": (lambda _: b'{"a": {"b": 1, "b": 2}}', ("parse", "failed", "json-duplicate-key", "/a")),
    "half a character": (lambda _: '{"a": "\ud800"}', ("parse", "failed", "json-not-utf8", "")),
    "a picture without": (lambda _: SVG, ("parse", "failed", "image-without-credential", "")),
    "a JWT of no JSON": (lambda _: "aaaa.bbbb.cccc", ("parse", "failed", "json-not-utf8", "")),
    "an envelope without": (
        lambda _: {"@context": [V2], "type": "EnvelopedVerifiableCredential", "id": "urn:x"},
        ("parse", "failed", "envelope-malformed", "/id"),
    ),
    # context
    "an undefined term": (
        tampered(lambda b: b.update(undefinedTerm="x")),
        ("context", "failed", "undefined-term", "/undefinedTerm"),
    ),
    "contexts in another order": (
        tampered(lambda b: b["@context"].insert(0, b["@context"].pop(1))),
        ("context", "failed", "context-order", "/@context/0"),
    ),
    # schema
    "a date without zone": (
        edited(lambda b: b.update(awardedDate="2025-12-01T00:00:00")),
        ("schema", "failed", "date-malformed", "/awardedDate"),
    ),
    "a member of another type": (
        tampered(lambda b: b["credentialSubject"].update(creditsEarned="3")),
        ("schema", "failed", "member-type", "/credentialSubject/creditsEarned"),
    ),
    "a status under its address": (
        hidden_status,
        ("schema", "failed", "member-not-term", "/https:~1~1www.w3.org~12018~1credentials#credentialStatus"),
    ),
    "an entry twice": (
        tampered(lambda b: b["evidence"].append(b["evidence"][0])),
        ("schema", "undecided", "value-repeated", "/evidence/2"),
    ),
    "another schema": (
        edited(
            lambda b: b["credentialSchema"].append(
                {"id": "https://other.example/schema", "type": "1EdTechJsonSchemaValidator2019"}
            )
        ),
        ("schema", "undecided", "address-unavailable", "/credentialSchema/1"),
    ),
    # subject
    "no recipient": (
        edited(lambda b: [b["credentialSubject"].pop(name) for name in ("id", "identifier")]),
        ("subject", "failed", "recipient-missing", "/credentialSubject"),
    ),
    "a result of nothing": (
        edited(lambda b: b["credentialSubject"]["result"][0].update(resultDescription="urn:other")),
        ("subject", "failed", "result-description-unknown", "/credentialSubject/result/0/resultDescription"),
    ),
    # proof
    "a changed value": (
        tampered(lambda b: b.update(name="Doctor of Everything")),
        ("proof", "failed", "signature-invalid", "/proof/0"),
    ),
    "no proof": (badge, ("proof", "failed", "proof-missing", "/proof")),
    "a proof that is none": (
        lambda issuer: badge(issuer) | {"proof": [proof_of(issuer) | {"proofValue": "z1"}]},
        ("proof", "failed", "proof-value-malformed", "/proof/0"),
    ),
    "another purpose": (
        lambda issuer: badge(issuer) | {"proof": proof_of(issuer, purpose="authentication")},
        ("proof", "failed", "proof-purpose", "/proof/proofPurpose"),
    ),
    "a proof of the future": (
        lambda issuer: badge(issuer) | {"proof": proof_of(issuer, created=NOW + timedelta(days=1, seconds=1))},
        ("proof", "failed", "proof-from-future", "/proof/created"),
    ),
    "a proof of the coming day": (
        lambda issuer: badge(issuer) | {"proof": proof_of(issuer, created=NOW + timedelta(days=1))},
        ("proof", "undecided", "proof-from-future", "/proof/created"),
    ),
    "a proof of the coming day that does not hold": (
        lambda issuer: (
            badge(issuer) | {"proof": proof_of(issuer, badge(issuer) | {"name": "x"}, created=NOW + timedelta(days=1))}
        ),
        ("proof", "failed", "signature-invalid", "/proof"),
    ),
    "a proof of the past": (
        lambda issuer: badge(issuer) | {"proof": proof_of(issuer) | {"expires": write_instant(NOW)}},
        ("proof", "failed", "proof-expired", "/proof/expires"),
    ),
    "an end of the proof that is hidden": (
        hidden_end,
        ("schema", "failed", "member-keyword", "/proof/@nest"),
    ),
    "an undefined term in the proof": (
        lambda issuer: badge(issuer) | {"proof": proof_of(issuer) | {"undefinedTerm": "x"}},
        ("proof", "failed", "undefined-term", "/proof/undefinedTerm"),
    ),
    "a previous proof that is missing": (
        lambda issuer: badge(issuer) | {"proof": proof_of(issuer) | {"previousProof": "urn:p"}},
        ("proof", "failed", "previous-proof-missing", "/proof"),
    ),
    "a second proof that does not hold": (
        lambda issuer: badge(issuer) | {"proof": [proof_of(issuer), proof_of(issuer, badge(issuer) | {"name": "x"})]},
        ("proof", "failed", "signature-invalid", "/proof/1"),
    ),
    "a key that only the fragment names": (
        by_a_key_in_the_fragment,
        ("proof", "failed", "verification-method-missing", "/proof/0"),
    ),
    "claims that are not the credential's": (
        in_jwt(lambda claims: claims.update(sub="did:example:other")),
        ("proof", "failed", "jwt-claim-mismatch", "/sub"),
    ),
    "a header that is not allowed": (
        in_jwt(lambda _: None, typ="at+jwt"),
        ("proof", "failed", "jwt-type", "/typ"),
    ),
    "a signature that has ended": (
        in_jwt(lambda claims: claims.update(exp=int(NOW.timestamp())), typ="vc+jwt"),
        ("proof", "failed", "jwt-expired", "/exp"),
    ),
    "a signature of the future": (
        in_jwt(lambda claims: claims.update(nbf=int(NOW.timestamp()) + 86_401), typ="vc+jwt"),
        ("proof", "failed", "jwt-not-yet-valid", "/nbf"),
    ),
    "a signature of the coming day": (
        in_jwt(lambda claims: claims.update(nbf=int(NOW.timestamp()) + 86_400), typ="vc+jwt"),
        ("proof", "undecided", "jwt-not-yet-valid", "/nbf"),
    ),
    "a token that was changed": (
        lambda issuer: encode_jwt(
            decode_jwt(issuer.sign_jwt(badge(issuer))).payload, signer(9, "P-256"), kid=issuer.kid
        ),
        ("proof", "failed", "signature-invalid", ""),
    ),
    # issuer
    "somebody else's key": (by_another_key, ("issuer", "failed", "key-not-issuers", "/issuer")),
    "somebody else's key in the header": (
        lambda issuer: encode_jwt(
            decode_jwt(issuer.sign_jwt(badge(issuer))).payload, signer(9, "P-256"), embed_key=True
        ),
        ("issuer", "undecided", "address-unavailable", "/issuer"),
    ),
    "a key that was revoked": (key_that_ended("revoked"), ("issuer", "failed", "key-revoked", "/issuer")),
    "a key that has expired": (key_that_ended("expires"), ("issuer", "failed", "key-expired", "/issuer")),
    "a key that was taken back": (key_taken_back, ("issuer", "failed", "key-revoked", "/issuer")),
    "a key of a JWT that was taken back": (key_of_jwt_taken_back, ("issuer", "failed", "key-revoked", "/issuer")),
    "a key for something else": (key_for_something_else, ("issuer", "failed", "key-not-issuers", "/issuer")),
    # status
    "revoked": (
        marked("revocation"),
        ("status", "failed", "credential-revoked", "/credentialStatus"),
    ),
    "suspended": (
        marked("suspension"),
        ("status", "failed", "credential-suspended", "/credentialStatus"),
    ),
    "a purpose that is unknown": (
        marked("other"),
        ("status", "undecided", "status-purpose-unsupported", "/credentialStatus/statusPurpose"),
    ),
    "a list of another purpose": (
        with_list(purpose="suspension"),
        ("status", "failed", "status-purpose-mismatch", "/credentialStatus/statusPurpose"),
    ),
    "a place beyond the list": (
        edited(lambda b: b["credentialStatus"].update(statusListIndex="131072")),
        ("status", "failed", "status-index-out-of-range", "/credentialStatus/statusListIndex"),
    ),
    "an entry without a list": (
        edited(lambda b: b["credentialStatus"].pop("statusListCredential")),
        ("status", "failed", "status-entry-malformed", "/credentialStatus/statusListCredential"),
    ),
    "an entry without a place": (
        edited(lambda b: b["credentialStatus"].pop("statusListIndex")),
        ("status", "failed", "status-entry-malformed", "/credentialStatus/statusListIndex"),
    ),
    "a list that was changed": (
        with_document(status_list, lambda document: document.update(validFrom="2026-05-01T00:00:00Z")),
        ("status", "failed", "status-list-proof", "/credentialStatus/statusListCredential"),
    ),
    "a list by somebody else's key": (
        with_document(status_list, lambda document: PEER.sign({n: v for n, v in document.items() if n != "proof"})),
        ("status", "failed", "status-list-proof", "/credentialStatus/statusListCredential"),
    ),
    "a list under the name of another issuer": (
        with_list(issuer="did:web:peer.example"),
        ("status", "failed", "status-list-proof", "/credentialStatus/statusListCredential"),
    ),
    "another list": (
        with_list(id="https://badges.example/status/2"),
        ("status", "undecided", "status-list-other", "/credentialStatus/statusListCredential"),
    ),
    "another list in which its place is set": (
        revoked_in_another_list,
        ("status", "failed", "credential-revoked", "/credentialStatus"),
    ),
    "a list that hides its end": (
        with_document(
            status_list,
            lambda document: document.update({"@nest": {"validUntil": document.pop("validUntil")}}),
        ),
        ("status", "undecided", "status-list-malformed", "/credentialStatus/statusListCredential"),
    ),
    "a list that is none": (
        with_document(status_list, lambda _: b"<html></html>"),
        ("status", "undecided", "status-list-malformed", "/credentialStatus/statusListCredential"),
    ),
    "a list that is another document": (
        with_document(status_list, lambda _: {"error": "no such page"}),
        ("status", "undecided", "status-list-malformed", "/credentialStatus/statusListCredential"),
    ),
    "a list of the coming day": (
        with_list(validFrom=write_instant(NOW + timedelta(hours=1))),
        ("status", "undecided", "status-list-outdated", "/credentialStatus/statusListCredential"),
    ),
    "a list that is out of date": (
        with_list(validUntil=write_instant(NOW)),
        ("status", "undecided", "status-list-outdated", "/credentialStatus/statusListCredential"),
    ),
    "a list whose key is not known": (
        with_document(
            status_list,
            lambda document: {
                **document,
                "proof": proof_of(
                    Issuer("badges.example", 1),
                    {name: value for name, value in document.items() if name != "proof"},
                    verification_method="did:example:1#2",
                ),
            },
        ),
        ("status", "undecided", "status-list-undecided", "/credentialStatus/statusListCredential"),
    ),
    "a list that cannot be had": (
        edited(lambda b: b["credentialStatus"].update(statusListCredential="https://gone.example/")),
        ("status", "undecided", "address-unavailable", "/credentialStatus"),
    ),
    "a status of another kind": (
        edited(lambda b: b.update(credentialStatus={"id": "urn:x", "type": "1EdTechCredentialRefresh"})),
        ("status", "undecided", "status-type-unsupported", "/credentialStatus/type"),
    ),
    "listed as revoked": (
        with_revocation_list({"revokedCredential": [{"id": FULL["id"]}]}),
        ("status", "failed", "credential-revoked", "/credentialStatus/id"),
    ),
    "listed in a list of another issuer": (
        with_revocation_list({"issuer": PEER.did, "revokedCredential": []}),
        ("status", "failed", "status-list-issuer", "/credentialStatus/id"),
    ),
    "listed in what is no list": (
        with_revocation_list(b"{"),
        ("status", "undecided", "status-list-malformed", "/credentialStatus/id"),
    ),
    # validity
    "expired": (
        edited(lambda b: b.update(validUntil=write_instant(NOW))),
        ("validity", "failed", "credential-expired", "/validUntil"),
    ),
    "not yet valid": (
        edited(lambda b: b.update(validFrom=write_instant(NOW + timedelta(days=1, seconds=1)))),
        ("validity", "failed", "credential-not-yet-valid", "/validFrom"),
    ),
    "to begin on the coming day": (
        edited(lambda b: b.update(validFrom=write_instant(NOW + timedelta(days=1)))),
        ("validity", "undecided", "credential-not-yet-valid", "/validFrom"),
    ),
    "to begin in the coming second": (
        edited(lambda b: b.update(validFrom=write_instant(NOW + timedelta(seconds=1)))),
        ("validity", "undecided", "credential-not-yet-valid", "/validFrom"),
    ),
    "an end before the beginning": (
        edited(lambda b: b.update(validUntil="2025-01-01T00:00:00Z")),
        ("validity", "failed", "period-reversed", "/validUntil"),
    ),
}


@pytest.mark.parametrize(("make", "expected"), FAULTS.values(), ids=list(FAULTS))
def test_one_fault_is_one_finding_of_one_check(
    issuer: Issuer, make: Callable[[Issuer], Any], expected: tuple[str, str, str, str]
) -> None:
    found = report(issuer, make(issuer))
    assert fault(found) == expected
    assert found.verdict == ("rejected" if expected[1] == "failed" else "undecided")


# --- Undecided ---


def test_an_unknown_context_is_named_and_what_rests_on_it_is_undecided(issuer: Issuer) -> None:
    signed = issuer.sign(badge(issuer))
    signed["@context"].append(UNKNOWN)
    found = report(issuer, signed)
    assert found.verdict == "undecided"
    assert not_passed(found) == [
        ("context", "undecided", [("context-unknown", "/@context/3")]),
        ("proof", "undecided", [("proof-not-checked", "/proof/0")]),
        ("issuer", "undecided", []),
    ]
    assert UNKNOWN in found.checks[1].findings[0].message
    assert UNKNOWN not in issuer.asked


def test_a_context_that_an_operator_pinned_is_known(issuer: Issuer) -> None:
    body = json.dumps({"@context": {"term": "https://unknown.example/term"}}).encode()
    contexts = PACKAGED.with_pinned({UNKNOWN: (body, hashlib.sha256(body).hexdigest())})
    unsigned = badge(issuer, lambda b: (b["@context"].append(UNKNOWN), b.update(term="x")))
    signed = unsigned | {"proof": proof_of(issuer, unsigned, contexts=contexts)}
    assert report(issuer, signed, contexts=contexts).verdict == "verified"
    assert report(issuer, signed).verdict == "undecided"


@pytest.mark.parametrize("form", ["json", "jwt"])
def test_an_issuer_that_cannot_be_reached_is_undecided(issuer: Issuer, form: str) -> None:
    received = issuer.sign_jwt(badge(issuer)) if form == "jwt" else issuer.sign(badge(issuer))
    for address in (did_web_url(issuer.did), issuer.kid):
        issuer.documents.pop(address)
    found = report(issuer, received)
    assert found.verdict == "undecided"
    assert [name for name, outcome, _ in not_passed(found)] == ["proof", "issuer", "status"]


def test_the_issuers_document_is_needed_for_a_key_at_its_own_address(issuer: Issuer) -> None:
    token = issuer.sign_jwt(badge(issuer, lambda b: b.pop("credentialStatus")))
    document = issuer.documents.pop(did_web_url(issuer.did))
    jwks = "https://badges.example/.well-known/jwks.json"
    assert not_passed(report(issuer, token)) == [("issuer", "undecided", [("address-unavailable", "/issuer")])]
    issuer.documents[jwks] = {"keys": [{**issuer.p256.key.jwk, "iss": issuer.did}]}
    assert report(issuer, token).verdict == "verified"
    issuer.documents[jwks] = {"keys": [{**issuer.p256.key.jwk, "iss": "did:web:badges.example:other"}]}
    issuer.documents[did_web_url(issuer.did)] = document | {"verificationMethod": [], "assertionMethod": []}
    assert fault(report(issuer, token)) == ("issuer", "failed", "key-not-issuers", "/issuer")


@pytest.mark.parametrize(
    ("proofs", "outcome", "codes"),
    [
        (["holds", "unsupported"], "passed", ["suite-unsupported"]),
        (["unsupported"], "undecided", ["suite-unsupported"]),
        (["holds", "unreachable"], "undecided", ["address-unavailable"]),
        (["unreachable"], "undecided", ["address-unavailable"]),
        (["holds", "other method"], "passed", ["did-method-unsupported"]),
        (["holds", "broken"], "failed", ["signature-invalid"]),
        (["unsupported", "broken"], "failed", ["signature-invalid"]),
    ],
)
def test_every_proof_of_a_known_suite_has_to_hold(
    issuer: Issuer, proofs: list[str], outcome: str, codes: list[str]
) -> None:
    proof = proof_of(issuer)
    kinds = {
        "holds": proof,
        "unsupported": proof | {"cryptosuite": "bbs-2023"},
        "unreachable": proof_of(issuer, verification_method="https://gone.example/key"),
        "other method": proof_of(issuer, verification_method="did:example:1#2"),
        "broken": proof | {"created": "2026-01-02T00:00:00Z"},
    }
    found = report(issuer, badge(issuer) | {"proof": [kinds[kind] for kind in proofs]})
    check = found.checks[4]
    assert check.outcome == outcome
    assert {finding.code for finding in check.findings} >= set(codes)


def test_a_chain_of_proofs_holds_as_a_whole(issuer: Issuer) -> None:
    unsigned = badge(issuer)
    first = proof_of(issuer, unsigned, proof_id="urn:proof:1")
    peer = PEER.ed25519
    second = create_proof(
        unsigned | {"proof": [first]},
        peer,
        suite="eddsa-rdfc-2022",
        verification_method=PEER.method(peer),
        created=SIGNED_AT,
        previous_proof="urn:proof:1",
        contexts=PACKAGED,
    )
    assert report(issuer, unsigned | {"proof": [first, second]}).verdict == "verified"
    assert fault(report(issuer, unsigned | {"proof": [second]})) == (
        "proof",
        "failed",
        "previous-proof-missing",
        "/proof/0",
    )
    changed = first | {"proofValue": first["proofValue"][:-1] + "1"}
    assert report(issuer, unsigned | {"proof": [changed, second]}).checks[4].outcome == "failed"
    unsupported = first | {"cryptosuite": "bbs-2023"}
    later = create_proof(
        unsigned | {"proof": [unsupported]},
        issuer.ed25519,
        suite="eddsa-jcs-2022",
        verification_method=issuer.method(issuer.ed25519),
        created=SIGNED_AT,
        previous_proof="urn:proof:1",
        contexts=PACKAGED,
    )
    found = report(issuer, unsigned | {"proof": [unsupported, later]})
    assert found.checks[4].outcome == "undecided"
    assert "previous-proof-not-checked" in {finding.code for finding in found.checks[4].findings}


def test_a_proof_by_others_alone_is_not_the_issuers(issuer: Issuer) -> None:
    unsigned = badge(issuer)
    by_peer = PEER.sign(unsigned)["proof"][0]
    assert fault(report(issuer, unsigned | {"proof": by_peer})) == ("issuer", "failed", "key-not-issuers", "/issuer")
    assert report(issuer, unsigned | {"proof": [by_peer, proof_of(issuer)]}).verdict == "verified"


def test_an_issuer_without_id_is_found_by_the_form_alone(issuer: Issuer) -> None:
    signed = issuer.sign(badge(issuer, lambda b: b["issuer"].pop("id")))
    found = report(issuer, signed)
    assert found.checks[2].outcome == "failed"
    assert outcomes(found)["issuer"] == "skipped"


def test_a_jwt_may_name_no_key(issuer: Issuer) -> None:
    payload = decode_jwt(issuer.sign_jwt(badge(issuer))).payload
    for typ in (None, "vc+jwt"):
        found = report(issuer, encode_jwt(payload, issuer.p256, typ=typ))
        assert found.checks[4].outcome == "failed"
        assert {finding.code for finding in found.checks[4].findings} == {"jwt-key-missing"}


# --- Status ---


def test_all_entries_are_looked_at(issuer: Issuer) -> None:
    other = "https://badges.example/status/2"
    entries = [status_entry(issuer.list_url, PLACE, "revocation"), status_entry(other, 5, "suspension")]
    general = {
        "@context": [V2, "https://www.w3.org/ns/credentials/examples/v2"],
        "id": "urn:uuid:1",
        "type": ["VerifiableCredential"],
        "issuer": issuer.did,
        "credentialSubject": {"id": "did:example:1", "degree": "B"},
        "credentialStatus": entries,
    }
    issuer.documents[other] = issuer.sign(issuer.status_list(purpose="suspension", id=other))
    assert report(issuer, issuer.sign(general)).verdict == "verified"
    issuer.documents[other] = issuer.sign(issuer.status_list(5, purpose="suspension", id=other))
    assert fault(report(issuer, issuer.sign(general))) == (
        "status",
        "failed",
        "credential-suspended",
        "/credentialStatus/1",
    )
    many = [status_entry(issuer.list_url, index, "revocation") for index in range(MAX_ENTRIES + 1)]
    found = report(issuer, issuer.sign(general | {"credentialStatus": many}))
    assert fault(found) == ("status", "undecided", "status-too-many", "/credentialStatus")
    assert issuer.asked.count(issuer.list_url) == 3  # once for each report, however many entries


def test_a_message_is_a_remark(issuer: Issuer) -> None:
    entry = status_entry(issuer.list_url, PLACE, "message") | {
        "statusMessage": [{"status": "0x0", "message": "sent"}, {"status": "0x1", "message": "received"}]
    }
    signed = issuer.sign(badge(issuer, lambda b: b.update(credentialStatus=entry)))
    issuer.publish(purpose="message")
    assert report(issuer, signed).checks[7].findings == ()
    issuer.publish(PLACE, purpose="message")
    found = report(issuer, signed)
    assert found.verdict == "verified"
    (finding,) = found.checks[7].findings
    assert finding.code == "status-message"
    assert "'received'" in finding.message


def test_a_status_that_is_malformed_is_found_by_the_form(issuer: Issuer) -> None:
    malformed: list[Any] = ["x", [], {"type": ["1EdTechRevocationList"]}]
    for status in malformed:
        signed = badge(issuer) | {"credentialStatus": status, "proof": proof_of(issuer)}
        assert report(issuer, signed).checks[2].outcome == "failed"


def test_a_list_may_be_a_jwt(issuer: Issuer) -> None:
    issuer.documents[issuer.list_url] = issuer.sign_jwt(issuer.status_list()).encode()
    assert report(issuer, issuer.sign(badge(issuer))).verdict == "verified"
    issuer.documents[issuer.list_url] = issuer.sign_jwt(issuer.status_list(PLACE)).encode()
    assert report(issuer, issuer.sign(badge(issuer))).verdict == "rejected"


def test_a_listing_needs_an_address(issuer: Issuer) -> None:
    signed = badge(issuer) | {"credentialStatus": {"type": "1EdTechRevocationList"}, "proof": proof_of(issuer)}
    assert ("status-entry-malformed", "/credentialStatus/id") in [
        (finding.code, finding.pointer) for finding in report(issuer, signed).checks[7].findings
    ]


# --- Recipient ---


@pytest.mark.parametrize(
    ("recipient", "outcome"),
    [
        (EMAIL, "passed"),
        (EMAIL.upper(), "passed"),
        (FULL["credentialSubject"]["id"], "passed"),
        ("other@school.example", "failed"),
        ("did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doL", "failed"),
        ("employee-17", "undecided"),
        ("", "undecided"),
    ],
)
def test_the_recipient_is_compared(issuer: Issuer, recipient: str, outcome: str) -> None:
    found = report(issuer, issuer.sign(badge(issuer)), recipient=recipient)
    assert outcomes(found)["recipient"] == outcome
    verdicts = {"passed": "verified", "failed": "rejected", "undecided": "undecided"}
    assert found.verdict == verdicts[outcome]


# --- Endorsements ---


def endorsements_one_by_one(value: Any, where: str = "") -> Iterator[tuple[str, object, object]]:
    if isinstance(value, list):
        for index, item in reversed(list(enumerate(value))):
            yield from endorsements_one_by_one(item, f"{where}/{index}")
    elif isinstance(value, dict):
        for member, wanted in ((name, {"endorsement": dict, "endorsementJwt": str}.get(name)) for name in value):
            inner = value[member]
            for place, item in (
                [(f"/{index}", item) for index, item in enumerate(inner)] if isinstance(inner, list) else [("", inner)]
            ):
                if wanted is not None and isinstance(item, wanted):
                    yield f"{where}/{member}{place}", item, value.get("id")
        for member in reversed([name for name in value if name not in {"endorsement", "endorsementJwt"}]):
            yield from endorsements_one_by_one(value[member], f"{where}/{member}")


@given(
    st.recursive(
        st.sampled_from(["x", 1, None]),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["id", "a", "endorsement", "endorsementJwt"]), inner, max_size=4)
        ),
        max_leaves=12,
    ).map(lambda value: {"a": value, "endorsement": value, "endorsementJwt": value})
)
def test_every_endorsement_is_found_at_its_place(credential: Any) -> None:
    assert list(endorsements_in(credential)) == list(endorsements_one_by_one(credential))


def endorsement_fault(issuer: Issuer, change: Callable[[Any], object]) -> tuple[str, str, str, str]:
    return fault(report(issuer, issuer.sign(badge(issuer, change))))


def test_an_endorsement_is_verified_for_itself(issuer: Issuer) -> None:
    def expire(b: Any) -> None:
        inner = {name: value for name, value in b["endorsement"][0].items() if name != "proof"}
        b["endorsement"] = [PEER.sign(inner | {"validUntil": "2026-02-01T00:00:00Z"})]

    def change_token(b: Any) -> None:
        payload = decode_jwt(b["credentialSubject"]["achievement"]["endorsementJwt"][0]).payload
        b["credentialSubject"]["achievement"]["endorsementJwt"] = [
            encode_jwt(payload, signer(9, "P-256"), kid=PEER.kid)
        ]

    failed = ("endorsements", "failed", "endorsement-not-verified")
    assert endorsement_fault(issuer, expire) == (*failed, "/endorsement/0")
    assert endorsement_fault(
        issuer, lambda b: b["endorsement"][0]["credentialSubject"].update(endorsementComment="Praise")
    ) == (*failed, "/endorsement/0")
    assert endorsement_fault(issuer, change_token) == (*failed, "/credentialSubject/achievement/endorsementJwt/0")
    assert endorsement_fault(issuer, lambda b: b.update(endorsementJwt=["aaaa.bbbb.cccc"])) == (
        *failed,
        "/endorsementJwt/0",
    )
    assert endorsement_fault(
        issuer, lambda b: b["endorsement"][0]["proof"][0].update(verificationMethod="did:example:1#2")
    ) == ("endorsements", "undecided", "endorsement-not-verified", "/endorsement/0")


def test_what_the_endorser_left_open_is_not_closed_by_whoever_quotes_it(issuer: Issuer) -> None:
    def repeat(b: Any) -> None:
        b["endorsement"][0]["type"].append(
            "EndorsementCredential"
        )  # which the endorser's proof does not see, and the JWT around it does

    for received in (issuer.sign_jwt(badge(issuer)), issuer.sign(badge(issuer), "ecdsa-jcs-2019")):
        assert report(issuer, received).verdict == "verified"
    payload = decode_jwt(issuer.sign_jwt(badge(issuer))).payload
    repeat(payload)
    expected = ("endorsements", "undecided", "endorsement-not-verified", "/endorsement/0")
    assert fault(report(issuer, encode_jwt(payload, issuer.p256, kid=issuer.kid))) == expected
    assert fault(report(issuer, issuer.sign(badge(issuer, repeat), "eddsa-jcs-2022"))) == expected
    # Under a proof that sees it no better, the credential itself is undecided.
    found = report(issuer, issuer.sign(badge(issuer, repeat)))
    assert not_passed(found) == [("schema", "undecided", [("value-repeated", "/endorsement/0/type/2")])]


def test_endorsements_of_those_who_endorse_are_verified_too(issuer: Issuer) -> None:
    third = Issuer("third.example", 3)
    PEER.documents.update(third.documents)
    inner = {name: value for name, value in badge(PEER)["endorsement"][0].items() if name != "proof"}
    inner["id"], inner["issuer"] = "https://third.example/1", {**inner["issuer"], "id": third.did}
    inner["credentialSubject"] = {**inner["credentialSubject"], "id": PEER.did}
    good, forged = third.sign(inner), PEER.sign(inner)

    def quote(endorsement: Any) -> Callable[[Any], object]:
        def change(b: Any) -> None:
            outer = {name: value for name, value in b["endorsement"][0].items() if name != "proof"}
            outer["issuer"] = {**outer["issuer"], "endorsement": [endorsement]}
            b["endorsement"] = [PEER.sign(outer)]

        return change

    found = report(issuer, issuer.sign(badge(issuer, quote(good))))
    assert found.verdict == "verified", not_passed(found)
    assert endorsement_fault(issuer, quote(forged)) == (
        "endorsements",
        "failed",
        "endorsement-not-verified",
        "/endorsement/0/issuer/endorsement/0",
    )


def test_an_endorsement_in_any_credential_is_verified(issuer: Issuer) -> None:
    endorsement = badge(issuer)["endorsement"][0]
    general = {
        "@context": [V2, OB],
        "id": FULL["id"],
        "type": ["VerifiableCredential"],
        "issuer": issuer.did,
        "credentialSubject": {"id": "did:example:1", "narrative": "n"},
        "endorsement": endorsement,
    }
    assert report(issuer, issuer.sign(general)).verdict == "verified"
    expected = ("endorsements", "failed", "endorsement-not-verified", "/endorsement")
    changed = copy.deepcopy(endorsement)
    changed["credentialSubject"]["endorsementComment"] = "Praise"
    assert fault(report(issuer, issuer.sign(general | {"endorsement": changed}))) == expected
    unnamed = {name: value for name, value in endorsement.items() if name not in {"proof", "name"}}
    assert fault(report(issuer, issuer.sign(general | {"endorsement": PEER.sign(unnamed)}))) == expected
    # A text that is no JWT has no contexts but its own.
    text = json.dumps(PEER.sign(unnamed) | {"undefinedTerm": "x"})
    found = report(issuer, issuer.sign(general | {"endorsement": [], "endorsementJwt": text}))
    assert fault(found) == (*expected[:3], "/endorsementJwt")


def test_an_endorsement_of_something_else_is_a_remark(issuer: Issuer) -> None:
    def move(b: Any) -> None:
        b["credentialSubject"]["achievement"]["endorsement"] = b.pop("endorsement")

    found = report(issuer, issuer.sign(badge(issuer, move)))
    assert found.verdict == "verified"
    assert [(finding.code, finding.pointer) for finding in found.checks[11].findings] == [
        ("endorsement-of-other", "/credentialSubject/achievement/endorsement/0")
    ]


def test_an_endorsement_of_a_part_of_what_it_stands_in_is_none(issuer: Issuer) -> None:
    def endorse_skills(b: Any) -> None:
        bare = {name: value for name, value in b["endorsement"][0].items() if name != "proof"}
        bare["credentialSubject"] = bare["credentialSubject"] | {"id": f"{b['id']}#skills"}
        b["endorsement"] = [PEER.sign(bare)]

    found = report(issuer, issuer.sign(badge(issuer, endorse_skills)))
    assert (found.verdict, found.checks[11].findings) == ("verified", ())


def test_endorsements_are_looked_at_within_a_bound(issuer: Issuer) -> None:
    token = PEER.sign_jwt({name: value for name, value in badge(issuer)["endorsement"][0].items() if name != "proof"})
    found = report(
        issuer, issuer.sign(badge(issuer, lambda b: b.update(endorsementJwt=[token] * (MAX_ENDORSEMENTS + 1))))
    )
    assert ("endorsements-too-many", "") in [(finding.code, finding.pointer) for finding in found.checks[11].findings]


def test_what_is_no_endorsement_is_found_by_the_form(issuer: Issuer) -> None:
    malformed: list[Any] = ["x", ["x"], [[]], {}]
    for endorsement in malformed:
        signed = badge(issuer) | {"endorsement": endorsement, "proof": proof_of(issuer)}
        assert report(issuer, signed).checks[2].outcome == "failed"


# --- Bounds ---


def test_documents_are_loaded_once_and_not_without_end(issuer: Issuer) -> None:
    proof = proof_of(issuer)
    elsewhere = [proof | {"verificationMethod": f"https://other.example/{index}"} for index in range(15)]
    entries = [{"id": f"https://list.example/{index}", "type": "1EdTechRevocationList"} for index in range(8)]
    tokens = [encode_jwt({"issuer": "urn:x"}, issuer.p256, kid=f"https://key.example/{index}") for index in range(8)]
    signed = badge(issuer) | {"proof": [proof, *elsewhere], "credentialStatus": entries, "endorsementJwt": tokens}
    found = report(issuer, signed)
    assert found.verdict == "rejected"
    assert len(issuer.asked) == len(set(issuer.asked))
    assert len(issuer.asked) + len(PEER.asked) >= MAX_ADDRESSES
    asked: list[str] = []

    def load(address: str) -> Fetched:
        asked.append(address)
        raise UnavailableError("address-unavailable", "expected a document, got none")

    report(issuer, signed, load=load)
    assert len(asked) == MAX_ADDRESSES


def test_many_proofs_of_one_document_are_little_more_work_than_one(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[int] = []

    def counted(document: Any, contexts: Any, hash_name: Any) -> bytes:
        made.append(len(json.dumps(document)))
        return canonical_form(document, contexts, hash_name)

    monkeypatch.setattr(inquiry, "canonical_form", counted)
    unsigned = badge(
        issuer, lambda b: [b.pop("endorsement"), b["credentialSubject"]["achievement"].pop("endorsementJwt")]
    )
    proof = proof_of(issuer, unsigned) | {"proofValue": proof_of(issuer)["proofValue"]}
    for suite in ("eddsa-rdfc-2022", "eddsa-jcs-2022"):
        made.clear()
        one = unsigned | {"proof": [proof | {"cryptosuite": suite}]}
        assert fault(report(issuer, one))[:3] == ("proof", "failed", "signature-invalid")
        once = sum(made)
        made.clear()
        assert report(issuer, one | {"proof": one["proof"] * 16}).verdict == "rejected"
        assert sum(made) == once


def test_work_has_an_end(issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []

    def counted(document: Any, contexts: Any, hash_name: Any) -> bytes:
        made.append(len(json.dumps(document, ensure_ascii=False)))
        return canonical_form(document, contexts, hash_name)

    monkeypatch.setattr(inquiry, "canonical_form", counted)
    # Each proof is over another document: that with the proof before.
    long = badge(issuer, lambda b: b.update(description="x" * 1_000_000))
    proofs = [proof_of(issuer) | {"id": f"urn:{n}", "previousProof": [f"urn:{n - 1}"]} for n in range(1, 16)]
    found = report(issuer, long | {"proof": [proof_of(issuer) | {"id": "urn:0"}, *proofs]})
    assert ("too-much-work", "/proof/15") in [(finding.code, finding.pointer) for finding in found.checks[4].findings]
    assert sum(made) <= MAX_WORK
    # Older editions of contexts are given up before that.
    made.clear()
    first = report(issuer, long | {"proof": [proof_of(issuer)]})
    assert fault(first)[:3] == ("proof", "failed", "signature-invalid")
    assert 4_000_000 < sum(made) < 6_100_000


def test_what_is_not_done_in_time_is_undecided(issuer: Issuer) -> None:
    text = json.dumps(issuer.sign(badge(issuer)))

    def at(seconds: float) -> Report:
        return report(issuer, text, time_left=lambda: seconds)

    assert at(0.01).verdict == "verified"
    found = at(0.0)
    assert found.verdict == "undecided"
    assert [finding.code for finding in found.checks[4].findings] == ["too-much-time"]


def test_when_the_time_ends_with_older_contexts_still_untried_nobody_knows(issuer: Issuer) -> None:
    text = json.dumps(badge(issuer, lambda b: b.update(name="Another")) | {"proof": [proof_of(issuer)]})
    assert fault(report(issuer, text))[:3] == ("proof", "failed", "signature-invalid")
    for steps in range(5):
        left = iter([1.0] * steps + [0.0] * 100)
        found = report(issuer, text, time_left=left.__next__)
        assert (found.checks[4].outcome, found.checks[4].findings[0].code) == ("undecided", "too-much-time")


def test_many_places_in_large_lists_are_not_all_looked_up(issuer: Issuer) -> None:
    asked = inquiry.Inquiry(NOW, PACKAGED, issuer.load, _work_left=199_999)
    secured = Secured(badge(issuer))
    found = check_status(secured, asked)
    assert (found.outcome, found.findings[0].code) == ("undecided", "too-much-work")


def test_an_endorsement_too_many_is_undecided(issuer: Issuer) -> None:
    def lengthen(b: Any) -> None:
        inner = {name: value for name, value in b["endorsement"][0].items() if name != "proof"}
        b["endorsement"] = [PEER.sign(inner | {"description": "x" * 500_000, "id": f"urn:{n}"}) for n in range(7)]

    found = report(issuer, issuer.sign(badge(issuer, lengthen)))
    assert ("too-much-work", "/endorsement/6") in [
        (finding.code, finding.pointer) for finding in found.checks[11].findings
    ]
    assert found.verdict == "undecided"


def test_what_has_no_canonical_form_is_named(issuer: Issuer) -> None:
    schema = {
        "@context": [V2],
        "type": ["VerifiableCredential", "JsonSchemaCredential"],
        "issuer": issuer.did,
        "credentialSubject": {"id": "urn:schema", "type": "JsonSchema", "jsonSchema": {"maximum": 2**60}},
        "proof": proof_of(issuer),
    }
    assert not_passed(report(issuer, schema)) == [
        ("context", "failed", [("json-not-canonical", "")]),
        ("proof", "undecided", [("proof-not-checked", "/proof")]),
        ("issuer", "undecided", []),
    ]


def test_faults_are_told_up_to_a_number(issuer: Issuer) -> None:
    found = report(issuer, issuer.sign(badge(issuer)) | {f"undefined{n}": n for n in range(19_000)})
    assert len(found.checks[1].findings) == 100
    relative = [{"id": f"relative{n}", "type": ["Evidence"]} for n in range(300)]
    assert len(report(issuer, issuer.sign(badge(issuer)) | {"evidence": relative}).checks[1].findings) == 100


def test_a_document_that_is_asked_for_again_is_not_loaded_again(issuer: Issuer) -> None:
    report(issuer, issuer.sign(badge(issuer)))
    assert sorted(issuer.asked) == sorted({did_web_url(issuer.did), issuer.list_url})


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
MEMBERS = st.sampled_from([*FULL, *FULL["credentialSubject"], "verifiableCredential", "vc"])


@given(st.binary() | st.text(st.characters()) | JSON_VALUES.map(json.dumps))
def test_nothing_received_makes_it_raise(received: bytes | str) -> None:
    assert report(PEER, received).verdict != "verified"


SIGNED = PEER.sign(badge(PEER))


@settings(max_examples=40)
@given(st.dictionaries(MEMBERS, JSON_VALUES, min_size=1, max_size=6))
def test_no_value_of_a_member_makes_it_raise(members: dict[str, Any]) -> None:
    assert len(report(PEER, SIGNED | members, recipient="x").checks) == len(NAMES)


@given(st.lists(st.sampled_from(list(places(FULL))), min_size=1, max_size=3), st.data())
def test_no_value_anywhere_makes_it_raise(chosen: list[Place], data: st.DataObject) -> None:
    mutant = copy.deepcopy(FULL)
    for place in sorted(chosen, key=len, reverse=True):
        value_at(mutant, place[:-1])[place[-1]] = data.draw(JSON_VALUES)
    assert report(PEER, json.dumps(mutant), recipient="x").verdict != "verified"


@pytest.mark.parametrize(
    "received",
    [
        b"[" * 1_000_000,
        b'{"a":' * 1_000_000,
        b'{"a":"' + b"x" * 5_000_000 + b'"}',
        b"9" * 100_000,
        b'{"a": NaN}',
        b'{"a": 1e999}',
        b"\xff\xfe{}",
        b"\x89PNG\r\n\x1a\n" + b"\0" * 100,
        b"<" * 1_000_000,
        b'<!DOCTYPE svg [<!ENTITY a "b">]><svg xmlns="http://www.w3.org/2000/svg">&a;</svg>',
        b"a" * 3_000_000 + b"." + b"b" * 3_000_000 + b".",
        "\ud800",
        json.dumps({"@context": [V2] * 40_000}).encode(),
        json.dumps({"@context": [V2], "type": ["VerifiableCredential"] * 40_000}).encode(),
        json.dumps({"@context": [V2], "id": "urn:1", "a": [{"id": "urn:1", "b": n} for n in range(9_000)]}).encode(),
    ],
    ids=range(15),
)
def test_what_is_made_to_cost_much_is_rejected_within_bounds(received: bytes | str) -> None:
    assert report(PEER, received).verdict == "rejected"
