"""The composition root: constructs the parts of a hub and connects them. Starts nothing, decides nothing."""

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from hub.clock import CameToBeKnown, ClockSettings, ClockTruth
from hub.clock_io import SystemClock, boot_clock_s, boot_id
from hub.clock_service import ClockService
from hub.config import CloudSection, HubConfig
from hub.event_service import EventService
from hub.events import EventBook
from hub.live import LiveReadings
from hub.mesh.psutil_io import own_addresses
from hub.mesh.service import MeshService
from hub.mesh.settings import MeshSettings
from hub.mesh.zeroconf_io import ZeroconfAir
from hub.modbus.json_io import HoleFile
from hub.modbus.line_io import line_for
from hub.modbus.service import ModbusBusService
from hub.nodes.commands_io import CommandsFile
from hub.nodes.registry_io import RegistryFile
from hub.nodes.release_io import UPDATE_FOLDER, ReleaseFolders
from hub.nodes.rollout_io import RolloutFiles
from hub.nodes.service import NodesService
from hub.nodes.settings import NodeSettings
from hub.nodes.site_key_io import ensure_site_key
from hub.nodes.system_io import NodeSystem
from hub.outbox.service import Outbox
from hub.outbox.settings import OutboxSettings
from hub.outbox.sqlite_io import SqliteDisk
from hub.pipeline.counter_file_io import CounterFile
from hub.pipeline.service import PipelineService
from hub.release_io import release
from hub.site import Site
from hub.system.heartbeat import HeartbeatSettings
from hub.system.psutil_io import PsutilProbe
from hub.system.service import HeartbeatService
from hub.system.vcgencmd_io import Vcgencmd
from hub.uplink.file_io import SmallFile
from hub.uplink.http_io import HttpTransport
from hub.uplink.service import UplinkService
from hub.uplink.settings import UplinkSettings
from hub.uplink.state import UplinkState

OUTBOX_FILE = "outbox.db"


@dataclass
class Hub:
    """Every part of a running hub."""

    config: HubConfig
    site: Site
    clock: SystemClock
    events: EventService
    outbox: Outbox
    live: LiveReadings
    pipeline: PipelineService
    clock_service: ClockService
    uplink: UplinkService | None
    heartbeat: HeartbeatService = field(init=False)
    buses: tuple[ModbusBusService, ...] = field(init=False)
    nodes: NodesService | None = field(init=False)
    mesh: MeshService | None = field(init=False)
    started_s: float = field(default_factory=time.monotonic)

    def uplink_state(self) -> UplinkState:
        """Return how the uplink stands; offline when there is no cloud."""
        return self.uplink.state() if self.uplink else UplinkState(last_error="no cloud is configured")

    def snapshot(self) -> Mapping[str, Any]:
        """Return how the hub stands, as a document."""
        pipeline = self.pipeline.state()
        return {
            "device_key": self.config.hub.device_key,
            "uptime_s": time.monotonic() - self.started_s,
            "is_clock_known": self.clock.truth.is_known,
            "pipeline": {
                "samples": pipeline.samples,
                "readings": pipeline.readings,
                "suppressed": pipeline.suppressed,
            },
            "devices": [
                {"device_key": key, "latest": self.live.values_of(key), **asdict(state)}
                for key, state in pipeline.devices.items()
            ],
            "buses": [asdict(bus.state()) for bus in self.buses],
            "nodes": asdict(self.nodes.state()) if self.nodes else None,
            "mesh": asdict(self.mesh.state()) if self.mesh else None,
            "outbox": self.outbox.state(),
            "uplink": asdict(self.uplink_state()),
            "events": [
                {"level": event.level, "code": event.code, "message": event.message}
                for event in self.events.book.active
                if event.level != "info"
            ],
        }


def assemble(config: HubConfig, site: Site, transport: HttpTransport | None) -> Hub:
    """Return a hub whose parts are connected. transport: the way to the cloud, None where there is none.

    Raises OperatorNeeded when nodes or neighbours are wanted and the site key cannot be had.
    """
    folder = config.hub.data_dir
    clock = SystemClock(ClockTruth(ClockSettings(trust=config.clock.trust)))
    events = EventService(config.hub.device_key, clock, EventBook())
    outbox_settings = _outbox_settings(config)
    outbox = Outbox(outbox_settings, SqliteDisk(outbox_settings.path), clock, events)
    live = LiveReadings(outbox)
    pipeline = PipelineService(site.devices, live, clock, events, CounterFile(folder / "counters.json"))

    async def place_boot(known: CameToBeKnown) -> None:
        await outbox.set_boot_clock(boot_id(), known.offset_ms, known.time_quality)

    clock_service = ClockService(clock, events, place_boot)
    uplink = (
        UplinkService(
            outbox,
            transport,
            clock,
            events,
            _uplink_settings(config.hub.device_key, config.cloud),
            directory_file=SmallFile(folder / "directory.json"),
            on_server_time=clock_service.hint,
        )
        if config.cloud and transport
        else None
    )
    hub = Hub(config, site, clock, events, outbox, live, pipeline, clock_service, uplink)
    hub.heartbeat = _heartbeat(hub)
    hub.buses = _buses(hub)
    hub.nodes = _nodes(hub)
    hub.mesh = _mesh(hub)
    return hub


def _heartbeat(hub: Hub) -> HeartbeatService:
    return HeartbeatService(
        HeartbeatSettings(hub.config.hub.device_key, hub.config.hub.heartbeat_s),
        hub.live,
        hub.clock,
        probe=PsutilProbe(hub.config.hub.data_dir),
        thermometer=Vcgencmd(),
        queue_length=lambda: hub.outbox.state().rows,
        network_status=lambda: "online" if hub.uplink_state().is_online else "offline",
    )


def _buses(hub: Hub) -> tuple[ModbusBusService, ...]:
    holes = HoleFile(hub.config.hub.data_dir / "holes.json")
    memory = holes.load()
    return tuple(
        ModbusBusService(
            bus,
            transmitters,
            sink=hub.pipeline,
            clock=hub.clock,
            events=hub.events,
            line=line_for(bus),
            memory=memory,
            remember=lambda: holes.save(memory),
        )
        for bus, transmitters in hub.site.by_bus()
    )


def _nodes(hub: Hub) -> NodesService | None:
    section, folder = hub.config.nodes, hub.config.hub.data_dir
    if section is None:
        return None
    settings = NodeSettings(
        hub_key=hub.config.hub.device_key,
        listen=section.listen,
        port=section.port,
        is_approved_by_proof=section.approve == "flashed",
        max_nodes=section.max_nodes,
        taken_keys=frozenset(
            [hub.config.hub.device_key, *(device.device_key for device in hub.site.devices)]
        ),
    )
    return NodesService(
        settings,
        ensure_site_key(folder),
        RegistryFile(folder),
        hub.live,
        clock=hub.clock,
        events=hub.events,
        system=NodeSystem(),
        rollout=RolloutFiles(folder),
        releases=ReleaseFolders(section.update_folder or folder / UPDATE_FOLDER),
        commands=CommandsFile(folder),
    )


def _mesh(hub: Hub) -> MeshService | None:
    section, nodes = hub.config.mesh, hub.config.nodes
    if section is None or not section.enabled:
        return None
    settings = MeshSettings(
        device_key=hub.config.hub.device_key,
        site_key=ensure_site_key(hub.config.hub.data_dir),
        name=section.name,
        location=section.location,
        version=release(),
        interface=section.interface or (nodes.listen if nodes and not nodes.is_open_to_all else None),
        node_port=nodes.port if nodes else 0,
        return_after_s=section.return_after_s,
    )
    return MeshService(settings, ZeroconfAir(), own_addresses, hub.nodes, clock=hub.clock, events=hub.events)


def transport_to(cloud: CloudSection) -> HttpTransport:
    """Return the way to the cloud, not yet entered."""
    return HttpTransport(
        cloud.url, cloud.publishable_key.get_secret_value(), boot_clock_s, timeout_s=cloud.timeout_s
    )


def _uplink_settings(device_key: str, cloud: CloudSection) -> UplinkSettings:
    return UplinkSettings(
        cloud_url=cloud.url,
        device_key=device_key,
        device_secret=cloud.device_secret.get_secret_value(),
        backlog_rows_per_s=cloud.backlog_rows_per_s,
        retry_base_s=cloud.retry_base_s,
        retry_max_s=cloud.retry_max_s,
    )


def _outbox_settings(config: HubConfig) -> OutboxSettings:
    return OutboxSettings(
        path=str(config.hub.data_dir / OUTBOX_FILE),
        hub_device_key=config.hub.device_key,
        boot_id=boot_id(),
        commit_interval_s=config.hub.commit_interval_s,
        max_rows=config.outbox.max_rows,
        max_bytes=config.outbox.max_bytes,
        min_free_bytes=config.outbox.min_free_bytes,
    )
