"""CSV and NDJSON as programs of all kinds write them."""

from pathlib import Path

import pytest

from service.errors import InvalidError
from service.intake.row_files import Table, read_text

pytestmark = pytest.mark.any_database("nothing is asked of a database")

TEXT = "Name;Größe\nJürgen;groß\n"


def read(
    folder: Path,
    content: str | bytes,
    name: str = "f.csv",
    *,
    wanted: tuple[str, ...] = (),
    encoding: str | None = None,
) -> Table:
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_text(folder / name, wanted, encoding)


@pytest.mark.parametrize(
    ("content", "form"),
    [
        (TEXT.encode(), "CSV in UTF-8 with semicolons"),
        (TEXT.encode("utf-8-sig"), "CSV in UTF-8 with semicolons"),
        (TEXT.encode("utf-16"), "CSV in UTF-16 with semicolons"),
        (TEXT.encode("utf-16-le"), "CSV in UTF-16-LE with semicolons"),
        (TEXT.encode("utf-16-be"), "CSV in UTF-16-BE with semicolons"),
        (TEXT.encode("cp1252"), "CSV in Windows-1252 with semicolons"),
        (TEXT.replace(";", ",").encode(), "CSV in UTF-8 with commas"),
        (TEXT.replace(";", "\t").encode(), "CSV in UTF-8 with tabs"),
        (b"sep=|\n" + TEXT.replace(";", "|").encode(), "CSV in UTF-8 with '|'"),
    ],
)
def test_encoding_and_delimiter_are_recognised_and_said(tmp_path: Path, content: bytes, form: str) -> None:
    found = read(tmp_path, content)
    assert (found.form, found.columns, found.total) == (form, ("Name", "Größe"), 1)
    [row] = found.rows()
    assert row.cells == {"Name": "Jürgen", "Größe": "groß"}
    assert row.number == (3 if content.startswith(b"sep=") else 2)


def test_a_later_byte_decides_the_encoding_too(tmp_path: Path) -> None:
    text = "id\n" + ("m" * 1000 + "\n") * 2000 + "mü\n"
    assert read(tmp_path, text).form == "CSV in UTF-8 with commas"
    assert read(tmp_path, text.encode("cp1252")).form == "CSV in Windows-1252 with commas"


def test_an_encoding_that_cannot_be_recognised_is_named(tmp_path: Path) -> None:
    polish = "Imię\nŁukasz\n".encode("cp1250")
    [row] = read(tmp_path, polish, encoding="windows-1250").rows()
    assert row.cells == {"Imię": "Łukasz"}
    with pytest.raises(InvalidError, match="--encoding: expected an encoding such as utf-8"):
        read(tmp_path, polish, encoding="windows-9999")
    with pytest.raises(InvalidError, match="expected an encoding"):
        read(tmp_path, polish, encoding="rot13")


def test_the_delimiter_is_the_one_with_the_columns_that_are_looked_for(tmp_path: Path) -> None:
    assert read(tmp_path, "Name;Hours, minutes, seconds\na;1\n").columns == ("Name;Hours", "minutes", "seconds")
    wanted = ("Name", "Hours, minutes, seconds")
    assert read(tmp_path, "Name;Hours, minutes, seconds\na;1\n", wanted=wanted).columns == wanted


def test_rows_are_numbered_as_a_spreadsheet_does(tmp_path: Path) -> None:
    found = read(tmp_path, 'id,text\n1,"two\nlines"\n\n2,b\n')
    assert [(row.number, row.cells["text"]) for row in found.rows()] == [(2, "two lines"), (4, "b")]
    assert found.total == 2


def test_lines_of_ndjson_are_numbered_and_may_lack_what_others_have(tmp_path: Path) -> None:
    found = read(tmp_path, '{"id": "a", "hours": 1.5}\n\n{"id": 7, "who": null}\n', "f.ndjson")
    assert (found.form, found.columns, found.total) == ("NDJSON in UTF-8", ("id", "hours", "who"), 2)
    assert [(row.number, dict(row.cells)) for row in found.rows()] == [
        (1, {"id": "a", "hours": "1.5"}),
        (3, {"id": "7", "who": ""}),
    ]


def test_blank_cells_beyond_the_header_are_no_cells(tmp_path: Path) -> None:
    [row] = read(tmp_path, "id,school,\n1,2,,,\n").rows()
    assert row.cells == {"id": "1", "school": "2", "": ""}


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        (b"id,school\n1,2,3\n", "f.csv", "Row 2: the header names no column for cell 3, '3'"),
        (b"id,,\n1,,3\n", "f.csv", "Row 2: the header names no column for cell 3, '3'"),
        (b"id,id\n1,2\n", "f.csv", "each column once in the header, got 'id' twice"),
        (b"\n\n", "f.csv", "Expected a first row that names the columns, got nothing"),
        (b'id\n"open', "f.csv", "is not CSV"),
        (b'"open\n', "f.csv", "its first row does not end"),
        (b"id\n\x81\n", "f.csv", "in UTF-8, UTF-16 or Windows-1252, got other bytes: name it with --encoding"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "f.csv", "a workbook of an older kind: save it as .xlsx"),
        (b"[1]\n", "f.ndjson", "Line 1: expected a JSON object, got '\\[1\\]'"),
        (b'{"id": 1, "id": 2}\n', "f.ndjson", "Line 1: "),
        (b"\xef\xbb\xbfid\n\xff\n", "f.csv", "Expected f.csv in UTF-8, byte"),
        (
            (",".join(f"c{n}" for n in range(1001)) + "\n").encode(),
            "f.csv",
            "Expected at most 1,000 columns, got 1,001",
        ),
    ],
)
def test_a_file_that_is_not_what_its_name_says_is_refused_whole(
    tmp_path: Path, content: bytes, name: str, message: str
) -> None:
    with pytest.raises(InvalidError, match=message) as refused:
        read(tmp_path, content, name)
    assert refused.value.code == "file-invalid"
