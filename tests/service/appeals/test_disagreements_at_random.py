"""Random walks through disagreements and holds: whatever people try, some things are always so."""

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from service.appeals import deadlines
from service.awards import reviews, settling
from service.runtime.runtime import Runtime
from service.tables import Award, Case, CaseHold, CaseStep, Credential
from tests.worlds.awarding import Stage
from tests.worlds.disagreeing import decide, disagree, laid, on, seen
from tests.worlds.runtimes import BASE_URL, Clock, app_of

STEPS = 30
PEOPLE = ("m11", "m12", "n1", "n2", "a1", None)
PARTIES = ("m11", "m12", "n1")


class Walk:
    """One walk: its cases, and the things that somebody may try."""

    def __init__(self, stage: Stage, clock: Clock, seed: int) -> None:
        self.stage, self.clock, self.draw = stage, clock, random.Random(seed)
        self.cases: list[Any] = []
        self.shares = 0

    def step(self) -> None:
        """Try one thing; a refusal is fine, a failure is not."""
        tries: list[Callable[[], Any]] = [self.open, self.time, self.share]
        if self.cases:
            tries += [self.act] * 8
        answer = self.draw.choice(tries)()
        assert answer is None or answer.status_code < 500, answer.text

    def open(self) -> Any:
        by, other = self.draw.sample(PARTIES, 2)
        answer = disagree(self.stage, by, other)
        if answer.status_code == 201:
            self.cases.append(answer.json())
        return answer

    def time(self) -> None:
        self.clock.advance(days=self.draw.choice((1, 8, 40)))
        deadlines.pass_deadlines(self.stage.runtime)
        settling.sign_due(self.stage.runtime)

    def share(self) -> None:
        self.shares += 1
        at = (self.clock.at - timedelta(days=1)).isoformat()
        self.stage.share(self.shares, self.draw.choice(PARTIES), occurred_at=at)

    def act(self) -> Any:
        case, by = self.draw.choice(self.cases), self.draw.choice(PEOPLE)
        known = seen(self.stage, case, None).json()
        proposals = [step["id"] for step in known["steps"] if step["kind"] == "proposed"]
        holds = [hold["id"] for hold in known.get("holds", ())]
        tries: list[Callable[[], Any]] = [
            lambda: on(self.stage, case, "statements", by, text="So it was."),
            lambda: on(self.stage, case, "agreement", by, text="Both names."),
            lambda: on(self.stage, case, "withdrawal", by),
            lambda: on(self.stage, case, "escalation", by, statement="Somebody else."),
            lambda: on(self.stage, case, "holds", by, member=self.draw.choice(PARTIES), reason="Wait."),
            lambda: self.mediate(case, known, by),
            lambda: decide(self.stage, case, self.draw.choice(("decided", "unresolved")), by=by or "n1"),
        ]
        if proposals:
            tries += [lambda: on(self.stage, case, "agreement/acceptance", by, proposal=proposals[-1])] * 2
        if holds:
            tries.append(lambda: on(self.stage, case, f"holds/{holds[-1]}/release", by))
        return self.draw.choice(tries)()

    def mediate(self, case: Any, known: Any, by: str | None) -> Any:
        more = {"replaces": known["mediator"]} if "mediator" in known else {}
        return on(self.stage, case, "mediator", by, "PUT", member=self.draw.choice(("n1", "n2", "a1", "m11")), **more)


def check(stage: Stage) -> None:
    """Hold what is there to what must always be so."""
    with stage.runtime.database.read() as session:
        open_between: dict[frozenset[Any], int] = {}
        for row in session.scalars(select(Case)):
            steps = session.scalars(select(CaseStep).where(CaseStep.case_id == row.id).order_by(CaseStep.id)).all()
            parties = {row.member_id, row.respondent_id}
            answered = any(step.part == "respondent" and step.kind in ("statement", "accepted") for step in steps)
            holds = session.scalars(
                select(CaseHold).where(CaseHold.case_id == row.id, CaseHold.until_at.is_(None))
            ).all()
            if row.state == "resolved":
                assert not holds
                assert row.resolved_at is not None
                assert row.answer_due_at is not None
                if row.outcome in ("decided", "unresolved"):
                    assert answered or row.resolved_at >= row.answer_due_at
                if row.outcome == "agreed":
                    last = max(step.id for step in steps if step.kind == "proposed")
                    after = [step.part for step in steps if step.kind == "accepted" and step.id > last]
                    assert sorted(after) == ["member", "respondent"]
            else:
                pair = frozenset(parties)
                open_between[pair] = open_between.get(pair, 0) + 1
                assert row.mediator_id not in parties
                assert (row.state == "mediating") <= (row.mediator_id is not None)
                quarrels = select(Case).where(
                    Case.state != "resolved", Case.id != row.id, Case.mediator_id == row.mediator_id
                )
                assert all(
                    each.mediator_id not in {each.member_id, each.respondent_id} for each in session.scalars(quarrels)
                )
        assert all(count == 1 for count in open_between.values())
        for row in session.scalars(select(Case).where(Case.state != "resolved", Case.mediator_id.is_not(None))):
            others = select(Case).where(Case.state != "resolved", Case.id != row.id)
            for each in session.scalars(others):
                pair = {each.member_id, each.respondent_id}
                assert not (row.mediator_id in pair and pair & {row.member_id, row.respondent_id})
        held = set(session.scalars(select(CaseHold.member_id).where(CaseHold.until_at.is_(None))))
        who = reviews.who_is(session, held)
        assert len(who) == len(held)
        for award in session.scalars(select(Award)):
            signed = session.scalars(select(Credential).where(Credential.award_id == award.id)).all()
            assert len(signed) == int(award.state == "awarded")
            if award.state == "pending":
                assert (award.due_at is None) == (award.member_id in held)


@pytest.mark.parametrize("seed", range(6))
def test_whatever_people_try_both_sides_are_heard_and_no_award_is_lost(
    runtime: Runtime, clock: Clock, seed: int
) -> None:
    stage = Stage.set_up(TestClient(app_of(runtime), base_url=BASE_URL), runtime)
    laid(stage)
    stage.achievement()
    walk = Walk(stage, clock, seed)
    for _ in range(STEPS):
        walk.step()
        check(stage)
    for case in walk.cases:
        on(stage, case, "withdrawal", None)
    settling.sign_due(runtime)
    assert "pending" not in [each["state"] for each in stage.awards()]
