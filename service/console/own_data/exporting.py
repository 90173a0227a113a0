"""Everything about a person over all networks, as one ZIP file.

It holds what the person's own pages show, and the texts that were signed; of other people it holds what these pages show
and no more. It is written to a spool without a name in the folder for such, and nothing of it stays.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from itertools import chain
from tempfile import TemporaryFile
from typing import IO, Any, Final
from uuid import UUID

from sqlalchemy import select

from service.console.own_data import evidence, tables
from service.console.own_data.archive import Archive, as_json, as_line
from service.console.own_data.tables import Given, Whose
from service.errors import NotFoundError
from service.notifications.letters.notices import NOTICES
from service.runtime.runtime import Runtime
from service.sharing import my_badges, take_away
from service.storage import private_files
from service.storage.database import ReadSession
from service.tables import Award, Blob, Credential, Member, Network, Receipt
from service.texts.languages import N_, Language
from service.web.file_names import file_name

FILES_OF_ACCOUNT: Final = {
    "account/account.json": N_(
        "your account: name, language, addresses, passkeys by their names, other ways to sign in"
    ),
    "account/sign-ins.json": N_("where you are signed in, and links to sign in that were asked for"),
    "account/collections.json": N_("collections that you put together, with the badges in them"),
    "account/links-for-authorities.json": N_("links that you made for an authority, without their secrets"),
    "account/who-looked.json": N_(
        "to whom you opened a private badge, and when they looked. No other views are noted."
    ),
    "account/returns.json": N_("what you asked for after you lost a mailbox, and for whom you vouched"),
    "account/sessions.json": N_("sessions that you said you were in, by their code"),
    "account/join-requests.json": N_("networks that you asked to join, and what they answered"),
    "account/calls.json": N_(
        "calls of networks to which you applied and where you are no member, with what was decided and answered"
    ),
    "account/emails.json": N_("emails about your account: what about and when. We keep no texts of emails."),
}
FILES_OF_NETWORK: Final = {
    "about-you.json": N_("how the network knows you: names, addresses, roles, what you enrolled in, tokens"),
    "evidence.ndjson": N_("what you did: each record as it was sent, and what the network made of it"),
    "feedback.ndjson": N_("what was said of you and your work, with the names that your page with records shows"),
    "said-by-you.ndjson": N_("what you said of others"),
    "needs.json": N_(
        "what you said that you want to learn and can offer, and links by which you could, without their secrets"
    ),
    "decisions.json": N_(
        "what was decided on you: awards, reviews, approvals. Notes that approvers wrote for each other are not in it."
    ),
    "receipts/": N_("the record of each decision, as it is published"),
    "approvals-by-you.json": N_("approvals that you gave or declined, without whom they are about"),
    "cases.json": N_("your appeals and disagreements with all that was said, and what you said in those of others"),
    "cases-with-you.json": N_("disagreements that others opened with you, without who they are"),
    "badges.json": N_("how each badge stands, what you chose for it, and when it was signed"),
    "badges/": N_("the newest signed text of each badge, as JSON and as VC-JWT. We keep no older texts."),
    "endorsements.json": N_("what peers said of the skills of your badges, without who they are"),
    "endorsements-by-you.json": N_("what you said of the skills of others"),
    "goals.json": N_(
        "your goals, with your check-ins, and what peers said of them, without who they and your buddies are"
    ),
    "goals-of-others.json": N_("what you said of the goals of others"),
    "claims.json": N_("how your badges came to you: links and codes, without their secrets"),
    "calls.json": N_("calls to which you applied, with what was decided, asked and answered"),
    "files/": N_("files that you handed in"),
    "emails.json": N_("emails that this network had us send to you: what about and when"),
}
"""What each file is, in the order in which the text to read first tells it."""
INTRODUCTION: Final = N_("This is everything that %(site)s and its networks hold about you, as of %(day)s.")
NOT_IN_IT: Final = N_(
    "Not in it: secrets of links and keys, who exactly decided and what people wrote about others, and marks of our own work "
    "that last for seconds. Files for programs are JSON; in .ndjson files each line is one record."
)
UNCLAIMED: Final = N_("What waits to be claimed is not in it. Claim it first if it is yours: %(address)s")
OF_ACCOUNT: Final = N_("Your account")
MAILS: Final = {
    "awarded": N_("A badge was awarded to you"),
    "replaced": N_("A badge was replaced"),
    "revoked": N_("A badge was revoked"),
    "suspended": N_("A badge was suspended"),
    "reinstated": N_("A badge is valid again"),
    "expiring": N_("A badge ends soon"),
    "call": N_("Something happened with an application to a call"),
    "case": N_("Something happened in an appeal"),
    "question": N_("Somebody asked whether a badge is yours"),
    "key": N_("A key of the network was compromised"),
    "claim": N_("A link to claim badges"),
    "claimed": N_("Your badges were claimed"),
}
"""What mails are about, by their kind."""


def export(
    runtime: Runtime, account_id: UUID, now: datetime, language: Language, network_id: UUID | None = None
) -> IO[bytes]:
    """Return a file, to be closed, with everything about the person of an account.

    Args:
        network_id: only what this network holds, without the account.
    Raises:
        NotFoundError: the account has nothing in this network (code "network-unknown").
        TooLargeError: there is too much for one file (code "own-data-too-large").
    """
    folder = runtime.settings.data_folder
    private_files.make_folder(folder)
    spool: IO[bytes] = TemporaryFile(dir=folder)  # noqa: SIM115  (the caller closes it)
    archive = Archive(spool, now)
    try:
        with runtime.database.read() as session:
            _write(session, runtime, archive, account_id, now, language, network_id)
        archive.close()
        spool.seek(0)
    except BaseException:
        with suppress(OSError):  # on a full disk its end cannot be written either
            archive.close()
        spool.close()
        raise
    return spool


def _write(
    session: ReadSession,
    runtime: Runtime,
    archive: Archive,
    account_id: UUID,
    now: datetime,
    language: Language,
    network_id: UUID | None,
) -> None:
    networks: dict[UUID, tuple[Network, list[Member]]] = {}
    for each in my_badges.memberships(session, account_id):
        if network_id in (None, each.network.id):
            networks.setdefault(each.network.id, (each.network, []))[1].append(each.member)
    if network_id is not None and not networks:
        raise NotFoundError("network-unknown", "You are not in this network.")
    archive.free("account")  # our own
    folders = {key: archive.free(file_name(network.name, "")[:-1]) for key, (network, _) in networks.items()}
    archive.add(
        language.gettext(N_("Read me")) + ".txt",
        [_read_me(runtime, now, language, [folders[key] for key in networks], whole=network_id is None)],
    )
    if network_id is None:
        for name, given in tables.OF_ACCOUNT.items():
            archive.add(name, _rows(session, given, Whose(account_id), language))
    for key, (network, members) in networks.items():
        _write_network(session, archive, f"{folders[key]}/", network, members, account_id, language)


def _write_network(
    session: ReadSession,
    archive: Archive,
    folder: str,
    network: Network,
    members: Sequence[Member],
    account_id: UUID,
    language: Language,
) -> None:
    persons = {member.person_id for member in members if member.person_id is not None}
    whose = Whose(account_id, tuple(member.id for member in members), tuple(persons))
    for name, given in tables.OF_MEMBERS.items():
        archive.add(folder + name, _rows(session, given, whose, language))
    lines = {
        "evidence.ndjson": (evidence.about(session, network, member, "contribution") for member in members),
        "feedback.ndjson": (evidence.about(session, network, member, "evaluation") for member in members),
        "said-by-you.ndjson": (evidence.said_by(session, network, member) for member in members),
    }
    for name, found in lines.items():
        archive.add(folder + name, map(as_line, chain.from_iterable(found)))
    for row in session.scalars(
        select(Credential).where(Credential.id.in_(whose.badges)).order_by(Credential.issued_at)
    ):
        for ending, text in (("json", row.signed), ("jwt", row.jwt)):
            archive.add(archive.free(f"{folder}badges/{take_away.name(row.signed, ending)}"), [text.encode()])
    receipts = select(Receipt).join(Award, Award.id == Receipt.award_id).where(Award.id.in_(whose.awards))
    for receipt in session.scalars(receipts.order_by(Receipt.decided_at, Receipt.id)):
        archive.add(f"{folder}receipts/{receipt.id}.json", [receipt.public.encode()])
    for digest in sorted({digest for member in members for digest in evidence.files_of(session, member)}):
        blob = session.get(Blob, (network.id, digest))
        if blob is not None:
            kind = file_name(blob.media_type.rpartition("/")[2], "")[:-1]
            archive.add(f"{folder}files/{digest[:16]}.{kind}", [blob.content])
            session.expunge(blob)


def _rows(session: ReadSession, given: Sequence[Given], whose: Whose, language: Language) -> Iterator[bytes]:
    """Yield a JSON object with the rows of each table, by its name."""
    yield as_json({each.name: [_said(row, language) for row in _found(session, each, whose)] for each in given})


def _found(session: ReadSession, given: Given, whose: Whose) -> Iterator[dict[str, Any]]:
    query = select(*given.columns).where(given.where(given.table.c, whose))
    for row in session.execute(query.order_by(*given.table.primary_key.columns)):  # type: ignore[attr-defined]
        yield dict(zip((column.name for column in given.columns), row, strict=True))


def _said(row: Mapping[str, Any], language: Language) -> dict[str, Any]:
    said = dict(row)
    if "notice" in said:
        subject = NOTICES[said["notice"]][0] if said["notice"] in NOTICES else MAILS.get(said["kind"], "")
        said["subject"] = language.gettext(subject)
    return said


def _read_me(runtime: Runtime, now: datetime, language: Language, folders: Sequence[str], *, whole: bool) -> bytes:
    """Return the text to read first: plain text with the lines that every system knows."""
    say, site = language.gettext, runtime.settings.base_url
    parts = [say(INTRODUCTION, site=site, day=language.day(now.isoformat()))]
    if whole:
        parts.append(say(OF_ACCOUNT) + "\r\n" + _listed(FILES_OF_ACCOUNT, language))
    if folders:
        parts.append(", ".join(f"{each}/" for each in folders) + "\r\n" + _listed(FILES_OF_NETWORK, language))
    parts += [say(NOT_IN_IT), say(UNCLAIMED, address=f"{site}/my-badges")]
    return ("\r\n\r\n".join(parts) + "\r\n").encode("utf-8")


def _listed(files: Mapping[str, str], language: Language) -> str:
    return "\r\n".join(f"  {name}\r\n    {language.gettext(meant)}" for name, meant in files.items())
