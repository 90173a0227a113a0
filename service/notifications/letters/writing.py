"""Write a letter as a mail: as text, and as HTML that says the same."""

from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Final

from service.texts.languages import Language
from service.web import templating

PICTURE_SIZE: Final = 240
"""In pixels; it is shown at half of that, so that it is sharp on every screen."""


@dataclass(frozen=True)
class Said:
    """A paragraph; `url` is an address in it."""

    text: str
    url: str = ""


@dataclass(frozen=True)
class Button:
    """What to press, and where it leads."""

    label: str
    url: str


@dataclass(frozen=True)
class Facts:
    """What there is to know, each with what it is called."""

    rows: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Links:
    """Things with the addresses of their pages."""

    rows: Sequence[tuple[str, str]]


Part = Said | Button | Facts | Links


@dataclass(frozen=True)
class Picture:
    """A picture at the top, and what it shows in words."""

    png: bytes
    alt: str


@dataclass(frozen=True)
class Letter:
    """What a mail says.

    Only the HTML has the title and the picture, so nothing stands there alone.
    """

    language: Language
    sender: str
    title: str
    parts: Sequence[Part]
    closing: Sequence[Said] = ()
    picture: Picture | None = None


def write(mail: EmailMessage, letter: Letter) -> EmailMessage:
    """Give a mail its content, and return it."""
    mail.set_content("\n\n".join(map(_as_text, (*letter.parts, *letter.closing))) + "\n")
    cid = f"picture.{str(mail['Message-ID']).strip('<>')}"
    html = templating.text_of(
        "mail.html",
        language=letter.language,
        letter=letter,
        subject=str(mail["Subject"]),
        kind_of=lambda part: type(part).__name__,
        cid=cid,
        size=PICTURE_SIZE // 2,
    )
    mail.add_alternative(html, subtype="html")
    if letter.picture is not None:
        content = mail.get_body(("html",))
        assert isinstance(content, EmailMessage)  # it was added above
        content.add_related(
            letter.picture.png, "image", "png", cid=f"<{cid}>", filename="badge.png", disposition="inline"
        )
    mail["Content-Language"] = letter.language.code  # last, because new content takes such headers away
    return mail


def _as_text(part: Part) -> str:
    if isinstance(part, Said):
        return part.text
    if isinstance(part, Button):
        return f"{part.label}:\n{part.url}"
    return "\n".join(f"{name}: {value}" for name, value in part.rows)
