"""Refused tokens are counted by address, before a look-up, and a good token is never slowed by that."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import event, update

from service.errors import TooManyRequestsError
from service.runtime.fair_use import FairUse
from service.runtime.runtime import Runtime
from service.tables import Token
from service.web.refusals import Refusals
from tests.worlds.acting import Actor, refused
from tests.worlds.posting import alone
from tests.worlds.runtimes import Clock

pytestmark = pytest.mark.any_database("tokens are refused before any row but their own")

HERE = "192.0.2.7"
MEMBERS = "/v1/networks/river-writers/members"


@pytest.fixture
def river(runtime: Runtime, client: TestClient) -> Actor:
    return alone(runtime, client)


@pytest.fixture
def statements(runtime: Runtime) -> Iterator[list[str]]:
    """What the database is asked."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        seen.append(statement)

    event.listen(runtime.database.engine, "before_cursor_execute", note)
    yield seen
    event.remove(runtime.database.engine, "before_cursor_execute", note)


def few(clock: Clock | None = None) -> Refusals:
    return Refusals(FairUse(60, 3), FairUse(60, 2), (clock or Clock()).seconds)


def refused_ones(refusals: Refusals, *secrets: str, address: str = HERE) -> None:
    for secret in secrets:
        refusals.let_pass(address, secret)
        refusals.refused(secret)


def test_an_address_whose_tokens_were_refused_is_told_when_to_come_again(client: TestClient) -> None:
    wrong = Actor(client, "laurel_wrong")
    answers = [wrong.get(MEMBERS) for _ in range(61)]
    assert {answer.status_code for answer in answers[:60]} == {401}
    assert refused(answers[60])[:2] == (429, "too-many-refused-tokens")
    assert answers[60].headers["retry-after"] == "1"


def test_requests_without_a_token_count_too(client: TestClient) -> None:
    answers = [client.get(MEMBERS) for _ in range(61)]
    assert {answer.status_code for answer in answers[:60]} == {401}
    assert refused(answers[60])[:2] == (429, "too-many-refused-tokens")


def test_who_guesses_tokens_is_refused_without_a_look_up(client: TestClient, statements: list[str]) -> None:
    for number in range(70):
        Actor(client, f"laurel_{number}").get(MEMBERS)
    statements.clear()
    assert refused(Actor(client, "laurel_one_more").get(MEMBERS))[0] == 429
    assert statements == []


def test_a_good_token_works_on_behind_the_same_address(client: TestClient, river: Actor) -> None:
    assert river.get(MEMBERS).status_code == 200
    for number in range(100):
        Actor(client, f"laurel_{number}").get(MEMBERS)
    assert [river.get(MEMBERS).status_code for _ in range(100)] == [200] * 100


def test_one_broken_program_does_not_keep_out_tokens_that_were_not_seen_before(
    client: TestClient, river: Actor
) -> None:
    for _ in range(100):
        Actor(client, "laurel_broken").get(MEMBERS)
    assert river.get(MEMBERS).status_code == 200


def test_good_tokens_cost_their_address_nothing(client: TestClient, river: Actor) -> None:
    for _ in range(100):
        river.get(MEMBERS)
    assert refused(Actor(client, "laurel_wrong").get(MEMBERS))[:2] == (401, "token-unknown")


def test_a_token_that_is_good_no_more_is_refused_at_once(runtime: Runtime, river: Actor) -> None:
    assert river.get(MEMBERS).status_code == 200
    with runtime.database.write() as session:
        session.execute(update(Token).values(revoked_at=runtime.now()))
    assert refused(river.get(MEMBERS))[:2] == (401, "token-revoked")


def test_a_token_that_is_good_no_more_is_counted_again() -> None:
    refusals = few()
    refusals.good("a")
    refused_ones(refusals, "a", "a", "a", "a")
    with pytest.raises(TooManyRequestsError):
        refusals.let_pass(HERE, "a")


def test_after_a_while_the_address_is_heard_again() -> None:
    clock = Clock()
    refusals = few(clock)
    refused_ones(refusals, "a", "a", "a")
    with pytest.raises(TooManyRequestsError):
        refusals.let_pass(HERE, "a")
    clock.advance(seconds=1)
    refusals.let_pass(HERE, "a")


def test_other_addresses_are_not_held_up() -> None:
    refusals = few()
    refused_ones(refusals, "a", "a", "a")
    refusals.let_pass("192.0.2.8", "a")


def test_somebody_who_guesses_gets_only_a_few_more_look_ups() -> None:
    refusals = few()
    refused_ones(refusals, *"abcde")
    with pytest.raises(TooManyRequestsError) as raised:
        refusals.let_pass(HERE, "f")
    assert (raised.value.code, raised.value.details["retry_after_seconds"]) == ("too-many-refused-tokens", 1)
    refusals.let_pass("192.0.2.8", "f")
