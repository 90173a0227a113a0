"""What webhooks are sent: everything, in order, signed, once where all goes well, and again until it has arrived."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from email.utils import format_datetime
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr
from sqlalchemy import select
from standardwebhooks.webhooks import Webhook as Judge
from standardwebhooks.webhooks import WebhookVerificationError

from service.errors import CustodyError
from service.notifications import deliveries, mail, payloads
from service.notifications.deliveries import DELAYS, GIVEN_UP_AFTER, JITTER, LEASE
from service.runtime.custody import Custody
from service.runtime.fetching import MAX_ANSWER_BYTES, Fetcher
from service.runtime.runtime import Runtime
from service.tables import Delivery, Network, Webhook
from tests.worlds.acting import actor, all_pages
from tests.worlds.awarding import Stage
from tests.worlds.receiving import Receiver, receiver
from tests.worlds.runtimes import BASE_URL, app_of, whole_app_of
from tests.worlds.waiting import until


@pytest.fixture
def stage(runtime: Runtime) -> Iterator[Stage]:
    """The app without what goes on beside it: things are sent when a test says so."""
    client = TestClient(app_of(runtime), base_url=BASE_URL)
    yield Stage.set_up(client, runtime)
    client.close()


@pytest.fixture
def there() -> Iterator[Receiver]:
    with receiver() as here:
        yield here


def hook(stage: Stage, there: Receiver, **more: Any) -> Any:
    return stage.send("POST", "./webhooks", {"url": there.url} | more)


def deliver(stage: Stage) -> int:
    return payloads.deliver_webhooks(stage.runtime)


def happen(stage: Stage, *names: str) -> None:
    """Have something happen that is told by one event each."""
    for name in names:
        stage.member(name)


def shown(stage: Stage, made: Any) -> Any:
    return stage.send("GET", f"./webhooks/{made['id']}")


def listed(stage: Stage, made: Any, **query: Any) -> list[Any]:
    items: list[Any] = stage.send("GET", f"./webhooks/{made['id']}/deliveries", params=query)["items"]
    return items


def events(stage: Stage, **query: Any) -> list[Any]:
    items: list[Any] = stage.send("GET", "./events", params={"limit": 200} | query)["items"]
    return items


def wait_until_due(stage: Stage, made: Any, clock: Any) -> timedelta:
    """Let the time pass until the next attempt, and return how long that was."""
    with stage.runtime.database.read() as session:
        row = next(row for row in session.query(Webhook) if str(row.id) == made["id"])
    waited = row.due_at - clock.at
    clock.at = row.due_at
    return timedelta(seconds=waited.total_seconds())


# --- What is sent ----------------------------------------------------------------------------------------------


def test_every_event_is_sent_in_order_and_once(stage: Stage, there: Receiver) -> None:
    made = hook(stage, there)
    stage.achievement()
    stage.member("m11")
    for n in (1, 2):
        stage.share(n)
    told = events(stage, after=made["position"])
    assert deliver(stage) == len(told) > 4
    assert [each.headers["webhook-id"] for each in there.received] == [event["id"] for event in told]
    assert there.types == [event["type"] for event in told]
    assert there.positions == [event["position"] for event in told]
    assert deliver(stage) == 0
    assert shown(stage, made)["position"] == told[-1]["position"]
    assert [row["state"] for row in listed(stage, made)] == ["delivered"] * len(told)


def test_an_award_is_sent_whole_as_the_api_shows_it(stage: Stage, there: Receiver) -> None:
    stage.achievement(award="reviewed")
    stage.member("m11", name="Member 11", email="m11@example.org")
    hook(stage, there)
    award = stage.recorded()
    deliver(stage)
    sent = {each.json["type"]: each.json for each in there.received}
    data = sent["award.made"]["data"]
    assert data["award"] == award == stage.send("GET", f"./awards/{award['id']}")
    assert data["member"] == stage.send("GET", "./members/m11")
    assert data["achievement_version"] == stage.send("GET", "./achievements/sharer/versions/1")
    assert data["about"]["award"] == award["id"]
    issued = sent["credential.issued"]["data"]
    assert issued["credential"] == stage.send("GET", f"/v1/credentials/{award['credential']['id']}")
    assert list(sent["award.made"]) == ["type", "timestamp", "data"]
    assert sent["award.made"]["timestamp"] == "2026-03-02T12:00:00Z"


def test_evidence_a_session_a_key_and_the_network_are_sent_whole(stage: Stage, there: Receiver) -> None:
    stage.member("m11")
    hook(stage, there)
    record = stage.share(1)
    void = stage.send("POST", f"./records/{record['id']}/void", {"reason": "Posted twice."})
    stage.send("PUT", "./sessions/s1", {"starts_at": "2026-03-01T10:00:00Z"})
    admin = actor(stage.runtime, stage.client)
    admin.post(f"/v1/networks/{stage.slug}/keys/rotation")
    admin.ask("PATCH", f"/v1/networks/{stage.slug}", {"name": "River"})
    deliver(stage)
    sent = {each.json["type"]: each.json["data"] for each in there.received}
    voided = sent["record.voided"]
    assert voided["record"] == stage.send("GET", f"./records/{record['id']}")
    assert voided["void"] == stage.send("GET", f"./records/{void['id']}")
    assert sent["session.posted"]["session"]["ref"] == "s1"
    keys = stage.send("GET", "./keys")["items"]
    assert sent["key.rotated"]["key"]["kid"] in {key["kid"] for key in keys}
    assert sent["network.changed"]["network"] == stage.send("GET", ".")
    assert "secret" not in sent["webhook.created"]["webhook"]


def test_what_was_erased_or_deleted_before_it_is_sent_is_told_by_its_id_alone(stage: Stage, there: Receiver) -> None:
    stage.achievement(award="reviewed")
    hook(stage, there, after=0)
    stage.member("m11@example.org", name="Member 11", email="m11@example.org")
    stage.recorded("sharer", "m11@example.org")
    stage.share(1, "m11@example.org")
    stage.send("PUT", "./sessions/s1", {"starts_at": "2026-03-01T10:00:00Z"})
    assert stage.call("DELETE", "./sessions/s1").status_code == 204
    stage.send("DELETE", "./members/m11@example.org", token=stage.token_with("members:erase"))
    assert deliver(stage) == len(told := events(stage))
    assert [each.json["data"].get("refs") for each in there.received] == [event.get("refs") for event in told]
    sent = {each.json["type"]: each.json["data"] for each in there.received}
    for kind in ("session.posted", "session.deleted"):
        assert {"session", "refs"}.isdisjoint(sent[kind])
        assert "session" in sent[kind]["about"]
    gone = sent["member.erased"]["member"]["ref"]
    assert (sent["award.made"]["refs"], gone[:7]) == ({"member": gone, "achievement": "sharer"}, "erased-")
    assert "m11@example.org" not in "".join(str(each.json) for each in there.received)


def test_what_is_sent_is_what_there_is_when_it_is_sent(stage: Stage, there: Receiver) -> None:
    hook(stage, there)
    stage.member("m11", name="Member 11", email="m11@example.org")
    stage.member("m11", name=None, email=None)
    deliver(stage)
    assert there.types[-2:] == ["member.posted", "member.changed"]
    for each in there.received:
        assert b"Member 11" not in each.body
        assert b"m11@example.org" not in each.body


def test_a_webhook_gets_only_the_types_that_it_asks_for(stage: Stage, there: Receiver, monkeypatch: Any) -> None:
    monkeypatch.setattr(deliveries, "LOOKED_AT", 2)
    stage.achievement(award="reviewed")
    made = hook(stage, there, types=["award.made", "credential.revoked"])
    happen(stage, "m11", "m12", "m13", "m14", "m15")
    stage.recorded()
    happen(stage, "m16", "m17", "m18")
    assert deliver(stage) == 1
    assert there.types == ["award.made"]
    assert shown(stage, made)["position"] == events(stage)[-1]["position"]


def test_a_webhook_begins_with_what_is_new_or_where_it_says(stage: Stage, there: Receiver) -> None:
    happen(stage, "m11", "m12")
    hook(stage, there, after=1)
    with receiver() as other:
        hook(stage, other)
        deliver(stage)
        assert (there.positions, other.positions) == ([2, 3, 4, 5], [5])


def test_an_event_is_known_by_its_id_wherever_it_is_sent(stage: Stage, there: Receiver) -> None:
    with receiver() as other:
        hook(stage, there)
        hook(stage, other)
        happen(stage, "m11")
        deliver(stage)
        ids = [{each.headers["webhook-id"] for each in one.received} for one in (there, other)]
    assert ids[1] <= ids[0]


def test_the_last_event_of_a_closed_network_is_sent(stage: Stage, there: Receiver) -> None:
    hook(stage, there)
    actor(stage.runtime, stage.client).post(f"/v1/networks/{stage.slug}/closure")
    deliver(stage)
    assert there.types[-1] == "network.closed"


def test_one_networks_events_are_not_sent_to_another(stage: Stage, there: Receiver) -> None:
    other = Stage.set_up(stage.client, stage.runtime, "hill")
    hook(stage, there)
    happen(other, "secret-member")
    deliver(stage)
    assert there.types == ["webhook.created"]


# --- How it is signed --------------------------------------------------------------------------------------------


def test_others_software_finds_the_signature_good(stage: Stage, there: Receiver, clock: Any) -> None:
    clock.at = datetime.now(UTC)
    made = hook(stage, there)
    stage.member("m11", name="Zoë “緑”")
    deliver(stage)
    for each in there.received:
        assert Judge(made["secret"]).verify(each.body, each.headers) == each.json
    other = Judge("whsec_" + "A" * 43 + "=")
    with pytest.raises(WebhookVerificationError):
        other.verify(there.received[0].body, there.received[0].headers)
    with pytest.raises(WebhookVerificationError):
        Judge(made["secret"]).verify(there.received[0].body + b" ", there.received[0].headers)


def test_both_secrets_sign_until_the_old_one_is_over(stage: Stage, there: Receiver, clock: Any) -> None:
    clock.at = datetime.now(UTC)
    made = hook(stage, there)
    new = stage.send("POST", f"./webhooks/{made['id']}/secret", {"overlap_seconds": 60})
    deliver(stage)
    for secret in (made["secret"], new["secret"]):
        Judge(secret).verify(there.received[-1].body, there.received[-1].headers)
    clock.advance(seconds=60)
    happen(stage, "m11")
    deliver(stage)
    Judge(new["secret"]).verify(there.received[-1].body, there.received[-1].headers)
    with pytest.raises(WebhookVerificationError):
        Judge(made["secret"]).verify(there.received[-1].body, there.received[-1].headers)


def test_an_attempt_is_signed_at_its_own_time(stage: Stage, there: Receiver, clock: Any) -> None:
    made = hook(stage, there)
    there.status = 500
    deliver(stage)
    there.status = 200
    wait_until_due(stage, made, clock)
    deliver(stage)
    first, second = there.received
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body.partition(b'"webhook":{')[0] == second.body.partition(b'"webhook":{')[0]
    assert int(second.headers["webhook-timestamp"]) == int(clock.at.timestamp())
    assert first.headers["webhook-timestamp"] != second.headers["webhook-timestamp"]


# --- When it is not taken ----------------------------------------------------------------------------------------


def test_what_is_not_taken_keeps_back_what_comes_after_it(stage: Stage, there: Receiver, clock: Any) -> None:
    made = hook(stage, there)
    happen(stage, "m11", "m12")
    there.status, there.text = 500, b"out of \n order " + b"x" * 1000
    assert deliver(stage) == 0
    assert deliver(stage) == 0, "not before its time"
    [row] = listed(stage, made)
    assert row["answer"].startswith("out of   order xxx")
    assert len(row["answer"]) == deliveries.ANSWER_CHARACTERS
    assert (row["outcome"], row["status"], row["attempts"], row["state"]) == ("refused", 500, 1, "queued")
    assert shown(stage, made)["attempts"] == 1
    there.status = 204
    wait_until_due(stage, made, clock)
    assert deliver(stage) == 3
    assert there.positions == [2, 2, 3, 4]
    assert [(row["attempts"], row["status"]) for row in listed(stage, made)] == [(2, 204), (1, 204), (1, 204)]
    assert "failing_since" not in shown(stage, made)
    assert not any("answer" in row for row in listed(stage, made))


def test_attempts_come_later_and_later_and_then_the_webhook_is_disabled(
    stage: Stage, there: Receiver, clock: Any
) -> None:
    actor(stage.runtime, stage.client).ask("PATCH", f"/v1/networks/{stage.slug}", {"email": "desk@river.example.org"})
    made = hook(stage, there)
    happen(stage, "m11")
    there.status = 503
    began, waits = clock.at, []
    while shown(stage, made)["state"] == "active":
        assert deliver(stage) == 0
        if shown(stage, made)["state"] == "active":
            waits.append(wait_until_due(stage, made, clock))
    for wait, delay in zip(waits, [*DELAYS, *[DELAYS[-1]] * len(waits)], strict=False):
        assert delay <= wait <= delay * (1 + JITTER)
    assert len(waits) > len(DELAYS)
    assert clock.at - began >= GIVEN_UP_AFTER
    off = shown(stage, made)
    assert (off["disabled_for"], off["position"]) == ("failing", made["position"])
    assert events(stage)[-1]["type"] == "webhook.disabled"
    clock.advance(days=30)
    assert deliver(stage) == 0
    mail.send_due(stage.runtime)
    [letter] = mail.outbox_folder(stage.runtime.settings).glob("*.eml")
    sent = message_from_bytes(letter.read_bytes(), policy=default)
    assert isinstance(sent, EmailMessage)
    assert sent["To"] == "desk@river.example.org"
    assert sent["Subject"] == "A webhook of River Writers was turned off"
    for kind in ("plain", "html"):
        body = sent.get_body((kind,))
        assert body is not None
        text = str(body.get_content())
        assert made["id"] in text
        assert "accepted nothing for three days" in text
        assert "/hook" not in text
    there.status, there.received[:] = 200, []
    stage.send("PATCH", f"./webhooks/{made['id']}", {"state": "active"})
    deliver(stage)
    assert there.positions == list(range(made["position"] + 1, events(stage)[-1]["position"] + 1)), "nothing is missed"


def test_the_mail_about_a_webhook_is_in_the_language_of_the_network(stage: Stage, there: Receiver) -> None:
    changes = {"email": "desk@river.example.org", "language": "es"}
    actor(stage.runtime, stage.client).ask("PATCH", f"/v1/networks/{stage.slug}", changes)
    hook(stage, there)
    happen(stage, "m11")
    there.status = 410
    deliver(stage)
    mail.send_due(stage.runtime)
    found = [
        message_from_bytes(path.read_bytes(), policy=default)
        for path in mail.outbox_folder(stage.runtime.settings).glob("*.eml")
    ]
    assert [each["Subject"] for each in found] == ["Se ha desactivado un webhook de River Writers"]
    assert found[0]["Reply-To"] == "River Writers <desk@river.example.org>"


def test_a_webhook_that_is_active_again_is_not_written_about(stage: Stage, there: Receiver) -> None:
    actor(stage.runtime, stage.client).ask("PATCH", f"/v1/networks/{stage.slug}", {"email": "desk@river.example.org"})
    made = hook(stage, there)
    there.status = 410
    deliver(stage)
    stage.send("PATCH", f"./webhooks/{made['id']}", {"state": "active"})
    assert mail.send_due(stage.runtime) == 0


def test_an_address_that_is_gone_is_disabled_at_once(stage: Stage, there: Receiver) -> None:
    made = hook(stage, there)
    there.status = 410
    deliver(stage)
    off = shown(stage, made)
    assert (off["state"], off["disabled_for"]) == ("disabled", "gone")
    assert len(there.received) == 1
    assert deliver(stage) == 0
    assert events(stage)[-1]["about"] == {"webhook": made["id"]}


@pytest.mark.any_database("what the other server answered is judged in the code")
@pytest.mark.parametrize(
    ("status", "retry_after", "expected"),
    [
        (429, "300", 300),
        (503, "300", 300),
        (429, "1", None),
        (429, "99999999999999999999", 86_400),
        (429, "soon", None),
        (429, "-5", None),
        (429, "date", 600),
        (500, "300", None),
    ],
)
def test_a_server_says_when_to_come_back(
    stage: Stage, there: Receiver, clock: Any, status: int, retry_after: str, expected: int | None
) -> None:
    made = hook(stage, there)
    if retry_after == "date":
        retry_after = format_datetime(clock.at + timedelta(minutes=10), usegmt=True)
    there.status, there.headers = status, {"Retry-After": retry_after}
    deliver(stage)
    waited = wait_until_due(stage, made, clock).total_seconds()
    if expected is None:
        assert 5 <= waited <= 6
    else:
        assert waited == expected


@pytest.mark.any_database("what the other server answered is judged in the code")
@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(stage: Stage, there: Receiver, status: int) -> None:
    with receiver() as elsewhere:
        there.status, there.headers = status, {"Location": elsewhere.url}
        made = hook(stage, there)
        assert deliver(stage) == 0
        assert elsewhere.received == []
    assert listed(stage, made)[0]["status"] == status


def test_of_a_long_answer_only_the_beginning_is_read(stage: Stage, there: Receiver) -> None:
    there.text = b"y" * 50_000_000
    began = there.url
    answered = stage.runtime.fetcher.post(began, b"{}", {"Content-Type": "application/json"})
    assert (answered.status, answered.beginning) == (200, b"y" * MAX_ANSWER_BYTES)


def test_nobody_at_the_address_is_an_attempt_that_failed(stage: Stage) -> None:
    with receiver() as gone:
        pass
    made = hook(stage, gone)
    deliver(stage)
    [row] = listed(stage, made)
    assert (row["outcome"], row["attempts"]) == ("fetch-failed", 1)
    assert "status" not in row


def test_an_address_that_leads_inside_by_the_time_of_sending_is_not_called(stage: Stage, there: Receiver) -> None:
    public = Fetcher(allow_localhost=False, resolve=lambda _host, _port: ["93.184.216.34"])
    outside = replace(stage.runtime, fetcher=public)
    client = TestClient(app_of(outside), base_url=BASE_URL)
    made = replace(stage, client=client).send("POST", "./webhooks", {"url": "https://rebound.example.org/hook"})
    inside = Fetcher(allow_localhost=False, resolve=lambda _host, _port: ["127.0.0.1"])
    assert payloads.deliver_webhooks(replace(stage.runtime, fetcher=inside)) == 0
    assert there.received == []
    assert listed(stage, made)[0]["outcome"] == "address-refused"
    client.close()


def test_a_secret_that_cannot_be_opened_is_not_the_webhooks_fault(stage: Stage, there: Receiver, clock: Any) -> None:
    made = hook(stage, there)

    class Closed(Custody):
        def unlock(self, locked: str, name: str) -> bytes:
            _ = locked, name
            raise CustodyError("custody-unavailable", "closed")

    closed = replace(stage.runtime, custody=Closed(stage.runtime.settings))
    assert payloads.deliver_webhooks(closed) == 0
    clock.at += GIVEN_UP_AFTER
    assert payloads.deliver_webhooks(closed) == 0
    assert listed(stage, made)[0]["outcome"] == "custody-unavailable"
    assert shown(stage, made)["state"] == "active"
    wait_until_due(stage, made, clock)
    assert deliver(stage) == 1


def test_no_secret_is_made_under_a_passphrase_that_does_not_open_the_keys(stage: Stage, there: Receiver) -> None:
    given = stage.runtime.settings.model_copy(update={"keys_passphrase": SecretStr("another")})
    closed = replace(stage.runtime, custody=Custody(given))
    stage.client.app.state.runtime = closed  # type: ignore[attr-defined]
    answer = actor(stage.runtime, stage.client, slug=stage.slug).post(
        f"/v1/networks/{stage.slug}/webhooks", {"url": there.url}
    )
    assert (answer.status_code, answer.json()["code"]) == (503, "passphrase-wrong")
    with stage.runtime.database.read() as session:
        assert session.query(Webhook).count() == 0


def test_an_event_that_cannot_be_rendered_waits_and_does_not_keep_others_from_theirs(
    stage: Stage, there: Receiver, monkeypatch: pytest.MonkeyPatch, clock: Any
) -> None:
    made = hook(stage, there)

    def broken(*_arguments: Any) -> None:
        raise RuntimeError

    with monkeypatch.context() as breaking, receiver() as other:
        breaking.setitem(payloads.SHOWN, "webhook", broken)
        neighbour = Stage.set_up(stage.client, stage.runtime, "hill")
        hook(neighbour, other, types=["member.posted"])
        happen(neighbour, "m11")
        assert deliver(stage) == 1
        assert other.types == ["member.posted"]
    assert there.received == []
    assert listed(stage, made)[0]["outcome"] == "render-failed"
    wait_until_due(stage, made, clock)
    assert deliver(stage) == 1


# --- Once more ---------------------------------------------------------------------------------------------------


def test_one_event_is_sent_once_more_under_the_same_id(stage: Stage, there: Receiver) -> None:
    made = hook(stage, there)
    happen(stage, "m11", "m12")
    deliver(stage)
    event = there.received[1].headers["webhook-id"]
    queued = stage.send("POST", f"./webhooks/{made['id']}/deliveries/{event}/redelivery")
    assert (queued["state"], queued["attempts"], queued["event"]) == ("queued", 0, event)
    assert deliver(stage) == 1
    assert there.positions == [2, 3, 4, 3]
    assert there.received[-1].headers["webhook-id"] == event
    assert shown(stage, made)["position"] == 4
    assert [row["state"] for row in listed(stage, made, event=event)] == ["delivered"]


def test_an_event_of_another_type_or_before_the_webhook_is_sent_on_request(stage: Stage, there: Receiver) -> None:
    happen(stage, "m11")
    made = hook(stage, there, types=["award.made"])
    event = events(stage)[1]["id"]
    stage.send("POST", f"./webhooks/{made['id']}/deliveries/{event}/redelivery")
    assert deliver(stage) == 1
    assert there.types == ["member.posted"]


def test_what_was_asked_for_once_more_is_tried_so_often_and_blocks_nothing(
    stage: Stage, there: Receiver, clock: Any
) -> None:
    made = hook(stage, there)
    deliver(stage)
    event = there.received[0].headers["webhook-id"]
    stage.send("POST", f"./webhooks/{made['id']}/deliveries/{event}/redelivery")
    there.status = 500
    attempts = 0
    while (row := listed(stage, made, event=event)[0])["state"] == "queued":
        with stage.runtime.database.read() as session:
            clock.at = max(clock.at, session.query(Delivery).one().due_at or clock.at)
        deliver(stage)
        attempts += 1
    assert (row["state"], row["attempts"], attempts) == ("failed", len(DELAYS) + 1, len(DELAYS) + 1)
    assert shown(stage, made)["state"] == "active", "what comes in order was never refused"
    there.status = 200
    happen(stage, "m11")
    assert deliver(stage) == 1


def test_a_replay_sends_everything_behind_a_position_in_order(stage: Stage, there: Receiver) -> None:
    made = hook(stage, there)
    happen(stage, "m11", "m12", "m13")
    deliver(stage)
    first = [each.headers["webhook-id"] for each in there.received]
    stage.send("POST", f"./webhooks/{made['id']}/replay", {"after": 3})
    assert deliver(stage) == 2
    assert [each.headers["webhook-id"] for each in there.received[4:]] == first[2:]
    assert [row["attempts"] for row in listed(stage, made)] == [1, 1, 1, 1]


def test_a_replay_in_the_middle_of_a_delivery_is_not_undone_by_it(stage: Stage, there: Receiver) -> None:
    made = hook(stage, there)
    happen(stage, "m11")

    def go_back(_received: Any) -> None:
        if len(there.received) == 2:
            stage.send("POST", f"./webhooks/{made['id']}/replay", {"after": 1})

    there.during = go_back
    deliver(stage)
    assert there.positions == [2, 3, 2, 3]
    assert shown(stage, made)["position"] == 3


def test_a_webhook_deleted_or_disabled_in_the_middle_gets_nothing_more(stage: Stage, there: Receiver) -> None:
    made = hook(stage, there)
    happen(stage, "m11")
    there.during = lambda _received: stage.send("PATCH", f"./webhooks/{made['id']}", {"state": "disabled"})
    assert deliver(stage) == 1
    assert there.positions == [2]
    stage.send("PATCH", f"./webhooks/{made['id']}", {"state": "active"})
    there.during = lambda _received: stage.call("DELETE", f"./webhooks/{made['id']}")
    assert deliver(stage) == 1
    assert len(there.received) == 2
    with stage.runtime.database.read() as session:
        assert session.scalars(select(Delivery)).all() == []


def test_a_ping_says_at_once_what_becomes_of_it(stage: Stage, there: Receiver, clock: Any) -> None:
    clock.at = datetime.now(UTC)
    made = hook(stage, there)
    sent = stage.send("POST", f"./webhooks/{made['id']}/ping")
    assert sent.pop("duration_ms") >= 0
    assert sent == {"delivered": True, "outcome": "delivered", "status": 200}
    [got] = there.received
    assert Judge(made["secret"]).verify(got.body, got.headers)["type"] == "webhook.ping"
    assert got.headers["webhook-id"].startswith("ping-")
    assert "secret" not in got.json["data"]["webhook"]
    there.status, there.text = 404, b"no such hook"
    sent = stage.send("POST", f"./webhooks/{made['id']}/ping")
    assert (sent["delivered"], sent["status"], sent["answer"]) == (False, 404, "no such hook")
    assert listed(stage, made) == []
    assert shown(stage, made)["attempts"] == 0


def test_deliveries_are_listed_in_pages_and_by_state(stage: Stage, there: Receiver) -> None:
    made = hook(stage, there)
    happen(stage, "m11", "m12")
    deliver(stage)
    there.status = 500
    happen(stage, "m13")
    deliver(stage)
    path = f"/v1/networks/{stage.slug}/webhooks/{made['id']}/deliveries"
    rows = all_pages(actor(stage.runtime, stage.client, slug=stage.slug), path)
    assert [row["position"] for row in rows] == [2, 3, 4, 5]
    assert [row["position"] for row in listed(stage, made, state="queued")] == [5]
    assert [row["position"] for row in listed(stage, made, state="delivered")] == [2, 3, 4]


def test_what_became_of_deliveries_is_forgotten_after_a_while(
    stage: Stage, there: Receiver, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliveries, "FORGOTTEN_AT_ONCE", 2)
    made = hook(stage, there)
    happen(stage, "m11", "m12")
    deliver(stage)
    there.status = 500
    happen(stage, "m13")
    deliver(stage)
    assert deliveries.forget_old(stage.runtime) == 0
    clock.at += deliveries.KEPT_FOR
    clock.advance(seconds=1)
    assert deliveries.forget_old(stage.runtime) == 3
    assert [row["state"] for row in listed(stage, made)] == ["queued"]
    assert len(events(stage)) == 5


# --- Several processes, and one that dies ------------------------------------------------------------------------


def test_nothing_is_sent_inside_a_transaction(stage: Stage, there: Receiver) -> None:
    """Whoever gets a webhook may write with us before it answers: on SQLite that would hang on a lock of ours."""
    hook(stage, there, types=["member.posted"])

    def write(_received: Any) -> None:
        with stage.runtime.database.write() as session:
            session.query(Network).one().description = "written meanwhile"

    there.during = write
    happen(stage, "m11")
    assert deliver(stage) == 1


def test_a_process_that_dies_leaves_the_webhook_to_the_next(
    stage: Stage, there: Receiver, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = hook(stage, there)

    def killed(*_arguments: Any) -> bool:
        raise SystemExit

    with monkeypatch.context() as dying:
        dying.setattr(deliveries, "_note", killed)
        with pytest.raises(SystemExit):
            deliver(stage)
    assert deliver(stage) == 0, "it still belongs to the process that died"
    clock.at += LEASE
    assert deliver(stage) == 1
    assert len({each.headers["webhook-id"] for each in there.received}) == 1
    assert len(there.received) == 2
    assert shown(stage, made)["position"] == 2


def test_a_process_that_ends_stops_between_two_events_and_gives_the_webhook_back(stage: Stage, there: Receiver) -> None:
    hook(stage, there)
    happen(stage, "m11", "m12", "m13")
    asked = iter([True, True, False, False])  # for the webhook, for its first event, ...
    assert payloads.deliver_webhooks(stage.runtime, lambda: next(asked)) == 1
    with stage.runtime.database.read() as session:
        assert session.query(Webhook).one().taken_until is None
    deliver(stage)
    assert len(there.positions) == len(set(there.positions)), "none is sent a second time"
    assert there.types.count("member.posted") == 3


def test_who_comes_back_after_its_time_writes_nothing_over_the_other(stage: Stage, there: Receiver, clock: Any) -> None:
    made = hook(stage, there)
    happen(stage, "m11", "m12")

    def overtaken(_received: Any) -> None:
        there.during = lambda _received: None
        clock.at += LEASE
        assert deliver(stage) == 3

    there.during = overtaken
    assert deliver(stage) == 1, "what it sent has arrived, and it goes no further"
    assert there.positions == [2, 2, 3, 4]
    assert shown(stage, made)["position"] == 4


def test_several_processes_send_each_event_once_and_one_at_a_time(stage: Stage, there: Receiver) -> None:
    hook(stage, there)
    happen(stage, *(f"m{n}" for n in range(20)))
    there.during = lambda _received: time.sleep(0.002)
    with ThreadPoolExecutor(4) as pool:
        counts = list(pool.map(lambda _n: deliver(stage), range(4)))
    assert sum(counts) == 21
    assert there.positions == list(range(2, 23))
    assert there.most_open == 1


def test_a_slow_address_does_not_keep_another_waiting(stage: Stage, there: Receiver) -> None:
    go_on = threading.Event()
    there.during = lambda _received: go_on.wait(60)  # type: ignore[assignment]
    hook(stage, there)
    with receiver() as quick, ThreadPoolExecutor(1) as pool:
        slow = pool.submit(deliver, stage)
        assert until(lambda: there.received)
        hook(stage, quick)
        assert deliver(stage) == 1
        go_on.set()
        slow.result()
    assert quick.types == ["webhook.created"]


def test_the_app_sends_beside_its_requests(runtime: Runtime, there: Receiver) -> None:
    with TestClient(whole_app_of(runtime), base_url=BASE_URL) as client:
        stage = Stage.set_up(client, runtime)
        hook(stage, there)
        happen(stage, *(f"m{n}" for n in range(5)))
        assert until(lambda: len(there.received) == 6)
    assert there.positions == [2, 3, 4, 5, 6, 7]
