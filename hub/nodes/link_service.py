"""One connection of a node: its socket, its session, and who it turned out to be."""

import asyncio

from hub.nodes.limits import GREETING_BYTES
from hub.nodes.session import Talk
from shared_schema.link import HubSession, LinkError

READ_BYTES = 8_192  # two of the longest frames; rows of a node that catches up come together
UNREAD_MOST = 32_768  # what waits for a node that does not read; a configuration and 16 commands are less
CLOSE_S = 5.0  # for what was said last to get out


class Link:
    """Times are monotonic. heard_s: when the last whole message came; half a message does not count.

    reason: why it is being closed; empty while it is not, or when the other side closed it.
    """

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        session: HubSession,
        address: str,
        now_s: float,
    ) -> None:
        self.session = session
        self.address = address
        self.began_s = self.heard_s = now_s
        self.pinged_s = 0.0
        self.reason = ""
        self.talk: Talk | None = None
        self._reader = reader
        self._writer = writer

    @property
    def unsent_bytes(self) -> int:
        """What was said and is not on its way yet."""
        return self._writer.transport.get_write_buffer_size()

    async def read(self) -> bytes:
        """Return what came; nothing once the connection is gone."""
        try:
            return await self._reader.read(READ_BYTES)
        except OSError:
            return b""

    async def proved(self) -> list[tuple[int, memoryview]] | None:
        """Return what came behind the node's proof; None when there is none, and the connection ends.

        Raises LinkError for what is not a greeting, or too much of it.
        """
        heard, messages = 0, []
        while not self.session.is_open:
            if heard > GREETING_BYTES:
                raise LinkError(f"{heard} bytes without a proof")
            if self.session.is_closed or not (data := await self.read()):
                return None
            heard += len(data)
            messages = self.session.receive(data)
            self.send(self.session.to_send())
        return messages

    def send(self, data: bytes) -> None:
        """Send bytes, or close a connection whose other side does not read."""
        transport = self._writer.transport
        if not data or transport.is_closing():
            return
        self._writer.write(data)
        if transport.get_write_buffer_size() > UNREAD_MOST:
            self.drop("does not read")

    def say(self, type_id: int, payload: bytes = b"") -> None:
        """Send a message; nothing when the session is over."""
        if self.session.is_open and not self._writer.transport.is_closing():
            self.send(self.session.seal(type_id, payload))

    def say_replies(self) -> None:
        """Send what the talk wants said."""
        if self.talk is not None and self.talk.replies:
            replies, self.talk.replies = self.talk.replies, []
            if self.session.is_open:
                self.send(b"".join([self.session.seal(type_id, payload) for type_id, payload in replies]))

    def refuse(self, code: int, text: str) -> None:
        """Tell the other side why, as far as it listens, and close."""
        self.send(self.session.refuse(code, text))

    def drop(self, reason: str) -> None:
        """Close at once."""
        self.reason = self.reason or reason
        self._writer.transport.abort()

    def close(self) -> None:
        """Close once what was sent is out, or after CLOSE_S."""
        self._writer.close()
        asyncio.get_running_loop().call_later(CLOSE_S, self._writer.transport.abort)
