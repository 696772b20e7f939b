"""What many hubs are: JSON over MQTT QoS 1, received by aiomqtt and stored into the same outbox.

Started with PORT FOLDER. Says "connected", and then after each commit how many rows are stored.
"""

import asyncio
import json
import logging
import sys
from pathlib import Path

import aiomqtt
import uvloop

from hub.outbox.service import Outbox
from hub.outbox.settings import OutboxSettings
from hub.outbox.sqlite_io import SqliteDisk
from hub.ports import Reading
from shared_schema.enums import Lane
from tools.bench.outbox import BenchClock, NoEvents

TOPIC = "site/+/readings"
FIELDS = ("water_level_cm", "volume_l", "temperature_c", "tds_ppm", "ph", "battery_v")


async def main(port: int, folder: Path) -> None:
    """Receive for ever."""
    path = str(folder / "outbox.db")
    settings = OutboxSettings(path, "hub", "boot", commit_interval_s=1.0, min_free_bytes=0)
    outbox = Outbox(settings, SqliteDisk(path), BenchClock(), NoEvents())
    waiting: list[Reading] = []
    async with asyncio.TaskGroup() as tasks, aiomqtt.Client("127.0.0.1", port) as client:
        tasks.create_task(outbox.run())
        tasks.create_task(_store(outbox, waiting))
        await client.subscribe(TOPIC, qos=1)
        print("connected", flush=True)
        async for message in client.messages:
            key = message.topic.value.split("/")[1]
            waiting += [_reading(key, row) for row in json.loads(message.payload)]


def _reading(key: str, row: dict[str, float | int]) -> Reading:
    values = tuple(row.get(name) for name in FIELDS)
    return Reading(key, "tank", int(row["at"]), values, identity=(7, int(row["seq"])))


async def _store(outbox: Outbox, waiting: list[Reading]) -> None:
    stored = 0
    while True:
        await asyncio.sleep(0.02)
        if waiting:
            rows = waiting.copy()
            waiting.clear()
            await outbox.append(rows, Lane.LIVE)
            stored += len(rows)
            print(stored, flush=True)


if __name__ == "__main__":
    logging.getLogger("mqtt").setLevel(logging.ERROR)  # it finds fifty calls at a time remarkable
    uvloop.run(main(int(sys.argv[1]), Path(sys.argv[2])))
