"""One session, without sockets: what is said when, and what is made of what is heard."""

from firmware.node.clock import Clock
from firmware.node.commands import CommandBook
from firmware.node.conversation import ANSWER_MOST_MS, GREETING_MOST_MS, ROWS_PER_FRAME, Conversation
from firmware.node.events import Events
from firmware.node.orders import carry_out
from firmware.node.outgoing import ANSWER_MOST_MS as STORE_MOST_MS
from firmware.node.outgoing import ROWS_IN_FLIGHT
from shared_schema import batches, frames
from shared_schema.link import LinkError
from shared_schema.messages import (
    Command,
    Hubs,
    Refusal,
    Time,
    Welcome,
    decode_result,
    encode_ack,
    encode_command,
    encode_hubs,
    encode_refusal,
    encode_time,
    encode_welcome,
)
from shared_schema.metrics import TANK
from shared_schema.reports import Health, decode_event, decode_loss
from shared_schema.update_messages import (
    Update,
    UpdateReport,
    UpdateState,
    decode_update_state,
    encode_update,
)

NOW = 1_800_000_000_000
KEEPALIVE_MS = 30_000


class Lost:
    def __init__(self, first_seq, last_seq):
        self.cause, self.first_seq, self.last_seq = 0, first_seq, last_seq
        self.first_at_ms = self.last_at_ms = NOW


class FakeRing:
    """Rows up to next_seq - 1; lost: (first, last) that have none."""

    def __init__(self, rows=0, lost=None):
        self.next_seq = rows + 1
        self.lost = lost

    def loss(self, from_seq):
        if self.lost and self.lost[0] <= from_seq <= self.lost[1]:
            return Lost(from_seq, self.lost[1])
        return None

    def read(self, from_seq, most_rows):
        end = self.next_seq if not self.lost or from_seq > self.lost[1] else self.lost[0]
        seqs = range(from_seq, min(end, from_seq + most_rows))
        rows = [(NOW + 1000 * seq, (seq, None, None, None, None, None), 0, 0) for seq in seqs]
        return (TANK.id, from_seq, rows) if rows else None


class FakeUpdate:
    def __init__(self):
        self.report = None
        self.offered = []

    def wanted(self):
        return None

    def offer(self, update):
        self.offered.append(update)


class FakeConfiguration:
    report = None


class FakeNetwork:
    is_up = True


class FakeUplink:
    def __init__(self):
        self.hubs = None
        self.has_its_own = False

    def told(self, hubs, now_ms):
        self.hubs = hubs

    def leaves(self, now_ms):
        return self.has_its_own


class FakeNode:
    def __init__(self, ring):
        self.uplink = FakeUplink()
        self.network = FakeNetwork()
        self.ring = ring
        self.clock = Clock()
        self.events = Events()
        self.update = FakeUpdate()
        self.configuration = FakeConfiguration()
        self.book = CommandBook(
            lambda command: carry_out({"identify": lambda: "blinked"}, command), lambda _result: None
        )
        self.health_due_ms = 10**9
        self.stored_seqs = []
        self.heard_ms = []

    def clock_told(self, unix_ms, asked_ms, now_ms):
        self.clock.learn(unix_ms, asked_ms, now_ms)

    def welcomed(self, now_ms):
        self.clock.ask(now_ms)  # the question about the time is another test's

    def stored(self, stored_seq, now_ms):
        self.stored_seqs.append(stored_seq)

    def told(self, now_ms):
        self.told_ms = now_ms

    def heard(self, now_ms):
        self.heard_ms.append(now_ms)

    def health(self, now_ms):
        self.health_due_ms = now_ms + 60_000
        return Health(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)


class PlainSession:
    """Seals nothing, so that a test sees what is said."""

    def seal(self, type_id, payload):
        return type_id, bytes(payload)


def talking(rows=0, stored_seq=0, lost=None):
    node = FakeNode(FakeRing(rows, lost))
    conversation = Conversation(node, PlainSession(), 0)
    conversation.hear(frames.WELCOME, encode_welcome(Welcome(NOW, stored_seq, 0, KEEPALIVE_MS // 1000)), 100)
    return node, conversation


def everything(conversation, now_ms=200):
    said = []
    while (frame := conversation.say(now_ms)) is not None:
        said.append(frame)
    return said


def seqs_of(said):
    found = []
    for type_id, payload in said:
        if type_id == frames.READINGS:
            columns = batches.decode(payload)
            found += range(columns.first_seq, columns.first_seq + len(columns.at_ms))
    return found


def test_says_nothing_before_the_welcome_and_gives_up_without_one():
    conversation = Conversation(FakeNode(FakeRing(5)), PlainSession(), 0)
    assert conversation.say(0) is None
    assert conversation.verdict(GREETING_MOST_MS) is None
    assert conversation.verdict(GREETING_MOST_MS + 1) == "no welcome in time"


def test_sends_from_the_first_row_that_the_hub_has_not_stored():
    node, conversation = talking(rows=100, stored_seq=30)
    assert seqs_of(everything(conversation)) == list(range(31, 101))
    assert node.stored_seqs == [30]


def test_takes_the_time_from_the_welcome_with_half_of_what_the_greeting_took():
    node, _ = talking()
    assert node.clock.unix_ms(100) == NOW + 50


def test_no_more_rows_are_on_their_way_than_the_window_holds():
    _, conversation = talking(rows=2000)
    sent = seqs_of(everything(conversation))
    assert ROWS_IN_FLIGHT - ROWS_PER_FRAME < len(sent) <= ROWS_IN_FLIGHT
    conversation.hear(frames.ACK, encode_ack(sent[-1]), 300)
    assert seqs_of(everything(conversation))[0] == sent[-1] + 1


def test_a_loss_is_told_before_the_rows_behind_it():
    _, conversation = talking(rows=20, lost=(5, 9))
    said = [frame for frame in everything(conversation) if frame[0] in (frames.LOSS, frames.READINGS)]
    assert [type_id for type_id, _ in said] == [frames.READINGS, frames.LOSS, frames.READINGS]
    loss = decode_loss(said[1][1])
    assert (loss.first_seq, loss.last_seq) == (5, 9)
    assert seqs_of(said) == [seq for seq in range(1, 21) if not 5 <= seq <= 9]


def test_only_news_is_passed_on_as_stored():
    node, conversation = talking(rows=10)
    everything(conversation)
    for stored_seq in (4, 4, 3, 10):
        conversation.hear(frames.ACK, encode_ack(stored_seq), 300)
    assert node.stored_seqs == [0, 4, 10]


def test_an_acknowledgement_before_the_welcome_is_a_fault():
    conversation = Conversation(FakeNode(FakeRing()), PlainSession(), 0)
    try:
        conversation.hear(frames.ACK, encode_ack(1), 0)
    except LinkError:
        return
    raise AssertionError("taken")


def test_answers_a_ping_and_pings_a_hub_that_says_nothing():
    node, conversation = talking()
    conversation.hear(frames.PING, b"", 200)
    assert everything(conversation) == [(frames.PONG, b"")]
    assert everything(conversation, 200 + KEEPALIVE_MS - 1) == []
    assert everything(conversation, 200 + KEEPALIVE_MS) == [(frames.PING, b"")]
    assert everything(conversation, 201 + KEEPALIVE_MS) == []
    conversation.hear(frames.PONG, b"", 300 + KEEPALIVE_MS)
    assert node.heard_ms == [300 + KEEPALIVE_MS]
    assert conversation.verdict(200 + 2 * KEEPALIVE_MS) is None
    assert conversation.verdict(301 + 2 * KEEPALIVE_MS + ANSWER_MOST_MS) == "the hub is silent"


def test_pings_a_hub_that_hears_rows_and_says_nothing():
    node, conversation = talking()
    for now_ms in range(1000, 2 * KEEPALIVE_MS, 1000):
        node.ring.next_seq += 1
        if frames.PING in [type_id for type_id, _ in everything(conversation, now_ms)]:
            assert now_ms == 1000 + KEEPALIVE_MS
            return
    raise AssertionError("never asked whether the hub is there")


def test_a_hub_that_stores_nothing_is_left():
    _, conversation = talking(rows=5)
    everything(conversation)
    for now_ms in range(1000, STORE_MOST_MS + 200, 1000):
        conversation.hear(frames.PONG, b"", now_ms)
        assert conversation.verdict(now_ms) is None
    assert conversation.verdict(STORE_MOST_MS + 201) == "the hub stores nothing"


def test_passes_on_where_the_other_hubs_are():
    node, conversation = talking()
    conversation.hear(frames.HUBS, encode_hubs(Hubs(60, [("10.0.0.2", 8266)])), 200)
    assert node.uplink.hubs.addresses == [("10.0.0.2", 8266)]
    assert node.uplink.hubs.return_after_s == 60


def test_goes_to_its_own_hub_with_nothing_on_its_way():
    node, conversation = talking(rows=5)
    everything(conversation)
    node.uplink.has_its_own = True
    assert conversation.verdict(300) is None
    conversation.hear(frames.ACK, encode_ack(5), 400)
    assert conversation.verdict(400) == "the node's own hub is there"


def test_a_refusal_ends_it_with_its_reason():
    conversation = Conversation(FakeNode(FakeRing()), PlainSession(), 0)
    conversation.hear(frames.REFUSE, encode_refusal(Refusal(5, "waits for approval")), 10)
    assert conversation.verdict(10) == "refused: pending waits for approval"


def test_a_session_ends_with_the_network_it_came_over():
    node, conversation = talking()
    assert conversation.verdict(200) is None
    node.network.is_up = False
    assert conversation.verdict(200) == "no network"


def test_a_command_is_answered_first():
    _, conversation = talking(rows=5)
    conversation.hear(frames.COMMAND, encode_command(Command(7, "identify", "", 60)), 200)
    type_id, payload = conversation.say(200)
    assert type_id == frames.RESULT
    assert decode_result(payload).text == "blinked"


def test_asks_for_the_time_and_takes_half_of_the_round_trip():
    node = FakeNode(FakeRing())
    node.welcomed = lambda now_ms: None
    conversation = Conversation(node, PlainSession(), 0)
    conversation.hear(frames.WELCOME, encode_welcome(Welcome(NOW, 0, 0, 30)), 3000)
    type_id, payload = conversation.say(5000)
    assert type_id == frames.TIME_WANTED
    token = int.from_bytes(payload, "big")
    conversation.hear(frames.TIME, encode_time(Time(NOW + 9000, token)), 5020)
    assert node.clock.unix_ms(5020) == NOW + 9010


def test_events_and_health_come_behind_the_rows():
    node, conversation = talking(rows=5)
    node.events.trouble("sensor_failed", "a02yyuw", "no echo")
    node.health_due_ms = 0
    said = everything(conversation)
    assert [type_id for type_id, _ in said] == [frames.READINGS, frames.EVENT, frames.HEALTH]
    assert decode_event(said[1][1]).text == "a02yyuw: no echo"
    assert everything(conversation) == []


def test_an_offer_goes_to_the_update_and_its_state_to_the_hub_once():
    node, conversation = talking()
    conversation.hear(frames.UPDATE, encode_update(Update(b"{}", bytes(32))), 200)
    assert [update.manifest for update in node.update.offered] == [b"{}"]
    node.update.report = UpdateReport(UpdateState.TRIAL, "2.0.0")
    ((type_id, payload),) = everything(conversation)
    assert (type_id, decode_update_state(payload).version) == (frames.UPDATE_STATE, "2.0.0")
    assert everything(conversation) == []
