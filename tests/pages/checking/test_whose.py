"""Whose a badge is, compared in the browser: never another answer than the library gives."""

import json
from hashlib import md5, sha256
from itertools import product
from typing import Any

import pytest
from playwright.sync_api import Page

from credentials.recipient import identity_object, matches
from service.checking.pages import _named
from tests.pages.conftest import Live
from tests.pages.reading import Reader
from tests.pages.scenes import badge, file_of, stage_of, verify
from tests.worlds.awarding import Stage

MAIL = "quite.secret@river.example.org"
DID = "did:web:river.example.org:people:1"


@pytest.fixture
def stage(live: Live) -> Stage:
    return stage_of(live)


def hashed(value: str, salt: Any = "salt", algorithm: str = "sha256", **more: Any) -> dict[str, Any]:
    digest = (md5 if algorithm == "md5" else sha256)((value + str(salt)).encode()).hexdigest()
    return {"identityHash": f"{algorithm}${digest}", "identityType": "emailAddress", "salt": salt} | more


IDENTIFIERS = [
    None,
    identity_object("emailAddress", MAIL, "salt"),
    hashed(MAIL.upper()),
    hashed(MAIL, algorithm="md5"),
    hashed(MAIL, algorithm="sha512"),
    hashed(MAIL, salt=""),
    {name: value for name, value in hashed(MAIL, salt="").items() if name != "salt"},
    hashed(MAIL, salt="") | {"salt": None},
    hashed(MAIL, salt="") | {"salt": 5},
    hashed(MAIL) | {"identityHash": hashed(MAIL)["identityHash"] + "$more"},
    hashed(MAIL) | {"identityHash": hashed(MAIL)["identityHash"].upper().replace("SHA256", "sha256")},
    hashed(MAIL) | {"identityHash": hashed(MAIL)["identityHash"].removeprefix("sha256$")},
    hashed(MAIL) | {"identityHash": 7},
    {"identityHash": MAIL.title(), "identityType": "emailAddress", "hashed": False},
    {"identityHash": MAIL, "identityType": "emailAddress", "hashed": "false"},
    {"identityHash": MAIL, "identityType": "userName", "hashed": False},
    identity_object("identifier", "Student-7", "salt"),
    hashed("student-7", identityType="name"),
    hashed("ROSE\u0301@river.example.org".lower()),
    hashed("ma\u00dfe@river.example.org"),
    [],
    "none",
    [identity_object("emailAddress", f"m{n}@river.example.org", "salt") for n in range(40)]
    + [identity_object("emailAddress", MAIL, "salt")],
]
IDS = [None, "", 5, DID, f"mailto:{MAIL}", f"mailto:{MAIL.upper()}", "Student-7", "https://river.example.org/1"]
VALUES = [
    MAIL,
    MAIL.upper(),
    f"  {MAIL}\t",
    f"mailto:{MAIL}",
    f"mailto:mailto:{MAIL}",
    f"Mailto:{MAIL}",
    f"\ufeff{MAIL}",
    f"{MAIL}\u0085",
    f"\u001f{MAIL}",
    f"{MAIL}\ud800",
    DID,
    DID.upper(),
    f"{DID}@x",
    "Student-7",
    "student-7",
    "https://river.example.org/1",
    "ROSE\u0301@river.example.org",
    "MA\u1e9eE@river.example.org",
    "\u212a@river.example.org",
    "other@river.example.org",
    "did:",
    "@",
    "constructor",
]


def test_the_browser_never_says_another_thing_than_the_library(page: Page, stage: Stage) -> None:
    assert verify(page, badge(stage))[0] == "good"
    cases = [
        ({"id": each, "identifier": identifier} if each is not None else {"identifier": identifier}, value)
        for each, identifier, value in product(IDS, IDENTIFIERS, VALUES)
    ]
    told = page.evaluate(
        "(cases) => Promise.all(cases.map(([subject, value]) => compare(subject, value)))",
        [[_named(subject), value] for subject, value in cases],
    )
    other = [
        (subject, value, said, matches(subject, value))
        for (subject, value), said in zip(cases, told, strict=True)
        if said is not None and said != matches(subject, value)
    ]
    assert other == []
    assert min(told.count(True), told.count(False)) > 100


def test_of_a_forged_badge_nobody_is_told_that_it_is_theirs(reader: Reader, stage: Stage) -> None:
    credential = json.loads(file_of(stage, badge(stage), "json"))
    credential["credentialSubject"]["achievement"]["name"] = "Doctor of Everything"
    assert reader.verify(json.dumps(credential))[0] == "bad"
    assert 'id="person"' not in reader.source
    answer = stage.client.post("/verify", data={"received": json.dumps(credential), "recipient": MAIL})
    assert "Yes: it was issued to this person" not in answer.text
