"""Find badges in a PDF, within bounds.

They are (1) files embedded in it, else (2) links on its pages, else (3) codes in pictures on its pages. The author of a
PDF decides which objects it has and how they refer to each other. This module follows them itself, since the library's
conveniences would read all of them: (4) it counts nodes and visits each object once, (5) it adds up what streams unpack
to, within one budget, (6) it runs and reads nothing outside the file, and (7) it does not open a file with too many
parts.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import IO, Any, Final

from PIL import Image
from pypdf import PdfReader, apply_configuration
from pypdf.errors import LimitReachedError, PyPdfError
from pypdf.generic import (
    ArrayObject,
    DictionaryObject,
    EncodedStreamObject,
    IndirectObject,
    PdfObject,
    StreamObject,
)

from service.unpacking import pasted_text, reasons
from service.unpacking.file_kinds import is_credential, names_a_badge
from service.unpacking.found import Opened, shown_name
from service.unpacking.photos import DECODERS_RAISE, MAX_PIXELS, PictureError, codes_in, grey, of_codes, pictures_in

MAX_BYTES: Final = 16 * 1024 * 1024
MAX_SIGNS: Final = {b"obj": 200_000, b"<<": 200_000, b"trailer": 1000, b"startxref": 1000}
"""How often words of the format may be in a file; a reader that searches for lost parts looks for them."""
MAX_OBJECTS: Final = 20_000
"""How many objects of a document are read."""
MAX_OBJECT_STREAMS: Final = 200
MAX_OBJECT_STREAM_BYTES: Final = 2 * 1024 * 1024
MAX_SEARCHED_BYTES: Final = 192 * 1024 * 1024
"""Of a file that is searched again and again for objects that are not where its table says."""
MAX_NODES: Final = 5_000
"""How many nodes of one tree are read: names of files, or pages."""
MAX_PAGES: Final = 100
MAX_PAGES_SEARCHED: Final = 10
"""How many pages have their pictures searched for codes."""
MAX_PICTURES: Final = 20
MAX_UNPACKED_BYTES: Final = 96 * 1024 * 1024
"""Of all streams of a document together."""
MAX_EMBEDDED_BYTES: Final = 16 * 1024 * 1024
MAX_FILES: Final = 50
MAX_LINKS: Final = 10
_DEPTH: Final = 3
"""How deep pictures are searched for in drawings within drawings."""

# The library would log what is odd in a document, which is somebody's private content.
logging.getLogger("pypdf").setLevel(logging.CRITICAL + 1)


def open_pdf(name: str, content: bytes, *, everything: bool = False) -> list[Opened]:
    """Return what can be checked in a PDF, or why there is nothing.

    Args:
        everything: also tell of what cannot be checked in it.
    """
    if len(content) > MAX_BYTES or any(content.count(sign) > most for sign, most in MAX_SIGNS.items()):  # (7)
        return [Opened(name, problem=reasons.PDF_TOO_LARGE)]
    try:
        with apply_configuration(
            maximum_declared_stream_length=len(content),
            zlib_maximum_output_length=MAX_OBJECT_STREAM_BYTES,
            zlib_maximum_recovery_input_length=100_000,
            lzw_maximum_output_length=MAX_OBJECT_STREAM_BYTES,
            run_length_maximum_output_length=MAX_OBJECT_STREAM_BYTES,
            array_maximum_element_count=MAX_OBJECTS,
            dictionary_maximum_element_count=MAX_OBJECTS,
            stream_filters_maximum_length=4,
            stream_decoding_work_maximum_length=MAX_UNPACKED_BYTES,
            jbig2dec_binary=None,  # (6)
            disable_legacy_handling=True,
        ):
            reader = _Bounded(content)
            if reader.locked:
                return [Opened(name, problem=reasons.PDF_ENCRYPTED)]
            document = _Document(reader, everything)
            return document.files(name) or document.links(name) or document.codes(name) or _without(name)
    except LimitReachedError:
        return [Opened(name, problem=reasons.PDF_TOO_LARGE)]
    except (PyPdfError, *DECODERS_RAISE):
        return [Opened(name, problem=reasons.PDF_DAMAGED)]


def _without(name: str) -> list[Opened]:
    return [Opened(name, problem=reasons.PDF_WITHOUT_BADGE)]


class _Bounded(PdfReader):
    """A reader that gives up on a document with too many objects (4)."""

    def __init__(self, content: bytes) -> None:
        self.size = len(content)
        self.read_objects = 0
        self.searched = 0
        self.object_streams: set[int] = set()
        self._number = 0
        super().__init__(BytesIO(content), root_object_recovery_limit=1000, xref_stream_maximum_entries=200_000)

    @property
    def locked(self) -> bool:
        """Whether it takes a password to read it."""
        return self.is_encrypted and not self.decrypt("")

    def get_object(self, indirect_reference: int | IndirectObject) -> PdfObject | None:
        """Return an object."""
        number = indirect_reference if isinstance(indirect_reference, int) else indirect_reference.idnum
        self.read_objects += 1
        if number in self.xref_objStm:
            self.object_streams.add(self.xref_objStm[number][0])
        if (
            self.read_objects > MAX_OBJECTS
            or len(self.object_streams) > MAX_OBJECT_STREAMS
            or self.searched > MAX_SEARCHED_BYTES
        ):
            raise LimitReachedError("expected a document of fewer objects")
        self._number = number
        return super().get_object(indirect_reference)

    def read_object_header(self, stream: IO[Any]) -> tuple[int, int]:
        """Return number and generation of the object that begins here.

        If none does, all bytes are searched for it.
        """
        found = (-1, -1)
        try:
            found = super().read_object_header(stream)
        finally:
            if found[0] != self._number:
                self.searched += self.size
        return found


@dataclass
class _Document:
    """A document that is being read: its pages, and how many bytes may still be unpacked."""

    reader: PdfReader
    everything: bool = False
    left: int = field(default_factory=lambda: MAX_UNPACKED_BYTES)
    _pages: list[tuple[DictionaryObject, DictionaryObject]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._pages = list(_pages(self.reader))

    def files(self, name: str) -> list[Opened]:
        """Return the embedded files that are credentials, or pictures with one baked in (1)."""
        found: dict[bytes, Opened] = {}
        others: list[Opened] = []
        seen: set[int] = set()
        for called, specification in self._specifications():
            stream = _stream_of(specification)
            if stream is None or id(stream) in seen or len(seen) >= MAX_FILES:
                continue
            seen.add(id(stream))
            content = self._unpacked(stream, MAX_EMBEDDED_BYTES)
            if content and is_credential(content):
                found.setdefault(content, Opened(shown_name(f"{name}/{called}"), received=content))
            else:
                others.append(Opened(shown_name(f"{name}/{called}"), problem=reasons.PDF_FILE_WITHOUT_BADGE))
        return [*found.values(), *others] if found and self.everything else list(found.values())

    def links(self, name: str) -> list[Opened]:
        """Return the links that look like badges.

        If none does, return all links that can be checked (2).
        """
        urls: dict[str, None] = {}
        for annotation in self._annotations():
            action = _dictionary(annotation.get("/A"))
            url = _at(action, "/URI")
            if _at(annotation, "/Subtype") == "/Link" and _at(action, "/S") == "/URI" and isinstance(url, str | bytes):
                urls[(url if isinstance(url, str) else url.decode("latin-1")).strip()] = None
        opened = [pasted_text.of_link(url) for url in urls if url.lower().startswith(("https://", "http://"))]
        checkable = [each for each in opened if each.url is not None]
        likely = [each for each in checkable if names_a_badge(each.url or "")]
        taken = likely or checkable
        if taken and self.everything:
            taken = taken[:MAX_LINKS] + [each for each in opened if each.url is None and names_a_badge(each.name)]
        told = [
            Opened(shown_name(f"{name}: {each.name}"), url=each.url, problem=each.problem)
            for each in taken[: 2 * MAX_LINKS]
        ]
        if not self.everything:
            return told[:MAX_LINKS]
        more = len(likely or checkable) > MAX_LINKS or len(taken) > 2 * MAX_LINKS
        return [*told, Opened(name, problem=reasons.PDF_MORE_LINKS)] if more else told

    def codes(self, name: str) -> list[Opened]:
        """Return what codes in pictures on the first pages hold (3)."""
        codes: list[str] = []
        for stream in self._pictures():
            try:
                codes += [code for picture in self._decoded(stream) for code in codes_in(picture)]
            except PictureError:
                continue
        return of_codes(codes, name)

    def _specifications(self) -> Iterator[tuple[str, DictionaryObject]]:
        """Yield name and description of each file: of the document, of a page, or of an annotation on a page."""
        root = self.reader.root_object
        stack = [_dictionary(_dictionary(root.get("/Names")).get("/EmbeddedFiles"))]
        nodes = 0
        while stack and nodes < MAX_NODES:
            node = stack.pop()
            nodes += 1
            names = _array(node.get("/Names"))
            described = [_dictionary(value) for value in names[1::2]]
            stack += [_dictionary(kid) for kid in reversed(_array(node.get("/Kids"))[:MAX_NODES])]
            for each in described:
                yield _name_of(each), each
        for holder in (root, *(page for page, _ in self._pages)):
            for value in _array(holder.get("/AF")):
                yield _name_of(_dictionary(value)), _dictionary(value)
        for annotation in self._annotations():
            specification = _dictionary(annotation.get("/FS"))
            yield _name_of(specification), specification
            for value in _array(annotation.get("/AF")):
                yield _name_of(_dictionary(value)), _dictionary(value)

    def _annotations(self) -> Iterator[DictionaryObject]:
        for page, _ in self._pages:
            for value in _array(page.get("/Annots"))[:MAX_NODES]:
                yield _dictionary(value)

    def _pictures(self) -> Iterator[StreamObject]:
        """Yield each picture on the first pages once, including those in drawings."""
        seen: set[int] = set()
        count = 0
        for _, of_page in self._pages[:MAX_PAGES_SEARCHED]:
            stack = [(of_page, _DEPTH)]
            while stack:
                resources, depth = stack.pop()
                for value in list(_dictionary(resources.get("/XObject")).values())[:MAX_NODES]:
                    drawn = _resolved(value)
                    if not isinstance(drawn, StreamObject) or id(drawn) in seen:
                        continue
                    seen.add(id(drawn))
                    if _at(drawn, "/Subtype") == "/Form" and depth:
                        stack.append((_dictionary(drawn.get("/Resources")), depth - 1))
                    elif _at(drawn, "/Subtype") == "/Image":
                        count += 1
                        if count > MAX_PICTURES:
                            return
                        yield drawn

    def _decoded(self, stream: StreamObject) -> Iterable[Image.Image]:
        """Return a picture in shades of grey."""
        width, height = _at(stream, "/Width"), _at(stream, "/Height")
        if not isinstance(width, int) or not isinstance(height, int) or not 0 < width * height <= MAX_PIXELS:
            return []
        filters = _at(stream, "/Filter")
        last = _resolved((_array(filters) or [filters])[-1])
        if last in {"/DCTDecode", "/JPXDecode"}:  # a JPEG or JPEG 2000, which has a header of its own
            return pictures_in(self._unpacked(stream, MAX_EMBEDDED_BYTES) or b"")
        if not isinstance(stream, EncodedStreamObject):
            return []
        before = self._unpacked(stream, 4 * width * height + height)
        if before is None:
            return []
        try:
            return [grey(stream.decode_as_image())]
        except (PyPdfError, *DECODERS_RAISE):
            return []

    def _unpacked(self, stream: StreamObject, most: int) -> bytes | None:
        """Return the content of a stream; None where it exceeds the bounds or fails (5)."""
        most = min(most, self.left)
        try:
            with apply_configuration(
                zlib_maximum_output_length=most, lzw_maximum_output_length=most, run_length_maximum_output_length=most
            ):
                content = stream.get_data()
        except (PyPdfError, *DECODERS_RAISE):
            self.left -= most  # it may have unpacked as much before it failed
            return None
        self.left -= len(content)
        return content if len(content) <= most else None


def _pages(reader: PdfReader) -> Iterator[tuple[DictionaryObject, DictionaryObject]]:
    """Yield the first pages in their order, each with its own or inherited resources."""
    stack = [(_dictionary(reader.root_object.get("/Pages")), DictionaryObject())]
    seen: set[int] = set()
    count = 0
    while stack and len(seen) < MAX_NODES and count < MAX_PAGES:
        node, inherited = stack.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        resources = _dictionary(node.get("/Resources")) or inherited
        kids = _array(node.get("/Kids"))
        stack += [(_dictionary(kid), resources) for kid in reversed(kids[:MAX_NODES])]
        if not kids and node:
            count += 1
            yield node, resources


def _stream_of(specification: Mapping[Any, Any]) -> StreamObject | None:
    embedded = _dictionary(specification.get("/EF"))
    for key in ("/UF", "/F", "/Unix", "/Mac", "/DOS"):
        found = _at(embedded, key)
        if isinstance(found, StreamObject):
            return found
    return None


def _name_of(specification: Mapping[Any, Any]) -> str:
    names = (_at(specification, key) for key in ("/UF", "/F"))
    return next((name for name in names if isinstance(name, str)), "")


def _resolved(value: Any) -> Any:
    return value.get_object() if isinstance(value, PdfObject) else value


def _at(dictionary: Mapping[Any, Any], key: str) -> Any:
    return _resolved(dictionary.get(key))


def _dictionary(value: Any) -> DictionaryObject:
    found = _resolved(value)
    return found if isinstance(found, DictionaryObject) else DictionaryObject()


def _array(value: Any) -> list[Any]:
    found = _resolved(value)
    return list(found) if isinstance(found, ArrayObject) else []
