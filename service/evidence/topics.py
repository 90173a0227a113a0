"""The topics that evidence is about, for the achievements that listen to them."""

from collections import defaultdict
from uuid import UUID

from service.evidence.bodies import Derived
from service.tables import Contribution, Evaluation


def heard(derived: Derived) -> dict[UUID, set[str]]:
    """Return the topics of derived rows, by the member whom the rows are about.

    A contribution has `did:TYPE` and `did:*`, an evaluation `KIND:INSTRUMENT`.
    """
    found: defaultdict[UUID, set[str]] = defaultdict(set)
    for table, row in derived:
        if table is Contribution:
            found[row["member_id"]] |= {f"did:{row['type']}", "did:*"}
        elif table is Evaluation and row["member_id"] is not None:
            found[row["member_id"]].add(f"{row['kind']}:{row['instrument'] or ''}")
    return dict(found)
