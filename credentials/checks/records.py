"""Decide what a learner's record leaves open between the credentials in it.

A signature over RDF ties what is said of a learner to the learner, and not to the credential that says it. So what two
badges of one learner say may have been exchanged since the record was signed. The badges' own signatures show it.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from credentials.checks.inquiry import Inquiry
from credentials.checks.provenance import check_provenance
from credentials.checks.received import taken_apart
from credentials.errors import CredentialError
from credentials.findings import Finding
from credentials.graph.unprotected import AMBIGUOUS
from credentials.model.form import check_form
from credentials.reading import objects, subject

MAX_CREDENTIALS: Final = 16
"""How many credentials of one record are asked."""
_WITHIN: Final = "/credentialSubject/verifiableCredential/"


def still_ambiguous(record: Mapping[str, Any], ambiguous: Sequence[Finding], inquiry: Inquiry) -> Sequence[Finding]:
    """Return what is left of `ambiguous` once the credentials in the record have been asked.

    1. What is ambiguous between the record and one credential in it stays so.
    2. What is ambiguous between two of them does not, if each has a signature of its own that holds, is its issuer's,
       and leaves nothing open itself.

    Spec: Comprehensive Learner Record 2.0, section on verification (each credential in it is verified by itself).
    """
    about = subject(record)
    within = objects(about.get("verifiableCredential"))
    between = [found for found in ambiguous if found.code == "id-ambiguous" and found.pointer.startswith(_WITHIN)]
    if not between or len(within) > MAX_CREDENTIALS:
        return ambiguous
    for credential in within:
        alone = {**record, "credentialSubject": {**about, "verifiableCredential": [credential]}}
        if not (_leaves_nothing_open(alone, inquiry) and _proves_itself(credential, inquiry)):
            return ambiguous
    return [found for found in ambiguous if found not in between]


def _leaves_nothing_open(credential: Mapping[str, Any], inquiry: Inquiry) -> bool:
    try:
        inquiry.spend(json.dumps(credential, ensure_ascii=False))
    except CredentialError:
        return False
    return not any(found.code in AMBIGUOUS for found in check_form(credential))


def _proves_itself(credential: Mapping[str, Any], inquiry: Inquiry) -> bool:
    try:
        secured = taken_apart(credential)
    except CredentialError:
        return False
    found = check_provenance(secured, inquiry)
    proven = found.proof.outcome == found.owner.outcome == "passed"
    return proven and (found.covers_text or _leaves_nothing_open(secured.credential, inquiry))
