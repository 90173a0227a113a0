"""PDFs: badges attached to them, else links on them, else codes in their pictures; and PDFs made to keep us busy."""

import io
import struct
import zlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pypdf import PdfWriter
from pypdf.generic import ArrayObject, DecodedStreamObject, DictionaryObject, NameObject, NumberObject, TextStringObject

from service.unpacking import pdfs
from service.unpacking.unpack import open_file
from tests.worlds.handed_over import (
    SVG,
    URL,
    annotate,
    attached,
    badge_json,
    badge_jwt,
    badge_png,
    code,
    codes,
    forms,
    linked,
    named,
    pdf,
    photographed,
    saved,
    scenery,
    urls,
    verdict,
)


def embedded(writer: PdfWriter, name: str, content: bytes) -> Any:
    """Return a description of a file in the document that nothing refers to yet."""
    stream = DecodedStreamObject()
    stream.set_data(content)
    members = {"/Type": NameObject("/Filespec"), "/UF": TextStringObject(name)}
    return writer._add_object(named(members | {"/EF": named({"/UF": writer._add_object(stream)})}))


@pytest.mark.parametrize("ending", ["json", "jwt", "png", "svg"])
def test_an_attached_badge_in_any_form_is_found(ending: str) -> None:
    (found,) = open_file("cv.pdf", pdf(attached(f"badge.{ending}", forms()[ending])))
    assert found.name == f"cv.pdf/badge.{ending}"
    assert verdict(found) == "verified"


def test_all_attached_badges_are_found_once_and_other_files_are_passed_over() -> None:
    files = [("invoice.xml", b"<x/>"), ("a.json", badge_json().encode()), ("b.jwt", badge_jwt().encode())]
    more = [("again.json", badge_json().encode()), ("logo.svg", SVG), ("other.json", b'{"type": "Person"}')]
    found = open_file("cv.pdf", pdf(*(attached(*each) for each in files + more)))
    assert [each.name for each in found] == ["cv.pdf/a.json", "cv.pdf/b.jwt"]


def test_what_is_held_of_files_in_a_pdf_is_no_multiple_of_what_was_sent() -> None:
    def change(writer: PdfWriter) -> None:
        for n in range(4):
            stream = DecodedStreamObject()
            stream.set_data(f'{{"type": "VerifiableCredential", "n": {n}, "x": "{"x" * 3_000_000}"}}'.encode())
            file = writer._add_object(stream.flate_encode())
            described = named({"/Type": NameObject("/Filespec"), "/EF": named({"/UF": file})})
            writer.root_object.setdefault(NameObject("/AF"), ArrayObject()).append(writer._add_object(described))

    assert codes(open_file("cv.pdf", pdf(change))) == [None, None, "pdf-too-large"]


def test_a_badge_behind_a_mark_on_a_page_is_found() -> None:
    def change(writer: PdfWriter) -> None:
        annotate(writer, {"/Subtype": NameObject("/FileAttachment"), "/FS": embedded(writer, "badge.png", badge_png())})

    (found,) = open_file("cv.pdf", pdf(change))
    assert (found.name, verdict(found)) == ("cv.pdf/badge.png", "verified")


@pytest.mark.parametrize("place", ["document", "page"])
def test_a_badge_that_belongs_to_the_document_or_to_a_page_is_found(place: str) -> None:
    def change(writer: PdfWriter) -> None:
        holder = writer.root_object if place == "document" else writer.pages[0]
        holder[NameObject("/AF")] = ArrayObject([embedded(writer, "badge.json", badge_json().encode())])

    (found,) = open_file("cv.pdf", pdf(change))
    assert verdict(found) == "verified"


def test_a_badge_deep_in_the_tree_of_names_is_found() -> None:
    def change(writer: PdfWriter) -> None:
        names = ArrayObject([TextStringObject("b"), embedded(writer, "badge.json", badge_json().encode())])
        node = named({"/Names": names})
        for _ in range(5):
            node = named({"/Kids": ArrayObject([writer._add_object(node)])})
        writer.root_object[NameObject("/Names")] = named({"/EmbeddedFiles": writer._add_object(node)})

    (found,) = open_file("cv.pdf", pdf(change))
    assert verdict(found) == "verified"


def test_without_an_attached_badge_the_links_that_look_like_badges_are_taken() -> None:
    content = pdf(linked("https://www.example.org/me", URL, "mailto:member-1@example.org", f"{URL}2", URL))
    found = open_file("cv.pdf", content)
    assert urls(found) == [URL, f"{URL}2"]
    assert found[0].name == f"cv.pdf: {URL}"


def test_where_no_link_looks_like_a_badge_all_that_can_be_asked_are_taken_within_a_bound() -> None:
    content = pdf(linked("http://www.example.org/x", *(f"https://www.example.org/{place}" for place in range(99))))
    found = open_file("cv.pdf", content)
    assert urls(found) == [f"https://www.example.org/{place}" for place in range(pdfs.MAX_LINKS)]


def test_an_attached_badge_counts_and_not_the_links_beside_it() -> None:
    (found,) = open_file("cv.pdf", pdf(attached("badge.json", badge_json().encode()), linked(URL)))
    assert verdict(found) == "verified"


@pytest.mark.parametrize("mode", ["1", "L", "RGB", "CMYK", "RGBA"])
def test_a_code_in_a_picture_on_a_page_is_found(mode: str) -> None:
    (found,) = open_file("certificate.pdf", saved(code().convert(mode), "PDF"))
    assert (found.name, found.url) == ("certificate.pdf", URL)


def test_a_code_on_a_scanned_page_is_found() -> None:
    pages = [scenery(1600, 1200), photographed(code(), 300, degrees=4)]
    assert urls(open_file("scan.pdf", saved(pages[0], "PDF", save_all=True, append_images=pages[1:]))) == [URL]


def test_a_code_in_a_packed_picture_in_a_drawing_that_the_page_inherits_is_found() -> None:
    def change(writer: PdfWriter) -> None:
        picture = DecodedStreamObject()
        large = code().resize((2400, 2400))  # unpacked, more than an object stream may be
        picture.set_data(large.tobytes())
        width, height = large.size
        members = {"/Subtype": NameObject("/Image"), "/ColorSpace": NameObject("/DeviceGray")}
        sizes = {"/Width": width, "/Height": height, "/BitsPerComponent": 8}
        packed = picture.flate_encode()
        packed.update(named(members | {name: NumberObject(value) for name, value in sizes.items()}))
        drawing = DecodedStreamObject()
        drawing.set_data(b"/Im0 Do")
        inside = named({"/XObject": named({"/Im0": writer._add_object(packed)})})
        drawing.update(named({"/Subtype": NameObject("/Form"), "/Resources": inside}))
        resources = named({"/XObject": named({"/Fm0": writer._add_object(drawing)})})
        del writer.pages[0]["/Resources"]
        parent = writer.pages[0]["/Parent"]
        assert isinstance(parent, DictionaryObject)
        parent[NameObject("/Resources")] = resources

    assert urls(open_file("certificate.pdf", pdf(change))) == [URL]


def test_a_pdf_without_attachment_link_or_code_says_so() -> None:
    assert codes(open_file("cv.pdf", pdf())) == ["pdf-without-badge"]
    assert codes(open_file("cv.pdf", saved(scenery(400, 400), "PDF"))) == ["pdf-without-badge"]


def test_a_code_with_something_else_in_a_pdf_says_only_of_what_kind_it_is() -> None:
    assert codes(open_file("menu.pdf", saved(code("WIFI:S:guests;;"), "PDF"))) == ["code-other"]


@pytest.mark.parametrize("algorithm", ["RC4-128", "AES-128", "AES-256"])
def test_a_locked_pdf_says_so_and_one_that_is_only_kept_from_changes_is_opened(algorithm: str) -> None:
    badge = attached("badge.json", badge_json().encode())
    locked = pdf(badge, lambda writer: writer.encrypt("secret", algorithm=algorithm))
    assert codes(open_file("cv.pdf", locked)) == ["pdf-encrypted"]
    kept = pdf(badge, lambda writer: writer.encrypt("", owner_password="secret", algorithm=algorithm))
    assert verdict(open_file("cv.pdf", kept)[0]) == "verified"


def test_a_damaged_pdf_says_so() -> None:
    whole = pdf(attached("badge.json", badge_json().encode()))
    assert codes(open_file("cv.pdf", whole[:300])) == ["pdf-damaged"]
    assert codes(open_file("cv.pdf", b"%PDF-1.7\nnothing\n%%EOF")) == ["pdf-damaged"]


def test_a_pdf_whose_table_of_parts_is_lost_is_still_opened() -> None:
    whole = pdf(attached("badge.json", badge_json().encode()))
    assert verdict(open_file("cv.pdf", whole[: whole.rindex(b"startxref")] + b"startxref\n7\n%%EOF")[0]) == "verified"


def test_a_pdf_that_is_too_large_or_of_too_many_parts_is_not_read() -> None:
    assert pdfs.MAX_BYTES == 16 * 1024 * 1024  # as the sentence says
    for content in (bytes(pdfs.MAX_BYTES), *(sign * (most + 1) for sign, most in pdfs.MAX_SIGNS.items())):
        assert codes(open_file("large.pdf", b"%PDF-1.7\n" + content)) == ["pdf-too-large"]


def objects(*bodies: bytes) -> bytes:
    """Return a PDF of these objects, numbered from 1, whose first is the root."""
    out = io.BytesIO(b"%PDF-1.7\n")
    out.seek(0, io.SEEK_END)
    places = []
    for number, body in enumerate(bodies, start=1):
        places.append(out.tell())
        out.write(b"%d 0 obj\n%s\nendobj\n" % (number, body))
    table = out.tell()
    out.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(bodies) + 1))
    for place in places:
        out.write(b"%010d 00000 n \n" % place)
    out.write(b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (len(bodies) + 1, table))
    return out.getvalue()


def test_names_and_pages_that_run_in_a_circle_come_to_an_end() -> None:
    root = b"<</Type/Catalog/Pages 2 0 R/Names<</EmbeddedFiles 3 0 R>>>>"
    circle = objects(root, b"<</Kids[2 0 R 2 0 R]>>", b"<</Kids[3 0 R 3 0 R 3 0 R]>>")
    assert codes(open_file("circle.pdf", circle)) == ["pdf-without-badge"]


def test_drawings_that_hold_each_other_come_to_an_end() -> None:
    drawing = b"<</Subtype/Form/Resources<</XObject<</A 4 0 R/B 5 0 R>>>>/Length 0>>stream\n\nendstream"
    page = b"<</Type/Page/Resources<</XObject<</A 4 0 R>>>>>>"
    circle = objects(b"<</Type/Catalog/Pages 2 0 R>>", b"<</Kids[3 0 R]>>", page, drawing, drawing)
    assert codes(open_file("circle.pdf", circle)) == ["pdf-without-badge"]


def test_objects_that_are_read_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdfs, "MAX_OBJECTS", 50)
    kids = b" ".join(b"%d 0 R" % number for number in range(3, 103))
    many = objects(b"<</Type/Catalog/Pages 2 0 R>>", b"<</Kids[%s]>>" % kids, *[b"<</Type/Page>>"] * 100)
    assert codes(open_file("many.pdf", many)) == ["pdf-too-large"]


def test_a_file_is_not_searched_without_end_for_objects_that_are_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    kids = b" ".join(b"%d 0 R" % number for number in range(3, 103))
    whole = objects(b"<</Type/Catalog/Pages 2 0 R>>", b"<</Kids[%s]>>" % kids, *[b"<</Type/Page>>"] * 100)
    table = whole.index(b"xref")
    first = whole.index(b"3 0 obj")
    lost = whole[:table] + whole[table:].replace(b"%010d 00000 n" % first, b"%010d 00000 n" % (first + 3))
    assert codes(open_file("lost.pdf", lost)) == ["pdf-without-badge"]
    monkeypatch.setattr(pdfs, "MAX_SEARCHED_BYTES", 0)
    assert codes(open_file("lost.pdf", lost)) == ["pdf-too-large"]


def filled(content: bytes, members: bytes = b"") -> bytes:
    packed = zlib.compress(content, 9)
    return b"<</Length %d/Filter/FlateDecode%s>>stream\n%s\nendstream" % (len(packed), members, packed)


def test_what_attachments_unpack_to_is_bounded_each_and_together(monkeypatch: pytest.MonkeyPatch) -> None:
    root = b"<</Type/Catalog/Names<</EmbeddedFiles<</Names[(a)<</EF<</F 2 0 R>>>>(b)<</EF<</F 3 0 R>>>>]>>>>>>"
    badge = badge_json().encode()
    content = objects(root, filled(b" " * 3000 + badge), filled(badge))
    assert len(open_file("cv.pdf", content)) == 2
    monkeypatch.setattr(pdfs, "MAX_EMBEDDED_BYTES", 2500)
    assert [verdict(each) for each in open_file("cv.pdf", content)] == ["verified"]
    monkeypatch.setattr(pdfs, "MAX_UNPACKED_BYTES", 100)
    assert codes(open_file("cv.pdf", content)) == ["pdf-without-badge"]


def with_packed_objects(*bodies: bytes, padding: int = 0) -> bytes:
    """Return a PDF as newer programs write it: its objects, from 10 on, are packed in a stream, and so is their table."""
    head, data = b"", b""
    for number, body in enumerate(bodies, start=10):
        head += b"%d %d " % (number, len(data))
        data += body + b" "
    stream = filled(head + data + b" " * padding, b"/Type/ObjStm/N %d/First %d" % (len(bodies), len(head)))
    out = b"%PDF-1.7\n"
    places = {1: len(out)}
    out += b"1 0 obj\n%s\nendobj\n" % stream
    places[2] = len(out)
    rows = {number: struct.pack(">BIH", 1, place, 0) for number, place in places.items()}
    rows |= {number: struct.pack(">BIH", 2, 1, number - 10) for number in range(10, 10 + len(bodies))}
    table = b"".join(rows[number] for number in sorted(rows))
    members = b"/Type/XRef/W[1 4 2]/Root 10 0 R/Size %d/Index[1 2 10 %d]" % (10 + len(bodies), len(bodies))
    return out + b"2 0 obj\n%s\nendobj\nstartxref\n%d\n%%%%EOF" % (filled(table, members), places[2])


def test_objects_packed_in_streams_are_read_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    link = b"<</Subtype/Link/A<</S/URI/URI(%s)>>>>" % URL.encode()
    bodies = (b"<</Type/Catalog/Pages 11 0 R>>", b"<</Kids[12 0 R]>>", b"<</Type/Page/Annots[13 0 R]>>", link)
    assert urls(open_file("cv.pdf", with_packed_objects(*bodies))) == [URL]
    bomb = with_packed_objects(*bodies, padding=pdfs.MAX_OBJECT_STREAM_BYTES)
    assert len(bomb) < 10_000
    assert codes(open_file("bomb.pdf", bomb)) == ["pdf-too-large"]
    monkeypatch.setattr(pdfs, "MAX_OBJECT_STREAMS", 0)
    assert codes(open_file("cv.pdf", with_packed_objects(*bodies))) == ["pdf-too-large"]


def test_pictures_that_claim_to_be_huge_are_not_unpacked() -> None:
    claim = b"/Subtype/Image/Width 60000/Height 60000/BitsPerComponent 8/ColorSpace/DeviceGray"
    page = b"<</Type/Page/Resources<</XObject<</A 4 0 R>>>>>>"
    root = (b"<</Type/Catalog/Pages 2 0 R>>", b"<</Kids[3 0 R]>>", page)
    assert codes(open_file("huge.pdf", objects(*root, filled(bytes(9), claim)))) == ["pdf-without-badge"]


def test_only_the_first_pictures_are_searched() -> None:
    pages = [Image.new("L", (40, 40), 255)] * pdfs.MAX_PAGES_SEARCHED
    assert urls(open_file("x.pdf", saved(pages[0], "PDF", save_all=True, append_images=[*pages[2:], code()]))) == [URL]
    late = saved(pages[0], "PDF", save_all=True, append_images=[*pages[1:], code()])
    assert codes(open_file("x.pdf", late)) == ["pdf-without-badge"]


def test_nothing_of_a_document_goes_to_a_log(caplog: pytest.LogCaptureFixture) -> None:
    whole = pdf(attached("badge.json", badge_json().encode()))
    open_file("cv.pdf", whole.replace(b"/Type /Catalog", b"/Type /Katalog"))
    open_file("cv.pdf", whole[:400])
    assert caplog.records == []


@settings(max_examples=80)
@given(st.lists(st.tuples(st.integers(0, 6000), st.integers(0, 255)), min_size=1, max_size=30))
def test_a_pdf_with_bytes_changed_is_opened_or_has_a_problem(changes: list[tuple[int, int]]) -> None:
    content = bytearray(pdf(attached("badge.json", badge_json().encode()), linked(URL), pages=2))
    for place, value in changes:
        content[place % len(content)] = value
    assert open_file("x.pdf", bytes(content))


@given(
    st.lists(
        st.sampled_from(
            [
                b"1 0 obj",
                b"<<",
                b">>",
                b"/Root 1 0 R",
                b"/Kids[",
                b"]",
                b"stream\n",
                b"endstream",
                b"xref\n",
                b"trailer",
                b"startxref\n9\n",
                b"/Type/Catalog",
                b"(",
                b")",
                b"%%EOF\n",
                b"\xff\x00",
                b"9" * 70,
                b"endobj\n",
            ]
        ),
        max_size=40,
    )
)
def test_words_of_the_format_in_any_order_are_no_badge(words: list[bytes]) -> None:
    assert open_file("x.pdf", b"%PDF-1.7\n" + b" ".join(words))[0].problem is not None


def test_a_picture_that_is_no_picture_is_passed_over() -> None:
    claim = b"/Subtype/Image/Width 9/Height 9/BitsPerComponent 8/ColorSpace/DeviceGray"
    jpeg = b"<</Length 4/Filter/DCTDecode%s>>stream\n\xff\xd8\xff\xe0\nendstream" % claim
    page = b"<</Type/Page/Resources<</XObject<</A 4 0 R/B 5 0 R>>>>>>"
    root = (b"<</Type/Catalog/Pages 2 0 R>>", b"<</Kids[3 0 R]>>", page)
    assert codes(open_file("x.pdf", objects(*root, jpeg, filled(b"short", claim)))) == ["pdf-without-badge"]
