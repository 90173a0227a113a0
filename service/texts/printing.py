"""Compile PDF documents, tagged for reading aloud, with a file attached.

Templates get what they show as data, never as markup, and the only fonts are those of `lettering`, so that the same data
makes the same bytes everywhere.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import typst

from service.texts import lettering

STANDARDS: Final[tuple[Any, ...]] = ("a-3a", "ua-1")


class UnshownError(Exception):
    """The standards refuse the document: it has a letter that is in no font."""


def compiled(
    source: Path, shown: Mapping[str, Any], *, title: str, attached: str, at: datetime, standards: bool = True
) -> bytes:
    """Return a document as PDF.

    Args:
        source: the template. It finds `shown` and `families`, the names of the fonts, as JSON in `sys.inputs`, and
            `title` and `attached` as text.
        title: of the document, as PDF readers show it; it needs no font.
        attached: the text of the attached file.
        at: the time that the document gives for its making.
        standards: whether it must be as PDF/A-3a and PDF/UA-1 ask; without them it is tagged all the same.
    Raises:
        UnshownError: the standards refuse it.
    """
    try:
        made = typst.compile(
            source,
            root=source.parent,
            font_paths=lettering.fonts(),
            ignore_system_fonts=True,
            format="pdf",
            sys_inputs={
                "shown": json.dumps(shown),
                "title": title,
                "attached": attached,
                "families": json.dumps(lettering.FAMILIES),
            },
            pdf_standards=list(STANDARDS) if standards else [],
            timestamp=at,
        )
    except typst.TypstError as error:
        if standards and "could not be displayed" in error.message:
            raise UnshownError from error
        raise
    assert isinstance(made, bytes)
    return made
