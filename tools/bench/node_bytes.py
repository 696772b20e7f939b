"""node-bytes: what a value costs between a node and its hub, and how fast a hub takes readings in.

Tanks of the simulated fleet, one row a minute, sixty rows a frame: level, volume, temperature and battery.
A reading is a row with its four values. The clock of the node shakes by some milliseconds. Seconds are those
of a core, whatever else the machine does.
"""

import time
from collections.abc import Callable, Sequence

import orjson

from shared_schema import batches
from shared_schema.frames import ACK, MAX_PAYLOAD, READINGS
from shared_schema.link import HubSession, NodeSession
from shared_schema.messages import Hello, encode_ack, encode_hello
from shared_schema.metrics import TANK, Metric
from tools.bench.harness import Outcome, Row, at_least, at_most, median_of
from tools.sim.water import noise
from tools.sim_fleet.readings import reading_of

ROUNDS = 5
ROWS = 60
MEASURED = ("water_level_cm", "volume_l", "temperature_c", "battery_v")
TANKS, DAYS = 8, 3
FRAMES = 2000  # 120,000 readings a round
START_MS, MINUTE_MS = 1_790_000_000_000, 60_000
SHAKE_MS = 8  # how late asyncio on a board wakes
KEY = bytes(32)
HEADER_BYTES = 40  # of TCP and IPv4
PACKETS = 3  # the frame, the ACK and what TCP itself sends back for it

BatchRow = tuple[int, tuple[int | None, ...], int, int]
Batch = tuple[int, list[BatchRow]]


def run(scale: float = 1.0) -> Outcome:
    """Count bytes over some days of eight tanks, and take readings in."""
    days = max(0.1, DAYS * scale)
    found = [batch for seed in range(TANKS) for batch in _batches(seed, round(days * 24))]
    payloads = [_payload(batch) for batch in found]
    values = len(found) * ROWS * len(MEASURED)
    node, hub = _open()
    up = sum(len(node.seal(READINGS, payload)) for payload in payloads)
    down = sum(len(hub.seal(ACK, encode_ack(first_seq + ROWS - 1))) for first_seq, _ in found)
    json = sum(len(_json(batch)) for batch in found)
    frames = [payloads[number % len(payloads)] for number in range(max(20, round(FRAMES * scale)))]
    decoded = median_of(ROUNDS, lambda: _decoded_per_s(frames))
    goal = at_least("readings decoded", decoded, "readings/s", 400_000)
    return Outcome(
        "node-bytes",
        [
            at_most("on the wire, frame, seal and ACK included", (up + down) / values, "bytes/value", 6),
            Row(
                "… of which frames, seals and ACKs",
                (up + down - sum(map(len, payloads))) / values,
                "bytes/value",
            ),
            Row(
                "… headers of TCP/IPv4 beside it", len(found) * PACKETS * HEADER_BYTES / values, "bytes/value"
            ),
            Row("the same rows as JSON, without anything around it", json / values, "bytes/value"),
            goal if scale >= 1 else Row(goal.label, goal.value, goal.unit, goal.goal),
            Row(
                "readings received, seal checked and decoded",
                median_of(ROUNDS, lambda: _taken_per_s(frames)),
                "readings/s",
            ),
            Row(
                "the same readings from JSON, no seal",
                median_of(ROUNDS, lambda: _json_per_s(found, len(frames))),
                "readings/s",
            ),
        ],
    )


def _batches(seed: int, count: int) -> list[Batch]:
    return [
        (1 + ROWS * number, [_row(seed, ROWS * number + index) for index in range(ROWS)])
        for number in range(count)
    ]


def _row(seed: int, number: int) -> BatchRow:
    at_ms = START_MS + MINUTE_MS * number + round(SHAKE_MS * (1 + noise(seed, 99, number)) / 2)
    values = zip(TANK.fields, reading_of(TANK, seed, at_ms), strict=True)
    return at_ms, tuple(_scaled(field, value) for field, value in values), 0, 0


def _scaled(field: object, value: object) -> int | None:
    if not isinstance(field, Metric) or not isinstance(value, int | float) or field.name not in MEASURED:
        return None
    return round(value * 10.0**field.decimals)


def _payload(batch: Batch) -> bytes:
    buffer = bytearray(MAX_PAYLOAD)
    return bytes(buffer[: batches.encode(TANK.id, *batch, buffer)])


def _json(batch: Batch) -> bytes:
    first_seq, rows = batch
    return orjson.dumps(
        [
            {"seq": first_seq + index, "recorded_at": at_ms, "quality": quality, "time_quality": time_quality}
            | {
                field.name: value / 10**field.decimals if field.decimals else value
                for field, value in zip(TANK.fields, values, strict=True)
                if value is not None
            }
            for index, (at_ms, values, quality, time_quality) in enumerate(rows)
        ]
    )


def _open() -> tuple[NodeSession, HubSession]:
    hello = encode_hello(Hello(bytes(16), "tank-1", 1, 1, 1, 1, "1.0.0", "pc", 0))
    node, hub = NodeSession(KEY, hello), HubSession("hub", bytes(16), lambda _: KEY)
    hub.receive(node.greeting())
    node.receive(hub.to_send())
    hub.receive(node.to_send())
    return node, hub


def _decoded_per_s(payloads: Sequence[bytes]) -> float:
    return _per_s(payloads, batches.decode)


def _taken_per_s(payloads: Sequence[bytes]) -> float:
    node, hub = _open()

    def take(sealed: bytes) -> None:
        for _, payload in hub.receive(sealed):
            batches.decode(payload)

    return _per_s([node.seal(READINGS, payload) for payload in payloads], take)


def _json_per_s(found: Sequence[Batch], count: int) -> float:
    bodies = [_json(batch) for batch in found]
    return _per_s([bodies[number % len(bodies)] for number in range(count)], orjson.loads)


def _per_s(pieces: Sequence[bytes], take: Callable[[bytes], object]) -> float:
    begun_s = time.process_time()
    for piece in pieces:
        take(piece)
    return len(pieces) * ROWS / (time.process_time() - begun_s)
