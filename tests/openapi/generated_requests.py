"""Send the requests that schemathesis draws from the description of the API: `make schemathesis`.

All its checks, 30 examples of each operation, and chains of operations, with the token of a network and with an
administrator's, side by side and each on a demo's network of its own. What it may find stands in `schemathesis/schemathesis.toml`.
"""

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

from service.web import codes
from tests.openapi.demo_network import ADMIN, NETWORK, build

HERE = Path(__file__).parent / "schemathesis"
SEED = 1
CALLERS = (NETWORK, ADMIN)
PROGRAM = HERE / ".venv" / "bin" / "schemathesis"


def main() -> int:
    """Try both tokens, tell what was found, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=SEED, help="draws other requests")
    parser.add_argument("--token", choices=CALLERS, action="append", help="of whom; left out: of both")
    given, more = parser.parse_known_args()  # what else schemathesis understands: --max-examples=5, --phases=examples
    options, statuses = [f"--seed={given.seed}", *more], []
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        for tried in as_completed([pool.submit(_tried, caller, options) for caller in given.token or CALLERS]):
            status, said = tried.result()
            sys.stdout.write(said)
            sys.stdout.flush()
            statuses.append(status)
    return int(any(statuses))


def _tried(caller: str, options: list[str]) -> tuple[int, str]:
    """Return the exit status of schemathesis, and what it says."""
    with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as listening:
        network, document = Path(folder) / "network", Path(folder) / "openapi.json"
        network.mkdir()
        base_url = f"http://localhost:{listening.getsockname()[1]}"
        demo = build(network, base_url)
        with demo.live(listening) as service:
            # All requests come from one address, and many without a good token: that is limited, and tested elsewhere.
            state = service.app.state
            for limit in (*state.refusals.shared_limits().values(), *state.desk.shared_limits().values()):
                limit.per_minute = limit.burst = limit.at_once = 10**9
            document.write_text(json.dumps(service.app.openapi()))
            token = f"Authorization: Bearer {service.tokens[caller]}"
            command = [PROGRAM, f"--config-file={HERE}/schemathesis.toml", "run", document, f"--url={base_url}"]
            command += [f"--header={token}", *options]
            shapes = " ".join(code.code for code in codes.groups()[codes.SHAPES])
            environment = {**os.environ, "CODES_OF_SHAPES": shapes}
            ran = subprocess.run(
                list(map(str, command)),
                cwd=HERE,
                env=environment,
                check=False,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
    return ran.returncode, f"With the token of {caller}, {' '.join(options)}:\n{ran.stdout}\n"


if __name__ == "__main__":
    sys.exit(main())
