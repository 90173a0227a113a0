"""Mapping files: what is wrong in one is said once, before the first row."""

from pathlib import Path

import pytest

from service.errors import InvalidError
from service.intake.mapping_files import Plan, read_mapping

pytestmark = pytest.mark.any_database("nothing is asked of a database")

EXAMPLES = Path(read_mapping.__code__.co_filename).parent / "examples"
MEMBER = '[[records]]\nkind = "member"\nref = "{id}"\n'
CONTRIBUTION = '[[records]]\nkind = "contribution"\nmember = "{who}"\ntype = "attended"\n'
SURVEY = (
    '[[records]]\nkind = "evaluation"\nevaluation = "survey"\ninstrument = "i"\nabout = { network = "{@network}" }\n'
)
WHEN = 'occurred_at = { column = "when", format = "%d.%m.%Y" }\n'


def read(folder: Path, text: str, *, source: str = 'source = "x"\n') -> Plan:
    (folder / "mapping.toml").write_text(source + text, encoding="utf-8")
    return read_mapping(folder / "mapping.toml")


@pytest.mark.parametrize("path", sorted(EXAMPLES.rglob("*.toml")), ids=lambda path: path.stem)
def test_every_example_is_in_order(path: Path) -> None:
    assert read_mapping(path).columns


def test_a_mapping_names_its_columns(tmp_path: Path) -> None:
    text = CONTRIBUTION + WHEN + 'id = "{@row}-{day} {who}"\n' + SURVEY + WHEN + 'answers = { only = ["a", "b"] }\n'
    plan = read(tmp_path, text)
    assert plan.columns == ("who", "when", "day", "a", "b")
    assert not plan.uses_digest
    assert read(tmp_path, MEMBER.replace("{id}", "{@digest}")).uses_digest


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("records = 1", "Expected `source` and [[records]] in mapping.toml, got records, source."),
        ("records = [", "Expected a mapping in TOML: "),
        (f"sauce = 1\n{MEMBER}", "got `sauce` (did you mean `source`?)"),
        ('[[records]]\nkind = "membr"', "got 'membr' (did you mean `member`?)"),
        ("[[records]]\nref = 'x'", "record 1: expected a kind out of session, member, "),
        ('records = ["member"]', "record 1: expected a kind out of session, member, "),
        (f'{MEMBER}emial = "{{mail}}"', "got `emial` (did you mean `email`?)"),
        (
            CONTRIBUTION,
            "mapping.toml, record 1: expected `occurred_at`, which every contribution needs, got nothing.",
        ),
        (f"{MEMBER}{CONTRIBUTION}", "mapping.toml, record 2: expected `occurred_at`"),
        (SURVEY.replace("survey", "survy") + WHEN, "got `survy` (did you mean `survey`?)"),
        (f"{SURVEY}{WHEN}answers = {{ exept = [] }}", "`answers`: expected except, only, got `exept` (did you mean"),
        (
            CONTRIBUTION + WHEN.replace("format", "formt"),
            "`occurred_at`: expected column, format, map, type, got `formt`",
        ),
        (CONTRIBUTION + 'occurred_at = { format = "%Y" }', "`occurred_at`: expected `column` beside `format`."),
        (
            CONTRIBUTION + WHEN.replace("%d", "%Q"),
            "`occurred_at`: expected a format such as %d.%m.%Y %H:%M, got '%Q.%m.%Y'.",
        ),
        (
            f'{CONTRIBUTION}{WHEN}minutes = {{ column = "m", type = "int" }}',
            "`minutes`: expected a type out of integer, number, text, got 'int'.",
        ),
    ],
)
def test_what_is_wrong_is_said_with_what_was_meant(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InvalidError) as refused:
        read(tmp_path, text)
    assert refused.value.code == "mapping-invalid"
    assert message in str(refused.value)


def test_an_achievement_that_cannot_be_published_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidError, match="/name"):
        read(tmp_path, '[achievement]\nref = "a"\n' + MEMBER)
