"""A real Postgres 15 server with pg_cron for tests, from Debian, on 127.0.0.1."""

from pathlib import Path

from tools.debian_packages import unpack
from tools.local_cloud.node_io import ROOT
from tools.postgres17 import FOR_TESTS, Postgres17

UNPACKED = ROOT / ".cache" / "postgres15"
PACKAGES = ["postgresql-15", "postgresql-15-cron"]
SUITE = "bookworm"  # the Debian release with Postgres 15
WITH_PG_CRON = {
    "shared_preload_libraries": "pg_cron",
    "cron.database_name": "postgres",
    "cron.host": "127.0.0.1",
    "jit": "off",  # its compiler would be loaded for a database without rows
}
HINT = "let apt-get reach a Debian archive"


class Postgres15(Postgres17):
    """A server in whose database "postgres" pg_cron does the jobs."""

    programs = Path("usr/lib/postgresql/15/bin")
    libraries = Path("usr/lib/x86_64-linux-gnu")

    def __init__(self) -> None:
        super().__init__({**FOR_TESTS, **WITH_PG_CRON})

    def _fetch(self) -> Path:
        if not UNPACKED.exists():
            unpack(PACKAGES, SUITE, UNPACKED, hint=HINT)
        for library in ("libc.so.6", "libm.so.6"):
            # A program started by the machine's loader needs the machine's own libc.
            (UNPACKED / self.libraries / library).unlink(missing_ok=True)
        return UNPACKED
