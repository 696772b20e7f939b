"""One sample of everything that crosses the node link, for tests: messages, batches, and a whole session.

    python -m tests.shared_schema.link_samples     write link_vectors.txt: what they look like on the wire

The file pins the protocol: a change in it is a change of the protocol, and both interpreters reproduce it.
"""

from binascii import hexlify

from shared_schema import batches, frames
from shared_schema import messages as m
from shared_schema.metrics import FLOW, TANK
from tests.shared_schema.link_ends import HUB_NONCE, NODE_NONCE, greet, hub, node

VECTORS = __file__.rsplit("/", 1)[0] + "/link_vectors.txt"
START_MS = 1_790_000_000_000

# type, class or None for a plain number, its arguments in the order of its fields
MESSAGES = (
    ("hello", m.Hello, (NODE_NONCE, "tank-1", 2, 0xFEDCBA98, 101, 2**40, "1.4.0", "esp32", 3, 9)),
    ("challenge", m.Challenge, (HUB_NONCE, "hub-1", bytes(range(32)))),
    ("refusal", m.Refusal, (m.RefusalCode.BUSY, "zu viele Knoten: später")),
    ("welcome", m.Welcome, (START_MS, 2**53 - 1, 0, 30)),
    ("ack", None, 1_000_000),
    ("time_wanted", None, 0xDEADBEEF),
    ("time", m.Time, (START_MS, 0xDEADBEEF)),
    ("config", m.Config, (3, '{"interval_s":60,"name":"Behälter"}')),
    ("config_state", m.ConfigReport, (3, m.ConfigState.REFUSED, "interval_s: 0 is below 1")),
    ("command", m.Command, (70_000, "pump.stop", '{"after_s":5}', 600)),
    ("result", m.Result, (70_000, m.ResultState.EXECUTED, "")),
    ("health", m.Health, (1, -67, 81_920, 4, 3_712, 1440, 524_288, 1_048_576, -12, 86_400, 2)),
    ("loss", m.Loss, (0, 5, 900, START_MS - 90_000, START_MS)),
    ("event", m.Event, (m.EventLevel.ERROR, "sensor-silent", "tds: no answer for 60 s")),
    ("update", m.Update, (b'{"version":"1.5.0","counter":18}', bytes(range(32)))),
    ("chunk_wanted", m.ChunkWanted, (7, 65_536, 1024)),
    ("chunk", m.Chunk, (7, 65_536, bytes(range(256)))),
    ("hubs", m.Hubs, (120, [("192.168.1.10", 8266), ("10.0.0.2", 65_535)])),
    ("update_state", m.UpdateReport, (m.UpdateState.REVERTED, "1.5.0", "no hub for 10 min")),
)


def tank_row(number):
    """A steady tank: level, volume, temperature and battery, one row a minute."""
    at_ms = START_MS + 60_000 * number + number * 7 % 13
    values = (1234 + number % 4, 5120 - 3 * number, 1875 + number % 7 - 3, None, None, 372 - number // 50)
    return (at_ms, values, 0, 0)


def odd_row(number):
    """Everything that is rare: gaps, nulls, steps that need every width, bad values, corrected times."""
    values = (
        None if number % 3 == 1 else 20_000 - 900 * number,
        10_000_000_000_000 if number == 4 else 15 * number,
        -700 if number % 2 else 2_000_000_000,
        None,
        None if number < 8 else 360,
        number,
    )
    return (START_MS + number * number * 100_000, values, number % 3, number % 2)


BATCHES = (
    ("tank", TANK.id, 101, [tank_row(number) for number in range(60)]),
    ("odd", FLOW.id, 2**40, [odd_row(number) for number in range(11)]),
    ("one_row", TANK.id, 1, [(START_MS, (None, None, None, None, None, 372), 2, 2)]),
    ("empty_row", TANK.id, 1, [(START_MS, (None, None, None, None, None, None), 2, 0)]),
)


def message_of(name, form, arguments):
    return form(*arguments) if form else arguments


def packed(name, form, arguments):
    """Return the payload of a sample message."""
    return getattr(m, "encode_" + name)(message_of(name, form, arguments))


def batch(kind_id, first_seq, rows):
    """Return the payload of a batch."""
    buffer = bytearray(frames.MAX_PAYLOAD)
    return bytes(buffer[: batches.encode(kind_id, first_seq, rows, buffer)])


def session():
    """Yield name and bytes of a whole session, in the order of the wire."""
    one, other = node(), hub()
    greeting = greet(one, other)
    for index in range(3):
        yield ("session_" + ("hello", "challenge", "proof")[index], greeting[index])
    yield (
        "session_welcome",
        other.seal(frames.WELCOME, m.encode_welcome(m.Welcome(START_MS, 100, 3))),
    )
    yield ("session_readings", one.seal(frames.READINGS, batch(*BATCHES[0][1:])))
    yield ("session_ack", other.seal(frames.ACK, m.encode_ack(160)))
    yield ("session_ping", one.seal(frames.PING))
    yield ("session_pong", other.seal(frames.PONG))
    yield ("session_refuse", other.refuse(m.RefusalCode.REVOKED, "ask the operator"))


def vectors():
    """Return name and bytes of every sample."""
    found = [("message_" + sample[0], packed(*sample)) for sample in MESSAGES]
    found += [("batch_" + sample[0], batch(*sample[1:])) for sample in BATCHES]
    return found + list(session())


def text_of(found):
    """Return the file's text: a name and its bytes in hex on each line."""
    return "".join([name + " " + hexlify(data).decode() + "\n" for name, data in found])


if __name__ == "__main__":
    with open(VECTORS, "w") as file:  # noqa: PTH123 - as a board can
        file.write(text_of(vectors()))
