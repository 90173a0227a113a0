"""What a reader may ask for stands in the documents: scopes, events, settings, commands; and nothing that is not there."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from service.access.callers import SCOPES
from service.cli import main as cli
from service.operations.health import REASONS
from service.outbox.event_types import EventType
from service.runtime.settings import Settings

ROOT = Path(__file__).parent.parent
DOCUMENTS = {path.name: path.read_text(encoding="utf-8") for path in sorted(ROOT.glob("*.md"))}
EVERYTHING = "\n".join(text for name, text in DOCUMENTS.items() if name != "CHANGELOG.md")
"""What tells how things are now; the changelog tells how they were."""
SETTINGS = {f"LAUREL_{name.upper()}" for name in Settings.model_fields}
OF_COMMANDS = {"LAUREL_TOKEN", "LAUREL_WEBHOOK_SECRET"}
"""Secrets that a command takes from its environment; the service has nothing of them."""
LINK = re.compile(r"\]\((?!https?:)([^)#]+)[^)]*\)")


def quoted(text: str) -> set[str]:
    """Return what stands between backticks."""
    return set(re.findall(r"`([^`\n]+)`", text))


def section(title: str) -> str:
    """Return a section of the README."""
    found = re.search(rf"^## {title}\n(.*?)(?=^## )", DOCUMENTS["README.md"], re.MULTILINE | re.DOTALL)
    assert found is not None, f"README.md has no section {title}"
    return found[1]


def entries(title: str) -> set[str]:
    """Return all that is quoted in the rows of a section's table."""
    rows = [line for line in section(title).splitlines() if line.startswith("| ")]
    return {name for row in rows for name in quoted(row)}


def commands(group: Any, name: str) -> Iterator[str]:
    """Yield each command of a group and of those in it, as it is typed."""
    for each, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, f"{name} {each}")
        else:
            yield f"{name} {each}"


COMMANDS = set(commands(typer.main.get_command(cli.app), "laurel"))


def targets() -> list[str]:
    """Return the targets that `make help` lists."""
    return re.findall(r"^([a-z-]+):.*?## ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)


def test_the_readme_lists_every_scope_and_no_other() -> None:
    assert entries("Scopes") == set(SCOPES)


def test_the_readme_names_no_event_that_there_is_not() -> None:
    assert entries("Events") <= set(EventType)


def test_the_readme_lists_every_setting_and_no_other() -> None:
    assert {name for name in entries("Settings") if name.startswith("LAUREL_")} == SETTINGS


def test_the_readme_lists_every_command_and_no_other() -> None:
    assert {name for name in entries("Commands") if name.startswith("laurel ")} == COMMANDS


def test_the_readme_lists_every_reason_of_health_and_no_other() -> None:
    rows = [line.split("|")[1] for line in section("Health").splitlines() if line.startswith("| `")]
    assert quoted("".join(rows)) == set(REASONS)


def test_no_document_names_a_setting_that_is_not_there() -> None:
    assert set(re.findall(r"\bLAUREL_[A-Z_]*[A-Z]\b", EVERYTHING)) <= SETTINGS | OF_COMMANDS


def test_no_document_names_a_command_that_is_not_there() -> None:
    named = set(re.findall(r"\blaurel(?: [a-z]+){1,2}\b", "\n".join(quoted(EVERYTHING))))
    known = COMMANDS | {command.rpartition(" ")[0] for command in COMMANDS}
    assert {
        name for name in named if not any(name == one or name.startswith(f"{one} ") for one in known - {"laurel"})
    } == set()


@pytest.mark.parametrize("target", targets())
def test_every_target_of_make_stands_in_the_documents(target: str) -> None:
    assert re.search(rf"\bmake {target}(?![\w-])", EVERYTHING), (
        f"CONTRIBUTING.md does not say what `make {target}` does"
    )


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_link_between_documents_leads_somewhere(name: str) -> None:
    assert [link for link in LINK.findall(DOCUMENTS[name]) if not (ROOT / link).exists()] == []


PROMISES = [
    line
    for line in re.split(
        r"\n(?=[*#])", DOCUMENTS["SECURITY.md"].partition("## What is promised")[2].partition("\n## ")[0]
    )
    if line.startswith("* ")
]


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise[2:40])
def test_each_promise_of_security_names_a_test_that_is_there(promise: str) -> None:
    kept_by = [name for name in quoted(promise.replace("\n", " ")) if name.startswith("tests/")]
    assert kept_by
    for path, _, name in (each.partition("::") for each in kept_by):
        assert f"def {name}(" in (ROOT / path).read_text(encoding="utf-8")
