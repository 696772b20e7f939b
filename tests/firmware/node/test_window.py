"""What becomes of the samples of a window."""

from firmware.node.window import Window
from shared_schema.enums import Quality
from shared_schema.metrics import FLOW, TANK


def test_each_metric_is_put_together_in_its_own_way():
    window = Window(FLOW)
    window.add((1000, 100, None, 2000, None, 3))
    window.add((2001, 105, None, 2001, None, 4))
    assert window.samples == 2
    assert window.take() == ((1501, 105, None, 2001, None, 4), Quality.GOOD)


def test_a_mean_is_rounded_half_up_below_nothing_as_well():
    window = Window(FLOW)
    window.add((-3, None, None, None, None, None))
    window.add((-4, None, None, None, None, None))
    assert window.take()[0][0] == -3


def test_a_value_that_is_missing_now_and_then_is_the_mean_of_the_others():
    window = Window(TANK)
    window.add((10, None, None, None, None, None))
    window.add((None, None, None, None, None, None))
    window.add((30, None, None, None, None, None))
    assert window.take()[0] == (20, None, None, None, None, None)


def test_the_worst_quality_is_the_rows():
    window = Window(TANK)
    window.add((10,), Quality.BAD)
    window.add((12,))
    assert window.take()[1] == Quality.BAD
    window.add((12,))
    assert window.take()[1] == Quality.GOOD


def test_a_window_without_values_makes_no_row():
    window = Window(TANK)
    assert window.take() is None
    window.add((None,) * 6, Quality.BAD)
    assert window.take() is None
    assert window.quality == Quality.GOOD
