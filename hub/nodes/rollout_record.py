"""What is on disk of a roll-out. Each file has one writer: the order a person, the record the hub."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Protocol, TypeVar

from hub.nodes.updates import STATES, NodeUpdate

RUN = "run"
PAUSE = "pause"
ABORT = "abort"
WISHES = (RUN, PAUSE, ABORT)

RUNNING = "running"
PAUSED = "paused"
STOPPED = "stopped"  # by the hub, after trouble; run goes on with the others
ABORTED = "aborted"
FINISHED = "finished"
STATUSES = (RUNNING, PAUSED, STOPPED, ABORTED, FINISHED)
ENDED = frozenset({ABORTED, FINISHED})
_FORMAT = 1
_Document = TypeVar("_Document", "Order", "Record")


@dataclass(frozen=True, slots=True)
class Order:
    """What a person wants.

    order_id: new with every roll-out. release: the name of its folder. version: what nodes call it then.
    nodes: device keys. first: the one to begin with; empty: any. share_percent: of the second stage.
    wait_s: how long readings have to flow before the next stage. wish_number: rises with every wish.
    """

    order_id: str
    release: str
    version: str
    nodes: tuple[str, ...]
    first: str = ""
    share_percent: int = 20
    wait_s: float = 600.0
    allows_older: bool = False
    wish: str = RUN
    wish_number: int = 1


@dataclass(slots=True)
class Record:
    """How far it is. wish_number: of the last wish that was followed. reason: why it stopped.

    excused: nodes in trouble that somebody has seen; they are left alone.
    """

    order_id: str
    wish_number: int = 0
    status: str = RUNNING
    reason: str = ""
    stage: int = 0
    nodes: dict[str, NodeUpdate] = field(default_factory=dict)
    excused: tuple[str, ...] = ()


class RolloutStore(Protocol):
    """Where both are kept (rollout_io.RolloutFiles). All raise OperatorNeeded."""

    def mark(self) -> object:
        """Return what is different after every new order or wish."""
        ...

    def load_order(self) -> Order | None:
        """Return the order, if there is one."""
        ...

    def load_record(self) -> Record | None:
        """Return the record, if there is one."""
        ...

    def put_record(self, record: Record) -> None:
        """Replace the record, on disk when this returns."""
        ...


def encode(document: Order | Record) -> bytes:
    """Return a file's content."""
    return json.dumps({"format": _FORMAT, **asdict(document)}, indent=1, ensure_ascii=False).encode() + b"\n"


def decode_order(content: bytes) -> Order:
    """Return the Order in a file. Raises ValueError that says what is wrong."""
    said = _said(content)
    order = _made(Order, said | {"nodes": tuple(_texts(said.get("nodes")))})
    if order.wish not in WISHES or not order.nodes or not 1 <= order.share_percent <= 100 or order.wait_s < 0:
        raise ValueError("is no order that can be followed")
    return order


def decode_record(content: bytes) -> Record:
    """Return the Record in a file. Raises ValueError that says what is wrong."""
    said = _said(content)
    nodes = said.get("nodes")
    if not isinstance(nodes, dict):
        raise ValueError("has no table of nodes")  # noqa: TRY004 - of a file, not of a type
    made = {key: _node(entry) for key, entry in nodes.items()}
    record = _made(Record, said | {"nodes": made, "excused": tuple(_texts(said.get("excused")))})
    if record.status not in STATUSES:
        raise ValueError(f"has the unknown status {record.status!r}")
    return record


def _said(content: bytes) -> dict[str, Any]:
    said = json.loads(content)
    if not isinstance(said, dict) or said.get("format") != _FORMAT:
        raise ValueError("is not of a version this hub reads")
    return said


def _made(kind: type[_Document], said: Mapping[str, Any]) -> _Document:
    known = {each.name: said[each.name] for each in fields(kind) if each.name in said}
    wanted = {name: getattr(_SAMPLES[kind], name) for name in known}
    wrong = [name for name, value in known.items() if not _is_like(value, wanted[name])]
    if wrong:
        raise ValueError(f"{wrong[0]} has the wrong type")
    try:
        return kind(**known)
    except TypeError:
        raise ValueError("lacks something") from None


_SAMPLES: Mapping[type, Any] = {Order: Order("", "", "", ()), Record: Record("")}


def _is_like(value: object, sample: object) -> bool:
    return isinstance(value, type(sample)) or (type(sample) is float and type(value) is int)


def _texts(value: object) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise ValueError("has no list of device keys")
    return value


def _node(entry: object) -> NodeUpdate:
    if not isinstance(entry, dict) or entry.get("state") not in STATES:
        raise ValueError("has a node without a state")
    text, stage = entry.get("text", ""), entry.get("stage", 0)
    if not isinstance(text, str) or not isinstance(stage, int):
        raise ValueError("has a node of the wrong types")  # noqa: TRY004 - of a file, not of a type
    return NodeUpdate(entry["state"], text, stage)
