"""Compare a decision receipt with its badge and with the published rule.

Pure: the three are values from outside. The receipt's digest has been compared with the badge before; this module
checks whether the receipt's own numbers confirm what the badge claims.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeGuard

from credentials import CredentialError, reading
from credentials.checks.digests import Digest, read_digests
from credentials.instants import read_instant
from service.criteria import tree as criteria
from service.criteria.kinds.attendance import Attendance
from service.criteria.kinds.rubric import Rubric
from service.criteria.kinds.rule import Rule
from service.criteria.tree import Criterion, Group
from service.errors import InvalidError
from service.issuing.receipt_form import FORM

GROUPS: Final = ("all", "any", "at_least")
MAX_DEPTH: Final = 2 * criteria.MAX_DEPTH

_ALSO_OR: Final = ("gain",)
_ALSO_AND: Final = ("endorsed", "tenure")
"""Kinds of rules with a second number that a receipt does not give: either suffices, or both are needed."""


class _ContradictoryError(Exception):
    """The statements of a receipt contradict each other."""


def seals_of(credential: Mapping[str, Any]) -> set[str]:
    """Return the seals of the records that a badge cites, 64 hexadecimal digits each, but not of its receipt."""
    return {
        digest.value.hex()
        for item in reading.evidence(credential)
        if item.get("genre") != "receipt" and is_within(credential, item.get("id"))
        for digest in digests_of(item)
        if digest.algorithm == "sha256"
    }


def cites_some(credential: Mapping[str, Any]) -> bool:
    """Return whether a badge says that it cites only some of its records."""
    return any(item.get("genre") == "summary" for item in reading.evidence(credential))


def receipt_item(credential: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the item of evidence that is the receipt of the decision, if the badge cites one by digest."""
    for item in reading.evidence(credential):
        if item.get("genre") == "receipt" and isinstance(item.get("id"), str) and digests_of(item):
            return item
    return None


def is_within(credential: Mapping[str, Any], address: object) -> bool:
    """Return whether an address is a place in the badge itself, so that nothing can be fetched from it."""
    own = credential.get("id")
    return isinstance(own, str) and isinstance(address, str) and address.partition("#")[0] == own


def has_digest(item: Mapping[str, Any]) -> bool:
    """Return whether an item gives a digest, in any form."""
    return any(item.get(name, []) != [] for name in ("digestMultibase", "digestSRI"))


def digests_of(item: Mapping[str, Any]) -> list[Digest]:
    """Return the digests that an item gives; none where they cannot be read."""
    try:
        return read_digests(item)
    except CredentialError:
        return []


def fits(item: Mapping[str, Any], body: bytes) -> bool:
    """Return whether an item gives a digest, and the bytes have all that it gives."""
    digests = digests_of(item)
    return bool(digests) and all(digest.fits(body) for digest in digests)


def told_by(receipt: Mapping[str, Any]) -> dict[str, str]:
    """Return the seal, 64 hexadecimal digits, of each record that a receipt names, by identifier."""
    told = {}
    listed = receipt.get("evidence")
    for each in listed if isinstance(listed, list) else ():
        if isinstance(each, Mapping) and isinstance(each.get("id"), str):
            for digest in digests_of({"digestMultibase": each.get("digest")}):
                told[each["id"]] = digest.value.hex()
    return told


def roles_in(receipt: Mapping[str, Any]) -> Iterator[str]:
    """Yield the role of each person who decided, from a receipt."""
    listed = receipt.get("decided_by")
    for each in listed if isinstance(listed, list) else ():
        if isinstance(each, Mapping) and isinstance(each.get("role"), str):
            yield each["role"]


def of_another(receipt: Mapping[str, Any], credential: Mapping[str, Any]) -> bool:
    """Return whether a receipt is about another decision than the badge is."""
    achievement = reading.achievement(credential)
    pairs = (
        (receipt.get("issuer"), reading.id_of(credential.get("issuer"))),
        (receipt.get("achievement"), achievement.get("id")),
        (str(receipt.get("version")), achievement.get("version")),
        (read_instant(receipt.get("awarded_at")), read_instant(credential.get("awardedDate"))),
    )
    return any(told is None or told != shown for told, shown in pairs)


def is_form(receipt: object) -> bool:
    """Return whether this is a receipt of a known form."""
    return isinstance(receipt, Mapping) and receipt.get("form") == FORM


def contradicts_itself(receipt: Mapping[str, Any]) -> bool:
    """Return whether a receipt contradicts itself.

    1. A rule is met where its number is reached; a group, where as many of its criteria are met as it requires.
    2. A decision by rule or by approval has criteria that are met; by approval, somebody approved.
    3. It names exactly the records of the criteria that are met.
    4. It was awarded no later than it was decided.
    """
    basis, tree = receipt.get("basis"), receipt.get("criteria")
    awarded_at, as_of = read_instant(receipt.get("awarded_at")), read_instant(receipt.get("as_of"))
    if awarded_at is None or as_of is None or awarded_at > as_of:  # (4)
        return True
    if basis not in ("rule", "approval", "override", "recorded"):
        return True
    if basis in ("override", "recorded") and tree is None:
        return False
    try:
        met, rested = _node(tree, 0)
    except _ContradictoryError:
        return True
    if basis in ("override", "recorded"):
        return False
    if basis == "approval" and not receipt.get("decided_by"):  # (2)
        return True
    return not met or rested != set(told_by(receipt))  # (3)


def rule_differs(receipt: Mapping[str, Any], rule: Criterion) -> bool:
    """Return whether the criteria of a receipt are not those of the published rule."""
    return not _same(receipt.get("criteria"), rule)


def evidence_differs(receipt: Mapping[str, Any], credential: Mapping[str, Any]) -> bool:
    """Return whether badge and receipt cite different records.

    Of very many, the badge cites some and says so.
    """
    cited, told = seals_of(credential), set(told_by(receipt).values())
    return not cited <= told if cites_some(credential) else cited != told


def rule_in(definition: object) -> Criterion | None:
    """Return the rule of a published definition.

    Return None where it has criteria for people only.

    Raises:
        InvalidError: it is not a definition, or its rule has an unknown form.
    """
    said = definition.get("criteria") if isinstance(definition, Mapping) else None
    if not isinstance(said, Mapping):
        raise InvalidError("definition-unknown", "Expected a definition with criteria.")
    return criteria.parse(said["rule"]) if "rule" in said else None


def _node(node: object, depth: int) -> tuple[bool, set[str]]:
    """Return whether a node is met and by which records.

    Raise where its numbers say otherwise.
    """
    if not isinstance(node, Mapping) or depth > MAX_DEPTH:
        raise _ContradictoryError
    kind, met, observed, required = node.get("rule"), node.get("met"), node.get("observed"), node.get("required")
    if not isinstance(met, bool) or not _is_number(observed) or not _is_number(required):
        raise _ContradictoryError
    children = node.get("children")
    if kind in GROUPS:
        if not isinstance(children, list) or not children:
            raise _ContradictoryError
        below = [_node(child, depth + 1) for child in children]
        needed = {"all": len(below), "any": 1}.get(str(kind), required)
        if observed != sum(each for each, _ in below) or required != needed or met != (observed >= required):  # (1)
            raise _ContradictoryError
        return met, {record for _, records in below for record in records} if met else set()
    reached = observed >= required
    either, both = kind in _ALSO_OR and met, kind in _ALSO_AND and not met
    if not isinstance(kind, str) or children is not None or (reached != met and not either and not both):  # (1)
        raise _ContradictoryError
    records = node.get("evidence", [])
    if not isinstance(records, list) or not all(isinstance(record, str) for record in records):
        raise _ContradictoryError
    return met, set(records) if met else set()


def _same(node: object, criterion: Criterion) -> bool:
    if not isinstance(node, Mapping) or node.get("rule") != criterion.kind:
        return False
    required = node.get("required")
    if isinstance(criterion, Group):
        children = node.get("children")
        if not isinstance(children, list) or len(children) != len(criterion.children) or required != criterion.needed:
            return False
        return all(_same(child, below) for child, below in zip(children, criterion.children, strict=True))
    assert isinstance(criterion, Rule)
    least = criterion.measure(0, 0)[0]
    # How many sessions a rate requires, and how many criteria a rubric has, is known only when it is decided.
    open_ended = isinstance(criterion, Attendance) or (isinstance(criterion, Rubric) and criterion.criteria == "*")
    return _is_number(required) and (required >= least if open_ended else required == least)


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)
