"""The benchmarks of the cloud run, and find what they are to find. How fast is not judged here."""

import importlib
import math

from tools.bench.harness import Outcome, Row
from tools.bench.server_use import ServerUse
from tools.command.bench import NAMES

TINY = 0.002


def measured(name: str) -> dict[str, Row]:
    outcome: Outcome = importlib.import_module(f"tools.bench.{name.replace('-', '_')}").run(TINY)
    assert outcome.name == name
    assert name in NAMES
    assert all(math.isfinite(row.value) for row in outcome.rows)
    assert outcome.is_met, "too small to judge by"
    return {row.label: row for row in outcome.rows}


def test_ingest_is_held_against_a_bare_table_and_two_hubs_send_at_once() -> None:
    rows = measured("cloud-ingest")
    assert rows["ingest / the same JSON into a bare table, batch 1000"].goal == ">= 0.6"
    assert rows["two hubs at once"].value > 0
    assert rows["alert rules in force"].value == 5
    assert rows["Realtime is there"].value == 1
    assert rows["one hub, batches sent again"].value > 0


def test_queries_are_asked_beside_the_plain_ones() -> None:
    rows = measured("cloud-queries")
    assert rows["telemetry rows"].value == 40_000
    assert rows["rolled up"].value == 1
    bounds = {label: row.goal for label, row in rows.items() if row.goal}
    assert bounds == {
        "latest of all devices, 95 of 100 within": "<= 5",
        "chart of 24 hours, 95 of 100 within": "<= 5",
        "chart of 90 days, 95 of 100 within": "<= 20",
        "summary of the fleet, 95 of 100 within": "<= 20",
        "list of devices with their state, 95 of 100 within": "<= 20",
    }
    assert sum("the plain query" in label for label in rows) == len(bounds)


def test_bytes_are_counted_for_every_kind_in_files_log_and_wire() -> None:
    rows = measured("cloud-bytes")
    for kind in ("tank", "flow", "deep", "environment", "power"):
        for what in ("rows", "primary key", "write-ahead log"):
            assert rows[f"{kind}: {what}"].value > 20
    assert rows["tank: hourly roll-up"].value >= 0
    many = rows["on the wire, 1,000 readings of tanks a batch: HTTP beside it"].value
    few = rows["on the wire, 2 readings of tanks a batch: HTTP beside it"].value
    assert few > 100 * many


def test_a_fleet_is_carried_and_its_cost_told_apart() -> None:
    rows = measured("cloud-fleet")
    assert rows["hubs carried, generator on the same two cores"].value >= 10
    for label in ("… batches", "… CPU of Postgres", "… CPU of the load generator", "… write-ahead log"):
        assert rows[label].value > 0
    assert rows["local cloud over REST, more than it carries"].value > 0


def test_waits_are_shares_of_all_samples() -> None:
    use = ServerUse()
    use.waits.update(["CPU", "IO WalSync", "CPU", "CPU"])
    assert use.share_of("IO WalSync") == 0.25
    assert use.share_of("Lock advisory") == 0
