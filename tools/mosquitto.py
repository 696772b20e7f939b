"""Gets a real Mosquitto, the MQTT broker: the machine's own, or Debian's in a cache folder."""

import shutil
from pathlib import Path

from hub.errors import OperatorNeeded
from tools.debian_packages import unpack

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache" / "mosquitto"
SUITE = "bookworm"
HINT = "put mosquitto on PATH"


def command(cache: Path = CACHE) -> list[str]:
    """Return the command line that starts Mosquitto, fetching it when it is nowhere yet.

    Raises OperatorNeeded when it cannot be had on this machine.
    """
    installed = shutil.which("mosquitto")
    if installed:
        return [installed]
    unpacked = cache / "root"
    if not unpacked.exists():
        unpack(["mosquitto"], SUITE, unpacked, hint=HINT)
    loader = next(unpacked.glob("usr/lib/*/ld-linux*.so.*"), None) or next(
        unpacked.glob("lib/*/ld-linux*.so.*"), None
    )
    program = unpacked / "usr/sbin/mosquitto"
    if loader is None or not program.exists():
        raise OperatorNeeded("the unpacked Mosquitto is not whole", where=str(unpacked), hint=HINT)
    folders = [loader.parent, unpacked / "usr/lib" / loader.parent.name]
    return [str(loader), "--library-path", ":".join(map(str, folders)), str(program)]
