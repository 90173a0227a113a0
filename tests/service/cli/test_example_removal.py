"""A practice network is removed whole: nothing of it is left, and nothing else goes."""

import json

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, update

from service.cli.loading import marks, removal, shelf
from service.errors import ConflictError, CustodyError, NotFoundError
from service.runtime.custody import Custody
from service.runtime.runtime import Runtime
from service.tables import Member, Network
from tests.worlds import awarding
from tests.worlds.examples import NOW, load, rows_of
from tests.worlds.runtimes import BASE_URL, Clock

ANY_DATABASE = pytest.mark.any_database("one of these asks both which rows go")


def test_removed_nothing_is_left_of_it_and_other_networks_stay(
    runtime: Runtime, client: TestClient, clock: Clock
) -> None:
    """With everything that a network can have: the walk through foreign keys finds it, or a row is left."""
    other = awarding.Stage.set_up(client, runtime)
    other.member()
    other.achievement()
    for n in range(2):
        other.share(n)
    clock.at = NOW
    load(runtime, "faculty-collaborative")
    before, keys = rows_of(runtime), keys_of(runtime)
    stage = load(runtime, "writing-group")
    badge = next(iter(stage.badges().values()))
    addresses = [json.loads(text)["id"] for text in stage.badges().values()]
    lists = [json.loads(text)["credentialStatus"]["statusListCredential"] for text in stage.badges().values()]
    shown = [f"{BASE_URL}/networks/{stage.loaded.slug}", *addresses, *lists]
    assert {client.get(address).status_code for address in shown} == {200}

    removed = removal.remove(runtime, "writing-group", None)

    assert removed.keys == 2
    assert removed.rows["credentials"] == 9
    after = rows_of(runtime)
    assert {name for name in after | before if after.get(name) != before.get(name)} <= {"service_facts"}
    assert keys_of(runtime) == keys
    assert {client.get(address).status_code for address in shown} == {404}
    assert stage.checked(badge)[0].verdict == "undecided", "a copy is never called good"
    with runtime.database.read() as session:
        assert [mark.slug for mark in marks.every(session)] == ["example-faculty-collaborative"]


def keys_of(runtime: Runtime) -> set[str]:
    return {path.name for path in runtime.settings.keys_folder.iterdir()}


@ANY_DATABASE
def test_a_network_that_is_no_example_is_never_removed(runtime: Runtime, client: TestClient) -> None:
    awarding.Stage.set_up(client, runtime)
    with runtime.database.read() as session:
        slug = session.scalars(select(Network.slug)).one()
    before = rows_of(runtime)
    with pytest.raises(NotFoundError, match="no other network is ever removed") as error:
        removal.remove(runtime, None, slug)
    assert error.value.code == "example-not-loaded"
    assert rows_of(runtime) == before


@ANY_DATABASE
def test_an_example_whose_badges_do_not_say_test_is_not_removed(runtime: Runtime, few: str) -> None:
    with runtime.database.write() as session:
        session.execute(update(Network).values(sandbox=False))
    with pytest.raises(ConflictError) as error:
        removal.remove(runtime, few, None)
    assert error.value.code == "example-not-sandbox"
    with runtime.database.read() as session:
        assert session.scalars(select(Network.slug)).all() == [f"example-{few}"]


@pytest.fixture
def few(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> str:
    """An example without steps and badges, which is quickly there."""
    monkeypatch.setattr(shelf.Example, "steps", lambda _self: [])
    monkeypatch.setattr(shelf.Example, "badges", {})
    load(runtime, "casel-stack")
    return "casel-stack"


@ANY_DATABASE
def test_loaded_twice_it_is_removed_by_its_slug(runtime: Runtime, few: str) -> None:
    load(runtime, few, slug="second")
    with pytest.raises(ConflictError, match="example-casel-stack, second") as error:
        removal.remove(runtime, few, None)
    assert error.value.code == "example-ambiguous"
    assert removal.remove(runtime, few, "second").slug == "second"
    assert removal.remove(runtime, few, None).slug == "example-casel-stack"


@ANY_DATABASE
def test_interrupted_removal_goes_on_and_nothing_is_loaded_in_between(
    runtime: Runtime, few: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_only(_custody: Custody, _uri: str) -> None:
        raise CustodyError("custody-unavailable", "The private key could not be deleted.")

    with monkeypatch.context() as patched:
        patched.setattr(Custody, "forget", read_only)
        with pytest.raises(CustodyError):
            removal.remove(runtime, few, None)
    assert "networks" not in rows_of(runtime)
    assert len([name for name in keys_of(runtime) if name.endswith(".pem")]) == 2
    with pytest.raises(ConflictError) as error:
        load(runtime, few)
    assert error.value.code == "example-removing"
    assert removal.remove(runtime, few, None).keys == 2
    assert not [name for name in keys_of(runtime) if name.endswith(".pem")]
    assert load(runtime, few).loaded.slug == "example-casel-stack"


@ANY_DATABASE
def test_a_row_of_another_network_that_rests_on_it_keeps_it_whole(
    runtime: Runtime, client: TestClient, few: str
) -> None:
    """The database says so itself, whatever the walk believes."""
    other = awarding.Stage.set_up(client, runtime)
    other.member()
    with runtime.database.write() as session:
        example = session.scalars(select(Network.id).where(Network.slug == f"example-{few}")).one()
        session.add(Member(network_id=example, ref="teacher-1", enrolled_at=runtime.now()))
        session.flush()
        theirs = select(Member.id).where(Member.network_id == example).scalar_subquery()
        session.execute(update(Member).where(Member.network_id != example).values(merged_into=theirs))
    before = rows_of(runtime)
    with pytest.raises(ConflictError) as error:
        removal.remove(runtime, few, None)
    assert error.value.code == "example-busy"
    assert rows_of(runtime) == before


def test_a_private_key_that_is_gone_already_stays_gone(runtime: Runtime) -> None:
    uri, signer = runtime.custody.create("Ed25519")
    runtime.custody.forget(uri)
    runtime.custody.forget(uri)
    assert signer.key.thumbprint not in str(keys_of(runtime))
    with pytest.raises(CustodyError):
        runtime.custody.signer(uri)
