"""Files taken in by mapping: real ones, and broken ones."""

import csv
import json
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select

from service.checking import verification
from service.errors import InvalidError, NotFoundError
from service.intake import importing
from service.networks.networks import NetworkIn, create_network
from service.runtime.runtime import Runtime
from service.tables import Award, Contribution, Credential, Evaluation, Meeting, Member, Record, RecordBody

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


def take(runtime: Runtime, folder: Path, mapping: str, content: str, name: str = "file.csv") -> importing.ImportResult:
    (folder / "mapping.toml").write_text(mapping)
    (folder / name).write_text(content)
    return importing.run(runtime, "circle", folder / name, importing.read_mapping(folder / "mapping.toml"))


def count(runtime: Runtime, table: Any) -> int:
    with runtime.database.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def example(runtime: Runtime, shared: Path, name: str) -> importing.ImportResult:
    plan = importing.read_mapping(EXAMPLES / f"{name}.toml")
    return importing.run(runtime, "circle", shared / "carpentries" / f"{name}.csv", plan)


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
        == "3 accepted\nid: 3 answers, 0 blank\n       1  1\n       1  2\n       1  3\nschool: 2 answers, 1 blank\n       2  North"
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
        ("m1,Party,01.03.2026 18:00,60", "Column what: expected one of Meeting, Talk."),
        ("m1,Talk,2026-03-01,60", "Column when: expected %d.%m.%Y %H:%M."),
        ("m1,Talk,01.03.2026 18:00,an hour", "Column minutes: expected integer."),
    ],
)
def test_a_row_that_cannot_be_read_is_rejected_and_the_others_stand(
    runtime: Runtime, tmp_path: Path, row: str, detail: str
) -> None:
    take(runtime, tmp_path, MEMBERS, "id,school\nm1,\n", "members.csv")
    result = take(runtime, tmp_path, HOURS, f"who,what,when,minutes\n{row}\nm1,Talk,01.03.2026 18:00,5\n")
    assert result.counts == {"rejected": 1, "accepted": 1}
    assert result.rows[0]["problem"]["detail"] == detail
    assert detail in result.text(columns=False)


def test_a_row_of_the_future_is_rejected_with_its_code(runtime: Runtime, tmp_path: Path) -> None:
    take(runtime, tmp_path, MEMBERS, "id,school\nm1,\n", "members.csv")
    result = take(runtime, tmp_path, HOURS, "who,what,when,minutes\nm1,Talk,01.03.2099 18:00,5\n")
    assert (result.counts, count(runtime, Record)) == ({"rejected": 1}, 0)


def test_ndjson_goes_in_by_the_same_mapping(runtime: Runtime, tmp_path: Path) -> None:
    lines = '{"id": "a", "school": "North"}\n\n{"id": 7, "school": null}\n'
    assert take(runtime, tmp_path, MEMBERS, lines, "file.ndjson").counts == {"accepted": 2}
    with runtime.database.read() as session:
        assert set(session.scalars(select(Member.ref))) == {"a", "7"}


def test_rows_that_are_alike_are_told_apart_in_the_same_way_each_time() -> None:
    rows = [{"a": "1"}, {"a": "2"}, {"a": "1"}]
    first = [row.digest for row in importing.numbered("circle", iter(rows))]
    assert len(set(first)) == 3
    assert first == [row.digest for row in importing.numbered("circle", iter(rows))]


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        ("id,school\n1,2,3\n", "f.csv", "Row 2 has more cells"),
        ("[1]\n", "f.ndjson", "Line 1: expected a JSON object"),
        ('{"id": 1, "id": 2}\n', "f.ndjson", "Line 1: "),
        ('id\n"open', "f.csv", "is not CSV"),
    ],
)
def test_a_file_that_is_not_what_its_name_says_is_refused_whole(
    runtime: Runtime, tmp_path: Path, content: str, name: str, message: str
) -> None:
    with pytest.raises(InvalidError, match=message):
        take(runtime, tmp_path, MEMBERS, content, name)
    assert count(runtime, Member) == 0


def test_a_file_that_is_not_utf_8_is_refused(runtime: Runtime, tmp_path: Path) -> None:
    (tmp_path / "mapping.toml").write_text(MEMBERS)
    (tmp_path / "f.csv").write_bytes(b"id,school\nm\xfc,\n")
    with pytest.raises(InvalidError, match="Expected UTF-8"):
        importing.run(runtime, "circle", tmp_path / "f.csv", importing.read_mapping(tmp_path / "mapping.toml"))


@pytest.mark.parametrize(
    "mapping",
    [
        "source = ",
        'source = "x"',
        'source = "x"\nrecords = []',
        'source = "x"\nextra = 1\n[[records]]\nkind = "member"',
        'source = "x"\n[[records]]\nkind = "badge"',
    ],
)
def test_a_mapping_of_another_shape_is_refused(tmp_path: Path, mapping: str) -> None:
    (tmp_path / "mapping.toml").write_text(mapping)
    with pytest.raises(InvalidError) as caught:
        importing.read_mapping(tmp_path / "mapping.toml")
    assert caught.value.code == "mapping-invalid"


def test_a_column_that_the_file_does_not_have_is_named(runtime: Runtime, tmp_path: Path) -> None:
    result = take(runtime, tmp_path, MEMBERS, "id\n1\n")
    assert result.rows[0]["problem"]["detail"] == "Expected a column 'school'; the file has id."


def test_an_unknown_network_is_refused(runtime: Runtime, tmp_path: Path) -> None:
    (tmp_path / "mapping.toml").write_text(MEMBERS)
    (tmp_path / "f.csv").write_text("id,school\n1,\n")
    with pytest.raises(NotFoundError):
        importing.run(runtime, "nobody", tmp_path / "f.csv", importing.read_mapping(tmp_path / "mapping.toml"))
