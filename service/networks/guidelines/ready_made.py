"""Templates: guidelines that a network can take as they are, or change."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, Literal, cast

from pydantic import TypeAdapter

from service.bodies import validated
from service.networks.guidelines.documents import GuidelinesIn

FOLDER: Final = Path(__file__).parent / "examples"
_SHAPE: Final = TypeAdapter(GuidelinesIn)


@dataclass(frozen=True)
class Template:
    """Guidelines for one kind of network in one language."""

    kind: Literal["formal", "informal"]
    language: Literal["en", "es"]
    guidelines: GuidelinesIn


@cache
def templates() -> tuple[Template, ...]:
    """Return every template: those for formal networks first, each in English and Spanish."""
    found = []
    for path in sorted(FOLDER.glob("*.toml")):
        kind, language = path.stem.split("_")
        said = tomllib.loads(path.read_text(encoding="utf-8"))
        said |= {
            "preamble": said["preamble"].strip(),
            "sections": {key: text.strip() for key, text in said["sections"].items()},
        }
        guidelines = validated(_SHAPE, said | {"language": language})
        found.append(Template(cast("Literal['formal', 'informal']", kind), guidelines.language, guidelines))
    return tuple(found)
