"""Examples in the description of the API: a request and an answer of each.

Each package has those of its routes in `api_examples.json`, by operationId: what is sent (`path`, `query`, `request`, or
`content` of a `media_type`; `request` is a list where the body is lines) and what came (`status`, `answer`). They work on the demo's network. The tests play them, and
`make examples` records the answers; what else is in them (`as`, `given`, `from`) is for that.
"""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

SERVICE: Final = Path(__file__).parent.parent
FILE_NAME: Final = "api_examples.json"

Example = dict[str, Any]


@cache
def collected() -> dict[str, Example]:
    """Return every example by its operationId."""
    found: dict[str, Example] = {}
    for path in sorted(SERVICE.rglob(FILE_NAME)):
        found |= json.loads(path.read_text(encoding="utf-8"))
    return found


def body_of(example: Mapping[str, Any]) -> Any:
    """Return the body that an example sends: a text of its lines, if it has those."""
    if example.get("media_type") == "application/x-ndjson":
        return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in example["request"])
    return example.get("request", example.get("content"))


def add_to(operation: dict[str, Any]) -> None:
    """Write the example of an operation into its parameters, its body and its answer."""
    example = collected().get(operation["operationId"])
    if example is None:
        return
    for parameter in operation.get("parameters", []):
        given = example.get(parameter["in"], {})
        if parameter["in"] in {"path", "query"} and parameter["name"] in given:
            parameter["example"] = given[parameter["name"]]
    sent = body_of(example)
    if sent is not None:
        media_type = example.get("media_type", "application/json")
        operation["requestBody"]["content"][media_type]["example"] = sent
    if "answer" in example:
        operation["responses"][str(example["status"])]["content"][example["answered_as"]]["example"] = example["answer"]
