"""Places in status lists, and the lists as they are published."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from credentials.status import BitstringStatusList
from service.access.act import Act
from service.errors import CustodyError
from service.issuing import status_lists
from service.networks import networks
from service.networks.networks import NetworkIn
from service.runtime.runtime import Runtime
from service.storage.database import WriteSession
from service.tables import Achievement, AchievementVersion, Award, Credential, Member, Network, StatusList


class Register:
    """A network whose status lists are filled by hand."""

    def __init__(self, runtime: Runtime, session: WriteSession) -> None:
        body = {"slug": "river", "name": "River", "kind": "informal", "url": "https://river.example.org"}
        described = NetworkIn.model_validate(body | {"time_zone": "UTC"})
        self.now = runtime.now()
        self.runtime, self.session = runtime, session
        self.network = networks.create_network(session, runtime, described, self.now)
        achievement = Achievement(network_id=self.network.id, ref="sharer", created_at=self.now)
        self.member = Member(network_id=self.network.id, ref="m11", enrolled_at=self.now)
        session.add_all([achievement, self.member])
        session.flush()
        version = AchievementVersion(
            achievement_id=achievement.id, version=1, name="Sharer", award="reviewed", definition={}
        )
        session.add(version)
        session.flush()
        self.award = Award(
            network_id=self.network.id,
            member_id=self.member.id,
            achievement_id=achievement.id,
            achievement_version_id=version.id,
            basis="recorded",
            state="awarded",
            awarded_at=self.now,
            decided_at=self.now,
        )
        session.add(self.award)
        session.flush()

    def open_list(self) -> StatusList:
        return status_lists.open_list(Act(self.session, self.network, None, self.now), self.runtime)

    def take(self, row: StatusList, index: int, **more: Any) -> Credential:
        credential = Credential(
            network_id=self.network.id,
            award_id=self.award.id,
            status_list_id=row.id,
            status_index=index,
            issued_at=self.now,
            valid_from=self.now,
            signed="{}",
            jwt="",
            sha256="0" * 64,
            **more,
        )
        self.session.add(credential)
        self.session.flush()
        return credential


@pytest.fixture
def register(runtime: Runtime) -> Iterator[Register]:
    with runtime.database.write() as session:
        yield Register(runtime, session)


def document(row: StatusList) -> Any:
    return json.loads(row.signed or "")


def test_a_list_is_published_before_anything_refers_to_it(register: Register) -> None:
    row = register.open_list()
    published = document(row)
    assert published["id"] == f"http://localhost:8000/status/{row.id}"
    assert published["type"] == ["VerifiableCredential", "BitstringStatusListCredential"]
    assert published["issuer"] == "did:web:localhost%3A8000:networks:river"
    assert (published["validFrom"], published["validUntil"]) == ("2026-03-02T12:00:00Z", "2026-04-01T12:00:00Z")
    assert published["credentialSubject"]["ttl"] == 300_000
    assert published["proof"][0]["cryptosuite"] == "eddsa-rdfc-2022"
    assert len(BitstringStatusList.decode(published["credentialSubject"]["encodedList"])) == 131_072


def test_there_is_one_list_until_it_is_half_full(register: Register) -> None:
    first = register.open_list()
    assert register.open_list() is first
    first.length = 8
    for index in range(3):
        register.take(first, index)
    assert register.open_list() is first
    register.take(first, 3)
    second = register.open_list()
    assert second is not first
    assert register.open_list() is second


def test_a_drawn_place_is_free_and_drawn_once(register: Register) -> None:
    row = register.open_list()
    row.length = 8
    for index in (0, 2, 4, 6):
        register.take(row, index)
    assert sorted(status_lists.draw(register.session, row, 4)) == [1, 3, 5, 7]


def test_places_are_drawn_at_random(register: Register) -> None:
    row = register.open_list()
    drawn = status_lists.draw(register.session, row, 200)
    assert len(set(drawn)) == 200
    assert drawn != sorted(drawn)
    assert max(drawn) > 131_072 // 2 > min(drawn)


def test_the_published_bits_are_those_of_the_revoked(register: Register) -> None:
    row = register.open_list()
    register.take(row, 5)
    register.take(row, 77_777, revoked_at=register.now)
    register.take(row, 131_071, revoked_at=register.now)
    status_lists.publish(Act(register.session, register.network, None, register.now), register.runtime, row)
    bits = BitstringStatusList.decode(document(row)["credentialSubject"]["encodedList"])
    assert [index for index in range(len(bits)) if bits[index]] == [77_777, 131_071]


def test_a_list_that_cannot_be_signed_stays_as_it_was(register: Register, monkeypatch: pytest.MonkeyPatch) -> None:
    row = register.open_list()
    before = (row.signed, row.published_at)

    def down(_uri: str) -> Any:
        raise CustodyError("custody-unavailable", "A signing key cannot be opened; nothing has changed.")

    monkeypatch.setattr(register.runtime.custody, "signer", down)
    with pytest.raises(CustodyError):
        status_lists.publish(Act(register.session, register.network, None, register.now), register.runtime, row)
    assert (row.signed, row.published_at) == before


def published_at(runtime: Runtime) -> list[Any]:
    with runtime.database.read() as session:
        return [row.published_at for row in session.query(StatusList).order_by(StatusList.id)]


def make_list(runtime: Runtime) -> None:
    with runtime.database.write() as session:
        Register(runtime, session).open_list()


def test_a_list_is_signed_anew_when_it_is_a_day_old(runtime: Runtime, clock: Any) -> None:
    make_list(runtime)
    made = runtime.now()
    clock.advance(hours=23)
    assert status_lists.resign_due(runtime) == 0
    assert published_at(runtime) == [made]
    later = clock.advance(hours=1)
    assert status_lists.resign_due(runtime) == 1
    assert published_at(runtime) == [later]
    assert status_lists.resign_due(runtime) == 0
    with runtime.database.read() as session:
        row = session.query(StatusList).one()
        assert row.valid_until == later + timedelta(days=30)
        assert document(row)["validUntil"] == "2026-04-02T12:00:00Z"


def test_every_list_is_signed_anew_on_demand(runtime: Runtime, clock: Any) -> None:
    make_list(runtime)
    with runtime.database.write() as session:
        network = session.query(Network).one()
        first = session.query(StatusList).one()
        first.length = 0  # no room
        status_lists.open_list(Act(session, network, None, runtime.now()), runtime)
        first.length = status_lists.LENGTH_BITS
    later = clock.advance(minutes=1)
    assert status_lists.publish_all(runtime) == 2
    assert published_at(runtime) == [later, later]


def test_lists_that_nobody_signs_any_more_are_overdue(runtime: Runtime, clock: Any) -> None:
    make_list(runtime)
    for days, expected in ((1, 0), (1, 1)):
        clock.advance(days=days)
        with runtime.database.read() as session:
            assert len(status_lists.overdue(session, runtime.now())) == expected
    status_lists.publish_all(runtime)
    with runtime.database.read() as session:
        assert not status_lists.overdue(session, runtime.now())
