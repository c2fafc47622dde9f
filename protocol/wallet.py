"""Arweave wallets: RSA-4096 keys as JWK files."""

from __future__ import annotations

import json
import os
import shlex
import stat
from base64 import urlsafe_b64decode, urlsafe_b64encode
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature as BadSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from protocol.errors import WalletError
from protocol.ids import Id, digest_id

KEY_BITS = 4096
OWNER_BYTES = KEY_BITS // 8
EXPONENT = 65537
SALT_BYTES = 32
"""Salt of our PSS signatures: the digest's length, as HyperBEAM signs."""
_NO_KEY = f"not an RSA-{KEY_BITS} private key with exponent {EXPONENT}"
_DISCORD = "the wallet's key parts do not belong together"
_PRIVATE = ("d", "p", "q", "dp", "dq", "qi")
_SIGN = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=SALT_BYTES)
_SIGN_512 = padding.PSS(mgf=padding.MGF1(hashes.SHA512()), salt_length=2 * SALT_BYTES)
_SCHEMES: dict[str, tuple[padding.PSS, hashes.HashAlgorithm]] = {
    "rsa-pss-sha256": (_SIGN, hashes.SHA256()),
    "rsa-pss-sha512": (_SIGN_512, hashes.SHA512()),
}


class Wallet:
    """A signing key and the address it is known by.

    A wallet never shows its secret: not in `repr`, not in an error. It can be pickled into
    a spawned program, which is the one way the secret leaves this object.
    """

    __slots__ = ("_jwk", "_key", "address", "owner")

    def __init__(self, jwk: dict[str, str]) -> None:
        """Take a JWK as parsed from JSON.

        Raises:
            WalletError: it is no RSA-4096 private key with exponent 65537, or its parts do
                not belong together.
        """
        key = _private_key(jwk)
        if isinstance(key, str):
            # Whoever reports an error may show its frames: no secret stays in this one.
            del jwk
            raise WalletError(key)
        self._jwk = {name: jwk[name] for name in ("n", "e", *_PRIVATE)}
        self._key = key
        self.owner: bytes = _unsigned(jwk["n"]).to_bytes(OWNER_BYTES, "big")
        self.address: Id = digest_id(self.owner)

    @classmethod
    def generate(cls) -> Wallet:
        """Make a new RSA-4096 key; takes a second or a few."""
        key = rsa.generate_private_key(public_exponent=EXPONENT, key_size=KEY_BITS)
        numbers = key.private_numbers()
        public = numbers.public_numbers
        factors = (numbers.p, numbers.q, numbers.dmp1, numbers.dmq1, numbers.iqmp)
        values = (public.n, public.e, numbers.d, *factors)
        names = ("n", "e", *_PRIVATE)
        return cls({name: _base64(value) for name, value in zip(names, values, strict=True)})

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Wallet:
        """Read a JWK file that only its owner can read.

        Raises:
            WalletError: there is no such file, it is not a regular file, others may read
                it (the error names the chmod to run), or it holds no usable key.
        """
        return cls(_load(Path(path)))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the JWK to a new file, readable by its owner only from the start.

        Raises:
            WalletError: the file exists, or cannot be written.
        """
        file = Path(path)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        try:
            descriptor = os.open(file, flags, 0o600)
        except OSError as exc:
            raise WalletError(f"cannot write wallet {file}: {exc.strerror}") from None
        if fault := self._write(descriptor, file.parent):
            # Half a key is worth nothing, and would stand in the way of the next attempt.
            file.unlink(missing_ok=True)
            raise WalletError(f"cannot write wallet {file}: {fault}")

    def sign(self, data: bytes, scheme: str = "rsa-pss-sha256") -> bytes:
        """Return the 512-byte RSA-PSS signature over `data`.

        Args:
            data: what is signed.
            scheme: ``rsa-pss-sha256`` (ANS-104) or ``rsa-pss-sha512`` (HTTP signatures);
                the salt is as long as the digest.
        """
        return self._key.sign(data, *_SCHEMES[scheme])

    def verify(self, signature: bytes, data: bytes) -> bool:
        """Tell whether `signature` is this wallet's over `data`."""
        return _verifies(self._key, signature, data)

    def _write(self, descriptor: int, folder: Path) -> str | None:
        # Returns what went wrong: the frames of an error raised here would hold the key.
        try:
            with open(descriptor, "w", encoding="ascii") as opened:
                json.dump({"kty": "RSA", **self._jwk}, opened)
                opened.flush()
                os.fsync(opened.fileno())
            _sync_folder(folder)
        except OSError as exc:
            return exc.strerror
        return None

    def __repr__(self) -> str:
        # An error that is raised while it is made may be shown with it.
        return f"<Wallet {getattr(self, 'address', 'without a key')}>"

    def __reduce__(self) -> tuple[type[Wallet], tuple[dict[str, str]]]:
        return Wallet, (self._jwk,)


def _private_key(jwk: dict[str, str]) -> rsa.RSAPrivateKey | str:
    # The key, or why there is none. A fault is returned and not raised: the frames and the
    # context of an error raised among these numbers would hold them.
    try:
        n, e, d, p, q, dp, dq, qi = (_unsigned(jwk[name]) for name in ("n", "e", *_PRIVATE))
        if n.bit_length() != KEY_BITS or e != EXPONENT:
            return _NO_KEY
        if fault := _discord(n, e, d, p, q, dp, dq, qi):
            return fault
        numbers = rsa.RSAPrivateNumbers(p, q, d, dp, dq, qi, rsa.RSAPublicNumbers(e, n))
        key = numbers.private_key(unsafe_skip_rsa_key_validation=True)
    except (KeyError, ValueError, TypeError):
        return _NO_KEY
    return key if _proven(key) else _DISCORD


def _discord(n: int, e: int, d: int, p: int, q: int, dp: int, dq: int, qi: int) -> str | None:
    # With a damaged dp, dq or qi OpenSSL still signs, but four times as slowly (RFC 8017, 3.2).
    factors = p * q == n and 1 not in (p, q)
    if not factors or (dp, dq) != (d % (p - 1), d % (q - 1)) or qi * q % p != 1:
        return _DISCORD
    if dp * e % (p - 1) != 1 or dq * e % (q - 1) != 1:
        return "the wallet's private key does not fit its public key"
    return None


def _proven(key: rsa.RSAPrivateKey) -> bool:
    # Loading skips OpenSSL's primality checks (250 ms): the file is the operator's own,
    # and a key whose signature verifies is the key its address names.
    probe = b"ao-scheduler wallet check"
    try:
        return _verifies(key, key.sign(probe, _SIGN, hashes.SHA256()), probe)
    except ValueError:
        return False


def _verifies(key: rsa.RSAPrivateKey, signature: bytes, data: bytes) -> bool:
    try:
        key.public_key().verify(signature, data, _SIGN, hashes.SHA256())
    except BadSignature:
        return False
    return True


def _load(file: Path) -> dict[str, str]:
    try:
        content = _read_private(file)
    except OSError as exc:
        raise WalletError(f"cannot read wallet {file}: {exc.strerror}") from None
    found, fault = _parsed(content)
    if fault:
        del content, found
        raise WalletError(f"wallet {file} is {fault}")
    return found


def _parsed(content: bytes) -> tuple[dict[str, str], str | None]:
    # The decoder's error quotes the whole file, so it ends here.
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return {}, "not JSON"
    return (found, None) if isinstance(found, dict) else ({}, "not a JWK object")


def _read_private(file: Path) -> bytes:
    # Without O_NONBLOCK, opening a pipe would wait for somebody to write into it.
    descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        _require_private(os.fstat(descriptor), file)
        with open(descriptor, "rb", closefd=False) as opened:
            return opened.read()
    finally:
        os.close(descriptor)


def _require_private(status: os.stat_result, file: Path) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise WalletError(f"wallet {file} is not a regular file")
    if stat.S_IMODE(status.st_mode) & 0o077:
        command = f"chmod 600 {shlex.quote(str(file))}"
        raise WalletError(f"wallet {file} can be read by others: run {command}")


def _sync_folder(folder: Path) -> None:
    # A process outlives a power cut only together with the key that it names.
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _unsigned(value: Any) -> int:
    if not isinstance(value, str):
        raise TypeError("a JWK number is base64url text")
    return int.from_bytes(urlsafe_b64decode(value + "=" * (-len(value) % 4)), "big")


def _base64(value: int) -> str:
    raw = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")
