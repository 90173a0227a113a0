"""The five questions that people ask about a badge, and their answers."""

from dataclasses import asdict, dataclass
from typing import Final, Literal

Answer = Literal["yes", "no", "could-not-check", "not-offered"]

NAMES: Final = ("authentic", "current", "issuer", "evidence", "policy")
"""Is it authentic? Is it still valid? Do we know the issuer? Is the evidence unchanged? Did the evaluation follow the
network's own published policy? In the order in which they are answered."""


@dataclass(frozen=True)
class Question:
    """One of the five questions with its answer.

    Args:
        name: one of `NAMES`.
        answer: *could-not-check*: it could be known, but is not now; *not-offered*: this issuer gives no way to know.
        reason: why, as a stable kebab-case code. `wording.REASONS` has a sentence for each.
    """

    name: str
    answer: Answer
    reason: str

    def to_json(self) -> dict[str, str]:
        """Return `{name, answer, reason}`."""
        return asdict(self)
