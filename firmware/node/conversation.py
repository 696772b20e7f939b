"""What a node says in one session and what it does about what it hears. No I/O: the connection asks.

Order of what is said: answers first, then what the hub asked for, then rows (losses before the rows behind
them), then how the node is. Rows go from the first that the hub has not stored; what the hub acknowledged
is forgotten, and whatever a lost connection took is said again in the next one.
"""

from firmware.node.outgoing import Outgoing
from shared_schema import batches, frames
from shared_schema.greeting import RefusalCode, decode_refusal
from shared_schema.link import LinkError
from shared_schema.messages import (
    decode_ack,
    decode_command,
    decode_config,
    decode_time,
    decode_welcome,
    encode_config_state,
    encode_result,
    encode_time_wanted,
)
from shared_schema.neighbours import decode_hubs
from shared_schema.reports import encode_event, encode_health, encode_loss
from shared_schema.update_messages import (
    decode_chunk,
    decode_update,
    encode_chunk_wanted,
    encode_update_state,
)

ROWS_PER_FRAME = 40  # as objects they take about 5 kB of a board's memory
BATCH_BYTES = 1400
GREETING_MOST_MS = 10_000
ANSWER_MOST_MS = 15_000  # to a PING
LOOK_EVERY_MS = 1000

_batch = bytearray(BATCH_BYTES)


class Conversation:
    """One session of a node. node: see loop.Node. session: a NodeSession that has not greeted yet."""

    def __init__(self, node, session, now_ms: int) -> None:
        self._node = node
        self._session = session
        self._acts = {
            frames.WELCOME: self._on_welcome,
            frames.ACK: self._on_ack,
            frames.TIME: self._on_time,
            frames.PING: self._on_ping,
            frames.PONG: self._on_pong,
            frames.CONFIG: self._on_config,
            frames.COMMAND: self._on_command,
            frames.UPDATE: self._on_update,
            frames.CHUNK: self._on_chunk,
            frames.REFUSE: self._on_refuse,
            frames.HUBS: self._on_hubs,
        }
        self._began_ms = self._heard_ms = self._said_ms = now_ms
        self._outgoing = None
        self._answers = []
        self._keepalive_ms = 30_000
        self._is_pinged = False
        self._told_update = None
        self._chunk_asked = None
        self._lost_seq = 0
        self.refusal = None
        self.is_stuck = False

    @property
    def is_welcome(self) -> bool:
        """True once the hub proved itself and took the node."""
        return self._outgoing is not None

    def hear(self, type_id: int, payload, now_ms: int) -> None:
        """Take one message. Raises LinkError when it is not what its type says."""
        self._heard_ms = now_ms
        self._is_pinged = False
        if type_id != frames.ACK:
            self._node.told(now_ms)
        act = self._acts.get(type_id)
        if act is not None:
            act(payload, now_ms)

    def say(self, now_ms: int):
        """Return the next frame to send, None when there is nothing to say now."""
        if not self.is_welcome:
            return None
        found = self._next(now_ms)
        if found is None:
            return None
        self._said_ms = now_ms
        return self._session.seal(found[0], found[1])

    def wait_ms(self, now_ms: int) -> int:
        """Return how long there will be nothing to say unless something happens."""
        return min(LOOK_EVERY_MS, max(0, self._node.health_due_ms - now_ms))

    def verdict(self, now_ms: int):
        """Return why the connection has to be given up, None while it is well."""
        if not self._node.network.is_up:
            return "no network"
        if self.refusal is not None:
            return "refused: %s %s" % (_refusal_name(self.refusal.code), self.refusal.text)
        if not self.is_welcome:
            return "no welcome in time" if now_ms - self._began_ms > GREETING_MOST_MS else None
        if now_ms - self._heard_ms > self._keepalive_ms + ANSWER_MOST_MS:
            return "the hub is silent"
        return self._why_leave(now_ms)

    def _why_leave(self, now_ms: int):
        """Return why another hub is to be tried, None while this one is the best."""
        self.is_stuck = self._outgoing.is_stuck(now_ms)
        if self.is_stuck:
            return "the hub stores nothing"
        if self._outgoing.is_idle and self._node.uplink.leaves(now_ms):
            return "the node's own hub is there"
        return None

    def _next(self, now_ms: int):
        """Return (type, payload) of what comes next."""
        if self._answers:
            return self._answers.pop(0)
        return self._about_orders(now_ms) or self._rows(now_ms) or self._about_itself(now_ms)

    def _about_orders(self, now_ms: int):
        node = self._node
        if node.configuration.report is not None:
            report, node.configuration.report = node.configuration.report, None
            return frames.CONFIG_STATE, encode_config_state(report)
        if node.clock.is_ask_due(now_ms):
            return frames.TIME_WANTED, encode_time_wanted(node.clock.ask(now_ms))
        update = node.update
        if update.report is not None and update.report is not self._told_update:
            self._told_update = update.report
            return frames.UPDATE_STATE, encode_update_state(update.report)
        wanted = update.wanted()
        if wanted is not None and self._chunk_asked != (wanted.index, wanted.offset):
            self._chunk_asked = (wanted.index, wanted.offset)
            return frames.CHUNK_WANTED, encode_chunk_wanted(wanted)
        return None

    def _rows(self, now_ms: int):
        outgoing, ring = self._outgoing, self._node.ring
        if outgoing.next_seq >= ring.next_seq or outgoing.room < ROWS_PER_FRAME:
            return None
        lost = ring.loss(outgoing.next_seq)
        if lost is not None:
            outgoing.sent(lost.first_seq, lost.last_seq - lost.first_seq + 1, now_ms)
            return frames.LOSS, encode_loss(lost)
        found = ring.read(outgoing.next_seq, ROWS_PER_FRAME)
        if found is None:
            return None
        kind_id, first_seq, rows = found
        length, count = _encoded(kind_id, first_seq, rows)
        outgoing.sent(first_seq, count, now_ms)
        return frames.READINGS, bytes(memoryview(_batch)[:length])

    def _about_itself(self, now_ms: int):
        node = self._node
        if node.events.waiting:
            return frames.EVENT, encode_event(node.events.waiting.pop(0))
        if now_ms >= node.health_due_ms:
            return frames.HEALTH, encode_health(node.health(now_ms))
        silence_ms = max(now_ms - self._heard_ms, now_ms - self._said_ms)
        if silence_ms >= self._keepalive_ms and not self._is_pinged:
            self._is_pinged = True
            return frames.PING, b""
        return None

    def _on_welcome(self, payload, now_ms: int) -> None:
        welcome = decode_welcome(payload)
        self._outgoing = Outgoing(welcome.stored_seq, now_ms)
        self._keepalive_ms = max(5, welcome.keepalive_s) * 1000
        self._node.clock_told(welcome.unix_ms, self._began_ms, now_ms)
        self._node.welcomed(now_ms)
        self._stored(welcome.stored_seq, now_ms)

    def _on_ack(self, payload, now_ms: int) -> None:
        stored_seq = decode_ack(payload)
        if self._required().acknowledge(stored_seq, now_ms):
            self._stored(stored_seq, now_ms)

    def _stored(self, stored_seq: int, now_ms: int) -> None:
        try:
            self._node.stored(stored_seq, now_ms)
        except ValueError as error:  # the ring does not believe the number
            raise LinkError(str(error)) from None

    def _on_time(self, payload, now_ms: int) -> None:
        time = decode_time(payload)
        asked_ms = now_ms - ((now_ms - time.token) & 0xFFFF_FFFF)
        self._node.clock_told(time.unix_ms, asked_ms, now_ms)

    def _on_ping(self, _payload, _now_ms: int) -> None:
        self._answers.append((frames.PONG, b""))

    def _on_pong(self, _payload, now_ms: int) -> None:
        self._node.heard(now_ms)

    def _on_config(self, payload, _now_ms: int) -> None:
        config = decode_config(payload)
        self._node.configuration.want(config.version, config.document)

    def _on_command(self, payload, _now_ms: int) -> None:
        result = self._node.book.obey(decode_command(payload))
        self._answers.append((frames.RESULT, encode_result(result)))

    def _on_update(self, payload, _now_ms: int) -> None:
        self._chunk_asked = None
        self._node.update.offer(decode_update(payload))

    def _on_chunk(self, payload, _now_ms: int) -> None:
        self._node.update.take(decode_chunk(payload))

    def _on_refuse(self, payload, _now_ms: int) -> None:
        self.refusal = decode_refusal(payload)

    def _on_hubs(self, payload, now_ms: int) -> None:
        self._required()
        self._node.uplink.told(decode_hubs(payload), now_ms)

    def _required(self) -> Outgoing:
        if self._outgoing is None:
            raise LinkError("the hub acknowledges before its welcome")
        return self._outgoing


def _encoded(kind_id: int, first_seq: int, rows):
    """Write as many of the rows as fit into the batch; return its length and how many they are."""
    while True:
        try:
            return batches.encode(kind_id, first_seq, rows, _batch), len(rows)
        except ValueError:
            if len(rows) == 1:
                raise
            rows = rows[: len(rows) // 2]


def _refusal_name(code: int) -> str:
    names = RefusalCode.NAMES
    return names[code - 1] if 1 <= code <= len(names) else "code %d" % code
