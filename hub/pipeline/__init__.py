"""From samples to readings: calibration, range policy, quality, windows, dead-band."""
