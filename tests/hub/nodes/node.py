"""A node on CPython: a ring in memory and the real session code, over a real socket."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from shared_schema import batches, frames
from shared_schema.digest import node_key
from shared_schema.greeting import Hello, Refusal, decode_refusal, encode_hello
from shared_schema.link import NodeSession
from shared_schema.messages import Welcome, decode_ack, decode_welcome
from shared_schema.metrics import TANK
from shared_schema.reports import Loss, encode_loss

SITE_KEY = bytes(range(32))
DEADLINE_S = 20.0
START_MS = 1_800_000_000_000
Row = tuple[int, tuple[int | None, ...], int, int]


class Node:
    """rows: by number, until acknowledged. acknowledged: the highest number any hub confirmed."""

    def __init__(self, key: str, epoch: int = 7, site_key: bytes = SITE_KEY, generation: int = 1) -> None:
        self.device_key = key
        self.epoch = epoch
        self.generation = generation
        self.key = node_key(site_key, key, generation)
        self.rows: dict[int, Row] = {}
        self.losses: list[Loss] = []
        self.next_seq = 1
        self.acknowledged = 0
        self.config_version = 0

    def measure(self, count: int, at_ms: int = START_MS, quality: int = 0) -> None:
        """Put rows into the ring, a second apart; their first value tells them apart."""
        for _ in range(count):
            values = (self.next_seq, *[None] * (len(TANK.fields) - 1))
            self.rows[self.next_seq] = (at_ms + 1000 * self.next_seq, values, quality, 0)
            self.next_seq += 1

    def evict(self, first: int, last: int, cause: int = 0) -> None:
        """Drop rows as a full ring does."""
        self.losses.append(Loss(cause, first, last, START_MS + 1000 * first, START_MS + 1000 * last))
        for seq in range(first, last + 1):
            self.rows.pop(seq, None)

    def hello(self) -> bytes:
        """Return a HELLO payload with a fresh nonce."""
        hello = Hello(
            secrets.token_bytes(16), self.device_key, self.generation, self.epoch,
            self.acknowledged + 1, self.next_seq, "1.2.3", "test", self.config_version, 8,
        )  # fmt: skip
        return encode_hello(hello)

    def payload(self, first_seq: int, most: int = batches.MAX_ROWS) -> bytes | None:
        """Return a READINGS payload of consecutive rows from the first at or after first_seq."""
        start = min((seq for seq in self.rows if seq >= first_seq), default=None)
        if start is None:
            return None
        end = start
        while end in self.rows and end - start < most:
            end += 1
        buffer = bytearray(frames.MAX_PAYLOAD)
        length = batches.encode(TANK.id, start, [self.rows[seq] for seq in range(start, end)], buffer)
        return bytes(buffer[:length])


class Refused(Exception):
    """The hub said no."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.text)
        self.refusal = refusal


class Wire:
    """One session of a node. inbox: what came and was not asked for yet."""

    def __init__(self, node: Node, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.node = node
        self.reader = reader
        self.writer = writer
        self.session = NodeSession(node.key, node.hello())
        self.inbox: list[tuple[int, bytes]] = []
        self.welcome: Welcome | None = None
        self.sent_bytes = b""

    async def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.sent_bytes += data
        self.writer.write(data)
        await self.writer.drain()

    async def say(self, type_id: int, payload: bytes = b"") -> None:
        """Send a message."""
        await self.send(self.session.seal(type_id, payload))

    async def hear(self, wanted: int) -> bytes:
        """Return the next message of a type; keeps the others. Raises Refused, ConnectionError at the end."""
        async with asyncio.timeout(DEADLINE_S):
            while True:
                for at, (type_id, payload) in enumerate(self.inbox):
                    if type_id == frames.REFUSE:
                        raise Refused(decode_refusal(payload))
                    if type_id == wanted:
                        return self.inbox.pop(at)[1]
                data = await self.reader.read(4096)
                if not data:
                    raise ConnectionError("the hub closed the connection")
                self.inbox += [(type_id, bytes(payload)) for type_id, payload in self.session.receive(data)]
                if out := self.session.to_send():
                    await self.send(out)

    async def greet(self) -> Welcome:
        """Prove the key and return what the hub says to that."""
        await self.send(self.session.greeting())
        self.welcome = decode_welcome(await self.hear(frames.WELCOME))
        return self.welcome

    async def acknowledged(self, seq: int) -> None:
        """Return once everything up to seq is acknowledged."""
        while self.node.acknowledged < seq:
            stored = decode_ack(await self.hear(frames.ACK))
            self.node.acknowledged = max(self.node.acknowledged, stored)

    async def tell_losses(self) -> None:
        """Tell what the ring dropped."""
        for loss in self.node.losses:
            await self.say(frames.LOSS, encode_loss(loss))

    async def bring(self, most: int = batches.MAX_ROWS) -> None:
        """Send everything the hub does not have, and return once it is acknowledged."""
        await self.tell_losses()
        await self.send_rows(most)
        await self.acknowledged(self.node.next_seq - 1)

    async def send_rows(self, most: int = batches.MAX_ROWS) -> None:
        """Send everything that neither this hub nor another has acknowledged."""
        assert self.welcome is not None
        await self.say_rows_from(max(self.welcome.stored_seq, self.node.acknowledged) + 1, most)

    async def say_rows_from(self, seq: int, most: int = batches.MAX_ROWS) -> None:
        """Send every row from a number on."""
        while (payload := self.node.payload(seq, most)) is not None:
            await self.say(frames.READINGS, payload)
            columns = batches.decode(payload)
            seq = columns.first_seq + len(columns.at_ms)

    async def closed_by_hub(self) -> None:
        """Return once the hub has closed the connection."""
        async with asyncio.timeout(DEADLINE_S):
            try:
                while await self.reader.read(4096):
                    pass
            except ConnectionError:
                pass


@asynccontextmanager
async def dial(node: Node, port: int, source: str = "127.0.0.1") -> AsyncIterator[Wire]:
    """Open a connection; source: which of this machine's own addresses it comes from."""
    async with asyncio.timeout(DEADLINE_S):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(source, 0))
    try:
        yield Wire(node, reader, writer)
    finally:
        writer.transport.abort()
