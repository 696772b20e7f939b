"""How the uplink stands."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class UplinkState:
    """Counters since the start.

    retries: failures that led to a pause. last_success_s: monotonic.
    backlog_peak: most rows seen waiting in the outbox while the cloud was away or the backlog drained.
    catch_up_s: how long the last outage took to make good, once it is.
    server_offset_ms: the cloud's clock less ours, as exact as a Date header.
    """

    is_online: bool = False
    requests: int = 0
    bytes_sent: int = 0
    bytes_received: int = 0
    rows_stored: int = 0
    rows_rejected: int = 0
    retries: int = 0
    outages: int = 0
    last_success_s: float | None = None
    last_error: str = ""
    backlog_peak: int = 0
    catch_up_s: float | None = None
    server_offset_ms: int | None = None
