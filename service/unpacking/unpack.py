"""Open texts and files of any kind, and find what can be checked in them.

Nothing is fetched, kept or run. The content of a file decides what it is, not its name; only a table is recognised by
its name or its first row. Each kind of container has a module: `pasted_text`, `photos`, `pdfs`, `archives` and
`web_pages`; `reasons` says why there is nothing in one of them.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from credentials.bake import extract
from credentials.errors import ImageError
from service.unpacking import archives, file_kinds, pasted_text, pdfs, photos, reasons, web_pages
from service.unpacking.found import MAX_FILE_BYTES, MAX_OPENED, Opened, Problem, shown_name

__all__ = ["MAX_FILE_BYTES", "MAX_OPENED", "Opened", "Problem", "Searches", "open_file", "open_text"]

MAX_SEARCHED = 100
"""How many photos and PDFs of one request are searched: each may take seconds."""


@dataclass
class Searches:
    """How many more files may be searched for a badge, in a ZIP or in one request."""

    left: int = MAX_SEARCHED

    def allow(self, content: bytes) -> bool:
        """Return whether a file may be opened, and count it if it must be searched."""
        kind = file_kinds.kind_of(content)
        if kind not in {"photo", "pdf"} and not (kind == "png" and not file_kinds.is_credential(content)):
            return True
        self.left -= 1
        return self.left >= 0


def open_text(text: str) -> list[Opened]:
    """Return what can be checked in a text, in its order: at least one, at most 500, then a remark on the others.

    A text is a link, a JWT, JSON, SVG, a page, or lines that each hold some of these with words around them.
    """
    text = text.strip().lstrip("\ufeff")
    if not text:
        return [Opened("", problem=reasons.NOTHING)]
    name = pasted_text.beginning(text)
    if len(text) > MAX_FILE_BYTES:
        return [Opened(name, problem=reasons.FILE_TOO_LARGE)]
    content = text.encode("utf-8", "surrogatepass")
    kind = file_kinds.kind_of(content)
    if kind in {"svg", "html"}:
        return _opened(name, content)
    if kind == "json" and "\n{" not in text:
        return [pasted_text.of_json(text, name)]
    token = "".join(text.split())
    if file_kinds.is_jwt(token) and not any(file_kinds.is_jwt(line.strip()) for line in text.splitlines()):
        return [pasted_text.of_token(token, name)]  # a mail program broke it into lines
    return _bounded(_parts(text)) or [Opened(name, problem=reasons.TEXT_WITHOUT_BADGE)]


def _parts(text: str) -> Iterator[Opened]:
    """Yield what is in the lines of a text; one badge in JSON may take several lines."""
    begin, end = text.find("{"), text.rfind("}") + 1
    if 0 <= begin < end:
        inner = pasted_text.of_json(text[begin:end])
        if inner.received is not None and (begin == 0 or file_kinds.is_credential(inner.received)):
            yield from pasted_text.of_lines(text[:begin], _opened)
            yield inner
            text = text[end:]
    yield from pasted_text.of_lines(text, _opened)


def open_file(name: str, content: bytes, searches: Searches | None = None) -> list[Opened]:
    """Return what can be checked in a file, in its order: at least one, at most 500, then a remark on the others.

    Args:
        name: on the visitor's machine; it is shown, and its ending marks a table.
        content: at most `MAX_FILE_BYTES`; a larger file is not opened.
        searches: those left to the request, where it has several files.
    """
    name = shown_name(name)
    searches = searches or Searches()
    if len(content) <= MAX_FILE_BYTES:
        if file_kinds.kind_of(content) == "zip":
            return _in_zip(name, content, searches)
        if not searches.allow(content):
            return [Opened(name, problem=reasons.SEARCHED_ENOUGH)]
    return _opened(name, content)


def _in_zip(name: str, content: bytes, searches: Searches) -> list[Opened]:
    found: list[Opened] = []
    try:
        for path, inside in archives.files_in(content):
            if len(found) > MAX_OPENED:
                break
            if isinstance(inside, Problem):
                found.append(Opened(path, problem=inside))
                continue
            if searches.allow(inside):
                found += _opened(path, inside)
            else:
                found.append(Opened(path, problem=reasons.SEARCHED_ENOUGH))
    except archives.ZipError as error:
        found.append(Opened(name, problem=error.problem))
    return _bounded(found)


def _opened(name: str, content: bytes) -> list[Opened]:
    """Return what is in one file that is not a ZIP, or in a text that is one file."""
    if len(content) > MAX_FILE_BYTES:
        return [Opened(name, problem=reasons.FILE_TOO_LARGE)]
    if not content.removeprefix(b"\xef\xbb\xbf").strip(b"\0\t\n\r "):
        return [Opened(name, problem=reasons.FILE_EMPTY)]
    match file_kinds.kind_of(content):
        case "png" | "svg" as kind:
            return _baked(name, content, drawn=kind == "svg")
        case "photo":
            return photos.open_photo(name, content)
        case "pdf":
            return pdfs.open_pdf(name, content)
        case "html":
            return _page(name, content)
        case "json" | "jwt" | "text" | "xml":
            return _written(name, file_kinds.text_of(content) or "")
        case kind:
            problems: dict[str, Problem] = {
                "photo-unreadable": reasons.PHOTO_FORMAT,
                "zip": archives.office_document(content) or reasons.ZIP_IN_ZIP,
                "office": reasons.OFFICE_DOCUMENT,
            }
            return [Opened(name, problem=problems.get(kind, reasons.FILE_UNREADABLE))]


def _baked(name: str, content: bytes, *, drawn: bool) -> list[Opened]:
    """Return a picture with a credential baked in.

    Without one, return the codes that it shows.
    """
    script = drawn and file_kinds.holds_script(content)
    remarks = (reasons.SCRIPT_IN_PICTURE,) if script else ()
    try:
        extract(content)
    except ImageError as error:
        if error.code == "image-two-credentials" or b"openbadge" in content:
            return [Opened(name, received=content, remarks=remarks)]  # the report says what is wrong with it
        if not drawn:
            return photos.open_photo(name, content)
        damaged = error.code != "image-without-credential" and not content.rstrip().endswith(b"svg>")
        problem = reasons.PICTURE_DAMAGED if damaged else reasons.PICTURE_WITHOUT_BADGE
        return [Opened(name, problem=problem, remarks=remarks)]
    return [Opened(name, received=content, remarks=remarks)]


def _page(name: str, content: bytes) -> list[Opened]:
    """Return the badges of a saved web page: those in it, else its own address, else where they may be."""
    page = web_pages.read_page(content)
    within = [Opened(name, received=found) for found in page.candidates if isinstance(found, bytes)]
    if within:
        return within
    urls = [page.address] if page.address else [found for found in page.candidates if isinstance(found, str)]
    return [Opened(url, url=url) for url in urls] or [Opened(name, problem=reasons.PAGE_WITHOUT_BADGE)]


def _written(name: str, text: str) -> list[Opened]:
    """Return what is in a text file.

    A badge that is the whole file has the file's name.
    """
    if _is_table(name, text):
        for delimiter in ",;\t":  # only for its links: a batch reads its rows
            text = text.replace(delimiter, " ")
    found = open_text(text)
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
