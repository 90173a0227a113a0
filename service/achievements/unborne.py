"""Find names in a definition that nothing in the network has borne yet.

Such a name is often misspelt, and then nobody ever meets the rule; but it may also be one of what is to come. So it is
pointed out, and keeps nothing from being published. Sessions and achievements are not looked at here: those that do not
exist keep a definition from being published.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.orm import Session as OrmSession

from service.achievements.definitions import RULE
from service.criteria import tree
from service.criteria.kinds.rule import DefinitionFault, Rule
from service.criteria.parts import Mention, mentions
from service.evidence.vocabulary import CONTRIBUTION_TYPES
from service.suggestions import MOST, Suggestions
from service.tables import Contribution, ContributionTag, Evaluation, Meeting, Member, Network, Rating, Role

SENTENCES: Mapping[str, str] = {
    "assessment": "Nobody in this network has been scored in the assessment {name} yet",
    "criterion": "No evaluation in this network has rated the criterion {name} yet",
    "instrument": "Nobody in this network has a score in an assessment or survey {name} yet",
    "role": "Nobody in this network has had the role {name} yet",
    "rubric": "No evaluation in this network has used the rubric {name} yet",
    "series": "No session in this network is of the series {name} yet",
    "skill": "Nobody in this network has been endorsed for the skill {name} yet",
    "tag": "No contribution in this network has the tag {name} yet",
    "type": "No contribution in this network is of the type {name} yet",
}
"""What a warning says, by what the name is the name of; after it comes the near name, if there is one."""


def warnings(session: OrmSession, network: Network, definition: Mapping[str, Any]) -> Iterator[DefinitionFault]:
    """Yield a warning for each name that nothing has borne yet, with a near one if there is one."""
    found, suggested = list(_mentions(definition)), Suggestions()
    for what, sentence in SENTENCES.items():
        asked = [each for each in found if each.what == what]
        names, column = _borne(network, what)
        known = set(session.scalars(names.where(column.in_([each.name for each in asked])))) if asked else set()
        missing = [each for each in asked if each.name not in known]
        others = session.scalars(names.order_by(column).limit(MOST)).all() if missing else ()
        for each in missing:
            said = sentence.format(name=f'"{each.name}"')
            meant = suggested(each.name, lambda: (name for name in others if name is not None))  # noqa: B023
            yield DefinitionFault(f"{what}-unused", f"{said}{meant}.", each.pointer)


def _mentions(definition: Mapping[str, Any]) -> Iterator[Mention]:
    said = definition["criteria"].get("rule")
    for place, node in tree.walk(tree.parse(said), RULE) if said is not None else ():
        if isinstance(node, Rule):
            yield from (each for each in mentions(node, place) if each.name not in CONTRIBUTION_TYPES)
    for n, described in enumerate(definition.get("result_descriptions") or ()):
        for what in ("rubric", "criterion"):
            if described.get(what) is not None:
                yield Mention(what, described[what], f"/result_descriptions/{n}/{what}")


def _borne(network: Network, what: str) -> tuple[Select[Any], InstrumentedAttribute[Any]]:
    """Return the query of the names of one sort that are borne in a network, and its column."""
    of_kind = {
        "assessment": ("score",),
        "rubric": ("rubric",),
        "skill": ("endorsement",),
        "instrument": ("score", "survey"),
    }
    column: InstrumentedAttribute[Any]
    if what in of_kind:
        column = Evaluation.instrument
        query = select(column).where(Evaluation.network_id == network.id, Evaluation.kind.in_(of_kind[what]))
    elif what == "criterion":
        column = Rating.criterion
        query = select(column).join(Evaluation).where(Evaluation.network_id == network.id)
    elif what == "tag":
        column = ContributionTag.tag
        query = select(column).join(Contribution).where(Contribution.network_id == network.id)
    elif what == "type":
        column = Contribution.type
        query = select(column).where(Contribution.network_id == network.id)
    elif what == "series":
        column = Meeting.series
        query = select(column).where(Meeting.network_id == network.id)
    else:
        column = Role.role
        query = select(column).join(Member, Member.id == Role.member_id).where(Member.network_id == network.id)
    return query.distinct(), column
