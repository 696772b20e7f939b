"""The states of counters in a small file that is replaced whole."""

import json
import logging
import os
from pathlib import Path

from hub.pipeline.counter import CounterState

log = logging.getLogger("penstock.pipeline")


class CounterFile:
    """A CounterStore: one JSON object, name → [base, origin, scale, raw].

    A file that cannot be read counts as none, is set aside as <name>.damaged, and totals start from the raw
    counters; a file that cannot be written keeps its last content.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> dict[str, CounterState]:
        """Return what was saved."""
        try:
            saved = json.loads(self._path.read_bytes())
            return {str(name): CounterState(*map(float, state)) for name, state in saved.items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, TypeError, AttributeError) as error:
            self._set_aside(error)
            return {}

    def save(self, states: dict[str, CounterState]) -> None:
        """Replace what was saved, durably: the old file or the new one is there after a power cut."""
        beside = self._path.with_suffix(".new")
        try:
            with beside.open("wb") as file:
                file.write(json.dumps(states).encode())
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self._path)
        except OSError as error:
            log.warning("counters could not be saved in %s: %s", self._path, error)

    def _set_aside(self, error: Exception) -> None:
        log.error(
            "saved counters in %s cannot be read (%s); totals start again from the meters", self._path, error
        )
        try:
            self._path.replace(self._path.with_suffix(".damaged"))
        except OSError as trouble:
            log.warning("%s could not be set aside: %s", self._path, trouble)
