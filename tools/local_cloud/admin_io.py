"""What an operator asks of a cloud, local or hosted, over REST with the secret key."""

import base64
import hashlib
import http.client
import itertools
import json
import re
import secrets
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from typing import Any, NamedTuple

from hub.errors import OperatorNeeded, PenstockError, TryAgain

TIMEOUT_S = 60
PAGE = 1000  # rows the Data API returns at once, unless the project says otherwise
SECRET_BYTES = 32
DEVICE_KEY_PATTERN = r"[a-z0-9][a-z0-9_.-]{0,62}"


class RegisteredDevice(NamedTuple):
    """A new device. secret: shown once, the cloud keeps only its hash; None behind a hub."""

    device_id: int
    device_key: str
    secret: str | None


class _Secret:
    """32 random bytes: the text that is shown once, and the hash that is kept."""

    def __init__(self, content: bytes | None = None) -> None:
        content = content or secrets.token_bytes(SECRET_BYTES)
        self.text = base64.urlsafe_b64encode(content).decode().rstrip("=")
        self.hash = hashlib.sha256(content).hexdigest()


class Completeness(NamedTuple):
    """What the cloud has of one device in one epoch. rows_explained: missing, but in the loss ledger."""

    device_key: str
    device_id: int
    epoch: int
    rows_stored: int
    first_seq: int | None
    last_seq: int | None
    duplicates: int
    rows_explained: int
    unexplained_gaps: int
    rows_unexplained: int


class UploadLatency(NamedTuple):
    """From measuring to storing; None when there were no readings."""

    readings: int
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None


class CloudAdmin:
    """The operator's side of a cloud. Every call blocks and raises PenstockError when it is refused."""

    def __init__(self, url: str, secret_key: str) -> None:
        self._url = _checked(url).rstrip("/")
        self._secret_key = secret_key

    def register_device(
        self,
        device_key: str,
        kind: str,
        hub: str | None = None,
        *,
        secret: bytes | None = None,
        tenant: str | None = None,
        is_approved: bool = True,
        is_roaming: bool = False,
    ) -> RegisteredDevice:
        """Make a device. hub: the key of the hub that speaks for it; it then has no secret and its tenant.

        secret: instead of a random one. tenant: whose it is, made when there is none of this name.
        is_roaming: whether every hub of the tenant may send its rows.
        """
        if not re.fullmatch(DEVICE_KEY_PATTERN, device_key):
            raise OperatorNeeded(
                f"{device_key!r} cannot be a device key",
                hint="lower-case letters, digits, _ . and -, at most 63, a letter or digit first",
            )
        kept = _Secret(secret) if hub is None else None
        device_id = self.call(
            "register_device",
            {
                "device_key": device_key,
                "kind": kind,
                "secret_hash": kept.hash if kept else None,
                "hub_key": hub,
                "is_approved": is_approved,
                "is_roaming": is_roaming,
                **({"tenant": tenant} if tenant else {}),
            },
        )
        return RegisteredDevice(int(device_id), device_key, kept.text if kept else None)

    def approve_device(self, device_key: str) -> None:
        """Let a device send that was registered as pending."""
        key = urllib.parse.quote(device_key, safe="")
        path = f"/rest/v1/devices?device_key=eq.{key}&status=eq.pending&select=id"
        content, _ = self._request("PATCH", path, {"status": "approved"}, prefer="return=representation")
        if not json.loads(content):
            self.require_device(device_key)

    def renew_secret(self, device_key: str) -> str:
        """Replace the secret of a device and return the new one."""
        secret = _Secret()
        self.call("set_device_secret", {"device_key": device_key, "secret_hash": secret.hash})
        return secret.text

    def assign_role(self, email: str, role: str, tenant: str | None) -> None:
        """Give somebody who has signed up a role. tenant: its name; None only for a superadmin."""
        tenant_id = None
        if tenant is not None:
            found = self.select(f"tenants?name=eq.{urllib.parse.quote(tenant, safe='')}&select=id")
            if len(found) != 1:
                what = (
                    f"there is no tenant {tenant!r}"
                    if not found
                    else f"{len(found)} tenants are called {tenant!r}"
                )
                raise OperatorNeeded(what, where=self._url, hint="penstock cloud register --tenant makes one")
            tenant_id = found[0]["id"]
        elif role != "superadmin":
            raise OperatorNeeded("a role is held somewhere", hint="say where with --tenant NAME")
        self.call("assign_role", {"email": email, "role": role, "tenant_id": tenant_id})

    def dismiss_person(self, email: str) -> None:
        """Take every right from somebody at once."""
        self.call("dismiss_person", {"email": email})

    def revoke_device(self, device_key: str) -> None:
        """Refuse a device and those behind it from now on."""
        path = f"/rest/v1/devices?device_key=eq.{urllib.parse.quote(device_key)}&select=id"
        content, _ = self._request("PATCH", path, {"revoked_at": "now"}, prefer="return=representation")
        if not json.loads(content):
            raise OperatorNeeded(f"there is no device {device_key!r}", where=self._url)

    def require_device(self, device_key: str) -> None:
        """Raise OperatorNeeded when no device was ever registered under this key."""
        if not self.select(f"devices?device_key=eq.{urllib.parse.quote(device_key, safe='')}&select=id"):
            raise OperatorNeeded(f"there is no device {device_key!r}", where=self._url)

    def completeness(self, device_key: str | None = None) -> list[Completeness]:
        """Count, for each device and epoch, what is stored, stored twice and missing."""
        rows = self.call("completeness", {"only_device_key": device_key})
        return [Completeness(**row) for row in rows]

    def completeness_below(self, prefix: str) -> Iterator[Completeness]:
        """Yield the same for all devices whose keys begin alike."""
        where = f"device_key=like.{urllib.parse.quote(prefix, safe='')}*&order=device_key.asc,epoch.asc"
        for offset in itertools.count(0, PAGE):
            query = f"completeness?{where}&limit={PAGE}&offset={offset}"
            page = self.call(query, {"only_device_key": None})
            yield from (Completeness(**row) for row in page)
            if len(page) < PAGE:
                return

    def upload_latency(self, from_time: str, to_time: str) -> UploadLatency:
        """Return how long readings recorded in [from_time, to_time) took. Times in ISO 8601 with a zone."""
        rows = self.call("upload_latency", {"from_time": from_time, "to_time": to_time})
        return UploadLatency(**rows[0])

    def count_rows(self, table: str) -> int:
        """Return how many rows a table has."""
        _, headers = self._request("HEAD", f"/rest/v1/{table}?select=*&limit=1", prefer="count=exact")
        return int(headers["content-range"].rpartition("/")[2])

    def select(self, query: str) -> list[dict[str, Any]]:
        """Return the rows of a REST query such as "device_state?select=device_id,latest"."""
        content, _ = self._request("GET", f"/rest/v1/{query}")
        rows: list[dict[str, Any]] = json.loads(content)
        return rows

    def call(self, function: str, arguments: dict[str, Any]) -> Any:
        """Call a function of the schema public and return its answer."""
        content, _ = self._request("POST", f"/rest/v1/rpc/{function}", arguments)
        try:
            return json.loads(content)
        except ValueError as error:
            what = "something that is not the cloud answered in its place"
            raise OperatorNeeded(what, where=self._url, hint="check the address") from error

    def _request(
        self, method: str, path: str, body: dict[str, Any] | None = None, prefer: str = "return=minimal"
    ) -> tuple[bytes, http.client.HTTPMessage]:
        request = urllib.request.Request(
            self._url + path,
            data=None if body is None else json.dumps(body).encode(),
            method=method,
            headers={"apikey": self._secret_key, "content-type": "application/json", "prefer": prefer},
        )
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:
                return response.read(), response.headers
        except urllib.error.HTTPError as error:
            raise _refusal(error, f"{self._url}{path}") from error
        except OSError as error:
            raise TryAgain(
                f"the cloud cannot be reached: {getattr(error, 'reason', error)}",
                where=self._url,
                hint="is it running?",
            ) from error


def _checked(url: str) -> str:
    try:
        parts = urllib.parse.urlsplit(url)
        is_address = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        is_address = is_address and re.fullmatch(r"[!-~]+", url) is not None
    except ValueError:
        is_address = False
    if not is_address:
        raise OperatorNeeded("is not the address of a cloud", where=url, hint="https://<project>.supabase.co")
    return url


def _refusal(error: urllib.error.HTTPError, where: str) -> PenstockError:
    with error:
        content = error.read()
    try:
        answer = json.loads(content)
        what, hint = answer.get("message") or str(error), answer.get("hint") or ""
    except (ValueError, AttributeError):
        what, hint = f"{error.code} {error.reason}", ""
    if error.code == http.HTTPStatus.CONFLICT and "devices_device_key_key" in what:
        what, hint = "there is a device with this key already", "a key is given once, for ever"
    if error.code == http.HTTPStatus.UNAUTHORIZED:
        hint = "check the secret key (sb_secret_…)"
    return OperatorNeeded(what, where=where, hint=hint)
