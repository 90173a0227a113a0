"""Find names in a definition that nothing in the network has borne yet.

Such a name is often misspelt, and then nobody ever meets the rule; but it may also be one of what is to come. So it is
pointed out, and keeps nothing from being published. Sessions and achievements are not looked at here: those that do not
exist keep a definition from being published.
"""

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any, NamedTuple

from sqlalchemy import Select, select
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.orm import Session as OrmSession

from service.achievements.definitions import RULE
from service.criteria import tree
from service.criteria.kinds.rubric import Rubric
from service.criteria.kinds.rule import DefinitionFault, Rule, number
from service.criteria.parts import Mention, mentions
from service.evidence.vocabulary import CONTRIBUTION_TYPES
from service.suggestions import MOST, Suggestions, did_you_mean
from service.tables import (
    Contribution,
    ContributionTag,
    Evaluation,
    Meeting,
    Member,
    Network,
    Rating,
    Role,
    RubricVersion,
)
from service.tables import Rubric as Posted

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
    """Yield a warning for each name that nothing has borne yet, with a near one if there is one.

    A rule that counts only posted rubrics is told of one that the network has not posted, and of criteria and levels that
    it lacks.
    """
    found, suggested = list(_mentions(definition)), Suggestions()
    posted = _posted(session, network) if any(each.what == "rubric" for each in found) else {}
    told = list(_unposted(definition, posted))
    yield from told
    places = {each.pointer for each in told}
    for what, sentence in SENTENCES.items():
        asked = [each for each in found if each.what == what and each.pointer not in places]
        names, column = _borne(network, what)
        known = set(session.scalars(names.where(column.in_([each.name for each in asked])))) if asked else set()
        known |= {"rubric": {*posted}, "criterion": {*chain(*(each.criteria for each in posted.values()))}}.get(
            what, set()
        )
        missing = [each for each in asked if each.name not in known]
        others = session.scalars(names.order_by(column).limit(MOST)).all() if missing else ()
        for each in missing:
            said = sentence.format(name=f'"{each.name}"')
            meant = suggested(each.name, lambda: (name for name in others if name is not None))  # noqa: B023
            yield DefinitionFault(f"{what}-unused", f"{said}{meant}.", each.pointer)


class _Newest(NamedTuple):
    """What the newest version of a posted rubric has."""

    criteria: list[str]
    highest: float


def _posted(session: OrmSession, network: Network) -> dict[str, _Newest]:
    """Return the rubrics that a network has posted, by their refs."""
    newest = (RubricVersion.rubric_id == Posted.id) & (RubricVersion.version == Posted.version)
    query = select(Posted.ref, RubricVersion.criteria, RubricVersion.highest).join(RubricVersion, newest)
    rows = session.execute(query.where(Posted.network_id == network.id).order_by(Posted.id).limit(MOST))
    return {ref: _Newest(criteria, highest) for ref, criteria, highest in rows}


def _unposted(definition: Mapping[str, Any], posted: Mapping[str, _Newest]) -> Iterator[DefinitionFault]:
    said = definition["criteria"].get("rule")
    for place, node in tree.walk(tree.parse(said), RULE) if said is not None else ():
        if not isinstance(node, Rubric) or node.unposted is not False:
            continue
        if node.rubric not in posted:
            message = f'This network has not posted the rubric "{node.rubric}" yet{did_you_mean(node.rubric, posted)}.'
            yield DefinitionFault("rubric-unposted", message, f"{place}/rubric")
            continue
        newest = posted[node.rubric]
        if node.min_level > newest.highest:
            message = (
                f'The rubric "{node.rubric}" has no level above {number(newest.highest)}, so that nobody reaches this.'
            )
            yield DefinitionFault("level-unposted", message, f"{place}/min_level")
        for n, name in enumerate(node.criteria if node.criteria != "*" else ()):
            if name not in newest.criteria:
                meant = did_you_mean(name, newest.criteria)
                message = f'The rubric "{node.rubric}" has no criterion "{name}"{meant}.'
                yield DefinitionFault("criterion-unposted", message, f"{place}/criteria/{n}")


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
