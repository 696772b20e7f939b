"""One connection to a hub: a task that reads, and this one, which writes, watches and gives up.

Reads have no time limit: a read that is cancelled by one may have taken bytes with it. Who is silent for too
long is closed instead. Source: github.com/micropython/micropython/issues/17351.
"""

import asyncio

from shared_schema.link import LinkError, NodeSession

OPEN_MOST_S = 10
DRAIN_MOST_S = 10
CLOSE_MOST_S = 2
READ_BYTES = 512


class Connection:
    """Carries a conversation. wake: an asyncio.Event, set when there may be something to say.

    conversation: set by run; why: how it ended, for the log.
    """

    def __init__(self, ticks, wake) -> None:
        self._ticks = ticks
        self._wake = wake
        self._buffer = bytearray(READ_BYTES)
        self.why = ""

    async def run(self, host: str, port: int, session: NodeSession, make_conversation):
        """Talk until one side gives up; return the Conversation. Raises OSError when nobody answers."""
        reader, writer = await asyncio.wait_for(asyncio.open_connection(host, port), OPEN_MOST_S)
        conversation = make_conversation(session, self._ticks.now_ms())
        listener = asyncio.create_task(self._listen(reader, session, conversation))
        try:
            await _send(writer, session.greeting())
            await self._talk(writer, session, conversation, listener)
        except (OSError, asyncio.TimeoutError) as error:
            self.why = self.why or repr(error)
        finally:
            listener.cancel()
            await asyncio.sleep(0)  # it lets go of the socket first
            await _close(writer)
        return conversation

    async def _talk(self, writer, session, conversation, listener) -> None:
        while True:
            now_ms = self._ticks.now_ms()
            if out := session.to_send():
                await _send(writer, out)
            reason = conversation.verdict(now_ms)
            if listener.done():
                await listener  # raises what the node has to end with: no memory for an update
            if reason or listener.done():
                self.why = reason or self.why or "the hub closed"
                return
            frame = conversation.say(now_ms)
            if frame:
                await _send(writer, frame)
            else:
                await self._pause(conversation.wait_ms(now_ms))

    async def _pause(self, wait_ms: int) -> None:
        try:
            await asyncio.wait_for(self._wake.wait(), wait_ms / 1000)
        except asyncio.TimeoutError:
            pass
        self._wake.clear()

    async def _listen(self, reader, session, conversation) -> None:
        """Read until the connection ends."""
        try:
            while data := await self._arrived(reader):
                messages = session.receive(data)
                now_ms = self._ticks.now_ms()
                for type_id, payload in messages:
                    conversation.hear(type_id, payload, now_ms)
                self._wake.set()
        except (OSError, LinkError) as error:
            self.why = str(error) or repr(error)
        self._wake.set()

    async def _arrived(self, reader):
        if not hasattr(reader, "readinto"):  # CPython
            return await reader.read(READ_BYTES)
        count = await reader.readinto(self._buffer)
        return memoryview(self._buffer)[: count or 0]


async def _close(writer) -> None:
    writer.close()
    try:
        await asyncio.wait_for(writer.wait_closed(), CLOSE_MOST_S)
    except (OSError, asyncio.TimeoutError):
        pass


async def _send(writer, data) -> None:
    writer.write(data)
    await asyncio.wait_for(writer.drain(), DRAIN_MOST_S)
