"""How a new version of the node's application comes down the link: offered whole, fetched in chunks.

encode_x raises ValueError for what does not fit; decode_x raises LinkError.
"""

import struct

from shared_schema.digest import DIGEST_BYTES
from shared_schema.packing import LinkError, Reader, cut_utf8, text8, varint

MANIFEST_LENGTH = 3800  # forty files; with its MAC it fits a frame
CHUNK_LENGTH = 1024  # a quarter of a flash block, and little enough for a board to hold twice
VERSION_LENGTH = 32
REASON_LENGTH = 300


class UpdateState:
    """How far an update has come."""

    FETCHING = 0
    TRIAL = 1  # everything is on flash; the node restarts into it
    CONFIRMED = 2
    REVERTED = 3  # the trial failed, the old version runs again
    REFUSED = 4  # the manifest is not for this node, or not newer
    FAILED = 5  # a file did not arrive as the manifest says, or flash is full
    NAMES = ("fetching", "trial", "confirmed", "reverted", "refused", "failed")


class Update:
    """An offer. manifest: JSON in UTF-8, as its MAC with the node key covers it. mac: 32 bytes."""

    def __init__(self, manifest: bytes, mac: bytes) -> None:
        self.manifest = manifest
        self.mac = mac


def encode_update(update: Update) -> bytes:
    """Varint length | manifest | 32 mac."""
    if len(update.manifest) > MANIFEST_LENGTH:
        raise ValueError("a manifest of %d bytes; %d are the most" % (len(update.manifest), MANIFEST_LENGTH))
    return varint(len(update.manifest)) + update.manifest + update.mac


def decode_update(payload: bytes | memoryview) -> Update:
    """Read an UPDATE; neither its MAC nor its JSON is looked at."""
    reader = Reader(payload)
    manifest = bytes(reader.take(reader.varint(MANIFEST_LENGTH)))
    update = Update(manifest, bytes(reader.take(DIGEST_BYTES)))
    reader.end()
    return update


class ChunkWanted:
    """The node asks for length bytes at offset of a file. index: of the file in the manifest."""

    def __init__(self, index: int, offset: int, length: int) -> None:
        self.index = index
        self.offset = offset
        self.length = length


def encode_chunk_wanted(wanted: ChunkWanted) -> bytes:
    """u16 index | u32 offset | u16 length."""
    return struct.pack(">HIH", wanted.index, wanted.offset, wanted.length)


def decode_chunk_wanted(payload: bytes | memoryview) -> ChunkWanted:
    """Read a CHUNK_WANTED of 1 to CHUNK_LENGTH bytes."""
    reader = Reader(payload)
    wanted = ChunkWanted(reader.u16(), reader.u32(), reader.u16(CHUNK_LENGTH))
    reader.end()
    if not wanted.length:
        raise LinkError("a chunk of no bytes")
    return wanted


class Chunk:
    """A part of a file, as ChunkWanted asked for it."""

    def __init__(self, index: int, offset: int, data: bytes) -> None:
        self.index = index
        self.offset = offset
        self.data = data


def encode_chunk(chunk: Chunk) -> bytes:
    """u16 index | u32 offset | data."""
    if len(chunk.data) > CHUNK_LENGTH:
        raise ValueError("a chunk of %d bytes; %d are the most" % (len(chunk.data), CHUNK_LENGTH))
    return struct.pack(">HI", chunk.index, chunk.offset) + chunk.data


def decode_chunk(payload: bytes | memoryview) -> Chunk:
    """Read a CHUNK."""
    reader = Reader(payload)
    return Chunk(reader.u16(), reader.u32(), reader.rest(CHUNK_LENGTH))


class UpdateReport:
    """Where the node is with the update to version. state: of UpdateState. text: why it failed."""

    def __init__(self, state: int, version: str, text: str = "") -> None:
        self.state = state
        self.version = version
        self.text = text


def encode_update_state(report: UpdateReport) -> bytes:
    """u8 state | text8 version | text."""
    return (
        bytes([report.state]) + text8(report.version, VERSION_LENGTH) + cut_utf8(report.text, REASON_LENGTH)
    )


def decode_update_state(payload: bytes | memoryview) -> UpdateReport:
    """Read an UPDATE_STATE."""
    reader = Reader(payload)
    return UpdateReport(
        reader.u8(len(UpdateState.NAMES) - 1), reader.text8(VERSION_LENGTH), reader.rest_text(REASON_LENGTH)
    )
