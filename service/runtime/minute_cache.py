"""Cache results in memory for a minute, for pages that many open at once."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, TypeVar

FRESH_SECONDS = 60.0
KEPT = 200
Found = TypeVar("Found")


@dataclass
class Recent:
    """Results by key. The caller puts into the key everything whose change must show at once."""

    _kept: OrderedDict[Hashable, tuple[float, Any]] = field(default_factory=OrderedDict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def get(self, key: Hashable, at: float, work: Callable[[], Found]) -> Found:
        """Return what `work` returned for this key within the last minute, or returns now.

        Args:
            at: a steady time in seconds.
        """
        with self._lock:
            kept = self._kept.get(key)
            if kept is not None and at - kept[0] < FRESH_SECONDS:
                self._kept.move_to_end(key)
                found: Found = kept[1]
                return found
        made = work()
        with self._lock:
            self._kept[key] = (at, made)
            self._kept.move_to_end(key)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return made
