"""Verify a credential as it was received: an ordered report.

There are three outcomes, not two: what cannot be looked up is *undecided*, never a green tick. A bad credential gives a
report, never an error.
"""

import json
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, TypeAlias

from credentials.checks.inquiry import Inquiry, unhurried
from credentials.checks.provenance import ASSERTION, Expected, Provenance, check_provenance, faults_of
from credentials.checks.received import Secured, form_of, read, taken_apart
from credentials.checks.records import still_ambiguous
from credentials.checks.refresh import fetch_newer, service_of
from credentials.checks.resources import check_resources
from credentials.checks.schemas import check_schemas
from credentials.checks.standing import check_status, check_validity, has_list
from credentials.errors import CredentialError, UnavailableError, UnsupportedError, shown
from credentials.findings import Finding
from credentials.graph.documents import PACKAGED, Contexts, Load
from credentials.graph.unprotected import AMBIGUOUS
from credentials.model.form import check_form, is_open_badge, is_remark
from credentials.reading import listed, objects
from credentials.recipient import matches
from credentials.report import NAMES, Check, Form, Report, concluded, finding_of, reason_of, unreadable, verdict_of
from credentials.strict_json import pointer

MAX_ENDORSEMENTS: Final = 8
"""How many endorsements of one credential are looked at."""

_ENDORSING: Final = frozenset({"endorsement", "endorsementJwt"})
_Path: TypeAlias = "tuple[_Path, str | int] | None"
"""How a value is reached: the path to what it stands in, and the step from there; None is the credential itself."""
_SUBJECT_CODES: Final = frozenset(
    {
        "recipient-missing",
        "criteria-missing",
        "result-description-unknown",
        "result-level-unknown",
        "result-status-missing",
        "result-value-not-allowed",
        "required-level-unknown",
        "required-value-not-allowed",
    }
)
_SCHEMA_OUTCOMES = ("failed", "undecided", "remark")


def verify(
    received: bytes | str,
    *,
    now: datetime,
    load: Load,
    contexts: Contexts = PACKAGED,
    recipient: str | None = None,
    purpose: str = "assertionMethod",
    challenge: str | None = None,
    domain: str | None = None,
    discreet: bool = False,
    carried: bool = False,
    time_left: Callable[[], float] = unhurried,
) -> Report:
    """Return the report on a credential as it was received; bad input never raises.

    1. parse: strict JSON, a compact JWT, an enveloped credential, or a PNG or SVG with one of these baked in. A form
       that is not known here, such as SD-JWT, is *undecided*.
    2. context: known contexts, in order, define every term and type. An unknown one is *undecided*, and so is a
       proof that depends on it.
    3. schema: the form is that of the VC Data Model and, for badges and endorsements, of 1EdTech's schemas. If the
       proof covers meaning and not text, what it leaves ambiguous is *undecided*; the badges in a learner's record (CLR)
       are asked for their own proofs, if these can decide it. Other schemas that the credential
       names are loaded and evaluated (`schemas`).
    4. subject: an Open Badge names a recipient, criteria, and results that fit their descriptions.
    5. proof: the JWT, or every proof, holds.
    6. issuer: the key under which one holds is published by the issuer itself.
    7. refresh: if the issuer names a service for newer copies, it is asked once. Its answer must be the same credential
       and pass 1 to 6 and 8 to 10, and then the whole report is about it (`Report.refreshed`); otherwise the report is
       about the credential that was received, with a remark.
    8. status: no list says that it is revoked or suspended.
    9. validity: `now` is within its dates. A beginning, or a proof, of the coming day is *undecided*: it leaves open
       whose clock is wrong.
    10. resources: its related resources have the digests that it gives.
    11. recipient: it was issued to `recipient`; *undecided* if it names nobody in a comparable way.
    12. endorsements: each endorsement in it, and in those, passes 1 to 6 and 8 to 10 for itself.

    Each check runs whatever the result of the others, with two exceptions. Without a passed `parse` there is nothing to
    look at. Refresh services, schemas and resources are asked for only once `proof` and `issuer` have passed: until
    then anybody may have written their addresses.

    Someone who is asked for something that belongs to one credential learns that this credential is being looked at.
    With `discreet` nobody is asked: neither the refresh service, if the credential names a list that gives its status,
    nor those who have its related resources. These two checks are then *skipped*, with a remark that says so. Keys,
    lists and schemas, which many credentials share, are asked for as always.

    Args:
        received: as it came; within the bounds of `parse_json` and `bake.MAX_IMAGE_BYTES`.
        now: aware; the instant for which the question is asked.
        load: gets DID documents, keys, status lists and the rest; called at most `inquiry.MAX_ADDRESSES` times.
        recipient: e-mail address, DID or other identifier of the person who shows it.
        purpose: what its proofs must be for.
        challenge: what they must contain; usually asked of presentations.
        domain: whom they must be made for, and nobody else.
        discreet: ask nobody for what belongs to this one credential.
        carried: `load` gives what somebody brought along with the credential, and not what lies at the addresses.
        time_left: how many seconds this may still take; asked before each larger step. What is not done in time is
            *undecided*.
    Spec: Open Badges 3.0, section on verification; VC Data Model 2.0, section 7.1.
    """
    form = form_of(received)
    try:
        secured = read(received)  # (1)
    except CredentialError as error:
        return _unreadable(error, form)
    expected = Expected("issuer", purpose, challenge, domain)
    inquiry = Inquiry(now, contexts, load, discreet=discreet, carried=carried, time_left=time_left)
    return _report(secured, form, inquiry, recipient, expected)


def verify_within(value: object, inquiry: Inquiry) -> Report:
    """Return the report on a credential that stands in another document.

    `value` is an object, an envelope or a compact JWT.
    """
    form: Form = "jwt" if isinstance(value, str) else "json"
    try:
        secured = taken_apart(value)
    except CredentialError as error:
        return _unreadable(error, form)
    return _report(secured, form, inquiry, None, ASSERTION)


def _unreadable(error: CredentialError, form: Form) -> Report:
    checks = (unreadable(error), *(Check(name, "skipped") for name in NAMES[1:]))
    return Report(verdict_of(checks), checks, None, form)


def _report(secured: Secured, form: Form, inquiry: Inquiry, recipient: str | None, expected: Expected) -> Report:
    checks = _check_credential(secured, inquiry, expected)
    refresh, newer = _refresh(secured, checks, inquiry, expected)  # (7)
    if newer is not None:
        secured, checks = newer
    checks = [
        *checks[:6],
        refresh,
        *checks[6:],
        check_recipient(secured.credential, recipient),  # (11)
        _check_endorsements(secured.credential, checks[2], inquiry),  # (12)
    ]
    return Report(verdict_of(checks), tuple(checks), secured.credential, form, refreshed=newer is not None)


def _refresh(
    secured: Secured, checks: Sequence[Check], inquiry: Inquiry, expected: Expected
) -> tuple[Check, tuple[Secured, list[Check]] | None]:
    """Return the refresh check, and the newer copy with its checks if it is used."""
    service = service_of(secured)
    if service is None or not _stands_behind(*checks[4:6]):
        return Check("refresh", "skipped"), None
    address, where = service
    if inquiry.discreet and has_list(secured.credential):
        message = f"{shown(address)} was not asked for a newer copy: that would tell which credential is looked at"
        return Check("refresh", "skipped", (Finding("refresh-not-asked", message, where),)), None
    try:
        newer = fetch_newer(secured, address, inquiry)
    except CredentialError as error:
        return _kept(error.message, where), None
    if newer is None:
        return Check("refresh", "passed"), None
    its_checks = _check_credential(newer, inquiry, expected)
    if verdict_of(its_checks) != "verified":
        wrong = next(check for check in its_checks if check.outcome in {"failed", "undecided"})
        return _kept(f"{wrong.name}: {reason_of(wrong)}", where), None
    message = f"the issuer has a newer copy at {shown(address)}, which this report is about"
    return Check("refresh", "passed", (Finding("credential-refreshed", message, where),)), (newer, its_checks)


def _kept(reason: str, where: str) -> Check:
    message = f"expected a newer copy that is good, got none, so that the one received stands: {reason}"
    return Check("refresh", "passed", (Finding("refresh-not-verified", message, where),))


def _stands_behind(proof: Check, issuer: Check) -> bool:
    return proof.outcome == issuer.outcome == "passed"


def _check_credential(
    secured: Secured, inquiry: Inquiry, expected: Expected = ASSERTION, *, embedded: bool = False
) -> list[Check]:
    """Return the checks that any credential must pass for itself.

    They are all of `NAMES` but (7), (11) and (12). The contexts of an embedded credential are not its own.
    """
    provenance = check_provenance(secured, inquiry, expected)
    form = check_form(secured.credential)
    known = _stands_behind(provenance.proof, provenance.owner)
    return [
        Check("parse", "passed"),
        _check_context(secured.credential, () if embedded else provenance.faults, form, inquiry),  # (2)
        _check_schema(secured.credential, provenance, form, inquiry if known else None),  # (3)
        _check_subject(secured.credential, form),  # (4)
        provenance.proof,  # (5)
        provenance.owner,  # (6)
        check_status(secured, inquiry),  # (8)
        _check_validity(secured.credential, form, inquiry),  # (9)
        check_resources(secured.credential, inquiry) if known else Check("resources", "skipped"),  # (10)
    ]


def _check_context(
    credential: Mapping[str, Any],
    known: Sequence[CredentialError] | None,
    form: Sequence[Finding],
    inquiry: Inquiry,
) -> Check:
    out_of_order = [found for found in form if found.pointer.startswith("/@context")]
    faults = faults_of(credential, inquiry.contexts) if known is None else known
    found = [finding_of(fault) for fault in faults]
    unknown = [fault for fault in found if fault.code == "context-unknown"]
    if out_of_order:  # without the first contexts nothing is defined, and the fault would be reported for every member
        return concluded("context", failed=out_of_order, undecided=unknown)
    return concluded("context", failed=[fault for fault in found if fault not in unknown], undecided=unknown)


def _check_schema(
    credential: Mapping[str, Any], provenance: Provenance, form: Sequence[Finding], inquiry: Inquiry | None
) -> Check:
    """Return whether the form is as it must be.

    The credential's own schemas, and what it holds, are evaluated only if there is an inquiry.
    """
    elsewhere = _SUBJECT_CODES | AMBIGUOUS | {"period-reversed"}
    remarks = [found for found in form if is_remark(found, credential)]
    failed = [
        found
        for found in form
        if found.code not in elsewhere and found not in remarks and not found.pointer.startswith("/@context")
    ]
    ambiguous: Sequence[Finding] = [found for found in form if found.code in AMBIGUOUS and not provenance.covers_text]
    if inquiry is not None:
        ambiguous = still_ambiguous(credential, ambiguous, inquiry)
    unsigned = [] if provenance.covers_text else remarks
    of_schemas = [] if inquiry is None else list(check_schemas(credential, inquiry))
    by_outcome = {name: [found for outcome, found in of_schemas if outcome == name] for name in _SCHEMA_OUTCOMES}
    return concluded(
        "schema",
        failed=[*failed, *by_outcome["failed"]],
        undecided=[*ambiguous, *by_outcome["undecided"]],
        remarks=[*unsigned, *by_outcome["remark"]],
    )


def _check_subject(credential: Mapping[str, Any], form: Sequence[Finding]) -> Check:
    if not is_open_badge(credential):
        return Check("subject", "skipped")
    return concluded("subject", failed=[found for found in form if found.code in _SUBJECT_CODES])


def _check_validity(credential: Mapping[str, Any], form: Sequence[Finding], inquiry: Inquiry) -> Check:
    reversed_period = [found for found in form if found.code == "period-reversed"]
    return concluded("validity", failed=reversed_period) if reversed_period else check_validity(credential, inquiry)


def check_recipient(credential: Mapping[str, Any], recipient: str | None) -> Check:
    """Return whether a credential was issued to the person who is named, if somebody is."""
    if recipient is None:
        return Check("recipient", "skipped")
    answers = {matches(subject, recipient) for subject in objects(credential.get("credentialSubject"))}
    if True in answers:
        return Check("recipient", "passed")
    if False in answers:
        message = "expected a credential of the recipient that was named, got one that names somebody else"
        return concluded("recipient", failed=[Finding("recipient-other", message, "/credentialSubject")])
    message = "expected a recipient that can be compared with the one that was named, got none of that kind"
    return concluded("recipient", undecided=[Finding("recipient-not-comparable", message, "/credentialSubject")])


# --- (12) Endorsements -----------------------------------------------------------------------------------------------


def _check_endorsements(credential: Mapping[str, Any], schema: Check, inquiry: Inquiry) -> Check:
    """Return whether all endorsements pass, including those of the endorsers.

    One limit applies to all of them together.
    """
    waiting = deque(endorsements_in(credential))
    if not waiting:
        return Check("endorsements", "skipped")
    failed: list[Finding] = []
    undecided: list[Finding] = []
    remarks: list[Finding] = []
    known = {found.pointer for found in schema.findings}
    for _ in range(MAX_ENDORSEMENTS):
        if not waiting:
            break
        where, endorsement, endorsed = waiting.popleft()
        try:
            secured = read(endorsement) if isinstance(endorsement, str) else Secured(endorsement)
            inquiry.spend(json.dumps(secured.credential, ensure_ascii=False))
        except (UnavailableError, UnsupportedError) as error:
            undecided.append(finding_of(error, where))
            continue
        except CredentialError as error:
            failed.append(Finding("endorsement-not-verified", f"endorsement: {error.message}", where))
            continue
        speaking = _speaking_against(secured, where, None if isinstance(endorsement, str) else known, inquiry)
        if speaking is not None:
            message = f"endorsement, {speaking.name}: {reason_of(speaking)}"
            finding = Finding("endorsement-not-verified", message, where)
            (failed if speaking.outcome == "failed" else undecided).append(finding)
        subject = secured.credential.get("credentialSubject")
        if isinstance(subject, Mapping) and not _is_of(subject.get("id"), endorsed):
            message = "expected the endorsement to be of what it stands in, got one of something else"
            remarks.append(Finding("endorsement-of-other", message, where))
        waiting.extend(endorsements_in(secured.credential, where))
    if waiting:
        message = f"expected at most {MAX_ENDORSEMENTS} endorsements, got more"
        undecided.append(Finding("endorsements-too-many", message))
    return concluded("endorsements", failed=failed, undecided=undecided, remarks=remarks)


def _is_of(subject_id: object, endorsed: object) -> bool:
    """Return whether an endorsement is of what it stands in, or of a part of that, which its id names after `#`."""
    return subject_id == endorsed or (isinstance(subject_id, str) and subject_id.startswith(f"{endorsed}#"))


def _speaking_against(secured: Secured, where: str, known: Collection[str] | None, inquiry: Inquiry) -> Check | None:
    """Return the first check that an endorsement fails, else the first undecided one.

    An endorsement that stands in a credential as an object was read with it: its contexts are the credential's, and of
    its form only those faults count that the credential's own check has not found (`known`, None if the endorsement is
    a text of its own). The credential's check may pass when this one does not: a JWT around the credential covers the
    text of the endorsement, but the endorser's own proof may cover only its meaning.
    """
    checks = _check_credential(secured, inquiry, embedded=known is not None)
    if known is not None:
        for index in (1, 2):  # contexts and schema
            left = tuple(found for found in checks[index].findings if where + found.pointer not in known)
            checks[index] = replace(checks[index], findings=left, outcome=checks[index].outcome if left else "passed")
    speaking = [check for check in checks if check.outcome in {"failed", "undecided"}]
    return min(speaking, key=lambda check: check.outcome != "failed", default=None)


def endorsements_in(credential: Mapping[str, Any], root: str = "") -> Iterator[tuple[str, Any, object]]:
    """Yield each endorsement in the credential, but not those within others.

    Each comes with its pointer, which begins with `root`, and the id of the object that it stands in.
    """
    waiting: list[tuple[Any, _Path]] = [(credential, None)]
    while waiting:
        value, path = waiting.pop()
        for step, inner in enumerate(value) if isinstance(value, list) else value.items():
            if step in _ENDORSING:
                wanted = Mapping if step == "endorsement" else str
                for index, endorsement in enumerate(listed(inner)):
                    if isinstance(endorsement, wanted):
                        steps = (step, index) if isinstance(inner, list) else (step,)
                        yield root + pointer(*_steps(path), *steps), endorsement, value.get("id")
            elif isinstance(inner, dict | list):
                waiting.append((inner, (path, step)))


def _steps(path: _Path) -> list[str | int]:
    steps = []
    while path is not None:
        path, step = path
        steps.append(step)
    return steps[::-1]
