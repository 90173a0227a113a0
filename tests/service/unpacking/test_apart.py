"""Strangers' files are opened in processes apart: what these hold, what they may say, and what one costs that ends."""

import base64
import json
import math
import os
import resource
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from service.errors import TooManyRequestsError
from service.runtime.cpu_time import CpuTime
from service.unpacking import apart, reasons, worker
from service.unpacking.apart import Workers
from service.unpacking.unpack import Allowance, Opened, open_file, open_text
from tests.worlds.handed_over import attached, badge_json, badge_png, code, codes, pdf, png, scenery, zipped
from tests.worlds.runtimes import WORKERS

ADDRESS = "192.0.2.1"
PICTURE = png(code())
FILES = {
    "photo": PICTURE,
    "empty photo": png(scenery(64, 64)),
    "pdf": pdf(attached("badge.png", badge_png())),
    "damaged pdf": b"%PDF-1.7 and nothing more",
    "zip": zipped({"badge.json": badge_json().encode(), "photo.png": PICTURE, "links.txt": b"https://x.example/1"}),
    "damaged zip": b"PK\3\4 and nothing more",
    "two in one": badge_png()[:-12] + badge_png()[33:],
}
END = {"end": True, "left": 1, "seconds": 0.1}
FOUND: dict[str, Any] = {
    "name": "x",
    "url": None,
    "received": True,
    "problem": None,
    "remarks": [],
    "line": 0,
    "file": "",
}


def frame(said: object, content: bytes = b"") -> bytes:
    text = json.dumps(said).encode()
    return struct.pack(">II", len(text), len(content)) + text + content


def saying(folder: Path, *frames: bytes) -> str:
    """Return a program that reads what it is asked, and says this."""
    said = folder / "said"
    said.write_bytes(b"".join(frames))
    return f"import sys; sys.stdin.buffer.read(8); sys.stdout.buffer.write(open({str(said)!r}, 'rb').read()); sys.stdout.flush()"


@pytest.fixture
def workers() -> Iterator[Workers]:
    """Workers of one test's own."""
    own = Workers(at_once=1)
    yield own
    own.close()


def opened(workers: Workers, content: bytes = PICTURE, allowance: Allowance | None = None) -> list[Opened]:
    allowance = allowance or Allowance(time=CpuTime())
    allowance.apart = workers.of(ADDRESS)
    return open_file("file", content, allowance)


@pytest.mark.parametrize("content", FILES.values(), ids=FILES)
def test_what_is_opened_apart_is_what_would_be_opened_here(content: bytes) -> None:
    assert opened(WORKERS, content) == open_file("file", content)


def test_texts_and_badges_need_no_process(workers: Workers) -> None:
    for content in (badge_json().encode(), badge_png(), b"https://x.example/1"):
        assert codes(opened(workers, content)) == [None]
    assert workers._idle == []


def test_a_picture_inside_a_link_is_opened_apart_and_counts_as_a_search() -> None:
    link = f"data:image/png;base64,{base64.b64encode(PICTURE).decode()}"
    allowance = Allowance(left=2, time=CpuTime(), apart=WORKERS.of(ADDRESS))
    found = open_text("\n".join([link] * 3), allowance)
    assert codes(found) == [None, None, "searched-enough"]
    assert allowance.left == 0


def test_a_process_holds_nothing_of_the_service(workers: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAUREL_KEYS_PASSPHRASE", "planted secret")
    secret = os.open("/dev/null", os.O_RDONLY)
    os.set_inheritable(secret, True)
    try:
        opened(workers)
    finally:
        os.close(secret)
    (one,) = workers._idle
    folder = f"/proc/{one._process.pid}"
    with open(f"{folder}/environ", "rb") as environment:  # noqa: PTH123
        assert environment.read() == b""
    assert sorted(os.listdir(f"{folder}/fd")) == ["0", "1", "2"]  # noqa: PTH208
    assert os.readlink(f"{folder}/fd/2") == "/dev/null"  # noqa: PTH115
    assert os.readlink(f"{folder}/cwd") == "/"  # noqa: PTH115


def test_a_process_is_bounded_and_yields_to_the_service(workers: Workers) -> None:
    opened(workers)
    (one,) = workers._idle
    for which, most in worker.LIMITS.items():
        assert resource.prlimit(one._process.pid, which) == (most, most)
    soft, _ = resource.prlimit(one._process.pid, resource.RLIMIT_CPU)
    assert 3 <= soft <= 10
    assert os.getpriority(os.PRIO_PROCESS, one._process.pid) >= worker.NICER


def test_one_process_opens_many_files_and_is_then_replaced(workers: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart, "FILES_OF_ONE", 2)
    opened(workers)
    (one,) = workers._idle
    opened(workers)
    assert workers._idle == []
    assert one.status == 0
    assert codes(opened(workers)) == [None]


def test_a_process_ends_by_itself_when_the_service_is_gone(workers: Workers) -> None:
    opened(workers)
    (one,) = workers._idle
    one._pipes()[0].close()
    assert one._process.wait(30) == 0


def test_a_process_that_ends_costs_only_its_own_file(workers: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = apart._RUN
    monkeypatch.setattr(apart, "_RUN", "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
    allowance = Allowance(left=5, time=CpuTime())
    assert codes(opened(workers, PICTURE, allowance)) == ["opening-failed"]
    assert allowance.left == 4
    assert allowance.time.left() < 3 - apart.PRICE_OF_A_FAULT
    monkeypatch.setattr(apart, "_RUN", usual)
    assert codes(opened(workers)) == [None]


def test_a_process_that_ended_while_it_waited_costs_no_file(workers: Workers) -> None:
    opened(workers)
    (one,) = workers._idle
    one._process.kill()
    one._process.wait()
    assert codes(opened(workers)) == [None]


def test_a_file_that_takes_too_much_of_the_processor_is_given_up(
    workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    endless = "from service.unpacking import worker; worker.each_in = lambda *_: iter(int, 1); worker.main()"
    endless = endless.replace("iter(int, 1)", "(0 for _ in iter(int, 1) if False)")
    monkeypatch.setattr(apart, "_RUN", f"import sys; sys.path.insert(0, sys.argv[1]); {endless}")
    allowance = Allowance(time=CpuTime(0.1))
    assert codes(opened(workers, PICTURE, allowance)) == ["searched-too-long"]
    assert allowance.time.left() <= 0
    assert codes(opened(workers, PICTURE, allowance)) == ["searched-too-long"]


def test_a_process_that_does_not_answer_is_given_up(workers: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart, "_RUN", "import time; time.sleep(600)")
    monkeypatch.setattr(apart, "WALL_SECONDS", 0.2)
    assert codes(opened(workers)) == ["searched-too-long"]


LIES = {
    "nothing": [],
    "text": [b"Traceback (most recent call last):"],
    "half a frame": [frame(FOUND)[:-5]],
    "no JSON": [struct.pack(">II", 4, 0) + b"\x80\x04K."],
    "no object": [frame([1])],
    "endless": [struct.pack(">II", 2**32 - 1, 0)],
    "a huge file": [struct.pack(">II", 2, 2**32 - 1) + b"{}"],
    "deep JSON": [struct.pack(">II", 60_000, 0) + b"[" * 60_000],
    "a reason that is none": [frame(FOUND | {"received": False, "problem": "all-is-well"}), frame(END)],
    "a reason of another type": [frame(FOUND | {"received": False, "problem": ["x"]}), frame(END)],
    "two things at once": [frame(FOUND | {"url": "https://x.example"}, b"{}"), frame(END)],
    "nothing at all": [frame(FOUND | {"received": False}), frame(END)],
    "a link that is never asked": [frame(FOUND | {"received": False, "url": "file:///etc/passwd"}), frame(END)],
    "a link of another type": [frame(FOUND | {"received": False, "url": 1}), frame(END)],
    "a name of another type": [frame(FOUND | {"name": 1}, b"{}"), frame(END)],
    "bytes beside a link": [frame(FOUND | {"received": False, "url": "https://x.example"}, b"{}"), frame(END)],
    "more than a file holds": [frame(FOUND, b"x" * (16 * 1024 * 1024 + 1)), frame(END)],
    "more in all than is held": [frame(FOUND, b"x" * 5_000_000)] * 2 + [frame(END)],
    "further members": [frame(FOUND | {"checked": True}, b"{}"), frame(END)],
    "too many": [frame(FOUND, b"{}")] * 600,
    "more searches than there were": [frame(END | {"left": 1000})],
    "time that is no number": [frame(END | {"seconds": math.nan})],
    "time without end": [frame(END | {"seconds": math.inf})],
    "time gained": [frame(END | {"seconds": -1})],
    "no count": [frame({"end": True})],
}


@pytest.mark.parametrize("frames", LIES.values(), ids=LIES)
def test_what_a_process_says_is_believed_no_more_than_the_file(
    workers: Workers, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, frames: list[bytes]
) -> None:
    monkeypatch.setattr(apart, "_RUN", saying(tmp_path, *frames))
    *_, last = opened(workers)
    assert last.problem in {reasons.OPENING_FAILED, reasons.TOO_MANY}
    assert workers._idle == []


def test_a_zip_of_many_pictures_costs_its_time_and_what_was_found_is_told(workers: Workers) -> None:
    picture = png(scenery(1, 1).convert("1").resize((2000, 2000)))
    files = {"badge.json": badge_json().encode()} | {f"{n}.png": picture for n in range(400)}
    allowance = Allowance(time=CpuTime(0.4))
    first, *_, last = opened(workers, zipped(files), allowance)
    assert first.received == badge_json().encode()
    assert last.problem is reasons.REST_NOT_SEARCHED
    assert -1.5 < allowance.time.left() <= 0


def test_what_was_found_before_a_process_was_ended_is_told(
    workers: Workers, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(apart, "_RUN", saying(tmp_path, frame(FOUND, b"{}")) + "; import time; time.sleep(600)")
    monkeypatch.setattr(apart, "WALL_SECONDS", 0.5)
    assert codes(opened(workers)) == [None, "rest-not-searched"]


def test_where_no_process_can_be_started_the_caller_is_told_to_come_again(
    workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.executable", "/nowhere")
    with pytest.raises(TooManyRequestsError) as caught:
        opened(workers)
    assert caught.value.code == "service-busy"


def test_lines_of_a_text_are_read_as_long_as_there_is_time() -> None:
    used = iter(range(100))
    found = open_text("https://x.example/1\n" * 10, Allowance(time=CpuTime(5, lambda: float(next(used)))))
    assert codes(found)[-1] == "rest-not-searched"
    assert 1 < len(found) < 10
