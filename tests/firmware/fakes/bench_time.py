"""Time that passes only when somebody waits."""

import asyncio


class BenchTime:
    def __init__(self):
        self.now_ms = 0
        self.longest_wait_ms = 0

    async def sleep_ms(self, wait_ms):
        self.now_ms += wait_ms
        self.longest_wait_ms = max(self.longest_wait_ms, wait_ms)
        await asyncio.sleep(0)

    def read(self, driver):
        """Return what the driver reads, and how many ms that took."""
        began_ms = self.now_ms
        values = asyncio.run(driver.read())
        return values, self.now_ms - began_ms


def values_of(driver):
    """Return what a driver reads that does not wait."""
    return asyncio.run(driver.read())
