"""Health over HTTP."""

from fastapi import APIRouter, Request, Response

from service.operations import health
from service.web.requests import Answer, Now, Reader, Running, reply

router = APIRouter(tags=["public documents"])


class Health(Answer):
    """The state of the service."""

    status: str
    database: str
    migrated: bool
    overdue_status_lists: int
    messages_waiting: int
    members_unsettled: int


@router.get("/health", response_model=Health)
def get_health(request: Request, session: Reader, runtime: Running, now: Now) -> Response:
    """Return the state of the service.

    200 if all is well, 503 if something is overdue or missing.
    """
    _ = request
    found = health.look(session, runtime, now)
    return reply(200 if found["status"] == "ok" else 503, Health(**found))
