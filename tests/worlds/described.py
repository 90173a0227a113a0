"""Holds answers to what the description of the API says of them: status, content type, and body."""

import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx2
import jsonschema_rs
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from service.app import Laurel

NDJSON = "application/x-ndjson"
DOCUMENT = "urn:laurel:description"
_known: dict[bool, "Description"] = {}
_one_at_a_time = threading.Lock()
"""Two threads that make a description at once would see each other's warnings, as errors."""


class NotDescribedError(AssertionError):
    """An answer is not as the description of the API says."""


class Description:
    """The description of one application, to compare answers with."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        # One registry for all: a validator that holds all components takes megabytes, and there are hundreds of validators.
        self._registry = jsonschema_rs.Registry([(DOCUMENT, {"components": _closed(document["components"])})])
        paths = sorted(document["paths"], key=lambda path: len(re.sub(r"{\w+}", "", path)), reverse=True)
        self._paths = [(re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))), path) for path in paths]
        self._validators: dict[str, Any] = {}

    def operation(self, method: str, path: str) -> dict[str, Any] | None:
        """Return the operation that is called so; None if none is described."""
        found = next((name for pattern, name in self._paths if pattern.fullmatch(path)), None)
        operation: dict[str, Any] | None = self.document["paths"].get(found, {}).get(method.lower())
        return operation

    def check(self, answer: httpx2.Response) -> None:
        """Compare an answer with the description.

        Raises:
            NotDescribedError: it is another one.
        """
        operation = self.operation(answer.request.method, answer.request.url.raw_path.decode().partition("?")[0])
        if operation is None or not _sent_as_described(operation, answer.request):
            return
        name = f"{operation['operationId']} {answer.status_code}"
        described = operation["responses"].get(str(answer.status_code))
        if described is None:
            raise NotDescribedError(f"{name} is not described: {answer.text[:300]}")
        if "$ref" in described:
            described = self.document["components"]["responses"][described["$ref"].rpartition("/")[2]]
        media_type = answer.headers.get("content-type", "").partition(";")[0]
        content = described.get("content", {})
        form = content.get(media_type, content.get("*/*"))
        if form is None and (content or answer.content):
            raise NotDescribedError(f"{name} with {media_type or 'no body'} is not described")
        for body, schema in _parsed(media_type, answer, form) if form else ():
            self._compare(f"{name} {media_type}", body, schema)

    def _compare(self, name: str, body: Any, schema: Mapping[str, Any]) -> None:
        if name not in self._validators:
            self._validators[name] = jsonschema_rs.Draft202012Validator(
                _closed(schema), validate_formats=True, registry=self._registry
            )
        for error in self._validators[name].iter_errors(body):
            place = "/".join(map(str, error.instance_path))
            raise NotDescribedError(f"{name} is not as described at /{place}: {error.message[:500]}")


@contextmanager
def every_answer() -> Iterator[None]:
    """Hold every answer that a test's client gets to the description of its application."""
    send = TestClient.send

    def checked(self: TestClient, request: httpx2.Request, *, stream: bool = False, **given: Any) -> httpx2.Response:
        answer = send(self, request, stream=stream, **given)
        if not stream and isinstance(self.app, Laurel):
            of(self.app).check(answer)
        return answer

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TestClient, "send", checked)
        yield


def of(app: FastAPI) -> Description:
    """Return the description of an application, which is made once for each process."""
    vc_api = app.state.runtime.settings.vc_api
    with _one_at_a_time:
        if vc_api not in _known:
            _known[vc_api] = Description(app.openapi())
        return _known[vc_api]


def _sent_as_described(operation: Mapping[str, Any], request: httpx2.Request) -> bool:
    content = operation.get("requestBody", {}).get("content", {})
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return not content or not media_type or media_type in content


def _parsed(
    media_type: str, answer: httpx2.Response, form: Mapping[str, Any]
) -> Iterator[tuple[Any, Mapping[str, Any]]]:
    """Yield each JSON value in an answer with its schema."""
    if re.fullmatch(r"application/([a-z0-9.-]+\+)?json", media_type):
        yield answer.json(), form["schema"]
    elif media_type == NDJSON and "contentSchema" in form["schema"]:
        for line in answer.text.splitlines():
            yield json.loads(line), form["schema"]["contentSchema"]


def _closed(node: Any) -> Any:
    """Return a schema in which objects have the members that are described, and no others; it refers to `DOCUMENT`.

    To programs an answer may have further members, as later versions have; our own answers have none.
    """
    if isinstance(node, list):
        return [_closed(member) for member in node]
    if not isinstance(node, dict):
        return node
    closed = {name: _closed(member) for name, member in node.items()}
    if str(node.get("$ref", "")).startswith("#/"):
        closed["$ref"] = DOCUMENT + node["$ref"]
    if isinstance(node.get("properties"), dict) and node.get("type") == "object":
        closed.setdefault("additionalProperties", False)
    return closed
