"""The certificate: what it shows and holds, in every script, on two sizes of paper, and for other people's software."""

import copy
import json
from datetime import UTC, datetime
from functools import cache
from io import BytesIO
from typing import Any

import pypdfium2
import pytest
from pypdf import PdfReader
from zxingcpp import read_barcodes

from service.achievements.emblems import Emblem, drawn
from service.sharing import certificate
from service.sharing.certificate import Certified, Paper, gist, paper_of, recipients_name
from service.texts.languages import ENGLISH, SPANISH, Language
from service.unpacking.pdfs import open_pdf
from service.web.examples import collected
from tests.worlds.names import names

pytestmark = pytest.mark.any_database("a certificate is made of a signed document; no row is read for it")

SUBJECT = "credentialSubject"
MILLIMETRES = 25.4 / 72
STANDARDS = (b"pdfuaid", b"pdfaid:part")


@cache
def picture() -> str:
    return drawn(Emblem(b"7", "Active Peer", "Example Valley Writing Circle", False))


def badge(person: str | None = None, **achievement: Any) -> dict[str, Any]:
    document: dict[str, Any] = copy.deepcopy(collected()["getSignedCredential"]["answer"])
    if person is not None:
        document[SUBJECT]["identifier"].append(
            {"type": "IdentityObject", "hashed": False, "identityHash": person, "identityType": "name"}
        )
    document[SUBJECT]["achievement"] |= achievement
    return document


def certified(document: dict[str, Any], *, state: str = "valid", test: bool = False) -> Certified:
    signed = json.dumps(document, ensure_ascii=False)
    return Certified(signed, picture(), state, test, "https://laurel.example.org/verify")


def made(document: dict[str, Any], language: Language = ENGLISH, paper: Paper = "a4", **given: Any) -> bytes:
    return certificate.pdf(certified(document, **given), language, paper)


def words(content: bytes) -> str:
    return " ".join(PdfReader(BytesIO(content)).pages[0].extract_text().split())


def claimed(content: bytes) -> list[bool]:
    """Return which standards it claims, PDF/UA and PDF/A."""
    metadata = PdfReader(BytesIO(content)).root_object["/Metadata"].get_object().get_data()  # type: ignore[attr-defined]
    return [standard in metadata for standard in STANDARDS]


# --- What it shows ---------------------------------------------------------------------------------------------------


def test_it_shows_who_was_awarded_what_by_whom_for_what_and_when() -> None:
    shown = words(made(badge("Member Seven") | {"validUntil": "2027-09-21T12:00:00Z"}))
    for text in (
        "Example Valley Writing Circle",
        "localhost:8000",
        "Awarded to Member Seven",
        "For Active Peer",
        "Took part in the circle for two weeks",
        "How it was earned Attend at least three meetings",
        "Awarded on 21 September 2026",
        "Valid until 21 September 2027",
        "404262f2b1afa1",
        "Drop the document at https://laurel.example.org/verify",
    ):
        assert text in shown
    assert "TEST" not in shown
    assert "does not show their name" not in shown


def test_of_a_badge_that_shows_no_name_it_says_so() -> None:
    assert "Awarded to One person. The badge does not show their name." in words(made(badge()))


@pytest.mark.parametrize("kind", [{"hashed": True, "identityHash": "sha256$ab"}, {"identityType": "emailAddress"}])
def test_only_a_name_in_clear_is_the_recipients_name(kind: dict[str, Any]) -> None:
    document = badge("member@river.example")
    assert recipients_name(document) == "member@river.example"
    document[SUBJECT]["identifier"][-1] |= kind
    assert recipients_name(document) == ""


def test_it_says_when_a_badge_ended_and_when_one_begins() -> None:
    document = badge() | {"validUntil": "2026-10-21T12:00:00Z"}
    assert "Expired on 21 October 2026" in words(made(document, state="expired"))
    assert "Valid until 21 October 2026" in words(made(document))
    assert "Valid from 21 September 2026" in words(made(document, state="not-yet-valid"))
    assert "It does not expire." in words(made(badge()))


def test_that_of_a_practice_network_says_that_it_is_worth_nothing() -> None:
    assert "TEST: a practice badge from a network that is trying things out" in words(made(badge(), test=True))


def test_it_speaks_the_language_of_the_visitor() -> None:
    content = made(badge("Member Seven"), SPANISH)
    root: Any = PdfReader(BytesIO(content)).root_object
    assert root["/Lang"] == "es"
    assert "21 de septiembre de 2026" in words(content)


def test_what_looks_like_markup_is_shown_as_it_is_written() -> None:
    hostile = '#panic("x") *b* _i_ $x$ @a <script> \\ #sys.inputs'
    assert " ".join(hostile.split()) in words(made(badge(hostile)))


@pytest.mark.parametrize(
    ("markdown", "plain"),
    [
        ("Attend **three** meetings.", "Attend three meetings."),
        ("Do:\n\n- one\n- two\n\nThen `rest`", "Do: one · two · Then rest"),
        ("[a link](https://x.example) and\na line", "a link and a line"),
        ("<script>x</script>\n\n# Title", "Title"),
        ("", ""),
    ],
)
def test_criteria_are_shown_without_their_markdown(markdown: str, plain: str) -> None:
    assert gist(markdown) == plain


def test_long_criteria_end_in_an_ellipsis() -> None:
    assert gist("word " * 2000, 50) == "word word word word word word word word word word"[:49].rstrip() + "…"


# --- What it holds ---------------------------------------------------------------------------------------------------


def test_the_signed_badge_is_found_in_it_by_ours_and_by_other_software() -> None:
    document = badge("Member Seven")
    content, signed = made(document), json.dumps(document, ensure_ascii=False).encode()
    assert [each.received for each in open_pdf("certificate.pdf", content)] == [signed]
    assert PdfReader(BytesIO(content)).attachments["badge.json"] == [signed]
    (attached,) = [pypdfium2.PdfDocument(content).get_attachment(0)]
    assert (attached.get_name(), bytes(attached.get_data())) == ("badge.json", signed)
    described: Any = PdfReader(BytesIO(content)).root_object
    assert described["/AF"][0].get_object()["/AFRelationship"] == "/Source"


@pytest.mark.parametrize("paper", ["a4", "letter"])
@pytest.mark.parametrize("test", [False, True])
def test_its_code_leads_to_the_page_of_the_badge_when_it_is_printed(paper: Paper, test: bool) -> None:
    page = pypdfium2.PdfDocument(made(badge("Member Seven"), paper=paper, test=test))[0]
    codes = read_barcodes(page.render(scale=150 / 72, grayscale=True).to_pil())
    assert [code.text for code in codes] == [badge()["id"]]


def test_its_address_is_a_link_too() -> None:
    page: Any = PdfReader(BytesIO(made(badge()))).pages[0]
    links = {each.get_object()["/A"]["/URI"] for each in page["/Annots"]}
    assert links == {badge()["id"]}


def test_it_is_tagged_for_screen_readers() -> None:
    content = made(badge("Member Seven"))
    reader = PdfReader(BytesIO(content))
    root: Any = reader.root_object
    assert root["/MarkInfo"]["/Marked"]
    assert root["/StructTreeRoot"].get_object()["/K"]
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert reader.metadata is not None
    assert (root["/Lang"], reader.metadata.title) == ("en", "Certificate: Active Peer")
    assert claimed(content) == [True, True]
    texts = [str(each["/Alt"]) for each in _elements(root["/StructTreeRoot"]) if "/Alt" in each]
    assert any("Picture of the badge Active Peer" in text for text in texts)
    assert any("QR code" in text for text in texts)
    kinds = [str(each["/S"]) for each in _elements(root["/StructTreeRoot"]) if "/S" in each]
    assert {"/Title", "/H1"} & set(kinds)
    assert kinds.count("/Figure") == 2


def _elements(node: Any) -> list[Any]:
    found = node.get_object()
    if isinstance(found, list):
        return [inner for each in found for inner in _elements(each)]
    if not isinstance(found, dict):
        return []
    return [found, *(_elements(found["/K"]) if "/K" in found else [])]


@pytest.mark.parametrize(("paper", "size"), [("a4", (297, 210)), ("letter", (279.4, 215.9))])
def test_it_has_the_size_of_the_paper(paper: Paper, size: tuple[float, float]) -> None:
    box = PdfReader(BytesIO(made(badge(), paper=paper))).pages[0].mediabox
    assert (float(box.width) * MILLIMETRES, float(box.height) * MILLIMETRES) == pytest.approx(size, abs=0.1)


@pytest.mark.parametrize(
    ("accepted", "paper"),
    [
        (None, "a4"),
        ("en", "a4"),
        ("en-US,en;q=0.9", "letter"),
        ("en,es-MX;q=0.5", "letter"),
        ("es-419,es;q=0.9", "a4"),
        ("es-ES,en-US", "a4"),
        ("zh-Hant-TW", "a4"),
        ("fr-CA", "letter"),
    ],
)
def test_the_paper_is_that_of_the_visitors_region(accepted: str | None, paper: Paper) -> None:
    assert paper_of(accepted) == paper


def test_the_same_badge_gives_the_same_bytes_and_the_time_of_its_signature() -> None:
    document = badge("Member Seven")
    first = made(document)
    certificate._pdf.cache_clear()
    assert made(document) == first
    information = PdfReader(BytesIO(first)).metadata
    assert information is not None
    assert information.creation_date == datetime(2026, 9, 21, 12, tzinfo=UTC)


# --- Names -----------------------------------------------------------------------------------------------------------


def test_200_names_of_every_script_are_shown_whole_on_one_page_by_the_standard() -> None:
    for name in names():
        content = made(badge(name, name=name[:200]), paper="letter" if len(name) % 2 else "a4")
        reader = PdfReader(BytesIO(content))
        assert len(reader.pages) == 1, name
        assert claimed(content) == [True, True], name  # PDF/UA and PDF/A refuse a letter that is in no font
        assert recipients_name(json.loads(reader.attachments["badge.json"][0])) == " ".join(name.split()), name


@pytest.mark.parametrize(
    "person", ["Member Seven", "N" * 300, "Member " * 42, "第七位組員" * 60, "عضوالدائرة" * 30, "မြစ်သူငယ်" * 33]
)
@pytest.mark.parametrize("paper", ["a4", "letter"])
def test_the_longest_texts_keep_to_one_page_within_its_frame(person: str, paper: Paper) -> None:
    document = badge(person, name="W" * 200, description="Long words " * 900)
    document[SUBJECT]["achievement"]["criteria"]["narrative"] = "More and more words. " * 400
    document["issuer"]["name"] = "River " * 33
    content = made(document, paper=paper, test=True)
    assert len(PdfReader(BytesIO(content)).pages) == 1
    page = pypdfium2.PdfDocument(content)[0].render(scale=1, grayscale=True).to_pil()
    frame = 20  # points from the edge: between the paper's edge and the frame nothing is printed
    edges = [(0, 0, page.width, frame), (0, page.height - frame, page.width, page.height)]
    assert all(page.crop(edge).getextrema() == (255, 255) for edge in edges)


def test_with_a_letter_that_no_font_has_it_is_tagged_without_the_standards_and_says_so() -> None:
    content = made(badge("Member \N{CUNEIFORM SIGN A}"))
    root: Any = PdfReader(BytesIO(content)).root_object
    assert root["/MarkInfo"]["/Marked"]
    assert root["/StructTreeRoot"].get_object()["/K"]
    assert claimed(content) == [False, False]
    assert "does not claim the standards PDF/A and PDF/UA" in words(content)
    assert "\N{CUNEIFORM SIGN A}".encode() in PdfReader(BytesIO(content)).attachments["badge.json"][0]
    assert "does not claim" not in words(made(badge("Member Seven")))
