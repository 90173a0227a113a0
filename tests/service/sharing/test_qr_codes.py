"""QR codes, read back by the library that reads those of photos."""

from io import BytesIO

import pytest
from PIL import Image
from zxingcpp import BarcodeFormat, BarcodeFormats, read_barcodes

from service.achievements import pictures
from service.sharing import qr_codes

QR_CODE = BarcodeFormats(BarcodeFormat.QRCode)
URL = "https://badges.example.org/credentials/404262f2b1afa1d3f03028fec0bedbd8"
LONG = f"https://{'valley.' * 25}example.org/credentials/404262f2b1afa1d3f03028fec0bedbd8"


def read(picture: Image.Image) -> list[str]:
    return [each.text for each in read_barcodes(picture, formats=QR_CODE)]


@pytest.mark.parametrize("url", [URL, LONG])
def test_both_forms_lead_to_the_link(url: str) -> None:
    with Image.open(BytesIO(qr_codes.png(url))) as png:
        assert read(png.convert("L")) == [url]
    with Image.open(BytesIO(pictures.png(qr_codes.svg(url).decode(), 480, 480))) as svg:
        assert read(svg.convert("L")) == [url]


def test_a_png_is_large_enough_for_print() -> None:
    with Image.open(BytesIO(qr_codes.png(URL))) as png:
        assert png.width == png.height >= 900
        assert len(qr_codes.png(URL)) < 10_000


def test_it_is_black_on_white_with_a_quiet_zone_in_every_colour_scheme() -> None:
    drawn = qr_codes.svg(URL).decode()
    size = int(drawn.partition('viewBox="0 0 ')[2].partition(" ")[0])
    with Image.open(BytesIO(pictures.png(drawn, 10 * size, 10 * size))) as svg:
        colours = svg.convert("RGBA")
    zone = colours.crop((0, 0, 10 * size, 40))
    assert zone.getcolors() == [(zone.width * zone.height, (255, 255, 255, 255))]
    assert {colour for _, colour in colours.getcolors() or []} == {(255, 255, 255, 255), (0, 0, 0, 255)}


def test_a_spot_on_it_does_no_harm() -> None:
    with Image.open(BytesIO(qr_codes.png(URL))) as png:
        spotted = png.convert("L")
    spotted.paste(255, (450, 450, 570, 570))
    assert read(spotted) == [URL]
