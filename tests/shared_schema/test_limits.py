"""Runs in MicroPython, too: plain functions and plain asserts."""

from shared_schema import limits


def bounds():
    return [getattr(limits, name) for name in dir(limits) if name.upper() == name and name[0] != "_"]


def test_bounds_are_positive_whole_numbers():
    assert bounds()
    for bound in bounds():
        assert isinstance(bound, int)
        assert bound > 0


def test_a_token_is_renewed_before_it_expires_with_time_to_retry():
    assert limits.DEVICE_TOKEN_S - limits.DEVICE_TOKEN_RENEW_S >= 600


def test_a_device_counts_as_offline_long_before_its_data_is_too_old_to_send():
    assert limits.OFFLINE_S * 1000 < limits.RETENTION_MS
