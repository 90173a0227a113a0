"""Load an example into a network of its own, as its steps say.

A step has what a reader is told (`say`), and one of these. Names in braces in a request are taken from the body or item.

* `lines`: an NDJSON file, sent whole to a request that takes many lines.
* `each`: a file with bodies, in JSON or NDJSON; each is sent with the request.
* `found`: a request that lists; with each item the request is sent, with the body `json`.
* `calls`: an NDJSON file of requests, each `{"as", "request", "json"}`.
* `import`: a public file, with its `mapping`, as `laurel import` takes it.
* none of them: the request is sent once, with the body `json`.

`as` is the member who acts; left out: the network. `done` are codes of refusals that say that it was done before.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import func, select

from service.cli.loading import marks
from service.cli.loading.in_process import Programs, programs
from service.cli.loading.marks import Mark
from service.cli.loading.shelf import NETWORK, Example
from service.errors import ConflictError
from service.intake import importing, mapping_files
from service.networks import networks
from service.runtime.runtime import Runtime
from service.tables import Network

Say = Callable[[str], None]
Advance = Callable[[int, int], None]
SLUG = "example-{name}"


@dataclass(frozen=True)
class Loaded:
    """What came of loading: the network, its badges by achievement, and whether it was there already."""

    slug: str
    name: str
    badges: Mapping[str, int]
    before: bool = False


def load(
    runtime: Runtime,
    example: Example,
    slug: str | None = None,
    *,
    say: Say = lambda _line: None,
    advance: Advance = lambda _done, _total: None,
) -> Loaded:
    """Load an example, or go on where it was interrupted; one that is loaded already stays as it is.

    1. The network is created together with its mark, in one transaction.
    2. Each step is sent. What is there already stays as it is, so that all can be sent again.
    3. The mark says that it is whole, if its badges are those that it says.

    Args:
        slug: left out: "example-" and its name.
        say: told what is done.
        advance: told how much of a public file is taken in, and how much there is.
    Raises:
        ConflictError: the slug is that of another network (code "slug-taken"), it is being removed ("example-removing"),
            a step was refused ("example-refused"), or other badges came of it ("example-differs").
        InvalidError: its public files are missing.
    """
    example.check_files()
    mark, network = _begin(runtime, example, slug or SLUG.format(name=example.name))
    if mark.state == "loaded":
        with programs(runtime, network) as speaking:
            return Loaded(mark.slug, network.name, _badges(speaking), before=True)
    with programs(runtime, network) as speaking:
        for step in example.steps():
            done = _take(runtime, example, mark, speaking, step, advance)
            if "say" in step:
                say(step["say"].format(n=f"{done:,}"))
        badges = _badges(speaking)
    if example.badges and badges != example.badges:
        wanted = ", ".join(f"{count} of {ref}" for ref, count in example.badges.items())
        message = f"Expected {wanted}; got {badges}. `laurel example remove --slug {mark.slug}` takes it out again."
        raise ConflictError("example-differs", message)
    with runtime.database.write() as session:
        marks.write(session, replace(mark, state="loaded"))
    return Loaded(mark.slug, network.name, badges)


def _begin(runtime: Runtime, example: Example, slug: str) -> tuple[Mark, Network]:
    """Return the mark and the network, which are made if they are not there."""
    now = runtime.now()
    with runtime.database.write() as session:
        mark = marks.of_slug(session, slug)
        if mark is not None and mark.state == "removing":
            message = f"Expected a network that is not being removed: run `laurel example remove --slug {slug}` again."
            raise ConflictError("example-removing", message)
        if mark is not None and mark.example == example.name:
            return mark, networks.by_slug(session, slug)
        if mark is not None or session.scalar(select(func.count()).where(Network.slug == slug)):
            other = f"the example {mark.example}" if mark is not None else "a network that is no example"
            raise ConflictError(
                "slug-taken", f"Expected a slug that is free, got that of {other}; give another --slug."
            )
        weeks = example.weeks_until(now)
        said = example.read(NETWORK, weeks) | {"slug": slug, "sandbox": True}
        network = networks.create_network(session, runtime, networks.NetworkIn.model_validate(said), now)
        mark = Mark(str(network.id), slug, example.name, weeks)
        marks.write(session, mark)
        return mark, network


def _take(
    runtime: Runtime, example: Example, mark: Mark, speaking: Programs, step: Mapping[str, Any], advance: Advance
) -> int:
    """Carry out one step; return of how many things it consists."""
    if "import" in step:
        plan = mapping_files.read_mapping(example.mapping(step["mapping"]))
        table = importing.open_table(example.public(step["import"]), plan)
        result = importing.run(runtime, mark.slug, table, plan, advance=advance)
        if result.counts["rejected"]:
            message = f"{step['import']}: {result.counts['rejected']} rows cannot be taken in; the first: {result.problems[0]}"
            raise ConflictError("example-refused", message)
        return table.total
    if "lines" in step:
        bodies = list(example.lines(step["lines"], mark.weeks))
        speaking.send_lines(step["request"], bodies)
        return len(bodies)
    count = 0
    for sent in _requests(example, mark, speaking, step):
        request = _filled(sent["request"], sent["item"])
        speaking.send(request, sent.get("json"), by=sent.get("as"), done=step.get("done", ()))
        count += 1
    return count


def _filled(request: str, item: Mapping[str, Any]) -> str:
    """Return a request with what its names in braces stand for."""
    return re.sub(r"\{(\w+)\}", lambda name: str(item[name[1]]), request)


def _requests(example: Example, mark: Mark, speaking: Programs, step: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    """Yield the requests of a step, each with the item that its names in braces are taken from."""
    if "calls" in step:
        for call in example.lines(step["calls"], mark.weeks):
            yield {"item": call.get("json") or {}, **call}
    elif "each" in step:
        name = step["each"]
        bodies = example.lines(name, mark.weeks) if name.endswith(".ndjson") else example.read(name, mark.weeks)
        for body in bodies:
            yield {**step, "item": body, "json": body}
    elif "found" in step:
        for item in list(speaking.listed(step["found"], by=step.get("as"))):
            yield {**step, "item": item}
    else:
        yield {**step, "item": step.get("json") or {}}


def _badges(speaking: Programs) -> dict[str, int]:
    """Return how many badges of each achievement are issued."""
    found = Counter(each["achievement"] for each in speaking.listed("GET /credentials"))
    return dict(sorted(found.items()))
