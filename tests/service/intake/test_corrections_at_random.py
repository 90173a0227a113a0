"""Whatever is posted, corrected and taken back: what is derived can be rebuilt, and what is earned stands."""

from itertools import count
from typing import Any

from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from service.evidence import derivation
from service.progress import progress
from service.runtime.runtime import Runtime
from service.tables import AchievementVersion, Award, Credential, Network, Review
from tests.worlds.acting import RIVER, Actor, actor
from tests.worlds.posting import AT, derived, posted

MEMBERS = ("m1", "m2")
RULES = (
    {"rule": "sum", "field": "minutes", "gte": 30},
    {"all": [{"rule": "count", "gte": 2}, {"rule": "count", "where": {"tags_any": ["a"]}, "gte": 1}]},
    {"rule": "rubric", "rubric": "feedback", "criteria": ["specific"], "min_level": 3},
)
members, minutes = st.sampled_from((*MEMBERS, "later")), st.integers(0, 40)
works = st.fixed_dictionaries({"member": members, "minutes": minutes}, optional={"tags": st.just(["a"])})
changed = st.fixed_dictionaries(
    {}, optional={"member": members, "minutes": minutes, "tags": st.sampled_from((None, ["a"]))}
)
steps = st.one_of(
    st.tuples(st.just("post"), works),
    st.tuples(st.just("judge"), st.tuples(st.integers(0, 9), st.integers(1, 4))),
    st.tuples(st.just("correct"), st.tuples(st.integers(0, 9), changed.filter(bool))),
    st.tuples(st.just("void"), st.integers(0, 9)),
    st.tuples(st.just("add"), st.just("later")),
)
SLUGS = count()


class Circle:
    """A network with achievements, and what was posted in it."""

    def __init__(self, runtime: Runtime, client: TestClient) -> None:
        self.runtime, self.slug = runtime, f"circle-{next(SLUGS)}"
        posted(actor(runtime, client).post("/v1/networks", RIVER | {"slug": self.slug}))
        self.who: Actor = actor(runtime, client, slug=self.slug)
        self.root = f"/v1/networks/{self.slug}"
        for ref in (*MEMBERS, "judge"):
            posted(self.who.put(f"{self.root}/members/{ref}", {}))
        for n, rule in enumerate(RULES):
            body: dict[str, Any] = {"ref": f"a{n}", "name": "A", "description": "A.", "achievement_type": "Badge"}
            body |= {"criteria": {"narrative": "Do it.", "rule": rule}, "award": "automatic", "publish": True}
            posted(self.who.post(f"{self.root}/achievements", body))
        self.works: list[str] = []

    def do(self, step: str, said: Any) -> None:
        """Carry out a step, which may be refused."""
        if step == "add":
            self.who.put(f"{self.root}/members/{said}", {})
        elif step == "post":
            n = len(self.works)
            body = {"type": "reviewed", "occurred_at": AT, "ref": f"w{n}", "resource": f"r{n}"} | said
            self.works.append(self.who.post(f"{self.root}/contributions", body).json()["id"])
        elif self.works and step == "judge":
            n, level = said
            body = {"kind": "rubric", "about": {"contribution": f"w{n % len(self.works)}"}, "evaluator": "judge"}
            body |= {"occurred_at": AT, "rubric": "feedback", "ratings": {"specific": level}}
            self.who.post(f"{self.root}/evaluations", body)
        elif self.works and step == "correct":
            n, changes = said
            body = {"changes": changes, "reason": "A slip."}
            answer = self.who.post(f"{self.root}/records/{self.works[n % len(self.works)]}/correction", body)
            if answer.status_code in {201, 202}:
                self.works[n % len(self.works)] = answer.json()["id"]
        elif self.works:
            self.who.post(f"{self.root}/records/{self.works[said % len(self.works)]}/void", {"reason": "A slip."})

    def doubted(self) -> dict[Any, bool]:
        """Return each award that was lost or is under review, and whether its rule is met now."""
        with self.runtime.database.read() as session:
            network = session.scalars(select(Network).where(Network.slug == self.slug)).one()
            reviewed = select(Review.award_id).where(Review.state == "waiting")
            lost = select(Credential.award_id).where(
                Credential.revoked_at.is_not(None) | Credential.suspended_at.is_not(None)
            )
            rows = session.scalars(
                select(Award).where(Award.network_id == network.id, Award.id.in_(reviewed) | Award.id.in_(lost))
            ).all()
            now, found = self.runtime.now(), {}
            for row in rows:
                version = session.get_one(AchievementVersion, row.achievement_version_id)
                node = progress.evaluate(session, network, version, [row.member_id], now)[row.member_id]
                found[row.id, row.state] = node.met
            return found


@settings(deadline=None, suppress_health_check=list(HealthCheck), max_examples=25)
@given(happened=st.lists(steps, min_size=3, max_size=14))
def test_what_is_earned_stands_and_what_is_derived_can_be_rebuilt(
    runtime: Runtime, client: TestClient, happened: list[tuple[str, Any]]
) -> None:
    circle = Circle(runtime, client)
    before: dict[Any, bool] = {}
    for step, said in happened:
        circle.do(step, said)
        after = circle.doubted()
        assert not any(met for place, met in after.items() if place not in before)
        if step == "correct":
            assert not [state for award, state in after.keys() - before.keys() if state in {"revoked", "suspended"}]
        before = after
    as_it_is = derived(runtime)
    with runtime.database.write() as session:
        derivation.rebuild(session, session.scalars(select(Network).where(Network.slug == circle.slug)).one())
    assert derived(runtime) == as_it_is
