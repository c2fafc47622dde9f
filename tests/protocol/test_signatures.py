"""The signature types: what verifies, and what must not."""

from __future__ import annotations

import pytest
from coincurve import PrivateKey
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa
from hypothesis import given
from hypothesis import strategies as st

from protocol.codecs.deephash import deep_hash, fold, list_seed
from protocol.codecs.ethereum import ORDER, PREFIX, keccak256
from protocol.codecs.signatures import ED25519, ETHEREUM, RSA, SIGNATURE_TYPES, signature_type
from protocol.errors import UnsupportedSignature
from protocol.wallet import KEY_BITS, OWNER_BYTES, Wallet

DATA = deep_hash([b"what", b"is", b"signed"])
ETHEREUM_KEY = PrivateKey(b"\7" * 32)
ETHEREUM_OWNER = ETHEREUM_KEY.public_key.format(compressed=False)


@pytest.mark.parametrize("salt", [0, 20, 32, padding.PSS.MAX_LENGTH])
def test_rsa_takes_any_salt(salt: int) -> None:
    """Clients salt with what fits, HyperBEAM with 32 bytes: all of it verifies."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS // 2)  # quick to make
    pss = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=salt)
    signature = key.sign(DATA, pss, hashes.SHA256())
    owner = key.public_key().public_numbers().n.to_bytes(OWNER_BYTES, "big")
    assert signature_type(RSA).verify(owner, DATA, signature)
    assert not signature_type(RSA).verify(owner, DATA + b"x", signature)


def test_rsa_signatures_have_one_form(user_wallet: Wallet) -> None:
    """Adding the modulus to a signature keeps its value but is refused: one message, one ID."""
    modulus = int.from_bytes(user_wallet.owner, "big")
    while True:
        signature = user_wallet.sign(DATA)
        mirrored = int.from_bytes(signature, "big") + modulus
        if mirrored.bit_length() <= KEY_BITS:
            break
    verify = signature_type(RSA).verify
    assert verify(user_wallet.owner, DATA, signature)
    assert not verify(user_wallet.owner, DATA, mirrored.to_bytes(OWNER_BYTES, "big"))


def test_ed25519_signs_the_deep_hash_itself() -> None:
    """Type 2 is over the raw 48 bytes."""
    key = ed25519.Ed25519PrivateKey.generate()
    owner, signature = key.public_key().public_bytes_raw(), key.sign(DATA)
    verify = signature_type(ED25519).verify
    assert verify(owner, DATA, signature)
    assert not verify(owner, DATA, signature[:-1] + b"\xff")
    assert not verify(owner, DATA + b"x", signature)


@pytest.mark.parametrize("number", range(8))
def test_an_ethereum_signature_has_one_form(number: int) -> None:
    """Of a signature's four readings (s or n - s, v or the other v) exactly one verifies."""
    data = DATA + bytes((number,))
    signature = ethereum_signature(data)
    r, s, v = signature[:32], int.from_bytes(signature[32:64], "big"), signature[64]
    other = 55 - v
    assert verifies(data, signature)
    assert not verifies(data, r + s.to_bytes(32, "big") + bytes((other,)))
    assert not verifies(data, r + (ORDER - s).to_bytes(32, "big") + bytes((v,)))
    assert not verifies(data, r + (ORDER - s).to_bytes(32, "big") + bytes((other,)))
    assert not any(verifies(data, signature[:64] + bytes((x,))) for x in range(256) if x != v)
    assert not verifies(data + b"x", signature)


def test_keccak_is_the_one_before_the_standard() -> None:
    """The empty digest is Ethereum's, not SHA3-256's."""
    digest = "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
    assert keccak256(b"").hex() == digest


@given(st.sampled_from(sorted(SIGNATURE_TYPES)), st.data())
def test_noise_does_not_verify_and_does_not_raise(number: int, data: st.DataObject) -> None:
    """Owner and signature are a stranger's bytes: whatever they are, the answer is no."""
    kind = signature_type(number)
    owner = data.draw(st.binary(min_size=kind.owner_bytes, max_size=kind.owner_bytes))
    signature = data.draw(st.binary(min_size=kind.signature_bytes, max_size=kind.signature_bytes))
    assert kind.verify(owner, DATA, signature) is False


@pytest.mark.parametrize("modulus", [0, 1, 2, 3, 65537, 2**1023 + 1, 2**4096 - 2, 2**4096 - 1])
def test_a_nonsense_modulus_does_not_verify(modulus: int) -> None:
    """A key that is no key at all is a signature that does not verify."""
    owner = modulus.to_bytes(OWNER_BYTES, "big")
    for signature in (bytes(OWNER_BYTES), b"\0" * (OWNER_BYTES - 1) + b"\1"):
        assert signature_type(RSA).verify(owner, DATA, signature) is False


@pytest.mark.parametrize("point", [b"\0" * 65, b"\4" + b"\0" * 64, b"\4" + b"\xff" * 64])
def test_a_nonsense_point_does_not_verify(point: bytes) -> None:
    """Neither is an Ethereum key that is no point of the curve."""
    assert signature_type(ETHEREUM).verify(point, DATA, ethereum_signature(DATA)) is False
    assert signature_type(ETHEREUM).verify(point, DATA, bytes(65)) is False


@pytest.mark.parametrize("v", [27, 28])
@pytest.mark.parametrize("r", [0, ORDER - 1, ORDER, 2**256 - 1])
def test_a_signature_off_the_curve_does_not_verify(r: int, v: int) -> None:
    """A signature from which no key can be recovered is nobody's."""
    assert not verifies(DATA, r.to_bytes(32, "big") + (1).to_bytes(32, "big") + bytes((v,)))


def test_other_types_are_refused_by_name() -> None:
    """Known types that are not built are named, others have their number."""
    with pytest.raises(UnsupportedSignature, match="typed Ethereum"):
        signature_type(7)
    with pytest.raises(UnsupportedSignature, match="99"):
        signature_type(99)


def test_a_kept_prefix_gives_the_same_hash() -> None:
    """Folding a list in two steps is folding it in one: constant beginnings can be kept."""
    blobs = [b"dataitem", b"1", b"1", b"owner", b"", b"", b"tags", b"data"]
    assert fold(fold(list_seed(8), *blobs[:6]), *blobs[6:]) == deep_hash(blobs)
    assert deep_hash(blobs) != deep_hash(blobs[:-1])


def ethereum_signature(data: bytes) -> bytes:
    signature = ETHEREUM_KEY.sign_recoverable(keccak256(PREFIX + data), hasher=None)
    return signature[:64] + bytes((signature[64] + 27,))


def verifies(data: bytes, signature: bytes) -> bool:
    return signature_type(ETHEREUM).verify(ETHEREUM_OWNER, data, signature)
