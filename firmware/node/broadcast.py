"""Readings of a battery node on the air, encrypted: only who knows the site key reads or forges them.

The key is the first 16 bytes of HMAC-SHA256(node key, "bthome"). One advertisement a sample; when not all
objects fit, they take turns from wake to wake.
"""

from firmware.node.bthome import Broadcaster, advertisement
from firmware.node.ccm import aes_ecb
from firmware.node.files import read_json, write_json
from firmware.node.stride_counter import StrideCounter
from shared_schema.digest import Hmac

NAME = "broadcast.json"  # {"limit": 512}: no number below it is used again
ADVERTISE_MS = 300
KEY_BYTES = 16


def broadcaster(sensors, counter, key: bytes, mac: bytes, turn: int) -> Broadcaster:
    """Return what makes the advertisements of a SensorGroup. Raises ValueError when its metrics do not go."""
    metrics = [
        metric.id if index in sensors.places else 0 for index, metric in enumerate(sensors.kind.fields)
    ]
    made = Broadcaster(metrics, counter, aes_ecb(Hmac(key).of(b"bthome")[:KEY_BYTES]), mac)
    made.turn = turn
    return made


def broadcast(node, state, sensors, values) -> None:
    """Send values once; the number and the turn go on in a SleepState."""
    path = node.start.root + NAME
    board = node.board
    counter = StrideCounter(
        lambda: (read_json(path) or {}).get("limit", 0),
        lambda limit: write_json(path, {"limit": limit}),
        resume=state.next_number,
    )
    try:
        made = broadcaster(sensors, counter, node.identity.key, board.bluetooth_address(), state.turn)
        board.advertise(advertisement(made.service_data(values)), ADVERTISE_MS)
    except (OSError, ValueError) as error:
        node.events.trouble("broadcast_failed", "bluetooth", repr(error))
        return
    state.next_number, state.turn = counter.next_number, made.turn
