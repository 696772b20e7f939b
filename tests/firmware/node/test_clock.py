"""What a node makes of the counter of its board and of the hub's time."""

from firmware.node.clock import ASK_EVERY_MS, TICKS_PERIOD_MS, Clock, Ticks

NOW = 1_800_000_000_000


def test_ticks_go_on_where_the_counter_wraps():
    counter = [TICKS_PERIOD_MS - 5]
    ticks = Ticks(lambda: counter[0])
    assert ticks.now_ms() == 0
    counter[0] = 10
    assert ticks.now_ms() == 15
    counter[0] = TICKS_PERIOD_MS - 1
    assert ticks.now_ms() == TICKS_PERIOD_MS + 4
    counter[0] = 0
    assert ticks.now_ms() == TICKS_PERIOD_MS + 5


def test_half_of_what_the_answer_took_is_added():
    clock = Clock()
    token = clock.ask(1000)
    assert not clock.is_known
    clock.answer(NOW, token, 1200)
    assert clock.unix_ms(1200) == NOW + 100
    assert clock.unix_ms(2200) == NOW + 1100


def test_an_answer_no_better_than_the_clock_moves_nothing():
    clock = Clock()
    clock.learn(NOW, 0, 10)
    clock.learn(NOW + 1000 + 90, 1000, 1200)  # says the clock is 15 ms slow, and may be 100 ms wrong
    assert clock.unix_ms(1200) == NOW + 1195
    clock.learn(NOW + 2000 + 90, 2000, 2020)  # says it is 95 ms slow, and cannot be more than 10 ms wrong
    assert clock.unix_ms(2020) == NOW + 2100
    assert clock.corrected_ms == 85


def test_a_late_answer_and_an_impossible_time_are_ignored():
    clock = Clock()
    clock.learn(NOW, 0, 5000)
    clock.learn(NOW, 100, 0)
    clock.learn(12345, 0, 10)
    assert not clock.is_known


def test_a_token_survives_the_wrap_of_its_32_bits():
    clock = Clock()
    asked_ms = 2**32 - 100
    clock.answer(NOW, clock.ask(asked_ms), asked_ms + 200)
    assert clock.unix_ms(asked_ms + 200) == NOW + 100


def test_it_asks_at_once_and_then_now_and_then():
    clock = Clock()
    assert clock.is_ask_due(0)
    clock.ask(0)
    assert not clock.is_ask_due(ASK_EVERY_MS - 1)
    assert clock.is_ask_due(ASK_EVERY_MS)
