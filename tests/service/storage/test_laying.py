"""What is laid down is what was built, and nothing of what was done on it since."""

from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient
from sqlalchemy import select

from service.runtime.runtime import Runtime
from service.tables import Row
from tests.worlds import laying
from tests.worlds.awarding import Stage
from tests.worlds.runtimes import BASE_URL, app_of


def everything(runtime: Runtime) -> tuple[dict[str, list[Any]], dict[Path, bytes]]:
    with runtime.database.read() as session:
        rows = {name: session.execute(select(table)).all() for name, table in Row.metadata.tables.items()}
    files = {path: path.read_bytes() for path in runtime.settings.keys_folder.rglob("*") if path.is_file()}
    return {name: sorted(map(repr, found)) for name, found in rows.items()}, files


def test_what_was_built_is_laid_again_whatever_was_done_on_it(runtime: Runtime) -> None:
    client = TestClient(app_of(runtime), base_url=BASE_URL)  # without what goes on beside it
    built = []

    def build() -> Any:
        stage = Stage.set_up(client, runtime, "laying")
        stage.member("m11", name="Quite Secret")
        stage.achievement()
        for n in (1, 2):
            stage.share(n)
        built.append(stage)
        return stage.awards()

    awards = laying.lay(runtime, __name__, build)
    assert awards[0]["state"] == "awarded"
    before = everything(runtime)
    assert before[0]["awards"]
    assert before[1]
    (stage,) = built
    stage.send("POST", f"/v1/credentials/{awards[0]['credential']['id']}/revocation", {"reason": "A mistake."})
    for path in before[1]:
        path.unlink()
    awards[0]["state"] = "spoilt"
    assert everything(runtime) != before

    again = laying.lay(runtime, __name__, build)
    assert again[0]["state"] == "awarded"
    assert everything(runtime) == before
    assert built == [stage]
    assert verified(stage, again[0])


def verified(stage: Stage, award: Any) -> bool:
    return bool(stage.client.post("/v1/verifications", json=stage.credential(award)).json()["verdict"] == "verified")
