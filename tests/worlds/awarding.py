"""A network with members, achievements and evidence, for tests of awards."""

import json
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import wraps
from typing import Any, TypeVar, cast

from fastapi.testclient import TestClient

from service.runtime.runtime import Runtime
from tests.worlds import laying
from tests.worlds.acting import actor, confirm

SHARE_TWICE = {"rule": "count", "where": {"types": ["shared"]}, "distinct": "resource", "gte": 2}
LEVELS = [
    {"ref": "beginning", "name": "Beginning", "level": 1},
    {"ref": "proficient", "name": "Proficient", "level": 3},
]


def described(criterion: str) -> dict[str, Any]:
    """Return a result description for a criterion of the rubric `feedback`."""
    return {
        "ref": criterion,
        "name": f"Feedback is {criterion}",
        "result_type": "RubricCriterionLevel",
        "rubric": "feedback",
        "criterion": criterion,
        "required_level": "proficient",
        "levels": LEVELS,
    }


@dataclass(frozen=True)
class Stage:
    """One network, spoken to over HTTP with a token that may do everything in it."""

    client: TestClient
    runtime: Runtime
    slug: str
    token: str
    laid: list[Hashable] = field(default_factory=list, compare=False, repr=False)
    """What was laid in the empty service, in order; cleared by any other request."""

    @classmethod
    def set_up(cls, client: TestClient, runtime: Runtime, slug: str = "river", **network: Any) -> "Stage":
        """Create the network and its token.

        In an empty service a copy of what an earlier test created is laid instead.
        """

        def create() -> str:
            body = {"slug": slug, "name": "River Writers", "kind": "informal", "url": "https://river.example.org"}
            answer = actor(runtime, client).post("/v1/networks", body | {"time_zone": "Europe/Berlin"} | network)
            assert answer.status_code == 201, answer.text
            confirm(runtime, slug)
            return actor(runtime, client, slug=slug, lifetime=timedelta(days=3650)).token

        if not laying.is_empty(runtime):
            return cls(client, runtime, slug, create())
        key = ("network", slug, json.dumps(network, sort_keys=True))
        return cls(client, runtime, slug, laying.lay(runtime, key, create), [key])

    def token_with(self, *scopes: str, member: str | None = None) -> str:
        """Return a token of the network with these scopes only."""
        self.laid.clear()
        return actor(self.runtime, self.client, slug=self.slug, scopes=scopes, member=member).token

    def call(self, method: str, path: str, token: str | None = None, **more: Any) -> Any:
        """Send a request; a path that begins with a dot is inside the network."""
        self.laid.clear()
        url = f"/v1/networks/{self.slug}{path.removeprefix('.')}" if path.startswith(".") else path
        headers = {"Authorization": f"Bearer {token or self.token}"} | more.pop("headers", {})
        return self.client.request(method, url, headers=headers, **more)

    def send(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        """Send a request that must succeed, and return its JSON."""
        answer = self.call(method, path, **({} if body is None else {"json": body}), **more)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json()

    def member(self, ref: str = "m11", **said: Any) -> Any:
        """Post a member."""
        return self.send("PUT", f"./members/{ref}", said)

    def achievement(self, ref: str = "sharer", rule: Any = SHARE_TWICE, award: str = "automatic", **more: Any) -> Any:
        """Publish an achievement."""
        criteria = {"narrative": "Share two resources."} | ({"rule": rule} if rule else {})
        body = {
            "ref": ref,
            "name": "Sharer",
            "description": "Shares what works.",
            "achievement_type": "Badge",
            "criteria": criteria,
            "award": award,
            "publish": True,
        }
        return self.send("POST", "./achievements", body | more)

    def share(self, n: int, member: str = "m11", **more: Any) -> Any:
        """Post that a member shared the n-th resource."""
        body = {"ref": f"{member}-share-{n}", "member": member, "type": "shared", "resource": f"resource-{n}"}
        return self.send("POST", "./contributions", body | {"occurred_at": "2026-03-01T10:00:00Z"} | more)

    def rate(self, evaluator: str, ratings: dict[str, float], member: str = "m11", **more: Any) -> Any:
        """Post a rubric evaluation of a member."""
        body = {
            "ref": f"{evaluator}-of-{member}",
            "kind": "rubric",
            "about": {"member": member},
            "evaluator": evaluator,
        }
        body |= {"rubric": "feedback", "ratings": ratings, "occurred_at": "2026-03-01T11:00:00Z"}
        return self.send("POST", "./evaluations", body | more)

    def award(self, achievement: str = "sharer", member: str = "m11", **more: Any) -> Any:
        """Ask for an award, and return the answer, also a refusal."""
        return self.call("POST", "./awards", json={"achievement": achievement, "member": member} | more)

    def recorded(self, achievement: str = "sharer", member: str = "m11", **more: Any) -> Any:
        """Record an award made in 2021, and return it."""
        body = {"achievement": achievement, "member": member, "basis": "recorded", "reason": "Awarded on paper."}
        return self.send("POST", "./awards", body | {"awarded_at": "2021-06-30T12:00:00Z"} | more)

    def awards(self, **query: Any) -> list[Any]:
        """Return the awards of the network."""
        items: list[Any] = self.send("GET", "./awards", params=query)["items"]
        return items

    def credential(self, award: Any) -> Any:
        """Return the signed credential of an award, from its public address."""
        answer = self.client.get(award["credential"]["url"] + ".json")
        assert answer.status_code == 200, answer.text
        return answer.json()


Build = TypeVar("Build", bound=Callable[..., Any])


def once(build: Build) -> Build:
    """Decorate `build(stage, ...)` so that a worker runs it once for stages alike.

    Later calls lay a copy of what the first one left, and return what it returned, as long as only builds like this
    were done on the stage; after that `build` runs again. A build depends only on its arguments, which are JSON, and
    changes nothing but the service.
    """

    @wraps(build)
    def laid(stage: Stage, *arguments: Any, **named: Any) -> Any:
        if not stage.laid:
            return build(stage, *arguments, **named)
        given = json.dumps([arguments, named], sort_keys=True)
        key = (*stage.laid, build.__module__, build.__qualname__, given)
        made = laying.lay(stage.runtime, key, lambda: build(stage, *arguments, **named))
        stage.laid[:] = key
        return made

    return cast("Build", laid)
