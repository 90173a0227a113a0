"""A signed badge in every form and container that visitors hand in for a check."""

import io
import json
import random
import zipfile
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from PIL import Image, ImageFilter
from pypdf import PdfWriter
from pypdf.generic import ArrayObject, DictionaryObject, NameObject, TextStringObject
from zxingcpp import BarcodeFormat, create_barcode, write_barcode_to_image

from credentials import PACKAGED, bake, sign_jwt, verify
from service.unpacking.unpack import Opened
from tests.credentials.parties import NOW, Party, World

URL = "https://badges.example.org/credentials/abcdefghijklmnopqrstuv"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>'
ISSUER = Party(31)


@cache
def badge_json() -> str:
    """Return a credential with a valid proof by a did:key."""
    return json.dumps(ISSUER.sign(ISSUER.credential()))


@cache
def badge_jwt() -> str:
    return sign_jwt(ISSUER.credential(), ISSUER.ed25519, kid=ISSUER.method(ISSUER.ed25519), form="vc-jose-cose")


@cache
def badge_png() -> bytes:
    return bake(png(Image.new("RGB", (64, 64), "teal")), badge_json())


@cache
def badge_svg() -> bytes:
    return bake(SVG, badge_jwt())


def forms() -> dict[str, bytes]:
    """Return the badge in each form, by the ending of its file."""
    return {"json": badge_json().encode(), "jwt": badge_jwt().encode(), "png": badge_png(), "svg": badge_svg()}


def verdict(opened: Opened) -> str:
    """Return the library's verdict on what was opened."""
    assert opened.received is not None
    return verify(opened.received, now=NOW, load=World().load, contexts=PACKAGED).verdict


def codes(opened: list[Opened]) -> list[str | None]:
    """Return the code of each problem; None for what can be checked."""
    return [each.problem.code if each.problem else None for each in opened]


def urls(opened: list[Opened]) -> list[str | None]:
    return [each.url for each in opened]


def png(picture: Image.Image, **options: Any) -> bytes:
    return saved(picture, "PNG", **options)


def saved(picture: Image.Image, form: str, **options: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, form, **options)
    return file.getvalue()


def code(text: str = URL, form: BarcodeFormat = BarcodeFormat.QRCode, scale: int = 8) -> Image.Image:
    return Image.fromarray(write_barcode_to_image(create_barcode(text, form), scale=scale))


def scenery(width: int, height: int) -> Image.Image:
    """Return a picture without a code, like a photo.

    It has soft patches, the same each time.
    """
    small = Image.frombytes(
        "L", (width // 16, height // 16), random.Random(5).randbytes((width // 16) * (height // 16))
    )
    return small.point(lambda value: 90 + value // 3).resize((width, height), Image.Resampling.BICUBIC)


def photographed(what: Image.Image, side: int, *, degrees: float = 0, blur: float = 1.0) -> Image.Image:
    """Return a photo of 12 megapixels with `what` in it.

    `what` is `side` pixels wide, turned and a little out of focus.
    """
    photo = scenery(4000, 3000)
    small = what.convert("LA").resize((side, side)).rotate(degrees, expand=True, resample=Image.Resampling.BICUBIC)
    photo.paste(small.getchannel(0), (2300, 1100), small.getchannel(1))
    return photo.filter(ImageFilter.GaussianBlur(blur))


def tilted(what: Image.Image) -> Image.Image:
    """Return `what` as it looks from below and from the side."""
    wide = what.resize((900, 900))
    seen = (1.2, 0.15, -60, 0.05, 1.3, -40, 0.0001, 0.0003)
    return wide.transform((900, 900), Image.Transform.PERSPECTIVE, seen, fillcolor=255)


def zipped(files: Mapping[str, bytes], **options: Any) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", **options) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return file.getvalue()


def pdf(*changes: Callable[[PdfWriter], object], pages: int = 1) -> bytes:
    """Return a PDF of empty pages, with these changes."""
    writer = PdfWriter()
    for _ in range(pages):
        writer.add_blank_page(200, 200)
    for change in changes:
        change(writer)
    file = io.BytesIO()
    writer.write(file)
    return file.getvalue()


def attached(name: str, content: bytes) -> Callable[[PdfWriter], object]:
    return lambda writer: writer.add_attachment(name, content)


def linked(*addresses: str) -> Callable[[PdfWriter], object]:
    """Give the first page a link to each address."""

    def change(writer: PdfWriter) -> None:
        annotate(
            writer,
            *(
                {
                    "/Subtype": NameObject("/Link"),
                    "/A": named({"/S": NameObject("/URI"), "/URI": TextStringObject(one)}),
                }
                for one in addresses
            ),
        )

    return change


def annotate(writer: PdfWriter, *annotations: Mapping[str, Any]) -> None:
    """Give the first page annotations with these members."""
    made = [writer._add_object(named({"/Type": NameObject("/Annot")} | dict(each))) for each in annotations]
    writer.pages[0][NameObject("/Annots")] = ArrayObject(made)


def named(members: Mapping[str, Any]) -> DictionaryObject:
    return DictionaryObject({NameObject(name): value for name, value in members.items()})
