"""A hub killed at random instants, many times over one outbox."""

import asyncio
import os
import random
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from tests.hub.outbox.site import Cloud, send_all, site_at

SOAK_KILLS = int(os.environ.get("PENSTOCK_SOAK", "10000"))

# Says which number is on disk now. Takes and settles meanwhile, so that chunks are dropped.
_HUB = """
import asyncio, sys
from pathlib import Path
from shared_schema.enums import Lane
from tests.hub.outbox.site import LANES, flow, site_at

async def main(path, number):
    async with site_at(path, settle_interval_s=0.02) as site:
        async def send():
            while True:
                await site.outbox.wait_for_rows()
                for lane in LANES:
                    batch = await site.outbox.take(50, lane)
                    if batch is not None:
                        values = [int(value) for value in batch.columns[0]]
                        rows = [f"{seq}:{value}" for seq, value in zip(batch.seqs, values)]
                        print("sent", *rows, flush=True)
                        await site.outbox.settle(batch, range(len(batch)), {})
        sending = asyncio.create_task(send())
        while True:
            rows = [flow("tank-1", each, float(each)) for each in range(number, number + 7)]
            await site.outbox.append(rows, Lane.ALARM if number % 5 == 0 else Lane.LIVE)
            number += 7
            print("stored", number - 1, flush=True)

asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
"""


def live_and_die(path: Path, number: int, after_s: float) -> list[str]:
    command = [sys.executable, "-c", _HUB, str(path), str(number)]
    with subprocess.Popen(
        command, env=os.environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as hub:
        assert hub.stdout is not None
        assert hub.stderr is not None
        try:
            first = hub.stdout.readline()
            with suppress(subprocess.TimeoutExpired):
                hub.wait(after_s)
        finally:
            hub.kill()
        # not communicate(): it passes over lines that came together with the first and wait in the buffer
        rest, complaint = hub.stdout.read(), hub.stderr.read()
    assert first.startswith(("stored", "sent")), complaint
    assert hub.returncode == -signal.SIGKILL, complaint
    # a line may be cut in half by the kill
    return [first, *(line for line in rest.splitlines(keepends=True) if line.endswith("\n"))]


def run_many(path: Path, kills: int, rng: random.Random) -> None:
    promised: dict[int, int] = {}
    sent: dict[int, int] = {}
    number = 1
    for _ in range(kills):
        for line in live_and_die(path, number, rng.uniform(0, 0.2)):
            word, *items = line.split()
            if word == "stored":
                promised[number // 1_000_000] = int(items[0])
                continue
            for item in items:
                seq, value = map(int, item.split(":"))
                assert sent.setdefault(seq, value) == value, "one number, two rows"
        number = 1_000_000 * (number // 1_000_000 + 1)
    assert promised
    asyncio.run(_check_the_rest(path, sent, promised))


async def _check_the_rest(path: Path, sent: dict[int, int], promised: dict[int, int]) -> None:
    cloud = Cloud()
    async with site_at(path) as site:
        await send_all(site.outbox, cloud)
    for (_, _, seq, _), row in cloud.rows.items():
        assert sent.setdefault(seq, int(row[2])) == int(row[2]), "one number, two rows"
    assert sorted(sent) == list(range(1, max(sent) + 1)), "a number is missing"
    values = [sent[seq] for seq in sorted(sent)]
    assert len(values) == len(set(values)), "one reading, two numbers"
    for life, last in promised.items():
        mine = [value for value in values if value // 1_000_000 == life]
        first = max(1, life * 1_000_000)
        assert mine == list(range(first, first + len(mine))), "a reading is missing"
        assert mine[-1] >= last, "a promise was broken"


def test_no_kill_loses_or_doubles_a_row(tmp_path: Path) -> None:
    run_many(tmp_path / "outbox.db", kills=8, rng=random.Random(7))


@pytest.mark.soak
def test_no_kill_of_thousands_loses_or_doubles_a_row(tmp_path: Path) -> None:
    run_many(tmp_path / "outbox.db", kills=SOAK_KILLS, rng=random.Random(7))
