"""What calibrate left: for metrics by their ids, by how much their values are wrong."""

from firmware.node.files import read_json, write_json

_FILE = "calibration.json"


def recalled(root: str) -> dict:
    """Return {metric id: (scale_ppm, offset)}; offset counts in the metric's last decimal."""
    found = read_json(root + _FILE) or {}
    return {int(key): (found[key][0], found[key][1]) for key in found}


def keep(root: str, calibration: dict) -> None:
    """Store what recalled() returns. Raises OSError."""
    write_json(root + _FILE, {str(key): calibration[key] for key in calibration})
