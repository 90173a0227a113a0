"""`laurel demo`: from evidence to badge in a small fictional network, over HTTP.

It tells each step in a plain sentence. The network's data are in `service/cli/examples`, for a reader to open.
"""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import uvicorn

from credentials import Fetched, Report, verify
from credentials.proofs.dids import did_web_url
from service.access import callers, tokens
from service.app import create_app
from service.notifications import mail
from service.runtime.clock import utc_now
from service.runtime.fetching import Fetcher
from service.runtime.runtime import Runtime
from service.runtime.settings import Settings
from service.storage import migrations

DATA = Path(__file__).parent / "examples"
PREFERRED_PORT = 8000
REVIEWED = "formative-feedback"
SHOWN_MEMBER = "teacher-1"
REVOKED_MEMBER = "teacher-2"

Say = Callable[[str], None]


def play(folder: Path, say: Say) -> None:
    """Play the demo, and leave the badge in `folder`.

    The files are `badge.json`, `.jwt`, `.png`, `.bundle.json` and `documents.json`.

    Args:
        folder: a folder of its own; the files of an earlier demo in it are replaced.
        say: takes each line for the reader.
    """
    settings = _settings(folder)
    runtime = Runtime.start(settings)
    migrations.upgrade(runtime.database)
    with _served(runtime), httpx2.Client(base_url=settings.base_url, timeout=30) as client:
        _play(_Stage(client, settings, folder, say), runtime)


@dataclass(frozen=True)
class _Stage:
    client: httpx2.Client
    settings: Settings
    folder: Path
    say: Say

    def send(self, method: str, path: str, token: str, **body: Any) -> Any:
        """Send a request as a network's program does, and return its JSON answer."""
        answer = self.client.request(method, path, headers={"Authorization": f"Bearer {token}"}, **body)
        if answer.status_code >= 400:
            raise RuntimeError(f"{method} {path} answered {answer.status_code}: {answer.text}")
        return answer.json()

    def post_lines(self, path: str, token: str, name: str) -> str:
        """Post a file of records, one a line, and return how many were accepted: all of them."""
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/x-ndjson"}
        answer = self.client.post(f"{path}/bulk", headers=headers, content=(DATA / name).read_bytes())
        *_, last = map(json.loads, answer.text.splitlines() or ["{}"])
        if last.get("status") != "complete" or last["counts"].keys() != {"accepted"}:
            raise RuntimeError(f"{name}: {answer.text}")
        return f"{last['counts']['accepted']}"


def _play(stage: _Stage, runtime: Runtime) -> None:
    say, now = stage.say, runtime.now()
    network = _data("network.json")
    with runtime.database.write() as session:
        expires_at = now + timedelta(days=1)
        _, admin = tokens.create_token(
            session, name="demo", scopes=["admin"], network=None, now=now, expires_at=expires_at
        )
    stage.send("POST", "/v1/networks", admin, json=network)
    root = f"/v1/networks/{network['slug']}"
    stage.send("PUT", f"{root}/confirmation", admin, json={"name": network["name"]})
    made = stage.send(
        "POST", f"{root}/tokens", admin, json={"name": "demo", "scopes": callers.default_scopes(bound=False)}
    )
    token = made["token"]
    say(f"1. A network: {network['name']}, {stage.settings.base_url}/networks/{network['slug']}")

    for rubric in _data("rubrics.json"):
        stage.send("PUT", f"{root}/rubrics/{rubric['ref']}", token, json=rubric)
        say(f"   posts the rubric “{rubric['name']}”, by which it judges,")
    for achievement in _data("achievements.json"):
        stage.send("POST", f"{root}/achievements", token, json=achievement)
        say(f"   publishes the criteria of “{achievement['name']}” ({achievement['award']}).")
    say(f"2. It posts {stage.post_lines(f'{root}/members', token, 'members.ndjson')} members,")
    sessions = _data("sessions.json")
    for meeting in sessions:
        stage.send("PUT", f"{root}/sessions/{meeting['ref']}", token, json=meeting)
    contributions = stage.post_lines(f"{root}/contributions", token, "contributions.ndjson")
    evaluations = stage.post_lines(f"{root}/evaluations", token, "evaluations.ndjson")
    say(f"   {len(sessions)} meetings, {contributions} contributions and {evaluations} evaluations of two weeks.")

    _award_reviewed(stage, root, token)
    issued = stage.send("GET", f"{root}/credentials", token, params={"limit": 200})["items"]
    say(f"3. {len(issued)} badges are issued. The rules decided; every one says on which evidence:")
    for item in issued:
        say(f"   {item['member']:<12} {item['name']:<20} {item['url']}")
    _await_messages(stage, len(issued))

    shown = next(item for item in issued if item["member"] == SHOWN_MEMBER and item["achievement"] == REVIEWED)
    _show_stranger(stage, shown["url"])
    revoked = next(item for item in issued if item["member"] == REVOKED_MEMBER)
    _show_revocation(stage, token, revoked)
    _leave_files(stage, shown["url"])


def _await_messages(stage: _Stage, count: int) -> None:
    """Wait until every educator was told about their badge.

    A badge that is revoked before that is told to nobody.
    """
    deadline = time.monotonic() + 30
    while len(list(mail.outbox_folder(stage.settings).glob("*.eml"))) < count:
        if time.monotonic() > deadline:
            raise RuntimeError("the messages to the educators were not written")
        time.sleep(0.05)
    stage.say(f"   {count} educators' messages with these links lie in {mail.outbox_folder(stage.settings)}.")


def _award_reviewed(stage: _Stage, root: str, token: str) -> None:
    """Award the reviewed achievement to those who meet its criteria.

    Show the answer for somebody who does not.
    """
    for member in (SHOWN_MEMBER, REVOKED_MEMBER):
        stage.send("POST", f"{root}/awards", token, json={"achievement": REVIEWED, "member": member})
    headers = {"Authorization": f"Bearer {token}"}
    refused = stage.client.post(
        f"{root}/awards", headers=headers, json={"achievement": REVIEWED, "member": "teacher-3"}
    )
    problem = refused.json()
    stage.say(f"   For teacher-3 the service declines ({refused.status_code} {problem['code']}): {problem['detail']}")


def _show_stranger(stage: _Stage, url: str) -> None:
    say = stage.say
    report = _as_stranger(stage, url)
    say(f"4. A stranger, with nothing but {url}")
    say(f"   finds it {report.verdict}: {_listed(report)}.")
    tampered = json.loads(stage.client.get(url + ".json").text)
    tampered["credentialSubject"]["achievement"]["name"] = "Doctor of Everything"
    report = _as_stranger(stage, url, json.dumps(tampered))
    failed = next(check for check in report.checks if check.outcome == "failed")
    say(
        f"   A copy that says “Doctor of Everything” is {report.verdict}: {failed.name} failed ({failed.findings[0].message})."
    )


def _show_revocation(stage: _Stage, token: str, item: Mapping[str, Any]) -> None:
    path = urlsplit(item["url"]).path
    stage.send("POST", f"/v1{path}/revocation", token, json={"reason": "Demonstration of a revocation."})
    report = _as_stranger(stage, item["url"])
    failed = next(check for check in report.checks if check.outcome == "failed")
    stage.say(f"5. The network revokes a badge of {item['member']}: {item['url']}")
    stage.say(f"   The stranger finds it {report.verdict}: {failed.name} failed ({failed.findings[0].message}).")


def _as_stranger(stage: _Stage, url: str, text: str | None = None) -> Report:
    """Verify with the library alone, over HTTP.

    This needs neither our database nor an account.
    """
    fetcher = Fetcher(allow_localhost=stage.settings.local)
    received = text if text is not None else fetcher.fetch(url).body
    return verify(received, now=utc_now(), load=fetcher.fetch)


def _listed(report: Report) -> str:
    return ", ".join(f"{check.name} {check.outcome}" for check in report.checks)


def _leave_files(stage: _Stage, url: str) -> None:
    """Write the badge in all its forms, and the documents that a verifier asks for.

    The documents are in one file, by address.
    """
    fetcher = Fetcher(allow_localhost=stage.settings.local)
    documents: dict[str, Any] = {}

    def load(address: str) -> Fetched:
        found = fetcher.fetch(address)
        text = found.body.decode()
        documents[address] = json.loads(text) if text.startswith("{") else text
        return found

    for form in ("json", "jwt", "png"):
        content = stage.client.get(f"{url}.{form}").content
        (stage.folder / f"badge.{form}").write_bytes(content)
        if form != "png":
            verify(content, now=utc_now(), load=load)
    (stage.folder / "badge.bundle.json").write_bytes(stage.client.get(f"{url}.bundle").content)
    credential = json.loads((stage.folder / "badge.json").read_bytes())
    did = credential["issuer"]["id"]
    documents[did] = documents.get(did_web_url(did)) or json.loads(load(did_web_url(did)).body)
    documents[url] = credential
    (stage.folder / "documents.json").write_text(json.dumps(documents, ensure_ascii=False, indent=1) + "\n")
    stage.say(
        f"Left in {stage.folder}: badge.json, badge.jwt, badge.png, documents.json (what verifiers ask for, by address),"
    )
    stage.say("badge.bundle.json, which `laurel verify` checks with the network unplugged, and laurel.db.")
    verified = f"LAUREL_DATABASE_URL={stage.settings.database_url} LAUREL_BASE_URL={stage.settings.base_url}"
    stage.say(f"Look around: {verified} LAUREL_KEYS_FOLDER={stage.folder}/keys .venv/bin/laurel serve")


def _settings(folder: Path) -> Settings:
    folder.mkdir(parents=True, exist_ok=True)
    for old in [
        *folder.glob("laurel.db*"),
        *folder.glob("badge.*"),
        *folder.glob("outbox/*.eml"),
        *folder.glob("keys/*"),
    ]:
        old.unlink()
    return Settings(
        database_url=f"sqlite:///{folder / 'laurel.db'}",
        base_url=f"http://localhost:{_free_port()}",
        keys_folder=folder / "keys",
        data_folder=folder,
        keys_passphrase=None,
        mail_url="",
        _env_file=None,
    )


def _free_port() -> int:
    """Return port 8000 if it is free, or else any free port."""
    for port in (PREFERRED_PORT, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise RuntimeError("no free port")


@contextmanager
def _served(runtime: Runtime) -> Iterator[None]:
    """Run the service beside this block, and stop it at the end."""
    port = urlsplit(runtime.settings.base_url).port or PREFERRED_PORT
    config = uvicorn.Config(create_app(runtime), host="127.0.0.1", port=port, log_level="warning", access_log=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, name="laurel-demo", daemon=True)
    thread.start()
    try:
        deadline = time.monotonic() + 30
        while not server.started:
            if time.monotonic() > deadline or not thread.is_alive():
                raise RuntimeError(f"the service did not start on port {port}")
            time.sleep(0.02)
        yield
    finally:
        server.should_exit = True
        thread.join(timeout=30)


def _data(name: str) -> Any:
    return json.loads((DATA / name).read_text(encoding="utf-8"))
