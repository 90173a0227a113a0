"""Record the answers of the examples in the description of the API: `make examples`.

An answer of the same shape as the one recorded before stays as it is: ids and times differ each time.
"""

import copy
import json
import tempfile
from pathlib import Path
from typing import Any

from service.web import examples
from tests.openapi.demo_network import DemoNetwork, build
from tests.openapi.playing import Play, operations_in, recorded, shape, without_secrets

SENT = ("path", "request")


def main() -> None:
    """Play every example, and write what changed."""
    with tempfile.TemporaryDirectory() as folder:
        network = Path(folder) / "demo"
        network.mkdir()
        demo = build(network)
        for path in sorted(examples.SERVICE.rglob(examples.FILE_NAME)):
            kept = json.loads(path.read_text(encoding="utf-8"))
            now = {name: _recorded(name, example, demo, Path(folder) / name) for name, example in kept.items()}
            path.write_text(json.dumps(now, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _recorded(name: str, example: dict[str, Any], demo: DemoNetwork, folder: Path) -> dict[str, Any]:
    with demo.copied(folder) as stage:
        play = Play(stage, operations_in(stage), copy.deepcopy(examples.collected()))
        answer = recorded(play.play(name, played := copy.deepcopy(example)))
    before: dict[str, Any] = {key: example[key] for key in ("status", "answered_as", "answer") if key in example}
    if before and shape(answer) == shape(before) and answer["status"] == before["status"]:
        return example
    asked = {key: value for key, value in example.items() if key not in before}
    return asked | {key: without_secrets(played[key]) for key in SENT if key in played} | answer


if __name__ == "__main__":
    main()
