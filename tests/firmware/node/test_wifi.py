"""The radio's life, told minute by minute."""

from firmware.node import wifi
from firmware.node.wifi import Wifi


def live(radio, from_ms, until_ms, is_joined, step_ms=250):
    """Return what the radio was told, with when."""
    told = []
    for now_ms in range(from_ms, until_ms, step_ms):
        action = radio.step(now_ms, is_joined)
        if action != wifi.NOTHING:
            told.append((now_ms, action))
    return told


def joined_radio():
    radio = Wifi(0)
    live(radio, 0, 2000, False)
    radio.step(2000, True)
    assert radio.state == wifi.JOINED
    return radio


def test_switches_the_radio_on_pauses_and_connects_once():
    told = live(Wifi(0), 0, 60_000, False)
    assert told == [(0, wifi.RESTART_RADIO), (1500, wifi.CONNECT)]


def test_joins_and_counts():
    assert joined_radio().joins == 1


def test_after_a_minute_it_disconnects_pauses_and_tries_again():
    told = live(Wifi(0), 0, 70_000, False)
    assert told[2:] == [(61_500, wifi.DISCONNECT), (64_500, wifi.CONNECT)]


def test_what_the_driver_gave_up_is_tried_again_at_once_and_then_less_and_less():
    radio = Wifi(0)
    times_ms = range(0, 120_000, 250)
    connects = [now_ms for now_ms in times_ms if radio.step(now_ms, False, True) == wifi.CONNECT]
    waits = [connects[number + 1] - connects[number] for number in range(len(connects) - 1)]
    assert waits[0] == wifi.JOIN_LEAST_MS + 2 * wifi.PAUSE_MS
    assert waits == sorted(waits)
    assert waits[-1] <= wifi.JOIN_LEAST_MS + wifi.PAUSES_MOST * wifi.PAUSE_MS


def test_after_three_failures_the_radio_is_restarted():
    told = live(Wifi(0), 0, 205_000, False)
    actions = [action for _, action in told]
    assert actions == [
        wifi.RESTART_RADIO,
        wifi.CONNECT,
        wifi.DISCONNECT,
        wifi.CONNECT,
        wifi.DISCONNECT,
        wifi.CONNECT,
        wifi.RESTART_RADIO,
        wifi.CONNECT,
    ]


def test_a_lost_network_is_joined_again():
    radio = joined_radio()
    told = live(radio, 10_000, 20_000, False)
    assert told == [(10_000, wifi.DISCONNECT), (11_500, wifi.CONNECT)]


def test_a_radio_that_says_joined_while_the_hub_is_silent_is_restarted_now_and_then():
    radio = joined_radio()
    told = live(radio, 2250, 2000 + 2 * wifi.SILENCE_BEFORE_RADIO_MS + 10_000, True)
    restarts = [now_ms for now_ms, action in told if action == wifi.RESTART_RADIO]
    assert restarts[0] == 2000 + wifi.SILENCE_BEFORE_RADIO_MS
    assert len(restarts) == 2


def test_a_hub_that_answers_keeps_the_radio_as_it_is():
    radio = joined_radio()
    for minute in range(1, 500):
        radio.heard(minute * 60_000)
        assert radio.step(minute * 60_000 + 100, True) == wifi.NOTHING


def test_the_last_resort_is_a_restart():
    told = live(Wifi(0), 0, wifi.SILENCE_BEFORE_BOARD_MS + 1000, False, 500)
    assert told[-1] == (wifi.SILENCE_BEFORE_BOARD_MS, wifi.RESTART_BOARD)
    assert [action for _, action in told].count(wifi.RESTART_BOARD) == 1
