"""Waiting, in MicroPython and in CPython; drivers take another sleep_ms where tests have their own time."""

import asyncio
import time

if hasattr(asyncio, "sleep_ms"):
    sleep_ms = asyncio.sleep_ms
    sleep_us = time.sleep_us
else:

    async def sleep_ms(wait_ms: int) -> None:
        """Let others run for at least wait_ms."""
        await asyncio.sleep(wait_ms / 1000)

    def sleep_us(wait_us: int) -> None:
        """Stand still for at least wait_us."""
        time.sleep(wait_us / 1_000_000)
