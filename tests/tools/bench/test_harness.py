import json

import pytest

from tools.bench.harness import Outcome, Row, at_least, at_most, median_of, paired, table, to_json


def test_median_ignores_one_disturbed_round() -> None:
    times = iter([1.0, 90.0, 2.0])
    assert median_of(3, lambda: next(times)) == 2.0


def test_pairs_alternate_so_that_a_slow_spell_hits_both() -> None:
    order: list[str] = []
    paired(2, lambda: order.append("ours") or 1.0, lambda: order.append("reference") or 1.0)
    assert order == ["ours", "reference", "ours", "reference"]


def test_ratio_is_the_median_of_the_rounds_ratios() -> None:
    ours, reference = iter([1.0, 10.0, 3.0]), iter([2.0, 20.0, 4.0])
    assert paired(3, lambda: next(ours), lambda: next(reference)) == (3.0, 4.0, 0.5)


def test_no_rounds_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="rounds is 0"):
        median_of(0, lambda: 1.0)


@pytest.mark.parametrize(
    ("row", "is_met"),
    [
        (at_least("ratio", 0.97, "", 0.97), True),
        (at_least("ratio", 0.96, "", 0.97), False),
        (at_most("memory", 80, "MB", 80), True),
        (at_most("memory", 81, "MB", 80), False),
    ],
)
def test_a_bound_includes_itself(row: Row, is_met: bool) -> None:
    assert row.is_met is is_met


def test_an_outcome_is_met_unless_a_row_missed() -> None:
    shown = Row("bytes", 12.0, "B")
    assert Outcome("outbox", [shown, at_most("size", 1, "B", 2)]).is_met
    assert not Outcome("outbox", [shown, at_most("size", 3, "B", 2)]).is_met


def test_table_lines_up_and_says_what_missed() -> None:
    lines = table([Outcome("outbox", [at_most("bytes per reading", 12345.6, "B", 12)])]).splitlines()
    assert len({len(line) for line in lines}) == 1
    assert "12,346 B" in lines[2]
    assert "<= 12" in lines[2]
    assert "NO" in lines[2]


def test_json_carries_every_figure_and_the_verdict() -> None:
    row = at_least("ratio", 1.5, "", 1.0)
    (found,) = json.loads(to_json([Outcome("uplink", [row])]))["benchmarks"]
    assert found["is_met"] is True
    assert found["rows"] == [{"label": "ratio", "value": 1.5, "unit": "", "goal": ">= 1", "is_met": True}]
