"""Runs in MicroPython, too: plain functions and plain asserts."""

from shared_schema.metrics import KINDS, Metric, kind_named

AGGREGATES = ("mean", "min", "max", "last", "sum", "count", "total")
TYPES = ("float", "integer", "text", "instant", "device")
NAME_ENDS = (
    ("cm", "_cm"),
    ("m", "_m"),
    ("l", "_l"),
    ("l/min", "_lpm"),
    ("°C", "_c"),
    ("%", "_percent"),
    ("ppm", "_ppm"),
    ("mg/l", "_mg_l"),
    ("µS/cm", "_us_cm"),
    ("NTU", "_ntu"),
    ("pH", "ph"),
    ("bar", "_bar"),
    ("hPa", "_hpa"),
    ("V", "_v"),
    ("mV", "_mv"),
    ("A", "_a"),
    ("W", "_w"),
    ("kWh", "_kwh"),
    ("Hz", "_hz"),
    ("rpm", "_rpm"),
)
NAME_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789_"


def metrics():
    return [field for kind in KINDS for field in kind.fields if isinstance(field, Metric)]


def is_name(text):
    return text != "" and text[0].isalpha() and all(letter in NAME_LETTERS for letter in text)


def test_ids_are_unique():
    assert len({kind.id for kind in KINDS}) == len(KINDS)
    assert len({metric.id for metric in metrics()}) == len(metrics())


def test_kinds_and_tables_are_unique():
    assert len({kind.name for kind in KINDS}) == len(KINDS)
    assert len({kind.table for kind in KINDS}) == len(KINDS)


def test_names_fit_python_sql_and_typescript_unquoted():
    for kind in KINDS:
        assert is_name(kind.name), kind.name
        assert is_name(kind.table), kind.table
        for name in kind.field_names:
            assert is_name(name), name


def test_a_kind_names_each_field_once():
    for kind in KINDS:
        assert len(set(kind.field_names)) == len(kind.fields), kind.name


def test_telemetry_tables_are_called_after_their_kind():
    for kind in KINDS:
        assert (kind.table == "telemetry_" + kind.name) == kind.is_telemetry, kind.name


def test_a_metric_ends_with_its_unit():
    ends = dict(NAME_ENDS)
    for metric in metrics():
        assert metric.unit == "" or metric.name.endswith(ends[metric.unit]), metric.name


def test_a_name_means_the_same_in_every_kind():
    seen = {}
    for metric in metrics():
        meaning = (metric.unit, metric.low, metric.high, metric.decimals, metric.aggregate)
        assert seen.setdefault(metric.name, meaning) == meaning, metric.name


def test_ranges_are_ranges():
    for metric in metrics():
        assert metric.low < metric.high, metric.name


def test_values_survive_a_double_with_all_their_decimals():
    for metric in metrics():
        assert max(abs(metric.low), abs(metric.high)) * 10**metric.decimals < 2**53, metric.name


def test_whole_numbers_fit_32_bits():
    for metric in metrics():
        if metric.type == "integer":
            assert metric.low >= -(2**31), metric.name
            assert metric.high < 2**31, metric.name


def test_counters_start_at_zero():
    for metric in metrics():
        assert metric.aggregate != "total" or metric.low == 0, metric.name


def test_types_and_aggregates_are_known():
    for kind in KINDS:
        for field in kind.fields:
            assert field.type in TYPES, field.name
    for metric in metrics():
        assert metric.aggregate in AGGREGATES, metric.name
        assert 0 <= metric.decimals <= 6, metric.name


def test_a_kind_is_found_by_its_name():
    for kind in KINDS:
        assert kind_named(kind.name) is kind


def test_an_unknown_kind_is_answered_with_the_known_ones():
    try:
        kind_named("tnak")
    except ValueError as error:
        sentence = str(error)
    assert "tnak" in sentence
    for kind in KINDS:
        assert kind.name in sentence
