"""A process that publishes nodes' readings as JSON with QoS 1, for the benchmark node-link.

Started with PORT FIRST COUNT ROWS MESSAGES. Says "connected", waits for a line, and says "done" at the end.
One connection speaks for all nodes of the process: what is measured is on the other side of the broker.
"""

import asyncio
import json
import logging
import sys
import time

import aiomqtt
import uvloop

from shared_schema.metrics import TANK
from tools.bench.node_readings import Row, rows_from

AT_ONCE = 50
METRICS = TANK.fields


def document_of(seq: int, rows: list[Row]) -> str:
    """Return readings as people send them: an object each, absent values left out."""
    documents = []
    for number, (at_ms, values, _, _) in enumerate(rows, seq):
        known = {
            metric.name: value / 10**metric.decimals if metric.decimals else value
            for metric, value in zip(METRICS, values, strict=True)
            if value is not None
        }
        documents.append({"seq": number, "at": at_ms, **known})
    return json.dumps(documents)


async def main(port: int, first: int, count: int, rows: int, messages: int) -> None:
    """Connect, wait for the word, publish in turn for each node."""
    start_ms = time.time_ns() // 1_000_000 - 1000 * rows * messages
    readings = {
        number: rows_from(number, start_ms, rows * messages) for number in range(first, first + count)
    }
    turns = asyncio.Semaphore(AT_ONCE)
    async with aiomqtt.Client("127.0.0.1", port, max_inflight_messages=AT_ONCE, timeout=120) as client:

        async def publish(number: int, at: int) -> None:
            async with turns:
                document = document_of(at + 1, readings[number][at : at + rows])
                await client.publish(f"site/node-{number}/readings", document, qos=1)

        print("connected", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        for at in range(0, rows * messages, rows):
            await asyncio.gather(*(publish(number, at) for number in readings))
        print("done", flush=True)


if __name__ == "__main__":
    logging.getLogger("mqtt").setLevel(logging.ERROR)  # it finds fifty calls at a time remarkable
    uvloop.run(main(*map(int, sys.argv[1:])))
