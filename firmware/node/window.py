"""How the samples of a window become one row: each metric by its own aggregate, in integers."""

from shared_schema.enums import Quality

_LATEST = ("last", "total")


class Window:
    """Collects samples of one kind. Values are integers scaled by 10**decimals, None where there is none."""

    def __init__(self, kind) -> None:
        self.kind = kind
        self._aggregates = [metric.aggregate for metric in kind.fields]
        self._counts = [0] * len(kind.fields)
        self._values = [0] * len(kind.fields)
        self.samples = 0
        self.quality = Quality.GOOD

    def add(self, values, quality: int = Quality.GOOD) -> None:
        """Take one sample: a sequence in the order of the kind's fields."""
        self.samples += 1
        self.quality = max(self.quality, quality)
        for index in range(len(values)):
            if values[index] is not None:
                self._fold(index, values[index])

    def _fold(self, index: int, value: int) -> None:
        how, count, so_far = self._aggregates[index], self._counts[index], self._values[index]
        self._counts[index] = count + 1
        if count == 0 or how in _LATEST:
            self._values[index] = value
        elif how == "min":
            self._values[index] = min(so_far, value)
        elif how == "max":
            self._values[index] = max(so_far, value)
        else:
            self._values[index] = so_far + value

    def take(self):
        """Return (values, quality) of what was collected and begin anew; None when there were no values."""
        if not any(self._counts):
            self._clear()
            return None
        values = tuple([self._result(index) for index in range(len(self._counts))])
        quality = self.quality
        self._clear()
        return values, quality

    def _result(self, index: int):
        count = self._counts[index]
        if count == 0:
            return None
        if self._aggregates[index] == "mean":
            return (2 * self._values[index] + count) // (2 * count)  # rounded half up
        return self._values[index]

    def _clear(self) -> None:
        for index in range(len(self._counts)):
            self._counts[index] = 0
            self._values[index] = 0
        self.samples = 0
        self.quality = Quality.GOOD
