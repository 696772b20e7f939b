"""How a benchmark measures and says what it found: medians, pairs and the table. The work is elsewhere."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median


@dataclass(frozen=True, slots=True)
class Row:
    """One measured figure.

    goal: the bound as people read it, such as ">= 0.97"; empty when the figure is only for orientation.
    is_met: None when there is no bound, or when the scale was too small to judge by.
    """

    label: str
    value: float
    unit: str
    goal: str = ""
    is_met: bool | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one benchmark found."""

    name: str
    rows: list[Row] = field(default_factory=list)

    @property
    def is_met(self) -> bool:
        """True unless a row missed its goal."""
        return all(row.is_met is not False for row in self.rows)


def at_least(label: str, value: float, unit: str, bound: float) -> Row:
    """Return a row whose goal is a lower bound."""
    return Row(label, value, unit, f">= {bound:g}", value >= bound)


def at_most(label: str, value: float, unit: str, bound: float) -> Row:
    """Return a row whose goal is an upper bound."""
    return Row(label, value, unit, f"<= {bound:g}", value <= bound)


def median_of(rounds: int, measure: Callable[[], float]) -> float:
    """Return the median of so many measurements."""
    _require_rounds(rounds)
    return median(measure() for _ in range(rounds))


def paired(
    rounds: int, ours: Callable[[], float], reference: Callable[[], float]
) -> tuple[float, float, float]:
    """Measure both in turn, A B A B, and return the median of ours, of the reference and of their ratio.

    The ratio is taken within each round, so a machine that slows down half-way slows both.
    """
    _require_rounds(rounds)
    pairs = [(ours(), reference()) for _ in range(rounds)]
    return (
        median(mine for mine, _ in pairs),
        median(other for _, other in pairs),
        median(mine / other for mine, other in pairs),
    )


def table(outcomes: Sequence[Outcome]) -> str:
    """Return the outcomes as a Markdown table, one line per row."""
    cells = [("benchmark", "figure", "value", "goal", "met")]
    for outcome in outcomes:
        cells += [
            (outcome.name, row.label, f"{_short(row.value)} {row.unit}".rstrip(), row.goal, _word(row))
            for row in outcome.rows
        ]
    widths = [max(len(line[column]) for line in cells) for column in range(5)]
    lines = [_line(line, widths) for line in cells]
    lines.insert(1, "|".join(["", *("-" * (width + 2) for width in widths), ""]))
    return "\n".join(lines)


def to_json(outcomes: Sequence[Outcome]) -> str:
    """Return the outcomes as a JSON document: {"benchmarks": [{name, is_met, rows: [...]}, ...]}."""
    found = [asdict(outcome) | {"is_met": outcome.is_met} for outcome in outcomes]
    return json.dumps({"benchmarks": found}, indent=2)


def _require_rounds(rounds: int) -> None:
    if rounds < 1:
        raise ValueError(f"rounds is {rounds}; at least one measurement is needed")


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |"


def _word(row: Row) -> str:
    return {True: "yes", False: "NO", None: ""}[row.is_met]


def _short(value: float) -> str:
    """Return three significant digits, whole numbers with their thousands apart."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"
