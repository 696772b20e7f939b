"""Row kinds and the metrics in them.

A Kind is one table: what one device reports at one time. A Metric is one column of a telemetry kind.
Orders matter: values travel as tuples in the order of Kind.fields. Ids are never reused.
"""


class Field:
    """One column of a kind.

    type: "float", "integer", "text", "instant" (Unix ms UTC) or "device" (a device key here, the device's
    number in the cloud).
    """

    def __init__(self, name: str, type: str) -> None:  # noqa: A002
        self.name = name
        self.type = type


class Metric(Field):
    """A named quantity.

    unit: as shown to people. low, high: what the quantity can physically be, inclusive.
    decimals: digits kept after the point; the wire never carries more.
    aggregate: how a window becomes one value: mean, min, max, last, sum, count, or total for a counter.
    """

    def __init__(
        self,
        id: int,  # noqa: A002
        name: str,
        unit: str,
        low: float,
        high: float,
        decimals: int,
        aggregate: str,
    ) -> None:
        super().__init__(name, "integer" if decimals == 0 else "float")
        self.id = id
        self.unit = unit
        self.low = low
        self.high = high
        self.decimals = decimals
        self.aggregate = aggregate


class Kind:
    """One table and its columns, beside those every row has (see records.ROW_FIELDS)."""

    def __init__(self, id: int, name: str, table: str, fields: tuple[Field, ...]) -> None:  # noqa: A002
        self.id = id
        self.name = name
        self.table = table
        self.fields = fields
        self.field_names = tuple([field.name for field in fields])

    @property
    def is_telemetry(self) -> bool:
        """True when every field is a Metric."""
        return all(isinstance(field, Metric) for field in self.fields)


TANK = Kind(
    1,
    "tank",
    "telemetry_tank",
    (
        Metric(1, "water_level_cm", "cm", 0, 5000, 1, "mean"),
        Metric(2, "volume_l", "l", 0, 100_000_000, 0, "mean"),
        Metric(3, "temperature_c", "°C", -40, 125, 2, "mean"),
        Metric(4, "tds_ppm", "ppm", 0, 50_000, 0, "mean"),
        Metric(5, "ph", "pH", 0, 14, 2, "mean"),
        Metric(6, "battery_v", "V", 0, 60, 2, "last"),
    ),
)

FLOW = Kind(
    2,
    "flow",
    "telemetry_flow",
    (
        Metric(10, "flow_rate_lpm", "l/min", -1_000_000, 1_000_000, 3, "mean"),
        Metric(11, "cumulative_volume_l", "l", 0, 1_000_000_000_000, 1, "total"),
        Metric(12, "pressure_bar", "bar", -1, 1000, 3, "mean"),
        Metric(13, "temperature_c", "°C", -40, 125, 2, "mean"),
        Metric(14, "battery_v", "V", 0, 60, 2, "last"),
        Metric(15, "status_code", "", 0, 65_535, 0, "last"),
    ),
)

DEEP = Kind(
    3,
    "deep",
    "telemetry_deep",
    (
        Metric(20, "static_water_level_m", "m", 0, 1000, 2, "last"),
        Metric(21, "dynamic_water_level_m", "m", 0, 1000, 2, "mean"),
        Metric(22, "pump_status", "", 0, 255, 0, "last"),
        Metric(23, "pump_speed_rpm", "rpm", 0, 60_000, 0, "mean"),
        Metric(24, "pump_power_w", "W", -10_000_000, 10_000_000, 0, "mean"),
        Metric(25, "pump_current_a", "A", 0, 10_000, 2, "mean"),
        Metric(26, "pump_frequency_hz", "Hz", 0, 1000, 2, "mean"),
        Metric(27, "status_code", "", 0, 65_535, 0, "last"),
    ),
)

ENVIRONMENT = Kind(
    4,
    "environment",
    "telemetry_environment",
    (
        Metric(30, "temperature_c", "°C", -40, 125, 2, "mean"),
        Metric(31, "humidity_percent", "%", 0, 100, 1, "mean"),
        Metric(32, "pressure_hpa", "hPa", 300, 1200, 1, "mean"),
        Metric(33, "ph", "pH", 0, 14, 2, "mean"),
        Metric(34, "conductivity_us_cm", "µS/cm", 0, 500_000, 1, "mean"),
        Metric(35, "dissolved_oxygen_mg_l", "mg/l", 0, 60, 2, "mean"),
        Metric(36, "turbidity_ntu", "NTU", 0, 10_000, 2, "mean"),
        Metric(37, "chlorine_mg_l", "mg/l", 0, 100, 3, "mean"),
        Metric(38, "redox_mv", "mV", -2000, 2000, 1, "mean"),
    ),
)

FOOTFALL = Kind(
    5,
    "footfall",
    "telemetry_footfall",
    (
        Metric(40, "entries", "", 0, 2_147_483_647, 0, "total"),
        Metric(41, "exits", "", 0, 2_147_483_647, 0, "total"),
        Metric(42, "occupancy", "", 0, 1_000_000, 0, "last"),
    ),
)

POWER = Kind(
    6,
    "power",
    "telemetry_power",
    (
        Metric(50, "voltage_v", "V", 0, 100_000, 2, "mean"),
        Metric(51, "current_a", "A", 0, 100_000, 3, "mean"),
        Metric(52, "power_w", "W", -100_000_000, 100_000_000, 1, "mean"),
        Metric(53, "power_factor", "", -1, 1, 3, "mean"),
        Metric(54, "frequency_hz", "Hz", 0, 1000, 3, "mean"),
        Metric(55, "energy_kwh", "kWh", 0, 10_000_000_000, 3, "total"),
    ),
)

HEARTBEAT = Kind(
    7,
    "heartbeat",
    "device_heartbeats",
    (
        Field("cpu_percent", "float"),
        Field("ram_percent", "float"),
        Field("storage_percent", "float"),
        Field("temperature_c", "float"),
        Field("uptime_s", "integer"),
        Field("queue_length", "integer"),
        Field("network_status", "text"),
        Field("rssi_dbm", "integer"),
        Field("free_memory_bytes", "integer"),
        Field("reset_cause", "text"),
        Field("battery_v", "float"),
        Field("clock_offset_ms", "integer"),
    ),
)

LOSS = Kind(
    8,
    "loss",
    "loss_ledger",
    (
        Field("lost_device_id", "device"),
        Field("lost_epoch", "integer"),
        Field("first_seq", "integer"),
        Field("last_seq", "integer"),
        Field("cause", "text"),
        Field("first_recorded_at", "instant"),
        Field("last_recorded_at", "instant"),
        Field("detail", "text"),
    ),
)

ERROR = Kind(
    9,
    "error",
    "error_logs",
    (
        Field("level", "text"),
        Field("code", "text"),
        Field("message", "text"),
        Field("context", "text"),
    ),
)

ATTENDANCE = Kind(
    10,
    "attendance",
    "attendance_logs",
    (
        Field("student_id", "text"),
        Field("student_name", "text"),
        Field("result", "text"),
        Field("scan_type", "text"),
        Field("error_details", "text"),
        Field("photo_url", "text"),
    ),
)

KINDS = (TANK, FLOW, DEEP, ENVIRONMENT, FOOTFALL, POWER, HEARTBEAT, LOSS, ERROR, ATTENDANCE)


def kind_named(name: str) -> Kind:
    """Return the Kind called name. Raises ValueError with the names there are."""
    for kind in KINDS:
        if kind.name == name:
            return kind
    raise ValueError("no kind %r; there are %s" % (name, ", ".join([kind.name for kind in KINDS])))
