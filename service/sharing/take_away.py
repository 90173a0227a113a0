"""Everything that a person takes away of a badge, in one ZIP file."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from io import BytesIO
from typing import Final
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from service.checking.keeping import bundles
from service.errors import ConflictError, TooLargeError
from service.issuing import credentials
from service.public import documents
from service.runtime.runtime import Runtime
from service.sharing import certificate
from service.storage.database import ReadSession
from service.tables import Credential
from service.texts.languages import N_, Language
from service.web.file_names import file_name

MEANT: Final = {
    "pdf": N_("A certificate to print. The signed badge is inside it."),
    "png": N_("A picture to show. The signed badge is inside it: upload this file where a site asks for a badge."),
    "svg": N_("The same picture for printing in any size. The signed badge is inside it."),
    "json": N_("The signed badge as text, for programs (Open Badges 3.0)."),
    "jwt": N_("The signed badge as text, for programs that read VC-JWT."),
    "bundle.json": N_("The signed badge with everything that a check needs, to check it offline."),
}
"""What each file is for, in the order in which they are in the ZIP."""
READ_ME: Final = N_(
    "All files hold the same badge. Keep them: each can be checked at %(address)s or with other software, for as long as "
    "the issuer's key can be found."
)
MODE: Final = 0o100644 << 16
UNIX: Final = 3


@dataclass(frozen=True)
class Files:
    """A ZIP file; apart from the times in the bundle, the same badge gives the same bytes.

    Args:
        name: for the file.
        etag: a weak entity tag: equal where only those times differ.
    """

    name: str
    content: bytes
    etag: str


def find(
    runtime: Runtime, credential_id: str, now: datetime, language: Language, paper: certificate.Paper
) -> Files | None:
    """Return the files of a badge; None where the badge does not exist or is private.

    It has no certificate if there is none of such a badge, and no bundle if that would be too large.
    """
    with runtime.database.read() as session:
        row = documents.visible_credential(session, credential_id)
        if row is None:
            return None
        signed, began = row.signed, row.valid_from
        made = _forms(session, row)
        certified = _certified(session, runtime, credential_id, now)
    # No session is open here: making a bundle opens its own.
    if certified is not None:
        made["pdf"] = certificate.pdf(certified, language, paper)
    digest = sha256()
    for ending in sorted(made):
        digest.update(ending.encode() + sha256(made[ending]).digest())
    digest.update(language.code.encode())
    bundle = _bundle(runtime, credential_id)
    if bundle is not None:
        made["bundle.json"] = bundle.to_bytes()
        digest.update(bundle.etag.encode())
    files = {name(signed, ending): made[ending] for ending in MEANT if ending in made}
    files[language.gettext(N_("Read me")) + ".txt"] = _read_me(runtime, signed, made.keys(), language)
    return Files(name(signed, "zip"), _zipped(files, began), f'W/"{digest.hexdigest()[:32]}"')


def name(signed: str, ending: str) -> str:
    """Return a name for a file of a badge, from its signed text."""
    return file_name(json.loads(signed)["credentialSubject"]["achievement"]["name"], ending)


def _forms(session: ReadSession, row: Credential) -> dict[str, bytes]:
    return {
        "json": row.signed.encode(),
        "jwt": row.jwt.encode(),
        "png": credentials.baked(session, row, "png"),
        "svg": credentials.baked(session, row, "svg"),
    }


def _certified(
    session: ReadSession, runtime: Runtime, credential_id: str, now: datetime
) -> certificate.Certified | None:
    try:
        return certificate.find(session, runtime, credential_id, now)
    except ConflictError:
        return None


def _bundle(runtime: Runtime, credential_id: str) -> bundles.Bundle | None:
    try:
        return bundles.of_ours(runtime, credential_id)
    except TooLargeError:
        return None


def _read_me(runtime: Runtime, signed: str, endings: Collection[str], language: Language) -> bytes:
    lines = [
        f"{name(signed, ending)}\r\n  {language.gettext(meant)}" for ending, meant in MEANT.items() if ending in endings
    ]
    ending = language.gettext(READ_ME, address=f"{runtime.settings.base_url}/verify")
    return ("\r\n\r\n".join([*lines, ending]) + "\r\n").encode()


def _zipped(files: dict[str, bytes], at: datetime) -> bytes:
    """Return a ZIP file with the time of signing as that of every file."""
    made = BytesIO()
    with ZipFile(made, "w") as archive:
        for called, content in files.items():
            entry = ZipInfo(called, at.astimezone(UTC).timetuple()[:6])
            entry.compress_type, entry.external_attr, entry.create_system = ZIP_DEFLATED, MODE, UNIX
            archive.writestr(entry, content)
    return made.getvalue()
