"""Hostile files of every kind that the service opens, drawn from a seed."""

import base64
import io
import json
import random
import struct
import zipfile
import zlib
from collections.abc import Callable
from functools import cache

from PIL import Image
from pypdf import PdfWriter

Make = Callable[[random.Random], tuple[str, bytes]]


def drawn(seed: int) -> tuple[str, bytes]:
    """Return name and content of the file that belongs to a seed."""
    choice = random.Random(seed)
    name, content = choice.choice(KINDS)(choice)
    if choice.random() < 0.4:
        content = _changed(choice, content)
    return name, content


@cache
def zip_of_large_pictures() -> tuple[str, bytes]:
    """400 pictures of four million pixels, in 69 kB: what once stopped the service."""
    picture = io.BytesIO()
    Image.new("1", (2000, 2000)).save(picture, "PNG", optimize=True)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for n in range(400):
            archive.writestr(f"{n}.png", picture.getvalue())
    return "pictures.zip", packed.getvalue()


def _zip_of_zeros(choice: random.Random) -> tuple[str, bytes]:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for n in range(choice.randint(1, 40)):
            archive.writestr(f"{n}.txt", bytes(choice.choice([1 << 16, 1 << 20, 1 << 24])))
    return "zeros.zip", packed.getvalue()


def _zip_of_names(choice: random.Random) -> tuple[str, bytes]:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for n in range(choice.randint(100, 6000)):
            archive.writestr("../" * choice.randint(0, 30) + f"{n}.json", b"{}")
    return "names.zip", packed.getvalue()


def _photo(choice: random.Random) -> tuple[str, bytes]:
    form = choice.choice(["PNG", "JPEG", "GIF", "WEBP", "TIFF", "BMP"])
    mode = choice.choice(["1", "L", "RGB"])
    side = choice.choice([1, 300, 2000, 4000])
    image = Image.new(mode, (side, choice.choice([1, side])))
    if side <= 300:
        image = Image.effect_noise(image.size, 100).convert(mode)
    file = io.BytesIO()
    image.save(file, form)
    return f"photo.{form.lower()}", file.getvalue()


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _png_with_chunks(choice: random.Random) -> tuple[str, bytes]:
    size = choice.choice([1, 50_000, 2**31 - 1])
    header = struct.pack(">IIBBBBB", size, size, choice.choice([1, 8, 16]), choice.choice([0, 2, 3, 6]), 0, 0, 0)
    packed = zlib.compress(bytes(1 << 24))
    texts = [
        _chunk(b"iTXt", b"openbadgecredential\0\1\0\0\0" + packed),
        _chunk(b"zTXt", b"openbadge\0\0" + packed),
        _chunk(b"tEXt", b"openbadge\0" + b"A" * 100_000),
    ]
    chosen = b"".join(choice.choices(texts, k=choice.randint(0, 20)))
    end = _chunk(b"IEND", b"")
    return "chunks.png", b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + chosen + _chunk(b"IDAT", packed) + end


def _svg(choice: random.Random) -> tuple[str, bytes]:
    n = choice.choice([10, 10_000, 200_000])
    kinds = [
        b"<svg xmlns='http://www.w3.org/2000/svg' " + b" ".join(b"a%d='1'" % k for k in range(n)) + b"/>",
        b"<svg xmlns='http://www.w3.org/2000/svg'>" + b"<g>" * n + b"</g>" * n + b"</svg>",
        b"<!DOCTYPE svg [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;'>]><svg>" + b"&b;" * n + b"</svg>",
        b"<svg xmlns='http://www.w3.org/2000/svg'><!--" + b"-" * n + b"--></svg>",
    ]
    return "drawing.svg", choice.choice(kinds)


def _pdf(choice: random.Random) -> tuple[str, bytes]:
    writer = PdfWriter()
    for _ in range(choice.randint(1, 200)):
        writer.add_blank_page(choice.randint(1, 10_000), 200)
    for n in range(choice.randint(0, 50)):
        writer.add_attachment(f"{n}.json", bytes(choice.choice([10, 1 << 20])))
    file = io.BytesIO()
    writer.write(file)
    return "document.pdf", file.getvalue()


def _pdf_in_circles(choice: random.Random) -> tuple[str, bytes]:
    n = choice.choice([10, 1000, 30_000])
    parts = b"".join(b"%d 0 obj\n<</Type/Pages/Kids[%d 0 R 1 0 R]>>\nendobj\n" % (k, k % n + 1) for k in range(1, n))
    return "circles.pdf", b"%PDF-1.7\n" + parts + b"trailer\n<</Root 1 0 R/Size %d>>\n%%%%EOF" % n


def _credential(**members: object) -> dict[str, object]:
    return {
        "@context": [
            "https://www.w3.org/ns/credentials/v2",
            "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
        ],
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "issuer": {"id": "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK", "type": ["Profile"]},
        "proof": {
            "type": "DataIntegrityProof",
            "cryptosuite": "eddsa-rdfc-2022",
            "proofPurpose": "assertionMethod",
            "verificationMethod": "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"
            "#z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK",
            "proofValue": "z" + "3" * 88,
        },
    } | members


def _dense_json(choice: random.Random) -> tuple[str, bytes]:
    n = choice.choice([10, 500, 4000])
    subjects = [
        {"type": ["AchievementSubject"], "result": [{"type": ["Result"], "value": str(k)} for k in range(n)]},
        {"type": "AchievementSubject", "achievement": {"type": "Achievement", "related": [{"type": "Related"}] * n}},
        {"id": "_:b0", "type": "AchievementSubject", "source": {"id": "_:b1", "type": "Profile"}},
    ]
    return "badge.json", json.dumps(_credential(credentialSubject=choice.choice(subjects))).encode()


def _deep_json(choice: random.Random) -> tuple[str, bytes]:
    n = choice.choice([50, 1000, 200_000])
    return "deep.json", choice.choice([b'{"a":' * n + b"1" + b"}" * n, b"[" * n + b"]" * n, b"[" + b"0," * n + b"0]"])


def _jwt(choice: random.Random) -> tuple[str, bytes]:
    header = base64.urlsafe_b64encode(json.dumps({"alg": choice.choice(["none", "RS256", "ES256", "HS256"])}).encode())
    body = base64.urlsafe_b64encode(json.dumps(_credential(text="a" * choice.choice([1, 500_000]))).encode())
    return "badge.jwt", b".".join(part.rstrip(b"=") for part in (header, body, b"AAAA"))


def _page(choice: random.Random) -> tuple[str, bytes]:
    n = choice.choice([1, 1000, 50_000])
    return "page.html", b"<!doctype html>" + b"<a href='/badge.json'>badge</a><div>" * n


def _lines(choice: random.Random) -> tuple[str, bytes]:
    n = choice.choice([2, 400, 20_000])
    return "links.csv", b"link\n" + b"".join(b"http://10.0.0.%d/badge-%d\n" % (k % 255, k) for k in range(n))


def _noise(choice: random.Random) -> tuple[str, bytes]:
    beginnings = [b"", b"PK\3\4", b"%PDF-1.4", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"II*\0", b"{", b"<svg"]
    return "noise", choice.choice(beginnings) + choice.randbytes(choice.choice([0, 100, 100_000]))


def _changed(choice: random.Random, content: bytes) -> bytes:
    """Return the content with a few bytes changed, or cut short."""
    changed = bytearray(content)
    for _ in range(choice.randint(1, 20)):
        if changed:
            changed[choice.randrange(len(changed))] = choice.randrange(256)
    return bytes(changed[: choice.randint(0, len(changed))] if choice.random() < 0.3 else changed)


KINDS: tuple[Make, ...] = (
    lambda _choice: zip_of_large_pictures(),
    _zip_of_zeros,
    _zip_of_names,
    _photo,
    _png_with_chunks,
    _svg,
    _pdf,
    _pdf_in_circles,
    _dense_json,
    _deep_json,
    _jwt,
    _page,
    _lines,
    _noise,
)
