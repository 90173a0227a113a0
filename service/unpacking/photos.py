"""Find codes in photos and screenshots that hold a link or a credential.

The author of a picture chose its size, its format and its faults. So (1) only formats that are named here are decoded,
(2) pixels are counted before a picture is unpacked, (3) a picture is searched a bounded number of times, at sizes that
show small and large codes, and (4) any error of a decoder means a damaged picture.
"""

import struct
import zlib
from collections.abc import Iterator
from io import BytesIO
from typing import Final

from PIL import Image, ImageFilter, ImageOps
from zxingcpp import BarcodeFormat, BarcodeFormats, TextMode, read_barcodes

from service.unpacking import pasted_text, reasons
from service.unpacking.found import Opened, Problem

MAX_PIXELS: Final = 64_000_000
"""Of one picture; the largest photos of phones are somewhat smaller."""
MAX_UNPACKED_BYTES: Final = 72_000_000
"""What a picture may take in memory, in its colours and once more in grey. A large JPEG is unpacked at half its size."""
HALVED_PIXELS: Final = 20_000_000
"""A JPEG of more is searched at half its size."""
MAX_PAGES: Final = 4
"""Of a file that holds several pictures, such as a scan."""
MAX_CODES: Final = 50
LONG_SIDES: Final = (4000, 2000, 1000, 500)
"""Sizes at which a picture is searched besides its own, in pixels on the longer side."""
LARGEST_ENLARGED: Final = 1500
"""Up to this longer side, a picture is also searched at twice its size."""
DECODERS_RAISE: Final = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    Warning,
    struct.error,
    zlib.error,
)
"""Errors of decoders of pictures and documents whose bytes are not what they claim (4)."""
_FORMATS: Final = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "JPEG2000")
_QR: Final = BarcodeFormats([BarcodeFormat.QRCode, BarcodeFormat.MicroQRCode])
_OTHERS: Final = BarcodeFormats([BarcodeFormat.Aztec, BarcodeFormat.DataMatrix])
_CAMERA_TAGS: Final = (271, 272)
"""Exif tags: make and model of the camera."""


class PictureError(Exception):
    """A picture that cannot be searched, and why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.code)
        self.problem = problem


def open_photo(name: str, content: bytes) -> list[Opened]:
    """Return what the codes in a picture hold.

    If none holds a link or a credential, return the reason.
    """
    codes: list[str] = []
    size = (0, 0)
    try:
        for page in pictures_in(content):
            size = page.size if size == (0, 0) else size
            codes += codes_in(page)
    except PictureError as error:
        return [Opened(name, problem=error.problem)]
    return of_codes(codes, name) or [Opened(name, problem=_without_code(content, size))]


def of_codes(codes: list[str], name: str) -> list[Opened]:
    """Return what can be checked in the codes, or a reason by the first one's kind.

    Return nothing without codes.
    """
    found = [pasted_text.of_code(code, name) for code in dict.fromkeys(codes)]
    return [each for each in found if each.problem is None] or found[:1]


def codes_in(picture: Image.Image) -> list[str]:
    """Return the text of each code once.

    The search ends at the first size that shows any (3).
    """
    try:
        # QR first, at every size: in a noisy picture, the reader finds codes of the other kinds where there are none.
        for formats, searched in _attempts(picture):
            found = read_barcodes(searched, formats=formats, text_mode=TextMode.Plain)
            if found:
                return list(dict.fromkeys(code.text for code in found[:MAX_CODES]))
        # Last, sharpened, for pictures that are out of focus or pale.
        small = _within(picture, LONG_SIDES[1]).filter(ImageFilter.UnsharpMask(radius=3, percent=250, threshold=2))
        found = read_barcodes(small, formats=_QR, text_mode=TextMode.Plain)
        return list(dict.fromkeys(code.text for code in found[:MAX_CODES]))
    except MemoryError as error:
        raise PictureError(reasons.PICTURE_TOO_LARGE) from error
    except DECODERS_RAISE as error:
        raise PictureError(reasons.PICTURE_DAMAGED) from error


def grey(picture: Image.Image) -> Image.Image:
    """Return a picture in shades of grey, with white where it is transparent.

    Raises:
        PictureError: too many pixels (2), or damaged (4).
    """
    if picture.width * picture.height > MAX_PIXELS:
        raise PictureError(reasons.PICTURE_TOO_LARGE)
    try:
        if picture.mode in {"RGBA", "LA", "PA"} or "transparency" in picture.info:
            coloured = picture if picture.mode == "RGBA" else picture.convert("RGBA")
            sheet = Image.new("L", coloured.size, "white")
            sheet.paste(coloured.convert("L"), mask=coloured.getchannel("A"))
            return sheet
        if picture.mode.startswith("I;16"):
            return picture.convert("I").point(lambda value: value / 256).convert("L")
        if picture.mode == "L":
            picture.load()
            return picture
        return picture.convert("L")
    except MemoryError as error:
        raise PictureError(reasons.PICTURE_TOO_LARGE) from error
    except DECODERS_RAISE as error:
        raise PictureError(reasons.PICTURE_DAMAGED) from error


def pictures_in(content: bytes) -> Iterator[Image.Image]:
    """Yield the pictures in a file, upright and grey: at least one, at most `MAX_PAGES`.

    Only one at a time is unpacked.

    Raises:
        PictureError: the file cannot be read.
    """
    for page in range(MAX_PAGES):
        picture = _page(content, page)
        if picture is None:
            return
        yield picture


def _page(content: bytes, page: int) -> Image.Image | None:
    """Return one of the pictures in a file; None after the last."""
    try:
        with Image.open(BytesIO(content), formats=_FORMATS) as picture:  # (1)
            try:
                picture.seek(page)
            except EOFError:
                return None
            if picture.width * picture.height > MAX_PIXELS:  # (2)
                raise PictureError(reasons.PICTURE_TOO_LARGE)
            scale = 2 if picture.width * picture.height > HALVED_PIXELS else 1
            picture.draft("L", (picture.width // scale, picture.height // scale))  # a JPEG, never unpacked in colour
            if picture.width * picture.height * (len(picture.getbands()) + 1) > MAX_UNPACKED_BYTES:
                raise PictureError(reasons.PICTURE_TOO_LARGE)
            return ImageOps.exif_transpose(grey(picture))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning, MemoryError) as error:
        raise PictureError(reasons.PICTURE_TOO_LARGE) from error
    except DECODERS_RAISE as error:
        raise PictureError(reasons.PICTURE_DAMAGED) from error


def _attempts(picture: Image.Image) -> Iterator[tuple[BarcodeFormats, Image.Image]]:
    for formats in (_QR, _OTHERS):
        for searched in _sizes(picture):
            yield formats, searched


def _sizes(picture: Image.Image) -> Iterator[Image.Image]:
    """Yield the picture at each size at which it is searched (3)."""
    longest = max(picture.size)
    yield picture
    for side in LONG_SIDES:
        if side < 0.8 * longest:
            yield _within(picture, side)
    if longest <= LARGEST_ENLARGED:
        yield picture.resize((2 * picture.width, 2 * picture.height), Image.Resampling.BICUBIC)


def _within(picture: Image.Image, side: int) -> Image.Image:
    """Return the picture with a longer side of at most `side` pixels."""
    scale = min(1.0, side / max(picture.size))
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    return picture.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)


def _without_code(content: bytes, size: tuple[int, int]) -> Problem:
    """Return the reason that fits: a photo, something like a badge, or a picture of a screen or page."""
    try:
        with Image.open(BytesIO(content), formats=_FORMATS) as picture:
            exif = picture.getexif()
            if any(tag in exif for tag in _CAMERA_TAGS):
                return reasons.PHOTO_WITHOUT_CODE
            drawn = picture.format not in {"JPEG", "MPO"}
    except DECODERS_RAISE:
        drawn = False
    width, height = size
    almost_square = 4 * abs(width - height) <= max(size)
    return reasons.PICTURE_WITHOUT_BADGE if drawn and almost_square else reasons.SCREENSHOT
