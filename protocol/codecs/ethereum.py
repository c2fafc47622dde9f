"""Ethereum signatures as wallets make them, in the one form that gives a message one ID."""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature as BadSignature

PREFIX = b"\x19Ethereum Signed Message:\n48"
"""What wallets put before a deep hash (EIP-191)."""

_EVEN, _ODD = 27, 28
"""The two values of `v`: whether the y of the signature's curve point is even or odd."""

ORDER = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141
"""How many points the curve secp256k1 has; s and `ORDER` - s are equally valid."""


def check_ethereum(owner: bytes, data: bytes, signature: bytes) -> None:
    """Check a recoverable secp256k1 signature over the prefixed deep hash.

    A message's ID is the hash of its signature, so whoever can rewrite a valid signature
    gives a signed message another ID. Both freedoms of the scheme are closed: s is in the
    lower half, and the key that v leads to must be the owner's.

    Args:
        owner: uncompressed public key, 65 bytes.
        data: deep hash, 48 bytes.
        signature: r (32), s (32) and v (1), 65 bytes.

    Raises:
        BadSignature: the owner did not sign this, or not in this form.
    """
    s, v = int.from_bytes(signature[32:64], "big"), signature[64]
    if s > ORDER // 2 or v not in (_EVEN, _ODD):
        raise BadSignature
    recoverable = signature[:64] + bytes((v - _EVEN,))
    if _recovered(recoverable, keccak256(PREFIX + data)) != owner:
        raise BadSignature


def keccak256(data: bytes) -> bytes:
    """Return the Keccak-256 digest, which is not SHA3-256."""
    # Imported here, like coincurve: only Ethereum needs them, and they are slow to load.
    from Crypto.Hash import keccak

    return keccak.new(digest_bits=256, data=data).digest()


def _recovered(signature: bytes, digest: bytes) -> bytes:
    from coincurve import PublicKey

    try:
        key = PublicKey.from_signature_and_message(signature, digest, hasher=None)
    except Exception as exc:  # libsecp256k1 reports a bare Exception for r beyond the curve
        raise BadSignature from exc
    return key.format(compressed=False)
