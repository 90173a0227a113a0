"""Draw the link to a badge as a QR code, for print and screens."""

from functools import lru_cache
from io import BytesIO
from itertools import groupby
from typing import Final

from PIL import Image
from zxingcpp import BarcodeFormat, create_barcode, write_barcode_to_image

CORRECTION: Final = "M"
"""How much of a code may be dirty or torn: 15 %, at a size that a phone still reads from a poster."""
PIXELS: Final = 24
"""Of one module, so that a PNG is about 1,000 pixels wide and is printed sharply."""
SHOWN: Final = 240
"""The width of an SVG where nothing else sets it, in CSS pixels."""


@lru_cache(maxsize=64)
def svg(url: str) -> bytes:
    """Return a QR code as SVG: black on white in every colour scheme, with the quiet zone around it."""
    drawn = _drawn(url)
    size = drawn.width
    path = "".join(
        f"M{start} {y}h{length}v1h-{length}z"
        for y in range(size)
        for start, length in _runs([drawn.getpixel((x, y)) == 0 for x in range(size)])
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{SHOWN}" height="{SHOWN}" viewBox="0 0 {size} {size}" '
        f'shape-rendering="crispEdges"><rect width="{size}" height="{size}" fill="#fff"/><path d="{path}"/></svg>'
    ).encode()


@lru_cache(maxsize=64)
def png(url: str) -> bytes:
    """Return a QR code as PNG."""
    drawn = _drawn(url)
    size = drawn.width * PIXELS
    file = BytesIO()
    drawn.resize((size, size), Image.Resampling.NEAREST).convert("1").save(file, "PNG", optimize=True)
    return file.getvalue()


def _drawn(url: str) -> Image.Image:
    """Return the code with one pixel for each module."""
    barcode = create_barcode(url, BarcodeFormat.QRCode, ec_level=CORRECTION)
    return Image.fromarray(write_barcode_to_image(barcode, scale=1)).convert("L")


def _runs(dark: list[bool]) -> list[tuple[int, int]]:
    """Return where each run of dark modules starts, and how long it is."""
    found, start = [], 0
    for is_dark, run in groupby(dark):
        length = len(list(run))
        if is_dark:
            found.append((start, length))
        start += length
    return found
