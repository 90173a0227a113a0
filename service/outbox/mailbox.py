"""Queue mails in the transaction of the thing that they are about."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, delete, func, or_, select
from sqlalchemy.orm import Session as OrmSession

from service.access.act import Act
from service.storage.database import WriteSession
from service.tables import (
    Award,
    CallApplication,
    CaseStep,
    Claim,
    Confirmation,
    Credential,
    Identity,
    Message,
    SignInRequest,
)
from service.tables.outbox import OF_BADGES


def queue_awarded(act: Act, credential: Credential) -> None:
    """Queue the mail that tells the recipient about a new badge.

    It is sent after the commit, not here.
    """
    _queue(act, credential, "awarded")


def queue_revoked(act: Act, credential: Credential) -> None:
    """Queue the mail that tells the recipient that a badge was taken back.

    Who was not told about the badge yet is told nothing.
    """
    if "awarded" not in _unsaid(act.session, credential):
        _queue(act, credential, "revoked")


def queue_suspended(act: Act, credential: Credential) -> None:
    """Queue the mail that tells the recipient that a badge is suspended.

    Who was not told about the badge yet is told about it if it is reinstated.
    """
    if "awarded" not in _unsaid(act.session, credential):
        _queue(act, credential, "suspended")


def queue_reinstated(act: Act, credential: Credential) -> None:
    """Queue the mail that tells the recipient that a suspended badge is valid again.

    Who was not told about the suspension yet is told nothing; who was not told about the badge is told about that.
    """
    unsaid = _unsaid(act.session, credential)
    if "suspended" not in unsaid:
        known = "awarded" not in unsaid and _was_written_about(act.session, credential)
        _queue(act, credential, "reinstated" if known else "awarded")


def queue_replaced(act: Act, old: Credential, new: Credential) -> None:
    """Queue the mail that tells the recipient that another badge replaces one.

    Who was not told about the old one yet is told about the new one only.
    """
    _queue(act, new, "awarded" if "awarded" in _unsaid(act.session, old) else "replaced")


def forget_unsent(act: Act, credential: Credential) -> None:
    """Delete the mails about a badge that nobody has begun to send: its recipient does not want it."""
    _unsaid(act.session, credential)


def queue_expiring(act: Act, credential: Credential) -> None:
    """Queue the mail that tells the recipient that a badge ends soon."""
    _queue(act, credential, "expiring")


def _queue(act: Act, credential: Credential, kind: str) -> None:
    act.session.add(Message(network_id=act.network.id, kind=kind, credential_id=credential.id, due_at=act.now))


def _unsaid(session: WriteSession, credential: Credential) -> set[str]:
    """Delete the mails about a badge that nobody has begun to send, and return what they would have told."""
    session.flush()
    unsent = (Message.state == "queued", Message.attempts == 0, Message.kind.in_(OF_BADGES))
    query = delete(Message).where(Message.credential_id == credential.id, *unsent).returning(Message.kind)
    return set(session.scalars(query))


def _was_written_about(session: WriteSession, credential: Credential) -> bool:
    """Return whether a mail told the recipient about a badge, or about a compromised key."""
    member = select(Award.member_id).where(Award.id == credential.award_id).scalar_subquery()
    about = or_(Message.credential_id == credential.id, and_(Message.kind == "key", Message.member_id == member))
    return session.scalar(select(Message.id).where(about).limit(1)) is not None


def queue_question(session: WriteSession, network_id: UUID, confirmation_id: UUID, due_at: datetime) -> None:
    """Queue the mail that asks a recipient whether a badge is theirs."""
    session.add(Message(network_id=network_id, kind="question", confirmation_id=confirmation_id, due_at=due_at))


def queue_disabled(act: Act, webhook_id: UUID) -> None:
    """Queue the mail that tells a network that one of its webhooks was disabled."""
    act.session.add(Message(network_id=act.network.id, kind="webhook", webhook_id=webhook_id, due_at=act.now))


def forget_webhook(session: WriteSession, webhook_id: UUID) -> None:
    """Delete the mails about a webhook, sent or not."""
    session.execute(delete(Message).where(Message.webhook_id == webhook_id))


def mails_of(session: OrmSession, member_id: UUID, addresses: Collection[str]) -> Sequence[UUID]:
    """Return the mails to a member, sent or not: about badges, cases and keys, and questions to these addresses."""
    badges = select(Credential.id).join(Award, Award.id == Credential.award_id).where(Award.member_id == member_id)
    asked = select(Confirmation.id).join(Identity, Identity.id == Confirmation.identity_id)
    asked = asked.where(Identity.value.in_(addresses), Confirmation.credential_id.in_(badges))
    to_them = or_(Message.member_id == member_id, Message.credential_id.in_(badges), Message.confirmation_id.in_(asked))
    return session.scalars(select(Message.id).where(to_them)).all()


def forget(session: WriteSession, message_ids: Collection[UUID]) -> None:
    """Delete mails, sent or not."""
    session.execute(delete(Message).where(Message.id.in_(message_ids)))


def queue_compromise(act: Act, key_id: UUID, member_id: UUID) -> None:
    """Queue the mail that tells a member what became of their badges after a key was compromised."""
    act.session.add(Message(network_id=act.network.id, kind="key", key_id=key_id, member_id=member_id, due_at=act.now))


def queue_guidelines(act: Act, version_id: UUID, member_ids: Collection[UUID]) -> None:
    """Queue the mails that ask these members to accept a new version of the guidelines.

    Who accepts before the mail is sent gets none.
    """
    of = {"network_id": act.network.id, "kind": "guidelines", "guideline_version_id": version_id}
    act.session.add_all(Message(member_id=member_id, due_at=act.now, **of) for member_id in sorted(member_ids))


def queue_step(session: WriteSession, network_id: UUID, step: CaseStep, member_ids: Collection[UUID]) -> None:
    """Queue the mails that tell these members about a step of a case.

    A member who leaves the case before the mail is sent gets none.
    """
    for member_id in sorted(member_ids):
        session.add(
            Message(network_id=network_id, kind="case", case_step_id=step.id, member_id=member_id, due_at=step.at)
        )


def queue_application(act: Act, application: CallApplication, notice: str) -> None:
    """Queue the mail that tells an applicant what was decided or answered.

    A mail with the same that nobody has begun to send is not sent: this one tells what stands now.

    Args:
        notice: decided or answered.
    """
    unsent = (Message.state == "queued", Message.attempts == 0, Message.notice == notice)
    act.session.execute(delete(Message).where(Message.call_application_id == application.id, *unsent))
    of = {"network_id": act.network.id, "call_application_id": application.id, "member_id": application.member_id}
    act.session.add(Message(kind="call", notice=notice, due_at=act.now, **of))


def queue_sign_in(session: WriteSession, request: SignInRequest) -> None:
    """Queue the mail with the link and the code to sign in."""
    session.add(Message(kind="sign-in", sign_in_request_id=request.id, due_at=request.asked_at))


def queue_notice(session: WriteSession, address_id: UUID, notice: str, at: datetime) -> None:
    """Queue the mail that tells an address of an account what happened to the account.

    Args:
        notice: a key of `service.notifications.letters.notices`.
    """
    session.add(Message(kind="notice", account_address_id=address_id, notice=notice, due_at=at))


def queue_return(session: WriteSession, return_address_id: UUID, notice: str, at: datetime) -> None:
    """Queue the mail that tells an address what becomes of a return.

    Args:
        notice: a key of `service.notifications.letters.returns`.
    """
    session.add(Message(kind="return", return_address_id=return_address_id, notice=notice, due_at=at))


def queue_claim(act: Act, claim: Claim) -> None:
    """Queue the mail that sends the link of a claim again."""
    _queue_of_claim(act, claim, "claim")


def queue_claimed(act: Act, claim: Claim) -> None:
    """Queue the mail that tells an address that what it was sent was claimed, and how to undo that."""
    _queue_of_claim(act, claim, "claimed")


def queue_unclaimed(act: Act, claim: Claim, address_id: UUID) -> None:
    """Queue the mail that tells an address of an account that a network undid a claim."""
    of = {"network_id": claim.network_id, "member_id": claim.member_id, "claim_id": claim.id}
    message = Message(kind="claimed", notice="undone", account_address_id=address_id, due_at=act.now, **of)
    act.session.add(message)


def _queue_of_claim(act: Act, claim: Claim, kind: str) -> None:
    of = {"network_id": claim.network_id, "member_id": claim.member_id, "claim_id": claim.id}
    act.session.add(Message(kind=kind, due_at=act.now, **of))


def claim_mails_since(session: OrmSession, member_id: UUID, since: datetime) -> int:
    """Return how many times the link of a claim was sent again to a member."""
    sent = (Message.kind == "claim", Message.member_id == member_id, Message.due_at > since)
    return session.scalar(select(func.count()).select_from(Message).where(*sent)) or 0


def queue_last_word(session: WriteSession, request: SignInRequest, notice: str) -> None:
    """Queue the notice to an address that no account has any more; it stands in a request that is over."""
    session.add(Message(kind="notice", sign_in_request_id=request.id, notice=notice, due_at=request.asked_at))
