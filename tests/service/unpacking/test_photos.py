"""Photos and screenshots: the codes that are found in them, and what is said where there is none."""

import io
import struct
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageEnhance, ImageOps
from zxingcpp import BarcodeFormat, read_barcodes

from service.unpacking import photos
from service.unpacking.unpack import open_file
from tests.worlds.handed_over import (
    URL,
    badge_json,
    badge_jwt,
    code,
    codes,
    photographed,
    png,
    saved,
    scenery,
    tilted,
    urls,
    verdict,
)

FORMS = ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"]


@pytest.mark.parametrize("form", FORMS)
def test_a_code_is_read_from_every_kind_of_picture(form: str) -> None:
    (found,) = open_file("screenshot", saved(code().convert("RGB"), form))
    assert (found.name, found.url) == ("screenshot", URL)


@pytest.mark.parametrize("form", [BarcodeFormat.QRCode, BarcodeFormat.Aztec, BarcodeFormat.DataMatrix])
@pytest.mark.parametrize(("side", "degrees"), [(150, 0), (150, 33), (260, 90), (400, 200)])
def test_a_small_turned_code_in_a_large_photo_is_found(form: BarcodeFormat, side: int, degrees: float) -> None:
    photo = photographed(code(form=form), side, degrees=degrees)
    assert urls(open_file("photo.jpg", saved(photo, "JPEG", quality=80))) == [URL]


@pytest.mark.parametrize("blur", [2, 8])
def test_a_code_seen_from_the_side_and_out_of_focus_is_found(blur: float) -> None:
    assert urls(open_file("photo.jpg", saved(photographed(tilted(code()), 900, blur=blur), "JPEG"))) == [URL]


def test_a_code_far_out_of_focus_and_a_pale_one_are_found_once_they_are_sharpened() -> None:
    far = photographed(tilted(code()), 900, degrees=7, blur=12)
    pale = ImageEnhance.Contrast(photographed(code(), 300, blur=3)).enhance(0.05)
    for photo in (far, pale):
        assert not any(read_barcodes(searched, formats=formats) for formats, searched in photos._attempts(photo))
        assert urls(open_file("photo.png", png(photo))) == [URL]


def test_a_tiny_code_is_found() -> None:
    assert urls(open_file("icon.png", png(code(scale=1)))) == [URL]


def test_a_code_in_light_on_dark_and_one_on_nothing_are_found() -> None:
    assert urls(open_file("dark.png", png(ImageOps.invert(code())))) == [URL]
    black = Image.new("L", code().size, 0)
    black.putalpha(ImageOps.invert(code()))
    assert urls(open_file("transparent.png", png(black))) == [URL]


@pytest.mark.parametrize("mode", ["1", "P", "LA", "CMYK", "I;16", "I", "F"])
def test_a_code_is_read_in_any_mode_of_colours(mode: str) -> None:
    grey = code()
    picture = (
        grey.convert("I").point(lambda value: value * 257).convert("I;16") if mode == "I;16" else grey.convert(mode)
    )
    assert urls(open_file("x.tif", saved(picture, "TIFF"))) == [URL]


@pytest.mark.parametrize("turned", range(1, 9))
def test_a_photo_that_says_how_it_was_held_is_turned_upright(turned: int) -> None:
    exif = Image.Exif()
    exif[274] = turned
    photo = photographed(code(), 400).resize((2000, 1500))
    (upright,) = photos.pictures_in(saved(photo, "JPEG", exif=exif))
    assert upright.size == ((2000, 1500) if turned < 5 else (1500, 2000))
    assert photos.codes_in(upright) == [URL]


def test_every_code_in_a_picture_is_read_once() -> None:
    sheet = Image.new("L", (1600, 1200), 255)
    for place, text in enumerate([URL, f"{URL}2", URL]):
        sheet.paste(code(text).resize((400, 400)), (50 + 500 * place, 200))
    assert sorted(str(url) for url in urls(open_file("sheet.png", png(sheet)))) == [URL, f"{URL}2"]


def test_pages_of_a_scan_are_searched() -> None:
    scan = saved(Image.new("L", (500, 500), 255), "TIFF", save_all=True, append_images=[code()])
    assert urls(open_file("scan.tif", scan)) == [URL]


@pytest.mark.parametrize("badge", [badge_json, badge_jwt])
def test_a_whole_badge_in_a_code_is_checked(badge: object) -> None:
    assert callable(badge)
    (found,) = open_file("code.png", png(code(badge(), scale=4)))
    assert verdict(found) == "verified"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("http://badges.example.org/1", "code-insecure-link"),
        ("Table 4", "code-text"),
        ("WIFI:S:guests;P:secret;;", "code-other"),
        ("mailto:member-1@example.org", "code-other"),
        ("BEGIN:VCARD\nN:x\nEND:VCARD", "code-other"),
        ('{"a": ', "json-damaged"),
        ("https://lnkd.in/abc", "link-leads-through"),
    ],
)
def test_a_code_with_something_else_in_it_says_only_of_what_kind_it_is(content: str, problem: str) -> None:
    (found,) = open_file("code.png", png(code(content)))
    assert found.problem is not None
    assert found.problem.code == problem
    assert content not in found.problem.message


def test_a_code_with_a_link_counts_beside_one_with_something_else() -> None:
    sheet = Image.new("L", (1000, 500), 255)
    sheet.paste(code("WIFI:S:guests;;").resize((400, 400)), (50, 50))
    sheet.paste(code().resize((400, 400)), (550, 50))
    assert urls(open_file("poster.png", png(sheet))) == [URL]


def test_a_screenshot_without_a_code_is_told_from_a_photo_and_from_a_picture_of_a_badge() -> None:
    screen = scenery(1170, 2532)
    camera = Image.Exif()
    camera[271] = "Maker"
    assert codes(open_file("screenshot.png", png(screen))) == ["screenshot-without-code"]
    assert codes(open_file("screenshot.jpg", saved(screen, "JPEG"))) == ["screenshot-without-code"]
    assert codes(open_file("photo.jpg", saved(screen, "JPEG", exif=camera))) == ["photo-without-code"]
    assert codes(open_file("badge.png", png(scenery(512, 512)))) == ["picture-without-badge"]


def test_a_picture_of_too_many_pixels_is_never_unpacked() -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    for width, height in [(9000, 9000), (60_000, 60_000), (2**31 - 1, 1)]:
        header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
        bomb = b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(100_000))) + chunk(b"IEND", b"")
        assert codes(open_file("bomb.png", bomb)) == ["picture-too-large"]


@pytest.mark.parametrize("form", FORMS)
def test_a_picture_cut_short_is_damaged_or_read_as_far_as_it_goes(form: str) -> None:
    whole = saved(scenery(600, 400).convert("RGB"), form)
    for part in (0.02, 0.5, 0.9):
        (found,) = open_file("cut", whole[: int(len(whole) * part)])
        assert found.problem is not None


def test_only_one_picture_of_a_file_is_unpacked_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    unpacked: list[Image.Image] = []

    def noted(picture: Image.Image) -> Image.Image:
        unpacked.append(picture)
        return picture.convert("L")

    monkeypatch.setattr(photos, "grey", noted)
    pages = [Image.new("L", (10, 10)) for _ in range(3)]
    scan = io.BytesIO()
    pages[0].save(scan, "TIFF", save_all=True, append_images=pages[1:])
    for place, _ in enumerate(photos.pictures_in(scan.getvalue()), 1):
        assert len(unpacked) == place


def test_a_large_jpeg_is_unpacked_at_half_its_size() -> None:
    (found,) = photos.pictures_in(saved(Image.new("RGB", (6000, 4000)), "JPEG"))
    assert found.size == (3000, 2000)
    (found,) = photos.pictures_in(saved(Image.new("RGB", (5000, 4000)), "JPEG"))
    assert found.size == (5000, 4000)


def test_a_picture_that_unpacks_to_too_many_bytes_is_too_large() -> None:
    assert codes(open_file("x.png", png(Image.new("RGBA", (4000, 3700))))) == ["picture-too-large"]
    assert codes(open_file("x.png", png(Image.new("1", (4000, 3700))))) == ["picture-without-badge"]


def test_the_search_of_a_picture_has_a_last_step() -> None:
    for size in [(1, 1), (1, 8000), (3000, 2), (8000, 8000)]:
        searched = list(photos._attempts(Image.new("L", size)))
        assert len(searched) <= 2 * (2 + len(photos.LONG_SIDES))
        assert sum(picture.width * picture.height for _, picture in searched) <= 2 * max(5 * size[0] * size[1], 16)


@settings(max_examples=60)
@given(st.sampled_from(FORMS), st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 255)), min_size=1, max_size=20))
def test_a_picture_with_bytes_changed_is_opened_or_has_a_problem(form: str, changes: list[tuple[int, int]]) -> None:
    content = bytearray(saved(code(scale=3).convert("RGB"), form))
    for place, value in changes:
        content[place % len(content)] = value
    for found in open_file("x", bytes(content)):
        assert (found.problem is None) != (found.url is None and found.received is None)


def test_a_picture_for_which_the_memory_is_too_small_has_too_many_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise MemoryError

    content = png(code().convert("RGB"))
    for where in ("PIL.Image.open", "PIL.Image.Image.convert", "service.unpacking.photos.read_barcodes"):
        with monkeypatch.context() as patched:
            patched.setattr(where, full)
            assert codes(open_file("photo.png", content)) == ["picture-too-large"]
