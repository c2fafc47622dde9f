"""The wallet: a key that is kept, checked and never shown."""

from __future__ import annotations

import json
import math
import os
import pickle
import resource
import stat
import traceback
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from protocol.errors import WalletError
from protocol.ids import digest_id
from protocol.wallet import Wallet
from tests.protocol.recorded import raw

PRIVATE = ("d", "p", "q", "dp", "dq", "qi")


@pytest.fixture
def file(tmp_path: Path, user_wallet: Wallet) -> Path:
    """A saved wallet."""
    path = tmp_path / "wallet.json"
    user_wallet.save(path)
    return path


def test_a_wallet_is_loaded_as_it_was_saved(file: Path, user_wallet: Wallet) -> None:
    """The file is a JWK that gives the same key and address."""
    loaded = Wallet.load(file)
    assert (loaded.owner, loaded.address) == (user_wallet.owner, user_wallet.address)
    assert user_wallet.verify(loaded.sign(b"data"), b"data")
    assert json.loads(file.read_text())["kty"] == "RSA"


def test_the_address_is_the_hash_of_the_modulus(user_wallet: Wallet) -> None:
    """An address is the SHA-256 of the 512-byte public key."""
    assert len(user_wallet.owner) == 512
    assert user_wallet.address == digest_id(user_wallet.owner)


def test_a_signature_is_over_these_bytes_by_this_key(wallet: Wallet, user_wallet: Wallet) -> None:
    """Other bytes and other keys do not verify, and neither does damage."""
    signature = user_wallet.sign(b"data")
    assert user_wallet.verify(signature, b"data")
    assert not user_wallet.verify(signature, b"date")
    assert not user_wallet.verify(signature[:-1] + b"\0\0", b"data")
    assert not wallet.verify(signature, b"data")


def test_signatures_are_salted_as_hyperbeam_does(user_wallet: Wallet) -> None:
    """The salt has 32 bytes, so that verifiers that insist on it take the signature."""
    numbers = rsa.RSAPublicNumbers(65537, int.from_bytes(user_wallet.owner, "big"))
    pss = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32)
    numbers.public_key().verify(user_wallet.sign(b"data"), b"data", pss, hashes.SHA256())


def test_the_file_is_private_from_the_start(tmp_path: Path, user_wallet: Wallet) -> None:
    """Even where new files are open to all, the wallet's file is its owner's only."""
    path = tmp_path / "wallet.json"
    before = os.umask(0)
    try:
        user_wallet.save(path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o620, 0o601, 0o777])
def test_a_file_open_to_others_is_refused(file: Path, mode: int) -> None:
    """The error says the command that closes it, and after that command it loads."""
    file.chmod(mode)
    with pytest.raises(WalletError) as refusal:
        Wallet.load(file)
    assert refusal.value.detail.endswith(f"run chmod 600 {file}")
    file.chmod(0o600)
    assert Wallet.load(file)


def test_the_command_can_be_pasted(tmp_path: Path, user_wallet: Wallet) -> None:
    """A path with a blank is quoted for the shell."""
    path = tmp_path / "my wallet.json"
    user_wallet.save(path)
    path.chmod(0o644)
    with pytest.raises(WalletError, match=rf"chmod 600 '{path}'"):
        Wallet.load(path)


def test_a_wallet_is_never_overwritten(file: Path, wallet: Wallet) -> None:
    """Saving where a file is fails and leaves it alone: a key is not replaced by accident."""
    before = file.read_bytes()
    with pytest.raises(WalletError, match="File exists"):
        wallet.save(file)
    assert file.read_bytes() == before


def test_half_a_wallet_does_not_stay(tmp_path: Path, wallet: Wallet) -> None:
    """A write that fails leaves no file, so that the next attempt is not refused."""
    with no_room(), pytest.raises(WalletError, match=r"cannot write wallet .*: File too large"):
        wallet.save(tmp_path / "wallet.json")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("place", ["missing/wallet.json", "link.json"])
def test_a_wallet_goes_into_a_new_file_only(tmp_path: Path, wallet: Wallet, place: str) -> None:
    """No folder is made for it, and it is not written through a link to somewhere else."""
    (tmp_path / "link.json").symlink_to("elsewhere.json")
    with pytest.raises(WalletError, match=r"No such file|File exists"):
        wallet.save(tmp_path / place)
    assert [path.name for path in tmp_path.iterdir()] == ["link.json"]


def test_a_link_to_a_wallet_is_as_private_as_the_wallet(file: Path, user_wallet: Wallet) -> None:
    """What a link leads to is read, and it is that file that must be closed to others."""
    link = file.with_name("link.json")
    link.symlink_to(file)
    assert Wallet.load(link).address == user_wallet.address
    file.chmod(0o640)
    with pytest.raises(WalletError, match="chmod 600"):
        Wallet.load(link)


@pytest.mark.parametrize("kind", ["missing", "folder", "pipe"])
def test_only_a_regular_file_is_a_wallet(tmp_path: Path, kind: str) -> None:
    """A missing file, a folder and a pipe are refused, and a pipe is not waited for."""
    path = tmp_path / kind
    if kind == "folder":
        path.mkdir(mode=0o700)
    if kind == "pipe":
        os.mkfifo(path, 0o600)
    with pytest.raises(WalletError, match=r"No such file|not a regular file"):
        Wallet.load(path)


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '"n"', "{}", "[" * 100_000, "\udc80", '{"n": 1}']
)
def test_a_file_that_is_no_jwk_is_refused(file: Path, content: str) -> None:
    """Whatever a file holds, the error names the file or what it should hold."""
    file.write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(WalletError, match=r"wallet\.json is not|not an RSA-4096 private key"):
        Wallet.load(file)


@pytest.mark.parametrize("name", ["n", "e", *PRIVATE])
@pytest.mark.parametrize("damage", ["missing", "wrong", "other", "number"])
def test_a_damaged_key_is_refused_and_not_shown(
    file: Path, wallet: Wallet, name: str, damage: str
) -> None:
    """Each part is needed and must fit the others; no part of the key is in the error."""
    key = json.loads(file.read_text())
    key[name] = {
        "missing": None,
        "wrong": flipped(key[name]),
        "other": wallet.__reduce__()[1][0][name],
        "number": 65537,
    }[damage]
    if (name, damage) == ("e", "other"):  # all wallets have the same one
        key[name] = "Aw"
    file.write_text(json.dumps(key))
    with pytest.raises(WalletError) as refusal:
        Wallet.load(file)
    shown = "".join(traceback.format_exception(refusal.value))
    assert not leaks(shown, file)
    assert not leaks(carried(refusal.value), file)


@pytest.mark.parametrize("damage", ["cut short", "in a list"])
def test_a_damaged_file_is_not_carried_by_its_error(file: Path, damage: str) -> None:
    """Neither the frames of the error nor what it came from hold what was read."""
    whole = file.with_name("whole.json")
    whole.write_text(file.read_text())
    file.write_text(f"[{whole.read_text()}]" if damage == "in a list" else whole.read_text()[:-1])
    with pytest.raises(WalletError) as refusal:
        Wallet.load(file)
    assert not leaks(carried(refusal.value), whole)


def test_a_failed_write_does_not_carry_the_key(tmp_path: Path, file: Path) -> None:
    """An error while saving holds nothing of what was to be written."""
    wallet = Wallet.load(file)
    with no_room(), pytest.raises(WalletError) as refusal:
        wallet.save(tmp_path / "full.json")
    assert not leaks(carried(refusal.value), file)


def test_a_smaller_key_is_refused() -> None:
    """Arweave knows RSA-4096 only."""
    numbers = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_numbers()
    with pytest.raises(WalletError, match="RSA-4096"):
        Wallet(jwk(numbers.p, numbers.q, numbers.d))


@pytest.mark.parametrize("period", ["p", "q", "neither"])
def test_an_exponent_that_undoes_nothing_is_refused(file: Path, period: str) -> None:
    """All parts may fit each other and still not the public key, for one factor or both."""
    p, q, d = (number(file, name) for name in ("p", "q", "d"))
    shift = {"p": p - 1, "q": q - 1, "neither": 2}[period]
    with pytest.raises(WalletError, match="does not fit its public key"):
        Wallet(jwk(p, q, d + shift))


def test_one_is_no_factor(file: Path) -> None:
    """A modulus that is its own factor is no key, and no division by zero."""
    key = json.loads(file.read_text())
    with pytest.raises(WalletError, match="do not belong together"):
        Wallet(key | {"p": text(1), "q": key["n"]})


def test_factors_that_are_no_primes_are_refused(file: Path) -> None:
    """Such a key passes every sum, but what it signs does not verify."""
    p, q = number(file, "p") - 2, number(file, "q")
    while math.gcd((p - 1) * (q - 1), 65537) != 1 or math.gcd(p, q) != 1:
        p -= 2
    with pytest.raises(WalletError, match="do not belong together"):
        Wallet(jwk(p, q, pow(65537, -1, math.lcm(p - 1, q - 1))))


def test_the_secret_is_never_shown(file: Path, user_wallet: Wallet) -> None:
    """Not by `repr`, not by `str`, not by formatting, not among the attributes it lists."""
    shown = f"{user_wallet} {user_wallet!r} {[user_wallet]} {user_wallet.address}"
    assert str(user_wallet.address) in repr(user_wallet)
    assert not leaks(shown, file)
    assert leaks(file.read_text(), file)
    assert not hasattr(user_wallet, "__dict__")


def test_a_wallet_travels_to_a_spawned_program(user_wallet: Wallet) -> None:
    """Pickling is the one way the key leaves the object, and it arrives whole."""
    arrived = pickle.loads(pickle.dumps(user_wallet))
    assert arrived.address == user_wallet.address
    assert user_wallet.verify(arrived.sign(b"data"), b"data")


@contextmanager
def no_room() -> Iterator[None]:
    """No file can grow beyond a few bytes, as if the disk were full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def carried(error: BaseException | None) -> str:
    """All that an error reporter could show: its frames' variables, and those of its causes."""
    shown = []
    while error is not None:
        frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
        own = [frame for frame in frames if frame.f_code.co_filename != __file__]
        shown += [repr(error), repr(vars(error)), *(repr(frame.f_locals) for frame in own)]
        error = error.__context__
    return "".join(shown)


def leaks(shown: str, file: Path) -> bool:
    key = json.loads(file.read_text())
    return any(str(key.get(name))[:20] in shown for name in PRIVATE if len(str(key[name])) > 20)


def flipped(encoded: str) -> str:
    return ("B" if encoded[0] == "A" else "A") + encoded[1:]


def jwk(p: int, q: int, d: int) -> dict[str, str]:
    """A key of these factors and this exponent; the rest follows from them."""
    values = (p * q, 65537, d, p, q, d % (p - 1), d % (q - 1), pow(q, -1, p))
    return dict(zip(("n", "e", *PRIVATE), map(text, values), strict=True))


def number(file: Path, name: str) -> int:
    return int.from_bytes(raw(json.loads(file.read_text())[name]), "big")


def text(value: int) -> str:
    encoded = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return urlsafe_b64encode(encoded).rstrip(b"=").decode()
