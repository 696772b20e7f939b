"""Which number each device key has in the cloud: of the hub itself and of the devices behind it.

The keys are the hub's, the numbers the cloud's; rows are kept by key and numbered when they are sent.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Protocol

import orjson

from hub.uplink.exchange import Answer, Failure, Request
from hub.uplink.outcome import STORED, Outcome, Reaction, outcome_of

PAGE = 1000  # the Data API returns no more rows than this at once, unless the project says otherwise
MAX_DEVICES = 100_000  # a hub with more is a loop in the paging

KEPT, DAMAGED, FOREIGN = "kept", "damaged", "of another cloud"

# A hub always sees itself, unless it may do nothing at all. Its rows are kept until it may again.
SHUT_OUT = Outcome(
    Reaction.OPERATOR,
    "device_refused",
    "the cloud shows this hub no device, not even itself: approve it again, or put one that is approved into "
    "hub.device_key",
)


class Keepsake(Protocol):
    """Where a directory outlives a restart."""

    async def read(self) -> bytes | None:
        """Return what was kept, or None. Raises: PenstockError."""
        ...

    async def replace(self, content: bytes) -> None:
        """Keep this instead. Raises: PenstockError, and the old content stays."""
        ...


class Directory:
    """Keys and numbers. cloud: the URL they belong to, so that numbers never move to another project.

    A refresh is read page by page and takes effect as a whole.
    """

    def __init__(self, cloud: str) -> None:
        self._cloud = cloud
        self._ids: dict[str, int] = {}
        self._pages: dict[str, int] = {}

    @property
    def ids(self) -> Mapping[str, int]:
        """Number by device key."""
        return MappingProxyType(self._ids)

    def first_page(self, bearer: str) -> Request:
        """Begin a refresh."""
        self._pages = {}
        return _page_after(0, bearer)

    def take(self, came: Answer | Failure) -> Outcome | Request:
        """Read a page. Return the request for the next one, STORED once all are read, or what went wrong."""
        outcome = outcome_of(came)
        if isinstance(came, Failure) or outcome.reaction is not Reaction.STORED:
            return outcome
        page = _entries(came.body)
        if page is None:
            return Outcome(
                Reaction.AGAIN, "cloud_error", "the answer to the request for the devices is no list of them"
            )
        self._pages.update(page)
        if len(page) >= PAGE and len(self._pages) < MAX_DEVICES:
            return _page_after(max(page.values()), "")
        if not self._pages:
            return SHUT_OUT
        self._ids = self._pages
        return STORED

    def to_json(self) -> bytes:
        """Return what is worth keeping on disk."""
        return orjson.dumps({"cloud": self._cloud, "devices": self._ids}, option=orjson.OPT_SORT_KEYS)

    def read_json(self, text: bytes) -> str:
        """Take over what was kept, and return KEPT; else return why not, and nothing changes."""
        try:
            kept = orjson.loads(text)
        except ValueError:
            return DAMAGED
        if not isinstance(kept, dict) or not isinstance(kept.get("cloud"), str):
            return DAMAGED
        if kept["cloud"] != self._cloud:
            return FOREIGN
        devices = kept.get("devices")
        if not isinstance(devices, dict) or not all(type(number) is int for number in devices.values()):
            return DAMAGED
        self._ids = devices
        return KEPT


def probe(bearer: str) -> Request:
    """Return the cheapest question that only a healthy cloud and a believed token answer."""
    return Request("GET", "/rest/v1/devices?select=id&limit=1", b"", bearer)


def _page_after(last_id: int, bearer: str) -> Request:
    query = f"select=id,device_key&order=id.asc&id=gt.{last_id}&limit={PAGE}"
    return Request("GET", f"/rest/v1/devices?{query}", b"", bearer)


def _entries(body: bytes) -> dict[str, int] | None:
    try:
        rows: Any = orjson.loads(body)
    except ValueError:
        return None
    if not isinstance(rows, list):
        return None
    entries: dict[str, int] = {}
    for row in rows:
        if not isinstance(row, dict):
            return None
        key, number = row.get("device_key"), row.get("id")
        if not isinstance(key, str) or type(number) is not int:
            return None
        entries[key] = number
    return entries
