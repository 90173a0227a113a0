"""A process ends after a signal even if nothing in it listens."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest
import uvicorn

from service.operations import ending
from service.operations.ending import BY_SIGNAL, Supervisor
from tests.worlds.waiting import PATIENCE_SECONDS

DEAF = """
import signal, threading, time
from service.operations.ending import end_within

heard = []
signal.signal(signal.SIGTERM, lambda number, frame: heard.append(number))
signal.signal(signal.SIGINT, lambda number, frame: heard.append(number))
end_within(0.2)
threading.Thread(target=time.sleep, args=(600,)).start()
print("ready", flush=True)
while True:
    time.sleep(0.01)
    if heard:
        print("the server heard it", flush=True)
        heard.clear()
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_process_that_goes_on_after_the_signal_is_ended(number: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", DEAF], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        assert process.wait(PATIENCE_SECONDS) == BY_SIGNAL + number
        assert process.stdout.read() == "the server heard it\n", "what the server does at the signal, it still does"


def test_a_worker_that_was_stopped_does_not_hold_the_end_of_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ending, "KILL_SECONDS", 0.1)
    monkeypatch.setattr(signal, "signal", lambda *_: None)  # the signals of this test run are not the supervisor's
    worker = multiprocessing.get_context("spawn").Process(target=time.sleep, args=(600,), daemon=True)
    worker.start()
    assert worker.pid is not None
    os.kill(worker.pid, signal.SIGSTOP)
    supervisor = Supervisor(uvicorn.Config("none"), [])
    supervisor.processes = [SimpleNamespace(process=worker, join=worker.join)]  # type: ignore[list-item]
    supervisor.join_all()
    assert worker.exitcode == -signal.SIGKILL
