"""Check a credential or presentation against the class of its type.

The classes say what the schemas of Open Badges 3.0 and the VC Data Model ask for. They build credentials (by Python
names; `to_json` writes them as an issuer should) and check them: `check_form` compares a received credential with the
class of its type. If the schema is open, members that the class does not know are kept; if it is closed, they are
refused.

Spec: Open Badges 3.0, appendix B (data models) and its JSON Schemas; VC Data Model 2.0, section 4; 1.1, section 4.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from credentials.errors import shown
from credentials.findings import Finding
from credentials.graph.plain import is_plain
from credentials.graph.unprotected import MAX_FINDINGS, find_unprotected
from credentials.model.badge import (
    Credential,
    Document,
    EndorsementCredential,
    EndorsementCredential11,
    OpenBadgeCredential,
    OpenBadgeCredential11,
    OpenBadges,
    version_of,
)
from credentials.model.general import (
    VerifiableCredential,
    VerifiableCredential11,
    VerifiablePresentation,
    VerifiablePresentation11,
)
from credentials.model.values import RECEIVED, SYNONYMS, Model
from credentials.reading import is_a
from credentials.strict_json import pointer


def check_form(credential: Mapping[str, Any]) -> list[Finding]:
    """Return what is wrong with the form of a credential; nothing if it is good.

    The credential was received, or is about to be signed.

    1. Its class is chosen by `type` (Open Badge, endorsement, any other) and first context (2.0 or 1.1).
    2. Members, types and dates are as the class asks. If the specification lets a single value stand for an array of
       one (`type`, `proof`, `credentialSchema`, `termsOfUse`), so does the class.
    3. The Open Badges rules beyond the schema hold: a recipient, criteria, results that fit their descriptions.
    4. Nothing is written in a way that a signature over RDF does not protect (`unprotected`). An empty array may be no
       more than a remark (`is_remark`).

    Spec: Open Badges 3.0, appendix B; VC Data Model 2.0, section 4; VC Data Model 1.1, section 4.
    """
    return _findings(_class_of(credential), credential, credential)


def check_presentation_form(presentation: Mapping[str, Any]) -> list[Finding]:
    """Return what is wrong with the form of a presentation; nothing if it is good.

    The presentation was received, or is about to be signed. The credentials in it are objects, in VC Data Model 1.1
    also compact JWTs; their own form is not checked here.

    Spec: VC Data Model 2.0, section 4.13; VC Data Model 1.1, section 4.10.
    """
    older = version_of(presentation) == "(1.1)"
    around = {name: value for name, value in presentation.items() if name != "verifiableCredential"}
    return _findings(VerifiablePresentation11 if older else VerifiablePresentation, presentation, around)


def _findings(model: type[Document], document: Mapping[str, Any], signed: Mapping[str, Any]) -> list[Finding]:
    """Return what is wrong with `document` as a `model`.

    To this it adds what a proof leaves open in `signed`, which is a part of `document` or all of it.
    """
    findings: list[Finding] = []
    try:
        model.model_validate(document, by_alias=True, by_name=False, context=RECEIVED)  # (1)-(3)
    except ValidationError as error:
        findings = [_finding(detail, document) for detail in error.errors(include_url=False)[:MAX_FINDINGS]]
    places = {finding.pointer for finding in findings}
    found = [] if is_plain(signed) else find_unprotected(signed, DECLARED)  # (4)
    unprotected = [item for item in found if item.pointer not in places]
    return sorted(findings + unprotected, key=lambda finding: finding.pointer)[:MAX_FINDINGS]


def is_remark(found: Finding, document: Mapping[str, Any]) -> bool:
    """Return whether what was found about the form of a document is no fault of it.

    That is an empty array of anything but types. Open Badges forbid it, and the VC Data Model does not. But a proof
    over RDF does not cover it: anybody can have added it since.

    Spec: Open Badges 3.0, section on serialization; VC Data Model 2.0, section 4.5 (types).
    """
    if found.code != "array-empty" or found.pointer.endswith("/type"):
        return False
    return not issubclass(_class_of(document), OpenBadges)


def is_open_badge(credential: Mapping[str, Any]) -> bool:
    """Return whether the credential says that it is an Open Badge."""
    return is_a(credential, "OpenBadgeCredential") or is_a(credential, "AchievementCredential")


def _class_of(credential: Mapping[str, Any]) -> type[Credential]:
    older = version_of(credential) == "(1.1)"
    if is_open_badge(credential):
        return OpenBadgeCredential11 if older else OpenBadgeCredential
    if is_a(credential, "EndorsementCredential"):
        return EndorsementCredential11 if older else EndorsementCredential
    return VerifiableCredential11 if older else VerifiableCredential


_EXPECTED = {
    "string_type": "a string",
    "list_type": "an array",
    "model_type": "an object",
    "model_attributes_type": "an object",
    "dict_type": "an object",
    "bool_type": "true or false",
    "float_type": "a number",
    "union_tag_not_found": "a string or an object",
    "union_tag_invalid": "a string or an object",
}


def _finding(detail: ErrorDetails, credential: Mapping[str, Any]) -> Finding:
    """Return a validation error as a finding, in our words.

    Its pointer leads to the place in the document, not in the classes.
    """
    kind, got, context = detail["type"], detail["input"], detail.get("ctx", {})
    where = pointer(*_path((*detail["loc"], *context.get("path", ())), credential))
    match kind:
        case "missing":
            return Finding("member-missing", f"expected the member {detail['loc'][-1]}, got none", where)
        case "extra_forbidden":
            return Finding("member-forbidden", "expected no such member here, got one", where)
        case "literal_error":
            return Finding("value-not-allowed", f"expected {context['expected']}, got {shown(got)}", where)
        case _ if kind in _EXPECTED:
            return Finding("member-type", f"expected {_EXPECTED[kind]}, got {shown(got)}", where)
        case _:
            return Finding(kind, detail["msg"], where)


def _path(steps: Sequence[str | int], document: Any) -> Iterator[str | int]:
    """Yield the steps that lead through the document.

    They leave out the tags of unions, and any index into a value that is not an array.
    """
    for step in steps:
        if isinstance(step, str) and step.startswith("("):
            continue
        if isinstance(step, int) and not isinstance(document, list):
            continue
        yield step
        if isinstance(step, int):
            document = document[step] if step < len(document) else None
        else:
            document = document.get(step) if isinstance(document, Mapping) else None


def _models_in(annotation: Any) -> Iterator[type[Model]]:
    if isinstance(annotation, type) and issubclass(annotation, Model):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)


def _declared_members() -> dict[str, frozenset[str]]:
    """Return the members of each class.

    The key is the name of the class, or the name of the member that holds it.
    """
    declared: dict[str, frozenset[str]] = {}
    waiting: list[type[Model]] = [
        OpenBadgeCredential,
        OpenBadgeCredential11,
        VerifiableCredential,
        VerifiableCredential11,
    ]
    seen: set[type[Model]] = set()
    while waiting:
        model = waiting.pop()
        if model in seen:
            continue
        seen.add(model)
        model.model_rebuild()
        members = frozenset(field.alias or name for name, field in model.model_fields.items())
        if isinstance(model.own_type, list):
            declared[model.own_type[-1]] = members | declared.get(model.own_type[-1], frozenset())
        for info in model.model_fields.values():
            for inner in _models_in(info.annotation):
                waiting.append(inner)
                if not isinstance(inner.own_type, list):
                    declared.setdefault(info.alias or "", frozenset())
                    declared[info.alias or ""] |= frozenset(
                        field.alias or name for name, field in inner.model_fields.items()
                    )
    return declared | {synonym: declared[name] for synonym, name in SYNONYMS.items()}


DECLARED: Final = _declared_members()
