"""The battery figures are those of the formula, and the guide shows them."""

from pathlib import Path

from tools.node_power import Phase, microamp_hours_per_day, table

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "DRIVERS.md"


def test_sleep_alone() -> None:
    assert microamp_hours_per_day(10, ()) == 240


def test_a_phase_takes_what_it_draws_above_sleep() -> None:
    # 96 times 10 s of 100 mA: 26.67 mAh, of which the sleep's share is counted already
    assert microamp_hours_per_day(0, (Phase(100_000, 10_000, 900),)) == 26_666
    assert microamp_hours_per_day(10, (Phase(100_000, 10_000, 900),)) == 26_666 + 240 - 2


def test_the_guide_shows_the_table() -> None:
    assert table() in GUIDE.read_text()
