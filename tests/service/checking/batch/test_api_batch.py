"""Many verifications by HTTP: lines in the order asked, a CSV that runs nothing, fair limits, and no trace."""

import base64
import csv
import io
import json
import logging
import zipfile
from dataclasses import replace
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from service.checking.batch import lines
from service.checking.batch.batch import MAX_ITEMS
from service.checking.desk import Desk
from service.runtime.fair_use import FairUse, Places
from service.runtime.runtime import Runtime
from service.texts.languages import LANGUAGES
from tests.worlds import forging
from tests.worlds.awarding import Stage, once

pytestmark = pytest.mark.any_database("what is checked are documents; the rows are only looked up")

ADDRESS = "/v1/verification-batches"
PERSON = "quite.secret@river.example.org"
NOBODY = "http://localhost:9/badge"


@once
def laid(stage: Stage) -> None:
    stage.member("m11", email=PERSON)


@pytest.fixture
def stage(client: TestClient, runtime: Runtime) -> Stage:
    stage = Stage.set_up(client, runtime)
    laid(stage)
    return stage


@once
def awarded(stage: Stage) -> str:
    stage.achievement()
    for n in (1, 2):
        stage.share(n)
    return str(stage.awards(member="m11")[0]["credential"]["url"])


@pytest.fixture
def badge(stage: Stage) -> str:
    return awarded(stage)


def with_limits(client: TestClient, desk: Desk, **limits: Any) -> Desk:
    limited = replace(desk, **limits)
    client.app.state.desk = limited  # type: ignore[attr-defined]
    return limited


def lines_of(answer: Any) -> tuple[list[Any], Any]:
    assert answer.status_code == 200, answer.text
    *lines, last = (json.loads(line) for line in answer.text.splitlines())
    return lines, last["sums"]


def rows_of(answer: Any) -> list[list[str]]:
    assert answer.status_code == 200, answer.text
    assert answer.text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(answer.text[1:], newline=""), strict=True))


def packed(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def test_a_proxy_is_told_to_pass_on_each_answer_at_once(client: TestClient) -> None:
    answer = client.post(ADDRESS, json={"items": [{"url": NOBODY}]})
    assert answer.headers["x-accel-buffering"] == "no"


def test_every_form_of_a_badge_is_answered_in_its_place(client: TestClient, badge: str) -> None:
    forms = {ending: client.get(f"{badge}.{ending}").content for ending in ("json", "jwt", "png")}
    items = [
        {"url": badge, "id": "a"},
        {"credential": json.loads(forms["json"]), "id": "b"},
        {"jwt": forms["jwt"].decode(), "id": "c"},
        {"image": base64.b64encode(forms["png"]).decode(), "id": "d"},
        {"url": NOBODY, "id": "e"},
        {"image": "no base64", "id": "f"},
        {"jwt": "a.b.c", "id": "g"},
        {"url": badge, "recipient": "other@river.example.org"},
        {"url": badge, "recipient": PERSON},
    ]
    answer = client.post(ADDRESS, json={"items": items})
    lines, sums = lines_of(answer)
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    assert answer.headers["cache-control"] == "no-store"
    assert [line["index"] for line in lines] == list(range(9))
    assert [line["id"] for line in lines] == [*"abcdefg", None, None]
    assert [line["result"]["verdict"] if "result" in line else line["problem"]["code"] for line in lines] == [
        *["verified"] * 4,
        "fetch-failed",
        "base64-invalid",
        "rejected",
        "rejected",
        "verified",
    ]
    assert [line["result"]["form"] for line in lines[:4]] == ["json", "json", "jwt", "png"]
    assert lines[7]["result"]["headline"] == "not-theirs"
    assert [line["try_again"] for line in lines] == [False] * 4 + [True] + [False] * 4
    assert sums["items"] == 9
    assert sums["good"] + sums["unsure"] + sums["bad"] + sums["unchecked"] == 9
    assert (sums["bad"], sums["unsure"], sums["unchecked"], sums["try_again"]) == (0, 2, 2, 1)


def test_a_result_is_what_a_single_verification_answers(client: TestClient, badge: str) -> None:
    single = client.post("/v1/verifications", json={"url": badge}).json()
    ((line,), _) = lines_of(client.post(ADDRESS, json={"items": [{"url": badge}]}))
    assert line["result"] | single == line["result"]


def test_a_problem_is_an_rfc_9457_one(client: TestClient) -> None:
    ((line,), _) = lines_of(client.post(ADDRESS, json={"items": [{"url": "https://10.0.0.1/badge"}]}))
    assert set(line["problem"]) >= {"type", "title", "status", "code", "detail"}
    assert (line["problem"]["code"], line["problem"]["status"]) == ("address-refused", 422)


def test_files_and_a_zip_are_opened(client: TestClient, badge: str) -> None:
    forms = {f"badge.{ending}": client.get(f"{badge}.{ending}").content for ending in ("json", "svg")}
    files = [
        ("files", ("one.png", client.get(badge + ".png").content, "image/png")),
        ("files", ("more.zip", packed(forms), "application/zip")),
        ("files", ("empty.json", b"", "application/json")),
    ]
    lines, sums = lines_of(client.post(ADDRESS, files=files))
    assert [line["result"]["verdict"] for line in lines[:3]] == ["verified"] * 3
    assert lines[3]["problem"]["code"] == "file-empty"
    assert sums["items"] == 4


def test_a_table_comes_back_with_its_own_columns_first(client: TestClient, badge: str) -> None:
    sent = (
        f"Nota;Nombre;Enlace;Correo\r\n"
        f"=1+1;Member 11;{badge};{PERSON}\r\n"
        f"zwei;;{badge};other@river.example.org\r\n"
        f"three;Only a name;{badge};\r\n"
        f"four;;;\r\n"
        f"five;a;{badge};b;surplus\r\n"
    )
    headers = {"Content-Type": "text/csv; charset=windows-1252", "Accept": "text/csv"}
    answer = client.post(ADDRESS, content=sent.encode("cp1252"), headers=headers)
    assert answer.headers["content-type"].startswith("text/csv")
    assert "attachment" in answer.headers["content-disposition"]
    rows = list(csv.reader(io.StringIO(answer.text[1:], newline=""), delimiter=";", strict=True))
    assert rows[0][:5] == ["Nota", "Nombre", "Enlace", "Correo", ""]
    assert rows[1][:5] == ["'=1+1", "Member 11", badge, PERSON, ""]
    assert [row[0] for row in rows[2:]] == ["zwei", "three", "four", "five"]
    assert all(len(row) == len(rows[0]) for row in rows)
    told = [dict(zip(rows[0][5:], row[5:], strict=True)) for row in rows[1:]]
    assert [each["Issued to this person"] for each in told] == [
        "Yes",
        "No, to a different address",
        "Not asked",
        "",
        "",
    ]
    assert told[1]["Verdict"] == "Issued to a different address"
    assert [each["Verdict"] for each in told[3:]] == ["Not checked"] * 2
    assert told[3]["What it means"].startswith("This row has no link.")
    assert told[4]["What it means"].startswith("This row has more cells than the heading")
    assert told[0]["Badge"] == "Sharer"
    assert told[0]["Domain of the issuer"] == "localhost:8000"
    assert told[0]["Checked at"] == "2026-03-02T12:00:00Z"
    assert told[0]["Is it authentic?"] == "Yes"
    assert told[0]["Awarded on"][:4] == "2026"


def test_a_table_as_lines_brings_its_rows_along(client: TestClient, badge: str) -> None:
    sent = f"link,email,note\n{badge},{PERSON},x\n".encode()
    ((line,), _) = lines_of(client.post(ADDRESS, content=sent, headers={"Content-Type": "text/csv"}))
    assert line["row"] == [badge, PERSON, "x"]
    assert line["result"]["verdict"] == "verified"


def test_without_a_table_the_csv_begins_with_what_was_given(client: TestClient, badge: str) -> None:
    items = [{"url": badge, "id": "=cmd"}, {"url": badge}]
    rows = rows_of(client.post(ADDRESS, json={"items": items}, headers={"Accept": "text/csv"}))
    assert [row[0] for row in rows] == ["Given", "'=cmd", badge]


def test_the_csv_speaks_the_language_that_is_asked_for(client: TestClient, badge: str) -> None:
    headers = {"Accept": "text/csv", "Accept-Language": "es-MX"}
    [heading, _] = rows_of(client.post(ADDRESS, json={"items": [{"url": badge}]}, headers=headers))
    assert heading[0] == LANGUAGES["es"].gettext(lines.GIVEN) != lines.GIVEN


def test_what_a_badge_says_never_becomes_a_formula(client: TestClient, badge: str) -> None:
    credential = json.loads(client.get(badge + ".json").content)
    credential["credentialSubject"]["achievement"]["name"] = ' =HYPERLINK("https://elsewhere.example")'
    credential["issuer"]["name"] = "\uff20SUM(1)"
    rows = rows_of(client.post(ADDRESS, json={"items": [{"credential": credential}]}, headers={"Accept": "text/csv"}))
    told = dict(zip(rows[0], rows[1], strict=True))
    assert told["Badge"] == '\' =HYPERLINK("https://elsewhere.example")'
    assert told["Issuer"] == "'\uff20SUM(1)"


def test_no_name_of_a_badge_turns_the_words_on_the_page_around(client: TestClient, badge: str) -> None:
    credential = json.loads(client.get(badge + ".json").content)
    credential["credentialSubject"]["achievement"]["name"] = "\u202eSharer\u2066 of\n\u200bsources"
    file = ("badge.json", json.dumps(credential).encode(), "application/json")
    page = client.post("/verify/batch", files={"file": file}).text
    assert page.count(">Sharer of sources<") == 2, "in the table and above its answers"


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        ({"items": []}, "too-short", "/items"),
        ({"items": [{"url": "https://a.example"}] * (MAX_ITEMS + 1)}, "too-long", "/items"),
        ({"items": [{"url": "https://a.example", "jwt": "x"}]}, "badge-one", "/items/0"),
        ({"items": [{"url": "https://a.example"}, {}]}, "badge-one", "/items/1"),
        ({"items": [{"url": "https://a.example", "colour": "red"}]}, "extra-forbidden", "/items/0/colour"),
        ({"items": [], "more": 1}, "extra-forbidden", "/more"),
    ],
)
def test_a_body_of_another_shape_is_refused_as_a_whole(client: TestClient, body: Any, code: str, pointer: str) -> None:
    answer = client.post(ADDRESS, json=body)
    assert (answer.status_code, answer.json()["code"], answer.json()["pointer"]) == (422, code, pointer)


@pytest.mark.parametrize(
    ("content", "media_type", "status", "code"),
    [
        (b"{", "application/json", 400, "json-syntax"),
        (b"a", "text/plain", 415, "media-type-unsupported"),
        (b"name\nx\n", "text/csv", 422, "csv-link-missing"),
        (b"link\n" + b"https://a.example\n" * (MAX_ITEMS + 1), "text/csv", 422, "csv-too-long"),
        (b"link\n\x81\n", "text/csv", 422, "csv-encoding"),
    ],
)
def test_what_cannot_be_read_has_its_own_problem(
    client: TestClient, content: bytes, media_type: str, status: int, code: str
) -> None:
    answer = client.post(ADDRESS, content=content, headers={"Content-Type": media_type})
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_form_without_a_file_and_a_table_among_files_are_refused(client: TestClient) -> None:
    table = ("files", ("a.csv", b"link\nhttps://a.example\n", "text/csv"))
    answer = client.post(ADDRESS, files=[table, ("files", ("b.json", b"{}", "application/json"))])
    assert (answer.status_code, answer.json()["code"]) == (422, "table-not-alone")
    answer = client.post(ADDRESS, files=[("files", ("a.csv", b"", "text/csv"))])
    assert (answer.status_code, answer.json()["code"]) == (422, "csv-empty")
    answer = client.post(ADDRESS, files=[("badges", ("b.json", b"{}", "application/json"))])
    assert (answer.status_code, answer.json()["code"], answer.json()["pointer"]) == (422, "extra-forbidden", "/badges")


def test_who_asks_for_too_much_is_told_when_to_come_back(client: TestClient, desk: Desk) -> None:
    with_limits(client, desk, batch_fair_use=FairUse(per_minute=60, burst=3))
    body = {"items": [{"jwt": "a.b.c"}] * 2}
    assert client.post(ADDRESS, json=body).status_code == 200
    answer = client.post(ADDRESS, json=body)
    assert (answer.status_code, answer.json()["code"]) == (429, "too-many-requests")
    assert int(answer.headers["retry-after"]) >= 1


def test_more_batches_than_there_is_room_for_are_sent_away(client: TestClient, desk: Desk) -> None:
    places = with_limits(client, desk, batch_places=Places(at_once=1)).batch_places

    class Elsewhere:
        def close(self) -> None:
            raise AssertionError("it is not idle")

    elsewhere = Elsewhere()
    places.take(elsewhere, 1e12)
    answer = client.post(ADDRESS, json={"items": [{"jwt": "a.b.c"}]})
    assert (answer.status_code, answer.json()["code"]) == (429, "too-many-batches")
    assert answer.headers["retry-after"] == "15"
    places.leave(elsewhere)
    assert client.post(ADDRESS, json={"items": [{"jwt": "a.b.c"}]}).status_code == 200
    assert client.post(ADDRESS, json={"items": [{"jwt": "a.b.c"}]}).status_code == 200


def test_nothing_of_who_checked_whom_is_in_a_row_or_a_log(
    client: TestClient, runtime: Runtime, badge: str, caplog: pytest.LogCaptureFixture
) -> None:
    secret = "candidate-4711@elsewhere.example"
    with caplog.at_level(logging.INFO):
        client.post(ADDRESS, json={"items": [{"url": badge, "recipient": secret, "id": secret}]})
        sent = f"link,email,name\n{badge},{secret},{secret}\nhttps://10.0.0.1/,{secret},{secret}\n".encode()
        client.post(ADDRESS, content=sent, headers={"Content-Type": "text/csv", "Accept": "text/csv"})
    assert secret not in "".join(record.getMessage() for record in caplog.records if record.name != "httpx2")
    with runtime.database.engine.connect() as connection:
        tables = runtime.database.engine.dialect.get_table_names(connection)
        assert tables
        for table in tables:
            for row in connection.execute(text(f'SELECT * FROM "{table}"')):
                assert secret not in repr(row), table
                assert b"candidate-4711" not in b"".join(cell for cell in row if isinstance(cell, bytes)), table


def counted_of(answer: Any) -> tuple[list[Any], dict[str, int]]:
    assert answer.status_code == 200, answer.text
    *lines, last = (json.loads(line) for line in answer.text.splitlines())
    return [line for line in lines if "person" in line], last["people"]


def test_hours_are_counted_for_each_person(client: TestClient, badge: str) -> None:
    items = [
        {"url": badge, "person": "a"},
        {"url": badge, "person": "b", "recipient": "other@river.example.org"},
        {"url": badge, "recipient": PERSON},
        {"url": NOBODY},
    ]
    answer = client.post(ADDRESS, json={"items": items, "count": {"hours": 2}})
    people, sums = counted_of(answer)
    assert [each["person"] for each in people] == ["a", "b", PERSON, NOBODY]
    assert [each["decision"] for each in people] == ["short", "short", "short", "to-ask"]
    assert people[0]["reasons"] == ["hours-missing", "amount-not-said"]
    assert people[1]["reasons"] == ["hours-missing", "different-address"]
    assert people[3]["reasons"] == ["hours-missing", "not-checked"]
    assert [each["index"] for each in people[2]["badges"]] == [2]
    assert people[0]["badges"][0]["provider"] == "River Writers"
    assert sums == {"accepted": 0, "short": 3, "to_ask": 1}


def test_without_the_wish_nobody_is_counted(client: TestClient, badge: str) -> None:
    answer = client.post(ADDRESS, json={"items": [{"url": badge, "person": "a"}]})
    assert [set(json.loads(line)) for line in answer.text.splitlines()][1] == {"sums"}


@pytest.mark.parametrize(
    ("count", "code", "pointer"),
    [
        ({"hours": 0}, "greater-than", "/count/hours"),
        ({"hours": "20"}, "float-type", "/count/hours"),
        ({"from": "2026-02-30"}, "date-invalid", "/count/from"),
        ({"from": "2026-03-02", "to": "2026-03-01"}, "count-dates-reversed", None),
        ({"approved_issuers": [""]}, "string-too-short", "/count/approved_issuers/0"),
        ({"approved": []}, "extra-forbidden", "/count/approved"),
    ],
)
def test_what_cannot_be_counted_is_refused(client: TestClient, count: Any, code: str, pointer: str | None) -> None:
    refused = client.post(ADDRESS, json={"items": [{"url": NOBODY}], "count": count})
    assert (refused.status_code, refused.json()["code"], refused.json().get("pointer")) == (422, code, pointer)
    form = {"files": ("a.csv", b"link\nhttps://a.example\n", "text/csv")}
    refused = client.post(ADDRESS, data={"count": json.dumps(count)}, files=form)
    assert (refused.status_code, refused.json()["code"], refused.json().get("pointer")) == (422, code, pointer)


def test_a_table_is_counted_as_a_file_of_a_form_and_every_row_says_why(client: TestClient, badge: str) -> None:
    table = f"persona,link,note,correo\na,{badge},x,\na,by post,y,\nb,{badge},z,{PERSON}\n".encode()
    count = {"approved_issuers": ["River Writers"], "credits": 1}
    answer = client.post(
        ADDRESS,
        data={"count": json.dumps(count)},
        files={"files": ("a.csv", table, "text/csv")},
        headers={"Accept": "text/csv"},
    )
    heading, *rows = rows_of(answer)
    told = [dict(zip(heading, row, strict=True)) for row in rows]
    assert [(each["note"], each["Person"], each["Decision"], each["Line"]) for each in told] == [
        ("x", "a", "To ask", "2"),
        ("y", "a", "To ask", "3"),
        ("z", f"b ({PERSON})", "Not enough", "4"),
    ]
    assert told[0]["Why (codes)"] == "credits-missing issuer-by-name-only not-checked"
    assert told[1]["Why this badge"] == "This line could not be checked."
    assert told[2]["Provider"] == "River Writers"
    assert told[1]["What it means"].startswith("There is no link and no badge on this line")


def test_a_line_that_was_not_understood_is_an_item_with_its_line(client: TestClient, badge: str) -> None:
    listed = f"Member 1: sent by post\n\n{badge}\n".encode()
    answer = client.post(ADDRESS, files=[("files", ("list.txt", listed, "text/plain"))])
    told, sums = lines_of(answer)
    assert [(each["file"], each["line"]) for each in told] == [("list.txt", 1), ("list.txt", 3)]
    assert told[0]["problem"]["code"] == "line-without-badge"
    assert told[0]["given"] == "Member 1: sent by post"
    assert (sums["items"], sums["good"], sums["unchecked"]) == (2, 1, 1)


def test_a_cell_with_two_links_gives_two_items_of_the_same_row(client: TestClient, badge: str) -> None:
    sent = f"link,note\n{badge} and {NOBODY},x\n".encode()
    told, sums = lines_of(client.post(ADDRESS, content=sent, headers={"Content-Type": "text/csv"}))
    assert [(each["line"], each["row"][1]) for each in told] == [(2, "x"), (2, "x")]
    assert sums["items"] == 2


def test_records_that_two_badges_of_this_service_cite_count_once(client: TestClient, stage: Stage) -> None:
    stage.achievement()
    stage.achievement("sharer-again", name="Sharer again")
    for n, day in ((1, "2026-02-28"), (2, "2026-03-01")):
        stage.share(n, minutes=60 * n, occurred_at=f"{day}T10:00:00Z")
    items = [{"url": each["credential"]["url"], "person": "a"} for each in stage.awards(member="m11")]
    (person,), _ = counted_of(client.post(ADDRESS, json={"items": items, "count": {"hours": 4}}))
    assert (person["decision"], person["hours"]) == ("short", 3)
    assert person["reasons"] == ["hours-missing", "evidence-counted-before"]
    count = {"from": "2026-03-01", "hours": 2}
    (person,), _ = counted_of(client.post(ADDRESS, json={"items": items, "count": count}))
    assert (person["decision"], person["hours"]) == ("accepted", 2)
    did = client.get(items[0]["url"] + ".json").json()["issuer"]["id"]
    count = {"approved_issuers": [did, "https://elsewhere.example/issuer"], "hours": 3}
    (person,), _ = counted_of(client.post(ADDRESS, json={"items": items, "count": count}))
    assert person["decision"] == "accepted"
    count["approved_issuers"] = ["localhost:8000"]
    (person,), _ = counted_of(client.post(ADDRESS, json={"items": items, "count": count}))
    assert (person["decision"], person["reasons"]) == ("to-ask", ["hours-missing", "issuer-shares-domain"])


def test_an_older_copy_leads_to_the_newer_one_on_the_page_and_in_the_table(
    client: TestClient, stage: Stage, badge: str
) -> None:
    old = client.get(badge + ".json").content
    stage.runtime.now.advance(days=1)  # type: ignore[attr-defined]
    forging.sign_anew(stage, badge.rpartition("/")[2])
    file = ("badge.json", old, "application/json")
    page = client.post("/verify/batch", files={"file": file}, data={"hours": "1"}).text
    assert f'<a href="{badge}">See the newer badge</a>' in page
    assert "There is a newer version of this badge." in page
    rows = rows_of(client.post(ADDRESS, files={"files": file}, headers={"Accept": "text/csv"}))
    assert dict(zip(*rows, strict=True))["Newer badge"] == badge
