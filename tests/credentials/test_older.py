import json
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credentials import Fetched, bake, find_older
from credentials.checks.inquiry import MAX_ADDRESSES, MAX_WORK
from credentials.checks.older import MAX_KEYS
from credentials.model.badges2 import read_date, within
from credentials.older import verify_older
from tests.credentials.older_badges import (
    BADGE,
    CLASS,
    CONTEXT,
    HOST,
    ISSUER,
    KEY,
    LIST,
    MAIL,
    NOW,
    P256,
    RSA,
    SALT,
    SIGNERS,
    Site,
    codes,
    hashed,
    hosted_assertion,
    older_png,
    older_svg,
    outcomes,
    pem,
    signed_assertion,
    site,
    verify,
)

HOSTED = dict.fromkeys(("parse", "subject", "issuer", "refresh", "status", "validity"), "passed")
SIGNED = dict.fromkeys(("parse", "subject", "proof", "issuer", "status", "validity"), "passed")


# --- Hosted ----------------------------------------------------------------------------------------------------------


def test_a_hosted_badge_is_confirmed_by_its_address() -> None:
    at = site()
    report = verify(hosted_assertion(), at)
    assert (report.verdict, outcomes(report)) == ("verified", HOSTED)
    assert at.asked == [BADGE, CLASS, ISSUER]
    assert report.older is not None
    assert (report.older.kind, report.older.address) == ("hosted", BADGE)


def test_the_issuer_stands_behind_what_its_address_says_or_its_key_signed() -> None:
    at = site()
    hosted, signed = verify(hosted_assertion(), at), verify(at.sign(), at)
    assert (hosted.is_confirmed, hosted.is_proven) == (True, False)
    assert (signed.is_confirmed, signed.is_proven) == (True, True)


def test_it_is_restated_in_the_words_of_today() -> None:
    report = verify(hosted_assertion(expires="2030-01-01"), site())
    assert report.readable["issuer"] == {"id": ISSUER, "name": "Old School", "url": HOST}
    assert report.readable["validFrom"] == "2019-05-01T00:00:00Z"
    achievement = report.readable["credentialSubject"]["achievement"]
    assert (achievement["name"], achievement["criteria"]) == ("Leads a circle", {"narrative": "Lead ten meetings"})
    assert "@context" not in report.readable


@pytest.mark.parametrize(
    "written",
    [
        {"targetName": "Listening", "targetUrl": "https://skills.example/1", "targetDescription": "Hears all"},
        {"name": "Listening", "url": "https://skills.example/1", "description": "Hears all"},
    ],
)
def test_skills_are_restated_from_both_of_their_forms(written: dict[str, str]) -> None:
    at = site()
    at.change(CLASS, alignment=[written])
    achievement = verify(hosted_assertion(), at).readable["credentialSubject"]["achievement"]
    assert achievement["alignment"] == [
        {"targetName": "Listening", "targetUrl": "https://skills.example/1", "targetDescription": "Hears all"}
    ]


@pytest.mark.parametrize("recipient", [{"identity": MAIL.upper(), "type": "email", "hashed": False}, MAIL, hashed()])
def test_the_recipient_is_compared_in_every_form(recipient: object) -> None:
    at = site()
    at.change(BADGE, recipient=recipient, salt="pepper")
    assert outcomes(verify(BADGE, at, MAIL))["recipient"] == "passed"
    assert outcomes(verify(BADGE, at, "bo@mail.example"))["recipient"] == "failed"


def test_a_badge_that_names_nobody_is_undecided() -> None:
    at = site()
    at.change(BADGE, recipient={"type": "email", "identity": 5})
    report = verify(BADGE, at, MAIL)
    assert (report.verdict, outcomes(report)["recipient"]) == ("undecided", "undecided")
    assert "recipient-missing" in codes(report)


@pytest.mark.parametrize(
    "changed",
    [
        {"recipient": {"type": "email", "hashed": True, "salt": "other", "identity": hashed(salt="other")}},
        {"recipient": {"type": "email", "hashed": False, "identity": "bo@mail.example"}},
        {"badge": f"{HOST}/classes/2"},
        {"recipient": {"type": "email", "hashed": True, "salt": "other", "identity": hashed()}},
        {"issuedOn": "2012-05-01T00:00:00Z"},
        {"issuedOn": "2019-05-02T00:00:01Z"},
    ],
)
def test_the_address_decides_and_never_the_file(changed: dict[str, Any]) -> None:
    report = verify(hosted_assertion(**changed), site())
    assert (report.verdict, codes(report)) == ("undecided", {"hosted-differs"})
    assert report.credential == hosted_assertion()


def test_an_end_that_the_address_does_not_give_is_none() -> None:
    at = site()
    at.change(BADGE, expires="2030-01-01T00:00:00Z")
    assert codes(verify(hosted_assertion(expires="2090-01-01T00:00:00Z"), at)) == {"hosted-differs"}


@pytest.mark.parametrize(
    "written",
    [
        {"recipient": {"type": "email", "hashed": False, "identity": MAIL}},
        {"badge": f"{CLASS}?v=2_0"},
        {"badge": [{"id": CLASS}]},
        {"issuedOn": 1556668800},
        {"issuedOn": "2019-05-01"},
        {"issuedOn": "2019-05-01T23:59:59+00:00"},
        {"id": BADGE.replace("https", "http")},
        {"extra": True},
    ],
)
def test_the_same_in_another_form_is_no_difference(written: dict[str, Any]) -> None:
    assert verify(hosted_assertion(**written), site()).verdict == "verified"


def test_a_badge_of_version_1_is_read_as_2_0_readers_do() -> None:
    at = site()
    at.documents[BADGE] = {
        "uid": "abc",
        "recipient": {"type": "email", "hashed": True, "salt": "pepper", "identity": hashed()},
        "badge": CLASS,
        "verify": {"type": "hosted", "url": BADGE.replace("https", "http")},
        "issuedOn": 1359217910,
    }
    at.documents[ISSUER] = {"name": "Old School", "url": HOST}
    report = verify(at.documents[BADGE], at, MAIL)
    assert (report.verdict, outcomes(report)) == ("verified", HOSTED | {"recipient": "passed"})


@pytest.mark.parametrize("as_file", [False, True])
def test_a_badge_of_version_0_5_is_its_origins(as_file: bool) -> None:
    at = site()
    at.documents[BADGE] = first_version()
    found = find_older(json.dumps(first_version()), BADGE) if as_file else find_older(older_png(BADGE))
    assert found is not None
    report = verify_older(found, now=NOW, load=at.load, recipient=MAIL)
    assert (report.verdict, outcomes(report)["recipient"], at.asked) == ("verified", "passed", [BADGE])
    assert report.readable["issuer"] == {"id": BADGE, "name": "Old School", "url": HOST}


@pytest.mark.parametrize("origin", ["https://other.example", f"{HOST}:8443", "https://example"])
def test_a_badge_of_version_0_5_at_anothers_address_is_rejected(origin: str) -> None:
    at = site()
    at.documents[BADGE] = first_version(origin=origin)
    report = verify(BADGE, at)
    assert (report.verdict, codes(report)) == ("rejected", {"hosted-out-of-scope"})


@pytest.mark.parametrize("issuer", [{"origin": 7}, {"origin": "old.example"}, {"name": "Old School"}, "Old School"])
def test_a_badge_of_version_0_5_without_an_origin_is_undecided(issuer: object) -> None:
    at = site()
    at.documents[BADGE] = first_version() | {"badge": {"name": "Leads a circle", "issuer": issuer}}
    report = verify(BADGE, at)
    assert (report.verdict, codes(report)) == ("undecided", {"issuer-not-named"})


def test_an_issuer_with_an_address_is_asked_for_its_profile_whatever_origin_it_names() -> None:
    at = site()
    issuer = {"id": "https://other.example/issuer", "name": "Old School", "origin": HOST}
    at.documents[issuer["id"]] = at.documents[ISSUER] | {"id": issuer["id"]}
    at.change(BADGE, badge={"name": "Leads a circle", "issuer": issuer})
    report = verify(hosted_assertion(), at)
    assert (report.verdict, codes(report)) == ("rejected", {"hosted-out-of-scope"})


def test_a_signed_badge_is_no_badge_of_version_0_5() -> None:
    origin = {"origin": HOST, "name": "Old School", "publicKey": {"publicKeyPem": pem(RSA)}}
    at = site()
    report = verify(at.sign(signed_assertion(badge={"name": "Leads a circle", "issuer": origin})), at)
    assert (report.verdict, codes(report)) == ("undecided", {"issuer-not-named"})


def first_version(origin: str = HOST) -> dict[str, Any]:
    """Return a badge of version 0.5, which says all of it in one document without an address."""
    issuer = {"origin": origin, "name": "Old School"}
    badge = {"version": "0.5.0", "name": "Leads a circle", "description": "", "criteria": "/criteria", "issuer": issuer}
    return {"recipient": hashed(), "salt": SALT, "issued_on": "2011-06-01", "badge": badge}


def test_an_address_alone_leads_to_the_badge() -> None:
    report = verify(BADGE, site())
    assert (report.verdict, outcomes(report)) == ("verified", {n: o for n, o in HOSTED.items() if n != "refresh"})


def test_every_document_is_asked_for_over_https() -> None:
    at = site()
    at.change(CLASS, issuer=ISSUER.replace("https", "HTTP"))
    assert verify(hosted_assertion(badge=CLASS.replace("https", "http")), at).verdict == "verified"
    assert at.asked == [BADGE, CLASS, ISSUER]


@pytest.mark.parametrize("said", [{"revoked": True}, {"revoked": True, "id": BADGE, "revocationReason": "Mistake"}])
def test_a_badge_that_is_gone_and_revoked_is_revoked(said: object) -> None:
    at = site()
    at.gone[BADGE] = json.dumps(said).encode()
    report = verify(hosted_assertion(), at)
    assert (report.verdict, codes(report)) == ("rejected", {"credential-revoked"})


def test_the_address_where_a_badge_was_fetched_counts_if_it_gives_none_itself() -> None:
    at = site()
    at.gone[BADGE] = b'{"revoked": true}'
    found = find_older(at.gone[BADGE], BADGE)
    assert found is not None
    report = verify_older(found, now=NOW, load=at.load)
    assert (report.verdict, codes(report)) == ("rejected", {"credential-revoked"})


@pytest.mark.parametrize("body", [b"", b"<html>Gone", b"[true]", b'{"revoked": false}', b'{"revoked": "no"}'])
def test_a_badge_that_is_only_gone_is_undecided(body: bytes) -> None:
    at = site()
    at.gone[BADGE] = body
    report = verify(hosted_assertion(), at)
    assert (report.verdict, codes(report)) == ("undecided", {"hosted-gone"})


@pytest.mark.parametrize("said", [hosted_assertion(revoked=True), {"id": BADGE, "revoked": True}])
def test_a_badge_whose_address_calls_it_revoked_is_revoked(said: object) -> None:
    at = site()
    at.documents[BADGE] = said
    report = verify(hosted_assertion(), at)
    assert (report.verdict, codes(report)) == ("rejected", {"credential-revoked"})
    assert outcomes(verify(BADGE, at))["status"] == "failed"


@pytest.mark.parametrize("missing", [BADGE, CLASS, ISSUER])
@pytest.mark.parametrize("instead", [None, b"<html>A new owner</html>", [1], {"id": f"{HOST}/another"}])
def test_what_cannot_be_had_or_is_something_else_is_undecided(missing: str, instead: object) -> None:
    at = site()
    del at.documents[missing]
    if instead is not None:
        at.documents[missing] = instead
    report = verify(hosted_assertion(), at)
    assert (report.verdict, outcomes(report)["issuer"]) == ("undecided", "undecided")


@pytest.mark.parametrize("badge", [None, 5, [], ["a", "b"], "urn:x", {}, {"name": "x", "issuer": None}, {"issuer": {}}])
def test_a_badge_without_class_or_issuer_is_undecided(badge: object) -> None:
    at = site()
    at.documents[BADGE] = hosted_assertion(badge=badge)
    report = verify(at.documents[BADGE], at)
    assert (report.verdict, codes(report)) == ("undecided", {"issuer-not-named"})


def test_a_hosted_badge_without_an_address_is_undecided() -> None:
    assert codes(verify(hosted_assertion(id="urn:uuid:1"), site())) == {"issuer-not-named"}


@pytest.mark.parametrize("ends", ["2026-02-28T23:59:59Z", "2026-02-28", 1000000000])
def test_a_badge_that_has_ended_is_expired(ends: object) -> None:
    at = site()
    at.change(BADGE, expires=ends)
    assert codes(verify(BADGE, at)) == {"credential-expired"}


def test_a_badge_that_ends_on_a_day_is_good_on_that_day() -> None:
    at = site()
    at.change(BADGE, expires="2026-03-01")
    assert verify(BADGE, at, now=NOW + timedelta(hours=23)).verdict == "verified"


@pytest.mark.parametrize("ends", ["soon", True, [], "9" * 100, "0001-01-01T00:00:00+15:00", -5, 1e300, "2026-13-01"])
def test_an_end_that_cannot_be_read_is_undecided(ends: object) -> None:
    at = site()
    at.change(BADGE, expires=ends)
    assert codes(verify(BADGE, at)) == {"date-malformed"}


# --- Whose address it is ---------------------------------------------------------------------------------------------


def forged(**verification: Any) -> tuple[Site, str]:
    """Return a badge of somebody else's host that names the issuer, and says what the issuer's profile would have to."""
    at, address = site(), "https://forger.example/1"
    claim = at.documents[ISSUER] | {"verification": {"allowedOrigins": "forger.example"}}
    at.documents[address] = hosted_assertion(id=address, badge=at.documents[CLASS] | {"issuer": claim})
    if verification:
        at.change(ISSUER, verification=verification)
    return at, address


def test_a_badge_at_anothers_address_is_rejected_whatever_it_says_of_the_issuer() -> None:
    at, address = forged()
    report = verify(address, at)
    assert (report.verdict, codes(report)) == ("rejected", {"hosted-out-of-scope"})


@pytest.mark.parametrize(
    "verification",
    [
        {"allowedOrigins": ["forger.example"]},
        {"allowedOrigins": "https://forger.example"},
        {"allowedOrigins": ["other.example", "forger.example:443"]},
        {"startsWith": "https://forger.example/"},
        {"startsWith": ["https://x.example", "http://forger.example/1"], "allowedOrigins": "forger.example"},
    ],
)
def test_the_issuer_says_at_which_addresses_its_badges_are(verification: dict[str, Any]) -> None:
    at, address = forged(**verification)
    assert verify(address, at).verdict == "verified"


@pytest.mark.parametrize(
    "verification",
    [
        {"allowedOrigins": ["old.example"]},
        {"allowedOrigins": "example"},
        {"allowedOrigins": "https://forger.example:8443"},
        {"startsWith": "https://forger.exam"},
        {"startsWith": "https://forger.example/2"},
        {"startsWith": "https://forger.example/", "allowedOrigins": "old.example"},
        {"startsWith": 5, "allowedOrigins": {}},
        {"startsWith": "", "allowedOrigins": ""},
    ],
)
def test_no_other_address_is_the_issuers(verification: dict[str, Any]) -> None:
    at, address = forged(**verification)
    assert codes(verify(address, at)) == {"hosted-out-of-scope"}


@pytest.mark.parametrize("way", ["/one/../two/1", "/one/%2e%2E/two/1", "/one/..%2ftwo/1", "/one/.%2e/two", "/one/..?x"])
def test_an_address_leads_out_of_its_beginning_by_no_dots(way: str) -> None:
    at, address = site(), f"{HOST}{way}"
    at.change(ISSUER, verification={"startsWith": f"{HOST}/one/"})
    at.documents[address] = hosted_assertion(id=address)
    assert codes(verify(address, at)) == {"hosted-out-of-scope"}


def test_a_class_and_a_profile_that_give_another_address_are_asked_for_there() -> None:
    at = site()
    at.documents |= {f"{CLASS}?v=2_0": at.documents[CLASS], f"{HOST}/profile": at.documents[ISSUER]}
    at.change(CLASS, issuer=f"{HOST}/profile")
    at.change(BADGE, badge=f"{CLASS}?v=2_0")
    report = verify(hosted_assertion(badge=f"{CLASS}?v=2_0"), at)
    assert (report.verdict, report.readable["issuer"]["id"]) == ("verified", ISSUER)
    assert at.asked == [BADGE, f"{CLASS}?v=2_0", CLASS, f"{HOST}/profile", ISSUER]


def test_a_class_and_a_profile_may_have_ids_that_are_no_addresses() -> None:
    at = site()
    at.change(CLASS, id="urn:uuid:3")
    at.change(ISSUER, id="urn:uuid:4")
    report = verify(hosted_assertion(), at)
    assert (report.verdict, report.readable["issuer"]["id"]) == ("verified", ISSUER)


def test_a_profile_that_gives_somebody_elses_address_is_not_theirs() -> None:
    address = "https://forger.example/1"
    at = site()
    at.documents[address] = hosted_assertion(id=address, badge={"name": "Leads", "issuer": "https://forger.example/me"})
    at.documents["https://forger.example/me"] = at.documents[ISSUER]
    report = verify(address, at)
    assert (report.verdict, codes(report)) == ("rejected", {"hosted-out-of-scope"})


def test_profiles_that_each_give_another_address_end_undecided() -> None:
    at = site()
    at.change(CLASS, issuer=f"{HOST}/0")
    at.documents |= {f"{HOST}/{number}": {"id": f"{HOST}/{number + 1}"} for number in range(9)}
    report = verify(hosted_assertion(), at)
    assert (report.verdict, codes(report)) == ("undecided", {"hosted-malformed"})
    assert at.asked == [BADGE, CLASS, f"{HOST}/0", f"{HOST}/1", f"{HOST}/2"]


def test_a_badge_that_is_kept_elsewhere_is_asked_for_there() -> None:
    at = site()
    at.documents[f"{HOST}/copy"] = hosted_assertion()
    assert verify(f"{HOST}/copy", at).verdict == "verified"
    assert at.asked[:2] == [f"{HOST}/copy", BADGE]


@pytest.mark.parametrize("address", [BADGE, CLASS, ISSUER])
def test_an_address_that_sends_on_to_another_host_speaks_for_nobody(address: str) -> None:
    at = site()
    at.moved[address] = "https://forger.example/x"
    report = verify(hosted_assertion(), at)
    assert (report.verdict, codes(report)) == ("undecided", {"hosted-redirected"})


@pytest.mark.parametrize("host", ["old.example", "www.old.example", "api.old.example"])
def test_an_address_may_send_on_within_its_site(host: str) -> None:
    at = site()
    at.moved = dict.fromkeys((BADGE, CLASS, ISSUER), f"https://{host}/x")
    assert verify(hosted_assertion(), at).verdict == "verified"


@pytest.mark.parametrize("host", ["bold.example", "example", "old.example.forger.example", "[", ""])
def test_a_host_that_only_looks_alike_is_another_site(host: str) -> None:
    at = site()
    at.moved[ISSUER] = f"https://{host}/x"
    assert verify(hosted_assertion(), at).verdict == "undecided"


def test_a_key_in_pem_is_taken_from_its_own_address_only() -> None:
    at = site()
    at.documents[KEY] = pem(RSA).encode()
    at.moved[KEY] = f"{HOST}/upload"
    assert verify(at.sign(), at).verdict == "undecided"


def test_badges_that_each_name_another_address_end_undecided() -> None:
    at = site()
    at.documents |= {f"{HOST}/{n}": hosted_assertion(id=f"{HOST}/{(n + 1) % 2}") for n in range(2)}
    report = verify(f"{HOST}/0", at)
    assert (report.verdict, codes(report)) == ("undecided", {"hosted-elsewhere"})


# --- Signed ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", SIGNERS.values(), ids=SIGNERS)
def test_a_signed_badge_holds_under_a_key_that_its_issuer_lists(key: Any) -> None:
    at = site(key)
    report = verify(at.sign(key=key), at, MAIL)
    assert (report.verdict, outcomes(report)) == ("verified", SIGNED | {"recipient": "passed"})
    assert (report.form, report.older and report.older.kind) == ("jwt", "signed")


def test_a_signed_badge_that_names_no_key_holds_under_any_that_is_listed() -> None:
    at = site()
    at.change(ISSUER, publicKey=[{"id": f"{HOST}/other", "owner": ISSUER, "publicKeyPem": pem(P256)}, KEY])
    assert verify(at.sign(signed_assertion() | {"verification": {"type": "signed"}}), at).verdict == "verified"


def test_a_key_may_stand_in_the_profile_or_lie_there_in_pem() -> None:
    at = site()
    at.documents[KEY] = pem(RSA).encode()
    assert verify(at.sign(), at).verdict == "verified"
    at.change(ISSUER, publicKey={"id": KEY, "publicKeyPem": pem(RSA)})
    assert verify(at.sign(), at).verdict == "verified"


def test_another_key_is_rejected() -> None:
    at = site()
    report = verify(at.sign(key=P256), at)
    assert (report.verdict, outcomes(report)["proof"]) == ("rejected", "failed")


@pytest.mark.parametrize("listed", [None, [], f"{HOST}/other", {"id": f"{HOST}/other"}, 5])
def test_a_key_that_the_issuer_does_not_list_is_rejected(listed: object) -> None:
    at = site()
    at.change(ISSUER, publicKey=listed)
    report = verify(at.sign(), at)
    assert (report.verdict, codes(report)) == ("rejected", {"key-not-issuers"})


def test_a_key_of_somebody_else_is_rejected() -> None:
    at = site()
    at.change(KEY, owner="https://forger.example/issuer")
    assert codes(verify(at.sign(), at)) == {"controller-mismatch"}


@pytest.mark.parametrize("text", [None, "", "no key", pem(RSA)[:-60], pem(RSA) + "\n" * 20_000])
def test_a_key_that_is_none_is_rejected(text: object) -> None:
    at = site()
    at.change(KEY, publicKeyPem=text)
    assert codes(verify(at.sign(), at)) == {"key-malformed"}


def test_a_key_that_cannot_be_had_is_undecided() -> None:
    at = site()
    del at.documents[KEY]
    assert verify(at.sign(), at).verdict == "undecided"


def test_a_signature_that_the_keys_at_hand_do_not_hold_is_undecided_while_another_cannot_be_had() -> None:
    at = site()
    at.change(ISSUER, publicKey=[KEY, f"{HOST}/other-key"])
    report = verify(at.sign(signed_assertion() | {"verification": {"type": "SignedBadge"}}, P256), at)
    assert (report.verdict, outcomes(report)["proof"]) == ("undecided", "undecided")


def test_a_signature_of_an_issuer_with_more_keys_than_are_tried_is_undecided() -> None:
    at = site(P256)
    listed = [{"id": f"{HOST}/{number}", "publicKeyPem": pem(RSA)} for number in range(MAX_KEYS)]
    unnamed = signed_assertion() | {"verification": {"type": "SignedBadge"}}
    at.change(ISSUER, publicKey=[*listed[1:], KEY])
    assert verify(at.sign(unnamed, P256), at).verdict == "verified"
    at.change(ISSUER, publicKey=[*listed, KEY])
    report = verify(at.sign(unnamed, P256), at)
    assert (report.verdict, codes(report)) == ("undecided", {"key-not-issuers"})
    assert at.asked.count(KEY) == 1


def test_a_signed_badge_whose_issuer_cannot_be_asked_is_undecided() -> None:
    at = site()
    del at.documents[ISSUER]
    report = verify(at.sign(), at)
    assert (report.verdict, outcomes(report)["proof"], outcomes(report)["issuer"]) == ("undecided", *["undecided"] * 2)


def test_version_1_had_no_list_of_keys_so_that_it_is_undecided() -> None:
    at = site()
    at.change(ISSUER, publicKey=None)
    badge = signed_assertion(verify={"type": "signed", "url": KEY})
    del badge["verification"]
    assert verify(at.sign(badge), at).verdict == "undecided"


@pytest.mark.parametrize(
    "revoked",
    [
        {"revokedAssertions": ["urn:uuid:0", "urn:uuid:1"]},
        {"revokedAssertions": [{"id": "urn:uuid:1", "revocationReason": "Mistake"}]},
        {"revokedAssertions": [{"uid": "abc"}]},
        {"revokedAssertions": "urn:uuid:1"},
        {"abc": "Issued in error"},
        {"zyx": "Left", "abc": "Issued in error"},
    ],
)
def test_a_badge_on_its_issuers_list_is_revoked(revoked: dict[str, Any]) -> None:
    at = site()
    at.documents[LIST] = revoked
    assert codes(verify(at.sign(signed_assertion(uid="abc")), at)) == {"credential-revoked"}


@pytest.mark.parametrize("entries", [[], [5, None, [], {"id": 5}], [{"id": BADGE}], 5])
def test_a_badge_that_is_not_on_the_list_stands(entries: object) -> None:
    at = site()
    at.change(LIST, revokedAssertions=entries)
    assert verify(at.sign(), at).verdict == "verified"


def test_a_list_of_version_1_that_does_not_name_the_badge_lets_it_stand() -> None:
    at = site()
    at.documents[LIST] = {"zyx": "Left"}
    assert verify(at.sign(signed_assertion(uid="abc")), at).verdict == "verified"


@pytest.mark.parametrize(
    "instead", [None, b"<html>", [], {"revokedAssertions": [], "issuer": "https://x.example/"}, {"error": "none"}]
)
def test_a_list_that_is_none_or_anothers_leaves_the_status_open(instead: object) -> None:
    at = site()
    at.documents.pop(LIST)
    if instead is not None:
        at.documents[LIST] = instead
    report = verify(at.sign(), at)
    assert (report.verdict, outcomes(report)["status"]) == ("undecided", "undecided")


def test_an_issuer_without_a_list_offers_no_status() -> None:
    at = site()
    at.change(ISSUER, revocationList=None)
    report = verify(at.sign(), at)
    assert (report.verdict, "status" in outcomes(report)) == ("verified", False)


def test_a_badge_that_says_it_is_signed_and_is_not_is_undecided() -> None:
    at = site()
    report = verify(signed_assertion(), at)
    assert (report.verdict, codes(report), at.asked) == ("undecided", {"older-signature-missing"}, [])


# --- What comes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("baked", [BADGE, json.dumps(hosted_assertion()), "signed"])
@pytest.mark.parametrize("picture", [older_png, older_svg])
def test_a_badge_is_found_in_its_picture(picture: Any, baked: str) -> None:
    at = site()
    text = at.sign() if baked == "signed" else baked
    assert verify(picture(text), at).verdict == "verified"


@pytest.mark.parametrize(
    "other",
    [
        b"\xff",
        "no badge",
        "{}",
        "[]",
        "5",
        "https://",
        "https://[",
        BADGE,
        "a.b.c",
        {"type": "Person"},
        {"badge": CLASS, "recipient": MAIL},
        {"@context": "https://www.w3.org/ns/credentials/v2", "type": ["VerifiableCredential"]},
        {"@context": CONTEXT, "type": "Assertion", "credentialSubject": {}},
        '{"@context": "https://w3id.org/openbadges/v2", "credential\\u0053ubject": {}}',
        {"revoked": True},
        older_png("https://["),
        older_png(f"{HOST}/{'a' * 4000}"),
        b"\x89PNG\r\n\x1a\n",
    ],
)
def test_nothing_else_is_taken_for_an_older_badge(other: Any) -> None:
    assert find_older(other if isinstance(other, str | bytes) else json.dumps(other)) is None


@pytest.mark.parametrize("address", [CLASS, ISSUER])
def test_a_class_or_an_issuer_is_nobodys_badge(address: str) -> None:
    at = site()
    report = verify(at.documents[address], at, MAIL)
    assert (report.older and report.older.kind, outcomes(report)) == ("description", {"parse": "passed"})
    assert at.asked == []


def test_a_badge_of_today_is_not_baked_as_an_older_one() -> None:
    assert find_older(bake(older_png("x"), json.dumps({"type": "VerifiableCredential"}))) is None


def test_no_badge_makes_more_requests_than_one_of_today() -> None:
    asked: list[str] = []

    def load(url: str) -> Fetched:
        asked.append(url)
        number = len(asked)
        return Fetched(json.dumps(hosted_assertion(id=f"{HOST}/{number}", badge=f"{HOST}/{number}")).encode(), "")

    found = find_older(older_png(f"{HOST}/0"))
    assert found is not None
    assert verify_older(found, now=NOW, load=load).verdict == "undecided"
    assert len(asked) < MAX_ADDRESSES


def test_a_document_of_more_values_than_a_badge_has_is_none() -> None:
    at = site()
    at.change(BADGE, evidence=["x"] * 20_000)
    assert codes(verify(BADGE, at)) == {"hosted-malformed"}


def test_a_list_may_have_as_many_values_as_any_document() -> None:
    at = site()
    at.change(LIST, revokedAssertions=["x"] * 20_000)
    assert verify(at.sign(), at).verdict == "verified"


def test_documents_that_make_too_much_work_are_undecided() -> None:
    at = site()
    at.documents[CLASS] = json.dumps(at.documents[CLASS]).encode() + b" " * MAX_WORK
    assert codes(verify(hosted_assertion(), at)) == {"too-much-work"}


def test_a_badge_that_takes_too_long_is_undecided() -> None:
    found = find_older(older_png(BADGE))
    assert found is not None
    report = verify_older(found, now=NOW, load=site().load, time_left=lambda: 0.0)
    assert codes(report) >= {"too-much-time"}


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(
    st.sampled_from([BADGE, CLASS, ISSUER, KEY, LIST]),
    st.sampled_from(
        [
            *(
                "@context",
                "id",
                "type",
                "recipient",
                "badge",
                "verification",
                "verify",
                "issuedOn",
                "expires",
                "evidence",
            ),
            *("name", "image", "criteria", "issuer", "alignment", "url", "publicKey", "revocationList", "owner"),
            *("publicKeyPem", "revokedAssertions", "revoked", "narrative", "uid", "salt"),
        ]
    ),
    ANY | st.sampled_from([BADGE, CLASS, ISSUER, KEY]),
)
def test_a_member_of_any_type_gives_a_report(address: str, member: str, value: object) -> None:
    at = site()
    at.documents[address] = at.documents[address] | {member: value}
    for given_badge in (at.documents[BADGE], older_svg(BADGE), at.sign()):
        found = find_older(given_badge if isinstance(given_badge, str | bytes) else json.dumps(given_badge))
        if found is not None:
            report = verify_older(found, now=NOW, load=at.load, recipient=MAIL)
            json.dumps(report.to_json())


HOSTS = st.sampled_from(["old.example", "old.example.evil.example", "evil.example", "old.example:8443", "OLD.example"])
PATHS = st.lists(st.sampled_from(["a", "b", "..", ".", "%2e%2e", "", "a%2f", "?", "#", "@", "\\"]), max_size=4)


@given(HOSTS, PATHS, st.sampled_from(["https", "http", "ftp"]))
def test_only_an_address_of_the_issuers_host_and_below_its_beginning_is_its(
    host: str, path: list[str], way: str
) -> None:
    address = f"{way}://{host}/{'/'.join(path)}"
    if within({"verification": {"startsWith": f"{HOST}/a/"}}, ISSUER, address):
        parts = urlsplit(urljoin(address, unquote(urlsplit(address).path)))
        assert (parts.hostname, parts.port) == ("old.example", None)
        assert parts.path.startswith("/a/")


def test_dates_of_the_older_standard_are_read_in_every_form() -> None:
    at = datetime.fromisoformat("2019-05-01T10:00:00+00:00")
    for written in (
        "2019-05-01T10:00:00Z",
        "2019-05-01T12:00:00+02:00",
        "2019-05-01 10:00:00",
        1556704800,
        1556704800.0,
        "1556704800",
        "1556704800.0",
    ):
        assert read_date(written) == at
