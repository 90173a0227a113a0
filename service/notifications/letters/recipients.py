"""The address and language of mails to a member.

Someone who has claimed their badges has an account: its choices count in every network. For everybody else the network has
an address, or none.
"""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session as OrmSession

from service.issuing import unsigned
from service.notifications.letters.addressing import language_of
from service.tables import Account, AccountAddress, Member, Network, Person
from service.texts.languages import LANGUAGES, Language


@dataclass(frozen=True)
class Addressee:
    """Who is written to: the address, the language (None: the network's), and the kinds of mails that they do not want.

    `signs_in`: they have an account, with pages of their own.
    """

    address: str
    language: str | None = None
    off: frozenset[str] = frozenset()
    signs_in: bool = False

    def wants(self, kind: str) -> bool:
        """Return whether they want mails of a kind."""
        return kind not in self.off

    def language_in(self, network: Network) -> Language:
        """Return the language of a mail about a network."""
        return LANGUAGES.get(self.language or "") or language_of(network)


def addressees(session: OrmSession, member_ids: Collection[UUID]) -> dict[UUID, Addressee]:
    """Return whom mails to these members reach, by member; those whom none reaches are left out."""
    given = unsigned.recipients(session, member_ids)
    found = {member_id: Addressee(each.email) for member_id, each in given.items() if each.email is not None}
    query = (
        select(Member.id, AccountAddress.value, Account.language, Account.mails_off)
        .join(Person, Person.id == Member.person_id)
        .join(Account, Account.id == Person.account_id)
        .join(AccountAddress, AccountAddress.account_id == Account.id)
        .where(Member.id.in_(member_ids), AccountAddress.kept)
    )
    for member_id, address, language, off in session.execute(query):
        found[member_id] = Addressee(address, language, frozenset(off), signs_in=True)
    return found
