"""What is counted of one badge of a batch, kept without the badge itself."""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from credentials import reading
from service.checking.basis import cited
from service.checking.basis.cited import Piece
from service.checking.batch.batch import ItemAnswer
from service.checking.issuers import Issuer


@dataclass(frozen=True)
class Facts:
    """One badge as it is counted.

    Args:
        index: its place in the batch.
        person: the same for all badges of one person.
        name: of the person, as it was given.
        headline, tone: of the check; "" and "unsure" without one.
        badge: the same for two copies of one badge.
        readable: whether anything could be read, so that what it says is all that it could count.
        provider: the issuer's name, or its domain.
        authorities: whose the credits are, according to the issuer; () where the badge does not say so.
        credits: of several authorities the largest number, because each may count the same work.
    """

    index: int
    person: str
    name: str
    headline: str = ""
    tone: str = "unsure"
    badge: str = ""
    readable: bool = False
    issuer: Issuer | None = None
    provider: str = ""
    authorities: tuple[str, ...] = ()
    minutes: int = 0
    credits: float = 0
    began: datetime | None = None
    ended: datetime | None = None
    awarded: datetime | None = None
    pieces: tuple[Piece, ...] = ()

    @property
    def is_itemised(self) -> bool:
        """Whether the pieces of evidence say all its minutes, each with its day."""
        timed = [piece for piece in self.pieces if piece.minutes]
        return bool(timed) and sum(piece.minutes for piece in timed) == self.minutes


def facts_of(told: ItemAnswer) -> Facts:
    """Return what is counted of one answer."""
    item, checked = told.item, told.checked
    person, name = item.person_key or f"#{told.index}", item.person_name
    if checked is None:
        return Facts(told.index, person, name)
    credential, deeds, issuer = checked.report.readable, checked.deeds, checked.issuer
    identity = reading.id_of(credential)
    badge = f"{issuer.id} {identity}" if issuer and identity else sha256(checked.received).hexdigest()
    return Facts(
        told.index,
        person,
        name,
        checked.headline,
        checked.tone,
        badge,
        bool(credential),
        issuer,
        (issuer.name or issuer.domain) if issuer else "",
        cited.credit_authorities(credential),
        deeds.minutes or 0,
        deeds.credits or max((each.value for each in deeds.credited), default=0),
        deeds.began,
        deeds.ended,
        deeds.awarded,
        cited.pieces(credential),
    )
