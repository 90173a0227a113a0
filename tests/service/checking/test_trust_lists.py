"""Lists of known issuers: what forms they have, whom they name, and names that resemble theirs."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from service.checking import trust_lists
from service.checking.trust_lists import TrustLists, read_list
from service.runtime.settings import SettingsError

OWN = {
    "name": "Teachers' board",
    "updated": "2026-02-01",
    "issuers": [
        {"id": "did:web:river.example.org", "name": "River Writers", "url": "https://river.example.org/"},
        {"id": "did:web:valley.example", "name": "Valley Circle", "since": "2020-05-01"},
    ],
}
REGISTRY = {
    "meta": {"created": "2020-12-02T02:32:16+0000", "updated": "2024-01-05T10:00:00+00:00"},
    "registry": {
        "did:key:z6MkOne": {"name": "Sample University", "location": "Somewhere", "url": "https://sample.example"},
        "did:web:river.example.org": {"name": "River Writers (member)"},
    },
}


@pytest.fixture(autouse=True)
def look_every_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trust_lists, "LOOK_AGAIN_SECONDS", -1.0)


def written(folder: Path, **lists: Any) -> Path:
    for name, content in lists.items():
        text = content if isinstance(content, str) else json.dumps(content)
        (folder / f"{name.replace('_', '-')}.json").write_text(text)
    return folder


def test_a_list_of_ones_own_names_issuers_by_their_id(tmp_path: Path) -> None:
    lists = TrustLists(written(tmp_path, board=OWN))
    (found,) = lists.naming("did:web:river.example.org")
    assert (found.list_name, found.name, found.url) == (
        "Teachers' board",
        "River Writers",
        "https://river.example.org/",
    )
    assert lists.naming("did:web:river.example.org:other") == []
    (since,) = lists.naming("did:web:valley.example")
    assert since.since is not None
    assert since.since.isoformat() == "2020-05-01T00:00:00+00:00"


def test_a_registry_file_is_called_by_its_own_name(tmp_path: Path) -> None:
    lists = TrustLists(written(tmp_path, dcc_member_registry=REGISTRY))
    assert [found.list_name for found in lists.naming("did:key:z6MkOne")] == ["dcc member registry"]
    (found,) = lists.all()
    assert found.updated_at is not None
    assert found.updated_at.year == 2024


def test_several_lists_may_name_one_issuer_in_the_order_of_their_files(tmp_path: Path) -> None:
    lists = TrustLists(written(tmp_path, b=OWN, a=REGISTRY))
    names = [found.list_name for found in lists.naming("did:web:river.example.org")]
    assert names == ["a", "Teachers' board"]


def test_without_a_folder_nobody_is_known() -> None:
    assert TrustLists(None).naming("did:web:river.example.org") == []


def test_a_list_that_changes_is_read_anew(tmp_path: Path) -> None:
    lists = TrustLists(written(tmp_path, board=OWN))
    assert lists.naming("did:web:new.example") == []
    grown = OWN | {"issuers": [*OWN["issuers"], {"id": "did:web:new.example", "name": "New"}]}
    written(tmp_path, board=grown)
    assert [found.name for found in lists.naming("did:web:new.example")] == ["New"]
    (tmp_path / "board.json").unlink()
    assert lists.naming("did:web:new.example") == []


def test_a_list_that_breaks_while_the_service_runs_stays_as_it_was(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    lists = TrustLists(written(tmp_path, board=OWN))
    written(tmp_path, board="{")
    assert len(lists.naming("did:web:river.example.org")) == 1
    assert "board.json" in caplog.text


@pytest.mark.parametrize(
    "broken", ["{", "[]", "{}", '{"name": "x", "issuers": [{"id": "did:web:a"}]}', '{"registry": []}', "7", '"x"']
)
def test_a_file_that_is_no_list_keeps_the_service_from_starting(tmp_path: Path, broken: str) -> None:
    with pytest.raises(SettingsError, match=r"LAUREL_TRUST_LISTS_FOLDER: expected board\.json to be a list"):
        TrustLists(written(tmp_path, board=broken))


def test_a_folder_that_is_none_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="expected a folder"):
        TrustLists(tmp_path / "nowhere")


def test_a_list_larger_than_is_read_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, big=OWN) / "big.json"
    os.truncate(path, trust_lists.MAX_LIST_BYTES + 1)
    with pytest.raises(SettingsError):
        read_list(path)


@pytest.mark.parametrize(
    "name",
    [
        "River Writers",
        "RIVER-WRITERS",
        "River Wríters",
        "R\u0456ver Writers",  # a Cyrillic letter
        "River Wr1ters",
        "River Writters",
        "\uff32iver Writers",
    ],
)
def test_a_name_that_could_be_taken_for_a_listed_one_is_noticed(tmp_path: Path, name: str) -> None:
    found = TrustLists(written(tmp_path, board=OWN)).alike(name, "did:web:elsewhere.example")
    assert found is not None
    assert found.issuer_id == "did:web:river.example.org"


@pytest.mark.parametrize("name", ["", "!!!", "Mountain Readers", "River", "Valley Writers' Union of the North"])
def test_another_name_is_not(tmp_path: Path, name: str) -> None:
    assert TrustLists(written(tmp_path, board=OWN)).alike(name, "did:web:elsewhere.example") is None


def test_an_issuer_does_not_resemble_itself(tmp_path: Path) -> None:
    assert TrustLists(written(tmp_path, board=OWN)).alike("River Writers", "did:web:river.example.org") is None
