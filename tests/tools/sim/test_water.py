"""The water supply obeys its laws."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.sim.water import Pump, Site, Tank, demand_lpm, noise

seeds = st.integers(0, 2**32)
steps_s = st.sampled_from((0.1, 1.0, 6.0, 10.0))


shares = st.sampled_from((0.0, 0.01, 0.5, 0.99, 1.0))


def tank(share):
    return Tank(area_m2=5.0, height_cm=400.0, volume_l=share * 20_000)


@settings(max_examples=40, deadline=None)
@given(seeds, steps_s, st.integers(1, 3000), shares, shares)
def test_every_litre_is_somewhere(seed, step_s, count, north, south):
    site = Site(seed=seed, step_s=step_s, north=tank(north), south=tank(south))
    before_l = site.north.volume_l + site.south.volume_l
    site.advance(count * step_s)
    inside_l = site.north.volume_l + site.south.volume_l
    assert site.steps == count
    assert inside_l == pytest.approx(before_l + site.inlet_l - site.outlet_l - site.spilled_l, abs=1e-6)
    assert min(site.north.volume_l, site.south.volume_l, site.spilled_l) >= 0
    assert max(site.north.share, site.south.share) <= 1 + 1e-12


def test_a_full_tank_spills_and_an_empty_one_gives_nothing():
    full = Site(north=tank(1.0), south=tank(1.0), pump=Pump(speed=1.0))
    empty = Site(north=tank(0.0), south=tank(0.0))
    full.step()
    empty.step()
    assert full.spilled_l > 0
    assert empty.outlet_l == 0
    assert empty.outflow_lpm == 0


@settings(max_examples=25, deadline=None)
@given(seeds, steps_s, st.integers(1, 1000))
def test_totalisers_are_the_integral_of_their_flows(seed, step_s, count):
    site = Site(seed=seed, step_s=step_s)
    inlet_l = transfer_l = outlet_l = energy_kwh = 0.0
    for _ in range(count):
        site.step()
        inlet_l += site.inflow_lpm * step_s / 60
        transfer_l += site.transfer_lpm * step_s / 60
        outlet_l += site.outflow_lpm * step_s / 60
        energy_kwh += site.pump.power_w * step_s / 3_600_000
    assert site.inlet_l == pytest.approx(inlet_l)
    assert site.transfer_l == pytest.approx(transfer_l)
    assert site.outlet_l == pytest.approx(outlet_l)
    assert site.energy_kwh == pytest.approx(energy_kwh)


@settings(max_examples=15, deadline=None)
@given(seeds, st.integers(1, 9000))
def test_tanks_neither_overflow_their_brim_nor_run_below_empty(seed, count):
    site = Site(seed=seed, step_s=10.0)
    for _ in range(count // 100 + 1):
        site.advance((site.steps + 100) * site.step_s)
        for tank in (site.north, site.south):
            assert 0.0 <= tank.volume_l <= tank.capacity_l + 1e-9
        assert min(site.inflow_lpm, site.transfer_lpm, site.outflow_lpm, site.drawdown_m) >= 0


def test_the_same_seed_gives_the_same_history_however_often_one_looks():
    often, once, other = Site(seed=7), Site(seed=7), Site(seed=8)
    for second in range(3600):
        often.advance(float(second))
    once.advance(3599.0)
    other.advance(3599.0)
    assert often == once
    assert other.outlet_l != once.outlet_l


def test_a_day_has_pumping_and_rest_and_a_level_that_moves():
    site, running, levels = Site(step_s=10.0), set(), []
    for _ in range(8640):
        site.step()
        running.add(site.pump.is_wanted)
        levels.append(site.north.level_cm)
    assert running == {True, False}
    assert max(levels) - min(levels) > 50
    assert site.pump.starts >= 2
    assert site.spilled_l == 0


def test_the_village_drinks_most_in_the_morning_and_least_at_night():
    morning, evening, night = (demand_lpm(hour * 3600) for hour in (7.25, 19.5, 3))
    assert morning > evening > 3 * night > 0


@given(seeds, st.integers(0, 2**32), st.integers(0, 2**40))
def test_noise_is_bounded_and_repeatable(seed, channel, step):
    assert -1.0 <= noise(seed, channel, step) <= 1.0
    assert noise(seed, channel, step) == noise(seed, channel, step)


def test_noise_has_no_drift():
    values = [noise(3, 5, step) for step in range(20_000)]
    assert abs(sum(values) / len(values)) < 0.02
    assert len(set(values)) == len(values)
