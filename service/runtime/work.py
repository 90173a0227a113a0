"""What work beside requests asks between two of its pieces.

A piece is a mail, a delivery, a list, or some members.
"""

from collections.abc import Callable

GoOn = Callable[[], bool]
"""Says whether to take the next piece. If not, the service is ending, and the rest is left to the next process."""


def to_the_end() -> bool:
    """Go on until nothing is left, as at a terminal."""
    return True
