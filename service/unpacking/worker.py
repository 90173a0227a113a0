"""What runs in a process apart: it opens strangers' files, one after the other.

It has nothing else. `apart` starts it. It reads files from its standard input and writes what it finds to its standard
output. It ends when its input ends, so that it does not outlive the service.
"""

import math
import os
import resource
import sys
import time
from itertools import islice
from typing import IO, Any, Final

from service.runtime.cpu_time import CpuTime
from service.runtime.memory import return_large_buffers
from service.unpacking import archives, frames, pdfs, photos
from service.unpacking.found import MAX_OPENED
from service.unpacking.unpack import Allowance, each_in

LIMITS: Final = {
    resource.RLIMIT_AS: 240 * 1024 * 1024,  # two of them and the service are to stay under 500 MB
    resource.RLIMIT_NOFILE: 16,  # Python reads the modules that it imports late
    resource.RLIMIT_FSIZE: 0,
    resource.RLIMIT_NPROC: 0,
    resource.RLIMIT_CORE: 0,
}
OPENERS: Final = (archives, pdfs, photos)
"""Libraries are read before the limits hold, and none while a file is open."""
NICER: Final = 10
"""So much lower is its priority than that of the service, which answers everybody else."""


def main() -> None:
    """Open files until the input ends."""
    os.nice(NICER)
    return_large_buffers()
    for which, most in LIMITS.items():
        resource.setrlimit(which, (most, most))
    serve(sys.stdin.buffer, sys.stdout.buffer)


def serve(given: IO[bytes], answers: IO[bytes]) -> None:
    """Answer each file with what is found in it, as soon as it is found, and a last frame."""
    while (asked := frames.read(given)) is not None:
        said, content = asked
        began, seconds = time.process_time(), said["seconds"]
        _stop_after(began + seconds)
        time_left = CpuTime(seconds, time.process_time)
        allowance = Allowance(said["left"], time_left, more=said["more"], each_line=said["each_line"])
        for opened in islice(each_in(said["name"], content, allowance), MAX_OPENED + 1):
            frames.write(answers, frames.of_opened(opened), opened.received or b"")
        _end(answers, {"left": max(0, allowance.left), "seconds": time.process_time() - began})


def _stop_after(seconds: float) -> None:
    """Have this process killed once it has used so much time of the processor since it began."""
    hardest = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(seconds), hardest))


def _end(answers: IO[bytes], said: dict[str, Any]) -> None:
    frames.write(answers, {"end": True} | said)
