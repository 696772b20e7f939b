"""The Raspberry Pi's own thermometer: the command vcgencmd."""

import asyncio
import shutil

from hub.system.temperature import from_vcgencmd

ANSWERS_WITHIN_S = 5.0  # it asks the firmware through a mailbox, which is a matter of milliseconds


class Vcgencmd:
    """A Thermometer. command: its name or path; on a machine without it there is no answer."""

    def __init__(self, command: str = "vcgencmd") -> None:
        self._path = shutil.which(command)

    async def temperature_c(self) -> float | None:
        """Return the processor's temperature; None without the command, its permission or its answer."""
        if self._path is None:
            return None
        try:
            process = await asyncio.create_subprocess_exec(
                self._path,
                "measure_temp",
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
            )
        except OSError:
            return None
        return from_vcgencmd(await _answer_of(process))


async def _answer_of(process: asyncio.subprocess.Process) -> str:
    try:
        async with asyncio.timeout(ANSWERS_WITHIN_S):
            answer, _ = await process.communicate()
    except TimeoutError:
        return ""
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return answer.decode("ascii", "replace")
