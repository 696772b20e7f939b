import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.events import HOURLY_REPORTS, MOST_TROUBLES, REPEAT_S, EventBook, Report, lane_of, reading_of
from hub.ports import Stamp
from shared_schema.enums import Lane, TimeQuality
from shared_schema.metrics import ERROR


def book() -> EventBook:
    numbers = iter(range(10_000_000))
    return EventBook(new_id=lambda: f"id{next(numbers)}")


def told(events: EventBook) -> list[tuple[str, str, bool]]:
    """Return level, code and whether it is a beginning, of all reports so far, and forget them."""
    reports = [(report.level, report.code, report.is_active) for report in events.waiting]
    events.waiting.clear()
    return reports


def test_a_trouble_is_reported_when_it_begins_and_when_it_ends() -> None:
    events = book()
    for at_s in range(100):
        events.begin("error", "bus_down", "no answer", None, float(at_s))
    assert told(events) == [("error", "bus_down", True)]
    ended = events.end("bus_down", None, 100.0)
    assert ended is not None
    assert events.end("bus_down", None, 101.0) is None
    report = events.waiting[0]
    assert (report.level, report.is_active, report.lasted_s) == ("info", False, 100.0)


def test_the_same_code_on_two_devices_is_two_troubles() -> None:
    events = book()
    events.begin("warning", "stale_data", "silent", "tank-1", 0.0)
    events.begin("warning", "stale_data", "silent", "tank-2", 0.0)
    events.end("stale_data", "tank-1", 1.0)
    assert [trouble.device_key for trouble in events.active] == ["tank-2"]


def test_growing_worse_is_reported_at_once_growing_better_is_not() -> None:
    events = book()
    events.begin("warning", "disk", "filling", None, 0.0)
    assert events.begin("error", "disk", "nearly full", None, 1.0) is not None
    assert events.begin("warning", "disk", "filling", None, 2.0) is None
    assert told(events) == [("warning", "disk", True), ("error", "disk", True)]


def test_a_report_and_that_of_its_end_carry_the_same_id() -> None:
    events = book()
    events.begin("error", "bus_down", "no answer", None, 0.0)
    events.end("bus_down", None, 100.0)
    events.begin("error", "bus_down", "no answer", None, 200.0)
    assert [report.correlation_id for report in events.waiting] == ["id0", "id0", "id1"]


def test_a_flapping_trouble_ends_up_told_as_it_is() -> None:
    events = book()
    for at_s in range(50):
        events.begin("error", "bus_down", "no answer", None, at_s)
        events.end("bus_down", None, at_s + 0.5)
    assert told(events) == [("error", "bus_down", True)]
    assert events.has_deferred
    events.catch_up(REPEAT_S + 1)
    assert [(report.is_active, report.suppressed) for report in events.waiting] == [(False, 50)]
    assert not events.has_deferred


def test_what_changed_back_meanwhile_needs_no_report() -> None:
    events = book()
    events.begin("error", "bus_down", "no answer", None, 0.0)
    events.end("bus_down", None, 1.0)
    events.begin("error", "bus_down", "no answer", None, 2.0)
    told(events)
    events.catch_up(1000.0)
    assert told(events) == []


@pytest.mark.parametrize("level", HOURLY_REPORTS)
def test_a_flood_is_rationed_by_severity(level: str) -> None:
    events = book()
    for number in range(1000):
        events.begin(level, f"code{number}", "flood", None, 0.0)
    assert len(told(events)) == HOURLY_REPORTS[level]
    events.begin("critical", "fire", "smoke", None, 1.0)
    assert told(events) == [("critical", "fire", True)]


def test_a_ration_fills_up_again_within_the_hour() -> None:
    events = book()
    for number in range(1000):
        events.begin("warning", f"code{number}", "flood", None, 0.0)
    told(events)
    events.catch_up(600.0)
    assert len(told(events)) == HOURLY_REPORTS["warning"] // 6


def test_critical_is_never_rationed() -> None:
    events = book()
    for number in range(900):
        events.begin("critical", f"code{number}", "smoke", None, 0.0)
    assert len(told(events)) == 900


def test_news_is_told_again_after_a_while_but_not_while_it_is_repeated() -> None:
    events = book()
    for at_s in range(0, 200, 10):
        events.begin("info", "clock_stepped", "by 5 s", None, float(at_s))
    assert len(told(events)) == 1
    events.begin("info", "clock_stepped", "by 5 s", None, 190.0 + REPEAT_S)
    assert len(told(events)) == 1


def test_an_outbox_that_takes_nothing_makes_reports_wait_not_pile_up() -> None:
    events = book()
    for number in range(3000):
        events.begin("critical", f"code{number}", "smoke", None, 0.0)
    assert len(events.waiting) == 1000
    told(events)
    events.catch_up(1.0)
    assert len(told(events)) == 1000


def test_memory_is_bounded_and_room_is_made_by_what_is_settled() -> None:
    events = book()
    for number in range(MOST_TROUBLES + 10):
        events.begin("critical", f"code{number}", "smoke", None, 0.0)
    assert len(events.active) == MOST_TROUBLES
    told(events)
    events.end("code0", None, 10.0)
    told(events)
    assert events.begin("critical", "late", "smoke", None, 10.0 + REPEAT_S) is not None
    assert len(events.active) == MOST_TROUBLES


actions = st.tuples(
    st.sampled_from(["begin", "end", "catch_up"]),
    st.sampled_from(["a", "b", "c"]),
    st.sampled_from(["warning", "error", "critical"]),
    st.floats(0, 100),
)


@given(st.lists(actions, max_size=80))
def test_what_the_cloud_was_told_last_is_in_the_end_how_things_are(
    steps: list[tuple[str, str, str, float]],
) -> None:
    events, now_s, wrong, cloud = book(), 0.0, dict[str, str](), dict[str, bool]()
    for action, code, level, step_s in steps:
        now_s += step_s
        if action == "begin":
            events.begin(level, code, "trouble", None, now_s)
            wrong[code] = level
        elif action == "end":
            events.end(code, None, now_s)
            wrong.pop(code, None)
        else:
            events.catch_up(now_s)
        cloud |= {report.code: report.is_active for report in events.waiting}
        events.waiting.clear()
    events.catch_up(now_s + 7200)
    cloud |= {report.code: report.is_active for report in events.waiting}
    assert {code for code, is_active in cloud.items() if is_active} == set(wrong)
    assert {trouble.code for trouble in events.active} == set(wrong)


def report(**changes: object) -> Report:
    plain = Report("error", "error", "bus_down", "no answer", None, 0.0, "id1", True, 0.0, 0)
    return plain._replace(**changes)


def test_a_report_becomes_a_row_of_its_device_or_the_hub() -> None:
    stamp = Stamp(1000, TimeQuality.PENDING)
    row = reading_of(report(device_key="tank-1", suppressed=3), "hub-1", stamp)
    assert (row.device_key, row.kind, row.recorded_at_ms, row.time_quality) == ("tank-1", "error", 1000, 3)
    level, code, message, context = row.values
    assert len(row.values) == len(ERROR.fields)
    assert (level, code, message) == ("error", "bus_down", "no answer")
    assert isinstance(context, str)
    assert json.loads(context) == {"correlation_id": "id1", "state": "raised", "suppressed": 3}
    assert reading_of(report(), "hub-1", stamp).device_key == "hub-1"


def test_an_end_says_how_long_it_lasted() -> None:
    context = reading_of(report(is_active=False, lasted_s=12.34), "hub-1", Stamp(1, 0)).values[3]
    assert isinstance(context, str)
    assert json.loads(context) == {"correlation_id": "id1", "state": "cleared", "lasted_s": 12.3}


def test_hostile_text_becomes_one_short_line() -> None:
    message = reading_of(
        report(message="a\r\nb\x00\x1b[31m\ud800" + "x" * 9000), "hub-1", Stamp(1, 0)
    ).values[2]
    assert isinstance(message, str)
    assert message.startswith("a b [31m x")
    assert len(message) == 500
    message.encode()


def test_warnings_and_their_ends_go_before_telemetry_news_does_not() -> None:
    assert lane_of(report(worst="warning", level="info", is_active=False)) == Lane.ALARM
    assert lane_of(report(worst="info", level="info")) == Lane.LIVE
