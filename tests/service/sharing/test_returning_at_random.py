"""Nobody gets another person's badges without two different vouchers, seven days, and silence, whatever happens when."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from service.access.act import Act
from service.accounts import accounts
from service.errors import ServiceError
from service.networks import networks
from service.runtime.runtime import Runtime
from service.sharing import returned, returning, vouching
from service.storage.database import WriteSession
from service.tables import AccountAddress, Identity, Member, Network, Person, Return
from service.tables.identifiers import new_id
from tests.worlds.runtimes import Clock

ASKERS = ("owner", "thief")
VOUCHERS = {"v1": "one", "v1-again": "one", "v2": "two", "v3": "three"}
"""Who has an account, and which human that is: the first two have a DID in common."""

BEGUN = st.sampled_from(
    (
        [],
        [("ask", "owner"), ("vouch", "owner", "v1")],
        [("ask", "thief"), ("vouch", "thief", "v2"), ("vouch", "thief", "v3")],
        [
            ("ask", "owner"),
            ("ask", "thief"),
            ("vouch", "thief", "v1"),
            ("vouch", "owner", "v1"),
            ("vouch", "owner", "v2"),
        ],
    )
)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("ask"), st.sampled_from(ASKERS)),
        st.tuples(st.just("vouch"), st.sampled_from(ASKERS), st.sampled_from((*VOUCHERS, "victim", *ASKERS))),
        st.tuples(st.just("refuse"), st.sampled_from(ASKERS), st.sampled_from((*VOUCHERS, *ASKERS))),
        st.tuples(st.just("stop"), st.sampled_from(ASKERS), st.sampled_from(("mail", "account", "network", "oneself"))),
        st.tuples(st.just("days"), st.sampled_from((1, 3, 6, 7))),
    ),
    min_size=1,
    max_size=14,
)


@dataclass
class Told:
    """What somebody who only watches knows of one request: who vouched, since when two had, and whether it is over."""

    humans: set[str] = field(default_factory=set)
    since: datetime | None = None
    over: bool = False


class World:
    """A victim with an account, two who ask for what is theirs, and four accounts of three humans who vouch."""

    def __init__(self, runtime: Runtime, clock: Clock, number: int) -> None:
        self.runtime, self.clock, self.number = runtime, clock, number
        self.accounts: dict[str, UUID] = {}
        with runtime.database.write() as session:
            network = session.scalars(select(Network)).one()
            for ref in ("victim", *VOUCHERS):
                did = "did:key:z6MkOne" if VOUCHERS.get(ref) == "one" else None
                self._member(session, network, ref, did)
            for ref in ASKERS:
                self.accounts[ref] = accounts.with_address(session, self.mail(ref), clock()).id
        self.told: dict[str, Told] = {}
        clock.advance(days=31)

    def mail(self, ref: str) -> str:
        return f"{ref}@n{self.number}.example.org"

    def _member(self, session: WriteSession, network: Network, ref: str, did: str | None) -> None:
        now = self.clock()
        account = accounts.with_address(session, self.mail(ref), now)
        person = Person(id=new_id(), created_at=now, account_id=account.id, claimed_at=now)
        session.add(person)
        session.flush()
        session.add(Identity(person_id=person.id, kind="email", value=self.mail(ref), proved_at=now))
        if did is not None:
            session.add(Identity(person_id=person.id, kind="did", value=f"{did}{self.number}"))
        named = {"network_id": network.id, "ref": f"{ref}-{self.number}", "person_id": person.id}
        session.add(Member(id=new_id(), enrolled_at=now, known_from=now, **named))
        session.flush()
        self.accounts[ref] = account.id

    def do(self, work: Callable[[WriteSession], object]) -> bool:
        """Do something in a transaction of its own; return whether it was not refused."""
        with suppress(ServiceError), self.runtime.database.write() as session:
            work(session)
            return True
        return False

    def secrets(self, asker: str) -> tuple[str, str, UUID]:
        with self.runtime.database.read() as session:
            query = select(Return).where(Return.account_id == self.accounts[asker])
            row = session.scalars(query.order_by(Return.asked_at.desc(), Return.id.desc()).limit(1)).first()
            return (*returning.secrets_of(self.runtime, row), row.id) if row is not None else ("", "", UUID(int=0))

    def ask(self, asker: str) -> None:
        said = {"network": "river", "lost": self.mail("victim"), "name": asker}
        if self.do(lambda session: returning.ask(session, self.runtime, self.accounts[asker], said, self.clock())):
            self.told[asker] = Told()

    def vouch(self, asker: str, voucher: str) -> None:
        secret, account_id = self.secrets(asker)[0], self.accounts[voucher]
        if self.do(lambda session: vouching.vouch(session, secret, account_id, self.clock())):
            told = self.told[asker]
            told.humans.add(VOUCHERS.get(voucher, "nobody who may"))
            if len(told.humans) == 2 and told.since is None:
                told.since = self.clock()
                rivals = [each for name, each in self.told.items() if name != asker]
                if any(each.since is not None and not each.over for each in rivals):
                    told.over = True
                    for each in rivals:
                        each.over = True

    def refuse(self, asker: str, voucher: str) -> None:
        secret, account_id = self.secrets(asker)[0], self.accounts[voucher]
        if self.do(lambda session: vouching.refuse(session, secret, account_id, self.clock())):
            self.told[asker].over = True

    def stop(self, asker: str, how: str) -> None:
        _, secret, return_id = self.secrets(asker)
        by = self.accounts["victim" if how == "account" else asker]

        def for_network(session: WriteSession) -> None:
            network = session.scalars(select(Network)).one()
            returning.stop_for_network(Act(session, network, None, self.clock()), f"victim-{self.number}")

        ways: dict[str, Callable[[WriteSession], object]] = {
            "mail": lambda session: returning.stop_by_mail(session, secret, self.clock()),
            "account": lambda session: returning.stop_as(session, return_id, by, self.clock()),
            "oneself": lambda session: returning.stop_as(session, return_id, by, self.clock()),
            "network": for_network,
        }
        if self.do(ways[how]):
            for name, each in self.told.items():
                each.over = each.over or how == "network" or name == asker

    def days(self, count: int) -> None:
        self.clock.advance(days=count)
        returned.end_due(self.runtime)

    def holder(self) -> str:
        """Return who has the victim's badges."""
        with self.runtime.database.read() as session:
            member = session.scalars(select(Member).where(Member.ref == f"victim-{self.number}")).one()
            account_id = session.get_one(Person, member.person_id).account_id
        return next(name for name, each in self.accounts.items() if each == account_id)


@pytest.fixture
def world(runtime: Runtime, clock: Clock) -> Callable[[], World]:
    said = {
        "slug": "river",
        "name": "River",
        "kind": "informal",
        "url": "https://river.example.org",
        "time_zone": "UTC",
    }
    with runtime.database.write() as session:
        networks.create_network(session, runtime, networks.NetworkIn.model_validate(said), runtime.now())
    numbers = iter(range(10_000))
    return lambda: World(runtime, clock, next(numbers))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(begun=BEGUN, walk=steps)
@pytest.mark.any_database("the rules are in the code; locks are held to in test_returning")
def test_nobody_gets_anothers_badges_without_two_vouchers_seven_days_and_silence(
    world: Callable[[], World], begun: list[tuple[str, ...]], walk: list[tuple[object, ...]]
) -> None:
    here = world()
    for name, *arguments in [*begun, *walk]:
        before = here.holder()
        getattr(here, str(name))(*arguments)
        holder = here.holder()
        if holder == before:
            continue
        told = here.told[holder]
        assert told.since is not None
        assert not told.over
        assert len(told.humans) == 2
        assert here.clock() - told.since >= timedelta(days=7)
        assert name == "days"
        told.over = True
    for each in ("victim", *ASKERS):
        with here.runtime.database.read() as session:
            own = AccountAddress.account_id == here.accounts[each]
            mails = session.scalars(select(AccountAddress).where(own)).all()
        assert bool(mails) is (each != "victim" or here.holder() == "victim")


@pytest.mark.any_database("the rules are in the code")
def test_two_vouchers_seven_days_and_silence_are_enough(world: Callable[[], World]) -> None:
    here = world()
    here.ask("owner")
    here.vouch("owner", "v1")
    here.vouch("owner", "v1-again")
    here.days(3)
    here.vouch("owner", "v3")
    here.days(6)
    assert here.holder() == "victim"
    here.days(1)
    assert here.holder() == "owner"
