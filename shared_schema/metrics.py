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
        self._fields = fields

    @property
    def fields(self) -> tuple[Field, ...]:
        """The columns, in the order in which values travel."""
        return self._fields

    @property
    def field_names(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple([field.name for field in self.fields])

    @property
    def is_telemetry(self) -> bool:
        """True when every field is a Metric."""
        return all(isinstance(field, Metric) for field in self.fields)


class TelemetryKind(Kind):
    """A Kind of metrics, each a line "id, name, unit, low, high, decimals, aggregate".

    They are read when they are first asked for: a node has one kind, and no memory for the others.
    """

    def __init__(self, id: int, name: str, table: str, metrics: str) -> None:  # noqa: A002
        super().__init__(id, name, table, ())
        self._lines = metrics
        self._metrics: tuple[Metric, ...] = ()
        self._metric_ids: tuple[int, ...] = ()

    @property
    def fields(self) -> tuple[Metric, ...]:
        """The metrics, in the order in which values travel."""
        if not self._metrics:
            self._metrics = tuple([_metric(line) for line in self._lines.strip().split("\n")])
        return self._metrics

    @property
    def metric_ids(self) -> tuple[int, ...]:
        """The ids of the metrics, in the same order."""
        if not self._metric_ids:
            self._metric_ids = tuple([metric.id for metric in self.fields])
        return self._metric_ids


def _metric(line: str) -> Metric:
    number, name, unit, low, high, decimals, aggregate = [part.strip() for part in line.split(",")]
    return Metric(int(number), name, unit, int(low), int(high), int(decimals), aggregate)


TANK = TelemetryKind(
    1,
    "tank",
    "telemetry_tank",
    """
    1, water_level_cm, cm, 0, 5000, 1, mean
    2, volume_l, l, 0, 100000000, 0, mean
    3, temperature_c, °C, -40, 125, 2, mean
    4, tds_ppm, ppm, 0, 50000, 0, mean
    5, ph, pH, 0, 14, 2, mean
    6, battery_v, V, 0, 60, 2, last
    """,
)

FLOW = TelemetryKind(
    2,
    "flow",
    "telemetry_flow",
    """
    10, flow_rate_lpm, l/min, -1000000, 1000000, 3, mean
    11, cumulative_volume_l, l, 0, 1000000000000, 1, total
    12, pressure_bar, bar, -1, 1000, 3, mean
    13, temperature_c, °C, -40, 125, 2, mean
    14, battery_v, V, 0, 60, 2, last
    15, status_code, , 0, 65535, 0, last
    """,
)

DEEP = TelemetryKind(
    3,
    "deep",
    "telemetry_deep",
    """
    20, static_water_level_m, m, 0, 1000, 2, last
    21, dynamic_water_level_m, m, 0, 1000, 2, mean
    22, pump_status, , 0, 255, 0, last
    23, pump_speed_rpm, rpm, 0, 60000, 0, mean
    24, pump_power_w, W, -10000000, 10000000, 0, mean
    25, pump_current_a, A, 0, 10000, 2, mean
    26, pump_frequency_hz, Hz, 0, 1000, 2, mean
    27, status_code, , 0, 65535, 0, last
    """,
)

ENVIRONMENT = TelemetryKind(
    4,
    "environment",
    "telemetry_environment",
    """
    30, temperature_c, °C, -40, 125, 2, mean
    31, humidity_percent, %, 0, 100, 1, mean
    32, pressure_hpa, hPa, 300, 1200, 1, mean
    33, ph, pH, 0, 14, 2, mean
    34, conductivity_us_cm, µS/cm, 0, 500000, 1, mean
    35, dissolved_oxygen_mg_l, mg/l, 0, 60, 2, mean
    36, turbidity_ntu, NTU, 0, 10000, 2, mean
    37, chlorine_mg_l, mg/l, 0, 100, 3, mean
    38, redox_mv, mV, -2000, 2000, 1, mean
    """,
)

FOOTFALL = TelemetryKind(
    5,
    "footfall",
    "telemetry_footfall",
    """
    40, entries, , 0, 2147483647, 0, total
    41, exits, , 0, 2147483647, 0, total
    42, occupancy, , 0, 1000000, 0, last
    """,
)

POWER = TelemetryKind(
    6,
    "power",
    "telemetry_power",
    """
    50, voltage_v, V, 0, 100000, 2, mean
    51, current_a, A, 0, 100000, 3, mean
    52, power_w, W, -100000000, 100000000, 1, mean
    53, power_factor, , -1, 1, 3, mean
    54, frequency_hz, Hz, 0, 1000, 3, mean
    55, energy_kwh, kWh, 0, 10000000000, 3, total
    """,
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

TELEMETRY_KINDS = (TANK, FLOW, DEEP, ENVIRONMENT, FOOTFALL, POWER)  # what nodes send
KINDS: tuple[Kind, ...] = TELEMETRY_KINDS + (HEARTBEAT, LOSS, ERROR, ATTENDANCE)  # noqa: RUF005 - not in MicroPython


def telemetry_kind(kind_id: int) -> TelemetryKind | None:
    """Return the Kind of metrics that has this id, None when none has."""
    for kind in TELEMETRY_KINDS:
        if kind.id == kind_id:
            return kind
    return None


def kind_named(name: str) -> Kind:
    """Return the Kind called name. Raises ValueError with the names there are."""
    for kind in KINDS:
        if kind.name == name:
            return kind
    raise ValueError("no kind %r; there are %s" % (name, ", ".join([kind.name for kind in KINDS])))
