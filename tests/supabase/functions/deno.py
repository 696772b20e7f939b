"""Deno as the local cloud runs it, with an environment of the test's own."""

import json
import subprocess
import urllib.error
import urllib.request
from collections.abc import Mapping
from email.message import Message
from types import TracebackType
from typing import Any, NamedTuple, Self

from tools.local_cloud.deno_io import MAIN, environment, find_deno
from tools.local_cloud.process_io import CloudProcess

# No network but this machine, nothing fetched, nothing written.
LIMITS = ("--quiet", "--no-prompt", "--no-remote", "--no-npm", "--cached-only", "--no-lock", "--no-config")
STOP_S = 20


class Answer(NamedTuple):
    status: int
    body: Any
    headers: Message


class Functions:
    """All functions in one Deno process that speaks to a cloud, while inside "with".

    secrets: its environment. url: what it takes for the cloud's address.
    """

    def __init__(self, cloud: CloudProcess, secrets: Mapping[str, str], url: str | None = None) -> None:
        self.cloud = cloud
        self.port = 0
        self._secrets = {
            "SUPABASE_URL": url or cloud.url,
            "SUPABASE_PUBLISHABLE_KEYS": json.dumps({"default": cloud.publishable_key}),
            "SUPABASE_SECRET_KEYS": json.dumps({"default": cloud.secret_key}),
            **secrets,
        }
        self._process: subprocess.Popen[str] | None = None
        self.log = ""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [find_deno(), "run", *LIMITS, "--allow-env", "--allow-net=127.0.0.1", MAIN],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(),
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(self._secrets) + "\n")
        self._process.stdin.flush()
        self.port = json.loads(self._process.stdout.readline())["port"]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> str:
        """End it, as the local cloud does, and return what it wrote to its log. Safe to repeat."""
        process, self._process = self._process, None
        if process is not None:
            try:
                _, self.log = process.communicate(timeout=STOP_S)  # closes its standard input
            finally:
                process.kill()
        return self.log

    def post(self, name: str, body: Any = None, *, key: str | None = None, **headers: str) -> Answer:
        """Call a function; key: the apikey, the secret key unless given."""
        sent = {"content-type": "application/json", "apikey": self.cloud.secret_key if key is None else key}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        data = body if isinstance(body, bytes) else json.dumps({} if body is None else body).encode()
        return call("POST", f"http://127.0.0.1:{self.port}/{name}", data, sent)


def call(method: str, url: str, data: bytes | None, headers: Mapping[str, str]) -> Answer:
    request = urllib.request.Request(url, data=data, method=method, headers=dict(headers))
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return Answer(response.status, json.loads(response.read()), response.headers)
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, json.loads(error.read()), error.headers)
