from __future__ import annotations

import stat
from pathlib import Path

from typer.testing import CliRunner

from node.cli.main import app
from protocol.wallet import Wallet


def test_new_makes_a_wallet_that_only_its_owner_reads(tmp_path: Path) -> None:
    """`wallet new` writes a private file and prints the address that it loads as."""
    file = tmp_path / "wallet.json"
    made = CliRunner().invoke(app, ["wallet", "new", "--wallet", str(file)])
    assert made.exit_code == 0
    assert made.stdout == f"{Wallet.load(file).address}\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_new_never_replaces_a_wallet(tmp_path: Path) -> None:
    """`wallet new` refuses to write over a file: a lost key is lost for ever."""
    file = tmp_path / "wallet.json"
    file.write_text("precious")
    refused = CliRunner().invoke(app, ["wallet", "new", "--wallet", str(file)])
    assert refused.exit_code == 1
    assert refused.stderr == f"error: wallet {file} exists already\n"
    assert file.read_text() == "precious"


def test_address_prints_the_address(tmp_path: Path, wallet: Wallet) -> None:
    """`wallet address` prints the 43 characters that a process names as its scheduler."""
    file = tmp_path / "wallet.json"
    wallet.save(file)
    told = CliRunner().invoke(app, ["wallet", "address"], env={"AO_SCHEDULER_WALLET": str(file)})
    assert (told.exit_code, told.stdout) == (0, f"{wallet.address}\n")


def test_a_wallet_that_others_can_read_is_refused(tmp_path: Path, wallet: Wallet) -> None:
    """The error names the chmod to run."""
    file = tmp_path / "wallet.json"
    wallet.save(file)
    file.chmod(0o644)
    refused = CliRunner().invoke(app, ["--wallet", str(file), "wallet", "address"])
    assert refused.exit_code == 1
    assert f"run chmod 600 {file}" in refused.stderr
    assert refused.stderr.count("\n") == 1
