from __future__ import annotations

import datetime as dt
import os
import resource
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from node.config import Config
from node.http.app import application
from node.sandbox import Sandbox
from protocol.wallet import Wallet
from storage import open_writer
from tests.disks import StatedDisk
from tests.node.conftest import Shell
from tests.node.http.service import Services
from tests.node.peers.outside import Server, reply
from tests.node.running import holder
from tests.node.serving.living import Living

NOBODY = "http://127.0.0.1:1"
FREE_PORT = ("--set", "server.port=0")


class Doctor:
    """Look at a shell's store and wallet."""

    def __init__(self, shell: Shell) -> None:
        self.shell = shell

    def says(self, *settings: str) -> tuple[int, dict[str, str]]:
        """Return the exit code, and what each check found; BAD is part of it."""
        options = [part for setting in settings for part in ("--set", setting)]
        done = self.shell.run("doctor", *FREE_PORT, *options)
        assert done.stderr == ""
        lines = [line.split(maxsplit=2) for line in done.stdout.splitlines()]
        words = ("open", "public")  # names of two words
        found = {}
        for verdict, name, rest in lines:
            said = rest.partition(" ")[2].lstrip() if name in words else rest
            found[name] = said if verdict == "ok" else f"BAD {said}"
        return done.exit_code, found

    def complains(self, check: str, *settings: str) -> str:
        """Return what is wrong with one check, which is the only thing that is."""
        code, found = self.says(*settings)
        assert code == 1
        bad = {name: said for name, said in found.items() if said.startswith("BAD ")}
        assert list(bad) == [check]
        return bad[check].removeprefix("BAD ")


@pytest.fixture
def doctor(shell: Shell) -> Doctor:
    return Doctor(shell)


def test_a_machine_without_a_node_is_well(doctor: Doctor) -> None:
    """What `serve` makes by itself need not be there."""
    code, found = doctor.says(f"store.wallets={doctor.shell.data}/../new.json")
    assert (code, list(found)) == (0, ["wallet", "store", "disk", "open", "address"])
    assert found["wallet"].endswith("does not exist: serve creates it")
    assert found["store"].endswith("holds no store yet: serve creates one")


def test_a_store_in_use_is_well(doctor: Doctor) -> None:
    """The wallet's address, how many processes there are, who writes; the address may be taken."""
    doctor.shell.schedule()
    with holder(doctor.shell.environment) as program, socket.create_server(("", 0)) as taken:
        assert program.line() == "open"
        port = taken.getsockname()[1]
        code, found = doctor.says(f"server.port={port}")
    assert code == 0
    assert found["wallet"].endswith(str(doctor.shell.wallet.address))
    assert found["store"].endswith(f"1 processes, PID {program.pid} writes")
    assert found["address"] == f"127.0.0.1:{port} is in use, as the store is: the node runs"


def test_looking_changes_nothing(doctor: Doctor, tmp_path: Path) -> None:
    """Not a file, not a byte, not a time: with a store, and without one."""
    empty = contents(tmp_path)
    doctor.says()
    assert contents(tmp_path) == empty
    doctor.shell.schedule()
    full = contents(tmp_path)
    doctor.says()
    assert contents(tmp_path) == full != empty


def contents(folder: Path) -> dict[Path, tuple[int, bytes]]:
    """Every file with its time and its bytes, but for LMDB's table of those who read just now."""
    files = [file for file in folder.rglob("*") if file.name != "lock.mdb" and file.is_file()]
    return {file: (file.stat().st_mtime_ns, file.read_bytes()) for file in files} | {
        place: (0, b"") for place in folder.rglob("*") if place.is_dir()
    }


def test_a_wallet_that_others_can_read(doctor: Doctor) -> None:
    """The line names the command that mends it."""
    file = Path(doctor.shell.environment["AO_SCHEDULER_WALLET"])
    file.chmod(0o644)
    assert "chmod 600" in doctor.complains("wallet")


def test_a_wallet_that_is_none(doctor: Doctor) -> None:
    """And nothing of what it holds is printed."""
    file = Path(doctor.shell.environment["AO_SCHEDULER_WALLET"])
    file.write_text('{"d": "a-secret"}', "utf-8")
    assert "a-secret" not in doctor.complains("wallet")


def test_a_second_wallet_must_be_there(doctor: Doctor, tmp_path: Path) -> None:
    """Only the operator's is ever created."""
    first, second = doctor.shell.environment["AO_SCHEDULER_WALLET"], tmp_path / "second.json"
    told = doctor.complains("wallet", f"store.wallets={first},{second}")
    assert told == f"cannot read wallet {second}: No such file or directory"


def test_a_folder_that_is_something_else(doctor: Doctor) -> None:
    """A store is not made between other files."""
    doctor.shell.data.mkdir()
    (doctor.shell.data / "letters").mkdir()
    assert "is no store and not empty" in doctor.complains("store")


def test_a_copied_store(doctor: Doctor, tmp_path: Path) -> None:
    """Nobody may write to it until it is adopted."""
    doctor.shell.schedule()
    copied = tmp_path / "copied"
    shutil.copytree(doctor.shell.data, copied)
    assert "read-only until adopted" in doctor.complains("store", f"store.data={copied}")


def test_a_damaged_store(doctor: Doctor) -> None:
    """What cannot be opened is said as a node would say it."""
    doctor.shell.schedule()
    (doctor.shell.data / "manifest.json").write_text("{", "utf-8")
    assert doctor.complains("store")


def test_a_store_of_another_number_of_shards(doctor: Doctor) -> None:
    """It is said before a node is refused it; whoever only reads may ask for any number."""
    open_writer(doctor.shell.data, shards=2).close()
    assert doctor.says("store.shards=2")[0] == 0
    assert "has 2 shards, not 3" in doctor.complains("store", "store.shards=3")
    assert "has 2 shards, not 1" in doctor.complains("store", "store.shards=0")
    assert doctor.says("store.shards=3", "scheduling.mode=disabled")[0] == 0


def test_a_place_for_the_store_that_is_no_folder(doctor: Doctor, tmp_path: Path) -> None:
    """The part of the path that is in the way is named."""
    file = tmp_path / "file"
    file.touch()
    assert doctor.complains("disk", f"store.data={file}/store") == f"{file} is no folder"


def test_a_folder_that_cannot_be_written(
    doctor: Doctor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the system says; it lets root write anywhere."""
    monkeypatch.setattr(os, "access", lambda _, asked, **__: not asked & os.W_OK)
    assert doctor.complains("disk") == f"{tmp_path} cannot be written to"


def test_a_full_disk(doctor: Doctor, disk: StatedDisk) -> None:
    """Both numbers, in MiB."""
    disk.free = 5 << 20
    told = doctor.complains("disk", f"store.min_free_bytes={6 << 20}")
    assert told == "5 MiB are free, less than the reserve of 6 MiB"


def test_too_few_open_files(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    """The hard limit counts: a server raises its own as far as that."""
    monkeypatch.setattr(resource, "getrlimit", lambda _: (64, 256))
    assert "ulimit -Hn" in doctor.complains("open")
    monkeypatch.setattr(resource, "getrlimit", lambda _: (64, 4096))
    assert doctor.says()[1]["open"] == "up to 4096"


def test_an_address_that_cannot_be_listened_on(doctor: Doctor) -> None:
    """In use by somebody else, or not of this machine."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        told = doctor.complains("address", f"server.port={port}")
    assert told == f"another program listens on 127.0.0.1:{port}"
    assert doctor.complains("address", "server.host=192.0.2.1").startswith("192.0.2.1:0: ")


@pytest.mark.parametrize(
    ("days", "key", "words"),
    [
        ((-1, 9), "own", ""),
        ((-9, -1), "own", "only"),
        ((1, 9), "own", "only"),
        ((-1, 9), "other", "no certificate and its key"),
        ((-1, 9), "none", "none.pem does not exist"),
    ],
    ids=["well", "over", "not begun", "of another key", "without key"],
)
def test_a_certificate(
    doctor: Doctor, tmp_path: Path, days: tuple[int, int], key: str, words: str
) -> None:
    """It must be the key's, and its time must have come and not be over."""
    certificate = made(tmp_path, *days)
    settings = [f"server.tls_certificate={certificate}", f"server.tls_key={tmp_path}/{key}.pem"]
    if words:
        assert words in doctor.complains("certificate", *settings)
    else:
        assert "valid until" in doctor.says(*settings)[1]["certificate"]


def made(folder: Path, begins: int, ends: int) -> Path:
    """Make a certificate that is valid between two days from now, its key, and another key."""
    keys = {name: ec.generate_private_key(ec.SECP256R1()) for name in ("own", "other")}
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "node.example")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder(subject, subject, keys["own"].public_key())
        .serial_number(1)
        .not_valid_before(now + dt.timedelta(begins))
        .not_valid_after(now + dt.timedelta(ends))
        .sign(keys["own"], hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    for name, key in keys.items():
        (folder / f"{name}.pem").write_bytes(key.private_bytes(pem, pkcs8, plain))
    file = folder / "certificate.pem"
    file.write_bytes(certificate.public_bytes(pem))
    return file


def test_who_is_named_is_asked(doctor: Doctor) -> None:
    """Bundler, gateway and peers that answer; the gateway tells its newest block."""
    with Sandbox() as sandbox:
        url = sandbox.url
        code, found = doctor.says(f"bundler.url={url}", f"gateway.url={url}", f"peers.notify={url}")
    assert code == 0
    assert found["bundler"].startswith(f"{url} answers")
    assert found["gateway"].startswith(f"{url} is at block ")
    assert found["peer"].startswith(f"{url} answers")


@pytest.mark.parametrize(
    ("check", "setting"),
    [
        ("bundler", "bundler.url={}"),
        ("gateway", "gateway.url={}"),
        ("public", "server.public_url={}"),
        ("peer", "peers.notify={}"),
    ],
)
def test_who_does_not_answer_is_told(doctor: Doctor, server: Server, check, setting) -> None:
    """Nobody there, a server that is broken, and what is no URL."""
    assert "127.0.0.1 cannot be asked" in doctor.complains(check, setting.format(NOBODY))
    server.answers = {path: reply(503) for path in ("", "/", "/~meta@1.0/info", "/block/current")}
    assert doctor.complains(check, setting.format(f"http://127.0.0.1:{server.port}"))
    assert "URL" in doctor.complains(check, setting.format("nowhere"))


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


def test_the_public_url_must_lead_here(
    doctor: Doctor, tmp_path: Path, wallet: Wallet, user_wallet: Wallet
) -> None:
    """It is told from another node's by the operator's address."""
    with Services(tmp_path, [wallet]) as services:
        for node, theirs in ((services.start(), False), (services.start(user_wallet), True)):
            with Living(Config(server={"port": 0}), application(node.node)) as living:
                setting = f"server.public_url=http://127.0.0.1:{living.port}"
                if theirs:
                    assert "leads to another node" in doctor.complains("public", setting)
                else:
                    assert doctor.says(setting)[1]["public"].endswith("leads to this node")
