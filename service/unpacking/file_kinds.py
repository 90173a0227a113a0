"""Tell the kind of a file by its content, and whether it is a credential."""

import binascii
import re
from contextlib import suppress
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser, ParseError

from credentials import CredentialError, extract, parse_json, reading
from credentials.checks.received import form_of, read
from credentials.model import badges2

Kind = Literal[
    "png",
    "svg",
    "html",
    "xml",
    "pdf",
    "zip",
    "office",
    "photo",
    "photo-unreadable",
    "json",
    "jwt",
    "text",
    "long-text",
    "unknown",
]

MAX_TEXT_BYTES: Final = 8 * 1024 * 1024
"""Of a text, page or drawing. Its characters take four times as much memory, and are copied while it is searched."""

_MAGIC: Final[tuple[tuple[bytes, Kind], ...]] = (
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "photo"),
    (b"GIF87a", "photo"),
    (b"GIF89a", "photo"),
    (b"BM", "photo"),
    (b"II*\0", "photo"),
    (b"MM\0*", "photo"),
    (b"PK\3\4", "zip"),
    (b"PK\5\6", "zip"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "office"),
    (b"{\\rtf", "office"),
)
_PHOTO_BRANDS: Final = frozenset({b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1", b"avif", b"avis"})
_PDF: Final = b"%PDF-"
# A tag, not an address in angle brackets.
_MARKUP: Final = re.compile(
    r"\s*<(?:!--|!doctype\b|\?|[a-z][\w-]{0,40}(?::[a-z][\w.-]{0,40})?(?:[\s/>]|\Z))", re.IGNORECASE
)
_HTML: Final = re.compile(r"<(?:!doctype html|html|head|body)\b", re.IGNORECASE)
_JSON: Final = re.compile(r"\s*(?:\{|\[\s*[\[{\"\]])")
_SVG_ROOT: Final = re.compile(r"<(?:[\w.-]{1,40}:)?svg[\s/>]")
_BEGINNING: Final = 4096
_CONTROLS: Final = re.compile("[\0-\b\x0e-\x1a\x1c-\x1f]")
_TYPES: Final = frozenset(
    {
        "VerifiableCredential",
        "OpenBadgeCredential",
        "AchievementCredential",
        "EnvelopedVerifiableCredential",
    }
)
_HOLDS_BADGES: Final = re.compile(
    r"badge|assertion|credential|certificat|award|achievement|credly|openbadge|verif(?:y|ication)|/v/|/share/",
    re.IGNORECASE,
)
_RUN: Final = frozenset({"script", "handler", "foreignobject", "iframe"})
_MAX_ELEMENTS: Final = 100_000
_MAX_DECLARED: Final = 1_000
_QUOTED: Final = re.compile(rb"%([0-9A-Fa-f]{2})")
_ENDINGS: Final = (".json", ".jwt", ".png", ".svg")


def text_of(content: bytes) -> str | None:
    """Decode UTF-8, UTF-16 with its mark, or the encoding of older Windows programs.

    Return None for other bytes.
    """
    try:
        if content.startswith((b"\xff\xfe", b"\xfe\xff")):
            return content.decode("utf-16")
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", "replace")
        if "\ufffd" in text:
            return None
    return None if _CONTROLS.search(text) else text


def kind_of(content: bytes) -> Kind:
    """Return the kind that the bytes look like.

    Only opening them shows whether they are complete.
    """
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "photo"
    if content[4:8] == b"ftyp":
        return "photo-unreadable" if content[8:12] in _PHOTO_BRANDS else "unknown"
    for beginning, kind in _MAGIC:
        if content.startswith(beginning) and (beginning != b"BM" or b"\0" in content[:20]):
            return kind
    if _PDF in content[:1024]:
        return "pdf"
    if len(content) > MAX_TEXT_BYTES:
        return "unknown" if text_of(content[:_BEGINNING]) is None else "long-text"
    text = text_of(content)
    return "unknown" if text is None else _kind_of_text(text)


def _kind_of_text(text: str) -> Kind:
    beginning = text[:_BEGINNING]
    if _MARKUP.match(beginning):
        # Comments and a DOCTYPE may come first; a page may hold drawings, a drawing holds no page.
        html, svg = _HTML.search(beginning), _SVG_ROOT.search(text[: 16 * _BEGINNING])
        if svg and (not html or svg.start() < html.start()):
            return "svg"
        return "html" if html or not beginning.lstrip().startswith("<?xml") else "xml"
    if _JSON.match(beginning):
        return "json"
    return "jwt" if form_of(text) == "jwt" and is_jwt(text.strip()) else "text"


def is_jwt(text: str) -> bool:
    """Return whether the text is a compact JWT: its header must be JSON, since a host name can look alike."""
    return text.startswith(("eyJ", "ewog", "ewoJ", "eyAi")) and form_of(text) == "jwt"


def is_credential(content: bytes) -> bool:
    """Return whether this is a credential: signed or not, of today or of Open Badges 2.0, valid or not.

    For a picture: whether one credential is stored in it.
    """
    try:
        if form_of(content) in {"png", "svg"}:
            return bool(extract(content))
        if form_of(content) == "jwt":
            return is_jwt(content.decode("ascii", "replace").strip()) and bool(read(content))
        return says_credential(parse_json(content))
    except CredentialError:
        return False


def says_credential(value: Any) -> bool:
    """Return whether a JSON value says that it is a credential."""
    return isinstance(value, dict) and (
        not _TYPES.isdisjoint(reading.texts(value.get("type"))) or badges2.is_assertion(value)
    )


def names_a_badge(url: str, *, by_host: bool = True) -> bool:
    """Return whether an address looks like a badge's: by its ending, or by a word in its path (or host)."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.path.lower().endswith(_ENDINGS) or (
        _HOLDS_BADGES.search(f"{parts.netloc if by_host else ''}{parts.path}") is not None
    )


def data_of(url: str) -> bytes | None:
    """Return the content of a data: URL; None where it cannot be read.

    Spec: RFC 2397.
    """
    head, comma, data = url.partition(",")
    if not comma:
        return None
    content = _unquoted(data.encode("utf-8", "surrogatepass"))
    if not head.lower().endswith(";base64"):
        return content
    try:
        return binascii.a2b_base64(content)
    except ValueError:
        return None


def _unquoted(data: bytes) -> bytes:
    """Return what percent signs stand for; the library's function takes 180 bytes of memory for each."""
    content, end = bytearray(), 0
    for found in _QUOTED.finditer(data):
        content += data[end : found.start()]
        content.append(int(found[1], 16))
        end = found.end()
    return bytes(content + data[end:])


def holds_script(svg: bytes) -> bool:
    """Return whether a drawing holds what a browser would run: a script, a handler, a script link, or HTML.

    For a drawing that is not well-formed, or has more elements or attributes than are read: whether its beginning does.
    It may declare attributes that elements have without naming them. They count as if they were there.
    """
    found = _Scripts()
    if svg.count(b"=") > 2 * _MAX_ELEMENTS:  # before the parser reads them: it takes all attributes of a tag at once
        svg = svg[:_MAX_ELEMENTS]
    parser = DefusedXMLParser(target=found, forbid_dtd=False, forbid_entities=True, forbid_external=True)
    vars(parser)["parser"].AttlistDeclHandler = found.declared
    with suppress(ParseError, DefusedXmlException, ValueError, LookupError, _EnoughError):
        parser.feed(svg)
        parser.close()
    vars(parser).clear()  # parser and target hold each other, and with them 25 MB for many attributes
    return found.met


class _EnoughError(Exception):
    """Stops the parser: the answer is known, or too many elements were read."""


class _Scripts:
    """Parser target that reads the elements of a drawing until one would run something."""

    met = False
    _count = 0
    _declared = 0

    def declared(self, _element: str, name: str, _kind: str, default: str | None, _required: int) -> None:
        """Look at an attribute that elements have by default; each new one is compared with all before it."""
        self._declared += 1
        self.met = self.met or _runs(name, default or "")
        if self.met or self._declared > _MAX_DECLARED:
            raise _EnoughError

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._count += 1 + len(attributes)
        local = name.rpartition("}")[2].lower()
        self.met = local in _RUN or any(_runs(*attribute) for attribute in attributes.items())
        if self.met or self._count > _MAX_ELEMENTS:
            raise _EnoughError

    def close(self) -> None:
        """Return nothing, in place of the tree that a builder would return."""


def _runs(attribute: str, value: str) -> bool:
    local = attribute.rpartition("}")[2].lower()
    return local.startswith("on") or (local == "href" and "javascript:" in "".join(value[:200].split()).lower())


def credential_text(received: bytes) -> str:
    """Return the received credential as text, to be sent again.

    From a picture, return the one baked into it.
    """
    try:
        return extract(received)
    except CredentialError:
        return received.decode("utf-8", "replace")
