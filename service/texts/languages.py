"""The languages of Laurel: its texts, and how dates and numbers are written.

English is the source: each text is its own key. The other languages have a gettext catalogue in `locales`, which is
read directly, without a compiled file.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from gettext import NullTranslations
from io import BytesIO
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_time
from babel.lists import format_list
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal, format_percent
from babel.support import Translations

from service.texts.accept_headers import preferences

FOLDER = Path(__file__).parent / "locales"
DOMAIN = "laurel"


def N_(text: str) -> str:  # noqa: N802  (gettext's own name, by which catalogues are made)
    """Return `text`, marked for the catalogues; it is translated when it is shown."""
    return text


@dataclass(frozen=True)
class Language:
    """One language: its texts, and dates and numbers as its readers write them.

    Args:
        code: its BCP 47 tag, as in `lang` and in the name of its catalogue.
        name: what its own readers call it.
        region: the CLDR locale whose rules it follows.
    """

    code: str
    name: str
    region: str

    @property
    def direction(self) -> str:
        """Return ltr or rtl."""
        return str(_locale(self.region).text_direction)

    def gettext(self, text: str, **values: Any) -> str:
        """Return `text` in this language.

        `values` fill its placeholders, which are written `%(name)s`. A text that is in no catalogue is returned
        unchanged.
        """
        translated = _translations(self.code).gettext(text) if text else ""  # "" is the key of a catalogue's header
        return translated % values if values else translated

    def ngettext(self, singular: str, plural: str, count: int, **values: Any) -> str:
        """Return the form of the text for `count`, which is `%(num)s` in it."""
        translated = _translations(self.code).ngettext(singular, plural, count)
        return translated % ({"num": self.number(count)} | values)

    def name_of(self, code: str) -> str:
        """Return what readers of this language call another one: es is "Spanish"; an unknown code is returned."""
        try:
            name = (
                Locale.parse(code, sep="-", resolve_likely_subtags=False).get_display_name(_locale(self.region)) or code
            )
        except (ValueError, UnknownLocaleError):
            return code
        return name[:1].upper() + name[1:]

    def day(self, value: str | datetime | None) -> str:
        """Return a date as people write it: 8 September 2026.

        A text that is not a date is returned unchanged.
        """
        instant = _instant(value)
        return format_date(instant, "long", _locale(self.region)) if instant else str(value or "")

    def moment(self, value: str | datetime | None) -> str:
        """Return a date and the time of day, followed by "UTC".

        A text that is not a date is returned unchanged.
        """
        instant = _instant(value)
        if instant is None:
            return str(value or "")
        return f"{self.day(instant)}, {format_time(instant, 'HH:mm', locale=_locale(self.region))} UTC"

    def local_moment(self, value: datetime, zone: str) -> str:
        """Return a date and the time of day as clocks show it in a time zone (IANA), followed by the zone's name."""
        local, locale = value.astimezone(ZoneInfo(zone)), _locale(self.region)
        return f"{format_date(local, 'long', locale)}, {format_time(local, 'HH:mm', locale=locale)} ({zone})"

    def number(self, value: float) -> str:
        """Return a number with this language's separators: 1,234.5."""
        return format_decimal(value, locale=_locale(self.region))

    def percent(self, value: float) -> str:
        """Return a part of one as a percentage, with at most two decimals: 12.5%."""
        return format_percent(round(value, 4), locale=_locale(self.region), decimal_quantization=False)

    def listed(self, items: Sequence[str], *, of: Literal["standard", "or"] = "standard") -> str:
        """Return the items as a sentence lists them: "a, b and c"; with `or`: "a, b or c"."""
        return format_list(list(items), style=of, locale=_locale(self.region))


@cache
def _locale(region: str) -> Locale:
    return Locale.parse(region)


@cache
def _translations(code: str) -> NullTranslations:
    """Return the texts of a language.

    They are read once, for the first page that somebody asks for in it.
    """
    if code == SOURCE:
        return NullTranslations()
    with (FOLDER / code / "LC_MESSAGES" / f"{DOMAIN}.po").open("rb") as written:
        catalogue = read_po(written, locale=code, domain=DOMAIN)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return Translations(compiled, DOMAIN)


def _instant(value: str | datetime | None) -> datetime | None:
    """Return the instant in UTC; None if it is not a date, or out of range."""
    try:
        instant = datetime.fromisoformat(value) if isinstance(value, str) else value
        return instant and (instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        return None


SOURCE = "en"
ENGLISH = Language(SOURCE, "English", "en_GB")
SPANISH = Language("es", "Español", "es")
LANGUAGES: Mapping[str, Language] = {language.code: language for language in (ENGLISH, SPANISH)}
"""Every language of Laurel, by its code."""


def chosen(accept_language: str | None, cookie: str | None) -> Language:
    """Return the language of a visitor.

    It is the one that they chose here before, or else the one that the browser prefers most; English if none fits. A
    range fits a language that it names (es-MX fits Spanish), `*` fits every other one; among equal weights the first
    range counts.

    Spec: RFC 9110, section 12.5.4; RFC 4647, section 3.4 (lookup).
    """
    if cookie is not None and cookie in LANGUAGES:
        return LANGUAGES[cookie]
    ranges = [(name.partition("-")[0], weight) for name, weight in preferences(accept_language)]
    named = {name for name, _ in ranges}
    best, reached = ENGLISH, 0.0
    for name, weight in ranges:
        for language in LANGUAGES.values():
            fits = name == language.code or (name == "*" and language.code not in named)
            if fits and weight > reached:
                best, reached = language, weight
    return best
