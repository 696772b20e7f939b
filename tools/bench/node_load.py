"""A process full of nodes, for the benchmark node-link: real sessions over real sockets.

Started with PORT FIRST COUNT ROWS FRAMES; keys are node-FIRST and so on, made from SITE_KEY. Says "connected"
when every node has its welcome, waits for a line, and says "done" when everything is acknowledged.
"""

import asyncio
import sys
import time
from collections.abc import Iterator

import uvloop

from shared_schema import batches, frames
from shared_schema.digest import node_key
from shared_schema.greeting import NONCE_BYTES, Hello, encode_hello
from shared_schema.link import NodeSession
from shared_schema.messages import decode_ack, decode_welcome
from shared_schema.metrics import TANK
from tools.bench.node_readings import rows_from

SITE_KEY = bytes(range(32))
AT_ONCE = 16  # greetings at a time: half of what a hub lets one address do
EPOCH = 7


class LoadingNode:
    """One node with its frames made beforehand, so that what is timed is the hub."""

    def __init__(self, number: int, rows: int, frames_: int, start_ms: int) -> None:
        self.key = f"node-{number}"
        self.payloads = list(_payloads(number, rows, frames_, start_ms))
        self.last_seq = rows * frames_
        self.stored_seq = 0

    async def connect(self, port: int) -> None:
        """Dial and greet."""
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", port)
        nonce = f"{time.time_ns():>16}"[-NONCE_BYTES:].encode()
        hello = Hello(nonce, self.key, 1, EPOCH, 1, self.last_seq + 1, "1.0.0", "bench", 0)
        self._session = NodeSession(node_key(SITE_KEY, self.key, 1), encode_hello(hello))
        self._writer.write(self._session.greeting())
        while not (messages := await self._heard()):
            pass
        self.stored_seq = decode_welcome(messages[0][1]).stored_seq

    async def bring(self) -> None:
        """Send frame after frame, each once the one before is acknowledged."""
        sent_seq = 0
        for payload in self.payloads:
            self._writer.write(self._session.seal(frames.READINGS, payload))
            sent_seq += self.last_seq // len(self.payloads)
            while self.stored_seq < sent_seq:
                for type_id, answer in await self._heard():
                    if type_id == frames.ACK:
                        self.stored_seq = decode_ack(answer)

    async def _heard(self) -> list[tuple[int, memoryview]]:
        data = await self._reader.read(4096)
        if not data:
            raise ConnectionError(f"the hub dropped {self.key}")
        messages = self._session.receive(data)
        if out := self._session.to_send():
            self._writer.write(out)
        return messages


def _payloads(number: int, rows: int, count: int, start_ms: int) -> Iterator[bytes]:
    buffer = bytearray(frames.MAX_PAYLOAD)
    readings = rows_from(number, start_ms, rows * count)
    for first in range(0, rows * count, rows):
        length = batches.encode(TANK.id, first + 1, readings[first : first + rows], buffer)
        yield bytes(buffer[:length])


async def main(port: int, first: int, count: int, rows: int, frames_: int) -> None:
    """Connect, wait for the word, bring."""
    start_ms = time.time_ns() // 1_000_000 - 1000 * rows * frames_
    nodes = [LoadingNode(number, rows, frames_, start_ms) for number in range(first, first + count)]
    turns = asyncio.Semaphore(AT_ONCE)

    async def connect(node: LoadingNode) -> None:
        async with turns:
            await node.connect(port)

    await asyncio.gather(*map(connect, nodes))
    print("connected", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    await asyncio.gather(*(node.bring() for node in nodes))
    print("done", flush=True)
    await asyncio.to_thread(sys.stdin.readline)


if __name__ == "__main__":
    uvloop.run(main(*map(int, sys.argv[1:])))
