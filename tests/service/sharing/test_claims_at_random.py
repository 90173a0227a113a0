"""Nobody can collect another person's badge, whatever networks post and people do, in any order.

The rule that is held after every step: what a member has earned comes into an account only if that account used a link that
was mailed to the address that the network gives this member at that moment, typed a code that was printed for this member, or
had itself proved that very address; and it leaves the account only if its owner gives it back, or the mailbox says that it
was not its owner: it never goes from one account to another.
"""

from collections import defaultdict
from contextlib import suppress
from itertools import count
from typing import Any
from uuid import UUID

from fastapi.testclient import TestClient
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import select

from service.access.act import Act
from service.accounts import accounts
from service.errors import ServiceError
from service.intake import members as intake_members
from service.intake import persons as intake_persons
from service.intake.persons import PersonIn
from service.networks.members import MemberIn
from service.runtime.runtime import Runtime
from service.sharing import claiming, claims, unclaiming
from service.tables import AccountAddress, Claim, Identity, Member, Network, Person
from tests.worlds.acting import RIVER, actor
from tests.worlds.posting import posted

REFS = ("m1", "m2", "m3")
PEOPLE = ("ann", "ben", "eve")
NETWORKS = count()
refs, people, places = st.sampled_from(REFS), st.sampled_from(PEOPLE), st.integers(0, 30)


class Claims(RuleBasedStateMachine):
    """A network with three members, and three people, each with a mailbox."""

    def __init__(self, runtime: Runtime, client: TestClient) -> None:
        super().__init__()
        self.runtime, self.slug = runtime, f"circle-{next(NETWORKS)}"
        posted(actor(runtime, client).post("/v1/networks", RIVER | {"slug": self.slug}))
        self.address = {who: f"{who}@{self.slug}.example.org" for who in PEOPLE}
        self.known: defaultdict[str, list[str]] = defaultdict(list)
        """The secrets of links that somebody has read."""
        self.backs: defaultdict[str, list[str]] = defaultdict(list)
        self.codes: list[tuple[str, str]] = []
        self.mailed_to: dict[str, str] = {}
        self.account: dict[str, UUID] = {}
        """The account with which somebody is signed in."""
        with runtime.database.write() as session:
            intake_members.put_members(self._act(session), [MemberIn(ref=ref) for ref in REFS])
        self.held = self._held()

    # --- What the network does

    @rule(ref=refs, who=st.sampled_from((*PEOPLE, None)))
    def give_an_address(self, ref: str, who: str | None) -> None:
        email = None if who is None else self.address[who]
        with self.runtime.database.write() as session:
            intake_members.put_members(self._act(session), [MemberIn(ref=ref, email=email)])
            holder = self._holder(session, email)
        self._check({ref}, {holder})

    @rule(ref=refs, other=st.sampled_from((*REFS, None)))
    def say_who_is_who(self, ref: str, other: str | None) -> None:
        with suppress(ServiceError), self.runtime.database.write() as session:
            intake_persons.tell(self._act(session), self.runtime, ref, PersonIn(same_as=other))
        self._check(set(), set())

    @rule(ref=refs)
    def send_the_link(self, ref: str) -> None:
        with suppress(ServiceError), self.runtime.database.write() as session:
            act = self._act(session)
            claims.send(act, self.runtime, claims.held(act, ref))
        self._check(set(), set())

    @rule(ref=refs)
    def mail_goes_out(self, ref: str) -> None:
        with self.runtime.database.read() as session:
            member = self._member(session, ref)
            address = claims.address_of(session, member)
            link = claims.mailed(session, self.runtime, member, self.runtime.now())
            if link is not None and address is not None:
                self.mailed_to[link] = address
                self._read(address, self.known, link)
            for row in session.scalars(select(Claim).where(Claim.member_id == member.id, Claim.state == "used")):
                told, back = unclaiming.told_address(session, row), unclaiming.back_secret(self.runtime, row)
                if told is not None and back is not None:
                    self._read(told, self.backs, back)

    @rule(ref=refs)
    def print_a_code(self, ref: str) -> None:
        with suppress(ServiceError), self.runtime.database.write() as session:
            act = self._act(session)
            self.codes.append((ref, claims.make_code(act, claims.held(act, ref))[1]))

    # --- What people do

    @rule(who=people)
    def sign_in(self, who: str) -> None:
        with self.runtime.database.write() as session:
            self.account[who] = accounts.with_address(session, self.address[who], self.runtime.now()).id

    @rule(who=people, to=people, place=places)
    def forward_a_mail(self, who: str, to: str, place: int) -> None:
        if self.known[who]:
            self.known[to].append(self.known[who][place % len(self.known[who])])

    @rule(who=people, place=places)
    def open_a_link(self, who: str, place: int) -> None:
        if not self.known[who]:
            return
        link, there = self.known[who][place % len(self.known[who])], self._accounts()
        address, mine = self.mailed_to[link], self.account.get(who)
        given = self._refs_with(address)
        with suppress(ServiceError):
            with self.runtime.database.write() as session:
                account_id = claiming.by_link(session, self.runtime, link, mine, self.runtime.now()).account.id
            assert account_id == mine if mine is not None else account_id not in there
            self.account[who] = account_id
        self._check(given, {self.account.get(who)})

    @rule(who=people, secret=st.text(max_size=50))
    def guess(self, who: str, secret: str) -> None:
        for claim in (claiming.by_code, lambda *each: claiming.by_link(each[0], self.runtime, *each[1:])):
            with suppress(ServiceError), self.runtime.database.write() as session:
                if who in self.account:
                    claim(session, secret, self.account[who], self.runtime.now())
                    raise AssertionError("a guess was right")
        self._check(set(), set())

    @rule(who=people, place=places)
    def type_a_code(self, who: str, place: int) -> None:
        if not self.codes or who not in self.account:
            return
        ref, code = self.codes[place % len(self.codes)]
        same = self._same_as(ref)
        with suppress(ServiceError), self.runtime.database.write() as session:
            claiming.by_code(session, code, self.account[who], self.runtime.now())
        self._check(same, {self.account[who]})

    @rule(who=people, ref=refs)
    def take_what_waits(self, who: str, ref: str) -> None:
        if who not in self.account:
            return
        mine = {address for address in self.address.values() if self._account_of(address) == self.account[who]}
        given = {each for address in mine for each in self._refs_with(address)}
        with suppress(ServiceError), self.runtime.database.write() as session:
            member_id = self._member(session, ref).id
            claiming.take_pending(session, self.account[who], member_id, self.runtime.now())
        self._check(given, {self.account[who]})

    @rule(who=people, ref=refs)
    def give_back(self, who: str, ref: str) -> None:
        if who not in self.account:
            return
        held = self._held()[ref]
        with suppress(ServiceError), self.runtime.database.write() as session:
            member_id = self._member(session, ref).id
            unclaiming.give_back(session, self.account[who], member_id, self.runtime.now())
            assert held == self.account[who]
        self._check(set(), set(), leaves=self.account[who])

    @rule(who=people, place=places)
    def say_that_was_not_me(self, who: str, place: int) -> None:
        if not self.backs[who]:
            return
        back, before = self.backs[who][place % len(self.backs[who])], self._held()
        with suppress(ServiceError), self.runtime.database.write() as session:
            unclaiming.undo(session, back, self.runtime.now())
        left = {before[ref] for ref, holder in self._held().items() if holder is None and before[ref] is not None}
        assert len(left) <= 1
        self._check(set(), set(), leaves=next(iter(left), None))

    # --- What is held after every step

    @invariant()
    def what_is_held_is_known(self) -> None:
        assert self._held() == self.held

    def _check(self, given: set[str], by: set[UUID | None], leaves: UUID | None = None) -> None:
        """Compare who has what with before: `given` may come into the account `by`; things may leave the one of `leaves`."""
        after = self._held()
        for ref, holder in after.items():
            before = self.held[ref]
            if holder == before:
                continue
            assert before is None or holder is None, "it went from one account to another"
            if holder is None:
                assert before == leaves, "it left an account whose owner did nothing"
            else:
                assert ref in given, "it was not the address of this member, nor a code for it"
                assert holder in by, "another account got it"
        self.held = after

    def _held(self) -> dict[str, UUID | None]:
        query = select(Member.ref, Person.account_id).outerjoin(Person, Person.id == Member.person_id)
        with self.runtime.database.read() as session:
            rows = session.execute(
                query.join(Network, Network.id == Member.network_id).where(Network.slug == self.slug)
            )
            return dict(rows.all())

    def _refs_with(self, address: str) -> set[str]:
        query = select(Member.ref).join(Identity, Identity.person_id == Member.person_id)
        with self.runtime.database.read() as session:
            return set(session.scalars(query.where(Identity.kind == "email", Identity.value == address)))

    def _same_as(self, ref: str) -> set[str]:
        with self.runtime.database.read() as session:
            member = self._member(session, ref)
            same = select(Member.ref).where(Member.person_id == member.person_id, Member.person_id.is_not(None))
            return {ref, *session.scalars(same)}

    def _accounts(self) -> set[UUID]:
        with self.runtime.database.read() as session:
            return set(session.scalars(select(AccountAddress.account_id)))

    def _account_of(self, address: str) -> UUID | None:
        with self.runtime.database.read() as session:
            return self._holder(session, address)

    def _read(self, address: str, into: defaultdict[str, list[str]], secret: str) -> None:
        who = next(each for each, own in self.address.items() if own == address)
        if secret not in into[who]:
            into[who].append(secret)

    def _holder(self, session: Any, address: str | None) -> UUID | None:
        found: UUID | None = session.scalar(select(AccountAddress.account_id).where(AccountAddress.value == address))
        return found

    def _member(self, session: Any, ref: str) -> Member:
        query = select(Member).join(Network, Network.id == Member.network_id)
        found: Member = session.scalars(query.where(Network.slug == self.slug, Member.ref == ref)).one()
        return found

    def _act(self, session: Any) -> Act:
        network = session.scalars(select(Network).where(Network.slug == self.slug)).one()
        return Act(session, network, None, self.runtime.now())


def test_nobody_collects_another_persons_badge(runtime: Runtime, client: TestClient) -> None:
    run_state_machine_as_test(
        lambda: Claims(runtime, client),  # type: ignore[arg-type]  # what makes a machine is a machine's class for it
        settings=settings(
            deadline=None, suppress_health_check=list(HealthCheck), max_examples=12, stateful_step_count=30
        ),
    )
