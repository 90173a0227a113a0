"""The three rules of the house, read from the syntax trees: who imports whom, who writes rows, who speaks HTTP and SQL."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent

FLOORS = [
    {"errors", "durations", "suggestions", "tables"},
    {"faults"},
    {"bodies", "texts"},
    {"storage"},
    {"runtime"},
    {"access"},
    {"web", "unpacking"},
    {"outbox", "files"},
    {"accounts", "evidence", "signing"},
    {"criteria", "networks"},
    {"achievements"},
    {"progress"},
    {"issuing"},
    {"awards", "public"},
    {"checking", "appeals"},
    {"intake", "sharing", "vc_api"},
    {"participation"},
    {"notifications"},
    {"console"},
    {"operations"},
    {"routes"},
    {"app"},
    {"cli"},
]
"""The packages of `service`, lowest first: each may import those on floors below its own."""

GROUND = [{"errors", "instants"}, {"strict_json", "findings", "reading"}, {"recipient", "bake"}]
SHELVES = [
    *GROUND,
    {"graph"},
    {"model"},
    {"proofs"},
    {"status", "report"},
    {"checks"},
    {"sign", "verify"},
    {"older", "presentation"},
    {"__init__"},
]
"""The shelves and root modules of `credentials`, lowest first."""

PURE = {"pydantic", "pydantic_core", "cryptography"}
PARSERS = {
    "credentials.strict_json": {"rfc8785"},
    "credentials.bake": {"defusedxml"},
    "credentials.graph.expansion": {"pyld"},
    "credentials.checks.schemas": {"jsonschema_rs"},
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
WRITES = {"insert", "update", "delete", "insert_new", "insert_for"}
"""Calls that write the row they are given first."""
AT_HOME_IN = {"past": "storage"}
"""Rows whose package has another name than their file."""


def modules(folder: str) -> dict[str, ast.Module]:
    """Return the tree of each module in a package and those within, by its dotted name."""
    found = {}
    for path in sorted((ROOT / folder).rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        found[name] = ast.parse(path.read_text(encoding="utf-8"))
    return found


def imports(tree: ast.Module) -> Iterator[str]:
    """Yield the full name of everything that is imported, in functions too, but for what only types need."""
    for_types = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in (each for each in ast.walk(tree) if each not in for_types):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "expected absolute imports"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def within(name: str, packages: set[str]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def part(name: str) -> str:
    """Return the package, or module beside the packages, in which a name stands."""
    return name.split(".")[1]


def called(tree: ast.AST) -> set[str]:
    """Return the names of all that is called, without what stands before the last dot."""
    calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return {each.attr if isinstance(each, ast.Attribute) else getattr(each, "id", "") for each in calls}


CREDENTIALS = modules("credentials")
SERVICE = modules("service")


def is_http(name: str) -> bool:
    """Tell whether a module may speak HTTP."""
    last = name.rpartition(".")[2]
    sent = {"service.notifications.payloads", "service.notifications.samples"}
    edge = {"service.web", "service.app", "service.routes"} | sent
    return within(name, edge) or last.split("_")[0] in {"api", "pages"}


def upward(trees: dict[str, ast.Module], floors: list[set[str]]) -> list[str]:
    """Return the imports that do not lead to a lower floor."""
    package = next(iter(trees)).split(".")[0]
    floor = {name: number for number, names in enumerate(floors) for name in names}
    found = []
    for name, tree in trees.items():
        for imported in imports(tree):
            if imported.split(".")[0] != package or imported == package:
                continue
            here, there = part(name), part(imported)
            if here not in {there, "__init__"} and floor.get(there, len(floors)) >= floor[here]:
                found.append(f"{name} imports {imported}")
    return found


def test_every_package_has_its_floor() -> None:
    assert {part(name) for name in SERVICE} - {"__init__"} == set().union(*FLOORS)
    assert {part(name) for name in CREDENTIALS} == set().union(*SHELVES)


def test_packages_import_downhill() -> None:
    assert upward(SERVICE, FLOORS) == []


def test_the_library_imports_downhill() -> None:
    assert upward(CREDENTIALS, SHELVES) == []


def test_nothing_imports_in_a_circle() -> None:
    trees = SERVICE | CREDENTIALS
    names = {name.removesuffix(".__init__"): name for name in trees}
    graph = {
        name: {
            names[other]
            for imported in imports(tree)
            for other in (imported, imported.rpartition(".")[0])
            if other in names and names[other] != name
        }
        for name, tree in trees.items()
    }
    done: set[str] = set()
    while ready := {name for name, needs in graph.items() if name not in done and needs <= done}:
        done |= ready
    assert sorted(graph.keys() - done) == []


def test_the_library_is_pure() -> None:
    wrong = []
    for name, tree in CREDENTIALS.items():
        allowed = PURE | PARSERS.get(name, set()) | set(sys.stdlib_module_names) | {"credentials"}
        wrong += [(name, each) for each in imports(tree) if not within(each, allowed) or within(each, IMPURE)]
        wrong += [(name, each) for each in called(tree) & CLOCKS]
    assert wrong == []


def test_http_stays_at_the_edge_of_each_package() -> None:
    web = {"fastapi", "starlette"}
    speaks = web | {name for name, tree in SERVICE.items() if any(within(each, web) for each in imports(tree))}
    wrong = [
        (name, imported)
        for name, tree in SERVICE.items()
        if not is_http(name)
        for imported in imports(tree)
        if within(imported, speaks if part(name) != "cli" else web)  # the command starts the application
    ]
    assert wrong == []


def test_the_edge_neither_queries_nor_commits_nor_signs() -> None:
    forbidden = {"sqlalchemy", "cryptography", "service.runtime.custody"}
    edge = {name: tree for name, tree in SERVICE.items() if is_http(name) and not name.endswith("web.idempotency")}
    assert [(name, each) for name, tree in edge.items() for each in imports(tree) if within(each, forbidden)] == []
    queries = {"select", "commit", "execute", "scalars", "scalar"}
    assert [(name, each) for name, tree in edge.items() for each in called(tree) & queries] == []


def test_rows_know_nothing_of_us() -> None:
    tables = {name: tree for name, tree in SERVICE.items() if part(name) == "tables"}
    wrong = [
        (name, imported)
        for name, tree in tables.items()
        for imported in imports(tree)
        if imported.split(".")[0] in {"credentials", "service"} and part(imported) != "tables"
    ]
    assert wrong == []


def test_what_writes_in_a_network_is_given_an_act() -> None:
    parts = {("session", "WriteSession"), ("network", "Network"), ("now", "datetime")}
    wrong = [
        f"{name}.{node.name}"
        for name, tree in SERVICE.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
        if parts <= {(each.arg, ast.unparse(each.annotation)) for each in node.args.args if each.annotation is not None}
    ]
    assert wrong == []


def test_rows_are_written_at_home_only() -> None:
    homes = {
        node.name: AT_HOME_IN.get(name.rpartition(".")[2], name.rpartition(".")[2])
        for name, tree in SERVICE.items()
        if part(name) == "tables"
        for node in tree.body
        if isinstance(node, ast.ClassDef) and name.rpartition(".")[2] != "columns"
    }
    away = [
        f"{name} writes {row}"
        for name, tree in SERVICE.items()
        if part(name) != "tables"
        for row in sorted(written(tree, homes.keys() & imported_rows(tree)))
        if part(name) != homes[row]
    ]
    assert away == []


def imported_rows(tree: ast.Module) -> set[str]:
    return {name.rpartition(".")[2] for name in imports(tree) if name.startswith("service.tables.")}


def written(tree: ast.Module, rows: set[str]) -> set[str]:
    """Return the rows that a module constructs, inserts, updates or deletes."""
    found = set()
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if isinstance(node.func, ast.Name) and name in rows:
            found.add(name)
        if name in WRITES:
            found |= {each.id for each in node.args[:2] if isinstance(each, ast.Name) and each.id in rows}
    return found


def test_the_library_knows_no_service() -> None:
    found = [(name, imported) for name, tree in CREDENTIALS.items() for imported in imports(tree)]
    assert [pair for pair in found if within(pair[1], {"service", "tests", "alembic"})] == []


PACKAGES = {name: tree for name, tree in (SERVICE | CREDENTIALS).items() if name.endswith(".__init__")}
EXPORTING = {"credentials.__init__", "service.tables.__init__"}


def test_a_package_file_holds_a_docstring_and_nothing_else() -> None:
    with_code = {name for name, tree in PACKAGES.items() if len(tree.body) != 1}
    assert with_code == EXPORTING


def test_a_package_says_what_it_is_and_what_it_must_not_know() -> None:
    said = {name: " ".join((ast.get_docstring(tree) or "").split()) for name, tree in PACKAGES.items()}
    limits = ("must not", "never", "Nothing imports it")
    assert [name for name, words in said.items() if not any(limit in words for limit in limits)] == []
