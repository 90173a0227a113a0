"""Open texts and files of any kind, and find what can be checked in them.

Nothing is fetched, kept or run. The content of a file decides what it is, not its name; only a table is recognised by
its name or its first row. Each kind of container has a module: `pasted_text`, `photos`, `pdfs`, `archives` and
`web_pages`; `reasons` says why there is nothing in one of them.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from typing import Final, Protocol

from credentials import strict_json
from credentials.bake import extract
from credentials.errors import ImageError
from service.runtime.cpu_time import UNLIMITED, CpuTime
from service.unpacking import file_kinds, pasted_text, reasons, web_pages
from service.unpacking.found import MAX_FILE_BYTES, MAX_OPENED, Opened, Problem, shown_name

__all__ = ["MAX_FILE_BYTES", "MAX_OPENED", "Allowance", "Opened", "Problem", "open_file", "open_text"]

MAX_SEARCHED = 100
"""How many photos and PDFs of one request are searched: each may take seconds."""


MAX_MORE_BYTES: Final = 8 * 1024 * 1024
"""How many bytes more than were sent one request may hold of what it found in ZIPs and PDFs, which are compressed."""


class Apart(Protocol):
    """Opens files that libraries for pictures, PDFs and archives must read, in a process apart."""

    def __call__(self, name: str, content: bytes, allowance: "Allowance", /) -> list[Opened]:
        """Return what can be checked in a file; count what was searched."""


@dataclass
class Allowance:
    """What one request may use: how many files it may still search for a badge, how much time, and where.

    Args:
        left: how many photos and PDFs may still be searched: each may take seconds.
        time: of the processor, for all that the request does.
        apart: opens what libraries for pictures, PDFs and archives must read; left out: it is opened here.
        more: how many bytes more than were sent may still be found in ZIPs and PDFs.
        each_line: whether each line without a badge is told too, and all lines with their numbers.
    """

    left: int = MAX_SEARCHED
    time: CpuTime = UNLIMITED
    apart: Apart | None = None
    more: int = MAX_MORE_BYTES
    each_line: bool = False

    def one_more(self) -> bool:
        """Return whether one more file may be searched, and count it."""
        self.left -= 1
        return self.left >= 0

    def held(self, found: Iterable[Opened], sent: int, too_much: Problem) -> Iterator[Opened]:
        """Yield what is found in a file of `sent` bytes, as far as it may be held until it is checked."""
        left = sent + self.more
        for opened in found:
            left -= len(opened.received or b"")
            self.more = max(0, min(self.more, left))
            if left < 0:
                yield Opened(opened.name, problem=too_much)
                return
            yield opened


def open_text(text: str, allowance: Allowance | None = None) -> list[Opened]:
    """Return what can be checked in a text, in its order: at least one, at most 500, then a remark on the others.

    A text is a link, a JWT, JSON, SVG, a page, or lines that each hold some of these with words around them.

    Args:
        allowance: what is left to the request, where it gives several texts or files.
    """
    allowance = allowance or Allowance()
    if allowance.each_line:
        return _each_line(text, allowance)
    text = text.strip().lstrip("\ufeff")
    if not text:
        return [Opened("", problem=reasons.NOTHING)]
    name = pasted_text.beginning(text)
    if len(text) > file_kinds.MAX_TEXT_BYTES:
        return [Opened(name, problem=reasons.TEXT_TOO_LONG)]
    content = text.encode("utf-8", "surrogatepass")
    kind = file_kinds.kind_of(content)
    if kind in {"svg", "html"}:
        return _opened(name, content, allowance)
    if kind == "json" and "\n{" not in text:
        return [pasted_text.of_json(text, name)]
    if (token := _broken_token(text)) is not None:
        return [pasted_text.of_token(token, name)]
    return _bounded(_parts(text, allowance)) or [Opened(name, problem=reasons.TEXT_WITHOUT_BADGE)]


def _broken_token(text: str) -> str | None:
    """Return the token that a mail program broke into lines, if the text is one."""
    token = "".join(text.split()) if len(text) <= strict_json.MAX_BYTES else ""
    broken = file_kinds.is_jwt(token) and not any(file_kinds.is_jwt(line.strip()) for line in text.splitlines())
    return token if broken else None


def _each_line(text: str, allowance: Allowance) -> list[Opened]:
    """Return what is in each line of a list; a badge that fills the whole text is one thing."""
    text = text.lstrip("\ufeff").rstrip()
    whole = text.strip()
    name = pasted_text.beginning(whole)
    if not whole:
        return [Opened("", problem=reasons.NOTHING)]
    if len(text) > file_kinds.MAX_TEXT_BYTES:
        return [Opened(name, problem=reasons.TEXT_TOO_LONG)]
    found = _filling(whole, name)
    if found is not None:
        return [replace(found, line=pasted_text.line_at(text, text.index(whole)))]
    return _bounded(_lines_and_json(text, allowance)) or [Opened(name, problem=reasons.TEXT_WITHOUT_BADGE)]


def _lines_and_json(text: str, allowance: Allowance) -> Iterator[Opened]:
    of_lines = partial(
        pasted_text.each_line, open_inside=partial(_opened, allowance=allowance), time_left=allowance.time.left
    )
    begin, end = text.find("{"), text.rfind("}") + 1
    if 0 <= begin < end and "\n" in text[begin:end].rstrip():
        inner = pasted_text.of_json(text[begin:end])
        if inner.received is not None and file_kinds.is_credential(inner.received):
            yield from of_lines(text[:begin])
            yield replace(inner, line=pasted_text.line_at(text, begin))
            yield from of_lines(text[end:], first=pasted_text.line_at(text, end))
            return
    yield from of_lines(text)


def _filling(text: str, name: str) -> Opened | None:
    """Return the badge that is the whole of a text, however many lines it has."""
    content = text.encode("utf-8", "surrogatepass")
    kind = file_kinds.kind_of(content)
    if kind == "svg" and file_kinds.is_credential(content):
        return _baked(name, content, drawn=True)
    if kind == "json" and (found := pasted_text.of_json(text, name)).received is not None:
        return found
    token = _broken_token(text)
    return pasted_text.of_token(token, name) if token is not None else None


def _parts(text: str, allowance: Allowance) -> Iterator[Opened]:
    """Yield what is in the lines of a text; one badge in JSON may take several lines."""
    of_lines = partial(
        pasted_text.of_lines, open_inside=partial(_opened, allowance=allowance), time_left=allowance.time.left
    )
    begin, end = text.find("{"), text.rfind("}") + 1
    if 0 <= begin < end:
        inner = pasted_text.of_json(text[begin:end])
        if inner.received is not None and (begin == 0 or file_kinds.is_credential(inner.received)):
            yield from of_lines(text[:begin])
            yield inner
            text = text[end:]
    yield from of_lines(text)


def open_file(name: str, content: bytes, allowance: Allowance | None = None) -> list[Opened]:
    """Return what can be checked in a file, in its order: at least one, at most 500, then a remark on the others.

    Args:
        name: on the visitor's machine; it is shown, and its ending marks a table.
        content: at most `MAX_FILE_BYTES`; a larger file is not opened.
        allowance: what is left to the request, where it has several files.
    """
    return _bounded(each_in(shown_name(name), content, allowance or Allowance()))


def each_in(name: str, content: bytes, allowance: Allowance) -> Iterator[Opened]:
    """Yield what can be checked in a file, as soon as it is found, however many there are."""
    if len(content) > MAX_FILE_BYTES or file_kinds.kind_of(content) != "zip":
        yield from _opened(name, content, allowance)
    elif allowance.apart is not None:
        yield from allowance.apart(name, content, allowance)
    else:
        yield from allowance.held(_in_zip(name, content, allowance), len(content), reasons.ZIP_TOO_LARGE)


def _in_zip(name: str, content: bytes, allowance: Allowance) -> Iterator[Opened]:
    from service.unpacking import archives

    try:
        for path, inside in archives.files_in(content):
            if allowance.time.left() <= 0:
                yield Opened(name, problem=reasons.REST_NOT_SEARCHED)
                return
            if isinstance(inside, Problem):
                yield Opened(path, problem=inside)
            else:
                yield from _opened(path, inside, allowance)
    except archives.ZipError as error:
        yield Opened(name, problem=error.problem)


def _opened(name: str, content: bytes, allowance: Allowance) -> list[Opened]:
    """Return what is in one file that is not a ZIP, or in a text that is one file."""
    if len(content) > MAX_FILE_BYTES:
        return [Opened(name, problem=reasons.FILE_TOO_LARGE)]
    if not content.removeprefix(b"\xef\xbb\xbf").strip(b"\0\t\n\r "):
        return [Opened(name, problem=reasons.FILE_EMPTY)]
    kind = file_kinds.kind_of(content)
    if allowance.time.left() <= 0:
        return [Opened(name, problem=reasons.SEARCHED_TOO_LONG)]
    if kind in {"photo", "pdf"} or (kind == "png" and not file_kinds.is_credential(content)):
        return _searched(name, content, kind, allowance)
    match kind:
        case "png" | "svg":
            return [_baked(name, content, drawn=kind == "svg")]
        case "html":
            return _page(name, content)
        case "json" | "jwt" | "text" | "xml":
            return _written(name, file_kinds.text_of(content) or "", allowance)
        case _:
            from service.unpacking import archives

            problems: dict[str, Problem] = {
                "photo-unreadable": reasons.PHOTO_FORMAT,
                "zip": archives.office_document(content) or reasons.ZIP_IN_ZIP,
                "office": reasons.OFFICE_DOCUMENT,
                "long-text": reasons.TEXT_TOO_LONG,
            }
            return [Opened(name, problem=problems.get(kind, reasons.FILE_UNREADABLE))]


def _searched(name: str, content: bytes, kind: file_kinds.Kind, allowance: Allowance) -> list[Opened]:
    """Return what is found in a file that libraries for pictures and PDFs must read."""
    if allowance.apart is not None:
        return allowance.apart(name, content, allowance)
    if not allowance.one_more():
        return [Opened(name, problem=reasons.SEARCHED_ENOUGH)]
    found = _in_pdf(name, content, allowance) if kind == "pdf" else _pictured(name, content, kind)
    return list(
        allowance.held(found, len(content), reasons.PDF_TOO_LARGE if kind == "pdf" else reasons.PICTURE_TOO_LARGE)
    )


def _in_pdf(name: str, content: bytes, allowance: Allowance) -> list[Opened]:
    from service.unpacking import pdfs

    return pdfs.open_pdf(name, content, everything=allowance.each_line)


def _pictured(name: str, content: bytes, kind: file_kinds.Kind) -> list[Opened]:
    """Return what is found in a picture: baked in, or in codes."""
    from service.unpacking import photos

    baked = _baked(name, content, drawn=False) if kind == "png" else None
    return photos.open_photo(name, content) if baked is None or baked.problem is not None else [baked]


def _baked(name: str, content: bytes, *, drawn: bool) -> Opened:
    """Return a picture with a credential baked in, or why there is none in it."""
    script = drawn and file_kinds.holds_script(content)
    remarks = (reasons.SCRIPT_IN_PICTURE,) if script else ()
    try:
        extract(content)
    except ImageError as error:
        if error.code != "image-two-credentials" and b"openbadge" not in content:
            damaged = error.code != "image-without-credential" and not content.rstrip().endswith(b"svg>")
            problem = reasons.PICTURE_DAMAGED if damaged else reasons.PICTURE_WITHOUT_BADGE
            return Opened(name, problem=problem, remarks=remarks)
    return Opened(name, received=content, remarks=remarks)  # if something is wrong with it, the report says what


def _page(name: str, content: bytes) -> list[Opened]:
    """Return the badges of a saved web page: those in it, else its own address, else where they may be."""
    page = web_pages.read_page(content)
    within = [Opened(name, received=found) for found in page.candidates if isinstance(found, bytes)]
    if within:
        return within
    urls = [page.address] if page.address else [found for found in page.candidates if isinstance(found, str)]
    return [Opened(url, url=url) for url in urls] or [Opened(name, problem=reasons.PAGE_WITHOUT_BADGE)]


def _written(name: str, text: str, allowance: Allowance) -> list[Opened]:
    """Return what is in a text file.

    A badge that is the whole file has the file's name.
    """
    if _is_table(name, text):
        for delimiter in ",;":  # only for its links: a batch reads its rows
            text = text.replace(delimiter, "\t")
    found = open_text(text, allowance)
    if allowance.each_line:
        if all(each.problem is reasons.LINE_WITHOUT_BADGE for each in found):
            return [Opened(name, problem=reasons.TEXT_WITHOUT_BADGE)]  # it is no list
        if len(found) > 1:
            return [replace(each, file=name) for each in found]
    if len(found) == 1 and found[0].url is None:
        return [Opened(name, received=found[0].received, problem=found[0].problem, remarks=found[0].remarks)]
    return found


def _is_table(name: str, text: str) -> bool:
    first = text.lstrip("\ufeff\r\n").partition("\n")[0][:10_000]
    cells = {cell.strip().strip("\"'").lower() for sign in ",;\t" if sign in first for cell in first.split(sign)}
    return name.lower().endswith((".csv", ".tsv")) or "link" in cells


def _bounded(found: Iterable[Opened]) -> list[Opened]:
    opened = list(islice(found, MAX_OPENED + 1))
    if len(opened) > MAX_OPENED:
        opened[MAX_OPENED] = Opened(opened[MAX_OPENED].name, problem=reasons.TOO_MANY)
    return opened
