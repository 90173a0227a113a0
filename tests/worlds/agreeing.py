"""Guidelines that a network publishes and its members accept, for tests."""

from typing import Any

from tests.worlds.awarding import Stage

KEYS = ("roles", "participation", "communication", "confidentiality", "feedback", "inclusion", "conflict")
SECTIONS = {key: f"What we say of {key}." for key in KEYS}


def draft(stage: Stage, **said: Any) -> Any:
    """Write a draft of the guidelines with every section."""
    body = {"title": "How we work together", "sections": SECTIONS} | said
    return stage.send("PUT", "./guidelines/draft", body)


def publish(stage: Stage, number: int = 1, **said: Any) -> Any:
    """Publish a version of the guidelines, each with a preamble of its own."""
    changed = {"change_note": f"What version {number} changes."} if number > 1 else {}
    draft(stage, preamble=f"Version {number}.", **changed | said)
    return stage.send("POST", "./guidelines/draft/publication")


def hold(stage: Stage, **said: Any) -> Any:
    """Have evidence held, without days of grace, of who has not accepted."""
    return stage.send("PATCH", "./guidelines/settings", {"acceptance": "hold", "grace_days": 0} | said)


def accept(stage: Stage, number: int = 1, member: str = "m11") -> Any:
    """Accept a version with the member's own token."""
    token = stage.token_with("evidence:write", member=member)
    return stage.send("POST", f"./guidelines/versions/{number}/acceptances", {"member": member}, token=token)
