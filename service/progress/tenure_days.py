"""Once a day, mark the members whose time in a role has grown.

Days in a role pass without anybody posting anything. On each day of a network's calendar the members who have a role
that a rule `tenure` asks for are marked, so that their awards are decided. Windows that move on (`last`) only ever take
evidence away, and are not looked at here.
"""

from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select

from service.access.act import Act
from service.criteria import rejudging
from service.runtime.runtime import Runtime
from service.runtime.work import GoOn, to_the_end
from service.storage import facts
from service.storage.database import ReadSession
from service.tables import Listener, Member, Network, Role


def mark_tenures(runtime: Runtime, go_on: GoOn = to_the_end) -> int:
    """Mark members who have a role that counts by days, and return how many.

    Each network is done once a day.
    """
    now, count = runtime.now(), 0
    with runtime.database.read() as session:
        due = [network_id for network_id, day in _listening(session, now) if not _is_done(session, network_id, day)]
    for network_id in due:
        if not go_on():
            break
        with runtime.database.write() as session:
            network = session.get_one(Network, network_id)
            if not facts.change(session, _fact(network_id), _day(network, now)):
                continue  # another process was faster
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
            rejudging.mark_topics(Act(session, network, None, now), topics)
            count += len(topics)
    return count


def _listening(session: ReadSession, now: datetime) -> list[tuple[UUID, str]]:
    networks = select(Listener.network_id).where(Listener.topic.startswith("role:"))
    found = session.scalars(select(Network).where(Network.id.in_(networks), Network.state == "active"))
    return [(network.id, _day(network, now)) for network in found]


def _is_done(session: ReadSession, network_id: UUID, day: str) -> bool:
    return facts.known(session, _fact(network_id)) == day


def _day(network: Network, now: datetime) -> str:
    return now.astimezone(ZoneInfo(network.time_zone)).date().isoformat()


def _fact(network_id: UUID) -> str:
    return f"tenures:{network_id}"
