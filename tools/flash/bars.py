"""How flashing looks: a bar for each board on a terminal, a line for each step elsewhere."""

import sys
import threading
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn


class Bars:
    """Shows how far each board is while the context lasts; thread-safe."""

    def __init__(self, titles: Sequence[tuple[str, str]]) -> None:
        console = Console(file=sys.stderr)
        self._titles = dict(titles)
        self._lock = threading.Lock()
        self._steps: dict[str, str] = {}
        self._progress: Progress | None = None
        self._tasks: dict[str, TaskID] = {}
        if console.is_terminal:
            columns = TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[step]}")
            self._progress = Progress(*columns, TimeElapsedColumn(), console=console)

    def __enter__(self) -> Self:
        if self._progress:
            self._progress.start()
            for port, title in self._titles.items():
                self._tasks[port] = self._progress.add_task(title, total=1, step="waiting")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._progress:
            self._progress.stop()

    def of(self, port: str) -> Callable[[str, int, int], None]:
        """Return what shows the steps of one board: (step, done, total)."""

        def tell(step: str, done: int, total: int) -> None:
            if self._progress:
                self._progress.update(self._tasks[port], step=step, completed=done, total=total)
            else:
                self._line(port, step)

        return tell

    def _line(self, port: str, step: str) -> None:
        with self._lock:
            if self._steps.get(port) != step:
                self._steps[port] = step
                print(f"{self._titles[port]}: {step}", file=sys.stderr, flush=True)
