"""Compare the related resources of a credential with their digests."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from credentials.checks.digests import compare, editions_of, read_digests, resources_of
from credentials.checks.inquiry import Inquiry
from credentials.errors import CredentialError, UnavailableError, UnsupportedError, shown
from credentials.findings import Finding
from credentials.report import Check, concluded, finding_of

MAX_RESOURCES: Final = 8
"""How many related resources of one credential are looked at."""


def check_resources(credential: Mapping[str, Any], inquiry: Inquiry) -> Check:
    """Return whether the related resources of the credential have the given digests.

    A context that is known here may be any edition of it, and is not loaded. A resource that could not be loaded, or
    whose digest is of a kind that is not known here, is *undecided*. What a discreet inquiry does not ask for is a
    remark, and then the check has not *passed*.

    Spec: VC Data Model 2.0, section 5.3 (integrity of related resources).
    """
    resources = list(resources_of(credential))
    if not resources:
        return Check("resources", "skipped")
    failed: list[Finding] = []
    undecided: list[Finding] = []
    unasked: list[Finding] = []
    for where, resource in resources[:MAX_RESOURCES]:
        try:
            if not _check(resource, inquiry):
                message = (
                    f"{shown(resource.get('id'))} was not asked for: that would tell which credential is looked at"
                )
                unasked.append(Finding("resource-not-asked", message, where))
        except (UnavailableError, UnsupportedError) as error:
            undecided.append(finding_of(error, where))
        except CredentialError as error:
            failed.append(finding_of(error, where))
    if len(resources) > MAX_RESOURCES:
        message = f"expected at most {MAX_RESOURCES} related resources, got {len(resources)}"
        undecided.append(Finding("resources-too-many", message, "/relatedResource"))
    check = concluded("resources", failed=failed, undecided=undecided, remarks=unasked)
    return replace(check, outcome="skipped") if unasked and check.outcome == "passed" else check


def _check(resource: Mapping[str, Any], inquiry: Inquiry) -> bool:
    """Return whether the resource was looked at; raise if its digests do not fit."""
    address = resource.get("id")
    bodies = editions_of(address, inquiry.contexts)
    if bodies is None:
        if not read_digests(resource) or not isinstance(address, str):
            return True  # the check of the form reports this
        if inquiry.discreet:
            return False
        bodies = iter([inquiry.load(address.partition("#")[0]).body])
    compare(resource, bodies)
    return True
