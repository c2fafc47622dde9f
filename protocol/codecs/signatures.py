"""The signature types of ANS-104: their sizes, names and rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from cryptography.exceptions import InvalidSignature as BadSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa

from protocol.codecs.ethereum import check_ethereum
from protocol.commitment import RSA_PSS_SHA256, RSA_PSS_SHA512
from protocol.errors import UnsupportedSignature
from protocol.wallet import EXPONENT, OWNER_BYTES

RSA, ED25519, ETHEREUM = 1, 2, 3
_DIGESTS: Mapping[str, hashes.HashAlgorithm] = MappingProxyType(
    {RSA_PSS_SHA256: hashes.SHA256(), RSA_PSS_SHA512: hashes.SHA512()}
)
_ANY_SALT = {
    scheme: padding.PSS(mgf=padding.MGF1(digest), salt_length=padding.PSS.AUTO)
    for scheme, digest in _DIGESTS.items()
}
_ANY_SALT_512 = padding.PSS(mgf=padding.MGF1(hashes.SHA512()), salt_length=padding.PSS.AUTO)
_NAMED = {4: "Solana", 5: "injected Aptos", 6: "multi-signature Aptos", 7: "typed Ethereum"}


@dataclass(frozen=True, slots=True)
class SignatureType:
    """One signature type.

    Attributes:
        number: on the wire, and in decimal in what is signed.
        name: as commitments name it.
        signature_bytes, owner_bytes: sizes on the wire.
        check: raises `BadSignature` or `ValueError` unless owner signed the 48 bytes.
    """

    number: int
    name: str
    signature_bytes: int
    owner_bytes: int
    check: Callable[[bytes, bytes, bytes], None]

    def verify(self, owner: bytes, data: bytes, signature: bytes) -> bool:
        """Tell whether `owner` signed `data` (the 48-byte deep hash)."""
        try:
            self.check(owner, data, signature)
        except (BadSignature, ValueError):
            return False
        return True


def signature_type(number: int) -> SignatureType:
    """Return the signature type with this number.

    Raises:
        UnsupportedSignature: it is none that this project verifies.
    """
    try:
        return SIGNATURE_TYPES[number]
    except KeyError:
        name = f" ({_NAMED[number]})" if number in _NAMED else ""
        raise UnsupportedSignature(f"signature type {number}{name} is not supported") from None


def rsa_key(owner: bytes) -> rsa.RSAPublicKey:
    """Return the public key whose 512-byte modulus is `owner`.

    Raises:
        ValueError: it is no RSA key.
    """
    return rsa.RSAPublicNumbers(EXPONENT, int.from_bytes(owner, "big")).public_key()


def check_rsa(
    key: rsa.RSAPublicKey, data: bytes, signature: bytes, scheme: str = RSA_PSS_SHA256
) -> None:
    """Insist that `key` signed `data` by `scheme`, with a salt of any length.

    Clients salt with the maximum, HyperBEAM with as many bytes as the digest has.

    Raises:
        cryptography.exceptions.InvalidSignature: it did not.
        ValueError: there is no such scheme.
    """
    digest = _DIGESTS.get(scheme)
    if digest is None:
        raise ValueError(f"{scheme!r} is no RSA signature scheme")
    key.verify(signature, data, _ANY_SALT[scheme], digest)


def verify_rsa_sha512(owner: bytes, data: bytes, signature: bytes) -> bool:
    """Tell whether the RSA-4096 key `owner` signed `data` as HTTP signatures are (SHA-512).

    ANS-104 has no such type: its RSA signatures are over SHA-256.
    """
    if len(owner) != OWNER_BYTES:
        return False
    try:
        rsa_key(owner).verify(signature, data, _ANY_SALT_512, hashes.SHA512())
    except (BadSignature, ValueError):
        return False
    return True


def _check_rsa(owner: bytes, data: bytes, signature: bytes) -> None:
    check_rsa(rsa_key(owner), data, signature)


def _check_ed25519(owner: bytes, data: bytes, signature: bytes) -> None:
    ed25519.Ed25519PublicKey.from_public_bytes(owner).verify(signature, data)


SIGNATURE_TYPES: Mapping[int, SignatureType] = MappingProxyType(
    {
        RSA: SignatureType(RSA, "rsa-pss-sha256", 512, 512, _check_rsa),
        ED25519: SignatureType(ED25519, "ed25519", 64, 32, _check_ed25519),
        ETHEREUM: SignatureType(ETHEREUM, "ethereum", 65, 65, check_ethereum),
    }
)
