"""Runs in MicroPython, too: plain functions and plain asserts."""

from tests.shared_schema.noise import Noise, batter

FRAMES = 5000  # a million in the soak


def test_noise_ends_in_nothing_but_a_link_error():
    faults, _ = batter(FRAMES)
    assert FRAMES // 2 < faults < FRAMES  # some damage is not seen without a seal, most is


def test_noise_is_the_same_in_every_interpreter():
    assert list(Noise(1).bytes(8)) == [33, 1, 197, 79, 209, 208, 26, 178]
