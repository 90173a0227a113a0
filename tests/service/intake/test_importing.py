"""Files taken in by mapping: real ones, and broken ones."""

import csv
import json
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select

from service.access.act import Act
from service.checking import verification
from service.errors import InvalidError, NotFoundError
from service.intake import importing
from service.intake.import_reports import ImportResult
from service.intake.mapping_files import read_mapping
from service.intake.row_files import Row
from service.networks import meetings
from service.networks.guidelines import choices
from service.networks.guidelines.choices import GuidelineSettingsIn
from service.networks.meetings import SessionIn
from service.networks.networks import NetworkIn, create_network
from service.runtime.runtime import Runtime
from service.tables import (
    Award,
    Contribution,
    Credential,
    Evaluation,
    Flag,
    Meeting,
    Member,
    Network,
    Record,
    RecordBody,
)
from service.tables import Row as Row_
from tests.worlds.acting import told

pytestmark = pytest.mark.any_database("an import posts what test_contributions and test_members post on both")

EXAMPLES = Path(importing.__file__).parent / "examples" / "carpentries"
MEMBERS = """
source = "people"
[[records]]
kind = "member"
ref = "{id}"
organization = "{school}"
"""
HOURS = """
source = "hours"
[[records]]
kind = "contribution"
id = "{@row}"
member = "{who}"
type = { column = "what", map = { Meeting = "attended", Talk = "presented" } }
occurred_at = { column = "when", format = "%d.%m.%Y %H:%M" }
minutes = { column = "minutes", type = "integer" }
"""


@pytest.fixture(autouse=True)
def _network(runtime: Runtime) -> None:
    body = NetworkIn(
        slug="circle", name="Circle", kind="informal", url="https://circle.example", time_zone="Europe/Berlin"
    )
    with runtime.database.write() as session:
        create_network(session, runtime, body, runtime.now())


def take(
    runtime: Runtime, folder: Path, mapping: str, content: str, name: str = "file.csv", *, dry_run: bool = False
) -> ImportResult:
    (folder / "mapping.toml").write_text(mapping)
    (folder / name).write_text(content)
    plan = read_mapping(folder / "mapping.toml")
    return importing.run(runtime, "circle", importing.open_table(folder / name, plan), plan, dry_run=dry_run)


def count(runtime: Runtime, table: Any) -> int:
    with runtime.database.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def example(runtime: Runtime, shared: Path, name: str, *, dry_run: bool = False) -> ImportResult:
    plan = read_mapping(EXAMPLES / f"{name}.toml")
    table = importing.open_table(shared / "carpentries" / f"{name}.csv", plan)
    return importing.run(runtime, "circle", table, plan, dry_run=dry_run)


def test_the_191_trainings_become_sessions_and_a_second_run_changes_nothing(runtime: Runtime, shared: Path) -> None:
    assert example(runtime, shared, "training_events").counts == {"accepted": 191}
    assert example(runtime, shared, "training_events").counts == {"duplicate": 191}
    assert count(runtime, Meeting) == 191


def test_a_date_is_its_first_moment_in_the_networks_time_zone(runtime: Runtime, shared: Path) -> None:
    example(runtime, shared, "training_events")
    with runtime.database.read() as session:
        first = session.scalars(select(Meeting).where(Meeting.ref == "2012-08-26-ttt-online")).one()
    assert (first.starts_at.isoformat(), first.attendance_count) == ("2012-08-25T22:00:00+00:00", 21)


def test_the_1925_instructors_become_members_with_recorded_credentials_that_all_verify(
    runtime: Runtime, shared: Path
) -> None:
    assert example(runtime, shared, "badged_instructors").counts == {"accepted": 2 * 1925}
    assert example(runtime, shared, "badged_instructors").counts == {"duplicate": 2 * 1925}
    assert (count(runtime, Member), count(runtime, Award), count(runtime, Credential)) == (1925, 1925, 1925)
    with (shared / "carpentries" / "badged_instructors.csv").open(newline="") as file:
        dates = {row["person"]: row["first_badge_date"] for row in csv.DictReader(file)}
    with runtime.database.read() as session:
        rows = session.execute(
            select(Member.ref, Award.basis, Award.awarded_at, Credential.signed)
            .join(Award, Award.member_id == Member.id)
            .join(Credential, Credential.award_id == Award.id)
        ).all()
    indexes = set()
    for ref, basis, awarded_at, signed in rows:
        assert basis == "recorded"
        local = awarded_at.astimezone(ZoneInfo("Europe/Berlin"))
        assert local.date().isoformat() == dates[ref]
        document = json.loads(signed)
        assert datetime.fromisoformat(document["awardedDate"]) == awarded_at
        indexes.add(document["credentialStatus"]["statusListIndex"])
        assert verification.verify_received(runtime, signed).verdict == "verified"
    assert len(indexes) == 1925


def test_the_967_anonymous_surveys_are_about_the_network_and_say_what_the_file_says(
    runtime: Runtime, shared: Path
) -> None:
    result = example(runtime, shared, "training_survey_2018")
    assert result.counts == {"accepted": 967}
    assert example(runtime, shared, "training_survey_2018").counts == {"duplicate": 967}
    recommend = result.to_json()["columns"]["Recommend"]
    assert (recommend["answers"], recommend["blank"]) == (667, 300)
    assert (recommend["counts"]["Strongly Agree"], recommend["counts"]["Agree"]) == (353, 239)
    assert not any(
        answer != answer.strip() or "\xa0" in answer for column in result.columns.values() for answer in column
    )
    with runtime.database.read() as session:
        rows = session.scalars(select(Evaluation)).all()
        bodies = session.scalars(select(RecordBody)).all()
    assert {(row.about_kind, row.evaluator_id, row.member_id) for row in rows} == {("network", None, None)}
    assert not any("UniqueID" in body.body["answers"] for body in bodies)


def test_the_report_lists_answers_with_their_counts(runtime: Runtime, tmp_path: Path) -> None:
    result = take(runtime, tmp_path, MEMBERS, "id,school\n1,North\n2,\xa0North \n3,\n")
    assert (
        result.text(columns=True)
        == "Imported: CSV in UTF-8 with commas, 3 rows.\n3 accepted\nid: 3 answers, 0 blank\n       1  1\n       1  2\n       1  3\nschool: 2 answers, 1 blank\n       2  North"
    )


def test_rows_of_unknown_members_are_held_and_flow_in_when_the_member_comes(runtime: Runtime, tmp_path: Path) -> None:
    rows = "who,what,when,minutes\nm1,Meeting,01.03.2026 18:00,60\nm2,Talk,01.03.2026 18:00,\n"
    assert take(runtime, tmp_path, HOURS, rows).counts == {"held": 2}
    take(runtime, tmp_path, MEMBERS, "id,school\nm1,\n", "members.csv")
    with runtime.database.read() as session:
        found = session.scalars(select(Contribution)).one()
    assert (found.type, found.minutes, found.occurred_at.isoformat()) == ("attended", 60, "2026-03-01T17:00:00+00:00")


@pytest.mark.parametrize(
    ("row", "detail"),
    [
        ("m1,Party,01.03.2026 18:00,60", "Column what: expected one of Meeting, Talk, got 'Party'."),
        ("m1,Talk,2026-03-01,60", "Column when: expected %d.%m.%Y %H:%M, got '2026-03-01'."),
        ("m1,Talk,01.03.2026 18:00,an hour", "Column minutes: expected an integer, got 'an hour'."),
    ],
)
def test_a_row_that_cannot_be_read_is_rejected_and_the_others_stand(
    runtime: Runtime, tmp_path: Path, row: str, detail: str
) -> None:
    take(runtime, tmp_path, MEMBERS, "id,school\nm1,\n", "members.csv")
    result = take(runtime, tmp_path, HOURS, f"who,what,when,minutes\n{row}\nm1,Talk,01.03.2026 18:00,5\n")
    assert result.counts == {"rejected": 1, "accepted": 1}
    assert result.problems[0]["problem"]["detail"] == detail
    assert result.problems[0]["row"] == 2
    assert detail in result.text(columns=False)


def test_a_row_of_the_future_is_rejected_with_its_code(runtime: Runtime, tmp_path: Path) -> None:
    take(runtime, tmp_path, MEMBERS, "id,school\nm1,\n", "members.csv")
    result = take(runtime, tmp_path, HOURS, "who,what,when,minutes\nm1,Talk,01.03.2099 18:00,5\n")
    assert (result.counts, count(runtime, Record)) == ({"rejected": 1}, 0)


def test_late_evidence_is_late_whichever_way_it_comes_in(runtime: Runtime, tmp_path: Path) -> None:
    take(runtime, tmp_path, MEMBERS, "id,school\nm1,\n")
    rows = "who,what,when,minutes\nm1,Talk,01.12.2025 10:00,30\nm1,Talk,01.02.2026 10:00,30\n"
    assert take(runtime, tmp_path, HOURS, rows).counts == {"accepted": 2}
    with runtime.database.read() as session:
        records = session.scalars(
            select(Record).where(Record.kind == "contribution").order_by(Record.occurred_at)
        ).all()
        flags = session.execute(select(Flag.record_id, Flag.kind)).all()
    assert [record.tier for record in records] == [2, 3]
    assert flags == [(records[0].id, "late")]


def test_ndjson_goes_in_by_the_same_mapping(runtime: Runtime, tmp_path: Path) -> None:
    lines = '{"id": "a", "school": "North"}\n\n{"id": 7, "school": null}\n'
    assert take(runtime, tmp_path, MEMBERS, lines, "file.ndjson").counts == {"accepted": 2}
    with runtime.database.read() as session:
        assert set(session.scalars(select(Member.ref))) == {"a", "7"}


def test_evidence_that_came_is_told_once_for_each_import(runtime: Runtime, tmp_path: Path) -> None:
    rows = "who,what,when,minutes\nana,Meeting,01.03.2026 17:00,50\nana,Talk,28.02.2026 17:00,20\n"
    take(runtime, tmp_path, HOURS, rows, dry_run=True)
    assert told(runtime, "circle").count("evidence.received") == 0
    assert take(runtime, tmp_path, HOURS, rows).counts == {"held": 2}
    assert told(runtime, "circle").count("evidence.received") == 1
    take(runtime, tmp_path, HOURS, rows)  # nothing new
    take(runtime, tmp_path, MEMBERS, "id,school\nana,Lincoln\n")
    assert told(runtime, "circle").count("evidence.received") == 1


def test_rows_that_are_alike_are_told_apart_in_the_same_way_each_time() -> None:
    rows = [Row(n, {"a": value}) for n, value in enumerate("121", start=2)]
    first = [row.digest for row in importing.numbered("circle", iter(rows))]
    assert len(set(first)) == 3
    assert first == [row.digest for row in importing.numbered("circle", iter(rows))]


def test_a_file_that_breaks_off_is_refused_before_its_first_row(runtime: Runtime, tmp_path: Path) -> None:
    with pytest.raises(InvalidError, match="is not CSV"):
        take(runtime, tmp_path, MEMBERS, 'id,school\nm1,North\nm2,"open')
    assert count(runtime, Member) == 0


def test_a_row_that_changes_what_is_there_is_told_from_one_that_does_not(runtime: Runtime, tmp_path: Path) -> None:
    take(runtime, tmp_path, MEMBERS, "id,school\nm1,North\nm2,North\n")
    result = take(runtime, tmp_path, MEMBERS, "id,school\nm1,South\nm2,North\nm3,North\n")
    assert result.counts == {"updated": 1, "duplicate": 1, "accepted": 1}
    assert "1 accepted, 1 updated, 1 duplicate" in result.text(columns=False)


def test_a_session_that_changes_is_told_too(runtime: Runtime, tmp_path: Path) -> None:
    mapping = """
source = "meetings"
[[records]]
kind = "session"
ref = "{id}"
title = "{title}"
starts_at = { column = "start", format = "%Y-%m-%d" }
"""
    take(runtime, tmp_path, mapping, "id,title,start\ns1,First,2026-02-01\ns2,Second,2026-02-02\n")
    result = take(runtime, tmp_path, mapping, "id,title,start\ns1,First,2026-02-01\ns2,Second,2026-02-03\n")
    assert result.counts == {"duplicate": 1, "updated": 1}


def everything(runtime: Runtime) -> list[Any]:
    with runtime.database.read() as session:
        return [session.execute(select(table)).all() for table in Row_.metadata.sorted_tables]


def test_a_dry_run_says_what_would_be_and_changes_nothing(runtime: Runtime, tmp_path: Path) -> None:
    take(runtime, tmp_path, MEMBERS, "id,school\nm1,North\nm2,North\n")
    before = everything(runtime)
    rows = "id,school\nm1,South\nm2,North\nm3,North\n\x07,North\n"
    result = take(runtime, tmp_path, MEMBERS, rows, dry_run=True)
    assert result.counts == {"updated": 1, "duplicate": 1, "accepted": 1, "rejected": 1}
    assert result.text(columns=False).startswith("Dry run, nothing has changed: ")
    assert everything(runtime) == before
    real = take(runtime, tmp_path, MEMBERS, rows)
    assert real.counts == result.counts


def test_a_dry_run_knows_what_earlier_rows_of_the_same_file_would_have_left(
    runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "CHUNK", 1)
    rows = "who,what,when,minutes\nm1,Meeting,01.03.2026 18:00,60\n"
    once = HOURS.replace('id = "{@row}"', 'id = "{who}"')
    mapping = once + '[[records]]\nkind = "member"\nref = "{who}"\n'
    result = take(runtime, tmp_path, mapping, rows + rows.splitlines()[1] + "\n", dry_run=True)
    assert result.counts == {"held": 1, "accepted": 1, "duplicate": 2}
    assert (count(runtime, Member), count(runtime, Record)) == (0, 0)


def test_a_file_says_what_of_confidential_sessions_it_did_not_store(runtime: Runtime, tmp_path: Path) -> None:
    with runtime.database.write() as session:
        act = Act(session, session.scalars(select(Network)).one(), None, runtime.now())
        choices.change(act, GuidelineSettingsIn(confidential_details="not-stored"))
        meetings.put_session(act, SessionIn(ref="s1", starts_at=runtime.now(), confidential=True))
    rows = "who,what,when,minutes,where,about\nm1,Meeting,01.03.2026 18:00,60,s1,A pupil\n"
    result = take(runtime, tmp_path, HOURS + 'session = "{where}"\ntitle = "{about}"\n', rows)
    assert result.to_json()["left_out"] == {"/title": 1}
    assert "Not stored, because the sessions are confidential: /title of 1" in result.text(columns=False)


def test_the_example_for_attendance_goes_in_as_it_says(runtime: Runtime) -> None:
    folder = EXAMPLES.parent / "attendance"
    plan = read_mapping(folder / "attendance.toml")
    table = importing.open_table(folder / "attendance.csv", plan)
    assert importing.run(runtime, "circle", table, plan).counts == {"accepted": 7, "duplicate": 2}
    with runtime.database.read() as session:
        found = session.scalars(select(Contribution).order_by(Contribution.occurred_at, Contribution.type)).all()
    assert [(each.type, each.minutes) for each in found] == [("attended", 55), ("facilitated", 60), ("attended", None)]
    assert importing.run(runtime, "circle", table, plan).counts == {"duplicate": 9}


def test_the_example_for_knowledge_before_and_after_goes_in_as_self_reports(runtime: Runtime, tmp_path: Path) -> None:
    take(runtime, tmp_path, MEMBERS, "id,school\nm1@circle.example,North\nm2@circle.example,North\n")
    folder = EXAMPLES.parent / "knowledge"
    plan = read_mapping(folder / "knowledge.toml")
    table = importing.open_table(folder / "knowledge.csv", plan)
    assert importing.run(runtime, "circle", table, plan).counts == {"accepted": 4}
    with runtime.database.read() as session:
        found = session.scalars(select(Evaluation).order_by(Evaluation.record_id)).all()
        said = [(row.occasion, row.scaled, row.tier, row.evaluator_id == row.member_id) for row in found]
    assert said == [("pre", 0.5, 0, True), ("post", 1, 0, True), ("pre", 0, 0, True), ("post", None, 0, True)]


def test_a_dry_run_of_awards_signs_nothing_that_stays(runtime: Runtime, tmp_path: Path) -> None:
    lines = "person,first_badge_date\n1,2020-01-02\n2,2020-01-03\n"
    mapping = (EXAMPLES / "badged_instructors.toml").read_text()
    before = everything(runtime)
    assert take(runtime, tmp_path, mapping, lines, dry_run=True).counts == {"accepted": 4}
    assert everything(runtime) == before
    assert take(runtime, tmp_path, mapping, lines).counts == {"accepted": 4}
    assert count(runtime, Credential) == 2


def test_rows_are_numbered_as_an_editor_does(runtime: Runtime, tmp_path: Path) -> None:
    result = take(runtime, tmp_path, MEMBERS, "id,school\nm1,North\n\n\x07,North\n")
    assert [line["row"] for line in result.problems] == [4]


def test_the_number_in_an_id_counts_rows_alone_so_that_it_stays(runtime: Runtime, tmp_path: Path) -> None:
    take(runtime, tmp_path, HOURS, "who,what,when,minutes\nm1,Meeting,01.03.2026 18:00,60\n")
    again = take(runtime, tmp_path, HOURS, "who,what,when,minutes\n\nm1,Meeting,01.03.2026 18:00,60\n")
    assert again.counts == {"duplicate": 1}


def test_a_refusal_names_the_column_and_quotes_the_value_not_all_of_it(runtime: Runtime, tmp_path: Path) -> None:
    mapping = MEMBERS + 'email = "{mail}"\n'
    result = take(runtime, tmp_path, mapping, f"id,school,mail\nm1,,nonsense\nm2,,{'x' * 1000}\n")
    first, second = (line["problem"]["detail"] for line in result.problems)
    assert first.startswith("Column mail: ")
    assert first.endswith(", got 'nonsense'.")
    assert len(second) < 300


def test_a_column_that_the_file_does_not_have_ends_it_before_the_first_row(runtime: Runtime, tmp_path: Path) -> None:
    with pytest.raises(InvalidError) as refused:
        take(runtime, tmp_path, MEMBERS, "id,School \nm1,North\nm2,North\n")
    assert refused.value.code == "column-unknown"
    assert (
        str(refused.value) == "The mapping names the column 'school'; file.csv has id, School (did you mean `School`?)."
    )
    assert count(runtime, Member) == 0


def test_a_file_without_a_row_is_refused(runtime: Runtime, tmp_path: Path) -> None:
    with pytest.raises(InvalidError, match="no row") as refused:
        take(runtime, tmp_path, MEMBERS, "id,school\n,\n\n")
    assert refused.value.code == "file-empty"


def test_problems_of_a_huge_file_are_all_counted_and_noted_and_some_are_kept(
    runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.intake.import_reports.MAX_PROBLEMS", 2)
    monkeypatch.setattr("service.intake.import_reports.MAX_ANSWERS", 2)
    result = take(runtime, tmp_path, MEMBERS, "id,school\n" + "".join(f"\x07{n},\n" for n in range(5)))
    assert (result.counts, len(result.problems)) == ({"rejected": 5}, 2)
    assert "and 3 more, which --report lists" in result.text(columns=False)
    column = result.to_json()["columns"]["id"]
    assert (column["answers"], len(column["counts"]), column["others"]) == (5, 2, 3)


def test_an_unknown_network_is_refused(runtime: Runtime, tmp_path: Path) -> None:
    (tmp_path / "mapping.toml").write_text(MEMBERS)
    (tmp_path / "f.csv").write_text("id,school\n1,\n")
    plan = read_mapping(tmp_path / "mapping.toml")
    with pytest.raises(NotFoundError):
        importing.run(runtime, "nobody", importing.open_table(tmp_path / "f.csv", plan), plan)
