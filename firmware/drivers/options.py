"""What a configuration may say: numbers come from people, and a fraction would travel on as a float."""


def whole(name: str, value, least: int, most: int = 1 << 30) -> int:
    """Return value. Raises ValueError when it is not a whole number from least to most."""
    if not isinstance(value, int) or not least <= value <= most:
        raise ValueError("%s: %r is not a whole number from %d to %d" % (name, value, least, most))
    return value
