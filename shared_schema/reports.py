"""What a node tells of itself beside its readings: its health, its losses, its error log.

encode_x raises ValueError for numbers that do not fit, and cuts texts for people; decode_x raises LinkError.
"""

from shared_schema.enums import LossCause
from shared_schema.packing import LATEST_MS, U32, LinkError, Reader, cut_utf8, signed_varint, text8, varint

CODE_LENGTH = 63  # of an event
DETAIL_LENGTH = 300  # about three log lines

ON_BATTERY = 1  # flags of HEALTH


class EventLevel:
    """How bad an event is."""

    INFO = 0
    WARNING = 1
    ERROR = 2
    CRITICAL = 3
    NAMES = ("info", "warning", "error", "critical")


class Health:
    """How the node fares; about one a minute, as the readings of a heartbeat.

    flags: ON_BATTERY. reset_cause: the board's own number. clock_offset_ms: how far the last TIME moved the
    clock. battery_mv: 0 when it is not measured. ring_bytes: what the ring may take. reconnects: since boot.
    """

    def __init__(
        self,
        flags: int,
        rssi_dbm: int,
        free_memory_bytes: int,
        reset_cause: int,
        battery_mv: int,
        ring_rows: int,
        ring_bytes_free: int,
        ring_bytes: int,
        clock_offset_ms: int,
        uptime_s: int,
        reconnects: int,
    ) -> None:
        self.flags = flags
        self.rssi_dbm = rssi_dbm
        self.free_memory_bytes = free_memory_bytes
        self.reset_cause = reset_cause
        self.battery_mv = battery_mv
        self.ring_rows = ring_rows
        self.ring_bytes_free = ring_bytes_free
        self.ring_bytes = ring_bytes
        self.clock_offset_ms = clock_offset_ms
        self.uptime_s = uptime_s
        self.reconnects = reconnects


def encode_health(health: Health) -> bytes:
    """The fields in order: flags, reset_cause as u8; rssi_dbm, clock_offset_ms as zigzag; else varints."""
    return (
        bytes([health.flags])
        + signed_varint(health.rssi_dbm)
        + varint(health.free_memory_bytes)
        + bytes([health.reset_cause])
        + varint(health.battery_mv)
        + varint(health.ring_rows)
        + varint(health.ring_bytes_free)
        + varint(health.ring_bytes)
        + signed_varint(health.clock_offset_ms)
        + varint(health.uptime_s)
        + varint(health.reconnects)
    )


def decode_health(payload: bytes | memoryview) -> Health:
    """Read a HEALTH."""
    reader = Reader(payload)
    health = Health(
        reader.u8(),
        reader.signed_varint(U32),
        reader.varint(U32),
        reader.u8(),
        reader.varint(U32),
        reader.varint(U32),
        reader.varint(U32),
        reader.varint(U32),
        reader.signed_varint(),
        reader.varint(U32),
        reader.varint(U32),
    )
    reader.end()
    return health


class Loss:
    """Rows first_seq to last_seq are gone, recorded between two instants (Unix ms). cause: of LossCause."""

    def __init__(self, cause: int, first_seq: int, last_seq: int, first_at_ms: int, last_at_ms: int) -> None:
        self.cause = cause
        self.first_seq = first_seq
        self.last_seq = last_seq
        self.first_at_ms = first_at_ms
        self.last_at_ms = last_at_ms


def encode_loss(loss: Loss) -> bytes:
    """u8 cause | varint first_seq, last_seq, first_at_ms, last_at_ms."""
    numbers = (loss.first_seq, loss.last_seq, loss.first_at_ms, loss.last_at_ms)
    return bytes([loss.cause]) + b"".join([varint(number) for number in numbers])


def decode_loss(payload: bytes | memoryview) -> Loss:
    """Read a LOSS of at least one row."""
    reader = Reader(payload)
    loss = Loss(
        reader.u8(len(LossCause.NAMES) - 1),
        reader.varint(),
        reader.varint(),
        reader.varint(LATEST_MS),
        reader.varint(LATEST_MS),
    )
    reader.end()
    if not 1 <= loss.first_seq <= loss.last_seq or loss.first_at_ms > loss.last_at_ms:
        raise LinkError("a loss that ends before it begins")
    return loss


class Event:
    """A row of the node's error log. level: of EventLevel."""

    def __init__(self, level: int, code: str, text: str) -> None:
        self.level = level
        self.code = code
        self.text = text


def encode_event(event: Event) -> bytes:
    """u8 level | text8 code | text."""
    return bytes([event.level]) + text8(event.code, CODE_LENGTH) + cut_utf8(event.text, DETAIL_LENGTH)


def decode_event(payload: bytes | memoryview) -> Event:
    """Read an EVENT."""
    reader = Reader(payload)
    return Event(
        reader.u8(len(EventLevel.NAMES) - 1), reader.text8(CODE_LENGTH), reader.rest_text(DETAIL_LENGTH)
    )
