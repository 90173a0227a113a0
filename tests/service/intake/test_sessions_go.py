"""A session is deleted while evidence names it: of two at the same moment one comes first, and the other is told."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import delete, select, update

from service.access.act import Act
from service.bodies import validated
from service.evidence.derivation import SHAPES
from service.intake import posting
from service.runtime.runtime import Runtime
from service.tables import Contribution, Evaluation, Meeting, Network, Row
from tests.worlds.acting import Actor, refused
from tests.worlds.posting import REVIEW, ROOT, SURVEY, posted, river, rows_of
from tests.worlds.waiting import somebody_waits, until

CONTRIBUTIONS, EVALUATIONS, SESSION = f"{ROOT}/contributions", f"{ROOT}/evaluations", f"{ROOT}/sessions/s1"
DONE = REVIEW | {"session": "s1"}


@pytest.fixture
def who(runtime: Runtime, client: TestClient) -> Actor:
    return river(runtime, client)


@pytest.mark.parametrize(
    ("path", "body", "pointer", "table"),
    [(CONTRIBUTIONS, DONE, "/session", Contribution), (EVALUATIONS, SURVEY, "/about/session", Evaluation)],
)
def test_evidence_of_a_session_that_is_deleted_at_that_moment_is_refused(
    runtime: Runtime, who: Actor, path: str, body: object, pointer: str, table: type[Row]
) -> None:
    with ThreadPoolExecutor(1) as pool:
        with runtime.database.write() as session:
            session.execute(delete(Meeting).where(Meeting.ref == "s1"))
            answer = pool.submit(who.post, path, body)
            assert until(lambda: somebody_waits(runtime))
        assert refused(answer.result()) == (422, "session-unknown", pointer)
    assert rows_of(runtime, table) == []


def test_a_session_with_evidence_of_that_moment_stays(runtime: Runtime, who: Actor) -> None:
    survey = validated(SHAPES["evaluation"], SURVEY)
    with ThreadPoolExecutor(1) as pool:
        with runtime.database.write() as session:
            network = session.scalars(select(Network)).one()
            [_] = posting.submit_all(Act(session, network, None, runtime.now()), "evaluation", [survey])
            answer = pool.submit(who.delete, SESSION)
            assert until(lambda: somebody_waits(runtime))
        assert refused(answer.result()) == (409, "session-in-use", None)
    assert len(rows_of(runtime, Evaluation)) == 1


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)  # SQLite has one writer, and no such lock
def test_who_changes_a_session_lets_evidence_of_it_in(runtime: Runtime, who: Actor) -> None:
    with runtime.database.write() as session:
        session.execute(update(Meeting).where(Meeting.ref == "s1").values(title="Drafts"))
        posted(who.post(CONTRIBUTIONS, DONE))
