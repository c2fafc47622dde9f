"""One signature over a message or an assignment, whatever codec carries it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from protocol.ids import Id

ANS104 = "ans104@1.0"
HTTPSIG = "httpsig@1.0"
RSA_PSS_SHA256 = "rsa-pss-sha256"
RSA_PSS_SHA512 = "rsa-pss-sha512"

RSA_SCHEMES: Mapping[str, str] = MappingProxyType({ANS104: RSA_PSS_SHA256, HTTPSIG: RSA_PSS_SHA512})
"""How an RSA wallet signs under each commitment device."""


@dataclass(frozen=True, slots=True)
class Commitment:
    """What one committer signed with.

    Attributes:
        id: SHA-256 of the signature.
        committer: address of the signing wallet, the SHA-256 of `owner`.
        device: commitment device, such as ``ans104@1.0``.
        type: signature scheme by HyperBEAM's name, such as ``rsa-pss-sha256``.
        owner: public key as the codec carries it (RSA-4096: the 512-byte modulus).
        signature: raw signature (RSA-4096: 512 bytes).
    """

    id: Id
    committer: Id
    device: str
    type: str
    owner: bytes = field(repr=False)
    signature: bytes = field(repr=False)
