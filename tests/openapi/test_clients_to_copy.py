"""The clients that people copy, as they stand in the repository, against a live service; and the calls of the guide."""

import base64
import hmac
import json
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from service.web import docs
from tests.openapi.conftest import program
from tests.openapi.demo_network import NETWORK, Live

ROOT = Path(__file__).parent.parent.parent
CLIENTS = ROOT / "service" / "web" / "clients"
SECRET = "whsec_" + base64.b64encode(b"thirty-two bytes for a signature").decode()
BODY = json.dumps({"type": "credential.issued", "data": {"name": "Añadido"}}).encode()
CONTRIBUTION = {"ref": "from-python", "member": "teacher-4", "type": "commented", "occurred_at": "2026-09-20T10:00:00Z"}

PYTHON = """
import json, sys
import laurel_client as client
contribution, path, headers, body, secret = (json.loads(each) for each in sys.argv[1:])
answers = [client.post_contribution(contribution, contribution["ref"]) for _ in range(2)]
items = list(client.read_all(path))
print(json.dumps([answers, items, client.is_from_laurel(headers, body.encode(), secret)]))
"""
JAVASCRIPT = """
import * as client from "./laurel-client.mjs";
const [contribution, path, headers, body, secret] = process.argv.slice(1).map((each) => JSON.parse(each));
const post = () => client.postContribution(contribution, contribution.ref);
const answers = [await post(), await post()];
const items = [];
for await (const item of client.readAll(path)) items.push(item);
console.log(JSON.stringify([answers, items, client.isFromLaurel(headers, body, secret)]));
"""
SHELL = """
set -euo pipefail
. ./laurel-client.sh
contribution=$1 path=$(jq -r . <<<"$2") headers=$3 secret=$(jq -r . <<<"$5") file=$(mktemp)
trap 'rm "$file"' EXIT
jq -j . <<<"$4" >"$file"
header() { jq -r --arg name "$1" '.[$name]' <<<"$headers"; }
key=$(jq -r .ref <<<"$contribution")
one=$(post_contribution "$contribution" "$key") two=$(post_contribution "$contribution" "$key")
items=$(read_all "$path" | jq -s .)
genuine=false
if is_from_laurel "$(header webhook-id)" "$(header webhook-timestamp)" "$(header webhook-signature)" "$file" "$secret"; then genuine=true; fi
jq -n "[[$one, $two], $items, $genuine]"
"""

Client = Callable[..., Any]


@pytest.fixture(params=["python", "javascript", "shell"])
def client(request: pytest.FixtureRequest, live: Live) -> Client:
    """A client that posts twice, reads a list and checks a signature; it returns what came of it."""
    if request.param == "shell":
        program("jq"), program("openssl"), program("curl")
    command = {
        "python": [sys.executable, "-c", PYTHON],
        "javascript": ["node", "--input-type=module", "-e", JAVASCRIPT, "--"],
        "shell": ["bash", "-c", SHELL, "laurel-client.sh"],
    }[request.param]
    environment = {"NETWORK": live.network, "TOKEN": live.tokens[NETWORK], "PATH": "/usr/local/bin:/usr/bin:/bin"}

    def run(path: str = "/members", headers: Any = None, secret: str = SECRET) -> Any:
        contribution = {**CONTRIBUTION, "ref": f"from-{request.param}"}
        given = [contribution, path, headers or signed(), BODY.decode(), secret]
        sent = [json.dumps(each, ensure_ascii=False) for each in given]
        ran = subprocess.run(
            [program(command[0]), *command[1:], *sent],
            cwd=CLIENTS,
            env=environment,
            check=False,
            capture_output=True,
            text=True,
        )
        assert ran.returncode == 0, ran.stderr
        return json.loads(ran.stdout)

    return run


def signed(body: bytes = BODY, at: int | None = None) -> dict[str, str]:
    """Return the headers of a webhook's request, with an earlier signature beside the one that counts."""
    sent_at = at or int(time.time())
    text = f"msg_1.{sent_at}.".encode() + body
    signature = base64.b64encode(hmac.digest(base64.b64decode(SECRET[6:]), text, "sha256")).decode()
    return {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(sent_at),
        "webhook-signature": f"v1,{'A' * 43}= v1,{signature}",
    }


def test_a_client_posts_once_however_often_it_sends(client: Client) -> None:
    (one, two), _, _ = client()
    assert one == two
    assert one["status"] == "accepted"


def test_a_client_reads_every_page(client: Client) -> None:
    _, items, _ = client("/events")
    positions = [item["position"] for item in items]
    assert positions == list(range(1, len(items) + 1))
    assert len(items) > 10


def test_a_client_knows_what_comes_from_the_service(client: Client) -> None:
    assert client()[2] is True


@pytest.mark.parametrize(
    "headers",
    [signed(b"another body"), signed(at=1_700_000_000), signed() | {"webhook-id": "msg_2"}],
    ids=["another body", "long ago", "another id"],
)
def test_a_client_refuses_what_does_not(client: Client, headers: dict[str, str]) -> None:
    assert client(headers=headers)[2] is False


def test_the_calls_of_the_guide_work_as_they_are(live: Live) -> None:
    calls = re.findall(
        r"^```sh\n(.*?)^```", (docs.HERE / "documents" / "guide.md").read_text(), re.MULTILINE | re.DOTALL
    )
    script = "\n".join(calls).replace(docs.ADDRESS_IN_GUIDE, live.base_url)
    script = re.sub(r"^TOKEN=.*", f"TOKEN={live.tokens[NETWORK]}", script, flags=re.MULTILINE)
    script = re.sub(r"\bcurl ", r"curl -sS -o /dev/null -w '%{http_code}\\n' ", script)
    ran = subprocess.run([program("bash"), "-eu", "-c", script], check=False, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.split() == ["200", "201", "200", "422", "200", "200", "200"]


def test_the_readme_shows_the_clients_as_they_are() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for name in docs.CLIENTS.values():
        assert (CLIENTS / name).read_text(encoding="utf-8") in readme, f"README.md shows another {name}"
