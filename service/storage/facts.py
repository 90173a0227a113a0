"""Facts about this installation that outlive a process: names and values."""

from sqlalchemy import delete, select
from sqlalchemy.orm import Session as OrmSession

from service.storage import locks
from service.storage.database import WriteSession, insert_new
from service.tables import ServiceFact


def known(session: OrmSession, name: str) -> str | None:
    """Return the value of a fact, or None."""
    fact = session.get(ServiceFact, name)
    return fact.value if fact is not None else None


def remember(session: WriteSession, name: str, value: str) -> None:
    """Write down a fact unless it is already known."""
    insert_new(session, ServiceFact, {"name": name, "value": value})


def change(session: WriteSession, name: str, value: str) -> bool:
    """Give a fact this value; return whether it had another one.

    If two do so at the same moment, only one gets True.
    """
    insert_new(session, ServiceFact, {"name": name, "value": ""})
    fact = locks.one(session, ServiceFact, ServiceFact.name == name)
    if fact.value == value:
        return False
    fact.value = value
    return True


def beginning(session: OrmSession, start: str) -> dict[str, str]:
    """Return the facts whose names begin so, in the order of their names."""
    found = select(ServiceFact).where(ServiceFact.name.startswith(start, autoescape=True)).order_by(ServiceFact.name)
    return {fact.name: fact.value for fact in session.scalars(found)}


def forget(session: WriteSession, name: str) -> None:
    """Forget a fact that no longer is one."""
    session.execute(delete(ServiceFact).where(ServiceFact.name == name))
