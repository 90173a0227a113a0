"""Read a page as its HTML, for what neither layout nor script decides: what is answered, in which words."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

from fastapi.testclient import TestClient

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
    """A visitor of /verify whose browser runs no script and shows nothing: what is sent, and the page that comes back."""

    def __init__(self, client: TestClient) -> None:
        self._client = client
        self.source = ""
        self.page = Element("", {})

    def verify(self, text: str) -> tuple[str, str, str]:
        """Paste `text` and return tone, title and sentence of the answer."""
        return self._send({"received": text}, {"file": ("", b"", "application/octet-stream")})

    def choose(self, name: str, content: bytes) -> tuple[str, str, str]:
        """Choose a file and return tone, title and sentence of the answer."""
        return self._send({"received": ""}, {"file": (name, content, "application/octet-stream")})

    def press(self, button: str) -> tuple[str, str, str]:
        """Press a button of the page's other forms, and return tone, title and sentence of the answer."""
        (form,) = [form for form in self.page.all("form") if button in [each.text for each in form.all("button")]]
        fields = {each.attributes["name"]: each.attributes.get("value", "") for each in form.all("input")}
        return self._send(fields)

    def _send(
        self, fields: dict[str, str], files: dict[str, tuple[str, bytes, str]] | None = None
    ) -> tuple[str, str, str]:
        sent = {name: re.sub(r"\r?\n", "\r\n", value) for name, value in fields.items()}  # as every browser does
        answer = self._client.post("/verify", data=sent, files=files)
        self.source = answer.text
        self.page = read(self.source)
        return self.verdict()

    def verdict(self) -> tuple[str, str, str]:
        """Return tone, title and sentence of what the page says first."""
        said = self.page.one(".verdict")
        title = (said.all("h1") or said.all("h2"))[0].text
        return said.attributes["class"].removeprefix("verdict "), title, said.one("p").text

    def answers(self) -> dict[str, str]:
        """Return what the page answers to each of the five questions."""
        asked, answered = (self.page.all(f".question .{which}") for which in ("asked", "answered"))
        return {question.text: answer.text for question, answer in zip(asked, answered, strict=True)}
