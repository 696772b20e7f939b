"""Noise for the node link: frames that are random, or right but for a few bytes; the same everywhere."""

from shared_schema import batches
from shared_schema import messages as m
from shared_schema.frames import HELLO, MAX_FRAME, READINGS, FrameReader, frame
from shared_schema.link import LinkError
from tests.shared_schema.link_ends import hello, hub, node, open_pair
from tests.shared_schema.link_samples import BATCHES, MESSAGES, batch, packed

PAYLOADS = [(getattr(m, "decode_" + sample[0]), packed(*sample)) for sample in MESSAGES] + [
    (batches.decode, batch(*sample[1:])) for sample in BATCHES
]


class Noise:
    """A xorshift generator of 32 bits. Source: Marsaglia, Xorshift RNGs, 2003."""

    def __init__(self, seed):
        self._state = seed or 1

    def below(self, bound):
        state = self._state
        state ^= state << 13 & 0xFFFFFFFF
        state ^= state >> 17
        state ^= state << 5 & 0xFFFFFFFF
        self._state = state
        return state % bound

    def bytes(self, size):
        return bytes([self.below(256) for _ in range(size)])

    def damaged(self, data):
        """Return data with one to three bytes changed, cut out, or put in."""
        copy = bytearray(data)
        for _ in range(1 + self.below(3)):
            at = self.below(len(copy) + 1)
            change = self.below(4)
            if change == 0:
                copy = copy[:at]
            elif change == 1:
                copy = copy[:at] + self.bytes(1 + self.below(4)) + copy[at:]
            elif at < len(copy):
                copy[at] = self.below(256) if change == 2 else copy[at] ^ 1 << self.below(8)
        return bytes(copy)


def random_payload(noise):
    decode, _ = PAYLOADS[noise.below(len(PAYLOADS))]
    decode(noise.bytes(noise.below(60)))


def damaged_payload(noise):
    decode, payload = PAYLOADS[noise.below(len(PAYLOADS))]
    decode(noise.damaged(payload))


def damaged_batch(noise):
    _, kind_id, first_seq, rows = BATCHES[noise.below(len(BATCHES))]
    batches.decode(noise.damaged(batch(kind_id, first_seq, rows[:12])))


def random_stream(noise):
    reader = FrameReader(MAX_FRAME)
    reader.feed(bytes([0, noise.below(20)]) + noise.bytes(20))
    while reader.next() is not None:
        pass


def stranger_at_a_hub(noise):
    other = hub()
    other.receive(frame(HELLO, noise.damaged(hello())))
    other.to_send()
    other.receive(frame(noise.below(25), noise.bytes(noise.below(40))))


def stranger_at_a_node(noise):
    one, other = node(), hub()
    other.receive(one.greeting())
    one.receive(noise.damaged(other.to_send()))
    one.receive(noise.bytes(40))


def stranger_in_a_session(noise):
    one, other = open_pair()
    other.receive(noise.damaged(one.seal(READINGS, noise.bytes(noise.below(30)))))
    one.receive(frame(noise.below(25), noise.bytes(noise.below(30))))


# the slow ones once in ten
GAMES = (
    random_payload,
    damaged_payload,
    damaged_batch,
    random_stream,
    random_payload,
    damaged_payload,
    damaged_batch,
    stranger_at_a_hub,
    stranger_at_a_node,
    stranger_in_a_session,
)


def batter(count, seed=1):
    """Play count games; return how many ended in a LinkError, and how many of those were about a text.

    Any other exception goes through.
    """
    noise, faults, texts = Noise(seed), 0, 0
    for number in range(count):
        try:
            GAMES[number % len(GAMES)](noise)
        except LinkError as error:
            faults += 1
            texts += str(error) == "not UTF-8"
    return faults, texts
