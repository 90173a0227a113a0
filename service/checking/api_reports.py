"""The shapes of reports of a check, for the description of the API."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from credentials.report import NAMES, Form, Outcome, Verdict
from service.bodies import Instant, one_of
from service.checking import questions, wording
from service.checking.batch.counting import DECISIONS, REASONS, REASONS_OF_PERSONS, STANDINGS
from service.checking.questions import Answer as Answered
from service.checking.tones import TONES, Tone
from service.public.shapes import SignedCredential
from service.web.problems import ItemProblem
from service.web.requests import Answer


class FindingOut(Answer):
    """Something that a check found."""

    code: str = Field(description="stable name, for programs", examples=["credential-revoked"])
    message: str
    pointer: str = Field(description='JSON pointer into the credential; "": the whole')


class CheckOut(Answer):
    """One check of a verification."""

    name: Annotated[str, one_of(NAMES)]
    outcome: Outcome
    findings: list[FindingOut]


class QuestionOut(Answer):
    """One of the five questions that people ask, with its answer."""

    name: Annotated[str, one_of(questions.NAMES)]
    answer: Answered
    reason: Annotated[str, one_of(wording.REASONS)] = Field(description="why")


class IssuerOut(Answer):
    """The issuer that a badge names."""

    id: str
    name: str
    domain: str = Field(description="the host whose owner controls the id; empty if there is none")
    lists: list[str] = Field(description="names of the trust lists that know it")
    page: str = Field(description="its page at this service; empty if there is none")


class OlderOut(Answer):
    """What is said only of a badge of Open Badges 2.0 or before."""

    kind: Literal["hosted", "signed", "description"] = Field(
        description="hosted: its issuer's address was asked for it, and no signature proves it; signed: it came with a "
        "signature, which does not cover what it stands for; description: it is nobody's badge"
    )
    address: str = Field(description="where its issuer keeps it, according to itself; empty if it does not say")
    restated: dict[str, Any] = Field(
        description="the same in the words of Open Badges 3.0, with what its badge class and issuer say of themselves"
    )


class VerificationOut(BaseModel):
    """The report of a verification; later versions only add members to it."""

    verdict: Verdict
    form: Form
    checks: list[CheckOut] = Field(description="in their order")
    credential: dict[str, Any] | None = Field(
        description="as it was received; null if nothing could be read; of a hosted badge: as its issuer's address has it"
    )
    refreshed: bool = Field(description="true: this is the newer copy that the issuer's refresh service has")
    older: OlderOut | None = Field(description="of a badge of Open Badges 2.0 or before; null for any other")
    checked_at: Instant
    headline: Annotated[str, one_of(TONES)] = Field(description="the result in one word")
    tone: Tone
    questions: list[QuestionOut]
    issuer: IssuerOut | None = Field(description="null if the badge names none")
    newer: str | None = Field(description="address of a newer text that this service signed; null if there is none")


class SingleVerificationOut(VerificationOut):
    """The report of one verification, with its receipt if one was asked for."""

    receipt: SignedCredential | None = Field(None, description="the signed and dated record of this check")


class HolderOut(BaseModel):
    """What a person says of themselves in a link that they made for one authority."""

    name: str
    licence_number: str
    licence_matches: Literal["passed", "failed", "undecided", "skipped"] = Field(
        description="whether it is the number in the column `licence` of the table; skipped: there is none"
    )


class BatchLineOut(BaseModel):
    """The answer for one item of a batch: `result`, or `problem` if it could not be checked."""

    index: int
    id: str | None = Field(description="as it was given; null if there was none")
    given: str = Field(description="what was given: an address, or the name of a file")
    line: int | None = Field(None, description="its line in the text, or its row in the table, from 1")
    file: str | None = Field(None, description="the file that the line is in, where there are several")
    row: list[str] = Field([], description="of a table: the cells of its row")
    holder: HolderOut | None = Field(None, description="of a link that a person made for one authority: who they are")
    try_again: bool = Field(description="true: a server did not answer in time; send the item again alone")
    result: VerificationOut | None = None
    problem: ItemProblem | None = None


class CountedBadgeOut(Answer):
    """What of one badge counts."""

    index: int = Field(description="its item's")
    standing: Annotated[str, one_of(STANDINGS)]
    reasons: list[Annotated[str, one_of(REASONS)]] = Field(
        description="why it, or a part of it, does not count for sure", examples=[["outside-dates"]]
    )
    hours: float
    credits: float
    provider: str = Field(description="the issuer, by the name that it gives itself; empty if there is none")
    credit_authorities: list[str] = Field(description="who gives the credits, according to the issuer")


class BatchPersonOut(Answer):
    """A person whose hours and credits were counted."""

    person: str = Field(description="as it was given: `person`, else `recipient`; without these, the item")
    decision: Annotated[str, one_of(DECISIONS)]
    reasons: list[Annotated[str, one_of((*REASONS_OF_PERSONS, *REASONS))]] = Field(
        description="why the person is not accepted", examples=[["hours-missing", "outside-dates"]]
    )
    hours: float = Field(description="that count for sure, to two places")
    credits: float
    badges: list[CountedBadgeOut]


class PeopleOut(Answer):
    """How many people there are of each decision."""

    accepted: int
    short: int
    to_ask: int


class SumsOut(Answer):
    """How many items had which outcome."""

    items: int
    good: int
    unsure: int
    bad: int
    unchecked: int
    try_again: int


class BatchEndOut(Answer):
    """The last line: an answer without it is incomplete."""

    sums: SumsOut
    people: PeopleOut | None = Field(None, description="where hours and credits are counted")
