"""Who may import whom: what keeps `credentials` pure and lets each part of `service` be read by itself."""

import ast
import graphlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for folder in ("credentials", "service")
    for path in sorted((ROOT / folder).rglob("*.py"))
}
PURE = [name for name in MODULES if name.split(".")[0] == "credentials"]
AT_THE_EDGE = {"service.app", "service.cli", "service.demonstration"}
SPEAKING = [name for name in MODULES if name.startswith(("service.api", "service.pages"))]
OPERATIONS = sorted(MODULES.keys() - AT_THE_EDGE - {*PURE, *SPEAKING})

PARSERS_AND_KEYS = {"annotated_types", "cryptography", "defusedxml", "pydantic", "pydantic_core", "rfc8785"}
WORLD = {
    "asyncio",
    "http",
    "io",
    "os",
    "random",
    "secrets",
    "socket",
    "ssl",
    "subprocess",
    "tempfile",
    "time",
}
MOMENTS = {"now", "today", "utcnow", "uuid1", "uuid4", "environ", "getenv", "urandom", "urlopen"}


def tree(module: str) -> ast.Module:
    return ast.parse(MODULES[module].read_text())


def imported(module: str) -> Iterator[str]:
    """Yield what the module imports, by full name: modules, and names in them."""
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports by a relative name"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def packages(module: str) -> set[str]:
    return {name.split(".")[0] for name in imported(module)}


def called_upon(module: str) -> set[str]:
    """Return what the module asks of others by name: attributes, and what it imports."""
    attributes = {node.attr for node in ast.walk(tree(module)) if isinstance(node, ast.Attribute)}
    return attributes | {name.rpartition(".")[2] for name in imported(module)}


@pytest.mark.parametrize("module", PURE)
def test_credentials_take_everything_from_their_arguments(module: str) -> None:
    parsers = PARSERS_AND_KEYS | ({"pyld"} if module == "credentials.canonicalize" else set())
    assert packages(module) <= sys.stdlib_module_names | parsers | {"credentials"}
    assert not packages(module) & WORLD
    assert not called_upon(module) & MOMENTS


@pytest.mark.parametrize("module", OPERATIONS)
def test_operations_know_neither_http_nor_pages(module: str) -> None:
    assert not packages(module) & {"fastapi", "starlette", "uvicorn"}
    assert [name for name in imported(module) if name.startswith(("service.api", "service.pages"))] == []


@pytest.mark.parametrize("module", SPEAKING)
def test_routes_and_pages_neither_query_nor_commit_nor_sign(module: str) -> None:
    assert not called_upon(module) & {"select", "commit"}
    assert not packages(module) & {"cryptography", "alembic"}
    assert [name for name in imported(module) if name.startswith(("service.custody", "credentials.sign"))] == []


def test_tables_know_nothing_else_of_ours() -> None:
    ours = {
        name.rpartition(".")[0] for name in imported("service.tables") if name.startswith(("credentials", "service"))
    }
    assert ours == {"service.identifiers"}


def test_imports_run_downhill() -> None:
    graph = {
        module: {name if name in MODULES else name.rpartition(".")[0] for name in imported(module)} & MODULES.keys()
        for module in MODULES
    }
    list(graphlib.TopologicalSorter(graph).static_order())  # raises CycleError, naming the cycle
