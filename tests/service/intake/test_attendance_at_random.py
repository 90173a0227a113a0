"""Nobody gets by an attendance code what is another person's, whatever networks post and people do, in any order.

The rules that are held after every step: a code, a claim and a decision on it put no member into an account, and take none
out of one. What somebody says is evidence at once only about a member who is theirs, or has an address that they proved and
is in no account. What is approved is evidence only about the member whom the network means, and never about one in another
account than the one that claimed. What is refused is none. And who claims again has the claim that they had.
"""

from contextlib import suppress
from itertools import count
from typing import Any
from uuid import UUID

from fastapi.testclient import TestClient
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import select

from service.access.act import Act, CallersAct
from service.access.callers import Caller
from service.accounts import accounts
from service.errors import ServiceError
from service.intake import attendance_claims, attendance_codes
from service.intake import members as intake_members
from service.intake.attendance_codes import CodeIn
from service.networks import meetings
from service.networks.meetings import SessionIn
from service.networks.members import MemberIn
from service.runtime.runtime import Runtime
from service.sharing import claiming
from service.tables import (
    AccountAddress,
    AttendanceClaim,
    Contribution,
    Identity,
    Member,
    Network,
    Person,
    Token,
)
from tests.worlds.acting import RIVER, actor
from tests.worlds.posting import posted

REFS = ("m1", "m2", "m3")
PEOPLE = ("ann", "ben", "eve")
NETWORKS = count()
refs, people, places = st.sampled_from(REFS), st.sampled_from(PEOPLE), st.integers(0, 5)


class Attendance(RuleBasedStateMachine):
    """A network with three members and a session, and three people, each with a mailbox.

    At first ann has claimed m1, the network knows m2 by ben's address, and a code is open, by which claims count at once.
    """

    def __init__(self, runtime: Runtime, client: TestClient) -> None:
        super().__init__()
        self.runtime, self.slug = runtime, f"hall-{next(NETWORKS)}"
        posted(actor(runtime, client).post("/v1/networks", RIVER | {"slug": self.slug}))
        actor(runtime, client, slug=self.slug)
        self.address = {who: f"{who}@{self.slug}.example.org" for who in PEOPLE}
        self.account: dict[str, UUID] = {}
        self.codes: list[str] = []
        self.claims: dict[UUID, UUID] = {}
        """The claim of each account."""
        with runtime.database.write() as session:
            act = self._act(session)
            intake_members.put_members(act, [MemberIn(ref=ref) for ref in REFS])
            meetings.put_session(act, SessionIn(ref="s1", starts_at=runtime.now()))
        for who in PEOPLE:
            self.sign_in(who)
        self.held, self.attended = self._held(), self._attended()
        for ref, who in (("m1", "ann"), ("m2", "ben")):
            self.give_an_address(ref, who)
        self.take_what_waits("ann", "m1")
        self.open_a_code(approval=False, most=5)

    # --- What happens beside it

    @rule(ref=refs, who=st.sampled_from((*PEOPLE, None)))
    def give_an_address(self, ref: str, who: str | None) -> None:
        email = None if who is None else self.address[who]
        with self.runtime.database.write() as session:
            intake_members.put_members(self._act(session), [MemberIn(ref=ref, email=email)])
        self.held = self._held()

    def sign_in(self, who: str) -> None:
        with self.runtime.database.write() as session:
            self.account[who] = accounts.with_address(session, self.address[who], self.runtime.now()).id

    @rule(who=people, ref=refs)
    def take_what_waits(self, who: str, ref: str) -> None:
        with suppress(ServiceError), self.runtime.database.write() as session:
            claiming.take_pending(session, self.account[who], self._id(session, ref), self.runtime.now())
        self.held = self._held()

    # --- The code

    @rule(approval=st.booleans(), most=st.integers(1, 5))
    def open_a_code(self, approval: bool, most: int) -> None:
        with suppress(ServiceError), self.runtime.database.write() as session:
            body = CodeIn(approval=approval, most=most)
            self.codes.append(attendance_codes.open_code(self._callers(session), "s1", body).code)

    @rule()
    def replace_the_code(self) -> None:
        with suppress(ServiceError), self.runtime.database.write() as session:
            self.codes.append(attendance_codes.replace(self._callers(session), "s1").code)

    @rule()
    def close_the_code(self) -> None:
        with suppress(ServiceError), self.runtime.database.write() as session:
            attendance_codes.close(self._callers(session), "s1")

    # --- Claims

    @rule(who=people, place=places, ref=st.sampled_from((*REFS, None)))
    def say_so(self, who: str, place: int, ref: str | None) -> None:
        code, account_id, mine = (
            self.codes[-1 - place % len(self.codes)],
            self.account[who],
            self._own(self.account[who]),
        )
        with suppress(ServiceError):
            with self.runtime.database.write() as session:
                member_id = None if ref is None else self._id(session, ref)
                made = attendance_claims.claim(
                    session, self.runtime, code, account_id, self.runtime.now(), member_id=member_id, name="M 1"
                )
                claim_id, usable = made.id, code == self.codes[-1]
            assert usable or account_id in self.claims, "a code that was replaced still worked"
            assert self.claims.setdefault(account_id, claim_id) == claim_id, "somebody has two claims"
        self._check(mine)

    @rule(who=people, ref=st.sampled_from((*REFS, None)))
    def approve(self, who: str, ref: str | None) -> None:
        account_id = self.account.get(who)
        if account_id not in self.claims:
            return
        with self.runtime.database.read() as session:
            known = session.get_one(AttendanceClaim, self.claims[account_id]).member_id
        with suppress(ServiceError), self.runtime.database.write() as session:
            attendance_claims.approve(self._callers(session), self.runtime, self.claims[account_id], ref)
        meant = {each for each, row_id in self._ids().items() if row_id == known} if known is not None else {ref}
        self._check({each for each in meant if each is not None and self.held[each] in (None, account_id)})

    @rule(who=people)
    def refuse(self, who: str) -> None:
        claim_id = self.claims.get(self.account.get(who, UUID(int=0)))
        if claim_id is not None:
            with suppress(ServiceError), self.runtime.database.write() as session:
                attendance_claims.refuse(self._callers(session), claim_id, "Nobody was there.")
        self._check(set())

    # --- What is held after every step

    @invariant()
    def everybody_has_what_they_had(self) -> None:
        assert self._held() == self.held
        assert self._attended() == self.attended

    def _check(self, given: set[str]) -> None:
        """Compare who has attended with before: evidence came about one of `given`, or none."""
        after = self._attended()
        assert self.attended <= after
        assert after - self.attended <= given
        self.attended = after

    def _own(self, account_id: UUID) -> set[str]:
        """Return the refs of members who are an account's, or have an address of its and are in no account."""
        query = select(Member.ref, Identity.value).join(Identity, Identity.person_id == Member.person_id)
        proved = select(AccountAddress.value).where(AccountAddress.account_id == account_id)
        with self.runtime.database.read() as session:
            by_address = {
                ref
                for ref, value in session.execute(query.where(Member.network_id == self._network(session).id))
                if value in session.scalars(proved).all() and self.held[ref] is None
            }
        return by_address | {ref for ref, holder in self.held.items() if holder == account_id}

    def _held(self) -> dict[str, UUID | None]:
        query = select(Member.ref, Person.account_id).outerjoin(Person, Person.id == Member.person_id)
        with self.runtime.database.read() as session:
            rows: Any = session.execute(query.where(Member.network_id == self._network(session).id))
            return dict(rows.all())

    def _attended(self) -> set[str]:
        query = select(Member.ref).join(Contribution, Contribution.member_id == Member.id)
        with self.runtime.database.read() as session:
            return set(session.scalars(query.where(Member.network_id == self._network(session).id)))

    def _ids(self) -> dict[str, UUID]:
        with self.runtime.database.read() as session:
            return {ref: self._id(session, ref) for ref in REFS}

    def _id(self, session: Any, ref: str) -> UUID:
        mine = (Member.network_id == self._network(session).id, Member.ref == ref)
        found: UUID = session.scalars(select(Member.id).where(*mine)).one()
        return found

    def _network(self, session: Any) -> Network:
        found: Network = session.scalars(select(Network).where(Network.slug == self.slug)).one()
        return found

    def _act(self, session: Any) -> Act:
        return Act(session, self._network(session), None, self.runtime.now())

    def _callers(self, session: Any) -> CallersAct:
        network = self._network(session)
        token_id = session.scalars(select(Token.id).where(Token.network_id == network.id)).one()
        return CallersAct(session, network, Caller(token_id, network.id, None, frozenset()), self.runtime.now())


def test_nobody_gets_by_a_code_what_is_another_persons(runtime: Runtime, client: TestClient) -> None:
    run_state_machine_as_test(
        lambda: Attendance(runtime, client),  # type: ignore[arg-type]  # what makes a machine is a machine's class for it
        settings=settings(
            deadline=None, suppress_health_check=list(HealthCheck), max_examples=15, stateful_step_count=30
        ),
    )
