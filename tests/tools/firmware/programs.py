"""Small programs, run as they are and linked."""

import itertools
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tools.firmware.linker.link import link

numbers = itertools.count()


def ran(folder: Path, modules: Mapping[str, str]) -> Any:
    """Return what run() of the module main returns, when these modules are all there is."""
    own = folder / f"program_{next(numbers)}"
    for name, source in modules.items():
        path = own / (name.replace(".", "/") + ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
    before = set(sys.modules)
    sys.path.insert(0, str(own))
    try:
        return __import__("main").run()
    finally:
        sys.path.remove(str(own))
        for name in set(sys.modules) - before:
            del sys.modules[name]


def same(folder: Path, modules: Mapping[str, str], **options: Any) -> dict[str, str]:
    """Link modules, see that they do the same, and return them."""
    linked = link(modules, "main", "run", **options)
    assert ran(folder, linked) == ran(folder, modules)
    return linked


def text(linked: Mapping[str, str]) -> str:
    return "".join(linked.values())


def modules(listing: str) -> dict[str, str]:
    """Return the modules in a listing, each below a line `# its.name`."""
    parts = ("\n" + listing).split("\n# ")[1:]
    return {name: source + "\n" for name, _, source in (part.partition("\n") for part in parts)}
