"""Modules that are in memory only while they are used: a board has more flash than memory."""

import gc
import sys


def forget(*names: str) -> None:
    """Give back the memory of modules; whoever needs one imports it again."""
    for name in names:
        sys.modules.pop(name, None)
        package, _, own = name.rpartition(".")
        try:
            delattr(sys.modules[package], own)  # an import leaves it there as well
        except (AttributeError, KeyError):
            pass
    gc.collect()
