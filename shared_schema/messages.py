"""What the frames of an open session say: one class per message, or a number where that is all.

encode_x returns a payload and decode_x reads one. encode_x raises ValueError for numbers that do not fit and
documents that are too long, and cuts texts for people; decode_x raises LinkError. PING and PONG are empty.
HELLO, CHALLENGE and REFUSE are in greeting.py, what a node tells of itself in reports.py, HUBS in
neighbours.py, the update's messages in update_messages.py; all of them can be imported from here. READINGS
are in batches.py.
Lengths of texts are bytes of UTF-8.
"""

import struct

from shared_schema.greeting import *  # noqa: F403 - one place to import messages from
from shared_schema.neighbours import *  # noqa: F403
from shared_schema.packing import U32, Reader, cut_utf8, text8, varint
from shared_schema.reports import *  # noqa: F403
from shared_schema.update_messages import *  # noqa: F403

CONFIG_LENGTH = 1500  # about twice the largest sampling plan, and a third of a frame
ARGUMENTS_LENGTH = 1000
NAME_LENGTH = 63
RESULT_LENGTH = 300  # what a node says about a command or a refused configuration: about three log lines
KEEPALIVE_MOST_S = 3600
EXPIRES_MOST_S = 30 * 86_400  # a node that was away for longer should be asked again


class ConfigState:
    """What became of a configuration."""

    APPLIED = 0
    REFUSED = 1
    NAMES = ("applied", "refused")


class ResultState:
    """What became of a command."""

    RECEIVED = 0
    EXECUTED = 1
    FAILED = 2
    UNKNOWN = 3  # no command of that name
    EXPIRED = 4
    NAMES = ("received", "executed", "failed", "unknown", "expired")


class Welcome:
    """The first frame of an open session.

    stored_seq: every row of the node's epoch up to it is stored or its loss explained; 0 none.
    config_version: the one wanted; 0 none. keepalive_s: silence after which one of both sends PING.
    """

    def __init__(self, unix_ms: int, stored_seq: int, config_version: int, keepalive_s: int = 30) -> None:
        self.unix_ms = unix_ms
        self.stored_seq = stored_seq
        self.config_version = config_version
        self.keepalive_s = keepalive_s


def encode_welcome(welcome: Welcome) -> bytes:
    """u64 unix_ms | varint stored_seq | varint config_version | varint keepalive_s."""
    return (
        struct.pack(">Q", welcome.unix_ms)
        + varint(welcome.stored_seq)
        + varint(welcome.config_version)
        + varint(welcome.keepalive_s)
    )


def decode_welcome(payload: bytes | memoryview) -> Welcome:
    """Read a WELCOME."""
    reader = Reader(payload)
    welcome = Welcome(reader.u64(), reader.varint(), reader.varint(), reader.varint(KEEPALIVE_MOST_S))
    reader.end()
    return welcome


def encode_ack(stored_seq: int) -> bytes:
    """Varint stored_seq, cumulative: as in Welcome. Sent only after the hub's commit."""
    return varint(stored_seq)


def decode_ack(payload: bytes | memoryview) -> int:
    """Return stored_seq."""
    reader = Reader(payload)
    stored_seq = reader.varint()
    reader.end()
    return stored_seq


def encode_time_wanted(token: int) -> bytes:
    """u32 token, which TIME brings back, so that the node knows how long the answer took."""
    return struct.pack(">I", token)


def decode_time_wanted(payload: bytes | memoryview) -> int:
    """Return token."""
    reader = Reader(payload)
    token = reader.u32()
    reader.end()
    return token


class Time:
    """The hub's clock when it answered TIME_WANTED with this token."""

    def __init__(self, unix_ms: int, token: int) -> None:
        self.unix_ms = unix_ms
        self.token = token


def encode_time(time: Time) -> bytes:
    """u64 unix_ms | u32 token."""
    return struct.pack(">QI", time.unix_ms, time.token)


def decode_time(payload: bytes | memoryview) -> Time:
    """Read a TIME."""
    reader = Reader(payload)
    time = Time(reader.u64(), reader.u32())
    reader.end()
    return time


class Config:
    """The configuration wanted. document: a JSON object of at most CONFIG_LENGTH."""

    def __init__(self, version: int, document: str) -> None:
        self.version = version
        self.document = document


def encode_config(config: Config) -> bytes:
    """Varint version | document."""
    return varint(config.version) + _whole(config.document, CONFIG_LENGTH)


def decode_config(payload: bytes | memoryview) -> Config:
    """Read a CONFIG; whether the document is JSON is not looked at."""
    reader = Reader(payload)
    return Config(reader.varint(U32), reader.rest_text(CONFIG_LENGTH))


class ConfigReport:
    """What became of the configuration. state: of ConfigState. text: why it was refused."""

    def __init__(self, version: int, state: int, text: str = "") -> None:
        self.version = version
        self.state = state
        self.text = text


def encode_config_state(report: ConfigReport) -> bytes:
    """Varint version | u8 state | text."""
    return varint(report.version) + bytes([report.state]) + cut_utf8(report.text, RESULT_LENGTH)


def decode_config_state(payload: bytes | memoryview) -> ConfigReport:
    """Read a CONFIG_STATE."""
    reader = Reader(payload)
    return ConfigReport(
        reader.varint(U32), reader.u8(len(ConfigState.NAMES) - 1), reader.rest_text(RESULT_LENGTH)
    )


class Command:
    """An order. Its id, seen before, is answered with the old result.

    arguments: a JSON object of at most ARGUMENTS_LENGTH. expires_in_s: not begun later than that.
    """

    def __init__(self, command_id: int, name: str, arguments: str, expires_in_s: int) -> None:
        self.command_id = command_id
        self.name = name
        self.arguments = arguments
        self.expires_in_s = expires_in_s


def encode_command(command: Command) -> bytes:
    """Varint command_id | text8 name | varint expires_in_s | arguments."""
    return (
        varint(command.command_id)
        + text8(command.name, NAME_LENGTH)
        + varint(command.expires_in_s)
        + _whole(command.arguments, ARGUMENTS_LENGTH)
    )


def decode_command(payload: bytes | memoryview) -> Command:
    """Read a COMMAND; whether the arguments are JSON is not looked at."""
    reader = Reader(payload)
    command_id, name, expires_in_s = reader.varint(), reader.text8(NAME_LENGTH), reader.varint(EXPIRES_MOST_S)
    return Command(command_id, name, reader.rest_text(ARGUMENTS_LENGTH), expires_in_s)


class Result:
    """How a command went. state: of ResultState."""

    def __init__(self, command_id: int, state: int, text: str = "") -> None:
        self.command_id = command_id
        self.state = state
        self.text = text


def encode_result(result: Result) -> bytes:
    """Varint command_id | u8 state | text."""
    return varint(result.command_id) + bytes([result.state]) + cut_utf8(result.text, RESULT_LENGTH)


def decode_result(payload: bytes | memoryview) -> Result:
    """Read a RESULT."""
    reader = Reader(payload)
    return Result(reader.varint(), reader.u8(len(ResultState.NAMES) - 1), reader.rest_text(RESULT_LENGTH))


def _whole(document: str, limit: int) -> bytes:
    data = document.encode()
    if len(data) > limit:
        raise ValueError("a document of %d bytes; %d are the most" % (len(data), limit))
    return data
