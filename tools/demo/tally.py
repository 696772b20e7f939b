"""What the demo counted, over every life of the hub, and what that adds up to.

The hub's own figures say how it worked; whether anything was lost or doubled is
asked of the cloud's database.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

Document = Mapping[str, Any]


@dataclass
class Tally:
    """Sums over hub processes. A process's counters start at zero; a killed one keeps what it last said."""

    samples: int = 0
    cpu_s: float = 0.0
    bytes_written: int = 0
    requests: int = 0
    bytes_sent: int = 0
    rss_peak_bytes: int = 0
    backlog_peak: int = 0
    catch_up_s: float = 0.0
    lives: int = 0
    latest: dict[str, Any] = field(default_factory=dict)
    _life: dict[str, float] = field(default_factory=dict)

    def begin_life(self) -> None:
        """Start counting another hub process."""
        self._close_life()
        self.lives += 1

    def observe_process(self, cpu_s: float, rss_bytes: int, bytes_written: int) -> None:
        """Note what the operating system says of the hub process."""
        self._life.update(cpu_s=cpu_s, bytes_written=bytes_written)
        self.rss_peak_bytes = max(self.rss_peak_bytes, rss_bytes)

    def observe_hub(self, status: Document) -> None:
        """Note what the hub says of itself."""
        self.latest = dict(status)
        uplink = status["uplink"]
        self._life.update(
            samples=status["pipeline"]["samples"],
            requests=uplink["requests"],
            bytes_sent=uplink["bytes_sent"],
        )
        self.backlog_peak = max(self.backlog_peak, status["outbox"]["rows"])
        self.catch_up_s = max(self.catch_up_s, uplink["catch_up_s"] or 0.0)

    def _close_life(self) -> None:
        for name, value in self._life.items():
            setattr(self, name, getattr(self, name) + value)
        self._life.clear()

    def close(self) -> None:
        """Add the last life."""
        self._close_life()


@dataclass(frozen=True)
class CloudCount:
    """What the cloud's database answers, in rows. p50_ms, p95_ms: from measuring to storing a reading."""

    telemetry_rows: int
    rows: int
    duplicates: int
    unexplained: int
    explained: int
    p50_ms: float | None
    p95_ms: float | None


@dataclass(frozen=True)
class NodeCount:
    """What the nodes say at the end, in rows. missing: numbered, and never stored by a hub.

    moved: how many of the nodes brought rows to the second hub.
    """

    nodes: int = 0
    numbered: int = 0
    missing: int = 0
    moved: int = 0


def report(
    tally: Tally, cloud: CloudCount, stored_rows: int, nodes: NodeCount = NodeCount()
) -> dict[str, Any]:
    """Return the demo's result as one document.

    stored_rows: sequence numbers in the outboxes; what the cloud neither has nor can explain is a gap.
    """
    missing_at_end = max(0, stored_rows - cloud.rows - cloud.explained - cloud.unexplained)
    # An outbox that was damaged started over, so it may have numbered less than the cloud already had.
    known_rows = max(stored_rows, cloud.rows + cloud.explained + cloud.unexplained)
    stored_telemetry = known_rows - (cloud.rows - cloud.telemetry_rows)
    latest = tally.latest
    return {
        "samples": tally.samples,
        "readings_stored": stored_telemetry,
        "readings_in_cloud": cloud.telemetry_rows,
        "duplicates_in_cloud": cloud.duplicates,
        "unexplained_gaps": cloud.unexplained + missing_at_end + nodes.missing,
        "explained_losses": cloud.explained,
        "nodes": asdict(nodes),
        "buses": [_bus(bus) for bus in latest.get("buses", ())],
        "latency_ms": {"sample_to_cloud_p50": cloud.p50_ms, "sample_to_cloud_p95": cloud.p95_ms},
        "hub": {
            "rss_mb": round(tally.rss_peak_bytes / 1e6, 1),
            "cpu_s": round(tally.cpu_s, 2),
            "bytes_written": tally.bytes_written,
            "bytes_per_reading": round(tally.bytes_written / max(1, stored_telemetry), 1),
            "restarts": max(0, tally.lives - 1),
        },
        "uplink": {
            "requests": tally.requests,
            "bytes": tally.bytes_sent,
            "backlog_peak": tally.backlog_peak,
            "catch_up_s": round(tally.catch_up_s, 2),
        },
    }


def _bus(bus: Document) -> dict[str, Any]:
    names = ("name", "utilisation", "cycle_ms_p50", "cycle_ms_p99", "jitter_ms_p99")
    return {name: round(bus[name], 4) if isinstance(bus[name], float) else bus[name] for name in names}


def is_clean(result: Document) -> bool:
    """Return True when something was measured, nothing doubled, and nothing is missing without a reason."""
    faults: int = result["duplicates_in_cloud"] + result["unexplained_gaps"]
    arrived: int = result["readings_in_cloud"]
    return faults == 0 and arrived > 0
