"""The practice networks: each is loaded, played to its badges, verified, and removed without a trace."""

import asyncio
import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select
from typer.testing import CliRunner, Result

from service.cli import main as cli
from service.cli.loading import dates, marks, shelf
from service.cli.loading.in_process import Programs, programs
from service.errors import ConflictError, InvalidError, NotFoundError
from service.networks import networks
from service.runtime.clock import utc_now
from service.runtime.runtime import Runtime
from service.tables import (
    CallDecision,
    Contribution,
    Expectation,
    Goal,
    GoalCheckIn,
    GuidelineVersion,
    Member,
    NeedsAnswer,
    Network,
    ObjectiveVersion,
    Record,
    Token,
)
from tests.interop.verifying import openbadgeslib, openvc
from tests.worlds import awarding
from tests.worlds.examples import NOW, POSTED, Stage, given, load, rows_of, staged
from tests.worlds.runtimes import BASE_URL, Clock, app_of

ANY_DATABASE = pytest.mark.any_database("an example goes in through the API, which is asked on both")
ALL = (*POSTED, "carpentries-instructors")


@pytest.fixture(scope="module", params=ALL)
def stage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Each example in turn, loaded once, today: other people's verifiers ask no clock of ours."""
    with staged(request.param, tmp_path_factory.mktemp("example"), utc_now()) as loaded:
        yield loaded


def test_each_is_played_to_the_badges_that_it_says(stage: Stage) -> None:
    assert stage.loaded.badges == (stage.example.badges or {"instructor": 3})


def test_a_badge_of_each_achievement_is_verified_and_says_that_it_is_a_test(stage: Stage) -> None:
    badges = stage.badges()
    assert badges.keys() == stage.loaded.badges.keys()
    for text in badges.values():
        report, _ = stage.checked(text)
        assert report.verdict == "verified", report.to_json()
        assert json.loads(text)["credentialSubject"]["achievement"]["name"].startswith("TEST")


def test_openbadgeslib_and_openvc_verify_a_badge_of_each(stage: Stage) -> None:
    text = next(iter(stage.badges().values()))
    badge, (_, documents) = json.loads(text), stage.checked(text)
    assert openbadgeslib(documents, badge).issuer.id == badge["issuer"]["id"]
    assert openvc(documents, badge).issuer == badge["issuer"]["id"]


def test_each_says_after_whom_it_is_and_that_it_is_not_theirs(stage: Stage) -> None:
    client = TestClient(app_of(stage.runtime), base_url=BASE_URL)
    page = client.get(f"/networks/{stage.loaded.slug}", headers={"Accept": "text/html"}).text
    assert re.search(r"Example: .+ \((after|from) .+; not theirs\)", stage.loaded.name)
    assert "An example for practice" in page
    assert "not seen or approved it" in page
    assert "TEST" in page
    assert stage.example.about["after"].removeprefix("the ") in page.replace("&#39;", "'").replace("&amp;", "&")


def test_its_members_are_roles_and_numbers(stage: Stage) -> None:
    with stage.runtime.database.read() as session:
        for ref, name in session.execute(select(Member.ref, Member.name)):
            assert re.fullmatch(r"(teacher|fellow|applicant|facilitator|assessor|site-director|instructor)-\d+", ref)
            assert name == ref.replace("-", " ").capitalize()


@pytest.mark.parametrize("name", POSTED)
def test_its_evidence_is_of_the_weeks_before_it_is_loaded(name: str) -> None:
    example = shelf.named(name)
    days = sorted(line["occurred_at"] for line in example.lines("contributions.ndjson", example.weeks_until(NOW)))
    assert timedelta() < NOW - datetime.fromisoformat(days[-1]) < timedelta(weeks=7)


def test_loaded_again_it_stays_as_it_is(stage: Stage) -> None:
    before = stage.rows()
    again = load(stage.runtime, stage.example.name, stage.example.given)
    assert again.loaded.before
    assert again.loaded.badges == stage.loaded.badges
    after = stage.rows()
    tokens = {name: rows - before.get(name, set()) for name, rows in after.items() if rows != before.get(name)}
    assert tokens.keys() <= {"tokens"}, "the list of badges was read with a token"


def test_no_token_is_left_that_works(stage: Stage) -> None:
    with stage.runtime.database.read() as session:
        assert None not in session.scalars(select(Token.revoked_at)).all()


def test_a_formal_one_is_active_with_all_that_it_needs(stage: Stage) -> None:
    counted = (GuidelineVersion, ObjectiveVersion, Expectation, Goal, NeedsAnswer, CallDecision)
    has = {
        "casel-stack": ["formal", 1, 5, 2, 9, 11, 0],
        "writing-group": ["formal", 2, 4, 2, 3, 0, 0],
        "faculty-collaborative": ["formal", 1, 3, 2, 0, 0, 6],
        "carpentries-instructors": ["informal", 0, 0, 0, 0, 0, 0],
    }
    with stage.runtime.database.read() as session:
        network = session.scalars(select(Network)).one()
        assert network.state == "active"
        found = [session.scalar(select(func.count()).select_from(row)) for row in counted]
    assert [network.kind, *found] == has[stage.example.name]


def test_evidence_is_held_only_of_those_who_have_not_accepted(stage: Stage) -> None:
    with stage.runtime.database.read() as session:
        held = session.execute(select(Record.status, func.count()).group_by(Record.status)).all()
        accepted = session.scalar(select(func.count()).where(Contribution.type == "accepted"))
    assert dict(held).get("held", 0) == (3 if stage.example.name == "faculty-collaborative" else 0)
    assert accepted == {"casel-stack": 15, "writing-group": 20, "faculty-collaborative": 11}.get(stage.example.name, 0)


@pytest.mark.parametrize("name", POSTED)
def test_its_steps_and_its_files_belong_to_each_other(name: str) -> None:
    example = shelf.named(name)
    used = {step[kind] for step in example.steps() for kind in ("each", "lines", "calls", "body") if kind in step}
    there = {path.name for path in (shelf.FOLDER / name).iterdir()} - {shelf.ABOUT, shelf.STEPS, shelf.NETWORK}
    assert used == there


def test_dates_move_by_whole_weeks_and_nothing_else_does() -> None:
    body = {"at": "2026-11-24T16:00:00Z", "days": ["2026-11-24"], "ref": "2026-11-24-online", "n": 3, "title": None}
    assert dates.moved(body, 2) == body | {"at": "2026-12-08T16:00:00Z", "days": ["2026-12-08"]}
    assert dates.moved(body, -1) == body | {"at": "2026-11-17T16:00:00Z", "days": ["2026-11-17"]}
    assert dates.moved(body, 0) == body


# --- loading that goes wrong


@ANY_DATABASE
def test_interrupted_loading_goes_on_with_the_same_dates_and_does_nothing_twice(
    runtime: Runtime, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock.at = NOW
    sent, sending = 0, Programs.send

    def interrupted(programs: Programs, request: str, *given: Any, **named: Any) -> Any:
        nonlocal sent
        sent += request.endswith("/closing")
        if sent == 3:
            raise KeyboardInterrupt
        return sending(programs, request, *given, **named)

    with monkeypatch.context() as patched:
        patched.setattr(Programs, "send", interrupted)
        with pytest.raises(KeyboardInterrupt):
            load(runtime, "casel-stack")
    clock.advance(days=15)
    stage = load(runtime, "casel-stack")
    assert stage.loaded.badges == stage.example.badges
    with runtime.database.read() as session:
        (mark,) = marks.every(session)
        assert (mark.state, mark.weeks) == ("loaded", stage.example.weeks_until(NOW))
        made = [session.scalar(select(func.count()).select_from(row)) for row in (Goal, GoalCheckIn, GuidelineVersion)]
    calls = [call["request"] for call in stage.example.lines("goals.ndjson", 0)]
    assert made == [calls.count("POST /goals"), sum("check-ins" in call for call in calls), 1]


@ANY_DATABASE
def test_what_the_service_refuses_is_said_with_its_place(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = [{"request": "PUT /sessions/{ref}", "json": {"ref": "s-1", "starts_at": "soon"}}]
    monkeypatch.setattr(shelf.Example, "steps", lambda _self: wrong)
    with pytest.raises(ConflictError, match=r"PUT /sessions/s-1 was refused: .*starts_at") as error:
        load(runtime, "writing-group")
    assert error.value.code == "example-refused"


@ANY_DATABASE
def test_a_line_that_does_not_count_is_refused(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [{"ref": "c-1", "member": "nobody-1", "type": "shared", "occurred_at": "2026-03-01T10:00:00Z"}]
    monkeypatch.setattr(shelf.Example, "steps", lambda _self: [{"request": "POST /contributions/bulk", "lines": "x"}])
    monkeypatch.setattr(shelf.Example, "lines", lambda *_: iter(lines))
    with pytest.raises(ConflictError, match=r"line 1 was refused: .* \(held"):
        load(runtime, "writing-group")


@ANY_DATABASE
def test_an_example_with_other_badges_than_it_says_is_not_called_loaded(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shelf.Example, "steps", lambda _self: [])
    with pytest.raises(ConflictError, match="Expected 5 of peer-reader, 4 of teacher-writer") as error:
        load(runtime, "writing-group")
    assert error.value.code == "example-differs"
    with runtime.database.read() as session:
        assert [mark.state for mark in marks.every(session)] == ["loading"]


@ANY_DATABASE
@pytest.mark.parametrize(
    ("missing", "code"), [(None, "example-needs-folder"), ("badged_instructors.csv", "example-file-missing")]
)
def test_an_example_of_public_files_begins_only_with_all_of_them(
    runtime: Runtime, tmp_path: Path, missing: str | None, code: str
) -> None:
    folder = given(tmp_path / "given")
    (folder / (missing or "training_events.csv")).unlink()
    with pytest.raises(InvalidError) as error:
        load(runtime, "carpentries-instructors", folder if missing else None)
    assert error.value.code == code
    assert "networks" not in rows_of(runtime)


@ANY_DATABASE
def test_a_row_that_cannot_be_taken_in_stops_the_example(runtime: Runtime, tmp_path: Path) -> None:
    folder = given(tmp_path / "given")
    with (folder / "badged_instructors.csv").open("a") as file:
        file.write("5,US,some day\n")
    with pytest.raises(ConflictError, match=r"badged_instructors\.csv: 1 rows"):
        load(runtime, "carpentries-instructors", folder)


@ANY_DATABASE
def test_the_slug_of_another_network_is_not_taken(runtime: Runtime, client: TestClient) -> None:
    awarding.Stage.set_up(client, runtime)
    with runtime.database.read() as session:
        slug = session.scalars(select(Network.slug)).one()
    before = rows_of(runtime)
    with pytest.raises(ConflictError) as error:
        load(runtime, "writing-group", slug=slug)
    assert error.value.code == "slug-taken"
    assert rows_of(runtime) == before


def test_there_is_no_other_example() -> None:
    assert shelf.names() == sorted(ALL)
    with pytest.raises(NotFoundError, match="writing-group") as error:
        shelf.named("writing-grup")
    assert error.value.code == "example-unknown"


# --- the command


@ANY_DATABASE
def test_the_command_lists_loads_and_removes(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    given(tmp_path / "given")
    environment = {
        "LAUREL_DATABASE_URL": database_url,
        "LAUREL_KEYS_FOLDER": str(tmp_path / "keys"),
        "LAUREL_KEYS_PASSPHRASE": "for tests",
        "LAUREL_DATA_FOLDER": str(tmp_path / "var"),
    }

    def laurel(*arguments: str) -> Result:
        return CliRunner(env=environment).invoke(cli.app, ["example", *arguments])

    name = "carpentries-instructors"
    assert {each["name"]: each["networks"] for each in json.loads(laurel("list", "--json").stdout)}[name] == []
    loaded = laurel("load", name, "--folder", "given", "--slug", "trial")
    assert loaded.exit_code == 0, loaded.output
    assert "3 badges, which say TEST. Out again: laurel example remove --slug trial" in loaded.stdout
    assert "3 instructors, each with a recorded award" in loaded.stderr
    assert "nothing has changed" in laurel("load", name, "--folder", "given", "--slug", "trial").stdout
    assert re.search(r"carpentries-instructors .* --folder +trial \(loaded\)", laurel("list").stdout)
    removed = json.loads(laurel("remove", "--slug", "trial", "--json").stdout)
    assert (removed["slug"], removed["keys"], removed["rows"]["credentials"]) == ("trial", 2, 3)
    assert laurel("remove").exit_code == 2, "it wants a name or a slug"


def test_it_speaks_with_the_service_also_where_a_loop_runs_already(runtime: Runtime, client: TestClient) -> None:
    stage = awarding.Stage.set_up(client, runtime)
    with runtime.database.read() as session:
        network = networks.by_slug(session, stage.slug)

    async def speak() -> Any:
        with programs(runtime, network) as speaking:
            return speaking.send("GET /members")

    with ThreadPoolExecutor(1) as pool:  # a test before may have left a loop in this thread, as Playwright does
        assert pool.submit(lambda: asyncio.run(speak())).result()["items"] == []
