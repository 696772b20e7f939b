"""What every uploaded row has, whatever its kind.

(device, epoch, seq) is the row's identity. It is given at the first durable write and never changes.
"""

from shared_schema.metrics import Field, Kind

ROW_FIELDS = (
    Field("device_id", "device"),
    Field("epoch", "integer"),
    Field("seq", "integer"),
    Field("recorded_at", "instant"),
    Field("quality", "integer"),
    Field("time_quality", "integer"),
)

IDENTITY = ("device_id", "epoch", "seq", "recorded_at")


def columns_of(kind: Kind) -> tuple[str, ...]:
    """Return the names of all columns an upload of this kind carries, in order."""
    return tuple([field.name for field in ROW_FIELDS]) + kind.field_names
