"""A report in plain words: for each check a question, and its answer for each outcome."""

from typing import Any

from credentials import Report

QUESTIONS: dict[str, tuple[str, dict[str, str]]] = {
    "parse": (
        "Can it be read?",
        {"passed": "Yes, it is a credential.", "failed": "No, this is not a credential that can be read."},
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
        {"passed": "Yes, it follows the standard.", "failed": "No, it breaks the standard."},
    ),
    "subject": ("Does it say what was achieved?", {"passed": "Yes.", "failed": "No, or not as the standard asks."}),
    "proof": (
        "Is it unchanged since it was signed?",
        {
            "passed": "Yes, the signature fits every word.",
            "failed": "No. It was changed after signing, or was never signed like this.",
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
    "status": (
        "Has the issuer taken it back?",
        {
            "passed": "No, it stands.",
            "failed": "Yes, or its status is not in order.",
            "undecided": "The issuer's status list could not be looked up.",
            "skipped": "This issuer offers no way to find out.",
        },
    ),
    "validity": (
        "Is it valid today?",
        {"passed": "Yes.", "failed": "No, today is outside its dates.", "skipped": "It names no dates."},
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
}
OTHERWISE = {"passed": "Yes.", "failed": "No.", "undecided": "This could not be looked up.", "skipped": "Not checked."}
MARKS = {"passed": "✓", "failed": "✕", "undecided": "?", "skipped": "-"}


def in_words(report: Report) -> dict[str, Any]:
    """Return what a page says of a report: `{title, sentence, tone, status, checks}`.

    `tone` is "good", "bad" or "unsure"; `checks` are `{question, answer, outcome, mark, findings}` in order.
    """
    outcomes = {check.name: check for check in report.checks}
    checks = []
    for check in report.checks:
        question, answers = QUESTIONS.get(check.name, (check.name.capitalize(), {}))
        answer = answers.get(check.outcome, OTHERWISE[check.outcome])
        checks.append(
            {
                "question": question,
                "answer": answer,
                "outcome": check.outcome,
                "mark": MARKS[check.outcome],
                "findings": check.findings,
            }
        )
    codes = {finding.code for check in report.checks for finding in check.findings}
    status = _status(outcomes, codes)
    if report.verdict == "verified":
        title, tone = "This badge is genuine and valid", "good"
        sentence = (
            "It is unchanged, its issuer signed it and has not taken it back. This does not say who is holding it."
        )
        if outcomes["recipient"].outcome == "passed":
            sentence = "It is unchanged, its issuer signed it and has not taken it back, and it was issued to the address that you gave."
    elif report.verdict == "rejected":
        tone = "bad"
        title = {"Revoked": "This badge was revoked", "Expired": "This badge has expired"}.get(
            status, "Do not rely on this badge"
        )
        first = next(check for check in checks if check["outcome"] == "failed")
        sentence = f"{first['question']} {first['answer']}"
    else:
        title, tone = "This could not be decided", "unsure"
        first = next(check for check in checks if check["outcome"] == "undecided")
        sentence = f"{first['question']} {first['answer']} That is neither a yes nor a no: try again later."
    return {"title": title, "sentence": sentence, "tone": tone, "status": status, "checks": checks}


def _status(outcomes: dict[str, Any], codes: set[str]) -> str:
    if "credential-revoked" in codes:
        return "Revoked"
    if "credential-expired" in codes:
        return "Expired"
    if "credential-suspended" in codes:
        return "Suspended"
    if "credential-not-yet-valid" in codes:
        return "Not yet valid"
    found = outcomes.get("status")
    if found is not None and found.outcome == "undecided":
        return "Could not be looked up"
    if found is not None and found.outcome == "skipped":
        return "Not offered by this issuer"
    return "Not revoked, not expired" if found is not None and found.outcome == "passed" else "Unknown"
