"""Reads whole HTTP/1.1 messages from a stream, as they are, without understanding more than where they end.

Source: RFC 9112, 6.3 (message body length), 7.1 (chunked).
"""

import asyncio
from dataclasses import dataclass

MAX_HEAD_BYTES = 65_536  # what servers commonly accept
MAX_BODY_BYTES = 64_000_000  # a thousand rows are well below one megabyte


@dataclass(frozen=True, slots=True)
class Message:
    """head: first line and headers with the empty line. body: as on the wire, chunk sizes included."""

    head: bytes
    body: bytes

    @property
    def first_line(self) -> str:
        """The request line or the status line."""
        return self.head.split(b"\r\n", 1)[0].decode("latin-1")

    @property
    def wire(self) -> bytes:
        """The message as it goes over the wire."""
        return self.head + self.body

    def header(self, name: str) -> str:
        """Return a header's value in lower case, or an empty text."""
        for line in self.head.split(b"\r\n")[1:]:
            key, _, value = line.partition(b":")
            if key.strip().lower() == name.encode():
                return value.strip().lower().decode("latin-1")
        return ""


async def read_request(reader: asyncio.StreamReader) -> Message | None:
    """Return the next request; None at the end of the stream. Raises: ValueError, IncompleteReadError."""
    head = await _head(reader)
    if head is None:
        return None
    message = Message(head, b"")
    return Message(head, await _framed_body(reader, message) or b"")


async def read_response(reader: asyncio.StreamReader, to_method: str) -> Message | None:
    """Return the response to a request; None when the stream ended before it."""
    head = await _head(reader)
    if head is None:
        return None
    message = Message(head, b"")
    status = message.first_line.split(" ")[1:2]
    if to_method == "HEAD" or (status and (status[0].startswith("1") or status[0] in {"204", "304"})):
        return message
    body = await _framed_body(reader, message)
    return Message(head, await reader.read(MAX_BODY_BYTES) if body is None else body)


async def _head(reader: asyncio.StreamReader) -> bytes | None:
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if not error.partial:
            return None
        raise
    except asyncio.LimitOverrunError as error:
        raise ValueError(f"a message head is longer than {MAX_HEAD_BYTES} bytes") from error


async def _framed_body(reader: asyncio.StreamReader, message: Message) -> bytes | None:
    """Return the body where the head says how long it is, else None."""
    if "chunked" in message.header("transfer-encoding"):
        return await _chunks(reader)
    length = message.header("content-length")
    if not length:
        return None
    if not length.isdecimal() or int(length) > MAX_BODY_BYTES:
        raise ValueError(f"a message claims a length of {length[:20]!r} bytes")
    return await reader.readexactly(int(length))


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    body = bytearray()
    while True:
        line = await reader.readuntil(b"\r\n")
        size = int(line.split(b";")[0], 16)
        if len(body) + size > MAX_BODY_BYTES:
            raise ValueError(f"a message is longer than {MAX_BODY_BYTES} bytes")
        body += line + await reader.readexactly(size + 2)
        if size == 0:
            return bytes(body)
