"""Play an example of the API's document: its request, after those from which it takes something."""

import copy
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

import httpx2

from service.web import examples
from tests.openapi.demo_network import NETWORK, SLUG, Stage
from tests.worlds import described

Example = dict[str, Any]
NDJSON, FORM = "application/x-ndjson", "application/x-www-form-urlencoded"
SHOWN, CUT = 2, {"items", "suspended"}
"""How many items of which lists an answer in the document shows."""
SCHEMA = "application/schema+json"
"""A schema is no example: what it refers to would be looked for in the document around it."""
SECRETS = {
    "token": "laurel_the-text-that-only-this-answer-has",
    "secret": "whsec_the-text-that-only-this-answer-has",
    "client_secret": "laurel_the-text-of-the-token",
    "access_token": "laurel_the-text-that-only-this-answer-has",
}


@dataclass
class Play:
    """One example on a stage: where each operation is, all examples by operation, and what was answered so far."""

    stage: Stage
    operations: Mapping[str, tuple[str, str]]
    examples: Mapping[str, Example]
    answers: dict[str, Any] = field(default_factory=dict)
    under_way: set[str] = field(default_factory=set)

    def play(self, name: str, example: Example | None = None) -> httpx2.Response:
        """Send the request of an example, and return the answer.

        What the example takes from others is written into it.
        """
        example = self.examples[name] if example is None else example
        self.under_way.add(name)
        for step in example.get("given", []):
            self._make_sure(step if isinstance(step, dict) else {**self.examples[step], "operation": step})
        for target, source in example.get("from", {}).items():
            _put(example, target, self._taken(source, last_part=target.startswith("path/")))
        method, path = self.operations[example.get("operation", name)]
        for key, value in {"slug": SLUG, **example.get("path", {})}.items():
            path = path.replace("{" + key + "}", quote(str(value), safe=""))
        caller = str(example.get("as", NETWORK))
        caller = self._taken(caller, last_part=False) if "/" in caller else caller
        answer = self.stage.send(method, path, caller, params=example.get("query"), **_body(example))
        assert answer.is_success, f"{name}: {method} {path} answered {answer.status_code} {answer.text}"
        lines = answer.text.splitlines() if answer.headers.get("content-type", "").startswith(NDJSON) else None
        is_json = re.match(r"application/([a-z0-9.-]+\+)?json", answer.headers.get("content-type", ""))
        self.answers[name] = answer.json() if is_json else list(map(json.loads, lines)) if lines else None
        self.under_way.discard(name)
        return answer

    def _make_sure(self, step: Example) -> None:
        name = str(step.get("name", step["operation"]))
        if name not in self.answers and name not in self.under_way:
            self.play(name, copy.deepcopy(step))

    def _taken(self, source: str, *, last_part: bool) -> Any:
        name, _, pointer = source.partition("/")
        if name not in self.answers:
            self._make_sure({**self.examples[name], "operation": name})
        value = self.answers[name]
        for part in pointer.split("/"):
            value = value[int(part)] if isinstance(value, list) else value[part]
        is_address = last_part and str(value).startswith("http")
        return urlsplit(value).path.rpartition("/")[2] if is_address else value


def _body(example: Example) -> dict[str, Any]:
    if "content" in example or example.get("media_type") == NDJSON:
        return {"content": examples.body_of(example).encode(), "headers": {"Content-Type": example["media_type"]}}
    if example.get("media_type") == FORM:
        return {"data": example["request"]}
    return {"json": example["request"]} if "request" in example else {}


def _put(example: Example, target: str, value: Any) -> None:
    *way, last = target.split("/")
    place: Any = example
    for part in way:
        place = place[int(part)] if isinstance(place, list) else place.setdefault(part, {})
    place[int(last) if isinstance(place, list) else last] = value


def recorded(answer: httpx2.Response) -> dict[str, Any]:
    """Return what the document shows of an answer: its status, and if it is JSON or lines of it, its content.

    A file to keep is not shown. Long lists are cut, secrets replaced.
    """
    media_type = answer.headers.get("content-type", "").partition(";")[0]
    said: dict[str, Any] = {"status": answer.status_code}
    if media_type == NDJSON:
        lines = [
            json.dumps(without_secrets(json.loads(line)), ensure_ascii=False) + "\n"
            for line in answer.text.splitlines()
        ]
        said |= {"answered_as": media_type, "answer": "".join(lines)}
    elif media_type.endswith("json") and media_type != SCHEMA and "content-disposition" not in answer.headers:
        said |= {"answered_as": media_type, "answer": without_secrets(answer.json())}
    return said


def without_secrets(value: Any, name: str = "") -> Any:
    """Return what may stand in the document of what was sent or answered."""
    if isinstance(value, dict):
        return {key: without_secrets(inner, key) for key, inner in value.items()}
    if isinstance(value, list):
        return [without_secrets(inner) for inner in value[: SHOWN if name in CUT else None]]
    told = SECRETS.get(name, "")
    return told if told and str(value).startswith(told.partition("_")[0]) else value


def shape(said: Mapping[str, Any]) -> Any:
    """Return the shape of a recorded answer: its members and the types of their values; of lines, one by one."""
    if said.get("answered_as") == NDJSON:
        return [_shape(json.loads(line)) for line in said["answer"].splitlines()]
    return _shape(said.get("answer"))


def _shape(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _shape(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_shape(inner) for inner in value]
    return type(value).__name__


def operations_in(stage: Stage) -> dict[str, tuple[str, str]]:
    """Return method and path of each operation that the service describes, by operationId."""
    paths = described.of(stage.app).document["paths"]
    return {
        operation["operationId"]: (method.upper(), path)
        for path, methods in paths.items()
        for method, operation in methods.items()
    }
