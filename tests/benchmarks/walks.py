"""Count the modules that a request enters, and the functions with long signatures.

`make bench ARGS=walks`, or with the modules one by one `ARGS="walks all"`. A request is traced while it runs:

* An *entry* is a call of a function in a module of `service` from a frame of another module, ours or not. The body of
  a lambda, a property and a method count as functions; a generator or coroutine that goes on does not enter again.
* A walk begins when the request reaches the application and ends when `commit` is called. Nothing runs beside the
  application here, and the same request was answered before for somebody else, so that nothing is done for the first
  time.
* A function's parameters are all that its signature names, including `self`. Decorated functions are counted apart:
  most are routes, whose parameters FastAPI fills in.
"""

import ast
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from fastapi.testclient import TestClient

from service.app import create_app
from tests.worlds.awarding import SHARE_TWICE, Stage
from tests.worlds.databases import migrated_sqlite
from tests.worlds.runtimes import BASE_URL, Clock, settings_in, start

ROOT = Path(__file__).parents[2]
MANY = 5
"""A signature with this many parameters is long."""
APPROVED = {"all": [SHARE_TWICE, {"rule": "approval", "by_role": "director"}]}


def say(what: str, value: str) -> None:
    sys.stdout.write(f"{what:<80}{value:>20}\n")
    sys.stdout.flush()


@dataclass
class Walk:
    """The entries between a request and its commit.

    `evaluations` counts the calls of `progress.evaluate`.
    """

    entries: Counter[str] = field(default_factory=Counter)
    evaluations: int = 0
    committed: bool = False


class Tracer:
    """A profiler of every thread that starts after it.

    It notes the calls while a walk is on.
    """

    def __init__(self) -> None:
        self._walk: Walk | None = None
        self._starts: dict[CodeType, int] = {}
        self._lock = threading.Lock()

    def __call__(self, frame: FrameType, what: str, _argument: Any) -> None:
        """Note one event of the interpreter, as `sys.setprofile` passes it."""
        module = _module(frame)
        if what != "call" or module is None:
            return
        with self._lock:
            walk = self._walk
            begins = self._starts.setdefault(frame.f_code, frame.f_lasti) == frame.f_lasti
            if walk is None or walk.committed or not begins:
                return
            name = frame.f_code.co_name
            if _module(frame.f_back) != module:
                walk.entries[module] += 1
            walk.evaluations += name == "evaluate" and module.endswith("progress")
            walk.committed = name == "commit" and module.endswith(".database")

    @contextmanager
    def walk(self) -> Iterator[Walk]:
        """Yield the walk of the one request that is sent inside."""
        self._walk = Walk()
        try:
            yield self._walk
        finally:
            self._walk = None


def _module(frame: FrameType | None) -> str | None:
    """Return the module of `service` to which a frame belongs."""
    name: str = frame.f_globals.get("__name__", "") if frame is not None else ""
    return name if name == "service" or name.startswith("service.") else None


def run(*, each: bool = False) -> None:
    """Print the figures; with `each` also the modules of each walk."""
    tracer = Tracer()
    before = threading.getprofile()
    threading.setprofile(tracer)
    try:
        walks = _walks(tracer)
    finally:
        threading.setprofile(before)
    for what, walk in walks.items():
        assert walk.committed, what
        say(f"{what}: modules entered, entries", f"{len(walk.entries)}, {walk.entries.total()}")
        if walk.evaluations:
            say(f"{what}: calls of progress.evaluate", str(walk.evaluations))
        if each:
            for module, count in walk.entries.most_common():
                say(f"    {module}", str(count))
    for package in ("service", "credentials"):
        plain, decorated = _long_signatures(ROOT / package)
        say(f"{package}: functions with {MANY} parameters or more; decorated ones beside", f"{plain}; {decorated}")


def _walks(tracer: Tracer) -> dict[str, Walk]:
    walks: dict[str, Walk] = {}
    with tempfile.TemporaryDirectory(prefix="laurel-bench-") as name:
        folder = Path(name)
        migrated_sqlite(folder / "laurel.db")
        with start(settings_in(folder), Clock()) as running:
            # Without `with`: the client starts the application, but not what runs beside it.
            client = TestClient(create_app(running), base_url=BASE_URL)
            stage = Stage.set_up(client, running)
            _members(tracer, stage, walks)
            stage.achievement(rule=APPROVED)
            _approvals(tracer, stage, walks, "POST approval that makes the award")
            stage = Stage.set_up(client, running, "full")
            stage.achievement(rule=APPROVED)
            stage.achievement("again", rule={"rule": "holds", "achievements": ["sharer"]})
            for ref in ("later", "much-later"):
                stage.achievement(ref, rule=SHARE_TWICE | {"gte": 9})
            _approvals(tracer, stage, walks, "POST approval, further achievements ask for it")
    return walks


def _members(tracer: Tracer, stage: Stage, walks: dict[str, Walk]) -> None:
    stage.achievement("by-itself")
    for n in (1, 2):
        body = {"name": "N", "email": f"n{n}@river.example", "roles": ["writer"]}
        with tracer.walk() as walks["PUT member, new"]:
            stage.send("PUT", f"./members/n{n}", body)
        for nth in (1, 2):
            stage.share(nth, f"held-{n}")
        with tracer.walk() as walks["PUT member, new, whose held evidence earns a badge"]:
            stage.send("PUT", f"./members/held-{n}", {"email": f"held-{n}@river.example"})


def _approvals(tracer: Tracer, stage: Stage, walks: dict[str, Walk], what: str) -> None:
    chief = f"director-of-{stage.slug}"
    stage.member(chief, roles=[{"role": "director", "from": "2026-01-01T00:00:00Z"}])
    director = stage.token_with("awards:approve", "read", member=chief)
    for member in ("m1", "m2"):
        stage.member(member, email=f"{member}@river.example")
        for nth in (1, 2):
            stage.share(nth, member)
        queue = {"state": "waiting", "member": member}
        (waiting,) = stage.send("GET", "./approvals", params=queue, token=director)["items"]
        with tracer.walk() as walks[what]:
            answer = stage.send("POST", f"./approvals/{waiting['id']}/approval", {}, token=director)
        assert answer["state"] == "approved"


def _long_signatures(folder: Path) -> tuple[int, int]:
    """Return how many functions have a long signature, plain and decorated."""
    plain = decorated = 0
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                named = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
                long = len(named) >= MANY
                plain += long and not node.decorator_list
                decorated += long and bool(node.decorator_list)
    return plain, decorated
