"""Health over HTTP, for everybody; nothing in it can wait."""

from typing import Annotated, Literal, Self

from fastapi import APIRouter, Request, Response
from pydantic import Field

from service.bodies import one_of
from service.operations.health import REASONS, Watch
from service.web.requests import Answer, reply

router = APIRouter(tags=["health"])


class Reason(Answer):
    """One thing that is out of order."""

    code: Annotated[str, one_of(REASONS)] = Field(
        description="stable name, for programs", examples=["passphrase-wrong"]
    )
    detail: str = Field(description="what it means for the operator")


class Health(Answer):
    """The state of the service when it last looked at itself, which it does every ten seconds."""

    status: Literal["ok", "degraded"]
    reasons: list[Reason] = Field(description="why it is degraded; empty if all is well")
    age_seconds: float | None = Field(None, description="how long ago it looked; left out if it never has")
    migrated: bool | None = Field(None, description="whether the database is at the newest revision")
    overdue_status_lists: int | None = None
    messages_waiting: int | None = None
    members_unsettled: int | None = Field(None, description="members whose awards have not been decided yet")

    @classmethod
    def of(cls, watch: Watch) -> Self:
        """Return what the last look saw."""
        found = watch.health()
        return cls(
            status="degraded" if found.reasons else "ok",
            reasons=[Reason(code=code, detail=REASONS[code]) for code in found.reasons],
            age_seconds=None if found.age_seconds is None else round(found.age_seconds, 1),
            **found.figures,
        )


@router.get("/health", response_model=Health)
async def get_health(request: Request) -> Response:
    """Return the state of the service: 200 as long as the process lives, also if it is degraded.

    A degraded service still answers, and keeps the evidence that it is sent.
    """
    return reply(200, Health.of(request.app.state.watch))


@router.get("/ready", response_model=Health, responses={503: {"model": Health, "description": "It is degraded"}})
async def get_ready(request: Request) -> Response:
    """Return the state of the service: 200 if all is well, 503 with the reasons for the operator if not.

    Every reason counts, also one that does not stop the service from answering. So this is for alarms, and to see
    whether a new version works; send requests to every service whose `/health` answers.
    """
    found = Health.of(request.app.state.watch)
    return reply(503 if found.reasons else 200, found)
