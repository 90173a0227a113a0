"""What holds for the repository as a whole: what it tracks, how long files are, that locks are in step."""

import json
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent

TOP_LEVEL = {
    # fixed
    "pyproject.toml",
    "service",
    "credentials",
    "alembic",
    "keys",
    "openapi",
    "tests",
    # the usual
    ".ci",
    ".git-blame-ignore-revs",
    ".gitignore",
    ".pre-commit-config.yaml",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "DECISIONS.md",
    "DEPLOYMENT.md",
    "LICENSE",
    "Makefile",
    "README.md",
    "SECURITY.md",
    "requirements-dev.txt",
    "requirements.txt",
}
MAX_LINES = 400
REGISTRY_ADDRESS = re.compile(
    r"""
      "resolved"\s*:\s*"                                  # npm says from where it took a package
    | ^\s*(?:--|-)(?:extra-)?(?:index-url|find-links|i)\b  # pip's ways to name an index
    | ^\s*registry\s*=
    | https?://[^\s"'<>)]*/simple\b
    | (?:pypi|pythonhosted|npmjs|yarnpkg)\.(?:org|com)/
    """,
    re.VERBOSE | re.MULTILINE,
)


def tracked() -> list[Path]:
    """Return the files that are tracked, and here."""
    if not (ROOT / ".git").exists():
        pytest.skip("this is not a clone: nothing says which files are tracked")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def python_files(*folders: str) -> list[Path]:
    return [path for path in tracked() if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in folders]


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def locked(name: str) -> dict[str, str]:
    """Return the version that a lock holds of each package."""
    return dict(re.findall(r"^([a-z0-9-]+)(?:\[.*\])?==(\S+)", (ROOT / name).read_text(), re.MULTILINE))


def folders_in_the_makefile(variable: str) -> list[str]:
    [folders] = re.findall(rf"^{variable} := (.*)$", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    return str(folders).split()


def test_the_top_level_holds_only_what_belongs_there() -> None:
    assert {path.relative_to(ROOT).parts[0] for path in tracked()} <= TOP_LEVEL


def test_no_tracked_file_names_a_registry() -> None:
    files = {path: path.read_bytes() for path in tracked() if path != Path(__file__)}
    texts = {path: content.decode(errors="ignore") for path, content in files.items() if b"\0" not in content}
    assert [path for path, text in texts.items() if REGISTRY_ADDRESS.search(text)] == []


def test_no_private_key_is_tracked() -> None:
    marks = (b"-----BEGIN PRIVATE KEY", b"-----BEGIN ENCRYPTED PRIVATE KEY", b"-----BEGIN EC PRIVATE KEY")
    keys = ROOT / "keys"
    found = [
        path for path in tracked() if path.is_relative_to(keys) or any(mark in path.read_bytes() for mark in marks)
    ]
    assert {path.name for path in found if path != Path(__file__)} <= {"README.md"}


def test_no_file_is_longer_than_a_reader_keeps_in_mind() -> None:
    lengths = {path: len(path.read_text().splitlines()) for path in python_files("service", "credentials")}
    assert {str(path): length for path, length in lengths.items() if length > MAX_LINES} == {}


def test_no_package_shadows_alembic() -> None:
    assert not list((ROOT / "alembic").rglob("__init__.py"))


def test_every_dependency_is_locked_at_a_version_that_is_asked_for() -> None:
    declared, groups = project()["project"]["dependencies"], project()["dependency-groups"]
    asked = {"requirements.txt": [*declared, *groups["build"]], "requirements-dev.txt": groups["dev"]}
    for lock, requirements in asked.items():
        versions = locked(lock)
        for requirement in map(Requirement, requirements):
            assert versions[canonicalize_name(requirement.name)] in requirement.specifier, f"{requirement}: make lock"


def test_the_build_backend_that_is_locked_is_the_one_that_builds() -> None:
    assert project()["build-system"]["requires"] == project()["dependency-groups"]["build"]


def test_the_lock_for_development_extends_the_one_to_run() -> None:
    assert locked("requirements.txt").items() <= locked("requirements-dev.txt").items()


def test_every_locked_package_is_held_to_a_digest() -> None:
    others = [f"{folder}/requirements.txt" for folder in folders_in_the_makefile("PYTHON_FOLDERS")]
    for name in ["requirements.txt", "requirements-dev.txt", *others]:
        entries = re.split(r"^(?=[a-z0-9])", (ROOT / name).read_text(), flags=re.MULTILINE)[1:]
        assert len(entries) == len(locked(name))
        assert [entry for entry in entries if "--hash=sha256:" not in entry] == [], name


def test_every_locked_package_for_node_is_held_to_a_digest() -> None:
    for folder in folders_in_the_makefile("NODE_FOLDERS"):
        packages = json.loads((ROOT / folder / "package-lock.json").read_text())["packages"]
        wanted = json.loads((ROOT / folder / "package.json").read_text())["dependencies"]
        assert packages.pop("")["dependencies"] == wanted
        assert [name for name, entry in packages.items() if not entry.get("integrity")] == [], folder
        assert [name for name, entry in packages.items() if "resolved" in entry] == [], folder


def test_every_package_is_distributed() -> None:
    found = {path.parent for path in python_files("service", "credentials")}
    assert [folder for folder in found if not (folder / "__init__.py").is_file()] == []
    assert project()["tool"]["setuptools"]["packages"]["find"]["include"] == ["credentials*", "service*"]
