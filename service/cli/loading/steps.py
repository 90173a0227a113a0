"""The steps in which an example is loaded.

A step has what a reader is told (`say`), and one of these. Names in braces in a request are taken from the body or item,
or from what was kept before.

* `lines`: an NDJSON file, sent whole to a request that takes many lines. With `waits` some may be held by the guidelines.
* `each`: a file with a list of bodies; each is sent with the request. `body`: a file with one.
* `found`: a request that lists; with each item the request is sent, with the body `json`: with those that say what `where`
  says, if it is there.
* `calls`: an NDJSON file of requests, each `{"as", "request", "json"}`, or with `found` and `where`. Its answer's id is kept under the name `keep`. What
  a request would make again, under another id, is recognised by its member `there`: the list at the same address has an
  item that says the same.
* `import`: a public file, with its `mapping`, as `laurel import` takes it.
* none of them: the request is sent once, with the body `json`.

`as` is the member who acts; left out: the network. A step or call that was done before is passed over: `done` are codes of
refusals that say so, and `unless` a list with an item that says so.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from service.cli.loading.in_process import Programs
from service.cli.loading.marks import Mark
from service.cli.loading.shelf import Example
from service.errors import ConflictError
from service.intake import importing, mapping_files
from service.runtime.runtime import Runtime

Say = Callable[[str], None]
Advance = Callable[[int, int], None]
Sent = Mapping[str, Any]


@dataclass(frozen=True)
class Steps:
    """The steps of one example, with what is kept from one to the next."""

    runtime: Runtime
    example: Example
    mark: Mark
    speaking: Programs
    advance: Advance
    kept: dict[str, Any] = field(default_factory=dict)

    def take(self, say: Say) -> None:
        """Carry out every step that was not carried out before, and say what was done.

        Raises:
            ConflictError: the service refused one (code "example-refused").
        """
        for step in self.example.steps():
            if "unless" in step and self._is_there(*step["unless"]):
                continue
            done = self._take(step)
            if "say" in step:
                say(step["say"].replace("{n}", f"{done:,}"))

    def _take(self, step: Sent) -> int:
        """Carry out one step; return how many things there were in it."""
        if "import" in step:
            return self._import(step["import"], step["mapping"])
        if "lines" in step:
            bodies = list(self.example.lines(step["lines"], self.mark.weeks))
            self.speaking.send_lines(step["request"], bodies, waits=step.get("waits", False))
            return len(bodies)
        count = 0
        for count, sent in enumerate(self._requests(step), start=1):  # noqa: B007  (how many there were)
            self._send(sent)
        return count

    def _send(self, sent: Sent) -> None:
        request, body, by = self._filled(sent["request"], sent["item"]), sent.get("json"), sent.get("as")
        answer = None
        if (same := sent.get("there")) is not None:
            listed = self.speaking.listed(f"GET {request.split(' ', 1)[1]}", by=by)
            answer = next((each for each in listed if each.get(same) == sent["json"][same]), None)
        if answer is None:
            answer = self.speaking.send(request, body, by=by, done=sent.get("done", ()))
        if "keep" in sent:
            self.kept[sent["keep"]] = answer["id"]

    def _requests(self, step: Sent) -> Iterable[Sent]:
        """Yield the requests of a step, each with the item that its names in braces are taken from."""
        if "calls" in step:
            for call in self.example.lines(step["calls"], self.mark.weeks):
                yield from self._found(call) if "found" in call else [{"item": call["json"], **call}]
        elif "each" in step:
            for body in self.example.read(step["each"], self.mark.weeks):
                yield {**step, "item": body, "json": body}
        elif "found" in step:
            yield from self._found(step)
        elif "body" in step:
            yield {**step, "item": {}, "json": self.example.read(step["body"], self.mark.weeks)}
        else:
            yield {**step, "item": step.get("json") or {}}

    def _found(self, sent: Sent) -> Iterable[Sent]:
        """Yield a request for each item of a list that says what is looked for."""
        for item in list(self.speaking.listed(sent["found"], by=sent.get("as"))):
            if sent.get("where", {}).items() <= _plain(item).items():
                yield {**sent, "item": item}

    def _filled(self, request: str, item: Mapping[str, Any]) -> str:
        """Return a request with what its names in braces stand for."""
        return re.sub(r"\{([\w-]+)\}", lambda name: str({**item, **self.kept}[name[1]]), request)

    def _is_there(self, request: str, said: Mapping[str, Any]) -> bool:
        """Return whether a list has an item that says this."""
        return any(said.items() <= each.items() for each in map(_plain, self.speaking.listed(request)))

    def _import(self, name: str, mapping: str) -> int:
        """Import a public file; return how many rows it has."""
        plan = mapping_files.read_mapping(self.example.mapping(mapping))
        table = importing.open_table(self.example.public(name), plan)
        result = importing.run(self.runtime, self.mark.slug, table, plan, advance=self.advance)
        if rejected := result.counts["rejected"]:
            message = f"{name}: {rejected} rows cannot be taken in; the first: {result.problems[0]}"
            raise ConflictError("example-refused", message)
        return table.total


def _plain(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return those members of an item that are texts and numbers."""
    return {name: value for name, value in item.items() if isinstance(value, str | int)}
