"""The benchmark of the node link runs and counts; how fast is not judged here."""

from tools.bench import node_bytes
from tools.command.bench import NAMES


def test_bytes_are_counted_beside_json() -> None:
    outcome = node_bytes.run(0.01)
    assert outcome.name in NAMES
    assert outcome.is_met
    figures = {row.label: row.value for row in outcome.rows}
    assert 1 < figures["on the wire, frame, seal and ACK included"] <= 6
    assert 20 < figures["the same rows as JSON, without anything around it"] < 80
    assert all(value > 0 for value in figures.values())
