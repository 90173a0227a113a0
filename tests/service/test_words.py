from dataclasses import replace

from credentials import Check, Finding, Report
from credentials.report import NAMES
from service.pages.words import QUESTIONS, in_words


def passed(**findings: Finding) -> Report:
    checks = tuple(Check(name, "passed", (findings[name],) if name in findings else ()) for name in NAMES)
    return Report("verified", checks, {}, "json")


def test_every_check_has_its_question() -> None:
    assert list(QUESTIONS) == list(NAMES)
    assert all(answers.keys() <= {"passed", "failed", "undecided", "skipped"} for _, answers in QUESTIONS.values())


def test_a_reader_is_told_which_copy_the_report_is_about() -> None:
    def answer(report: Report) -> str:
        return str(in_words(report)["checks"][NAMES.index("refresh")]["answer"])

    assert "no newer copy" in answer(passed())
    assert "no newer copy" in answer(passed(refresh=Finding("refresh-not-verified", "expected one, got none")))
    assert "about the newer copy" in answer(passed(refresh=Finding("credential-refreshed", "the issuer has one")))


def test_what_was_not_asked_is_not_said_not_to_be_offered() -> None:
    unasked = Check("refresh", "skipped", (Finding("refresh-not-asked", "it was not asked"),))
    report = replace(passed(), checks=tuple(unasked if c.name == "refresh" else c for c in passed().checks))
    assert "was not asked" in in_words(report)["checks"][NAMES.index("refresh")]["answer"]
