"""Speak with the VC API as the W3C's conformance suites do: the same bodies, the same two answers."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient
from httpx2 import Response

from credentials import PrivateKeySigner
from credentials.proofs.data_integrity import create_proof
from service.runtime.runtime import Runtime
from service.vc_api import keys, vc_api
from tests.worlds import databases
from tests.worlds.runtimes import BASE_URL, Clock, app_of, settings_in, start

V1 = "https://www.w3.org/2018/credentials/v1"
V2 = "https://www.w3.org/ns/credentials/v2"
DATA_INTEGRITY = "https://w3id.org/security/data-integrity/v2"
EXAMPLES = "https://www.w3.org/ns/credentials/examples/v2"
SUBJECT = {"id": "did:example:subject"}
CREDENTIAL = {"@context": [V2], "type": ["VerifiableCredential"], "credentialSubject": SUBJECT}
OLDER = CREDENTIAL | {"@context": [V1], "issuanceDate": "2020-03-16T22:37:26.544Z"}


class Machine:
    """A caller of the VC API; the last answer is kept in `answer`."""

    def __init__(self, client: TestClient, runtime: Runtime) -> None:
        self.client = client
        self.runtime = runtime
        self.answer: Response | None = None

    def post(self, path: str, body: Any) -> Response:
        """Send a body; what is not a problem of the caller's is raised here."""
        self.answer = self.client.post(path, json=body)
        assert self.answer.status_code in {200, 201, 400, 404}, self.answer.text
        return self.answer

    def issuer(self, **options: Any) -> str:
        """Return the issuer for which the service signs with these options; a suite has it in its configuration."""
        read = vc_api.read_options(self.runtime.settings, options, self.runtime.now())
        return keys.identity(self.runtime, read.key_type).did

    def issue(self, credential: Mapping[str, Any], **options: Any) -> dict[str, Any]:
        """Return the credential as it was issued for the service's own issuer, which it has to be."""
        sent = {"issuer": self.issuer(**options)} | dict(credential)
        answer = self.post("/vc/credentials/issue", {"credential": sent, "options": options})
        assert answer.status_code == 201, answer.text
        issued: dict[str, Any] = answer.json()["verifiableCredential"]
        return issued

    def refuses(self, credential: Mapping[str, Any], **options: Any) -> str:
        """Return the code with which the credential is refused, which it has to be.

        What is wrong is not its issuer, if it names none.
        """
        sent = {"issuer": self.issuer()} | dict(credential)
        answer = self.post("/vc/credentials/issue", {"credential": sent, "options": options})
        assert answer.status_code == 400, answer.text
        return self._code(answer)

    def accepts(self, credential: object, **options: Any) -> bool:
        """Return whether the credential verifies."""
        body = {"verifiableCredential": credential, "options": {"checks": ["proof"]} | options}
        return self._verified(self.post("/vc/credentials/verify", body))

    def accepts_presentation(self, presentation: object, **options: Any) -> bool:
        """Return whether the presentation verifies."""
        body = {"verifiablePresentation": presentation, "options": {"checks": []} | options}
        return self._verified(self.post("/vc/presentations/verify", body))

    def code(self) -> str:
        """Return the code of the last answer, a refusal."""
        assert self.answer is not None
        return self._code(self.answer)

    def _verified(self, answer: Response) -> bool:
        said: bool = answer.json()["verified"]
        assert (answer.status_code == 200) == said, answer.text
        assert "errors" not in answer.json() or not said
        return said

    def _code(self, answer: Response) -> str:
        problem = answer.json()
        assert answer.headers["content-type"] == "application/problem+json"
        assert problem["type"].startswith("https://")
        return str(problem["code"])


@contextmanager
def machine(folder: Path, **given: Any) -> Iterator[Machine]:
    """Give a caller of a service of its own, on an empty database."""
    databases.migrated_sqlite(folder / "laurel.db")
    given = {"vc_api": True} | given
    with (
        start(settings_in(folder, **given), Clock()) as runtime,
        TestClient(app_of(runtime), base_url=BASE_URL) as client,
    ):
        yield Machine(client, runtime)


def did_of(signer: PrivateKeySigner) -> str:
    """Return the did:key of a signer."""
    return f"did:key:{signer.key.multikey}"


def signed(
    document: Mapping[str, Any],
    signer: PrivateKeySigner,
    machine: Machine,
    suite: str = "eddsa-rdfc-2022",
    **options: Any,
) -> dict[str, Any]:
    """Return a document with one proof more, made by hand: nothing about it is checked."""
    method = f"{did_of(signer)}#{signer.key.multikey}"
    proof = create_proof(
        document,
        signer,
        suite=suite,
        verification_method=method,
        created=machine.runtime.now(),
        contexts=machine.runtime.inline_contexts,
        **options,
    )
    existing = document.get("proof", [])
    return {**document, "proof": [*existing, proof] if existing else proof}
