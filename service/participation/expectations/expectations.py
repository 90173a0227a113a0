"""Expectations: put, changed in versions, ended, listed.

A change is a new version, which judges only periods that begin later: nobody is judged for the past by a new number.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter
from sqlalchemy import delete, select
from sqlalchemy.orm import Session as OrmSession

from service.access.act import Act
from service.achievements import serving, unborne
from service.bodies import merged, validated
from service.criteria.kinds.rule import DefinitionFault
from service.criteria.kinds.tally import Tally
from service.criteria.windows import Between
from service.errors import ConflictError, InvalidError, NotFoundError
from service.networks import objectives
from service.outbox import events
from service.participation.expectations import bodies, periods
from service.participation.expectations.bodies import RULE, ExpectationChange, ExpectationFields, Expected
from service.storage import locks
from service.storage.database import ReadSession, insert_new
from service.storage.paging import Window, page
from service.suggestions import MOST, did_you_mean
from service.tables import Expectation, ExpectationVersion, Meeting, Member, Network, Role

LONGEST: Final = {"month": 31, "quarter": 92, "year": 366}
"""The most days that a period of the calendar has."""
_FIELDS: TypeAdapter[ExpectationFields] = TypeAdapter(ExpectationFields)


@dataclass(frozen=True)
class ShownExpectation:
    """An expectation with all its versions, oldest first; `warnings` are given where it was written."""

    expectation: Expectation
    versions: Sequence[ExpectationVersion]
    warnings: tuple[DefinitionFault, ...] = ()

    @property
    def newest(self) -> ExpectationVersion:
        """The version that was written last."""
        return self.versions[-1]


def put(act: Act, ref: str, body: ExpectationFields) -> tuple[ShownExpectation, bool]:
    """Expect something, or something else from a later period on; return it and whether it is new.

    What says the same changes nothing.

    Raises:
        InvalidError: as `ExpectationFields.content`; it names what is unknown or retired (codes "objective-unknown",
            "objective-retired", "session-unknown"); nobody can meet it ("rule-impossible"); it ends before it begins
            ("until-before-from"); a change would judge the past ("expectation-in-past").
        ConflictError: it was ended (code "expectation-ended").
    """
    content = body.content()
    locks.network(act.session, act.network.id)
    first = {"network_id": act.network.id, "ref": ref, "version": 1, "created_at": act.now}
    created = insert_new(act.session, Expectation, first)
    shown = find(act.session, act.network, ref)
    if shown.expectation.ended_on is not None:
        message = f"Expected an expectation that is not over; this one was ended on {shown.expectation.ended_on}."
        raise ConflictError("expectation-ended", message)
    before = None if created else shown.newest
    _check(act, body, kept=before.content.get("objectives", ()) if before is not None else ())
    if before is not None and before.content == content and body.from_ in {None, before.from_date}:
        return replace(shown, warnings=tuple(warnings(act.session, act.network, content))), False
    begins = _begins(act, body, content["period"], is_change=before is not None)
    if body.until is not None and body.until <= begins:
        raise InvalidError("until-before-from", f"Expected a day after {begins}, when it begins.", "/until")
    expectation = shown.expectation
    expectation.version = len(shown.versions) + 1
    act.session.add(
        ExpectationVersion(
            expectation_id=expectation.id,
            version=expectation.version,
            from_date=begins,
            content=content,
            at=act.now,
        )
    )
    act.session.flush()
    events.append(act, "expectation.posted" if created else "expectation.changed", {"expectation": str(expectation.id)})
    written = find(act.session, act.network, ref)
    return replace(written, warnings=tuple(warnings(act.session, act.network, content))), created


def change(act: Act, ref: str, body: ExpectationChange) -> ShownExpectation:
    """Change some of an expectation, as `put` does with the whole.

    Raises:
        NotFoundError: the network has none (code "expectation-unknown").
        InvalidError, ConflictError: as `put`.
    """
    shown = held(act, ref)
    patch = body.model_dump(mode="json", exclude_unset=True)
    changed, _ = put(act, ref, validated(_FIELDS, merged(shown.newest.content, patch)))
    return changed


def end(act: Act, ref: str) -> None:
    """End an expectation: the period that runs is judged no longer, and those that are over stay as they were.

    One that was made today has judged nobody, and is gone. One that was ended stays as it is.

    Raises:
        NotFoundError: the network has none (code "expectation-unknown").
    """
    shown = held(act, ref)
    expectation, today = shown.expectation, today_in(act.network, act.now)
    if expectation.ended_on is not None:
        return
    if today_in(act.network, expectation.created_at) == today:
        act.session.execute(delete(ExpectationVersion).where(ExpectationVersion.expectation_id == expectation.id))
        act.session.delete(expectation)
    else:
        expectation.ended_on = today
    act.session.flush()
    events.append(act, "expectation.ended", {"expectation": str(expectation.id)})


def held(act: Act, ref: str) -> ShownExpectation:
    """Return an expectation, and let nobody change it until the commit.

    Raises:
        NotFoundError: the network has none (code "expectation-unknown").
    """
    locks.network(act.session, act.network.id)
    return find(act.session, act.network, ref)


def find(session: OrmSession, network: Network, ref: str) -> ShownExpectation:
    """Return an expectation with all its versions.

    Raises:
        NotFoundError: the network has none (code "expectation-unknown").
    """
    query = select(Expectation).where(Expectation.network_id == network.id, Expectation.ref == ref)
    row = session.scalar(query.execution_options(populate_existing=True))
    if row is None:
        message = "No expectation of this network has this ref; the list of expectations has them all."
        raise NotFoundError("expectation-unknown", message)
    return with_versions(session, [row])[0]


def list_all(
    session: ReadSession, network: Network, window: Window, *, ended: bool | None = None
) -> tuple[Sequence[ShownExpectation], str | None]:
    """Return expectations in the order in which they were made.

    Args:
        ended: only those that were ended, or that were not; None: both.
    """
    query = select(Expectation).where(Expectation.network_id == network.id)
    if ended is not None:
        query = query.where(Expectation.ended_on.is_not(None) if ended else Expectation.ended_on.is_(None))
    rows, cursor = page(session, query, window, Expectation.id)
    return with_versions(session, rows), cursor


def with_versions(session: OrmSession, rows: Sequence[Expectation]) -> list[ShownExpectation]:
    """Return expectations with all their versions, in the same order."""
    mine = ExpectationVersion.expectation_id.in_([row.id for row in rows])
    found: dict[Any, list[ExpectationVersion]] = {row.id: [] for row in rows}
    for version in session.scalars(select(ExpectationVersion).where(mine).order_by(ExpectationVersion.version)):
        found[version.expectation_id].append(version)
    return [ShownExpectation(row, found[row.id]) for row in rows]


def today_in(network: Network, now: datetime) -> date:
    """Return the day in the network's time zone."""
    return now.astimezone(ZoneInfo(network.time_zone)).date()


def warnings(session: OrmSession, network: Network, content: dict[str, Any]) -> Iterator[DefinitionFault]:
    """Yield a warning for each name in an expectation that nothing in the network has borne yet."""
    for each in unborne.warnings(session, network, {"criteria": {"rule": content["rule"]}}):
        yield each._replace(pointer=each.pointer.removeprefix("/criteria"))
    role = content.get("role")
    known = select(Role.role).join(Member, Member.id == Role.member_id).where(Member.network_id == network.id)
    if role is not None and session.scalar(known.where(Role.role == role).limit(1)) is None:
        meant = did_you_mean(role, session.scalars(known.distinct().limit(MOST)))
        said = unborne.SENTENCES["role"].format(name=f'"{role}"')
        yield DefinitionFault("role-unused", f"{said}{meant}.", "/role")


def _begins(act: Act, body: ExpectationFields, period: dict[str, Any], *, is_change: bool) -> date:
    today = today_in(act.network, act.now)
    if not is_change:
        return body.from_ or periods.running(period, today)
    if body.from_ is not None and body.from_ < today:
        message = f"Expected {today} or a later day: nobody is judged for the past by what changes now."
        raise InvalidError("expectation-in-past", message, "/from")
    return body.from_ or today


def _check(act: Act, body: ExpectationFields, kept: Sequence[str]) -> None:
    """Refuse what the network does not have, and what nobody can meet."""
    objectives.named(act.session, act.network, body.objectives or [], kept=kept)
    rule = bodies.expected(body.rule)
    named = (rule.where.sessions or []) if isinstance(rule, Tally) else []
    mine = Meeting.network_id == act.network.id, Meeting.ref.in_(named)
    known = set(act.session.scalars(select(Meeting.ref).where(*mine))) if named else set()
    for index, ref in enumerate(named):
        if ref not in known:
            message = "Expected the ref of a session of this network; post the session first."
            raise InvalidError("session-unknown", message, f"{RULE}/where/sessions/{index}")
    unknown = serving.unknown_in(act.session, act.network, rule, RULE) if isinstance(rule, Tally) else ()
    for fault in unknown:
        raise InvalidError(fault.code, fault.message, fault.pointer)
    for fault in _longest(rule, body).impossible(ZoneInfo(act.network.time_zone)):
        raise InvalidError(fault.code, fault.message, f"{RULE}{fault.pointer}")


def _longest(rule: Expected, body: ExpectationFields) -> Expected:
    """Return the rule over the longest period that there can be: what is impossible there always is."""
    terms = body.period.terms or []
    days = LONGEST.get(body.period.every, max(((term.until - term.from_).days for term in terms), default=None))
    if days is None:
        return rule
    start = date(2000, 1, 1)
    window = Between.model_validate({"from": f"{start}", "to": f"{start + timedelta(days=days)}"})
    return rule.model_copy(update={"window": window})
