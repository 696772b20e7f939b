"""The machine's load and temperature through psutil. Whatever a system does not offer is None."""

from collections.abc import Callable
from pathlib import Path

import psutil

from hub.system.heartbeat import Load
from hub.system.temperature import from_sensors

UNKNOWN = (OSError, NotImplementedError, AttributeError, ValueError, psutil.Error)


class PsutilProbe:
    """A Probe. data_dir: on the disk whose use is asked for."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._has_asked = False

    def load(self) -> Load:
        """Return how busy the machine was since the last call."""
        return Load(_asked(self._cpu_percent), _asked(self._ram_percent), _asked(self._storage_percent))

    def temperature_c(self) -> float | None:
        """Return the processor's temperature."""
        return _asked(self._temperature_c)

    def _cpu_percent(self) -> float | None:
        # psutil counts from the call before; the first has none and answers 0.
        is_first, self._has_asked = not self._has_asked, True
        percent = psutil.cpu_percent(interval=None)
        return None if is_first else percent

    def _ram_percent(self) -> float:
        return psutil.virtual_memory().percent

    def _storage_percent(self) -> float:
        return psutil.disk_usage(str(self._data_dir)).percent

    def _temperature_c(self) -> float | None:
        sensors = psutil.sensors_temperatures()  # absent on macOS and Windows
        return from_sensors({name: [entry.current for entry in entries] for name, entries in sensors.items()})


def _asked(question: Callable[[], float | None]) -> float | None:
    try:
        return question()
    except UNKNOWN:
        return None
