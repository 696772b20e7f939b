# mypy: ignore-errors
"""What a simulated board does from its reset on.

    micropython rom.py install IMAGE BLOCKS FOLDER    format the flash, copy the files listed in FOLDER/paths
    micropython rom.py numbers IMAGE BLOCKS           print what the ring holds: epoch, numbered, acknowledged
    micropython rom.py run IMAGE BLOCKS CAUSE         start the boot part. CAUSE: of firmware.node.trial

Obeys lines on standard input while it runs: air on|off · set NAME NUMBER · cut · memory. Lines on standard
output that begin with ! are for the process that watches: fed, reset, cut, memory, sleep MS, air HEX; all
others are the node's. What outlasts a sleep lies in the file IMAGE.rtc.
"""

import asyncio
import gc
import os
import sys
import time

import vfs

ROOT = __file__[: -len("tools/sim_nodes/board/rom.py")]  # where the stand-ins are imported from
MOUNT = "/flash"
MAINTENANCE_MS = 200  # nobody can press Ctrl-C here
WATCHDOG_TELLS_MS = 1000


def end(word):
    """Say why, and wait for the watching process to end this one."""
    print("!" + word)
    while sys.stdin.buffer.read(1):
        pass
    sys.exit(1)


class Watchdog:
    """Says that it was fed; the watching process bites."""

    def __init__(self):
        self._told_ms = None
        self.feed()

    def feed(self):
        """Start the count anew."""
        now_ms = time.ticks_ms()
        if self._told_ms is None or time.ticks_diff(now_ms, self._told_ms) >= WATCHDOG_TELLS_MS:
            self._told_ms = now_ms
            print("!fed")


class Hardware:
    """For the boot part."""

    def __init__(self, cause):
        self._cause = cause

    def reset_cause(self):
        """Return why the board started."""
        return self._cause

    def reset(self):
        """Pull the reset line."""
        end("reset")

    def start_watchdog(self, _timeout_ms):
        """Return the watchdog."""
        return Watchdog()

    def ticks_ms(self):
        """Return a counter of milliseconds."""
        return time.ticks_ms()

    def ticks_diff(self, later, earlier):
        """Return the difference of two counts."""
        return time.ticks_diff(later, earlier)

    def sleep_ms(self, duration_ms):
        """Wait, for a tenth of a second at most."""
        time.sleep_ms(min(duration_ms, MAINTENANCE_MS))


def flash_of(path, blocks):
    """Return the board's flash."""
    from tools.sim_nodes.board.flash import Flash

    return Flash(path, blocks, lambda: end("cut"))


def file_system(flash):
    """Return LittleFS with the buffers it has on an rp2."""
    from tools.sim_nodes.board.flash import PROGRAM_BYTES

    return vfs.VfsLfs2(flash, progsize=PROGRAM_BYTES, readsize=PROGRAM_BYTES, lookahead=32)


def install(path, blocks, folder):
    """Set up a board that has never run anything."""
    flash = flash_of(path, blocks)
    from tools.sim_nodes.board.flash import PROGRAM_BYTES

    vfs.VfsLfs2.mkfs(flash, progsize=PROGRAM_BYTES, readsize=PROGRAM_BYTES, lookahead=32)
    vfs.mount(file_system(flash), MOUNT)
    with open(folder + "/paths") as paths:
        for line in paths:
            copy(folder + "/" + line.strip(), line.strip())
    vfs.umount(MOUNT)


def copy(source, path):
    """Copy a file onto the flash, and make the folders it lies in."""
    parts = path.split("/")
    for count in range(1, len(parts)):
        try:
            os.mkdir(MOUNT + "/" + "/".join(parts[:count]))
        except OSError:
            pass
    with open(source, "rb") as file:
        content = file.read()
    with open(MOUNT + "/" + path, "wb") as file:
        file.write(content)


def numbers(path, blocks):
    """Say what the ring holds."""
    vfs.mount(file_system(flash_of(path, blocks)), MOUNT)
    from firmware.main import ring_bytes
    from firmware.node.ring import Ring

    ring = Ring(MOUNT + "/ring", ring_bytes(MOUNT))
    ring.mount()
    print(ring.epoch, ring.next_seq - 1, ring.acked)


async def obey(flash, own_bytes):
    """Do what standard input says."""
    from tools.sim_nodes.board.radio import AIR
    from tools.sim_nodes.board.world import WORLD

    lines = asyncio.StreamReader(sys.stdin.buffer)
    while line := await lines.readline():
        words = line.decode().split()
        if words[0] == "air":
            AIR.switch(words[1] == "on")
        elif words[0] == "set":
            WORLD.set(words[1], int(words[2]))
        elif words[0] == "cut":
            flash.is_cut = True
        elif words[0] == "memory":
            gc.collect()
            print("!memory %d %d %d" % (gc.mem_alloc(), gc.mem_free(), own_bytes))
    vanish()


def vanish():
    """End without last words: whoever watched is gone."""
    import ffi

    ffi.open(None).func("v", "_exit", "i")(0)


def run(path, blocks, cause):
    """Be a board until it is reset."""
    from tools.sim_nodes.board import advertising, parts, radio

    parts.RTC.file = open(path + ".rtc", "r+b")
    parts.deepsleep = lambda duration_ms: end("sleep %d" % duration_ms)
    flash = flash_of(path, blocks)
    vfs.mount(file_system(flash), MOUNT)
    sys.modules["machine"] = parts
    sys.modules["network"] = radio
    sys.modules["bluetooth"] = advertising
    sys.path[:] = [MOUNT, ".frozen"]  # the firmware is that of the flash, not that of the sources
    os.chdir(MOUNT)
    gc.collect()
    asyncio.create_task(obey(flash, gc.mem_alloc()))  # noqa: RUF006 - MicroPython's queue of tasks keeps it
    from firmware.boot import start

    start(Hardware(cause), MOUNT + "/")


if __name__ == "__main__":
    sys.path[:] = [ROOT, ".frozen"]
    if sys.argv[1] == "install":
        install(sys.argv[2], int(sys.argv[3]), sys.argv[4])
    elif sys.argv[1] == "numbers":
        numbers(sys.argv[2], int(sys.argv[3]))
    else:
        run(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
