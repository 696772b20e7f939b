"""The hub's state on a local socket: whoever connects gets one JSON document."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import orjson

from hub.errors import OperatorNeeded

SOCKET_NAME = "hub.sock"
_CLIENT_TIMEOUT_S = 5.0
_DOCUMENT_BYTES = 16_000_000  # a thousand devices take about one megabyte


@asynccontextmanager
async def serve_status(folder: Path, snapshot: Callable[[], Mapping[str, Any]]) -> AsyncIterator[None]:
    """Answer on folder/hub.sock with what snapshot returns, until the context ends.

    Raises OperatorNeeded when another hub answers there: its socket is not taken from it.
    """

    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            writer.write(orjson.dumps(snapshot(), default=_plain))
            await asyncio.wait_for(writer.drain(), _CLIENT_TIMEOUT_S)
        except (OSError, TimeoutError):
            pass  # the asker went away; nothing depends on it
        finally:
            writer.close()

    with _short_path(folder) as path:
        if _is_answered(path):
            raise OperatorNeeded(
                "another hub runs on this data folder",
                where=str(folder),
                hint="stop that hub first, or give this one a data folder of its own",
            )
        _remove(path)
        server = await asyncio.start_unix_server(answer, path)
        try:
            yield
        finally:
            server.close()
            _remove(path)


def read_status(folder: Path) -> dict[str, Any]:
    """Return the state of the hub that runs on this data folder.

    Raises OperatorNeeded when no hub answers there.
    """
    try:
        with _short_path(folder) as path, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(_CLIENT_TIMEOUT_S)
            connection.connect(path)
            document = bytearray()
            while (piece := connection.recv(65_536)) and len(document) < _DOCUMENT_BYTES:
                document += piece
            state: dict[str, Any] = orjson.loads(document)
            return state
    except (OSError, orjson.JSONDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise OperatorNeeded(
            f"no hub answers: {reason}", where=str(folder), hint="is it running? penstock hub run FILE"
        ) from None


def _is_answered(path: str) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(_CLIENT_TIMEOUT_S)
        try:
            connection.connect(path)
        except OSError:
            return False
        return True


def _remove(path: str) -> None:
    Path(path).unlink(missing_ok=True)


@contextmanager
def _short_path(folder: Path) -> Iterator[str]:
    """Name the socket through an open folder: a socket's path may have 107 bytes, a folder's more."""
    descriptor = os.open(folder, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}/{SOCKET_NAME}"
    finally:
        os.close(descriptor)


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        return getattr(value, "_asdict", lambda: list(value))()
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(type(value).__name__)
