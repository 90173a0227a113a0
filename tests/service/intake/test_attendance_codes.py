"""Attendance codes over HTTP: who opens one, when it can be used, and the sheet for the room."""

import io
import json
from typing import Any

import pypdf
import pypdfium2
import pytest
import zxingcpp
from sqlalchemy import select

from service.errors import ServiceError
from service.intake import attendance_codes
from service.runtime.runtime import Runtime
from service.tables import AttendanceClaim, AttendanceCode, Network, Token
from tests.worlds.acting import refused, told
from tests.worlds.attending import ADDRESS, CODE, SESSION, STRANGER, claimed, opened, stage_of
from tests.worlds.awarding import Stage
from tests.worlds.runtimes import BASE_URL, Clock

JSON = {"Content-Type": "application/json"}


@pytest.fixture
def stage(runtime: Runtime) -> Stage:
    return stage_of(runtime)


def why_not(runtime: Runtime, code: str, address: str = ADDRESS) -> tuple[str, str]:
    """Return why somebody cannot use a code."""
    with pytest.raises(ServiceError) as error:
        claimed(runtime, code, address)
    return error.value.code, error.value.message


def test_a_code_is_open_around_its_session_and_asks_for_approval_unless_said(stage: Stage) -> None:
    made = stage.send("POST", CODE, {})
    assert len(made.pop("code")) == 19
    assert made == {
        "opens_at": "2026-03-02T11:30:00Z",
        "closes_at": "2026-03-02T14:00:00Z",
        "most": 100,
        "approval": True,
        "made_at": "2026-03-02T12:00:00Z",
    }
    assert told(stage.runtime, "river")[-1] == "attendance.opened"


def test_a_session_without_an_end_is_taken_to_last_three_hours(stage: Stage) -> None:
    stage.send("PATCH", f"./sessions/{SESSION}", {"ends_at": None})
    assert stage.send("POST", CODE, {})["closes_at"] == "2026-03-02T15:30:00Z"


def test_a_code_is_shown_once_and_stored_nowhere(stage: Stage) -> None:
    once = {"Idempotency-Key": "one"}
    first = stage.call("POST", CODE, json={}, headers=once)
    code = first.json()["code"]
    assert first.headers["cache-control"] == "no-store"
    assert "code" not in stage.call("POST", CODE, json={}, headers=once).json()
    assert code not in stage.call("GET", CODE).text
    with stage.runtime.database.read() as session:
        row = session.scalars(select(AttendanceCode)).one()
        held = repr({each.name: getattr(row, each.name) for each in row.__table__.columns})
    assert code.replace("-", "") not in held


@pytest.mark.parametrize(
    ("said", "code", "pointer"),
    [
        (
            {"opens_at": "2026-03-02T12:30:00Z", "closes_at": "2026-03-02T12:30:00Z"},
            "attendance-window-empty",
            "/closes_at",
        ),
        ({"opens_at": "2026-03-02T14:30:00Z"}, "attendance-window-empty", "/closes_at"),
        ({"closes_at": "2026-03-02T12:00:00Z"}, "attendance-window-over", "/closes_at"),
        ({"opens_at": "2026-03-02T10:59:59Z"}, "attendance-window-wide", "/opens_at"),
        ({"closes_at": "2026-03-09T13:30:01Z"}, "attendance-window-wide", "/closes_at"),
        ({"most": 0}, "greater-than-equal", "/most"),
    ],
)
def test_a_window_that_makes_no_sense_is_refused(stage: Stage, said: Any, code: str, pointer: str) -> None:
    answer = stage.call("POST", CODE, json=said)
    assert refused(answer) == (422, code, pointer)


def test_a_session_that_is_long_over_is_told_so_whatever_the_window(stage: Stage, clock: Clock) -> None:
    clock.advance(days=7, hours=2)
    for said in ({}, {"closes_at": "2026-03-12T12:00:00Z"}):
        assert refused(stage.call("POST", CODE, json=said)) == (422, "attendance-window-over", None)


def test_nobody_opens_a_code_for_a_session_that_the_network_does_not_have(stage: Stage) -> None:
    assert refused(stage.call("POST", "./sessions/x/attendance-code", json={}))[:2] == (404, "session-unknown")
    assert refused(stage.call("GET", CODE))[:2] == (404, "attendance-code-unknown")


def test_a_session_has_one_open_code(stage: Stage, clock: Clock) -> None:
    opened(stage)
    assert refused(stage.call("POST", CODE, json={}))[:2] == (409, "attendance-open")
    clock.advance(hours=3)
    opened(stage, closes_at="2026-03-03T12:00:00Z")


@pytest.mark.parametrize("role", ["facilitator", "assessor"])
def test_facilitators_and_assessors_open_codes_and_other_members_do_not(stage: Stage, role: str) -> None:
    stage.member("f1", roles=[{"role": role, "from": "2026-01-01T00:00:00Z"}])
    stage.member("s1", roles=[{"role": "student", "from": "2026-01-01T00:00:00Z"}])
    theirs = stage.token_with("evidence:write", member="s1")
    for method, path, body in (("POST", CODE, {}), ("POST", f"{CODE}/rotation", None), ("DELETE", CODE, None)):
        answer = stage.call(method, path, theirs, content=None if body is None else json.dumps(body), headers=JSON)
        assert refused(answer)[:2] == (403, "attendance-role")
    assert stage.call("POST", CODE, stage.token_with("evidence:write", member="f1"), json={}).status_code == 201


def test_a_code_needs_the_scope_of_evidence(stage: Stage) -> None:
    token = stage.token_with("members:write")
    assert refused(stage.call("POST", CODE, token, json={}))[:2] == (403, "scope-missing")


def test_a_code_is_not_used_too_early_or_too_late(stage: Stage, runtime: Runtime, clock: Clock) -> None:
    code = opened(stage, opens_at="2026-03-02T12:30:00Z", closes_at="2026-03-02T13:00:00Z")
    assert why_not(runtime, code) == (
        "attendance-early",
        "This code does not work yet. Try again when the time for it has begun.",
    )
    assert stage.send("GET", CODE)["standing"] == "early"
    clock.advance(hours=1)  # the window is [opens_at, closes_at)
    assert why_not(runtime, code)[0] == "attendance-late"
    assert stage.send("GET", CODE)["standing"] == "late"
    clock.advance(seconds=-1)
    claimed(runtime, code, ADDRESS)


def test_no_more_people_use_a_code_than_it_is_for(stage: Stage, runtime: Runtime) -> None:
    code = opened(stage, most=1)
    first = claimed(runtime, code, STRANGER, name="Somebody")
    assert why_not(runtime, code)[0] == "attendance-full"
    assert stage.send("GET", CODE)["standing"] == "full"
    claimed(runtime, code, STRANGER)  # who has used it sees what they said
    stage.send("POST", f"./attendance-claims/{first}/refusal", {"reason": "Nobody of this name was there."})
    claimed(runtime, code, ADDRESS)
    assert {name: stage.send("GET", CODE)[name] for name in ("waiting", "accepted", "refused")} == {
        "waiting": 1,
        "accepted": 0,
        "refused": 1,
    }


def test_a_replaced_code_is_dead_and_the_new_one_is_as_it_was(stage: Stage, runtime: Runtime) -> None:
    code = opened(stage, most=7, approval=False, closes_at="2026-03-02T13:00:00Z")
    made = stage.send("POST", f"{CODE}/rotation")
    assert (made["most"], made["approval"], made["closes_at"]) == (7, False, "2026-03-02T13:00:00Z")
    assert why_not(runtime, code)[0] == "attendance-replaced"
    claimed(runtime, made["code"], ADDRESS)


def test_who_used_a_code_is_known_with_the_next_one(stage: Stage, runtime: Runtime) -> None:
    first = claimed(runtime, opened(stage), ADDRESS)
    assert claimed(runtime, stage.send("POST", f"{CODE}/rotation")["code"], ADDRESS) == first


def test_a_closed_code_is_dead_and_another_one_can_be_opened(stage: Stage, runtime: Runtime) -> None:
    code = opened(stage)
    assert stage.call("DELETE", CODE).status_code == 204
    assert told(runtime, "river")[-1] == "attendance.closed"
    assert why_not(runtime, code)[0] == "attendance-closed"
    assert refused(stage.call("DELETE", CODE))[:2] == (409, "attendance-not-open")
    assert refused(stage.call("POST", f"{CODE}/rotation"))[:2] == (409, "attendance-not-open")
    claimed(runtime, opened(stage), ADDRESS)


def test_a_code_ends_with_the_token_that_made_it(stage: Stage, runtime: Runtime) -> None:
    token = stage.token_with("evidence:write")
    code = stage.call("POST", CODE, token, json={}).json()["code"]
    with runtime.database.write() as session:
        made_by = session.get_one(Token, session.scalars(select(AttendanceCode.token_id)).one())
        made_by.revoked_at = runtime.now()
    assert why_not(runtime, code)[0] == "attendance-closed"
    opened(stage)


def test_a_closed_network_takes_no_claims(stage: Stage, runtime: Runtime) -> None:
    code = opened(stage)
    with runtime.database.write() as session:
        session.scalars(select(Network)).one().state = "closed"
    assert why_not(runtime, code) == ("network-closed", "This network was closed and takes nothing new.")


@pytest.mark.usefixtures("stage")
def test_a_code_that_is_not_whole_is_unknown(runtime: Runtime) -> None:
    for code in ("", "BCDF-GHJK-MNPQ-RTVW", "B" * 17, "../../x"):
        assert why_not(runtime, code)[0] == "attendance-code-unknown"


def test_another_network_sees_nothing_of_a_code(stage: Stage, runtime: Runtime) -> None:
    code = opened(stage)
    claim = claimed(runtime, code, ADDRESS)
    hill = Stage.set_up(stage.client, runtime, "hill")
    for method, path, body in (
        ("GET", CODE, None),
        ("POST", f"{CODE}/sheet", {"code": code}),
        ("GET", f"./sessions/{SESSION}/attendance-claims", None),
        ("POST", f"./attendance-claims/{claim}/approval", {}),
        ("POST", f"./attendance-claims/{claim}/refusal", {"reason": "No."}),
    ):
        content = None if body is None else json.dumps(body)
        assert hill.call(method, path, content=content, headers=JSON).status_code == 404


def test_a_session_goes_with_its_code_unless_a_claim_waits(stage: Stage, runtime: Runtime) -> None:
    claim = claimed(runtime, opened(stage), ADDRESS)
    answer = stage.call("DELETE", f"./sessions/{SESSION}")
    assert refused(answer)[:2] == (409, "session-in-use")
    assert "1 attendance claim." in answer.json()["detail"]
    assert answer.json()["rests"] == {"attendance_claims": 1}
    stage.send("POST", f"./attendance-claims/{claim}/refusal", {"reason": "Nobody was there."})
    assert stage.call("DELETE", f"./sessions/{SESSION}").status_code == 204
    with runtime.database.read() as session:
        assert session.scalars(select(AttendanceCode)).all() == []
        assert session.scalars(select(AttendanceClaim)).all() == []


def test_what_is_long_over_is_forgotten(stage: Stage, runtime: Runtime, clock: Clock) -> None:
    claimed(runtime, opened(stage), STRANGER, name="Somebody")
    clock.advance(days=89)
    assert attendance_codes.forget_old(runtime) == 0
    clock.advance(days=2)
    assert attendance_codes.forget_old(runtime) == 1
    with runtime.database.read() as session:
        assert session.scalars(select(AttendanceClaim)).all() == []


# --- The sheet -----------------------------------------------------------------------------------------------------


def sheet(stage: Stage, code: str, **more: Any) -> pypdf.PdfReader:
    answer = stage.call("POST", f"{CODE}/sheet", json={"code": code} | more)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf"), answer.text
    assert answer.headers["cache-control"] == "no-store"
    return pypdf.PdfReader(io.BytesIO(answer.content))


def words(read: pypdf.PdfReader) -> str:
    return " ".join("".join(page.extract_text() for page in read.pages).split())


@pytest.mark.parametrize(("paper", "size"), [("a4", (595, 842)), ("letter", (612, 792))])
def test_a_sheet_is_one_tagged_page_that_says_where_when_and_what_happens(
    stage: Stage, paper: str, size: tuple[int, int]
) -> None:
    code = opened(stage)
    read = sheet(stage, code.lower(), paper=paper)
    assert len(read.pages) == 1
    box = read.pages[0].mediabox
    assert (round(box.width), round(box.height)) == size
    described: Any = read.root_object
    assert described["/MarkInfo"]["/Marked"]
    text = words(read)
    for said in (
        "Feedback that helps",
        "River Writers",
        code,
        f"{BASE_URL}/attend",
        "from 2 March 2026, 12:30 (Europe/Berlin) until 2 March 2026, 15:00 (Europe/Berlin)",
        "River Writers looks at each claim before it counts.",
        "It does not see your email address or your account.",
    ):
        assert said in text
    assert read.metadata is not None
    assert read.metadata.title == "Attendance: Feedback that helps"


def test_a_sheet_says_that_a_claim_counts_at_once_where_it_does(stage: Stage) -> None:
    assert "your claim counts at once, as your own word" in words(sheet(stage, opened(stage, approval=False)))


def test_a_sheet_does_not_name_a_confidential_session(runtime: Runtime) -> None:
    stage = stage_of(runtime, confidential=True)
    text = words(sheet(stage, opened(stage)))
    assert "Feedback that helps" not in text
    assert "A session of River Writers" in text


def test_the_qr_code_of_a_sheet_leads_to_the_page_of_the_code(stage: Stage) -> None:
    code = opened(stage)
    answer = stage.call("POST", f"{CODE}/sheet", json={"code": code})
    page = pypdfium2.PdfDocument(answer.content)[0].render(scale=1).to_pil()
    [read] = zxingcpp.read_barcodes(page)
    assert read.text == f"{BASE_URL}/attend/{code.replace('-', '')}"
    assert read.position.bottom_right.x - read.position.top_left.x > 180  # more than 6 cm


def test_a_sheet_is_one_page_for_every_title_name_and_language(stage: Stage) -> None:
    code = opened(stage)
    with stage.runtime.database.write() as session:
        network = session.scalars(select(Network)).one()
        network.name, network.language, network.sandbox = "W" * 200, "es", True
    for title in (
        "N" * 200,
        ("نتعلّم معًا " * 16).strip(),
        "共に学ぶ" * 50,
        "A 𓀀 sign that no font has",
        "#set page(); $x$ 🎓",
    ):
        stage.send("PATCH", f"./sessions/{SESSION}", {"title": title})
        assert len(sheet(stage, code, paper="letter").pages) == 1, title


def test_a_sheet_with_a_letter_that_no_font_has_says_what_that_means(stage: Stage) -> None:
    code = opened(stage)
    said = "does not claim the standards PDF/A and PDF/UA"
    assert said not in words(sheet(stage, code))
    stage.send("PATCH", f"./sessions/{SESSION}", {"title": "A 𓀀 sign"})
    read = sheet(stage, code)
    described: Any = read.root_object
    assert described["/MarkInfo"]["/Marked"]
    assert said in words(read)


def test_a_sheet_shows_only_the_code_that_can_be_used(stage: Stage) -> None:
    code = opened(stage)
    stage.send("POST", f"{CODE}/rotation")
    for wrong in (code, "BCDF-GHJK-MNPQ-RTVW"):
        answer = stage.call("POST", f"{CODE}/sheet", json={"code": wrong})
        assert refused(answer) == (404, "attendance-code-unknown", "/code")
    assert refused(stage.call("POST", f"{CODE}/sheet", json={"code": code, "paper": "a3"}))[2] == "/paper"
