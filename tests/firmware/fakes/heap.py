"""MicroPython's lock on the heap: what allocates while it is held raises MemoryError."""

try:
    from micropython import heap_lock, heap_unlock
except ImportError:  # CPython allocates as it likes

    def heap_lock():
        """Nothing to lock."""

    heap_unlock = heap_lock


def without_heap(call, argument):
    """Return what call returns for its one argument (more would be a tuple), made without allocating."""
    heap_lock()
    try:
        return call(argument)
    finally:
        heap_unlock()
