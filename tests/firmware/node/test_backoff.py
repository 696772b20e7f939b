"""Two hundred nodes whose hub comes back."""

from firmware.node.backoff import EACH, LONGEST_MS, SHORTEST_MS, Backoff


def test_waits_double_and_stay_within_half_a_second_and_a_minute():
    backoff = Backoff("tank-1")
    waits = [backoff.next_ms() for _ in range(16)]
    for number, wait in enumerate(waits):
        step = min(LONGEST_MS, SHORTEST_MS << min(number // EACH, 6))
        assert step // 2 <= wait <= step


def test_a_session_makes_the_next_wait_short_again():
    backoff = Backoff("tank-1")
    for _ in range(9):
        backoff.next_ms()
    backoff.reset()
    assert backoff.next_ms() <= SHORTEST_MS


def test_nodes_do_not_come_at_the_same_moment():
    waits = sorted([Backoff("node-%03d" % number).next_ms() for number in range(200)])
    assert waits[0] < 520
    assert waits[-1] > 980
    assert max([sum([1 for other in waits if wait <= other < wait + 50]) for wait in waits]) < 40
    nodes = [Backoff("node-%03d" % number) for number in range(200)]
    for _ in range(3):
        waits = [node.next_ms() for node in nodes]
    assert len(set(waits)) > 150
