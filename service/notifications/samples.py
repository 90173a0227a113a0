"""A sample of every type of event, as a webhook is sent it.

For those who write what receives them. Every value is made up, and nothing of it stands in a row; its shape is that of
`service.notifications.payloads`.
"""

import types
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin
from uuid import UUID, uuid5

from pydantic import BaseModel

from credentials.instants import write_instant
from service.notifications.payloads import SHOWN
from service.outbox.api import EventRefs, EventSource, RecordNames
from service.outbox.event_types import EventType

AT: Final = datetime(2026, 3, 1, 17, tzinfo=UTC)
_NAMESPACE: Final = UUID("0190c2d4-7d5e-7b1a-8f00-3d2c4b5a6978")
_TEXTS: Final[Mapping[str, str]] = {
    "about": "feedback",
    "achievement": "formative-feedback",
    "achievement_type": "Badge",
    "algorithm": "Ed25519",
    "cause": "criteria",
    "code": "evidence-odd",
    "credential": "Zk3mS0aGv1sT8bqPzXw5Hg",
    "description": "A sample.",
    "did": "did:web:river.example.org",
    "digest": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "kid": "z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK",
    "member": "m11",
    "mode": "online",
    "name": "Formative feedback",
    "narrative": "Give feedback three times.",
    "ref": "m11",
    "role": "director",
    "series": "writing-group",
    "slug": "river-writers",
    "time_zone": "Europe/Berlin",
    "title": "Feedback that helps",
}
"""What texts say in a sample, by the names of the members."""
_SAID: Final[Mapping[str, Mapping[str, Any]]] = {
    "achievement_version": {"state": "published", "version_id": uuid5(_NAMESPACE, "achievement_version")},
    "award": {"state": "awarded"},
    "member": {"name": "Ada Example", "email": "m11@river.example.org"},
    "network": {"name": "River Writers", "late_after_days": 30, "state": "active"},
    "record": {"ref": "review-7", "tier": 3},
    "session": {"ref": "2026-03-01", "attendance_count": 12},
    "void": {"kind": "void"},
}
"""What things say in particular, by the names under which events show them."""
_URL: Final = "https://river.example.org/sample"
_CREDENTIAL: Final = ("credential", "replacement")


def sample(kind: EventType) -> dict[str, Any]:
    """Return a sample of a type of event.

    Shape: `{type, timestamp, data}`, as Standard Webhooks says; `data` is that of `payloads.data`, with everything that
    may be in it.
    """
    names = (*kind.about, *kind.maybe)
    about = {name: _text(name) if name in {"kid", "code", *_CREDENTIAL} else str(_id(name)) for name in names}
    refs = EventRefs(
        member="m11" if "member" in names else None,
        achievement="formative-feedback" if {"achievement", "achievement_version", "award"} & set(names) else None,
        session="2026-03-01" if "session" in names else None,
        record=RecordNames(ref="review-7", source=EventSource(system="lms", id="1817")) if "record" in names else None,
    ).model_dump(exclude_none=True)
    data = {"id": str(_id("event")), "position": 42, "about": about} | ({"refs": refs} if refs else {})
    shown = {name: _answer(name) for name in names if name in SHOWN}
    return {"type": kind.value, "timestamp": write_instant(AT), "data": data | shown}


def _answer(name: str) -> Any:
    """Return what the API would show of a thing that events name."""
    shape = SHOWN[name].shape
    return _made(shape, _SAID.get(name, {}), name).model_dump(mode="json", exclude_none=True)


def _made(shape: type[BaseModel], said: Mapping[str, Any], thing: str) -> BaseModel:
    """Return an answer of a shape with the members that it always has, and those that are said."""
    always = {name: field.annotation for name, field in shape.model_fields.items() if field.is_required()}
    made = {name: _value(thing if name == "id" else name, annotation) for name, annotation in always.items()}
    return shape.model_construct(**made | dict(said))


def _value(name: str, annotation: Any) -> Any:
    """Return a value of a type that answers have."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _value(name, inner[0])
    if origin in {Union, types.UnionType}:
        return _value(name, inner[0])
    if origin is Literal:
        return inner[0]
    if origin is list:
        return []
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return _made(annotation, {}, name)
    made = {UUID: _id(name), datetime: AT, int: 1, bool: False, float: 1.0}
    return made[annotation] if annotation in made else _text(name)


def _id(name: str) -> UUID:
    return uuid5(_NAMESPACE, name)


def _text(name: str) -> str:
    return _URL if name == "url" or name.endswith("_url") else _TEXTS.get(name, _TEXTS["credential"])
