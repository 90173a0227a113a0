"""JSON-LD contexts that the operator adds, each pinned by its digest."""

import json
from hashlib import sha256
from pathlib import Path

from credentials import PACKAGED, Contexts
from service.runtime.settings import SettingsError


def load_contexts(folder: Path | None) -> Contexts:
    """Return the packaged contexts and the operator's from `folder`.

    The folder holds `contexts.json`: `{address: {"file": name, "sha256": hex}}`, and the files.

    Raises:
        SettingsError: the folder cannot be read, or a digest differs.
    """
    if folder is None:
        return PACKAGED
    try:
        listed = json.loads((folder / "contexts.json").read_text())
        pinned = {
            url: ((folder / Path(entry["file"]).name).read_bytes(), entry["sha256"]) for url, entry in listed.items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        message = "LAUREL_CONTEXTS_FOLDER: expected contexts.json ({address: {file, sha256}}) and its files, got something else."
        raise SettingsError(message) from error
    for url, (body, expected) in pinned.items():
        if sha256(body).hexdigest() != expected:
            raise SettingsError(f"LAUREL_CONTEXTS_FOLDER: expected {url} with SHA-256 {expected}, got another file.")
    return PACKAGED.with_pinned(pinned)
