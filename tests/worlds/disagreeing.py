"""Two members who disagree, for tests of cases between members."""

from typing import Any

from tests.worlds.awarding import Stage, once

WHY = "My lesson plan was shown as somebody else's."
MEDIATORS = ("n1", "n2")


@once
def laid(stage: Stage) -> None:
    for ref in MEDIATORS:
        stage.member(ref, email=f"{ref}@river.example.org", roles=["mediator"])
    stage.member("a1", roles=["admin"])
    stage.member("m11", email="m11@river.example.org")
    stage.member("m12", email="m12@river.example.org")
    stage.member("m13")


def token(stage: Stage, member: str | None) -> str:
    """Return a token for cases: of a member, or of the network."""
    scopes = ("cases:manage",) if member is None else ("cases:write", "cases:decide", "cases:manage")
    return stage.token_with(*scopes, member=member)


def disagree(stage: Stage, by: str | None = "m11", other: str = "m12", member: str | None = None, **said: Any) -> Any:
    """Open a case with another member, and return the answer."""
    between = {"respondent": other, "about": "credit"} | said
    body = {"disagreement": between, "statement": WHY} | ({"member": member} if member else {})
    return stage.call("POST", "./cases", token(stage, by), json=body)


def on(stage: Stage, case: Any, what: str, by: str | None, method: str = "POST", **body: Any) -> Any:
    """Do something in a case as a member, or as the network, and return the answer."""
    more = {"json": body} if body else {}
    return stage.call(method, f"./cases/{case['id']}/{what}", token(stage, by), **more)


def seen(stage: Stage, case: Any, by: str | None) -> Any:
    """Return the answer to somebody who looks at a case."""
    return stage.call("GET", f"./cases/{case['id']}", token(stage, by))


def sent(answer: Any, status: int = 200) -> Any:
    """Return what was answered, which must have a status."""
    assert answer.status_code == status, answer.text
    return answer.json()


def problem(answer: Any) -> tuple[int, str]:
    """Return the status and the code of a refusal."""
    return answer.status_code, answer.json()["code"]


def mediated(stage: Stage, by: str = "n1", **said: Any) -> Any:
    """Open a case of m11 with m12 that somebody mediates, and return it."""
    case = sent(disagree(stage, **said), 201)
    return sent(on(stage, case, "mediator", None, "PUT", member=by))


def answered(stage: Stage, **said: Any) -> Any:
    """Open a case that somebody mediates and in which m12 has answered, and return it."""
    case = mediated(stage, **said)
    sent(on(stage, case, "statements", "m12", text="We wrote it together."), 201)
    return case


def decide(stage: Stage, case: Any, outcome: str = "decided", by: str = "n1", **more: Any) -> Any:
    """Decide a case as its mediator, and return the answer."""
    follows = {"follows": "Both names stand on it from now on."} if outcome == "decided" else {}
    return on(stage, case, "resolution", by, outcome=outcome, reason="Both wrote parts.", **(follows | more))
