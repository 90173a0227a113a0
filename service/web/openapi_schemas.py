"""The schemas in the description of the API: named for readers, and mended."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

REF: Final = "#/components/schemas/"
BODY, ANSWER = "-Input", "-Output"
"""What the framework adds to the name of a model that it describes twice: as it is sent, and as it is answered."""


def references(node: Any) -> Iterator[str]:
    """Yield every `$ref` within a part of the description; those of an example refer to nothing here."""
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for name, member in node.items():
            if name != "example":
                yield from references(member)
    elif isinstance(node, list):
        for member in node:
            yield from references(member)


def finished(made: dict[str, Any]) -> dict[str, Any]:
    """Return the description with its schemas named and mended."""
    schemas = made["components"]["schemas"]
    asked = {ref.removeprefix(REF) for ref in references(made) if ref.startswith(REF)}
    once = {name: name.removesuffix(BODY).removesuffix(ANSWER) for name in asked if name not in schemas}
    made = _renamed(made, once)
    made = _renamed(made, _names(schemas))
    schemas = made["components"]["schemas"]
    _tell_rules_from_groups(schemas)
    # Generators name what they make by the title, which the framework takes from the class.
    made["components"]["schemas"] = {name: schemas[name] | {"title": name} for name in sorted(_reached(made, schemas))}
    _mend(made)
    return made


def _reached(made: Mapping[str, Any], schemas: Mapping[str, Any]) -> set[str]:
    """Return the names of the schemas on which an operation rests."""
    found: set[str] = set()
    waiting = [made["paths"], made["components"]["responses"]]
    while waiting:
        for ref in references(waiting.pop()):
            name = ref.removeprefix(REF)
            if name in schemas and name not in found:
                found.add(name)
                waiting.append(schemas[name])
    return found


def _names(schemas: Mapping[str, Any]) -> dict[str, str]:
    """Return new names for what is described twice, as it is sent and as it is answered.

    It has one name if both are alike. If not, `AlignmentIn` is what is sent, and `AlignmentOut` what is answered.
    """
    alike = {name.removesuffix(BODY) for name in schemas if name.endswith(BODY)}
    while True:
        names = {name + ending: name for name in alike for ending in (BODY, ANSWER)}
        told = {
            name
            for name in alike
            if _renamed(schemas[name + BODY], names) != _renamed(schemas.get(name + ANSWER), names)
        }
        if not told:
            break
        alike -= told
    for name in schemas:
        if "Page_" in name:  # of these
            names[name] = schemas[name]["title"]
        elif name not in names and name.endswith(BODY):
            names[name] = name.removesuffix(BODY)
        elif name not in names and name.endswith(ANSWER):
            names[name] = name.removesuffix(ANSWER).removesuffix("In") + "Out"
    return names


def _renamed(node: Any, names: Mapping[str, str]) -> Any:
    """Return a part of the description in which the schemas have other names."""
    if isinstance(node, list):
        return [_renamed(member, names) for member in node]
    if isinstance(node, dict):
        return {names.get(name, name): _renamed(member, names) for name, member in node.items()}
    if isinstance(node, str) and node.startswith(REF):
        name = node.removeprefix(REF)
        return REF + names.get(name, name)
    return node


def _tell_rules_from_groups(schemas: dict[str, Any]) -> None:
    """Give the rules of the criteria language a union of their own, with the discriminator `rule`."""
    rules: dict[str, dict[str, str]] = {}
    groups = []
    for each in schemas["Criterion"]["oneOf"]:
        kind = schemas[each["$ref"].removeprefix(REF)]["properties"].get("rule")
        if kind is None:
            groups.append(each)
        else:
            rules[kind["const"]] = each
    schemas["Rule"] = {
        "description": "One condition on a member's evidence.",
        "oneOf": list(rules.values()),
        "discriminator": {
            "propertyName": "rule",
            "mapping": {kind: each["$ref"] for kind, each in sorted(rules.items())},
        },
    }
    schemas["Criterion"] = {
        "description": "What earns an achievement: a rule, or a group of criteria.",
        "oneOf": [{"$ref": REF + "Rule"}, *groups],
    }


def _mend(node: Any) -> None:
    """Write whole bounds as integers, and leave out what only repeats something, or is never so.

    The default of a member is told in words: some generators of clients ask for each member that has one.
    """
    if isinstance(node, list):
        for member in node:
            _mend(member)
    if not isinstance(node, dict):
        return
    for name in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"):
        bound = node.get(name)
        if isinstance(bound, float) and bound.is_integer():
            node[name] = min(int(bound), 2**63 - 1)  # the framework makes a float of it, which rounds that one up
    properties = node.get("properties")
    for member in properties.values() if isinstance(properties, dict) else ():
        if isinstance(member, dict) and isinstance(member.get("title"), str):
            del member["title"]
        if isinstance(member, dict) and not isinstance(member.get("default", {}), dict):
            told = f"default: `{json.dumps(member.pop('default'))}`"
            member["description"] = f"{member['description']}; {told}" if "description" in member else told
    if "in" in node and isinstance(node.get("schema"), dict):  # a parameter, which is given or not, and never null
        shape = node["schema"]
        kinds = [kind for kind in shape.pop("anyOf", []) if kind != {"type": "null"}]
        shape.update(kinds[0] if len(kinds) == 1 else {"anyOf": kinds} if kinds else {})
        for said in ("title", "description"):
            shape.pop(said, None)
    if any(str(value).startswith("-") for value in node.get("enum", ())):
        node["x-enum-varnames"] = [_in_code(value) for value in node["enum"]]
    for member in node.values():
        _mend(member)


def _in_code(order: str) -> str:
    """Return the name of an order of a list for generators, which could not call a constant `-received_at`."""
    return (order[1:] + "_descending" if order.startswith("-") else order).upper()
