"""Tell what was never meant as a badge from one that cannot be relied on."""

from collections.abc import Mapping
from typing import Any, Final

from credentials import Report, reading
from service.checking.basis import policy

_CREDENTIALS: Final = ("VerifiableCredential", "OpenBadgeCredential", "AchievementCredential")
_SIGNED_MEMBERS: Final = frozenset({"proof", "credentialSubject", "credentialStatus", "verifiableCredential", "issuer"})
"""A document with one of these is, or was, a credential: without a good signature nobody may rely on it."""


def headline(report: Report) -> str | None:
    """Return the headline of what is no credential at all; None of anything else.

    It is said so calmly: "do not rely on this badge" would be about something that nobody called a badge.
    """
    document = report.credential
    if document is None or report.form == "jwt" or report.older is not None:
        return None
    if policy.is_form(document):
        return "decision-record"
    if any(reading.is_a(document, each) for each in _CREDENTIALS) or _SIGNED_MEMBERS & document.keys():
        return None
    if any(reading.is_a(document, each) for each in ("Profile", "Issuer")) or "verificationMethod" in document:
        return "issuer-description"
    return "achievement-description" if _is_definition(document) else "unreadable"


def _is_definition(document: Mapping[str, Any]) -> bool:
    named = "achievement_type" in document or "achievementType" in document
    return reading.is_a(document, "Achievement") or (named and "criteria" in document)
