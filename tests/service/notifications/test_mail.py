"""What educators are written about their badges, and that it arrives, once."""

import logging
import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.notifications import mail
from service.notifications import mail_server as connecting
from service.runtime import name_lookups
from service.runtime.fetching import Fetcher
from service.runtime.runtime import Runtime
from service.tables import Message
from tests.worlds.awarding import Stage, once
from tests.worlds.mailing import mail_server
from tests.worlds.runtimes import BASE_URL, app_of


@once
def laid(stage: Stage) -> None:
    stage.achievement(award="reviewed")
    stage.member("m11", name="Member 11", email="m11@example.org")


@pytest.fixture
def stage(runtime: Runtime) -> Iterator[Stage]:
    """The app without what goes on beside it: messages are sent when a test says so."""
    client = TestClient(app_of(runtime), base_url=BASE_URL)
    stage = Stage.set_up(client, runtime)
    laid(stage)
    yield stage
    client.close()


def outbox(stage: Stage) -> list[EmailMessage]:
    folder = mail.outbox_folder(stage.runtime.settings)
    found = []
    for path in sorted(folder.glob("*")):
        assert path.suffix == ".eml"
        letter = message_from_bytes(path.read_bytes(), policy=default)
        assert isinstance(letter, EmailMessage)
        found.append(letter)
    return found


def text_of(letter: EmailMessage, kind: str = "plain") -> str:
    body = letter.get_body((kind,))
    assert body is not None
    return str(body.get_content())


def rows(stage: Stage) -> list[Message]:
    with stage.runtime.database.read() as session:
        return list(session.query(Message).order_by(Message.id))


def test_the_educator_is_told_of_the_badge_with_its_link(stage: Stage) -> None:
    award = stage.recorded()
    assert mail.send_due(stage.runtime) == 1
    (letter,) = outbox(stage)
    assert letter["To"] == "m11@example.org"
    assert letter["Subject"] == "River Writers has awarded you the badge “Sharer”"
    for kind in ("plain", "html"):
        text = text_of(letter, kind)
        assert award["credential"]["url"] in text
        assert "River Writers" in text
        assert "share it" in text
    assert letter["Auto-Submitted"] == "auto-generated"
    (row,) = rows(stage)
    assert (row.state, row.sent_at, row.attempts) == ("sent", stage.runtime.now(), 1)


def test_nothing_secret_stands_in_it(stage: Stage) -> None:
    stage.recorded(reason="He begged for it.")
    mail.send_due(stage.runtime)
    text = outbox(stage)[0].as_string()
    for secret in ("begged", stage.token, "sha256", "salt"):
        assert secret not in text


def test_a_message_is_sent_once(stage: Stage) -> None:
    stage.recorded()
    assert [mail.send_due(stage.runtime) for _ in range(3)] == [1, 0, 0]
    assert len(outbox(stage)) == 1


def test_nobody_is_written_to_whose_address_is_not_known(stage: Stage) -> None:
    stage.member("m12")
    stage.member("cem", did="did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK")
    for ref in ("m12", "cem"):
        stage.recorded(member=ref)
    assert rows(stage) == []


def test_a_sandbox_says_practice(runtime: Runtime) -> None:
    client = TestClient(app_of(runtime), base_url=BASE_URL)
    stage = Stage.set_up(client, runtime, sandbox=True)
    stage.achievement(award="reviewed")
    stage.member("m11", email="m11@example.org")
    stage.recorded()
    mail.send_due(runtime)
    (letter,) = outbox(stage)
    assert letter["Subject"] == "Practice: River Writers has awarded you the badge “Sharer”"
    assert "This is a practice badge" in text_of(letter)
    client.close()


def test_an_erased_address_gets_no_message(stage: Stage) -> None:
    stage.recorded()
    stage.member("m11", email=None)
    assert mail.send_due(stage.runtime) == 0
    assert (outbox(stage), rows(stage)) == ([], [])


def test_a_badge_revoked_before_the_message_left_is_not_announced(stage: Stage) -> None:
    award = stage.recorded()
    stage.send("POST", f"/v1/credentials/{award['credential']['id']}/revocation", {"reason": "Wrong member."})
    assert mail.send_due(stage.runtime) == 0
    assert (outbox(stage), rows(stage)) == ([], [])


def test_names_can_hold_what_html_and_mail_give_a_meaning(stage: Stage) -> None:
    stage.achievement("odd", award="reviewed", name='<b>Réd & "Gréen"</b> 緑')
    stage.recorded("odd")
    mail.send_due(stage.runtime)
    (letter,) = outbox(stage)
    assert letter["Subject"] == 'River Writers has awarded you the badge “<b>Réd & "Gréen"</b> 緑”'
    assert "&lt;b&gt;Réd &amp; &#34;Gréen&#34;&lt;/b&gt; 緑" in text_of(letter, "html")
    assert "<b>" not in text_of(letter, "html")


def test_a_process_that_dies_between_sending_and_noting_leaves_one_message(
    stage: Stage, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.recorded()
    honest = mail._file

    def killed(path: Path, letter: EmailMessage) -> None:
        honest(path, letter)
        raise SystemExit

    with monkeypatch.context() as dying:
        dying.setattr(mail, "_file", killed)
        with pytest.raises(SystemExit):
            mail.send_due(stage.runtime)
    assert mail.send_due(stage.runtime) == 0, "it still belongs to the process that died"
    clock.at += mail.LEASE
    assert mail.send_due(stage.runtime) == 1
    assert len(outbox(stage)) == 1
    assert rows(stage)[0].state == "sent"


def test_several_processes_send_each_message_once(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    refs = [f"member-{n}" for n in range(6)]
    for ref in refs:
        stage.member(ref, email=f"{ref}@example.org")
        stage.recorded(member=ref)
    written: list[str] = []
    honest = mail._file

    def noting(path: Path, letter: EmailMessage) -> None:
        written.append(path.stem)
        honest(path, letter)

    monkeypatch.setattr(mail, "_file", noting)
    counts: list[int] = []
    threads = [threading.Thread(target=lambda: counts.append(mail.send_due(stage.runtime))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(counts) == len(written) == len(set(written)) == 6


def by_mail(stage: Stage, mail_url: str) -> Runtime:
    settings = stage.runtime.settings.model_copy(update={"mail_url": mail_url, "mail_from": "badges@river.example.org"})
    return replace(stage.runtime, settings=settings)


def test_a_configured_mail_server_gets_the_message(stage: Stage) -> None:
    award = stage.recorded()
    with mail_server() as box:
        assert mail.send_due(by_mail(stage, box.url)) == 1
    ((recipient, text),) = box.received
    assert recipient == "m11@example.org"
    letter = message_from_bytes(text, policy=default)
    assert isinstance(letter, EmailMessage)
    assert letter["From"] == "River Writers via Laurel <badges@river.example.org>"
    assert letter["Message-ID"] == f"<{rows(stage)[0].id}@localhost>"
    assert award["credential"]["url"] in text_of(letter)
    assert outbox(stage) == []


def resolving(runtime: Runtime, resolve: name_lookups.Resolve) -> Runtime:
    return replace(runtime, fetcher=Fetcher(allow_localhost=True, resolve=resolve))


def test_a_mail_server_is_reached_by_the_addresses_of_its_name(stage: Stage) -> None:
    stage.recorded()
    with mail_server() as box:
        runtime = by_mail(stage, f"smtp://mail.example.org:{box.port}")
        found = {"mail.example.org": ["::1", "127.0.0.1"]}
        assert mail.send_due(resolving(runtime, lambda host, _port: found[host])) == 1
    assert len(box.received) == 1


def test_a_mail_server_whose_name_nobody_answers_for_holds_up_mail_only_until_the_deadline(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connecting, "TIMEOUT_SECONDS", 0.05)
    stage.recorded()
    let_go = threading.Event()

    def stuck(_host: str, _port: int) -> list[str]:
        let_go.wait()
        return []

    assert mail.send_due(resolving(by_mail(stage, "smtp://mail.example.org"), stuck)) == 0
    let_go.set()
    assert [(row.state, row.attempts) for row in rows(stage)] == [("queued", 1)]


def test_a_message_that_could_not_be_sent_is_tried_again_later_and_later(
    stage: Stage, clock: Any, caplog: pytest.LogCaptureFixture
) -> None:
    stage.recorded()
    with mail_server() as box:
        mail_url = box.url
    runtime = by_mail(stage, mail_url)
    waits = []
    with caplog.at_level(logging.WARNING):
        while rows(stage)[0].state == "queued":
            assert mail.send_due(runtime) == 0
            assert mail.send_due(runtime) == 0, "not before its time"
            row = rows(stage)[0]
            waits.append(row.due_at - clock.at)
            clock.at = max(row.due_at, clock.at)
    assert waits[:-1] == list(mail.DELAYS)
    assert (row.state, row.attempts) == ("failed", len(mail.DELAYS) + 1)
    assert "m11@example.org" not in caplog.text
    assert str(row.id) in caplog.text


def test_a_server_that_is_back_gets_what_waited(stage: Stage, clock: Any) -> None:
    stage.recorded()
    with mail_server() as box:
        box.answer = "451 try again"
        runtime = by_mail(stage, box.url)
        assert mail.send_due(runtime) == 0
        box.answer = "250 OK"
        clock.at += mail.DELAYS[0]
        assert mail.send_due(runtime) == 1
    assert len(box.received) == 1


def test_an_address_that_the_server_refuses_for_good_is_not_tried_again(stage: Stage) -> None:
    stage.recorded()
    with mail_server() as box:
        box.answer = "550 no such mailbox"
        assert mail.send_due(by_mail(stage, box.url)) == 0
    assert [(row.state, row.attempts) for row in rows(stage)] == [("failed", 1)]


def test_a_password_does_not_travel_in_clear_to_another_machine(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.recorded()
    with mail_server() as box:
        monkeypatch.setattr(mail, "LOCAL_HOSTS", frozenset())
        assert mail.send_due(by_mail(stage, f"smtp://m11:secret@127.0.0.1:{box.port}")) == 0
    assert box.received == []


def test_what_a_process_left_half_written_when_it_died_is_deleted(stage: Stage, clock: Any) -> None:
    folder = mail.outbox_folder(stage.runtime.settings)
    folder.mkdir(parents=True)
    for name, age in (("old.part", mail.LEASE * 2), ("new.part", mail.LEASE / 2), ("sent.eml", mail.LEASE * 2)):
        (folder / name).write_text("To: m11@example.org")
        written_at = (clock.at - age).timestamp()
        os.utime(folder / name, (written_at, written_at))
    assert mail.forget_unfinished(stage.runtime) == 1
    assert sorted(path.name for path in folder.iterdir()) == ["new.part", "sent.eml"]
