"""The tiers of evidence in words: how far it is from the member's own word.

The words are English, as all that is signed. They are a sentence of their own, or stand in brackets.
"""

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:  # rules are told by tiers also where no rows are read
    from service.tables import Record

TIERS: Final = (
    "self-reported",
    "seen by a peer",
    "confirmed by a facilitator or assessor",
    "confirmed by the network",
    "judged by several assessors, each on their own",
)
"""What each tier means, lowest first."""
NETWORK: Final = 3
"""The tier of what the network itself sends."""
LATE: Final = "long after it happened"
"""Said of what came late, after who stands for it."""


def in_words(record: "Record", own: int) -> str:
    """Return who stands for a record.

    What comes late counts a tier lower; those who stand for it are still the same.

    Args:
        own: the tier that it would have if it had come in time.
    """
    lowered = record.tier == own - 1 and record.first_id is None
    return f"{TIERS[own]}, {LATE}" if lowered else TIERS[record.tier]


def listed(highest: int) -> str:
    """Return the tiers up to `highest`, each with its number, for the description of the API."""
    return ", ".join(f"{tier} {words}" for tier, words in enumerate(TIERS[: highest + 1]))


def at_least(tier: int) -> str:
    """Return what evidence of this tier or a higher one is."""
    return TIERS[tier] + (" at least" if tier < NETWORK else "")
