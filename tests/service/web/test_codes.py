"""The catalogue of codes: every code that can be answered has its meaning, and no other has one."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import get_args

import pytest
from fastapi.testclient import TestClient
from pydantic_core import core_schema

from credentials.findings import CODES
from service import errors, faults
from service.achievements import unborne
from service.networks.guidelines.sections import MISSING
from service.runtime.custody import FAULTS
from service.storage import filters
from service.web import codes
from service.web.problems import STATUS

pytestmark = pytest.mark.any_database("the catalogue is a file")

SERVICE = Path(errors.__file__).parent
KINDS = {kind.__name__: number for kind, number in STATUS.items()}
RAISED = {name: str(number) for name, number in KINDS.items()} | {
    "PydanticCustomError": "422",
    "DefinitionFault": "422",
    "PrivateAddressError": "502",
}
TOLD = {"Problem", "problem", "ServiceError", "Discriminator", "MissingPart"}
"""Calls whose code is answered with statuses that they do not say themselves."""
CODE = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
KEYWORDS = {"custom_error_type"}


def calls() -> Iterator[tuple[Path, str, ast.Call]]:
    """Yield each call in the service with its file and the last part of its name."""
    for path in SERVICE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                yield path, ast.unparse(node.func).rpartition(".")[2], node


def texts(nodes: list[ast.expr]) -> Iterator[str]:
    """Yield the constant texts among some arguments that can be codes."""
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and CODE.fullmatch(node.value):
            yield node.value


def raised() -> Iterator[tuple[str, str]]:
    """Yield each code that the syntax trees name, with the status that goes with it ("" if the call does not say)."""
    for path, name, call in calls():
        if name in RAISED:
            status = "" if path.parent.name == "cli" else RAISED[name]
            if status == "422" and path.parent.name == "vc_api":  # which knows no 422
                status = "400"
            yield from ((code, status) for code in texts(call.args[:1]))
        elif name in TOLD:
            yield from ((code, "") for code in texts(call.args[:2]))
            yield from ((code, "") for code in texts([k.value for k in call.keywords if k.arg in KEYWORDS]))
            for each in call.keywords:
                if each.arg == "custom_error_context" and isinstance(each.value, ast.Dict):
                    said = dict(zip(map(ast.unparse, filter(None, each.value.keys)), each.value.values, strict=True))
                    yield from ((code, "422") for code in texts([said["'unknown'"]]))
        elif name in {"owned", "served"}:  # `<noun>-unknown`
            nouns = [each.value for each in call.keywords if each.arg == "noun"] + call.args[3:4]
            for noun in nouns:
                if isinstance(noun, ast.Constant):
                    yield f"{str(noun.value).replace(' ', '-')}-unknown", "404"


def carried() -> Iterator[tuple[str, str]]:
    """Yield each code that a class of errors gives itself, with the status of the class."""
    for path in SERVICE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                kinds = [node.name, *map(ast.unparse, node.bases)]
                status = next((RAISED[each] for each in kinds if each in RAISED), "")
                for call in ast.walk(node):
                    if isinstance(call, ast.Call) and ast.unparse(call.func) == "super().__init__":
                        yield from ((code, status) for code in texts(call.args[:1]))


@cache
def found() -> set[tuple[str, str]]:
    """Return each code that the service names with its status, or "" where the name does not say it."""
    return {
        *raised(),
        *carried(),
        *((code, "503") for code in FAULTS),
        *((f"{noun}-unknown", "422") for noun in filters.NOUNS.values()),
        *((f"{what}-unused", "") for what in unborne.SENTENCES),
        *((code, "422") for code in MISSING.values()),
    }


OF_PYDANTIC = {each.replace("_", "-") for each in get_args(core_schema.ErrorType)}


def test_every_code_that_the_service_names_has_its_meaning() -> None:
    assert len(found()) > 250
    assert sorted({code for code, _ in found()} - set(codes.every())) == []


def test_every_code_that_pydantic_and_the_library_give_has_its_meaning() -> None:
    assert OF_PYDANTIC | set(CODES) <= set(codes.every())
    assert {each.replace("_", "-") for each in faults.EXPECTED} <= OF_PYDANTIC


def test_no_code_has_a_meaning_that_nobody_answers() -> None:
    assert sorted(set(codes.every()) - {code for code, _ in found()} - OF_PYDANTIC - set(CODES)) == []


def test_no_code_has_two_meanings() -> None:
    told = [each.code for group in codes.groups().values() for each in group]
    assert sorted(code for code in set(told) if told.count(code) > 1) == []


def test_the_statuses_are_those_with_which_it_is_answered() -> None:
    wrong = []
    for code, each in codes.every().items():
        statuses = {status for named, status in found() if named == code and status}
        said = set(re.findall(r"[45][0-9][0-9]", each.answered))
        if said and code not in CODES and code not in OF_PYDANTIC and not statuses <= said:
            wrong.append((code, sorted(statuses), each.answered))
    assert wrong == []


@pytest.mark.parametrize("each", codes.every().values(), ids=lambda each: each.code)
def test_each_says_what_it_means_and_how_to_mend_it(each: codes.Code) -> None:
    assert re.fullmatch(r"[A-Z`].+\.", each.means, re.DOTALL)
    assert re.fullmatch(r"[A-Z`].+\.", each.mend, re.DOTALL)
    assert re.fullmatch(
        r"[45]\d\d(, [45]\d\d)*(, or in a report)?|in a report(; .*)?|in `warnings`|on the command line", each.answered
    )


def test_the_type_of_a_problem_leads_to_its_page(client: TestClient) -> None:
    problem = client.get("/v1/networks").json()
    assert problem["type"] == "/docs/errors/token-missing"
    found = client.get(problem["type"], headers={"Accept": "application/json"})
    assert found.json() == {
        "code": "token-missing",
        "answered": "401",
        "means": "The request came without a token.",
        "mend": "Send the header `Authorization: Bearer <token>`.",
    }
    page = client.get(problem["type"], headers={"Accept": "text/html"})
    assert page.headers["content-type"].startswith("text/html")
    assert "The request came without a token." in page.text


def test_all_codes_are_listed_for_people_and_programs(client: TestClient) -> None:
    listed = client.get("/docs/errors").json()["items"]
    assert {each["code"] for each in listed} == set(codes.every())
    page = client.get("/docs/errors", headers={"Accept": "text/html"}).text
    assert all(f'href="/docs/errors/{code}"' in page for code in codes.every())


def test_a_code_that_is_misspelt_is_not_found_but_suggested(client: TestClient) -> None:
    answer = client.get("/docs/errors/token-mising")
    assert answer.status_code == 404
    assert "did you mean `token-missing`?" in answer.json()["detail"]
