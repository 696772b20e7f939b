"""AES of one block, by what the interpreter has."""

from firmware.node.ccm import aes_ecb

try:
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
except ImportError:
    Cipher = None


def aes_of(key):
    """Return the function that encrypts 16 bytes under key."""
    if Cipher is None:
        return aes_ecb(key)
    cipher = Cipher(algorithms.AES(key), modes.ECB())

    def encrypt(block):
        return cipher.encryptor().update(block)

    return encrypt
