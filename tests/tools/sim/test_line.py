"""How long frames and silences take."""

import pytest

from tools.sim.line import Line


def test_a_character_has_eleven_bits_with_parity_or_two_stop_bits_and_ten_without():
    assert Line(9600, "even", 1).char_bits == 11
    assert Line(9600, "none", 2).char_bits == 11
    assert Line(9600, "none", 1).char_bits == 10


def test_the_silence_is_three_and_a_half_characters_up_to_19200_baud():
    assert Line(9600, "even", 1).gap_s == pytest.approx(3.5 * 11 / 9600)
    assert Line(19_200, "even", 1).gap_s == pytest.approx(3.5 * 11 / 19_200)


def test_the_silence_is_fixed_above_19200_baud():
    assert Line(38_400, "even", 1).gap_s == 0.00175
    assert Line(115_200, "none", 1).gap_s == 0.00175


@pytest.mark.parametrize(
    ("baud", "registers", "expected_ms"),
    [(9600, 1, 25.2), (9600, 125, 309), (19_200, 20, 34.4), (115_200, 20, 8.56), (115_200, 125, 28.6)],
)
def test_a_transaction_takes_what_others_calculated_for_eleven_bits(baud, registers, expected_ms):
    taken_s = Line(baud, "even", 1).transaction_s(8, 5 + 2 * registers)
    assert 1000 * taken_s == pytest.approx(expected_ms, rel=0.005)
