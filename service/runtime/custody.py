"""Private keys: made, stored and used here, and read nowhere else.

A key's custody URI says where its private half is. `file:NAME` is an encrypted PKCS #8 file in the
key folder; further kinds of custody can be added to `Custody.signer`.

Secrets that we share with others (those of webhooks) are many and are created and deleted with rows: they are
in the database, locked with the same passphrase (`Custody.lock`).
"""

import base64
import hashlib
import os
import secrets
import threading
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Literal

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from credentials import PrivateKeySigner, Signer
from service.errors import CustodyError
from service.runtime.settings import Settings
from service.storage import private_files

PASSPHRASE_FILE = "development.passphrase"  # noqa: S105  (a file name)
SALT_BYTES, NONCE_BYTES = 16, 12
Fault = Literal["keys-missing", "passphrase-wrong"]
FAULTS: Mapping[str, str] = {
    "keys-missing": "A signing key is not in the key folder, or the folder is missing.",
    "passphrase-wrong": "The passphrase does not open the signing keys.",
}
"""Why a key cannot be opened, as an operator reads it."""


class Custody:
    """The key folder, opened with the passphrase.

    Args:
        settings: `keys_folder` and `keys_passphrase`; on localhost a missing passphrase is made and put there.
    """

    def __init__(self, settings: Settings) -> None:
        self._folder = settings.keys_folder
        if any(self._folder.glob("*.pem")):
            private_files.close_to_others(self._folder)
        self._given = settings.keys_passphrase
        self._signers: dict[str, Signer] = {}
        self._opened: dict[str, tuple[int, ...]] = {}
        self._salt = secrets.token_bytes(SALT_BYTES)
        self._locks: dict[bytes, AESGCM] = {}
        self._lock = threading.Lock()

    def create(self, algorithm: str) -> tuple[str, Signer]:
        """Make a private key, store it encrypted, and return its custody URI and signer.

        Args:
            algorithm: "Ed25519", "P-256", "P-384" or "RSA" (3,072 bits).
        Raises:
            CustodyError: the folder cannot be written (code "custody-unavailable").
        """
        private: ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
        if algorithm == "Ed25519":
            private = ed25519.Ed25519PrivateKey.generate()
        elif algorithm == "P-256":
            private = ec.generate_private_key(ec.SECP256R1())
        elif algorithm == "P-384":
            private = ec.generate_private_key(ec.SECP384R1())
        else:
            private = rsa.generate_private_key(public_exponent=65537, key_size=3072)
        signer = PrivateKeySigner(private)
        encryption = BestAvailableEncryption(self._passphrase(make=True))
        name = f"{signer.key.thumbprint}.pem"
        try:
            _write_secret(self._folder / name, private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption))
        except OSError as error:
            raise CustodyError(
                "custody-unavailable", "The private key could not be kept; nothing has changed."
            ) from error
        uri = f"file:{name}"
        with self._lock:
            self._signers[uri] = signer
        return uri, signer

    def signer(self, custody_uri: str) -> Signer:
        """Return the signer of a key, which is opened once and then kept in memory.

        Raises:
            CustodyError: the file is unusable or the passphrase does not open it (code "custody-unavailable").
        """
        with self._lock:
            if custody_uri not in self._signers:
                self._signers[custody_uri] = self._open(custody_uri)
            return self._signers[custody_uri]

    def fault(self, custody_uri: str) -> Fault | None:
        """Return why a key could not be opened now; None if it could.

        It looks at the file, whatever is in memory. A file that was opened before, and has not changed, is not opened
        again: there can be thousands.
        """
        try:
            found = (self._folder / custody_uri.partition(":")[2]).stat()
            seen = (found.st_ino, found.st_mtime_ns, found.st_size)
            if self._opened.get(custody_uri) != seen:
                self._open(custody_uri)
                self._opened[custody_uri] = seen
        except OSError:
            return "keys-missing"
        except CustodyError as error:
            return "keys-missing" if isinstance(error.__cause__, OSError) else "passphrase-wrong"
        return None

    def forget(self, custody_uri: str) -> None:
        """Delete a private key for good; one that is gone already stays gone.

        Raises:
            CustodyError: its file cannot be deleted (code "custody-unavailable").
        """
        name = custody_uri.removeprefix("file:")
        with self._lock:
            self._signers.pop(custody_uri, None)
            self._opened.pop(custody_uri, None)
        try:
            (self._folder / Path(name).name).unlink(missing_ok=True)
        except OSError as error:
            raise CustodyError("custody-unavailable", f"The private key {name} could not be deleted.") from error

    def lock(self, secret: bytes, name: str) -> str:
        """Return the secret encrypted for the database.

        Only `unlock` with the same name opens it.

        Shape: base64 of a salt for scrypt (16 bytes; one for each process, since deriving a key takes a while), a
        nonce (12 bytes) and AES-256-GCM over the secret, with the name as associated data.

        Raises:
            CustodyError: there is no passphrase (code "custody-unavailable").
        """
        nonce = secrets.token_bytes(NONCE_BYTES)
        locked = self._lock_of(self._salt).encrypt(nonce, secret, name.encode())
        return base64.b64encode(self._salt + nonce + locked).decode()

    def unlock(self, locked: str, name: str) -> bytes:
        """Return the secret that `lock` encrypted under this name.

        Raises:
            CustodyError: the passphrase or the name does not open it (code "custody-unavailable").
        """
        try:
            raw = base64.b64decode(locked, validate=True)
            salt, nonce, text = raw[:SALT_BYTES], raw[SALT_BYTES:][:NONCE_BYTES], raw[SALT_BYTES + NONCE_BYTES :]
            return self._lock_of(salt).decrypt(nonce, text, name.encode())
        except (ValueError, InvalidTag) as error:
            raise CustodyError("custody-unavailable", "A secret cannot be opened; nothing has changed.") from error

    def derived(self, purpose: str) -> bytes:
        """Return a key for one purpose, the same in every process that has the passphrase.

        On localhost the passphrase is made if there is no key yet that another one may have locked.

        Raises:
            CustodyError: there is no passphrase (code "custody-unavailable").
        """
        salt = hashlib.sha256(f"laurel: {purpose}".encode()).digest()[:SALT_BYTES]
        return self._stretched(salt, make=not any(self._folder.glob("*.pem")))

    def _lock_of(self, salt: bytes) -> AESGCM:
        with self._lock:
            if salt not in self._locks:
                self._locks[salt] = AESGCM(self._stretched(salt, make=salt == self._salt))
            return self._locks[salt]

    def _stretched(self, salt: bytes, *, make: bool = False) -> bytes:
        try:
            passphrase = self._passphrase(make=make)
        except OSError as error:
            raise CustodyError("custody-unavailable", "The key folder has no passphrase.") from error
        return _stretch(passphrase, salt)

    def _open(self, custody_uri: str) -> Signer:
        scheme, _, name = custody_uri.partition(":")
        if scheme != "file" or Path(name).name != name:
            raise CustodyError(
                "custody-unavailable", "A signing key has a custody address that this service does not know."
            )
        try:
            private = load_pem_private_key((self._folder / name).read_bytes(), self._passphrase())
        except (OSError, ValueError, TypeError) as error:
            raise CustodyError("custody-unavailable", "A signing key cannot be opened; nothing has changed.") from error
        if not isinstance(private, ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
            raise CustodyError("custody-unavailable", "A signing key is of a kind that this service does not use.")
        return PrivateKeySigner(private)

    def _passphrase(self, *, make: bool = False) -> bytes:
        """Return the passphrase; where something is to be locked with it, one may be made on localhost."""
        if self._given is not None:
            return self._given.get_secret_value().encode()
        path = self._folder / PASSPHRASE_FILE
        if make and not path.exists():
            _write_secret(path, secrets.token_urlsafe(32).encode())
        return path.read_bytes().strip()


@lru_cache(maxsize=8)
def _stretch(passphrase: bytes, salt: bytes) -> bytes:
    """Return a key that is expensive to find by trying passphrases; it takes a while once."""
    return Scrypt(salt=salt, length=32, n=2**14, r=8, p=1).derive(passphrase)


def _write_secret(path: Path, content: bytes) -> None:
    """Write a file that only this account can read: whole or not at all, and never over another."""
    private_files.make_folder(path.parent)
    private_files.close_to_others(path.parent)
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, private_files.FILE), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(part, path)
    except FileExistsError:
        pass  # another process was first; its file stays
    finally:
        part.unlink()
