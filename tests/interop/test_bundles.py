"""A bundle before other people's verifiers, which have nothing but what is in it."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from openvc import OpenvcError

from credentials import Fetched
from service.checking.keeping import bundles
from service.checking.keeping.bundles import Bundle
from service.runtime.fetching import Fetcher
from service.runtime.runtime import Runtime
from tests.interop.issuing import CONTEXTS, Issuer, changed
from tests.interop.judging import Judges
from tests.interop.verifying import openbadgeslib, openbadgeslib_jwt, openvc


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


class Laid(Fetcher):
    """Fetches from one issuer's addresses, and from nowhere else."""

    def __init__(self, issuer: Issuer) -> None:
        super().__init__(allow_localhost=False)
        self._issuer = issuer

    def fetch(self, url: str) -> Fetched:
        """Return what lies at the address."""
        return self._issuer.load(url)


@pytest.fixture
def running(issuer: Issuer) -> Iterator[Runtime]:
    started = Runtime.stranger()
    yield replace(started, fetcher=Laid(issuer))
    started.database.dispose()


def bundled(running: Runtime, received: str) -> Bundle:
    """Return the bundle as it is read from its file."""
    return bundles.read(bundles.make(running, received.encode()).to_bytes())


def documents(bundle: Bundle) -> dict[str, Any]:
    """Return what lies at which address, as verifiers are given it."""
    return {url: json.loads(document.body) for url, document in bundle.documents.items()}


def test_the_contexts_of_a_badge_are_in_its_bundle(running: Runtime, issuer: Issuer) -> None:
    bundle = bundled(running, json.dumps(issuer.sign(issuer.badge())))
    assert set(CONTEXTS) <= bundle.documents.keys()


def test_digital_bazaar_verifies_a_badge_by_its_bundle(judges: Judges, running: Runtime, issuer: Issuer) -> None:
    bundle = bundled(running, json.dumps(issuer.sign(issuer.badge())))
    answer = judges.ask("digitalbazaar", credential=json.loads(bundle.credential), documents=documents(bundle))
    assert answer == {"verified": True, "reasons": [], "statuses": [False]}
    answer = judges.ask("digitalbazaar", credential=changed(json.loads(bundle.credential)), documents=documents(bundle))
    assert answer["verified"] is False


def test_digital_bazaar_sees_in_the_bundle_that_a_badge_is_revoked(
    judges: Judges, running: Runtime, issuer: Issuer
) -> None:
    issuer.publish_status(revoked=True)
    bundle = bundled(running, json.dumps(issuer.sign(issuer.badge())))
    answer = judges.ask("digitalbazaar", credential=json.loads(bundle.credential), documents=documents(bundle))
    assert answer["statuses"] == [True]


def test_jose_verifies_a_badge_as_jwt_by_its_bundle(judges: Judges, running: Runtime, issuer: Issuer) -> None:
    bundle = bundled(running, issuer.sign_jwt(issuer.badge()))
    payload = judges.ask("jose", token=bundle.credential, issuer=issuer.did, documents=documents(bundle))
    assert payload["credentialSubject"] == issuer.badge()["credentialSubject"]


def test_openbadgeslib_verifies_a_badge_by_its_bundle(running: Runtime, issuer: Issuer) -> None:
    bundle = bundled(running, json.dumps(issuer.sign(issuer.badge())))
    assert openbadgeslib(documents(bundle), json.loads(bundle.credential)).issuer.id == issuer.did
    bundle = bundled(running, issuer.sign_jwt(issuer.badge()))
    assert openbadgeslib_jwt(documents(bundle), bundle.credential).issuer.id == issuer.did


def test_openvc_verifies_a_badge_and_its_status_by_its_bundle(running: Runtime, issuer: Issuer) -> None:
    bundle = bundled(running, json.dumps(issuer.sign(issuer.badge())))
    result = openvc(documents(bundle), json.loads(bundle.credential))
    assert [entry.is_set for entry in result.status.entries] == [False]
    with pytest.raises(OpenvcError, match="does not verify"):
        openvc(documents(bundle), changed(json.loads(bundle.credential)))
