"""Read a page as its HTML, for what neither layout nor script decides: what is answered, in which words."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

from fastapi.testclient import TestClient
from httpx2 import Response

WITHOUT_END = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"})
SELECTOR = re.compile(r"(?P<tag>[a-z0-9]*)(?:\.(?P<class>[\w-]+))?(?:\[(?P<name>[\w-]+)=(?P<value>[\w-]+)\])?")


@dataclass(eq=False)
class Element:
    """An element of a page, with its attributes and what it holds."""

    tag: str
    attributes: dict[str, str]
    parts: list["Element | str"] = field(default_factory=list)

    def all(self, selectors: str) -> list["Element"]:
        """Return the elements within that fit: `tag.class[name=value]`, several with blanks for one within another."""
        found = [self]
        for selector in selectors.split():
            found = list(dict.fromkeys(each for outer in found for each in outer.within() if each.fits(selector)))
        return found

    def one(self, selectors: str) -> "Element":
        """Return the first element that fits."""
        found = self.all(selectors)
        assert found, f"expected {selectors} in the page"
        return found[0]

    def within(self) -> Iterator["Element"]:
        """Yield the elements within, in the order of the page."""
        for part in self.parts:
            if isinstance(part, Element):
                yield part
                yield from part.within()

    def fits(self, selector: str) -> bool:
        """Return whether the element is what a selector without blanks names."""
        asked = SELECTOR.fullmatch(selector)
        assert asked is not None, f"{selector} is beyond this reader"
        return (
            asked["tag"] in {"", self.tag}
            and (asked["class"] is None or asked["class"] in self.attributes.get("class", "").split())
            and (asked["name"] is None or self.attributes.get(asked["name"]) == asked["value"])
        )

    @property
    def text(self) -> str:
        """What a visitor reads at first: nothing hidden, of what unfolds only the summary, no script."""
        return " ".join("".join(self._shown()).split())

    def _shown(self) -> Iterator[str]:
        folded = self.tag == "details" and "open" not in self.attributes
        for part in self.parts:
            if isinstance(part, str):
                if not folded and self.tag not in {"script", "style"}:
                    yield part
            elif "hidden" not in part.attributes and (not folded or part.tag == "summary"):
                yield from part._shown()
        if self.tag not in {"span", "a", "code", "strong", "em", "b"}:
            yield " "


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open = [Element("", {})]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.open[-1].parts.append(element)
        if tag not in WITHOUT_END:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open[-1].parts.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        closed = self.open.pop()
        assert closed.tag == tag, f"</{tag}> closes <{closed.tag}>"

    def handle_data(self, data: str) -> None:
        self.open[-1].parts.append(data)


def read(html: str) -> Element:
    """Return a page, whose elements all end where they should."""
    parser = _Parser()
    parser.feed(html)
    parser.close()
    (page,) = parser.open
    return page


class Reader:
    """A visitor whose browser runs no script and shows nothing: what is sent, and the page that comes back."""

    def __init__(self, client: TestClient) -> None:
        self._client = client
        self.status = 0
        self.address = ""
        self.source = ""
        self.page = Element("", {})

    def open(self, address: str) -> Element:
        """Open the page at an address."""
        return self._shown(self._client.get(urljoin(self.address, address)))

    def follow(self, link: str) -> Element:
        """Follow the link with this text."""
        return self.open(next(each for each in self.page.all("a") if each.text == link).attributes["href"])

    def verify(self, text: str) -> tuple[str, str, str]:
        """Paste `text` and return tone, title and sentence of the answer."""
        self.give(text)
        return self.verdict()

    def choose(self, name: str, content: bytes) -> tuple[str, str, str]:
        """Choose a file and return tone, title and sentence of the answer."""
        self.give("", (name, content))
        return self.verdict()

    def give(self, text: str = "", *files: tuple[str, bytes], to: str = "/verify") -> Element:
        """Give a text, and files by their names and contents, to the form of a page; return the answer."""
        sent = [("file", (*file, "application/octet-stream")) for file in files or [("", b"")]]
        return self._shown(self._client.post(to, data={"received": _as_sent(text)}, files=sent))

    def buttons(self) -> list[str]:
        """Return what stands on the buttons of the page."""
        return [each.text for each in self.page.all("button")]

    def press(self, button: str) -> Element:
        """Press a button of a form on the page, which is else sent as it stands there."""
        return self._shown(self._sent(button, {}))

    def download(self, button: str, **fields: str) -> tuple[str, bytes]:
        """Fill in a form, press a button, and return the name of the file that comes, and what it holds."""
        answer = self._sent(button, fields)
        named = re.search(r'filename="([^"]+)"', answer.headers["content-disposition"])
        assert named is not None
        return named[1], answer.content

    def _sent(self, button: str, fields: dict[str, str]) -> Response:
        form, pressed = next(
            (form, each) for form in self.page.all("form") for each in form.all("button") if each.text == button
        )
        chosen = [each.attributes for each in (*form.all("input"), pressed) if "name" in each.attributes]
        given = {each["name"]: each.get("value", "") for each in chosen} | fields
        address = pressed.attributes.get("formaction", form.attributes["action"])
        return self._client.post(
            urljoin(self.address, address), data={name: _as_sent(value) for name, value in given.items()}
        )

    def _shown(self, answer: Response) -> Element:
        self.status, self.address, self.source = answer.status_code, str(answer.url), answer.text
        self.page = read(self.source)
        return self.page

    def verdict(self) -> tuple[str, str, str]:
        """Return tone, title and sentence of what the page says first."""
        said = self.page.one(".verdict")
        title = (said.all("h1") or said.all("h2"))[0].text
        return said.attributes["class"].removeprefix("verdict "), title, said.one("p").text

    def answers(self) -> dict[str, str]:
        """Return what the page answers to each of the five questions."""
        asked, answered = (self.page.all(f".question .{which}") for which in ("asked", "answered"))
        return {question.text: answer.text for question, answer in zip(asked, answered, strict=True)}

    def facts(self) -> dict[str, str]:
        """Return the facts of the page, by their names."""
        names, values = self.page.all(".facts dt"), self.page.all(".facts dd")
        return {name.text: value.text for name, value in zip(names, values, strict=True)}


def _as_sent(value: str) -> str:
    """Return a field of a form as every browser sends it."""
    return re.sub(r"\r?\n", "\r\n", value)
