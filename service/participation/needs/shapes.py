"""The shapes of cycles and answers, as networks and members send them."""

from datetime import UTC, datetime
from typing import Annotated, Final, Literal, Self, get_args

from pydantic import Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from service.bodies import Body, Instant, Line, Ref

MAX_TOPICS: Final = 30
"""How many topics a cycle can have: more than a person reads through on a telephone."""
MAX_OWN: Final = 10
"""How many topics of their own a person can add."""
MAX_NOTE: Final = 2_000
CAN_HELP: Final = 2
"""How many people somebody helps if they do not say."""

TopicCode = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$", max_length=64)]
"""The network's own identifier of a topic; it also stands in the names of form fields."""
OwnTopic = Annotated[str, StringConstraints(min_length=1, max_length=100)]
"""A topic in the words of the person who adds it; it is put on one line."""
LanguageTag = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$", max_length=35)]
Level = Literal["could-start", "have-done", "can-explain"]
LEVELS: Final[tuple[Level, ...]] = get_args(Level)
"""How well somebody can offer a topic, the lowest first."""
Slot = Literal[
    "mon-morning",
    "mon-afternoon",
    "mon-evening",
    "tue-morning",
    "tue-afternoon",
    "tue-evening",
    "wed-morning",
    "wed-afternoon",
    "wed-evening",
    "thu-morning",
    "thu-afternoon",
    "thu-evening",
    "fri-morning",
    "fri-afternoon",
    "fri-evening",
    "sat-morning",
    "sat-afternoon",
    "sat-evening",
    "sun-morning",
    "sun-afternoon",
    "sun-evening",
]
SLOTS: Final[tuple[Slot, ...]] = get_args(Slot)
"""The parts of a week, in order, in the network's time zone."""
CycleState = Literal["planned", "open", "closed"]
Via = Literal["member", "network", "page", "link"]


BY_LANGUAGE: Final = Field(max_length=20, json_schema_extra={"additionalProperties": False})
"""Texts by the tags of their languages, and by nothing else."""


class NeedsTopic(Body):
    """A topic that a cycle offers to choose."""

    code: TopicCode = Field(description="the network's own identifier of the topic", examples=["feedback"])
    label: Line = Field(description="as people read it", examples=["Feedback that helps"])
    labels: Annotated[dict[LanguageTag, Line], BY_LANGUAGE] | None = Field(
        None, description="the label in other languages", examples=[{"es": "Comentarios que ayudan"}]
    )
    objective: Ref | None = Field(
        None, description="the code of the network's objective that the topic belongs to", examples=["giving-feedback"]
    )


class _CycleDescribed(Body):
    opens_at: Instant | None = Field(None, description="left out when it is added: now")
    introduction: Annotated[str, StringConstraints(min_length=1, max_length=2_000)] | None = Field(
        None, description="plain text above the questions: why you ask, and what follows"
    )
    topics: list[NeedsTopic] | None = Field(
        None, max_length=MAX_TOPICS, description="the whole list, in the order in which people see it"
    )
    free_topics: bool | None = Field(
        None, description=f"people can add up to {MAX_OWN} topics of their own; left out: they cannot"
    )


class NeedsCycleFields(_CycleDescribed):
    """What a network asks its members for some time.

    Members that are left out stay as they are; null removes one.
    """

    title: Line = Field(examples=["What do you want to learn this spring?"])
    titles: Annotated[dict[LanguageTag, Line], BY_LANGUAGE] | None = Field(
        None, description="the title in other languages"
    )
    closes_at: Instant = Field(description="until then people can answer, and change what they answered")


class NeedsCycleIn(NeedsCycleFields):
    """One cycle, under the network's own `ref`."""

    ref: Ref = Field(description="the network's own identifier of the cycle", examples=["2026-spring"])


class NeedsCycleChange(_CycleDescribed):
    """What may change about a cycle.

    Members that are left out stay as they are; null removes one.
    """

    title: Line = Field(default_factory=str)
    titles: Annotated[dict[LanguageTag, Line | None], BY_LANGUAGE] | None = None
    closes_at: Instant = Field(default_factory=lambda: datetime.max.replace(tzinfo=UTC))


class _Chosen(Body):
    topic: TopicCode | None = Field(None, description="code of a topic of the cycle", examples=["feedback"])
    own: OwnTopic | None = Field(
        None, description="in place of `topic`: one in the person's own words, where the cycle takes those"
    )

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if (self.topic is None) == (self.own is None):
            raise PydanticCustomError("needs-topic-ambiguous", "Expected either `topic` or `own`")
        return self


class NeedsWish(_Chosen):
    """A topic that somebody wants to learn."""

    importance: int = Field(2, ge=1, le=3, description="1: nice to have, 2: important, 3: most important")


class NeedsOffer(_Chosen):
    """A topic with which somebody can help others."""

    level: Level = Field(description="could-start: could learn it together; have-done: has done it; can-explain")


class NeedsAnswerFields(Body):
    """What somebody wants to learn and can offer; it replaces what they answered before in the cycle."""

    learn: list[NeedsWish] = Field(default=[], max_length=MAX_TOPICS + MAX_OWN)
    offer: list[NeedsOffer] = Field(default=[], max_length=MAX_TOPICS + MAX_OWN)
    readiness: int | None = Field(None, ge=1, le=5, description="from 1, only curious, to 5, ready to start now")
    times: list[Slot] = Field(
        default=[], max_length=len(SLOTS), description="when they have time, in the time zone of the network"
    )
    can_help: int = Field(CAN_HELP, ge=1, le=20, description="how many people they can help in this cycle")
    share_offer: bool = Field(
        False,
        description=(
            "peers who want to learn what they offer may see that, with their name. It counts once the member has said so"
            " themself: by their own token, on their page, or by a link"
        ),
    )
    note: Annotated[str, StringConstraints(min_length=1, max_length=MAX_NOTE)] | None = Field(
        None, description="plain text for the network; peers never see it"
    )


class NeedsAnswerOf(NeedsAnswerFields):
    """What one member answers."""

    member: Ref = Field(examples=["m11"])


class NeedsAnswersIn(Body):
    """What several members answer: all are taken, or none."""

    answers: list[NeedsAnswerOf] = Field(min_length=1, max_length=200)


class NeedsLinksIn(Body):
    """The members for whom links are made."""

    members: list[Ref] = Field(min_length=1, max_length=200, description="their refs", examples=[["m11", "m12"]])
