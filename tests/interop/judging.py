"""Asking other people's JavaScript verifiers."""

import json
import subprocess
from typing import Any


class Judges:
    """The JavaScript judges of `judges.mjs`; nothing outside of the given documents can be reached by them."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def ask(self, judge: str, **request: Any) -> Any:
        """Return the judge's answer; what each takes and says stands in `judges.mjs`."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"judge": judge, **request}) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, "the judges have ended; what they said is on standard error"
        return json.loads(answer)
