"""The site key: 32 bytes that make a hub one of this site. Nodes' keys follow from it (shared_schema.digest).

In its file the key is 64 hexadecimal digits, so that a person can bring it to the site's next hub.
"""

SITE_KEY_FILE = "site.key"
SITE_KEY_BYTES = 32


def format_site_key(key: bytes) -> str:
    """Return what the file holds."""
    return key.hex() + "\n"


def parse_site_key(text: str) -> bytes:
    """Return the key in a file's content. Raises ValueError, without a word of the content."""
    try:
        key = bytes.fromhex(text.strip())
    except ValueError:
        key = b""
    if len(key) != SITE_KEY_BYTES:
        raise ValueError(f"is not a key of {2 * SITE_KEY_BYTES} hexadecimal digits")
    return key
