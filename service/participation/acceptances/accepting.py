"""Accept the guidelines of a network, with a token or in person."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from service.access import callers
from service.access.act import Act, CallersAct
from service.bodies import Body, Ref
from service.errors import ConflictError
from service.evidence.bodies import OccurredAt, Source
from service.evidence.contributions import ContributionIn
from service.evidence.recording import Submission
from service.evidence.vocabulary import ACCEPTED
from service.intake import posting
from service.networks.guidelines import documents
from service.runtime.runtime import Runtime
from service.sharing import my_badges
from service.storage.database import WriteSession
from service.tables import Member
from service.texts.languages import N_

CHANGED = N_("The guidelines changed while you were reading. Read the new version, then accept it.")


class AcceptanceIn(Body):
    """That a member accepts a version of the guidelines."""

    member: Ref = Field(description="who accepts: the member of the token", examples=["m11"])
    occurred_at: OccurredAt | None = Field(None, description="when; left out: now")
    ref: Ref | None = Field(None, description="the network's own identifier of the record")
    source: Source | None = None


def accept(act: Act, runtime: Runtime, number: int, said: AcceptanceIn) -> Submission:
    """Accept a version of the guidelines; who accepts it again gets the acceptance that is there.

    Evidence that waited for it counts now, and what it earns automatically is awarded.

    Raises:
        NotFoundError: the version was never published (code "guidelines-version-unknown").
        ForbiddenError: the act is not the member's own (code "acceptance-on-behalf").
        InvalidError: it was not published yet then ("acceptance-too-early"), or the time is ahead ("time-in-future").
    """
    documents.get_version(act.session, act.network, number)
    given = said.model_dump(exclude_unset=True, exclude_none=True)
    occurred_at = said.occurred_at or act.now.replace(microsecond=0)
    body = ContributionIn(**given | {"type": ACCEPTED, "occurred_at": occurred_at, "guidelines_version": number})
    return posting.submit(act, runtime, "contribution", body)


def accept_in_person(
    session: WriteSession, runtime: Runtime, account_id: UUID, member_id: UUID, number: int, now: datetime
) -> Member:
    """Accept the version in force as one of the members who are the person of an account; return the member.

    Raises:
        NotFoundError: the account is no such member (code "member-unknown"), or as `accept`.
        ConflictError: the network is closed (code "network-closed"), or another version is in force by now
            ("guidelines-replaced").
    """
    member, network = my_badges.membership(session, account_id, member_id)
    caller = callers.in_person(member, "evidence:write")
    act = CallersAct(session, callers.still_open(network), caller, now)
    newest = documents.in_force(session, network)
    if newest is not None and newest.number != number:
        raise ConflictError("guidelines-replaced", CHANGED)
    accept(act, runtime, number, AcceptanceIn(member=member.ref))
    return member
