"""Accounts that become one: nothing is lost and nothing is left, in whatever order people do things."""

from contextlib import suppress
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Column, ForeignKey, MetaData, String, Table, UniqueConstraint, Uuid, delete, select

from service.accounts import accounts, belongings, joining, sign_in, sign_ins
from service.errors import ServiceError
from service.runtime.runtime import Runtime
from service.tables import Account, AccountAddress, Message, Person, SignIn, SignInRequest
from service.tables.identifiers import new_id

STEPS = st.lists(
    st.tuples(st.sampled_from(["sign in", "join", "keep", "remove", "delete"]), st.integers(0, 4), st.integers(0, 4)),
    max_size=20,
)


def address(number: int) -> str:
    return f"m{number}@river.example.org"


def account_with(runtime: Runtime, number: int) -> UUID:
    """Return the account that has an address; one that is new has a person and a sign-in, too."""
    with runtime.database.write() as session:
        is_new = session.scalar(select(AccountAddress).where(AccountAddress.value == address(number))) is None
        account = accounts.with_address(session, address(number), runtime.now())
        if is_new:
            session.add(Person(id=new_id(), created_at=runtime.now(), account_id=account.id, claimed_at=runtime.now()))
            sign_ins.begin(session, account, means="link", browser="", now=runtime.now())
        return account.id


def prove(runtime: Runtime, mine: UUID, number: int) -> str:
    """Prove an address while somebody is signed in; return the secret of the browser."""
    with runtime.database.write() as session:
        browser = sign_in.ask(
            session,
            runtime,
            address(number),
            language="en",
            onward="/",
            now=runtime.now(),
            account=accounts.locked(session, mine),
            known=True,
        )
        row = session.scalars(select(SignInRequest).where(SignInRequest.used_at.is_(None))).one()
        link, _ = sign_in.mailed(runtime, row)
    with runtime.database.write() as session:
        sign_in.by_link(session, link, browser, runtime.now(), signed_in=mine)
    return browser


def do(runtime: Runtime, what: str, number: int, other: int) -> None:
    mine = account_with(runtime, number)
    if what == "join":
        browser = prove(runtime, mine, other)
        with runtime.database.write() as session:
            joining.join(session, mine, browser, runtime.now())
    elif what == "delete":
        with runtime.database.write() as session:
            joining.delete(session, mine, runtime.now())
    elif what in {"keep", "remove"}:
        with runtime.database.write() as session:
            account = accounts.locked(session, mine)
            held = session.scalars(select(AccountAddress.id).where(AccountAddress.value == address(other))).first()
            if what == "keep":
                accounts.keep(session, account, held)
            else:
                accounts.take_away(session, account, held, runtime.now())


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
@pytest.mark.any_database("races have tests of their own")
def test_whatever_people_do_each_account_has_addresses_one_of_them_kept_and_no_person_is_lost(
    runtime: Runtime, steps: list[tuple[str, int, int]]
) -> None:
    with runtime.database.write() as session:
        for row in (Message, SignIn, SignInRequest, AccountAddress, Person, Account):
            session.execute(delete(row))
    persons = 0
    for what, number, other in steps:
        with runtime.database.read() as session:
            persons += session.scalar(select(AccountAddress).where(AccountAddress.value == address(number))) is None
        with suppress(ServiceError):
            do(runtime, what, number, other)
        with runtime.database.read() as session:
            kept = session.scalars(select(AccountAddress.account_id).where(AccountAddress.kept)).all()
            assert sorted(kept) == sorted(session.scalars(select(Account.id)))
            found = session.scalars(select(Person)).all()
            claimed = {row.account_id for row in found if row.claimed_at is not None}
            assert len(found) == persons
            assert claimed <= set(kept)
            assert all((row.account_id is None) == (row.claimed_at is None) for row in found)


@pytest.mark.parametrize("key", ["primary", "unique"])
def test_of_what_an_account_can_have_only_one_of_that_of_the_other_account_goes(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    column = Column("account_id", Uuid, ForeignKey(Account.__table__.c.id), primary_key=key == "primary")
    kind = Column("kind", String(9), primary_key=key == "primary")
    extra = [UniqueConstraint("account_id", "kind")] if key == "unique" else []
    table = Table("choices", MetaData(), column, kind, Column("said", String(9)), *extra)
    mine, theirs = account_with(runtime, 0), account_with(runtime, 1)
    monkeypatch.setattr(belongings, "_columns", lambda: iter([column]))
    with runtime.database.write() as session:
        table.create(session.connection())
        for account, named, said in ((mine, "a", "mine"), (theirs, "a", "theirs"), (theirs, "b", "theirs")):
            session.execute(table.insert().values(account_id=account, kind=named, said=said))
        belongings.move(session, theirs, mine)
        rows = sorted(session.execute(select(table.c.kind, table.c.said, column)).all())
        assert rows == [("a", "mine", mine), ("b", "theirs", mine)]
        session.execute(delete(table))
        table.drop(session.connection())
