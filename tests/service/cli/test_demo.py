"""The demo: the main job, told in plain sentences, and the files that it leaves."""

import email
import email.policy
import json
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from credentials import Fetched, Load, UnavailableError, verify
from service.checking.keeping import bundles
from service.cli import demo
from service.runtime.clock import utc_now

LINK = re.compile(r"http://\S+/credentials/[\w-]+")


def mail_of(content: bytes) -> str:
    """Return the plain text of a message."""
    body = email.message_from_bytes(content, policy=email.policy.default).get_body(("plain",))
    assert body is not None
    text = body.get_content()
    assert isinstance(text, str)
    return text


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("demo")
    lines: list[str] = []
    demo.play(folder, lines.append)
    return folder, "\n".join(lines)


def offline(documents: Mapping[str, object]) -> Load:
    def load(url: str) -> Fetched:
        if url not in documents:
            raise UnavailableError("fetch-failed", url)
        found = documents[url]
        return Fetched((found if isinstance(found, str) else json.dumps(found)).encode(), "application/json")

    return load


def test_it_tells_the_whole_story(played: tuple[Path, str]) -> None:
    _, told = played
    assert "finds it verified: parse passed" in told
    assert "“Doctor of Everything” is rejected: proof failed" in told
    assert "The stranger finds it rejected: status failed" in told
    assert "For teacher-3 the service declines (409 criteria-not-met)" in told


@pytest.mark.parametrize("name", ["badge.json", "badge.jwt", "badge.png"])
def test_the_badge_it_leaves_verifies_offline_with_documents_json_alone(played: tuple[Path, str], name: str) -> None:
    folder, _ = played
    documents = json.loads((folder / "documents.json").read_text())
    report = verify((folder / name).read_bytes(), now=utc_now(), load=offline(documents))
    assert report.verdict == "verified", report.to_json()


def test_the_bundle_it_leaves_needs_nothing_else(played: tuple[Path, str]) -> None:
    folder, _ = played
    bundle = bundles.read((folder / "badge.bundle.json").read_bytes())
    assert verify(bundle.credential, now=utc_now(), load=bundle.load).verdict == "verified"


def test_each_award_wrote_a_message_with_its_link(played: tuple[Path, str]) -> None:
    folder, told = played
    messages = [mail_of(path.read_bytes()) for path in (folder / "outbox").glob("*.eml")]
    told_links = set(LINK.findall(told))
    assert len(told_links) == told.count("/credentials/") - 2  # the stranger's and the revoked one are told twice
    assert set(LINK.findall("\n".join(messages))) == told_links


def test_it_can_be_played_again_in_the_same_folder(played: tuple[Path, str]) -> None:
    folder, _ = played
    lines: list[str] = []
    demo.play(folder, lines.append)
    assert any("finds it verified" in line for line in lines)
