"""node-flash: what a node's ring does to its flash, on real LittleFS in real MicroPython.

One row a second of four metrics in a file system of 1 MB, acknowledged every 30 s; flushed when 1 kB is full,
or every 30 s as a node does whose hub is to see rows soon. The payload is the bytes of the records in the
ring's own form, without the heads of its blocks: 6 to 7 for a row. A month is extrapolated from the days
that were lived; the life is that of the block erased most, as if it went on being the one. LittleFS moves the
busiest blocks only after a hundred erases, so a short run shows too short a life.

Not measured here: without the hub a flush goes behind others in one file, of which LittleFS copies the last
erase block; every 30 s that programs 13 to 15 bytes for a byte, when full about 3.
"""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from tools.bench.harness import Outcome, Row, at_most
from tools.micropython import command

ROOT = Path(__file__).resolve().parents[2]
BOARD = Path(__file__).with_name("node_flash_board.py")
PROGRAM_BYTES = {"esp32": 32, "rp2": 256}  # as the ports format their flash
SEGMENT_BYTES, FLUSH_BYTES = 16_384, 1024
SOON_S = 30
DAYS = 5.0
DAY_S = 86_400
CYCLES = 100_000  # what the makers of such flash promise


def run(scale: float = 1.0) -> Outcome:
    """Measure. At scale 1 five days are lived on each."""
    seconds = max(600, round(DAYS * DAY_S * scale))
    rows: list[Row] = []
    for port, program_bytes in PROGRAM_BYTES.items():
        for flush_s in (0, SOON_S):
            lived = _live(program_bytes, flush_s, seconds)
            rows += _rows(f"{port}, {f'every {flush_s} s' if flush_s else 'when full'}", lived, seconds)
    rows.append(Row("a row in the ring", lived["payload"] / seconds, "bytes"))
    rows.append(Row("memory of a ring, on 64 bits", lived["memory"], "bytes"))
    return Outcome("node-flash", rows)


def _live(program_bytes: int, flush_s: int, seconds: int) -> dict[str, Any]:
    arguments = [program_bytes, SEGMENT_BYTES, FLUSH_BYTES, flush_s, seconds]
    answer = subprocess.run(
        [*command(), "-X", "heapsize=16m", str(BOARD), *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, "MICROPYPATH": f"{ROOT}:.frozen"},
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(answer.stdout)
    return found


def _rows(name: str, lived: dict[str, Any], seconds: int) -> list[Row]:
    erases = lived["erases"]
    days = seconds / DAY_S
    programmed = lived["programmed"] / lived["payload"]
    return [
        at_most(f"{name}: programmed", programmed, "bytes/byte", 3.5),
        Row(f"{name}: programmed for a row", lived["programmed"] / seconds, "bytes"),
        Row(f"{name}: erases", sum(erases) / days, "a day"),
        Row(f"{name}: most erased block", max(erases) * len(erases) / sum(erases), "x the mean"),
        Row(f"{name}: life at {CYCLES:,} erases", CYCLES * days / max(erases) / 365, "years"),
    ]
