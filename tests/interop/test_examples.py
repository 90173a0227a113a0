"""A badge of each practice network, before other people's verifiers, which have nothing but the published documents."""

import json
from pathlib import Path

import pytest

from service.runtime.clock import utc_now
from tests.interop.verifying import openbadgeslib, openvc
from tests.worlds.examples import POSTED, staged


@pytest.mark.parametrize("name", [*POSTED, "carpentries-instructors"])
def test_openbadgeslib_and_openvc_verify_its_badge(name: str, tmp_path: Path) -> None:
    with staged(name, tmp_path, utc_now()) as stage:
        (_, text), *_ = stage.badges().items()
        report, documents = stage.checked(text)
    assert report.verdict == "verified"
    badge = json.loads(text)
    assert openbadgeslib(documents, badge).issuer.id == badge["issuer"]["id"]
    assert openvc(documents, badge).issuer == badge["issuer"]["id"]
