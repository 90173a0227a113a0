"""See quickly that a document has nothing that a signature over RDF leaves open.

Most documents are written in the plainest way: each id once, each value as its member wants it, in objects and arrays of
one kind. In such a document `unprotected.find_unprotected` finds nothing, whatever its classes are. This is a quick look
for that, and no judgement: whatever is less plain gets the full look, and that alone tells what is wrong.
"""

from collections.abc import Mapping
from math import isnan
from typing import Any, Final

from credentials.graph.unprotected import CLASS_NAMES, NUMBERS, PREFIXES, TEXTS, TRUTHS, in_order

_MAX_DEPTH: Final = 32
_LOOKED_AT_IN_FULL = CLASS_NAMES | PREFIXES | {"issuer"}
_WANTED: Final[Mapping[str, tuple[type, ...]]] = {
    **dict.fromkeys(TEXTS, (str,)),
    **dict.fromkeys(NUMBERS, (int, float)),
    **dict.fromkeys(TRUTHS, (bool,)),
}
_PROFILE: Final = ("Profile", ["Profile"])
_SCALARS: Final = (str, int, float, bool)


def is_plain(document: Mapping[str, Any]) -> bool:
    """Return whether `find_unprotected` surely finds nothing in a document.

    The numbers are its rules.

    1. Nothing is null, and no array empty.
    2. No member is a keyword, but the first `@context`.
    3. No name or type has a colon, as every address has, or is a class or prefix of its list.
    4. No id is the label of a blank node.
    5. The entries of an array are either objects, or different values that are neither arrays nor truths.
    6. The levels of a rubric are in order.
    7. Values have the kind that their member's datatype wants, whatever contexts the document has.
    8. An id that is there again is that of an object that says the same, in a member of the same name or as a profile,
       so that it is of the same class: an issuer is the creator of its achievements. It is no entry of an array. An
       issuer is an object.

    A value of a class that `json` does not make is not plain, nor is NaN.
    """
    if document.__class__ is not dict:
        return False
    return _is_plain_object("", {name: value for name, value in document.items() if name != "@context"}, {}, 0)


_Seen = dict[str, tuple[str, dict[str, Any]]]
"""By its id each object, and the member in which it was seen first; an entry of an array is in none."""


def _is_plain_object(member: str, members: dict[str, Any], seen: _Seen, depth: int) -> bool:
    if depth > _MAX_DEPTH:
        return False
    for name, value in members.items():
        wanted = _WANTED.get(name)
        if wanted is None:
            if name.__class__ is not str or ":" in name or name.startswith("@"):
                return False
            if name in _LOOKED_AT_IN_FULL and (name != "issuer" or value.__class__ is not dict):
                return False
            wanted = _SCALARS
        class_ = value.__class__
        if class_ is dict:
            if not _is_plain_object(name, value, seen, depth + 1):
                return False
        elif class_ is list:
            if not _is_plain_array(name, value, wanted, seen, depth):
                return False
        elif class_ not in wanted or (class_ is float and isnan(value)):
            return False
        elif name == "id":
            if class_ is not str or value.startswith("_:"):
                return False
            if value in seen and not _is_again(member, members, *seen[value]):
                return False
            seen.setdefault(value, (member, members))
        elif name == "type" and (class_ is not str or not _is_plain_type(value)):
            return False
    return True


def _is_plain_array(name: str, entries: list[Any], wanted: tuple[type, ...], seen: _Seen, depth: int) -> bool:
    if not entries or name == "id":
        return False
    if name == "rubricCriterionLevel" and not in_order(entries):
        return False
    if entries[0].__class__ is dict:
        return all(entry.__class__ is dict and _is_plain_object("", entry, seen, depth + 1) for entry in entries)
    if not all(entry.__class__ in wanted and entry.__class__ is not bool for entry in entries):
        return False
    if name == "type" and not all(entry.__class__ is str and _is_plain_type(entry) for entry in entries):
        return False
    return len(set(entries)) == len(entries)


def _is_again(member: str, members: dict[str, Any], first_member: str, first: dict[str, Any]) -> bool:
    """Return whether an object is one that was seen before."""
    return bool(member) and members == first and (member == first_member or members.get("type") in _PROFILE)


def _is_plain_type(type_: str) -> bool:
    return ":" not in type_ and type_ not in PREFIXES
