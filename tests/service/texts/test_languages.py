"""The catalogues against the code and the templates, and how each language writes dates and numbers."""

import re
import tomllib
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from service.texts.languages import DOMAIN, ENGLISH, FOLDER, LANGUAGES, N_, SPANISH, chosen

ROOT = Path(__file__).parents[3]
TEMPLATES = sorted((ROOT / "service").rglob("templates/*.html"))
PLACEHOLDER = re.compile(r"%\(\w+\)s")
TAG = re.compile(r"<[^<>]+>")
OUTER = re.compile(r"\A\s*|\s*\Z|\n+")  # spaces around it, and its paragraphs
MARKED = re.compile(r"\{%\s*trans\b.*?\{%\s*endtrans\s*%\}", re.DOTALL)
UNSEEN = re.compile(r"\{#.*?#\}|\{\{.*?\}\}|\{%.*?%\}|<svg.*?</svg>|<script.*?</script>|<pre.*?</pre>", re.DOTALL)
READ_ALOUD = re.compile(r"""(?:alt|aria-label|title|placeholder)="([^"]*)\"""")
NAMES = {"A4", "API", "JSON", "JSON-LD", "Laurel", "PNG", "SVG", "VC-JWT"}
"""What is called the same in every language."""
CATALOGUES = [FOLDER / code / "LC_MESSAGES" / f"{DOMAIN}.po" for code in sorted(LANGUAGES.keys() - {ENGLISH.code})]


def forms(message: Any) -> tuple[str, ...]:
    """Return the forms of a text: one, or singular and plural."""
    return (message,) if isinstance(message, str) else tuple(message)


def extracted() -> set[Any]:
    """Return the texts that `make catalogues` finds."""
    mappings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["babel"]["mappings"]
    methods = [(mapping["pattern"], mapping["method"]) for mapping in mappings]
    options: dict[str, dict[str, Any]] = {mapping["pattern"]: mapping for mapping in mappings}
    return {found[2] for found in extract_from_dir(ROOT / "service", methods, options)}


def read(path: Path) -> Catalog:
    with path.open("rb") as written:
        return read_po(written, locale=path.parts[-3] if path.suffix == ".po" else None)


def texts_of(catalogue: Catalog) -> dict[Any, Message]:
    return {message.id: message for message in catalogue if message.id}


OF_IDS = re.compile(r'aria-(?:describedby|invalid)="[^"]*"')
"""Attributes that hold ids or a truth: a macro may write them, outside any tag."""


def words_of(template: str) -> set[str]:
    """Return the words of a template that its readers meet and that are not marked for the catalogues."""
    plain = OF_IDS.sub(" ", UNSEEN.sub(" ", MARKED.sub(" ", template)))
    seen = [*TAG.split(plain), *READ_ALOUD.findall(plain)]
    return {word for text in seen for word in re.findall(r"[^\W\d_][\w-]*", re.sub(r"&\w+;", " ", text))}


def test_there_is_a_catalogue_for_each_language_and_no_other() -> None:
    assert sorted(FOLDER.glob("*/LC_MESSAGES/*.po")) == CATALOGUES


def test_the_template_of_the_catalogues_holds_the_texts_of_the_code() -> None:
    assert texts_of(read(FOLDER / f"{DOMAIN}.pot")).keys() == extracted(), "run `make catalogues`"


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parts[-3])
def test_every_text_is_translated(path: Path) -> None:
    catalogue = read(path)
    found = texts_of(catalogue)
    assert found.keys() == extracted(), "run `make catalogues`, then translate what it added"
    assert [text for text, message in found.items() if not all(forms(message.string))] == []
    assert [text for text, message in found.items() if message.fuzzy] == []
    assert [
        text for text, message in found.items() if isinstance(text, tuple) and len(forms(message.string)) != 2
    ] == []
    assert catalogue.obsolete == {}


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parts[-3])
def test_a_translation_has_the_shape_of_its_text(path: Path) -> None:
    for text, message in texts_of(read(path)).items():
        for source, translated in zip(forms(text), forms(message.string), strict=True):
            for pattern in (PLACEHOLDER, TAG):
                assert sorted(pattern.findall(translated)) == sorted(pattern.findall(source)), text
            plain = PLACEHOLDER.sub("", TAG.sub("", translated))
            assert not set(plain) & set("%<>&"), text
            assert OUTER.findall(translated) == OUTER.findall(source), text
            assert translated.rstrip()[-1:] in ".:!?" or source.rstrip()[-1:] not in ".:!?", text


def test_a_text_has_no_sign_that_formatting_would_take_for_its_own() -> None:
    for text in extracted():
        for form in forms(text):
            assert not set(PLACEHOLDER.sub("", TAG.sub("", form))) & set("%<>&"), text


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_every_word_of_a_template_is_marked(path: Path) -> None:
    assert words_of(path.read_text()) <= NAMES


def test_unmarked_words_would_be_seen() -> None:
    template = (
        '<p class="x">{% trans %}a{% endtrans %} Left {{ _("b") }}</p><img alt="behind {{ name }}"> &amp; {# c #}'
        '{% macro m(n) %} aria-describedby="{{ n }}-hint" aria-invalid="true"{% endmacro %}'
    )
    assert words_of(template) == {"Left", "behind"}


def test_a_text_is_its_own_english() -> None:
    assert N_("Awarded by") == ENGLISH.gettext("Awarded by") == "Awarded by"
    assert ENGLISH.gettext("version %(version)s", version=3) == "version 3"
    assert ENGLISH.ngettext("%(num)s record", "%(num)s records", 1) == "1 record"
    assert ENGLISH.ngettext("%(num)s record", "%(num)s records", 1200) == "1,200 records"


def test_a_text_is_translated_with_its_values() -> None:
    assert SPANISH.gettext("Verify a badge") == "Verificar una insignia"
    assert SPANISH.gettext("version %(version)s", version=3) == "versión 3"
    assert SPANISH.ngettext("%(num)s record", "%(num)s records", 1) == "1 registro"
    assert SPANISH.ngettext("%(num)s record", "%(num)s records", 0) == "0 registros"


@pytest.mark.parametrize("text", ["", "100 % of it, said by nobody", "%(name)s"])
def test_what_is_in_no_catalogue_stays_as_it_is(text: str) -> None:
    assert [language.gettext(text) for language in LANGUAGES.values()] == [text, text]


@pytest.mark.parametrize(
    ("value", "english", "spanish"),
    [
        ("2026-09-08T10:00:00Z", "8 September 2026", "8 de septiembre de 2026"),
        ("2026-01-31", "31 January 2026", "31 de enero de 2026"),
        (datetime(2026, 12, 1, tzinfo=UTC), "1 December 2026", "1 de diciembre de 2026"),
        ("2026-09-08T23:30:00-02:00", "9 September 2026", "9 de septiembre de 2026"),
        (datetime(2026, 9, 8, 1, tzinfo=timezone(timedelta(hours=2))), "7 September 2026", "7 de septiembre de 2026"),
        ("in spring", "in spring", "in spring"),
        ("2026-13-40", "2026-13-40", "2026-13-40"),
        ("0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00+14:00"),
        ("9999-12-31T23:59:59-01:00", "9999-12-31T23:59:59-01:00", "9999-12-31T23:59:59-01:00"),
        ("", "", ""),
        (None, "", ""),
    ],
)
def test_days_are_written_as_their_readers_write_them(value: Any, english: str, spanish: str) -> None:
    assert ENGLISH.day(value) == english
    assert SPANISH.day(value) == spanish


def test_a_moment_says_that_it_is_in_utc() -> None:
    assert ENGLISH.moment("2026-09-08T16:05:59+02:00") == "8 September 2026, 14:05 UTC"
    assert SPANISH.moment("2026-09-08T16:05:59+02:00") == "8 de septiembre de 2026, 14:05 UTC"
    assert [ENGLISH.moment("at noon"), SPANISH.moment(None)] == ["at noon", ""]


@pytest.mark.parametrize(
    ("code", "english", "spanish"),
    [
        ("es", "Spanish", "Español"),
        ("pt-BR", "Portuguese (Brazil)", "Portugués (Brasil)"),
        ("es-419", "Spanish (Latin America)", "Español (Latinoamérica)"),
        ("und", "und", "und"),
        ("a language", "a language", "a language"),
    ],
)
def test_languages_are_named_as_their_readers_call_them(code: str, english: str, spanish: str) -> None:
    assert (ENGLISH.name_of(code), SPANISH.name_of(code)) == (english, spanish)


def test_numbers_have_the_marks_of_their_language() -> None:
    assert [ENGLISH.number(12345), ENGLISH.number(1.5)] == ["12,345", "1.5"]
    assert [SPANISH.number(12345), SPANISH.number(1.5)] == ["12.345", "1,5"]


@pytest.mark.parametrize(
    ("header", "code"),
    [
        (None, "en"),
        ("", "en"),
        ("es", "es"),
        ("ES-mx", "es"),
        ("es-419,es;q=0.9,en;q=0.8", "es"),
        ("en-GB,en;q=0.9,es;q=0.8", "en"),
        ("en;q=0.8, es;q=0.9", "es"),
        ("de-DE, es;q=0.5, en;q=0.4", "es"),
        ("es,en", "es"),
        ("en,es", "en"),
        ("fr", "en"),
        ("est", "en"),
        ("*", "en"),
        ("en;q=0.1, *;q=0.5", "es"),
        ("es;q=0, *", "en"),
        ("es;q=0", "en"),
        ("en;q=0, es;q=0.001", "es"),
        ("es;q=2, en;q=0.1", "en"),
        ("es;q=nan, en;q=0.1", "en"),
        ("es;q=-1, en;q=0.1", "en"),
        ("es;q=0.8;level=1", "es"),
        (",".join(["fr"] * 50 + ["es"]), "en"),
        ("\x00;;;,=,q=,;q=1", "en"),
    ],
)
def test_the_browsers_languages_are_weighed(header: str | None, code: str) -> None:
    assert chosen(header, None).code == code


def test_a_choice_made_here_counts_more_than_the_browsers() -> None:
    assert chosen("en", "es") is SPANISH
    assert chosen("es", "en") is ENGLISH
    for unknown in ("xx", "", "ES", "es; Path=/"):
        assert chosen("es", unknown) is SPANISH
