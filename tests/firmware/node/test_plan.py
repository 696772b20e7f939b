"""When a sample is due and when a window ends."""

from firmware.node.plan import Group, Plan
from shared_schema.metrics import FLOW, TANK


def test_the_first_sample_is_due_at_once_and_the_next_an_interval_later():
    tank = Group(TANK, 5000, 0, ())
    plan = Plan([tank], 1000)
    assert plan.next_due(1000) is tank
    tank.step(1003)
    assert plan.next_due(5999) is None
    assert plan.wait_ms(5999, 60_000) == 1
    assert plan.next_due(6000) is tank


def test_a_late_sample_moves_no_other_and_missed_ones_are_left_out():
    tank = Group(TANK, 1000, 0, ())
    plan = Plan([tank], 0)
    tank.step(0)
    tank.step(3400)
    assert plan.wait_ms(3400, 60_000) == 600


def test_without_a_window_every_sample_is_a_row():
    tank = Group(TANK, 1000, 0, ())
    Plan([tank], 0)
    assert [tank.step(now) for now in (0, 1000, 2000, 5000)] == [True] * 4


def test_a_window_holds_as_many_samples_as_fit():
    tank = Group(TANK, 1000, 3000, ())
    Plan([tank], 0)
    assert [tank.step(now) for now in range(0, 9000, 1000)] == [False, False, True] * 3


def test_a_window_that_was_slept_through_ends_with_the_next_sample():
    tank = Group(TANK, 1000, 3000, ())
    Plan([tank], 0)
    tank.step(0)
    assert tank.step(20_000)
    assert not tank.step(21_000)


def test_who_waits_longest_comes_first():
    tank, flow = Group(TANK, 5000, 0, ()), Group(FLOW, 1000, 0, ())
    plan = Plan([tank, flow], 0)
    tank.step(0)
    flow.step(0)
    assert plan.next_due(6000) is flow
    flow.step(6000)
    assert plan.next_due(6000) is tank


def test_an_interval_can_be_changed_and_holds_from_now():
    tank = Group(TANK, 60_000, 0, ())
    plan = Plan([tank], 0)
    tank.step(0)
    plan.group_of("tank").set_interval(2000, 500)
    assert plan.wait_ms(500, 60_000) == 0
    tank.step(500)
    assert plan.wait_ms(500, 60_000) == 2000
    assert plan.group_of("flow") is None
    assert plan.slowest_ms == 2000


def test_a_plan_without_groups_waits():
    plan = Plan([], 0)
    assert plan.wait_ms(0, 1000) == 1000
    assert plan.next_due(10**9) is None
    assert plan.slowest_ms == 0
