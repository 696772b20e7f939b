"""Where a node lives in the update matrix: flash that may lose power, a clock, resets, a hub.

A reset, a power cut and the end of the simulation are KeyboardInterrupts: the one thing the boot part lets
through, as a board that resets lets nothing through.
"""

import json
import sys
from binascii import unhexlify
from hashlib import sha256

import vfs

MOUNT = "/flash"
PACKED = "/application"  # where the boot part mounts a slot's pack
ROOT = MOUNT + "/"
BLOCK_BYTES = 4096
BLOCKS = 80
BOOTS = 60  # a node that needs more has no way out
STEADY_MS = 900_000  # longer than any trial

POWER, WATCHDOG = 0, 1  # of firmware.node.trial.ResetCause
CONFIRMED, REVERTED = 2, 3  # of shared_schema.update_messages.UpdateState


class Reset(KeyboardInterrupt):
    """The board starts anew."""


class PowerCut(KeyboardInterrupt):
    """The power went at a write."""


class Steady(KeyboardInterrupt):
    """The application ran long enough to be believed."""


class Flash:
    """A block device. cut_at: which program or erase does not come to its end. is_torn: it came half-way."""

    def __init__(self, image, cut_at=0, is_torn=False):
        self.image = image
        self.writes = 0  # programs and erases
        self.cut_at = cut_at
        self.is_torn = is_torn
        self.is_dead = False

    def readblocks(self, block, buffer, offset=0):
        self._live()
        at = block * BLOCK_BYTES + offset
        buffer[:] = self.image[at : at + len(buffer)]

    def writeblocks(self, block, buffer, offset=0):
        at = block * BLOCK_BYTES + offset
        self._change(at, buffer)

    def ioctl(self, operation, argument):
        if operation == 4:
            return BLOCKS
        if operation == 5:
            return BLOCK_BYTES
        if operation == 6:
            self._change(argument * BLOCK_BYTES, b"\xff" * BLOCK_BYTES)
        return 0

    def _change(self, at, content):
        self._live()
        self.writes += 1
        if self.writes == self.cut_at:
            self.is_dead = True
            half = len(content) // 2 if self.is_torn else 0
            self.image[at : at + half] = content[:half]
            raise PowerCut
        self.image[at : at + len(content)] = content

    def _live(self):
        if self.is_dead:
            raise PowerCut


class Hub:
    """Offers one release until the node says that it stays or went back; stores rows."""

    def __init__(self, version, offer, files):
        self.version = version
        self.offer = offer
        self.files = files
        self.stored_seq = 0
        self.heard = []
        self.bytes_sent = 0

    def store_row(self, node):
        self.stored_seq = node.next_seq
        node.next_seq += 1
        return self.stored_seq

    def hear(self, payload):
        from shared_schema.update_messages import decode_update_state

        report = decode_update_state(payload)
        self.heard.append((report.state, report.version, report.text))
        if report.state == REVERTED or (report.state == CONFIRMED and report.version == self.version):
            self.offer = b""

    def chunk(self, payload):
        from shared_schema.update_messages import Chunk, decode_chunk_wanted, encode_chunk

        wanted = decode_chunk_wanted(payload)
        data = self.files[wanted.index][wanted.offset : wanted.offset + wanted.length]
        self.bytes_sent += len(data)
        return encode_chunk(Chunk(wanted.index, wanted.offset, data))


class Watchdog:
    """Bites when the clock passes its time."""

    def __init__(self, world, timeout_ms):
        self._world = world
        self._timeout_ms = timeout_ms
        self.feed()

    def feed(self):
        self.bites_at_ms = self._world.now_ms + self._timeout_ms


class World:
    """One node. It is the boot part's Hardware too, and says WATCHDOG after every reset, as an rp2 does."""

    def __init__(self, image, program_bytes, key, hub):
        self.image = image
        self.program_bytes = program_bytes
        self.key = key
        self.hub = hub
        self.next_seq = 1
        self.now_ms = 0
        self.starts = []  # of applications: version, in safe mode, on trial
        self.boots = 0
        self.writes = 0
        self._cause = POWER
        self._watchdog = None
        self._boot_ms = 0

    # What the boot part calls
    def reset_cause(self):
        return self._cause

    def reset(self):
        raise Reset

    def start_watchdog(self, timeout_ms):
        self._watchdog = Watchdog(self, timeout_ms)
        return self._watchdog

    def ticks_ms(self):
        return self.now_ms

    def ticks_diff(self, later, earlier):
        return later - earlier

    def sleep_ms(self, duration_ms):
        self.now_ms += duration_ms
        if self._watchdog and self.now_ms > self._watchdog.bites_at_ms:
            raise Reset
        if self.boot_age_ms() >= STEADY_MS:
            raise Steady

    # What the application calls
    def app_starts(self, version, start):
        self.starts.append((version, start.is_safe_mode, start.is_trial))

    def boot_age_ms(self):
        return self.now_ms - self._boot_ms

    def live(self, cuts, is_torn=False):
        """Boot until an application runs for STEADY_MS. cuts: the writes at which the power goes."""
        while self.boots < BOOTS:
            self.boots += 1
            ahead = [cut - self.writes for cut in cuts if cut > self.writes]
            flash = Flash(self.image, min(ahead) if ahead else 0, is_torn)
            try:
                self._boot(flash)
            except Reset:
                self._cause = WATCHDOG
            except PowerCut:
                self._cause = POWER
            except Steady:
                break
            finally:
                flash.is_dead = True  # what was open then is lost
                self.writes += flash.writes
                unmount()

    def _boot(self, flash):
        self._watchdog = None
        self._boot_ms = self.now_ms
        vfs.mount(vfs.VfsLfs2(flash, progsize=self.program_bytes), MOUNT)
        forget_modules()
        from firmware.boot import start

        start(self, ROOT)

    def verdict(self):
        """Return what there is to judge; is_whole: the active slot is as its release says."""
        vfs.mount(vfs.VfsLfs2(Flash(self.image), progsize=self.program_bytes), MOUNT)
        forget_modules()
        from firmware.node import slots

        pointer = slots.load(ROOT)
        try:
            return {
                "version": self.starts[-1][0] if self.starts else "",
                "starts": self.starts,
                "boots": self.boots,
                "writes": self.writes,
                "record": [pointer.version, pointer.counter, pointer.trial_boots_left, pointer.fast_resets],
                "is_whole": is_whole(slots.folder(ROOT, pointer.active)),
                "heard": self.hub.heard,
                "bytes_sent": self.hub.bytes_sent,
                "crash": read(ROOT + "crash.txt").decode(),
            }
        finally:
            vfs.umount(MOUNT)


world = None  # the one that the application finds


def forget_modules():
    """Leave the interpreter as a reset leaves it."""
    for name in list(sys.modules):
        if name.split(".")[0] in ("firmware", "shared_schema"):
            del sys.modules[name]
    sys.path[:] = [MOUNT] + [path for path in sys.path if path not in (MOUNT, PACKED)]


def unmount():
    for place in (PACKED, MOUNT):
        try:
            vfs.umount(place)
        except OSError:
            pass  # the boot did not come as far as mounting it


def is_whole(folder):
    """Return True when every file of the slot is as the slot's manifest says."""
    files = json.loads(read(folder + "manifest.json"))["files"]
    return all(sha256(read(folder + path)).digest() == unhexlify(digest) for path, _, digest in files)


def read(path):
    """Return what is in a file, nothing when there is none."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""
