"""CSV as employers have it, read in every form, and written so that no office program runs what is in it."""

import csv
import io
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.checking.batch import spreadsheets
from service.checking.batch.spreadsheets import MAX_CELL, MAX_ROWS, harmless, is_table, line, read
from service.errors import InvalidError

LINK = "https://badges.example/1"
FORMULAS = "=+-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b\u207a\u207b\u207c\u2212"


def refusal(content: bytes) -> tuple[str, str]:
    with pytest.raises(InvalidError) as caught:
        read(content)
    return caught.value.code, caught.value.message


def test_the_three_columns_are_found_in_any_order_and_case_beside_others() -> None:
    table = read(f"Post,NAME, Link ,eMail,Note\r\nCook,Member 1,{LINK},m1@circle.example,x\r\n".encode())
    assert table.heading == ("Post", "NAME", " Link ", "eMail", "Note")
    (row,) = table.rows
    assert (row.link, row.email, row.name) == (LINK, "m1@circle.example", "Member 1")
    assert row.cells == ("Cook", "Member 1", LINK, "m1@circle.example", "x")
    assert row.number == 2


def test_spanish_headings_are_understood() -> None:
    (row,) = read(f"nombre;Correo;ENLACE\nMiembro 1;m1@circle.example;{LINK}\n".encode()).rows
    assert (row.link, row.email, row.name) == (LINK, "m1@circle.example", "Miembro 1")


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_delimiter_is_found_in_the_heading(delimiter: str) -> None:
    text = f'note{delimiter}link\n"a, b; c\td"{delimiter}{LINK}\n'
    table = read(text.encode())
    assert table.rows[0].cells == ("a, b; c\td", LINK)
    assert table.delimiter == delimiter


def test_a_stated_delimiter_is_taken_at_its_word() -> None:
    table = read(f"sep=|\r\nnote|link\r\na,b|{LINK}\r\n".encode())
    assert (table.heading, table.rows[0].link, table.delimiter) == (("note", "link"), LINK, "|")


@pytest.mark.parametrize(
    ("encoding", "mark"),
    [
        ("utf-8", b""),
        ("utf-8", b"\xef\xbb\xbf"),
        ("utf-16-le", b"\xff\xfe"),
        ("utf-16-be", b"\xfe\xff"),
        ("utf-16-le", b""),
        ("utf-16-be", b""),
        ("cp1252", b""),
    ],
)
def test_every_usual_encoding_is_read(encoding: str, mark: bytes) -> None:
    (row,) = read(mark + f"link,name\n{LINK},Niño 1 “Café”\n".encode(encoding)).rows
    assert (row.link, row.name) == (LINK, "Niño 1 “Café”")


def test_a_quoted_line_break_stays_inside_its_cell() -> None:
    table = read(f'note,link\n"two\r\nlines, ""quoted""",{LINK}\nplain,{LINK}\n'.encode())
    assert [row.cells[0] for row in table.rows] == ['two\r\nlines, "quoted"', "plain"]


def test_empty_rows_are_passed_over_and_counted() -> None:
    table = read(f"\nlink,name\n,\n{LINK},a\n\n , \n{LINK},b\n".encode())
    assert [row.name for row in table.rows] == ["a", "b"]
    assert [row.number for row in table.rows] == [4, 7]
    assert table.empty == 3


def test_a_short_row_is_filled_up_and_a_long_one_marked_and_kept_whole() -> None:
    table = read(f"link,name\n{LINK}\n{LINK},a,surplus\n{LINK},a,\n".encode())
    assert table.heading == ("link", "name", "")
    assert [row.cells for row in table.rows] == [(LINK, "", ""), (LINK, "a", "surplus"), (LINK, "a", "")]
    assert [row.ragged for row in table.rows] == [False, True, False]


def test_a_row_without_a_link_comes_back_without_one() -> None:
    table = read(f"link,name\n,only a name\n{LINK},b\n".encode())
    assert [row.link for row in table.rows] == ["", LINK]


def test_as_many_rows_as_promised_are_read_and_not_one_more() -> None:
    rows = f"{LINK}\n" * MAX_ROWS
    assert len(read(f"link\n{rows}\n\n".encode()).rows) == MAX_ROWS
    code, message = refusal(f"link\n{rows}{LINK}\n".encode())
    assert code == "csv-too-long"
    assert f"{MAX_ROWS} rows, got {MAX_ROWS + 1}" in message


def test_a_table_beyond_8_mb_is_refused_before_it_is_read() -> None:
    assert refusal(b"\xff" * (8 * 2**20 + 1))[0] == "csv-too-large"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "csv-empty"),
        (b"\xef\xbb\xbf\r\n \n", "csv-empty"),
        (b"name,email\na,b\n", "csv-link-missing"),
        (LINK.encode(), "csv-link-missing"),
        (b"link,Enlace\na,b\n", "csv-column-twice"),
        (b"link,name\n", "csv-no-rows"),
        (b"link,name\n,\n \n", "csv-no-rows"),
        (b'link,name\na,"never closed\n', "csv-broken"),
        (b"link\n" + b"x" * (MAX_CELL + 1) + b"\n", "csv-broken"),
        (b"link\n" + b"x" * 200_000 + b"\n", "csv-broken"),
        (b"link\n" + b"," * spreadsheets.MAX_COLUMNS + b"x\n", "csv-too-wide"),
        (b"link\n\x81\x8d\n", "csv-encoding"),
        (b"\xef\xbb\xbflink\n\xff\n", "csv-encoding"),
        (b"\xff\xfe\0", "csv-encoding"),
        ("link\na\n".encode("utf-32"), "csv-encoding"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "csv-encoding"),
        (b"PK\x03\x04link,name\n", "csv-encoding"),
    ],
)
def test_each_thing_that_cannot_be_read_has_a_sentence_of_its_own(content: bytes, code: str) -> None:
    found, message = refusal(content)
    assert found == code
    assert re.fullmatch(r"Expected [^\n]+[,;] [^\n]+\.", message)


def test_a_missing_link_says_which_columns_there_are() -> None:
    assert refusal(b"Name; E-Mail;Note\na;b;c\n")[1].endswith("got Name, E-Mail, Note.")


def test_a_table_is_known_by_name_or_media_type() -> None:
    assert is_table("Candidates.CSV")
    assert is_table("", "text/csv; charset=utf-16")
    assert not is_table("badge.png", "image/png")


@pytest.mark.parametrize(
    "begin", ["", " ", "\t", "\r", "\n", "\u00a0", "\u200b", "\ufeff", "\u2060 ", "\x01", "\u3000"]
)
@pytest.mark.parametrize("sign", FORMULAS)
def test_what_begins_like_a_formula_gets_an_apostrophe(begin: str, sign: str) -> None:
    cell = f'{begin}{sign}HYPERLINK("https://elsewhere.example","x")'
    assert harmless(cell) == "'" + cell


@pytest.mark.parametrize(
    "cell", ["\tplain", "\rplain", "\nplain", "-", "+34 600 000 000", "-1-1", "1e5=2", "--1", "-1+cmd|' /C calc'!A0"]
)
def test_breaks_and_half_numbers_are_no_exception(cell: str) -> None:
    assert harmless(cell) == ("'" + cell if cell[0] in "\t\r\n+-" else cell)


@pytest.mark.parametrize(
    "cell", ["", "0", "-5", "+34600000000", "-1.5", "3,25", "-12%", "m1@circle.example", "a=b", "x - y", "'=1"]
)
def test_plain_numbers_and_texts_stay_as_they_are(cell: str) -> None:
    assert harmless(cell) == cell


CELLS = st.text(
    st.one_of(st.sampled_from(" \t\r\n,;\"'\u200b\u00a0" + FORMULAS), st.characters(exclude_categories=["Cs"])),
    max_size=12,
)


@given(CELLS)
def test_no_cell_is_left_that_runs(cell: str) -> None:
    written = harmless(cell)
    visible = re.sub(r"^[\s\u200b\ufeff\x00-\x1f]+", "", written)
    runs = unicodedata.normalize("NFKC", visible[:1])[:1] in {*"=+-@"}
    assert not runs or re.fullmatch(r"[+-][0-9.,]+%?", written)
    assert written in {cell, "'" + cell}
    assert harmless(written) == written


@given(st.lists(CELLS, min_size=1, max_size=5), st.sampled_from([",", ";", "\t"]))
def test_a_line_reads_back_as_its_cells(cells: list[str], delimiter: str) -> None:
    (read_back,) = csv.reader(io.StringIO(line(cells, delimiter), newline=""), delimiter=delimiter, strict=True)
    assert read_back == [harmless(cell) for cell in cells]


@given(st.lists(st.lists(CELLS, min_size=2, max_size=2), min_size=1, max_size=5), st.sampled_from([",", ";", "\t"]))
def test_what_was_written_is_read_again_in_its_order(rows: list[list[str]], delimiter: str) -> None:
    rows = [[LINK, *row] for row in rows]
    text = line(["link", "a", "b"], delimiter) + "".join(line(row, delimiter) for row in rows)
    if spreadsheets._CONTROL.search(text):
        return
    table = read((spreadsheets.BOM + text).encode())
    assert [list(row.cells) for row in table.rows] == [list(map(harmless, row)) for row in rows]


@given(st.binary(max_size=200))
def test_any_bytes_are_a_table_or_refused(content: bytes) -> None:
    try:
        table = read(b"link,name\n" + content)
    except InvalidError:
        return
    assert all(len(row.cells) == len(table.heading) for row in table.rows)
