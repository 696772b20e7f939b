"""What the hub does with each message of a node that has proved its key.

Owns the decisions; sockets and waiting are link_service's, storing is store_service's. What a message makes
of rows goes to a Harvest, what the node has to be told to replies, what an operator has to know to events.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from hub.nodes.health import heartbeat_of, judge
from hub.nodes.limits import Ration
from hub.nodes.orders import Commands, Reported, config_to_send
from hub.nodes.readings import Lost, are_all_within, ledger_rows, rows_of, span_at, without_wrong_times
from hub.nodes.stored import Numbers
from hub.ports import EventSink, Reading, Stamp
from shared_schema import frames
from shared_schema.batches import decode
from shared_schema.enums import LossCause, Quality, TimeQuality
from shared_schema.messages import (
    Hello,
    Result,
    Time,
    Welcome,
    decode_config_state,
    decode_result,
    decode_time_wanted,
    encode_ack,
    encode_command,
    encode_config,
    encode_time,
    encode_welcome,
)
from shared_schema.metrics import ERROR
from shared_schema.reports import EventLevel, Health, decode_event, decode_health, decode_loss
from shared_schema.text import clean_text
from shared_schema.update_messages import (
    ChunkWanted,
    UpdateReport,
    decode_chunk_wanted,
    decode_update_state,
)

KEEPALIVE_S = 30
HEALTH_EVERY_S = 10.0  # reports that come faster are not stored; a node sends about one a minute
EVENTS_PER_HOUR = 60  # rows of one node's error log

Payload = bytes | memoryview


class Now:
    """One moment on both clocks."""

    def __init__(self, monotonic_s: float, stamp: Stamp) -> None:
        self.monotonic_s = monotonic_s
        self.stamp = stamp
        self.wall_ms = None if stamp.time_quality == TimeQuality.PENDING else stamp.recorded_at_ms


@dataclass(slots=True)
class Harvest:
    """What nodes brought and is not on disk yet. accepted: by device key, what may be told once it is."""

    rows: list[Reading] = field(default_factory=list)
    alarms: list[Reading] = field(default_factory=list)
    accepted: dict[str, tuple[Numbers, int]] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """How many rows are in it."""
        return len(self.rows) + len(self.alarms)


class Talk:
    """One open session. replies: types and payloads to send, in order; whoever sends them clears it.

    results, about_update: what the node said of commands and of its update; whoever acts on it clears it.
    health: what the node said last of itself.
    """

    def __init__(
        self, hello: Hello, numbers: Numbers, commands: Commands, *, hub_key: str, events: EventSink, now: Now
    ) -> None:
        self.hello = hello
        self.key = hello.device_key
        self.numbers = numbers
        self.reported = Reported(hello.config_version)
        self.replies: list[tuple[int, bytes]] = []
        self.results: list[Result] = []
        self.about_update: list[ChunkWanted | UpdateReport] = []
        self.rows = 0
        self.health: Health | None = None
        self._commands = commands
        self._hub_key = hub_key
        self._events = events
        self._ration = Ration(EVENTS_PER_HOUR, now.monotonic_s)
        self._next_health_s = 0.0
        self._wanted = (0, "")
        numbers.greet(hello.next_seq)

    def welcome(self, now: Now, wanted_version: int, document: str) -> None:
        """Begin: what is stored, what time it is (0 while the hub does not know), what is wanted."""
        if self.hello.next_seq <= self.numbers.stored:
            message = f"it counts from {self.hello.next_seq} again, {self.numbers.stored} is stored"
            self._events.raise_event("error", "node_counts_again", message, device_key=self.key)
        # What lies before its oldest was acknowledged to it, by whichever hub: it need not come again.
        acknowledged = min(self.hello.oldest_seq, self.hello.next_seq) - 1
        stored_seq = max(self.numbers.stored, acknowledged)
        greeting = Welcome(now.wall_ms or 0, stored_seq, wanted_version, KEEPALIVE_S)
        self.replies.append((frames.WELCOME, encode_welcome(greeting)))
        self.configure(wanted_version, document)
        for command in self._commands.to_send(now.monotonic_s):
            self.replies.append((frames.COMMAND, encode_command(command)))

    def configure(self, wanted_version: int, document: str) -> None:
        """Tell the node its configuration, unless it has said what became of it, or was told just now."""
        config = config_to_send(wanted_version, document, self.reported)
        if config is not None and self._wanted != (wanted_version, document):
            self._wanted = (wanted_version, document)
            self.replies.append((frames.CONFIG, encode_config(config)))

    def hear(self, type_id: int, payload: Payload, now: Now, harvest: Harvest) -> None:
        """Take one message. Raises LinkError when it is not what the protocol allows."""
        if type_id == frames.READINGS:
            self._readings(payload, now, harvest)
        else:
            _OTHERS[type_id](self, payload, now, harvest)

    def _readings(self, payload: Payload, now: Now, harvest: Harvest) -> None:
        columns = decode(payload)
        numbers, count = self.numbers, len(columns.at_ms)
        repeats = numbers.take(columns.first_seq, count)
        if numbers.skipped:
            first, last = numbers.skipped
            message = f"rows {first} to {last} never came; another hub may know why"
            self._events.raise_event("warning", "node_rows_missing", message, device_key=self.key)
        if repeats == count:
            if columns.first_seq + count - 1 <= numbers.stored:
                self.replies.append((frames.ACK, encode_ack(numbers.stored)))
            return
        rows = rows_of(self.key, numbers.epoch, columns)
        if repeats:
            rows = rows[repeats:]
        if now.wall_ms is not None and not are_all_within(columns, span := span_at(now.wall_ms)):
            rows, lost = without_wrong_times(rows, span)
            self._lose(lost, now, harvest)
        harvest.rows += rows
        harvest.accepted[self.key] = (numbers, numbers.accepted)
        self.rows += len(rows)

    def _lose(self, losses: list[Lost], now: Now, harvest: Harvest) -> None:
        if not losses:
            return
        message = f"rows {losses[0].first_seq} to {losses[-1].last_seq}: {losses[-1].detail}; see the ledger"
        self._events.raise_event("warning", "node_time_wrong", message, device_key=self.key)
        harvest.alarms += self._ledger(losses, now)

    def _ledger(self, losses: list[Lost], now: Now) -> list[Reading]:
        return ledger_rows(self.key, self.numbers.epoch, losses, self._hub_key, now.stamp)

    def _loss(self, payload: Payload, now: Now, harvest: Harvest) -> None:
        loss = decode_loss(payload)
        is_thinned = loss.cause == LossCause.THINNED
        news = self.numbers.lose(loss.first_seq, loss.last_seq, has_rows_between=is_thinned)
        if news is not None:
            lost = Lost(*news, loss.cause, loss.first_at_ms, loss.last_at_ms, "told by the node")
            harvest.alarms += self._ledger([lost], now)
            harvest.accepted[self.key] = (self.numbers, self.numbers.accepted)
        elif loss.last_seq <= self.numbers.stored:
            self.replies.append((frames.ACK, encode_ack(self.numbers.stored)))

    def _health(self, payload: Payload, now: Now, harvest: Harvest) -> None:
        health = self.health = decode_health(payload)
        if now.monotonic_s >= self._next_health_s:
            self._next_health_s = now.monotonic_s + HEALTH_EVERY_S
            harvest.rows.append(heartbeat_of(health, self.key, now.stamp))
            judge(health, self.key, self._events)

    def _event(self, payload: Payload, now: Now, harvest: Harvest) -> None:
        event = decode_event(payload)
        if not self._ration.take(now.monotonic_s):
            return
        level = EventLevel.NAMES[event.level]
        context = json.dumps({"board": self.hello.board, "firmware": self.hello.firmware_version})
        values = (level, clean_text(event.code), clean_text(event.text), clean_text(context))
        row = Reading(
            self.key, ERROR.name, now.stamp.recorded_at_ms, values, Quality.GOOD, now.stamp.time_quality
        )
        (harvest.rows if event.level == EventLevel.INFO else harvest.alarms).append(row)

    def _time_wanted(self, payload: Payload, now: Now, _harvest: Harvest) -> None:
        token = decode_time_wanted(payload)
        if now.wall_ms is not None:
            self.replies.append((frames.TIME, encode_time(Time(now.wall_ms, token))))

    def _config_state(self, payload: Payload, _now: Now, _harvest: Harvest) -> None:
        self.reported = self.reported.with_report(decode_config_state(payload))
        if self.reported.reason:
            message = f"it refuses configuration {self.reported.refused_version}: {self.reported.reason}"
            self._events.raise_event("error", "node_config_refused", clean_text(message), device_key=self.key)
        else:
            self._events.clear_event("node_config_refused", device_key=self.key)

    def _result(self, payload: Payload, _now: Now, _harvest: Harvest) -> None:
        result = decode_result(payload)
        if self._commands.heard(result):
            self.results.append(result)

    def _ping(self, _payload: Payload, _now: Now, _harvest: Harvest) -> None:
        self.replies.append((frames.PONG, b""))

    def _chunk_wanted(self, payload: Payload, _now: Now, _harvest: Harvest) -> None:
        self.about_update.append(decode_chunk_wanted(payload))

    def _update_state(self, payload: Payload, _now: Now, _harvest: Harvest) -> None:
        self.about_update.append(decode_update_state(payload))

    def _nothing(self, _payload: Payload, _now: Now, _harvest: Harvest) -> None:
        """Take a PONG, which needs no answer."""


_OTHERS: Mapping[int, Callable[[Talk, Payload, Now, Harvest], None]] = {
    frames.PING: Talk._ping,  # noqa: SLF001 - the table of this class's own methods
    frames.PONG: Talk._nothing,  # noqa: SLF001
    frames.TIME_WANTED: Talk._time_wanted,  # noqa: SLF001
    frames.HEALTH: Talk._health,  # noqa: SLF001
    frames.LOSS: Talk._loss,  # noqa: SLF001
    frames.EVENT: Talk._event,  # noqa: SLF001
    frames.CONFIG_STATE: Talk._config_state,  # noqa: SLF001
    frames.RESULT: Talk._result,  # noqa: SLF001
    frames.CHUNK_WANTED: Talk._chunk_wanted,  # noqa: SLF001
    frames.UPDATE_STATE: Talk._update_state,  # noqa: SLF001
}
