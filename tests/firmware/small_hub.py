"""A hub for tests of the node: the real link, rows in a list, and everything else at a test's command."""

import asyncio
import secrets
import time
from collections import defaultdict
from collections.abc import Callable

from shared_schema import batches, frames
from shared_schema.digest import node_key
from shared_schema.greeting import Hello
from shared_schema.link import HubSession, LinkError
from shared_schema.messages import Time, Welcome, decode_time_wanted, encode_ack, encode_time, encode_welcome
from shared_schema.reports import Loss, decode_loss

SITE_KEY = bytes(range(32))


class SmallHub:
    """rows: by device key, (epoch, seq) -> (kind id, at ms, values). heard: (device key, type, payload)."""

    def __init__(self, *, keepalive_s: int = 30, now_ms: Callable[[], int] | None = None) -> None:
        self.rows: dict[str, dict[tuple[int, int], tuple[int, int, tuple[int | None, ...]]]] = defaultdict(
            dict
        )
        self.stored: dict[tuple[str, int], int] = {}
        self.losses: list[Loss] = []
        self.heard: list[tuple[str, int, bytes]] = []
        self.hellos: list[tuple[float, Hello]] = []
        self.doubles = 0
        self.keepalive_s = keepalive_s
        self.is_mute = False
        self.port = 0
        self._now_ms = now_ms or (lambda: round(time.time() * 1000))
        self._server: asyncio.Server | None = None
        self._writers: dict[str, tuple[HubSession, asyncio.StreamWriter]] = {}
        self._changed = asyncio.Condition()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for _, writer in self._writers.values():
            writer.transport.abort()
        self._writers.clear()
        await asyncio.sleep(0)

    async def until(self, condition: Callable[[], bool], timeout_s: float = 20.0) -> None:
        """Return once something heard makes the condition true. Raises TimeoutError."""
        async with asyncio.timeout(timeout_s), self._changed:
            await self._changed.wait_for(condition)

    def send(self, device_key: str, type_id: int, payload: bytes = b"") -> None:
        session, writer = self._writers[device_key]
        writer.write(session.seal(type_id, payload))

    def payloads(self, device_key: str, type_id: int) -> list[bytes]:
        return [payload for key, kind, payload in self.heard if (key, kind) == (device_key, type_id)]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = HubSession("small-hub", secrets.token_bytes(16), self._key_of)
        is_welcomed = False
        try:
            while data := await reader.read(4096):
                messages = session.receive(data)
                writer.write(session.to_send())
                if session.is_open and not is_welcomed:
                    is_welcomed = True
                    self._welcome(session, writer)
                for type_id, payload in messages:
                    self._hear(session, type_id, bytes(payload))
                async with self._changed:
                    self._changed.notify_all()
        except (LinkError, ConnectionError):
            pass
        writer.close()

    def _key_of(self, hello: Hello) -> bytes:
        self.hellos.append((time.monotonic(), hello))
        return node_key(SITE_KEY, hello.device_key, hello.generation)

    def _welcome(self, session: HubSession, writer: asyncio.StreamWriter) -> None:
        hello = session.hello
        assert hello is not None
        self._writers[hello.device_key] = session, writer
        stored = self.stored.setdefault((hello.device_key, hello.epoch), 0)
        self.send(
            hello.device_key,
            frames.WELCOME,
            encode_welcome(Welcome(self._now_ms(), stored, 0, self.keepalive_s)),
        )

    def _hear(self, session: HubSession, type_id: int, payload: bytes) -> None:
        hello = session.hello
        assert hello is not None
        self.heard.append((hello.device_key, type_id, payload))
        if self.is_mute:
            return
        if type_id == frames.READINGS:
            self._store(hello, batches.decode(payload))
        elif type_id == frames.LOSS:
            loss = decode_loss(payload)
            self.losses.append(loss)
            self._advance(hello, loss.first_seq, loss.last_seq)
        elif type_id == frames.TIME_WANTED:
            answer = encode_time(Time(self._now_ms(), decode_time_wanted(payload)))
            self.send(hello.device_key, frames.TIME, answer)
        elif type_id == frames.PING:
            self.send(hello.device_key, frames.PONG)

    def _store(self, hello: Hello, columns: batches.Columns) -> None:
        rows = self.rows[hello.device_key]
        for offset, (at_ms, values, _, _) in enumerate(columns.rows()):
            identity = (hello.epoch, columns.first_seq + offset)
            row = (columns.kind_id, at_ms, values)
            self.doubles += identity in rows and rows[identity] != row
            rows[identity] = row
        self._advance(hello, columns.first_seq, columns.first_seq + len(columns.at_ms) - 1)

    def _advance(self, hello: Hello, first_seq: int, last_seq: int) -> None:
        key = (hello.device_key, hello.epoch)
        if first_seq <= self.stored[key] + 1:
            self.stored[key] = max(self.stored[key], last_seq)
        self.send(hello.device_key, frames.ACK, encode_ack(self.stored[key]))
