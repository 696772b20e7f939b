"""Runs in MicroPython, too."""

from firmware.node.stride_counter import StrideCounter
from tests.firmware.fakes.errors import error_of


class Flash:
    """Keeps a limit; fails when told to."""

    def __init__(self, limit=0):
        self.limit = limit
        self.writes = 0
        self.is_broken = False

    def load(self):
        return self.limit

    def save(self, limit):
        if self.is_broken:
            raise OSError(5)
        self.limit = limit
        self.writes += 1


def counter(flash, stride=4, resume=None):
    return StrideCounter(flash.load, flash.save, stride, resume)


def test_counts_from_0_and_writes_once_in_a_stride():
    flash = Flash()
    numbers = counter(flash)
    assert [numbers.take() for _ in range(9)] == list(range(9))
    assert flash.writes == 3


def test_no_number_comes_twice_whenever_the_node_restarts():
    for taken in range(12):
        flash = Flash()
        before = counter(flash)
        used = [before.take() for _ in range(taken)]
        after = counter(flash)
        used += [after.take() for _ in range(12)]
        assert sorted(set(used)) == used, taken


def test_the_limit_is_on_flash_before_a_number_below_it_is_given():
    flash = Flash()
    numbers = counter(flash)
    for _ in range(20):
        assert numbers.take() < flash.limit


def test_no_number_without_flash():
    flash = Flash()
    numbers = counter(flash)
    flash.is_broken = True
    for _ in range(2):
        try:
            numbers.take()
        except OSError:
            continue
        raise AssertionError
    flash.is_broken = False
    assert numbers.take() == 0


def test_a_wake_goes_on_without_writing_or_skipping():
    flash = Flash()
    before = counter(flash)
    before.take()
    after = counter(flash, resume=before.next_number)
    assert after.take() == 1
    assert flash.writes == 1


def test_a_resume_that_cannot_be_is_not_believed():
    for resume in (0, 7, 13):
        assert counter(Flash(12), resume=resume).take() == 12, resume
    for resume in (8, 12):
        assert counter(Flash(12), resume=resume).take() == resume


def test_the_last_number_of_a_key():
    numbers = counter(Flash((1 << 32) - 1))
    assert numbers.take() == (1 << 32) - 1
    assert "new key" in error_of(numbers.take)
