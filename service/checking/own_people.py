"""Recognise the person behind a badge of ours by another proved address.

A badge names its person by the address to which it was issued, and people change addresses. What a stranger can learn
is limited:

1. They must have the badge itself, with its good signature, and it must not be private.
2. They learn only that an address which they know already belongs to the person whose badge they hold; never which
   addresses there are. An address that only a network claims does not count.
3. Each guess is a whole check, and costs as much of the fair limits; nothing in the badge lets them guess without us.
"""

from dataclasses import replace

from sqlalchemy import select

from credentials import Check, Report
from credentials.findings import Finding
from credentials.recipient import matches
from credentials.report import verdict_of
from service.checking.found_here import OTHER_ADDRESS
from service.issuing import choices
from service.public import addresses, documents
from service.runtime.runtime import Runtime
from service.tables import Award, Identity, Member


def recognise(runtime: Runtime, report: Report, recipient: str) -> Report:
    """Return the report, with the recipient passed if they have proved that this is another address of theirs."""
    found = {check.name: check for check in report.checks}
    url = (report.credential or {}).get("id")
    if found["recipient"].outcome not in {"failed", "undecided"} or not report.is_proven:
        return report
    if (
        not isinstance(url, str)
        or not addresses.is_ours(runtime.settings, url)
        or not _is_theirs(runtime, url, recipient)
    ):
        return report
    message = "this service issued it under another address, and the same person has proved this one"
    found["recipient"] = Check("recipient", "passed", (Finding(OTHER_ADDRESS, message, "/credentialSubject"),))
    checks = tuple(found.values())
    return replace(report, checks=checks, verdict=verdict_of(checks))


def _is_theirs(runtime: Runtime, url: str, recipient: str) -> bool:
    with runtime.database.read() as session:
        credential = documents.visible_credential(session, documents.credential_id(url) or "")
        if credential is None:
            return False
        member_id = session.get_one(Award, credential.award_id).member_id
        proved = [("emailAddress", each) for each in choices.proved_addresses(session, member_id)]
        person = select(Member.person_id).where(Member.id == member_id).scalar_subquery()
        dids = select(Identity.value).where(Identity.person_id == person, Identity.kind == "did")
        proved += [("identifier", each) for each in session.scalars(dids.where(Identity.proved_at.is_not(None)))]
        identifiers = [{"hashed": False, "identityType": kind, "identityHash": value} for kind, value in proved]
    return matches({"identifier": identifiers}, recipient) is True
