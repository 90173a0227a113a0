"""Evaluations of a member, a contribution, a session or a network.

Each kind is a class; each class says who judges what. Nobody evaluates themself, except in a reflection. An answer of
a member to a survey about that same member is a self-report, not an evaluation of oneself: it has the lowest tier,
no matter who posts it, and counts only for rules that accept it.
"""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    Discriminator,
    Field,
    PlainValidator,
    StringConstraints,
    Tag,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from service.bodies import Body, Line, Prose, Ref
from service.errors import ForbiddenError, InvalidError, ServiceError
from service.evidence.bodies import (
    UNKNOWN,
    Derived,
    Gap,
    Judgement,
    Mentions,
    Place,
    References,
    Someone,
    Submitted,
    finite,
)
from service.evidence.points import Number, Points
from service.tables import Evaluation, Rating


def _answer(value: Any) -> Any:
    if value is None:
        return None
    if isinstance(value, str):
        if len(value) > 10_000:
            raise PydanticCustomError("answer-too-long", "Expected an answer of at most 10000 characters")
        return value
    return finite(value)


Answered = Annotated[
    Any,
    PlainValidator(_answer),
    WithJsonSchema({"anyOf": [{"type": "string", "maxLength": 10_000}, {"type": "number"}, {"type": "null"}]}),
]
Occasion = Literal["pre", "post", "pulse"]
"""Before, after or during the learning."""
Form = Annotated[Line, StringConstraints(max_length=64)]
Level = Annotated[Number, Field(ge=0, le=1000), WithJsonSchema({"type": "number", "minimum": 0, "maximum": 1000})]
Item = Annotated[str, StringConstraints(min_length=1, max_length=1000)]


class About(Body):
    """What is evaluated: exactly one of these."""

    member: Ref | None = Field(None, description="a member, who may be posted later", examples=["m11"])
    contribution: Line | None = Field(None, description="a contribution, by its ref or its id", examples=["draft-17"])
    session: Ref | None = Field(None, description="a session")
    network: str | None = Field(None, max_length=63, description="this network, by its slug")

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(getattr(self, name) is not None for name in About.model_fields) != 1:
            raise PydanticCustomError("about-one", "Expected exactly one of member, contribution, session, network")
        return self


class EvaluationFields(Submitted):
    """Who evaluates what, and when."""

    about: About
    evaluator: Ref | None = Field(
        None,
        description="the member who judges; may be posted later. Left out with a member's own token: that member",
        examples=["m12"],
    )
    anonymous: bool = Field(False, description="nobody is named: only for surveys about a session or the network")

    kind: str
    needs_evaluator: ClassVar[bool] = True
    of_oneself: ClassVar[bool] = False

    @property
    def filled(self) -> dict[str, Any]:
        """The columns of `evaluations` that the kind fills: instrument, part and others."""
        raise NotImplementedError

    @property
    def levels(self) -> Mapping[str, float]:
        """The levels given, by criterion."""
        return {}

    @property
    def mentions(self) -> Mentions:
        """The member judged and the evaluator, the session, and the contribution."""
        return Mentions([self.about.member, self.evaluator], [self.about.session], [self.about.contribution])

    def judge(self, references: References, actor: Someone | None) -> Judgement:
        """Check what it is about and who judges, and find the member for whom it waits.

        Refusals: what it is about is unknown or void ("session-unknown", "network-unknown", "contribution-unknown",
        "contribution-void"); it cannot be anonymous ("anonymous-..."); a member's token speaks for somebody else
        ("evaluator-not-caller"); nobody judges ("evaluator-missing"); somebody judges themself ("self-evaluation").
        """
        of, by = self._judged(references), self._evaluator(references, actor)
        found = Judgement(of, by, self_report=self._is_self_report(by, of))
        try:
            self._check_about(references)
            self._check_anonymous(actor)
            self._check_evaluator(references, actor)
        except ServiceError as error:
            return found._replace(refusal=error)
        gap = self._gap(references)
        if gap is not None:
            return found._replace(gap=gap)
        own = self.of_oneself or found.self_report
        if not own and by is not None and of is not None and by.is_person(of):
            message = "Expected another person than the one evaluated."
            return found._replace(refusal=InvalidError("self-evaluation", message, "/evaluator"))
        return found

    def derive(self, references: References, judgement: Judgement, place: Place) -> Derived:
        """Return the evaluation and its ratings.

        There are none if the contribution that it is about does not count.
        """
        judged, by = judgement.member, judgement.evaluator
        if self.about.contribution is not None and judged is None:
            return []
        about_kind, about_id = self._target(references)
        row = place.columns(self.occurred_at) | {
            "kind": self.kind,
            "about_kind": about_kind,
            "about_id": about_id,
            "member_id": judged.id if judged else None,
            "evaluator_id": by.id if by else None,
            "instrument": None,
            "instrument_version": None,
            "part": None,
            "occasion": None,
            "form": None,
            "scaled": None,
        }
        ratings = [
            {"record_id": place.record_id, "criterion": name, "level": level} for name, level in self.levels.items()
        ]
        return [(Evaluation, row | self.filled), *((Rating, rating) for rating in ratings)]

    @property
    def _on_member(self) -> bool:
        return self.about.member is not None or self.about.contribution is not None

    @property
    def _by_member(self) -> bool:
        """Whether the evaluator, if nobody is named, is the member whom it is about."""
        return self.of_oneself and self._on_member

    def _is_self_report(self, by: Someone | None, of: Someone | None) -> bool:
        """Return whether a member, who may still be unknown, answers a survey about that same member."""
        if self.kind != "survey" or self.about.member is None:
            return False
        return self.evaluator == self.about.member or (by is not None and by == of)

    def _judged(self, references: References) -> Someone | None:
        """Return the member judged, or the one whose contribution is judged."""
        if self.about.member is not None:
            return references.members.get(self.about.member)
        if self.about.contribution is not None and self.about.contribution in references.works:
            return references.works[self.about.contribution].member
        return None

    def _evaluator(self, references: References, actor: Someone | None) -> Someone | None:
        if self.anonymous:
            return None
        if self.evaluator is not None:
            return references.members.get(self.evaluator)
        return actor or (self._judged(references) if self._by_member else None)

    def _gap(self, references: References) -> Gap | None:
        """Return the first member who is not known yet, or for whom the judged contribution waits."""
        if self.about.contribution is not None:
            work = references.works[self.about.contribution]
            if work.member is None and work.held_for is not None:
                return Gap(work.held_for, "/about/contribution", work.held_code or UNKNOWN)
        return references.gap((self.about.member, "/about/member"), (self.evaluator, "/evaluator"))

    def _target(self, references: References) -> tuple[str, Any]:
        about = self.about
        if about.member is not None:
            return "member", references.members[about.member].id
        if about.contribution is not None:
            return "contribution", references.works[about.contribution].record_id
        if about.session is not None:
            return "session", references.sessions[about.session]
        return "network", references.network.id

    def _check_about(self, references: References) -> None:
        about = self.about
        if about.session is not None and about.session not in references.sessions:
            raise InvalidError(
                "session-unknown",
                "Expected the ref of a session of this network; post the session first, or correct it.",
                "/about/session",
            )
        if about.network is not None and about.network != references.network.slug:
            raise InvalidError("network-unknown", "Expected this network's own slug.", "/about/network")
        if about.contribution is not None:
            work = references.works.get(about.contribution)
            if work is None:
                message = "Expected a contribution of this network, by its ref or its id."
                raise InvalidError("contribution-unknown", message, "/about/contribution")
            if work.member is None and work.held_for is None:
                message = "Expected a contribution that counts; this one was voided or set aside."
                raise InvalidError("contribution-void", message, "/about/contribution")

    def _check_evaluator(self, references: References, actor: Someone | None) -> None:
        if actor is not None and self.evaluator is not None:
            evaluator = references.members.get(self.evaluator)
            if evaluator is None or not evaluator.is_person(actor):
                message = "Expected the member of this token, who can speak for nobody else."
                raise ForbiddenError("evaluator-not-caller", message, "/evaluator")
        named = self.evaluator is not None or actor is not None or self._by_member
        if not named and not self.anonymous and (self.needs_evaluator or (self.kind == "survey" and self._on_member)):
            raise InvalidError("evaluator-missing", "Expected the member who judges.", "/evaluator")

    def _check_anonymous(self, actor: Someone | None) -> None:
        if not self.anonymous:
            return
        if self.kind != "survey":
            raise InvalidError("anonymous-kind", "Expected only a survey to be anonymous.", "/anonymous")
        if self.evaluator is not None:
            raise InvalidError("anonymous-evaluator", "Expected no evaluator of an anonymous answer.", "/evaluator")
        if self._on_member:
            message = "Expected an anonymous answer to be about a session or the network."
            raise InvalidError("anonymous-about", message, "/about")
        if actor is not None:
            message = "Expected a token of the network; this one is a member's and says who answers."
            raise ForbiddenError("anonymous-token", message, "/anonymous")


class RubricIn(EvaluationFields):
    """Levels on the criteria of a rubric.

    If the network has posted the rubric, they are held against it: its criteria, and its levels.
    """

    kind: Literal["rubric"]
    rubric: Line = Field(examples=["formative-feedback"])
    rubric_version: Annotated[Line, StringConstraints(max_length=64)] | None = Field(
        None, description="of a posted rubric, the number of a version; left out: the newest", examples=["2"]
    )
    part: Annotated[Line, StringConstraints(max_length=100)] | None = Field(None, description="which part of the work")
    ratings: dict[Line, Level] = Field(
        min_length=1, max_length=100, description="level by criterion", examples=[{"specific": 3, "kind": 4}]
    )
    comment: Prose | None = None

    @property
    def filled(self) -> dict[str, Any]:
        """The rubric, its version and the part."""
        return {"instrument": self.rubric, "instrument_version": self.rubric_version, "part": self.part}

    @property
    def levels(self) -> Mapping[str, float]:
        """The ratings."""
        return self.ratings

    def judge(self, references: References, actor: Someone | None) -> Judgement:
        """Judge as other evaluations, and hold the ratings against the rubric, if the network has posted it.

        Refusals: it has no such version ("rubric-version-unknown"), or the version has no such criterion
        ("rubric-criterion-unknown") or not so low or high a level ("level-out-of-range").
        """
        found, posted = super().judge(references, actor), references.rubrics.get(self.rubric)
        if found.refusal is not None or posted is None:
            return found
        try:
            return found._replace(scale=posted.held(self.rubric_version, self.ratings))
        except InvalidError as error:
            return found._replace(refusal=error)


class ScoreIn(EvaluationFields):
    """A score in an assessment; a score given by a program has no evaluator."""

    kind: Literal["score"]
    assessment: Line = Field(examples=["feedback-quiz"])
    score: Points
    occasion: Occasion | None = Field(None, description="before or after the learning, for the rule `gain`")
    form: Form | None = Field(None, description="which form of the assessment, if there are several", examples=["A"])

    needs_evaluator = False

    @property
    def filled(self) -> dict[str, Any]:
        """The assessment, its form, the occasion and the scaled score."""
        given = {"occasion": self.occasion, "form": self.form}
        return {"instrument": self.assessment, "scaled": self.score.value} | given


class SurveyIn(EvaluationFields):
    """Answers to the items of a questionnaire.

    If `evaluator` is the member whom it is about, it is a self-report: what the member says of themself, for example
    what they know before and after. It has tier 0.
    """

    kind: Literal["survey"]
    instrument: Line = Field(examples=["pulse-autumn"])
    answers: dict[Item, Answered] = Field(
        min_length=1, max_length=500, description="answer by item", examples=[{"worth my time": 4}]
    )
    score: Points | None = Field(None, description="the score of the answers, if they are scored")
    occasion: Occasion | None = Field(None, description="before, after or during the learning")
    form: Form | None = Field(None, description="which form of the questionnaire, if there are several", examples=["A"])

    needs_evaluator = False

    @property
    def filled(self) -> dict[str, Any]:
        """The questionnaire, its form, the occasion and the scaled score.

        The answers stay in the record's body.
        """
        scaled = self.score.value if self.score is not None else None
        return {"instrument": self.instrument, "scaled": scaled, "occasion": self.occasion, "form": self.form}


class EndorsementIn(EvaluationFields):
    """A colleague's statement of what somebody can do."""

    kind: Literal["endorsement"]
    skill: Line | None = Field(None, examples=["peer feedback"])
    statement: Prose | None = None

    @property
    def filled(self) -> dict[str, Any]:
        """The skill."""
        return {"instrument": self.skill}


class ReflectionIn(EvaluationFields):
    """A text in which somebody, most often the member, looks back."""

    kind: Literal["reflection"]
    text: Prose

    of_oneself = True

    @property
    def filled(self) -> dict[str, Any]:
        """Nothing: the text stays in the record's body."""
        return {}


KINDS: dict[str, type[EvaluationFields]] = {
    "rubric": RubricIn,
    "score": ScoreIn,
    "survey": SurveyIn,
    "endorsement": EndorsementIn,
    "reflection": ReflectionIn,
}


def _kind(value: Any) -> str | None:
    kind = value.get("kind") if isinstance(value, Mapping) else getattr(value, "kind", None)
    return f"<{kind}>" if isinstance(kind, str) and kind in KINDS else None


EvaluationIn = Annotated[
    Annotated[RubricIn, Tag("<rubric>")]
    | Annotated[ScoreIn, Tag("<score>")]
    | Annotated[SurveyIn, Tag("<survey>")]
    | Annotated[EndorsementIn, Tag("<endorsement>")]
    | Annotated[ReflectionIn, Tag("<reflection>")],
    Discriminator(
        _kind,
        custom_error_type="evaluation-kind",
        custom_error_message="Expected an object whose `kind` is rubric, score, survey, endorsement or reflection",
        custom_error_context={"member": "kind", "unknown": "evaluation-kind", "words": list(KINDS)},
    ),
]
