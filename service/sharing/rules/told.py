"""A rule that is put into words, and the parts of its sentence."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from service.sharing.rules.parts import quoted
from service.texts.languages import Language


@dataclass(frozen=True)
class Names:
    """What the rules of a definition name by reference.

    Args:
        badges: names of achievements, by ref.
        criteria: names of the criteria of rubrics, by rubric and criterion.
    """

    badges: Mapping[str, str] = field(default_factory=dict)
    criteria: Mapping[tuple[str, str], str] = field(default_factory=dict)


@dataclass(frozen=True)
class Reached:
    """The number that a member had reached, the number that was needed, and whether the rule was met."""

    observed: float
    required: float
    met: bool


@dataclass(frozen=True)
class Told:
    """A rule that is put into words: what it asks for, or, if `reached` is given, what was reached."""

    rule: Any
    language: Language
    names: Names
    reached: Reached | None = None

    @property
    def count(self) -> int:
        """The whole number that was reached."""
        return int(self.reached.observed) if self.reached is not None else 0

    def say(self, text: str, **values: Any) -> str:
        """Return a text in the reader's language."""
        return self.language.gettext(text, **values)

    def badges(self, refs: list[str]) -> list[str]:
        """Return the names of achievements, in quotation marks."""
        return quoted([self.names.badges.get(ref, ref) for ref in refs], self.language)


Parts = tuple[str, str, Iterator[str]]
"""A sentence in parts: what it says first, how much was needed, and what follows."""
