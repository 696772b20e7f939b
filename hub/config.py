"""The hub's configuration file: TOML, with ${NAME} replaced from the environment.

Owns the file format and what can be said of it without looking further; hub.site says what it means.
Every problem is found in one pass and reported with file, key, reason and remedy.
"""

import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    ValidationError,
    field_validator,
)

from hub.config_problems import cross_check, explain, without_echoes
from hub.errors import ConfigError, Problem
from shared_schema import limits

DeviceKey = Annotated[
    str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_.-]*$", max_length=limits.DEVICE_KEY_LENGTH)
]
Seconds = Annotated[float, Field(gt=0, le=86_400)]
Policy = Literal["reject", "clamp"]
Aggregate = Literal["mean", "min", "max", "last", "sum", "count", "total"]

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class HubSection(_Section):
    """Who this hub is and where it keeps its data."""

    device_key: DeviceKey
    data_dir: Path
    commit_interval_s: Annotated[float, Field(ge=0.05, le=60)] = 1.0
    heartbeat_s: Seconds = 30.0
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_file: Path | None = None
    log_format: Literal["plain", "json"] = "plain"


class CloudSection(_Section):
    """The Supabase project, and how this hub proves who it is."""

    url: Annotated[str, StringConstraints(pattern=r"^https?://[^/\s]+$")]
    publishable_key: SecretStr
    device_secret: SecretStr
    retry_base_s: Annotated[float, Field(gt=0, le=300)] = 30.0
    retry_max_s: Annotated[float, Field(gt=0, le=3600)] = 300.0
    backlog_rows_per_s: Annotated[int, Field(ge=100)] = 20_000
    timeout_s: Seconds = 30.0


class OutboxSection(_Section):
    """How much the outbox may hold."""

    max_rows: Annotated[int, Field(ge=1000, le=10**12)] = 100_000_000
    max_bytes: Annotated[int, Field(ge=1_000_000, le=10**15)] = 4_000_000_000
    min_free_bytes: Annotated[int, Field(ge=0, le=10**15)] = 500_000_000


class ClockSection(_Section):
    """Who is believed about the time: the kernel's NTP state, that or the cloud, or the machine as it is."""

    trust: Literal["kernel", "system", "cloud"] = "cloud"


class NodesSection(_Section):
    """Where nodes dial, and which are taken. No section: no nodes."""

    listen: Annotated[str, Field(min_length=1)] = "0.0.0.0"
    port: Annotated[int, Field(ge=1, le=65_535)] = 8266
    approve: Literal["flashed", "by hand"] = "flashed"
    max_nodes: Annotated[int, Field(ge=1, le=10_000)] = 1000
    update_folder: Path | None = None

    @field_validator("listen")
    @classmethod
    def _is_an_address(cls, listen: str) -> str:
        ip_address(listen)
        return listen

    @property
    def is_open_to_all(self) -> bool:
        """Whether nodes may dial every address of this machine."""
        return ip_address(self.listen).is_unspecified


class MeshSection(_Section):
    """How this hub is found, and finds others of its site. No section: it announces nothing.

    return_after_s: how long a node's own hub has to be there before the node goes back to it.
    """

    enabled: bool = True
    name: Annotated[str, Field(max_length=60)] = ""
    location: Annotated[str, Field(max_length=100)] = ""
    interface: Annotated[str, Field(min_length=1)] | None = None
    return_after_s: Annotated[int, Field(ge=1, le=3600)] = 120


class BusSection(_Section):
    """One serial line (port) or one Modbus TCP endpoint (host)."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=40)]
    port: str | None = None
    baud: Annotated[int, Field(ge=300, le=4_000_000)] = 9600
    parity: Literal["none", "even", "odd"] = "even"
    stop_bits: Literal[1, 2] = 1
    host: str | None = None
    tcp_port: Annotated[int, Field(ge=1, le=65_535)] = 502
    transport: Literal["tcp", "rtu-over-tcp"] = "tcp"
    timeout_ms: Annotated[int, Field(ge=10, le=60_000)] = 500


class CalibrationSection(_Section):
    """One calibration of a metric: linear (scale, offset), polynomial (coefficients) or table (points).

    Instants without an offset are UTC. A polynomial needs raw_low and raw_high.
    """

    type: Literal["linear", "polynomial", "table"] = "linear"
    scale: float = 1.0
    offset: float = 0.0
    coefficients: tuple[float, ...] = ()
    points: tuple[tuple[float, float], ...] = ()
    raw_low: float | None = None
    raw_high: float | None = None
    valid_from: datetime | None = None
    valid_until: datetime | None = None


class MetricSection(_Section):
    """What a transmitter's metric does differently from its default."""

    low: float | None = None
    high: float | None = None
    policy: Policy | None = None
    aggregate: Aggregate | None = None
    dead_band: Annotated[float, Field(ge=0)] | None = None
    dead_band_percent: Annotated[float, Field(ge=0, le=100)] | None = None
    rolling_s: Seconds | None = None
    max_rate_per_s: Annotated[float, Field(gt=0)] | None = None
    noise: Annotated[float, Field(ge=0)] = 0.0
    calibration: tuple[CalibrationSection, ...] = ()


class TransmitterSection(_Section):
    """One device on a bus. Several may share a slave address (a logger with many channels)."""

    device_key: DeviceKey
    bus: str
    address: Annotated[int, Field(ge=0, le=255)]
    profile: str | None = None
    kind: str | None = None
    point: tuple[Mapping[str, Any], ...] = ()  # checked by hub.modbus.profiles, which owns that format
    interval_s: Annotated[float, Field(ge=0.05, le=86_400)] = 10.0
    window_s: Seconds | None = None
    heartbeat_s: Seconds = 60.0
    stale_after_s: Seconds | None = None
    turnaround_ms: Annotated[int, Field(ge=0, le=5000)] | None = None
    max_registers: Annotated[int, Field(ge=1, le=125)] | None = None
    metric: Mapping[str, MetricSection] = Field(default_factory=dict)


class HubConfig(_Section):
    """A whole configuration file."""

    hub: HubSection
    cloud: CloudSection | None = None
    outbox: OutboxSection = OutboxSection()
    clock: ClockSection = ClockSection()
    nodes: NodesSection | None = None
    mesh: MeshSection | None = None
    bus: tuple[BusSection, ...] = ()
    transmitter: tuple[TransmitterSection, ...] = ()


def load(path: Path, environment: Mapping[str, str] | None = None) -> HubConfig:
    """Read and check a configuration file.

    Relative paths in it start at the file's own folder.
    Raises ConfigError with every problem at once.
    """
    name = str(path)
    document = _read(path)
    problems: list[Problem] = []
    filled = _substitute(document, environment if environment is not None else os.environ, name, "", problems)
    try:
        config = HubConfig.model_validate(filled)
    except ValidationError as error:
        findings = error.errors(include_url=False)
    else:
        findings = []
    problems += [explain(name, finding, filled, _known_keys(finding["loc"][:-1])) for finding in findings]
    problems += cross_check(name, filled)
    if problems:
        raise ConfigError(without_echoes(problems))
    return _anchored(config, path.parent)


def sound_transmitters(
    path: Path, environment: Mapping[str, str] | None = None
) -> list[tuple[int, TransmitterSection]]:
    """Return the transmitters of a refused file that are well formed by themselves, with their places."""
    try:
        document = _read(path)
    except ConfigError:
        return []
    filled = _substitute(document, environment if environment is not None else os.environ, "", "", [])
    entries = filled.get("transmitter")
    sound: list[tuple[int, TransmitterSection]] = []
    for i, entry in enumerate(entries if isinstance(entries, list) else []):
        with suppress(ValidationError):
            sound.append((i, TransmitterSection.model_validate(entry)))
    return sound


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError([Problem(str(path), "file", "not found", "name an existing TOML file")]) from None
    except OSError as error:
        raise ConfigError([Problem(str(path), "file", f"cannot be read: {error.strerror}")]) from None
    except UnicodeDecodeError as error:
        reason = f"is not UTF-8 text: byte {error.start} is 0x{error.object[error.start]:02x}"
        raise ConfigError([Problem(str(path), "file", reason, "save it as UTF-8")]) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(
            [Problem(str(path), "TOML", str(error), "strings need quotes, tables [names]")]
        ) from None


def _substitute(
    node: Any, environment: Mapping[str, str], file: str, key: str, problems: list[Problem]
) -> Any:
    """Replace ${NAME} in every string below node; note the names that are not set."""
    if isinstance(node, dict):
        return {
            name: _substitute(value, environment, file, f"{key}.{name}" if key else name, problems)
            for name, value in node.items()
        }
    if isinstance(node, list):
        return [
            _substitute(value, environment, file, f"{key}[{i}]", problems) for i, value in enumerate(node)
        ]
    if not isinstance(node, str):
        return node
    problems.extend(
        Problem(file, key, f"${{{name}}} is not set", f"export {name}=… before the start")
        for name in _VARIABLE.findall(node)
        if name not in environment
    )
    return _VARIABLE.sub(lambda match: environment.get(match.group(1), match.group(0)), node)


def _known_keys(location: Sequence[int | str]) -> list[str]:
    """Return the keys that a table may have."""
    model: type[BaseModel] = HubConfig
    sections: dict[str, type[BaseModel]] = {
        "hub": HubSection,
        "cloud": CloudSection,
        "outbox": OutboxSection,
        "clock": ClockSection,
        "nodes": NodesSection,
        "mesh": MeshSection,
        "bus": BusSection,
        "transmitter": TransmitterSection,
        "metric": MetricSection,
        "calibration": CalibrationSection,
    }
    for part in location:
        if isinstance(part, str):
            model = sections.get(part, model)
    return list(model.model_fields)


def _anchored(config: HubConfig, folder: Path) -> HubConfig:
    hub = config.hub.model_copy(
        update={
            "data_dir": folder / config.hub.data_dir,
            "log_file": folder / config.hub.log_file if config.hub.log_file else None,
        }
    )
    nodes = config.nodes
    if nodes is not None and nodes.update_folder is not None:
        nodes = nodes.model_copy(update={"update_folder": folder / nodes.update_folder})
    return config.model_copy(update={"hub": hub, "nodes": nodes})
