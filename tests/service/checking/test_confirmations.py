"""The question whether a badge is theirs: who can be asked, who answers, how often, and what is left of it."""

import re
import threading
from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update

from service.checking import confirmations
from service.notifications import mail as messages
from service.runtime.runtime import Runtime
from service.tables import Confirmation, Credential, Identity, Message
from tests.worlds.acting import actor
from tests.worlds.awarding import Stage, once
from tests.worlds.posting import rows_of
from tests.worlds.runtimes import BASE_URL, Clock, app_of

CODE = re.compile(r"[CDFGHJKMNPRTVWXY]{3}-[2-9]{3}")
LINK = re.compile(r"http://localhost:8000(/confirm/[\w-]+)")
GONE = "There is no question at this address, or we closed and erased it."


@once
def laid(stage: Stage) -> None:
    stage.achievement(award="reviewed")
    stage.member("m11", name="Member 11", email="m11@example.org")


@pytest.fixture
def stage(runtime: Runtime) -> Iterator[Stage]:
    """The app without what goes on beside it: messages are sent when a test says so."""
    client = TestClient(app_of(runtime), base_url=BASE_URL, follow_redirects=False)
    stage = Stage.set_up(client, runtime)
    laid(stage)
    yield stage
    client.close()


@once
def recorded(stage: Stage) -> str:
    """The address of a badge, whose announcement was sent already."""
    address = str(stage.recorded()["credential"]["url"])
    messages.send_due(stage.runtime)
    return address


@pytest.fixture
def url(stage: Stage) -> str:
    return recorded(stage)


def ask(stage: Stage, url: str, **more: Any) -> Any:
    return stage.client.post("/verify/confirmations", data={"url": url}, **more)


def asked(stage: Stage, url: str) -> str:
    """Ask, and return the path of the asker's page."""
    answer = ask(stage, url)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


def mails(stage: Stage) -> list[EmailMessage]:
    """Send what is due, and return every question that was mailed so far, in order."""
    messages.send_due(stage.runtime)
    found = []
    for path in sorted(messages.outbox_folder(stage.runtime.settings).glob("*.eml")):
        mail = message_from_bytes(path.read_bytes(), policy=default)
        assert isinstance(mail, EmailMessage)
        if "/confirm/" in text_of(mail):
            found.append(mail)
    return found


def text_of(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def link_of(mail: EmailMessage) -> str:
    (link,) = LINK.findall(text_of(mail))
    return str(link)


def state(stage: Stage, page: str) -> str:
    answer = stage.client.get(page + ".json")
    assert answer.status_code == 200, answer.text
    return str(answer.json()["state"])


def press(stage: Stage, link: str, answer: str) -> Any:
    return stage.client.post(link, data={"answer": answer})


def let_pass(stage: Stage, **by: float) -> None:
    assert isinstance(stage.runtime.now, Clock)
    stage.runtime.now.advance(**by)


def can_be_asked(stage: Stage, url: object) -> bool:
    with stage.runtime.database.read() as session:
        return confirmations.can_be_asked(session, stage.runtime, url, "did:web:localhost%3A8000:networks:river")


def set_visibility(stage: Stage, visibility: str) -> None:
    with stage.runtime.database.write() as session:
        session.execute(update(Credential).values(visibility=visibility))


# --- Asked and answered --------------------------------------------------------------------------------------------


def test_the_recipient_is_mailed_and_the_askers_page_turns(stage: Stage, url: str) -> None:
    assert can_be_asked(stage, url)
    page = asked(stage, url)
    assert state(stage, page) == "waiting"
    (mail,) = mails(stage)
    assert mail["To"] == "m11@example.org"
    (code,) = set(CODE.findall(text_of(mail)))
    assert mail["Subject"] == f"Is the badge “Sharer” yours? Reference {code}"
    assert code in stage.client.get(page).text
    assert code in stage.client.get(link_of(mail)).text
    answer = press(stage, link_of(mail), "yes")
    assert (answer.status_code, answer.headers["location"]) == (303, link_of(mail))
    assert stage.client.get(page + ".json").json() == {
        "state": "confirmed",
        "answered_at": "2026-03-02T12:00:00+00:00",
    }
    assert "Confirmed by the recipient" in stage.client.get(page).text
    assert "You said yes" in stage.client.get(link_of(mail)).text


def test_a_no_is_told_as_well(stage: Stage, url: str) -> None:
    page = asked(stage, url)
    press(stage, link_of(mails(stage)[0]), "no")
    assert state(stage, page) == "denied"
    assert "Denied by the recipient" in stage.client.get(page).text


@pytest.mark.parametrize(
    ("language", "subject", "sentence"),
    [
        ("en", "Is the badge “Sharer” yours?", "of River Writers, and asks whether it is yours"),
        ("es", "¿Es suya la insignia «Sharer»?", "de River Writers y pregunta si es suya"),
    ],
)
def test_the_mail_asks_in_the_language_of_the_network(
    stage: Stage, url: str, language: str, subject: str, sentence: str
) -> None:
    actor(stage.runtime, stage.client).ask("PATCH", "/v1/networks/river", {"language": language})
    asked(stage, url)
    (mail,) = mails(stage)
    assert mail["Subject"].startswith(subject)
    assert sentence in " ".join(text_of(mail).split())
    assert (mail["Auto-Submitted"], mail["Content-Language"]) == ("auto-generated", language)
    assert mail["From"].addresses[0].display_name == "Laurel"
    assert mail["Reply-To"] is None
    assert mail.get_body(("html",)) is None


def test_names_can_hold_what_formats_give_a_meaning(stage: Stage) -> None:
    stage.achievement("odd", award="reviewed", name="100 %(link)s <b>%s</b>")
    page = asked(stage, stage.recorded("odd")["credential"]["url"])
    (mail,) = mails(stage)
    assert "“100 %(link)s <b>%s</b>”" in text_of(mail)
    assert "100 %(link)s &lt;b&gt;%s&lt;/b&gt;" in stage.client.get(page).text


def test_both_pages_and_what_is_refused_are_read_in_spanish_too(stage: Stage, url: str) -> None:
    page = asked(stage, url)
    link = link_of(mails(stage)[0])
    spanish = {"Accept-Language": "es-MX,es;q=0.9"}
    assert "A la espera de la respuesta" in stage.client.get(page, headers=spanish).text
    assert "¿Es suya esta insignia?" in stage.client.get(link, headers=spanish).text
    refused = ask(stage, "", headers=spanish)
    assert "No se preguntó a la persona candidata" in refused.text
    assert "Pida a la persona candidata el enlace" in refused.text
    assert 'name="back" value="/verify"' in refused.text
    for _ in range(4):
        refused = ask(stage, "", headers=spanish)
    assert refused.status_code == 429
    assert "Han sido muchas preguntas" in refused.text


def test_looking_answers_nothing(stage: Stage, url: str) -> None:
    page = asked(stage, url)
    link = link_of(mails(stage)[0])
    for _ in range(3):  # as scanners of mail do
        assert stage.client.get(link).status_code == 200
        assert stage.client.head(link).status_code == 200
    assert state(stage, page) == "waiting"


@pytest.mark.any_database("no row is found on any database")
@pytest.mark.parametrize("answer", ["", "maybe", "YES"])
def test_only_a_button_answers(stage: Stage, url: str, answer: str) -> None:
    page = asked(stage, url)
    assert press(stage, link_of(mails(stage)[0]), answer).status_code == 422
    assert state(stage, page) == "waiting"


def test_the_same_answer_again_changes_nothing(stage: Stage, url: str) -> None:
    page = asked(stage, url)
    link = link_of(mails(stage)[0])
    press(stage, link, "yes")
    before = stage.client.get(page + ".json").json()
    let_pass(stage, hours=1)
    assert press(stage, link, "yes").status_code == 303
    assert stage.client.get(page + ".json").json() == before


def test_a_yes_can_be_taken_back_and_a_no_stands(stage: Stage, url: str) -> None:
    page = asked(stage, url)
    link = link_of(mails(stage)[0])
    press(stage, link, "yes")
    assert "No, that was a mistake" in stage.client.get(link).text
    let_pass(stage, hours=1)
    press(stage, link, "no")
    assert state(stage, page) == "denied"
    refused = press(stage, link, "yes")
    assert refused.status_code == 409
    assert "You cannot change that" in refused.text
    assert state(stage, page) == "denied"


def test_a_question_is_open_for_a_week(stage: Stage, url: str) -> None:
    page = asked(stage, url)
    link = link_of(mails(stage)[0])
    let_pass(stage, days=7)
    assert state(stage, page) == "expired"
    assert "This question is closed" in stage.client.get(link).text
    assert press(stage, link, "yes").status_code == 409
    assert state(stage, page) == "expired"


def test_a_yes_cannot_be_taken_back_when_the_question_is_over(stage: Stage, url: str) -> None:
    page = asked(stage, url)
    link = link_of(mails(stage)[0])
    press(stage, link, "yes")
    let_pass(stage, days=7)
    assert 'name="answer"' not in stage.client.get(link).text
    assert press(stage, link, "no").status_code == 409
    assert state(stage, page) == "confirmed"


# --- Who can be asked ----------------------------------------------------------------------------------------------


def test_an_address_that_leads_to_no_badge_of_ours_is_refused_in_a_sentence(stage: Stage, url: str) -> None:
    unknown = f"{BASE_URL}/credentials/{'0' * 32}"
    odd = (
        "",
        "m11@example.org",
        "http://[",
        f"{url}\0",
        f"{url}/x",
        "https://elsewhere.example/credentials/" + "0" * 32,
    )
    for address in (unknown, *odd):
        answer = ask(stage, address)
        assert answer.status_code == 404
        assert "Ask the candidate for the link" in answer.text
        assert not can_be_asked(stage, address)
        let_pass(stage, minutes=1)
    nothing: tuple[object, ...] = (None, 7, [], {})
    assert not any(can_be_asked(stage, each) for each in nothing)
    assert rows_of(stage.runtime, Confirmation) == []


def test_every_form_of_a_badge_is_that_badge(stage: Stage, url: str) -> None:
    assert asked(stage, url + ".json")


def test_a_private_badge_looks_like_none(stage: Stage, url: str) -> None:
    set_visibility(stage, "private")
    assert not can_be_asked(stage, url)
    private, unknown = ask(stage, url), ask(stage, f"{BASE_URL}/credentials/{'0' * 32}")
    assert private.status_code == unknown.status_code == 404
    assert private.text == unknown.text


def test_a_recipient_without_address_is_not_asked_and_the_asker_told_what_to_do(stage: Stage) -> None:
    stage.member("m12", did="did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK")
    url = stage.recorded(member="m12")["credential"]["url"]
    assert not can_be_asked(stage, url)
    answer = ask(stage, url)
    assert answer.status_code == 409
    assert "Ask the candidate what the badge was issued to" in answer.text


def test_a_badge_that_must_not_be_relied_on_is_not_asked_about(stage: Stage, url: str) -> None:
    path = f"/v1/credentials/{url.rpartition('/')[2]}"
    stage.send("POST", f"{path}/suspension", {"reason": "Looked into."})
    assert not can_be_asked(stage, url)
    assert "ask again then" in ask(stage, url).text
    stage.send("POST", f"{path}/revocation", {"reason": "Wrong member."})
    assert not can_be_asked(stage, url)
    answer = ask(stage, url)
    assert answer.status_code == 409
    assert "Do not rely on it" in answer.text
    assert rows_of(stage.runtime, Confirmation) == []


def test_a_question_is_withdrawn_when_the_badge_is_revoked_also_when_it_was_answered(stage: Stage, url: str) -> None:
    waiting, answered = asked(stage, url), asked(stage, url)
    links = [link_of(mail) for mail in mails(stage)]
    press(stage, links[1], "yes")
    stage.send("POST", f"/v1/credentials/{url.rpartition('/')[2]}/revocation", {"reason": "Wrong member."})
    for page, link in zip((waiting, answered), links, strict=True):
        assert stage.client.get(page + ".json").json() == {"state": "revoked"}
        assert "The badge was revoked" in stage.client.get(page).text
        assert "This badge was revoked" in stage.client.get(link).text
        assert press(stage, link, "no").status_code == 409


def test_a_suspension_lasts_as_long_as_it_lasts(stage: Stage, url: str) -> None:
    page = asked(stage, url)
    link = link_of(mails(stage)[0])
    path = f"/v1/credentials/{url.rpartition('/')[2]}"
    stage.send("POST", f"{path}/suspension", {"reason": "Looked into."})
    assert state(stage, page) == "suspended"
    assert press(stage, link, "yes").status_code == 409
    stage.send("POST", f"{path}/reinstatement")
    assert state(stage, page) == "waiting"
    press(stage, link, "yes")
    assert state(stage, page) == "confirmed"


def test_a_badge_that_becomes_private_takes_its_questions_back(stage: Stage, url: str) -> None:
    page = asked(stage, url)
    set_visibility(stage, "private")
    assert mails(stage) == []
    assert state(stage, page) == "private"
    assert url.rpartition("/")[2] not in stage.client.get(page).text


def test_a_badge_revoked_before_the_mail_left_is_not_asked_about(stage: Stage, url: str) -> None:
    asked(stage, url)
    stage.send("POST", f"/v1/credentials/{url.rpartition('/')[2]}/revocation", {"reason": "Wrong member."})
    assert mails(stage) == []


def test_what_other_sites_have_their_visitors_send_is_refused(stage: Stage, url: str) -> None:
    for site in ("cross-site", "same-site"):
        assert ask(stage, url, headers={"Sec-Fetch-Site": site}).status_code == 403
    assert rows_of(stage.runtime, Confirmation) == []
    assert ask(stage, url, headers={"Sec-Fetch-Site": "same-origin"}).status_code == 303


# --- How often -----------------------------------------------------------------------------------------------------


def test_each_asker_has_a_page_a_code_and_an_answer_of_their_own(stage: Stage, url: str) -> None:
    pages = [asked(stage, url), asked(stage, url)]
    first, second = mails(stage)
    assert CODE.findall(text_of(first)) != CODE.findall(text_of(second))
    press(stage, link_of(first), "yes")
    assert [state(stage, page) for page in pages] == ["confirmed", "waiting"]


def test_a_badge_brings_so_many_mails_a_day_and_the_others_wait_their_turn(stage: Stage, url: str) -> None:
    answers = [ask(stage, url) for _ in range(confirmations.MAILS_A_DAY)]
    let_pass(stage, minutes=10)
    answers += [ask(stage, url) for _ in range(2)]
    assert {answer.status_code for answer in answers} == {303}
    pages = [CODE.sub("", stage.client.get(answer.headers["location"]).text) for answer in answers]
    assert len(mails(stage)) == confirmations.MAILS_A_DAY
    shape = [re.sub(r"/confirmations/[\w-]+|12:\d\d|T12:\d\d:00", "", page) for page in pages]
    assert len(set(shape)) == 1, "no page says that others have asked"
    let_pass(stage, days=1)
    assert len(mails(stage)) == confirmations.MAILS_A_DAY + 2


def test_what_would_wait_too_long_is_refused(stage: Stage, url: str) -> None:
    statuses = []
    for _ in range(12):
        answer = ask(stage, url)
        statuses.append(answer.status_code)
        let_pass(stage, minutes=1)
    assert statuses == [303] * 9 + [429] * 3
    assert int(answer.headers["retry-after"]) > 0
    assert "we will not ask again for a while" in answer.text
    day = timedelta(days=1)
    times = sorted(row.mail_at for row in rows_of(stage.runtime, Confirmation))
    assert all(later - earlier >= day for earlier, later in zip(times, times[3:], strict=False))


def test_an_address_gets_so_many_mails_a_day_whatever_they_are_about(stage: Stage) -> None:
    urls = []
    for n in range(4):
        stage.achievement(f"sharer-{n}", award="reviewed")
        urls.append(stage.recorded(f"sharer-{n}")["credential"]["url"])
    for url in urls * 2:
        asked(stage, url)
        let_pass(stage, minutes=1)
    assert len(mails(stage)) == confirmations.MAILS_TO_ONE_A_DAY
    let_pass(stage, days=1)
    assert len(mails(stage)) == len(urls) * 2


def test_whoever_asks_about_many_is_told_to_come_back(stage: Stage, url: str) -> None:
    unknown = f"{BASE_URL}/credentials/{'0' * 32}"
    statuses = [ask(stage, unknown).status_code for _ in range(6)]
    assert statuses == [404] * 5 + [429]
    assert ask(stage, url).status_code == 429, "and not told which badge there is"


def test_those_who_ask_at_the_same_moment_are_counted_one_after_the_other(stage: Stage, url: str) -> None:
    runtime = stage.runtime

    def once() -> None:
        with runtime.database.write() as session:
            confirmations.ask(session, runtime, url, runtime.now())

    threads = [threading.Thread(target=once) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    delayed = sorted(row.mail_at > runtime.now() for row in rows_of(runtime, Confirmation))
    assert delayed == [False] * confirmations.MAILS_A_DAY + [True] * 2


def test_a_mail_that_is_sent_twice_holds_the_same_link(stage: Stage, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked(stage, url)
    honest, written = messages._file, []

    def killed(path: Any, mail: EmailMessage) -> None:
        written.append(mail)
        honest(path, mail)
        if len(written) == 1:
            raise OSError

    monkeypatch.setattr(messages, "_file", killed)
    messages.send_due(stage.runtime)
    let_pass(stage, minutes=1)
    messages.send_due(stage.runtime)
    first, second = written
    assert link_of(first) == link_of(second)
    assert first["Message-ID"] == second["Message-ID"]


def test_a_secret_that_cannot_be_unlocked_holds_back_no_other_message(stage: Stage, url: str) -> None:
    asked(stage, url)
    with stage.runtime.database.write() as session:
        session.execute(update(Confirmation).values(mail_secret="AAAA"))
    stage.member("m12", email="m12@example.org")
    stage.recorded(member="m12")
    assert messages.send_due(stage.runtime) == 1
    (row,) = (row for row in rows_of(stage.runtime, Message) if row.confirmation_id)
    assert (row.state, row.attempts) == ("queued", 1)


# --- What strangers can do, and what is left -----------------------------------------------------------------------


def test_the_askers_secret_answers_nothing_and_the_mails_shows_no_asker(stage: Stage, url: str) -> None:
    page = asked(stage, url)
    link = link_of(mails(stage)[0])
    secret, mailed = page.rpartition("/")[2], link.rpartition("/")[2]
    assert press(stage, f"/confirm/{secret}", "yes").status_code == 404
    assert stage.client.get(f"/confirmations/{mailed}").status_code == 404
    assert stage.client.get(f"/confirmations/{mailed}.json").status_code == 404
    assert state(stage, page) == "waiting"


@pytest.mark.any_database("no row is found on any database")
@pytest.mark.parametrize("path", ["/confirmations/x", "/confirm/x", "/confirm/" + "a" * 5000])
def test_unknown_addresses_say_so_plainly(stage: Stage, path: str) -> None:
    answer = stage.client.get(path)
    assert answer.status_code == 404
    assert GONE in answer.text


def test_neither_page_shows_an_address_or_is_kept_or_told(stage: Stage, url: str) -> None:
    page = asked(stage, url)
    link = link_of(mails(stage)[0])
    for path in (page, page + ".json", link):
        answer = stage.client.get(path)
        assert "m11" not in answer.text
        assert "Member 11" not in answer.text
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "no-referrer"
    assert stage.client.get(page).headers["x-robots-tag"] == "noindex"


def test_no_secret_stands_in_the_database_in_clear(stage: Stage, url: str) -> None:
    page = asked(stage, url)
    link = link_of(mails(stage)[0])
    (row,) = rows_of(stage.runtime, Confirmation)
    kept = " ".join(str(value) for value in vars(row).values())
    assert page.rpartition("/")[2] not in kept
    assert link.rpartition("/")[2] not in kept
    assert "m11@example.org" not in kept
    assert len(page.rpartition("/")[2]) >= 32


@pytest.mark.parametrize("address", [None, "other@example.org"])
def test_an_erased_or_corrected_address_takes_its_questions_along(stage: Stage, url: str, address: str | None) -> None:
    page = asked(stage, url)
    link = link_of(mails(stage)[0])
    later = asked(stage, url)
    stage.member("m11", email=address)
    assert rows_of(stage.runtime, Confirmation) == []
    assert [row for row in rows_of(stage.runtime, Message) if row.confirmation_id] == []
    assert len(mails(stage)) == 1
    assert press(stage, link, "yes").status_code == 404, "the old mailbox answers nothing any more"
    for path in (page, later):
        assert GONE in stage.client.get(path).text


def test_a_message_whose_question_goes_while_it_is_sent_disturbs_nobody(
    stage: Stage, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked(stage, url)
    asked(stage, url)

    def erased(_path: Any, _mail: EmailMessage) -> None:
        with stage.runtime.database.write() as session:
            session.delete(session.query(Identity).one())

    monkeypatch.setattr(messages, "_file", erased)
    assert messages.send_due(stage.runtime) == 1
    assert messages.send_due(stage.runtime) == 0


def test_questions_are_erased_some_days_after_they_are_over(stage: Stage, url: str) -> None:
    page = asked(stage, url)
    link = link_of(mails(stage)[0])
    press(stage, link, "yes")
    let_pass(stage, days=14)
    assert confirmations.forget_old(stage.runtime) == 0
    assert state(stage, page) == "confirmed"
    let_pass(stage, seconds=1)
    assert confirmations.forget_old(stage.runtime) == 1
    assert [row for row in rows_of(stage.runtime, Message) if row.confirmation_id] == []
    assert stage.client.get(page).status_code == stage.client.get(link).status_code == 404
