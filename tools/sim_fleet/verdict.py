"""What the cloud's database says of a run, held against what the hubs made."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from tools.local_cloud.admin_io import CloudAdmin, Completeness
from tools.sim_fleet.fleet import Fleet

SENTENCES = 10

Say = Callable[[str], None]


@dataclass
class Verdict:
    """Sums over the devices of a run, of its epochs alone. findings: the first things wrong, in sentences."""

    devices: int = 0
    rows_made: int = 0
    rows_stored: int = 0
    rows_waiting: int = 0
    rows_rejected: int = 0
    duplicates: int = 0
    unexplained: int = 0
    explained: int = 0
    findings: list[str] = field(default_factory=list)

    @property
    def is_complete(self) -> bool:
        """True when something was made, and each row of it is there, and once."""
        is_whole = self.rows_made == self.rows_stored > 0
        return is_whole and not self.duplicates and not self.unexplained and not self.findings

    def as_document(self) -> dict[str, Any]:
        """Return it for JSON."""
        return asdict(self) | {"is_complete": self.is_complete}

    def add(self, device_key: str, made: int, found: Completeness | None) -> None:
        """Count one device."""
        self.devices += 1
        self.rows_made += made
        stored = found.rows_stored if found else 0
        self.rows_stored += stored
        if found:
            self.duplicates += found.duplicates
            self.unexplained += found.rows_unexplained
            self.explained += found.rows_explained
        is_wrong = stored != made or (found and (found.duplicates or found.rows_unexplained))
        if is_wrong and len(self.findings) < SENTENCES:
            self.findings.append(_sentence(device_key, made, found))


def judge(admin: CloudAdmin, fleet: Fleet, say: Say) -> Verdict:
    """Ask the cloud about every device of a run. Raises PenstockError."""
    verdict = Verdict(
        rows_waiting=fleet.rows_waiting,
        rows_rejected=sum(hub.outbox.rejected for hub in fleet.hubs),
    )
    say("asking the cloud what it has …")
    found = {
        (row.device_key, row.epoch): row for row in admin.completeness_below(f"{fleet.plan.prefix}-hub-")
    }
    for device_key, epoch, made in _wanted(fleet):
        verdict.add(device_key, made, found.get((device_key, epoch)))
    refusals = {hub.outbox.refusal for hub in fleet.hubs if hub.outbox.refusal}
    verdict.findings += [f"the cloud refused rows: {reason}" for reason in sorted(refusals)[:SENTENCES]]
    return verdict


def _wanted(fleet: Fleet) -> Iterator[tuple[str, int, int]]:
    """Yield device key, epoch and rows made."""
    for number, hub in enumerate(fleet.hubs):
        for device_key, made in hub.outbox.made_by_device().items():
            yield device_key, fleet.epoch_of(number), made


def _sentence(device_key: str, made: int, found: Completeness | None) -> str:
    if found is None:
        return f"{device_key}: {made} rows made, none stored"
    counts = f"{made} rows made, {found.rows_stored} stored"
    return f"{device_key}: {counts}, {found.duplicates} twice, {found.rows_unexplained} missing in between"
