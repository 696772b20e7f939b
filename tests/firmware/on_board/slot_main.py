"""The application of a slot in the update matrix: a node's main loop with everything but the update left out.

VERSION and BEHAVIOUR are set per release; world is the simulation it runs in (update_world.py).
"""

import world

from firmware.node.trial import Trial
from firmware.node.update import SlotUpdate
from shared_schema.digest import Hmac
from shared_schema.update_messages import (
    decode_chunk,
    decode_update,
    encode_chunk_wanted,
    encode_update_state,
)

VERSION = "@VERSION"
BEHAVIOUR = "@BEHAVIOUR"

if BEHAVIOUR == "crash at import":
    raise ValueError("a release that does not even import")


def run(start) -> None:
    node = world.world
    node.app_starts(VERSION, start)
    hub = None if "unreachable" in BEHAVIOUR else node.hub
    trial = Trial(start.root, node.next_seq)
    update = SlotUpdate(start.root, Hmac(node.key), "pc")
    told = None
    is_offered = False
    while not update.is_complete:
        node.sleep_ms(1000)
        if BEHAVIOUR == "hang":
            continue
        start.feed()
        if BEHAVIOUR == "restarts itself":
            return
        crash(node, start, trial)
        if hub is None:
            continue
        stored_seq = hub.stored_seq if BEHAVIOUR == "silent" else hub.store_row(node)
        if trial.acknowledge(stored_seq, node.boot_age_ms() // 1000):
            update.look_again()
        if update.report is not told:
            told = update.report
            hub.hear(encode_update_state(told))
        if hub.offer and not is_offered:
            is_offered = True
            update.offer(decode_update(hub.offer))
        fetch(start, update, hub)
    hub.hear(encode_update_state(update.report))


def crash(node, start, trial) -> None:
    if "crash after a minute" in BEHAVIOUR and node.boot_age_ms() > 65_000:
        raise RuntimeError("a release that crashes after a minute")
    if BEHAVIOUR == "runs in safe mode only" and not start.is_safe_mode:
        raise RuntimeError("a release that fails at what it measures")
    if BEHAVIOUR == "fails once confirmed" and not trial.is_running:
        raise RuntimeError("a release that fooled its trial")


def fetch(start, update, hub) -> None:
    """Fetch some chunks; the rest in the next second."""
    for _ in range(6):
        wanted = update.wanted()
        if wanted is None:
            return
        update.take(decode_chunk(hub.chunk(encode_chunk_wanted(wanted))))
        start.feed()
