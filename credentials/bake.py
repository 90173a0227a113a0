"""Bake a credential into its picture, PNG or SVG, and read it out again.

The content of the file tells PNG and SVG apart. The picture around the credential proves nothing and no signature
covers it; only the text is returned.
"""

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from credentials.errors import ImageError
from credentials.strict_json import parse_json

MAX_IMAGE_BYTES: Final = 16 * 1024 * 1024
_MAX_PARTS: Final = 100_000
"""The most chunks of a PNG, or elements and attributes of an SVG."""
_PNG = b"\x89PNG\r\n\x1a\n"
_KEYWORD = b"openbadgecredential"
_OLDER_KEYWORDS = (b"clrcredential", b"openbadges")
_SVG = "http://www.w3.org/2000/svg"
_NAMESPACE = "https://purl.imsglobal.org/ob/v3p0"
_ELEMENT = f"{{{_NAMESPACE}}}credential"
_OLDER_ELEMENTS = ("{https://purl.imsglobal.org/clr/v2p0}credential", "{http://openbadges.org}assertion")
_FIRST_COUNTS = (_OLDER_KEYWORDS[-1], _OLDER_ELEMENTS[-1])
_JWT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")


def bake(image: bytes, credential_text: str) -> bytes:
    """Return the picture with the credential in it, in place of any earlier one.

    Args:
        image: PNG, or SVG in UTF-8.
        credential_text: a compact JWT, or a JSON object as text; it goes in unchanged.
    Raises:
        ImageError: neither PNG nor SVG ("image-unsupported"), damaged or cut short ("image-malformed"), over
            `MAX_IMAGE_BYTES` ("image-too-large").
        MalformedError: the text is neither a JWT nor strict JSON.
    Spec: Open Badges 3.0, section on baking (PNG: an iTXt chunk, uncompressed; SVG: an element).
    """
    credential_text = credential_text.strip()
    is_jwt = _JWT.fullmatch(credential_text) is not None
    if not is_jwt:
        parse_json(credential_text)
    _check_size(image)
    if image.startswith(_PNG):
        return _bake_png(image, credential_text)
    return _bake_svg(image, credential_text, is_jwt=is_jwt)


def extract(image: bytes) -> str:
    """Return the text of the one credential in the picture: JSON or a compact JWT.

    If the picture has none in the present form, it is searched for the older forms (CLR 2.0, Open Badges 2.0 and
    before). Their text is not a credential of today, but a report can name it. Of several of Open Badges 2.0 or before
    the first iTXt chunk or element counts, because their readers take that; tools that bake into what was baked leave
    the earlier one behind.

    Raises:
        ImageError: as `bake`; and no credential ("image-without-credential"), two ("image-two-credentials"), or one
            that is compressed or not UTF-8 ("image-malformed").
    Spec: Open Badges 3.0, section on baking; Open Badges 2.0, baking specification, on extracting.
    """
    _check_size(image)
    found = _texts_of_png(image) if image.startswith(_PNG) else _texts_of_svg(image)
    for names in (_KEYWORD, _ELEMENT), _OLDER_KEYWORDS + _OLDER_ELEMENTS:
        texts = [text for name, text in found if name in names]
        if len(texts) > 1 and not all(name in _FIRST_COUNTS for name, _ in found):
            raise ImageError("image-two-credentials", f"expected one credential in the picture, got {len(texts)}")
        if texts:
            return texts[0].strip()
    raise ImageError("image-without-credential", "expected a credential in the picture, got a picture without")


def is_image(received: bytes) -> bool:
    """Return whether the bytes look like a PNG or an XML document.

    No JSON text and no JWT does.
    """
    return received.startswith(_PNG) or received.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")


def media_type(image: bytes) -> str:
    """Return "image/png" or "image/svg+xml" for bytes that pass `is_image`."""
    return "image/png" if image.startswith(_PNG) else "image/svg+xml"


def _check_size(image: bytes) -> None:
    if len(image) > MAX_IMAGE_BYTES:
        raise ImageError("image-too-large", f"expected at most {MAX_IMAGE_BYTES} bytes, got {len(image)}")
    if not is_image(image):
        raise ImageError("image-unsupported", "expected a PNG or SVG picture, got something else")


def _check_parts(parts: int) -> None:
    if parts > _MAX_PARTS:
        raise ImageError("image-too-large", f"expected a picture of at most {_MAX_PARTS} parts, got more")


def _malformed(message: str) -> ImageError:
    return ImageError("image-malformed", message)


# --- PNG -------------------------------------------------------------------------------------------------------------


def _chunks(image: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield type and data of each chunk up to IEND.

    Each chunk must match its checksum. What follows IEND does not belong to the picture.
    """
    offset = len(_PNG)
    kind = b""
    parts = 0
    while kind != b"IEND":
        parts += 1
        _check_parts(parts)
        length = int.from_bytes(image[offset : offset + 4])
        kind, data = image[offset + 4 : offset + 8], image[offset + 8 : offset + 8 + length]
        checksum = image[offset + 8 + length : offset + 12 + length]
        if len(checksum) < 4:
            raise _malformed("expected a whole PNG, got one cut short")
        if zlib.crc32(kind + data) != int.from_bytes(checksum):
            raise _malformed("expected each PNG chunk to fit its checksum, got a damaged one")
        if (offset == len(_PNG)) != (kind == b"IHDR"):
            raise _malformed("expected a PNG that begins with its one header, got another order")
        yield kind, data
        offset += 12 + length


def _chunk(kind: bytes, data: bytes) -> bytes:
    return len(data).to_bytes(4) + kind + data + zlib.crc32(kind + data).to_bytes(4)


def _keyword(kind: bytes, data: bytes) -> bytes | None:
    """Return the keyword of a text chunk that holds a credential; None for others.

    The present form is an iTXt chunk; the older forms also use tEXt.
    """
    keyword = data.partition(b"\0")[0]
    today = kind == b"iTXt" and keyword == _KEYWORD
    return keyword if today or (kind in {b"iTXt", b"tEXt"} and keyword in _OLDER_KEYWORDS) else None


def _bake_png(image: bytes, text: str) -> bytes:
    header, *others = _chunks(image)
    kept = [chunk for chunk in others if _keyword(*chunk) is None]
    baked = (b"iTXt", _KEYWORD + b"\0\0\0\0\0" + text.encode())
    return _PNG + b"".join(_chunk(kind, data) for kind, data in (header, baked, *kept))


def _texts_of_png(image: bytes) -> list[tuple[object, str]]:
    """Return keyword and text of each chunk that holds a credential, those of type iTXt first."""
    held = [(kind, keyword, data) for kind, data in _chunks(image) if (keyword := _keyword(kind, data)) is not None]
    held.sort(key=lambda chunk: chunk[0] != b"iTXt")
    return [(keyword, _text_of_chunk(kind, data[len(keyword) + 1 :])) for kind, keyword, data in held]


def _text_of_chunk(kind: bytes, rest: bytes) -> str:
    """Return the text after the keyword and its NUL."""
    if kind == b"tEXt":
        return rest.decode("latin-1")
    compressed, language_and_text = rest[:1], rest[2:].split(b"\0", 2)
    if compressed != b"\0" or len(language_and_text) < 3:
        raise _malformed("expected the credential uncompressed in its PNG chunk, got another form")
    try:
        return language_and_text[2].decode()
    except UnicodeDecodeError as error:
        raise _malformed("expected the credential in UTF-8, got other bytes") from error


# --- SVG -------------------------------------------------------------------------------------------------------------

_TAG = re.compile(rb"<([^\s/>]+)(?:[^\"'>]|\"[^\"]*\"|'[^']*')*>")
_DECLARED_ENCODING = re.compile(rb"(?:\xef\xbb\xbf)?<\?xml[^>]*\sencoding\s*=\s*[\"']([A-Za-z0-9._-]+)")
_NOT_IN_XML = re.compile("]]>|[\ufffe\uffff]")


@dataclass
class _Drawing:
    """What the parser finds in an SVG.

    It is where the root's tag begins, the root's prefixes, and the credentials with their places.
    """

    position: Any  # the parser's, in bytes
    image: bytes
    root: int = -1
    fault: str = ""  # of a credential that nobody should read; another may still be baked in its place
    prefixes: dict[str, str] = field(default_factory=dict)
    texts: list[tuple[object, str]] = field(default_factory=list)
    places: list[tuple[int, int]] = field(default_factory=list)
    _open: list[str] = field(default_factory=list)
    _token: str = ""
    _body: list[str] = field(default_factory=list)
    _start: int = 0
    _parts: int = 0

    def start_ns(self, prefix: str, uri: str) -> None:
        if self.root < 0:
            self.prefixes[prefix] = uri

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._parts += 1 + len(attributes)
        _check_parts(self._parts)
        if self.root < 0:
            if name != f"{{{_SVG}}}svg":
                raise ImageError("image-unsupported", "expected a PNG or SVG picture, got other XML")
            self.root = self.position()
        elif self._open or name == _ELEMENT or name in _OLDER_ELEMENTS:
            if self._open and self._open[0] == _ELEMENT:
                self.fault = "expected the credential in the SVG as text, got an element in it"
            if not self._open:
                self._start, self._token, self._body = self.position(), attributes.get("verify", ""), []
            self._open.append(name)

    def data(self, text: str) -> None:
        if self._open:
            self._body.append(text)

    def end(self, _name: str) -> None:
        if self._open:
            name = self._open.pop()
            if not self._open:
                body = "".join(self._body)
                if name == _ELEMENT and self._token and body.strip():
                    self.fault = "expected a JWT or JSON in the SVG, got both, and each reader may take another"
                self.texts.append((name, self._token or body))
                tag = _tag_at(self.image, self._start)
                end = tag.end() if tag[0].endswith(b"/>") else self.image.index(b">", self.position()) + 1
                self.places.append((self._start, end))

    def close(self) -> None:
        """Do nothing; a parser target must have this method."""


def _read_svg(image: bytes) -> _Drawing:
    if image.count(b"=") > _MAX_PARTS * 2:  # before the parser reads them: it takes all attributes of a tag at once
        raise ImageError("image-too-large", f"expected an SVG of at most {_MAX_PARTS} parts, got more")
    drawing = _Drawing(None, image)
    # Drawing programs write a DOCTYPE. Nothing outside is loaded for it, and it may declare neither entities nor what
    # attributes an element has without writing them: a reader that leaves declarations out would see another drawing.
    parser = DefusedXMLParser(target=drawing, forbid_dtd=False, forbid_entities=True, forbid_external=True)
    expat = vars(parser)["parser"]
    expat.AttlistDeclHandler = _refuse_declaration
    drawing.position = lambda: expat.CurrentByteIndex
    try:
        parser.feed(image)
        parser.close()
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise _malformed(
            "expected well-formed SVG that declares no entities or attributes, got something else"
        ) from error
    finally:
        drawing.position = None  # parser and target hold each other, and with them 25 MB for many attributes
        vars(parser).clear()
    return drawing


def _refuse_declaration(*_attribute: object) -> NoReturn:
    raise ValueError


def _texts_of_svg(image: bytes) -> list[tuple[object, str]]:
    drawing = _read_svg(image)
    if drawing.fault:
        raise _malformed(drawing.fault)
    return drawing.texts


def _tag_at(image: bytes, offset: int) -> re.Match[bytes]:
    """Return the start tag at `offset` of a well-formed document; group 1 is its name."""
    match = _TAG.match(image, offset)
    assert match is not None
    return match


def _bake_svg(image: bytes, text: str, *, is_jwt: bool) -> bytes:
    """Return the drawing with the credential in it; all other bytes stay as they are."""
    drawing = _read_svg(image)
    encoding = _DECLARED_ENCODING.match(image)
    if encoding and encoding[1].lower() not in {b"utf-8", b"us-ascii"}:
        raise ImageError("image-unsupported", "expected an SVG in UTF-8, got another encoding")
    tag = _tag_at(image, drawing.root)
    declaration = f' xmlns:openbadges="{_NAMESPACE}"'
    prefix = drawing.prefixes.get("openbadges")
    on_root = declaration if prefix is None else ""
    on_element = declaration if prefix not in {None, _NAMESPACE} else ""
    if is_jwt:
        element = f'<openbadges:credential{on_element} verify="{text}"></openbadges:credential>'
    else:
        escaped = _NOT_IN_XML.sub(lambda found: found[0][:-1] + f"\\u{ord(found[0][-1]):04x}", text)
        element = f"<openbadges:credential{on_element}><![CDATA[{escaped}]]></openbadges:credential>"
    closed = tag[0].endswith(b"/>")
    parts = [image[: drawing.root], tag[0][: -2 if closed else -1], on_root.encode(), b">", element.encode()]
    if closed:
        parts.append(b"</" + tag[1] + b">")
    offset = tag.end()
    for start, end in drawing.places:
        parts.append(image[offset:start])
        offset = end
    return b"".join([*parts, image[offset:]])
