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
LATE: Final = "confirmed by the network, long after it happened"
"""Said of what the network sent late."""


def in_words(record: "Record") -> str:
    """Return who stands for a record.

    What the network sends late counts a tier lower; no facilitator has confirmed it for that.
    """
    lowered = record.tier == NETWORK - 1 and record.actor_member_id is None and record.first_id is None
    return LATE if lowered else TIERS[record.tier]


def listed(highest: int) -> str:
    """Return the tiers up to `highest`, each with its number, for the description of the API."""
    return ", ".join(f"{tier} {words}" for tier, words in enumerate(TIERS[: highest + 1]))


def at_least(tier: int) -> str:
    """Return what evidence of this tier or a higher one is."""
    return TIERS[tier] + (" at least" if tier < NETWORK else "")
