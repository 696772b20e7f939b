"""What the link needs of the machine."""

import resource
import secrets
import socket
import time

from shared_schema.greeting import NONCE_BYTES

SPARE_FILES = 200  # the outbox, buses, the uplink, logs
SEND_BYTES = 16_384  # the machine's own part of what waits for a node that does not read


class NodeSystem:
    """A System."""

    def nonce(self) -> bytes:
        """Return random bytes for one greeting."""
        return secrets.token_bytes(NONCE_BYTES)

    def wall_ms(self) -> int:
        """Return Unix ms by the machine's clock, right or wrong: what its other programs go by."""
        return time.time_ns() // 1_000_000

    def allow_open_files(self, wanted: int) -> None:
        """Raise the number of files this process may have open, as far as it may."""
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        enough = wanted + SPARE_FILES
        most = enough if hard == resource.RLIM_INFINITY else min(hard, enough)
        if soft != resource.RLIM_INFINITY and soft < most:
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))

    def keep_small(self, connection: socket.socket | None) -> None:
        """Bound what the machine keeps for a connection, and let small messages go at once."""
        if connection is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BYTES)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
