"""Which items of evidence a credential shows, as its recipient chooses.

A hidden item is left out of the text that is signed at once, and so of the page, the files and the pictures; copies that
were given out keep what they have. The receipt of the decision still names the record by its salted digest. The text
says how many records it does not show, so that who compares it with the receipt sees neither a lie nor a gap.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session as OrmSession

from service.access.act import Act
from service.errors import InvalidError
from service.issuing import anew, evidence_items, own, reissuing
from service.runtime.runtime import Runtime
from service.tables import Credential, HiddenEvidence

NEEDED: Final = ("receipt", "summary")
"""Genres of items that stay: without them the decision cannot be retraced."""


@dataclass(frozen=True)
class EvidenceItem:
    """An item of a credential's evidence.

    `id` is what follows `#` in the item's own, or all of it if the item is not within the credential.
    """

    id: str
    item: dict[str, Any]
    hidden: bool
    hideable: bool


def items(session: OrmSession, row: Credential) -> list[EvidenceItem]:
    """Return the items of a credential's evidence, with those that are hidden, in the order in which they were signed."""
    document = reissuing.unsigned_document(row)
    rows = _rows(session, row)
    hidden = {each.item for each in rows}
    named = [(evidence_items.name_of(document["id"], each), each) for each in evidence_items.complete(document, rows)]
    return [EvidenceItem(name, each, name in hidden, each.get("genre") not in NEEDED) for name, each in named]


def choose(act: Act, runtime: Runtime, credential_id: str, hidden: Collection[str]) -> Credential:
    """Set which items of evidence a credential does not show, and return it.

    It is signed again if that changes what it says. That the caller is its recipient is checked before.

    Args:
        hidden: the ids (`EvidenceItem.id`) of all that are not shown; the others are.
    Raises:
        NotFoundError: it is not of this network (code "credential-unknown").
        InvalidError: it has no such item ("evidence-item-unknown"), or the item cannot be left out
            ("evidence-item-needed").
        ConflictError: as `check_signable`.
        CustodyError: it cannot be signed; nothing has changed.
    """
    row, award = own.lock(act, credential_id)
    anew.check_signable(act, row)
    found = {each.id: each for each in items(act.session, row)}
    for name in sorted(hidden):
        if name not in found:
            message = "Expected items of this badge's evidence, by their ids; it has no such item."
            raise InvalidError("evidence-item-unknown", message, "/hidden")
        if not found[name].hideable:
            message = "Expected items that can be left out; without the record of the decision nobody can check it."
            raise InvalidError("evidence-item-needed", message, "/hidden")
    document = reissuing.unsigned_document(row)
    shown, gone = evidence_items.without(document | {"evidence": [each.item for each in found.values()]}, hidden)
    if shown["evidence"] != document.get("evidence", []):
        anew.store(act, runtime, award, row, shown)
    for each in _rows(act.session, row):
        if each.item not in hidden:
            act.session.delete(each)
    act.session.add_all(evidence_items.rows_of(row.id, [each for each in gone if not found[each.name].hidden]))
    act.session.flush()
    return row


def _rows(session: OrmSession, row: Credential) -> Sequence[HiddenEvidence]:
    mine = select(HiddenEvidence).where(HiddenEvidence.credential_id == row.id)
    return session.scalars(mine.order_by(HiddenEvidence.place)).all()
