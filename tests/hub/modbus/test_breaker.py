"""The breaker of one slave."""

from hub.modbus.breaker import CLOSED, OPEN, SUSPECT, Breaker
from hub.modbus.settings import BreakerSettings

SETTINGS = BreakerSettings(cycles=3, seconds=10.0, first_pause_s=1.0, longest_pause_s=8.0, share=0.1)


def test_it_takes_both_cycles_and_seconds() -> None:
    quick = Breaker(SETTINGS)
    assert [quick.fail(second) for second in (0, 1, 2, 3)] == [False] * 4
    assert quick.state == SUSPECT
    slow = Breaker(SETTINGS)
    assert not slow.fail(0)
    assert not slow.fail(60)
    assert slow.fail(120)
    assert slow.state == OPEN


def test_one_reply_is_a_fresh_start() -> None:
    breaker = Breaker(SETTINGS)
    breaker.fail(0)
    breaker.fail(5)
    assert not breaker.succeed()
    assert not breaker.fail(20)
    assert breaker.state == SUSPECT


def test_probes_become_rarer_up_to_a_bound() -> None:
    breaker = Breaker(SETTINGS)
    for second in (0, 5, 10):
        breaker.fail(second)
    now, pauses = 10.0, []
    for _ in range(6):
        pauses.append(breaker.probe_at_s - now)
        now = breaker.probe_at_s
        breaker.probed(now, 0.01)
    assert pauses == [1, 2, 4, 8, 8, 8]


def test_probes_keep_to_their_share_of_the_bus() -> None:
    breaker = Breaker(SETTINGS)
    for second in (0, 5, 10):
        breaker.fail(second)
    breaker.probed(20.0, 2.0)
    assert 2.0 / (2.0 + breaker.probe_at_s - 20.0) <= SETTINGS.share + 1e-9
    assert breaker.overdue_at_s > breaker.probe_at_s


def test_a_probe_that_is_answered_closes_it() -> None:
    breaker = Breaker(SETTINGS)
    for second in (0, 5, 10):
        breaker.fail(second)
    assert breaker.succeed()
    assert breaker.state == CLOSED
