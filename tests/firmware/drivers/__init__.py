"""Every driver against the hardware it was written for, simulated."""
