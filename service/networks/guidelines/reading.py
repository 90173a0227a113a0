"""Guidelines as people read them, and what changed in them."""

from collections.abc import Sequence
from dataclasses import dataclass

from service.networks.guidelines.sections import TITLES
from service.tables import GuidelineVersion
from service.texts.languages import LANGUAGES


@dataclass(frozen=True)
class ReadSection:
    """A section under its title, in the language of the guidelines; `changed` since the version that a reader knows."""

    key: str
    title: str
    text: str
    changed: bool = False


def sections(version: GuidelineVersion, known: GuidelineVersion | None = None) -> list[ReadSection]:
    """Return the sections of a version, in their order.

    Args:
        known: the version that the reader knows; None marks nothing.
    """
    return [
        ReadSection(key, _title(version, key), text, known is not None and known.sections.get(key) != text)
        for key in TITLES
        if (text := version.sections.get(key))
    ]


def gone(version: GuidelineVersion, known: GuidelineVersion | None) -> list[str]:
    """Return the titles of the sections that the version known to a reader has, and this one has not."""
    before = known.sections if known is not None else {}
    return [_title(version, key) for key in TITLES if before.get(key) and not version.sections.get(key)]


def changes(versions: Sequence[GuidelineVersion], after: int) -> list[GuidelineVersion]:
    """Return the versions after a number that say what they change, the oldest first."""
    found = [each for each in versions if each.number > after and each.change_note]
    return sorted(found, key=lambda each: each.number)


def _title(version: GuidelineVersion, key: str) -> str:
    return LANGUAGES[version.language].gettext(TITLES[key])
