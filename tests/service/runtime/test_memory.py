"""What large bodies took is given back."""

import subprocess
import sys

import pytest

PROGRAM = """
from service.runtime import memory
memory.return_large_buffers()
def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096
before = resident()
for _ in range(3):
    large = bytearray(b"a" * (30 * 2**20))
    del large
kept = []
for _ in range(4):
    large = bytearray(b"a" * (20 * 2**20))
    kept.append(b"b" * 100_000)
    del large
print((resident() - before) // 2**20)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no /proc")
def test_a_process_is_not_larger_after_large_buffers_than_before() -> None:
    ended = subprocess.run([sys.executable, "-c", PROGRAM], check=True, capture_output=True, text=True)
    assert int(ended.stdout) < 10
