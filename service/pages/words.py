"""A report in plain words: for each check a question, and its answer for each outcome."""

from collections.abc import Mapping
from typing import Any

from credentials import Check, Report

GENUINE = "This badge is genuine and valid"
QUESTIONS: dict[str, tuple[str, dict[str, str]]] = {
    "parse": (
        "Can it be read?",
        {
            "passed": "Yes, it is a credential.",
            "failed": "No, this is not a credential that can be read. Nothing else could be checked.",
        },
    ),
    "context": (
        "Is every word in it defined?",
        {
            "passed": "Yes.",
            "failed": "No. It uses words that no published vocabulary defines; those are not covered by a signature.",
            "undecided": "It uses a vocabulary that is not known here.",
        },
    ),
    "schema": (
        "Is it in good form?",
        {
            "passed": "Yes, it follows the standard.",
            "failed": "No, it breaks the standard, or a form that its issuer names.",
            "undecided": "It can be read in more than one way, or has a form that could not be looked up.",
        },
    ),
    "subject": (
        "Does it say what was achieved?",
        {"passed": "Yes.", "failed": "No, this is not said as the standard asks.", "skipped": "It is not a badge."},
    ),
    "proof": (
        "Is it unchanged since it was signed?",
        {
            "passed": "Yes, the signature fits every word.",
            "failed": "No. It was changed after it was signed, or was never signed like this.",
            "undecided": "The signature could not be checked.",
        },
    ),
    "issuer": (
        "Did the named issuer sign it?",
        {
            "passed": "Yes, the key is published by the issuer itself.",
            "failed": "No. The key is not the issuer's.",
            "undecided": "The issuer's keys could not be looked up.",
        },
    ),
    "refresh": (
        "Does the issuer have a newer copy?",
        {
            "passed": "The issuer was asked, and has no newer copy that is good. This is about the one that you gave.",
            "skipped": "The issuer offers no way to find out.",
        },
    ),
    "status": (
        "Has the issuer taken it back?",
        {
            "passed": "No, it stands.",
            "failed": "This cannot be trusted: the issuer's list is not in order.",
            "undecided": "The issuer's status list could not be looked up.",
            "skipped": "This issuer offers no way to find out.",
        },
    ),
    "validity": (
        "Is it valid today?",
        {"passed": "Yes.", "failed": "No, today is outside its dates.", "skipped": "It names no dates."},
    ),
    "resources": (
        "Is what it refers to unchanged?",
        {
            "passed": "Yes, it is as it was when the credential was signed.",
            "failed": "No, something that it refers to has changed since, or is not what the issuer says.",
            "undecided": "Something that it refers to could not be looked up.",
            "skipped": "It refers to nothing that would have to be unchanged.",
        },
    ),
    "recipient": (
        "Is it this person's?",
        {
            "passed": "Yes, it was issued to the address that you gave.",
            "failed": "No, it was issued to somebody else.",
            "undecided": "It does not say to whom it was issued in a way that can be compared.",
            "skipped": "Not asked. A badge that is valid does not prove who is holding it.",
        },
    ),
    "endorsements": (
        "Do those who vouch for it stand by that?",
        {
            "passed": "Yes, every endorsement in it holds.",
            "failed": "No, an endorsement in it does not hold.",
            "undecided": "An endorsement in it could not be checked.",
            "skipped": "Nobody vouches for it inside it.",
        },
    ),
}
NOT_ASKED = {
    "refresh-not-asked": "The issuer was not asked: that would have told which badge is looked at.",
    "resource-not-asked": "It was not looked at: whoever has it would have seen which badge is looked at.",
}
OTHERWISE = {"passed": "Yes.", "failed": "No.", "undecided": "This could not be looked up.", "skipped": "Not checked."}
MARKS = {"passed": "✓", "failed": "✕", "undecided": "?", "skipped": "-"}

# What holds of a genuine badge, gravest first: (code, status, answer, title, sentence, tone).
STANDINGS = (
    (
        "credential-revoked",
        "Revoked",
        "Yes, it was revoked.",
        "This badge was revoked",
        "It is genuine, and its issuer took it back. It must not be relied on.",
        "bad",
    ),
    (
        "credential-suspended",
        "Suspended",
        "For now: it is suspended.",
        "This badge is suspended",
        "It is genuine, and its issuer is looking into it. Until that is decided it must not be relied on.",
        "bad",
    ),
    (
        "credential-expired",
        "Expired",
        "No, its time is over.",
        "This badge has expired",
        "It is genuine, and its time is over. The person may have renewed it.",
        "unsure",
    ),
    (
        "credential-not-yet-valid",
        "Not yet valid",
        "Not yet.",
        "This badge is not valid yet",
        "It is genuine, and its dates begin later.",
        "unsure",
    ),
)


def sentence(message: str) -> str:
    """Return a message that begins in lower case, as findings do, as a sentence."""
    return message[:1].upper() + message[1:] + ("" if message.endswith((".", "!", "?")) else ".")


def in_words(report: Report) -> dict[str, Any]:
    """Return what a page says of a report: `{title, sentence, tone, status, checks}`.

    `tone` is "good", "bad" or "unsure"; `checks` are `{question, answer, outcome, mark, findings}` in order, after a
    failed `parse` that one alone. What a credential says of dates and status counts only where its signature holds.
    """
    outcomes = {check.name: check.outcome for check in report.checks}
    codes = {finding.code for check in report.checks for finding in check.findings}
    signed = outcomes["proof"] == outcomes["issuer"] == "passed"
    standing = next((found for found in STANDINGS if found[0] in codes), None) if signed else None
    checks = [_check(check) for check in report.checks if outcomes["parse"] == "passed" or check.name == "parse"]
    title, reason, tone = _verdict(report, standing, checks)
    status = standing[1] if standing else _status(outcomes)
    return {"title": title, "sentence": reason, "tone": tone, "status": status, "checks": checks}


def _check(check: Check) -> dict[str, Any]:
    question, answers = QUESTIONS.get(check.name, (check.name.capitalize(), OTHERWISE))
    answer = answers.get(check.outcome, OTHERWISE[check.outcome])
    if any(finding.code == "credential-refreshed" for finding in check.findings):
        answer = "Yes, and all that is said here is about the newer copy."
    answer = next((NOT_ASKED[found.code] for found in check.findings if found.code in NOT_ASKED), answer)
    if check.outcome == "failed":
        codes = {finding.code for finding in check.findings}
        answer = next((found[2] for found in STANDINGS if found[0] in codes), answer)
    mark = MARKS[check.outcome]
    return {
        "question": question,
        "answer": answer,
        "outcome": check.outcome,
        "mark": mark,
        "findings": check.findings,
    }


def _verdict(
    report: Report, standing: tuple[str, str, str, str, str, str] | None, checks: list[dict[str, Any]]
) -> tuple[str, str, str]:
    """Return title, sentence and tone."""
    failed = {check.name for check in report.checks if check.outcome == "failed"}
    if report.verdict == "verified":
        if any(check.name == "recipient" and check.outcome == "passed" for check in report.checks):
            theirs = "It is unchanged, its issuer signed it and has not taken it back, and it was issued to the address that you gave."
            return GENUINE, theirs, "good"
        if any(check.name == "status" and check.outcome == "skipped" for check in report.checks):
            return GENUINE, "It is unchanged and its issuer signed it. This does not say who is holding it.", "good"
        return (
            GENUINE,
            "It is unchanged, its issuer signed it and has not taken it back. This does not say who is holding it.",
            "good",
        )
    if report.verdict == "rejected":
        if failed == {"recipient"}:
            return "This badge is not theirs", "It was not issued to the address that you gave.", "bad"
        if standing and failed <= {"status", "validity"}:
            return standing[3:]
        reason = next(check["answer"] for check in checks if check["outcome"] == "failed")
        return "Do not rely on this badge", sentence(reason.removeprefix("No. ").removeprefix("No, ")), "bad"
    unsure = [check for check in checks if check["outcome"] == "undecided"]
    later = any(finding.code.startswith("fetch-") for check in unsure for finding in check["findings"])
    hint = ": try again later." if later else "."
    return "This could not be decided", f"{unsure[0]['answer']} That is neither a yes nor a no{hint}", "unsure"


def _status(outcomes: Mapping[str, str]) -> str:
    """Return what is known of the status of a badge of which nothing bad is known."""
    if "failed" in {outcomes["proof"], outcomes["issuer"]}:
        return "Not known, for the signature does not hold"
    if not outcomes["proof"] == outcomes["issuer"] == "passed":
        return "Not known, for the signature could not be checked"
    return {
        "passed": "Not revoked, not expired",
        "undecided": "Could not be looked up",
        "skipped": "Not offered by this issuer",
    }.get(outcomes["status"], "Not known, for the issuer's list is not in order")
