"""Compression of chunks. One Zstandard is used by one thread at a time."""

import zstandard

from hub.outbox.chunk import DamagedChunk

_PLAIN, _ZSTD = b"\0", b"\1"
_SMALL = 64  # below this the frame costs more than it saves
_MOST_BYTES = 64_000_000  # far above any chunk: a damaged header must not become an allocation


class Zstandard:
    """Squeezes blobs; the first byte says whether it was worth it."""

    def __init__(self) -> None:
        # Level 1 and higher levels differ by one byte in a hundred on chunks, and by a factor in time.
        self._compressor = zstandard.ZstdCompressor(level=1, write_checksum=False)
        self._decompressor = zstandard.ZstdDecompressor()

    def squeeze(self, raw: bytes) -> bytes:
        """Return raw in fewer bytes where possible."""
        if len(raw) >= _SMALL:
            small = self._compressor.compress(raw)
            if len(small) < len(raw):
                return _ZSTD + small
        return _PLAIN + raw

    def restore(self, blob: bytes) -> bytes:
        """Return what was squeezed. Raises DamagedChunk."""
        if blob[:1] == _PLAIN:
            return blob[1:]
        if blob[:1] != _ZSTD:
            raise DamagedChunk("it does not say how it is compressed")
        try:
            frame = blob[1:]
            if not 0 <= zstandard.frame_content_size(frame) <= _MOST_BYTES:
                raise DamagedChunk("it claims to be larger than any chunk")
            return self._decompressor.decompress(frame)
        except zstandard.ZstdError as error:
            raise DamagedChunk("it cannot be decompressed") from error
