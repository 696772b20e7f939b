import pytest

from hub.system.temperature import from_sensors, from_vcgencmd


@pytest.mark.parametrize(
    ("answer", "celsius"),
    [
        ("temp=48.3'C\n", 48.3),
        ("temp=51'C", 51.0),
        ("temp=-12.5'C\n", -12.5),
        ("VCHI initialization failed\n", None),
        ("", None),
        ("temp=0.0'C", None),
        ("temp=255.0'C", None),
    ],
)
def test_reads_the_answer_of_vcgencmd(answer: str, celsius: float | None) -> None:
    assert from_vcgencmd(answer) == celsius


@pytest.mark.parametrize(
    ("sensors", "celsius"),
    [
        ({"cpu_thermal": [48.3]}, 48.3),
        ({"coretemp": [40.0, 55.0, 47.0]}, 55.0),
        ({"nvme": [70.0], "acpitz": [27.8], "coretemp": [51.0]}, 51.0),
        ({"cpu_thermal": [0.0], "acpitz": [27.8]}, 27.8),
        ({"nvme": [70.0]}, None),
        ({"coretemp": []}, None),
        ({}, None),
    ],
)
def test_takes_the_processor_among_the_sensors(
    sensors: dict[str, list[float]], celsius: float | None
) -> None:
    assert from_sensors(sensors) == celsius
