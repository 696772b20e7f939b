"""The local cloud for code that runs in an event loop."""

import asyncio
from pathlib import Path
from types import TracebackType
from typing import Self

from shared_schema.limits import DEVICE_TOKEN_S
from tools.local_cloud.admin_io import Completeness, RegisteredDevice, UploadLatency
from tools.local_cloud.process_io import CloudProcess


class LocalCloud:
    """A CloudProcess, with its parameters, that runs while inside "async with"."""

    def __init__(
        self, data_dir: Path | None = None, port: int = 0, *, token_life_s: int = DEVICE_TOKEN_S
    ) -> None:
        self.process = CloudProcess(data_dir, port, token_life_s=token_life_s)

    @property
    def url(self) -> str:
        """Where it answers."""
        return self.process.url

    @property
    def publishable_key(self) -> str:
        """The key that hubs send as apikey."""
        return self.process.publishable_key

    @property
    def secret_key(self) -> str:
        """The key that may do everything."""
        return self.process.secret_key

    async def register_device(self, device_key: str, kind: str, hub: str | None = None) -> RegisteredDevice:
        """Make an approved device; see CloudAdmin.register_device."""
        return await asyncio.to_thread(self.process.admin.register_device, device_key, kind, hub)

    async def completeness(self, device_key: str | None = None) -> list[Completeness]:
        """Count what is stored, stored twice and missing; see CloudAdmin.completeness."""
        return await asyncio.to_thread(self.process.admin.completeness, device_key)

    async def upload_latency(self, from_time: str, to_time: str) -> UploadLatency:
        """Return how long readings took; see CloudAdmin.upload_latency."""
        return await asyncio.to_thread(self.process.admin.upload_latency, from_time, to_time)

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(self.process.start)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.process.stop)
