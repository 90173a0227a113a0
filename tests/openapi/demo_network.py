"""The demo's network, made once over HTTP and copied for each example that is played on it."""

import json
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
from fastapi import FastAPI
from fastapi.testclient import TestClient

from service.access import callers, tokens
from service.access.act import Act
from service.accounts import accounts
from service.cli.demo import DATA
from service.intake import attendance_claims
from service.issuing import endorsing
from service.participation.joining import join_requests
from service.runtime.runtime import Runtime
from service.sharing import returning
from service.tables import Claim, Member, Network
from tests.worlds import databases, listening
from tests.worlds.acting import confirm
from tests.worlds.runtimes import BASE_URL, Clock, app_of, settings_in, start, whole_app_of
from tests.worlds.signing_in import claim

SLUG = "example-valley"
AT = datetime(2026, 9, 21, 12, tzinfo=UTC)
"""When the examples are played: the demo's two weeks are over."""
NOBODY, ADMIN, NETWORK = "nobody", "admin", "network"
RETURNING = "teacher-5"
"""The member who lost their mailbox."""
MIXED_UP = "teacher-4"
"""The member whose code on paper somebody else has used."""
HELD = "circle-4"
"""The session in which somebody says that they were."""
BOUND = ("facilitator-1", "teacher-2")
"""The members for whom there is a token."""
MEMBERS_SCOPES = tuple(scope for scope in callers.SCOPES if scope != "admin")
NETWORK_SCOPES = tuple(set(MEMBERS_SCOPES) - {"awards:approve", "cases:write", "cases:decide"})
ENDORSED = "The feedback on my drafts was always kind and to the point."
"""What a member said of a badge, and its recipient shows."""
REVIEWED = ("teacher-1", "teacher-2")
"""The members who are given the achievement that needs a request."""


@dataclass(frozen=True)
class DemoNetwork:
    """A service with the demo's network in it: its folder, and a token for each caller."""

    folder: Path
    base_url: str
    tokens: dict[str, str]

    @contextmanager
    def copied(self, folder: Path) -> Iterator["Stage"]:
        """Yield a copy of the service to play on; what happens to it happens to no other."""
        shutil.copytree(self.folder, folder)
        with start(settings_in(folder, base_url=self.base_url), Clock(AT)) as runtime:
            yield Stage(_client(runtime), self.tokens)

    @contextmanager
    def live(self, listening_at: socket.socket) -> Iterator["Live"]:
        """Let the service itself answer at a socket that listens on the port of its base URL."""
        given = settings_in(self.folder, base_url=self.base_url)
        with start(given, Clock(AT)) as runtime:
            app = whole_app_of(runtime)
            with listening.serving(app, listening_at):
                yield Live(f"{self.base_url}/v1/networks/{SLUG}", self.base_url, self.tokens, app)


@dataclass(frozen=True)
class Live:
    """A service that listens: the addresses of its network and of itself, a token for each caller, and its application."""

    network: str
    base_url: str
    tokens: dict[str, str]
    app: FastAPI


@dataclass(frozen=True)
class Stage:
    """A service to play on, and a token for each caller."""

    client: TestClient
    tokens: dict[str, str]

    @property
    def app(self) -> Any:
        """The application that answers."""
        return self.client.app

    def known(self, **more: str) -> "Stage":
        """Return the stage with further tokens."""
        return replace(self, tokens=self.tokens | more)

    def send(self, method: str, path: str, caller: str, **body: Any) -> httpx2.Response:
        """Send a request with the token of a caller, and return the answer."""
        headers = {"Accept": "application/json", **body.pop("headers", {})}
        if caller != NOBODY:
            headers["Authorization"] = f"Bearer {self.tokens.get(caller, caller)}"
        return self.client.request(method, path, headers=headers, **body)


def build(folder: Path, base_url: str = BASE_URL) -> DemoNetwork:
    """Make the demo's network in a folder: what `laurel demo` posts, and the badges that follow from it."""
    databases.migrated_sqlite(folder / "laurel.db")
    with start(settings_in(folder, base_url=base_url), Clock(AT)) as runtime:
        stage = Stage(_client(runtime), {ADMIN: _token(runtime, ["admin"])})
        _ok(stage.send("POST", "/v1/networks", ADMIN, json=_data("network.json")))
        confirm(runtime, SLUG)
        stage = stage.known(**{NETWORK: _token(runtime, NETWORK_SCOPES, SLUG)})
        root = f"/v1/networks/{SLUG}"
        for rubric in _data("rubrics.json"):
            _ok(stage.send("PUT", f"{root}/rubrics/{rubric['ref']}", NETWORK, json=rubric))
        for achievement in _data("achievements.json"):
            _ok(stage.send("POST", f"{root}/achievements", NETWORK, json=achievement))
        for member in _lines("members.ndjson"):
            _ok(stage.send("POST", f"{root}/members", NETWORK, json=member))
        for meeting in _data("sessions.json"):
            _ok(stage.send("POST", f"{root}/sessions", NETWORK, json=meeting))
        for what in ("contributions", "evaluations"):
            for record in _lines(f"{what}.ndjson"):
                _ok(stage.send("POST", f"{root}/{what}", NETWORK, json=record))
        for member in REVIEWED:
            award = {"achievement": "formative-feedback", "member": member}
            _ok(stage.send("POST", f"{root}/awards", NETWORK, json=award))
        _have_return(runtime, RETURNING)
        _have_claimed_on_paper(runtime, MIXED_UP)
        window = {"closes_at": "2026-09-22T12:00:00Z"}
        code = stage.send("POST", f"{root}/sessions/{HELD}/attendance-code", NETWORK, json=window)
        _ok(code)
        _have_attended(runtime, code.json()["code"], "Teacher 6")
        found = {"listed": True, "interests": ["writing", "feedback"], "joining": "form"}
        _ok(stage.send("PUT", f"{root}/listing", NETWORK, json=found))
        _have_asked_to_join(runtime, "reader@elsewhere.example")
        badge = {"member": "teacher-1", "achievement": "active-peer"}
        found = stage.client.get(f"{root}/credentials", params=badge, headers=_bearer(stage.tokens[NETWORK])).json()
        path = f"{root}/credentials/{found['items'][0]['id']}/endorsements"
        endorsed = stage.send("POST", path, NETWORK, json={"member": "teacher-2", "comment": ENDORSED})
        _ok(endorsed)
        _show(runtime, found["items"][0]["id"], endorsed.json()["id"])
        bound = {member: _token(runtime, MEMBERS_SCOPES, SLUG, member) for member in BOUND}
        return DemoNetwork(folder, base_url, stage.tokens | bound)


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _show(runtime: Runtime, badge: str, endorsement: str) -> None:
    """Have a recipient show an endorsement on the page of their badge."""
    with runtime.database.write() as session:
        network = session.query(Network).filter_by(slug=SLUG).one()
        endorsing.choose(Act(session, network, None, AT), runtime, badge, {endorsement: "page"})


def _have_return(runtime: Runtime, ref: str) -> None:
    """Have a member return after they lost their mailbox: two have vouched, and the seven days run."""
    said = {"network": SLUG, "lost": f"{ref}@example-valley.example", "name": ref.replace("-", " ").capitalize()}
    with runtime.database.write() as session:
        account = accounts.with_address(session, f"{ref}@elsewhere.example", AT)
        returning.begin_silence(session, returning.ask(session, runtime, account.id, said, AT), AT)


def _have_claimed_on_paper(runtime: Runtime, ref: str) -> None:
    """Have somebody else claim what a member earned, with a code on paper."""
    claim(runtime, SLUG, ref, "somebody@elsewhere.example")
    with runtime.database.write() as session:
        member = session.query(Member).filter_by(ref=ref).one()
        of = {"network_id": member.network_id, "member_id": member.id}
        moments = {"made_at": AT, "expires_at": AT + timedelta(days=90), "used_at": AT}
        session.add(Claim(means="paper", state="used", **of, **moments))


def _have_attended(runtime: Runtime, code: str, name: str) -> None:
    """Have somebody whom the network does not know by their address say that they were in a session."""
    with runtime.database.write() as session:
        account = accounts.with_address(session, "guest@elsewhere.example", AT)
        attendance_claims.claim(session, runtime, code, account.id, AT, name=name)


def _have_asked_to_join(runtime: Runtime, address: str) -> None:
    """Have somebody ask to join by the form on the network's page."""
    with runtime.database.write() as session:
        account = accounts.with_address(session, address, AT)
        said = {"name": "Teacher 31", "message": "I teach writing in grade 7.", "address": address}
        join_requests.ask(session, SLUG, account.id, said, AT)


def _client(runtime: Runtime) -> TestClient:
    app = app_of(runtime)
    app.state.watch.look()  # which a service does every few seconds
    return TestClient(app, base_url=BASE_URL, raise_server_exceptions=False)


def _token(runtime: Runtime, scopes: Any, slug: str | None = None, ref: str | None = None) -> str:
    with runtime.database.write() as session:
        network = session.query(Network).filter_by(slug=slug).one() if slug else None
        member = session.query(Member).filter_by(ref=ref).one() if ref else None
        expires_at = AT + timedelta(days=90)
        _, text = tokens.create_token(
            session,
            name=ref or "Demonstration",
            scopes=scopes,
            network=network,
            member=member,
            now=AT,
            expires_at=expires_at,
        )
    return text


def _ok(answer: httpx2.Response) -> None:
    assert answer.is_success, answer.text


def _data(name: str) -> Any:
    return json.loads((DATA / name).read_text(encoding="utf-8"))


def _lines(name: str) -> list[Any]:
    return [json.loads(line) for line in (DATA / name).read_text(encoding="utf-8").splitlines()]
