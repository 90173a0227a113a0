"""Workbooks as office programs save them, and as an attacker does."""

import re
import zipfile
from datetime import date, datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from openpyxl import Workbook

from service.errors import InvalidError
from service.intake import workbooks
from service.intake.mapping_files import FileRow, value_of
from service.intake.workbooks import read_workbook

pytestmark = pytest.mark.any_database("nothing is asked of a database")
EVENING = datetime(2026, 3, 1, 18, 30)  # noqa: DTZ001  (workbooks have no time zones)


def saved(folder: Path, **sheets: list[list[Any]]) -> Path:
    book = Workbook(write_only=True)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(folder / "f.xlsx")
    return folder / "f.xlsx"


def test_cells_have_types_whatever_they_look_like(tmp_path: Path) -> None:
    values = [date(2026, 3, 1), EVENING, time(18, 30), 50, 50.0, 1.5, True, " m\xa01 ", None]
    path = saved(tmp_path, Hours=[[f"c{n}" for n in range(len(values))], values])
    table = read_workbook(path)
    assert (table.form, table.total) == ("workbook, sheet 'Hours'", 1)
    [row] = table.rows()
    assert [*row.cells.values()] == [
        *("2026-03-01", "2026-03-01T18:30:00", "18:30:00"),
        *("50", "50", "1.5", "TRUE", "m 1", ""),
    ]


def test_a_date_needs_no_format_to_be_read_and_has_the_networks_time_zone(tmp_path: Path) -> None:
    path = saved(tmp_path, Hours=[["When"], [EVENING], ["01.03.2026"]])
    typed, text = (FileRow("circle", n, row, "") for n, row in enumerate(read_workbook(path).rows(), start=1))
    spec = {"column": "When", "format": "%d.%m.%Y"}
    assert value_of(spec, typed, ZoneInfo("Europe/Berlin")) == "2026-03-01T18:30:00+01:00"
    assert value_of(spec, text, ZoneInfo("Europe/Berlin")) == "2026-03-01T00:00:00+01:00"


def test_the_first_sheet_is_read_unless_another_is_named(tmp_path: Path) -> None:
    path = saved(tmp_path, Members=[["id"], ["m1"]], Hours=[["who"], ["m2"]])
    assert read_workbook(path).form == "workbook, sheet 'Members' of 2"
    assert read_workbook(path, "Hours").columns == ("who",)
    with pytest.raises(InvalidError) as refused:
        read_workbook(path, "hour")
    assert str(refused.value) == "f.xlsx has the sheets Members, Hours, got 'hour' (did you mean `Hours`?)."


def test_rows_are_numbered_as_the_program_shows_them(tmp_path: Path) -> None:
    path = saved(tmp_path, Hours=[["id", None, None], ["m1"], [], ["m2"]])
    assert [(row.number, row.cells["id"]) for row in read_workbook(path).rows()] == [(2, "m1"), (4, "m2")]


def with_formula(path: Path, value: str) -> None:
    """Save a value with the formulas of a workbook, as office programs do."""
    parts = {}
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    sheet = re.sub(rb"<v ?/>|<v></v>", value.encode(), parts["xl/worksheets/sheet1.xml"])
    assert value.encode() in sheet
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, sheet if name == "xl/worksheets/sheet1.xml" else content)


def test_of_a_formula_the_saved_value_counts(tmp_path: Path) -> None:
    path = saved(tmp_path, Hours=[["id", "sum"], ["m1", "=20+30"]])
    with_formula(path, "<v>50</v>")
    [row] = read_workbook(path).rows()
    assert (row.cells["sum"], row.faults) == ("50", {})


def test_a_formula_without_a_saved_value_is_told_and_so_is_an_error(tmp_path: Path) -> None:
    path = saved(tmp_path, Hours=[["id", "sum"], ["m1", "=20+30"], ["m2", "#N/A"]])
    first, second = (FileRow("circle", 1, row, "") for row in read_workbook(path).rows())
    with pytest.raises(InvalidError, match="Column sum: expected a value, got a formula without a value: open the"):
        value_of("{sum}", first, ZoneInfo("UTC"))
    with pytest.raises(InvalidError, match="Column sum: expected a value, got the error #N/A"):
        value_of("{sum}", second, ZoneInfo("UTC"))
    assert value_of("{id}", first, ZoneInfo("UTC")) == "m1"


@pytest.mark.parametrize("content", [b"", b"id\nm1\n", b"PK\x03\x04 and nothing else"])
def test_what_is_no_workbook_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "f.xlsx").write_bytes(content)
    with pytest.raises(InvalidError, match="not a workbook that can be read"):
        read_workbook(tmp_path / "f.xlsx")


def test_a_zip_that_is_no_workbook_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "f.xlsx", "w") as archive:
        archive.writestr("hello.txt", "hello")
    with pytest.raises(InvalidError, match="not a workbook that can be read"):
        read_workbook(tmp_path / "f.xlsx")


def test_a_workbook_that_unpacks_to_gigabytes_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = saved(tmp_path, Hours=[["id"], ["m1"]])
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive, archive.open("xl/media/big.bin", "w") as big:
        for _ in range(65):
            big.write(bytes(1024 * 1024))
    assert path.stat().st_size < 200_000
    with pytest.raises(InvalidError, match="unpacks to more"):
        read_workbook(path)


def test_what_a_workbook_declares_of_itself_gives_nothing_away(tmp_path: Path) -> None:
    """An entity of XML is never resolved, be it a file or a bomb."""
    path = saved(tmp_path, Hours=[["id"], ["m1"]])
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    bomb = b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
    sheet = parts["xl/worksheets/sheet1.xml"]
    parts["xl/worksheets/sheet1.xml"] = bomb + sheet[sheet.index(b"<worksheet") :]
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    with pytest.raises(InvalidError, match="not a workbook that can be read"):
        read_workbook(path)


def test_rows_and_columns_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidError, match="at most 1,000 columns"):
        read_workbook(saved(tmp_path, Wide=[[f"c{n}" for n in range(1001)], ["a"]]))
    monkeypatch.setattr(workbooks, "MAX_ROWS", 2)
    with pytest.raises(InvalidError, match="at most 2 rows"):
        read_workbook(saved(tmp_path, Long=[["id"], ["m1"], ["m2"]]))
    monkeypatch.setattr(workbooks, "MAX_BYTES", 100)
    with pytest.raises(InvalidError, match="at most 100 bytes"):
        read_workbook(saved(tmp_path, Big=[["id"], ["m1"]]))


def test_a_sheet_with_a_header_alone_has_no_rows(tmp_path: Path) -> None:
    assert read_workbook(saved(tmp_path, Hours=[["id"]])).total == 0
