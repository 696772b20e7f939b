"""Sensors of a node, one part a file. All keep one contract.

METRICS: ids of shared_schema.metrics, of the class or, where the caller chooses, of the instance.
start(): prepares; a part that does not answer yet is no error, read() tries again.
async read(): one integer per metric, in METRICS' order, scaled by 10**decimals; None for a value that could
not be had. It raises nothing for what a sensor or a wire does, takes a bounded time that the class states,
and waits by awaiting.

Hardware comes in through the constructor, as the objects of MicroPython's machine; no module imports machine.
Arithmetic is in integers: the floats of most boards have 24 bits, fewer than many of these values.
"""
