"""What a call complains about, without pytest, which MicroPython does not have."""


def error_of(call):
    """Return the text of the ValueError that call raises; None when it raises none."""
    try:
        call()
    except ValueError as error:
        return str(error)
    return None
