"""Runs in MicroPython, too."""

from firmware.node.battery import STATE_BYTES, BatteryMode, Rules

FULL_MV, LOW_MV, EMPTY_MV = 4_000, 3_400, 3_200
SAMPLE_MS, DIAL_MS = 300_000, 3_600_000


def woken(now_ms=1_000_000):
    """Return a node that has just measured and reached its hub."""
    mode = BatteryMode(Rules())
    mode.sampled(now_ms, FULL_MV)
    mode.dialled(now_ms, True, FULL_MV)
    return mode


def sleeps(mode, **different):
    """Return whether the node may sleep, in a wake that dialled and is done but for what is different."""
    usual = {
        "awake_ms": 5_000,
        "is_dialling": True,
        "is_linked": True,
        "rows_waiting": 0,
        "quiet_ms": 2_000,
        "is_updating": False,
    }
    usual.update(different)
    return mode.may_sleep(**usual)


def test_everything_is_due_when_the_power_comes_on():
    mode = BatteryMode(Rules())
    assert mode.is_sample_due(0)
    assert mode.is_dial_due(0, 0, FULL_MV)


def test_sleeps_until_the_next_sample():
    mode = woken()
    assert mode.sleep_ms(1_004_000) == SAMPLE_MS - 4_000
    assert not mode.is_sample_due(1_100_000)
    assert mode.is_sample_due(1_000_000 + SAMPLE_MS)


def test_a_sleep_that_ended_a_little_early_counts():
    assert woken().is_sample_due(1_000_000 + SAMPLE_MS - 1_500)


def test_late_wakes_do_not_move_the_grid():
    mode = woken()
    mode.sampled(1_000_000 + SAMPLE_MS + 7_000, FULL_MV)
    assert mode.sleep_ms(1_000_000 + SAMPLE_MS + 7_000) == SAMPLE_MS - 7_000


def test_a_missed_sample_is_not_made_up_for():
    mode = woken()
    mode.sampled(1_000_000 + 2 * SAMPLE_MS + 5_000, FULL_MV)
    assert mode.sleep_ms(1_000_000 + 2 * SAMPLE_MS + 5_000) == SAMPLE_MS - 5_000
    mode.sampled(900_000_000, FULL_MV)  # the clock was set
    assert mode.sleep_ms(900_000_000) == SAMPLE_MS


def test_a_batch_is_collected_before_the_hub_is_dialled():
    mode = woken()
    now_ms = 1_000_000 + SAMPLE_MS
    assert not mode.is_dial_due(now_ms, 1, FULL_MV)
    assert mode.is_dial_due(now_ms, 60, FULL_MV)
    assert mode.is_dial_due(1_000_000 + DIAL_MS, 1, FULL_MV)


def test_an_alarm_dials_at_once():
    assert woken().is_dial_due(1_300_000, 1, FULL_MV, is_alarm=True)


def test_an_empty_battery_never_dials():
    mode = woken()
    assert not mode.is_dial_due(1_000_000 + DIAL_MS, 99, EMPTY_MV, is_alarm=True)
    assert mode.is_sample_due(1_000_000 + SAMPLE_MS)


def test_a_low_battery_does_everything_four_times_less_often():
    mode = woken()
    mode.sampled(1_000_000 + SAMPLE_MS, LOW_MV)
    assert mode.sleep_ms(1_000_000 + SAMPLE_MS) == 4 * SAMPLE_MS
    mode.dialled(2_000_000, True, LOW_MV)
    assert not mode.is_dial_due(2_000_000 + 3 * DIAL_MS, 1, LOW_MV)
    assert mode.is_dial_due(2_000_000 + 4 * DIAL_MS, 1, LOW_MV)


def test_a_hub_that_is_away_is_asked_less_and_less_often_whatever_waits():
    mode = woken()
    now_ms, pauses = 2_000_000, []
    for _ in range(5):
        mode.dialled(now_ms, False, FULL_MV)
        pause_ms = 0
        while not mode.is_dial_due(now_ms + pause_ms, 1_000, FULL_MV):
            pause_ms += 600_000
        pauses.append(pause_ms // DIAL_MS)
        now_ms += pause_ms
    assert pauses == [2, 4, 8, 8, 8]
    mode.dialled(now_ms, True, FULL_MV)
    assert mode.is_dial_due(now_ms + SAMPLE_MS, 60, FULL_MV)


def test_a_wake_without_a_dial_ends_at_once():
    assert sleeps(woken(), is_dialling=False, rows_waiting=9, awake_ms=0)


def test_the_link_stays_open_a_moment_for_orders():
    mode = woken()
    assert not sleeps(mode, quiet_ms=1_000)
    assert sleeps(mode, quiet_ms=1_500)


def test_rows_that_wait_for_their_acknowledgement_keep_it_awake_but_not_for_ever():
    mode = woken()
    assert not sleeps(mode, rows_waiting=5, awake_ms=29_999)
    assert sleeps(mode, rows_waiting=5, awake_ms=30_000)


def test_a_hub_that_does_not_answer_costs_15_s():
    mode = woken()
    assert not sleeps(mode, is_linked=False, awake_ms=14_999)
    assert sleeps(mode, is_linked=False, awake_ms=15_000)


def test_an_update_is_let_finish():
    mode = woken()
    assert not sleeps(mode, is_updating=True, awake_ms=599_999)
    assert sleeps(mode, is_updating=True, awake_ms=600_000)


def test_the_state_survives_the_sleep():
    mode = woken()
    mode.dialled(2_000_000, False, FULL_MV)
    state = mode.state()
    assert len(state) == STATE_BYTES <= 28  # what an rp2 keeps
    other = BatteryMode(Rules())
    assert other.restore(bytearray(state))
    assert other.state() == state
    assert other.sleep_ms(1_000_000) == mode.sleep_ms(1_000_000)
    assert not other.is_dial_due(2_000_000 + DIAL_MS, 99, FULL_MV)


def test_a_state_that_is_none_is_not_taken():
    state = woken().state()
    other = BatteryMode(Rules())
    for damaged in (b"", state[:-1], bytes(STATE_BYTES), b"\xff" * STATE_BYTES, b"\x01" + state[1:]):
        assert not other.restore(damaged)
    assert other.is_sample_due(0)
