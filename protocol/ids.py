"""32-byte identifiers and their 43-character text form."""

from __future__ import annotations

import hashlib
from binascii import Error as Base64Error
from binascii import a2b_base64, b2a_base64
from collections.abc import Iterable
from typing import Self

from protocol.errors import InvalidId

ID_BYTES = 32
ID_CHARACTERS = 43
_MODULUS = 1 << (8 * ID_BYTES)
_TO_STANDARD = bytes.maketrans(b"-_+/", b"+/\xff\xff")
"""From base64url's alphabet; the standard one's own two characters become none at all."""
_FROM_STANDARD = bytes.maketrans(b"+/", b"-_")


class Id(bytes):
    """Identify a message, a process, an assignment or a wallet: 32 raw bytes.

    ``str()`` gives the 43-character base64url form without padding. An `Id` is its raw
    bytes, so it is a storage key and a msgpack value as it stands.

    Raises:
        InvalidId: the value is not exactly 32 bytes.
    """

    __slots__ = ()

    def __new__(cls, raw: bytes) -> Self:
        """Take the 32 raw bytes."""
        if len(raw) != ID_BYTES:
            raise InvalidId(f"an ID is {ID_BYTES} bytes, not {len(raw)}")
        return super().__new__(cls, raw)

    @classmethod
    def parse(cls, text: str | bytes) -> Self:
        """Read the 43-character form, strictly: it must re-encode to itself.

        Raises:
            InvalidId: any other length, alphabet, padding or trailing bits.
        """
        try:
            ascii_text = text.encode("ascii") if isinstance(text, str) else text
            raw = a2b_base64(ascii_text.translate(_TO_STANDARD) + b"=", strict_mode=True)
            identifier = cls(raw)
        except (Base64Error, UnicodeEncodeError, InvalidId):
            raise InvalidId(f"not a {ID_CHARACTERS}-character base64url ID") from None
        if identifier.ascii != ascii_text:
            raise InvalidId("the ID's last character carries bits that are not part of the ID")
        return identifier

    @property
    def ascii(self) -> bytes:
        """The 43-character form as ASCII bytes."""
        return b2a_base64(self, newline=False).translate(_FROM_STANDARD)[:ID_CHARACTERS]

    def __str__(self) -> str:
        return self.ascii.decode("ascii")

    def __repr__(self) -> str:
        return f"Id({str(self)!r})"

    def __reduce__(self) -> tuple[type[Self], tuple[bytes]]:
        return type(self), (bytes(self),)


def digest_id(content: bytes) -> Id:
    """The ID that names `content`: its SHA-256 (of a signature, or of a public key)."""
    return Id(hashlib.sha256(content).digest())


def combine(ids: Iterable[Id]) -> Id:
    """The ID of something with several commitments: the sum of their IDs modulo 2^256.

    Source: HyperBEAM's `id(all)`; the IDs are big-endian integers, one ID stays itself.
    """
    several = tuple(ids)
    if len(several) == 1:
        return several[0]
    total = sum(int.from_bytes(identifier, "big") for identifier in several) % _MODULUS
    return Id(total.to_bytes(ID_BYTES, "big"))
