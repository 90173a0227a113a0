"""`laurel listen` and `laurel trigger`: a network's events on a developer's machine."""

import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from standardwebhooks import Webhook
from typer.testing import CliRunner, Result

from service.cli import main as cli
from service.cli.listening import AwayError, Forward, Happened, Listener
from service.errors import InvalidError
from service.outbox.event_types import EventType
from service.runtime.runtime import Runtime
from tests.worlds.awarding import Stage
from tests.worlds.listening import serving
from tests.worlds.processes import environment_of, free_port
from tests.worlds.receiving import Receiver, receiver
from tests.worlds.runtimes import BASE_URL, app_of

pytestmark = pytest.mark.any_database("events are read as test_api of the outbox reads them on both")

Laurel = Callable[..., Result]


@pytest.fixture
def stage(runtime: Runtime) -> Stage:
    made = Stage.set_up(TestClient(app_of(runtime), base_url=BASE_URL), runtime)
    for ref in ("m1", "m2"):
        made.member(ref)
    return made


@pytest.fixture
def here() -> Iterator[Receiver]:
    with receiver() as found:
        yield found


@pytest.fixture
def laurel(runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Laurel:
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, **given: str) -> Result:
        environment = environment_of(runtime, **given)
        return CliRunner(env=environment).invoke(cli.app, arguments, catch_exceptions=False)

    return run


def secret_in(output: str) -> str:
    return next(word for word in output.split() if word.startswith("whsec_"))


def test_events_are_shown_in_order_with_what_the_network_calls_them(stage: Stage, laurel: Laurel) -> None:
    result = laurel("listen", "-n", stage.slug, "--since", "0", "--once")
    assert result.exit_code == 0
    first, *lines, last = result.output.splitlines()
    assert first == f"Listening to {stage.slug} at {BASE_URL}, after event 0."
    assert [line.split()[2] for line in lines] == ["network.created", "member.posted", "member.posted"]
    assert lines[1].endswith("member m1")
    assert last == "Go on later with --since 3."


def test_what_is_forwarded_is_what_a_webhook_is_sent_and_signed_like_it(
    stage: Stage, laurel: Laurel, here: Receiver
) -> None:
    result = laurel("listen", "-n", stage.slug, "--since", "1", "--once", "--forward-to", here.url)
    assert result.exit_code == 0
    assert here.positions == [2, 3]
    assert here.received[0].json["data"]["member"]["ref"] == "m1"
    for each in here.received:
        assert Webhook(secret_in(result.output)).verify(each.body, each.headers) == each.json
        assert each.headers["webhook-id"] == each.json["data"]["id"]
    assert result.output.count("→ 200 OK in ") == 2


def test_only_the_types_that_are_asked_for_are_forwarded(stage: Stage, laurel: Laurel, here: Receiver) -> None:
    asked = ("--type", "network.created", "--type", "award.made", "--since", "0", "--once")
    laurel("listen", "-n", stage.slug, *asked, "--forward-to", here.url)
    assert here.types == ["network.created"]


def test_by_itself_it_begins_with_what_happens_from_now_on(stage: Stage, laurel: Laurel, here: Receiver) -> None:
    result = laurel("listen", "-n", stage.slug, "--once", "--forward-to", here.url)
    assert result.output.splitlines()[0] == f"Listening to {stage.slug} at {BASE_URL}, from now on."
    assert here.received == []


def test_a_service_anywhere_is_asked_with_a_token(stage: Stage, laurel: Laurel, here: Receiver) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening, serving(app_of(stage.runtime), listening):
        url = f"http://localhost:{listening.getsockname()[1]}"
        asked = ("listen", "-n", stage.slug, "--url", url, "--since", "1", "--once", "--forward-to", here.url)
        assert laurel(*asked, LAUREL_TOKEN=stage.token).exit_code == 0
        assert (here.positions, here.received[0].json["data"]["member"]["ref"]) == ([2, 3], "m1")
        with pytest.raises(InvalidError, match=r"refuses: .* token") as refused:
            laurel(*asked, LAUREL_TOKEN="nonsense")
        assert refused.value.code.startswith("token-")
        assert "nonsense" not in str(refused.value)


def test_a_token_is_sent_to_no_other_machine_in_the_clear(laurel: Laurel) -> None:
    with pytest.raises(InvalidError, match="--url: expected an https address"):
        laurel("listen", "-n", "circle", "--url", "http://badges.example.org", LAUREL_TOKEN="secret")
    with pytest.raises(InvalidError, match="LAUREL_TOKEN: expected a token"):
        laurel("listen", "-n", "circle", "--url", "https://badges.example.org", LAUREL_TOKEN="")


def test_once_ends_at_what_is_not_accepted_and_says_where_to_go_on(
    stage: Stage, laurel: Laurel, here: Receiver
) -> None:
    here.status = 500
    result = laurel("listen", "-n", stage.slug, "--since", "1", "--once", "--forward-to", here.url)
    assert (result.exit_code, len(here.received)) == (1, 1)
    assert "→ 500 Internal Server Error in " in result.output
    assert result.output.splitlines()[-1] == "Go on later with --since 1."


@dataclass
class Script:
    """A source that gives what a test says, and then is told to end as a person does."""

    answers: list[list[Happened] | AwayError]
    name: str = "circle"
    asked: list[str] = field(default_factory=list)

    def after(self, place: str) -> tuple[list[Happened], str]:
        self.asked.append(place)
        if not self.answers:
            raise KeyboardInterrupt
        found = self.answers.pop(0)
        if isinstance(found, AwayError):
            raise found
        return found, f"after {found[-1].position}" if found else place


def happened(position: int) -> Happened:
    message = {"type": "award.made", "timestamp": "2026-03-01T17:00:00Z", "data": {"about": {"award": "a"}}}
    return Happened(f"id-{position}", position, message)


def listened(source: Script, forward: Forward | None = None) -> tuple[Listener, list[str], list[float]]:
    said: list[str] = []
    paused: list[float] = []
    listener = Listener(source, said.append, 0, (), forward, paused.append)
    with pytest.raises(KeyboardInterrupt):
        listener.listen(once=False)
    return listener, said, paused


def test_a_service_that_is_away_is_asked_again_later_and_later_and_nothing_is_missed() -> None:
    source = Script([AwayError("away"), AwayError("away"), AwayError("away", 30), [happened(1)], [], [happened(2)]])
    listener, said, paused = listened(source)
    assert paused == [1, 2, 30, 1]
    assert said[:3] == ["away; again in 1 s.", "away; again in 2 s.", "away; again in 30 s."]
    assert (listener.position, source.asked) == (2, ["0", "0", "0", "0", "after 1", "after 1", "after 2"])


def test_what_is_not_accepted_is_sent_again_and_holds_the_others_back(here: Receiver) -> None:
    def accept_the_third(_received: object) -> None:
        here.status = 200 if len(here.received) >= 3 else 503

    here.during = accept_the_third
    forward = Forward.to(here.url, None)
    listener, said, paused = listened(Script([[happened(1), happened(2)]]), forward)
    assert [each.headers["webhook-id"] for each in here.received] == ["id-1", "id-1", "id-1", "id-2"]
    assert paused == [1, 2]
    assert "        → 503 Service Unavailable in " in said[1]
    assert listener.position == 2


def test_a_person_ends_it_and_is_told_where_to_go_on(
    stage: Stage, laurel: Laurel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def end(_seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("time.sleep", end)
    result = laurel("listen", "-n", stage.slug, "--since", "1")
    assert result.exit_code == 0
    assert result.output.splitlines()[-1] == "Go on later with --since 3."


def test_nobody_at_the_address_is_said_in_words(stage: Stage, laurel: Laurel) -> None:
    nobody = f"http://localhost:{free_port()}"
    result = laurel("listen", "-n", stage.slug, "--since", "1", "--once", "--forward-to", nobody)
    assert "→ nobody answers there" in result.output
    with pytest.raises(InvalidError, match="--forward-to: expected http"):
        laurel("listen", "-n", stage.slug, "--forward-to", "localhost:8000")


@pytest.mark.parametrize("kind", ["award.made", "credential.issued", "member.posted"])
def test_a_sample_is_sent_signed(laurel: Laurel, here: Receiver, kind: str) -> None:
    result = laurel("trigger", kind, "--forward-to", here.url)
    [got] = here.received
    assert (got.json["type"], result.exit_code) == (kind, 0)
    assert Webhook(secret_in(result.output)).verify(got.body, got.headers) == got.json
    assert got.headers["webhook-id"].startswith("sample-")
    assert f"{kind} → 200 OK in " in result.output


def test_the_secret_of_a_receiver_that_is_configured_already_can_be_given(laurel: Laurel, here: Receiver) -> None:
    secret = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
    laurel("trigger", "award.made", "--forward-to", here.url, LAUREL_WEBHOOK_SECRET=secret)
    assert Webhook(secret).verify(here.received[0].body, here.received[0].headers)
    with pytest.raises(InvalidError, match="LAUREL_WEBHOOK_SECRET: expected whsec_") as refused:
        laurel("trigger", "award.made", "--forward-to", here.url, LAUREL_WEBHOOK_SECRET="whsec_not base64!")
    assert "not base64" not in str(refused.value)


def test_a_webhook_gets_a_sample_with_its_own_secret(stage: Stage, laurel: Laurel, here: Receiver) -> None:
    made = stage.send("POST", "./webhooks", {"url": here.url})
    result = laurel("trigger", "award.made", "--webhook", made["id"], "-n", stage.slug)
    assert (result.exit_code, here.types) == (0, ["award.made"])
    assert Webhook(made["secret"]).verify(here.received[0].body, here.received[0].headers)
    here.status = 410
    result = laurel("trigger", "award.made", "--webhook", made["id"], "-n", stage.slug)
    assert (result.exit_code, "410 refused" in result.stderr) == (1, True)
    assert stage.send("GET", f"./webhooks/{made['id']}")["state"] == "active", "a sample counts for nothing"


def test_a_type_that_does_not_exist_is_told_with_what_was_meant_and_all_there_are(laurel: Laurel) -> None:
    with pytest.raises(InvalidError, match=r"got 'award\.mad' \(did you mean `award\.made`") as refused:
        laurel("trigger", "award.mad", "--forward-to", "http://localhost:1")
    assert all(each.value in str(refused.value) for each in EventType)
    with pytest.raises(InvalidError, match="Expected a type of event"):
        laurel("listen", "-n", "circle", "--type", "nonsense")


def test_a_sample_goes_to_one_place(laurel: Laurel) -> None:
    assert laurel("trigger", "award.made").exit_code == 2
    assert laurel("trigger", "award.made", "--webhook", "0190c2d4-7d5e-7b1a-8f00-3d2c4b5a6978").exit_code == 2


def test_rendered_events_are_listed_as_events_are(stage: Stage) -> None:
    [first] = (page := stage.send("GET", "./events/rendered?limit=1"))["items"]
    assert (first["position"], first["body"]["type"], page["next"]) == (1, "network.created", page["last"])
    rest = stage.send("GET", "./events/rendered", params={"after": page["next"]})
    assert [each["position"] for each in rest["items"]] == [2, 3]
    assert "next" not in rest
    elsewhere = stage.call("GET", "./events", params={"after": rest["last"]})
    assert elsewhere.json()["code"] == "cursor-elsewhere"
    assert stage.send("GET", "./events/rendered?after=2")["items"] == rest["items"][1:]
    assert stage.send("GET", "./events/rendered?after=now") == {"items": [], "last": rest["last"]}


def test_the_rendered_events_need_what_a_webhook_needs(stage: Stage, laurel: Laurel) -> None:
    reading = laurel("token", "create", "-n", stage.slug, "--scope", "read").output.strip()
    assert stage.call("GET", "./events/rendered", token=reading).status_code == 403
