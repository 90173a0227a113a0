"""The five questions that a person asks about a badge, and what an answer is."""

from dataclasses import asdict, dataclass
from typing import Final, Literal

Answer = Literal["yes", "no", "could-not-check", "not-offered"]

NAMES: Final = ("authentic", "current", "issuer", "evidence", "policy")
"""Is it authentic; is it still valid; who really issued it; is the evidence unchanged; did the evaluation follow the
network's own published policy: in the order in which they are answered."""


@dataclass(frozen=True)
class Question:
    """One of the five questions with its answer.

    Args:
        name: one of `NAMES`.
        answer: *could-not-check* is what could be known and is not now, *not-offered* what this issuer gives no way to know.
        reason: stable kebab-case code: why. `wording.REASONS` has a sentence for each.
    """

    name: str
    answer: Answer
    reason: str

    def to_json(self) -> dict[str, str]:
        """Return `{name, answer, reason}`."""
        return asdict(self)
