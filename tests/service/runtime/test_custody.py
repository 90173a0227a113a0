"""Private keys: encrypted at rest, opened with the passphrase only."""

import base64
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ed448
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat
from pydantic import SecretStr

from service.errors import CustodyError
from service.runtime.custody import PASSPHRASE_FILE, Custody
from tests.worlds.runtimes import settings_in


@pytest.mark.parametrize("algorithm", ["Ed25519", "P-256", "P-384", "RSA"])
def test_a_key_is_kept_encrypted_and_signs_after_a_restart(tmp_path: Path, algorithm: str) -> None:
    settings = settings_in(tmp_path)
    uri, signer = Custody(settings).create(algorithm)
    file = settings.keys_folder / uri.removeprefix("file:")
    assert b"ENCRYPTED PRIVATE KEY" in file.read_bytes()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    reopened = Custody(settings).signer(uri)
    assert (reopened.key.algorithm, reopened.key.thumbprint) == (algorithm, signer.key.thumbprint)
    assert signer.key.verify(reopened.sign(b"what"), b"what")
    assert list(settings.keys_folder.iterdir()) == [file]


def test_another_passphrase_opens_nothing(tmp_path: Path) -> None:
    uri, _ = Custody(settings_in(tmp_path)).create("Ed25519")
    with pytest.raises(CustodyError) as closed:
        Custody(settings_in(tmp_path, keys_passphrase="another")).signer(uri)
    assert closed.value.code == "custody-unavailable"
    assert "for tests" not in str(closed.value)


@pytest.mark.parametrize(
    "uri", ["file:none.pem", "file:../outside.pem", "file:/etc/passwd", "kms:key", "none", f"file:{PASSPHRASE_FILE}"]
)
def test_what_is_no_key_of_ours_is_not_opened(tmp_path: Path, uri: str) -> None:
    settings = settings_in(tmp_path)
    Custody(settings).create("Ed25519")
    (tmp_path / "outside.pem").write_bytes(next(settings.keys_folder.glob("*.pem")).read_bytes())
    (settings.keys_folder / PASSPHRASE_FILE).write_text("not a key")
    with pytest.raises(CustodyError):
        Custody(settings).signer(uri)


def test_a_key_of_another_kind_is_not_used(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    settings.keys_folder.mkdir()
    pem = ed448.Ed448PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"for tests")
    )
    (settings.keys_folder / "other.pem").write_bytes(pem)
    with pytest.raises(CustodyError):
        Custody(settings).signer("file:other.pem")


def test_a_folder_that_cannot_be_written_makes_no_key(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    settings.keys_folder.write_text("a file stands where the folder should")
    with pytest.raises(CustodyError) as closed:
        Custody(settings).create("Ed25519")
    assert closed.value.code == "custody-unavailable"


def test_on_localhost_a_missing_passphrase_is_made_once_and_kept(tmp_path: Path) -> None:
    settings = settings_in(tmp_path).model_copy(update={"keys_passphrase": None})
    uri, _ = Custody(settings).create("Ed25519")
    file = settings.keys_folder / PASSPHRASE_FILE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert Custody(settings).signer(uri).key.algorithm == "Ed25519"
    given = settings.model_copy(update={"keys_passphrase": SecretStr(file.read_text())})
    assert Custody(given).signer(uri).key.algorithm == "Ed25519"


def test_a_locked_secret_opens_after_a_restart_and_under_its_own_name_only(tmp_path: Path) -> None:
    custody, secret = Custody(settings_in(tmp_path)), b"shared with somebody"
    locked = custody.lock(secret, "webhook 1")
    assert base64.b64encode(secret)[:20].decode() not in locked
    assert locked != custody.lock(secret, "webhook 1")
    reopened = Custody(settings_in(tmp_path))
    assert reopened.unlock(locked, "webhook 1") == secret
    for custody_, name in (
        (reopened, "webhook 2"),
        (Custody(settings_in(tmp_path, keys_passphrase="other")), "webhook 1"),
    ):
        with pytest.raises(CustodyError) as closed:
            custody_.unlock(locked, name)
        assert closed.value.code == "custody-unavailable"


@pytest.mark.parametrize("locked", ["", "AAAA", "not base64", "A" * 80, "é"])
def test_what_was_not_locked_here_is_not_opened(tmp_path: Path, locked: str) -> None:
    with pytest.raises(CustodyError):
        Custody(settings_in(tmp_path)).unlock(locked, "webhook 1")
