"""Conditional requests: writes that hold only for what their sender has seen.

What two people may edit has an entity tag.

Spec: RFC 9110, sections 8.8.3 (ETag) and 13 (conditional requests).
"""

from collections.abc import Callable
from hashlib import sha256
from typing import Annotated, Any

from fastapi import Depends, Header, Request, Response

from service.errors import PreconditionError
from service.web.requests import Answer, reply

IfNoneMatch = Annotated[str | None, Header(alias="If-None-Match")]
IfMatch = Annotated[
    str | None,
    Header(
        alias="If-Match",
        description="the `ETag` of what you have seen: if somebody has changed it since, nothing is written (412)",
    ),
]
OnlyNew = Annotated[str | None, Header(alias="If-None-Match", description="`*`: only if there is none yet (else 412)")]

ETAG: dict[str, Any] = {"ETag": {"description": "the entity tag of this answer", "schema": {"type": "string"}}}
TAGGED: dict[int | str, dict[str, Any]] = {200: {"headers": ETAG}}
"""What a route that answers `tagged` says of its answers; what it refuses with `Given` the description knows."""
UNCHANGED = TAGGED | {304: {"description": "It is what `If-None-Match` names"}}
"""What a route that answers `seen` says of its answers."""


def entity_tag(content: bytes) -> str:
    """Return a strong entity tag of exactly this content."""
    return f'"{sha256(content).hexdigest()[:32]}"'


def is_named(tag: str, given: str | None) -> bool:
    """Return whether an `If-None-Match` names an entity tag, by weak comparison."""
    known = [each.removeprefix("W/") for each in _listed(given or "")]
    return "*" in known or tag.removeprefix("W/") in known


def tag_of(body: Answer) -> str:
    """Return the entity tag of an answer, without the members that change while nobody edits it (`MOVING`)."""
    return entity_tag(body.model_dump_json(exclude_none=True, exclude=set(body.MOVING)).encode())


def tagged(status: int, body: Answer) -> Response:
    """Return `body` as JSON with its entity tag."""
    return reply(status, body, {"ETag": tag_of(body)})


def seen(body: Answer, if_none_match: str | None) -> Response:
    """Return `body` with its entity tag, or 304 if the caller already has it."""
    tag = tag_of(body)
    moving = any(getattr(body, name) is not None for name in body.MOVING)
    same = not moving and is_named(tag, if_none_match)
    return Response(status_code=304, headers={"ETag": tag}) if same else tagged(200, body)


class Preconditions:
    """What a write asks of the thing that is there before it."""

    def __init__(self, request: Request, if_match: IfMatch = None, if_none_match: OnlyNew = None) -> None:
        self._request = request
        self._if_match, self._if_none_match = if_match, if_none_match

    def hold(self, current: Callable[[], Answer | None]) -> None:
        """Let the write pass if the thing is the one that its sender has seen.

        A request that was carried out before, under its `Idempotency-Key`, passes again.

        Args:
            current: locks the thing and returns it as its GET would; None if there is none.
        Raises:
            PreconditionError: it is another one, or none, or one that should not be there (code "precondition-failed").
        """
        if (self._if_match is None and self._if_none_match is None) or getattr(self._request.state, "repeated", False):
            return
        shown = current()
        tag = tag_of(shown) if shown is not None else None
        if self._if_match is not None:
            wanted = _listed(self._if_match)
            if tag is None or (tag not in wanted and "*" not in wanted):
                there = f"this is {tag} now" if tag is not None else "there is none"
                raise PreconditionError(
                    "precondition-failed", f"Expected what `If-Match` names; {there}. Read it again."
                )
        if tag is not None and is_named(tag, self._if_none_match):
            raise PreconditionError(
                "precondition-failed", "Expected none that `If-None-Match` names; it is there already."
            )


def written_or_made(shape: type[Answer]) -> dict[int | str, dict[str, Any]]:
    """Return what such a route says of its answers if it also answers 201, with the same shape."""
    return TAGGED | {201: {"model": shape, "headers": ETAG}}


Given = Annotated[Preconditions, Depends()]


def merge_patch(shape: str) -> dict[str, Any]:
    """Return what a route says of a body that is also taken as `application/merge-patch+json` (`openapi_extra`).

    Args:
        shape: the name of the body's schema.
    """
    content = {"schema": {"$ref": f"#/components/schemas/{shape}"}}
    return {"requestBody": {"content": {"application/merge-patch+json": content}}}


def _listed(header: str) -> list[str]:
    return [part.strip() for part in header.split(",")]
