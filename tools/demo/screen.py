"""What the demo shows while it runs, and its verdict. Calm: one table, redrawn in place once a second."""

from collections.abc import Mapping
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

Document = Mapping[str, Any]


def live_view(
    elapsed_s: float, total_s: float, broken: str, status: Document | None, cloud_rows: int
) -> Group:
    """Return the picture of one moment. status: what the hub says of itself; None while it is away."""
    head = Text(f"penstock demo  {elapsed_s:5.1f} of {total_s:g} s", style="bold")
    fault = Text(f"faults now: {broken}", style="yellow" if broken != "none" else "dim")
    if status is None:
        return Group(head, fault, Text("hub: away", style="yellow"))
    return Group(head, fault, _totals(status, cloud_rows), _transmitters(status), _nodes(status))


def _totals(status: Document, cloud_rows: int) -> Table:
    outbox, uplink = status["outbox"], status["uplink"]
    table = Table.grid(padding=(0, 3))
    rows = (
        ("samples", f"{status['pipeline']['samples']:,}", "cloud rows", f"{cloud_rows:,}"),
        (
            "readings",
            f"{status['pipeline']['readings']:,}",
            "uplink",
            "online" if uplink["is_online"] else "offline",
        ),
        ("backlog", f"{outbox['rows']:,} rows", "survives", _duration(outbox["capacity_s"])),
        ("losses", f"{sum(outbox['losses'].values()):,}", "trouble", outbox["trouble"] or "none"),
    )
    for row in rows:
        table.add_row(*(Text(cell, style="dim" if i % 2 == 0 else "") for i, cell in enumerate(row)))
    for bus in status["buses"]:
        table.add_row(
            Text("bus", style="dim"), f"{bus['name']}", Text("utilisation", style="dim"), _percent(bus)
        )
    return table


def _percent(bus: Document) -> str:
    return f"{bus['utilisation']:.0%}, cycle {bus['cycle_ms_p50']:.0f} ms"


def _transmitters(status: Document) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("transmitter")
    table.add_column("latest")
    table.add_column("samples", justify="right")
    table.add_column("state")
    for device in status["devices"]:
        is_fresh = not device["is_stale"]
        table.add_row(
            device["device_key"],
            Text(_values(device["latest"]), style="" if is_fresh else "dim"),
            f"{device['samples']:,}",
            Text("fresh" if is_fresh else "stale", style="green" if is_fresh else "yellow"),
        )
    return table


def _nodes(status: Document) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("node")
    table.add_column("board")
    table.add_column("rows stored", justify="right")
    for node in (status["nodes"] or {"connected": ()})["connected"]:
        table.add_row(node["device_key"], node["board"], f"{node['stored_seq']:,}")
    return table


def _values(latest: Mapping[str, float | None]) -> str:
    return (
        "  ".join(f"{name} {value:g}" for name, value in latest.items() if value is not None)
        or "no reading yet"
    )


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return "not known yet"
    return (
        f"{seconds / 86_400:,.0f} days offline" if seconds >= 172_800 else f"{seconds / 3600:,.1f} h offline"
    )


def verdict(result: Document, is_clean: bool, seconds: float) -> Text:
    """Return the closing lines."""
    latency, hub, uplink = result["latency_ms"], result["hub"], result["uplink"]
    lines = Text()
    lines.append(f"\n{result['samples']:,} samples taken, {result['readings_stored']:,} readings stored, ")
    lines.append(f"{result['readings_in_cloud']:,} in the cloud\n")
    lines.append(f"duplicates in the cloud   {result['duplicates_in_cloud']}\n")
    lines.append(f"unexplained gaps          {result['unexplained_gaps']}\n")
    lines.append(f"explained losses          {result['explained_losses']}\n")
    if nodes := result["nodes"]["nodes"]:
        lines.append(f"{nodes} nodes numbered {result['nodes']['numbered']:,} of these readings")
        lines.append(f", {moved} of them used two hubs\n" if (moved := result["nodes"]["moved"]) else "\n")
    for bus in result["buses"]:
        lines.append(
            f"bus {bus['name']}: {bus['utilisation']:.0%} used, cycle {bus['cycle_ms_p50']:.0f} ms (median), "
        )
        lines.append(f"jitter {bus['jitter_ms_p99']:.1f} ms (99 %)\n")
    if latency["sample_to_cloud_p50"] is not None:
        lines.append(f"sample to cloud {latency['sample_to_cloud_p50'] / 1000:.2f} s (median), ")
        lines.append(f"{latency['sample_to_cloud_p95'] / 1000:.2f} s (95 %)\n")
    lines.append(
        f"hub: {hub['rss_mb']:.0f} MB, {hub['cpu_s'] / seconds:.1%} of a core, {hub['restarts']} restart(s); "
    )
    lines.append(
        f"backlog at most {uplink['backlog_peak']:,} rows, caught up in {uplink['catch_up_s']:.1f} s\n"
    )
    if is_clean:
        lines.append("\nVerdict of the cloud's database: nothing lost, nothing twice.", style="bold green")
    else:
        lines.append("\nVerdict of the cloud's database: NOT clean, see the figures above.", style="bold red")
    return lines
