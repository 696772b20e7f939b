from math import inf, nan

import pytest

from hub.pipeline.range_policy import RangePolicy, number_of
from shared_schema.enums import Quality


@pytest.mark.parametrize(
    ("raw", "number"),
    [
        (1, 1.0),
        (-2.5, -2.5),
        (True, 1.0),
        (None, "unread"),
        ("7", "wrong_type"),
        ([1], "wrong_type"),
        (nan, "not_a_number"),
        (inf, "not_a_number"),
        (-inf, "not_a_number"),
        (10**400, "not_a_number"),
    ],
)
def test_takes_finite_numbers_and_names_what_else_came(raw: object, number: object) -> None:
    assert number_of(raw) == number


@pytest.mark.parametrize(
    ("policy", "value", "expected"),
    [
        ("reject", 0.0, (0.0, Quality.GOOD, "")),
        ("reject", 14.0, (14.0, Quality.GOOD, "")),
        ("reject", 14.01, (None, Quality.BAD, "above_range")),
        ("reject", -0.01, (None, Quality.BAD, "below_range")),
        ("clamp", 14.01, (14.0, Quality.UNCERTAIN, "clamped")),
        ("clamp", -0.01, (0.0, Quality.UNCERTAIN, "clamped")),
        ("clamp", 7.0, (7.0, Quality.GOOD, "")),
    ],
)
def test_judges_by_inclusive_bounds(policy: str, value: float, expected: tuple[object, ...]) -> None:
    assert RangePolicy(0.0, 14.0, policy).judge(value) == expected


def test_refuses_an_empty_range() -> None:
    with pytest.raises(ValueError, match="range from 5 to 5 is empty"):
        RangePolicy(5.0, 5.0)
