"""A small file that is replaced as a whole or not at all."""

import asyncio
import os
from pathlib import Path

from hub.errors import TryAgain

MAX_BYTES = 16_000_000  # a hundred thousand devices are a tenth of it; more is not our file


class SmallFile:
    """One file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def read(self) -> bytes | None:
        """Return its content, or None when there is no such file. Raises: TryAgain when it cannot be read."""
        return await asyncio.to_thread(self._read)

    async def replace(self, content: bytes) -> None:
        """Make this the content, on disk when this returns. Raises: TryAgain, and the old one stays."""
        await asyncio.to_thread(self._replace, content)

    def _read(self) -> bytes | None:
        try:
            with self._path.open("rb") as file:
                return file.read(MAX_BYTES)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise TryAgain(f"cannot read: {error.strerror}", where=str(self._path)) from error

    def _replace(self, content: bytes) -> None:
        fresh = self._path.with_name(self._path.name + ".new")
        try:
            with fresh.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self._path)
        except OSError as error:
            hint = "free some space, or check the folder's owner"
            raise TryAgain(f"cannot write: {error.strerror}", where=str(self._path), hint=hint) from error
