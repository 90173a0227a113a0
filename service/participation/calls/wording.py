"""Sentences of a proposal: reasons, what it lacks, who would be next."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from service.texts.languages import N_, Language

BY_CODE: Final = {
    "only-one": N_("The only one of the set who knows: %(topics)s."),
    "knows-best": N_("Knows best of the set: %(topics)s."),
    "more-diverse": N_("Nobody outside the set could take this place and keep the set as diverse."),
    "more-ready": N_("As suitable as others by topics and diversity, and readier than they are."),
    "earlier": N_("As suitable as others, who applied later."),
    "everybody": N_("There are no more people than places."),
    "accepted": N_("Has been accepted already."),
    "included": N_("A person of the network put them in."),
    "fewer-than-places": N_("Fewer people applied than there are places. Places that stay free: %(number)s."),
    "nobody-brings": N_("Nobody who applied knows: %(topics)s."),
    "left-uncovered": N_("Nobody in the set knows this, though others who applied do: %(topics)s."),
    "basics-only": N_("In the set people know only the basics of: %(topics)s."),
    "would-cover": N_("Would add to: %(topics)s."),
    "as-suitable": N_("Would add no topic."),
}
BY_GROUP: Final[Mapping[str, Mapping[str, str]]] = {
    "adds-second": {
        "discipline": N_("Adds a second discipline."),
        "role": N_("Adds a second role."),
        "organization": N_("Adds a second organization."),
    },
    "adds-group": {
        "discipline": N_("Adds a discipline that nobody else of the set has."),
        "role": N_("Adds a role that nobody else of the set has."),
        "organization": N_("Adds an organization that nobody else of the set is from."),
    },
    "would-add-group": {
        "discipline": N_("Would add another discipline."),
        "role": N_("Would add another role."),
        "organization": N_("Would add another organization."),
    },
    "all-alike": {
        "discipline": N_("Everybody in the set has the same discipline."),
        "role": N_("Everybody in the set has the same role."),
        "organization": N_("Everybody in the set is from the same organization."),
    },
    "one-dominates": {
        "discipline": N_("More than half of the set has one discipline: %(number)s people."),
        "role": N_("More than half of the set has one role: %(number)s people."),
        "organization": N_("More than half of the set is from one organization: %(number)s people."),
    },
    "group-missing": {
        "discipline": N_("Disciplines that the call asks for and the set lacks: %(number)s."),
        "role": N_("Roles that the call asks for and the set lacks: %(number)s."),
        "organization": N_("Organizations that the call asks for and the set lacks: %(number)s."),
    },
}
METHODS: Final = {
    "everybody": N_("Everybody is proposed: there are no more people than places."),
    "exact": N_("No other set of this size is better: all were compared."),
    "exchange": N_(
        "There are too many sets to compare all. People were taken by what each adds, and then exchanged while the set got"
        " better."
    ),
}
"""How a set was found."""
CODES: Final = sorted({*BY_CODE, *BY_GROUP} - {"adds-second"})


def sentence(language: Language, part: Mapping[str, Any], targets: Sequence[Mapping[str, Any]]) -> str:
    """Return the sentence of one reason, or of one thing that lacks, as it was stored.

    Args:
        targets: what is to be covered, in the order to which the part refers.
    """
    code, group = part["code"], part.get("group")
    names = language.listed([label(targets[place]) for place in part["targets"]]) if part["targets"] else ""
    values = {"topics": names, "number": language.number(part.get("number", 0))}
    if group is None:
        return language.gettext(BY_CODE[code], **values)
    second = code == "adds-group" and part.get("number") == 2
    text = BY_GROUP["adds-second" if second else code][group]
    return language.gettext(text, **values)


def label(target: Mapping[str, Any]) -> str:
    """Return what people call a target: a topic, or the code of an objective with the topics that serve it."""
    topics = ", ".join(target["topics"])
    return topics if target.get("objective") is None else f"{target['objective']} ({topics})"
