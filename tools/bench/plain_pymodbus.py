"""The reference of modbus-tcp-scale: pymodbus clients that read and decode, and keep nothing.

Run as a process of its own: reads {ports, seconds} as JSON from standard input, prints what it cost as JSON.
"""

import asyncio
import json
import resource
import sys

import uvloop
from pymodbus.client import AsyncModbusTcpClient

_SPANS = ((0, 124), (124, 76))  # 100 float32 in the fewest requests of at most 125 registers


async def _poll(port: int, deadline_s: float) -> int:
    loop = asyncio.get_running_loop()
    client = AsyncModbusTcpClient("127.0.0.1", port=port)
    await client.connect()
    points, due_s = 0, loop.time()
    while due_s < deadline_s:
        for address, count in _SPANS:
            reply = await client.read_holding_registers(address, count=count, device_id=1)
            values = client.convert_from_registers(reply.registers, client.DATATYPE.FLOAT32)
            points += len(values) if isinstance(values, list) else 1
        due_s += 1.0
        await asyncio.sleep(max(0.0, due_s - loop.time()))
    client.close()
    return points


async def _measure(ports: list[int], seconds: float) -> float:
    before = resource.getrusage(resource.RUSAGE_SELF)
    deadline_s = asyncio.get_running_loop().time() + seconds
    points = sum(await asyncio.gather(*(_poll(port, deadline_s) for port in ports)))
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return cpu_s / points * 1e6


def main() -> None:
    """Measure as standard input asks."""
    wanted = json.load(sys.stdin)
    print(json.dumps({"cpu_s_per_million": uvloop.run(_measure(wanted["ports"], wanted["seconds"]))}))


if __name__ == "__main__":
    main()
