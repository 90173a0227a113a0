"""What time alone brings about: days in a role pass without anybody posting anything.

Once in each day of a network's calendar the members who have a role that a rule of tenure asks for are marked, so
that their awards are decided. Windows that move on (`last`) only ever take away, and are not looked at here.
"""

from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select

from service.criteria import rejudging
from service.runtime.runtime import Runtime
from service.storage.database import ReadSession, insert_new
from service.tables import Listener, Member, Network, Role, ServiceFact


def mark_tenures(running: Runtime) -> int:
    """Mark members whose days in a role have become more since yesterday, and return how many."""
    now, count = running.now(), 0
    with running.database.read() as session:
        due = [network_id for network_id, day in _listening(session, now) if not _is_done(session, network_id, day)]
    for network_id in due:
        with running.database.write() as session:
            network = session.get_one(Network, network_id)
            name, day = _fact(network_id), _day(network, now)
            insert_new(session, ServiceFact, {"name": name, "value": ""})
            fact = session.get_one(ServiceFact, name, with_for_update=True, populate_existing=True)
            if fact.value == day:
                continue  # another process was faster
            fact.value = day
            roles = select(Listener.topic).where(Listener.network_id == network_id, Listener.topic.startswith("role:"))
            wanted = {topic.removeprefix("role:") for topic in session.scalars(roles)}
            held = (
                select(Role.member_id, Role.role)
                .join(Member, Member.id == Role.member_id)
                .where(Member.network_id == network_id, Role.role.in_(wanted), Role.from_at <= now)
                .where(or_(Role.until_at.is_(None), Role.until_at > now))
            )
            topics: dict[UUID, set[str]] = {}
            for member_id, role in session.execute(held):
                topics.setdefault(member_id, set()).add(f"role:{role}")
            rejudging.mark_topics(session, network, topics, now)
            count += len(topics)
    return count


def _listening(session: ReadSession, now: datetime) -> list[tuple[UUID, str]]:
    networks = select(Listener.network_id).where(Listener.topic.startswith("role:"))
    found = session.scalars(select(Network).where(Network.id.in_(networks), Network.state == "active"))
    return [(network.id, _day(network, now)) for network in found]


def _is_done(session: ReadSession, network_id: UUID, day: str) -> bool:
    fact = session.get(ServiceFact, _fact(network_id))
    return fact is not None and fact.value == day


def _day(network: Network, now: datetime) -> str:
    return now.astimezone(ZoneInfo(network.time_zone)).date().isoformat()


def _fact(network_id: UUID) -> str:
    return f"tenures:{network_id}"
