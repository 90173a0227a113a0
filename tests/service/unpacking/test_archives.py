"""ZIPs: every file in its order, under bounds that no header can lift."""

import io
import struct
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.unpacking import archives, found
from service.unpacking.unpack import MAX_OPENED, Allowance, open_file
from tests.worlds.handed_over import (
    URL,
    attached,
    badge_json,
    badge_png,
    code,
    codes,
    forms,
    pdf,
    png,
    scenery,
    urls,
    verdict,
    zipped,
)


def test_every_file_is_opened_in_its_order_under_its_path() -> None:
    files = {f"folder/{ending}/badge.{ending}": content for ending, content in forms().items()}
    found = open_file("all.zip", zipped(files))
    assert [each.name for each in found] == list(files)
    assert [verdict(each) for each in found] == ["verified"] * 4


def test_photos_pdfs_and_lists_of_links_in_it_are_opened_too() -> None:
    inside = {
        "photo.png": png(code()),
        "cv.pdf": pdf(attached("badge.png", badge_png())),
        "links.txt": f"{URL}2\n{URL}3".encode(),
        "cake.txt": b"cake",
    }
    found = open_file("all.zip", zipped(inside))
    assert [each.name for each in found] == ["photo.png", "cv.pdf/badge.png", f"{URL}2", f"{URL}3", "cake.txt"]
    assert urls(found) == [URL, None, f"{URL}2", f"{URL}3", None]
    assert codes(found) == [None, None, None, None, "text-without-badge"]


def test_folders_hidden_files_and_what_a_mac_adds_are_passed_over() -> None:
    files = {"a/": b"", "__MACOSX/a/._badge.json": b"x", ".DS_Store": b"x", "a/.hidden": b"x", "a/Thumbs.db": b"x"}
    found = open_file("all.zip", zipped(files | {"a/badge.json": badge_json().encode()}))
    assert [each.name for each in found] == ["a/badge.json"]


@pytest.mark.parametrize("files", [{}, {"a/": b""}, {"__MACOSX/x": b"x"}])
def test_a_zip_with_nothing_in_it_says_so(files: dict[str, bytes]) -> None:
    assert codes(open_file("empty.zip", zipped(files))) == ["zip-empty"]


def test_a_zip_of_zips_is_not_opened_further() -> None:
    inner = zipped({"badge.json": badge_json().encode()})
    found = open_file("outer.zip", zipped({"a.zip": inner, "renamed.png": inner}))
    assert [each.name for each in found] == ["a.zip", "renamed.png"]
    assert codes(found) == ["zip-in-zip", "zip-in-zip"]


def test_an_office_document_in_a_zip_is_not_taken_for_a_zip() -> None:
    document = zipped({"[Content_Types].xml": b"", "word/document.xml": b""})
    assert codes(open_file("all.zip", zipped({"cv.docx": document}))) == ["office-document"]


def test_500_files_are_opened_and_the_501st_says_that_there_is_more() -> None:
    found = open_file("all.zip", zipped({f"{place:03}.json": badge_json().encode() for place in range(600)}))
    assert len(found) == MAX_OPENED + 1 == 501
    assert {each.problem for each in found[:500]} == {None}
    assert codes(found[500:]) == ["too-many"]


def test_a_zip_of_very_many_entries_is_not_read_at_all() -> None:
    entry = struct.pack("<4s6H3L5H2L", b"PK\1\2", 20, 20, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0) + b"a"
    assert codes(open_file("all.zip", b"PK\3\4" + entry * (archives.MAX_DIRECTORY + 1))) == ["too-many"]


def test_a_file_that_unpacks_to_too_much_is_left_at_the_bound_whatever_its_header_says() -> None:
    bomb = bytearray(zipped({"a.json": b" " * (found.MAX_ENTRY_BYTES + 1)}, compression=zipfile.ZIP_DEFLATED))
    for signature, offset in ((b"PK\3\4", 22), (b"PK\1\2", 24)):
        place = bomb.index(signature) + offset
        bomb[place : place + 4] = struct.pack("<L", 5)
    assert codes(open_file("bomb.zip", bytes(bomb)))[0] in {"zip-entry-damaged", "zip-entry-too-large"}
    honest = zipped({"a.json": b" " * (found.MAX_ENTRY_BYTES + 1)}, compression=zipfile.ZIP_DEFLATED)
    assert codes(open_file("bomb.zip", honest)) == ["zip-entry-too-large"]


def test_all_files_together_unpack_to_a_bounded_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MAX_UNPACKED_BYTES", 1000)
    files = {f"{place}.txt": URL.encode() + b" " * 400 for place in range(9)}
    found = open_file("all.zip", zipped(files, compression=zipfile.ZIP_DEFLATED))
    assert codes(found) == [None, None, "zip-too-large"]


def test_what_a_request_holds_is_no_multiple_of_what_was_sent() -> None:
    badge = b'{"type": "VerifiableCredential", "x": "' + b"x" * 3_000_000 + b'"}'
    bomb = zipped({f"{n}.json": badge for n in range(9)}, compression=zipfile.ZIP_DEFLATED)
    allowance = Allowance()
    first, second = open_file("a.zip", bomb, allowance), open_file("b.zip", bomb, allowance)
    assert codes(first) == [None, None, "zip-too-large"]
    assert codes(second) == ["zip-too-large"]
    stored = zipped({f"{n}.json": badge for n in range(9)})
    assert codes(open_file("all.zip", stored, Allowance(more=0))) == [None] * 9


def test_files_that_share_their_bytes_do_not_unpack_beyond_the_bound() -> None:
    whole = bytearray(zipped({"a.txt": b"x" * 50, "b.txt": b"y" * 50}))
    second = whole.index(b"PK\1\2", whole.index(b"PK\1\2") + 4)
    whole[second + 42 : second + 46] = struct.pack("<L", 0)  # both begin at the first file's header
    found = open_file("overlap.zip", bytes(whole))
    assert codes(found) == ["text-without-badge", "zip-entry-damaged"]


def test_an_encrypted_file_says_so() -> None:
    locked = bytearray(zipped({"badge.json": badge_json().encode()}))
    for signature, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        locked[locked.index(signature) + offset] |= 1
    assert codes(open_file("locked.zip", bytes(locked))) == ["zip-entry-encrypted"]


def test_an_unusual_way_of_packing_is_not_unpacked() -> None:
    packed = zipped({"badge.json": badge_json().encode()}, compression=zipfile.ZIP_LZMA)
    assert codes(open_file("packed.zip", packed)) == ["zip-entry-damaged"]


def test_a_file_that_does_not_fit_its_checksum_is_damaged_and_the_others_are_opened() -> None:
    whole = bytearray(zipped({"a.json": badge_json().encode(), "b.json": badge_json().encode()}))
    whole[100] ^= 1
    assert codes(open_file("all.zip", bytes(whole))) == ["zip-entry-damaged", None]


def test_a_zip_cut_short_is_damaged() -> None:
    assert codes(open_file("all.zip", zipped({"a.json": b"{}"})[:-9])) == ["zip-damaged"]


def test_so_many_photos_are_not_searched_at_once() -> None:
    files = {f"{place}.pdf": pdf(attached("badge.png", badge_png())) for place in range(4)}
    content = zipped(files | {"b.json": badge_json().encode(), "c.png": png(scenery(64, 64))})
    enough = "searched-enough"
    assert codes(open_file("all.zip", content, Allowance(2))) == [None, None, enough, enough, None, enough]


def test_the_files_of_one_request_are_searched_together() -> None:
    allowance, photo = Allowance(1), png(scenery(64, 64))
    found = [open_file(name, content, allowance) for name, content in (("a.png", photo), ("b.png", photo))]
    assert codes(found[0] + found[1]) == ["picture-without-badge", "searched-enough"]
    assert codes(open_file("c.json", badge_json().encode(), allowance)) == [None]


def test_a_path_that_climbs_out_is_only_a_name() -> None:
    (found,) = open_file("all.zip", zipped({"../../etc/passwd": badge_json().encode()}))
    assert found.name == "../../etc/passwd"
    assert verdict(found) == "verified"


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 255)), min_size=1, max_size=12))
def test_a_zip_with_bytes_changed_is_opened_or_has_a_problem(changes: list[tuple[int, int]]) -> None:
    content = bytearray(zipped({"a.json": b'{"a": 1}', "b/c.txt": URL.encode()}, compression=zipfile.ZIP_DEFLATED))
    for place, value in changes:
        content[place % len(content)] = value
    assert open_file("x.zip", bytes(content))


@given(st.binary(max_size=400))
def test_what_only_begins_like_a_zip_has_a_problem(rest: bytes) -> None:
    found = open_file("x.zip", b"PK\3\4" + rest)
    assert found[0].problem is not None
    assert not zipfile.is_zipfile(io.BytesIO(b"PK\3\4" + rest))
