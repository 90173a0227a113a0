"""Give memory back to the system."""

import ctypes
import sys

_M_MMAP_THRESHOLD = -3  # malloc.h of the GNU C library
_OWN_MAPPING_BYTES = 1_048_576


def return_large_buffers() -> None:
    """Have every buffer of a megabyte or more returned to the system as soon as it is freed.

    By default, the C library learns from large buffers that were freed to keep such memory. It becomes fragmented, and
    after a few uploads the process would stay hundreds of megabytes larger than what it uses.
    """
    if sys.platform != "linux":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # other C libraries have none
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _OWN_MAPPING_BYTES)
