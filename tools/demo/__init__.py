"""The demo: bus, hub and cloud on one machine, faults on a timetable, and a verdict from the cloud."""
