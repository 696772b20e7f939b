"""A slave's registers follow the water; its faults do not."""

import itertools
import struct

import pytest

from hub.errors import ConfigError, OperatorNeeded
from tools.sim import demo_site, slave
from tools.sim.gauges import PLACES, Gauge
from tools.sim.line import Line
from tools.sim.profiles import Point, Profile
from tools.sim.slave import SimulatedSlave
from tools.sim.water import Site

COUNTER = Profile(
    name="counter",
    kind="flow",
    line=Line(),
    address=1,
    max_registers=125,
    max_bits=2000,
    rest_s=0.0,
    points=(
        Point("flow_rate_lpm", "input", 0, "float64"),
        Point("cumulative_volume_l", "input", 4, "u16", wrap=5000),
    ),
)


def look(one, site, table="input", start=0, count=5):
    one.measure(site)
    held = one.registers.measured[table]
    return [held.get(address, 0) for address in range(start, start + count)]


def test_the_register_of_a_totaliser_is_its_integral_up_to_the_wrap():
    site, one = Site(step_s=10.0), SimulatedSlave("meter", 1, profile=COUNTER, place="inlet")
    seen = []
    for _ in range(2000):
        site.step()
        raw = look(one, site)[4]
        assert raw == int(site.inlet_l % 5000)
        seen.append(raw)
    assert any(later < earlier for earlier, later in itertools.pairwise(seen))


def test_values_stay_within_the_noise_of_the_sensor():
    site, one = Site(), SimulatedSlave("meter", 1, profile=COUNTER, place="outlet")
    site.advance(500)
    flow = struct.unpack(">d", struct.pack(">4H", *look(one, site)[:4]))[0]
    assert flow == pytest.approx(site.outflow_lpm, abs=0.6)


def test_noise_is_the_same_for_the_same_seed_and_name_only():
    site = Site()
    site.advance(10)
    values = {
        Gauge("tank-north", name, seed).value(site, "water_level_cm")
        for name, seed in (("a", 1), ("a", 1), ("b", 1), ("a", 2))
    }
    assert len(values) == 3


def test_a_frozen_slave_repeats_itself():
    site, one = Site(), SimulatedSlave("meter", 1, profile=COUNTER, place="outlet")
    site.advance(10)
    before = look(one, site)
    one.faults.set("freeze", 1)
    site.advance(1000)
    assert look(one, site) == before
    one.faults.set("freeze", 0)
    assert look(one, site) != before


def test_a_replaced_device_counts_from_zero():
    site, one = Site(step_s=10.0), SimulatedSlave("meter", 1, profile=COUNTER, place="inlet")
    site.advance(1000)
    assert look(one, site)[4] > 0
    one.reset_counters(site)
    assert look(one, site)[4] == 0
    passed_l = -site.inlet_l
    site.advance(1100)
    passed_l += site.inlet_l
    assert look(one, site)[4] == int(passed_l)


def test_what_a_master_wrote_stays():
    site, one = Site(), SimulatedSlave("meter", 1, holding={3: 5})
    one.answer(struct.pack(">BHH", 6, 3, 99))
    one.measure(site)
    assert one.answer(struct.pack(">BHH", 3, 3, 1)) == bytes((3, 2, 0, 99))


def test_a_block_is_read_whole_or_not_at_all():
    one = slave.from_profile("quality", "hamilton-ph-arc", 8)
    point = one.profile.points[0]
    first, count = point.block
    assert one.answer(struct.pack(">BHH", 3, first, count))[0] == 3
    assert one.answer(struct.pack(">BHH", 3, point.address, 2)) == bytes((0x83, 2))
    assert one.answer(struct.pack(">BHH", 3, first, count + 1)) == bytes((0x83, 2))


def test_registers_between_points_are_zero_unless_they_are_holes():
    one = slave.from_profile("level", "keller-level", 3, holes=[("holding", 5, 1)])
    assert one.answer(struct.pack(">BHH", 3, 6, 2)) == bytes((3, 4, 0, 0, 0, 0))
    assert one.answer(struct.pack(">BHH", 3, 4, 2)) == bytes((0x83, 2))


def test_every_place_has_finite_values_all_day():
    site = Site(step_s=10.0)
    for _ in range(24):
        site.advance((site.steps + 360) * site.step_s)
        for place, looks in PLACES.items():
            for metric in looks:
                assert abs(Gauge(place, "x").value(site, metric)) < 1e9


def test_refuses_faults_places_and_addresses_it_does_not_know():
    with pytest.raises(OperatorNeeded, match="dead, slow_ms"):
        SimulatedSlave("x", 1).faults.set("tired", 1)
    with pytest.raises(ConfigError, match="tank-north"):
        slave.from_profile("x", "keller-level", 1, place="moon")
    with pytest.raises(ConfigError, match="1 to 247"):
        slave.from_profile("x", "keller-level", 248)


def test_the_demo_has_eight_transmitters_of_eight_models():
    items = demo_site.TRANSMITTERS
    assert len(items) == len({item.profile for item in items}) == len({item.address for item in items}) == 8
    for one, item in zip(demo_site.build(), items, strict=True):
        assert {point.metric for point in one.profile.points} <= set(PLACES[item.place]), item.device_key
