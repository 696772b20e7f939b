"""Free text that ends in a row: one line, printable, of bounded length."""

from shared_schema.limits import TEXT_LENGTH

CUT_MARK = "…"


def clean_text(text: str, limit: int = TEXT_LENGTH) -> str:
    """Return text as one line of at most limit characters; cut text ends in CUT_MARK.

    What does not print becomes a space, and runs of spaces one.
    """
    line = " ".join("".join([mark if _is_printed(ord(mark)) else " " for mark in text]).split())
    return line if len(line) <= limit else line[: limit - 1] + CUT_MARK


def _is_printed(code: int) -> bool:
    if code < 0x20 or 0x7F <= code < 0xA0:  # control characters; Postgres refuses NUL in text
        return False
    if 0xD800 <= code < 0xE000:  # half of a surrogate pair has no UTF-8
        return False
    # Line separators, and marks that turn the writing direction: they make a log line show something else.
    return not (0x2028 <= code <= 0x202E or 0x2066 <= code <= 0x2069)
