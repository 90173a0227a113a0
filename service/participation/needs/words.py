"""What pages and answers say of needs, in the words of people."""

from collections.abc import Mapping
from typing import Final

from service.participation.needs.matching import Peer
from service.participation.needs.shapes import Level, Slot
from service.texts.languages import N_, Language

LEVELS: Final[Mapping[Level, str]] = {
    "could-start": N_("I could start on it with others"),
    "have-done": N_("I have done it"),
    "can-explain": N_("I can explain it"),
}
"""What somebody says of what they offer."""
THEIR_LEVELS: Final[Mapping[Level, str]] = {
    "could-start": N_("Could start on it together with you"),
    "have-done": N_("Has done it"),
    "can-explain": N_("Can explain it"),
}
IMPORTANCE: Final[Mapping[int, str]] = {
    1: N_("Nice to have"),
    2: N_("Important"),
    3: N_("Most important"),
}
READINESS: Final[Mapping[int, str]] = {
    1: N_("Only curious so far"),
    2: N_("Interested, but not ready yet"),
    3: N_("Ready with some help"),
    4: N_("Ready"),
    5: N_("Ready to start now"),
}
DAYS: Final[Mapping[str, str]] = {
    "mon": N_("Monday"),
    "tue": N_("Tuesday"),
    "wed": N_("Wednesday"),
    "thu": N_("Thursday"),
    "fri": N_("Friday"),
    "sat": N_("Saturday"),
    "sun": N_("Sunday"),
}
PARTS: Final[Mapping[str, str]] = {
    "morning": N_("Morning"),
    "afternoon": N_("Afternoon"),
    "evening": N_("Evening"),
}
SLOTS: Final[Mapping[Slot, str]] = {
    "mon-morning": N_("Monday morning"),
    "mon-afternoon": N_("Monday afternoon"),
    "mon-evening": N_("Monday evening"),
    "tue-morning": N_("Tuesday morning"),
    "tue-afternoon": N_("Tuesday afternoon"),
    "tue-evening": N_("Tuesday evening"),
    "wed-morning": N_("Wednesday morning"),
    "wed-afternoon": N_("Wednesday afternoon"),
    "wed-evening": N_("Wednesday evening"),
    "thu-morning": N_("Thursday morning"),
    "thu-afternoon": N_("Thursday afternoon"),
    "thu-evening": N_("Thursday evening"),
    "fri-morning": N_("Friday morning"),
    "fri-afternoon": N_("Friday afternoon"),
    "fri-evening": N_("Friday evening"),
    "sat-morning": N_("Saturday morning"),
    "sat-afternoon": N_("Saturday afternoon"),
    "sat-evening": N_("Saturday evening"),
    "sun-morning": N_("Sunday morning"),
    "sun-afternoon": N_("Sunday afternoon"),
    "sun-evening": N_("Sunday evening"),
}
MOST_TIMES: Final = 3
"""How many common times are said."""
COMMON: Final = N_("Free when you are: %(times)s.")
NO_COMMON: Final = N_("You have named no time at which you are both free.")
FULL: Final = N_("Others are led to this person already. Ask the other people first.")

WORDS: Final[Mapping[str, str]] = {
    "needs-early": N_("You can answer once the survey has opened."),
    "needs-over": N_("The time to answer is over."),
    "needs-answer-empty": N_("Choose at least one topic that you want to learn, or one that you can offer."),
    "needs-topic-unknown": N_("The network has changed the topics since. Look at your choices, and send them again."),
    "needs-topic-twice": N_("A topic of your own stands here twice, or is one of the list. Remove one of the two."),
    "needs-own-topic": N_("This survey takes no topics of your own."),
    "needs-own-topic-empty": N_("Write a topic of your own in letters."),
    "needs-own-topic-unsaid": N_("Say of each topic of your own whether you want to learn it, or can offer it."),
    "needs-own-topics-many": N_("You can add up to 10 topics of your own."),
    "needs-answer-unknown": N_("You have not answered, or have taken back your answer."),
    "needs-cycle-unknown": N_("There is no such survey, or the network has removed it."),
    "network-closed": N_("This network was closed and takes nothing new."),
    "member-erased": N_("You are no member of this network any more."),
    "string-too-long": N_("Something that you wrote is too long. A topic can have 100 characters, and the note 2,000."),
}
"""What a refusal means for people, by its code."""
WRONG: Final = N_("Something in the form is not as it should be. Look at your choices, and send them again.")


def of_refusal(code: str) -> str:
    """Return what a refusal means, to translate."""
    return WORDS.get(code, WRONG)


def reasons(peer: Peer, language: Language) -> list[str]:
    """Return why somebody is proposed, as sentences for the person who wants to learn."""
    said = [f"{language.gettext(THEIR_LEVELS[peer.level])}."]
    if peer.common:
        times = language.listed([language.gettext(SLOTS[slot]) for slot in peer.common[:MOST_TIMES]])
        said.append(language.gettext(COMMON, times=times))
    else:
        said.append(language.gettext(NO_COMMON))
    if peer.full:
        said.append(language.gettext(FULL))
    return said
