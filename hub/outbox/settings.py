"""What a hub decides about its outbox."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OutboxSettings:
    """Where the outbox is and how far it may go.

    boot_id: names this boot of the machine; rows that are PENDING count their time from it.
    memory_rows: rows that may wait for the disk; while the disk fails, older ones give way beyond it.
    min_free_bytes: what the outbox leaves free on its disk for everybody else.
    dead_letter_s: how long a refused row is kept for the operator.
    """

    path: str
    hub_device_key: str
    boot_id: str
    commit_interval_s: float = 1.0
    settle_interval_s: float = 30.0
    max_rows: int = 100_000_000
    max_bytes: int = 2_000_000_000
    min_free_bytes: int = 200_000_000
    memory_rows: int = 50_000
    retry_after_s: float = 60.0
    dead_letter_s: float = 30 * 86_400.0
    salvage_chunks_per_s: float = 200.0
