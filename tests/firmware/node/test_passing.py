"""What was forgotten takes no memory, however often it was there."""

import gc
import sys

from firmware import node
from firmware.node.passing import forget

NAME = "firmware.node.discover"


def allocated() -> int:
    gc.collect()
    return gc.mem_alloc() if hasattr(gc, "mem_alloc") else 0  # CPython has no such number


def test_a_forgotten_module_gives_its_memory_back():
    before = sys.modules.get(NAME)
    loaded, forgotten = [], []
    for _ in range(3):
        __import__(NAME)
        loaded.append(allocated())
        forget(NAME)
        forgotten.append(allocated())
        assert NAME not in sys.modules
        assert not hasattr(node, "discover")
    # What it imported stays, and the names in it: from the first time on.
    assert forgotten[-1] - forgotten[0] < 500  # a list may have grown
    assert loaded[-1] - forgotten[-1] > 2000 or not loaded[-1]
    if before is not None:
        sys.modules[NAME] = before
        node.discover = before


def test_what_is_not_there_is_forgotten_too():
    forget("firmware.node.nowhere", "nowhere.at_all", "nowhere")
