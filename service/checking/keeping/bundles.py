"""Bundles: a badge and all documents that a check needs, in one file.

A bundle is checked without a network. The file is JSON of the form "laurel-bundle/1" and has no signature of its own:
someone who makes one can write anything into it. So it is worth what the signatures in it are worth, and those depend
on the issuer's keys (`offline`).

    form        "laurel-bundle/1"
    credential  the badge as text, exactly as received: JSON or compact JWT (of a picture what is baked into it)
    made_at     when, RFC 3339 in UTC
    evidence    whether others were also asked for what belongs to this badge alone
    documents   address -> {media_type, fetched_at, sha256, body or base64}

`fetched_at` is when the document was fetched, to within the minute for which the client keeps one. `sha256` is of its
bytes, in hexadecimal; `body` is the document as text where it is UTF-8, `base64` its bytes where it is not. The
documents are those that the check loads (DID documents, keys, status lists, schemas), the contexts that any of these
name, in the edition in use here, and the receipt of the decision, the rule that decided, and other evidence that the
badge cites by digest: ours always, others' where `evidence` is true.
"""

import base64
import binascii
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from hashlib import sha256
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import Field, StringConstraints, TypeAdapter, model_validator

from credentials import Contexts, CredentialError, Fetched, Report, UnavailableError, extract, parse_json, reading
from credentials.bake import is_image
from credentials.instants import write_instant
from service.bodies import Body, Instant, validated
from service.checking import verification
from service.checking.basis import comparison
from service.errors import InvalidError, TooLargeError
from service.public import addresses
from service.runtime.runtime import Runtime

FORM: Final = "laurel-bundle/1"
MEDIA_TYPE: Final = "application/json"
FILE_NAME: Final = "badge.bundle.json"
MAX_BUNDLE_BYTES: Final = 12 * 1024 * 1024
MAX_DOCUMENTS: Final = 80
MAX_CONTEXTS: Final = 32
_MAX_ADDRESS_CHARS: Final = 4096


class DocumentIn(Body):
    """A document as it is written in a bundle."""

    media_type: str = Field(max_length=200, description="as it was served, without parameters; may be empty")
    fetched_at: Instant
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    body: str | None = Field(None, description="the document, where it is text in UTF-8")
    base64: str | None = Field(None, description="its bytes, where it is not")

    @model_validator(mode="after")
    def _one(self) -> "DocumentIn":
        if (self.body is None) == (self.base64 is None):
            raise ValueError("expected exactly one of body and base64")
        return self


class BundleIn(Body):
    """A bundle as it is written in a file."""

    form: Literal["laurel-bundle/1"]
    credential: str = Field(description="the badge as text, exactly as received: JSON or compact JWT")
    made_at: Instant
    evidence: bool = Field(description="whether everybody was asked: also for what is of this badge alone")
    documents: dict[Annotated[str, StringConstraints(max_length=_MAX_ADDRESS_CHARS)], DocumentIn] = Field(
        max_length=MAX_DOCUMENTS, description="by address: everything that a check of the badge asks for"
    )


_SHAPE: Final = TypeAdapter(BundleIn)


@dataclass(frozen=True)
class Document:
    """A document in a bundle, and when it was fetched, according to the maker of the bundle."""

    body: bytes
    media_type: str
    fetched_at: datetime

    def to_json(self) -> dict[str, str]:
        """Return it as it is written in a bundle."""
        said = {
            "media_type": self.media_type,
            "fetched_at": write_instant(self.fetched_at),
            "sha256": sha256(self.body).hexdigest(),
        }
        try:
            text = self.body.decode()
        except UnicodeDecodeError:
            text = "\0"
        return said | ({"base64": base64.b64encode(self.body).decode()} if "\0" in text else {"body": text})


@dataclass(frozen=True)
class Bundle:
    """A badge and its documents.

    The maker of the file may have written anything into it.

    Args:
        credential: the badge as text.
        evidence: whether others were also asked for what belongs to this badge alone.
        documents: by address.
    """

    credential: str = field(repr=False)
    made_at: datetime
    evidence: bool
    documents: Mapping[str, Document] = field(repr=False)

    def load(self, url: str) -> Fetched:
        """Return the document at an address, without a network.

        Raises:
            UnavailableError: it is not in the bundle (code "document-not-in-bundle").
        """
        found = self.documents.get(url)
        if found is None:
            host = urlsplit(url).netloc if url.isascii() else "another"
            raise UnavailableError("document-not-in-bundle", f"The bundle holds no document of {host[:100]} for this.")
        return Fetched(found.body, found.media_type)

    def to_bytes(self) -> bytes:
        """Return the file.

        Raises:
            TooLargeError: it would be larger than a reader accepts (code "bundle-too-large").
        """
        said = {
            "form": FORM,
            "credential": self.credential,
            "made_at": write_instant(self.made_at),
            "evidence": self.evidence,
            "documents": {url: document.to_json() for url, document in self.documents.items()},
        }
        content = json.dumps(said, ensure_ascii=False, indent=1).encode() + b"\n"
        if len(content) > MAX_BUNDLE_BYTES or len(self.documents) > MAX_DOCUMENTS:
            raise _too_large()
        return content

    @property
    def etag(self) -> str:
        """A weak entity tag: equal for two bundles that differ only in their times."""
        digest = sha256(self.credential.encode())
        for url, document in sorted(self.documents.items()):
            digest.update(sha256(url.encode()).digest() + sha256(document.body).digest())
        return f'W/"{digest.hexdigest()[:32]}"'


# --- Reading ---------------------------------------------------------------------------------------------------------


def is_bundle(content: bytes) -> bool:
    """Return whether a file says that it is a bundle, of any version."""
    if b'"laurel-bundle/' not in content:
        return False
    try:
        said = parse_json(content, max_bytes=MAX_BUNDLE_BYTES)
    except CredentialError:
        return False
    form = said.get("form") if isinstance(said, dict) else None
    return isinstance(form, str) and form.startswith("laurel-bundle/")


def read(content: bytes) -> Bundle:
    """Read the bundle in a file, which anybody may have made.

    1. It is strict JSON of this form, within bounds, with nothing else in it.
    2. Each document has the digest given with it.

    Raises:
        InvalidError: "bundle-malformed" (1), "bundle-digest" (2), each with a pointer into the file.
    """
    try:
        said = validated(_SHAPE, parse_json(content, max_bytes=MAX_BUNDLE_BYTES))  # (1)
    except CredentialError as error:
        raise InvalidError("bundle-malformed", f"Bundle: {error.message}.", error.pointer) from error
    except InvalidError as error:
        raise InvalidError("bundle-malformed", f"Bundle: {error.message}", error.pointer) from error
    documents = {}
    for index, (url, document) in enumerate(said.documents.items()):
        body = _bytes_of(document)
        if body is None or sha256(body).hexdigest() != document.sha256:  # (2)
            message = f"Expected document {index + 1} of the bundle to have the digest beside it, got other bytes."
            raise InvalidError("bundle-digest", message, "/documents")
        documents[url] = Document(body, document.media_type, document.fetched_at)
    return Bundle(said.credential, said.made_at, said.evidence, documents)


def _bytes_of(document: DocumentIn) -> bytes | None:
    if document.body is not None:
        return document.body.encode()
    try:
        return base64.b64decode(document.base64 or "", validate=True)
    except (binascii.Error, ValueError):
        return None


def _too_large() -> TooLargeError:
    message = f"Expected a badge whose documents are at most {MAX_BUNDLE_BYTES} bytes, got more."
    return TooLargeError("bundle-too-large", message)


# --- Making ----------------------------------------------------------------------------------------------------------


def make(runtime: Runtime, received: bytes, *, evidence: bool = False) -> Bundle:
    """Make the bundle of a credential of any issuer, good or bad.

    A document that cannot be fetched is not in it; a check of the bundle then says "could not check".

    Args:
        received: JSON text, compact JWS, PNG or SVG.
        evidence: ask others also for what belongs to this badge alone, and for the evidence that it cites.
    Raises:
        InvalidError: it is not a credential (code "not-a-credential").
        TooLargeError: its documents are larger than a reader of bundles accepts (code "bundle-too-large").
    """
    text = _text_of(received)
    recorder = _Recorder(runtime)
    report = verification.verify_received(runtime, text, documents=recorder.load, discreet=not evidence)
    if report.credential is None:
        raise InvalidError("not-a-credential", f"Expected a credential, got none: {_reason(report)}.")
    if report.older is not None:
        message = (
            "Expected a credential, got a badge of Open Badges 2.0 or before, which only its issuer's address confirms."
        )
        raise InvalidError("not-a-credential", message)
    if report.is_proven:  # otherwise anybody may have written its addresses
        load = partial(recorder.load_quietly, ask=evidence)
        comparison.look(runtime, report.credential, report, ask=True, load=load, rows=False)
    documents = recorder.documents | _contexts(runtime.contexts, report.credential, recorder)
    return Bundle(text, recorder.now, evidence, documents)


def of_ours(runtime: Runtime, credential_id: str) -> Bundle | None:
    """Return the bundle of the credential at a public address of ours.

    Return None where there is none.
    """
    from service.public import documents

    with runtime.database.read() as session:
        row = documents.visible_credential(session, credential_id)
        signed = None if row is None else row.signed
    return None if signed is None else make(runtime, signed.encode())


class _Recorder:
    """Loads documents as any check does, and records each with the time."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._left = MAX_BUNDLE_BYTES
        self.now = runtime.now()
        self.documents: dict[str, Document] = {}

    def load(self, url: str) -> Fetched:
        """Load the document at an address, and record it."""
        found = verification.load(self._runtime, url)
        self._left -= len(found.body)
        if self._left < 0:
            raise _too_large()
        self.documents[url] = Document(found.body, found.media_type[:200], self._runtime.now())
        return found

    def load_quietly(self, url: str, *, ask: bool) -> Fetched:
        """Return a document that is recorded or ours or, where others may be asked, theirs."""
        if url in self.documents:
            return Fetched(self.documents[url].body, self.documents[url].media_type)
        if not ask and not addresses.is_ours(self._runtime.settings, url):
            raise UnavailableError("document-not-asked", "What lies with others was not to be asked for.")
        return self.load(url)


def _text_of(received: bytes) -> str:
    try:
        return extract(received) if is_image(received) else received.decode()
    except CredentialError as error:
        raise InvalidError("not-a-credential", f"Expected a credential, got none: {error.message}.") from error
    except UnicodeDecodeError as error:
        raise InvalidError("not-a-credential", "Expected a credential as text, PNG or SVG, got other bytes.") from error


def _reason(report: Report) -> str:
    return next(finding.message for check in report.checks for finding in check.findings)


def _contexts(contexts: Contexts, credential: Mapping[str, Any], recorder: _Recorder) -> dict[str, Document]:
    """Return our editions of the contexts that the credential or a document names.

    None is fetched.
    """
    named: dict[str, None] = {}
    for value in (credential, *map(_parsed, recorder.documents.values())):
        for url in _context_addresses(value):
            if url in contexts and len(named) < MAX_CONTEXTS:
                named[url] = None
    return {url: Document(contexts.editions(url)[0].read(), "application/ld+json", recorder.now) for url in named}


def _parsed(document: Document) -> Any:
    try:
        return parse_json(document.body)
    except CredentialError:
        return None  # a JWT or a picture names no contexts to look up


def _context_addresses(value: Any) -> Iterator[str]:
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting.extend(value)
        elif isinstance(value, Mapping):
            yield from reading.texts(value.get("@context"))
            waiting.extend(inner for name, inner in value.items() if name != "@context")
