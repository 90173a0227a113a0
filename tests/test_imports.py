"""Who may import whom: the rules of the house, read from the syntax trees."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

LAYERS = [
    {"errors", "instants"},
    {"strict_json", "findings"},
    {"recipient", "bake", "documents", "unprotected"},
    {"model", "rdf"},
    {"keys", "statements"},
    {"canonicalize", "dids"},
    {"data_integrity", "digests", "jose", "status"},
    {"sign", "report"},
    {"received", "inquiry"},
    {"provenance"},
    {"refresh", "resources", "schemas", "standing"},
    {"verify"},
    {"presentation"},
    {"__init__"},
]
"""The modules of `credentials`, lowest first: each may import those before it."""

PURE = {"pydantic", "pydantic_core", "cryptography"}
PARSERS = {
    "strict_json": {"rfc8785"},
    "bake": {"defusedxml"},
    "canonicalize": {"pyld"},
    "schemas": {"jsonschema_rs"},
}
"""What a module of `credentials` may import beside the standard library, and what else one of them may."""
IMPURE = {
    "asyncio",
    "ctypes",
    "ftplib",
    "getpass",
    "http",
    "multiprocessing",
    "os",
    "pathlib",
    "random",
    "secrets",
    "shutil",
    "signal",
    "smtplib",
    "socket",
    "sqlite3",
    "ssl",
    "subprocess",
    "sys",
    "tempfile",
    "time",
    "urllib.request",
    "uuid",
}
CLOCKS = {"now", "utcnow", "today", "urandom", "getenv"}


def modules(*folders: str) -> Iterator[tuple[str, ast.Module]]:
    """Yield the dotted name and the tree of each module in these packages and those within."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            yield name, ast.parse(path.read_text(encoding="utf-8"))


def imports(tree: ast.Module) -> Iterator[str]:
    """Yield the full name of everything that is imported, in functions too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "expected absolute imports"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def within(name: str, packages: set[str]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


CREDENTIALS = dict(modules("credentials"))
SERVICE = dict(modules("service"))
PUBLIC = {"service.api", "service.pages"}


def test_every_module_of_the_library_has_its_layer() -> None:
    assert sorted(name.partition(".")[2] for name in CREDENTIALS) == sorted(set().union(*LAYERS))


@pytest.mark.parametrize("name", CREDENTIALS)
def test_the_library_is_pure(name: str) -> None:
    module = name.partition(".")[2]
    allowed = PURE | PARSERS.get(module, set()) | set(sys.stdlib_module_names) | {"credentials"}
    for imported in imports(CREDENTIALS[name]):
        assert within(imported, allowed), f"{name} imports {imported}"
        assert not within(imported, IMPURE), f"{name} imports {imported}"
    called = {
        node.func.attr
        for node in ast.walk(CREDENTIALS[name])
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    assert not called & CLOCKS, f"{name} asks {called & CLOCKS}"


@pytest.mark.parametrize("name", CREDENTIALS)
def test_the_library_imports_along_its_arrows(name: str) -> None:
    module = name.partition(".")[2]
    below: set[str] = set()
    for layer in LAYERS:
        if module in layer:
            break
        below |= layer
    for imported in imports(CREDENTIALS[name]):
        if imported.startswith("credentials."):
            other = imported.split(".")[1]
            if f"credentials.{other}" not in CREDENTIALS:  # a name of the package itself
                other = next((one for one in set().union(*LAYERS) if imported == f"credentials.{one}"), "__init__")
            assert other in below, f"{name} imports {imported}"


@pytest.mark.parametrize("name", SERVICE)
def test_the_service_keeps_http_to_its_edge(name: str) -> None:
    web = {"fastapi", "starlette", *PUBLIC}
    edge = within(name, PUBLIC) or name == "service.app"
    for imported in imports(SERVICE[name]):
        assert edge or not within(imported, web), f"{name} imports {imported}"


@pytest.mark.parametrize("name", [name for name in SERVICE if within(name, PUBLIC)])
def test_the_edge_neither_queries_nor_commits_nor_signs(name: str) -> None:
    for imported in imports(SERVICE[name]):
        assert not within(imported, {"sqlalchemy", "cryptography", "service.custody"}), f"{name} imports {imported}"
    called = {
        node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        for node in ast.walk(SERVICE[name])
        if isinstance(node, ast.Call)
    }
    assert not called & {"select", "commit", "execute", "scalars", "scalar"}


def test_the_rows_know_nothing_of_us() -> None:
    tables = [imported for name in SERVICE if within(name, {"service.tables"}) for imported in imports(SERVICE[name])]
    assert [imported for imported in tables if within(imported, {"credentials"})] == []
    others = [imported for imported in tables if within(imported, {"service"})]
    # Identifiers are made where rows are.
    assert [imported for imported in others if not within(imported, {"service.tables", "service.identifiers"})] == []


def test_the_library_knows_no_service() -> None:
    found = [(name, imported) for name in CREDENTIALS for imported in imports(CREDENTIALS[name])]
    assert [pair for pair in found if within(pair[1], {"service", "tests", "alembic"})] == []


def test_the_service_imports_without_cycles() -> None:
    graph = {
        name: {
            other
            for imported in imports(tree)
            for other in SERVICE
            if other != name and (imported == other or imported.rpartition(".")[0] == other)
        }
        for name, tree in SERVICE.items()
    }
    done: set[str] = set()
    while ready := {name for name, needs in graph.items() if name not in done and needs <= done}:
        done |= ready
    assert sorted(graph.keys() - done) == []
