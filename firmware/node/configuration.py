"""Which configuration holds, and which one is being tried: a bad one never replaces a good one.

config.json holds what works: {"version": 7, "document": "{...}"}. trying.json names the version whose trial
is under way; when it is there at start, the node did not survive the trial, and the version is refused.
"""

from firmware.node.files import read_json, remove, write_json
from firmware.node.passing import forget
from firmware.node.settings import Refused
from shared_schema.messages import ConfigReport, ConfigState

EMPTY = '{"kinds": {}}'


class Configuration:
    """version, settings: what holds. wanted: (version, document, settings) to be tried, or None.

    report: what the hub is to be told, None when it knows. plan: what holds until a hub says otherwise.
    """

    def __init__(self, root: str, plan: str = EMPTY) -> None:
        self._path = root + "config.json"
        self._trying = root + "trying.json"
        self.wanted = None
        self.report = None
        flashed, none = {"version": 0, "document": plan}, {"version": 0, "document": EMPTY}
        for found in (read_json(self._path) or {}, flashed, none):
            try:
                self.version, self.settings = found["version"], _parse(found["document"])
                break
            except (KeyError, Refused):  # none, or of another release
                pass
        self._broke = (read_json(self._trying) or {}).get("version", 0)

    def want(self, version: int, document: str) -> None:
        """Take what the hub wants: to be tried, or refused at once."""
        if version == self.version:
            self.report = ConfigReport(version, ConfigState.APPLIED)
        elif version == self._broke:
            self.report = ConfigReport(version, ConfigState.REFUSED, "the node restarted while it tried this")
        else:
            try:
                self.wanted = (version, document, _parse(document))
            except Refused as error:
                self.report = ConfigReport(version, ConfigState.REFUSED, str(error))

    def begin_trial(self):
        """Return the settings to be tried."""
        version, _, settings = self.wanted
        write_json(self._trying, {"version": version})
        return settings

    def keep(self) -> None:
        """The trial went well: what was wanted holds from now on."""
        version, document, settings = self.wanted
        write_json(self._path, {"version": version, "document": document})
        remove(self._trying)
        self.version, self.settings, self.wanted = version, settings, None
        self.report = ConfigReport(version, ConfigState.APPLIED)

    def roll_back(self, reason: str) -> None:
        """The trial failed: what held still holds."""
        remove(self._trying)
        self.report = ConfigReport(self.wanted[0], ConfigState.REFUSED, reason)
        self.wanted = None


def _parse(document: str):
    from firmware.node.config import parse  # noqa: PLC0415 - see passing.py

    try:
        return parse(document)
    finally:
        forget("firmware.node.config")
