"""Files and folders that only this account may read.

What is made here is closed to other accounts from its first byte on, whatever the umask. What an earlier version or an
operator left open is closed at the start, and a log says so.
"""

import logging
import os
from pathlib import Path

FILE, FOLDER = 0o600, 0o700
OTHERS = 0o077

log = logging.getLogger(__name__)


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it that are missing; one that is there stays as it is."""
    for each in reversed([folder, *folder.parents]):
        if not each.is_dir():
            each.mkdir(FOLDER, exist_ok=True)


def make_file(path: Path) -> None:
    """Make an empty file, unless there is one."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, FILE))


def close_to_others(path: Path) -> None:
    """Take away what other accounts may do with a file or folder of ours, if it is there."""
    try:
        mode = path.stat().st_mode
        if mode & OTHERS:
            path.chmod(mode & ~OTHERS & 0o7777)
            log.warning("%s was open to other accounts and is now closed to them", path)
    except FileNotFoundError:
        return
    except PermissionError:
        log.warning("%s is open to other accounts, and only its owner can close it", path)
