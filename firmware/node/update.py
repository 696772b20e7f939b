"""Brings a release into the idle slot: what is wanted next, where it goes, and when the slots change.

1. An offer that is not refused is noted in OFFER, in the emptied idle slot. The same offer after a power cut
   or a lost connection goes on where the flash ends.
2. Files come front to back in chunks, in the manifest's order. Each is read back and its SHA-256 compared.
3. The manifest is written last: a slot that has one is whole (node/slots.py).
4. The record puts the slot on trial (node/trial.py), and the application has to end.

The slot that runs is never touched, and nothing is begun while it is on trial: the idle slot is its way back.
"""

import sys

from firmware.node import slot_files, slots, trial
from firmware.node.manifest import File, Manifest, Refused, check, parse
from firmware.node.update_report import report_of
from shared_schema.digest import DIGEST_BYTES, Hmac
from shared_schema.update_messages import CHUNK_LENGTH, Chunk, ChunkWanted, Update, UpdateReport, UpdateState

OFFER = "offer"  # MAC and manifest of what is being fetched
FLUSH_BYTES = 4096  # a block of flash: a flush in the middle of one has it copied
ATTEMPTS = 3  # to fetch a file whose SHA-256 is not right


class SlotUpdate:
    """The update of one node.

    root: where the slots lie, with a slash at the end. key: HMAC with the node's key. report: where the
    update is, None when there is nothing to tell; to be sent when it is another one, and in each session.
    is_complete: the application has to end now, so that the new release starts.
    """

    def __init__(self, root: str, key: Hmac, board: str) -> None:
        self._root = root
        self._key = key
        self._board = board
        self._manifest: "Manifest | None" = None
        self._offer = b""
        self._index = 0
        self._offset = 0
        self._attempts = 0
        self._file = None
        self.is_complete = False
        self.report = report_of(slots.load(root))

    def offer(self, update: Update) -> None:
        """Begin with what the hub offers, or go on with it; what was being fetched else is dropped."""
        if self.is_complete or (self._manifest and update.mac + update.manifest == self._offer):
            return
        self._drop()
        version = ""
        try:
            manifest = parse(update.manifest, update.mac, self._key)
            version = manifest.version
            known = self._judge(manifest)
        except Refused as error:
            self._tell(UpdateState.REFUSED, version, str(error))
            return
        if known is None:
            self._guarded(self._begin, manifest, update)
        else:
            self._tell(known, version)

    def _judge(self, manifest: Manifest) -> "int | None":
        """Return the state of a release that is here already, None for one to fetch. Raises Refused."""
        pointer = slots.load(self._root)
        if manifest.counter == pointer.counter:
            return UpdateState.CONFIRMED
        if pointer.is_trial:
            if manifest.counter == pointer.trial_counter:
                return UpdateState.TRIAL
            raise Refused("%s is still on trial" % pointer.trial_version)
        check(manifest, pointer.counter, self._board, tuple(sys.implementation.version))
        return None

    def wanted(self) -> "ChunkWanted | None":
        """Return which bytes are to be fetched next, None when there is nothing to fetch."""
        if self._manifest is None:
            return None
        left = self._manifest.files[self._index].size - self._offset
        return ChunkWanted(self._index, self._offset, min(left, CHUNK_LENGTH))

    def take(self, chunk: Chunk) -> None:
        """Take the bytes that were wanted; others (asked for before a reconnect) are ignored."""
        wanted = self.wanted()
        if wanted is None or (chunk.index, chunk.offset) != (wanted.index, wanted.offset):
            return
        if len(chunk.data) == wanted.length:
            self._guarded(self._write, chunk.data)
        else:
            path = self._manifest.files[wanted.index].path
            self._drop()
            self._fail("%s has another length than the release says" % path)

    def look_again(self) -> None:
        """Report what the record says now: after the trial ended well."""
        self.report = report_of(slots.load(self._root))

    def close(self) -> None:
        """Put what was fetched on flash; the same offer goes on there."""
        self._guarded(self._close_file)
        self._manifest = None

    def _begin(self, manifest: Manifest, update: Update) -> None:
        offer = update.mac + update.manifest
        idle = self._idle()
        slot_files.remove(idle + slots.MANIFEST)  # before anything else: from here on the slot is not whole
        if not slot_files.is_content(idle + OFFER, offer):
            slot_files.empty(idle)
            slot_files.make_folders(idle, len(self._root))
            slot_files.write(idle + OFFER, offer)
        self._manifest, self._offer = manifest, offer
        self._index = self._offset = self._attempts = 0
        self._tell(UpdateState.FETCHING, manifest.version)
        self._go_on(manifest)

    def _write(self, data: bytes) -> None:
        manifest = self._manifest
        file = manifest.files[self._index]
        if self._file is None:
            path = self._idle() + file.path
            slot_files.make_folders(path, len(self._root))
            self._file = open(path, "ab")
        self._file.write(data)
        self._offset += len(data)
        if self._offset == file.size:
            self._close_file()
            self._go_on(manifest)
        elif self._offset % FLUSH_BYTES == 0:
            self._file.flush()

    def _go_on(self, manifest: Manifest) -> None:
        """Move on to the first file that is not whole and right; behind the last one the slots change."""
        while self._index < len(manifest.files):
            file = manifest.files[self._index]
            path = self._idle() + file.path
            self._offset = slot_files.size_of(path)
            if self._offset < file.size:
                return
            if self._offset > file.size or slot_files.digest_of(path) != file.digest:
                self._fetch_again(file, path)
                return
            self._index += 1
            self._offset = self._attempts = 0
        self._change_slots(manifest)

    def _fetch_again(self, file: File, path: str) -> None:
        slot_files.remove(path)
        self._offset = 0
        self._attempts += 1
        if self._attempts == ATTEMPTS:
            self._fail("%s came %d times with another SHA-256 than the release says" % (file.path, ATTEMPTS))

    def _change_slots(self, manifest: Manifest) -> None:
        slot_files.write(self._idle() + slots.MANIFEST, self._offer[DIGEST_BYTES:])
        pointer = slots.load(self._root)
        trial.begin(pointer, manifest.version, manifest.counter)
        slots.store(self._root, pointer)
        self.is_complete = True
        self._manifest = None
        self._tell(UpdateState.TRIAL, manifest.version)

    def _idle(self) -> str:
        return slots.folder(self._root, slots.load(self._root).previous)

    def _drop(self) -> None:
        self._guarded(self._close_file)
        self._manifest = None
        self._offer = b""

    def _close_file(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            file.close()

    def _guarded(self, step, *arguments: object) -> None:
        """Do one step; flash that is full or broken ends the update and nothing else."""
        try:
            step(*arguments)
        except OSError as error:
            self._file = None
            self._fail("flash of the idle slot: %r" % error)

    def _fail(self, text: str) -> None:
        version = self.report.version if self.report else ""
        self._manifest = None
        self._tell(UpdateState.FAILED, version, text)

    def _tell(self, state: int, version: str, text: str = "") -> None:
        self.report = UpdateReport(state, version, text)
