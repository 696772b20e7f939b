"""What the uplink may be told."""

from dataclasses import dataclass

from shared_schema.limits import DEVICE_TOKEN_RENEW_S, ROWS_PER_REQUEST


@dataclass(frozen=True, slots=True)
class UplinkSettings:
    """How the uplink behaves. cloud_url: whose numbers the directory holds. device_*: of the hub itself.

    live_in_flight, backlog_in_flight: requests under way at once for what is new and for what is late.
    proof_s: how long the cloud may go unproven while there is nothing to send.
    """

    cloud_url: str
    device_key: str
    device_secret: str
    rows_per_request: int = ROWS_PER_REQUEST
    live_in_flight: int = 2
    backlog_in_flight: int = 1
    backlog_rows_per_s: float = 20_000.0
    retry_base_s: float = 30.0
    retry_max_s: float = 300.0
    token_renew_s: float = DEVICE_TOKEN_RENEW_S
    proof_s: float = 120.0
    requests_per_refused_batch: int = 200
