"""Members of a network who set goals, and their buddies."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import aliased

from service.tables import Contribution, Member
from tests.worlds.awarding import Stage, once

GOAL = {"title": "Give feedback on four drafts", "begun_on": "2026-03-01", "due_on": "2026-03-31"}
BUDDY = {"shared_with": "buddy", "buddy": "m12"}
NETWORK = {"shared_with": "network"}
GOAL_MET = {"rule": "count", "where": {"types": ["goal_met"], "min_tier": 1}, "gte": 1}
MINE, BUDDYS, THIRDS = "m11", "m12", "m13"


@once
def peers(stage: Stage) -> dict[str, str]:
    """Post three members and a facilitator, and return a token for each of them."""
    facilitator = [{"role": "facilitator", "from": "2026-01-01T00:00:00Z"}]
    stage.member("f1", roles=facilitator, name="Facilitator 1")
    for ref in (MINE, BUDDYS, THIRDS):
        stage.member(ref, email=f"{ref}@river.example.org", name=f"Member {ref}")
    return {ref: stage.token_with("goals:write", member=ref) for ref in ("f1", MINE, BUDDYS, THIRDS)}


class Circle:
    """Members who speak to one network, each with a token of their own."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.tokens = peers(stage)

    def call(self, who: str, method: str, path: str, body: Any = None) -> Any:
        """Send a request as a member; a path that begins with a slash is below the goals."""
        more = {} if body is None else {"json": body}
        return self.stage.call(method, f"./goals{path}", self.tokens[who], **more)

    def send(self, who: str, method: str, path: str, body: Any = None) -> Any:
        """Send a request that must succeed as a member, and return its JSON; None if there is none."""
        answer = self.call(who, method, path, body)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def code(self, who: str, method: str, path: str, body: Any = None) -> tuple[int, str]:
        """Send a request that must be refused, and return the status and the code."""
        answer = self.call(who, method, path, body)
        assert not answer.is_success, answer.text
        return answer.status_code, answer.json()["code"]

    def goal(self, **said: Any) -> str:
        """Set a goal as the first member, and return its path below the goals."""
        return f"/{self.send(MINE, 'POST', '', GOAL | said)['id']}"

    def with_buddy(self, **said: Any) -> str:
        """Set a goal with a buddy who accepts, and return its path."""
        path = self.goal(**BUDDY | said)
        self.send(BUDDYS, "POST", f"{path}/buddy-answer", {"accepts": True})
        return path

    def check_in(self, path: str, progress: float = 0.4, **said: Any) -> Any:
        """Check in as the first member."""
        return self.send(MINE, "POST", f"{path}/check-ins", {"progress": progress} | said)

    def met(self, path: str, **said: Any) -> Any:
        """Check in, and close a goal as met."""
        self.check_in(path, 1)
        return self.send(MINE, "POST", f"{path}/closing", {"closed_as": "met"} | said)

    def evidence(self) -> list[tuple[str, str, int]]:
        """Return the evidence that counts of goals that were met: whose, with whom, and its tier."""
        member, peer = aliased(Member), aliased(Member)
        query = select(member.ref, peer.ref, Contribution.tier).where(Contribution.type == "goal_met")
        query = query.join(member, member.id == Contribution.member_id).outerjoin(peer, peer.id == Contribution.peer_id)
        with self.stage.runtime.database.read() as session:
            return [(ref, with_whom or "", tier) for ref, with_whom, tier in session.execute(query)]
