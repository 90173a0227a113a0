"""Each operation has an example that works on the demo's network: it is played, and its answer compared with the recorded one."""

import copy
from pathlib import Path
from typing import Any

import pytest

from service.web import examples
from tests.openapi.demo_network import DemoNetwork, build
from tests.openapi.playing import Play, operations_in, recorded, shape
from tests.worlds import described


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> DemoNetwork:
    return build(tmp_path_factory.mktemp("demo"))


@pytest.mark.parametrize("name", examples.collected())
def test_an_example_works_and_is_answered_as_recorded(name: str, demo: DemoNetwork, tmp_path: Path) -> None:
    example: Any = copy.deepcopy(examples.collected()[name])
    with demo.copied(tmp_path / "copy") as stage:
        answer = Play(stage, operations_in(stage), copy.deepcopy(examples.collected())).play(name, example)
        described.of(stage.app).check(answer)
    assert answer.status_code == example["status"]
    assert shape(recorded(answer)) == shape(example), "record it again: make examples"


def test_every_operation_has_an_example(demo: DemoNetwork, tmp_path: Path) -> None:
    with demo.copied(tmp_path / "copy") as stage:
        operations = operations_in(stage)
    assert set(operations) == set(examples.collected()), "write them beside the routes, and record them: make examples"
