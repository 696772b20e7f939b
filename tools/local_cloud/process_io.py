"""The process of the local cloud: starts it, waits until it answers, stops it."""

import fcntl
import json
import secrets
import select
import subprocess
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from hub.errors import OperatorNeeded
from shared_schema.limits import DEVICE_TOKEN_S
from tools.local_cloud.admin_io import CloudAdmin
from tools.local_cloud.node_io import CACHE, ROOT, ensure_node_modules, environment, find_node

MIGRATIONS = ROOT / "supabase" / "migrations"
START_TIMEOUT_S = 90  # the first start applies every migration, on a slow machine
STOP_TIMEOUT_S = 10
LOG_LINES_SHOWN = 15


@dataclass(frozen=True, slots=True)
class Keys:
    """What the local cloud is opened with, in the form of the hosted keys."""

    publishable_key: str
    secret_key: str
    jwt_secret: str

    @classmethod
    def random(cls) -> Self:
        """Return new ones."""
        return cls(
            "sb_publishable_" + secrets.token_urlsafe(16),
            "sb_secret_" + secrets.token_urlsafe(16),
            secrets.token_hex(32),
        )

    @classmethod
    def kept_in(cls, directory: Path) -> Self:
        """Return those kept beside the data, made at the first time, so that a hub's settings stay right."""
        file = directory / "keys.json"
        if file.exists():
            return cls(**json.loads(file.read_text(encoding="utf-8")))
        keys = cls.random()
        directory.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
        file.write_text(json.dumps(asdict(keys)), encoding="utf-8")
        return keys


class CloudProcess:
    """A local cloud on 127.0.0.1.

    data_dir: where data is kept; None: in memory, thrown away. port: 0 takes a free one.
    token_life_s: how long device tokens live. migrations: the folder of those to apply.
    """

    def __init__(
        self,
        data_dir: Path | None = None,
        port: int = 0,
        *,
        token_life_s: int = DEVICE_TOKEN_S,
        migrations: Path = MIGRATIONS,
    ) -> None:
        self.data_dir = data_dir
        self.migrations = migrations
        self.port = port
        self.token_life_s = token_life_s
        self.keys: Keys | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._log: IO[bytes] | None = None
        self._lock: IO[str] | None = None

    @property
    def url(self) -> str:
        """Where it answers, once started."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def publishable_key(self) -> str:
        """The key that hubs send as apikey."""
        return self._started_keys().publishable_key

    @property
    def secret_key(self) -> str:
        """The key that may do everything."""
        return self._started_keys().secret_key

    @property
    def admin(self) -> CloudAdmin:
        """What an operator may ask of it."""
        return CloudAdmin(self.url, self.secret_key)

    @property
    def pid(self) -> int | None:
        """Its process id while it runs."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start it and return when it answers. Raises OperatorNeeded with the end of its log."""
        ensure_node_modules()
        if self.data_dir:
            self._lock = _lock(self.data_dir)
        self.keys = Keys.kept_in(self.data_dir) if self.data_dir else Keys.random()
        self._log = tempfile.TemporaryFile(prefix="penstock-local-cloud-")  # noqa: SIM115
        self._process = subprocess.Popen(
            [find_node(), ROOT / "tools" / "local_cloud" / "server.mjs"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            cwd=ROOT,
            env={**environment(), "PENSTOCK_LOCAL_CLOUD": json.dumps(self._settings(self.keys))},
            # Ctrl-C in a terminal goes to every process of the group; this one is stopped by us.
            start_new_session=True,
        )
        try:
            self.port = self._wait_until_ready(self._process)
        except BaseException:
            self.stop()
            raise

    def wait(self) -> None:
        """Return when it ended by itself."""
        if self._process is not None:
            self._process.wait()

    def stop(self) -> None:
        """Stop it; its data is on disk when this returns. Safe to repeat."""
        process, self._process = self._process, None
        if process is not None:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.close()
            try:
                process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            process.stdout.close()
        if self._log is not None:
            self._log.close()
            self._log = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def log(self) -> str:
        """Return the end of what it wrote to its log."""
        if self._log is None:
            return ""
        self._log.seek(0)
        return "\n".join(self._log.read().decode(errors="replace").splitlines()[-LOG_LINES_SHOWN:])

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _settings(self, keys: Keys) -> dict[str, str | int]:
        return {
            "host": "127.0.0.1",
            "port": self.port,
            "dataDir": str(self.data_dir / "database") if self.data_dir else "",
            "cacheDir": str(CACHE / "local_cloud"),
            "migrationsDir": str(self.migrations),
            "jwtSecret": keys.jwt_secret,
            "publishableKey": keys.publishable_key,
            "secretKey": keys.secret_key,
            "tokenLifeSeconds": self.token_life_s,
        }

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> int:
        assert process.stdout is not None
        deadline_s = time.monotonic() + START_TIMEOUT_S
        ready, _, _ = select.select([process.stdout], [], [], max(0.0, deadline_s - time.monotonic()))
        line = process.stdout.readline() if ready else b""
        if not line:
            why = "it ended" if ready else f"it did not answer within {START_TIMEOUT_S} s"
            raise OperatorNeeded(
                f"the local cloud did not start, {why}:\n{self.log()}",
                hint="another program may use the port; --fresh starts without the kept data",
            )
        answer = json.loads(line)
        if "error" in answer:
            raise OperatorNeeded(answer["error"], where=answer["where"], hint=answer["hint"])
        return int(answer["port"])

    def _started_keys(self) -> Keys:
        if self.keys is None:
            raise OperatorNeeded("the local cloud has not been started")
        return self.keys


def _lock(data_dir: Path) -> IO[str]:
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        lock = (data_dir / "lock").open("w")
    except OSError as error:
        raise OperatorNeeded(
            f"data cannot be kept there: {error.strerror}", where=str(data_dir), hint="see --data-dir"
        ) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise OperatorNeeded(
            "another local cloud uses this data",
            where=str(data_dir),
            hint="stop it, or use another --data-dir",
        ) from error
    return lock
