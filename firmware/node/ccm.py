"""AES-CCM out of plain AES: MicroPython's cryptolib has no authenticated mode.

Source: RFC 3610 with L = 2 (nonces of 13 bytes), M = 4 and no additional data, as BTHome uses it.
"""

BLOCK_BYTES = 16
NONCE_BYTES = 13
MIC_BYTES = 4
_AUTHENTICATE = 0x09  # (M - 2) / 2 in bits 3..5, L - 1 in bits 0..2
_ENCRYPT = 0x01


def aes_ecb(key: bytes):
    """Return the function that encrypts one block of 16 bytes under key, by MicroPython's cryptolib."""
    from cryptolib import aes  # noqa: PLC0415 - there is none in CPython, where tests bring another

    return aes(key, 1).encrypt


def seal(encrypt_block, nonce: bytes, text: bytes):
    """Return text encrypted, and its MIC. A nonce must never come twice under one key."""
    state = encrypt_block(_block(_AUTHENTICATE, nonce, len(text)))
    sealed = bytearray(len(text))
    for start in range(0, len(text), BLOCK_BYTES):
        part = text[start : start + BLOCK_BYTES]
        state = encrypt_block(_xor(state, part) + bytes(state[len(part) :]))
        stream = encrypt_block(_block(_ENCRYPT, nonce, start // BLOCK_BYTES + 1))
        sealed[start : start + len(part)] = _xor(stream, part)
    return bytes(sealed), _xor(encrypt_block(_block(_ENCRYPT, nonce, 0)), state[:MIC_BYTES])


def _block(flags: int, nonce: bytes, number: int) -> bytes:
    return bytes((flags,)) + nonce + bytes((number >> 8, number & 0xFF))


def _xor(longer: bytes, shorter: bytes) -> bytes:
    """Return both combined, as long as the second."""
    return bytes([longer[index] ^ shorter[index] for index in range(len(shorter))])
