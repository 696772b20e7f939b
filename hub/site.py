"""What a configuration means: buses, the transmitters on them, and what becomes of their samples.

Owns the translation from the file format to the settings of the features, and finds what only they can know.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import inf
from pathlib import Path
from typing import Any

from hub.config import (
    BusSection,
    CalibrationSection,
    HubConfig,
    MetricSection,
    TransmitterSection,
    load,
    sound_transmitters,
)
from hub.errors import ConfigError, Problem
from hub.modbus.points import Point
from hub.modbus.profiles import Limits, parse_points
from hub.modbus.profiles_io import load_profile
from hub.modbus.settings import BusSettings, Transmitter
from hub.pipeline.calibration import Calibration, DatedCalibration, Linear, Polynomial, Table
from hub.pipeline.deadband import DeadBand
from hub.pipeline.settings import DeviceSettings, PointSettings
from shared_schema.metrics import kind_named


@dataclass(frozen=True, slots=True)
class Site:
    """Everything a hub acquires. devices: one per transmitter, in the same order."""

    buses: tuple[BusSettings, ...] = ()
    transmitters: tuple[Transmitter, ...] = ()
    devices: tuple[DeviceSettings, ...] = ()

    def by_bus(self) -> Sequence[tuple[BusSettings, Sequence[Transmitter]]]:
        """Return each bus with the transmitters on it."""
        places: dict[str, list[Transmitter]] = {bus.name: [] for bus in self.buses}
        for transmitter in self.transmitters:
            places[transmitter.bus].append(transmitter)
        return [(bus, places[bus.name]) for bus in self.buses]


def open_site(path: Path) -> tuple[HubConfig, Site]:
    """Return a configuration file and what it means.

    Raises ConfigError with every problem at once, in the format and in the meaning.
    """
    try:
        config = load(path)
    except ConfigError as error:
        beyond = _describe_all(str(path), sound_transmitters(path))[1]
        known = {problem.key.split(":")[0] for problem in error.problems}
        news = [problem for problem in beyond if problem.key.split(":")[0] not in known]
        raise ConfigError([*error.problems, *news]) from None
    return config, describe(str(path), config)


def describe(file: str, config: HubConfig) -> Site:
    """Return what a configuration means. file: how problems name it.

    Raises ConfigError with every problem at once.
    """
    described, problems = _describe_all(file, list(enumerate(config.transmitter)))
    if problems:
        raise ConfigError(problems)
    transmitters, devices = zip(*described, strict=True) if described else ((), ())
    return Site(tuple(bus_settings(bus) for bus in config.bus), transmitters, devices)


def _describe_all(
    file: str, sections: Sequence[tuple[int, TransmitterSection]]
) -> tuple[list[tuple[Transmitter, DeviceSettings]], list[Problem]]:
    problems: list[Problem] = []
    described: list[tuple[Transmitter, DeviceSettings]] = []
    for i, section in sections:
        key = f"transmitter[{i}] of {section.device_key}"
        try:
            described.append(_describe_transmitter(file, key, section))
        except ConfigError as error:
            problems += error.problems
        except ValueError as error:
            problems.append(Problem(file, key, str(error)))
    return described, problems


def bus_settings(section: BusSection) -> BusSettings:
    """Return the settings of a bus."""
    return BusSettings(
        name=section.name,
        port=section.port or "",
        baud=section.baud,
        parity=section.parity,
        stop_bits=section.stop_bits,
        host=section.host or "",
        tcp_port=section.tcp_port,
        transport="serial" if section.port else section.transport,
        timeout_s=section.timeout_ms / 1000,
    )


def _describe_transmitter(
    file: str, key: str, section: TransmitterSection
) -> tuple[Transmitter, DeviceSettings]:
    kind_name, points, limits = _register_map(file, key, section)
    transmitter = Transmitter(
        device_key=section.device_key,
        address=section.address,
        interval_s=section.interval_s,
        points=points,
        limits=_limited(limits, section),
        model=section.profile or section.device_key,
        bus=section.bus,
    )
    device = DeviceSettings(
        device_key=section.device_key,
        kind=kind_named(kind_name),
        points=_point_settings(file, key, points, section.metric),
        interval_s=section.interval_s,
        window_s=section.window_s,
        heartbeat_s=section.heartbeat_s,
        stale_after_s=section.stale_after_s,
    )
    return transmitter, device


def _register_map(file: str, key: str, section: TransmitterSection) -> tuple[str, tuple[Point, ...], Limits]:
    if section.profile is None:
        kind = section.kind or ""
        return (
            kind,
            parse_points(kind, [dict(point) for point in section.point], file, f"{key}: point"),
            Limits(),
        )
    try:
        profile = load_profile(section.profile)
    except ConfigError as error:
        raise ConfigError(
            [Problem(file, f"{key}: profile {p.key}", p.reason, p.hint) for p in error.problems]
        ) from None
    return profile.kind, profile.points, profile.limits


def _limited(limits: Limits, section: TransmitterSection) -> Limits:
    turnaround_ms, most = section.turnaround_ms, section.max_registers
    return Limits(
        max_registers=limits.max_registers if most is None else most,
        max_bits=limits.max_bits,
        turnaround_s=limits.turnaround_s if turnaround_ms is None else turnaround_ms / 1000,
    )


def _point_settings(
    file: str, key: str, points: tuple[Point, ...], overrides: Mapping[str, MetricSection]
) -> tuple[PointSettings, ...]:
    known = [point.metric for point in points]
    strangers = [name for name in overrides if name not in known]
    if strangers:
        hint = f"it measures {', '.join(known)}"
        raise ConfigError(
            [Problem(file, f"{key}: metric.{n}", "is not measured here", hint) for n in strangers]
        )
    return tuple(_settings_of(point, overrides.get(point.metric, MetricSection())) for point in points)


def _settings_of(point: Point, override: MetricSection) -> PointSettings:
    has_band = override.dead_band is not None or override.dead_band_percent is not None
    band = DeadBand(override.dead_band or 0.0, override.dead_band_percent or 0.0) if has_band else None
    return PointSettings(
        metric=point.metric,
        low=override.low,
        high=override.high,
        policy=override.policy or "reject",
        calibrations=tuple(_dated(section) for section in override.calibration),
        aggregate=override.aggregate,
        rolling_s=override.rolling_s,
        dead_band=band,
        wrap=point.wrap_value if override.aggregate in {None, "total"} else None,
        max_rate_per_s=override.max_rate_per_s,
        noise=override.noise,
    )


def _dated(section: CalibrationSection) -> DatedCalibration:
    return DatedCalibration(
        _calibration(section), _unix_ms(section.valid_from), _unix_ms(section.valid_until)
    )


def _calibration(section: CalibrationSection) -> Calibration:
    low = -inf if section.raw_low is None else section.raw_low
    high = inf if section.raw_high is None else section.raw_high
    makers: dict[str, Any] = {
        "linear": lambda: Linear(section.scale, section.offset, low, high),
        "polynomial": lambda: Polynomial(section.coefficients, low, high),
        "table": lambda: Table(section.points),
    }
    made: Calibration = makers[section.type]()
    return made


def _unix_ms(instant: datetime | None) -> int | None:
    if instant is None:
        return None
    known = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
    return round(known.timestamp() * 1000)
