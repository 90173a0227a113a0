"""Speak HTTP with the service in this process, as a network's program does.

No server needs to run, and if one does, this is one more process beside it. Nothing that runs beside requests is started.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import httpx2
from anyio.from_thread import BlockingPortal, start_blocking_portal

from service.access import callers, tokens
from service.app import create_app
from service.errors import ConflictError
from service.networks import members
from service.runtime.runtime import Runtime
from service.tables import Network

LAST = timedelta(days=1)
PAGE = 200


class Programs:
    """The programs of one network: one of the network itself, and one for each member who acts.

    Args:
        network: what it is about; paths are beneath its address in the API.
    """

    def __init__(self, runtime: Runtime, network: Network, portal: BlockingPortal, client: httpx2.AsyncClient) -> None:
        self._runtime, self._network, self._portal, self._client = runtime, network, portal, client
        self._made: dict[str | None, tuple[UUID, str]] = {}

    def send(self, request: str, body: Any = None, *, by: str | None = None, done: Sequence[str] = ()) -> Any:
        """Send a request and return its JSON answer; None if it was done before.

        Args:
            request: method and path, such as `PUT /rubrics/design`.
            by: ref of the member who acts; None: the network.
            done: codes of refusals that say that it was done before.
        Raises:
            ConflictError: it was refused (code "example-refused").
        """
        answer = self._answered(request, by, json=body)
        text = answer.text
        if answer.status_code < 400:
            return json.loads(text) if text else None
        problem = json.loads(text)
        if problem["code"] in done:
            return None
        raise refused(request, by, problem)

    def listed(self, request: str, *, by: str | None = None) -> Iterator[Any]:
        """Yield the items of a list, page by page."""
        mark: str | None = None
        while True:
            joint = "&" if "?" in request else "?"
            found = self.send(f"{request}{joint}limit={PAGE}" + (f"&after={mark}" if mark else ""), by=by)
            yield from found["items"]
            mark = found.get("next")
            if mark is None:
                return

    def send_lines(self, request: str, bodies: Sequence[Any], *, waits: bool = False) -> int:
        """Send bodies in one, a line each; return how many of them are new.

        Args:
            waits: some may be held, as the network's guidelines want it.
        Raises:
            ConflictError: as `send`, for the first that is neither taken in nor there already.
        """
        content = "".join(json.dumps(body, ensure_ascii=False) + "\n" for body in bodies)
        answer = self._answered(
            request, None, content=content.encode(), headers={"Content-Type": "application/x-ndjson"}
        )
        said = [json.loads(line) for line in answer.text.splitlines()]
        if answer.status_code >= 400 or said[-1].get("status") != "complete":
            raise refused(request, None, said[-1].get("problem", said[-1]))
        for line in said[:-1]:
            if line["status"] not in {"accepted", "duplicate"} | ({"held"} if waits else set()):
                problem = line.get("problem", {"code": line["status"], "detail": "It does not count."})
                raise refused(f"{request}, line {line['line']}", None, problem)
        return sum(line["status"] == "accepted" for line in said[:-1])

    def revoke(self) -> None:
        """Revoke the tokens: the work is done."""
        with self._runtime.database.write() as session:
            for token_id, _ in self._made.values():
                tokens.revoke_token(session, str(token_id), self._runtime.now())

    def _answered(self, request: str, by: str | None, **sent: Any) -> httpx2.Response:
        method, path = request.split(" ", 1)
        headers = {"Authorization": f"Bearer {self._secret(by)}"} | sent.pop("headers", {})
        address = f"/v1/networks/{self._network.slug}{path}"
        if sent.get("json", False) is None:
            sent.pop("json")
        return self._portal.call(partial(self._client.request, method, address, headers=headers, **sent))

    def _secret(self, by: str | None) -> str:
        """Return the token of the network or of one of its members, made when it is first needed."""
        if by not in self._made:
            now = self._runtime.now()
            with self._runtime.database.write() as session:
                member = members.get_member(session, self._network, by) if by is not None else None
                row, secret = tokens.create_token(
                    session,
                    name="laurel example load",
                    scopes=callers.default_scopes(bound=by is not None),
                    network=self._network,
                    member=member,
                    now=now,
                    expires_at=now + LAST,
                )
                self._made[by] = row.id, secret
        return self._made[by][1]


@contextmanager
def programs(runtime: Runtime, network: Network) -> Iterator[Programs]:
    """Yield the programs of a network; at the end their tokens are revoked, whatever happened."""
    unlogged = runtime.settings.model_copy(update={"request_log": False})  # its lines would stand among the answer's
    transport = httpx2.ASGITransport(create_app(replace(runtime, settings=unlogged)))
    client = httpx2.AsyncClient(transport=transport, base_url=runtime.settings.base_url, timeout=None)
    with start_blocking_portal() as portal:
        speaking = Programs(runtime, network, portal, client)
        try:
            yield speaking
        finally:
            speaking.revoke()
            portal.call(client.aclose)


def refused(request: str, by: str | None, problem: Any) -> ConflictError:
    """Return the error that says what the service refused, and why."""
    who = f" of {by}" if by is not None else ""
    message = (
        f"{request}{who} was refused: {problem.get('detail')} ({problem.get('code')}, {problem.get('pointer', '')})"
    )
    return ConflictError("example-refused", message)
