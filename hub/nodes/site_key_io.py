"""The file of the site key, readable by its owner alone."""

import os
import secrets
from pathlib import Path

from hub.errors import OperatorNeeded
from hub.nodes.keys import SITE_KEY_BYTES, SITE_KEY_FILE, format_site_key, parse_site_key


def ensure_site_key(folder: Path) -> bytes:
    """Return the key in folder, made when there is none. Raises OperatorNeeded, as read_site_key."""
    path = folder / SITE_KEY_FILE
    if not path.exists():
        _make(path, secrets.token_bytes(SITE_KEY_BYTES))
    return read_site_key(folder)


def read_site_key(folder: Path) -> bytes:
    """Return the key in folder. Raises OperatorNeeded when there is none, or others may read it."""
    path = folder / SITE_KEY_FILE
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="ascii", errors="replace")
    except OSError as error:
        raise OperatorNeeded(
            f"the site key cannot be read: {error.strerror}", where=str(path), hint="see its owner"
        ) from None
    if mode & 0o077:
        raise OperatorNeeded("the site key can be read by others", where=str(path), hint=f"chmod 600 {path}")
    try:
        return parse_site_key(text)
    except ValueError as error:
        hint = "copy it from another hub of the site; without one, remove it and flash all nodes anew"
        raise OperatorNeeded(f"the site key {error}", where=str(path), hint=hint) from None


def _make(path: Path, key: bytes) -> None:
    """Write the key; one that another process made meanwhile stays."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(format_site_key(key))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(fresh, path)
        except FileExistsError:
            return
        finally:
            fresh.unlink()
    except OSError as error:
        raise OperatorNeeded(
            f"the site key cannot be written: {error.strerror}",
            where=str(path),
            hint="see the folder's owner",
        ) from None
