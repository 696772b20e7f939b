"""How the demo's figures come together."""

from typing import Any

from tools.demo.tally import CloudCount, Tally, is_clean, report


def status(samples: int, rows: int, requests: int = 0) -> dict[str, Any]:
    return {
        "pipeline": {"samples": samples},
        "outbox": {"rows": rows},
        "uplink": {"requests": requests, "bytes_sent": requests * 100, "catch_up_s": None},
        "buses": [
            {
                "name": "field",
                "utilisation": 0.51239,
                "cycle_ms_p50": 500.0,
                "cycle_ms_p99": 510.0,
                "jitter_ms_p99": 3.0,
                "samples": 7,
            }
        ],
    }


def cloud(**changes: Any) -> CloudCount:
    counts: dict[str, Any] = {
        "telemetry_rows": 90,
        "rows": 100,
        "duplicates": 0,
        "unexplained": 0,
        "explained": 0,
        "p50_ms": 100.0,
        "p95_ms": 2000.0,
    }
    return CloudCount(**{**counts, **changes})


def test_adds_what_a_killed_hub_last_said_to_what_its_successor_says() -> None:
    tally = Tally()
    for samples, peak in ((50, 400), (30, 5)):
        tally.begin_life()
        tally.observe_hub(status(samples // 2, peak, requests=1))
        tally.observe_hub(status(samples, 1, requests=2))
        tally.observe_process(cpu_s=1.5, rss_bytes=60_000_000, bytes_written=1000)
    tally.close()

    result = report(tally, cloud(), stored_rows=100)

    assert result["samples"] == 80
    assert result["hub"] == {
        "rss_mb": 60.0,
        "cpu_s": 3.0,
        "bytes_written": 2000,
        "bytes_per_reading": 22.2,
        "restarts": 1,
    }
    assert result["uplink"]["requests"] == 4
    assert result["uplink"]["backlog_peak"] == 400
    assert result["buses"][0]["utilisation"] == 0.5124
    assert is_clean(result)


def result_of(stored_rows: int = 100, **changes: Any) -> dict[str, Any]:
    tally = Tally()
    tally.observe_hub(status(1, 1))
    return report(tally, cloud(**changes), stored_rows=stored_rows)


def test_rows_that_are_missing_at_the_end_of_a_sequence_count_as_a_gap() -> None:
    result = result_of(stored_rows=103)

    assert result["unexplained_gaps"] == 3
    assert not is_clean(result)


def test_a_loss_that_the_ledger_explains_is_no_gap() -> None:
    result = result_of(stored_rows=103, explained=3)

    assert result["unexplained_gaps"] == 0
    assert result["explained_losses"] == 3
    assert is_clean(result)


def test_is_not_clean_with_duplicates_or_gaps_or_nothing_at_all() -> None:
    assert not is_clean(result_of(duplicates=1))
    assert not is_clean(result_of(unexplained=1))
    assert not is_clean(result_of(telemetry_rows=0, rows=100))
