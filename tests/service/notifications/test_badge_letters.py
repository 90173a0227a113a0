"""What people are written about their badges: new, replaced, taken back, suspended, valid again, and ending soon."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from io import BytesIO
from typing import Any

import pytest
from fastapi.testclient import TestClient
from PIL import Image
from sqlalchemy import text, update

from service.notifications import expiring, mail
from service.operations import upkeep
from service.runtime.runtime import Runtime
from service.tables import Member, Message, Network
from tests.worlds.acting import actor
from tests.worlds.awarding import Stage, once
from tests.worlds.mailing import mail_server
from tests.worlds.runtimes import BASE_URL, Clock, app_of

DESK = "desk@river.example.org"


@once
def laid(stage: Stage) -> None:
    stage.achievement(award="reviewed", criteria={"narrative": "Share **two** resources.\n\n* a\n* b"})
    stage.achievement("yearly", award="reviewed", name="Yearly", valid_for="P1Y")
    stage.member("m11", name="Member 11", email="m11@example.org")


@pytest.fixture
def stage(runtime: Runtime) -> Iterator[Stage]:
    """The app without what goes on beside it: mails are sent when a test says so."""
    client = TestClient(app_of(runtime), base_url=BASE_URL)
    stage = Stage.set_up(client, runtime, email=DESK)
    laid(stage)
    yield stage
    client.close()


def letters(stage: Stage) -> list[EmailMessage]:
    """Send what is due, and return every mail so far, in order."""
    mail.send_due(stage.runtime)
    found = []
    for path in sorted(mail.outbox_folder(stage.runtime.settings).glob("*.eml")):
        letter = message_from_bytes(path.read_bytes(), policy=default)
        assert isinstance(letter, EmailMessage)
        assert not letter.defects
        found.append(letter)
    return found


def subjects(stage: Stage) -> list[str]:
    return [str(letter["Subject"]) for letter in letters(stage)]


def said(letter: EmailMessage, kind: str = "plain") -> str:
    """Return a body on one line."""
    body = letter.get_body((kind,))
    assert body is not None
    return " ".join(str(body.get_content()).split())


def network(stage: Stage, **changes: Any) -> None:
    answer = actor(stage.runtime, stage.client).ask("PATCH", f"/v1/networks/{stage.slug}", changes)
    assert answer.status_code == 200, answer.text


def do(stage: Stage, award: Any, what: str, **more: Any) -> Any:
    """Do something to the credential of an award, and return the answer."""
    body = {"reason": "Wrong member."} if what != "reinstatement" else None
    return stage.send("POST", f"/v1/credentials/{award['credential']['id']}/{what}", body, **more)


def recent(stage: Stage) -> Any:
    """Record an award of a badge for a year, earned now."""
    return stage.recorded("yearly", awarded_at=stage.runtime.now().isoformat())


# --- A new badge ---------------------------------------------------------------------------------------------------


def test_the_mail_of_a_new_badge_says_who_what_why_and_where(stage: Stage) -> None:
    award = stage.recorded()
    (letter,) = letters(stage)
    assert letter["From"] == "River Writers via Laurel <laurel@localhost>"
    assert letter["Reply-To"] == f"River Writers <{DESK}>"
    assert letter["Content-Language"] == "en"
    for words in (
        "Hello Member 11,",
        "River Writers has awarded you the badge “Sharer”.",
        "Shares what works.",
        "Share two resources. a b",
        "30 June 2021",
        award["credential"]["url"],
        "To share it, send the link",
        "Questions? Reply to this email: your answer goes to River Writers.",
    ):
        assert words in said(letter), words
        assert words in said(letter, "html"), words


def test_the_html_shows_the_picture_that_the_mail_brings(stage: Stage) -> None:
    stage.recorded()
    (letter,) = letters(stage)
    (picture,) = [part for part in letter.walk() if part.get_content_type() == "image/png"]
    assert f'src="cid:{picture["Content-ID"].strip("<>")}"' in said(letter, "html")
    assert picture.get_content_disposition() == "inline"
    content = picture.get_content()
    assert Image.open(BytesIO(content)).size == (240, 240)
    assert len(content) < 60_000
    html = said(letter, "html").replace(f"{BASE_URL}/credentials/", "").replace(f"{BASE_URL}/claim/", "")
    assert "http" not in html, "nothing is fetched"


def test_a_large_picture_of_the_network_is_made_small(stage: Stage) -> None:
    large = BytesIO()
    Image.effect_noise((500, 300), 80).convert("RGB").save(large, "PNG")
    file = stage.send("POST", "/v1/blobs", content=large.getvalue(), headers={"Content-Type": "image/png"})
    stage.achievement("own", award="reviewed", name="Own", image=file["sha256"])
    stage.recorded("own")
    (letter,) = letters(stage)
    (picture,) = [part for part in letter.walk() if part.get_content_type() == "image/png"]
    assert Image.open(BytesIO(picture.get_content())).size == (240, 240)


def test_text_and_html_say_the_same(stage: Stage) -> None:
    recent(stage)
    (letter,) = letters(stage)
    html = said(letter, "html")
    body = letter.get_body(("plain",))
    assert body is not None
    for line in filter(None, str(body.get_content()).splitlines()):
        for part in line.split(": ", 1) if line.startswith(("What", "How", "Awarded", "Valid")) else [line.rstrip(":")]:
            assert part.replace("'", "&#39;") in html


def test_a_badge_that_ends_says_when(stage: Stage) -> None:
    recent(stage)
    assert "Valid until: 2 March 2027" in said(letters(stage)[0])


def test_a_badge_that_renews_another_says_so(stage: Stage, clock: Clock) -> None:
    recent(stage)
    clock.advance(days=366)
    recent(stage)
    first, second = letters(stage)
    assert "You had a badge of the same name before" not in said(first)
    assert "You had a badge of the same name before" in said(second)


def test_without_an_address_of_the_network_it_says_whom_to_ask_instead(stage: Stage) -> None:
    network(stage, email=None)
    stage.recorded()
    (letter,) = letters(stage)
    assert letter["Reply-To"] is None
    for kind in ("plain", "html"):
        assert "https://river.example.org" in said(letter, kind)
        assert "Please do not reply to this email" in said(letter, kind)


def test_it_is_written_in_the_language_of_the_network(stage: Stage) -> None:
    network(stage, language="es")
    stage.recorded()
    (letter,) = letters(stage)
    assert letter["Subject"] == "River Writers le ha otorgado la insignia «Sharer»"
    assert letter["From"].addresses[0].display_name == "River Writers a través de Laurel"
    assert letter["Content-Language"] == "es"
    assert '<html lang="es" dir="ltr">' in said(letter, "html")
    for kind in ("plain", "html"):
        assert "Hola, Member 11:" in said(letter, kind)
        assert "30 de junio de 2021" in said(letter, kind)
        assert "Ver su insignia" in said(letter, kind)


@pytest.mark.parametrize("name", ["Generous reader of drafts", "Réd & Gréen of all the year", "緑 " * 60])
def test_a_long_subject_arrives_as_it_was_written(stage: Stage, name: str) -> None:
    rename(stage, network="River Writers and Friends of Writing")
    stage.achievement("long", award="reviewed", name=name.strip())
    stage.recorded("long")
    expected = f"River Writers and Friends of Writing has awarded you the badge “{name.strip()[:160]}"
    (letter,) = letters(stage)
    assert letter["Subject"].startswith(expected[:200])
    with mail_server() as box:
        settings = stage.runtime.settings.model_copy(update={"mail_url": box.url})
        object.__setattr__(stage.runtime, "settings", settings)
        stage.recorded()
        mail.send_due(stage.runtime)
    ((_, text_sent),) = box.received
    assert max(map(len, text_sent.partition(b"\r\n\r\n")[0].splitlines())) < 100


# --- Names that are not as they should be --------------------------------------------------------------------------


def rename(stage: Stage, **names: str | None) -> None:
    """Give rows names as no request can."""
    with stage.runtime.database.write() as session:
        if "member" in names:
            session.execute(update(Member).values(name=names["member"]))
        if "network" in names:
            session.execute(update(Network).values(name=names["network"]))


@pytest.mark.parametrize("name", [None, "", " ", "\u200b", "\u202e", "\n"])
def test_who_has_no_name_is_greeted_without(stage: Stage, name: str | None) -> None:
    stage.recorded()
    rename(stage, member=name)
    (letter,) = letters(stage)
    assert said(letter).startswith("Hello, River Writers")


@pytest.mark.parametrize(
    ("name", "greeting"),
    [
        ("A" * 300, f"Hello {'A' * 79}…,"),
        ("A\r\nBcc: x@evil.example", "Hello A Bcc: x@evil.example,"),
        ("A\u202eB", "Hello AB,"),
        ("منى", "Hello \u2068منى\u2069,"),
        ("👩\u200d🏫 R", "Hello 👩\u200d🏫 R,"),
        ("<b>R</b> & 'S'", "Hello <b>R</b> & 'S',"),
        ("%(day)s {{ 7 }}", "Hello %(day)s {{ 7 }},"),
    ],
)
def test_names_of_people_are_cleaned(stage: Stage, name: str, greeting: str) -> None:
    stage.recorded()
    rename(stage, member=name)
    (letter,) = letters(stage)
    assert said(letter).startswith(greeting)
    assert set(letter.keys()) <= {
        *("From", "To", "Date", "Message-ID", "Auto-Submitted", "Reply-To", "Content-Language", "Subject"),
        *("MIME-Version", "Content-Type"),
    }
    assert "<b>R" not in said(letter, "html")


@pytest.mark.parametrize(
    "name",
    [
        'Réd, "Gréen" <x@evil.example>',
        "x@evil.example, y@evil.example",
        "R\r\nBcc: x@evil.example",
        "منى \u202e، " * 20,
        "👩\u200d🏫" * 40,
        "R" * 200,
        "=?utf-8?q?x?=",
    ],
)
def test_whatever_a_network_is_called_its_mails_have_one_sender_and_one_address_for_answers(
    stage: Stage, name: str
) -> None:
    stage.recorded()
    rename(stage, network=name)
    (letter,) = letters(stage)
    assert [each.addr_spec for each in letter["From"].addresses] == ["laurel@localhost"]
    assert [each.addr_spec for each in letter["Reply-To"].addresses] == [DESK]
    assert [each.addr_spec for each in letter["To"].addresses] == ["m11@example.org"]
    assert letter["Bcc"] is None


@pytest.mark.parametrize(
    ("address", "answers"), [("desk@rivér.example", "desk@xn--rivr-dpa.example"), ("dèsk@river.example", None)]
)
def test_an_address_for_answers_is_one_that_every_mail_server_takes(
    stage: Stage, address: str, answers: str | None
) -> None:
    network(stage, email=address)
    stage.recorded()
    (letter,) = letters(stage)
    assert (letter["Reply-To"] and letter["Reply-To"].addresses[0].addr_spec) == answers


def test_the_sender_has_the_address_of_the_settings_and_the_name_of_the_network(stage: Stage) -> None:
    settings = stage.runtime.settings.model_copy(update={"mail_from": "Badges <badges@river.example.org>"})
    object.__setattr__(stage.runtime, "settings", settings)
    stage.recorded()
    assert letters(stage)[0]["From"] == "River Writers via Laurel <badges@river.example.org>"


# --- What becomes of a badge ---------------------------------------------------------------------------------------


def test_a_badge_that_is_taken_back_brings_one_mail_with_reason_and_appeal(stage: Stage) -> None:
    award = stage.recorded()
    assert len(letters(stage)) == 1
    headers = {"Idempotency-Key": "once"}
    for _ in range(2):
        do(stage, award, "revocation", headers=headers)
    do(stage, award, "revocation")
    _, letter = letters(stage)
    assert letter["Subject"] == "Your badge “Sharer” was taken back"
    for kind in ("plain", "html"):
        assert "River Writers has taken back your badge “Sharer”." in said(letter, kind)
        assert "Wrong member." in said(letter, kind)
        assert "Do you disagree? Tell River Writers why by 2 June 2026." in said(letter, kind)
        assert award["credential"]["url"] in said(letter, kind)
    assert letter["Reply-To"] == f"River Writers <{DESK}>"
    assert "share" not in said(letter)


def test_a_reason_of_several_lines_is_one_line_and_no_markup(stage: Stage) -> None:
    award = stage.recorded()
    letters(stage)
    body = {"reason": "One **line**,\nand <b>another</b>.\n\n" + "long " * 400}
    stage.send("POST", f"/v1/credentials/{award['credential']['id']}/revocation", body)
    letter = letters(stage)[-1]
    assert "Reason: One line, and <b>another</b>. long long" in said(letter)
    assert "<b>another" not in said(letter, "html")
    assert len(said(letter)) < 2000


def test_a_badge_that_lost_its_evidence_says_so_in_the_language_of_the_network(stage: Stage) -> None:
    network(stage, language="es")
    stage.achievement("by-rule", name="By rule")
    records = [stage.share(n) for n in (1, 2)]
    letters(stage)
    stage.send("POST", f"./records/{records[0]['id']}/void", {"reason": "Kept by the network."})
    letter = letters(stage)[-1]
    assert letter["Subject"] == "Su insignia «By rule» se ha retirado"
    assert "Motivo: Parte de las evidencias en que se basaba se ha retirado." in said(letter)
    assert "Kept by the network" not in letter.as_string()


def test_after_a_reason_was_erased_the_mail_gives_none(stage: Stage) -> None:
    award = stage.recorded()
    letters(stage)
    do(stage, award, "revocation")
    with stage.runtime.database.write() as session:
        session.execute(text("UPDATE credentials SET revocation_reason = NULL"))
    assert "Reason" not in said(letters(stage)[-1])


def test_a_suspension_and_its_end_bring_a_mail_each(stage: Stage) -> None:
    award = stage.recorded()
    letters(stage)
    for _ in range(2):
        do(stage, award, "suspension")
    assert subjects(stage)[1:] == ["Your badge “Sharer” is suspended"]
    assert "Do you disagree?" in said(letters(stage)[1])
    assert "Wrong member." in said(letters(stage)[1])
    for _ in range(2):
        do(stage, award, "reinstatement")
    assert subjects(stage)[2:] == ["Your badge “Sharer” is valid again"]
    assert award["credential"]["url"] in said(letters(stage)[2])


def test_a_replaced_badge_brings_one_mail_with_the_new_link(stage: Stage) -> None:
    award = stage.recorded()
    letters(stage)
    headers = {"Idempotency-Key": "once"}
    new = do(stage, award, "replacement", headers=headers)
    for again in (headers, {}):
        assert do(stage, award, "replacement", headers=again)["url"] == new["url"]
    assert subjects(stage)[1:] == ["Your badge “Sharer” has a new link"]
    letter = letters(stage)[1]
    assert new["url"] in said(letter)
    assert award["credential"]["url"] not in letter.as_string()
    assert "If you have sent the old link to somebody" in said(letter)
    assert "Wrong member." not in letter.as_string(), "that reason is the network's"


def test_an_award_that_was_voided_and_is_made_again_brings_both_mails(stage: Stage) -> None:
    stage.achievement("by-rule", name="By rule")
    first, _ = (stage.share(n) for n in (1, 2))
    letters(stage)
    stage.send("POST", f"./records/{first['id']}/void", {"reason": "Twice."})
    stage.share(3)
    assert subjects(stage) == [
        "River Writers has awarded you the badge “By rule”",
        "Your badge “By rule” was taken back",
        "River Writers has awarded you the badge “By rule”",
    ]


# --- Nothing has changed for the person ----------------------------------------------------------------------------


def test_a_correction_that_leaves_the_badge_as_it_is_brings_no_mail(stage: Stage) -> None:
    stage.achievement("by-rule", name="By rule")
    records = [stage.share(n, title="Misspelt") for n in (1, 2)]
    assert len(letters(stage)) == 1
    stage.send(
        "POST", f"./records/{records[0]['id']}/correction", {"changes": {"title": "Spelt"}, "reason": "Spelling."}
    )
    assert len(letters(stage)) == 1


def test_a_name_that_changes_brings_no_mail(stage: Stage) -> None:
    stage.recorded()
    letters(stage)
    stage.member("m11", name="Member Eleven", email="m11@example.org")
    network(stage, description="Another one.")
    assert len(letters(stage)) == 1


# --- Before the first mail has left --------------------------------------------------------------------------------


def test_who_was_not_told_of_a_badge_yet_is_not_told_that_it_is_gone(stage: Stage) -> None:
    do(stage, stage.recorded(), "revocation")
    assert letters(stage) == []


def test_who_was_not_told_of_a_badge_yet_is_told_of_it_once_it_is_no_longer_suspended(stage: Stage) -> None:
    award = stage.recorded()
    do(stage, award, "suspension")
    assert letters(stage) == []
    do(stage, award, "reinstatement")
    assert subjects(stage) == ["River Writers has awarded you the badge “Sharer”"]


def test_who_was_not_told_of_a_suspension_yet_is_not_told_of_its_end(stage: Stage) -> None:
    award = stage.recorded()
    letters(stage)
    do(stage, award, "suspension")
    do(stage, award, "reinstatement")
    assert len(letters(stage)) == 1


def test_who_was_not_told_of_a_badge_yet_is_told_only_of_the_one_that_replaces_it(stage: Stage) -> None:
    award = stage.recorded()
    new = do(stage, award, "replacement")
    (letter,) = letters(stage)
    assert letter["Subject"] == "River Writers has awarded you the badge “Sharer”"
    assert new["url"] in said(letter)


def test_a_mail_that_was_tried_already_may_have_arrived_and_so_the_end_is_told(stage: Stage) -> None:
    award = stage.recorded()
    with mail_server() as box:
        box.answer = "451 try again"
        settings = stage.runtime.settings.model_copy(update={"mail_url": box.url})
        own = stage.runtime.settings
        object.__setattr__(stage.runtime, "settings", settings)
        assert mail.send_due(stage.runtime) == 0
        object.__setattr__(stage.runtime, "settings", own)
    do(stage, award, "revocation")
    assert subjects(stage) == ["Your badge “Sharer” was taken back"]


# --- Ending soon ---------------------------------------------------------------------------------------------------


def test_who_has_a_badge_that_ends_is_told_once_a_month_before(stage: Stage, clock: Clock) -> None:
    award = recent(stage)
    letters(stage)
    clock.advance(days=334)
    assert expiring.tell_of_ends(stage.runtime) == 0
    clock.advance(days=2)
    assert [expiring.tell_of_ends(stage.runtime) for _ in range(3)] == [1, 0, 0]
    _, letter = letters(stage)
    assert letter["Subject"] == "Your badge “Yearly” ends on 2 March 2027"
    for kind in ("plain", "html"):
        assert "is valid until 2 March 2027" in said(letter, kind)
        assert "To renew it, ask River Writers" in said(letter, kind)
        assert award["credential"]["url"] in said(letter, kind)
    clock.advance(days=29)
    assert expiring.tell_of_ends(stage.runtime) == 0


@pytest.mark.parametrize("what", ["revocation", "suspension"])
def test_who_has_a_badge_that_does_not_stand_is_not_told_that_it_ends(stage: Stage, clock: Clock, what: str) -> None:
    award = recent(stage)
    letters(stage)
    clock.advance(days=350)
    do(stage, award, what)
    assert expiring.tell_of_ends(stage.runtime) == 0


def test_who_has_renewed_a_badge_is_not_told_that_the_old_one_ends(stage: Stage, clock: Clock) -> None:
    stage.achievement("by-rule", name="By rule", valid_for="P1Y")
    for n in (1, 2):
        stage.share(n)
    (award,) = stage.awards()
    clock.advance(days=350)
    stage.send("POST", f"./awards/{award['id']}/renewal")
    assert expiring.tell_of_ends(stage.runtime) == 0


def test_a_badge_that_is_renewed_before_the_mail_left_is_not_said_to_end(stage: Stage, clock: Clock) -> None:
    stage.achievement("by-rule", name="By rule", valid_for="P1Y")
    for n in (1, 2):
        stage.share(n)
    letters(stage)
    (award,) = stage.awards()
    clock.advance(days=350)
    assert expiring.tell_of_ends(stage.runtime) == 1
    stage.send("POST", f"./awards/{award['id']}/renewal")
    assert subjects(stage) == ["River Writers has awarded you the badge “By rule”"] * 2


def test_who_was_told_of_an_end_is_not_told_again_of_the_badge_that_replaces_it(stage: Stage, clock: Clock) -> None:
    award = recent(stage)
    letters(stage)
    clock.advance(days=350)
    assert expiring.tell_of_ends(stage.runtime) == 1
    letters(stage)
    do(stage, award, "replacement")
    assert expiring.tell_of_ends(stage.runtime) == 0


def test_a_badge_that_lasts_only_weeks_said_its_end_when_it_was_awarded(stage: Stage, clock: Clock) -> None:
    stage.achievement("weekly", award="reviewed", name="Weekly", valid_for="P3W")
    stage.recorded("weekly", awarded_at=stage.runtime.now().isoformat())
    assert "Valid until: 23 March 2026" in said(letters(stage)[0])
    clock.advance(days=1)
    assert expiring.tell_of_ends(stage.runtime) == 0


def test_what_nobody_can_earn_any_more_is_not_said_to_be_renewable(stage: Stage, clock: Clock) -> None:
    recent(stage)
    letters(stage)
    stage.send("POST", "./achievements/yearly/retirement", {"reason": "Over."})
    clock.advance(days=350)
    expiring.tell_of_ends(stage.runtime)
    assert "no longer awards this badge, so you cannot renew it" in said(letters(stage)[1])


def test_who_has_no_address_is_not_told_that_a_badge_ends(stage: Stage, clock: Clock) -> None:
    stage.member("m12")
    stage.recorded("yearly", member="m12", awarded_at=stage.runtime.now().isoformat())
    clock.advance(days=350)
    assert expiring.tell_of_ends(stage.runtime) == 0


def test_every_badge_that_ends_is_found_in_small_portions(
    stage: Stage, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expiring, "BATCH", 2)
    for n in range(5):
        stage.member(f"n{n}", **({"email": f"n{n}@example.org"} if n != 1 else {}))
        stage.recorded("yearly", member=f"n{n}", awarded_at=stage.runtime.now().isoformat())
    clock.advance(days=350)
    assert expiring.tell_of_ends(stage.runtime) == 4


def test_several_processes_tell_of_an_end_once(stage: Stage, clock: Clock) -> None:
    recent(stage)
    clock.advance(days=350)
    with ThreadPoolExecutor(3) as pool:
        counts = list(pool.map(lambda _: expiring.tell_of_ends(stage.runtime), range(3)))
    assert sum(counts) == 1


def test_upkeep_tells_of_ends_once_a_day() -> None:
    assert [
        lane.work[expiring.tell_of_ends] for lane in upkeep.LANES.values() if expiring.tell_of_ends in lane.work
    ] == [upkeep.DAY_SECONDS]


# --- Erased ---------------------------------------------------------------------------------------------------------


def test_no_mail_about_badges_outlives_the_erasure_of_a_person(stage: Stage) -> None:
    award = stage.recorded()
    letters(stage)
    do(stage, award, "suspension")
    stage.send("DELETE", "./members/m11")
    assert letters(stage) == []
    with stage.runtime.database.read() as session:
        assert session.query(Message).count() == 0


def test_a_day_by_which_to_disagree_is_one_of_the_networks_calendar(stage: Stage) -> None:
    network(stage, time_zone="Pacific/Auckland")
    award = stage.recorded()
    letters(stage)
    do(stage, award, "suspension")
    assert "by 3 June 2026" in said(letters(stage)[1])
